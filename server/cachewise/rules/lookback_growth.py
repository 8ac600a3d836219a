"""The conversation has grown past the lookback window since the request before.

The request before this one wrote its entry where its last breakpoint stood: normally at the last
block of the user's turn before the last answer. To be read, that entry must lie within the walk of
one of this request's breakpoints, which looks at 20 positions, itself the first. When 20 positions
or more have been added (an answer of many parts, many tool results with text beside them), the
entry is not found and the whole conversation is written again at the price of a write.

Where a file holds the earlier request itself, that one's last breakpoint is taken; else the rule
assumes that it ended as above.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "<the harbour rules, 3000 tokens>",
 "messages": [
  {"role": "user", "content": "List the gates."},
  {"role": "assistant", "content": [
   {"type": "text", "text": "Gate 1."}, {"type": "text", "text": "Gate 2."},
   {"type": "text", "text": "Gate 3."}, {"type": "text", "text": "Gate 4."},
   {"type": "text", "text": "Gate 5."}, {"type": "text", "text": "Gate 6."},
   {"type": "text", "text": "Gate 7."}, {"type": "text", "text": "Gate 8."},
   {"type": "text", "text": "Gate 9."}, {"type": "text", "text": "Gate 10."},
   {"type": "text", "text": "Gate 11."}, {"type": "text", "text": "Gate 12."},
   {"type": "text", "text": "Gate 13."}, {"type": "text", "text": "Gate 14."},
   {"type": "text", "text": "Gate 15."}, {"type": "text", "text": "Gate 16."},
   {"type": "text", "text": "Gate 17."}, {"type": "text", "text": "Gate 18."},
   {"type": "text", "text": "Gate 19."}]},
  {"role": "user", "content": [{"type": "text", "text": "And then?",
   "cache_control": {"type": "ephemeral"}}]}]}
```

Keep a breakpoint where the request before had its last one, or within 19 positions behind it:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "<the harbour rules, 3000 tokens>",
 "messages": [
  {"role": "user", "content": [{"type": "text", "text": "List the gates.",
   "cache_control": {"type": "ephemeral"}}]},
  {"role": "assistant", "content": [
   {"type": "text", "text": "Gate 1."}, {"type": "text", "text": "Gate 2."},
   {"type": "text", "text": "Gate 3."}, {"type": "text", "text": "Gate 4."},
   {"type": "text", "text": "Gate 5."}, {"type": "text", "text": "Gate 6."},
   {"type": "text", "text": "Gate 7."}, {"type": "text", "text": "Gate 8."},
   {"type": "text", "text": "Gate 9."}, {"type": "text", "text": "Gate 10."},
   {"type": "text", "text": "Gate 11."}, {"type": "text", "text": "Gate 12."},
   {"type": "text", "text": "Gate 13."}, {"type": "text", "text": "Gate 14."},
   {"type": "text", "text": "Gate 15."}, {"type": "text", "text": "Gate 16."},
   {"type": "text", "text": "Gate 17."}, {"type": "text", "text": "Gate 18."},
   {"type": "text", "text": "Gate 19."}]},
  {"role": "user", "content": [{"type": "text", "text": "And then?",
   "cache_control": {"type": "ephemeral"}}]}]}
```

Source: Anthropic, "Prompt caching" (the walk back; fewer than 20 positions may be added per turn).
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.rules.placement import (
    can_carry,
    fitting_ttl,
    insertion,
    live,
    place_name,
    standing,
)
from cachewise.rules.server_tools import is_server_result
from cachewise.rules.turns import end_of_previous_request


def check(context: Context) -> Iterator[Finding]:
    """The breakpoint that should find the previous request's entry, and cannot."""
    window = context.plan.window
    if window is None or context.request.has_unknown_blocks:
        return
    block = _written_before(context)
    if block < 0:
        return
    written = context.plan.positions[block]
    behind = [
        point
        for point in live(context)
        if context.request.blocks[point.block].section == "messages" and point.position >= written
    ]
    if not behind or behind[0].position - written < window:
        return
    if _marked_by_provider(context, block, window):
        return
    yield _finding(context, behind[0], block, written, window)


def _written_before(context: Context) -> int:
    """The block at which the previous request wrote its deepest entry; or -1."""
    if context.previous is None:
        return end_of_previous_request(context.request)
    points = [point for point in context.previous.plan.breakpoints if point.effective is not False]
    return points[-1].block if points else -1


def _marked_by_provider(context: Context, block: int, window: int) -> bool:
    """Whether a breakpoint that the provider adds by itself finds the entry."""
    positions = context.plan.positions
    return any(
        positions[index] - positions[block] < window
        for index in range(block + 1, len(positions))
        if is_server_result(context.request.blocks[index])
    )


def _finding(context: Context, point: Breakpoint, block: int, written: int, window: int) -> Finding:
    request = context.request
    added = point.position - written
    start, end = request.block_span(block)
    known = context.previous is not None
    before = "The request before this one" if known else "If the request before this one"
    then = "wrote its entry" if known else "ended"
    fix = _fix(context, point, written, window)
    return RULE.finding(
        f"{before} {then} at {place_name(context, block)}{':' if known else ', then'} "
        f"{added} positions have been added since, and the walk back from this breakpoint looks at "
        f"{window}, itself the first. So the entry is not found, and the conversation is written "
        "anew instead of read. Keep a breakpoint at that block, or within "
        f"{window - 1} positions behind it.",
        point.placed.pointer,
        (point.placed.start, point.placed.end),
        related=(
            Related(
                "the request before this one ended here",
                request.block_pointer(block),
                start,
                end,
            ),
        ),
        fixes=() if fix is None else (fix,),
    )


def _fix(context: Context, point: Breakpoint, written: int, window: int) -> Fix | None:
    """A breakpoint from which the entry is found, as far towards the end as it may stand."""
    others = standing(context)
    positions = context.plan.positions
    for block in range(point.block - 1, -1, -1):
        if positions[block] < written:
            return None
        if positions[block] >= written + window or not can_carry(context, block):
            continue
        ttl = fitting_ttl(context, block, point.ttl, others)
        if ttl is not None:
            title = f"Insert a breakpoint at {place_name(context, block)}"
            return Fix(title, (insertion(context, block, ttl),))
    return None


RULE = Rule(
    code="CW203",
    name="lookback-growth",
    severity="warning",
    summary="The previous request's entry lies outside of the lookback window",
    docs=__doc__ or "",
    check=check,
)
