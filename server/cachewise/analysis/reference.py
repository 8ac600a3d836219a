"""What there is to know without a document: rules, catalog, formats, the price of a response.

The two faces take these from here, so that neither reaches below the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

from cachewise.analysis.document import Options
from cachewise.caching.cost import Traffic
from cachewise.catalog import (
    Bill,
    Catalog,
    Conflict,
    Lifecycle,
    Model,
    Platform,
    Prices,
    Source,
    UnknownPrice,
    UnsupportedModifier,
    builtin,
    lifecycle,
    price_usage,
    read_usage,
    resolve,
)
from cachewise.catalog.published import Difference, PublishedError, differences, published_prices
from cachewise.catalog.update import Update, UpdateError, read_update, with_update, write_update
from cachewise.request.find import may_hold_requests
from cachewise.rules import BY_NAME, RULES
from cachewise.rules.base import Rule, docs_url
from cachewise.settings import Settings
from cachewise.syntax.formats import FORMATS, format_by_content, format_of
from cachewise.tokens.count import keep_in

__all__ = [
    "BY_NAME",
    "FORMATS",
    "RULES",
    "RULE_NAMES",
    "Bill",
    "Catalog",
    "Conflict",
    "Difference",
    "Lifecycle",
    "Model",
    "Platform",
    "PricedUsage",
    "Prices",
    "PublishedError",
    "Rule",
    "Source",
    "Traffic",
    "Update",
    "builtin",
    "catalog_with",
    "check_overrides",
    "differences",
    "docs_url",
    "format_by_content",
    "format_of",
    "keep_in",
    "lifecycle",
    "may_hold_requests",
    "options_for",
    "price_response",
    "published_prices",
    "write_update",
]

RULE_NAMES: tuple[tuple[str, str], ...] = tuple((rule.code, rule.name) for rule in RULES)
"""(code, name) of every rule, as the settings want them."""


def check_overrides(catalog: Catalog, prices: Mapping[str, Prices], source: Source) -> None:
    """Hold prices by model id against the catalog's schema; ``ValueError`` says what is wrong."""
    from cachewise.catalog.schema import with_overrides

    overrides = {
        id_: {
            "prices": {
                field.name: getattr(one, field.name)
                for field in fields(Prices)
                if getattr(one, field.name) is not None
            }
        }
        for id_, one in prices.items()
    }
    with_overrides(catalog, overrides, source=source)


@lru_cache(maxsize=4)
def catalog_with(newer: str | None) -> tuple[Catalog, str | None]:
    """The packaged catalog with newer prices, given as the text of the file they are kept in.

    The second value says why such a file cannot be used; the packaged catalog then stands alone.
    """
    if newer is None:
        return builtin(), None
    try:
        return with_update(builtin(), read_update(newer)), None
    except UpdateError as error:
        return builtin(), str(error)


def options_for(
    settings: Settings,
    today: date,
    *,
    catalog: Catalog | None = None,
    exact_tokens: bool = True,
    model: str | None = None,
) -> tuple[Options, tuple[str, ...]]:
    """What an analysis depends on: the catalog with the settings' own prices, and the settings.

    ``catalog`` is the packaged one unless another is given. ``model`` stands for whatever model a
    request names. The second value holds a sentence for each price that cannot be used.
    """
    catalog = catalog or builtin()
    problems: list[str] = []
    if settings.prices:
        # Imported here because it needs pydantic, which takes longer than a check of a small file.
        from cachewise.catalog.schema import OverrideError, with_overrides

        source = Source("settings", "the user's own settings", today)
        for name, prices in settings.prices.items():
            try:
                catalog = with_overrides(catalog, {name: {"prices": dict(prices)}}, source=source)
            except OverrideError as error:
                problems.append(f"prices: {error}")
    return Options(catalog, settings, today, exact_tokens, model), tuple(problems)


@dataclass(frozen=True, slots=True)
class PricedUsage:
    """The price of one response: the model and the provider it was priced for, and the bill."""

    model: str
    provider: str
    bill: Bill


def price_response(
    catalog: Catalog,
    response: Mapping[str, Any],
    *,
    model: str,
    platform: str | None = None,
    region: str | None = None,
    batch: bool | None = None,
    geo: str | None = None,
    speed: str | None = None,
    today: date,
) -> PricedUsage:
    """What one response cost, by its ``usage`` object, exactly.

    ``response`` is the usage object or contains it, in any provider's form; ``platform`` is a
    platform of the catalog or a provider. A modifier left None is taken from the response. Raises
    ``ValueError`` with a sentence when there is no usage, the model or platform is not known, or
    the combination has no price.
    """
    usage = read_usage(response)
    if usage is None:
        raise ValueError("There is no usage object in it.")
    if platform is not None and platform not in catalog.platforms:
        ids = [item.id for item in catalog.platforms.values() if item.provider == platform.lower()]
        if not ids:
            known = ", ".join(sorted(catalog.platforms))
            raise ValueError(f"There is no provider {platform!r}; known are {known}.")
        platform = ids[0]
    resolution = resolve(catalog, model, platform)
    if resolution.model is None:
        near = ", ".join(resolution.nearest)
        hint = f" Did you mean {near}?" if near else ""
        raise ValueError(f"The model {model!r} is not in the catalog.{hint}")
    place = catalog.platforms.get(resolution.platform)
    try:
        bill = price_usage(
            usage,
            resolution.model,
            place,
            region=region or resolution.regional,
            batch=batch,
            geo=geo,
            speed=speed,
            today=today,
        )
    except (UnknownPrice, UnsupportedModifier) as error:
        raise ValueError(str(error)) from error
    provider = place.provider if place is not None else resolution.model.provider
    return PricedUsage(resolution.id or model, provider, bill)
