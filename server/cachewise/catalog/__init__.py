"""Providers, platforms, models and prices, as dated data, and the questions asked of it."""

from cachewise.catalog.load import build, builtin, parse
from cachewise.catalog.model import (
    Auth,
    Catalog,
    Conflict,
    Invalidation,
    Model,
    ObsoleteBeta,
    Platform,
    Prices,
    RequiredBeta,
    Semantics,
    Source,
    Tier,
)
from cachewise.catalog.prices import UnknownPrice, UnsupportedModifier, plain, prices_for
from cachewise.catalog.resolve import (
    UNKNOWN_PLATFORM,
    Lifecycle,
    Resolution,
    effective_minimum,
    effective_ttls,
    lifecycle,
    resolve,
)
from cachewise.catalog.urls import UrlTarget, target_of_url
from cachewise.catalog.usage import Bill, Usage, price_usage, read_usage

__all__ = [
    "UNKNOWN_PLATFORM",
    "Auth",
    "Bill",
    "Catalog",
    "Conflict",
    "Invalidation",
    "Lifecycle",
    "Model",
    "ObsoleteBeta",
    "Platform",
    "Prices",
    "RequiredBeta",
    "Resolution",
    "Semantics",
    "Source",
    "Tier",
    "UnknownPrice",
    "UnsupportedModifier",
    "UrlTarget",
    "Usage",
    "build",
    "builtin",
    "effective_minimum",
    "effective_ttls",
    "lifecycle",
    "parse",
    "plain",
    "price_usage",
    "prices_for",
    "read_usage",
    "resolve",
    "target_of_url",
]
