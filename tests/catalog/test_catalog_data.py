"""The data files themselves: their shape, that every value has a source, and overrides."""

from __future__ import annotations

import copy
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cachewise import catalog as catalog_package
from cachewise.catalog import Catalog, Source, build, effective_minimum, parse, resolve
from cachewise.catalog.load import FILES
from cachewise.catalog.model import PLATFORM_FACTS, SOURCE_GROUPS, Model
from cachewise.catalog.schema import OverrideError, check_file, schema_text, with_overrides

FOLDER = Path(catalog_package.__file__).parent
SETTINGS = Source("settings", "cachewise.toml", date(2026, 11, 22))


def table(name: str) -> dict[str, Any]:
    return copy.deepcopy(dict(parse((FOLDER / name).read_text("utf-8"))))


# Shape and sources


@pytest.mark.parametrize("name", FILES)
def test_file_follows_the_schema(name: str) -> None:
    check_file(table(name))


def test_every_file_is_read() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == set(FILES)


def test_schema_json_is_current() -> None:
    text = (FOLDER / "schema.json").read_text("utf-8")
    assert text == schema_text(), "run: python -m cachewise.catalog.schema"
    for name in FILES:
        assert (FOLDER / name).read_text("utf-8").startswith("#:schema ./schema.json\n")


def _without_source_tag(entry: dict[str, Any]) -> None:
    del entry["sources"]["GENAI"]


def _without_date(entry: dict[str, Any]) -> None:
    del entry["sources"]["GENAI"]["checked"]


def _without_default_group(entry: dict[str, Any]) -> None:
    del entry["default_sources"]["minimum"]


def _with_unknown_group(entry: dict[str, Any]) -> None:
    entry["model"][0]["sources"]["minimums"] = "GENAI"


def _with_unknown_key(entry: dict[str, Any]) -> None:
    entry["model"][0]["minimum"] = 512


def _with_unused_source(entry: dict[str, Any]) -> None:
    entry["sources"]["RUMOUR"] = {"what": "a rumour", "checked": date(2026, 11, 21)}


def _with_source_from_the_future(entry: dict[str, Any]) -> None:
    entry["sources"]["GENAI"]["checked"] = date(2027, 1, 1)


def _with_negative_price(entry: dict[str, Any]) -> None:
    entry["model"][0]["prices"]["read"] = Decimal("-0.1")


def _with_platform_without_source(entry: dict[str, Any]) -> None:
    entry["platform"][0]["sources"] = {"prices": "GENAI"}


def _with_tiers_out_of_order(entry: dict[str, Any]) -> None:
    prices = {"input": 1}
    entry["model"][0]["tiers"] = [
        {"above_tokens": 20, "prices": prices},
        {"above_tokens": 10, "prices": prices},
    ]


def _with_conflict_without_source(entry: dict[str, Any]) -> None:
    entry["model"][0]["conflicts"] = [
        {"field": "prices", "claims": {"HEARSAY": "9"}, "chosen": "9", "reason": "none"}
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_source_tag,
        _without_date,
        _without_default_group,
        _with_unknown_group,
        _with_unknown_key,
        _with_unused_source,
        _with_source_from_the_future,
        _with_negative_price,
        _with_platform_without_source,
        _with_tiers_out_of_order,
        _with_conflict_without_source,
    ],
)
def test_a_spoilt_file_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    entry = table("anthropic.toml")
    spoil(entry)
    with pytest.raises(ValidationError):
        check_file(entry)


def unsourced(catalog: Catalog) -> list[str]:
    """Every value of the catalog that has no source, or one that names no place or no fit date."""

    def is_fit(source: Source | None) -> bool:
        return (
            source is not None
            and bool(source.tag and source.what)
            and date(2026, 1, 1) <= source.checked <= catalog.updated
        )

    found = [
        f"{model.id}: {group}"
        for model in catalog.models.values()
        for group, names in SOURCE_GROUPS.items()
        if any(getattr(model, name) not in (None, (), {}, "") for name in names)
        and not is_fit(model.sources.get(group))
    ]
    for platform in catalog.platforms.values():
        if not is_fit(platform.sources.get("default")):
            found.append(platform.id)
        found += [
            f"{platform.id}: {fact}"
            for fact, source in platform.sources.items()
            if fact not in ("default", *PLATFORM_FACTS) or not is_fit(source)
        ]
    for entry in (
        *catalog.semantics.values(),
        *catalog.invalidation.values(),
        *catalog.beta_headers_obsolete.values(),
        *catalog.beta_required.values(),
        *catalog.auth,
    ):
        if not is_fit(entry.source):
            found.append(repr(entry))
    return found


def test_every_value_has_a_source_and_a_date(catalog: Catalog) -> None:
    assert unsourced(catalog) == []


@pytest.mark.parametrize("group", ["minimum", "prices", "ttls", "lifecycle", "limits"])
@pytest.mark.parametrize(
    "source",
    [
        None,
        Source("", "a page", date(2026, 11, 1)),
        Source("PAGE", "", date(2026, 11, 1)),
        Source("PAGE", "a page", date(2025, 11, 1)),
        Source("PAGE", "a page", date(2027, 11, 1)),
    ],
    ids=["none", "no tag", "no place", "too old", "from the future"],
)
def test_a_value_without_source_or_date_is_seen(
    catalog: Catalog, group: str, source: Source | None
) -> None:
    for id_ in ("claude-sonnet-4-6", "gpt-5.6", "qwen3.7-plus"):
        model = catalog.models[id_]
        sources = {key: value for key, value in model.sources.items() if key != group}
        if source is not None:
            sources[group] = source
        spoilt = dataclasses.replace(model, sources=sources)
        found = unsourced(dataclasses.replace(catalog, models={**catalog.models, id_: spoilt}))
        assert found == [f"{id_}: {group}"]


def test_a_platform_without_source_is_seen(catalog: Catalog) -> None:
    spoilt = dataclasses.replace(catalog.platforms["dashscope"], sources={})
    platforms = {**catalog.platforms, "dashscope": spoilt}
    assert unsourced(dataclasses.replace(catalog, platforms=platforms)) == ["dashscope"]


@pytest.mark.parametrize("name", FILES)
def test_no_file_may_leave_out_a_date_a_place_or_a_source(name: str) -> None:
    for tag in table(name)["sources"]:
        for part in ("checked", "what", None):
            entry = table(name)
            if part is None:
                del entry["sources"][tag]
            else:
                del entry["sources"][tag][part]
            with pytest.raises(ValidationError):
                check_file(entry)


def test_every_field_belongs_to_one_group() -> None:
    grouped = [name for names in SOURCE_GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    fields = {field.name for field in dataclasses.fields(Model)}
    assert set(grouped) == fields - {"sources", "conflicts"}


def test_a_joined_source_has_the_oldest_date() -> None:
    entry = table("anthropic.toml")
    entry["sources"]["GENAI"]["checked"] = date(2026, 10, 1)
    model = build([entry]).models["claude-opus-5"]
    assert model.sources["prices"].tag == "PRICING+LITELLM+GENAI"
    assert model.sources["prices"].checked == date(2026, 10, 1)


def test_an_id_cannot_be_given_twice() -> None:
    with pytest.raises(ValueError, match="two entries named 'anthropic'"):
        build([table("anthropic.toml"), table("anthropic.toml")])


def test_references_lead_somewhere(catalog: Catalog) -> None:
    for model in catalog.models.values():
        assert model.alias_of is None or model.alias_of in catalog.models
        for mapping in (
            model.platform_ids,
            model.minimum_by_platform,
            model.prices_by_platform,
            model.ttls_by_platform,
            model.retires_by_platform,
        ):
            assert set(mapping) <= set(catalog.platforms)
        assert set(model.available_platforms) <= set(catalog.platforms)
    for platform in catalog.platforms.values():
        assert set(platform.semantics) <= set(catalog.semantics)
        for model in catalog.models.values():
            if model.explicit and model.provider in platform.serves and platform.ttl_seconds:
                assert set(model.ttls) <= {*platform.ttl_seconds, "30m", "12h"}
    assert set(catalog.lookup.values()) <= set(catalog.models)
    assert {id_ for _, id_ in catalog.series} <= set(catalog.models)


def test_an_alias_has_the_values_of_its_row(catalog: Catalog) -> None:
    for model in catalog.models.values():
        if model.alias_of is not None:
            row = catalog.models[model.alias_of]
            assert dataclasses.replace(row, id=model.id, alias_of=row.id, aliases=()) == model


def test_a_longer_lifetime_costs_more_and_a_read_less(catalog: Catalog) -> None:
    for model in catalog.models.values():
        prices = model.prices
        if prices.input is None or prices.read is None:
            continue
        assert prices.write_5m is not None
        assert prices.read < prices.input <= prices.write_5m
        if prices.write_1h is not None:
            assert prices.write_5m < prices.write_1h


def test_platforms_as_documented(catalog: Catalog) -> None:
    anthropic = catalog.platforms["anthropic"]
    assert (anthropic.max_breakpoints, anthropic.window) == (4, 20)
    assert anthropic.ttl_seconds == {"5m": 300, "1h": 3600}
    collapsing = {p.id for p in catalog.platforms.values() if p.collapses_runs}
    assert collapsing == {"anthropic"}
    dashscope = catalog.platforms["dashscope"]
    assert dashscope.extra_breakpoints == "last-win"
    assert dashscope.readable == "response-ends"
    assert not dashscope.tools_markers
    assert dashscope.implicit and not dashscope.implicit_with_explicit
    openai = catalog.platforms["openai"]
    assert (openai.window, openai.breakpoint_memory) == (None, 80)
    assert not catalog.platforms["bedrock"].automatic
    assert catalog.platforms["bedrock-mantle"].automatic
    isolation = {p.id: p.isolation for p in catalog.platforms.values() if p.isolation}
    assert isolation == {
        "anthropic": "workspace",
        "claude-platform-aws": "workspace",
        "foundry": "workspace",
        "bedrock": "organisation",
        "bedrock-mantle": "organisation",
        "vertex": "organisation",
        "dashscope": "account",
    }


def test_semantics(catalog: Catalog) -> None:
    assert not catalog.semantics["current"].matches_unmarked
    assert catalog.semantics["2025-11"].matches_unmarked
    assert catalog.platforms["anthropic"].semantics == ("current", "2025-11")


def test_obsolete_headers(catalog: Catalog) -> None:
    assert set(catalog.beta_headers_obsolete) == {
        "prompt-caching-2024-07-31",
        "extended-cache-ttl-2025-04-11",
        "token-counting-2024-11-01",
        "cache-diagnosis-2026-04-07",
    }
    for header in catalog.beta_headers_obsolete.values():
        assert header.since == date(2026, 11, 16)


def test_models_can_be_keys(catalog: Catalog) -> None:
    assert len(set(catalog.models.values())) == len(catalog.models)
    assert len(set(catalog.platforms.values())) == len(catalog.platforms)
    assert hash(resolve(catalog, "claude-opus-5", None)) is not None


def test_signing_in(catalog: Catalog) -> None:
    caching = {(auth.client, auth.method): auth.caching for auth in catalog.auth}
    assert caching["qwen-code", "openai"]
    assert caching["qwen-code", "vertex-ai"]
    assert not caching["qwen-code", "oauth-personal"]


def test_reading_does_not_import_pydantic() -> None:
    code = (
        "import sys; from cachewise.catalog import builtin, resolve; "
        "resolve(builtin(), 'us.anthropic.claude-opus-5', None); "
        "print([m for m in ('pydantic', 'httpx', 'pygls') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


# Overrides


def test_one_price_is_replaced(catalog: Catalog) -> None:
    changed = with_overrides(
        catalog, {"claude-sonnet-4-5": {"prices": {"input": "2.4"}}}, source=SETTINGS
    )
    for id_ in ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"):
        prices = changed.models[id_].prices
        assert (prices.input, prices.read) == (Decimal("2.4"), Decimal("0.30"))
        assert changed.models[id_].sources["prices"] == SETTINGS
        assert changed.models[id_].sources["minimum"].tag != "settings"
    assert catalog.models["claude-sonnet-4-5"].prices.input == 3
    assert changed.updated == SETTINGS.checked


def test_any_spelling_names_the_model(catalog: Catalog) -> None:
    changed = with_overrides(
        catalog, {"anthropic.claude-opus-4-7": {"minimum_tokens": 1024}}, source=SETTINGS
    )
    model = changed.models["claude-opus-4-7"]
    assert effective_minimum(model, "bedrock") == effective_minimum(model, "anthropic") == 1024


def test_own_prices_have_no_tiers(catalog: Catalog) -> None:
    changed = with_overrides(
        catalog, {"claude-haiku-5-5": {"prices": {"input": 1}}}, source=SETTINGS
    )
    assert changed.models["claude-haiku-5-5"].tiers == ()
    tiers = [{"above_tokens": 10, "prices": {"input": "9"}}]
    tiered = with_overrides(catalog, {"claude-haiku-5-5": {"tiers": tiers}}, source=SETTINGS)
    (tier,) = tiered.models["claude-haiku-5-5"].tiers
    assert (tier.above_tokens, tier.prices.input, tier.prices.read) == (10, Decimal(9), None)


def test_an_id_of_ones_own(catalog: Catalog) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
    changed = with_overrides(catalog, {arn: {"like": "claude-opus-4-7"}}, source=SETTINGS)
    found = resolve(changed, arn, None)
    assert found.known and found.model is not None
    assert (found.id, found.platform) == (arn, "bedrock")
    assert effective_minimum(found.model, "bedrock") == 4096
    assert not resolve(catalog, arn, None).known


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"claude-sonet": {"prices": {"input": 1}}}, "no model 'claude-sonet'"),
        ({"mine": {"like": "yours"}}, "no model 'yours'"),
        ({"claude-opus-5": {"prices": {"input": -1}}}, r"claude-opus-5: prices.input"),
        ({"claude-opus-5": {"prices": {"inputs": 1}}}, r"claude-opus-5: prices.inputs"),
        ({"claude-opus-5": {"minimum_tokens": "many"}}, r"claude-opus-5: minimum_tokens"),
        ({"claude-opus-5": {"ttls": ["5 minutes"]}}, r"claude-opus-5: ttls"),
        ({"claude-opus-5": 3}, "claude-opus-5"),
    ],
)
def test_a_wrong_override_is_refused(
    catalog: Catalog, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(OverrideError, match=message):
        with_overrides(catalog, overrides, source=SETTINGS)


def test_schema_is_a_json_schema() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert {"provider", "sources", "model"} <= set(schema["properties"])
