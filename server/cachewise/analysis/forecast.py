"""What the coming calls are likely to have in common with a request, as far as it shows that.

Nobody can know the calls to come, so three kinds of request are told apart by what stands in them,
and each has fixed shares, which every answer states: of a hundred coming calls

- a *conversation* (the model has answered already): 90 go on from the call before, 8 begin anew
  with the same tools and system prompt;
- an *opening* (a first turn that is likely to go on: there are tools, or its end is marked, or the
  file holds the next call): 60 go on, 38 are the same up to the question;
- a *question* (a single turn): 98 are the same up to the question.

One has another system prompt behind the same tools, and one is changed somewhere in its prefix.
Whatever stands behind a text that is made anew for every call is shared by none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cachewise.caching.place import Forecast, Place, Share
from cachewise.caching.plan import Plan
from cachewise.request.model import Request
from cachewise.request.volatility import volatile_spans
from cachewise.rules.turns import end_of_previous_request, has_assistant_turn, last_user_turn

Kind = Literal["conversation", "opening", "question"]

SHARES: dict[Kind, tuple[int, int]] = {
    "conversation": (90, 8),
    "opening": (60, 38),
    "question": (0, 98),
}
"""For each kind, of a hundred calls, those that go on from the last one, and those that begin anew
with the same stable part."""

_PARTS = 10
"""In so many parts the one changed call is laid over the prefix."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is taken to stay the same. All figures are 0-based block indexes, -1 for none.

    ``tools`` and ``system`` end those sections. ``stable`` is the last block that another question
    or conversation shares, ``end`` the last one that a call that goes on shares. ``previous`` ended
    the call before. ``volatile`` is the first block that is made anew in every call, ``variables``
    name template variables before the stable end, which are taken to keep their values.
    """

    kind: Kind
    tools: int
    system: int
    stable: int
    end: int
    previous: int
    volatile: int
    variables: tuple[str, ...]


def outlook(
    request: Request, closed: Sequence[int], *, previous: int | None = None, followed: bool = False
) -> Outlook:
    """What a request shows about the calls to come.

    ``closed`` are the blocks with breakpoints. ``previous`` is the last block of the earlier call
    that stands in the same document, if any; ``followed``: a later one does.
    """
    blocks = request.blocks
    last = len(blocks) - 1
    tools = _last_of(request, "tools")
    system = max(tools, _last_of(request, "system"))
    turn = last_user_turn(request)
    if has_assistant_turn(request):
        kind: Kind = "conversation"
        stable = system
    else:
        stable = turn[-1] - 1 if turn else last
        marked = bool(turn) and any(block >= turn[-1] for block in closed)
        goes_on = tools >= 0 or marked or followed or previous is not None
        kind = "opening" if goes_on else "question"
    volatile = next((at for at in range(stable + 1) if _changes(request, at, "call")), -1)
    end = last
    if volatile >= 0:
        # In a conversation that goes on, what stands in its messages is settled.
        end = volatile - 1 if volatile <= system else last
        stable = volatile - 1
    before = previous if previous is not None else end_of_previous_request(request)
    variables = [
        span.volatile.shown
        for at in range(stable + 1)
        for span in volatile_spans(blocks[at])
        if span.volatile.changes == "unknown"
    ]
    return Outlook(
        kind=kind,
        tools=tools,
        system=system,
        stable=stable,
        end=end,
        previous=before if before <= end else -1,
        volatile=volatile,
        variables=tuple(dict.fromkeys(variables)),
    )


def forecast(seen: Outlook, plan: Plan, minimum: int) -> Forecast:
    """The shares of an outlook, in thousandths; ``minimum`` is what an entry needs (tokens)."""
    going_on, anew = SHARES[seen.kind]
    tools = min(seen.tools, seen.end)
    shares = [
        Share(seen.stable, anew * _PARTS),
        Share(tools if seen.system > seen.tools else -1, _PARTS),
        *(Share(last, 1) for last in _spread(plan, seen.end)),
    ]
    before = seen.previous
    if before >= 0 and plan.prefixes[before].low >= minimum:
        tokens = plan.prefixes[before].estimate
        previous = Place(before, plan.positions[before], tokens, ())
        return Forecast(tuple(shares), going_on * _PARTS, previous)
    if going_on:
        shares.append(Share(seen.end, going_on * _PARTS))
    return Forecast(tuple(shares))


def _spread(plan: Plan, end: int) -> list[int]:
    """The blocks before a change that stands anywhere in the prefix, each part of it alike."""
    if end < 0:
        return [-1] * _PARTS
    whole = plan.prefixes[end].estimate
    found: list[int] = []
    block = -1
    for part in range(_PARTS):
        # In the middle of each part.
        limit = whole * (2 * part + 1) // (2 * _PARTS)
        while block < end and plan.prefixes[block + 1].estimate <= limit:
            block += 1
        found.append(block)
    return found


def _last_of(request: Request, section: str) -> int:
    blocks = request.blocks
    return next((at for at in reversed(range(len(blocks))) if blocks[at].section == section), -1)


def _changes(request: Request, block: int, how: str) -> bool:
    spans = volatile_spans(request.blocks[block])
    return any(span.volatile.changes == how for span in spans)
