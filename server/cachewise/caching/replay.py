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
- where the platform does so, a request with a marker gets breakpoints of five minutes at the
  results of the tools that the provider runs itself;
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

from cachewise.caching.canonical import Chain, common_beginning, parting
from cachewise.caching.cost import Billed, price, split
from cachewise.caching.plan import Plan
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
    entries are kept apart by, besides ``model``: platform, workspace, organisation; ``chain`` must
    have been made for both.
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
    marks_server_results: bool = False
    """Whether the platform adds breakpoints of its own at the results of its server tools."""
    minimum: int | None = None
    """The fewest tokens of a prefix that is cached, None when that is not known."""
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
    deepest: int
    """The block index of its deepest cached breakpoint, -1 when it cached nothing."""
    prefix: Count
    """The tokens up to and including that block."""
    cached: int | None
    """How many tokens its recorded usage says were in the cache afterwards; None if unknown."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place that is written and read at: the block it closes, its position, its lifetime."""

    block: int
    position: int
    ttl: str
    prefix: Count


@dataclass(slots=True)
class _Entry:
    lifetime: int
    touched: float | None
    written: float | None
    prefix: Count


def replay(calls: Iterable[Call], *, together: bool = False) -> Iterator[Step]:
    """The steps of a sequence of calls, in order, one as soon as its call is given.

    Memory is bounded, whatever the length of the sequence. ``together``: a call that has nothing
    in common with earlier ones is compared with the one before it all the same.
    """
    cache = _Cache(together)
    for call in calls:
        if call.implicit_minimum is not None and not call.plan.breakpoints:
            points: Sequence[Point] = ()
            step = _implicit(call, cache)
        else:
            points = active_points(call)
            step = _explicit(call, points, cache)
            _record(call, points, step, cache)
        yield step
        _remember(call, points, cache)


class _Cache:
    """What the simulated provider holds, and the last calls.

    ``entries`` are keyed by the digest of their prefix, in which model and space are counted;
    ``unmarked`` are the prefixes that an entry covers without being marked.
    """

    __slots__ = ("blocks", "earlier", "entries", "together", "unmarked")

    def __init__(self, together: bool) -> None:
        self.together = together
        self.entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self.unmarked: OrderedDict[bytes, _Entry] = OrderedDict()
        self.earlier: OrderedDict[int, Remembered] = OrderedDict()
        self.blocks: dict[int, frozenset[bytes]] = {}

    def blocks_of(self, call: Remembered) -> frozenset[bytes]:
        """The digests of a remembered call's blocks, as a set that is made when first needed."""
        known = self.blocks.get(call.index)
        if known is None:
            known = self.blocks[call.index] = _digests(call.chain)
        return known


def _digests(chain: Chain) -> frozenset[bytes]:
    return frozenset(digest for digest in chain.blocks if digest)


def _explicit(call: Call, points: Sequence[Point], cache: _Cache) -> Step:
    hit = _walk(call, points, cache)
    hit_tokens = _NONE
    if hit >= 0:
        hit_tokens = call.plan.prefixes[hit]
        known = cache.entries.get(call.chain.prefixes[hit] or b"")
        if known is not None:
            # How sure one can be of the figure was told when the entry was written.
            spread = known.prefix
            hit_tokens = hit_tokens.widened(
                spread.estimate - spread.low, spread.high - spread.estimate
            )
    billed = split(
        call.plan.total.estimate,
        [(point.prefix.estimate, point.ttl) for point in points],
        hit_tokens.estimate,
    )
    reference, parted = _reference(call, cache)
    expected = -1
    outcome: Outcome
    reason: Reason | None = None
    if not points:
        outcome = "uncached"
        reason = "below_minimum" if call.plan.breakpoints else "no_breakpoint"
    else:
        if reference is not None:
            expected = reference.deepest
        whole = reference is not None and (
            hit >= expected or (parted[0] == len(call.chain.prefixes) and hit >= points[-1].block)
        )
        if hit >= 0 and whole:
            outcome = "hit"
        else:
            outcome = "partial" if hit >= 0 else "miss"
            reason = _reason(call, reference, parted, cache)
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


def active_points(call: Call) -> list[Point]:
    """The places that the provider writes and reads at, in prefix order."""
    plan, prefixes = call.plan, call.chain.prefixes
    points = [
        Point(point.block, point.position, point.ttl, point.prefix)
        for point in plan.breakpoints
        if point.counts_as_written and prefixes[point.block] is not None
    ]
    if call.marks_server_results and any(not point.ignored for point in plan.breakpoints):
        marked = {point.block for point in points}
        for block in call.chain.server_results:
            if block not in marked:
                prefix = plan.prefixes[block]
                if call.minimum is None or prefix.estimate >= call.minimum:
                    points.append(Point(block, plan.positions[block], SERVER_TTL, prefix))
        points.sort(key=lambda point: point.block)
    return points


SERVER_TTL = "5m"
"""The lifetime of the breakpoints that the provider adds itself (tool use with prompt caching)."""


def _walk(call: Call, points: Sequence[Point], cache: _Cache) -> int:
    """The block whose entry is read, or -1."""
    positions = call.plan.positions
    window = call.plan.window
    prefixes = call.chain.prefixes
    entries, unmarked = cache.entries, cache.unmarked
    seen: set[int] = set()
    for point in reversed(points):
        block = point.block
        # The window counts positions: b, b-1, … b-19 when it is 20 long.
        lowest = point.position - window + 1 if window is not None else 1
        while block >= 0 and positions[block] >= lowest:
            digest = None if block in seen else prefixes[block]
            seen.add(block)
            if digest is not None and (
                _readable(entries.get(digest), call.at)
                or (call.matches_unmarked and _readable(unmarked.get(digest), call.at))
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


def _record(call: Call, points: Sequence[Point], step: Step, cache: _Cache) -> None:
    """Write the call's entries, and start again the life of those that it used."""
    if not points:
        return
    observed = call.observed
    if observed is not None and not caches_anything(observed):
        return
    prefixes = call.chain.prefixes
    now = call.at
    if step.hit >= 0 and now is not None:
        used = {digest for digest in prefixes[: step.hit + 1] if digest is not None}
        for table in (cache.entries, cache.unmarked):
            for digest in table.keys() & used:
                entry = table[digest]
                if not _expired(entry, now):
                    entry.touched = now
    for point in points:
        digest = prefixes[point.block]
        if digest is None:
            continue
        known = cache.entries.get(digest)
        if known is not None and not _expired(known, now) and not _too_early(known, now):
            continue
        lifetime = call.lifetimes.get(point.ttl, call.lifetimes.get("5m", 300))
        cache.entries[digest] = _Entry(lifetime, now, now, point.prefix)
        cache.entries.move_to_end(digest)
    if call.matches_unmarked:
        last = points[-1]
        lifetime = call.lifetimes.get(last.ttl, call.lifetimes.get("5m", 300))
        for block, digest in enumerate(prefixes[: last.block + 1]):
            if digest is not None:
                known = cache.unmarked.get(digest)
                if known is None or _expired(known, now):
                    prefix = call.plan.prefixes[block]
                    cache.unmarked[digest] = _Entry(lifetime, now, now, prefix)
    for table in (cache.entries, cache.unmarked):
        while len(table) > MAX_ENTRIES:
            table.popitem(last=False)


def _reference(call: Call, cache: _Cache) -> tuple[Remembered | None, tuple[int, int]]:
    """The earlier call that this one goes on from, and the block at which each leaves the other.

    It is the one with the longest common beginning; among those one of the same model and platform,
    then the one that shares most blocks, then the latest. Where nothing is shared, as when the only
    block of the system prompt holds a clock, it is the latest one that begins with much the same
    text; None when there is none.
    """
    own = call.chain.blocks
    mine: frozenset[bytes] | None = None
    found: Remembered | None = None
    parted = (0, 0)
    alike = False
    shared = -1
    for other in reversed(cache.earlier.values()):
        if other.deepest < 0 or len(other.chain.blocks) < parted[1]:
            continue
        here = parting(own, other.chain.blocks)
        if here[1] < parted[1]:
            continue
        same = other.model == call.model and other.space == call.space
        if here[1] > parted[1]:
            found, parted, alike, shared = other, here, same, -1
            continue
        if found is not None and alike and not same:
            continue
        # Only where two calls leave this one at the same block do the other blocks decide.
        if mine is None:
            mine = _digests(call.chain)
        in_common = len(mine & cache.blocks_of(other))
        if found is not None and shared < 0:
            shared = len(mine & cache.blocks_of(found))
        if in_common and (found is None or (same, in_common) > (alike, shared)):
            found, parted, alike, shared = other, here, same, in_common
    if found is None:
        found = _resembling(call, cache)
    return found, parted


def _resembling(call: Call, cache: _Cache) -> Remembered | None:
    """The latest earlier call of the same model and space that begins with much the same text."""
    blocks = call.request.blocks
    for other in reversed(cache.earlier.values()):
        if other.deepest < 0:
            continue
        if cache.together:
            return other
        theirs = other.request.blocks
        if (
            blocks
            and other.model == call.model
            and other.space == call.space
            and blocks[0].section == theirs[0].section
            and _much_the_same(blocks[0].text or "", theirs[0].text or "")
        ):
            return other
    return None


def _much_the_same(a: str, b: str) -> bool:
    """Whether two texts have at least half in common, at their beginnings and their ends."""
    limit = min(len(a), len(b))
    start = _common(a, b, limit)
    end = _common(a[::-1], b[::-1], limit - start)
    return 2 * (start + end) >= max(len(a), len(b), 1)


def _common(a: str, b: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _reason(
    call: Call, reference: Remembered | None, parted: tuple[int, int], cache: _Cache
) -> Reason:
    """Why the call did not read all that its reference had cached."""
    if reference is None:
        return "first_request"
    if reference.model != call.model:
        return "model_changed"
    if reference.space != call.space:
        return "provider_isolation"
    change = changed_level(call.request, call.chain, reference, parted)
    if change is not None:
        return change
    digest = reference.chain.prefixes[reference.deepest]
    entry = cache.entries.get(digest) if digest is not None else None
    if entry is None:
        return "unknown"
    if _expired(entry, call.at):
        return "expired"
    if _too_early(entry, call.at):
        return "not_yet_readable"
    return "lookback_exceeded"


def changed_level(
    request: Request, chain: Chain, reference: Remembered, parted: tuple[int, int]
) -> Reason | None:
    """What changed at or before the reference's deepest breakpoint, None when nothing did.

    ``parted``: the block at which the request leaves the reference, and the reference's there. The
    levels are looked at in the order in which the prefix is built; a parameter counts where it
    acts: those of the system prompt before its blocks, those of the messages before the messages.
    """
    level, changed = changed_section(request, reference, parted)
    if changed == "tools":
        return "tools_changed"
    if level != "tools" and chain.system_parameters != reference.chain.system_parameters:
        return "parameters_changed"
    if changed == "system":
        return "system_changed"
    if level == "messages" and chain.message_parameters != reference.chain.message_parameters:
        differing = set(chain.message_parameters) ^ set(reference.chain.message_parameters)
        images = {name for name, _ in differing} == {"images"}
        return "messages_changed" if images else "parameters_changed"
    return "messages_changed" if changed is not None else None


def changed_section(
    request: Request, reference: Remembered, parted: tuple[int, int]
) -> tuple[str, str | None]:
    """The section of the reference's deepest breakpoint, and the first one that differs before it.

    The second is None when all blocks up to that breakpoint are there unchanged.
    """
    mine, theirs = parted
    old = reference.request.blocks
    if theirs > reference.deepest:
        return old[reference.deepest].section, None
    sections = [old[theirs].section]
    if mine < len(request.blocks):
        sections.append(request.blocks[mine].section)
    return old[reference.deepest].section, min(sections, key=("tools", "system", "messages").index)


def _implicit(call: Call, cache: _Cache) -> Step:
    """The most that a provider's own, unpromised caching could read: the common beginning."""
    best = 0
    source: Remembered | None = None
    blocks = call.request.blocks
    for other in cache.earlier.values():
        if other.model != call.model or other.space != call.space:
            continue
        common = common_beginning(call.chain.prefixes, other.chain.prefixes)
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
        reason = "first_request" if not cache.earlier else "unknown"
        reference, parted = _reference(call, cache)
        if reference is not None:
            if reference.model != call.model:
                reason = "model_changed"
            else:
                reason = changed_level(call.request, call.chain, reference, parted) or "unknown"
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


def _remember(call: Call, points: Sequence[Point], cache: _Cache) -> None:
    observed = call.observed
    nothing = observed is not None and not caches_anything(observed)
    deepest = -1 if nothing or not points else points[-1].block
    if call.implicit_minimum is not None and not call.plan.breakpoints:
        deepest = len(call.chain.blocks) - 1
    earlier = cache.earlier
    earlier[call.index] = Remembered(
        index=call.index,
        at=call.at,
        model=call.model,
        space=call.space,
        request=call.request,
        chain=call.chain,
        deepest=deepest,
        prefix=call.plan.prefixes[deepest] if deepest >= 0 else _NONE,
        cached=None if observed is None else observed.read + observed.write_5m + observed.write_1h,
    )
    while len(earlier) > MEMORY:
        forgotten, _ = earlier.popitem(last=False)
        cache.blocks.pop(forgotten, None)
