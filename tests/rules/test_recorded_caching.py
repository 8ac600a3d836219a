"""The rules about breakpoints, held against what providers really cached."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.tree import plain_value
from corpus import shared_folder

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))


def test_what_was_cached_is_not_called_too_short_and_what_was_not_is_not_called_cached() -> None:
    """CW201 against the usage that the API gave back. Server tools cache by themselves: info."""
    wrong: list[str] = []
    judged = 0
    for path in sorted(shared_folder("corpus", "traces").glob("*.jsonl")):
        document = Document(path.read_text("utf-8"), "jsonl", OPTIONS)
        for located in document.requests:
            node = located.found.beside.get("response_usage")
            usage: Any = plain_value(node) if node is not None else None
            points = located.analyzed.plan.breakpoints
            if not isinstance(usage, dict) or "cache_creation_input_tokens" not in usage:
                continue
            if not points:
                continue
            judged += 1
            cached = (usage["cache_creation_input_tokens"] or 0) + (
                usage.get("cache_read_input_tokens") or 0
            )
            warned = {
                one.pointer
                for one in located.analyzed.findings
                if (one.code, one.severity) == ("CW201", "warning")
            }
            if cached and all(point.placed.pointer in warned for point in points):
                wrong.append(f"{path.name} {located.index}: {cached} tokens were cached")
            if not cached and any(point.effective for point in points):
                wrong.append(f"{path.name} {located.index}: nothing was cached")
    assert judged > 100
    assert wrong == []


def test_recorded_prompts_are_hardly_ever_called_volatile() -> None:
    """They are the same in every run of the test suites that they were recorded from."""
    found: Counter[str] = Counter()
    requests = 0
    for path in sorted(shared_folder("corpus", "requests").glob("*.json")):
        document = Document(path.read_text("utf-8"), "json", OPTIONS)
        requests += len(document.requests)
        found.update(one.finding.code for one in document.findings())
    assert requests > 400
    assert found["CW301"] == found["CW203"] == 0
    assert found["CW202"] + found["CW207"] <= 2
