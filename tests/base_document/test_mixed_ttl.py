"""Section "Mixing different TTLs": the three billing positions A, B and C."""

from __future__ import annotations

import pytest

from cachewise.caching.cost import Billed, split

POINTS = [(6000, "1h"), (9000, "5m")]
"""Breakpoints after 6,000 tokens for an hour and after 9,000 for five minutes, of 10,000 in all."""


@pytest.mark.parametrize(
    ("hit", "billed"),
    [
        (0, Billed(read=0, write_1h=6000, write_5m=3000, input=1000)),
        (6000, Billed(read=6000, write_1h=0, write_5m=3000, input=1000)),
        (9000, Billed(read=9000, write_1h=0, write_5m=0, input=1000)),
    ],
    ids=["nothing is found", "the hour's entry is found", "all is found"],
)
def test_three_calls_that_find_more_and_more(hit: int, billed: Billed) -> None:
    """A is read, B − A written for an hour, C − B for five minutes, the rest is plain input."""
    assert split(10_000, POINTS, hit) == billed


def test_position_b_is_the_highest_hour_behind_a() -> None:
    """B is the last 1-hour breakpoint behind A, and A itself when there is none."""
    points = [(2000, "1h"), (4000, "1h"), (7000, "5m")]
    assert split(8000, points, 2000) == Billed(read=2000, write_1h=2000, write_5m=3000, input=1000)
    assert split(8000, points, 4000) == Billed(read=4000, write_1h=0, write_5m=3000, input=1000)


def test_position_c_is_the_last_breakpoint() -> None:
    """C is the token count at the last marked block; without any, all is input."""
    assert split(8000, [(7999, "5m")], 0) == Billed(read=0, write_1h=0, write_5m=7999, input=1)
    assert split(8000, [], 0) == Billed(read=0, write_1h=0, write_5m=0, input=8000)


def test_without_an_hour_everything_is_written_for_five_minutes() -> None:
    """B equals A where no 1-hour breakpoint follows."""
    billed = split(8000, [(3000, "5m"), (7000, "5m")], 0)
    assert billed == Billed(read=0, write_1h=0, write_5m=7000, input=1000)
