"""Every fix of the breakpoint rules keeps the content and leaves a request that the API takes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.syntax.json_edit import Edit, apply_edits
from rules.cases import find, fixed_fully, options, spelled_out
from rules.test_fixes import content as content_of

MODELS = ["claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-5-5"]
TEXTS = [
    "Be brief.",
    "Current time: 2026-11-21T14:03:22Z",
    "Today is 2026-11-21.",
    "{{name}}",
    spelled_out("<prose, 600 tokens>"),
    spelled_out("<prose, 1500 tokens>"),
]
LEGAL = ("CW101", "CW102", "CW103", "CW104", "CW105")


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request with few breakpoints, some turns, and now and then a long turn."""
    share = draw(st.sampled_from([3, 10, 30]))
    ttls = draw(st.sampled_from([[None], [None], [None, "1h"]]))

    def mark() -> dict[str, Any]:
        if draw(st.integers(0, 99)) >= share:
            return {}
        ttl = draw(st.sampled_from(ttls))
        return {"cache_control": {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}}

    def text() -> str:
        return draw(st.sampled_from(TEXTS))

    def part(role: str) -> dict[str, Any]:
        kind = draw(st.integers(0, 5))
        if role == "assistant" and kind == 0:
            return {"type": "tool_use", "id": "t", "name": "n", "input": {}, **mark()}
        if role == "user" and kind == 0:
            inner = [{"type": "text", "text": "A"}, {"type": "text", "text": "B", **mark()}]
            return {"type": "tool_result", "tool_use_id": "t", "content": inner, **mark()}
        return {"type": "text", "text": text(), **mark()}

    body: dict[str, Any] = {"model": draw(st.sampled_from(MODELS)), "max_tokens": 9}
    if draw(st.integers(0, 6)) == 0:
        body["cache_control"] = {"type": "ephemeral"}
    if draw(st.booleans()):
        body["tools"] = [
            {"name": "t", "description": text(), "input_schema": {"type": "object"}, **mark()}
        ]
    if draw(st.booleans()):
        body["system"] = text()
    elif draw(st.booleans()):
        body["system"] = [{"type": "text", "text": text(), **mark()} for _ in range(2)]
    body["messages"] = []
    for index in range(draw(st.sampled_from([1, 1, 2, 3, 5]))):
        role = ("user", "assistant")[index % 2]
        count = draw(st.sampled_from([0, 1, 2, 23, 44]))
        content: Any = [part(role) for _ in range(count)] or text()
        body["messages"].append({"role": role, "content": content})
    return body


@settings(deadline=None, max_examples=80)
@given(requests(), st.sampled_from([None, 2]))
def test_a_fix_keeps_the_content_and_the_request_legal(
    body: dict[str, Any], indent: int | None
) -> None:
    source = json.dumps(body, indent=indent)
    opts = options({})
    found = find(source, opts)
    if any(one.finding.code in LEGAL for one in found):
        return
    for one in found:
        for fix in one.finding.fixes:
            base = one.located.base
            edits = tuple(Edit(edit.start + base, edit.end + base, edit.new) for edit in fix.edits)
            fixed = apply_edits(source, edits)
            assert content_of(json.loads(fixed)) == content_of(body), fix.title
            assert [
                other.finding.message for other in find(fixed, opts) if other.finding.code in LEGAL
            ] == [], fix.title


@settings(deadline=None, max_examples=60)
@given(requests())
def test_the_fixes_of_warnings_come_to_an_end(body: dict[str, Any]) -> None:
    source = json.dumps(body)
    fixed, left = fixed_fully(source, options({}))
    assert content_of(json.loads(fixed)) == content_of(body)
    assert not any(
        one.finding.severity != "info" and any(fix.marker_only for fix in one.finding.fixes)
        for one in left
    )
