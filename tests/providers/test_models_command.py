"""``cachewise models`` prints what the catalog holds, every value with its source and date."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cachewise.catalog import builtin
from cachewise.cli.main import main


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(("models", "--format", "json")) == 0
    return json.loads(capsys.readouterr().out)


def test_every_model_and_platform_with_dates(report: dict[str, Any]) -> None:
    catalog = builtin()
    assert [model["id"] for model in report["models"]] == list(catalog.models)
    assert [platform["id"] for platform in report["platforms"]] == list(catalog.platforms)
    for entry in (*report["models"], *report["platforms"]):
        assert entry["sources"], entry["id"]
        for source in entry["sources"].values():
            assert source["tag"]
            assert source["what"]
            assert date.fromisoformat(source["checked"]).isoformat() <= report["updated"]


def test_what_differs_by_platform_tier_and_region(report: dict[str, Any]) -> None:
    rows = {model["id"]: model for model in report["models"]}
    assert rows["qwen3.7-plus"]["tiers"] == [
        {
            "above_tokens": 256_000,
            "prices": {
                "input": "1.2",
                "write_5m": "1.5",
                "write_1h": None,
                "read": "0.12",
                "output": "4.8",
                "implicit_read": "0.24",
            },
        }
    ]
    assert rows["qwen3.7-plus"]["prices"]["implicit_read"] == "0.08"
    assert rows["claude-opus-4-7"]["minimum_by_platform"] == {"bedrock": 4096}
    assert rows["claude-opus-4-7"]["conflicts"][0]["field"] == "minimum_tokens"
    assert rows["amazon-nova-pro"]["prices_by_region"]["eu"]["input"] == "1.05"
    assert rows["claude-3-7-sonnet-20250219"]["ttls_by_platform"] == {"bedrock": ["5m"]}
    platforms = {platform["id"]: platform for platform in report["platforms"]}
    dashscope = platforms["dashscope"]
    assert (dashscope["max_breakpoints"], dashscope["extra_breakpoints"]) == (4, "last-win")
    assert (dashscope["window"], dashscope["tools_markers"]) == (20, False)
    assert platforms["bedrock"]["price_multipliers"]["region:us"] == "1.1"
    # Not known is told as such, and never as nought.
    assert platforms["azure"]["max_breakpoints"] is None


def test_one_providers_platforms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("models", "--provider", "alibaba", "--format", "json")) == 0
    report = json.loads(capsys.readouterr().out)
    assert [platform["id"] for platform in report["platforms"]] == ["dashscope"]
    assert {model["provider"] for model in report["models"]} == {"alibaba"}


def test_the_table_ends_with_the_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("models",)) == 0
    out = capsys.readouterr().out
    for model in builtin().models.values():
        assert model.alias_of is not None or f"{model.id} " in out
    assert f"Catalog of {builtin().updated.isoformat()}" in out
