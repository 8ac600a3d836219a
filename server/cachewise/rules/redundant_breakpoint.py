"""Two breakpoints stand so close together that the second slot buys nothing.

A request has four breakpoints. One that closes a handful of tokens behind another one, in the same
section and with the same lifetime, saves next to nothing: those tokens are the only ones it adds.
And of several tool results that arrive in one turn, marking each is of no use, since they arrive
together and stay together. The slot is better spent where the content changes at another pace.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [
  {"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}},
  {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [
  {"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}},
  {"type": "text", "text": "Be brief."}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

The rule never speaks about breakpoints in different sections or turns, about different lifetimes,
or about one whose block changes in every call: there the other one is what keeps the cache.

Source: Anthropic, "Prompt caching", section "When to use multiple breakpoints".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cachewise.caching.plan import Breakpoint
from cachewise.request.volatility import volatile_spans
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.rules.markers import remove_mark
from cachewise.rules.placement import place_name
from cachewise.rules.turns import has_assistant_turn, is_in_one_turn

SMALLEST_SHARE = 100
"""The second breakpoint must add at least one part in so many of the first one's prefix."""


def check(context: Context) -> Iterator[Finding]:
    """Each pair of neighbours of which one could go."""
    points = [
        point
        for point in context.plan.breakpoints
        if point.effective is True and not point.automatic
    ]
    for first, second in pairwise(points):
        if first.ttl != second.ttl or first.block == second.block:
            continue
        if _arrive_together(context, first, second):
            yield _finding(context, first, second, idle=first)
        elif _adds_nothing(context, first, second):
            yield _finding(context, first, second, idle=second)


def _arrive_together(context: Context, first: Breakpoint, second: Breakpoint) -> bool:
    """Whether both close tool results of one turn, the later within sight of the earlier."""
    blocks = context.request.blocks
    window = context.plan.window
    return (
        all(block.kind == "tool_result" for block in blocks[first.block : second.block + 1])
        and is_in_one_turn(context.request, first.block, second.block)
        and window is not None
        and second.position - first.position < window
    )


def _adds_nothing(context: Context, first: Breakpoint, second: Breakpoint) -> bool:
    """Whether the second one, next to the first, closes hardly more tokens of the same pace."""
    blocks = context.request.blocks
    if second.block != first.block + 1 or first.at_least or second.at_least:
        return False
    if blocks[first.block].section != blocks[second.block].section:
        return False
    if blocks[first.block].section == "messages" and not (
        has_assistant_turn(context.request)
        and is_in_one_turn(context.request, first.block, second.block)
        and second.block != len(blocks) - 1
    ):
        return False
    if volatile_spans(blocks[second.block]):
        return False
    added = second.prefix.estimate - first.prefix.estimate
    return added * SMALLEST_SHARE <= first.prefix.estimate


def _finding(context: Context, first: Breakpoint, second: Breakpoint, idle: Breakpoint) -> Finding:
    added = second.prefix.estimate - first.prefix.estimate
    other = first if idle is second else second
    which = "previous" if other is first else "next"
    placed = idle.placed
    return RULE.finding(
        f"This breakpoint and the {which} one, at {place_name(context, other.block)}, close almost "
        f"the same prefix ({added:,} tokens lie between them), so one of the two slots buys "
        "nothing. Remove this one.",
        placed.pointer,
        (placed.start, placed.end),
        related=(
            Related(
                f"the {which} breakpoint",
                other.placed.pointer,
                other.placed.start,
                other.placed.end,
            ),
        ),
        fixes=(Fix("Remove this breakpoint", (remove_mark(context, placed),)),),
        tags=("unnecessary",),
    )


RULE = Rule(
    code="CW207",
    name="redundant-breakpoint",
    severity="info",
    summary="Two breakpoints close almost the same prefix",
    docs=__doc__ or "",
    check=check,
)
