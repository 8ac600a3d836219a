"""Newer prices over the packaged catalog: the file that ``catalog update`` leaves, and its use.

The file is read with every command, so it is checked here by hand: the library that validates the
catalog takes longer than all else that a command does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, cast

from cachewise.catalog.model import Catalog, Prices, Source, Tier
from cachewise.catalog.published import Published

FORMAT = 1
_NAMES = tuple(field.name for field in fields(Prices))


class UpdateError(ValueError):
    """A file of newer prices that cannot be used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Update:
    """Newer prices by model id, where they come from, and the day on which they were fetched."""

    source: str
    fetched: date
    models: Mapping[str, Published]


def write_update(update: Update) -> str:
    """The file's text."""
    return (
        json.dumps(
            {
                "format": FORMAT,
                "source": update.source,
                "fetched": update.fetched.isoformat(),
                "models": {
                    id_: {
                        "prices": _table(published.prices),
                        "tiers": [
                            {"above_tokens": tier.above_tokens, "prices": _table(tier.prices)}
                            for tier in published.tiers
                        ],
                    }
                    for id_, published in update.models.items()
                },
            },
            indent=1,
        )
        + "\n"
    )


def read_update(text: str) -> Update:
    """The update in a file's text. Raises :class:`UpdateError` when anything in it is odd."""
    try:
        value: object = json.loads(text)
        table = _object(value, {"format", "source", "fetched", "models"})
        if table["format"] != FORMAT or not isinstance(table["source"], str):
            raise UpdateError("It is not in the form that this version of Cachewise writes.")
        models: dict[str, Published] = {}
        for id_, entry in _object(table["models"], None).items():
            model = _object(entry, {"prices", "tiers"})
            tiers = [_object(tier, {"above_tokens", "prices"}) for tier in _list(model["tiers"])]
            limits = [tier["above_tokens"] for tier in tiers]
            if any(type(limit) is not int or limit < 0 for limit in limits):
                raise UpdateError("It has a tier that begins at no number of tokens.")
            if limits != sorted(set(limits)):
                raise UpdateError("It has tiers out of order.")
            models[id_] = Published(
                _prices(model["prices"]),
                tuple(Tier(tier["above_tokens"], _prices(tier["prices"])) for tier in tiers),
            )
        return Update(table["source"], date.fromisoformat(table["fetched"]), models)
    except UpdateError:
        raise
    except (ValueError, TypeError, RecursionError):
        raise UpdateError("It is not what Cachewise wrote.") from None


def with_update(catalog: Catalog, update: Update) -> Catalog:
    """The catalog with newer list prices; it itself when it is as new as they are.

    Only the prices of the model's own provider change, with their tiers. What single platforms and
    regions charge, and what was charged in the past, stays; so do models that are not known here.
    """
    if update.fetched <= catalog.updated:
        return catalog
    source = Source("UPDATE", f"genai-prices, fetched from {update.source}", update.fetched)
    models = dict(catalog.models)
    for id_, model in catalog.models.items():
        newer = update.models.get(model.alias_of or id_)
        if newer is None:
            continue
        given = {
            name: getattr(newer.prices, name)
            for name in _NAMES
            if getattr(newer.prices, name) is not None
        }
        models[id_] = replace(
            model,
            prices=replace(model.prices, **given),
            tiers=newer.tiers,
            sources={**model.sources, "prices": source, "tiers": source},
        )
    return replace(catalog, models=MappingProxyType(models), updated=update.fetched)


def _table(prices: Prices) -> dict[str, str]:
    return {
        name: format(getattr(prices, name), "f")
        for name in _NAMES
        if getattr(prices, name) is not None
    }


def _prices(value: object) -> Prices:
    found: dict[str, Decimal | None] = dict.fromkeys(_NAMES)
    for name, written in _object(value, None).items():
        if name not in found or not isinstance(written, str):
            raise UpdateError("It has a price that is none.")
        try:
            amount = Decimal(written)
        except InvalidOperation:
            raise UpdateError("It has a price that is none.") from None
        if not amount.is_finite() or amount < 0:
            raise UpdateError("It has a price that is none.")
        found[name] = amount
    return Prices(**found)


def _object(value: object, keys: set[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UpdateError("It is not what Cachewise wrote.")
    table = cast("dict[str, Any]", value)
    if keys is not None and set(table) != keys:
        raise UpdateError("It is not what Cachewise wrote.")
    return table


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UpdateError("It is not what Cachewise wrote.")
    return cast("list[object]", value)
