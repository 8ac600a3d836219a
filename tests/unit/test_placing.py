"""Placing breakpoints in texts: what is chosen, what is written, and what is left alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.analysis.forecast import forecast
from cachewise.analysis.place import Placement, place, placed, placements
from cachewise.caching.cost import Traffic
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.tree import Node, plain_value

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))
MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
LONG_MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
BOOK = "The harbour master writes down each ship, its crew, and the hour at which it came in. " * 80
"""About 1,500 tokens: over the minimum of most models."""
NOTE = BOOK[: len(BOOK) // 8]
HAIKU = "claude-haiku-4-5"


def text(value: str, mark: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": value, **(mark or {})}


def tool(name: str, description: str, mark: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "input_schema": {"type": "object", "properties": {}},
        **(mark or {}),
    }


def body(**members: Any) -> dict[str, Any]:
    return {"model": "claude-sonnet-4-6", "max_tokens": 9, **members}


def ask(*contents: Any) -> list[dict[str, Any]]:
    """A conversation, turn by turn, that begins and ends with the user."""
    return [
        {"role": ("user", "assistant")[at % 2], "content": content}
        for at, content in enumerate(contents)
    ]


def document(source: Any, format: str = "json", options: Options = OPTIONS) -> Document:
    written = source if isinstance(source, str) else json.dumps(source, indent=2)
    return Document(written, format, options)


def answer(source: Any, format: str = "json", traffic: Traffic | None = None) -> Placement:
    opened = document(source, format)
    (located,) = opened.requests
    return place(opened, located, traffic)


def blocks(found: Placement) -> list[int]:
    """The numbers of the blocks that should be closed, counted from 1 in prefix order."""
    return [point.cut.block + 1 for point in found.points or ()]


def unmarked(node: Node) -> Any:
    """A body without markers, a text and the one text block that says the same alike."""

    def clean(value: Any, opaque: bool = False) -> Any:
        if isinstance(value, list):
            return [
                clean(item)
                for item in value
                if not (isinstance(item, dict) and list(item) == ["cachePoint"])
            ]
        if not isinstance(value, dict) or opaque:
            return value
        found = {
            key: clean(inner, key in ("input", "input_schema"))
            for key, inner in value.items()
            if key not in ("cache_control", "cachePoint")
        }
        for key in ("content", "system"):
            if isinstance(found.get(key), str):
                found[key] = [{"type": "text", "text": found[key]}]
        return found

    return clean(plain_value(node))


def serious(document: Document) -> Counter[str]:
    return Counter(
        one.finding.code
        for one in document.findings()
        if one.finding.severity != "info" and one.finding.code[:3] in ("CW1", "CW2")
    )


# The base document's sentences, each in the place where it speaks of where breakpoints belong.


def test_static_content_first_and_its_end_marked():
    """“Marquez la fin du contenu réutilisable pour la mise en cache.”"""
    found = answer(body(system=[text("You are brief."), text(BOOK)], messages=ask("Which gate?")))
    assert (found.outcome, blocks(found)) == ("change", [2])
    assert "system prompt" in found.points[0].reason


def test_the_end_of_the_conversation_is_marked():
    """“Définissez toujours un point de rupture de cache explicite à la fin de votre
    conversation.”"""
    found = answer(body(system=BOOK, messages=ask("A?", "A.", "B?", "B.", NOTE)))
    assert blocks(found)[-1] == 6
    assert "conversation" in found.points[-1].reason


def test_sections_that_change_at_another_pace():
    """“Mettre en cache différentes sections qui changent à des fréquences différentes (par
    exemple, les outils changent rarement, …).”"""
    tools = [tool("tide", BOOK), tool("wind", BOOK)]
    found = answer(body(tools=tools, system=BOOK, messages=ask("A?", "A.", BOOK, "B.", "C?")))
    assert blocks(found) == [2, 3, 8]


def test_before_what_may_change():
    """“Définissez des points de rupture juste avant les blocs de contenu qui pourraient être
    modifiables.”"""
    system = [text(BOOK), text("Current time: 2026-11-21 10:15:32"), text(BOOK)]
    found = answer(body(system=system, messages=ask("Which gate?")))
    assert blocks(found) == [1]
    assert "block 2, which is made anew in every call" in found.points[0].reason


def test_no_more_than_four():
    """“Vous pouvez définir jusqu'à 4 points de rupture de cache.”"""
    system = [text(BOOK, MARK) for _ in range(6)]
    source = body(system=system, messages=ask("Which gate?"))
    changed = Document(placed(document(source))[0], "json", OPTIONS)
    marks = changed.requests[0].analyzed.request.marks
    assert 1 <= len(marks) <= 4
    assert not serious(changed)


def test_beyond_twenty_blocks():
    """“Assurer la mise en cache du contenu plus de 20 blocs avant votre point de rupture
    final.”"""
    parts = [text(f"Entry {number}. {NOTE}") for number in range(30)]
    found = answer(body(system=BOOK, messages=ask("List them.", parts, "And?")))
    # The call before ended at block 2; the answer and the question added 31 positions.
    assert blocks(found)[-1] == 33
    assert any(2 <= block <= 21 for block in blocks(found))
    changed = Document(
        placed(document(body(system=BOOK, messages=ask("List them.", parts, "And?"))))[0],
        "json",
        OPTIONS,
    )
    assert not serious(changed)


def test_shorter_prompts_cannot_be_cached():
    """“Les invites plus courtes ne peuvent pas être mises en cache, même si elles sont marquées
    avec cache_control.”"""
    source = body(system=NOTE, messages=ask("Which gate?"))
    found = answer(source)
    assert (found.outcome, blocks(found)) == ("nothing", [])
    assert "1,024" in found.sentence
    # 4,096 tokens are needed on another model.
    assert blocks(answer(body(system=BOOK, messages=ask("?")))) == [1]
    assert answer({**body(system=BOOK, messages=ask("?")), "model": HAIKU}).outcome == "nothing"


def test_a_longer_lifetime_where_calls_come_less_often():
    """“Lorsque vous avez des invites susceptibles d'être utilisées moins fréquemment que toutes
    les 5 minutes, mais plus fréquemment que toutes les heures.”"""
    source = body(system=[text(BOOK, MARK)], messages=ask("Which gate?"))
    ttls = {}
    for every in (299, 300, 3599, 3600):
        found = answer(source, traffic=Traffic(every, 20, 0))
        ttls[every] = [point.cut.ttl for point in found.points or ()]
    assert ttls == {299: ["5m"], 300: ["1h"], 3599: ["1h"], 3600: []}


def test_one_call_alone_does_not_pay():
    source = body(system=[text(BOOK, MARK)], messages=ask("Which gate?"))
    found = answer(source, traffic=Traffic(60, 1, 0))
    assert (found.outcome, blocks(found)) == ("change", [])
    assert "does not pay" in found.sentence
    assert "cache_control" not in placed(document(source), Traffic(60, 1, 0))[0]


def test_lifetimes_stay_where_no_traffic_is_declared():
    system = [text(BOOK, LONG_MARK), text(BOOK)]
    found = answer(body(system=system, messages=ask("A?", "A.", NOTE)))
    assert {point.cut.ttl for point in found.points or ()} == {"1h"}
    assert "No traffic is declared" in " ".join(found.notes)


def test_the_lifetime_of_a_batch_is_left_alone():
    request = body(system=[text(BOOK, LONG_MARK)], messages=ask("Which gate?"))
    line = json.dumps({"custom_id": "a", "params": request})
    assert answer(line, "jsonl", Traffic(60, 20, 0)).outcome == "best"
    assert answer(request, traffic=Traffic(60, 20, 0)).outcome == "change"


def test_a_clock_at_the_start_leaves_nothing_to_cache():
    system = [text(f"Current time: 2026-11-21 10:15:32. {BOOK}", MARK)]
    found = answer(body(system=system, messages=ask("Which gate?")))
    assert (found.outcome, blocks(found)) == ("change", [])
    assert "block 1 is made anew in every call" in found.sentence


def test_the_present_ones_stay_when_they_are_as_good():
    source = body(system=[text(BOOK, MARK)], messages=ask("Which gate?"))
    found = answer(source)
    assert (found.outcome, found.edits) == ("best", ())
    assert found.sentence == "The present breakpoint is already the best."


def test_automatic_caching_stays_where_it_serves():
    source = {**body(system=[text(BOOK, MARK)], messages=ask("A?", "A.", NOTE)), **MARK}
    assert answer(source).outcome == "best"


def test_the_savings_are_exact():
    source = body(system=BOOK, messages=ask("Which gate?"))
    found = answer(source, traffic=Traffic(60, 20, 0))
    (point,) = found.points or ()
    total = found.located.analyzed.plan.total.estimate
    cached = point.cut.tokens
    # 980 of 1,000 coming calls share the system prompt; 10 differ in it, 10 somewhere.
    write = (Decimal("3.75") * cached + 3 * (total - cached)) / 1_000_000
    read = (Decimal("0.3") * cached + 3 * (total - cached)) / 1_000_000
    shared = sum(share.weight for share in _shares(found) if share.last >= point.cut.block)
    following = (shared * read + (1000 - shared) * write) / 1000
    assert found.after.first == write
    assert found.after.next == following
    assert found.after.run == write + 19 * following
    assert found.plain.run == 20 * 3 * Decimal(total) / 1_000_000
    assert point.worth == found.plain.run - found.after.run


def _shares(found: Placement):
    assert found.outlook is not None
    return forecast(found.outlook, found.located.analyzed.plan, 1024).shares


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"model": "gpt-5.6", "messages": ask(BOOK)}, "caches what begins alike by itself"),
        ({"model": "gpt-4o", "messages": ask(BOOK)}, "caches what begins alike by itself"),
        (body(model="claude-of-next-year", system=BOOK, messages=ask("?")), "not in the catalog"),
        (body(system="<the entire book>", messages=ask("?")), "length is not known"),
        (body(system=[text("<the entire book>", MARK)], messages=ask("?")), "length is not known"),
    ],
)
def test_what_cannot_be_told_is_said(source: dict[str, Any], told: str):
    found = answer(source)
    assert found.outcome in ("nothing", "unknown")
    assert told in found.sentence
    assert found.edits == ()
    assert placed(document(source))[1] == 0


def test_a_hole_behind_the_prefix_does_not_matter():
    found = answer(body(system=BOOK, messages=ask("{{question}}")))
    assert blocks(found) == [1]
    assert "lower bounds" in " ".join(found.notes)


def test_the_next_request_of_the_file_shows_that_a_conversation_goes_on():
    first = body(system=BOOK, messages=ask(NOTE))
    then = body(system=BOOK, messages=ask(NOTE, "A.", "And?"))
    lines = document(f"{json.dumps(first)}\n{json.dumps(then)}\n", "jsonl")
    assert [found.kind for found in placements(lines)] == ["opening", "conversation"]
    assert [blocks(found)[-1] for found in placements(lines)] == [2, 4]
    assert answer(first).kind == "question"


def test_a_constant_that_two_requests_share_is_marked_once():
    call = (
        'client.messages.create(model="claude-sonnet-4-6", max_tokens=9, system=RULES, '
        'messages=[{"role": "user", "content": question}])\n'
    )
    source = (
        "import anthropic\nclient = anthropic.Anthropic()\n"
        f'RULES = [{{"type": "text", "text": {json.dumps(BOOK)}}}]\na = {call}b = {call}'
    )
    assert [found.outcome for found in placements(document(source, "python"))] == ["change"] * 2
    after, count = placed(document(source, "python"))
    assert (after.count("cache_control"), count) == (1, 1)
    assert placed(document(after, "python")) == (after, 0)


def test_all_requests_of_a_file_at_once():
    lines = [json.dumps(body(system=BOOK, messages=ask(f"Gate {at}?"))) for at in range(40)]
    after, count = placed(document("\n".join(lines), "jsonl"))
    assert count == 40
    assert [line.count("cache_control") for line in after.splitlines()] == [1] * 40


# Whatever is written: only markers change, the API accepts it, and a second time nothing happens.

texts = st.sampled_from(
    [BOOK, BOOK, NOTE, "A", "", "\n", "Time: 2026-11-21 10:15:32", "{{name}}: " + NOTE, "<…>"]
)
markers = st.sampled_from(
    [
        {},
        {},
        {},
        MARK,
        MARK,
        LONG_MARK,
        {"cache_control": {"type": "lasting"}},
        {"cache_control": {"ttl": "30m", "type": "ephemeral"}},
        {"cache_control": None},
        {"cache_control": True},
    ]
)


@st.composite
def parts(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.integers(0, 6))
    mark = draw(markers)
    if kind == 0:
        inner = [text(draw(texts), draw(markers)) for _ in range(draw(st.integers(0, 2)))]
        return {"type": "tool_result", "tool_use_id": "a", "content": inner, **mark}
    if kind == 1:
        return {"type": "tool_use", "id": "a", "name": "t", "input": {"cache_control": 1}, **mark}
    if kind == 2:
        return {"type": "thinking", "thinking": "T", "signature": "s", **mark}
    return text(draw(texts), mark)


contents = st.one_of(texts, st.lists(parts(), max_size=5))
requests = st.builds(
    lambda tools, system, turns, top, message, model: {
        "model": model,
        "max_tokens": 9,
        **({"tools": tools} if tools else {}),
        **({"system": system} if system else {}),
        **top,
        "messages": [
            {**turn, **(message if at == len(turns) - 1 else {})}
            for at, turn in enumerate(ask(*turns))
        ],
    },
    st.lists(st.builds(tool, st.just("t"), texts, markers), max_size=3),
    st.one_of(texts, st.lists(st.builds(text, texts, markers), max_size=4)),
    st.lists(contents, min_size=1, max_size=5),
    st.sampled_from([{}, {}, {}, MARK, LONG_MARK]),
    st.sampled_from([{}, {}, {}, MARK]),
    st.sampled_from(["claude-sonnet-4-6", "claude-opus-5-5", HAIKU]),
)
traffics = st.sampled_from(
    [None, None, Traffic(60, 1, 0), Traffic(60, 2, 0), Traffic(299, 30, 0), Traffic(600, 30, 0),
     Traffic(7200, 30, 0)]
)  # fmt: skip
styles = st.sampled_from([{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}])


@given(requests, traffics, styles)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_changes_markers_only_and_only_once(
    source: dict[str, Any], traffic: Traffic | None, style: dict[str, Any]
):
    written = json.dumps(source, **style)
    before = document(written)
    (located,) = before.requests
    found = place(before, located, traffic)
    if found.before is not None and found.after is not None:
        assert found.after.run <= found.before.run
        assert found.plain is not None
        if traffic is not None:
            assert found.after.run <= found.plain.run or found.outcome == "best"
    after, count = placed(document(written), traffic)
    assert count == (found.outcome == "change")
    assert (after != written) == (count == 1)
    changed = document(after)
    assert unmarked(changed.requests[0].analyzed.request.node) == unmarked(
        located.analyzed.request.node
    )
    if count:
        assert not [code for code in serious(changed) if code.startswith("CW1")]
        assert not serious(changed) - serious(before)
    (again,) = placements(document(after), traffic)
    assert again.outcome != "change", again.sentence
    assert placed(document(after), traffic) == (after, 0)
