"""Sections "Cache limitations", "When to use multiple breakpoints" and "What can be cached"."""

from __future__ import annotations

from typing import Any

import pytest

from base_document.pages import BLOCK, LONG_MARK, MARK, findings, text
from unit.test_plan import body, exactly, plan_of, users
from unit.test_plan import text as block

MINIMUMS = [
    ("claude-opus-4-1", 1024),
    ("claude-opus-4", 1024),
    ("claude-sonnet-4-5", 1024),
    ("claude-sonnet-4", 1024),
    ("claude-3-7-sonnet", 1024),
    ("claude-3-opus", 1024),
    ("claude-haiku-4-5", 4096),
    ("claude-3-5-haiku", 2048),
    ("claude-3-haiku", 2048),
]


@pytest.mark.parametrize(("model", "minimum"), MINIMUMS)
def test_the_shortest_prompt_that_can_be_cached(model: str, minimum: int) -> None:
    """Cache limitations: 1,024 tokens for six models, 4,096 for Haiku 4.5, 2,048 for two Haikus."""
    value = body(messages=users(block(**MARK)))
    for tokens, effective in ((minimum - 1, False), (minimum, True)):
        [point] = plan_of(value, [exactly(tokens)], model=model).breakpoints
        assert (point.minimum, point.effective) == (minimum, effective)


def test_a_shorter_prompt_is_processed_without_caching() -> None:
    """Cache limitations: a marked prompt under the minimum is handled as if it were not marked."""
    request = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": users(text("Hi", True))}
    [found] = findings(request, "CW201")
    assert found.finding.severity == "warning"
    assert findings(request, "CW101", "CW102", "CW103", "CW104", "CW105") == []


@pytest.mark.parametrize(("count", "codes"), [(4, []), (5, ["CW101"])])
def test_up_to_four_breakpoints(count: int, codes: list[str]) -> None:
    """When to use multiple breakpoints: as many as four may be set."""
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "messages": users(*(text(f"{n}", True) for n in range(count))),
    }
    assert [one.finding.code for one in findings(request, "CW101")] == codes


def test_the_longer_lifetime_comes_first() -> None:
    """Mixing different TTLs: a 1-hour entry stands before any 5-minute one."""

    def request(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        return {
            "model": "claude-sonnet-4-5",
            "max_tokens": 9,
            "system": [{**text("S"), **first}],
            "messages": users({**text("U"), **second}),
        }

    assert findings(request(LONG_MARK, MARK), "CW102") == []
    [found] = findings(request(MARK, LONG_MARK), "CW102")
    assert found.finding.severity == "error"


def test_ephemeral_is_the_only_type() -> None:
    """Cache limitations: no other type of cache exists; without ttl it lives five minutes."""
    marker = {"type": "persistent"}
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "messages": users({**text("U"), "cache_control": marker}),
    }
    assert [one.finding.code for one in findings(request, "CW104")] == ["CW104"]
    [point] = plan_of(body(messages=users(block(**MARK)))).breakpoints
    assert point.ttl == "5m"


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": BLOCK},
    "citations": {"enabled": True},
}
USE = {"type": "tool_use", "id": "t", "name": "find", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "Found."}
THINKING = {"type": "thinking", "thinking": "Where is it?", "signature": "s"}


def with_parts(**parts: Any) -> dict[str, Any]:
    """A request that has one of everything, with what is given put in its place."""
    everything: dict[str, Any] = {
        "tool": {"name": "find", "input_schema": {"type": "object"}},
        "system": text("S"),
        "user": [text("U")],
        "assistant": [text("A"), USE],
        "result": [RESULT],
        **parts,
    }
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "tools": [everything["tool"]],
        "system": [everything["system"]],
        "messages": [
            {"role": "user", "content": everything["user"]},
            {"role": "assistant", "content": everything["assistant"]},
            {"role": "user", "content": everything["result"]},
        ],
    }


@pytest.mark.parametrize(
    "parts",
    [
        {"tool": {"name": "find", "input_schema": {"type": "object"}, **MARK}},
        {"system": text("S", True)},
        {"user": [text("U", True)]},
        {"assistant": [text("A", True), USE]},
        {"user": [{**IMAGE, **MARK}]},
        {"user": [{**DOCUMENT, **MARK}]},
        {"assistant": [{**USE, **MARK}]},
        {"result": [{**RESULT, **MARK}]},
    ],
    ids=["tool", "system", "user text", "assistant text", "image", "document", "use", "result"],
)
def test_what_can_be_marked(parts: dict[str, Any]) -> None:
    """What can be cached: tools, system blocks, texts of both sides, images, documents, tool use.

    A document that is the source of citations is among them.
    """
    assert findings(with_parts(**parts), "CW103", "CW104", "CW204") == []


@pytest.mark.parametrize(
    "parts",
    [
        {"assistant": [{**THINKING, **MARK}, text("A"), USE]},
        {
            "assistant": [
                {
                    **text("A"),
                    "citations": [{"type": "char_location", "cited_text": "A", **MARK}],
                },
                USE,
            ]
        },
        {"user": [text("U"), text("", True)]},
    ],
    ids=["thinking", "a citation", "an empty text"],
)
def test_what_cannot_be_marked(parts: dict[str, Any]) -> None:
    """What cannot be cached: thinking blocks and sub-blocks directly, and empty texts."""
    [found] = findings(with_parts(**parts), "CW103")
    assert found.finding.severity == "error"


def test_thinking_is_part_of_the_prefix_that_another_block_closes() -> None:
    """What cannot be cached: thinking of earlier turns is cached along with what follows it."""
    request = with_parts(assistant=[THINKING, text("A"), USE], result=[{**RESULT, **MARK}])
    plan = plan_of(request)
    assert plan.breakpoints[0].block == 6
    assert plan.positions == [1, 2, 3, 4, 5, 6, 7]
