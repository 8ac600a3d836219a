"""Model Studio, OpenAI, Gemini and the gateways: right requests, and each limit broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .judging import EPHEMERAL, LONG, SHORT, Found, at_the_edge, document, judged

BREAKPOINT = {"mode": "explicit"}
CACHE, OPENAI = "cache_control", "prompt_cache_breakpoint"
TOOL = {"type": "function", "function": {"name": "gauge", "parameters": {"type": "object"}}}
AT = "/messages/0/content"


def part(of: str, ttl: str | None = None) -> dict[str, Any]:
    return {"type": "text", "text": of, CACHE: {**EPHEMERAL, **({"ttl": ttl} if ttl else {})}}


def own(of: str) -> dict[str, Any]:
    return {"type": "text", "text": of, OPENAI: BREAKPOINT}


def chat(
    model: str, system: Any, user: Any = "Which gate opens first?", **more: Any
) -> dict[str, Any]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return {"model": model, "messages": messages, **more}


def parts(number: int) -> list[Any]:
    return [{"type": "text", "text": f"Part {each}."} for each in range(number)]


QWEN, QWEN4 = "qwen3-coder-plus", "qwen4-max"


def on_dashscope(*arguments: Any, **more: Any) -> Found:
    return judged(chat(*arguments, **more), platform="dashscope")


# Model Studio, marked


@pytest.mark.parametrize(
    ("model", "marker"), [(QWEN, part), (QWEN4, part), (QWEN4, own)], ids=["3", "4", "4 own"]
)
class TestMarkedOnModelStudio:
    def test_right(self, model: str, marker: Any) -> None:
        assert on_dashscope(model, [marker(LONG) for _ in range(4)]) == []

    def test_of_five_markers_the_last_four_count(self, model: str, marker: Any) -> None:
        body = chat(model, [marker(LONG) for _ in range(5)])
        key = CACHE if marker is part else OPENAI
        read = document(body, platform="dashscope")
        assert judged(body, platform="dashscope") == [("CW101", "warning", f"{AT}/4/{key}")]
        (located,) = read.requests
        ignored = [bool(point.ignored) for point in located.analyzed.plan.breakpoints]
        assert ignored == [True, False, False, False, False]

    def test_under_the_minimum(self, model: str, marker: Any) -> None:
        key = CACHE if marker is part else OPENAI
        assert on_dashscope(model, [marker(SHORT)]) == [("CW201", "warning", f"{AT}/0/{key}")]

    def test_window(self, model: str, marker: Any) -> None:
        key = CACHE if marker is part else OPENAI
        assert on_dashscope(model, [marker(LONG)], [*parts(19), marker("Now?")]) == []
        found = on_dashscope(model, [marker(LONG)], [*parts(20), marker("Now?")])
        assert found == [("CW202", "warning", f"/messages/1/content/20/{key}")]

    def test_markers_on_tools_are_ignored(self, model: str, marker: Any) -> None:
        found = on_dashscope(model, [marker(LONG)], tools=[{**TOOL, CACHE: EPHEMERAL}])
        assert found == [("CW204", "warning", "/tools/0/cache_control")]

    def test_no_automatic_caching(self, model: str, marker: Any) -> None:
        found = on_dashscope(model, [marker(LONG) for _ in range(4)], cache_control=EPHEMERAL)
        assert found == [("CW204", "warning", "/cache_control")]


def test_lifetimes_of_model_studio() -> None:
    ttl = [("CW204", "warning", f"{AT}/0/cache_control/ttl")]
    assert on_dashscope(QWEN, [part(LONG, "5m")]) == []
    assert on_dashscope(QWEN, [part(LONG, "1h")]) == ttl
    assert on_dashscope(QWEN4, [part(LONG, "5m")]) == []
    assert on_dashscope(QWEN4, [part(LONG, "1h")]) == []
    assert on_dashscope(QWEN4, [part(LONG, "30m")]) == ttl
    read = document(chat(QWEN4, [part(LONG, "30m")]), platform="dashscope")
    assert "qwen4 has 5m and 1h only" in read.findings()[0].finding.message


def test_a_model_without_markers_on_model_studio() -> None:
    found = on_dashscope("qwen-max", [part(LONG)])
    assert found == [("CW204", "warning", f"{AT}/0/cache_control")]


def test_qwens_markers_on_any_message() -> None:
    messages = [
        {"role": "system", "content": [part(LONG)]},
        {"role": "user", "content": "Is the basin full?"},
        {"role": "assistant", "content": [part("Nearly.")]},
        {"role": "tool", "tool_call_id": "t", "content": [part("Full.")]},
        {"role": "user", "content": [part("And now?")]},
    ]
    assert judged({"model": QWEN, "messages": messages}, platform="dashscope") == []


# Model Studio, unmarked


def test_unmarked_on_model_studio() -> None:
    """The cache that works by itself has no limit that a request could break."""
    assert on_dashscope("qwen-max", LONG) == []
    assert on_dashscope("qwen-max", SHORT) == []
    # Where markers exist they would pay, which is worth knowing and no more.
    assert on_dashscope(QWEN, LONG) == [("CW206", "info", f"{AT}")]
    assert on_dashscope(QWEN, SHORT) == []


# Qwen Code


def signed(body: dict[str, Any]) -> dict[str, Any]:
    headers = {"X-DashScope-CacheControl": "enable", "X-DashScope-UserAgent": "QwenCode/0.24.4"}
    return {"headers": headers, "request": body}


def streamed(last_tool: dict[str, Any]) -> dict[str, Any]:
    """What Qwen Code sends while it streams: markers on system, last tool and last part."""
    other = {"type": "function", "function": {"name": "gate", "parameters": {}}}
    return chat(
        QWEN, [part(LONG)], [part("Is the basin full?")], stream=True, tools=[other, last_tool]
    )


def test_what_qwen_code_sends() -> None:
    whole = chat(QWEN, [part(LONG)], "Is the basin full?")
    assert judged(signed(whole)) == []
    assert judged(signed(streamed({**TOOL, CACHE: EPHEMERAL}))) == []


def test_the_same_request_of_somebody_else() -> None:
    body = streamed({**TOOL, CACHE: EPHEMERAL})
    assert judged(body, platform="dashscope") == [("CW204", "warning", "/tools/1/cache_control")]


def test_qwen_codes_tool_marker_is_judged_as_the_service_does() -> None:
    (located,) = document(signed(streamed({**TOOL, CACHE: EPHEMERAL}))).requests
    analyzed = located.analyzed
    assert analyzed.platform is not None
    assert analyzed.platform.id == "dashscope"
    points = [(bool(one.ignored), one.placed.pointer) for one in analyzed.plan.breakpoints]
    assert points == [
        (True, "/tools/1/cache_control"),
        (False, "/messages/0/content/0/cache_control"),
        (False, "/messages/1/content/0/cache_control"),
    ]


@pytest.mark.parametrize(
    ("method", "cached"),
    [
        ("openai", True),
        ("vertex-ai", True),
        ("anthropic", True),
        ("qwen-oauth", False),
        ("oauth-personal", False),
        ("a-new-one", True),
    ],
)
def test_ways_of_signing_in(method: str, cached: bool) -> None:
    found = judged({"security": {"auth": {"selectedType": method}}})
    pointer = "/security/auth/selectedType"
    assert found == ([] if cached else [("CW405", "warning", pointer)])


# OpenAI


def on_openai(*arguments: Any, platform: str = "openai", **more: Any) -> Found:
    return judged(chat(*arguments, **more), platform=platform)


@pytest.mark.parametrize("platform", ["openai", "azure"])
def test_automatic_at_openai(platform: str) -> None:
    for model in ("gpt-4.1", "gpt-5.5", "gpt-4o"):
        assert on_openai(model, LONG, platform=platform) == []
        assert on_openai(model, SHORT, platform=platform) == []


@pytest.mark.parametrize("platform", ["openai", "azure"])
def test_a_model_without_breakpoints(platform: str) -> None:
    found = on_openai("gpt-4.1", [own(LONG)], platform=platform)
    assert found == [("CW204", "warning", f"{AT}/0/{OPENAI}")]


@pytest.mark.parametrize("model", ["gpt-5.6", "gpt-6.1-sol"])
def test_breakpoints_at_openai(model: str) -> None:
    assert on_openai(model, [own(LONG) for _ in range(4)]) == []
    five = on_openai(model, [own(LONG) for _ in range(5)])
    assert five == [("CW101", "warning", f"{AT}/4/{OPENAI}")]
    assert on_openai(model, [own(SHORT)]) == [("CW201", "warning", f"{AT}/0/{OPENAI}")]
    # Nothing walks back at OpenAI, so nothing ends after 20 positions.
    assert on_openai(model, [own(LONG)], [*parts(30), own("Now?")]) == []
    tools = [{**TOOL, CACHE: EPHEMERAL}]
    ignored = [("CW204", "warning", "/tools/0/cache_control")]
    assert on_openai(model, [own(LONG)], tools=tools) == ignored
    options = {"mode": "explicit", "ttl": "12h"}
    assert on_openai(model, [own(LONG)], prompt_cache_options=options) == []


def test_breakpoints_in_responses() -> None:
    def body(of: str, number: int = 1) -> dict[str, Any]:
        marked = {"type": "input_text", "text": of, OPENAI: BREAKPOINT}
        first = {"role": "developer", "content": [marked] * number}
        return {"model": "gpt-5.6", "input": [first, {"role": "user", "content": "Now?"}]}

    assert judged(body(LONG, 4)) == []
    assert judged(body(LONG, 5)) == [("CW101", "warning", f"/input/0/content/4/{OPENAI}")]
    assert judged(body(SHORT)) == [("CW201", "warning", f"/input/0/content/0/{OPENAI}")]


def test_azure_has_no_limit_that_is_known() -> None:
    """How many breakpoints count there is not published, so nothing is said of it."""
    assert on_openai("gpt-5.6", [own(LONG) for _ in range(6)], platform="azure") == []


# The minimum, to the token


@pytest.mark.parametrize(
    ("model", "platform", "marker"),
    [
        (QWEN, "dashscope", part),
        (QWEN4, "dashscope", own),
        ("gpt-5.6", "openai", own),
        ("gpt-6.1-sol", "openai", own),
        ("anthropic/claude-sonnet-4.6", "openrouter", part),
        ("anthropic/claude-sonnet-4-6", "litellm", part),
    ],
)
def test_1023_and_1024_tokens(model: str, platform: str, marker: Any) -> None:
    def count(of: str) -> tuple[int, int]:
        (located,) = document(chat(model, [marker(of)]), platform=platform).requests
        (point,) = located.analyzed.plan.breakpoints
        assert point.minimum == 1024
        return point.prefix.low, point.prefix.high

    enough, under = at_the_edge(count, 1024)
    key = CACHE if marker is part else OPENAI
    assert judged(chat(model, [marker(enough)]), platform=platform) == []
    found = judged(chat(model, [marker(under)]), platform=platform)
    assert found == [("CW201", "warning", f"{AT}/0/{key}")]


# Gemini


@pytest.mark.parametrize("of", [LONG, SHORT])
def test_gemini(of: str) -> None:
    """No markers, so nothing that a request could get wrong."""
    for model in ("gemini-2.5-flash", "gemini-4-argon"):
        body = {"model": model, "contents": [{"role": "user", "parts": [{"text": of}]}]}
        assert judged(body) == []


@pytest.mark.parametrize(
    ("model", "platform", "minimum"),
    [
        ("gemini-2.5-flash", "google", 1024),
        ("gemini-2.5-pro", "google", 4096),
        ("gemini-4-argon", "google", 4096),
        ("gemini-4-argon", "vertex", 6144),
    ],
)
def test_minimums_of_gemini(model: str, platform: str, minimum: int) -> None:
    body = {"model": model, "contents": [{"role": "user", "parts": [{"text": LONG}]}]}
    (located,) = document(body, platform=platform).requests
    assert located.analyzed.minimum == minimum


# Gateways

CLAUDE = {"openrouter": "anthropic/claude-sonnet-4.6", "litellm": "anthropic/claude-sonnet-4-6"}


@pytest.mark.parametrize("platform", CLAUDE)
def test_claude_behind_a_gateway(platform: str) -> None:
    def on(system: Any, *arguments: Any, **more: Any) -> Found:
        return judged(chat(CLAUDE[platform], system, *arguments, **more), platform=platform)

    assert on([part(LONG, "1h"), part(LONG), part(LONG), part(LONG)]) == []
    five = on([part(LONG) for _ in range(5)])
    assert five == [("CW101", "error", f"{AT}/4/cache_control")]
    assert on([part(SHORT)]) == [("CW201", "warning", f"{AT}/0/cache_control")]
    assert on([part(LONG, "30m")]) == [("CW104", "error", f"{AT}/0/cache_control/ttl")]
    assert on([part(LONG), part(LONG, "1h")]) == [("CW102", "error", f"{AT}/1/cache_control/ttl")]
    assert on([part(LONG)], [*parts(19), part("Now?")]) == []
    assert on([part(LONG)], [*parts(20), part("Now?")]) == [
        ("CW202", "warning", "/messages/1/content/20/cache_control")
    ]
    full = on([part(LONG) for _ in range(4)], cache_control=EPHEMERAL)
    assert ("CW105", "error", "/cache_control") in full


def test_a_marker_on_a_message_is_accepted_by_gateways() -> None:
    messages = [
        {"role": "system", "content": LONG, CACHE: EPHEMERAL},
        {"role": "user", "content": "Which gate opens first?"},
    ]
    body = {"model": CLAUDE["litellm"], "messages": messages}
    assert judged(body, platform="litellm") == []


@pytest.mark.parametrize("model", ["openai/gpt-5.6", "mystery/vessel-1"])
def test_claudes_limits_do_not_hold_for_others_behind_a_gateway(model: str) -> None:
    system = [part(LONG) for _ in range(5)]
    found = judged(chat(model, system, [*parts(30), part("Now?")]), platform="openrouter")
    assert [one for one in found if one[0] != "CW402"] == []


def test_the_minimum_of_a_gateway_is_the_models() -> None:
    found = judged(chat("openai/gpt-5.6", [part(SHORT)]), platform="openrouter")
    assert found == [("CW201", "warning", f"{AT}/0/cache_control")]
    assert judged(chat("openai/gpt-4o", [part(LONG)]), platform="openrouter") == [
        ("CW204", "warning", f"{AT}/0/cache_control")
    ]


def proxy(*points: dict[str, Any]) -> str:
    """A LiteLLM configuration: JSON is YAML too, but the list is written as people write it."""
    lines = "\n".join(f"        - {json.dumps(point)}" for point in points)
    return (
        "model_list:\n"
        "  - model_name: harbour\n"
        "    litellm_params:\n"
        "      model: anthropic/claude-sonnet-4-6\n"
        f"      cache_control_injection_points:\n{lines}\n"
    )


def test_injection_points_of_a_litellm_proxy() -> None:
    system = {"location": "message", "role": "system"}
    places = [{"location": "message", "index": -index} for index in range(1, 5)]
    assert judged(proxy(system, *places[:3]), format="yaml") == []
    found = judged(proxy(system, *places), format="yaml")
    pointer = "/cache_control_injection_points/4"
    assert found == [("CW101", "warning", pointer)]
    tools = {"location": "tool_config"}
    assert judged(proxy(system, *places[:2], tools), format="yaml") == []
    reserved = judged(proxy(system, *places[:3], tools), format="yaml")
    assert reserved == [("CW101", "warning", "/cache_control_injection_points/3")]


# Models that nobody knows

MYSTERY = "claude-sonet-4-6"
UNKNOWN = {
    "messages": {
        "model": MYSTERY,
        "max_tokens": 9,
        "system": [part(SHORT)],
        "messages": [{"role": "user", "content": "Now?"}],
    },
    "chat": chat("qwen3-coder-pluss", [part(SHORT)]),
    "responses": {"model": "gpt-5.66", "input": "Now?", "instructions": SHORT},
    "converse": {
        "modelId": "us.anthropic.claude-sonet-4-6",
        "system": [{"text": SHORT}, {"cachePoint": {"type": "default"}}],
        "messages": [{"role": "user", "content": [{"text": "Now?"}]}],
    },
    "gemini": {"model": "gemini-2.5-flsh", "contents": [{"parts": [{"text": SHORT}]}]},
    "vercel": {
        "model": MYSTERY,
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": SHORT}],
                "providerOptions": {"anthropic": {"cacheControl": EPHEMERAL}},
            }
        ],
    },
}


@pytest.mark.parametrize("shape", UNKNOWN)
def test_an_unknown_model_is_told_with_the_nearest(shape: str) -> None:
    read = document(UNKNOWN[shape])
    (located,) = read.requests
    assert located.analyzed.minimum is None
    assert located.analyzed.prices is None
    (one,) = read.findings()
    key = "modelId" if shape == "converse" else "model"
    assert (one.finding.code, one.finding.severity, one.finding.pointer) == (
        "CW402",
        "info",
        f"/{key}",
    )
    nearest = located.analyzed.resolution.nearest
    assert nearest
    assert all(name in one.finding.message for name in nearest)
    assert len(one.finding.fixes) == len(nearest)
