"""From a model id as somebody wrote it to the catalog's row, and what holds for that row where.

:func:`resolve` never guesses a model: an id that is not known is reported as unknown, with the
ids that look most like it, and everything that depends on it is then left unsaid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from cachewise.catalog.model import Catalog, Model, Platform, Status
from cachewise.catalog.names import Parts, normalised, swapped, take_apart

UNKNOWN_PLATFORM = "unknown"

_NEAREST = 3
_ALIKE = 0.7
_MAKERS: tuple[tuple[str, str], ...] = (
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("gemini", "google"),
    ("qwen", "alibaba"),
    ("qwq", "alibaba"),
    ("amazon-nova", "amazon"),
)
"""How the ids of each maker begin: enough to tell whose unknown model it is."""

_SNAPSHOT = re.compile(r"(.+)-20\d\d-\d\d-\d\d")
_VENDORS = {"anthropic": "anthropic", "openai": "openai", "google": "google", "amazon": "amazon"}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a written model id turned out to be.

    ``written`` is None when the request names no model. ``platform`` is the id of a platform of
    the catalog, or :data:`UNKNOWN_PLATFORM`. ``regional`` is the region that the id names
    (``us``, ``eu``, ``global``, ``us-gov``, or a location such as ``us-east5``). ``nearest`` holds
    up to three ids that look alike, and is empty when the model is known.
    """

    written: str | None
    id: str | None
    model: Model | None
    known: bool
    platform: str
    regional: str | None
    nearest: tuple[str, ...]


def resolve(catalog: Catalog, written: str | None, platform_hint: str | None) -> Resolution:
    """Find the model that ``written`` means.

    ``platform_hint`` is where the request is thought to go: from a URL, a setting or the shape of
    the body. A spelling that belongs to one platform alone (``us.anthropic.…``, ``…@20250929``)
    is stronger; a gateway's or a first-party spelling gives way to the hint.
    """
    if written is None or not written.strip():
        return Resolution(written, None, None, False, platform_hint or UNKNOWN_PLATFORM, None, ())
    parts = take_apart(written)
    # The whole spelling first: settings may have named an id that says nothing by itself.
    model = _find(catalog, normalised(written)) or _find(catalog, parts.name)
    platform = _platform(catalog, parts, model, platform_hint)
    if model is not None:
        return Resolution(written, model.id, model, True, platform, parts.region, ())
    nearest = _nearest(catalog, parts.name) if parts.name else ()
    return Resolution(written, None, None, False, platform, parts.region, nearest)


def effective_minimum(model: Model, platform_id: str) -> int | None:
    """Tokens that a prefix needs on this platform before it is cached; None when not known."""
    return model.minimum_by_platform.get(platform_id, model.minimum_tokens)


def effective_ttls(model: Model, platform_id: str) -> tuple[str, ...]:
    """Lifetimes that a marker may name for this model on this platform, the default first."""
    return model.ttls_by_platform.get(platform_id, model.ttls)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How a model stands on one platform on one day.

    ``retires`` is an announced date, past or coming; None when none is announced for this
    platform. ``not_before`` only promises that nothing happens earlier.
    """

    status: Status
    retires: date | None
    not_before: date | None


def lifecycle(
    catalog: Catalog, model: Model, platform_id: str, today: date | None = None
) -> Lifecycle:
    """Status and retirement of ``model`` on ``platform_id``.

    Anthropic's dates hold for the platforms that Anthropic runs (its own API, Claude Platform on
    AWS, Foundry); Amazon and Google set their own. A platform about which nothing is known gives
    status ``unknown``, unless the model is retired everywhere.
    """
    platform = catalog.platforms.get(platform_id)
    own_date = model.retires_by_platform.get(platform_id)
    if own_date is not None:
        gone = today is not None and today >= own_date
        return Lifecycle("retired" if gone else "deprecated", own_date, None)
    if platform is not None and platform.lifecycle_of == model.provider:
        past = model.retires is not None and today is not None and today >= model.retires
        status: Status = "retired" if past else model.status
        return Lifecycle(status, model.retires, model.retires_not_before)
    if platform_id in model.available_platforms:
        return Lifecycle("legacy", None, None)
    if model.status == "retired":
        if not model.available_platforms or not (platform is None or platform.gateway):
            return Lifecycle("retired", model.retires, None)
        return Lifecycle("unknown", None, None)
    if model.status == "deprecated":
        return Lifecycle("unknown", None, None)
    return Lifecycle(model.status, None, None)


def _find(catalog: Catalog, name: str | None) -> Model | None:
    if name is None:
        return None
    row = catalog.lookup.get(name)
    if row is None:
        other = swapped(name)
        row = None if other is None else catalog.lookup.get(other)
    if row is None:
        # OpenAI dates its snapshots 2024-08-06, and prices them as the undated name.
        dated = _SNAPSHOT.fullmatch(name)
        undated = None if dated is None else catalog.lookup.get(dated[1])
        if undated is not None and catalog.models[undated].provider == "openai":
            row = undated
    if row is None:
        row = next((id_ for start, id_ in catalog.series if name.startswith(start)), None)
    return None if row is None else catalog.models[row]


def _platform(catalog: Catalog, parts: Parts, model: Model | None, hint: str | None) -> str:
    if parts.platform is not None:
        # A hint may only sharpen what the spelling says: Bedrock's two endpoints share their ids.
        if hint is not None and hint.startswith(f"{parts.platform}-"):
            return hint
        return parts.platform
    maker = model.provider if model is not None else _maker(parts)
    hinted = None if hint is None else catalog.platforms.get(hint)
    if hint is not None and not _names_upstream(hinted, parts):
        if hinted is None or maker is None or _serves(hinted, maker):
            return hint
    elif hint is None and parts.dotted:
        return "openrouter"
    for platform in catalog.platforms.values():
        if platform.provider == maker and not platform.gateway:
            return platform.id
    return hint or UNKNOWN_PLATFORM


def _names_upstream(hinted: Platform | None, parts: Parts) -> bool:
    """Whether the prefix says where a proxy sends the request on to: its cache is the one used."""
    return hinted is not None and hinted.proxy and parts.vendor is not None


def _serves(platform: Platform, maker: str) -> bool:
    return maker in platform.serves or "*" in platform.serves


def _maker(parts: Parts) -> str | None:
    for start, maker in _MAKERS:
        if parts.name is not None and parts.name.startswith(start):
            return maker
    return _VENDORS.get(parts.vendor or "")


def _nearest(catalog: Catalog, name: str) -> tuple[str, ...]:
    found: list[str] = []
    for spelling in get_close_matches(name, catalog.lookup, n=4 * _NEAREST, cutoff=_ALIKE):
        # Another maker's model is never what was meant, however alike the letters are.
        if spelling[:2] == name[:2] or name in spelling:
            row = catalog.lookup[spelling]
            if row not in found:
                found.append(row)
    return tuple(found[:_NEAREST])
