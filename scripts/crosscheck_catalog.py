#!/usr/bin/env python3
"""Compares the catalog with what litellm and genai-prices publish, and prints every difference.

    python scripts/crosscheck_catalog.py [--cache FOLDER]

Compared are prices (with their tiers) and, with litellm, minimums. A difference that is known, with
the reason why the catalog says otherwise, stands in ``crosscheck_known.toml``; the exit status is 1
when there is another one, or when one that stands there has gone. Needs ``pip`` and an index, or
the wheels in the folder.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from published_data import GENAI_PRICES, LITELLM, Unavailable, genai_list, litellm_map, wheel

from cachewise.catalog import Catalog, Model, Prices, builtin
from cachewise.catalog.published import differences, published_prices

KNOWN = Path(__file__).with_name("crosscheck_known.toml")
MILLION = 1_000_000

_FIELDS = {
    "input": "input_cost_per_token",
    "write_5m": "cache_creation_input_token_cost",
    "read": "cache_read_input_token_cost",
    "output": "output_cost_per_token",
}
_LONG_WRITE = {
    "anthropic": "cache_creation_input_token_cost_above_1hr",
    "openai": "cache_creation_input_token_cost_above_12hr",
}
_NAMED = {
    "anthropic": ("anthropic", ""),
    "openai": ("openai", ""),
    "google": ("gemini", "gemini/"),
    "alibaba": ("dashscope", "dashscope/"),
    "amazon": ("bedrock_converse", "amazon."),
}
"""The catalog's provider: litellm's, and what stands before the id there."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One value on which the catalog and a source disagree."""

    source: str
    model: str
    field: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.source}: {self.model}  {self.field}  {self.ours} (there: {self.theirs})"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/wheels"), help="where the wheels are kept"
    )
    options = parser.parse_args()
    try:
        genai, litellm = wheel(GENAI_PRICES, options.cache), wheel(LITELLM, options.cache)
    except Unavailable as reason:
        print(f"not checked: {reason}", file=sys.stderr)
        return 2
    catalog = builtin()
    found = [
        *against_genai(catalog, genai_list(genai), catalog.updated),
        *against_litellm(catalog, litellm_map(litellm)),
    ]
    explained = known()
    new, gone = judge(found, explained)
    for finding in found:
        reason = explained.get(finding)
        print(f"{finding}" if reason is None else f"{finding}: {reason}")
    for finding in new:
        print(f"NEW   {finding}")
    for finding in gone:
        print(f"GONE  {finding}")
    print(f"{len(found)} differences, {len(new)} of them not explained, {len(gone)} gone")
    return 1 if new or gone else 0


def judge(
    found: list[Finding], explained: Mapping[Finding, str]
) -> tuple[list[Finding], list[Finding]]:
    """The differences that nobody has explained, and the explained ones that are no more."""
    return (
        sorted(set(found) - set(explained)),
        sorted(set(explained) - set(found)),
    )


def known() -> dict[Finding, str]:
    """The differences that are known, with their reasons."""
    table = tomllib.loads(KNOWN.read_text("utf-8"))
    return {
        Finding(group["source"], model, field, ours, theirs): group["reason"]
        for group in table["group"]
        for model, field, ours, theirs in group["differences"]
    }


def against_genai(
    catalog: Catalog, providers: list[dict[str, Any]], today: date
) -> Iterator[Finding]:
    """Prices and tiers, as ``catalog update`` would change them."""
    found, left_out = published_prices(providers, catalog, today)
    for line in left_out:
        model, _, reason = line.partition(": ")
        yield Finding("genai-prices", model, "prices", "not compared", reason)
    for one in differences(catalog, found):
        yield Finding("genai-prices", one.model, one.field, one.ours, one.theirs)


def against_litellm(catalog: Catalog, models: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Prices, and minimums of the provider's own platform and of Bedrock."""
    for model in catalog.models.values():
        if model.alias_of is not None:
            continue
        entry = _entry(models, model)
        if entry is not None:
            yield from _prices(model, model.prices, entry)
            yield from _minimum(model, "minimum_tokens", model.minimum_tokens, entry)
        for id_ in model.platform_ids.get("bedrock", ()):
            theirs = models.get(id_)
            if theirs is not None and str(theirs.get("litellm_provider", "")).startswith("bedrock"):
                ours = model.minimum_by_platform.get("bedrock", model.minimum_tokens)
                yield from _minimum(model, f"minimum on Bedrock ({id_})", ours, theirs)


def _entry(models: Mapping[str, Mapping[str, Any]], model: Model) -> Mapping[str, Any] | None:
    maker, before = _NAMED.get(model.provider, ("", ""))
    for id_ in (model.id, *model.aliases, *model.platform_ids.get("bedrock", ())):
        for name in (f"{before}{id_}", id_):
            entry = models.get(name)
            if entry is not None and entry.get("litellm_provider") == maker:
                return entry
    return None


def _prices(model: Model, ours: Prices, entry: Mapping[str, Any]) -> Iterator[Finding]:
    names = dict(_FIELDS)
    if model.provider in _LONG_WRITE:
        names["write_1h"] = _LONG_WRITE[model.provider]
    if model.provider == "alibaba":
        names["implicit_read"] = names["read"]
        names["read"] = "explicit_cache_read_input_token_cost"
    for field, theirs in names.items():
        yield from _price(model.id, f"prices.{field}", getattr(ours, field), entry.get(theirs))
    for tier in model.tiers:
        size = f"_above_{tier.above_tokens // 1000}k_tokens"
        for field, theirs in names.items():
            mine = getattr(tier.prices, field)
            name = f"tier above {tier.above_tokens}.{field}"
            yield from _price(model.id, name, mine, entry.get(theirs + size))


def _price(id_: str, field: str, ours: Decimal | None, theirs: Any) -> Iterator[Finding]:
    """A difference, where both sides have a price."""
    if ours is None or theirs is None:
        return
    other = Decimal(theirs) * MILLION
    if other != ours:
        yield Finding("litellm", id_, field, _written(ours), _written(other))


def _minimum(
    model: Model, field: str, ours: int | None, entry: Mapping[str, Any]
) -> Iterator[Finding]:
    theirs = entry.get("prompt_cache_min_tokens")
    if theirs is not None and ours is not None and theirs != ours:
        yield Finding("litellm", model.id, field, str(ours), str(theirs))


def _written(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


if __name__ == "__main__":
    raise SystemExit(main())
