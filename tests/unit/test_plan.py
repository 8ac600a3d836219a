"""Positions, breakpoints and their effect, at the exact borders."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.caching.conversation import links
from cachewise.caching.plan import Plan, automatic_target, make_plan, positions
from cachewise.catalog import builtin, effective_minimum, resolve
from cachewise.tokens.count import Count
from request.reading import read_one

MARK = {"cache_control": {"type": "ephemeral"}}
CATALOG = builtin()


def text(value: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "claude-sonnet-4-6", "max_tokens": 9, **more}


def exactly(tokens: int) -> Count:
    return Count(tokens, tokens, tokens, "test")


def plan_of(
    value: dict[str, Any],
    prefixes: list[Count] | None = None,
    *,
    model: str = "claude-sonnet-4-6",
    platform: str | None = None,
) -> Plan:
    """The plan of a body; without counts every block has 1,000 tokens."""
    request = read_one(value)
    resolution = resolve(CATALOG, model, platform)
    counts = prefixes or [exactly(1000 * (n + 1)) for n in range(len(request.blocks))]
    return make_plan(
        request,
        counts,
        counts[-1],
        model=resolution.model,
        platform=CATALOG.platforms.get(resolution.platform),
        minimum=effective_minimum(resolution.model, resolution.platform)
        if resolution.model
        else None,
    )


def users(*content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


def test_the_order_is_tools_system_messages_whatever_the_order_of_the_keys() -> None:
    value = {
        "cache_control": {"type": "ephemeral"},
        "max_tokens": 9,
        "messages": users(text(**MARK), text()),
        "model": "claude-sonnet-4-6",
        "system": [text(**MARK)],
        "tools": [{"name": "t", "input_schema": {"type": "object"}, **MARK}],
    }
    plan = plan_of(value)
    assert [(one.block, one.automatic) for one in plan.breakpoints] == [
        (0, False),
        (1, False),
        (2, False),
        (3, True),
    ]


@pytest.mark.parametrize(("tokens", "effective"), [(1023, False), (1024, True), (1025, True)])
def test_the_minimum_is_enough_and_one_token_less_is_not(tokens: int, effective: bool) -> None:
    plan = plan_of(body(messages=users(text(**MARK))), [exactly(tokens)])
    [point] = plan.breakpoints
    assert (point.minimum, point.effective) == (1024, effective)
    assert point.counts_as_written is effective


@pytest.mark.parametrize(
    ("low", "high", "effective"),
    [(1000, 1023, False), (1000, 1024, None), (1023, 1100, None), (1024, 1100, True)],
)
def test_inside_the_interval_nobody_can_tell(low: int, high: int, effective: bool | None) -> None:
    count = Count((low + high) // 2, low, high, "test")
    [point] = plan_of(body(messages=users(text(**MARK))), [count]).breakpoints
    assert point.effective is effective


@pytest.mark.parametrize(("low", "effective"), [(1023, None), (1024, True)])
def test_a_text_of_unknown_length_only_makes_a_prefix_longer(
    low: int, effective: bool | None
) -> None:
    value = body(system="<the whole handbook>", messages=users(text(**MARK)))
    [point] = plan_of(value, [exactly(low), exactly(low)]).breakpoints
    assert (point.at_least, point.effective) == (True, effective)


def test_a_text_of_unknown_length_behind_the_breakpoint_does_not_matter() -> None:
    value = body(system=[text(**MARK)], messages=users(text("<the question>")))
    plan = plan_of(value, [exactly(1023), exactly(1023)])
    assert (plan.breakpoints[0].at_least, plan.breakpoints[0].effective) == (False, False)
    assert plan.unknown == (1,)
    assert plan.at_least


def test_without_a_known_minimum_nothing_is_said() -> None:
    [point] = plan_of(body(messages=users(text(**MARK))), model="claude-zebra-9").breakpoints
    assert (point.minimum, point.effective) == (None, None)
    assert point.counts_as_written


def test_automatic_caching_closes_the_last_block_that_can_be_cached() -> None:
    assistant = {
        "role": "assistant",
        "content": [text(), {"type": "thinking", "thinking": "…", "signature": "s"}],
    }
    request = read_one(body(**MARK, messages=[*users(text()), assistant]))
    assert [block.kind for block in request.blocks] == ["text", "text", "thinking"]
    assert automatic_target(request.blocks) == 1


def test_a_marker_nested_last_closes_its_parent_and_another_closes_nothing() -> None:
    def nested(*content: Any) -> Plan:
        result = {"type": "tool_result", "tool_use_id": "t", "content": list(content)}
        return plan_of(body(messages=users(text(), result)))

    assert [one.block for one in nested(text(), text(**MARK)).breakpoints] == [1]
    assert nested(text(**MARK), text()).breakpoints == ()


def test_a_marker_on_what_cannot_carry_one_closes_nothing() -> None:
    assert plan_of(body(messages=users(text(), text("", **MARK)))).breakpoints == ()
    assert plan_of(body(messages=users(text(cache_control=None)))).breakpoints == ()


def test_the_lifetime_is_five_minutes_unless_it_is_said() -> None:
    long = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    plan = plan_of(body(system=[text(**long)], messages=users(text(**MARK))))
    assert [(one.ttl, one.long_lived) for one in plan.breakpoints] == [("1h", True), ("5m", False)]


def test_where_only_the_last_four_count_the_first_ones_are_in_excess() -> None:
    value = {
        "model": "qwen3-max",
        "messages": users(*(text(f"{n}", **MARK) for n in range(6))),
    }
    plan = plan_of(value, model="qwen3-max", platform="dashscope")
    assert [one.excess for one in plan.breakpoints] == [True, True, False, False, False, False]
    assert [bool(one.ignored) for one in plan.breakpoints] == [True] * 2 + [False] * 4


KINDS = st.lists(st.sampled_from(["text", "tool_use", "tool_result", "image"]), max_size=40)


def blocks_of(kinds: list[str]) -> Any:
    return read_one(body(messages=users(*({"type": kind} for kind in kinds)))).blocks


def test_runs_of_calls_and_of_results_take_one_position_where_the_platform_says_so() -> None:
    blocks = blocks_of(
        ["text", "tool_use", "tool_use", "tool_result", "tool_result", "text", "text", "tool_use"]
    )
    assert positions(blocks, collapses_runs=True) == [1, 2, 2, 3, 3, 4, 5, 6]
    assert positions(blocks, collapses_runs=False) == [1, 2, 3, 4, 5, 6, 7, 8]


@settings(deadline=None)
@given(KINDS)
def test_positions_never_fall_never_skip_and_stay_apart_outside_of_runs(kinds: list[str]) -> None:
    blocks = blocks_of(kinds)
    found = positions(blocks, collapses_runs=True)
    assert found[:1] == [1][: len(found)]
    for (before, after), (old, new) in zip(pairwise(found), pairwise(kinds), strict=True):
        in_run = old == new and old in ("tool_use", "tool_result")
        assert after - before == (0 if in_run else 1)


def test_the_platforms_of_the_catalog_say_which_windows_there_are() -> None:
    assert plan_of(body(messages=users(text()))).window == 20
    assert plan_of(body(messages=users(text())), model="gpt-4o").window is None


def turn(role: str, *content: Any) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


def test_a_request_goes_on_from_the_nearest_earlier_one_that_it_begins_with() -> None:
    first = body(messages=[turn("user", text("Hello", **MARK))])
    other = body(messages=[turn("user", text("Bonjour"))])
    second = body(
        messages=[
            {"role": "user", "content": "Hello"},
            turn("assistant", text("Hi")),
            turn("user", text("And then?", **MARK)),
        ]
    )
    again = replace(read_one(second))
    requests = [read_one(first), read_one(other), read_one(second), again]
    assert links(requests) == [-1, -1, 0, 2]


def test_another_model_or_a_changed_word_is_no_continuation() -> None:
    first = body(messages=[turn("user", text("Hello"))])
    more = [turn("assistant", text("Hi")), turn("user", text("And then?"))]
    changed = body(messages=[turn("user", text("Hello!")), *more])
    other = {**body(messages=[turn("user", text("Hello")), *more]), "model": "claude-opus-4-8"}
    assert links([read_one(first), read_one(changed), read_one(other)]) == [-1, -1, -1]
