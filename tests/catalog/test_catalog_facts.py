"""The catalog says what the collected tables say, value for value."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from cachewise.catalog import (
    Catalog,
    Prices,
    effective_minimum,
    effective_ttls,
    plain,
    price_usage,
    prices_for,
    read_usage,
    resolve,
)

TODAY = date(2026, 11, 21)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def five(text: str) -> Prices:
    """Prices as the tables write them: input/5m/1h/read/output."""
    return Prices(*(Decimal(part) for part in text.split("/")))


def test_every_model_of_the_table(catalog: Catalog, facts: Path) -> None:
    for row in rows(facts / "anthropic_models.csv"):
        model = catalog.models[row["model"]]
        assert (model.alias_of is not None) == (row["kind"] == "alias"), row["model"]
        assert model.minimum_tokens == int(row["min_cache_tokens"].rstrip("?")), row["model"]
        assert model.minimum_verified == (not row["min_cache_tokens"].endswith("?")), row["model"]
        assert model.prices == Prices(
            *(Decimal(row[column]) for column in ("in", "w5m", "w1h", "read", "out"))
        ), row["model"]
        assert model.context_window == int(row["ctx"])
        assert model.max_output == int(row["max_out"])
        assert model.released == row["released"]
        status = row["status"].split(" ")[0]
        assert model.status == status, row["model"]
        assert ("bedrock" in model.available_platforms) == ("Bedrock" in row["status"])
        assert ("vertex" in model.available_platforms) == ("Google" in row["status"])
        if row["retires"].startswith("not before "):
            assert model.retires is None
            assert str(model.retires_not_before) == row["retires"].removeprefix("not before ")
        else:
            assert str(model.retires or "") == row["retires"], row["model"]
        thinking = row["thinking_kept"]
        assert (model.thinking or "unverified") == thinking, row["model"]
        assert (model.family == "claude-v3") == (row["tokenizer"] == "old"), row["model"]
        served = status not in ("retired",)
        assert served == (row["anthropic_direct"] == "yes"), row["model"]


def test_every_platform_id(catalog: Catalog, facts: Path) -> None:
    for row in rows(facts / "anthropic_platform_ids.csv"):
        model = catalog.models[row["first_party"]]
        assert row["bedrock"] in model.platform_ids["bedrock"]
        assert row["vertex"] in model.platform_ids["vertex"]
        for platform in ("bedrock", "vertex"):
            found = resolve(catalog, row[platform], platform)
            assert (found.id, found.platform) == (row["first_party"], platform)


def test_every_tool_prompt(catalog: Catalog, facts: Path) -> None:
    for row in rows(facts / "tool_use_system_tokens.csv"):
        found = resolve(catalog, row["model"], None)
        assert found.model is not None, row["model"]
        assert found.model.tool_prompt == (int(row["auto_none"]), int(row["any_tool"]))


def test_every_invalidation(catalog: Catalog, facts: Path) -> None:
    words = {"x": "lost", "ok": "kept", "model-specific": "model-specific"}
    table = rows(facts / "invalidation.csv")
    assert len(table) == len(catalog.invalidation)
    for row, ours in zip(table, catalog.invalidation.values(), strict=True):
        levels = [
            "model-specific"
            if "strip-models" in row[level]
            else words[row[level].split(" from ")[0]]
            for level in ("tools", "system", "messages")
        ]
        assert [ours.tools, ours.system, ours.messages] == levels, row["change"]


def test_every_price_modifier(catalog: Catalog, facts: Path) -> None:
    anthropic = catalog.platforms["anthropic"]
    bedrock = catalog.platforms["bedrock"]
    seen = set[str]()
    for row in rows(facts / "anthropic_price_modifiers.csv"):
        seen.add(row["rule"])
        match row["rule"]:
            case "batch":
                assert row["effect"].startswith("0.5x")
                assert anthropic.price_multipliers["batch"] == Decimal("0.5")
            case "inference_geo=us":
                assert row["effect"].startswith("1.1x")
                assert anthropic.price_multipliers["geo:us"] == Decimal("1.1")
            case "bedrock_regional":
                for prefix in row["applies_to"].split(" ")[0].replace("/", " ").split():
                    assert bedrock.price_multipliers[f"region:{prefix.rstrip('.')}"] == Decimal(
                        "1.1"
                    )
            case "bedrock_usgov":
                assert bedrock.price_multipliers["region:us-gov"] == Decimal("1.2")
            case "fast":
                for model in row["applies_to"].split(" "):
                    assert catalog.models[model].fast == five(row["effect"])
            case "long_context_100k":
                (tier,) = catalog.models[row["applies_to"]].tiers
                assert tier.above_tokens == 100_000
                assert tier.prices == five("0.50/0.625/1/0.05/2.50")
                assert "0.50/0.625/1/0.05/2.50" in row["effect"]
            case "long_context_200k":
                assert row["effect"].startswith("REMOVED")
                for model in ("claude-sonnet-4-5", "claude-opus-4-6", "claude-sonnet-4-6"):
                    assert catalog.models[model].tiers == ()
            case "web_search":
                assert anthropic.web_search_usd == Decimal(10) / 1000
            case other:
                raise AssertionError(f"the table has a rule that no one compares: {other}")
    assert len(seen) == 8


def test_every_bedrock_minimum(catalog: Catalog, facts: Path) -> None:
    names = {
        "Fable 5": "claude-fable-5",
        "Mythos 5": "claude-mythos-5",
        "5.1": "claude-fable-5-1",
        "Opus 5": "claude-opus-5",
        "Opus 4.8": "claude-opus-4-8",
        "Sonnet 5": "claude-sonnet-5",
        "Sonnet 4.6": "claude-sonnet-4-6",
        "Sonnet 4.5": "claude-sonnet-4-5",
        "Sonnet 3.7": "claude-3-7-sonnet-20250219",
        "Sonnet 3.5 v2": "claude-3-5-sonnet-20241022",
        "Opus 4.7": "claude-opus-4-7",
        "Opus 4.6": "claude-opus-4-6",
        "Opus 4.5": "claude-opus-4-5",
        "Haiku 4.5": "claude-haiku-4-5",
        "Mythos Preview": "claude-mythos-preview",
        "Amazon Nova": "amazon-nova-pro",
    }
    compared = set[str]()
    for row in rows(facts / "bedrock_min.csv"):
        for written in re.sub(r"\s*\(.*?\)", "", row["model"]).split(" / "):
            model = catalog.models[names[written]]
            assert effective_minimum(model, "bedrock") == int(row["min_tokens"]), written
            assert effective_ttls(model, "bedrock") == tuple(row["ttl"].split("|")), written
            assert (model.marked_blocks == ("text",)) == (row["fields"] == "text only")
            compared.add(written)
    assert compared == set(names)
    assert catalog.platforms["bedrock"].max_breakpoints == 4


def test_every_qwen_price(catalog: Catalog, facts: Path) -> None:
    dashscope = catalog.platforms["dashscope"]
    previous: tuple[str, int] | None = None
    for row in rows(facts / "qwen.csv"):
        model = catalog.models[row["model"]]
        top = int(row["tier_max_in"]) if row["tier_max_in"] else 1
        above = previous[1] if previous is not None and previous[0] == row["model"] else 0
        price = Decimal(row["in"])
        for tokens in {above + 1, top}:
            found = prices_for(model, platform=dashscope, total_input_tokens=tokens)
            assert found.input == price, (row["model"], tokens)
            assert found.output == Decimal(row["out"])
            assert found.write_5m == (Decimal(row["write"]) if row["write"] else price * 5 / 4)
            assert found.read == (
                Decimal(row["explicit_read"]) if row["explicit_read"] else price / 10
            )
            if row["implicit_read"]:
                assert found.implicit_read == Decimal(row["implicit_read"])
            elif "exception" in row["src"]:
                assert found.implicit_read is None
            else:
                assert found.implicit_read == price / 5
        previous = (row["model"], top)


def test_every_price_of_openai_and_google(catalog: Catalog, facts: Path) -> None:
    for row in rows(facts / "others.csv"):
        model = catalog.models[row["model"]]
        assert model.provider == row["vendor"]
        assert model.minimum_tokens == int(row["min_tokens"])
        assert model.prices.input == Decimal(row["in"])
        # Without a price of their own, written tokens are plain input.
        assert model.prices.write_5m == Decimal(row["write"] or row["in"])
        assert model.prices.read == Decimal(row["read"])
        assert model.prices.output == Decimal(row["out"])
        assert model.explicit == bool(row["write"])


def test_every_golden_figure(catalog: Catalog, facts: Path) -> None:
    anthropic = catalog.platforms["anthropic"]
    compared = 0
    for example in json.loads((facts / "golden.json").read_text("utf-8")):
        usage = read_usage(example["usage"])
        assert usage is not None
        if "total_input" in example:
            assert usage.total_input == example["total_input"]
        for key in ("cost_usd", "token_cost_usd"):
            for written, expected in example.get(key, {}).items():
                model = resolve(catalog, written, None).model
                assert model is not None
                bill = price_usage(usage, model, anthropic, today=TODAY)
                assert plain(bill.total) == expected, (example["id"], written)
                assert sum(bill.parts.values()) == bill.total
                compared += 1
        for written, expected in example.get("uncached_usd", {}).items():
            model = resolve(catalog, written, None).model
            assert model is not None
            uncached = read_usage(
                {"input_tokens": usage.total_input, "output_tokens": usage.output}
            )
            assert uncached is not None
            bill = price_usage(uncached, model, anthropic, today=TODAY)
            assert plain(bill.total) == expected, (example["id"], written)
            compared += 1
    assert compared == 39
