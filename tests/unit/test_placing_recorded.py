"""Recorded requests: what is placed never costs more, and brings no new finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cachewise.analysis import Document, Options
from cachewise.analysis.place import placed, placements
from cachewise.caching.cost import Traffic
from cachewise.catalog import builtin
from cachewise.settings import Settings
from corpus import shared_folder

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))


def bodies() -> Iterator[tuple[str, str]]:
    """Every recorded body, and every request of the recorded conversations."""
    folder = shared_folder("corpus")
    for path in sorted((folder / "requests").glob("*.json")):
        yield path.name, path.read_text("utf-8")
    for path in sorted((folder / "traces").glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            request: Any = json.loads(line).get("request")
            if isinstance(request, dict):
                yield f"{path.name}:{number}", json.dumps(request, indent=2)


def serious(document: Document) -> Counter[str]:
    return Counter(
        one.finding.code
        for one in document.findings()
        if one.finding.severity != "info" and one.finding.code[:3] in ("CW1", "CW2")
    )


@pytest.mark.parametrize(
    "traffic",
    [None, Traffic(60, 20, 0), Traffic(600, 20, 0), Traffic(60, 1, 0)],
    ids=["undeclared", "each minute", "each ten minutes", "one call"],
)
def test_what_is_placed_is_never_worse(traffic: Traffic | None) -> None:
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for name, source in bodies():
        document = Document(source, "json", OPTIONS)
        for found in placements(document, traffic):
            outcomes[found.outcome] += 1
            if found.before is None or found.after is None or found.plain is None:
                continue
            dearer = found.after.run > found.before.run
            # A change is made where it saves something, and then at least a hundredth.
            idle = found.outcome == "change" and found.after.run * 100 > found.before.run * 99
            if dearer or idle:
                wrong.append(f"{name}: {found.before.run} to {found.after.run}")
        before = serious(document)
        text, count = placed(document, traffic)
        if count:
            changed = Document(text, "json", OPTIONS)
            if serious(changed) - before:
                wrong.append(f"{name}: {serious(changed) - before}")
            if placed(changed, traffic) != (text, 0):
                wrong.append(f"{name}: a second time something else is best")
    assert wrong == []
    assert sum(outcomes.values()) > 600
    assert outcomes["change"] > 20
