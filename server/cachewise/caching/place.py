"""Where breakpoints should stand: the set with which the coming calls cost least.

A breakpoint writes one entry, at its own end, and each coming call reads the deepest entry whose
prefix it shares and which one of its own breakpoints finds. So what a set of breakpoints costs
follows from how much of this request the coming calls share: a ``Forecast`` says that, as
alternatives with weights. ``expected`` adds up the bills of the alternatives, each by the
provider's own way of billing (``cost.split``), for the first call, which finds nothing, and for
those after it. ``best`` finds the cheapest set by dynamic programming over the places in prefix
order: the bill is a sum over neighbouring breakpoints, because of an entry only its own prefix and
the next deeper breakpoint matter.

A conversation is taken to go on as it went on so far: the next call adds as much as this one added
to the one before it.

Sources: Anthropic, "Prompt caching" (one entry for each breakpoint, the walk back, the longer
lifetimes first, billing of mixed lifetimes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from cachewise.caching.cost import LONG_TTL, Traffic, price, split
from cachewise.catalog.model import Prices

SLOT = 1
"""What a breakpoint must be worth to be placed, in thousandths of what the calls would cost without
a cache. Breakpoints are free, but one that saves next to nothing is only in the way."""

DETOUR = 5
"""By how many percent a set without unseen blocks may cost more and still be preferred."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A lifetime that an entry can have: its name, its seconds, and which write price it has."""

    ttl: str
    seconds: int
    long: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A block that can carry a breakpoint.

    ``block`` is its 0-based index, ``position`` its 1-based place in the walk back, ``tokens``
    count the prefix up to and including it. ``ttls`` are the lifetimes that it may have.
    """

    block: int
    position: int
    tokens: int
    ttls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A breakpoint reduced to what the costs depend on; the figures are those of its place."""

    block: int
    position: int
    tokens: int
    ttl: str


@dataclass(frozen=True, slots=True)
class Share:
    """Coming calls that are the same up to and including block ``last`` (-1: in nothing)."""

    last: int
    weight: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the coming calls have in common with this one: alternatives, weighted.

    ``growing`` is the weight of the calls that go on from the call before them in the way in which
    this one goes on from its own, which ended at ``previous``: breakpoints up to there stay where
    they are, and those behind it move on with the end. What the last of them wrote is found if the
    first of them is less than a window away from the end of the call before. Without ``previous``
    it is 0.
    """

    shares: tuple[Share, ...]
    growing: int = 0
    previous: Place | None = None

    @property
    def weight(self) -> int:
        """All weights together."""
        return self.growing + sum(share.weight for share in self.shares)


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything that decides where breakpoints should stand.

    ``places`` stand in prefix order. ``lifetimes`` are all that the cuts may name, those of present
    breakpoints too. ``total`` counts the request's tokens, ``prices`` are USD per million.
    ``limit`` is the most breakpoints that count, ``window`` how many positions a walk looks at
    (None: all). ``watched`` are the first and the last position that no walk should pass by: a set
    that leaves one of them unseen is taken only when all others cost clearly more.
    """

    places: tuple[Place, ...]
    lifetimes: tuple[Lifetime, ...]
    forecast: Forecast
    traffic: Traffic
    prices: Prices
    total: int
    limit: int
    window: int | None
    watched: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """USD of input: the first call, which finds nothing; a coming one on average; all together."""

    first: Decimal
    next: Decimal
    run: Decimal


def expected(problem: Problem, cuts: Sequence[Cut]) -> Expected | None:
    """What the calls cost with these breakpoints; None where a price is not known."""
    cuts = sorted(cuts, key=lambda cut: cut.block)
    first = _bill(problem, cuts, 0)
    if first is None:
        return None
    coming = Decimal(0)
    for share in problem.forecast.shares:
        bill = _bill(problem, cuts, _hit(problem, cuts, share.last))
        if bill is None:
            return None
        coming += share.weight * bill
    if problem.forecast.growing:
        bill = _growing_bill(problem, cuts)
        if bill is None:
            return None
        coming += problem.forecast.growing * bill
    following = coming / problem.forecast.weight
    calls = problem.traffic.calls
    return Expected(first, following, first + (calls - 1) * following)


def uncached(problem: Problem) -> Expected | None:
    """What the calls cost without any breakpoint, at the price of plain input."""
    return expected(problem, ())


def objective(problem: Problem, cuts: Sequence[Cut]) -> Decimal | None:
    """What ``best`` makes small: the costs of all calls, and ``SLOT`` for each breakpoint."""
    costs = expected(problem, cuts)
    plain = uncached(problem)
    if costs is None or plain is None:
        return None
    return costs.run + len(cuts) * SLOT * plain.run / 1000


def leaves_unseen(problem: Problem, cuts: Sequence[Cut]) -> bool:
    """Whether a watched position lies outside of every walk back."""
    positions = [0, *sorted(cut.position for cut in cuts)]
    return any(_passes_by(problem, before, after) for before, after in pairwise(positions))


def best(problem: Problem) -> tuple[Cut, ...]:
    """The cheapest breakpoints, in prefix order; none when caching does not pay.

    Longer lifetimes stand before shorter ones, as the API asks. Deterministic: among sets of the
    same cost the one with fewer breakpoints, then the one that stands first.
    """
    if problem.prices.input is None or problem.prices.read is None:
        return ()
    solver = _Solver(problem)
    free_cost, free = solver.solve(strict=False)
    if not leaves_unseen(problem, free):
        return free
    strict_cost, strict = solver.solve(strict=True)
    return strict if strict_cost * 100 <= free_cost * (100 + DETOUR) else free


def _bill(
    problem: Problem, cuts: Sequence[Cut], hit: int, total: int | None = None
) -> Decimal | None:
    long = {lifetime.ttl for lifetime in problem.lifetimes if lifetime.long}
    prefixes = [(cut.tokens, LONG_TTL if cut.ttl in long else "") for cut in cuts]
    return price(split(problem.total if total is None else total, prefixes, hit), problem.prices)


def _hit(problem: Problem, cuts: Sequence[Cut], last: int) -> int:
    """The tokens that a call reads which shares the prefix up to block ``last``."""
    return max((cut.tokens for cut in cuts if cut.block <= last and _lives(problem, cut.ttl)),
               default=0)  # fmt: skip


def _growing_bill(problem: Problem, cuts: Sequence[Cut]) -> Decimal | None:
    """What a call costs that goes on from this one; None where a price is not known."""
    previous = problem.forecast.previous
    assert previous is not None
    added = problem.total - previous.tokens
    staying = [cut for cut in cuts if cut.block <= previous.block]
    moving = [cut for cut in cuts if cut.block > previous.block]
    moved = [replace(cut, tokens=cut.tokens + added) for cut in moving]
    hit = _hit(problem, staying, previous.block)
    if moving and _lives(problem, moving[0].ttl) and _is_seen(problem, moving[0].position):
        living = [cut for cut in moving if _lives(problem, cut.ttl)]
        hit = living[-1].tokens
        # What lies behind the entry is written once, by the last breakpoint.
        staying, moved = [], moved[len(living) :] or moved[-1:]
    return _bill(problem, [*staying, *moved], hit, problem.total + added)


def _is_seen(problem: Problem, position: int) -> bool:
    """Whether the walk back from a position reaches the end of the call before."""
    previous = problem.forecast.previous
    assert previous is not None
    return problem.window is None or position - previous.position < problem.window


def _lives(problem: Problem, ttl: str) -> bool:
    """Whether an entry is still there when the next call comes."""
    return any(
        lifetime.ttl == ttl and problem.traffic.every < lifetime.seconds
        for lifetime in problem.lifetimes
    )


def _passes_by(problem: Problem, before: int, after: int) -> bool:
    """Whether a walk from position ``after`` ends before it meets ``before``, in what is watched.

    Looked at are ``after`` and the positions down to the window's end, itself the first.
    """
    if problem.window is None or problem.watched is None:
        return False
    first, last = problem.watched
    return max(before + 1, first) <= min(after - problem.window, last)


_Chain = tuple[int, int, "_Chain | None"]
"""The last place's index, its lifetime's index, and the chain before it."""

_State = tuple[int, int, bool]
"""The last place's index, its lifetime's, and whether the growing call reads up to the last."""


class _Solver:
    """The dynamic program, in whole numbers: so many thousandths of a price's last digit.

    An outcome is settled where its deepest shared entry is passed: up to there nothing is written,
    there the prefix is read, and behind it everything is written. So each pair of neighbours adds
    what the outcomes that are settled between them read, and what all settled outcomes write.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        prices, calls = problem.prices, problem.traffic.calls
        rates = [prices.input, prices.read, prices.write_5m, prices.write_1h]
        digits = max(0, *(_digits(rate) for rate in rates if rate is not None))
        assert prices.input is not None
        assert prices.read is not None
        self.input = _whole(prices.input, digits)
        self.read = _whole(prices.read, digits)
        # A longer lifetime first: that is the order in which they may follow each other.
        ordered = sorted(problem.lifetimes, key=lambda lifetime: -lifetime.seconds)
        self.lifetimes = [
            (lifetime.ttl, _whole(rate, digits), _lives(problem, lifetime.ttl))
            for lifetime in ordered
            if (rate := prices.write_1h if lifetime.long else prices.write_5m) is not None
        ]
        forecast = problem.forecast
        coming = [(share.last, (calls - 1) * share.weight) for share in forecast.shares]
        shares = [(-1, forecast.weight), *coming]
        blocks = [place.block for place in problem.places]
        self.below = [sum(weight for last, weight in shares if last < block) for block in blocks]
        self.shared = sum(weight for _, weight in shares)
        self.growing = (calls - 1) * forecast.growing
        self.previous = forecast.previous or _START
        self.added = problem.total - self.previous.tokens
        plain = self.shared * problem.total + self.growing * (problem.total + self.added)
        self.slot = SLOT * self.input * plain
        self._segments: dict[tuple[int, int, int, int], int] = {}

    def solve(self, *, strict: bool) -> tuple[int, tuple[Cut, ...]]:
        """The lowest objective and its breakpoints; ``strict``: with no watched place unseen."""
        places = self.problem.places
        best_cost, best_chain = self._end((-1, -1, False)), None
        # For the sets of one size more each time: the cheapest that end in a place so far.
        layer: dict[_State, tuple[int, _Chain | None]] = {(-1, -1, False): (0, None)}
        for _ in range(min(self.problem.limit, len(places))):
            following: dict[_State, tuple[int, _Chain | None]] = {}
            for (a, ta, follows), (cost, chain) in layer.items():
                before = places[a].position if a >= 0 else 0
                for b in range(a + 1, len(places)):
                    if strict and _passes_by(self.problem, before, places[b].position):
                        continue
                    for tb in range(max(ta, 0), len(self.lifetimes)):
                        if self.lifetimes[tb][0] not in places[b].ttls:
                            continue
                        reached = cost + self._segment(a, ta, b, tb)
                        still = False
                        if self.growing:
                            more, still = self._grow(a, ta, b, tb, follows)
                            reached += 1000 * self.growing * more
                        known = following.get((b, tb, still))
                        if known is None or reached < known[0]:
                            following[b, tb, still] = (reached, (b, tb, chain))
            for state, (cost, chain) in following.items():
                whole = cost + self._end(state)
                if whole < best_cost:
                    best_cost, best_chain = whole, chain
            layer = following
        return best_cost, self._cuts(best_chain)

    def _segment(self, a: int, ta: int, b: int, tb: int) -> int:
        key = (a, ta, b, tb)
        known = self._segments.get(key)
        if known is None:
            known = self._segments[key] = 1000 * self._between(a, ta, b, tb) + self.slot
        return known

    def _between(self, a: int, ta: int, b: int, tb: int) -> int:
        """What the calls that share a fixed part pay for neighbours ``a`` and ``b``."""
        start, place = self._at(a), self.problem.places[b]
        _, rate, lives = self.lifetimes[tb]
        written = rate * (place.tokens - start.tokens)
        if not self._alive(ta):
            return written * self.shared
        settled = self.below[b] if lives else self.shared
        reading = settled - (self.below[a] if a >= 0 else 0)
        return written * settled + self.read * start.tokens * reading

    def _grow(self, a: int, ta: int, b: int, tb: int, follows: bool) -> tuple[int, bool]:
        """What the call that goes on pays for neighbours, and whether it reads up to ``b``."""
        start, place = self._at(a), self.problem.places[b]
        _, rate, lives = self.lifetimes[tb]
        crossing = start.block <= self.previous.block < place.block
        if lives and self._alive(ta):
            if place.block <= self.previous.block or follows:
                return 0, follows
            if crossing and _is_seen(self.problem, place.position):
                return 0, True
        written = rate * (place.tokens - start.tokens + (self.added if crossing or follows else 0))
        reads = follows or (self._alive(ta) and start.block <= self.previous.block)
        return written + (self.read * start.tokens if reads else 0), False

    def _end(self, state: _State) -> int:
        """What is behind the last breakpoint, and the reads of those that share even that one."""
        a, ta, follows = state
        start = self._at(a)
        rest = self.input * (self.problem.total - start.tokens)
        cost = rest * self.shared
        alive = self._alive(ta)
        if alive:
            reading = self.shared - (self.below[a] if a >= 0 else 0)
            cost += self.read * start.tokens * reading
        if self.growing:
            if follows:
                rest += self.read * start.tokens + self.lifetimes[ta][1] * self.added
            elif start.block <= self.previous.block:
                rest += self.input * self.added + (self.read * start.tokens if alive else 0)
            cost += rest * self.growing
        return 1000 * cost

    def _at(self, index: int) -> Place:
        return self.problem.places[index] if index >= 0 else _START

    def _alive(self, lifetime: int) -> bool:
        """Whether the next call finds an entry of that lifetime; the start is always there."""
        return lifetime < 0 or self.lifetimes[lifetime][2]

    def _cuts(self, chain: _Chain | None) -> tuple[Cut, ...]:
        found: list[Cut] = []
        while chain is not None:
            index, lifetime, chain = chain
            place = self.problem.places[index]
            ttl = self.lifetimes[lifetime][0]
            found.append(Cut(place.block, place.position, place.tokens, ttl))
        return tuple(reversed(found))


_START = Place(-1, 0, 0, ())


def _digits(rate: Decimal) -> int:
    return -int(rate.normalize().as_tuple().exponent)


def _whole(rate: Decimal, digits: int) -> int:
    return int(rate.scaleb(digits))
