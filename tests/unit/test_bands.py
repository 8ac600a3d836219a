"""The prefix in bands: kinds, block numbers and the lines that they stand on."""

from __future__ import annotations

import itertools
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.analysis import Document
from cachewise.analysis.bands import Band, bands
from cachewise.analysis.reference import options_for
from cachewise.settings import Settings

OPTIONS, _ = options_for(Settings(), date(2026, 11, 22))
EXAMPLES = Path(__file__).parents[2] / "examples"

LONG = "The quick brown fox jumps over the lazy dog and sails away. " * 120
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def text(content: str, mark: dict[str, str] | None = None) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": content}
    return block if mark is None else {**block, "cache_control": mark}


def body(system: list[Any], *messages: Any, **more: Any) -> str:
    return json.dumps(
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 10,
            **more,
            "system": system,
            "messages": [{"role": "user", "content": message} for message in messages],
        },
        indent=1,
    )


def of(source: str, format: str = "json") -> list[Band]:
    return bands(Document(source, format, OPTIONS), 0, len(source))


def kinds(source: str, format: str = "json") -> list[tuple[str, str, int, int]]:
    return [(band.kind, band.ttl, band.first, band.last) for band in of(source, format)]


def test_an_hour_then_five_minutes_then_the_tail():
    source = body([text(LONG, HOUR), text("More.", MARK)], [text("Hello")])
    assert kinds(source) == [("1h", "1h", 0, 0), ("5m", "5m", 1, 1), ("uncached", "", 2, 2)]


def test_what_stands_before_a_longer_lifetime_is_written_for_as_long():
    source = body([text(LONG, MARK), text("More.", HOUR)], [text("Hello")])
    assert kinds(source) == [("1h", "1h", 0, 1), ("uncached", "", 2, 2)]


def test_a_prefix_under_the_minimum_is_told_from_one_without_a_marker():
    source = body([text("Short.", MARK)], [text("Hello")])
    assert kinds(source) == [("under-minimum", "", 0, 0), ("uncached", "", 1, 1)]
    assert of(source)[0].minimum == 1024
    assert kinds(body([text(LONG)], [text("Hello")])) == [("uncached", "", 0, 1)]


def test_a_short_breakpoint_before_one_in_effect_is_cached_with_it():
    source = body([text("Short.", MARK), text(LONG, MARK)], [text("Hello")])
    assert kinds(source) == [("5m", "5m", 0, 1), ("uncached", "", 2, 2)]


@pytest.mark.parametrize(("count", "unseen"), [(20, None), (21, (0, 0)), (25, (0, 4))])
def test_blocks_out_of_every_window_are_those_that_the_rule_names(
    count: int, unseen: tuple[int, int] | None
):
    parts = [text(LONG if not number else "x") for number in range(count)]
    parts[-1] = text("x", MARK)
    found = [band for band in of(body([], parts)) if band.kind == "out-of-window"]
    assert [(band.first, band.last) for band in found] == ([] if unseen is None else [unseen])
    source = body([], parts)
    codes = {one.finding.code for one in Document(source, "json", OPTIONS).findings()}
    assert ("CW202" in codes) == (unseen is not None)


def test_a_span_covers_whole_entries_and_joins_those_of_one_list():
    source = body([text("One"), text(LONG, MARK)], "Hello", [text("a"), text("b")])
    cached, tail = of(source)
    assert [source[start:end] for start, end in cached.spans] == [
        source[source.index("{", 1) : source.index("]", source.index("ephemeral"))].rstrip()
    ]
    ((start, end),) = tail.spans
    assert source[start:end].startswith('{\n   "role": "user",\n   "content": "Hello"')
    assert source[end:].strip() == "]\n}"


def test_a_part_of_a_message_is_tinted_as_far_as_it_goes():
    source = body([], [text(LONG, MARK), text("Question")])
    cached, tail = of(source)
    ((start, end),) = cached.spans
    assert source[start:end].startswith('{\n     "type"') and source[start:end].endswith("}")
    ((start, end),) = tail.spans
    assert '"Question"' in source[start:end] and "ephemeral" not in source[start:end]


def test_lists_that_stand_in_another_order_are_spans_of_their_own():
    value = json.loads(body([text(LONG, MARK)], "Hello"))
    turned = json.dumps({key: value[key] for key in ("messages", "system", "model")}, indent=1)
    cached, tail = of(turned)
    assert cached.spans[0][0] > tail.spans[0][1]


def test_each_request_of_a_recording_has_its_own():
    line = json.dumps(json.loads(body([text(LONG, MARK)], "Hello")))
    source = f"{line}\n{line}\n"
    document = Document(source, "jsonl", OPTIONS)
    assert len(bands(document, 0, len(source))) == 4
    second = bands(document, len(line) + 5, len(line) + 9)
    assert len(second) == 2 and second[0].spans[0][0] > len(line)


def test_a_constant_used_by_name_is_tinted_where_it_stands():
    source = (
        f"import anthropic\nPROMPT = {LONG!r}\n\n\nanthropic.Anthropic().messages.create(\n"
        '    model="claude-sonnet-4-5", max_tokens=9,\n'
        '    system=[{"type": "text", "text": PROMPT, "cache_control": {"type": "ephemeral"}}],\n'
        '    messages=[{"role": "user", "content": "Hello"}],\n)\n'
    )
    cached, tail = of(source, "python")
    assert cached.kind == "5m" and tail.kind == "uncached"
    assert [source[start:end] for start, end in cached.spans] == [
        '{"type": "text", "text": PROMPT, "cache_control": {"type": "ephemeral"}}',
        LONG,
    ]
    assert [source[start:end] for start, end in tail.spans] == [
        '{"role": "user", "content": "Hello"}'
    ]


@pytest.mark.parametrize("format", ["markdown", "yaml", "shell"])
def test_requests_inside_of_other_texts(format: str):
    value = body([text(LONG, MARK)], "Hello")
    source = {
        "markdown": f"# A request\n\n```json\n{value}\n```\n",
        "yaml": "# JSON is YAML\n" + value,
        "shell": f"curl https://api.anthropic.com/v1/messages -d '{value}'\n",
    }[format]
    cached, tail = of(source, format)
    assert (cached.kind, tail.kind) == ("5m", "uncached")
    (span,) = cached.spans
    assert source[slice(*span)].lstrip().startswith("{") and "ephemeral" in source[slice(*span)]


def test_nothing_is_said_where_a_provider_caches_by_itself():
    source = json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": LONG}], "max_tokens": 9}
    )
    assert of(source) == []


def test_a_configuration_and_a_prompt_file_have_none():
    assert of("You are a harbour master. {{ question }}\n" * 9, "jinja") == []


def test_tokens_add_up_to_the_request():
    document = Document((EXAMPLES / "coding-agent.json").read_text(), "json", OPTIONS)
    found = bands(document, 0, len(document.text))
    (located,) = document.requests
    assert sum(band.tokens for band in found) == located.analyzed.plan.prefixes[-1].estimate
    assert {band.kind for band in found} == {"5m", "out-of-window"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", LONG]), st.sampled_from([None, MARK, HOUR])),
        min_size=1,
        max_size=30,
    )
)
def test_bands_cover_every_block_once_and_their_spans_never_overlap(
    parts: list[tuple[str, dict[str, str] | None]],
):
    source = body([text(*part) for part in parts], "Hello", [text("a"), text("b", MARK)])
    found = of(source)
    covered = [block for band in found for block in range(band.first, band.last + 1)]
    assert covered == list(range(len(parts) + 3))
    spans = sorted(span for band in found for span in band.spans)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
