"""Newer prices: what is taken from a published list, the file that is kept, what it changes."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.catalog import Catalog, Prices, builtin
from cachewise.catalog.published import (
    Difference,
    Published,
    PublishedError,
    differences,
    matches,
    published_prices,
)
from cachewise.catalog.update import Update, UpdateError, read_update, with_update, write_update

LATER = date(2026, 12, 24)
OPUS = {
    "input_mtok": 3,
    "cache_write_mtok": Decimal("3.75"),
    "cache_write_1h_mtok": 6,
    "cache_read_mtok": Decimal("0.15"),
    "output_mtok": 15,
}


def listed(prices: Any, id_: str = "claude-opus-5-5", provider: str = "anthropic") -> list[Any]:
    entry = {"id": "any", "match": {"equals": id_}, "prices": prices}
    return [{"id": provider, "models": [entry]}]


def read(providers: Any, today: date = LATER) -> dict[str, Published]:
    return published_prices(providers, builtin(), today)[0]


def test_a_price_is_taken() -> None:
    (published,) = read(listed(OPUS)).values()
    assert published.prices == Prices(
        Decimal(3), Decimal("3.75"), Decimal(6), Decimal("0.15"), Decimal(15)
    )
    assert published.tiers == ()
    changes = list(differences(builtin(), {"claude-opus-5-5": published}))
    assert Difference("claude-opus-5-5", "prices.input", "4", "3") in changes
    assert len(changes) == 5


def test_a_price_that_is_not_whole_is_left_out() -> None:
    found, left_out = published_prices(listed({"input_mtok": 3}), builtin(), LATER)
    assert found == {}
    (sentence,) = left_out
    assert sentence.startswith("claude-opus-5-5: the list has other prices, and none for write_5m")
    same = published_prices(listed({"input_mtok": 4}), builtin(), LATER)
    assert same == ({}, ()), "what is there is what the catalog says"


def test_where_a_write_is_plain_input_it_follows_it() -> None:
    terms = {"input_mtok": 1, "cache_read_mtok": Decimal("0.1"), "output_mtok": 8}
    (published,) = read(listed(terms, "gemini-2.5-pro", "google")).values()
    assert published.prices.write_5m == published.prices.input == 1
    assert published.prices.write_1h is None


def test_the_last_price_in_force_counts() -> None:
    dated = [
        {"prices": OPUS},
        {"constraint": {"start_date": "2026-12-24"}, "prices": {**OPUS, "input_mtok": 2}},
        {"constraint": {"start_date": "2027-01-01"}, "prices": {**OPUS, "input_mtok": 1}},
    ]
    day = LATER - timedelta(days=1)
    assert read(listed(dated), day)["claude-opus-5-5"].prices.input == 3
    assert read(listed(dated), LATER)["claude-opus-5-5"].prices.input == 2
    assert read(listed(dated), date(2027, 1, 1))["claude-opus-5-5"].prices.input == 1
    hourly = [{"constraint": {"start_time": "08:00", "end_time": "09:00"}, "prices": OPUS}]
    found, left_out = published_prices(listed(hourly), builtin(), LATER)
    assert (found, len(left_out)) == ({}, 1)


def test_tiers_up_to_the_window() -> None:
    window = builtin().models["claude-opus-5-5"].context_window
    assert window is not None
    tiers = [{"start": 1000, "price": 9}, {"start": window, "price": 99}]
    terms = {**OPUS, "input_mtok": {"base": 3, "tiers": tiers}}
    (published,) = read(listed(terms)).values()
    (tier,) = published.tiers
    assert (tier.above_tokens, tier.prices.input, tier.prices.output) == (1000, 9, 15)
    assert Difference("claude-opus-5-5", "tier above 1000", "none", "listed") in list(
        differences(builtin(), {"claude-opus-5-5": published})
    )


@pytest.mark.parametrize(
    ("clause", "hit"),
    [
        ({"equals": "a-b"}, True),
        ({"equals": "a"}, False),
        ({"starts_with": "a-"}, True),
        ({"ends_with": "-b"}, True),
        ({"contains": "c"}, False),
        ({"regex": "^a-[b-d]$"}, True),
        ({"regex": "("}, False),
        ({"or": [{"equals": "x"}, {"contains": "-"}]}, True),
        ({"and": [{"equals": "x"}, {"contains": "-"}]}, False),
        ({"and": []}, False),
        ({"or": "a-b"}, False),
        ({"resembles": "a-b"}, False),
        ({"equals": 5}, False),
        ({}, False),
        ("a-b", False),
    ],
)
def test_clauses(clause: Any, hit: bool) -> None:
    assert matches(clause, "a-b") is hit


@pytest.mark.parametrize(
    "value",
    [
        {},
        None,
        "text",
        [3],
        [{"id": "anthropic"}],
        [{"id": "anthropic", "models": 3}],
        [{"id": "anthropic", "models": [{"id": "x"}]}],
        listed({**OPUS, "input_mtok": -1}),
        listed({**OPUS, "input_mtok": "3"}),
        listed({**OPUS, "input_mtok": True}),
        listed({**OPUS, "input_mtok": Decimal("NaN")}),
        listed({**OPUS, "input_mtok": 10**9}),
        listed({**OPUS, "input_mtok": {"base": 1}}),
        listed({**OPUS, "input_mtok": {"base": 1, "tiers": [{"start": "x", "price": 1}]}}),
        listed([{"constraint": {"start_date": "someday"}, "prices": OPUS}]),
        listed(7),
    ],
)
def test_lists_that_are_none(value: Any) -> None:
    with pytest.raises(PublishedError) as caught:
        read(value)
    assert str(caught.value).endswith(".")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values, json_values)
def test_any_list_is_read_or_refused(prices: Any, match: Any) -> None:
    entry = {"id": "claude-opus-5-5", "match": match, "prices": prices}
    for value in (prices, [{"id": "anthropic", "models": [entry]}]):
        try:
            found = read(value)
        except PublishedError:
            continue
        for published in found.values():
            assert published.prices.input is not None
            assert published.prices.input >= 0


# The file


def update(fetched: date = LATER) -> Update:
    return Update("https://list.example/data.json", fetched, read(listed(OPUS)))


def test_the_file_comes_back_as_it_was() -> None:
    tiered = {**OPUS, "input_mtok": {"base": 3, "tiers": [{"start": 1000, "price": 9}]}}
    for one in (update(), Update("x", LATER, read(listed(tiered))), Update("x", LATER, {})):
        assert read_update(write_update(one)) == one


def test_an_update_changes_prices_and_says_so(catalog: Catalog) -> None:
    newer = with_update(catalog, update())
    model = newer.models["claude-opus-5-5"]
    assert model.prices.input == 3
    assert model.sources["prices"].checked == LATER
    assert "https://list.example/data.json" in model.sources["prices"].what
    assert model.sources["minimum"] == catalog.models["claude-opus-5-5"].sources["minimum"]
    assert newer.updated == LATER
    rest = {id_: one for id_, one in newer.models.items() if one.prices.input == 3}
    assert rest["claude-opus-5-5"].minimum_tokens == 512
    changed = {id_ for id_ in newer.models if newer.models[id_] != catalog.models[id_]}
    assert changed == {"claude-opus-5-5"}


def test_aliases_change_with_their_row(catalog: Catalog) -> None:
    row = "claude-sonnet-4-5-20250929"
    published = read(listed(OPUS, row))
    newer = with_update(catalog, Update("x", LATER, published))
    assert newer.models[row].prices == newer.models["claude-sonnet-4-5"].prices
    assert newer.models["claude-sonnet-4-5"].prices.input == 3


def test_what_is_not_newer_than_the_package_is_not_used(catalog: Catalog) -> None:
    assert with_update(catalog, update(catalog.updated)) is catalog
    assert with_update(catalog, update(catalog.updated + timedelta(days=1))) is not catalog


def test_unknown_models_in_the_file_do_no_harm(catalog: Catalog) -> None:
    (published,) = read(listed(OPUS)).values()
    newer = with_update(catalog, Update("x", LATER, {"nobody-1": published}))
    assert newer.models == catalog.models


def _spoilt(**changes: Any) -> str:
    return json.dumps({**json.loads(write_update(update())), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        _spoilt(format=2),
        _spoilt(source=3),
        _spoilt(fetched="yesterday"),
        _spoilt(fetched=3),
        _spoilt(more=1),
        _spoilt(models=[]),
        _spoilt(models={"m": {}}),
        _spoilt(models={"m": {"prices": {"input": 3}, "tiers": []}}),
        _spoilt(models={"m": {"prices": {"input": "-3"}, "tiers": []}}),
        _spoilt(models={"m": {"prices": {"input": "NaN"}, "tiers": []}}),
        _spoilt(models={"m": {"prices": {"inputs": "3"}, "tiers": []}}),
        _spoilt(models={"m": {"prices": {}, "tiers": {}}}),
        _spoilt(models={"m": {"prices": {}, "tiers": [{"above_tokens": True, "prices": {}}]}}),
        _spoilt(models={"m": {"prices": {}, "tiers": [{"above_tokens": -1, "prices": {}}]}}),
        _spoilt(models={"m": {"prices": {}, "tiers": [{"above_tokens": 1, "prices": {}}] * 2}}),
    ],
)
def test_files_that_are_none(text: str) -> None:
    with pytest.raises(UpdateError) as caught:
        read_update(text)
    assert str(caught.value).endswith(".")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(UpdateError):
        read_update(text)


def test_nothing_but_prices_and_tiers_changes(catalog: Catalog) -> None:
    newer = with_update(catalog, update()).models["claude-opus-5-5"]
    before = catalog.models["claude-opus-5-5"]
    same = dataclasses.replace(
        newer, prices=before.prices, tiers=before.tiers, sources=before.sources
    )
    assert same == before
