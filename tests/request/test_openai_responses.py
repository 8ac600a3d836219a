import json

import pytest

from .reading import assert_exact, assert_memoised, found_in, marks_of, outline, read_one

BREAK = {"prompt_cache_breakpoint": {"mode": "explicit"}}
BODY = {
    "input": [
        {"role": "developer", "content": [{"type": "input_text", "text": "Be short.", **BREAK}]},
        {"type": "message", "role": "user", "content": "Open?"},
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "gate", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_text", "text": "closed", **BREAK}],
        },
    ],
    "instructions": "You keep a lock.",
    "model": "gpt-6-sol",
    "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
    "tools": [{"type": "function", "name": "gate", "parameters": {}}],
}


def test_tools_instructions_input():
    request = read_one(BODY)
    assert outline(request) == [
        ("tools", "", "tool", "/tools/0"),
        ("system", "system", "text", "/instructions"),
        ("messages", "developer", "input_text", "/input/0/content/0"),
        ("messages", "user", "text", "/input/1/content"),
        ("messages", "assistant", "reasoning", "/input/2"),
        ("messages", "assistant", "function_call", "/input/3"),
        ("messages", "tool", "function_call_output", "/input/4"),
    ]
    assert [block.text for block in request.blocks][1:4] == [
        "You keep a lock.",
        "Be short.",
        "Open?",
    ]
    assert marks_of(request) == [
        ("/input/0/content/0/prompt_cache_breakpoint", "block", 2, ""),
        ("/input/4/output/0/prompt_cache_breakpoint", "block", 6, ""),
    ]
    assert (request.shape, request.provider) == ("openai-responses", "openai")
    assert request.default_ttl == "30m"


def test_spans_are_exact_and_units_memoised():
    source = json.dumps(BODY, indent=2)
    assert_exact(source, read_one(source))
    for pointer in ("/instructions", "/input/0/content/0/text", "/tools/0/name"):
        assert_memoised(source, pointer)


def test_an_input_of_one_string():
    request = read_one({"model": "gpt-4.1", "input": "Open?"})
    assert outline(request) == [("messages", "user", "text", "/input")]
    assert request.unit_pointers == ["/input"]


@pytest.mark.parametrize(
    "value",
    [
        {"model": "text-embedding-3-small", "input": "a"},
        {"model": "gpt-4o-mini-tts", "input": "a", "voice": "coral"},
        {"model": "omni-moderation-latest", "input": "a"},
        {"model": "text-embedding-3-small", "input": ["a", "b"]},
        {"model": "sedan", "input": "a"},
        {"input": "a", "output": "b"},
        {"input": {"prompt": "a"}, "model": "gpt-4o"},
        {"input": [{"role": "admin", "content": "a"}], "model": "gpt-4o"},
        {"input": [{"name": "a"}], "model": "gpt-4o"},
        {"input": [], "model": "gpt-4o"},
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []
