"""The shape of a catalog file, checked: for tests, editors, settings and downloaded updates.

Reading the packaged files does not need this module (``load.py`` does it without pydantic); a
file from anywhere else goes through :func:`check_file` or :func:`with_overrides` first.

``python -m cachewise.catalog.schema`` writes ``schema.json``, with which an editor completes and
checks the TOML files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cachewise.catalog.model import (
    PLATFORM_FACTS,
    SOURCE_GROUPS,
    Catalog,
    Level,
    Model,
    Prices,
    Source,
    Tier,
)
from cachewise.catalog.names import normalised

Tokens = Annotated[int, Field(ge=0, description="A number of tokens.")]
Usd = Annotated[Decimal, Field(ge=0, description="USD per million tokens.")]
Tag = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9-]+(\+[A-Za-z0-9-]+)*$",
        description="Names of entries of [sources], joined with +.",
    ),
]
Ttl = Annotated[str, Field(pattern=r"^\d+[mh]$", description="A lifetime: 5m, 1h.")]
Text = Annotated[str, Field(min_length=1)]
Day = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceEntry(_Strict):
    """A place that values come from, and the day on which they were last compared with it."""

    what: Text
    checked: date


class PricesEntry(_Strict):
    """USD per million tokens; what is left out is not known."""

    input: Usd | None = None
    write_5m: Usd | None = Field(default=None, description="A write with the shorter lifetime.")
    write_1h: Usd | None = Field(default=None, description="A write with the longer lifetime.")
    read: Usd | None = None
    output: Usd | None = None
    implicit_read: Usd | None = Field(default=None, description="A read that needs no marker.")


class TierEntry(_Strict):
    """Prices of the whole request above a size."""

    above_tokens: Tokens
    prices: PricesEntry


class PastPricesEntry(_Strict):
    """Prices in force before a day."""

    until: date
    prices: PricesEntry


class ConflictEntry(_Strict):
    """Sources that disagree, the choice and the reason."""

    field: Text
    claims: dict[Tag, Text]
    chosen: Text
    reason: Text


class _Values(_Strict):
    """What a model has; all of it may also stand in [model_defaults]."""

    line: str = ""
    family: Text | None = Field(default=None, description="Tokenizer family.")
    explicit: bool | None = None
    implicit: bool | None = None
    marked_blocks: list[str] | None = None
    minimum_tokens: Tokens | None = None
    minimum_by_platform: dict[str, Tokens] = {}
    minimum_verified: bool = True
    prices_by_platform: dict[str, PricesEntry] = {}
    prices_by_region: dict[str, PricesEntry] = {}
    tiers: list[TierEntry] = []
    fast: PricesEntry | None = None
    fast_until: date | None = None
    past_prices: list[PastPricesEntry] = []
    modifiers: list[Literal["batch", "geo", "regional"]] = []
    context_window: Tokens | None = None
    max_output: Tokens | None = None
    status: Literal["active", "limited", "legacy", "deprecated", "retired"] | None = None
    released: Day | None = None
    deprecated_on: date | None = None
    retires: date | None = None
    retires_not_before: date | None = None
    retires_by_platform: dict[str, date] = {}
    available_platforms: list[str] = []
    successor: Text | None = None
    thinking: Literal["keep", "strip"] | None = None
    ttls: list[Ttl] | None = None
    ttls_by_platform: dict[str, list[Ttl]] = {}
    tool_prompt: tuple[Tokens, Tokens] | None = None
    image_tier: Literal["standard", "high"] | None = None
    sources: dict[str, Tag] = {}
    conflicts: list[ConflictEntry] = []


class AliasEntry(_Strict):
    """An id that always means another row."""

    id: Text
    alias_of: Text


class ModelEntry(_Values):
    """One model."""

    id: Text
    name: Text
    aliases: list[Text] = []
    series: list[Text] = Field(default=[], description="Beginnings of ids that share this row.")
    platform_ids: dict[str, list[Text]] = {}
    prices: PricesEntry

    @model_validator(mode="after")
    def _in_order(self) -> ModelEntry:
        limits = [tier.above_tokens for tier in self.tiers]
        if limits != sorted(set(limits)):
            raise ValueError("tiers must stand in ascending order of above_tokens")
        if self.fast_until is not None and self.fast is None:
            raise ValueError("fast_until without fast")
        days = [past.until for past in self.past_prices]
        if days != sorted(set(days)):
            raise ValueError("past_prices must stand in ascending order of until")
        return self


class PlatformEntry(_Strict):
    """One place where requests are sent."""

    id: Text
    name: Text
    hosts: list[Text] = []
    serves: list[Text]
    gateway: bool = False
    proxy: bool = False
    lifecycle_of: Text | None = None
    max_breakpoints: int | None = Field(default=None, ge=0)
    extra_breakpoints: Literal["rejected", "last-win"] | None = None
    window: int | None = Field(default=None, ge=1)
    breakpoint_memory: int | None = Field(default=None, ge=1)
    collapses_runs: bool = False
    marks_server_results: bool = False
    isolation: Literal["workspace", "organisation", "account"] | None = None
    automatic: bool = False
    automatic_refused: bool = False
    unsupported_ttl: Literal["rejected", "ignored"] | None = None
    readable: Literal["response-begins", "response-ends"] | None = None
    tools_markers: bool = False
    implicit: bool = False
    implicit_minimum: Tokens | None = None
    implicit_step: Tokens | None = None
    implicit_with_explicit: bool = False
    markers: list[Text] = []
    ttl_seconds: dict[Ttl, Annotated[int, Field(gt=0)]] = {}
    semantics: list[Text] = []
    count_tokens: bool = False
    price_multipliers: dict[str, Annotated[Decimal, Field(gt=0)]] = {}
    web_search_usd: Annotated[Decimal, Field(ge=0)] | None = None
    sources: dict[str, Tag]
    conflicts: list[ConflictEntry] = []


class SemanticsEntry(_Strict):
    """A reading of how a breakpoint finds an earlier entry."""

    name: Text
    matches_unmarked: bool
    sentence: Text
    source: Tag


class InvalidationEntry(_Strict):
    """What a change costs; ``levels`` are tools, system, messages."""

    change: Text
    title: Text
    levels: tuple[Level, Level, Level]
    note: str = ""
    source: Tag


class ObsoleteBetaEntry(_Strict):
    """A beta header that is no longer needed."""

    header: Text
    since: date
    note: Text
    source: Tag


class RequiredBetaEntry(_Strict):
    """A feature that needs a beta header."""

    feature: Text
    header: Text
    note: Text
    source: Tag


class AuthEntry(_Strict):
    """A way of signing in to a client, and whether it caches."""

    client: Text
    method: Text
    caching: bool
    note: Text
    source: Tag


class CatalogFile(_Strict):
    """One provider's file."""

    provider: Text
    name: Text
    updated: date
    sources: dict[str, SourceEntry]
    default_sources: dict[str, Tag] = {}
    successors: dict[str, str] = {}
    model_defaults: _Values = _Values()
    platform: list[PlatformEntry] = []
    semantics: list[SemanticsEntry] = []
    invalidation: list[InvalidationEntry] = []
    beta_obsolete: list[ObsoleteBetaEntry] = []
    beta_required: list[RequiredBetaEntry] = []
    auth: list[AuthEntry] = []
    model: list[AliasEntry | ModelEntry] = []

    @model_validator(mode="after")
    def _everything_has_a_source(self) -> CatalogFile:
        problems = [
            *_unknown_tags(self),
            *_models_without_source(self),
            *_platforms_without_source(self),
        ]
        problems += [
            f"[sources] {tag} was checked after the file was updated"
            for tag, source in self.sources.items()
            if source.checked > self.updated
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def check_file(table: Mapping[str, Any]) -> CatalogFile:
    """Check the parsed TOML of one file; raises :class:`pydantic.ValidationError`."""
    return CatalogFile.model_validate(table)


def schema_text() -> str:
    """The JSON schema of a catalog file, as it stands in ``schema.json``."""
    schema = CatalogFile.model_json_schema()
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


# Overrides


class ModelOverride(_Strict):
    """What settings or an update may say about one model; what they leave out stays."""

    like: Text | None = Field(
        default=None, description="Take everything else from this model: for ids of one's own."
    )
    prices: PricesEntry | None = None
    tiers: list[TierEntry] | None = None
    fast: PricesEntry | None = None
    minimum_tokens: Tokens | None = None
    context_window: Tokens | None = None
    max_output: Tokens | None = None
    status: Literal["active", "limited", "legacy", "deprecated", "retired"] | None = None
    retires: date | None = None
    successor: Text | None = None
    ttls: list[Ttl] | None = None
    thinking: Literal["keep", "strip"] | None = None


class OverrideError(ValueError):
    """An override that cannot be used; the message names the model and the key."""


def with_overrides(
    catalog: Catalog, overrides: Mapping[str, Mapping[str, Any]], *, source: Source
) -> Catalog:
    """The catalog with some values replaced, ``source`` vouching for them.

    ``overrides`` maps model ids (any known spelling, or a new id with ``like``) to tables of the
    shape of :class:`ModelOverride`; single prices may be given. An alias and the row it stands
    for change together. Raises :class:`OverrideError`.
    """
    models = dict(catalog.models)
    lookup = dict(catalog.lookup)
    for written, table in overrides.items():
        try:
            override = ModelOverride.model_validate(table)
        except ValidationError as error:
            raise OverrideError(f"{written}: {_first_problem(error)}") from error
        base = lookup.get(normalised(override.like or written))
        if base is None:
            unknown = override.like or written
            raise OverrideError(
                f"{written}: the catalog has no model {unknown!r}. Give the id of a model that it "
                "has, or name one with 'like'."
            )
        if override.like is not None:
            own = replace(models[base], id=written, alias_of=None, aliases=(), platform_ids={})
            models[written] = _overridden(own, override, source)
            lookup[normalised(written)] = written
        else:
            target = models[base].alias_of or base
            for id_, model in list(models.items()):
                if id_ == target or model.alias_of == target:
                    models[id_] = _overridden(model, override, source)
    return replace(
        catalog,
        models=MappingProxyType(models),
        lookup=MappingProxyType(lookup),
        updated=max(catalog.updated, source.checked),
    )


def _overridden(model: Model, override: ModelOverride, source: Source) -> Model:
    changes: dict[str, Any] = {}
    for name in override.model_fields_set - {"like"}:
        value = getattr(override, name)
        if isinstance(value, PricesEntry):
            base = model.prices if name == "prices" else model.fast
            value = _merged(base, value)
        elif name == "tiers":
            value = _tiers(override.tiers)
        elif isinstance(value, list):
            value = tuple(cast("list[object]", value))
        changes[name] = value
        if name == "minimum_tokens":
            # The user's figure holds wherever the user sends the request.
            changes["minimum_by_platform"] = {}
            changes["minimum_verified"] = True
        elif name == "ttls":
            changes["ttls_by_platform"] = {}
        elif name == "prices":
            changes["prices_by_platform"] = {}
            changes["prices_by_region"] = {}
            changes["past_prices"] = ()
            if "tiers" not in override.model_fields_set:
                changes["tiers"] = ()
        elif name == "retires":
            changes["retires_by_platform"] = {}
        elif name == "successor":
            changes["successor_stated"] = True
    groups = {
        group for group, names in SOURCE_GROUPS.items() if any(name in changes for name in names)
    }
    sources = {**model.sources, **dict.fromkeys(groups, source)}
    return replace(model, **changes, sources=sources)


def _tiers(entries: Iterable[TierEntry] | None) -> tuple[Tier, ...]:
    return tuple(Tier(entry.above_tokens, _merged(None, entry.prices)) for entry in entries or ())


def _merged(base: Prices | None, entry: PricesEntry) -> Prices:
    given = {name: getattr(entry, name) for name in entry.model_fields_set}
    if base is None:
        return Prices(**{field.name: given.get(field.name) for field in fields(Prices)})
    return replace(base, **given)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}"


# What has to have a source


def _unknown_tags(file: CatalogFile) -> list[str]:
    used: list[str] = [*file.default_sources.values()]
    used += (entry.source for entry in file.semantics)
    used += (entry.source for entry in file.invalidation)
    used += (entry.source for entry in file.beta_obsolete)
    used += (entry.source for entry in file.beta_required)
    used += (entry.source for entry in file.auth)
    for entry in (*file.platform, *file.model):
        if not isinstance(entry, AliasEntry):
            used += entry.sources.values()
            for conflict in entry.conflicts:
                used += conflict.claims
    tags = {tag for joined in used for tag in joined.split("+")}
    unused = set(file.sources) - tags
    return [
        *(f"no source is named {tag}" for tag in sorted(tags - set(file.sources))),
        *(f"the source {tag} is never used" for tag in sorted(unused)),
    ]


def _models_without_source(file: CatalogFile) -> list[str]:
    problems: list[str] = []
    defaults = file.model_defaults.model_dump(exclude_defaults=True)
    for entry in file.model:
        if isinstance(entry, AliasEntry):
            continue
        sources = {**file.default_sources, **entry.sources}
        problems += [
            f"{entry.id}: sources has no group {group}"
            for group in entry.sources
            if group not in SOURCE_GROUPS
        ]
        given = {**defaults, **entry.model_dump(exclude_defaults=True)}
        problems += [
            f"{entry.id}: {name} has no source"
            for group, names in SOURCE_GROUPS.items()
            if group not in sources
            for name in names
            if name in given
        ]
        problems += [
            f"{entry.id}: {name} is missing"
            for name in ("family", "status", "ttls")
            if name not in given
        ]
    return problems


def _platforms_without_source(file: CatalogFile) -> list[str]:
    problems: list[str] = []
    for entry in file.platform:
        if "default" not in entry.sources:
            problems.append(f"{entry.id}: sources has no default")
        problems += [
            f"{entry.id}: sources has no fact {fact}"
            for fact in entry.sources
            if fact not in (*PLATFORM_FACTS, "default")
        ]
    return problems


if __name__ == "__main__":
    Path(__file__).with_name("schema.json").write_text(schema_text(), "utf-8")
