"""Recorded traffic, read line by line: memory is bounded whatever the trace's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cachewise.analysis.document import Options, analyze
from cachewise.analysis.steps import Summary, TraceStep, Unreadable, make_call, run_steps
from cachewise.caching.replay import Call
from cachewise.request.find import find_requests
from cachewise.syntax import json

_NAMED = 100
"""How many unreadable lines are named; the others are counted."""


def replay_lines(
    lines: Iterable[tuple[int, str]], options: Options, summary: Summary
) -> Iterator[TraceStep]:
    """The steps of a trace given as (1-based number, text) lines; ``summary`` is filled on the way.

    A line may hold one call, or a list of calls.
    """
    yield from run_steps(_calls_of_lines(lines, options, summary), summary)


def _calls_of_lines(
    lines: Iterable[tuple[int, str]], options: Options, summary: Summary
) -> Iterator[Call]:
    index = 0
    for number, line in lines:
        if not line.strip():
            continue
        result = json.scan(line)
        problem = ""
        if result.node is None or result.node.kind not in ("object", "array"):
            problem = "it is not a JSON object"
        elif not result.settled:
            problem = "its JSON is cut off or malformed"
        found = [] if problem or result.node is None else list(find_requests(result.node))
        if not problem and not found:
            problem = "no request of a known shape is in it"
        if problem:
            summary.unreadable_count += 1
            if len(summary.unreadable) < _NAMED:
                summary.unreadable.append(Unreadable(number, problem))
            continue
        for item in found:
            base = item.base
            analyzed = analyze(
                item, options, "jsonl", lambda start, end, b=base, s=line: s[b + start : b + end],
                rules=(),
            )  # fmt: skip
            yield make_call(index, item, analyzed, options)
            index += 1
