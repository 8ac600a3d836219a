"""Something that is made anew for every call stands inside a cached prefix.

An entry is found only while the prefix is the same to the last character. A clock, a fresh id or a
template variable with such a name makes every call another one from that place on: the prefix is
written each time, a quarter dearer than plain input, and never read.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "cache_control": {"type": "ephemeral"},
   "text": "Current time: 2026-11-21T14:03:22Z. <the harbour rules, 3000 tokens>"}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

Say it behind the breakpoint, best in the user's own message:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "cache_control": {"type": "ephemeral"},
   "text": "<the harbour rules, 3000 tokens>"}],
 "messages": [{"role": "user", "content":
   "Current time: 2026-11-21T14:03:22Z. Which gate opens first?"}]}
```

Times and ids give a warning. A day's date gives information: it costs one write a day. So does a
template variable whose name does not tell how often its value changes.

In source code values are followed: through names, attributes, functions of the same file, f-strings
and joins. The finding stands where the value is made, the way into the prefix stands beside it.

Looked through are the descriptions of tools, the system prompt, and the user's text in a request
that holds no answer yet: in a conversation the earlier turns are history, and what was said in them
stays as it is. A date that is only mentioned (a release, an example, a log line) is no finding. In
a prompt template, which has no breakpoints, all that its calls share is looked through, and every
finding is information.

Source: Anthropic, "Prompt caching" (cached sections must be identical; static content first); the
mistake that public issue trackers report most often.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.request import prompt_file
from cachewise.request.volatility import VolatileSpan, volatile_spans
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.rules.markers import remove_mark
from cachewise.rules.placement import can_carry, movement, place_name, reaches_minimum
from cachewise.rules.turns import has_assistant_turn
from cachewise.syntax.templates import is_control

MOST = 10
"""Findings a request: the first few say all that there is to say."""

LONGEST_SHOWN = 60
"""Characters of a value that a message repeats."""


def check(context: Context) -> Iterator[Finding]:
    """Each volatile place in front of a breakpoint."""
    if context.request.shape == prompt_file.SHAPE:
        yield from _in_template(context)
        return
    points = [point for point in context.plan.breakpoints if not point.ignored]
    if not points:
        return
    conversation = has_assistant_turn(context.request)
    left = MOST
    for index in range(points[-1].block + 1):
        block = context.request.blocks[index]
        if block.section == "messages" and (conversation or block.role == "assistant"):
            return
        start, _ = context.request.block_span(index)
        seen: set[str] = set()
        for span in volatile_spans(block):
            variable = span.volatile.kind == "variable" and span.origin is None
            if variable and span.volatile.shown in seen:
                continue
            seen.add(span.volatile.shown)
            yield _finding(context, points, index, start, span)
            left -= 1
            if not left:
                return


def _in_template(context: Context) -> Iterator[Finding]:
    """A template has no markers: all that its calls share is taken as what someone will cache."""
    seen: set[str] = set()
    for index in range(prompt_file.shared_blocks(context.request)):
        start, _ = context.request.block_span(index)
        for span in volatile_spans(context.request.blocks[index]):
            volatile = span.volatile
            if volatile.shown in seen or is_control(volatile.shown):
                continue
            if context.format == "instructions" and volatile.changes == "unknown":
                continue  # braces in a text that nothing fills in
            seen.add(volatile.shown)
            yield RULE.finding(
                f"{_what(span, 'this prompt')} {_TEMPLATE_WHY.get(volatile.changes, _OTHERWISE)} "
                "Put it at the prompt's end, or into the user's message.",
                context.request.block_pointer(index),
                (start + span.start, start + span.end),
                severity="info",
            )
            if len(seen) == MOST:
                return


_TEMPLATE_WHY = {
    "call": "It is another one in every call or session, so what stands behind it can never be "
    "read from a cache.",
    "day": "It changes once a day, and what stands behind it is then written to the cache anew.",
}
_OTHERWISE = (
    "If its value differs from call to call, what stands behind it cannot be read from a cache."
)


def _finding(
    context: Context, points: list[Breakpoint], index: int, start: int, span: VolatileSpan
) -> Finding:
    behind = [point for point in points if point.block >= index]
    severity = "warning" if span.volatile.changes == "call" else "info"
    fixes: tuple[Fix, ...] = ()
    if severity == "warning":
        fixes = tuple(_fixes(context, behind, index))
    pointer = context.request.block_pointer(index)
    return RULE.finding(
        f"{_what(span)} {_why(span, behind)} {_advice(behind)}",
        pointer,
        made_at(span, start),
        severity=severity,
        related=(
            *steps(span, start, pointer),
            *(
                Related(
                    "the prefix that this breakpoint closes holds it",
                    point.placed.pointer,
                    point.placed.start,
                    point.placed.end,
                )
                for point in behind
            ),
        ),
        fixes=fixes,
    )


def made_at(span: VolatileSpan, start: int) -> tuple[int, int]:
    """Where to speak of a value: where it is made, or else where it stands in the prefix."""
    if span.origin is None:
        return start + span.start, start + span.end
    base = start + span.origin_start
    return base + span.origin.start, base + span.origin.end


def steps(span: VolatileSpan, start: int, pointer: str) -> tuple[Related, ...]:
    """The way of a value from where it is made into the prefix."""
    origin = span.origin
    if origin is None:
        return ()
    base = start + span.origin_start
    way = [
        Related(words, pointer, base + first, base + last) for words, first, last in origin.steps
    ]
    here = (start + span.start, start + span.end)
    first, last = made_at(span, start)
    if not here[0] <= first <= last <= here[1]:
        way.append(Related("here it comes into the prefix", pointer, *here))
    return tuple(way)


_ARTICLES = {"id": "an id", "epoch": "a time in epoch seconds", "UUID": "a UUID"}


def _what(span: VolatileSpan, where: str = "a cached prefix") -> str:
    volatile = span.volatile
    shown = volatile.shown
    if len(shown) > LONGEST_SHOWN:
        shown = f"{shown[: LONGEST_SHOWN - 1]}…"
    if span.origin is not None:
        what = span.origin.what
        return f"{what[0].upper()}{what[1:]} ({shown}) comes into a cached prefix."
    if volatile.kind == "variable":
        return f"The variable {shown!r} stands inside {where}."
    kind = _ARTICLES.get(volatile.kind, f"a {volatile.kind}")
    return f"{kind[0].upper()}{kind[1:]} ({shown}) stands inside {where}."


def _why(span: VolatileSpan, behind: list[Breakpoint]) -> str:
    prefixes = "the prefix" if len(behind) == 1 else f"each of the {len(behind)} prefixes"
    if span.volatile.changes == "call":
        return (
            f"It is another one in every call or session, so {prefixes} closed behind it must be "
            "written anew and cannot be read."
        )
    if span.volatile.changes == "day":
        return f"It changes once a day, and with it {prefixes} closed behind it."
    if span.origin is not None and span.origin.change == "start":
        return (
            f"It is looked up once, when the program starts: {prefixes} closed behind it must be "
            "written anew for every start and every machine where it differs."
        )
    return f"If its value differs from call to call, {prefixes} closed behind it cannot be read."


def _advice(behind: list[Breakpoint]) -> str:
    if behind[-1].automatic:
        return "Move it to the end of the request, behind a breakpoint of its own."
    return "Move it behind the last breakpoint, for instance into the last user message."


def _fixes(context: Context, behind: list[Breakpoint], index: int) -> Iterator[Fix]:
    """The breakpoint on the volatile block itself can go to the block before it."""
    own = behind[0]
    before = index - 1
    if own.block != index or own.automatic or len(behind) > 1 or before < 0:
        return
    if any(point.block == before for point in context.plan.breakpoints):
        edits = (remove_mark(context, own.placed),)
        yield Fix(f"Remove the breakpoint behind it, and keep that of block {before + 1}", edits)
    elif can_carry(context, before) and reaches_minimum(context, before):
        moved = movement(context, own.placed, before)
        if moved is not None:
            yield Fix(f"Move the breakpoint before it, to {place_name(context, before)}", moved)


RULE = Rule(
    code="CW301",
    name="volatile-content",
    severity="warning",
    summary="Something that changes with every call stands inside a cached prefix",
    docs=__doc__ or "",
    check=check,
)
