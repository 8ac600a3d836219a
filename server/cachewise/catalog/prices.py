"""What a token costs: a model's prices after tier, region, batch, residency and speed.

Exact decimal arithmetic throughout. A combination that the provider refuses, or for which no
price is published, raises :class:`UnsupportedModifier`; a price that is not known is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from cachewise.catalog.model import UNKNOWN_PRICES, Model, Platform, Prices

NO_GEO = frozenset({"", "global", "not_available", "not-available"})
"""Values of ``inference_geo`` that leave the price as it is."""

GEO_MODIFIER = "geo"
REGION_MODIFIER = "regional"


_NO_MULTIPLIERS: Mapping[str, Decimal] = {}


class UnsupportedModifier(ValueError):
    """The model has no such price: the provider refuses the request or publishes nothing."""


class UnknownPrice(ValueError):
    """Tokens were used whose price the catalog does not know."""


def plain(amount: Decimal) -> str:
    """``amount`` in full and without idle zeros: ``0.7112805``, ``0``, never ``1E-7``."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def prices_for(
    model: Model,
    *,
    platform: Platform | None,
    region: str | None = None,
    total_input_tokens: int = 0,
    batch: bool = False,
    geo: str | None = None,
    speed: str | None = None,
    today: date | None = None,
) -> Prices:
    """USD per million tokens of one request to ``model``.

    ``total_input_tokens`` counts uncached, written and read tokens together; where a model has
    tiers it chooses the prices of the whole request. ``region`` is that of a Bedrock profile
    (``us``, ``global``, ``us-gov``), ``geo`` the request's ``inference_geo``, ``today`` the day of
    the request (for prices that have changed since). Modifiers multiply.
    """
    prices = _listed(model, platform, region, total_input_tokens, speed, batch, today)
    multipliers = platform.price_multipliers if platform is not None else _NO_MULTIPLIERS
    factor = Decimal(1)
    if batch:
        factor *= _multiplier(model, multipliers.get("batch"), "batch", "batch processing")
    if geo is not None and geo.lower() not in NO_GEO:
        name = geo.lower()
        factor *= _multiplier(
            model, multipliers.get(f"geo:{name}"), GEO_MODIFIER, f"inference_geo {name!r}"
        )
    if region is not None:
        regional = multipliers.get(f"region:{region.lower()}")
        if regional is not None and REGION_MODIFIER in model.modifiers:
            factor *= regional
    return prices if factor == 1 else _times(prices, factor)


def _listed(
    model: Model,
    platform: Platform | None,
    region: str | None,
    total_input_tokens: int,
    speed: str | None,
    batch: bool,
    today: date | None,
) -> Prices:
    if speed is not None and speed.lower() not in ("", "standard"):
        return _fast(model, speed.lower(), batch, today)
    if platform is not None and platform.id in model.prices_by_platform:
        return model.prices_by_platform[platform.id]
    if region is not None and region.lower() in model.prices_by_region:
        return model.prices_by_region[region.lower()]
    for tier in reversed(model.tiers):
        if total_input_tokens > tier.above_tokens:
            return tier.prices
    if today is not None:
        for past in model.past_prices:
            if today < past.until:
                return past.prices
    return model.prices


def _fast(model: Model, speed: str, batch: bool, today: date | None) -> Prices:
    if speed != "fast":
        raise UnsupportedModifier(f"There is no speed {speed!r}; known are 'standard' and 'fast'.")
    if model.fast is None:
        raise UnsupportedModifier(f"{model.id} has no fast mode.")
    if model.fast_until is not None and today is not None and today >= model.fast_until:
        raise UnsupportedModifier(f"{model.id} has had no fast mode since {model.fast_until}.")
    if batch:
        raise UnsupportedModifier("Fast mode cannot be combined with batch processing.")
    return model.fast


def _multiplier(model: Model, factor: Decimal | None, name: str, what: str) -> Decimal:
    if factor is None:
        raise UnsupportedModifier(f"No price is known for {what} on this platform.")
    if name not in model.modifiers:
        raise UnsupportedModifier(f"{model.id} does not support {what}.")
    return factor


def _times(prices: Prices, factor: Decimal) -> Prices:
    if prices is UNKNOWN_PRICES:
        return prices
    return Prices(
        input=_scaled(prices.input, factor),
        write_5m=_scaled(prices.write_5m, factor),
        write_1h=_scaled(prices.write_1h, factor),
        read=_scaled(prices.read, factor),
        output=_scaled(prices.output, factor),
        implicit_read=_scaled(prices.implicit_read, factor),
    )


def _scaled(price: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if price is None else price * factor
