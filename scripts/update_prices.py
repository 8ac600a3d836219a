#!/usr/bin/env python3
"""Rebuilds the catalog's prices from genai-prices' data, and prints every difference.

    python scripts/update_prices.py [--wheel FILE | --cache FOLDER] [--write]

Without ``--write`` nothing changes. With it the numbers in ``prices = { ... }`` of the models that
differ are replaced, and the day of the source ``GENAI`` is set; tiers, and whatever else does not
fit a line, are left to a person and said. The package is only read, never run: it is no dependency.
After an update, raise the version in ``published_data.py`` and run ``crosscheck_catalog.py``.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from published_data import GENAI_PRICES, Unavailable, genai_list, wheel

from cachewise.catalog import builtin
from cachewise.catalog.load import FILES
from cachewise.catalog.published import Difference, differences, published_prices

FOLDER = Path(__file__).parents[1] / "server" / "cachewise" / "catalog"

_MODEL = re.compile(r"^\[\[model\]\]\n", re.MULTILINE)
_PRICES = re.compile(r"^prices = \{.*\}$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, help="the wheel of another version")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/wheels"), help="where the wheels are kept"
    )
    parser.add_argument("--write", action="store_true", help="change the catalog's files")
    options = parser.parse_args()
    try:
        path = options.wheel or wheel(GENAI_PRICES, options.cache)
    except Unavailable as reason:
        print(f"not updated: {reason}", file=sys.stderr)
        return 2
    today = datetime.now(UTC).date()
    catalog = builtin()
    found, left_out = published_prices(genai_list(path), catalog, today)
    changes = list(differences(catalog, found))
    for change in changes:
        print(f"{change.model}  {change.field}  {change.ours} -> {change.theirs}")
    for line in left_out:
        print(f"left as it is: {line}")
    print(f"{len(found)} models compared, {len(changes)} differences")
    if options.write and changes:
        texts = {name: (FOLDER / name).read_text("utf-8") for name in FILES}
        for name, text in rewritten(texts, changes, today).items():
            (FOLDER / name).write_text(text, "utf-8")
            print(f"wrote {name}")
    return 0


def rewritten(texts: dict[str, str], changes: list[Difference], today: date) -> dict[str, str]:
    """The files that change, with the new prices in them; the others are left out."""
    changed: dict[str, str] = {}
    for change in changes:
        name = next((name for name, text in texts.items() if _span(text, change.model)), None)
        group, _, field = change.field.partition(".")
        if name is None or group != "prices" or change.theirs == "none":
            print(f"to do by hand: {change.model}  {change.field}")
            continue
        text = changed.get(name, texts[name])
        start, end = _span(text, change.model) or (0, 0)
        line = _PRICES.search(text, start, end)
        if line is None:
            print(f"to do by hand: {change.model} has no line of prices")
            continue
        new = re.sub(rf"\b{field} = [0-9._]+", f"{field} = {change.theirs}", line[0])
        changed[name] = text[: line.start()] + new + text[line.end() :]
    return {name: _dated(text, today) for name, text in changed.items()}


def _span(text: str, id_: str) -> tuple[int, int] | None:
    """Where a model's table stands: from its heading to the next one."""
    for found in _MODEL.finditer(text):
        if text.startswith(f'id = "{id_}"\n', found.end()):
            following = _MODEL.search(text, found.end())
            return found.start(), following.start() if following else len(text)
    return None


def _dated(text: str, today: date) -> str:
    text = re.sub(r"^updated = \S+$", f"updated = {today}", text, count=1, flags=re.MULTILINE)
    return re.sub(
        r"^(GENAI = .*checked = )\S+( \})$", rf"\g<1>{today}\2", text, count=1, flags=re.MULTILINE
    )


if __name__ == "__main__":
    raise SystemExit(main())
