"""``./dev bench``: one table of how fast Cachewise is, and how that compares.

Ratios and slopes are the result: they hold from one machine to the next. Seconds only inform.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeVar

from tests.bench import inputs, measure, peers
from tests.bench.client import keystrokes

T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """How much is measured: characters of the documents, and how often."""

    sizes: tuple[int, ...]
    keystrokes: int
    pasted: int
    files: int
    big: int
    trace: int
    starts: int
    code: int
    lines: int


WHOLE = Scale(
    (100_000, 1_000_000, 10_000_000), 300, 2_000_000, 1_000, 10_000_000, 19_000_000, 7, 300_000, 100
)
QUICK = Scale((100_000, 1_000_000), 100, 500_000, 100, 1_000_000, 2_000_000, 3, 100_000, 10)


class Table:
    """The rows, printed as they are known, so that a long run can be watched."""

    def __init__(self) -> None:
        print(f"{'':<44} {'measured':>26} {'goal':>10}   beside it")

    def row(self, what: str, measured: str, goal: str = "", beside: str = "") -> None:
        """Print one row."""
        print(f"{what:<44} {measured:>26} {goal:>10}   {beside}".rstrip(), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    options = parser.parse_args(arguments)
    scale = QUICK if options.quick else WHOLE
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors{load}\n"
    )
    service = _installed("vscode-json-languageservice", peers.json_service)
    linter = _installed("promptcachelint", peers.linter)
    table = Table()
    seconds = measure.start(scale.starts)
    table.row("spawn → answer to initialize", _time(seconds), "0.6 s")
    _typing(table, scale, service)
    _typing_elsewhere(table, scale)
    table.row(f"{_size(scale.pasted)} pasted at once", _time(measure.pasted(scale.pasted)), "0.5 s")
    seconds = measure.several(10, scale.sizes[-1] // 20, 10)
    table.row(f"10 × {_size(scale.sizes[-1] // 20)} open, worst answer", _time(seconds), "0.5 s")
    text = inputs.chat(1_000_000)
    seconds = measure.burst(text, list(keystrokes(text, 100, inputs.SEED)))
    table.row("100 edits in a burst at 1 MB, worst answer", _time(seconds), "0.5 s")
    _commands(table, scale, linter)
    return 0


def _installed(name: str, install: Callable[[], T]) -> T | None:
    try:
        return install()
    except peers.NotThere as reason:
        print(f"Without {name}, which could not be installed: {reason}.\n", file=sys.stderr)
        return None


def _typing(table: Table, scale: Scale, service: peers.JsonService | None) -> None:
    for make, kind in ((inputs.chat, "chat"), (inputs.tools, "tools")):
        for size in scale.sizes if kind == "chat" else (1_000_000,):
            text = make(size)
            edits = list(keystrokes(text, scale.keystrokes, inputs.SEED))
            ours = measure.typing(text, edits)
            name = f"{_size(size)} {kind}"
            theirs = service.measure(text, edits) if service is not None else None
            beside = ""
            if theirs is not None:
                beside = f"validation {_time(theirs[0])}, ratio {_ratio(ours.opened, theirs[0])}"
            goal = "0.25 s" if size == 1_000_000 else ""
            table.row(f"{name}: open → diagnostics", _time(ours.opened), goal, beside)
            table.row(f"{name}: … until counted exactly", _time(ours.counted))
            if ours.memory is not None:
                goal = "150 MB" if size == 1_000_000 else ""
                table.row(f"{name}: memory, counted exactly", f"{ours.memory:.0f} MB", goal)
            if theirs is not None:
                beside = (
                    f"validation p95 {_time(_percentile(theirs[1], 95))}, ratio "
                    f"{_ratio(_percentile(ours.times, 95), _percentile(theirs[1], 95))} "
                    f"(p50 {_ratio(median(ours.times), median(theirs[1]))})"
                )
            told = " / ".join(
                _time(value)
                for value in (median(ours.times), _percentile(ours.times, 95), max(ours.times))
            )
            goal = "10 ms p95" if size == 1_000_000 else ""
            table.row(f"{name}: keystroke p50 / p95 / max", told, goal, beside)
    for small, big in pairwise(scale.sizes):
        few, many = measure.alternately(small, big, scale.keystrokes)
        goal = "2.00 p95" if big == 10_000_000 else ""
        told = " / ".join(
            _ratio(of(many), of(few)) for of in (median, lambda times: _percentile(times, 95))
        )
        table.row(f"keystroke {_size(small)} → {_size(big)}, p50 / p95", told, goal)


def _typing_elsewhere(table: Table, scale: Scale) -> None:
    """Source code and JSONL, with nothing beside them: no other program reads requests there."""
    rows: list[tuple[str, str, str, str, str, str]] = [
        (make(scale.code), name, language, *where)
        for make, name, language, places in (
            (
                inputs.python,
                "calls.py",
                "python",
                (("", '"text": "', ""), (", other code", "limit = ", "tide(x)+1+")),
            ),
            (
                inputs.typescript,
                "calls.ts",
                "typescript",
                (("", ' text: "', ""), (", other code", "limit = ", "tide(x)+1+")),
            ),
        )
        for where in places
    ]
    size = scale.sizes[-1]
    rows.append((inputs.jsonl(size, scale.lines), "requests.jsonl", "jsonl", "", '"text": "', ""))
    for text, name, language, where, behind, typed in rows:
        edits = list(keystrokes(text, scale.keystrokes, inputs.SEED, behind, typed))
        ours = measure.typing(text, edits, name, language)
        kind = f"{scale.lines} lines of JSONL" if language == "jsonl" else f"{language}{where}"
        if not where:
            table.row(f"{_size(len(text))} {kind}: open → diagnostics", _time(ours.opened))
        told = " / ".join(
            _time(value)
            for value in (median(ours.times), _percentile(ours.times, 95), max(ours.times))
        )
        table.row(f"{_size(len(text))} {kind}: keystroke", told)


def _commands(table: Table, scale: Scale, linter: peers.Linter | None) -> None:
    with measure.files(scale.files, scale.big, scale.trace) as (folder, big, trace):
        first = folder / "0000.json"
        measure.command("check", str(first))
        rows: list[tuple[str, str, tuple[str, ...], Callable[[peers.Linter], float] | None]] = [
            (
                "check of one file, cold",
                "0.35 s",
                ("check", str(first)),
                lambda it: it.start(first),
            ),
            (
                f"check of {scale.files:,} small files",
                "3 s" if scale.files == 1_000 else "",
                ("check", str(folder)),
                lambda it: it.folder(folder),
            ),
            (
                f"check of a {_size(scale.big)} file",
                "",
                ("check", str(big)),
                lambda it: it.start(big),
            ),
            (
                f"replay of a {_size(trace.stat().st_size)} trace",
                "ratio 1.00",
                ("replay", str(trace)),
                lambda it: it.replay(trace),
            ),
        ]
        for what, goal, words, other in rows:
            times = scale.starts if "cold" in what else 2
            # In turn, so that a busy moment of the machine hits both.
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(times):
                ours.append(measure.command(*words))
                if linter is not None and other is not None:
                    theirs.append(other(linter))
            beside = ""
            if theirs:
                beside = (
                    f"promptcachelint {_time(median(theirs))}, "
                    f"ratio {_ratio(median(ours), median(theirs))}"
                )
            table.row(what, _time(median(ours)), goal, beside)


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.2f}"


def _size(characters: int) -> str:
    return f"{characters / 1_000_000:.3g} MB"


if __name__ == "__main__":
    raise SystemExit(main())
