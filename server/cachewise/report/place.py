"""Where breakpoints should stand, as plain data, as JSON and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from cachewise.report.json import VERSION
from cachewise.report.model import Span, Tokens
from cachewise.report.money import dollars, exact
from cachewise.report.text import Line, duration, plural
from cachewise.report.visible import visible

Outcome = Literal["change", "best", "nothing", "unknown"]
"""``change``: other breakpoints are better. ``best``: the present ones are. ``nothing``: there is
nothing to place here. ``unknown``: what would be needed to tell is not known."""


@dataclass(frozen=True, slots=True)
class ClosedBlock:
    """A breakpoint: the JSON pointer and the 1-based number of the block that it closes.

    ``worth`` is what the calls would cost more without it (USD), ``effective`` as in a plan; both
    and ``reason`` are None where they do not apply.
    """

    pointer: str
    ttl: str
    block: int
    prefix_tokens: Tokens
    automatic: bool = False
    effective: bool | None = None
    reason: str | None = None
    worth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RunCosts:
    """USD of input: the first call, a coming one on average, and all together."""

    first_call: Decimal
    next_call: Decimal
    run: Decimal


@dataclass(frozen=True, slots=True)
class PlacementReport:
    """One request: its present breakpoints, the best ones, and why. ``best`` is None if unknown."""

    pointer: str
    span: Span
    shape: str
    provider: str
    platform: str
    model_written: str | None
    model_id: str | None
    model_known: bool
    outcome: Outcome
    sentence: str
    notes: tuple[str, ...]
    calls: int
    every: float
    declared: bool
    assumed: str | None
    at_least: bool
    present: tuple[ClosedBlock, ...]
    best: tuple[ClosedBlock, ...] | None
    before: RunCosts | None
    after: RunCosts | None
    uncached: RunCosts | None


@dataclass(frozen=True, slots=True)
class FilePlacements:
    """A file and what is to be said of each of its requests."""

    path: str
    format: str
    requests: tuple[PlacementReport, ...]


def place_object(files: Iterable[FilePlacements]) -> dict[str, Any]:
    """What ``place --format json`` prints."""
    return {
        "version": VERSION,
        "files": [
            {
                "path": file.path,
                "format": file.format,
                "requests": [_request(request) for request in file.requests],
            }
            for file in files
        ],
    }


def place_lines(file: FilePlacements) -> Iterator[Line]:
    """For each request what should change, why, and what that saves."""
    for request in file.requests:
        where = f"{visible(file.path)}:{request.span.start_line + 1}"
        model = request.model_id or request.model_written or "no model named"
        yield [(f"{where}  ", "bold"), (visible(model), "")]
        style = {"change": "bold yellow", "best": "bold green"}.get(request.outcome, "")
        yield [(f"    {visible(request.sentence)}", style)]
        if request.outcome == "change":
            yield from _change(request)
        elif request.outcome == "best" and request.best:
            yield from (_closed("◆", point, "cyan") for point in request.best)
        if request.outcome in ("change", "best") and request.uncached is not None:
            yield from _costs(request)
        for note in request.notes:
            yield [("    note: ", "bold"), (visible(note), "")]


def _change(request: PlacementReport) -> Iterator[Line]:
    best = request.best or ()
    kept = {(point.block, point.ttl) for point in request.present}
    for point in best:
        new = (point.block, point.ttl) not in kept
        yield _closed("+" if new else "◆", point, "green" if new else "cyan")
    chosen = {(point.block, point.ttl) for point in best}
    for point in request.present:
        if (point.block, point.ttl) not in chosen:
            yield _closed("-", point, "red")


def _closed(sign: str, point: ClosedBlock, style: str) -> Line:
    reason = "" if point.reason is None else f"  {point.reason}"
    if point.worth is not None:
        reason += f"; worth {dollars(point.worth)}"
    automatic = " (automatic)" if point.automatic else ""
    return [
        (f"      {sign} ", style),
        (visible(f"block {point.block} ({point.pointer}) {point.ttl}{automatic}"), "bold"),
        (f"  {point.prefix_tokens.estimate:,} tokens", "dim"),
        (visible(reason), ""),
    ]


def _costs(request: PlacementReport) -> Iterator[Line]:
    told = "" if request.declared else ", as nothing is declared"
    every = f"{plural(request.calls, 'call')}, one every {duration(request.every)}{told}"
    more = "at least, " if request.at_least else ""
    yield [(f"    input, {more}{every}:", "")]
    rows = [("no cache", request.uncached)]
    if any(point.effective is not False for point in request.present):
        rows.append(("now", request.before))
    if request.outcome == "change":
        rows.append(("best", request.after))
    for name, costs in rows:
        if costs is not None:
            best = costs is rows[-1][1]
            yield [
                (f"      {name:<9} {dollars(costs.run):>11}", "bold" if best else ""),
                (
                    f"  first call {dollars(costs.first_call)}, next {dollars(costs.next_call)}",
                    "dim",
                ),
            ]


def _request(request: PlacementReport) -> dict[str, Any]:
    span = request.span
    return {
        "pointer": request.pointer,
        "shape": request.shape,
        "provider": request.provider,
        "platform": request.platform,
        "model": {
            "written": request.model_written,
            "id": request.model_id,
            "known": request.model_known,
        },
        "range": {
            "start": {"line": span.start_line, "character": span.start_column},
            "end": {"line": span.end_line, "character": span.end_column},
        },
        "outcome": request.outcome,
        "sentence": request.sentence,
        "notes": list(request.notes),
        "traffic": {
            "calls": request.calls,
            "every": request.every,
            "declared": request.declared,
            "assumed": request.assumed,
        },
        "present": [
            {**_point(point), "automatic": point.automatic, "effective": point.effective}
            for point in request.present
        ],
        "best": None
        if request.best is None
        else [
            {**_point(point), "reason": point.reason, "worth": exact(point.worth)}
            for point in request.best
        ],
        "cost": {
            "currency": "USD",
            "uncached": _costs_object(request.uncached),
            "before": _costs_object(request.before),
            "after": _costs_object(request.after),
        },
    }


def _point(point: ClosedBlock) -> dict[str, Any]:
    tokens = point.prefix_tokens
    return {
        "pointer": point.pointer,
        "ttl": point.ttl,
        "block": point.block,
        "prefix_tokens": {"estimate": tokens.estimate, "low": tokens.low, "high": tokens.high},
    }


def _costs_object(costs: RunCosts | None) -> dict[str, str | None] | None:
    if costs is None:
        return None
    return {
        "first_call": exact(costs.first_call),
        "next_call": exact(costs.next_call),
        "run": exact(costs.run),
    }
