"""The prefix closed here is under the model's minimum, so it is silently not cached.

Every model caches only prefixes of a certain length: 512, 1,024, 2,048 or 4,096 tokens, and neither
the size nor the age of a model tells which. A marker on a shorter prefix is accepted and does
nothing; the only trace is that both cache counters of the response's `usage` stay at 0.

What counts is the whole prefix, tools and system prompt included, not the marked block alone.

```json bad
{"model": "claude-haiku-4-5", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

The same text is long enough for a model with a lower minimum:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

Move the marker to the first block behind which the prefix is long enough, or remove it. Where the
estimate and the minimum lie too close together to tell, the rule says so as information. It says
nothing where the model is not known, or where a text is a placeholder of unknown length.

In a request that offers tools which the provider runs itself (web search, say) the rule gives
information only: there the provider adds breakpoints at their results once one marker is set.

Source: Anthropic, "Prompt caching", section "Cache limitations"; Amazon Bedrock's own table of
minimums; the recorded `usage` of marked requests just under and over them.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.caching.stable import tokens_before
from cachewise.request import prompt_file
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import remove_mark
from cachewise.rules.placement import movement, opening, place_name, reaches_minimum
from cachewise.rules.server_tools import has_server_tools
from cachewise.rules.turns import has_assistant_turn, last_user_turn


def check(context: Context) -> Iterator[Finding]:
    """Each breakpoint whose prefix is, or may be, too short to be cached."""
    if context.request.shape == prompt_file.SHAPE:
        yield from _template(context)
        return
    for point in context.plan.breakpoints:
        minimum = point.minimum
        if point.ignored or point.at_least or minimum is None:
            continue
        if point.effective is False and has_server_tools(context.request):
            yield _grows_while_answering(context, point, minimum)
        elif point.effective is False:
            yield _too_short(context, point, minimum)
        elif point.effective is None:
            yield _may_be_too_short(context, point, minimum)


def _template(context: Context) -> Iterator[Finding]:
    """A prompt in a file of its own that is too short to be cached by itself."""
    request = context.request
    shared = prompt_file.shared_blocks(request)
    minimum = context.minimum
    if (
        minimum is None
        or context.format == "instructions"
        or not shared
        or context.model is None
        or context.model.explicit is not True
    ):
        return
    place = prompt_file.first_hole(request)
    whole = context.plan.prefixes[shared - 1]
    count, until = whole, ""
    if place is not None and place.block < shared:
        count = tokens_before(request, context.plan, context.model, place.block, place.at)
        until = f", up to {place.hole.name!r},"
    if count.high >= minimum or whole.low >= minimum:
        # What would be long enough in another order is told by CW208.
        return
    yield RULE.finding(
        f"The part of this prompt that stays the same{until} has about {count.estimate:,} tokens; "
        f"{_model(context)} caches only from {minimum:,} on. By itself it cannot be cached: it "
        "needs tools or more stable text in front of its breakpoint.",
        request.block_pointer(0),
        opening(context, 0),
        severity="info",
    )


def _too_short(context: Context, point: Breakpoint, minimum: int) -> Finding:
    fixes: list[Fix] = []
    target = _first_long_enough(context, point)
    advice = "Remove the marker"
    if target is not None:
        edits = movement(context, point.placed, target)
        if edits is not None:
            fixes.append(Fix(f"Move the marker to {place_name(context, target)}", edits))
            advice = (
                f"Move the marker to {place_name(context, target)}, where the prefix reaches the "
                "minimum, or remove it"
            )
    elif point.automatic:
        advice = "Automatic caching begins to work once the conversation is longer; else remove it"
    else:
        advice = "Remove the marker, or put more of the stable content before it"
    fixes.append(Fix("Remove this marker", (remove_mark(context, point.placed),)))
    return RULE.finding(
        f"Not cached: the prefix up to {place_name(context, point.block)} has "
        f"{_tokens(point)}, and {_model(context)} caches only from {minimum:,} tokens on. The "
        f"marker is accepted and does nothing. {advice}.",
        point.placed.pointer,
        (point.placed.start, point.placed.end),
        fixes=tuple(fixes),
    )


def _may_be_too_short(context: Context, point: Breakpoint, minimum: int) -> Finding:
    return RULE.finding(
        f"This may be too short to be cached: the prefix up to {place_name(context, point.block)} "
        f"has between {point.prefix.low:,} and {point.prefix.high:,} tokens, and "
        f"{_model(context)} caches only from {minimum:,} tokens on. Look at "
        "cache_creation_input_tokens in the response's usage, or count the tokens exactly.",
        point.placed.pointer,
        (point.placed.start, point.placed.end),
        severity="info",
    )


def _grows_while_answering(context: Context, point: Breakpoint, minimum: int) -> Finding:
    return RULE.finding(
        f"The prefix up to {place_name(context, point.block)} has {_tokens(point)} and is not "
        f"cached: {_model(context)} caches only from {minimum:,} tokens on. The marker is still of "
        "use here: with it, the provider marks the results of the tools that it runs itself.",
        point.placed.pointer,
        (point.placed.start, point.placed.end),
        severity="info",
    )


def _first_long_enough(context: Context, point: Breakpoint) -> int | None:
    """The first block behind the breakpoint's own where a marker would work and last.

    The last turn of a request without an answer in it is a question that the next call replaces:
    an entry that ends there would never be read.
    """
    if point.automatic:
        return None
    blocks = context.request.blocks
    changing = range(0) if has_assistant_turn(context.request) else last_user_turn(context.request)
    for block in range(point.block + 1, len(blocks)):
        if reaches_minimum(context, block) and not blocks[block].barred:
            question = len(changing) > 0 and block == changing[-1]
            return None if question else block
    return None


def _tokens(point: Breakpoint) -> str:
    count = point.prefix
    if count.low == count.high:
        return f"{count.estimate:,} tokens"
    return f"about {count.estimate:,} tokens ({count.low:,} to {count.high:,})"


def _model(context: Context) -> str:
    return context.model.id if context.model is not None else "this model"


RULE = Rule(
    code="CW201",
    name="prefix-below-minimum",
    severity="warning",
    summary="The prefix is too short for the model to cache",
    docs=__doc__ or "",
    check=check,
)
