"""Blocks before a breakpoint lie outside of its lookback window.

To find an entry that an earlier request wrote, the provider looks at the breakpoint's own position
and walks back, 20 positions in all. Then it goes on at the next earlier breakpoint. Blocks that
stand further back than that from one breakpoint, and before the reach of the one in front of it,
are looked at by no walk: an entry that ends there is not found, and what it held is paid for again.

On the Claude API a run of `tool_use` blocks takes one position, and so does a run of `tool_result`
blocks. Elsewhere every block takes its own.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "<the harbour rules, 3000 tokens>",
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Entry 1."}, {"type": "text", "text": "Entry 2."},
   {"type": "text", "text": "Entry 3."}, {"type": "text", "text": "Entry 4."},
   {"type": "text", "text": "Entry 5."}, {"type": "text", "text": "Entry 6."},
   {"type": "text", "text": "Entry 7."}, {"type": "text", "text": "Entry 8."},
   {"type": "text", "text": "Entry 9."}, {"type": "text", "text": "Entry 10."},
   {"type": "text", "text": "Entry 11."}, {"type": "text", "text": "Entry 12."},
   {"type": "text", "text": "Entry 13."}, {"type": "text", "text": "Entry 14."},
   {"type": "text", "text": "Entry 15."}, {"type": "text", "text": "Entry 16."},
   {"type": "text", "text": "Entry 17."}, {"type": "text", "text": "Entry 18."},
   {"type": "text", "text": "Entry 19."}, {"type": "text", "text": "Entry 20.",
     "cache_control": {"type": "ephemeral"}},
   {"type": "text", "text": "Which entry is wrong?"}]}]}
```

Put a breakpoint inside the gap, best at the end of what stays the same:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Entry 1."}, {"type": "text", "text": "Entry 2."},
   {"type": "text", "text": "Entry 3."}, {"type": "text", "text": "Entry 4."},
   {"type": "text", "text": "Entry 5."}, {"type": "text", "text": "Entry 6."},
   {"type": "text", "text": "Entry 7."}, {"type": "text", "text": "Entry 8."},
   {"type": "text", "text": "Entry 9."}, {"type": "text", "text": "Entry 10."},
   {"type": "text", "text": "Entry 11."}, {"type": "text", "text": "Entry 12."},
   {"type": "text", "text": "Entry 13."}, {"type": "text", "text": "Entry 14."},
   {"type": "text", "text": "Entry 15."}, {"type": "text", "text": "Entry 16."},
   {"type": "text", "text": "Entry 17."}, {"type": "text", "text": "Entry 18."},
   {"type": "text", "text": "Entry 19."}, {"type": "text", "text": "Entry 20.",
     "cache_control": {"type": "ephemeral"}},
   {"type": "text", "text": "Which entry is wrong?"}]}]}
```

When all those blocks are tools, system prompt or earlier turns of a conversation that only grows,
the rule gives information and no warning: there the breakpoint of the request before is what finds
the cache, and `lookback-growth` watches that. It is silent where no entry can exist, because the
prefix is still under the model's minimum.

Source: Anthropic, "Prompt caching" (the walk back, 20 positions for each breakpoint, runs of tool
blocks), and the base document's section on automatic prefix checking.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import Spot
from cachewise.rules.placement import (
    can_carry,
    fitting_ttl,
    insertion,
    place_name,
    standing,
)
from cachewise.rules.turns import has_assistant_turn, last_user_turn
from cachewise.syntax.json_edit import Edit


def check(context: Context) -> Iterator[Finding]:
    """Each breakpoint whose walk ends before it meets the previous breakpoint."""
    window = context.plan.window
    if window is None or context.request.has_unknown_blocks:
        return
    previous = 0
    for point in context.plan.breakpoints:
        if point.ignored:
            continue
        if point.position - previous > window:
            unseen = _unseen(context, previous, point.position - window)
            if unseen and not _holds_no_entry(context, unseen[-1]):
                yield _finding(context, point, previous, unseen, window)
        previous = point.position


def _unseen(context: Context, after: int, last: int) -> range:
    """The indexes of the blocks at positions behind ``after``, up to and including ``last``."""
    positions = context.plan.positions
    return range(bisect_right(positions, after), bisect_right(positions, last))


def _holds_no_entry(context: Context, block: int) -> bool:
    """Whether the prefix up to a block is surely too short to have been cached."""
    plan = context.plan
    if context.minimum is None or (plan.unknown and plan.unknown[0] <= block):
        return False
    return plan.prefixes[block].high < context.minimum


def _finding(
    context: Context, point: Breakpoint, previous: int, unseen: range, window: int
) -> Finding:
    one_turn = not has_assistant_turn(context.request)
    recent = last_user_turn(context.request)
    warned = one_turn or bool(range(max(unseen[0], recent.start), min(unseen[-1] + 1, recent.stop)))
    where = f"the breakpoint before it (position {previous})" if previous else "the start"
    stands = "stands" if len(unseen) == 1 else "stand"
    advice = (
        "Insert a breakpoint among them, at the end of what stays the same."
        if warned
        else "In a conversation that only grows, the breakpoint of the request before serves them; "
        "else insert a breakpoint among them."
    )
    fix = _fix(context, point, previous, window, whole_only=not warned)
    return RULE.finding(
        f"{_numbers(unseen)} {stands} outside of every lookback window: the walk from this "
        f"breakpoint, at position {point.position}, ends after {window} positions and does not "
        f"reach back to {where}. An entry that an earlier request wrote there cannot be found from "
        f"here. {advice}",
        point.placed.pointer,
        (point.placed.start, point.placed.end),
        severity="warning" if warned else "info",
        fixes=() if fix is None else (fix,),
    )


def _numbers(blocks: range) -> str:
    """Blocks by number, counted from 1 in prefix order: ``Block 2``, ``Blocks 2–6``."""
    first, last = blocks[0] + 1, blocks[-1] + 1
    if first == last:
        return f"Block {first}"
    return f"Blocks {first} and {last}" if last == first + 1 else f"Blocks {first}–{last}"


def _fix(
    context: Context, point: Breakpoint, previous: int, window: int, *, whole_only: bool
) -> Fix | None:
    """Breakpoints from this one backwards until the walks meet, or all slots are taken.

    With ``whole_only`` a gap that cannot be closed is left alone.
    """
    others = standing(context)
    chosen: list[int] = []
    edits: list[Edit] = []
    reach = point.position
    while reach - previous > window:
        found = _best(context, point, others, reach - window, previous + window, reach)
        if found is None:
            break
        block, ttl = found
        chosen.append(block)
        edits.append(insertion(context, block, ttl))
        others.append(Spot(block, ttl))
        reach = context.plan.positions[block]
    if not chosen or (whole_only and reach - previous > window):
        return None
    chosen.sort()
    if len(chosen) == 1:
        title = f"Insert a breakpoint at {place_name(context, chosen[0])}"
    else:
        title = f"Insert breakpoints at blocks {', '.join(str(block + 1) for block in chosen)}"
    return Fix(title, tuple(sorted(edits, key=lambda edit: edit.start)))


def _best(
    context: Context,
    point: Breakpoint,
    others: list[Spot],
    lowest: int,
    highest: int,
    reach: int,
) -> tuple[int, str] | None:
    """The best block to mark within the window of ``reach``, with the lifetime it can have.

    A block from which the walk before it is met (up to position ``highest``) comes first; among
    those the end of the system prompt, the end of the tools, the end of a turn. Else it is the
    block furthest back, so that few slots are needed, and little is paid for again when what
    follows changes.
    """
    positions = context.plan.positions
    blocks = context.request.blocks
    best: tuple[tuple[bool, tuple[bool, ...], int], int, str] | None = None
    for block in range(bisect_left(positions, lowest), bisect_left(positions, reach)):
        following = blocks[block + 1]
        section_ends = following.section != blocks[block].section
        ends = (
            section_ends and blocks[block].section == "system",
            section_ends,
            following.role != blocks[block].role,
        )
        meets = positions[block] <= highest
        worth = (meets, ends if meets else (), -positions[block])
        if best is not None and worth < best[0]:
            continue
        if not can_carry(context, block) or _holds_no_entry(context, block):
            continue
        ttl = fitting_ttl(context, block, point.ttl, others)
        if ttl is not None:
            best = (worth, block, ttl)
    return None if best is None else (best[1], best[2])


RULE = Rule(
    code="CW202",
    name="lookback-window",
    severity="warning",
    summary="Blocks lie outside of every breakpoint's lookback window",
    docs=__doc__ or "",
    check=check,
)
