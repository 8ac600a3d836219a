"""The only breakpoint closes a block that is another one in every call.

An entry is found only by a request whose prefix is the same up to where the entry ends. When the
one breakpoint stands on the question of a one-shot request, each call writes an entry that no later
call can read: caching then costs a quarter more instead of nine tenths less. It happens with
automatic caching, which closes the last block, and with code that marks the last message.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "<the harbour rules, 3000 tokens>",
 "messages": [{"role": "user", "content": [{"type": "text", "text": "Which gate opens first?",
   "cache_control": {"type": "ephemeral"}}]}]}
```

Close the part that stays the same:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": [{"type": "text", "text": "Which gate opens first?"}]}]}
```

In a conversation that goes on, marking the last block is right, since the next turn reads it. So
the rule is silent as soon as the request holds an answer of the model, or the file another request
with the same question. It also asks that the part before the question is long enough to be cached.

Source: Anthropic, "Prompt caching" (a breakpoint writes one entry, at its own end; the warning
about automatic caching of a block that varies).
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.request.placeholder import is_placeholder
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import remove_mark
from cachewise.rules.placement import (
    can_carry,
    fitting_ttl,
    insertion,
    live,
    movement,
    place_name,
    reaches_minimum,
    standing,
)
from cachewise.rules.turns import has_assistant_turn, last_user_turn


def check(context: Context) -> Iterator[Finding]:
    """The one breakpoint on the question of a request that is a single turn."""
    points = live(context)
    if len(points) != 1 or has_assistant_turn(context.request):
        return
    if context.request.has_unknown_blocks:
        return
    if context.followed or context.previous is not None:
        return  # The file itself shows that the question comes again.
    point = points[0]
    turn = last_user_turn(context.request)
    if not turn or point.block != turn[-1] or not _is_question(context, point.block):
        return
    stable = _stable_end(context, point.block)
    if stable >= 0:
        yield _finding(context, point, stable)


def _is_question(context: Context, block: int) -> bool:
    """Whether a block is a short text of the user's, shorter than what can be cached alone.

    A text that stands for another one was marked on purpose, as far as can be told.
    """
    found = context.request.blocks[block]
    text = found.text
    if text is None or found.role != "user" or is_placeholder(text) or context.minimum is None:
        return False
    before = context.plan.prefixes[block - 1].estimate if block else 0
    return context.plan.prefixes[block].estimate - before < context.minimum


def _stable_end(context: Context, question: int) -> int:
    """The last block before the question that a marker can close with effect; or -1."""
    for block in range(question - 1, -1, -1):
        if not reaches_minimum(context, block):
            return -1
        if not context.request.blocks[block].barred:
            return block
    return -1


def _finding(context: Context, point: Breakpoint, stable: int) -> Finding:
    placed = point.placed
    cached = context.plan.prefixes[stable].estimate
    what = "Automatic caching closes" if point.automatic else "The only breakpoint closes"
    return RULE.finding(
        f"{what} the question, {place_name(context, point.block)}, which is another one in the "
        "next call: then every call writes this prefix and none reads it. Move the breakpoint to "
        f"{place_name(context, stable)}: the {cached:,} tokens up to there stay the same. If the "
        "conversation goes on from here, keep this one and mark that block as well.",
        placed.pointer,
        (placed.start, placed.end),
        fixes=_fixes(context, point, stable),
    )


def _fixes(context: Context, point: Breakpoint, stable: int) -> tuple[Fix, ...]:
    """Move the breakpoint, or keep it and add one: that first where tools may prolong the turn."""
    if not can_carry(context, stable):
        return ()
    name = place_name(context, stable)
    fixes: list[Fix] = []
    ttl = fitting_ttl(context, stable, point.ttl, standing(context, (point.placed,)))
    if point.automatic and ttl is not None:
        edits = (remove_mark(context, point.placed), insertion(context, stable, ttl))
        fixes.append(Fix(f"Mark {name} instead of automatic caching", edits))
    elif not point.automatic:
        moved = movement(context, point.placed, stable)
        if moved is not None:
            fixes.append(Fix(f"Move the breakpoint to {name}", moved))
    ttl = fitting_ttl(context, stable, point.ttl, standing(context))
    if ttl is not None:
        insert = (insertion(context, stable, ttl),)
        fixes.append(Fix(f"Keep it, and insert a breakpoint at {name}", insert))
    if any(block.section == "tools" for block in context.request.blocks):
        fixes.reverse()
    return tuple(fixes)


RULE = Rule(
    code="CW205",
    name="changing-breakpoint",
    severity="warning",
    summary="The only breakpoint closes a block that changes in every call",
    docs=__doc__ or "",
    check=check,
)
