"""What breaks a cache, row by row of the invalidation table, and the place that is named for it."""

from __future__ import annotations

import copy
import csv
import json

import pytest
from tests.corpus import shared_folder
from tests.unit.test_replay import LONG, MARK, OPTIONS, block, request, run

from cachewise.analysis import Document
from cachewise.analysis.steps import Summary, TraceStep, replay_requests

TOOL = {
    "name": "tide",
    "description": LONG * 3,
    "input_schema": {"type": "object"},
    "cache_control": MARK,
}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FETCH = {"type": "web_fetch_20250910", "name": "web_fetch"}
PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}


def paper(citations: bool) -> dict:
    return {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": LONG},
        "citations": {"enabled": citations},
    }


def base(**more) -> dict:
    """A request with a breakpoint behind each level."""
    return request(
        [block("question"), block("more", True)],
        tools=[TOOL],
        system=[block("system", True)],
        **more,
    )


def appended(body: dict, *messages: dict) -> dict:
    grown = copy.deepcopy(body)
    grown["messages"] += messages
    return grown


def said(role: str, content) -> dict:
    return {"role": role, "content": content}


ROWS: list[tuple[str, dict, dict, str | None, str | None, str]] = [
    # row of the table, before, after, section read up to, reason, pointer of the difference
    (
        "tool definitions (names/descriptions/params/order)",
        base(),
        base() | {"tools": [{**TOOL, "description": LONG * 4}]},
        None,
        "tools_changed",
        "/tools/0/description",
    ),
    ("model", base(), base(model="claude-opus-4-8"), None, "model_changed", "/model"),
    (
        "web search or web fetch toggle",
        base(),
        base() | {"tools": [TOOL, SEARCH]},
        "tools",
        "parameters_changed",
        "/tools/1",
    ),
    (
        "web search or web fetch toggle",
        base() | {"tools": [FETCH, TOOL]},
        base(),
        "tools",
        "parameters_changed",
        "/tools/0",
    ),
    (
        "citations toggle",
        base() | {"messages": [said("user", [paper(False), block("q", True)])]},
        base() | {"messages": [said("user", [paper(True), block("q", True)])]},
        "tools",
        "parameters_changed",
        "/messages/0/content/0/citations",
    ),
    (
        "speed (fast/standard)",
        base(),
        base(speed="fast"),
        "tools",
        "parameters_changed",
        "/speed",
    ),
    ("speed (fast/standard)", base(), base(speed="standard"), "messages", None, ""),
    (
        "system prompt text",
        base(),
        base() | {"system": [block("System", True)]},
        "tools",
        "system_changed",
        "/system/0/text",
    ),
    (
        "tool_choice",
        base(),
        base(tool_choice={"type": "tool", "name": "tide"}),
        "system",
        "parameters_changed",
        "/tool_choice",
    ),
    (
        "disable_parallel_tool_use",
        base(tool_choice={"type": "auto"}),
        base(tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
        "system",
        "parameters_changed",
        "/tool_choice",
    ),
    (
        "disable_parallel_tool_use",
        base(),
        base(tool_choice={"disable_parallel_tool_use": False, "type": "auto"}),
        "messages",
        None,
        "",
    ),
    (
        "images added/removed anywhere",
        base(),
        appended(base(), said("assistant", "a"), said("user", [PICTURE])),
        "system",
        "messages_changed",
        "/messages/2/content/0",
    ),
    (
        "images added/removed anywhere",
        appended(base(), said("assistant", "a"), said("user", [PICTURE])),
        base(),
        "system",
        "messages_changed",
        "/messages/2/content/0",
    ),
    (
        "thinking parameters (mode/budget_tokens)",
        base(thinking={"type": "enabled", "budget_tokens": 2000}),
        base(thinking={"type": "enabled", "budget_tokens": 4000}),
        "system",
        "parameters_changed",
        "/thinking",
    ),
    (
        "thinking parameters (mode/budget_tokens)",
        base(),
        base(thinking={"type": "disabled"}),
        "messages",
        None,
        "",
    ),
    (
        "effort (output_config.effort)",
        base(),
        base(output_config={"effort": "low"}),
        "system",
        "parameters_changed",
        "/output_config/effort",
    ),
    (
        "effort (output_config.effort)",
        base(),
        base(output_config={"effort": "high"}),
        "messages",
        None,
        "",
    ),
    (
        "effort via role:system message (per-message effort beta)",
        base(),
        appended(base(), {**said("system", "Think less."), "output_config": {"effort": "low"}}),
        "messages",
        None,
        "",
    ),
    (
        "defer_loading tool discovered by tool search",
        base() | {"tools": [TOOL, {"name": "w", "defer_loading": True, "input_schema": {}}]},
        appended(
            base() | {"tools": [TOOL, {"name": "w", "defer_loading": True, "input_schema": {}}]},
            said("assistant", [{"type": "server_tool_use", "id": "s", "name": "t", "input": {}}]),
            said("user", "go on"),
        ),
        "messages",
        None,
        "",
    ),
    (
        "role:system message appended in messages",
        base(),
        appended(base(), said("system", "The harbour closes at nine.")),
        "messages",
        None,
        "",
    ),
]


@pytest.mark.parametrize(
    ("row", "before", "after", "kept", "reason", "pointer"),
    ROWS,
    ids=[f"{number}-{row[0][:30]}" for number, row in enumerate(ROWS)],
)
def test_each_row_of_the_invalidation_table(row, before, after, kept, reason, pointer):
    step = run([before, after])[1]
    hit = step.step.hit
    assert (step.step.call.request.blocks[hit].section if hit >= 0 else None) == kept
    assert step.step.reason == reason
    if reason is None:
        assert step.step.outcome == "hit"
        assert step.divergence is None
    else:
        assert step.divergence is not None
        assert step.divergence.pointer == pointer


OTHER_ROWS = {
    "non-tool-result user content while thinking",
    "dropped thinking block (Fable/Mythos 5.1+ block replayed to another model)",
    "context editing clear_tool_uses / clear_thinking",
}
"""Rows that a test of their own below looks at."""


def test_every_row_of_the_table_is_looked_at():
    with (shared_folder("facts") / "invalidation.csv").open(encoding="utf-8") as file:
        rows = {row["change"] for row in csv.DictReader(file)}
    assert rows == {row[0] for row in ROWS} | OTHER_ROWS


def thoughtful(model: str, *tail: dict) -> dict:
    return {
        "model": model,
        "max_tokens": 10,
        "system": [block("system " + LONG * 3, True)],
        "messages": [
            said("user", [block("u1"), block("u2"), block("u3")]),
            said(
                "assistant",
                [
                    {"type": "thinking", "thinking": "Hm. " * 900, "signature": "s"},
                    {"type": "tool_use", "id": "t", "name": "tide", "input": {}},
                ],
            ),
            said(
                "user",
                [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": LONG,
                        "cache_control": MARK,
                    }
                ],
            ),
            *tail,
        ],
    }


@pytest.mark.parametrize(
    ("model", "outcome"), [("claude-sonnet-4-5", "partial"), ("claude-sonnet-4-6", "hit")]
)
def test_a_new_question_loses_what_stood_behind_thinking_where_it_is_stripped(model, outcome):
    first = thoughtful(model)
    second = thoughtful(model, said("assistant", "high"), said("user", [block("u4", True)]))
    step = run([first, second])[1]
    assert step.step.outcome == outcome
    if outcome == "partial":
        assert step.step.reason == "messages_changed"
        assert step.divergence is not None
        assert (step.divergence.kind, step.divergence.pointer) == (
            "removed",
            "/messages/1/content/0",
        )


def test_a_tool_result_alone_strips_no_thinking():
    model = "claude-sonnet-4-5"
    more = [
        said("assistant", [{"type": "tool_use", "id": "v", "name": "tide", "input": {}}]),
        said("user", [{"type": "tool_result", "tool_use_id": "v", "content": "low"}]),
    ]
    assert run([thoughtful(model), thoughtful(model, *more)])[1].step.outcome == "hit"


def test_thinking_replayed_to_another_model_meets_no_entry_of_the_first():
    """The model that drops such a block has a cache of its own anyway."""
    step = run([thoughtful("claude-fable-5-1"), thoughtful("claude-opus-5")])[1]
    assert (step.step.outcome, step.step.reason) == ("miss", "model_changed")


def loop(count: int, **edit) -> dict:
    """So many tool calls with results, and context editing."""
    body = base(
        context_management={"edits": [{"type": "clear_tool_uses_20250919", **edit}]},
    )
    for number in range(count):
        call = {"type": "tool_use", "id": f"t{number}", "name": "tide", "input": {"n": number}}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": LONG}
        body["messages"] += [said("assistant", [call]), said("user", [result])]
    return body | {"cache_control": MARK}


BY_USES = {"trigger": {"type": "tool_uses", "value": 4}, "keep": {"type": "tool_uses", "value": 3}}


def test_context_editing_loses_the_messages_from_the_first_cleared_result_on():
    steps = run([loop(3, **BY_USES), loop(4, **BY_USES), loop(5, **BY_USES), loop(6, **BY_USES)])
    # Four uses do not exceed the trigger of four; with five the first two results are emptied.
    assert [step.step.outcome for step in steps] == ["miss", "hit", "partial", "partial"]
    assert steps[2].step.reason == "messages_changed"
    assert steps[2].divergence is not None
    assert (steps[2].divergence.kind, steps[2].divergence.pointer) == (
        "removed",
        "/messages/2/content/0",
    )
    assert "context editing" in steps[2].note


def test_context_editing_waits_for_its_trigger_in_tokens():
    steps = run([loop(5), loop(6)])
    assert [step.step.outcome for step in steps] == ["miss", "hit"]


def test_clear_at_least_keeps_the_cache_when_too_little_would_go():
    much = {**BY_USES, "clear_at_least": {"type": "input_tokens", "value": 50_000}}
    assert run([loop(5, **much), loop(6, **much)])[1].step.outcome == "hit"


def test_thinking_that_the_request_asks_to_keep_stays_on_models_that_strip_it():
    keeps = {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}
    model = "claude-sonnet-4-5"
    first = thoughtful(model) | keeps
    second = thoughtful(model, said("assistant", "high"), said("user", [block("u4", True)])) | keeps
    assert run([first, second])[1].step.outcome == "hit"


# Breakpoints of the provider's own, at the results of the tools that it runs.


def searched(marked: bool, provider: dict | None = None) -> dict:
    body = request(
        [block("u1", marked, "1h" if marked else None), block("u2"), block("u3"), block("u4")],
        tools=[SEARCH],
    )
    body["messages"] += [
        said(
            "assistant",
            [
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                {"type": "text", "text": LONG * 4},
            ],
        ),
        said("user", "And now?"),
    ]
    return body | (provider or {})


def test_results_of_server_tools_close_a_prefix_for_five_minutes():
    body = searched(True)
    body["messages"][0]["content"] = [block(f"u{n}", n == 3, "1h") for n in range(5)]
    steps = run([body, body])
    billed = steps[0].step.billed
    assert billed.write_1h > 0
    assert billed.write_5m > 0
    result = next(
        index
        for index, found in enumerate(steps[0].step.call.request.blocks)
        if found.kind == "web_search_tool_result"
    )
    assert steps[1].step.hit == result


def test_without_a_marker_there_is_no_breakpoint_at_results_either():
    steps = run([searched(False)])
    assert (steps[0].step.outcome, steps[0].step.reason) == ("uncached", "no_breakpoint")


# Whose entries they are.


def kept_apart(provider: dict, **beside: tuple[str, str]) -> TraceStep:
    lines = []
    for number in range(2):
        row = {key: values[number] for key, values in beside.items()}
        lines.append(json.dumps({"request": {**base(), **provider}, **row}))
    document = Document("\n".join(lines), "jsonl", OPTIONS)
    return list(replay_requests(document.requests, OPTIONS, Summary()))[1]


VERTEX = {"anthropic_version": "vertex-2023-10-16"}


@pytest.mark.parametrize(
    ("provider", "key", "reason"),
    [
        ({}, "workspace", "provider_isolation"),
        ({}, "organization", "provider_isolation"),
        (VERTEX, "workspace", None),
        (VERTEX, "organization", "provider_isolation"),
    ],
)
def test_workspaces_and_organisations_are_kept_apart_as_the_platform_does(provider, key, reason):
    step = kept_apart(provider, **{key: ("one", "two")})
    assert step.step.reason == reason
    assert step.step.outcome == ("hit" if reason is None else "miss")
    assert kept_apart(provider, **{key: ("one", "one")}).step.outcome == "hit"


def test_two_orders_of_the_same_tools_are_an_array_order():
    other = {"name": "wind", "input_schema": {"type": "object"}}
    first = base() | {"tools": [{**TOOL, "cache_control": None}, {**other, "cache_control": MARK}]}
    second = base() | {"tools": [other, TOOL]}
    found = run([first, second])[1].divergence
    assert found is not None
    assert (found.kind, found.pointer) == ("array_order", "/tools")
    assert (found.before, found.after) == ("tide, wind", "wind, tide")


@pytest.mark.parametrize(
    ("later", "reason", "character"),
    [
        (f"It is 12:01. {LONG * 4}", "system_changed", len("It is 12:0")),
        (f"At noon: {LONG * 4}", "system_changed", 0),
        ("Rain. " * 2000, "first_request", -1),
    ],
)
def test_a_clock_in_the_only_block_of_the_system_prompt(later, reason, character):
    """Nothing is shared then, but the text is much the same; another text is another program."""

    def body(text: str, question: str) -> dict:
        return request([block(question)], system=[{**block("", True), "text": text}])

    step = run([body(f"It is 12:00. {LONG * 4}", "one"), body(later, "two")])[1]
    assert step.step.reason == reason
    assert (step.divergence.character if step.divergence is not None else -1) == character
