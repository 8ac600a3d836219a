"""Billing by the positions A, B and C, and what follows from it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.caching.cost import (
    Billed,
    Costs,
    pays_from_call,
    price,
    request_costs,
    run_cost,
    split,
)
from cachewise.caching.plan import Plan
from cachewise.catalog import Prices
from unit.test_plan import MARK, body, exactly, plan_of, text, users

SONNET = Prices(*map(Decimal, ("3", "3.75", "6", "0.30", "15")))
LONG = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def plan(prefix: int, total: int, marker: dict[str, object] = MARK) -> Plan:
    """One marked system block of ``prefix`` tokens, and a question up to ``total``."""
    value = body(system=[text(**marker)], messages=users(text()))
    return plan_of(value, [exactly(prefix), exactly(total)])


def test_a_first_call_writes_the_prefix_and_a_next_one_reads_it() -> None:
    costs = request_costs(plan(10_000, 10_500), SONNET)
    assert costs.first == Billed(read=0, write_1h=0, write_5m=10_000, input=500)
    assert costs.next == Billed(read=10_000, write_1h=0, write_5m=0, input=500)
    assert costs.uncached == Decimal("0.0315")
    assert costs.first_call == Decimal("0.039")
    assert costs.next_call == Decimal("0.0045")


def test_an_hour_is_written_at_its_own_price() -> None:
    costs = request_costs(plan(10_000, 10_500, LONG), SONNET)
    assert costs.first == Billed(read=0, write_1h=10_000, write_5m=0, input=500)
    assert costs.first_call == Decimal("0.0615")


@pytest.mark.parametrize(("tokens", "written"), [(1023, 0), (1024, 1024)])
def test_a_breakpoint_under_its_minimum_counts_as_absent(tokens: int, written: int) -> None:
    assert request_costs(plan(tokens, 2000), SONNET).first.write_5m == written


def test_more_breakpoints_do_not_cost_more() -> None:
    one = request_costs(plan(9_000, 10_000), SONNET)
    value = body(system=[text(**MARK), text(**MARK), text(**MARK)], messages=users(text()))
    counts = [exactly(3_000), exactly(6_000), exactly(9_000), exactly(10_000)]
    assert request_costs(plan_of(value, counts), SONNET).first_call == one.first_call


def test_without_prices_the_tokens_are_still_told() -> None:
    costs = request_costs(plan(10_000, 10_500), None)
    assert (costs.uncached, costs.first_call, costs.next_call) == (None, None, None)
    assert costs.first.write_5m == 10_000


def test_a_price_that_is_not_known_is_missed_only_where_it_is_needed() -> None:
    prices = Prices(Decimal(3), Decimal("3.75"), None, None, None)
    assert price(Billed(0, 0, 1000, 10), prices) == Decimal("0.00378")
    assert price(Billed(0, 1, 0, 0), prices) is None
    assert price(Billed(1, 0, 0, 0), prices) is None


@pytest.mark.parametrize(
    ("marker", "calls"),
    [(MARK, 2), (LONG, 3)],
    ids=["5m: after one read", "1h: after two reads"],
)
def test_from_which_call_on_caching_pays(marker: dict[str, object], calls: int) -> None:
    assert pays_from_call(request_costs(plan(10_000, 10_000, marker), SONNET)) == calls


def test_nothing_marked_never_pays() -> None:
    value = body(system=[text()], messages=users(text()))
    costs = request_costs(plan_of(value), SONNET)
    assert costs.first_call == costs.next_call == costs.uncached
    assert pays_from_call(costs) is None


@pytest.mark.parametrize(
    ("every", "writes", "reads"), [(299.9, 1, 9), (300, 10, 0), (3600, 10, 0), (0, 1, 9)]
)
def test_an_entry_is_dead_at_exactly_its_lifetime(every: float, writes: int, reads: int) -> None:
    run = run_cost(plan(10_000, 10_500), SONNET, ttl="5m", lifetime=300, calls=10, every=every)
    assert (run.writes, run.reads) == (writes, reads)
    assert run.cost == writes * Decimal("0.039") + reads * Decimal("0.0045")


def test_no_call_costs_nothing() -> None:
    run = run_cost(plan(10_000, 10_500), SONNET, ttl="5m", lifetime=300, calls=0, every=1)
    assert (run.writes, run.reads, run.cost) == (0, 0, Decimal(0))


POINTS = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(["5m", "1h"])), max_size=5)


@settings(deadline=None)
@given(st.integers(0, 5000), POINTS, st.integers(0, 6000))
def test_every_token_is_billed_once(over: int, points: list[tuple[int, str]], hit: int) -> None:
    total = over + max((tokens for tokens, _ in points), default=0)
    billed = split(total, points, hit)
    assert billed.total == total
    assert min(billed.read, billed.write_1h, billed.write_5m, billed.input) >= 0
    assert billed.read == min(hit, total)


@settings(deadline=None)
@given(
    st.integers(1, 10**6), st.integers(0, 10**5), st.sampled_from([MARK, LONG]), st.integers(1, 12)
)
def test_caching_pays_from_the_call_that_it_names(
    prefix: int, rest: int, marker: dict[str, object], calls: int
) -> None:
    costs = request_costs(plan(prefix, prefix + rest, marker), SONNET)
    named = pays_from_call(costs)
    assert costs.first_call is not None and costs.next_call is not None
    assert costs.uncached is not None
    cached = costs.first_call + (calls - 1) * costs.next_call
    assert (cached < calls * costs.uncached) is (named is not None and calls >= named)


def test_the_saving_is_compared_exactly() -> None:
    one = Decimal(1)
    assert (
        pays_from_call(Costs(one, 2 * one, Decimal(0), Billed(0, 0, 0, 0), Billed(0, 0, 0, 0))) == 3
    )


def test_a_longer_lifetime_is_billed_as_one_whatever_it_is_called() -> None:
    """OpenAI has 30 minutes and 12 hours, which cost 1.25 and 2.5 times the input."""
    marked = plan(10_000, 10_500)
    ttls = ("30m", "12h")
    half, twelve = (
        run_cost(marked, SONNET, ttl=ttl, lifetime=1800, calls=1, every=60, ttls=ttls)
        for ttl in ttls
    )
    assert half.cost == Decimal("0.039")
    assert twelve.cost == Decimal("0.0615")
