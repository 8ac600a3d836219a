"""What changes stands before what stays the same; the other way round more could be cached.

A prefix is read from the cache only up to the first character that differs. One line with the time,
or the name of the user, at the top of a long system prompt leaves nothing of it to be read; the
same line at its end costs a few tokens.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "Current time: 2026-11-21T14:03:22Z. <the harbour rules, 3000 tokens>",
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

First what never changes, then what changes seldom, last what changes with every call:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "<the harbour rules, 3000 tokens>",
             "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "Current time: 2026-11-21T14:03:22Z."}],
 "messages": [{"role": "user", "content": "Which gate opens first?"}]}
```

In a request the rule speaks of times, ids and random values in tools and system prompt, in a prompt
template of every variable: who fills it in knows how often it differs. It is silent while so little
stands behind the place that a provider could not cache it.

Source: Anthropic, "Prompt caching", section "Structuring your prompt" (static content first); the
same advice in the documentation of OpenAI, Google and Alibaba Cloud on their caches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachewise.caching.stable import tokens_before
from cachewise.request import prompt_file
from cachewise.request.volatility import changes_of, volatile_spans
from cachewise.rules.base import Context, Finding, Related, Rule

LONGEST_SHOWN = 60
"""Characters of a name or value that a message repeats."""


@dataclass(frozen=True, slots=True)
class _Early:
    """A place too far in front: its block, its span in that one's text and in the source."""

    block: int
    at: int
    start: int
    end: int
    name: str
    certain: bool
    """Whether it surely changes with every call."""


def check(context: Context) -> Iterator[Finding]:
    """At most one finding: the first such place."""
    template = context.request.shape == prompt_file.SHAPE
    early = _in_template(context) if template else _in_request(context)
    needed = context.minimum
    if needed is None and template and context.model is None:
        # Who will send a template is not known: the least that any model asks for decides.
        needed = min(
            (model.minimum_tokens for model in context.catalog.models.values()
             if model.minimum_tokens), default=None,
        )  # fmt: skip
    if early is None or needed is None:
        return
    last = _last_stable(context)
    before = tokens_before(context.request, context.plan, context.model, early.block, early.at)
    whole = context.plan.prefixes[last]
    behind = whole.low - before.high
    if behind < needed and not (before.high < needed <= whole.low):
        return
    yield _finding(context, early, before.estimate, whole.estimate, last)


def _in_template(context: Context) -> _Early | None:
    place = prompt_file.first_value(context.request)
    if place is None or place.block > _last_stable(context):
        return None
    name = place.hole.name
    certain = changes_of(name) == "call"
    return _Early(place.block, place.at, place.start, place.end, name, certain)


def _in_request(context: Context) -> _Early | None:
    request = context.request
    for index, block in enumerate(request.blocks):
        if block.section == "messages":
            return None
        text = block.text
        for span in volatile_spans(block):
            if span.volatile.changes == "call" and text is not None:
                start, _ = request.block_span(index)
                return _Early(
                    index,
                    span.volatile.start,
                    start + span.start,
                    start + span.end,
                    span.volatile.shown,
                    True,
                )
    return None


def _last_stable(context: Context) -> int:
    """The last block of the part that the calls share."""
    request = context.request
    if request.shape == prompt_file.SHAPE:
        return prompt_file.shared_blocks(request) - 1
    return sum(block.section != "messages" for block in request.blocks) - 1


def _finding(context: Context, early: _Early, before: int, whole: int, last: int) -> Finding:
    shown = early.name
    if len(shown) > LONGEST_SHOWN:
        shown = f"{shown[: LONGEST_SHOWN - 1]}…"
    changes = "changes with every call" if early.certain else "may differ from call to call"
    start, end = context.request.block_span(last)
    return RULE.finding(
        f"{shown!r} {changes} and stands in front of about {max(whole - before, 0):,} tokens that "
        f"stay the same: of {whole:,} tokens only the {before:,} before it can be read from the "
        "cache. Put what never changes first, then what changes seldom, and this last, behind "
        "the breakpoint or in the user's message.",
        context.request.block_pointer(early.block),
        (early.start, early.end),
        related=(
            Related(
                "it could stand behind this",
                context.request.block_pointer(last),
                max(start, end - 1),
                end,
            ),
        ),
    )


RULE = Rule(
    code="CW208",
    name="late-volatile-first",
    severity="info",
    summary="What changes stands before what stays the same",
    docs=__doc__ or "",
    check=check,
)
