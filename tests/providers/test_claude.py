"""Claude on each platform that has it: what is right, and what breaks each limit there."""

from __future__ import annotations

from typing import Any

import pytest

from .judging import EPHEMERAL, LONG, POINT, SHORT, Found, at_the_edge, document, judged

SONNET = "claude-sonnet-4-6"

PLATFORMS = {
    "anthropic": (SONNET, {}, {}),
    "claude-platform-aws": (SONNET, {}, {"platform": "claude-platform-aws"}),
    "foundry": (SONNET, {}, {"platform": "foundry"}),
    "bedrock": (
        None,
        {"anthropic_version": "bedrock-2023-05-31"},
        {"model": "us.anthropic.claude-sonnet-4-6"},
    ),
    "bedrock-mantle": ("anthropic.claude-sonnet-4-6", {}, {"platform": "bedrock-mantle"}),
    "vertex": (None, {"anthropic_version": "vertex-2023-10-16"}, {"model": SONNET}),
}
"""Model in the body, further members, settings."""


def text(of: str, ttl: str | None = None, *, mark: bool = True) -> dict[str, Any]:
    control = {"cache_control": {**EPHEMERAL, **({"ttl": ttl} if ttl else {})}}
    return {"type": "text", "text": of, **(control if mark else {})}


def on(
    name: str, system: list[Any], content: Any = "Which gate opens first?", **more: Any
) -> Found:
    model, members, settings = PLATFORMS[name]
    body = {
        **({"model": model} if model else {}),
        **members,
        "max_tokens": 9,
        "system": system,
        "messages": [{"role": "user", "content": content}],
        **more,
    }
    (located,) = document(body, **settings).requests
    assert located.analyzed.platform is not None
    assert located.analyzed.platform.id == name
    return judged(body, **settings)


def conversation(*last: Any) -> list[Any]:
    return [
        {"role": "user", "content": "Is the basin full?"},
        {"role": "assistant", "content": [{"type": "text", "text": "Nearly."}]},
        {"role": "user", "content": list(last)},
    ]


@pytest.fixture(params=PLATFORMS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_right(name: str) -> None:
    system = [text(LONG, "1h"), text(LONG, "1h"), text(LONG, "5m"), text(LONG)]
    assert on(name, system) == []


def test_a_fifth_marker_is_rejected(name: str) -> None:
    assert on(name, [text(LONG) for _ in range(4)]) == []
    found = on(name, [text(LONG) for _ in range(5)])
    assert found == [("CW101", "error", "/system/4/cache_control")]


def test_under_the_minimum(name: str) -> None:
    assert on(name, [text(SHORT)]) == [("CW201", "warning", "/system/0/cache_control")]


def test_a_lifetime_that_does_not_exist(name: str) -> None:
    assert on(name, [text(LONG, "30m")]) == [("CW104", "error", "/system/0/cache_control/ttl")]


def test_a_longer_lifetime_behind_a_shorter_one(name: str) -> None:
    found = on(name, [text(LONG), text(LONG, "1h")])
    assert found == [("CW102", "error", "/system/1/cache_control/ttl")]


def test_the_window_ends_after_20_positions(name: str) -> None:
    parts = [text(f"Part {number}.", mark=False) for number in range(20)]
    assert on(name, [text(LONG)], [*parts[:19], text("Now?")]) == []
    found = on(name, [text(LONG)], [*parts, text("Now?")])
    assert found == [("CW202", "warning", "/messages/0/content/20/cache_control")]


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "thinking", "thinking": "Hm.", "signature": "s"}, "/messages/1/content/0"),
        ({"type": "redacted_thinking", "data": "s"}, "/messages/1/content/0"),
        ({"type": "text", "text": ""}, "/messages/1/content/0"),
    ],
    ids=["thinking", "redacted", "empty"],
)
def test_a_block_that_takes_no_marker(name: str, block: dict[str, Any], pointer: str) -> None:
    messages = conversation({"type": "text", "text": "And now?"})
    messages[1]["content"].insert(0, {**block, "cache_control": EPHEMERAL})
    found = on(name, [text(LONG)], messages=messages)
    assert found == [("CW103", "error", f"{pointer}/cache_control")]


def test_nested_markers(name: str) -> None:
    use = {"type": "tool_use", "id": "t", "name": "gauge", "input": {}}
    inner = [text("Full."), text("To the brim.", mark=False)]
    result = {"type": "tool_result", "tool_use_id": "t", "content": inner}
    tools = [{"name": "gauge", "input_schema": {"type": "object"}}]
    messages = conversation(result)
    messages[1]["content"] = [use]
    pointer = "/messages/2/content/0/content/0/cache_control"
    assert on(name, [text(LONG)], messages=messages, tools=tools) == [("CW103", "error", pointer)]
    result["content"] = [text("To the brim.")]
    found = on(name, [text(LONG)], messages=messages, tools=tools)
    assert found == [("CW204", "warning", pointer)]


def test_a_deferred_tool_takes_no_marker(name: str) -> None:
    tools = [
        {"name": "find", "input_schema": {"type": "object"}},
        {
            "name": "gauge",
            "input_schema": {"type": "object"},
            "defer_loading": True,
            "cache_control": EPHEMERAL,
        },
    ]
    found = on(name, [text(LONG)], tools=tools)
    assert ("CW103", "error", "/tools/1/cache_control") in found
    assert [one for one in found if one[0] != "CW201"] == [
        ("CW103", "error", "/tools/1/cache_control")
    ]


def test_automatic_caching(name: str) -> None:
    messages = conversation({"type": "text", "text": "And now?"})
    found = on(name, [text(LONG)], messages=messages, cache_control=EPHEMERAL)
    if name == "bedrock":
        assert found == [("CW105", "error", "/cache_control")]
        return
    assert found == []
    full = [text(LONG) for _ in range(4)]
    found = on(name, full, messages=messages, cache_control=EPHEMERAL)
    assert found == [("CW105", "error", "/cache_control")]


MINIMUMS = [
    (SONNET, {}, 1024),
    ("claude-haiku-4-5", {}, 4096),
    ("claude-opus-4-7", {}, 2048),
    ("claude-opus-5-5", {}, 512),
    (SONNET, {"platform": "foundry"}, 1024),
    (SONNET, {"platform": "claude-platform-aws"}, 1024),
    ("claude-sonnet-4-5@20250929", {"platform": "vertex"}, 1024),
    ("anthropic/claude-sonnet-4.6", {"platform": "openrouter"}, 1024),
    ("bedrock/us.anthropic.claude-opus-4-6-v1", {"platform": "litellm"}, 4096),
]


@pytest.mark.parametrize(("model", "settings", "minimum"), MINIMUMS)
def test_one_token_under_the_minimum_and_at_it(
    model: str, settings: dict[str, str], minimum: int
) -> None:
    """Texts whose prefix has ``minimum`` and one token less, by the local count."""

    def body(of: str) -> dict[str, Any]:
        return {
            "model": model,
            "max_tokens": 9,
            "system": [text(of)],
            "messages": [{"role": "user", "content": "Which gate opens first?"}],
        }

    def count(of: str) -> tuple[int, int]:
        (located,) = document(body(of), **settings).requests
        (point,) = located.analyzed.plan.breakpoints
        assert point.minimum == minimum
        return point.prefix.low, point.prefix.high

    enough, under = at_the_edge(count, minimum)
    assert judged(body(enough), **settings) == []
    assert judged(body(under), **settings) == [("CW201", "warning", "/system/0/cache_control")]


# Converse


def converse(
    model: str, system: list[Any], content: list[Any] | None = None, **more: Any
) -> dict[str, Any]:
    question = content or [{"text": "Which gate opens first?"}]
    return {
        "modelId": model,
        "system": system,
        "messages": [{"role": "user", "content": question}],
        **more,
    }


CLAUDE, NOVA = "us.anthropic.claude-sonnet-4-6", "us.amazon.nova-pro-v1:0"
TOOL = {"toolSpec": {"name": "gauge", "inputSchema": {"json": {}}}}


@pytest.fixture(params=[CLAUDE, NOVA], ids=["claude", "nova"])
def model(request: pytest.FixtureRequest) -> str:
    return request.param


def marked(number: int) -> list[Any]:
    return [part for _ in range(number) for part in ({"text": LONG}, POINT)]


def point(**members: str) -> dict[str, Any]:
    return {"cachePoint": {"type": "default", **members}}


def test_converse_right(model: str) -> None:
    assert judged(converse(model, marked(4))) == []
    lasting = [{"text": LONG}, point(ttl="5m")]
    assert judged(converse(model, lasting)) == []


def test_converse_a_fifth_point(model: str) -> None:
    found = judged(converse(model, marked(5)))
    assert found == [("CW101", "error", "/system/9/cachePoint")]


def test_converse_under_the_minimum(model: str) -> None:
    found = judged(converse(model, [{"text": SHORT}, POINT]))
    assert found == [("CW201", "warning", "/system/1/cachePoint")]


def test_converse_window(model: str) -> None:
    parts = [{"text": f"Part {number}."} for number in range(20)]
    inside = [*parts[:19], {"text": "Now?"}, POINT]
    assert judged(converse(model, marked(1), inside)) == []
    found = judged(converse(model, marked(1), [*parts, {"text": "Now?"}, POINT]))
    assert found == [("CW202", "warning", "/messages/0/content/21/cachePoint")]


def test_converse_lifetimes(model: str) -> None:
    hour = judged(converse(model, [{"text": LONG}, point(ttl="1h")]))
    wrong = ("CW104", "error", "/system/1/cachePoint/ttl")
    assert hour == ([wrong] if model == NOVA else [])
    assert judged(converse(model, [{"text": LONG}, point(ttl="30m")])) == [wrong]
    other = {"cachePoint": {"type": "ephemeral"}}
    assert judged(converse(model, [{"text": LONG}, other])) == [
        ("CW104", "error", "/system/1/cachePoint/type")
    ]


def test_converse_an_hour_behind_five_minutes() -> None:
    system = [{"text": LONG}, POINT, {"text": LONG}, point(ttl="1h")]
    found = judged(converse(CLAUDE, system))
    assert found == [("CW102", "error", "/system/3/cachePoint/ttl")]


def test_converse_a_model_with_five_minutes_only() -> None:
    old = "anthropic.claude-3-7-sonnet-20250219-v1:0"
    found = judged(converse(old, [{"text": LONG}, point(ttl="1h")]))
    assert ("CW104", "error", "/system/1/cachePoint/ttl") in found


def test_converse_places(model: str) -> None:
    first = judged(converse(model, [POINT, {"text": LONG}]))
    assert first == [("CW106", "error", "/system/0/cachePoint")]
    result = {"toolResult": {"toolUseId": "t", "content": [{"text": "Full."}, POINT]}}
    inside = judged(converse(model, marked(1), [result, {"text": "Now?"}]))
    pointer = "/messages/0/content/0/toolResult/content/1/cachePoint"
    assert inside == [("CW106", "error", pointer)]


def test_converse_tools(model: str) -> None:
    """Nova takes no checkpoint there; to Claude this one is only too early."""
    found = judged(converse(model, marked(1), toolConfig={"tools": [TOOL, POINT]}))
    pointer = "/toolConfig/tools/1/cachePoint"
    if model == NOVA:
        assert ("CW106", "error", pointer) in found
    else:
        assert found == [("CW201", "warning", pointer)]


def test_nova_takes_none_behind_a_tool_result() -> None:
    result = {"toolResult": {"toolUseId": "t", "content": [{"text": LONG}]}}
    assert judged(converse(NOVA, marked(1), [result, POINT, {"text": "Now?"}])) == [
        ("CW106", "error", "/messages/0/content/1/cachePoint")
    ]
    assert judged(converse(CLAUDE, marked(1), [result, POINT, {"text": "Now?"}])) == []


def test_a_model_of_openai_on_bedrock_is_not_judged_by_claudes_limits() -> None:
    marker = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    parts = [{"type": "text", "text": LONG, **marker} for _ in range(5)]
    many = [{"type": "text", "text": f"Part {number}."} for number in range(30)]
    body = {
        "model": "openai.gpt-5.6",
        "messages": [
            {"role": "system", "content": parts},
            {"role": "user", "content": [*many, {"type": "text", "text": "Now?", **marker}]},
        ],
    }
    found = judged(body, platform="bedrock")
    assert {code for code, *_ in found} & {"CW101", "CW102", "CW104", "CW202"} == set()
