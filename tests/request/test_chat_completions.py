import json

import pytest

from .reading import (
    assert_exact,
    assert_memoised,
    found_in,
    marks_of,
    outline,
    read_one,
)

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
BREAK = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def text(content, **more):
    return {"type": "text", "text": content, **more}


BODY = {
    "messages": [
        {"role": "system", "content": [text("You keep a lock.", **HOUR)]},
        {"role": "developer", "content": "Be short."},
        {
            "role": "user",
            "content": [text("Open?"), {"type": "image_url", "image_url": {}, **MARK}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "gate", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "tide", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "closed", **MARK},
        {"role": "system", "content": "It is night."},
        {"role": "user", "content": "And now?"},
    ],
    "model": "qwen3-coder-plus",
    "tools": [
        {"type": "function", "function": {"name": "gate", **MARK}},
        {"type": "function", "function": {"name": "tide"}, **MARK},
    ],
}


def test_tools_come_first_then_the_messages_as_they_stand():
    assert outline(read_one(BODY)) == [
        ("tools", "", "tool", "/tools/0"),
        ("tools", "", "tool", "/tools/1"),
        ("system", "system", "text", "/messages/0/content/0"),
        ("system", "developer", "text", "/messages/1/content"),
        ("messages", "user", "text", "/messages/2/content/0"),
        ("messages", "user", "image_url", "/messages/2/content/1"),
        ("messages", "assistant", "tool_call", "/messages/3/tool_calls/0"),
        ("messages", "assistant", "tool_call", "/messages/3/tool_calls/1"),
        ("messages", "tool", "text", "/messages/4/content"),
        ("messages", "system", "text", "/messages/5/content"),
        ("messages", "user", "text", "/messages/6/content"),
    ]


def test_markers_on_parts_messages_tools_and_functions():
    assert marks_of(read_one(BODY)) == [
        ("/tools/0/function/cache_control", "block", 0, ""),
        ("/tools/1/cache_control", "block", 1, ""),
        ("/messages/0/content/0/cache_control", "block", 2, "1h"),
        ("/messages/2/content/1/cache_control", "block", 5, ""),
        ("/messages/4/cache_control", "block", 8, ""),
    ]


def test_a_later_system_message_goes_first_for_a_claude_behind_a_gateway():
    request = read_one({**BODY, "model": "anthropic/claude-sonnet-4.5"})
    assert [(section, pointer) for section, _, _, pointer in outline(request)][2:6] == [
        ("system", "/messages/0/content/0"),
        ("system", "/messages/1/content"),
        ("system", "/messages/5/content"),
        ("messages", "/messages/2/content/0"),
    ]
    assert_exact(json.dumps({**BODY, "model": "anthropic/claude-sonnet-4.5"}), request)


def test_spans_are_exact_and_units_memoised():
    source = json.dumps(BODY, indent=1)
    assert_exact(source, read_one(source))
    for pointer in ("/messages/0/content/0/text", "/messages/6/content", "/tools/1/function/name"):
        assert_memoised(source, pointer)


def test_openais_own_marker_and_lifetime():
    request = read_one(
        {
            "model": "gpt-6-sol",
            "prompt_cache_options": {"mode": "explicit", "ttl": "12h"},
            "messages": [{"role": "user", "content": [text("a", **BREAK), text("b")]}],
        }
    )
    assert marks_of(request) == [("/messages/0/content/0/prompt_cache_breakpoint", "block", 0, "")]
    assert request.default_ttl == "12h"
    assert request.provider == "openai"


@pytest.mark.parametrize(
    ("model", "provider", "platform", "guess"),
    [
        ("gpt-4o", "openai", None, None),
        ("o3-mini", "openai", None, None),
        ("qwen3-coder-plus", "alibaba", None, None),
        ("qwen/qwen3-max", "alibaba", None, "openrouter"),
        ("claude-sonnet-4-5", "anthropic", None, "litellm"),
        ("anthropic/claude-sonnet-4.5", "anthropic", None, "openrouter"),
        ("anthropic/claude-sonnet-4-5-20250929", "anthropic", None, "litellm"),
        ("bedrock/us.anthropic.claude-sonnet-4-6", "anthropic", None, "litellm"),
        ("bedrock/us.amazon.nova-pro-v1:0", "amazon", None, None),
        ("google/gemini-2.5-flash", "google", None, "openrouter"),
        ("mistral-small-latest", "unknown", None, None),
    ],
)
def test_maker_and_guessed_platform(model, provider, platform, guess):
    tool = {"type": "function", "function": {"name": "gate"}}
    messages = [{"role": "user", "content": "a"}]
    request = read_one({"model": model, "messages": messages, "tools": [tool]})
    assert (request.shape, request.provider) == ("chat-completions", provider)
    assert (request.platform, request.platform_guess) == (platform, guess)


def test_a_gateways_own_member_tells_it():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a"}]}
    assert read_one({**body, "transforms": []}).platform_guess == "openrouter"
    assert read_one({**body, "cache_control_injection_points": []}).platform_guess == "litellm"


def test_a_local_model_is_nobodys_platform():
    body = {"model": "qwen3:4b", "messages": [{"role": "user", "content": "a"}], "think": False}
    assert read_one(body).platform == "ollama"


def test_dashscopes_own_body():
    body = {
        "model": "qwen-plus",
        "input": {"messages": [{"role": "user", "content": [text("a", **MARK)]}]},
        "parameters": {"tools": [{"type": "function", "function": {"name": "gate"}}]},
    }
    source = json.dumps(body)
    request = read_one(source)
    assert [pointer for *_, pointer in outline(request)] == [
        "/parameters/tools/0",
        "/input/messages/0/content/0",
    ]
    assert request.platform == "dashscope"
    assert_exact(source, request)


def test_a_batch_line_is_read_with_what_stands_beside():
    line = {
        "custom_id": "n1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "a"}]},
    }
    (found,) = found_in(line)
    assert found.request.shape == "chat-completions"
    assert found.pointer == "/body"
    assert {"custom_id", "url"} <= set(found.beside)


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://api.deepseek.com/chat/completions", "chat-completions"),
        ("https://api.deepseek.com/anthropic/v1/messages", "anthropic-messages"),
    ],
)
def test_the_url_decides_where_the_body_alone_does_not(url, shape):
    body = {
        "model": "deepseek-v4-flash",
        "max_tokens": 9,
        "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": "a"}],
    }
    assert read_one({"url": url, "request": body}).shape == shape


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": ["a"], "model": "T-800"},
        {"messages": [{"id": 1, "text": "a"}], "model": "gpt-4o"},
        {"messages": [{"role": "owner", "content": "a"}], "model": "gpt-4o"},
        {"messages": [{"role": "user", "content": {"a": 1}}], "model": "gpt-4o"},
        {"messages": {"greeting": "a"}, "model": "gpt-4o"},
        {"messages": 3, "model": "gpt-4o"},
        {
            "object": "chat.completion",
            "model": "gpt-4o",
            "choices": [],
            "messages": [{"role": "user", "content": "a"}],
        },
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []
