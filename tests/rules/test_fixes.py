"""Fixes on requests that nobody would write: they end, keep the content, and leave it legal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cachewise.rules import RULES
from cachewise.syntax.json_edit import Edit
from rules.cases import find, fixed_fully, options

OWN = "CW101, CW102, CW103, CW104, CW105"

good_markers = st.sampled_from(
    [
        {"type": "ephemeral"},
        {"type": "ephemeral", "ttl": "5m"},
        {"type": "ephemeral", "ttl": "1h"},
        {"ttl": "1h", "type": "ephemeral"},
    ]
)
bad_markers = st.sampled_from(
    [
        {"type": "ephemeral", "ttl": "30m"},
        {"type": "ephemeral", "ttl": 300},
        {"type": "ephemeral", "ttl": None},
        {"type": "lasting"},
        {"type": None},
        {"ttl": "1h"},
        {},
        {"type": "ephemeral", "scope": "global", "ttl": "2d", "x": [1]},
        True,
        False,
        "ephemeral",
        7,
        [],
        None,
    ]
)
markers = st.one_of(good_markers, good_markers, bad_markers)


@st.composite
def marked(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """An object that carries a marker more often than not, anywhere among its members."""
    value = draw(values)
    if draw(st.integers(0, 2)) == 0:
        return value
    items = list(value.items())
    items.insert(draw(st.integers(0, len(items))), ("cache_control", draw(markers)))
    return dict(items)


texts = st.sampled_from(["", "A", "two words", "\n", 'with "quotes"', "é𝄞", "..."])
plain_text = st.builds(lambda text: {"type": "text", "text": text}, texts)
nested = st.lists(marked(plain_text), min_size=1, max_size=3)
parts = marked(
    st.one_of(
        plain_text,
        plain_text,
        st.just({"type": "thinking", "thinking": "T", "signature": "s"}),
        st.just({"type": "redacted_thinking", "data": "T"}),
        st.just({"type": "tool_use", "id": "a", "name": "t", "input": {"cache_control": 1}}),
        st.builds(lambda c: {"type": "tool_result", "tool_use_id": "a", "content": c}, nested),
        st.builds(
            lambda c: {"type": "document", "source": {"type": "content", "content": c}}, nested
        ),
        st.builds(
            lambda c: {"type": "text", "text": "B", "citations": [c]},
            marked(st.just({"type": "char_location"})),
        ),
    )
)
tools = marked(
    st.builds(
        lambda deferred: {
            "name": "t",
            "input_schema": {"type": "object", "properties": {"cache_control": {}}},
            **({"defer_loading": True} if deferred else {}),
        },
        st.booleans(),
    )
)
messages = marked(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        st.one_of(texts, st.lists(parts, max_size=4)),
    )
)
models = st.sampled_from(
    [
        "claude-sonnet-4-6",
        "claude-opus-4-20250514",
        "anthropic.claude-opus-4-20250514-v1:0",
        "us.anthropic.claude-sonnet-4-6",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A Messages body with its members in any order."""
    members: dict[str, Any] = {
        "model": draw(models),
        "max_tokens": 9,
        "messages": draw(st.lists(messages, min_size=1, max_size=3)),
    }
    if draw(st.booleans()):
        members["tools"] = draw(st.lists(tools, max_size=3))
    if draw(st.booleans()):
        members["system"] = draw(st.one_of(texts, st.lists(marked(plain_text), max_size=3)))
    if draw(st.integers(0, 3)) == 0:
        members["cache_control"] = draw(markers)
    if draw(st.integers(0, 5)) == 0:
        members["betas"] = draw(
            st.lists(
                st.sampled_from(["prompt-caching-2024-07-31", "prompt-caching-scope-2026-01-05"]),
                max_size=2,
            )
        )
    order = draw(st.permutations(sorted(members)))
    return {key: members[key] for key in order}


styles = st.sampled_from(
    [{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"ensure_ascii": False}]
)


def content(value: Any, *, opaque: bool = False) -> Any:
    """A body without its markers, a text and the one text block that says the same alike."""
    if isinstance(value, dict):
        if opaque:
            return value
        found = {
            key: content(inner, opaque=key in ("input", "input_schema"))
            for key, inner in value.items()
            if key != "cache_control"
        }
        for key in ("content", "system"):
            if isinstance(found.get(key), str):
                found[key] = [{"type": "text", "text": found[key]}]
        return found
    if isinstance(value, list):
        return [content(inner) for inner in value]
    return value


def check_fixes(body: dict[str, Any], style: dict[str, Any], rules: str) -> None:
    source = json.dumps(body, **style)
    opts = options({"rules": rules})
    fixed, left = fixed_fully(source, opts)
    assert content(json.loads(fixed)) == content(body)
    assert [one.finding.message for one in left if one.finding.severity == "error"] == []
    again, _ = fixed_fully(fixed, opts)
    assert again == fixed


slow = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@slow
@given(body=requests(), style=styles)
@example(
    body={
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "", "cache_control": {"type": "ephemeral"}}],
    },
    style={},
)
@example(
    body={
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "cache_control": {"type": "ephemeral"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "cache_control": {"type": "ephemeral", "ttl": "1h"},
                        "type": "tool_result",
                        "tool_use_id": "a",
                        "content": [
                            {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}
                        ],
                    }
                ],
            }
        ],
    },
    style={},
)
def test_the_fixes_of_errors_end_and_keep_the_content(
    body: dict[str, Any], style: dict[str, Any]
) -> None:
    check_fixes(body, style, OWN)


@slow
@given(body=requests(), style=styles)
def test_the_fixes_of_all_rules_together_end_and_keep_the_content(
    body: dict[str, Any], style: dict[str, Any]
) -> None:
    check_fixes(body, style, ", ".join(rule.code for rule in RULES))


@slow
@given(body=requests(), style=styles)
def test_every_single_fix_is_sound(body: dict[str, Any], style: dict[str, Any]) -> None:
    """Each one, taken alone: in bounds, without overlap, and the JSON stays JSON."""
    source = json.dumps(body, **style)
    for one in find(source, options({"rules": f"{OWN}, CW402, CW403, CW404"})):
        assert 0 <= one.start < one.end <= len(source)
        base = one.located.base
        for fix in one.finding.fixes:
            text, last = source, len(source)
            for edit in sorted(fix.edits, key=lambda edit: edit.start, reverse=True):
                assert isinstance(edit, Edit)
                assert 0 <= edit.start <= edit.end
                assert edit.end + base <= last
                last = edit.start + base
                text = text[: edit.start + base] + edit.new + text[edit.end + base :]
            changed = json.loads(text)
            if fix.marker_only and one.finding.code != "CW404":
                assert content(changed) == content(body)


@slow
@given(body=requests(), style=styles, cut=st.integers(0, 2000))
def test_half_of_a_request_is_no_storm(
    body: dict[str, Any], style: dict[str, Any], cut: int
) -> None:
    """A text that is cut anywhere behind its model says nothing that the whole does not say."""
    source = json.dumps({"model": body["model"], **body}, **style)
    cut = min(source.index(",") + cut, len(source))
    opts = options({"rules": "CW103, CW104"})
    whole = find(source, opts)
    for half in find(source[:cut], opts):
        assert any(one.start <= half.start <= one.end for one in whole), half.finding.message


@pytest.mark.parametrize("count", [4, 5, 6, 12])
def test_the_last_and_the_shared_prefixes_survive(count: int) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    body = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "tools": [{"name": "t", "input_schema": {}, **mark}],
        "system": [{"type": "text", "text": "S", **mark}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": str(n), **mark}]}
            for n in range(count - 2)
        ],
    }
    fixed, _ = fixed_fully(json.dumps(body), options({"rules": OWN}))
    after = json.loads(fixed)
    assert "cache_control" in after["tools"][0]
    assert "cache_control" in after["system"][0]
    kept = [n for n, m in enumerate(after["messages"]) if "cache_control" in m["content"][0]]
    assert kept == [count - 4, count - 3]
