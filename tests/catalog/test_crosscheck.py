"""The catalog against what two pinned packages publish; skipped where no index can be reached."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cachewise.catalog import Catalog
from cachewise.catalog.published import Difference, differences, published_prices

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import crosscheck_catalog  # noqa: E402
import published_data  # noqa: E402
import update_prices  # noqa: E402

WHEELS = Path(os.environ.get("CACHEWISE_WHEELS") or ROOT / ".cache" / "wheels")
"""Where the downloaded packages are kept from one run to the next."""

TODAY = date(2026, 11, 22)


def fetched(requirement: str) -> Path:
    try:
        return published_data.wheel(requirement, WHEELS)
    except published_data.Unavailable as reason:
        pytest.skip(f"no package index: {reason}")


@pytest.fixture(scope="module")
def genai() -> list[dict[str, Any]]:
    return published_data.genai_list(fetched(published_data.GENAI_PRICES))


@pytest.fixture(scope="module")
def litellm() -> dict[str, dict[str, Any]]:
    return published_data.litellm_map(fetched(published_data.LITELLM))


def test_every_difference_is_explained(
    catalog: Catalog, genai: list[dict[str, Any]], litellm: dict[str, dict[str, Any]]
) -> None:
    found = [
        *crosscheck_catalog.against_genai(catalog, genai, catalog.updated),
        *crosscheck_catalog.against_litellm(catalog, litellm),
    ]
    new, gone = crosscheck_catalog.judge(found, crosscheck_catalog.known())
    assert [str(finding) for finding in new] == []
    assert [str(finding) for finding in gone] == []


def test_the_lists_are_really_compared(
    catalog: Catalog, genai: list[dict[str, Any]], litellm: dict[str, dict[str, Any]]
) -> None:
    """A wrong price or minimum in the catalog is seen, whichever model it is of."""
    models = {id_: model for id_, model in catalog.models.items() if model.alias_of is None}
    spoilt = dataclasses.replace(
        catalog,
        models={
            id_: dataclasses.replace(
                model,
                minimum_tokens=None if model.minimum_tokens is None else 77,
                minimum_by_platform={},
                prices=dataclasses.replace(model.prices, output=Decimal("1234.5")),
            )
            for id_, model in models.items()
        },
    )
    seen = {one.model for one in crosscheck_catalog.against_genai(spoilt, genai, TODAY)}
    assert {"claude-sonnet-5-5", "gpt-5.5", "gemini-2.5-pro", "amazon-nova-pro"} <= seen
    assert len(seen) >= 50
    found = list(crosscheck_catalog.against_litellm(spoilt, litellm))
    prices = {one.model for one in found if one.field == "prices.output"}
    assert len(prices) >= 70
    minimums = {one.model for one in found if one.field == "minimum_tokens"}
    assert {"claude-opus-5", "claude-haiku-4-5-20251001"} <= minimums
    assert any(one.field.startswith("minimum on Bedrock") for one in found)


def test_a_known_difference_needs_a_reason() -> None:
    assert all(reason.strip() for reason in crosscheck_catalog.known().values())


def test_new_and_gone_differences_are_told() -> None:
    finding = crosscheck_catalog.Finding("litellm", "m", "prices.input", "1", "2")
    assert crosscheck_catalog.judge([finding], {}) == ([finding], [])
    assert crosscheck_catalog.judge([], {finding: "why"}) == ([], [finding])
    assert crosscheck_catalog.judge([finding], {finding: "why"}) == ([], [])


def test_prices_are_rewritten_in_their_line(catalog: Catalog) -> None:
    folder = update_prices.FOLDER
    texts = {name: (folder / name).read_text("utf-8") for name in update_prices.FILES}
    changes = [
        Difference("claude-opus-5-5", "prices.input", "4", "3.5"),
        Difference("claude-opus-5-5", "prices.read", "0.2", "0.175"),
        Difference("claude-haiku-5-5", "tier above 100000.input", "0.5", "0.4"),
    ]
    files = update_prices.rewritten(texts, changes, TODAY)
    assert set(files) == {"anthropic.toml"}
    before = texts["anthropic.toml"].splitlines()
    after = files["anthropic.toml"].splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new for _, new in changed] == [
        "updated = 2026-11-22",
        'GENAI = { what = "PyPI genai-prices 0.2.3 (November 2026)", checked = 2026-11-22 }',
        "prices = { input = 3.5, write_5m = 5, write_1h = 8, read = 0.175, output = 20 }",
    ]


def test_the_catalog_agrees_with_the_list_as_an_update_sees_it(
    catalog: Catalog, genai: list[dict[str, Any]]
) -> None:
    found, _ = published_prices(genai, catalog, catalog.updated)
    assert list(differences(catalog, found)) == []
