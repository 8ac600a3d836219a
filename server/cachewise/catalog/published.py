"""Prices as genai-prices publishes them, in the catalog's own terms.

The published list names, for each provider, models with a ``match`` (which ids it means) and prices
per million tokens, which may depend on a date and on the size of the request. Only what the catalog
has a place for is taken: input, writes, reads and output of models that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from cachewise.catalog.model import Catalog, Model, Prices, Tier

PUBLISHER = "genai-prices"

PROVIDERS: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "google",
    "amazon": "aws",
}
"""The catalog's providers, and what the published list calls them."""

_FIELDS: Mapping[str, str] = {
    "input": "input_mtok",
    "write_5m": "cache_write_mtok",
    "write_1h": "cache_write_1h_mtok",
    "read": "cache_read_mtok",
    "output": "output_mtok",
    "implicit_read": "",
}

_HIGHEST = Decimal(100_000)
"""USD per million tokens; more is a mistake of the list."""


class PublishedError(ValueError):
    """The list does not have the form that it should have; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Published:
    """The prices of one model of the catalog, by the list: the base, and those above some size."""

    prices: Prices
    tiers: tuple[Tier, ...]


def published_prices(
    providers: object, catalog: Catalog, today: date
) -> tuple[dict[str, Published], tuple[str, ...]]:
    """What the list says about models of the catalog on one day.

    ``providers`` is the parsed JSON, numbers with a point as decimals. A model whose entry lacks a
    price that the catalog has is left out, because half a change would be a wrong price; the
    second value has a sentence for each of them whose other prices differ. Raises
    :class:`PublishedError`.
    """
    by_id = {entry["id"]: entry for entry in _objects(providers, "The list", ("id", "models"))}
    found: dict[str, Published] = {}
    left_out: list[str] = []
    for model in catalog.models.values():
        listed = by_id.get(PROVIDERS.get(model.provider, ""))
        if model.alias_of is not None or listed is None:
            continue
        entries = list(_objects(listed["models"], "A provider's models", ("id", "match", "prices")))
        spellings = (model.id, *model.aliases)
        if model.provider == "amazon":
            spellings += model.platform_ids.get("bedrock", ())
        entry = next((one for id_ in spellings if (one := _entry(entries, id_))), None)
        if entry is None:
            continue
        terms = _in_force(entry["prices"], today)
        if terms is None:
            left_out.append(f"{model.id}: the list's price depends on the time of day.")
            continue
        published = _published(terms, model)
        if published is None:
            continue
        if isinstance(published, str):
            left_out.append(f"{model.id}: {published}")
        else:
            found[model.id] = published
    return found, tuple(left_out)


def differences(catalog: Catalog, found: Mapping[str, Published]) -> Iterator[Difference]:
    """Where the list and the catalog disagree, in the order of the catalog."""
    for id_, published in found.items():
        model = catalog.models[id_]
        yield from _price_differences(id_, "prices", model.prices, published.prices)
        ours = {tier.above_tokens: tier.prices for tier in model.tiers}
        theirs = {tier.above_tokens: tier.prices for tier in published.tiers}
        for limit in sorted({*ours, *theirs}):
            name = f"tier above {limit}"
            if limit not in theirs:
                yield Difference(id_, name, "listed", "none")
            elif limit not in ours:
                yield Difference(id_, name, "none", "listed")
            else:
                yield from _price_differences(id_, name, ours[limit], theirs[limit])


@dataclass(frozen=True, slots=True)
class Difference:
    """One value on which two sources disagree; values as a person writes them."""

    model: str
    field: str
    ours: str
    theirs: str


def _price_differences(id_: str, group: str, ours: Prices, theirs: Prices) -> Iterator[Difference]:
    for field in fields(Prices):
        mine: Decimal | None = getattr(ours, field.name)
        other: Decimal | None = getattr(theirs, field.name)
        if mine != other and mine is not None:
            yield Difference(id_, f"{group}.{field.name}", _written(mine), _written(other))


def _written(amount: Decimal | None) -> str:
    return "none" if amount is None else format(amount.normalize(), "f")


def _entry(entries: Sequence[Mapping[str, Any]], id_: str) -> Mapping[str, Any] | None:
    exact = next((entry for entry in entries if entry["id"] == id_), None)
    if exact is not None:
        return exact
    return next((entry for entry in entries if matches(entry["match"], id_)), None)


def matches(clause: object, id_: str) -> bool:
    """Whether a ``match`` of the list means an id. Anything that is no such clause means none."""
    if not isinstance(clause, Mapping):
        return False
    for name, value in cast("Mapping[str, object]", clause).items():
        if name in ("or", "and"):
            parts = cast("list[object]", value) if isinstance(value, list) else []
            hits = [matches(part, id_) for part in parts]
            return (any(hits) if name == "or" else all(hits)) and bool(hits)
        if not isinstance(value, str):
            return False
        match name:
            case "equals":
                return id_ == value
            case "starts_with":
                return id_.startswith(value)
            case "ends_with":
                return id_.endswith(value)
            case "contains":
                return value in id_
            case "regex":
                try:
                    return re.search(value, id_) is not None
                except re.error:
                    return False
            case _:
                return False
    return False


def _in_force(prices: object, today: date) -> Mapping[str, Any] | None:
    """The prices of a day; None when they also depend on the hour.

    Of several entries the last one whose condition holds counts.
    """
    if isinstance(prices, Mapping):
        return cast("Mapping[str, Any]", prices)
    for entry in reversed(list(_objects(prices, "A model's prices", ("prices",)))):
        condition: object = entry.get("constraint")
        if condition is None:
            return entry["prices"]
        start = (
            cast("Mapping[str, object]", condition).get("start_date")
            if isinstance(condition, Mapping)
            else None
        )
        if not isinstance(start, str | date):
            return None
        try:
            begins = start if isinstance(start, date) else date.fromisoformat(start)
        except ValueError:
            raise PublishedError(f"The list has a date that is none: {start!r:.40}.") from None
        if begins <= today:
            return entry["prices"]
    return {}


def _published(terms: Mapping[str, Any], model: Model) -> Published | str | None:
    """The prices of a model; None when they are not whole but those there are the catalog's."""
    known = model.prices
    amounts: dict[str, tuple[Decimal, dict[int, Decimal]]] = {}
    missing: list[str] = []
    for name, theirs in _FIELDS.items():
        if getattr(known, name) is None:
            continue
        written = terms.get(theirs)
        if written is not None:
            amounts[name] = _amount(written)
        elif name == "write_5m" and known.write_5m == known.input and "input" in amounts:
            # Where a write is plain input, the list has no price for it.
            amounts[name] = amounts["input"]
        else:
            missing.append(name)
    if missing or not amounts:
        if all(getattr(known, name) == base for name, (base, _) in amounts.items()):
            return None
        return f"the list has other prices, and none for {' and '.join(missing)}."
    window = model.context_window
    limits = sorted(
        {
            limit
            for _, tiers in amounts.values()
            for limit in tiers
            # No request can be as big as what lies beyond the window.
            if window is None or limit < window
        }
    )
    return Published(
        _prices({name: base for name, (base, _) in amounts.items()}),
        tuple(
            Tier(limit, _prices({name: _above(limit, *pair) for name, pair in amounts.items()}))
            for limit in limits
        ),
    )


def _above(limit: int, base: Decimal, tiers: Mapping[int, Decimal]) -> Decimal:
    begun = [start for start in tiers if start <= limit]
    return tiers[max(begun)] if begun else base


def _prices(amounts: Mapping[str, Decimal]) -> Prices:
    return Prices(**{field.name: amounts.get(field.name) for field in fields(Prices)})


def _amount(written: object) -> tuple[Decimal, dict[int, Decimal]]:
    if not isinstance(written, Mapping):
        return _decimal(written), {}
    table = cast("Mapping[str, object]", written)
    tiers: dict[int, Decimal] = {}
    for tier in _objects(table.get("tiers"), "A price's tiers", ("start", "price")):
        start: object = tier["start"]
        if not isinstance(start, int) or isinstance(start, bool) or start < 0:
            raise PublishedError("The list has a tier that begins at no number of tokens.")
        tiers[start] = _decimal(tier["price"])
    return _decimal(table.get("base")), tiers


def _decimal(written: object) -> Decimal:
    if isinstance(written, int | Decimal) and not isinstance(written, bool):
        try:
            amount = Decimal(written)
        except InvalidOperation:
            amount = Decimal(-1)
        if amount.is_finite() and 0 <= amount <= _HIGHEST:
            return amount
    raise PublishedError(f"The list has a price that is none: {written!r:.40}.")


def _objects(value: object, what: str, keys: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise PublishedError(f"{what} should be a list.")
    for item in cast("list[object]", value):
        if not isinstance(item, Mapping) or any(key not in item for key in keys):
            raise PublishedError(f"{what} should hold objects with {', '.join(keys)}.")
        yield cast("Mapping[str, Any]", item)
