"""What the editor shows, with token counts that the texts themselves state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import accumulate

import pytest

from cachewise.analysis import Document, LocatedFinding
from cachewise.analysis import document as document_module
from cachewise.analysis.actions import actions, findings_between, fix_all, stable_end
from cachewise.analysis.completions import completions
from cachewise.analysis.hints import hints, prefix_costs
from cachewise.analysis.hover import hover
from cachewise.analysis.lenses import lenses
from cachewise.analysis.outline import outline
from cachewise.analysis.overview import file_report
from cachewise.analysis.reference import options_for
from cachewise.analysis.summary import summary
from cachewise.analysis.surfaces import Action, Symbol
from cachewise.analysis.wording import escape, money, number, shown
from cachewise.caching.cost import Traffic
from cachewise.settings import Settings
from cachewise.syntax.tree import strings_below
from cachewise.tokens.count import Count

TODAY = date(2026, 11, 21)


@dataclass
class Counts:
    prefixes: list[Count]
    total: Count
    complete: bool = True
    notes: tuple[str, ...] = ()

    def refine(self) -> Iterator[None]:
        yield from ()


SPREAD = 0
"""How far an interval reaches to both sides of the stated count."""


@pytest.fixture(autouse=True)
def stated_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block has as many tokens as its texts say: ``"1000 tokens"``."""

    def count(request, model, *, exact=True):
        own = [
            sum(
                int(found)
                for node, _ in strings_below(block.node)
                for found in re.findall(r"(\d+) tokens", node.text)
            )
            for block in request.blocks
        ]
        sums = [Count(n, n - SPREAD, n + SPREAD, "stated") for n in accumulate(own)]
        total = sums[-1] if sums else Count(0, 0, 0, "stated")
        return Counts(sums, total, notes=("a note",))

    monkeypatch.setattr(document_module, "count_request", count)


def opened(source: str, format: str = "json", **settings: object) -> Document:
    options, problems = options_for(replace(Settings(), **settings), TODAY)
    assert not problems
    return Document(source, format, options)


EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def text(tokens: int, marker: dict[str, str] | None = None) -> dict[str, object]:
    block: dict[str, object] = {"type": "text", "text": f"{tokens} tokens"}
    return block if marker is None else {**block, "cache_control": marker}


def request(
    system: list[object], user: object = "1034 tokens", model: str = "claude-sonnet-4-5", **more
) -> str:
    body = {
        "model": model,
        "max_tokens": 10,
        "system": system,
        "messages": [{"role": "user", "content": user}],
        **more,
    }
    return json.dumps(body, indent=2)


def labels(source: str, **settings: object) -> list[str]:
    return [hint.label for hint in hints(opened(source, **settings), 0, len(source))]


# Hints and lenses


def test_a_breakpoint_and_the_tail_behind_it():
    assert labels(request([text(11034, EPHEMERAL)], "1000 tokens")) == [
        "11,034 tok · 5m · write $0.0414 → read $0.0033",
        "uncached tail 1,000 tok · $0.0030 each call",
    ]


def test_the_lens_of_the_specification():
    document = opened(request([text(11000, EPHEMERAL)]))
    assert [lens.title for lens in lenses(document)] == [
        "12,034 tokens · first call $0.0444 · next $0.0064 · pays from call 2"
    ]


def test_a_prefix_is_cached_from_its_minimum_on():
    assert labels(request([text(1023, EPHEMERAL)]))[0] == "1,023 tok · under 1,024: not cached"
    assert labels(request([text(1024, EPHEMERAL)]))[0] == (
        "1,024 tok · 5m · write $0.0038 → read $0.0003"
    )


def test_inside_the_interval_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "SPREAD", 20)
    assert labels(request([text(1030, EPHEMERAL)]))[0] == "~1,030 tok · 5m · may be under 1,024"
    assert labels(request([text(1003, EPHEMERAL)]))[0] == "~1,003 tok · under 1,024: not cached"
    sure = labels(request([text(1044, EPHEMERAL)]))[0]
    assert sure == "~1,044 tok · 5m · write $0.0039 → read $0.0003"
    tooltip = hints(opened(request([text(1044, EPHEMERAL)])), 0, 10_000)[0].tooltip
    assert "~1,044 tokens (1,024 to 1,064), counted by stated" in tooltip
    assert "- a note" in tooltip
    assert "Minimum: 1,024 tokens: " in tooltip
    assert re.search(r", checked \d{4}-\d\d-\d\d", tooltip)


def test_a_text_of_unknown_length_gives_a_lower_bound():
    hole = {"type": "text", "text": "<the whole book>"}
    found = labels(request([text(1200), hole | {"cache_control": EPHEMERAL}]))
    assert found[0] == "≥ 1,200 tok · 5m · write ≥ $0.0045 → read ≥ $0.0004"
    found = labels(request([text(900), hole | {"cache_control": EPHEMERAL}]))
    assert found[0] == "≥ 900 tok · 5m · cached from 1,024"


def test_an_unknown_model_has_no_price():
    source = request([text(2000, EPHEMERAL)], model="claude-nobody-9")
    assert labels(source) == [
        "2,000 tok · 5m · price not known",
        "uncached tail 1,034 tok",
    ]
    assert [lens.title for lens in lenses(opened(source))] == [
        "3,034 tokens · the model is not in the catalog, so its price is not known"
    ]


def test_without_a_breakpoint_all_is_tail():
    source = request([text(2000)])
    assert labels(source) == ["3,034 tok, none cached · $0.0091 each call"]
    assert [lens.title for lens in lenses(opened(source))] == [
        "3,034 tokens · $0.0091 each call · nothing cached"
    ]


def test_automatic_caching_leaves_no_tail():
    source = request([text(2000)], cache_control=EPHEMERAL)
    assert labels(source) == ["3,034 tok · 5m · write $0.0114 → read $0.0009"]


def test_mixed_lifetimes_are_written_as_they_are_billed():
    source = request([text(2000, HOUR), text(1000, EPHEMERAL)])
    assert labels(source)[:2] == [
        "2,000 tok · 1h · write $0.0120 → read $0.0006",
        # 2,000 at the 1-hour price and 1,000 at the 5-minute price.
        "3,000 tok · 5m · write $0.0158 → read $0.0009",
    ]


def test_hints_stand_at_the_end_of_their_lines():
    source = request([text(2000, EPHEMERAL)])
    for hint in hints(opened(source), 0, len(source)):
        assert hint.at == len(source) or source[hint.at] == "\n"


def test_hints_of_one_line_name_their_blocks():
    source = json.dumps(json.loads(request([text(2000, EPHEMERAL), text(2000, EPHEMERAL)])))
    found = labels(source)
    assert [label.partition(":")[0] for label in found[:2]] == ["block 1", "block 2"]


def test_only_the_hints_of_the_asked_lines():
    source = request([text(2000, EPHEMERAL), text(2000, EPHEMERAL)])
    second = source.index("}", source.rindex("ephemeral"))
    found = hints(opened(source), second, second)
    assert [hint.label[:9] for hint in found] == ["4,000 tok"]


def test_blocks_are_numbered_when_asked_for():
    source = request([text(2000, EPHEMERAL)], "1034 tokens")
    assert labels(source, hints_blocks=True, hints_breakpoints=False) == [
        "#1 · 2,000 tok",
        "#2 · 1,034 tok",
    ]
    assert labels(source, hints_breakpoints=False) == []
    assert lenses(opened(source, lens_enabled=False)) == []


# Numbers and foreign text


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", "$0"),
        ("0.0413775", "$0.0414"),
        ("0.00009999", "<$0.0001"),
        ("0.0001", "$0.0001"),
        ("0.00005", "<$0.0001"),
        ("3", "$3.0000"),
        ("99.99995", "$100.0000"),
        ("100", "$100.00"),
        ("1234567.891", "$1,234,567.89"),
        ("-0.5", "-$0.5000"),
    ],
)
def test_money(amount: str, written: str):
    assert money(Decimal(amount)) == written


def test_numbers():
    assert number(Count(11034, 11034, 11034, "x")) == "11,034"
    assert number(Count(11034, 11000, 11100, "x")) == "~11,034"
    assert number(Count(11034, 11000, 11100, "x"), at_least=True) == "≥ 11,000"


HOSTILE = [
    "[click](command:evil)",
    "![x](https://evil.example/x.png)",
    "<img src=x onerror=alert(1)>",
    "`code` **bold** | cell",
    "https://evil.example www.evil.example a@evil.example",
    "line\n\n# heading\r\n- item",
    "\u202eright to left\u0000\u0007",
    "$(sync~spin)",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_text_in_markdown_does_nothing(hostile: str):
    escaped = escape(hostile)
    assert not re.search(r"[\x00-\x1f\u202e]", escaped)
    unescaped = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[!-/:-@\[-`{-~]", unescaped)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_tool_name_stays_a_name_everywhere(hostile: str):
    tool = {"name": hostile, "description": "2000 tokens", "input_schema": {"type": "object"}}
    source = request([], tools=[tool | {"cache_control": EPHEMERAL}])
    document = opened(source, hints_blocks=True)
    shown_texts = [hint.tooltip for hint in hints(document, 0, len(source))]
    found = hover(document, source.index('"ephemeral"'))
    assert found is not None
    shown_texts.append(found.markdown)
    for markdown in shown_texts:
        bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", markdown)
        assert "evil" not in re.sub(r"evil(?!\w)", "", bare) or "](" not in bare
        assert "](command" not in bare
        assert "<img" not in bare
        assert "![" not in bare
        assert "https://evil" not in bare
        assert "www.evil" not in bare


def test_long_foreign_text_is_cut():
    assert shown("x" * 100, 10) == "x" * 10 + "…"


# Hover


def test_a_breakpoint_shows_its_prefix():
    source = request([text(2000), text(1000, EPHEMERAL)])
    found = hover(opened(source), source.index('"ephemeral"'))
    assert found is not None
    assert source[found.start : found.start + 15] == '"cache_control"'
    lines = found.markdown.splitlines()
    assert r"| 1 | text \(system\) | 2,000 | 2,000 | $0.0075 | $0.0006 |" in lines
    assert r"| 2 ◆ | text \(system\) | 1,000 | 3,000 | $0.0113 | $0.0009 |" in lines
    window = lines.index("Lookback from here: blocks 1 to 2 (2 positions of at most 20).")
    assert window < lines.index("**Breakpoint 1 of 1**, behind block 2 of 3")


def test_the_lookback_window_reaches_twenty_positions_back():
    system = [text(100) for _ in range(24)] + [text(100, EPHEMERAL)]
    source = request(system)
    found = hover(opened(source), source.index('"ephemeral"'))
    assert found is not None
    assert "blocks 6 to 25 (20 positions of at most 20)" in found.markdown
    # The middle of a long table is left out: 6 blocks at its start, 14 at its end.
    assert "| … | 5 more blocks | | | | |" in found.markdown
    assert found.markdown.count("\n| ") == 1 + 6 + 1 + 14


def test_a_model_shows_what_the_catalog_knows():
    source = request([text(2000)])
    found = hover(opened(source), source.index("claude-sonnet-4-5"))
    assert found is not None
    assert "(`claude-sonnet-4-5`) on Claude API" in found.markdown
    assert "| $3 | $3.75 | $6 | $0.3 | $15 |" in found.markdown
    assert "1,024 tokens" in found.markdown
    assert "retires 2026-11-30" in found.markdown
    assert "Lifetimes: 5m, 1h" in found.markdown


def test_an_unknown_model_shows_what_looks_like_it():
    source = request([text(2000)], model="claude-sonnet-4-55")
    found = hover(opened(source), source.index("claude-sonnet-4-55"))
    assert found is not None
    assert "is not in the catalog" in found.markdown
    assert r"claude\-sonnet\-4\-5" in found.markdown


def test_a_lifetime_shows_what_each_choice_costs():
    source = request([text(11000, HOUR)])
    at = source.index('"1h"')
    bare = hover(opened(source), at)
    assert bare is not None
    assert "| 5m | $0.0444 | $0.0064 | 2 |" in bare.markdown
    assert "| 1h ◆ | $0.0691 | $0.0064 | 3 |" in bare.markdown
    declared = hover(opened(source, traffic=Traffic(120, 20, 0)), at)
    assert declared is not None
    # One write and nineteen reads: an entry lives on with each call.
    assert "| 5m | 1 | 19 | $0.1660 |" in declared.markdown
    seldom = hover(opened(source, traffic=Traffic(300, 20, 0)), at)
    assert seldom is not None
    assert "| 5m | 20 | 0 | $0.8870 |" in seldom.markdown
    assert "| 1h ◆ | 1 | 19 |" in seldom.markdown


def test_the_usage_of_a_recorded_response_shows_its_bill():
    pair = {
        "request": json.loads(request([text(11000, EPHEMERAL)])),
        "response": {
            "model": "claude-sonnet-4-5",
            "usage": {
                "input_tokens": 21,
                "cache_creation_input_tokens": 188086,
                "cache_read_input_tokens": 0,
                "output_tokens": 393,
            },
        },
    }
    source = json.dumps(pair, indent=1)
    found = hover(opened(source), source.index("188086"))
    assert found is not None
    assert "**$0.7113** for this call" in found.markdown
    assert "| written for 5m | 188,086 | $0.7053 |" in found.markdown


def test_nothing_to_say_elsewhere():
    source = request([text(2000)])
    assert hover(opened(source), source.index("max_tokens")) is None
    assert hover(opened("[1, 2]"), 1) is None
    assert hover(opened(""), 0) is None


# Actions


def applied(document: Document, action: Action) -> str:
    source = str(document.text)
    for edit in sorted(action.edits, key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.new + source[edit.end :]
    return source


def at(document: Document, offset: int) -> dict[str, Action]:
    found = actions(document, offset, offset, findings_between(document, offset, offset))
    return {action.title: action for action in found}


def test_a_breakpoint_is_inserted_where_the_cursor_is():
    source = request([text(2000), text(500)])
    document = opened(source)
    found = at(document, source.index("500 tokens"))
    changed = json.loads(applied(document, found["Insert cache breakpoint here (5m)"]))
    assert changed["system"][1]["cache_control"] == EPHEMERAL
    changed = json.loads(applied(document, found["Insert cache breakpoint here (1h)"]))
    assert changed["system"][1]["cache_control"] == HOUR


def test_a_plain_text_becomes_a_block_that_can_be_marked():
    source = request([text(2000)])
    document = opened(source)
    found = at(document, source.index("1034 tokens"))
    changed = json.loads(applied(document, found["Insert cache breakpoint here (5m)"]))
    assert changed["messages"][0]["content"] == [text(1034, EPHEMERAL)]


def test_a_system_text_becomes_a_block_that_can_be_marked():
    body = json.loads(request([]))
    source = json.dumps({**body, "system": 'You know 3000 tokens \\"by heart\\".'}, indent=2)
    document = opened(source)
    found = at(document, source.index("You know"))
    changed = json.loads(applied(document, found["Insert cache breakpoint here (1h)"]))
    assert changed["system"][0]["text"] == json.loads(source)["system"]
    assert changed["system"][0]["cache_control"] == HOUR


def test_no_lifetime_is_offered_that_the_api_would_reject():
    source = request([text(2000, EPHEMERAL), text(500)])
    found = at(opened(source), source.index("500 tokens"))
    assert "Insert cache breakpoint here (5m)" in found
    assert "Insert cache breakpoint here (1h)" not in found
    source = request([text(500), text(2000, HOUR)])
    found = at(opened(source), source.index("500 tokens"))
    assert "Insert cache breakpoint here (1h)" in found
    assert "Insert cache breakpoint here (5m)" not in found


def test_a_fifth_breakpoint_is_not_offered_but_one_can_be_moved():
    source = request([text(2000, EPHEMERAL) for _ in range(4)] + [text(500)])
    document = opened(source)
    found = at(document, source.index("500 tokens"))
    assert not [title for title in found if title.startswith("Insert")]
    changed = json.loads(applied(document, found["Move breakpoint to here from block 4"]))
    assert ["cache_control" in block for block in changed["system"]] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_three_breakpoints_leave_room_for_a_fourth():
    source = request([text(2000, EPHEMERAL) for _ in range(3)] + [text(500)])
    found = at(opened(source), source.index("500 tokens"))
    assert "Insert cache breakpoint here (5m)" in found


def test_a_breakpoint_is_removed_and_moved():
    source = request([text(2000, EPHEMERAL), text(500)])
    document = opened(source)
    found = at(document, source.index('"ephemeral"'))
    changed = json.loads(applied(document, found["Remove this breakpoint"]))
    assert changed["system"] == [text(2000), text(500)]
    changed = json.loads(
        applied(document, found["Move breakpoint to the end of the system prompt"])
    )
    assert changed["system"] == [text(2000), text(500, EPHEMERAL)]


def test_automatic_caching_can_be_removed():
    source = request([text(2000)], cache_control=EPHEMERAL)
    document = opened(source)
    found = at(document, source.index('"ephemeral"'))
    changed = json.loads(applied(document, found["Remove this breakpoint"]))
    assert "cache_control" not in changed


def test_the_last_stable_block_stands_before_the_last_user_turn():
    messages = [
        {"role": "user", "content": "100 tokens"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "5 tokens"}]},
        {"role": "user", "content": "1 tokens"},
    ]
    document = opened(request([text(2000)], messages=messages))
    # The thinking block cannot carry a marker, so the block before it is meant.
    assert stable_end(document, document.requests[0]) == 1
    single = opened(request([text(2000)]))
    assert stable_end(single, single.requests[0]) == 0


@pytest.mark.parametrize(
    "barred",
    [
        {"type": "thinking", "thinking": "100 tokens", "signature": "x"},
        {"type": "text", "text": ""},
    ],
)
def test_nothing_is_inserted_where_the_api_rejects_it(barred: dict[str, object]):
    source = request([text(2000)], [barred, text(5)])
    document = opened(source)
    offset = source.index(json.dumps(barred["type"]), source.index("messages"))
    assert "Insert cache breakpoint here (5m)" not in at(document, offset)


def finding(document: Document, rule: str) -> LocatedFinding:
    return next(found for found in document.findings() if found.finding.rule == rule)


ORDER = request([text(2000, EPHEMERAL), text(2000, HOUR)])


def test_quick_fixes_answer_their_findings():
    document = opened(ORDER)
    wrong = finding(document, "ttl-order")
    found = at(document, wrong.start)
    fixes = [action for action in found.values() if action.finding == wrong and action.edits]
    assert [fix.preferred for fix in fixes[:2]] == [True, False]
    for fix in fixes[:2]:
        assert fix.kind == "quickfix"
        again = opened(applied(document, fix))
        assert not [item for item in again.findings() if item.finding.rule == "ttl-order"]


def test_everything_is_fixed_at_once():
    document = opened(ORDER)
    everything = fix_all(document)
    assert everything is not None
    assert everything.kind == "source.fixAll.cachewise"
    again = opened(applied(document, everything))
    assert not [item for item in again.findings() if item.finding.rule == "ttl-order"]
    assert fix_all(opened(request([text(11000, EPHEMERAL)]))) is None


@pytest.mark.parametrize("where", ["here", "in this file"])
@pytest.mark.parametrize("format", ["json", "jsonc"])
def test_a_rule_is_switched_off(format: str, where: str):
    document = opened(ORDER, format)
    found = at(document, finding(document, "ttl-order").start)
    changed = applied(document, found[f"Ignore ttl-order {where}"])
    again = opened(changed, format)
    assert not [item for item in again.findings() if item.finding.rule == "ttl-order"]
    if format == "json":
        assert "$cachewise" in changed
        json.loads(changed)
    else:
        assert "// cachewise: ignore" in changed


def test_a_second_rule_joins_the_first_one_switched_off():
    body = json.loads(ORDER)
    source = json.dumps({**body, "$cachewise": {"ignore": ["volatile-content"]}}, indent=2)
    document = opened(source)
    found = at(document, finding(document, "ttl-order").start)
    changed = json.loads(applied(document, found["Ignore ttl-order in this file"]))
    assert changed["$cachewise"] == {"ignore": ["volatile-content", "ttl-order"]}


def test_a_comment_goes_where_it_has_its_effect():
    """On one line with the value before it, the line above would belong to another block."""
    source = (
        '{"model": "claude-sonnet-4-5", "max_tokens": 1, "system": [\n'
        '  {"type": "text", "text": "2000 tokens",\n'
        '   "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "2 tokens",\n'
        '"cache_control": {"type": "ephemeral",\n "ttl": "1h"}}],\n'
        '"messages": [{"role": "user", "content": "x"}]}'
    )
    document = opened(source, "jsonc")
    found = at(document, finding(document, "ttl-order").start)
    again = opened(applied(document, found["Ignore ttl-order here"]), "jsonc")
    assert not [item for item in again.findings() if item.finding.rule == "ttl-order"]


# Completion

BODY = (
    '{"model": "claude-sonnet-4-5", "max_tokens": 1, "messages": '
    '[{"role": "user", "content": [{"type": "text", "text": "x"%s}]}]%s}'
)


def offered(source: str) -> dict[str, str]:
    """Labels, and the text after accepting each."""
    offset = source.index("|")
    plain = source.replace("|", "", 1)
    return {
        item.label: plain[: item.start] + item.insert + plain[item.end :]
        for item in completions(opened(plain), offset)
    }


@pytest.mark.parametrize(
    "typed", [", |", ', "|"', ', "cac|"', ", cac|", ', "cache_control|"', ',\n  "c|"\n']
)
def test_a_breakpoint_is_offered_on_a_block(typed: str):
    found = offered(BODY % (typed, ""))
    assert list(found) == ["cache_control", "cache_control (1h)"]
    block = json.loads(found["cache_control (1h)"])["messages"][0]["content"][0]
    assert block == {"type": "text", "text": "x", "cache_control": HOUR}


def test_an_open_quote_is_closed():
    found = offered(BODY % (', "cac|\n', ""))
    block = json.loads(found["cache_control"])["messages"][0]["content"][0]
    assert block["cache_control"] == EPHEMERAL


def test_a_comma_is_added_before_what_follows():
    source = BODY.replace('{"type": "text"', '{|"type": "text"') % ("", "")
    block = json.loads(offered(source)["cache_control"])["messages"][0]["content"][0]
    assert list(block) == ["cache_control", "type", "text"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (', "cache_control": |', ["cache_control", "cache_control (1h)"]),
        (', "cache_control": {|}', ["type", "ttl"]),
        (', "cache_control": {"type": "|"}', ["ephemeral"]),
        (', "cache_control": {"type": "ephemeral", "ttl": "|"}', ["5m", "1h"]),
        (', "cache_control": {"type": "ephemeral", "ttl": |}', ["5m", "1h"]),
        (', "cache_control": {"type": "ephemeral", "t|"}', ["ttl"]),
    ],
)
def test_a_marker_is_completed(typed: str, expected: list[str]):
    assert list(offered(BODY % (typed, ""))) == expected


def test_automatic_caching_is_offered_at_the_top():
    found = offered(BODY % ("", ', "|"'))
    assert json.loads(found["cache_control"])["cache_control"] == EPHEMERAL


def test_models_are_offered_with_minimum_and_price():
    source = (BODY % ("", "")).replace("claude-sonnet-4-5", "claude-son|")
    offset = source.index("|")
    items = completions(opened(source.replace("|", "")), offset)
    by_id = {item.label: item for item in items}
    assert by_id["claude-sonnet-4-6"].detail == ("min 1,024 tok · input $3, read $0.3 per MTok")
    assert "claude-3-opus-20240229" not in by_id  # retired
    assert not [name for name in by_id if name.startswith("gpt")]
    accepted = offered(source)["claude-sonnet-4-6"]
    assert json.loads(accepted)["model"] == "claude-sonnet-4-6"


@pytest.mark.parametrize(
    "source",
    [
        BODY.replace('"x"', '"x|"') % ("", ""),
        BODY.replace('"role": "user"', '"role": "us|er"') % ("", ""),
        BODY.replace('{"role"', '{|"role"') % ("", ""),
        BODY % (', "cache_control": {"type": "ephemeral"}, "|"', ""),
        BODY % (' "|"', ""),
        BODY.replace('"content": [', '"content": [|') % ("", ""),
        BODY.replace('"text": "x"', '"text": ""|') % ("", ""),
        BODY.replace('"type": "text"', '"type": "thinking", "|"') % ("", ""),
        BODY % (', "citations": {"|"}', ""),
        '{"name": "not a request", "|"}',
        "|",
    ],
)
def test_nothing_is_offered_where_nothing_may_stand(source: str):
    assert offered(source) == {}


# Outline and summary


def drawn(symbols: tuple[Symbol, ...] | list[Symbol], depth: int = 0) -> list[str]:
    lines: list[str] = []
    for symbol in symbols:
        lines.append(f"{'  ' * depth}{symbol.name}: {symbol.detail}")
        lines += drawn(symbol.children, depth + 1)
    return lines


def test_the_outline():
    tool = {"name": "find", "description": "100 tokens", "input_schema": {"type": "object"}}
    source = request([text(2000)], [text(5), text(7)], tools=[tool])
    symbols = outline(opened(source))
    assert drawn(symbols) == [
        "claude-sonnet-4-5: 2,112 tokens",
        "  tools: 100 tokens",
        "    1 tool find: 100 tokens",
        "  system: 2,000 tokens",
        "    2 text (system): 2,000 tokens",
        "  messages: 12 tokens",
        "    user: 12 tokens",
        "      3 text (user): 5 tokens",
        "      4 text (user): 7 tokens",
    ]

    def check(symbol: Symbol, start: int, end: int) -> None:
        assert start <= symbol.start <= symbol.select_start
        assert symbol.select_start <= symbol.select_end <= symbol.end <= end
        for child in symbol.children:
            check(child, symbol.start, symbol.end)

    for symbol in symbols:
        check(symbol, 0, len(source))


def test_an_empty_name_still_has_an_entry():
    tool = {"name": "\n", "description": "1 tokens", "input_schema": {}}
    source = request([text(2000)], model=" ", tools=[tool])
    assert all(line.split(":")[0].strip() for line in drawn(outline(opened(source))))


def test_the_summary():
    source = "\n" + request([text(11000, EPHEMERAL)])
    document = opened(source)
    found = summary(document, source.index("system"))
    assert found is not None
    assert found.label == "12,034 tok · next $0.0064"
    assert found.tokens == 12034
    assert found.next_call == "0.006402"
    assert found.model == "claude-sonnet-4-5"
    assert "- Block 1: 11,000 tok · 5m · write $0.0413 → read $0.0033" in found.tooltip
    assert summary(opened("[]"), 0) is None


def test_a_lifetime_that_does_not_exist_has_no_price():
    source = request([text(2000, {"type": "ephemeral", "ttl": "2h"})])
    labels = [hint.label for hint in hints(opened(source), 0, len(source))]
    assert "2,000 tok · no such ttl" in labels


def test_a_guessed_platform_is_shown_as_a_guess():
    body = (
        '{"model": "anthropic/claude-sonnet-4.5", "messages": [{"role": "user", "content": "Hi."}]}'
    )
    document = opened(body)
    assert document.requests[0].analyzed.platform_guessed
    found = hover(document, body.index("claude"))
    assert found is not None
    assert "a guess" in found.markdown
    shown = summary(document, 3)
    assert shown is not None
    assert "(a guess)" in shown.tooltip


def test_twelve_hours_at_openai_cost_what_they_cost_everywhere() -> None:
    """Lens, hint and hover tell the price of the longer lifetime, whatever it is called."""
    value = {
        "model": "gpt-5.6",
        "prompt_cache_options": {"mode": "explicit", "ttl": "12h"},
        "messages": [
            {
                "role": "system",
                "content": [{**text(4000), "prompt_cache_breakpoint": {"mode": "explicit"}}],
            },
            {"role": "user", "content": "When?"},
        ],
    }
    document = opened(json.dumps(value))
    known = document.requests[0].analyzed
    (point,) = known.plan.breakpoints
    assert (point.ttl, point.long_lived) == ("12h", True)
    assert known.prices is not None
    assert known.prices.write_1h is not None
    whole = point.prefix.estimate * known.prices.write_1h / 1_000_000
    costs = prefix_costs(known, point)
    assert costs is not None
    assert costs[0] == whole
    run = file_report(document, traffic=Traffic(every=600, calls=1, output_tokens=0))
    choices = run.requests[0].run.choices  # type: ignore[union-attr]
    twelve = next(choice.cost for choice in choices if choice.ttl == "12h")
    assert twelve == known.costs.first_call
