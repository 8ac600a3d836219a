"""The simulator against recorded conversations with the provider's own usage."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.corpus import shared_folder

from cachewise.analysis import Options
from cachewise.analysis.steps import Summary, TraceStep
from cachewise.analysis.trace import replay_lines
from cachewise.catalog import builtin
from cachewise.settings import Settings

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))

SERVER_TOOLS = re.compile(
    r'"type": ?"(?:web_search|web_fetch|code_execution|bash_code_execution|advisor)_?\d*'
)
"""Their usage sums several passes inside the provider, which one request does not show."""


def traces(*providers: str) -> Iterator[tuple[Path, str]]:
    folder = shared_folder("corpus")
    with (folder / "INDEX.jsonl").open(encoding="utf-8") as index:
        for line in index:
            entry = json.loads(line)
            if entry["file"].startswith("traces/") and entry["provider"] in providers:
                path = folder / entry["file"]
                yield path, path.read_text(encoding="utf-8")


def replayed(source: str, summary: Summary) -> Iterator[TraceStep]:
    return replay_lines(enumerate(source.split("\n"), 1), OPTIONS, summary)


def written(figures) -> int:
    return figures.write_5m + figures.write_1h


def test_outcomes_agree_with_the_record(capsys):
    counts: Counter[str] = Counter()
    rows: list[str] = []
    for path, source in traces("anthropic", "bedrock"):
        summary = Summary()
        server_tools = SERVER_TOOLS.search(source) is not None
        for result in replayed(source, summary):
            step, actual = result.step, result.actual
            if actual is None:
                counts["no usage recorded"] += 1
                continue
            if server_tools:
                counts["server tools"] += 1
                continue
            if result.warm:
                counts["already warm"] += 1
                rows.append(f"{path.name[:70]} {step.call.index}: {result.note}")
                continue
            counts["compared"] += 1
            counts["class agrees"] += result.actual_outcome == step.outcome
            counts["figures agree"] += bool(result.agrees)
            if not result.agrees:
                rows.append(
                    f"{path.name[:70]} {step.call.index} {step.call.model}: "
                    f"predicted {step.outcome}, read {step.read.low}-{step.read.high}, written "
                    f"{written(step.billed)}; recorded {result.actual_outcome}, read "
                    f"{actual.read}, written {written(actual)}"
                )
        assert not summary.unreadable_count, summary.unreadable
    with capsys.disabled():
        print("\nRecorded conversations, predicted against recorded:")
        for name, number in counts.items():
            print(f"  {name}: {number}")
        for row in rows:
            print(f"  {row}")
    compared = counts["compared"]
    assert compared >= 150
    assert counts["class agrees"] >= 0.97 * compared
    assert counts["figures agree"] >= 0.97 * compared


def test_implicit_caching_stays_under_the_predicted_bound(capsys):
    rows: list[str] = []
    within = compared = 0
    for path, source in traces("openai-compatible", "openai"):
        for result in replayed(source, Summary()):
            step, actual = result.step, result.actual
            if actual is None or result.warm:
                continue
            compared += 1
            within += actual.read <= step.read.high
            if actual.read or step.billed.read:
                rows.append(
                    f"{path.name[:70]} {step.call.index}: at most {step.read.high:,} predicted, "
                    f"{actual.read:,} read"
                )
    with capsys.disabled():
        print("\nImplicit caching, upper bound against what was read:")
        for row in rows:
            print(f"  {row}")
        print(f"  {within} of {compared} steps stay within the bound")
    assert compared
    assert within >= 0.97 * compared
