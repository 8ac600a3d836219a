"""The simulator against the documented walk-throughs, and against a naive reference.

Sources named in the tests are sections of the prompt-caching page (September 2026) and of its
edition of autumn 2025 (the base document).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.analysis.steps import Summary, TraceStep, replay_requests
from cachewise.catalog import builtin
from cachewise.settings import Settings

TODAY = date(2026, 11, 21)
OPTIONS = Options(builtin(), Settings(), TODAY)
OLD = Options(builtin(), Settings(semantics="2025-11"), TODAY)
MARK = {"type": "ephemeral"}
LONG = "The harbour master writes down each ship, its crew, and the hour at which it came in. " * 20
"""About 400 tokens."""


def block(name: str, marked: bool = False, ttl: str | None = None) -> dict:
    part: dict = {"type": "text", "text": f"{name}. {LONG}"}
    if marked:
        part["cache_control"] = MARK if ttl is None else {**MARK, "ttl": ttl}
    return part


def request(blocks: list[dict], **more) -> dict:
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": blocks}],
        **more,
    }


def numbered(count: int, marks: set[int], changed: dict[int, str] | None = None) -> dict:
    """A request of so many blocks, numbered from 1, marked at some, with some texts changed."""
    changed = changed or {}
    return request(
        [
            block(changed.get(number, f"Block {number}"), number in marks)
            for number in range(1, count + 1)
        ]
    )


def run(
    requests: list[dict],
    times: list[float] | None = None,
    options: Options = OPTIONS,
    usages: list[dict | None] | None = None,
) -> list[TraceStep]:
    lines = []
    for index, body in enumerate(requests):
        line: dict = {"request": body}
        if times is not None:
            line["t"] = times[index]
        if usages is not None and usages[index] is not None:
            line["usage"] = usages[index]
        lines.append(json.dumps(line))
    document = Document("\n".join(lines), "jsonl", options)
    assert len(document.requests) == len(requests)
    return list(replay_requests(document.requests, options, Summary()))


def hits(steps: list[TraceStep]) -> list[int]:
    """The 1-based block that each step read up to; 0 for none."""
    return [step.step.hit + 1 for step in steps]


# "Understanding the lookback window": a breakpoint looks at 20 positions, itself
# the first, for entries that earlier requests wrote.


def test_ten_then_fifteen_blocks_read_at_ten_and_write_at_fifteen():
    steps = run([numbered(10, {10}), numbered(15, {15})])
    assert hits(steps) == [0, 10]
    assert steps[1].step.outcome == "hit"
    assert steps[1].step.billed.read == steps[0].step.billed.write_5m
    assert steps[1].step.billed.write_5m > 0


def test_thirty_five_blocks_look_at_35_to_16_and_miss_the_entry_at_15():
    steps = run([numbered(10, {10}), numbered(15, {15}), numbered(35, {35})])
    assert hits(steps) == [0, 10, 0]
    assert steps[2].step.reason == "lookback_exceeded"


def test_thirty_four_blocks_just_reach_the_entry_at_15():
    steps = run([numbered(15, {15}), numbered(34, {34})])
    assert hits(steps) == [0, 15]


def test_a_second_breakpoint_at_the_earlier_entry_saves_it():
    steps = run([numbered(15, {15}), numbered(35, {15, 35})])
    assert hits(steps) == [0, 15]


def test_a_breakpoint_on_a_block_that_changes_never_hits_and_one_before_it_does():
    first = numbered(6, {6}, {6: "12:00:01"})
    second = numbered(6, {6}, {6: "12:00:02"})
    assert hits(run([first, second])) == [0, 0]
    first, second = numbered(6, {5}, {6: "12:00:01"}), numbered(6, {5}, {6: "12:00:02"})
    assert hits(run([first, second])) == [0, 5]


def tool_loop(marks_last: bool) -> list[dict]:
    """A request, and the one after an assistant turn of 30 calls and their 30 results."""
    first = numbered(10, {10})
    calls = [
        {"type": "tool_use", "id": f"t{n}", "name": "tide", "input": {"n": n}} for n in range(30)
    ]
    results: list[dict] = [
        {"type": "tool_result", "tool_use_id": f"t{n}", "content": f"high {n}"} for n in range(30)
    ]
    if marks_last:
        results[-1]["cache_control"] = MARK
    second = json.loads(json.dumps(numbered(10, set())))
    second["messages"] += [
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
    ]
    return [first, second]


def test_runs_of_calls_and_results_count_as_one_position_on_the_claude_api():
    assert hits(run(tool_loop(True))) == [0, 10]


def test_bedrock_states_no_collapsing_so_sixty_blocks_are_sixty_positions():
    bodies = [
        {**body, "anthropic_version": "bedrock-2023-05-31", "model": "anthropic.claude-sonnet-4-6"}
        for body in tool_loop(True)
    ]
    steps = run(bodies)
    assert hits(steps) == [0, 0]
    assert steps[1].step.reason == "lookback_exceeded"


def test_automatic_caching_moves_along_with_the_conversation():
    def turns(count: int) -> dict:
        body = request([block("u1")], cache_control=MARK)
        for number in range(2, count + 1):
            body["messages"] += [
                {"role": "assistant", "content": f"a{number - 1}"},
                {"role": "user", "content": [block(f"u{number}")]},
            ]
        return body

    steps = run([turns(4), turns(5), turns(6)])
    assert [step.step.outcome for step in steps] == ["miss", "hit", "hit"]
    assert hits(steps) == [0, 7, 9]


# The base document's worked example of 30 blocks, under the semantics that it describes: the walk
# also ends at positions that nobody had marked.


def test_base_document_adding_block_31_reads_up_to_block_30():
    assert hits(run([numbered(30, {30}), numbered(31, {30})], options=OLD)) == [0, 30]


def test_base_document_changing_block_25_reads_up_to_block_24():
    changed = numbered(31, {30}, {25: "Another text"})
    assert hits(run([numbered(30, {30}), changed], options=OLD)) == [0, 24]


def test_base_document_changing_block_5_reads_nothing_after_20_checks():
    changed = numbered(31, {30}, {5: "Another text"})
    steps = run([numbered(30, {30}), changed], options=OLD)
    assert hits(steps) == [0, 0]


def test_base_document_a_breakpoint_on_block_5_reads_up_to_block_4():
    changed = numbered(31, {5, 30}, {5: "Another text"})
    assert hits(run([numbered(30, {5, 30}), changed], options=OLD)) == [0, 4]


def test_under_the_current_semantics_those_examples_miss():
    """Since September 2026 a lookup matches only what an earlier request wrote."""
    first = numbered(30, {30})
    assert hits(run([first, numbered(31, {30}, {25: "Another text"})])) == [0, 0]


# Mixing TTLs: positions A, B and C.


def mixed(user: str) -> dict:
    """B at the end of the system (1 hour), C in the message (5 minutes), then a tail."""
    body = request([block(user, True, "5m"), block("tail")])
    body["system"] = [block(f"s{number}", number == 5, "1h") for number in range(6)]
    return body


def test_mixed_ttl_is_billed_by_the_positions_a_b_and_c():
    steps = run([mixed("one"), mixed("two"), mixed("two")])
    cold, middle, warm = (step.step.billed for step in steps)
    plan = steps[0].step.call.plan
    b, c = (point.prefix.estimate for point in plan.breakpoints)
    total = plan.total.estimate
    assert (cold.read, cold.write_1h, cold.write_5m, cold.input) == (0, b, c - b, total - c)
    assert (middle.read, middle.write_1h) == (b, 0)
    assert middle.write_5m == steps[1].step.call.plan.breakpoints[1].prefix.estimate - b
    assert (warm.read, warm.write_1h, warm.write_5m) == (middle.read + middle.write_5m, 0, 0)
    assert [step.step.outcome for step in steps] == ["miss", "partial", "hit"]


# Lifetimes.


@pytest.mark.parametrize(("gap", "outcome"), [(299.9, "hit"), (300.0, "miss"), (310.0, "miss")])
def test_an_entry_is_dead_at_exactly_five_minutes(gap, outcome):
    steps = run([numbered(5, {5})] * 2, [0.0, gap])
    assert steps[1].step.outcome == outcome
    assert steps[1].step.reason == (None if outcome == "hit" else "expired")


@pytest.mark.parametrize(("gap", "outcome"), [(3599, "hit"), (3600, "miss")])
def test_an_entry_of_one_hour_is_dead_at_exactly_one_hour(gap, outcome):
    body = request([block(str(n), n == 4, "1h") for n in range(5)])
    assert run([body, body], [0, gap])[1].step.outcome == outcome


def test_a_read_starts_the_lifetime_again():
    steps = run([numbered(5, {5})] * 4, [0, 290, 580, 890])
    assert [step.step.outcome for step in steps] == ["miss", "hit", "hit", "miss"]


def test_calls_that_start_together_cannot_read_each_other():
    steps = run([numbered(5, {5})] * 2, [7, 7])
    assert steps[1].step.outcome == "miss"
    assert steps[1].step.reason == "not_yet_readable"


def test_without_times_entries_are_taken_to_be_alive():
    assert run([numbered(5, {5})] * 2)[1].step.outcome == "hit"


# What changes and what does not.


def test_a_marker_that_moves_and_a_string_made_a_list_change_nothing():
    first = request([block("a"), block("b"), block("c", True)], system=LONG * 3)
    second = request(
        [block("a"), block("b", True), block("c")], system=[{"type": "text", "text": LONG * 3}]
    )
    third = request([block("a"), block("b"), block("c", True)], system=LONG * 3)
    steps = run([first, second, third])
    # Two blocks had been written only as part of three: there is no entry there yet.
    assert hits(steps) == [0, 0, 4]
    assert all(step.divergence is None for step in steps)


CHANGES = {
    "tools_changed": {"tools": [{"name": "x", "input_schema": {"type": "object", "b": 1}}]},
    "system_changed": {"system": [{"type": "text", "text": LONG}]},
    "model_changed": {"model": "claude-sonnet-4-5"},
    "parameters_changed": {"tool_choice": {"type": "any"}},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_each_level_has_its_reason(reason):
    base = request(
        [block(str(n), n == 4) for n in range(5)],
        system=[{"type": "text", "text": LONG + LONG}],
        tools=[{"name": "x", "input_schema": {"type": "object"}}],
    )
    steps = run([base, {**base, **CHANGES[reason]}])
    assert steps[1].step.reason == reason
    assert steps[1].step.outcome == "miss"
    assert steps[1].divergence is not None


@pytest.mark.parametrize(
    ("change", "reason", "kept"),
    [
        ({"speed": "fast"}, "parameters_changed", "tools"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "parameters_changed", "system"),
        ({"output_config": {"effort": "low"}}, "parameters_changed", "system"),
        ({"output_config": {"effort": "high"}}, None, "messages"),
        ({"tool_choice": {"type": "auto"}}, None, "messages"),
        ({"metadata": {"user_id": "u"}}, None, "messages"),
        ({"max_tokens": 5, "temperature": 0.3}, None, "messages"),
    ],
)
def test_parameters_lose_the_levels_of_the_invalidation_table(change, reason, kept):
    """ "What invalidates the cache": each level has a breakpoint, so that what is kept is read."""
    base = request(
        [block("question"), block("more", True)],
        tools=[
            {
                "name": "x",
                "description": LONG * 3,
                "input_schema": {"type": "object"},
                "cache_control": MARK,
            }
        ],
        system=[block("system", True)],
    )
    steps = run([base, {**base, **change}])
    assert steps[1].step.reason == reason
    read = steps[1].step.call.request.blocks[steps[1].step.hit].section
    assert read == kept


def test_an_image_anywhere_loses_the_messages_and_keeps_the_system():
    base = request([block("a"), block("b", True)], system=[block("s" + LONG * 2, True)])
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
    later = json.loads(json.dumps(base))
    later["messages"] += [
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": [image, block("c", True)]},
    ]
    steps = run([base, later])
    assert steps[1].step.outcome == "partial"
    assert steps[1].step.reason == "messages_changed"
    assert steps[1].divergence.kind == "added"
    assert steps[1].divergence.pointer == "/messages/2/content/0"


def test_key_order_counts_in_tool_inputs_and_not_around_them():
    def body(swap_inside: bool, swap_outside: bool) -> dict:
        value = {"b": 1, "a": 2} if swap_inside else {"a": 2, "b": 1}
        call = {"type": "tool_use", "id": "t", "name": "x", "input": value}
        if swap_outside:
            call = dict(reversed(list(call.items())))
        made = request([block("a"), block("b"), block("c")])
        made["messages"] += [
            {"role": "assistant", "content": [call]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": "y",
                        "cache_control": MARK,
                    }
                ],
            },
        ]
        return made

    assert run([body(False, False), body(False, True)])[1].step.outcome == "hit"
    steps = run([body(False, False), body(True, False)])
    assert steps[1].step.outcome == "miss"
    assert steps[1].divergence.kind == "key_order"
    assert steps[1].divergence.pointer == "/messages/1/content/0/input"


def test_an_edit_in_a_message_is_located_to_the_character():
    base = numbered(5, {5})
    later = numbered(5, {5}, {3: "Block X"})
    found = run([base, later])[1].divergence
    assert (found.pointer, found.kind, found.character) == (
        "/messages/0/content/2/text",
        "text",
        len("Block "),
    )


def test_a_change_behind_the_last_breakpoint_matters_to_nobody():
    steps = run([numbered(6, {5}), numbered(6, {5}, {6: "Another question"})])
    assert steps[1].step.outcome == "hit"
    assert steps[1].divergence is None


def test_below_the_minimum_nothing_is_cached():
    small = request([{"type": "text", "text": "Short.", "cache_control": MARK}])
    steps = run([small, small])
    assert [(step.step.outcome, step.step.reason) for step in steps] == [
        ("uncached", "below_minimum")
    ] * 2


def test_without_breakpoints_nothing_is_cached():
    steps = run([numbered(5, set())])
    assert (steps[0].step.outcome, steps[0].step.reason) == ("uncached", "no_breakpoint")


def test_old_thinking_is_dropped_on_models_that_strip_it_and_kept_on_others():
    def conversation(model: str, turns: int) -> dict:
        body = request([block(str(n), n == 3) for n in range(4)], model=model)
        for number in range(turns):
            body["messages"] += [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm. " * 50, "signature": "s"},
                        {"type": "text", "text": f"a{number}"},
                    ],
                },
                {"role": "user", "content": [block(f"u{number}", True)]},
            ]
        return body

    for model in ("claude-sonnet-4-5", "claude-sonnet-4-6"):
        steps = run([conversation(model, 1), conversation(model, 2)])
        assert steps[1].step.outcome == "hit", model


def test_usage_that_says_nothing_was_cached_is_believed_afterwards():
    nothing = {"input_tokens": 2000, "output_tokens": 1}
    steps = run([numbered(5, {5})] * 3, usages=[nothing, None, None])
    assert [step.step.outcome for step in steps] == ["miss", "miss", "hit"]
    assert steps[0].agrees is False


# A naive reference, written without any code of the simulator's.

MARKS = st.sets(st.integers(0, 29), min_size=1, max_size=4)
TURNS = st.lists(
    st.tuples(st.integers(0, 12), MARKS, st.integers(0, 400), st.integers(0, 40)),
    min_size=1,
    max_size=6,
)


def naive(texts: list[list[str]], marks: list[list[int]], times: list[float]) -> list[int]:
    """The 1-based block that each call reads up to: a dozen lines, every rule spelt out."""
    entries: dict[tuple[str, ...], tuple[float, float]] = {}
    read = []
    for blocks, points, now in zip(texts, marks, times, strict=True):
        found = 0
        for point in sorted(points, reverse=True):
            for end in range(point, max(0, point - 20), -1):
                written, used = entries.get(tuple(blocks[:end]), (None, None))
                if not found and used is not None and written < now and now - used < 300:
                    found = end
            if found:
                break
        for end in range(1, found + 1):
            if (key := tuple(blocks[:end])) in entries and now - entries[key][1] < 300:
                entries[key] = (entries[key][0], now)
        for point in points:
            written, used = entries.get(key := tuple(blocks[:point]), (now, float("-inf")))
            if now - used >= 300 or written >= now:
                entries[key] = (now, now)
        read.append(found)
    return read


@settings(max_examples=100, deadline=None)
@given(TURNS)
@example([(0, {0}, 0, 0), (0, {0}, 0, 0)])
@example([(0, {0}, 0, 0), (19, {0}, 1, 0), (0, {1, 20}, 1, 1)])
def test_replay_equals_the_naive_reference(turns):
    texts: list[list[str]] = []
    points: list[list[int]] = []
    times: list[float] = []
    blocks: list[str] = []
    now = 0.0
    for number, (growth, wanted, gap, changed) in enumerate(turns):
        blocks = blocks + [f"{number}.{n}" for n in range(growth + 1)]
        if changed < len(blocks):
            blocks = [*blocks[:changed], f"changed {number}", *blocks[changed + 1 :]]
        now += gap
        texts.append(blocks)
        points.append(sorted({1 + mark % len(blocks) for mark in wanted}))
        times.append(now)
    long = "ship " * 1100  # each block alone is over the minimum
    requests = [
        request(
            [
                {
                    "type": "text",
                    "text": text + long,
                    **({"cache_control": MARK} if n + 1 in marks else {}),
                }
                for n, text in enumerate(blocks)
            ]
        )
        for blocks, marks in zip(texts, points, strict=True)
    ]
    assert hits(run(requests, times)) == naive(texts, points, times)


def test_options_with_another_semantics_name_fall_back_to_the_current_one():
    odd = replace(OPTIONS, settings=Settings(semantics="unheard-of"))
    assert hits(run([numbered(5, {5})] * 2, options=odd)) == [0, 5]
