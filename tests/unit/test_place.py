"""The best breakpoints: against every set there is, and where the answer can be told beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.caching.cost import Traffic
from cachewise.caching.place import (
    DETOUR,
    Cut,
    Forecast,
    Lifetime,
    Place,
    Problem,
    Share,
    best,
    expected,
    leaves_unseen,
    objective,
    uncached,
)
from cachewise.catalog.model import Prices

SHORT = Lifetime("5m", 300, long=False)
LONG = Lifetime("1h", 3600, long=True)
SONNET = Prices(Decimal(3), Decimal("3.75"), Decimal(6), Decimal("0.3"), Decimal(15))
OPUS = Prices(Decimal(4), Decimal(5), Decimal(8), Decimal("0.2"), Decimal(20))


def place(block: int, tokens: int, ttls: tuple[str, ...] = ("5m",)) -> Place:
    return Place(block, block + 1, tokens, ttls)


def problem(places: tuple[Place, ...], shares: tuple[Share, ...], **changes) -> Problem:
    made = Problem(
        places=places,
        lifetimes=(SHORT, LONG),
        forecast=Forecast(shares),
        traffic=Traffic(60, 10, 0),
        prices=SONNET,
        total=places[-1].tokens + 100 if places else 100,
        limit=4,
        window=20,
    )
    return replace(made, **changes)


def every_set(given: Problem) -> Iterator[tuple[Cut, ...]]:
    """All sets of breakpoints that the API accepts."""
    seconds = {lifetime.ttl: lifetime.seconds for lifetime in given.lifetimes}
    for size in range(min(given.limit, len(given.places)) + 1):
        for chosen in combinations(given.places, size):
            for ttls in product(*(place.ttls for place in chosen)):
                lengths = [seconds[ttl] for ttl in ttls]
                if lengths == sorted(lengths, reverse=True):
                    yield tuple(
                        Cut(place.block, place.position, place.tokens, ttl)
                        for place, ttl in zip(chosen, ttls, strict=True)
                    )


def lowest(given: Problem, *, strict: bool) -> Decimal:
    costs = [
        objective(given, cuts)
        for cuts in every_set(given)
        if not (strict and leaves_unseen(given, cuts))
    ]
    return min(cost for cost in costs if cost is not None)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    count = draw(st.integers(0, 6))
    blocks = sorted(draw(st.sets(st.integers(0, 60), min_size=count, max_size=count)))
    tokens = sorted(draw(st.lists(st.integers(1, 40_000), min_size=count, max_size=count)))
    gaps = draw(st.integers(1, 3))  # some blocks share a position, or none
    ttls = st.sampled_from([("5m",), ("1h",), ("5m", "1h")])
    places = tuple(
        Place(block, block // gaps + 1, prefix, draw(ttls))
        for block, prefix in zip(blocks, tokens, strict=True)
    )
    shares = draw(
        st.lists(st.builds(Share, st.integers(-1, 61), st.integers(1, 5)), min_size=1, max_size=4)
    )
    forecast = Forecast(tuple(shares))
    if places and draw(st.booleans()):
        forecast = replace(forecast, growing=draw(st.integers(1, 40)),
                           previous=draw(st.sampled_from(places)))  # fmt: skip
    watched = draw(st.none() | st.tuples(st.integers(1, 30), st.integers(1, 60)))
    return Problem(
        places=places,
        lifetimes=(SHORT, LONG),
        forecast=forecast,
        traffic=Traffic(draw(st.sampled_from([1, 299, 300, 3599, 3600])),
                        draw(st.integers(1, 30)), 0),
        prices=draw(st.sampled_from([SONNET, OPUS])),
        total=(tokens[-1] if tokens else 0) + draw(st.integers(0, 5000)),
        limit=draw(st.integers(1, 4)),
        window=draw(st.sampled_from([None, 3, 20])),
        watched=watched,
    )  # fmt: skip


@given(problems())
@settings(max_examples=300, deadline=None)
def test_no_set_of_breakpoints_is_better(given: Problem):
    found = best(given)
    assert found in set(every_set(given))
    cost = objective(given, found)
    assert cost is not None
    free = lowest(given, strict=False)
    if leaves_unseen(given, found):
        assert cost == free
        assert lowest(given, strict=True) * 100 > free * (100 + DETOUR)
    else:
        assert cost in (free, lowest(given, strict=True))
        assert cost * 100 <= free * (100 + DETOUR)


@given(problems())
@settings(max_examples=100, deadline=None)
def test_it_never_costs_more_than_no_cache(given: Problem):
    found, plain = expected(given, best(given)), uncached(given)
    assert found is not None
    assert plain is not None
    assert found.run <= plain.run


def test_one_call_reads_nothing_so_nothing_is_written():
    given = problem((place(0, 5000),), (Share(0, 1),), traffic=Traffic(60, 1, 0))
    assert best(given) == ()
    (cut,) = best(replace(given, traffic=Traffic(60, 2, 0)))
    assert (cut.block, cut.ttl) == (0, "5m")


def test_the_lifetime_must_bridge_the_time_between_two_calls():
    given = problem((place(0, 5000, ("5m", "1h")),), (Share(0, 1),))
    ttls = {
        every: [cut.ttl for cut in best(replace(given, traffic=Traffic(every, 10, 0)))]
        for every in (299, 300, 3599, 3600)
    }
    assert ttls == {299: ["5m"], 300: ["1h"], 3599: ["1h"], 3600: []}


def test_nothing_behind_what_changes_in_every_call():
    places = (place(0, 5000), place(1, 6000), place(2, 9000))
    assert [cut.block for cut in best(problem(places, (Share(1, 1),)))] == [1]


def test_each_level_of_stability_gets_a_breakpoint():
    places = (place(0, 4000), place(1, 8000), place(2, 12000))
    shares = (Share(0, 10), Share(1, 20), Share(2, 70))
    assert [cut.block for cut in best(problem(places, shares))] == [0, 1, 2]


def test_a_fifth_level_has_to_do_without():
    places = tuple(place(block, 4000 * (block + 1)) for block in range(5))
    shares = tuple(Share(block, 1) for block in range(5))
    found = best(problem(places, shares))
    assert len(found) == 4
    assert len(best(problem(places, shares, limit=2))) == 2


def growing(distance: int) -> Problem:
    """A conversation whose call before ended so many positions before this one's end."""
    places = tuple(place(block, 3000 + 1000 * block) for block in range(distance + 1))
    forecast = Forecast((Share(-1, 1),), growing=99, previous=places[0])
    return problem(places, (), forecast=forecast)


def test_the_entry_of_the_call_before_must_be_in_the_window():
    # The breakpoint's own position counts as the first of the twenty.
    assert [cut.block for cut in best(growing(19))] == [19]
    blocks = [cut.block for cut in best(growing(20))]
    assert len(blocks) == 2
    assert blocks[-1] == 20
    assert blocks[0] <= 19


def test_the_bill_of_both_lifetimes_together():
    # The base document's positions A, B and C: read up to 0, 1 hour to 6,000, 5 minutes to 9,000.
    given = problem((), (Share(2, 1),), total=10_000, traffic=Traffic(60, 3, 0))
    cuts = (Cut(1, 2, 6000, "1h"), Cut(2, 3, 9000, "5m"))
    costs = expected(given, cuts)
    assert costs is not None
    assert costs.first == Decimal("0.05025")  # 6000 at 6, 3000 at 3.75, 1000 at 3
    assert costs.next == Decimal("0.0057")  # 9000 at 0.3, 1000 at 3
    assert costs.run == Decimal("0.06165")


def test_what_has_no_price_is_not_guessed():
    given = problem((place(0, 5000, ("1h",)),), (Share(0, 1),))
    unpriced = replace(given, prices=replace(SONNET, write_1h=None))
    assert best(unpriced) == ()
    assert expected(unpriced, (Cut(0, 1, 5000, "1h"),)) is None
    assert best(replace(given, prices=replace(SONNET, read=None))) == ()


def test_sixty_places_are_no_work():
    places = tuple(place(block, 2000 + 500 * block, ("5m", "1h")) for block in range(64))
    given = problem(places, tuple(Share(block, 1) for block in range(0, 64, 7)))
    assert len(best(given)) == 4
