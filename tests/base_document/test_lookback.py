"""Section "How automatic prefix checking works", by the rule now in force and by the page's own.

The page counted a match at any earlier block; since then only positions that an earlier request
marked hold an entry. Both readings can be chosen (setting ``semantics``), and the walk is the same:
20 positions from each breakpoint, the breakpoint itself the first.
"""

from __future__ import annotations

import pytest

from base_document.pages import BLOCK, MARK, findings, hit_block, numbered, replay, text

OLD = "2025-11"


def test_a_block_added_behind_the_breakpoint_leaves_the_entry_to_be_found() -> None:
    """Example of 30 blocks, first case: block 31 is sent, the entry at block 30 is read."""
    steps = replay(numbered(30, {30}), numbered(31, {30}))
    assert [hit_block(step) for step in steps] == [0, 30]


def test_a_change_at_block_25_by_the_reading_of_the_page() -> None:
    """Second case: the walk goes on to block 24, which is unchanged, and reads up to there."""
    changed = numbered(31, {30}, {25: "Another block"})
    steps = replay(numbered(30, {30}), changed, semantics=OLD)
    assert hit_block(steps[1]) == 24


def test_a_change_at_block_25_by_the_rule_in_force() -> None:
    """Second case, revised: nothing was marked at block 24, so nothing was written there."""
    changed = numbered(31, {30}, {25: "Another block"})
    assert hit_block(replay(numbered(30, {30}), changed)[1]) == 0
    marked = numbered(31, {24, 30}, {25: "Another block"})
    assert hit_block(replay(numbered(30, {24, 30}), marked)[1]) == 24


@pytest.mark.parametrize("semantics", ["current", OLD])
def test_a_change_at_block_5_is_out_of_reach(semantics: str) -> None:
    """Third case: block 11 is the twentieth and last that is looked at, and there is no hit."""
    changed = numbered(31, {30}, {5: "Another block"})
    assert hit_block(replay(numbered(30, {30}), changed, semantics=semantics)[1]) == 0


def test_a_breakpoint_before_what_changes_is_looked_at_too() -> None:
    """Third case: with a breakpoint of its own in front of the change, the walk goes on there."""
    before = numbered(30, {5, 30})
    changed = numbered(31, {5, 30}, {5: "Another block"})
    assert hit_block(replay(before, changed, semantics=OLD)[1]) == 4
    before = numbered(30, {4, 30})
    changed = numbered(31, {4, 30}, {5: "Another block"})
    assert hit_block(replay(before, changed)[1]) == 4


@pytest.mark.parametrize(
    ("blocks", "marks", "hit"),
    [(15, {15}, 10), (29, {29}, 10), (30, {30}, 0), (30, {15, 30}, 10)],
)
def test_an_entry_is_found_from_19_blocks_away_and_not_from_20(
    blocks: int, marks: set[int], hit: int
) -> None:
    """Twenty blocks are looked at for each breakpoint: from 29 back to 10, and not from 30."""
    steps = replay(numbered(10, {10}), numbered(blocks, marks))
    assert hit_block(steps[1]) == hit


@pytest.mark.parametrize(("blocks", "unseen"), [(20, 0), (21, 1), (25, 1)])
def test_blocks_more_than_20_before_the_breakpoint_are_named(blocks: int, unseen: int) -> None:
    """Important limitation: more than 20 blocks before a breakpoint ask for another one."""
    first = {1: BLOCK * 4}
    assert len(findings(numbered(blocks, {blocks}, first), "CW202")) == unseen


def test_what_changes_with_every_call_in_front_of_the_breakpoint_is_never_read() -> None:
    """Best practices: breakpoints stand just before what may change."""
    days = [{6: f"Day {day}"} for day in (1, 2)]
    behind = replay(*(numbered(6, {6}, day) for day in days))
    before = replay(*(numbered(6, {5}, day) for day in days))
    assert [hit_block(step) for step in behind] == [0, 0]
    assert [hit_block(step) for step in before] == [0, 5]


def test_the_key_of_a_block_covers_everything_before_it() -> None:
    """Cumulative keys: a change before the breakpoint, however early, makes another prefix."""
    steps = replay(numbered(8, {8}), numbered(8, {8}, {1: "Another block"}))
    assert hit_block(steps[1]) == 0


def test_tools_stand_before_the_system_prompt_and_that_before_the_messages() -> None:
    """Structuring your prompt: the prefix is built so, whatever the order of the keys."""
    request = {
        "messages": [{"role": "user", "content": [text("U", True)]}],
        "system": [text("S", True)],
        "tools": [{"name": "find", "input_schema": {"type": "object"}, **MARK}],
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
    }
    [step] = replay(request)
    points = step.step.call.plan.breakpoints
    assert [point.placed.pointer for point in points] == [
        "/tools/0/cache_control",
        "/system/0/cache_control",
        "/messages/0/content/0/cache_control",
    ]
