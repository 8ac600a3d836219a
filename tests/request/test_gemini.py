import json

import pytest

from .reading import assert_exact, assert_memoised, found_in, marks_of, outline, read_one

BODY = {
    "contents": [
        {"role": "user", "parts": [{"text": "Open?"}, {"inlineData": {"data": ""}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "gate", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "gate", "response": {}}}]},
    ],
    "tools": [
        {"functionDeclarations": [{"name": "gate"}, {"name": "tide"}], "codeExecution": None},
        {"googleSearch": {}},
    ],
    "systemInstruction": {"parts": [{"text": "You keep a lock."}]},
    "generationConfig": {"maxOutputTokens": 5},
}


def test_tools_system_contents():
    request = read_one(BODY)
    assert outline(request) == [
        ("tools", "", "tool", "/tools/0/functionDeclarations/0"),
        ("tools", "", "tool", "/tools/0/functionDeclarations/1"),
        ("tools", "", "googleSearch", "/tools/1/googleSearch"),
        ("system", "system", "text", "/systemInstruction/parts/0"),
        ("messages", "user", "text", "/contents/0/parts/0"),
        ("messages", "user", "inlineData", "/contents/0/parts/1"),
        ("messages", "model", "functionCall", "/contents/1/parts/0"),
        ("messages", "user", "functionResponse", "/contents/2/parts/0"),
    ]
    assert marks_of(request) == []
    assert (request.shape, request.provider) == ("gemini-generate-content", "google")
    assert (request.platform, request.platform_guess) == (None, "google")


def test_spans_are_exact_and_units_memoised():
    source = json.dumps(BODY, indent=2)
    assert_exact(source, read_one(source))
    for pointer in ("/contents/0/parts/0/text", "/systemInstruction/parts/0/text"):
        assert_memoised(source, pointer)


def test_a_body_that_creates_a_cache():
    body = {
        "model": "models/gemini-2.5-flash",
        "system_instruction": {"parts": [{"text": "You keep a lock."}]},
        "ttl": "3600s",
    }
    request = read_one(body)
    assert request.shape == "gemini-cached-contents"
    assert request.model_written == "models/gemini-2.5-flash"
    assert read_one({**body, "contents": BODY["contents"]}).shape == "gemini-cached-contents"


def test_a_single_content_and_a_single_part():
    request = read_one({"contents": {"parts": {"text": "a"}}})
    assert outline(request) == [("messages", "user", "text", "/contents/parts")]


@pytest.mark.parametrize(
    "value",
    [
        {"contents": "a book"},
        {"contents": ["a", "b"]},
        {"contents": []},
        {"contents": [{"title": "a", "page": 3}]},
        {"contents": [{"parts": [{"number": 7}]}]},
        {"contents": [{"role": "author", "parts": [{"text": "a"}]}]},
        {"systemInstruction": {"parts": [{"text": "a"}]}},
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []
