"""Read the packaged TOML files into a :class:`~cachewise.catalog.model.Catalog`.

:func:`builtin` is the way in. The files were validated by ``schema.py`` when the project was
tested, so they are read here without pydantic: importing it takes longer than all of this.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from cachewise.catalog.model import (
    UNKNOWN_PRICES,
    Auth,
    Catalog,
    Conflict,
    Invalidation,
    Model,
    ObsoleteBeta,
    PastPrices,
    Platform,
    Prices,
    RequiredBeta,
    Semantics,
    Source,
    Tier,
)
from cachewise.catalog.names import normalised

FILES = (
    "anthropic.toml",
    "claude_platform_aws.toml",
    "bedrock.toml",
    "google.toml",
    "azure.toml",
    "openai.toml",
    "dashscope.toml",
    "openrouter.toml",
    "litellm.toml",
)
"""The packaged files, in the order in which they are read. A new provider is one line here."""

Table = Mapping[str, Any]
"""A TOML table as the parser gives it; its shape is what ``schema.py`` says."""


@cache
def builtin() -> Catalog:
    """The catalog that is packaged with Cachewise; read once."""
    folder = Path(__file__).parent
    return build(parse((folder / name).read_text("utf-8")) for name in FILES)


def parse(text: str) -> Table:
    """The TOML tables of one provider's file, numbers with a point as exact decimals.

    Raises :class:`tomllib.TOMLDecodeError` when the text is not TOML.
    """
    return tomllib.loads(text, parse_float=Decimal)


def build(tables: Iterable[Table]) -> Catalog:
    """One catalog out of the tables of several files, which must follow ``schema.py``.

    A later file may add to an earlier one and may not repeat its ids: ``ValueError`` says which.
    """
    draft = _Draft()
    for table in tables:
        _read_file(draft, table)
    lookup = _lookup(draft.models.values())
    return Catalog(
        models=MappingProxyType(draft.models),
        platforms=MappingProxyType(draft.platforms),
        semantics=MappingProxyType(draft.semantics),
        invalidation=MappingProxyType(draft.invalidation),
        beta_headers_obsolete=MappingProxyType(draft.obsolete),
        beta_required=MappingProxyType(draft.required),
        auth=tuple(draft.auth),
        lookup=MappingProxyType(lookup),
        series=tuple(draft.series),
        updated=draft.updated,
    )


@dataclass
class _Draft:
    models: dict[str, Model] = field(default_factory=dict[str, Model])
    platforms: dict[str, Platform] = field(default_factory=dict[str, Platform])
    semantics: dict[str, Semantics] = field(default_factory=dict[str, Semantics])
    invalidation: dict[str, Invalidation] = field(default_factory=dict[str, Invalidation])
    obsolete: dict[str, ObsoleteBeta] = field(default_factory=dict[str, ObsoleteBeta])
    required: dict[str, RequiredBeta] = field(default_factory=dict[str, RequiredBeta])
    auth: list[Auth] = field(default_factory=list[Auth])
    series: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    updated: date = date.min


class _Sources:
    """The sources of one file, and the joined ones that its values refer to."""

    def __init__(self, table: Table) -> None:
        self._by_tag = {
            tag: Source(tag, entry["what"], entry["checked"]) for tag, entry in table.items()
        }

    def __getitem__(self, tags: str) -> Source:
        known = self._by_tag.get(tags)
        if known is None:
            parts = [self._by_tag[tag] for tag in tags.split("+")]
            known = Source(
                tags,
                "; ".join(part.what for part in parts),
                min(part.checked for part in parts),
            )
            self._by_tag[tags] = known
        return known

    def all_of(self, table: Table) -> Mapping[str, Source]:
        return {key: self[tags] for key, tags in table.items()}


def _read_file(draft: _Draft, table: Table) -> None:
    provider: str = table["provider"]
    sources = _Sources(table["sources"])
    draft.updated = max(draft.updated, table["updated"])
    for entry in table.get("platform", ()):
        _add(draft.platforms, entry["id"], _platform(provider, sources, entry))
    for entry in table.get("semantics", ()):
        _add(
            draft.semantics,
            entry["name"],
            Semantics(
                entry["name"],
                entry["matches_unmarked"],
                entry["sentence"],
                sources[entry["source"]],
            ),
        )
    for entry in table.get("invalidation", ()):
        tools, system, messages = entry["levels"]
        _add(
            draft.invalidation,
            entry["change"],
            Invalidation(
                entry["change"],
                entry["title"],
                tools,
                system,
                messages,
                entry.get("note", ""),
                sources[entry["source"]],
            ),
        )
    for entry in table.get("beta_obsolete", ()):
        _add(
            draft.obsolete,
            entry["header"],
            ObsoleteBeta(entry["header"], entry["since"], entry["note"], sources[entry["source"]]),
        )
    for entry in table.get("beta_required", ()):
        _add(
            draft.required,
            entry["feature"],
            RequiredBeta(
                entry["feature"], entry["header"], entry["note"], sources[entry["source"]]
            ),
        )
    for entry in table.get("auth", ()):
        draft.auth.append(
            Auth(
                entry["client"],
                entry["method"],
                entry["caching"],
                entry["note"],
                sources[entry["source"]],
            )
        )
    _read_models(draft, provider, sources, table)


def _read_models(draft: _Draft, provider: str, sources: _Sources, table: Table) -> None:
    default_sources = sources.all_of(table.get("default_sources", {}))
    defaults: Table = table.get("model_defaults", {})
    successors: Table = table.get("successors", {})
    aliases: list[tuple[str, str]] = []
    for entry in table.get("model", ()):
        target = entry.get("alias_of")
        if target is not None:
            aliases.append((entry["id"], target))
            # The place is kept so that the catalog lists ids in the order of the file.
            _add(draft.models, entry["id"], None)
        else:
            model = _model(provider, sources, default_sources, successors, {**defaults, **entry})
            _add(draft.models, entry["id"], model)
            draft.series += [(normalised(start), model.id) for start in entry.get("series", ())]
    for alias, target in aliases:
        draft.models[alias] = replace(draft.models[target], id=alias, alias_of=target, aliases=())


def _add(into: dict[str, Any], key: str, value: object) -> None:
    if key in into:
        raise ValueError(f"The catalog has two entries named {key!r}.")
    into[key] = value


def _model(
    provider: str,
    sources: _Sources,
    default_sources: Mapping[str, Source],
    successors: Table,
    entry: Table,
) -> Model:
    line: str = entry.get("line", "")
    status = entry["status"]
    newest = successors.get(line)
    if newest == entry["id"]:
        newest = None
    successor = entry.get("successor")
    stated = successor is not None
    if successor is None and status in ("legacy", "deprecated", "retired"):
        successor = newest
    fast = entry.get("fast")
    tool_prompt = entry.get("tool_prompt")
    ttls_by_platform: Table = entry.get("ttls_by_platform", {})
    platform_ids: Table = entry.get("platform_ids", {})
    own_sources = entry.get("sources")
    marked_blocks = entry.get("marked_blocks")
    return Model(
        id=entry["id"],
        provider=provider,
        name=entry["name"],
        line=line,
        alias_of=None,
        aliases=tuple(entry.get("aliases", ())),
        platform_ids={key: tuple(ids) for key, ids in platform_ids.items()},
        family=entry["family"],
        explicit=entry.get("explicit"),
        implicit=entry.get("implicit"),
        marked_blocks=tuple(marked_blocks) if marked_blocks is not None else None,
        minimum_tokens=entry.get("minimum_tokens"),
        minimum_by_platform=entry.get("minimum_by_platform", {}),
        minimum_verified=entry.get("minimum_verified", True),
        prices=_prices(entry["prices"]),
        prices_by_platform={
            key: _prices(value) for key, value in entry.get("prices_by_platform", {}).items()
        },
        prices_by_region={
            key: _prices(value) for key, value in entry.get("prices_by_region", {}).items()
        },
        tiers=tuple(
            Tier(tier["above_tokens"], _prices(tier["prices"])) for tier in entry.get("tiers", ())
        ),
        fast=_prices(fast) if fast is not None else None,
        fast_until=entry.get("fast_until"),
        past_prices=tuple(
            PastPrices(past["until"], _prices(past["prices"]))
            for past in entry.get("past_prices", ())
        ),
        modifiers=tuple(entry.get("modifiers", ())),
        context_window=entry.get("context_window"),
        max_output=entry.get("max_output"),
        status=status,
        released=entry.get("released"),
        deprecated_on=entry.get("deprecated_on"),
        retires=entry.get("retires"),
        retires_not_before=entry.get("retires_not_before"),
        retires_by_platform=entry.get("retires_by_platform", {}),
        available_platforms=tuple(entry.get("available_platforms", ())),
        successor=successor,
        successor_stated=stated,
        newest=newest,
        thinking=entry.get("thinking"),
        ttls=tuple(entry["ttls"]),
        ttls_by_platform={key: tuple(ttls) for key, ttls in ttls_by_platform.items()},
        tool_prompt=cast("tuple[int, int]", tuple(tool_prompt)) if tool_prompt else None,
        image_tier=entry.get("image_tier"),
        sources={**default_sources, **sources.all_of(own_sources)}
        if own_sources
        else default_sources,
        conflicts=_conflicts(entry),
    )


def _platform(provider: str, sources: _Sources, entry: Table) -> Platform:
    return Platform(
        id=entry["id"],
        provider=provider,
        name=entry["name"],
        hosts=tuple(entry.get("hosts", ())),
        serves=tuple(entry["serves"]),
        gateway=entry.get("gateway", False),
        proxy=entry.get("proxy", False),
        lifecycle_of=entry.get("lifecycle_of"),
        max_breakpoints=entry.get("max_breakpoints"),
        extra_breakpoints=entry.get("extra_breakpoints"),
        window=entry.get("window"),
        breakpoint_memory=entry.get("breakpoint_memory"),
        collapses_runs=entry.get("collapses_runs", False),
        marks_server_results=entry.get("marks_server_results", False),
        isolation=entry.get("isolation"),
        automatic=entry.get("automatic", False),
        automatic_refused=entry.get("automatic_refused", False),
        unsupported_ttl=entry.get("unsupported_ttl"),
        readable=entry.get("readable"),
        tools_markers=entry.get("tools_markers", False),
        implicit=entry.get("implicit", False),
        implicit_minimum=entry.get("implicit_minimum"),
        implicit_step=entry.get("implicit_step"),
        implicit_with_explicit=entry.get("implicit_with_explicit", False),
        markers=tuple(entry.get("markers", ())),
        ttl_seconds=entry.get("ttl_seconds", {}),
        semantics=tuple(entry.get("semantics", ())),
        count_tokens=entry.get("count_tokens", False),
        price_multipliers={
            key: Decimal(value) for key, value in entry.get("price_multipliers", {}).items()
        },
        web_search_usd=_money(entry.get("web_search_usd")),
        sources=sources.all_of(entry["sources"]),
        conflicts=_conflicts(entry),
    )


def _conflicts(entry: Table) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(item["field"], item["claims"], item["chosen"], item["reason"])
        for item in entry.get("conflicts", ())
    )


def _prices(entry: Table) -> Prices:
    if not entry:
        return UNKNOWN_PRICES
    return Prices(
        input=_money(entry.get("input")),
        write_5m=_money(entry.get("write_5m")),
        write_1h=_money(entry.get("write_1h")),
        read=_money(entry.get("read")),
        output=_money(entry.get("output")),
        implicit_read=_money(entry.get("implicit_read")),
    )


def _money(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _lookup(models: Iterable[Model]) -> dict[str, str]:
    """Every known spelling of an id, normalised, to the id of its row.

    A row's own id always wins over an alias of another row. Of two rows that share a platform's
    spelling the dated one has it, because the platform's spelling carries the date.
    """
    rows = list(models)
    lookup: dict[str, str] = {}
    for model in rows:
        if model.alias_of is None:
            spellings = [*model.aliases]
            for ids in model.platform_ids.values():
                spellings += ids
            for spelling in spellings:
                lookup.setdefault(normalised(spelling), model.id)
    for model in rows:
        lookup[normalised(model.id)] = model.id
    return lookup
