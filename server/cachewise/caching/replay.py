"""A faithful simulator of the provider's prompt cache: what each of a sequence of calls reads,
writes and pays.

The rules it follows (prompt-caching page, September 2026, unless a catalog entry says otherwise):

- a breakpoint writes exactly one entry, the digest of the prefix that ends there; nothing is
  written at earlier positions, and nothing at all under the model's minimum;
- a read looks at the last breakpoint's position and walks back, 20 positions in all, the breakpoint
  itself the first; then at the next earlier breakpoint, and so on; the first entry found is read;
- an entry lives for its TTL from the start of the call that wrote it or last used it, and is dead
  at exactly that age; only calls that start after the writing call has begun to answer can read it;
- entries are kept apart by model, by platform, and by workspace or organisation;
- with the ``2025-11`` semantics the walk may also end at a position that no call had marked, as
  long as an earlier call's cached prefix covers it (the base document's worked examples).

The state follows the record: where a call's own usage is known and says that nothing was cached,
its entries are not assumed. A call's usage never changes what is predicted for that same call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cachewise.caching.canonical import Chain
from cachewise.caching.cost import Billed, price, split
from cachewise.caching.plan import Breakpoint, Plan
from cachewise.catalog.model import Prices
from cachewise.catalog.usage import Usage
from cachewise.request.model import Request
from cachewise.tokens.count import Count

Outcome = Literal["hit", "partial", "miss", "uncached"]
Reason = Literal[
    "first_request",
    "model_changed",
    "tools_changed",
    "system_changed",
    "messages_changed",
    "parameters_changed",
    "expired",
    "lookback_exceeded",
    "below_minimum",
    "no_breakpoint",
    "not_yet_readable",
    "provider_isolation",
    "unknown",
]

MEMORY = 64
"""How many earlier calls are kept to say why a call missed."""

MAX_ENTRIES = 50_000
"""The bound of the simulated cache, so that a trace without times needs constant memory."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a sequence: its request with its plan and digests, when it started, what it used.

    ``at`` is in seconds on any one clock, None when the trace has no times. ``space`` is what
    entries are kept apart by, besides ``model``: platform, workspace, organisation.
    ``lifetimes`` gives the seconds of each TTL. ``implicit_minimum`` and ``implicit_step`` are set
    where the provider caches prefixes by itself.
    """

    index: int
    at: float | None
    request: Request
    plan: Plan
    chain: Chain
    model: str
    space: str
    prices: Prices | None
    lifetimes: Mapping[str, int]
    matches_unmarked: bool = False
    observed: Usage | None = None
    implicit_minimum: int | None = None
    implicit_step: int | None = None
    priced: object = None
    """Whatever the caller wants to find again beside the step."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one call reads, writes and pays, and why it does not read more.

    ``hit`` and ``expected`` are 0-based block indexes, -1 for none: the block whose entry is read,
    and the deepest block that the call before it in the conversation (``reference``) had cached.
    ``read`` carries the interval of its token count. ``best_effort``: the provider caches by
    itself and promises nothing, so the figures are an upper bound.
    """

    call: Call
    billed: Billed
    cost: Decimal | None
    outcome: Outcome
    reason: Reason | None
    hit: int
    expected: int
    read: Count
    reference: Remembered | None
    best_effort: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier call as far as later ones are compared with it."""

    index: int
    at: float | None
    model: str
    space: str
    request: Request
    chain: Chain
    own: frozenset[bytes]
    deepest: int
    """The block index of its deepest cached breakpoint, -1 when it cached nothing."""
    prefix: Count
    """The tokens up to and including that block."""
    cached: int | None
    """How many tokens its recorded usage says were in the cache afterwards; None if unknown."""


@dataclass(slots=True)
class _Entry:
    lifetime: int
    touched: float | None
    written: float | None
    index: int


def replay(calls: Iterable[Call]) -> Iterator[Step]:
    """The steps of a sequence of calls, in order, one as soon as its call is given.

    Memory is bounded, whatever the length of the sequence.
    """
    entries: OrderedDict[tuple[str, str, bytes], _Entry] = OrderedDict()
    unmarked: OrderedDict[tuple[str, str, bytes], _Entry] = OrderedDict()
    earlier: OrderedDict[int, Remembered] = OrderedDict()
    for call in calls:
        if call.implicit_minimum is not None and not call.plan.breakpoints:
            step = _implicit(call, earlier)
        else:
            step = _explicit(call, entries, unmarked, earlier)
            _record(call, step, entries, unmarked)
        yield step
        _remember(call, earlier)


def _explicit(
    call: Call,
    entries: Mapping[tuple[str, str, bytes], _Entry],
    unmarked: Mapping[tuple[str, str, bytes], _Entry],
    earlier: Mapping[int, Remembered],
) -> Step:
    active = active_breakpoints(call.plan, call.chain)
    hit = _walk(call, active, entries, unmarked)
    hit_tokens = call.plan.prefixes[hit] if hit >= 0 else _NONE
    billed = split(
        call.plan.total.estimate,
        [(point.prefix.estimate, point.ttl) for point in active],
        hit_tokens.estimate,
    )
    reference, common = _reference(call, earlier)
    expected = -1
    outcome: Outcome
    reason: Reason | None = None
    if not active:
        outcome = "uncached"
        reason = "below_minimum" if call.plan.breakpoints else "no_breakpoint"
    else:
        if reference is not None:
            expected = reference.deepest
        whole = reference is not None and (
            hit >= expected or (common == len(call.chain.prefixes) and hit >= active[-1].block)
        )
        if hit >= 0 and whole:
            outcome = "hit"
        else:
            outcome = "partial" if hit >= 0 else "miss"
            reason = _reason(call, reference, common, entries)
    return Step(
        call=call,
        billed=billed,
        cost=price(billed, call.prices) if call.prices is not None else None,
        outcome=outcome,
        reason=reason,
        hit=hit,
        expected=expected,
        read=hit_tokens,
        reference=reference,
    )


_NONE = Count(0, 0, 0, "none")


def active_breakpoints(plan: Plan, chain: Chain) -> list[Breakpoint]:
    """The breakpoints that the provider acts on, in prefix order."""
    return [
        point
        for point in plan.breakpoints
        if point.counts_as_written and chain.prefixes[point.block] is not None
    ]


def _walk(
    call: Call,
    active: Sequence[Breakpoint],
    entries: Mapping[tuple[str, str, bytes], _Entry],
    unmarked: Mapping[tuple[str, str, bytes], _Entry],
) -> int:
    """The block whose entry is read, or -1."""
    positions = call.plan.positions
    window = call.plan.window
    prefixes = call.chain.prefixes
    seen: set[int] = set()
    for point in reversed(active):
        block = point.block
        # The window counts positions: b, b-1, … b-19 when it is 20 long.
        lowest = point.position - window + 1 if window is not None else 1
        while block >= 0 and positions[block] >= lowest:
            digest = None if block in seen else prefixes[block]
            seen.add(block)
            if digest is not None:
                key = (call.model, call.space, digest)
                if _readable(entries.get(key), call.at) or (
                    call.matches_unmarked and _readable(unmarked.get(key), call.at)
                ):
                    return block
            block -= 1
    return -1


def caches_anything(usage: Usage) -> bool:
    """Whether a call's usage shows that its prefix was in the cache, or came there."""
    return bool(usage.read or usage.write_5m or usage.write_1h)


def _readable(entry: _Entry | None, now: float | None) -> bool:
    return entry is not None and not _expired(entry, now) and not _too_early(entry, now)


def _expired(entry: _Entry, now: float | None) -> bool:
    return now is not None and entry.touched is not None and now - entry.touched >= entry.lifetime


def _too_early(entry: _Entry, now: float | None) -> bool:
    return now is not None and entry.written is not None and now <= entry.written


def _record(
    call: Call,
    step: Step,
    entries: OrderedDict[tuple[str, str, bytes], _Entry],
    unmarked: OrderedDict[tuple[str, str, bytes], _Entry],
) -> None:
    """Write the call's entries, and start again the life of those that it used."""
    active = active_breakpoints(call.plan, call.chain)
    if not active:
        return
    observed = call.observed
    if observed is not None and not caches_anything(observed):
        return
    prefixes = call.chain.prefixes
    for block in range(step.hit + 1):
        digest = prefixes[block]
        if digest is None:
            continue
        for table in (entries, unmarked):
            entry = table.get((call.model, call.space, digest))
            if entry is not None and not _expired(entry, call.at):
                entry.touched = call.at
    for point in active:
        digest = prefixes[point.block]
        if digest is None:
            continue
        key = (call.model, call.space, digest)
        known = entries.get(key)
        if known is not None and not _expired(known, call.at) and not _too_early(known, call.at):
            continue
        lifetime = call.lifetimes.get(point.ttl, call.lifetimes.get("5m", 300))
        entries[key] = _Entry(lifetime, call.at, call.at, call.index)
        entries.move_to_end(key)
    if call.matches_unmarked:
        last = active[-1]
        lifetime = call.lifetimes.get(last.ttl, call.lifetimes.get("5m", 300))
        for block in range(last.block + 1):
            digest = prefixes[block]
            if digest is not None:
                key = (call.model, call.space, digest)
                known = unmarked.get(key)
                if known is None or _expired(known, call.at):
                    unmarked[key] = _Entry(lifetime, call.at, call.at, call.index)
    for table in (entries, unmarked):
        while len(table) > MAX_ENTRIES:
            table.popitem(last=False)


def _reference(call: Call, earlier: Mapping[int, Remembered]) -> tuple[Remembered | None, int]:
    """The earlier call that this one goes on from, and how many blocks they begin with in common.

    It is the one with the longest common beginning; among those one of the same model and platform,
    then the one that shares most blocks, then the latest. None when no earlier call shares anything
    with this one.
    """
    own = call.chain.blocks
    mine = frozenset(digest for digest in own if digest is not None)
    best: tuple[int, bool, int, int] = (0, False, 0, -1)
    found: Remembered | None = None
    for other in earlier.values():
        shared = len(mine & other.own)
        if not shared or other.deepest < 0:
            continue
        common = common_blocks(own, other.chain.blocks)
        same = other.model == call.model and other.space == call.space
        rank = (common, same, shared, other.index)
        if found is None or rank > best:
            best, found = rank, other
    return found, best[0]


def common_blocks(a: Sequence[bytes | None], b: Sequence[bytes | None]) -> int:
    """How many blocks two sequences begin with in common."""
    count = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            return count
        count += 1
    return count


def _reason(
    call: Call,
    reference: Remembered | None,
    common: int,
    entries: Mapping[tuple[str, str, bytes], _Entry],
) -> Reason:
    """Why the call did not read all that its reference had cached."""
    if reference is None:
        return "first_request"
    if reference.model != call.model:
        return "model_changed"
    if reference.space != call.space:
        return "provider_isolation"
    change = changed_level(call.request, call.chain, reference, common)
    if change is not None:
        return change
    digest = reference.chain.prefixes[reference.deepest]
    entry = entries.get((call.model, call.space, digest)) if digest is not None else None
    if entry is None:
        return "unknown"
    if _expired(entry, call.at):
        return "expired"
    if _too_early(entry, call.at):
        return "not_yet_readable"
    return "lookback_exceeded"


def changed_level(
    request: Request, chain: Chain, reference: Remembered, common: int
) -> Reason | None:
    """What changed at or before the reference's deepest breakpoint, None when nothing did.

    The levels are looked at in the order in which the prefix is built; a parameter counts where it
    acts: those of the system prompt before its blocks, those of the messages before the messages.
    """
    deepest = reference.deepest
    last_section = reference.request.blocks[deepest].section
    block = reference.request.blocks[common] if common <= deepest else None
    section = block.section if block is not None else None
    if section == "tools" or (
        block is not None
        and common < len(request.blocks)
        and request.blocks[common].section == "tools"
    ):
        return "tools_changed"
    if last_section != "tools" and chain.system_parameters != reference.chain.system_parameters:
        return "parameters_changed"
    if section == "system" or (
        block is not None
        and common < len(request.blocks)
        and request.blocks[common].section == "system"
    ):
        return "system_changed"
    if (
        last_section == "messages"
        and chain.message_parameters != reference.chain.message_parameters
    ):
        changed = set(chain.message_parameters) ^ set(reference.chain.message_parameters)
        return (
            "messages_changed"
            if {name for name, _ in changed} == {"images"}
            else ("parameters_changed")
        )
    return "messages_changed" if block is not None else None


def _implicit(call: Call, earlier: Mapping[int, Remembered]) -> Step:
    """The most that a provider's own, unpromised caching could read: the common beginning."""
    best = 0
    source: Remembered | None = None
    blocks = call.request.blocks
    for other in earlier.values():
        if other.model != call.model or other.space != call.space:
            continue
        common = common_blocks(call.chain.prefixes, other.chain.prefixes)
        if common == len(other.chain.prefixes):
            # What the model answered then went through it too, and may be read as well.
            while common < len(blocks) and blocks[common].role == "assistant":
                common += 1
        if common > best:
            best, source = common, other
    step_size = call.implicit_step or 1
    minimum = call.implicit_minimum or 0
    upper = call.plan.prefixes[best - 1] if best else _NONE
    if best and best == len(call.chain.prefixes):
        upper = call.plan.total
    tokens = upper.estimate // step_size * step_size
    if tokens < minimum:
        tokens = 0
    billed = Billed(tokens, 0, 0, call.plan.total.estimate - tokens)
    outcome: Outcome
    reason: Reason | None = None
    if tokens:
        outcome = "hit"
    elif call.plan.total.estimate < minimum:
        outcome, reason = "uncached", "below_minimum"
    else:
        outcome = "miss"
        reason = "first_request" if not earlier else "unknown"
        reference, common = _reference(call, earlier)
        if reference is not None:
            if reference.model != call.model:
                reason = "model_changed"
            else:
                reason = changed_level(call.request, call.chain, reference, common) or "unknown"
    high = upper.high // step_size * step_size
    return Step(
        call=call,
        billed=billed,
        cost=price(billed, call.prices) if call.prices is not None else None,
        outcome=outcome,
        reason=reason,
        hit=best - 1 if tokens else -1,
        expected=best - 1,
        read=Count(tokens, 0, max(high, tokens), upper.method),
        reference=source,
        best_effort=True,
    )


def _remember(call: Call, earlier: OrderedDict[int, Remembered]) -> None:
    active = active_breakpoints(call.plan, call.chain)
    observed = call.observed
    nothing = observed is not None and not caches_anything(observed)
    deepest = -1 if nothing or not active else active[-1].block
    if call.implicit_minimum is not None and not call.plan.breakpoints:
        deepest = len(call.chain.blocks) - 1
    earlier[call.index] = Remembered(
        index=call.index,
        at=call.at,
        model=call.model,
        space=call.space,
        request=call.request,
        chain=call.chain,
        own=frozenset(digest for digest in call.chain.blocks if digest is not None),
        deepest=deepest,
        prefix=call.plan.prefixes[deepest] if deepest >= 0 else _NONE,
        cached=None
        if observed is None
        else observed.read + observed.write_5m + observed.write_1h,
    )
    while len(earlier) > MEMORY:
        earlier.popitem(last=False)
