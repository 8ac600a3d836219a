"""Reports about recorded traffic: the steps of a replay, and sums over usage logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from cachewise.report.json import VERSION
from cachewise.report.money import dollars, exact
from cachewise.report.text import Line
from cachewise.report.visible import visible


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Tokens of one call by the way in which they are billed, and USD; ``output`` only if known."""

    read: int
    write_5m: int
    write_1h: int
    input: int
    cost: Decimal | None
    output: int | None = None


@dataclass(frozen=True, slots=True)
class DivergenceReport:
    """The first difference from the earlier request, as ``caching.divergence`` tells it."""

    pointer: str
    kind: str
    before: str
    after: str
    character: int


@dataclass(frozen=True, slots=True)
class StepReport:
    """One call of a trace, predicted and recorded."""

    index: int
    at: str | None
    model: str
    predicted: CallFigures
    actual: CallFigures | None
    outcome: str
    reason: str | None
    agrees: bool | None
    divergence: DivergenceReport | None
    best_effort: bool
    note: str


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """Sums over a trace; ``unreadable`` are (line number from 1, why) of those that are named."""

    steps: int
    with_usage: int
    agree: int
    warm: int
    hit_rate: Decimal
    spent: Decimal
    without_cache: Decimal
    saved: Decimal
    avoidable: Decimal
    unpriced: int
    without_times: bool
    unreadable: Sequence[tuple[int, str]]
    unreadable_count: int


def step_object(step: StepReport) -> dict[str, Any]:
    """One step as ``replay --format json`` prints it."""
    return {
        "index": step.index,
        "at": step.at,
        "model": step.model,
        "predicted": _figures(step.predicted),
        "actual": None if step.actual is None else _figures(step.actual),
        "outcome": step.outcome,
        "reason": step.reason,
        "agrees": step.agrees,
        "divergence": None
        if step.divergence is None
        else {
            "pointer": step.divergence.pointer,
            "kind": step.divergence.kind,
            "before": step.divergence.before,
            "after": step.divergence.after,
        },
        "best_effort": step.best_effort,
        "note": step.note or None,
    }


def _figures(figures: CallFigures) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "read": figures.read,
        "write_5m": figures.write_5m,
        "write_1h": figures.write_1h,
        "input": figures.input,
    }
    if figures.output is not None:
        shown["output"] = figures.output
    shown["cost"] = exact(figures.cost)
    return shown


def summary_object(summary: TraceSummary) -> dict[str, Any]:
    """The sums as ``replay --format json`` prints them."""
    return {
        "steps": summary.steps,
        "with_usage": summary.with_usage,
        "agree": summary.agree,
        "already_warm": summary.warm,
        "hit_rate": format(summary.hit_rate, "f"),
        "spent": exact(summary.spent),
        "without_cache": exact(summary.without_cache),
        "saved": exact(summary.saved),
        "avoidable": exact(summary.avoidable),
        "unpriced": summary.unpriced,
        "assumes_alive": summary.without_times,
        "unreadable": {
            "count": summary.unreadable_count,
            "lines": [{"line": line, "why": why} for line, why in summary.unreadable],
        },
    }


def trace_pieces(
    steps: Iterator[StepReport], summarise: Callable[[], TraceSummary], indent: str = ""
) -> Iterator[str]:
    """A trace's object, piece by piece, so that a long one is never held whole.

    ``summarise`` is called once the steps are through, and gives the ``TraceSummary``.
    """
    yield f'{indent}"steps": ['
    first = True
    for step in steps:
        text = json.dumps(step_object(step), ensure_ascii=True, allow_nan=False)
        yield f"{'' if first else ','}\n{indent} {text}"
        first = False
    summary = json.dumps(summary_object(summarise()), ensure_ascii=True, allow_nan=False)
    yield f'\n{indent}],\n{indent}"summary": {summary}'


def version_piece() -> str:
    """The first key of every object."""
    return f'"version": {VERSION},\n'


_STYLES = {"hit": "green", "partial": "yellow", "miss": "red", "uncached": "dim"}


def step_lines(step: StepReport) -> Iterator[Line]:
    """A step for people: one line, and what broke the cache below it."""
    predicted = step.predicted
    written = predicted.write_5m + predicted.write_1h
    line: Line = [
        (f"{step.index:>4}  ", "dim"),
        (f"{step.outcome:<9}", _STYLES.get(step.outcome, "")),
        (f"{step.reason or '':<20}", ""),
        (f"read {predicted.read:>9,}  write {written:>9,}  input {predicted.input:>8,}  ", ""),
        (dollars(predicted.cost), ""),
    ]
    if step.actual is not None:
        actual = step.actual
        recorded = actual.write_5m + actual.write_1h
        line.append((f"  recorded: read {actual.read:,} write {recorded:,}", "dim"))
        if step.agrees is False:
            line.append(("  disagrees", "bold yellow"))
    yield line
    if step.divergence is not None:
        found = step.divergence
        where = f" character {found.character}" if found.character >= 0 else ""
        yield [("      ", ""), (f"{found.kind} at {visible(found.pointer)}{where}", "bold")]
        for sign, text, style in (("- ", found.before, "red"), ("+ ", found.after, "green")):
            if text:
                yield [("        " + sign, style), (visible(text), style)]
    if step.note:
        yield [("      ", ""), (step.note, "dim")]


def summary_lines(summary: TraceSummary) -> Iterator[Line]:
    """The sums of a trace for people."""
    yield []
    yield [
        (
            f"{summary.steps} steps, {format(100 * summary.hit_rate, 'f').removesuffix('.00')} % "
            "of the input tokens read from the cache",
            "bold",
        )
    ]
    yield [
        (
            f"spent {dollars(summary.spent)}, without a cache {dollars(summary.without_cache)}, "
            f"{_saved(summary.saved)}, avoidable {dollars(summary.avoidable)}",
            "",
        )
    ]
    if summary.with_usage:
        told = f"{summary.agree} of {summary.with_usage} recorded steps are as predicted"
        if summary.warm:
            told += f" ({summary.warm} found the cache warm from before the trace)"
        yield [(told, "")]
    if summary.unpriced:
        steps = "step has" if summary.unpriced == 1 else "steps have"
        yield [(f"{summary.unpriced} {steps} no known price and count in no sum", "yellow")]
    if summary.without_times:
        yield [("Some calls carry no time: their entries are taken to be alive.", "dim")]
    if summary.unreadable_count:
        yield [(unreadable_lines(summary.unreadable_count) + ":", "yellow")]
        for number, why in summary.unreadable:
            yield [(f"  line {number}: {why}", "")]


def _saved(amount: Decimal) -> str:
    return f"saved {dollars(amount)}" if amount >= 0 else f"lost {dollars(-amount)}"


def unreadable_lines(count: int) -> str:
    """``3 lines could not be read``."""
    return f"{count:,} line{'' if count == 1 else 's'} could not be read"


@dataclass(frozen=True, slots=True)
class TallyReport:
    """Sums over the calls of one model, session or day."""

    name: str
    calls: int
    input: int
    write: int
    read: int
    output: int
    hit_percent: Decimal
    spent: Decimal
    without_cache: Decimal
    saved: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class StatsReport:
    """What ``stats`` tells."""

    total: TallyReport
    groups: Mapping[str, Sequence[TallyReport]]
    served_from_cache: str
    notes: Sequence[str]
    unreadable: Sequence[tuple[str, int, str]]
    unreadable_count: int


def stats_object(stats: StatsReport) -> dict[str, Any]:
    """What ``stats --format json`` prints."""
    return {
        "version": VERSION,
        "total": _tally(stats.total),
        **{name: [_tally(item) for item in items] for name, items in stats.groups.items()},
        "served_from_cache": stats.served_from_cache,
        "notes": list(stats.notes),
        "unreadable": {
            "count": stats.unreadable_count,
            "lines": [
                {"path": path, "line": line, "why": why} for path, line, why in stats.unreadable
            ],
        },
    }


def _tally(tally: TallyReport) -> dict[str, Any]:
    return {
        "name": tally.name,
        "calls": tally.calls,
        "input": tally.input,
        "write": tally.write,
        "read": tally.read,
        "output": tally.output,
        "hit_percent": format(tally.hit_percent, "f"),
        "spent": exact(tally.spent),
        "without_cache": exact(tally.without_cache),
        "saved": exact(tally.saved),
        "unpriced": tally.unpriced,
    }


def stats_lines(stats: StatsReport) -> Iterator[Line]:
    """The sums for people: a table a group, then Qwen Code's line."""
    head = (
        f"{'calls':>7}{'input':>13}{'written':>13}{'read':>15}{'output':>12}{'hit %':>8}"
        f"{'spent':>12}{'saved':>12}"
    )
    for name, items in stats.groups.items():
        if not items:
            continue
        label = name.replace("_", " ")
        yield [(f"{label:<38}", "bold"), (head, "dim")]
        for item in items:
            yield _tally_line(item)
        yield []
    yield _tally_line(stats.total)
    yield [("Savings: ", "bold green"), (stats.served_from_cache, "")]
    for note in stats.notes:
        yield [(visible(note), "yellow")]
    if stats.unreadable_count:
        yield [(unreadable_lines(stats.unreadable_count) + ":", "yellow")]
        for path, line, why in stats.unreadable[:10]:
            yield [(f"  {visible(path)}:{line}: {why}", "")]


def _tally_line(item: TallyReport) -> Line:
    name = visible(item.name)
    name = name if len(name) <= 37 else "…" + name[-36:]
    unpriced = f"  ({item.unpriced} without a known price)" if item.unpriced else ""
    return [
        (f"{name:<38}", ""),
        (
            f"{item.calls:>7,}{item.input:>13,}{item.write:>13,}{item.read:>15,}"
            f"{item.output:>12,}{item.hit_percent:>8}{dollars(item.spent):>12}"
            f"{dollars(item.saved):>12}",
            "",
        ),
        (unpriced, "dim"),
    ]


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --paper: #fff; --line: #d0d7de;
  --read: #2da44e; --write: #bf8700; --plain: #8c959f; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d;
  --read: #3fb950; --write: #d29922; --plain: #6e7681; --soft: #161b22; } }
body { font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.w { white-space: nowrap; max-width: 16rem; overflow: hidden; text-overflow: ellipsis; }
td.w code { white-space: nowrap; overflow-wrap: normal; }
.bar { display: flex; height: .8rem; min-width: 10rem; background: var(--soft); }
.bar i { display: block; height: 100%; }
.read { background: var(--read); } .write { background: var(--write); }
.plain { background: var(--plain); }
code, pre { font: 12px/1.4 ui-monospace, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; }
pre { margin: .2rem 0; padding: .3rem .5rem; background: var(--soft); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
"""


def html_pieces(
    path: str, steps: Iterator[StepReport], summarise: Callable[[], TraceSummary]
) -> Iterator[str]:
    """A self-contained page of a trace: a bar a step, and below it what broke the cache.

    No script and nothing from elsewhere; every text of a prompt is escaped.
    """
    title = escape(visible(path))
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>Replay of {title}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Replay of {title}</h1>\n"
        '<p class="key"><span class="read"></span>read from the cache'
        '<span class="write"></span>written to it<span class="plain"></span>plain input</p>\n'
        '<table><thead><tr><th class="n">Step</th><th>Model</th><th>Outcome</th><th>Prompt</th>'
        '<th class="n">Read</th><th class="n">Written</th><th class="n">Input</th>'
        '<th class="n">Cost</th><th>Recorded</th></tr></thead><tbody>\n'
    )
    for step in steps:
        yield _html_step(step)
    summary = summarise()
    yield "</tbody></table>\n"
    for line in summary_lines(summary):
        text = "".join(piece for piece, _ in line)
        if text:
            yield f"<p>{escape(text)}</p>\n"
    yield "</body></html>\n"


def _html_step(step: StepReport) -> str:
    figures = step.predicted
    written = figures.write_5m + figures.write_1h
    total = max(1, figures.read + written + figures.input)
    parts = "".join(
        f'<i class="{name}" style="width:{100 * tokens / total:.2f}%"></i>'
        for name, tokens in (("read", figures.read), ("write", written), ("plain", figures.input))
    )
    spoken = f"{figures.read:,} read, {written:,} written, {figures.input:,} plain"
    recorded = ""
    if step.actual is not None:
        recorded = (
            f"read {step.actual.read:,}, written {step.actual.write_5m + step.actual.write_1h:,}"
            + ("" if step.agrees else " (disagrees)")
        )
    reason = f"<br><code>{escape(step.reason)}</code>" if step.reason else ""
    row = (
        f'<tr><td class="n">{step.index}</td><td class="w">{escape(visible(step.model))}</td>'
        f'<td class="w">{escape(step.outcome)}{reason}</td>'
        f'<td><div class="bar" role="img" aria-label="{spoken}">{parts}</div></td>'
        f'<td class="n">{figures.read:,}</td><td class="n">{written:,}</td>'
        f'<td class="n">{figures.input:,}</td><td class="n">{dollars(figures.cost)}</td>'
        f"<td>{recorded}</td></tr>\n"
    )
    if step.divergence is not None:
        found = step.divergence
        row += (
            f'<tr><td></td><td colspan="8">{escape(found.kind)} at '
            f"<code>{escape(visible(found.pointer))}</code>"
            f"<pre>− {escape(visible(found.before))}\n+ {escape(visible(found.after))}</pre>"
            "</td></tr>\n"
        )
    if step.note:
        row += f'<tr><td></td><td colspan="8">{escape(step.note)}</td></tr>\n'
    return row
