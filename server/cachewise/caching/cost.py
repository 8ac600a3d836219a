"""What a request costs, exactly, by the provider's way of billing a cached prefix.

Three token counts decide the bill (the base document's positions A, B and C): A is what is read,
at the highest entry found; B is the highest 1-hour breakpoint behind A (A itself when there is
none); C is the last breakpoint. A is billed as read, B − A as a 1-hour write, C − B as a 5-minute
write, and the rest as plain input. All money is USD as Decimal; prices are per million tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cachewise.caching.plan import Breakpoint, Plan
from cachewise.catalog.model import Prices

MILLION = Decimal(1_000_000)
LONG_TTL = "1h"


@dataclass(frozen=True, slots=True)
class Billed:
    """How many tokens of one call are billed in which way."""

    read: int
    write_1h: int
    write_5m: int
    input: int

    @property
    def total(self) -> int:
        """All input tokens of the call."""
        return self.read + self.write_1h + self.write_5m + self.input


@dataclass(frozen=True, slots=True)
class Traffic:
    """How often a request is sent, as the user declares it: seconds between calls, calls, output.

    ``output_tokens`` is the expected answer's length in tokens.
    """

    every: float
    calls: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Costs:
    """USD for the input of one request; None where a price is not known.

    ``first_call`` finds nothing in the cache, ``next_call`` finds all that the first one wrote.
    """

    uncached: Decimal | None
    first_call: Decimal | None
    next_call: Decimal | None
    first: Billed
    next: Billed


def split(total: int, breakpoints: Sequence[tuple[int, str]], hit: int) -> Billed:
    """The billing of one call: ``breakpoints`` are (prefix tokens, ttl) of those in effect."""
    last = max((tokens for tokens, _ in breakpoints), default=0)
    position_a = min(hit, total)
    longs = [tokens for tokens, ttl in breakpoints if ttl == LONG_TTL and tokens > position_a]
    position_b = max(longs, default=position_a)
    position_c = max(last, position_b)
    return Billed(
        read=position_a,
        write_1h=position_b - position_a,
        write_5m=position_c - position_b,
        input=total - position_c,
    )


def price(billed: Billed, prices: Prices) -> Decimal | None:
    """USD for the billed tokens, or None when a price that is needed is not known."""
    amount = Decimal(0)
    for tokens, rate in (
        (billed.read, prices.read),
        (billed.write_1h, prices.write_1h),
        (billed.write_5m, prices.write_5m),
        (billed.input, prices.input),
    ):
        if tokens:
            if rate is None:
                return None
            amount += tokens * rate
    return amount / MILLION


def effective_prefixes(breakpoints: Sequence[Breakpoint]) -> list[tuple[int, str]]:
    """(prefix tokens, ttl) of the breakpoints that cache something; the others count as absent.

    A platform's longer lifetime is given as ``LONG_TTL``, whatever it is called there.
    """
    return [
        (bp.prefix.estimate, LONG_TTL if bp.long_lived else bp.ttl)
        for bp in breakpoints
        if bp.counts_as_written
    ]


def request_costs(plan: Plan, prices: Prices | None) -> Costs:
    """What a first and a following identical call cost, and what it would be without a cache."""
    total = plan.total.estimate
    in_effect = effective_prefixes(plan.breakpoints)
    first = split(total, in_effect, 0)
    following = split(total, in_effect, max((tokens for tokens, _ in in_effect), default=0))
    if prices is None:
        return Costs(None, None, None, first, following)
    return Costs(
        uncached=price(Billed(0, 0, 0, total), prices),
        first_call=price(first, prices),
        next_call=price(following, prices),
        first=first,
        next=following,
    )


def pays_from_call(costs: Costs) -> int | None:
    """The number of identical calls within the lifetime from which caching is cheaper; or None.

    One call never pays, since writing costs more than plain input.
    """
    if costs.uncached is None or costs.first_call is None or costs.next_call is None:
        return None
    saved_each = costs.uncached - costs.next_call
    extra = costs.first_call - costs.uncached
    if saved_each <= 0:
        return None
    if extra < 0:
        return 1
    return int(extra // saved_each) + 2


@dataclass(frozen=True, slots=True)
class RunCost:
    """A run of identical calls with one lifetime: how many write, how many read, and the sum."""

    ttl: str
    writes: int
    reads: int
    cost: Decimal | None


def run_cost(
    plan: Plan,
    prices: Prices,
    *,
    ttl: str,
    lifetime: int,
    calls: int,
    every: float,
    ttls: Sequence[str] = (),
) -> RunCost:
    """USD for ``calls`` identical calls ``every`` so many seconds, all breakpoints at one ``ttl``.

    ``ttls`` are the lifetimes that the model has there, the usual one first: a longer one is billed
    as such, whatever it is called.

    An entry lives ``lifetime`` seconds from the start of the call that wrote or last read it; at
    exactly that age it is dead.
    """
    total = plan.total.estimate
    billed_as = LONG_TTL if ttl in ttls[1:] else ttl
    prefixes = [(tokens, billed_as) for tokens, _ in effective_prefixes(plan.breakpoints)]
    deepest = max((tokens for tokens, _ in prefixes), default=0)
    write = price(split(total, prefixes, 0), prices)
    read = price(split(total, prefixes, deepest), prices)
    alive = every < lifetime
    writes = min(1, calls) if alive else calls
    reads = calls - writes
    cost = None if write is None or read is None else writes * write + reads * read
    return RunCost(ttl, writes, reads, cost)


def written_run_cost(
    plan: Plan, prices: Prices, *, lifetimes: Mapping[str, int], calls: int, every: float
) -> RunCost | None:
    """USD for such a run with each breakpoint at the lifetime that is written there.

    ``lifetimes`` are seconds by ``ttl``. Where only the shorter ones have ended between two calls,
    the next call reads up to the deepest entry that lives, and writes the rest again; it counts as
    one that writes. None when a lifetime is not known.
    """
    in_effect = [point for point in plan.breakpoints if point.counts_as_written]
    if any(point.ttl not in lifetimes for point in in_effect):
        return None
    total = plan.total.estimate
    prefixes = effective_prefixes(plan.breakpoints)
    alive = [point.prefix.estimate for point in in_effect if every < lifetimes[point.ttl]]
    first = price(split(total, prefixes, 0), prices)
    following = split(total, prefixes, max(alive, default=0))
    later = price(following, prices)
    writes_again = following.write_1h > 0 or following.write_5m > 0
    writes = calls if writes_again else min(1, calls)
    cost = None
    if first is not None and later is not None:
        cost = min(1, calls) * first + max(0, calls - 1) * later
    return RunCost("as written", writes, calls - writes, cost)
