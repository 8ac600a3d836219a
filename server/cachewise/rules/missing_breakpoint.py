"""A long prefix that stays the same carries no breakpoint.

Without a marker nothing is cached on a platform with explicit caching, and every call pays the full
price for the same tools, system prompt and earlier turns. A read costs a tenth of the input price
or less, a write a quarter more than the input price, so caching pays from the second call on.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "<the harbour rules, 3000 tokens>",
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

Close the part that stays the same:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

In a conversation the last block is proposed, since all turns before the next one stay as they are.
The rule speaks also when the breakpoints stand behind a system prompt that changes with every call,
and the tools before it, which do not change, are long enough to be cached by a breakpoint of their
own. It is silent where the length is not certain, where the declared traffic is too thin for
caching to pay, and where the provider caches by itself.

Source: Anthropic, "Prompt caching" (what can be cached, prices); public reports of agents whose
tools were never marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from cachewise.caching.plan import DEFAULT_TTL
from cachewise.caching.stable import tokens_before
from cachewise.request import prompt_file
from cachewise.request.volatility import volatile_spans
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.placement import (
    can_carry,
    fitting_ttl,
    insertion,
    opening,
    place_name,
    reaches_minimum,
    standing,
)
from cachewise.rules.turns import has_assistant_turn, last_user_turn


def check(context: Context) -> Iterator[Finding]:
    """At most one finding, on the block that a breakpoint should close."""
    if not _would_pay(context):
        return
    if context.request.shape == prompt_file.SHAPE:
        yield from _template(context)
        return
    if not context.request.marks:
        if context.request.has_unknown_blocks:
            return  # Markers may be there that the source does not show.
        stable = _stable_end(context)
        if stable >= 0:
            yield _unmarked(context, stable)
    else:
        tools = _unmarked_tools(context)
        if tools >= 0:
            yield _tools_behind_nothing(context, tools)


def _template(context: Context) -> Iterator[Finding]:
    """A template cannot carry a marker; the program that sends it can set one."""
    request = context.request
    place = prompt_file.first_hole(request)
    shared = prompt_file.shared_blocks(request)
    if context.format == "instructions" or not shared or context.minimum is None:
        return
    if place is None or place.block >= shared:
        count = context.plan.prefixes[shared - 1]
        until = "all of it" if shared == len(request.blocks) else "all before the user's message"
    else:
        count = tokens_before(request, context.plan, context.model, place.block, place.at)
        until = f"up to {place.hole.name!r}"
    if count.low < context.minimum:
        return
    yield RULE.finding(
        f"The first {count.estimate:,} tokens of this prompt ({until}) stay the same from call to "
        f"call, enough to be cached from {context.minimum:,} on. No marker can stand in this "
        "file: let the program that sends it close them with a breakpoint.",
        request.block_pointer(0),
        opening(context, 0),
    )


def _would_pay(context: Context) -> bool:
    model, platform, prices = context.model, context.platform, context.prices
    if model is None or platform is None or model.explicit is not True or not platform.markers:
        return False
    if prices is None or prices.input is None or prices.read is None or prices.read >= prices.input:
        return False
    traffic = context.traffic
    if traffic is None:
        return True
    return traffic.calls > 1 and traffic.every < max(platform.ttl_seconds.values(), default=0)


def _stable_end(context: Context) -> int:
    """The last block that a breakpoint could close with use; or -1.

    In a conversation that is the last block. In a single turn it is the one before the question:
    the block before the last of the turn, or the end of the system prompt. Content that is made
    anew for every call ends the stable part.
    """
    request = context.request
    blocks = request.blocks
    turn = last_user_turn(request)
    conversation = has_assistant_turn(request)
    end = len(blocks) - 1 if conversation else (turn[-1] - 1 if turn else len(blocks) - 1)
    for index in range(end + 1):
        fixed = conversation and blocks[index].section == "messages"
        if not fixed and _is_volatile(context, index):
            end = index - 1
            break
    while end >= 0 and not can_carry(context, end):
        end -= 1
    return end if end >= 0 and reaches_minimum(context, end) else -1


def _is_volatile(context: Context, block: int) -> bool:
    return any(
        span.volatile.changes == "call" for span in volatile_spans(context.request.blocks[block])
    )


def _unmarked_tools(context: Context) -> int:
    """The last tool, when every breakpoint stands behind a system prompt that changes; or -1."""
    request = context.request
    blocks = request.blocks
    tools = list(takewhile(lambda at: blocks[at].section == "tools", range(len(blocks))))
    points = context.plan.breakpoints
    if not tools or not points or points[0].block <= tools[-1]:
        return -1
    changing = (
        index
        for index in range(tools[-1] + 1, points[0].block + 1)
        if request.blocks[index].section == "system" and _is_volatile(context, index)
    )
    if next(changing, None) is None or any(_is_volatile(context, index) for index in tools):
        return -1
    last = next((index for index in reversed(tools) if can_carry(context, index)), -1)
    return last if last >= 0 and reaches_minimum(context, last) else -1


def _unmarked(context: Context, stable: int) -> Finding:
    count = context.plan.prefixes[stable].estimate
    return RULE.finding(
        f"Nothing is cached: the first {count:,} tokens, up to {place_name(context, stable)}, stay "
        "the same from call to call and carry no breakpoint, so every call pays their full price. "
        "Insert a breakpoint there.",
        context.request.block_pointer(stable),
        opening(context, stable),
        fixes=tuple(_fixes(context, stable)),
    )


def _tools_behind_nothing(context: Context, tools: int) -> Finding:
    count = context.plan.prefixes[tools].estimate
    return RULE.finding(
        f"The tools are never cached: every breakpoint stands behind a system prompt that changes "
        f"with every call. Their {count:,} tokens stay the same; insert a breakpoint at the last "
        f"tool, {place_name(context, tools)}.",
        context.request.block_pointer(tools),
        opening(context, tools),
        fixes=tuple(_fixes(context, tools)),
    )


def _fixes(context: Context, block: int) -> Iterator[Fix]:
    ttl = fitting_ttl(context, block, DEFAULT_TTL, standing(context))
    if ttl is not None:
        edits = (insertion(context, block, ttl),)
        yield Fix(f"Insert a breakpoint at {place_name(context, block)}", edits)


RULE = Rule(
    code="CW206",
    name="missing-breakpoint",
    severity="info",
    summary="A long prefix that stays the same carries no breakpoint",
    docs=__doc__ or "",
    check=check,
)
