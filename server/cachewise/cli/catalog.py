"""``cachewise catalog update``: newer prices, fetched on demand, shown, checked, then kept."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from cachewise.analysis.reference import (
    Difference,
    PublishedError,
    Update,
    builtin,
    differences,
    published_prices,
    write_update,
)
from cachewise.cli.files import reason
from cachewise.cli.output import InputError, error, say, warn
from cachewise.cli.work import today
from cachewise.remote.folder import write_whole
from cachewise.remote.prices import DEFAULT_URL, fetch_prices, kept_file
from cachewise.report.json import to_text
from cachewise.report.text import plural
from cachewise.report.visible import visible


def update(options: argparse.Namespace) -> int:
    """Fetch, compare with the packaged catalog, and keep what differs; 1 when that fails.

    Nothing is kept of a list that cannot be used: the prices in use stay.
    """
    source: str = options.source or DEFAULT_URL
    data = _read(source, options.timeout)
    if data is None:
        return 1
    catalog = builtin()
    try:
        value: object = json.loads(data, parse_float=Decimal)
        found, left_out = published_prices(value, catalog, today())
        if not found:
            raise PublishedError("The list has no price of a model in the catalog.")
    except (ValueError, RecursionError) as problem:
        said = str(problem) if isinstance(problem, PublishedError) else "It is no JSON."
        error(f"{source} is no price list that can be used: {said} Nothing has changed.")
        return 1
    changes = list(differences(catalog, found))
    changed = {change.model for change in changes}
    newer = Update(source, today(), {id_: found[id_] for id_ in found if id_ in changed})
    _check(newer)
    file = None if options.diff else kept_file(os.environ)
    if not options.diff:
        if file is None:
            raise InputError("There is no cache folder for this user: XDG_CACHE_HOME names one.")
        try:
            write_whole(file, write_update(newer).encode("utf-8"))
        except OSError as problem:
            raise InputError(f"{file}: not written: {reason(problem)}.") from problem
    _show(options.format, source, changes, left_out, len(found), file)
    if not options.diff and catalog.updated >= newer.fetched:
        warn("The packaged catalog is as new as these prices, so it goes on being used.")
    return 0


def _check(newer: Update) -> None:
    """Hold the newer prices against the catalog's own schema, as any settings are held."""
    from cachewise.analysis.reference import Source, check_overrides

    check_overrides(
        builtin(),
        {id_: published.prices for id_, published in newer.models.items()},
        Source("UPDATE", newer.source, newer.fetched),
    )


def _read(source: str, timeout: float) -> bytes | None:
    if "://" not in source:
        try:
            return Path(source).read_bytes()
        except (OSError, ValueError) as problem:
            raise InputError(f"{source}: {reason(problem)}.") from problem
    say(f"Fetching {source}.")
    data = fetch_prices(source, timeout)
    if isinstance(data, str):
        error(f"{data} The prices in use stay.")
        return None
    return data


def _show(
    format: str,
    source: str,
    changes: Sequence[Difference],
    left_out: Sequence[str],
    compared: int,
    file: Path | None,
) -> None:
    if format == "json":
        shown = [
            {
                "model": change.model,
                "field": change.field,
                "packaged": change.ours,
                "newer": change.theirs,
            }
            for change in changes
        ]
        sys.stdout.write(
            to_text(
                {
                    "version": 1,
                    "source": source,
                    "fetched": today().isoformat(),
                    "compared": compared,
                    "changes": shown,
                    "left_out": list(left_out),
                    "file": None if file is None else str(file),
                }
            )
        )
        return
    for change in changes:
        line = f"{change.model}  {change.field}  {change.ours} → {change.theirs}"
        sys.stdout.write(visible(line) + "\n")
    for line in left_out:
        sys.stdout.write(visible(f"left as it is: {line}") + "\n")
    kept = "Nothing kept" if file is None else f"Kept in {file}"
    changed = plural(len(changes), "difference")
    end = f"{plural(compared, 'model')} compared with the packaged prices, {changed}. {kept}."
    sys.stdout.write(visible(end) + "\n")
