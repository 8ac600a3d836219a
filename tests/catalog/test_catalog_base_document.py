"""What Anthropic's prompt caching page said in 2025 and still bills: prices, minimums, examples."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cachewise.catalog import (
    Catalog,
    Prices,
    effective_minimum,
    plain,
    price_usage,
    read_usage,
    resolve,
)

TABLE = {
    "claude-opus-4-1": "15 18.75 30 1.50 75",
    "claude-opus-4": "15 18.75 30 1.50 75",
    "claude-sonnet-4-5": "3 3.75 6 0.30 15",
    "claude-sonnet-4": "3 3.75 6 0.30 15",
    "claude-3-7-sonnet": "3 3.75 6 0.30 15",
    "claude-haiku-4-5": "1 1.25 2 0.10 5",
    "claude-3-5-haiku": "0.80 1 1.6 0.08 4",
    "claude-3-opus": "15 18.75 30 1.50 75",
    "claude-3-haiku": "0.25 0.30 0.50 0.03 1.25",
}
MINIMUMS = {
    1024: (
        "claude-opus-4-1",
        "claude-opus-4",
        "claude-sonnet-4-5",
        "claude-sonnet-4",
        "claude-3-7-sonnet",
        "claude-3-opus",
    ),
    2048: ("claude-3-5-haiku", "claude-3-haiku"),
    4096: ("claude-haiku-4-5",),
}


@pytest.mark.parametrize("written", TABLE)
def test_the_price_table(catalog: Catalog, written: str) -> None:
    model = resolve(catalog, written, None).model
    assert model is not None
    assert model.prices == Prices(*map(Decimal, TABLE[written].split()))


@pytest.mark.parametrize("written", [name for name in TABLE if name != "claude-3-haiku"])
def test_the_multipliers(catalog: Catalog, written: str) -> None:
    """A write costs 1.25 or 2 times the input, a read a tenth (Haiku 3's table is rounded)."""
    model = resolve(catalog, written, None).model
    assert model is not None and model.prices.input is not None
    assert model.prices.write_5m == model.prices.input * Decimal("1.25")
    assert model.prices.write_1h == model.prices.input * 2
    assert model.prices.read == model.prices.input / 10


@pytest.mark.parametrize(
    ("written", "minimum"),
    [(written, minimum) for minimum, names in MINIMUMS.items() for written in names],
)
def test_the_minimums(catalog: Catalog, written: str, minimum: int) -> None:
    model = resolve(catalog, written, None).model
    assert model is not None
    assert effective_minimum(model, "anthropic") == minimum


@pytest.mark.parametrize(
    ("written", "first", "second"),
    [
        ("claude-opus-4-1", "3.5564025", "0.311919"),
        ("claude-sonnet-4-5", "0.7112805", "0.0623838"),
        ("claude-haiku-4-5", "0.2370935", "0.0207946"),
        ("claude-opus-5-5", "0.948374", "0.0455612"),
        ("claude-sonnet-5-5", "0.474187", "0.0227806"),
        ("claude-fable-5-2", "1.896748", "0.0535052"),
        ("claude-haiku-5-5", "0.11854675", "0.0103973"),
    ],
)
def test_a_whole_novel_written_then_read(
    catalog: Catalog, written: str, first: str, second: str
) -> None:
    """The page's two ``usage`` objects: 188,086 tokens of Pride and Prejudice, written and read."""
    model = resolve(catalog, written, None).model
    assert model is not None
    for tokens, expected in (
        ({"cache_creation_input_tokens": 188086, "cache_read_input_tokens": 0}, first),
        ({"cache_creation_input_tokens": 0, "cache_read_input_tokens": 188086}, second),
    ):
        usage = read_usage({**tokens, "input_tokens": 21, "output_tokens": 393})
        assert usage is not None
        bill = price_usage(usage, model, catalog.platforms["anthropic"])
        assert plain(bill.total) == expected
