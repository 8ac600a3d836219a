"""Section "Pricing", and what it says that breakpoints cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from base_document.pages import CATALOG
from cachewise.caching.cost import Billed, price, request_costs
from cachewise.catalog import Prices, price_usage, read_usage, resolve
from unit.test_plan import MARK, body, exactly, plan_of, text, users

MILLION = 1_000_000
TABLE = [
    # model, then USD for a million tokens: input, 5-minute write, 1-hour write, read, output
    ("claude-opus-4-1", "15", "18.75", "30", "1.50", "75"),
    ("claude-opus-4", "15", "18.75", "30", "1.50", "75"),
    ("claude-sonnet-4-5", "3", "3.75", "6", "0.30", "15"),
    ("claude-sonnet-4", "3", "3.75", "6", "0.30", "15"),
    ("claude-3-7-sonnet", "3", "3.75", "6", "0.30", "15"),
    ("claude-haiku-4-5", "1", "1.25", "2", "0.10", "5"),
    ("claude-3-5-haiku", "0.80", "1", "1.6", "0.08", "4"),
    ("claude-3-opus", "15", "18.75", "30", "1.50", "75"),
    ("claude-3-haiku", "0.25", "0.30", "0.50", "0.03", "1.25"),
]
COLUMNS = ["input", "write_5m", "write_1h", "read", "output"]
CELLS = [
    pytest.param(row[0], column, Decimal(row[1 + index]), id=f"{row[0]} {column}")
    for row in TABLE
    for index, column in enumerate(COLUMNS)
]


@pytest.mark.parametrize(("model", "column", "usd"), CELLS)
def test_a_million_tokens_cost_what_the_table_says(model: str, column: str, usd: Decimal) -> None:
    """Pricing: the table gives, for nine models, five prices per million tokens."""
    amounts = {
        "input": {"input_tokens": MILLION},
        "write_5m": {"cache_creation": {"ephemeral_5m_input_tokens": MILLION}},
        "write_1h": {"cache_creation": {"ephemeral_1h_input_tokens": MILLION}},
        "read": {"cache_read_input_tokens": MILLION},
        "output": {"output_tokens": MILLION},
    }
    usage = read_usage({"input_tokens": 0, "output_tokens": 0, **amounts[column]})
    row = resolve(CATALOG, model, None).model
    assert usage is not None and row is not None
    assert price_usage(usage, row, CATALOG.platforms["anthropic"]).total == usd


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_input_of_a_call_is_priced_by_the_same_table(row: tuple[str, ...]) -> None:
    """Pricing: input, writes and reads of one call each at their own price."""
    prices = Prices(*map(Decimal, row[1:]))
    model = resolve(CATALOG, row[0], None).model
    assert model is not None and model.prices == prices
    billed = Billed(read=MILLION, write_1h=MILLION, write_5m=MILLION, input=MILLION)
    assert price(billed, model.prices) == sum(map(Decimal, row[1:5]))


@pytest.mark.parametrize("row", [row for row in TABLE if row[0] != "claude-3-haiku"],
                         ids=lambda row: row[0])  # fmt: skip
def test_the_multipliers(row: tuple[str, ...]) -> None:
    """Pricing: a 5-minute write is 1.25 times the input price, a 1-hour write twice, a read 0.1.

    The row of Haiku 3 is rounded and does not follow them.
    """
    base, short, long, read = map(Decimal, row[1:5])
    assert (short, long, read) == (base * Decimal("1.25"), base * 2, base / 10)


def test_breakpoints_themselves_cost_nothing() -> None:
    """Understanding cache breakpoint costs: more breakpoints do not raise the bill of a call."""
    counts = [exactly(tokens) for tokens in (2000, 4000, 6000, 8000, 9000)]
    model = resolve(CATALOG, "claude-sonnet-4-5", None).model
    assert model is not None
    costs = [
        request_costs(
            plan_of(
                body(
                    system=[text(f"{n}", **(MARK if n in marked else {})) for n in range(4)],
                    messages=users(text()),
                ),
                counts,
            ),
            model.prices,
        )
        for marked in ({3}, {0, 3}, {0, 1, 2, 3})
    ]
    assert len({cost.first_call for cost in costs}) == 1
    assert len({cost.next_call for cost in costs}) == 1


def test_a_book_written_once_and_read_once() -> None:
    """Introduction: 188,086 tokens of a novel are written by the first call, read by the second."""
    model = resolve(CATALOG, "claude-sonnet-4-5", None).model
    assert model is not None
    totals: list[Decimal] = []
    for written, read in ((188086, 0), (0, 188086)):
        usage = read_usage(
            {
                "cache_creation_input_tokens": written,
                "cache_read_input_tokens": read,
                "input_tokens": 21,
                "output_tokens": 393,
            }
        )
        assert usage is not None
        totals.append(price_usage(usage, model, CATALOG.platforms["anthropic"]).total)
    assert totals == [Decimal("0.7112805"), Decimal("0.0623838")]
