"""What is taken as made anew for every call, what is left alone, and the exact places."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.request import anthropic_messages
from cachewise.request.model import Request
from cachewise.request.volatility import changes_of, find_volatile, volatile_spans
from cachewise.syntax.json import scan

PROSE = "The harbour office repeats the order of the waiting vessels. " * 8
UUID = "3f2b8c1e-1d2c-4b5a-9f00-12ab34cd56ef"

MADE_ANEW = [
    # Points in time with words that say so, or at the edge of a text.
    (f"Current time: 2026-11-21T14:03:22Z. {PROSE}", "2026-11-21T14:03:22Z", "timestamp", "call"),
    (f"{PROSE}Current UTC time: 2026-11-21T10:00:00.123+00:00. {PROSE}",
     "2026-11-21T10:00:00.123+00:00", "timestamp", "call"),
    (f"{PROSE}The current date and time is 11/21/2026, 10:03:22 AM. {PROSE}",
     "11/21/2026, 10:03:22 AM", "timestamp", "call"),
    (f"[2026-11-21T14:03:22Z] You answer in one line. {PROSE}", "2026-11-21T14:03:22Z",
     "timestamp", "call"),
    (f"Date: Sat, 21 Nov 2026 10:00:00 GMT\n{PROSE}", "Sat, 21 Nov 2026 10:00:00 GMT",
     "timestamp", "call"),
    (f"Sat Nov 21 14:03:22 UTC 2026\n{PROSE}", "Sat Nov 21 14:03:22 UTC 2026", "timestamp", "call"),
    (f"Generated at 2026-11-21 14:03:22.123456\n{PROSE}", "2026-11-21 14:03:22.123456",
     "timestamp", "call"),
    (f"{PROSE}Session started at 2026-11-21T10:00:00Z.{PROSE}", "2026-11-21T10:00:00Z",
     "timestamp", "call"),
    (f"{PROSE}It is now 14:03 UTC. {PROSE}", "14:03 UTC", "time", "call"),
    (f"{PROSE}The user's local time is 2:05 PM. {PROSE}", "2:05 PM", "time", "call"),
    (f"{PROSE}The unix timestamp is 1795255402. {PROSE}", "1795255402", "epoch", "call"),
    # Days.
    (f"Today's date is 2026-11-21. {PROSE}", "2026-11-21", "date", "day"),
    (f"{PROSE}Today is Saturday, November 21, 2026. {PROSE}", "Saturday, November 21, 2026",
     "date", "day"),
    (f"{PROSE}\n<env>\nToday’s date: 21 Nov 2026\n</env>\n{PROSE}", "21 Nov 2026", "date", "day"),
    (f"{PROSE}\n<current_date>2026-11-21</current_date>\n{PROSE}", "2026-11-21", "date", "day"),
    (f"The date is 2026-11-21. {PROSE}", "2026-11-21", "date", "day"),
    # Ids and random values.
    (f"{PROSE}\nSession ID: {UUID}\n{PROSE}", UUID, "id", "call"),
    (f"Request id: req_011CSHoEeqs5C35K2UUqR7Fy {PROSE}", "req_011CSHoEeqs5C35K2UUqR7Fy", "id",
     "call"),
    (f"{PROSE}trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736", "id",
     "call"),
    (f"{PROSE}\nConversation: {UUID}\n", UUID, "UUID", "call"),
    (f"{UUID}\n{PROSE}", UUID, "UUID", "call"),
    (f"{PROSE}\nSession: 9f8b7c6d5e4f\n{PROSE}", "9f8b7c6d5e4f", "id", "call"),
    (f"nonce=a8f7d2b1c9e4 {PROSE}", "a8f7d2b1c9e4", "random value", "call"),
    (f"{PROSE}Seed: 0.8372619405", "0.8372619405", "random value", "call"),
    (f"{PROSE}You are on iteration 3 of 25. {PROSE}", "3 of 25", "counter", "call"),
    # Variables.
    (f"{PROSE}Now: {{{{current_time}}}}", "{{current_time}}", "variable", "call"),
    (f"{PROSE}Now: ${{new Date().toISOString()}}", "${new Date().toISOString()}", "variable",
     "call"),
    (f"{{date}} {PROSE}", "{date}", "variable", "call"),
    (f"{PROSE}{{{{$guid}}}}", "{{$guid}}", "variable", "call"),
    (f"{PROSE}<%= Time.now %>", "<%= Time.now %>", "variable", "call"),
    (f"{PROSE}%(timestamp)s", "%(timestamp)s", "variable", "call"),
    (f"{PROSE}{{{{ session_id | upper }}}}", "{{ session_id | upper }}", "variable", "call"),
    (f"{PROSE}{{{{customer}}}}", "{{customer}}", "variable", "unknown"),
    (f"{PROSE}${{CUSTOMER}}", "${CUSTOMER}", "variable", "unknown"),
]  # fmt: skip

LEFT_ALONE = [
    f"The charter was released on 2024-05-01. {PROSE}",
    f"{PROSE}This is version 2.3.4 of 2024-05-01. {PROSE}",
    f"Last updated: 2026-11-21. {PROSE}",
    f"{PROSE}Knowledge cutoff: 2025-01-31. {PROSE}",
    f"Prices as of 2024-05-01. {PROSE}",
    f"As of December 31, 2025 the gates are blue. {PROSE}",
    "Record value = 2026-09-21T14:30:00Z exactly.",
    f"{PROSE}The lease ends on 21 November 2026. {PROSE}",
    f"{PROSE}The board met on 2024-05-01T10:00:00Z and agreed. {PROSE}",
    f"{PROSE}On 2024-05-01 the board met at 10:00. {PROSE}",
    f"Copyright 2026 by the harbour board. {PROSE}",
    f"Write dates as ISO 8601, e.g. 2026-11-21T10:00:00Z. {PROSE}",
    f"The current date has the format YYYY-MM-DD, for example 2026-11-21. {PROSE}",
    f"See https://example.org/news/2026-11-21/gates and logs/2026-11-21.txt. {PROSE}",
    f"The model is claude-sonnet-4-5-20250929. {PROSE}",
    f"{PROSE}\n2026-11-21T10:00:00Z open\n2026-11-21T10:00:01Z shut\n2026-11-21T10:00:02Z open\n"
    f"{PROSE}",
    "The office is open from 09:00 to 17:00. " + PROSE,
    "The gate is now open from 09:00 to 17:00.",
    f"Opening time: 09:00. {PROSE}",
    f"It is forbidden since 2024-05-01. {PROSE}",
    f"Today we follow the rules of 2024-05-01. {PROSE}",
    f"The tenant id is {UUID}. {PROSE}",
    f"Session: opened. Request: example.com:8080. Conversation: 2026-11-21. {PROSE}",
    f"A session id looks like {UUID}. {PROSE}",
    "Session identifiers are required, and a request id is sent back. " + PROSE,
    f"{PROSE}\n- {UUID}\n- {UUID.replace('3f', '4e')}\n- {UUID.replace('3f', '5d')}\n{PROSE}",
    "00000000-0000-0000-0000-000000000000 is the nil id.",
    "\n".join(f"INFO request id=ab12cd3{n} done" for n in range(5)),
    f"Write {{name}} and {{value}} in braces. {PROSE}",
    f"```js\nconst now = `${{Date.now()}}`;\n``` {PROSE}",
    f"Use the variable `{{{{timestamp}}}}` in your template. {PROSE}",
    '{{"type": "object", "n": 12}}',
    "<the current date and time>",
    "{{handbook}}",
    "The seed: 42, iteration and attempt are explained below.",
    "",
]


@pytest.mark.parametrize(("text", "part", "kind", "changes"), MADE_ANEW)
def test_a_part_made_anew_is_found_at_its_exact_place(
    text: str, part: str, kind: str, changes: str
) -> None:
    [found] = find_volatile(text)
    assert text[found.start : found.end] == part
    assert (found.kind, found.changes) == (kind, changes)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_a_text_that_only_mentions_such_things_is_left_alone(text: str) -> None:
    assert find_volatile(text) == []


def test_without_a_heading_a_point_in_time_needs_words_that_say_what_it_is() -> None:
    text = "2026-11-21T10:00:00Z Books a berth."
    assert len(find_volatile(text)) == 1
    assert find_volatile(text, heading=False) == []


def test_two_places_in_one_text_are_two_findings_in_order() -> None:
    found = find_volatile(f"Session id: {UUID}\nToday is 2026-11-21.\n{PROSE}")
    assert [one.kind for one in found] == ["id", "date"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("timestamp", "call"), ("now", "call"), ("currentDate", "call"), ("current_time", "call"),
        ("todays_date", "call"), ("request.id", "call"), ("SESSION_ID", "call"),
        ("conversationId", "call"), ("traceId", "call"), ("run_id", "call"), ("$timestamp", "call"),
        ("$randomInt", "call"), ("uuid", "call"), ("nonce", "call"), ("seed", "call"),
        ("iteration", "call"), ("counter", "call"), ("time.time()", "call"),
        ("uuid.uuid4()", "call"), ("datetime.now()", "call"), ("crypto.randomUUID()", "call"),
        ("Date.now()", "call"), ("datetime.now():%H:%M", "call"),
        ("date.today()", "day"), ("LocalDate.now()", "day"),
        ("datetime.now().strftime('%Y-%m-%d')", "day"),
        ("customer", "unknown"), ("birth_date", "unknown"), ("time_zone", "unknown"),
        ("lunchtime", "unknown"), ("release_date", "unknown"), ("user_name", "unknown"),
        ("updatedAt", "unknown"), ("run_time", "unknown"), ("date_format", "unknown"),
        ("identity", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_names_tell_how_often_a_value_changes(name: str, changes: str) -> None:
    assert changes_of(name) == changes


def read(body: dict[str, object]) -> tuple[Request, str]:
    source = json.dumps(body)
    node = scan(source).node
    assert node is not None
    return anthropic_messages.read(node), source


def test_places_in_the_source_count_escapes_and_start_at_the_block() -> None:
    text = f'“Gates”\n\t"quoted" \\ Current time: 2026-11-21T14:03:22Z\n{PROSE}'
    request, source = read(
        {"system": [{"type": "text", "text": text}], "messages": [{"role": "user", "content": "?"}]}
    )
    [span] = volatile_spans(request.blocks[0])
    start, _ = request.block_span(0)
    assert source[start + span.start : start + span.end] == "2026-11-21T14:03:22Z"


def test_a_text_that_ends_with_it_ends_before_the_quote() -> None:
    request, source = read(
        {"system": "Now: {{now}}", "messages": [{"role": "user", "content": "?"}]}
    )
    [span] = volatile_spans(request.blocks[0])
    start, _ = request.block_span(0)
    assert source[start + span.start : start + span.end] == "{{now}}"


def test_the_descriptions_of_a_tool_are_looked_through_and_nothing_else_of_it() -> None:
    stamp = "Current time: 2026-11-21T14:03:22Z"
    request, source = read(
        {
            "tools": [
                {
                    "name": "find",
                    "description": stamp,
                    "input_schema": {
                        "type": "object",
                        "properties": {
                            "day": {
                                "type": "string",
                                "description": "Today is 2026-11-21.",
                                "default": stamp,
                                "examples": [stamp],
                            }
                        },
                    },
                }
            ],
            "messages": [{"role": "user", "content": "?"}],
        }
    )
    start, _ = request.block_span(0)
    spans = volatile_spans(request.blocks[0])
    assert [source[start + one.start : start + one.end] for one in spans] == [
        "2026-11-21T14:03:22Z",
        "2026-11-21",
    ]


def test_tool_calls_results_and_documents_are_data() -> None:
    stamp = "Current time: 2026-11-21T14:03:22Z"
    document = {"type": "text", "media_type": "text/plain", "data": stamp}
    request, _ = read(
        {
            "max_tokens": 5,
            "messages": [
                {"role": "user", "content": [{"type": "document", "source": document}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": UUID, "name": "t", "input": {"at": stamp}}
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": UUID, "content": stamp}],
                },
            ],
        }
    )
    assert [volatile_spans(block) for block in request.blocks] == [(), (), ()]


def test_the_spans_of_a_block_are_worked_out_once() -> None:
    request, _ = read({"system": "Now: {{now}}", "messages": []})
    assert volatile_spans(request.blocks[0]) is volatile_spans(request.blocks[0])


PIECES = st.sampled_from(
    ["2026-11-21", "T10:00:00Z", " ", "\n", "Current time: ", "today is ", "{{now}}", "${x}",
     "{date}", UUID, "session id: ", "1795255402", "`", "```", "<%", "%>", "é", "\ufffc", "12:30"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
def test_places_are_in_order_apart_and_inside_the_text(text: str) -> None:
    holes = tuple("now" for _ in range(text.count("\ufffc")))
    found = find_volatile(text, holes)
    end = 0
    for one in found:
        assert end <= one.start < one.end <= len(text)
        end = one.end


def test_in_a_long_text_too_each_place_is_found_where_it_stands():
    filler = "The crew writes down what it sees, and it is the same in every call. " * 3
    lines = [filler.strip()] * 200
    for number in (0, 60, 199):
        lines[number] += f" Request ID: 7f3a9c21e8b{number:02}"
    text = "\n".join(lines)
    assert len(text) > 20_000
    found = find_volatile(text)
    assert [text[one.start : one.end] for one in found] == []  # three of a kind are a list
    text = text.replace("Request ID: 7f3a9c21e8b60", "Session ID: 7f3a9c21e8b60")
    assert [one.start for one in find_volatile(text)] == [
        text.index(f"7f3a9c21e8b{number:02}") for number in (0, 60, 199)
    ]
    unbroken = text.replace("\n", " ")
    assert [one.start for one in find_volatile(unbroken)] == [
        one.start for one in find_volatile(text)
    ]
