"""``cachewise models``: the catalog, with sources and dates."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cachewise.analysis.reference import (
    Catalog,
    Conflict,
    Model,
    Platform,
    Prices,
    Source,
    lifecycle,
)
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
                    "platforms": [
                        _platform(platform)
                        for platform in catalog.platforms.values()
                        if options.provider is None
                        or options.provider.lower() in (platform.provider, *platform.serves)
                    ],
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
        "family": model.family,
        "context_window": model.context_window,
        "max_output": model.max_output,
        "ttls": list(model.ttls),
        "ttls_by_platform": {key: list(ttls) for key, ttls in model.ttls_by_platform.items()},
        "prices": _prices(model.prices),
        "prices_by_platform": {
            key: _prices(prices) for key, prices in model.prices_by_platform.items()
        },
        "prices_by_region": {
            key: _prices(prices) for key, prices in model.prices_by_region.items()
        },
        "tiers": [
            {"above_tokens": tier.above_tokens, "prices": _prices(tier.prices)}
            for tier in model.tiers
        ],
        "fast": None if model.fast is None else _prices(model.fast),
        "modifiers": list(model.modifiers),
        "currency": "USD",
        "per_tokens": 1_000_000,
        "status": stands.status,
        "retires": None if stands.retires is None else stands.retires.isoformat(),
        "successor": model.successor,
        "sources": _sources(model.sources),
        "conflicts": _conflicts(model.conflicts),
    }


def _platform(platform: Platform) -> dict[str, Any]:
    """A platform's limits and manners; a price multiplier is a decimal number as a string."""
    return {
        "id": platform.id,
        "name": platform.name,
        "provider": platform.provider,
        "serves": list(platform.serves),
        "markers": list(platform.markers),
        "max_breakpoints": platform.max_breakpoints,
        "extra_breakpoints": platform.extra_breakpoints,
        "window": platform.window,
        "ttl_seconds": dict(platform.ttl_seconds),
        "unsupported_ttl": platform.unsupported_ttl,
        "tools_markers": platform.tools_markers,
        "automatic": platform.automatic,
        "implicit": platform.implicit,
        "implicit_minimum": platform.implicit_minimum,
        "isolation": platform.isolation,
        "price_multipliers": {
            key: exact(value) for key, value in platform.price_multipliers.items()
        },
        "sources": _sources(platform.sources),
        "conflicts": _conflicts(platform.conflicts),
    }


def _prices(prices: Prices) -> dict[str, str | None]:
    return {name: exact(getattr(prices, name)) for name in (*_PRICES, "implicit_read")}


def _sources(sources: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    return {
        group: {"tag": source.tag, "what": source.what, "checked": source.checked.isoformat()}
        for group, source in sources.items()
    }


def _conflicts(conflicts: Sequence[Conflict]) -> list[dict[str, Any]]:
    return [
        {
            "field": conflict.field,
            "claims": dict(conflict.claims),
            "chosen": conflict.chosen,
            "reason": conflict.reason,
        }
        for conflict in conflicts
    ]
