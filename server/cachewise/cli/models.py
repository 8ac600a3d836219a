"""``cachewise models``: the catalog, with sources and dates."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cachewise.analysis.reference import Catalog, Model, Prices, lifecycle
from cachewise.cli.output import InputError, wants_color
from cachewise.cli.work import current_catalog, today
from cachewise.report.json import to_text
from cachewise.report.money import exact
from cachewise.report.text import Line, write

_PRICES = ("input", "write_5m", "write_1h", "read", "output")


def models(options: argparse.Namespace) -> int:
    """Print the models, all or one provider's."""
    catalog = current_catalog()
    listed = [
        model
        for model in catalog.models.values()
        if options.provider is None or model.provider == options.provider.lower()
    ]
    if not listed:
        known = ", ".join(sorted({model.provider for model in catalog.models.values()}))
        raise InputError(f"There is no provider {options.provider!r}; known are {known}.")
    if options.format == "json":
        sys.stdout.write(
            to_text(
                {
                    "version": 1,
                    "updated": catalog.updated.isoformat(),
                    "models": [_object(catalog, model) for model in listed],
                }
            )
        )
        return 0
    write(_lines(catalog, listed), sys.stdout, color=wants_color(sys.stdout))
    return 0


def _lines(catalog: Catalog, listed: list[Model]) -> list[Line]:
    rows = [
        (
            model.id,
            "" if model.minimum_tokens is None else f"{model.minimum_tokens:,}",
            *(_price(model.prices, name) for name in _PRICES),
            _status(catalog, model),
        )
        for model in listed
        if model.alias_of is None
    ]
    head = ("model", "minimum", "input", "write 5m", "write 1h", "read", "output", "status")
    wide = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]

    def line(row: tuple[str, ...], style: str) -> Line:
        cells = [row[0].ljust(wide[0])]
        cells += (cell.rjust(width) for cell, width in zip(row[1:-1], wide[1:-1], strict=True))
        return [("  ".join([*cells, row[-1]]).rstrip(), style)]

    newer = next(
        (
            model.sources["prices"]
            for model in catalog.models.values()
            if model.sources["prices"].tag == "UPDATE"
        ),
        None,
    )
    fetched = (
        []
        if newer is None
        else [[(f"Some prices are of {newer.checked.isoformat()}: {newer.what}.", "dim")]]
    )
    return [
        line(head, "bold"),
        *(line(row, "dim" if row[-1].startswith("retired") else "") for row in rows),
        [],
        [("Minimum: tokens of a prefix. Prices: USD per million tokens. ", "dim")],
        *fetched,
        [
            (
                f"Catalog of {catalog.updated.isoformat()}; sources and dates of each value: "
                "--format json.",
                "dim",
            )
        ],
    ]


def _status(catalog: Catalog, model: Model) -> str:
    stands = lifecycle(catalog, model, model.provider, today())
    if stands.retires is not None:
        return f"{stands.status}, {stands.retires.isoformat()}"
    return stands.status


def _price(prices: Prices, name: str) -> str:
    return exact(getattr(prices, name)) or "–"


def _object(catalog: Catalog, model: Model) -> dict[str, Any]:
    stands = lifecycle(catalog, model, model.provider, today())
    return {
        "id": model.id,
        "name": model.name,
        "provider": model.provider,
        "alias_of": model.alias_of,
        "aliases": list(model.aliases),
        "platform_ids": {key: list(ids) for key, ids in model.platform_ids.items()},
        "explicit": model.explicit,
        "implicit": model.implicit,
        "minimum_tokens": model.minimum_tokens,
        "minimum_by_platform": dict(model.minimum_by_platform),
        "ttls": list(model.ttls),
        "prices": {name: exact(getattr(model.prices, name)) for name in _PRICES},
        "currency": "USD",
        "per_tokens": 1_000_000,
        "status": stands.status,
        "retires": None if stands.retires is None else stands.retires.isoformat(),
        "successor": model.successor,
        "sources": {
            group: {"tag": source.tag, "what": source.what, "checked": source.checked.isoformat()}
            for group, source in model.sources.items()
        },
    }
