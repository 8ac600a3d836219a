import json

import pytest

from cachewise.syntax import json as scanner

from .reading import (
    assert_exact,
    assert_memoised,
    found_in,
    marks_of,
    outline,
    read_one,
)

POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
TOOL = {"toolSpec": {"name": "tide", "inputSchema": {"json": {"type": "object"}}}}
RESULT = {"toolResult": {"toolUseId": "t", "content": [{"text": "low"}]}}
BODY = {
    "messages": [
        {"role": "user", "content": [{"text": "When is low water?"}, POINT, {"text": "Today."}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "tide"}}]},
        {"role": "user", "content": [RESULT, {"text": "\n"}, POINT]},
    ],
    "modelId": "us.anthropic.claude-sonnet-4-6",
    "toolConfig": {"toolChoice": {"auto": {}}, "tools": [TOOL, TOOL, HOUR]},
    "system": [{"text": "You keep a lock."}, {"text": " "}, POINT],
}


def test_blocks_stand_in_prefix_order_whatever_the_order_of_the_keys():
    assert outline(read_one(BODY)) == [
        ("tools", "", "tool", "/toolConfig/tools/0"),
        ("tools", "", "tool", "/toolConfig/tools/1"),
        ("system", "system", "text", "/system/0"),
        ("system", "system", "text", "/system/1"),
        ("messages", "user", "text", "/messages/0/content/0"),
        ("messages", "user", "text", "/messages/0/content/2"),
        ("messages", "assistant", "toolUse", "/messages/1/content/0"),
        ("messages", "user", "toolResult", "/messages/2/content/0"),
        ("messages", "user", "text", "/messages/2/content/1"),
    ]


def test_a_point_closes_the_block_before_it_and_is_no_block():
    request = read_one(BODY)
    assert marks_of(request) == [
        ("/toolConfig/tools/2/cachePoint", "point", 1, "1h"),
        ("/system/2/cachePoint", "point", 3, ""),
        ("/messages/0/content/1/cachePoint", "point", 4, ""),
        ("/messages/2/content/2/cachePoint", "point", 8, ""),
    ]
    assert {placed.mark.key for placed in request.marks} == {"cachePoint"}
    assert (request.shape, request.platform) == ("bedrock-converse", "bedrock")
    assert request.provider == "anthropic"
    assert request.model_written == "us.anthropic.claude-sonnet-4-6"


@pytest.mark.parametrize("spacing", [None, 2])
def test_spans_are_exact(spacing):
    source = json.dumps(BODY, indent=spacing)
    assert_exact(source, read_one(source))


@pytest.mark.parametrize(
    "pointer", ["/system/0/text", "/messages/0/content/2/text", "/toolConfig/tools/0/toolSpec/name"]
)
def test_typing_in_one_place_keeps_every_other_unit(pointer):
    assert_memoised(json.dumps(BODY), pointer)


def test_a_point_first_in_its_list_closes_nothing():
    request = read_one(
        {
            "modelId": "m",
            "toolConfig": {"tools": [TOOL]},
            "system": [POINT, {"text": "a"}],
            "messages": [
                {"role": "user", "content": [{"text": "b"}]},
                {"role": "assistant", "content": [POINT, {"text": "c"}]},
                {"role": "user", "content": [POINT]},
            ],
        }
    )
    assert [placed.block for placed in request.marks] == [-1, -1, -1]


def test_a_point_inside_a_tool_result_is_seen_there():
    body = {
        "messages": [
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "x"}, POINT]}}],
            }
        ]
    }
    source = json.dumps(body)
    request = read_one(source)
    assert marks_of(request) == [
        ("/messages/0/content/0/toolResult/content/1/cachePoint", "inside", 0, "")
    ]
    assert_exact(source, request)


def test_novas_own_body_marks_the_part_itself():
    request = read_one(
        {
            "schemaVersion": "messages-v1",
            "system": [{"text": "s", **POINT}],
            "messages": [{"role": "user", "content": [{"text": "t"}]}],
        }
    )
    assert marks_of(request) == [("/system/0/cachePoint", "block", 0, "")]


def test_a_system_prompt_in_one_string_needs_a_sign():
    messages = [{"role": "user", "content": [{"text": "t"}]}]
    request = read_one({"modelId": "m", "system": "s", "messages": messages})
    assert [pointer for *_, pointer in outline(request)] == ["/system", "/messages/0/content/0"]
    (found,) = found_in({"system": "s", "messages": messages})
    assert found.request.shape != "bedrock-converse"


def test_messages_alone_are_enough_and_foreign_members_are_too_much():
    messages = [{"role": "user", "content": [{"text": "t"}]}]
    assert read_one({"messages": messages}).shape == "bedrock-converse"
    assert found_in({"messages": messages, "channel": "general"}) == []


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"role": "user", "content": [{"body": "t"}]}]},
        {"messages": [{"role": "admin", "content": [{"text": "t"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}]}]},
        {"messages": [{"role": "user", "content": "t"}]},
        {"messages": []},
        {"messages": {}},
        {"inferenceConfig": {}},
        {"system": [{"text": "t"}]},
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []


def test_every_beginning_of_a_body_is_read_without_failing():
    source = json.dumps(BODY)
    seen = 0
    for end in range(len(source)):
        node = scanner.scan(source[:end]).node
        if node is not None:
            seen += sum(
                entry.request.shape == "bedrock-converse" for entry in found_in(source[:end])
            )
    assert seen > len(source) // 2
