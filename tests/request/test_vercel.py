import json

import pytest

from .reading import assert_exact, assert_memoised, found_in, marks_of, outline, read_one

CACHED = {"providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral"}}}}
HOUR = {
    "experimental_providerMetadata": {
        "anthropic": {"cacheControl": {"type": "ephemeral", "ttl": "1h"}}
    }
}
POINT = {"providerOptions": {"bedrock": {"cachePoint": {"type": "default"}}}}
BODY = {
    "model": "anthropic/claude-sonnet-4.5",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Open?", **HOUR}]},
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "a", "toolName": "gate", "input": {}}],
        },
        {
            "role": "tool",
            "content": [
                {"type": "tool-result", "toolCallId": "a", "toolName": "gate", "output": {}}
            ],
            **CACHED,
        },
        {"role": "system", "content": "You keep a lock.", **CACHED},
    ],
    "tools": {"a/b": {"description": "x", **CACHED}},
}


def test_blocks_and_marks_in_prefix_order():
    request = read_one(BODY)
    assert outline(request) == [
        ("tools", "", "tool", "/tools/a~1b"),
        ("system", "system", "text", "/messages/3/content"),
        ("messages", "user", "text", "/messages/0/content/0"),
        ("messages", "assistant", "tool-call", "/messages/1/content/0"),
        ("messages", "tool", "tool-result", "/messages/2/content/0"),
    ]
    options = "/providerOptions/anthropic/cacheControl"
    older = "/experimental_providerMetadata/anthropic/cacheControl"
    assert marks_of(request) == [
        (f"/tools/a~1b{options}", "block", 0, ""),
        (f"/messages/3{options}", "block", 1, ""),
        (f"/messages/0/content/0{older}", "block", 2, "1h"),
        (f"/messages/2{options}", "block", 4, ""),
    ]
    assert (request.shape, request.platform_guess) == ("vercel-ai-sdk", "anthropic")
    assert request.drops_surplus


def test_spans_are_exact_and_units_memoised():
    source = json.dumps(BODY, indent=2)
    assert_exact(source, read_one(source))
    assert_memoised(source, "/messages/0/content/0/text")


def test_a_bedrock_point_in_the_options():
    request = read_one({"system": "s", "messages": [{"role": "user", "content": "a", **POINT}]})
    assert marks_of(request) == [("/messages/0/providerOptions/bedrock/cachePoint", "block", 1, "")]
    assert request.platform_guess == "bedrock"
    assert not request.drops_surplus


def test_the_prompt_of_a_language_model_call():
    request = read_one({"prompt": [{"role": "user", "content": "a", **CACHED}]})
    assert [pointer for *_, pointer in outline(request)] == ["/prompt/0/content"]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"role": "user", "content": "a", "providerOptions": {"openai": {}}}]},
        {"messages": [{"role": "user", "content": "a", "providerOptions": "anthropic"}]},
        {"prompt": "a", **CACHED},
        {"prompt": [{"text": "a", **CACHED}]},
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []
