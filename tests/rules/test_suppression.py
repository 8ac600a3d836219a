"""What a file silences, and what only looks as if it did."""

from __future__ import annotations

import pytest

from cachewise.analysis import Document
from rules.cases import find, options

OPTIONS = options({"rules": "CW104, CW402"})
WRONG = '"cache_control": {"type": "ephemeral", "ttl": "30m"}'


def body(line: str, *, before: str = "", after: str = "", head: str = "", model: str = "") -> str:
    """A request with one wrong marker on the line ``line``."""
    return (
        f'{{{head}"model": "{model or "claude-sonnet-4-6"}", "max_tokens": 9,\n'
        f' "system": [{{"type": "text", "text": "S",\n{before}{line}{after}}}],\n'
        ' "messages": [{"role": "user", "content": "C"}]}\n'
    )


def rules(source: str, format: str = "jsonc") -> list[str]:
    return [one.finding.code for one in find(source, OPTIONS, format)]


def test_without_a_word_it_is_said() -> None:
    assert rules(body(WRONG)) == ["CW104"]


@pytest.mark.parametrize(
    "comment",
    [
        "// cachewise: ignore[invalid-cache-control]",
        "// cachewise: ignore[CW104]",
        "// cachewise: ignore[ ttl-order , invalid-cache-control ]",
        "// cachewise: ignore",
        "//cachewise:ignore[CW104] because the proxy rewrites it",
        "/* cachewise: ignore[CW104] */",
    ],
)
def test_a_comment_on_the_line_or_above(comment: str) -> None:
    assert rules(body(WRONG, after=f" {comment}\n")) == []
    assert rules(body(WRONG, before=f"  {comment}\n")) == []


@pytest.mark.parametrize(
    "comment",
    [
        "// cachewise: ignore[ttl-order]",
        "// cachewise: ignore[]",
        "// cachewise ignore[CW104]",
        "// cachewise: ignored",
        "// ignore[CW104]",
    ],
)
def test_a_comment_that_says_something_else(comment: str) -> None:
    assert rules(body(WRONG, before=f"  {comment}\n")) == ["CW104"]


def test_a_comment_two_lines_above_is_too_far() -> None:
    assert rules(body(WRONG, before="  // cachewise: ignore[CW104]\n\n")) == ["CW104"]


def test_a_comment_on_the_line_below_is_too_late() -> None:
    assert rules(body(WRONG, after="\n  // cachewise: ignore[CW104]\n")) == ["CW104"]


def test_a_comment_of_several_lines_counts_by_its_last() -> None:
    comment = "/* cachewise: ignore[CW104]\n   the proxy rewrites it */"
    assert rules(body(WRONG, before=f"{comment}\n")) == []


def test_a_comment_that_closes_the_line_outside_of_the_block() -> None:
    source = body(WRONG).replace("}}],", "}}], // cachewise: ignore[CW104]")
    assert rules(source) == []


def test_a_comment_before_the_whole_value() -> None:
    flat = body(WRONG).replace("\n", "")
    assert rules(flat) == ["CW104"]
    assert rules(f"// cachewise: ignore[CW104]\n{flat}") == []


def test_a_comment_of_one_line_does_not_silence_the_next_but_one() -> None:
    source = body(WRONG, before=" // cachewise: ignore[CW104]\n", model="claude-sonet-4-6")
    assert rules(source) == ["CW402"]


def test_a_list_around_the_requests_may_hold_the_comment() -> None:
    flat = body(WRONG).replace("\n", "")
    assert rules(f'{{"requests": [\n// cachewise: ignore[CW104]\n{{"params": {flat}}}]}}') == []
    assert rules(f'{{"requests": [\n{{"params": {flat}}}]}}') == ["CW104"]


@pytest.mark.parametrize("listed", ["", "[CW104]", "[invalid-cache-control]"])
def test_a_file_is_silenced(listed: str) -> None:
    comment = f"// cachewise: ignore-file{listed}\n"
    assert rules(f"{comment}\n\n{body(WRONG)}") == []
    assert rules(f"{body(WRONG)}\n\n{comment}") == []
    assert rules(body(WRONG, head=f"\n{comment}\n\n")) == []


def test_a_file_is_silenced_for_one_rule_only() -> None:
    source = f"// cachewise: ignore-file[CW104]\n\n{body(WRONG, model='claude-sonet-4-6')}"
    assert rules(source) == ["CW402"]


@pytest.mark.parametrize("listed", ['["invalid-cache-control"]', '["CW402", "CW104"]', '"CW104"'])
def test_a_key_where_json_has_no_comments(listed: str) -> None:
    key = f'"$cachewise": {{"ignore": {listed}}}, '
    assert rules(body(WRONG, head=key), "json") == []
    assert rules(body(WRONG, before=key), "json") == []
    flat = body(WRONG).replace("\n", "")
    assert rules(f'{{{key}"custom_id": "a", "params": {flat}}}\n', "jsonl") == []


def test_a_key_silences_its_own_object_only() -> None:
    key = '"$cachewise": {"ignore": ["CW402", "CW104"]}, '
    source = body(WRONG, before=key, model="claude-sonet-4-6")
    assert rules(source, "json") == ["CW402"]
    other = body(WRONG).replace('"role"', f'{key}"role"')
    assert rules(other, "json") == ["CW104"]


@pytest.mark.parametrize("value", ["{}", '{"ignore": []}', '{"ignore": [1]}', "true", '"CW104"'])
def test_a_key_with_another_value_silences_nothing(value: str) -> None:
    assert rules(body(WRONG, head=f'"$cachewise": {value}, '), "json") == ["CW104"]


@pytest.mark.parametrize(
    "text",
    [
        "// cachewise: ignore-file",
        "/* cachewise: ignore-file[CW104] */",
        "# cachewise: ignore",
        '\\"$cachewise\\": {\\"ignore\\": [\\"CW104\\"]}',
    ],
)
def test_a_prompt_silences_nothing(text: str) -> None:
    same_line = body(f'"citations": null, {WRONG}').replace('"S",\n', f'"{text}", ')
    assert rules(same_line) == ["CW104"]
    assert rules(body(WRONG).replace('"S"', f'"{text}"')) == ["CW104"]
    assert rules(body(WRONG).replace('"C"', f'"{text}"')) == ["CW104"]


def test_an_edit_is_followed() -> None:
    source = body(WRONG, before="  // cachewise: ignore[CW104]\n")
    document = Document(source, "jsonc", OPTIONS)
    assert document.findings() == []
    at = source.index("ignore")
    document.edit(at, at + 6, "regard")
    assert [one.finding.code for one in document.findings()] == ["CW104"]
    document.edit(at, at + 6, "ignore")
    assert document.findings() == []


def test_an_edit_of_a_comment_outside_is_followed() -> None:
    source = f"// cachewise: ignore-file\n{body(WRONG)}"
    document = Document(source, "jsonc", OPTIONS)
    assert document.findings() == []
    document.edit(3, 12, "otherwise")
    assert [one.finding.code for one in document.findings()] == ["CW104"]
