"""Recorded traffic, read line by line: memory is bounded whatever the trace's size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from cachewise.analysis.document import Options, analyze
from cachewise.analysis.steps import (
    Summary,
    TraceStep,
    Unreadable,
    make_call,
    recent_chains,
    run_steps,
)
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
    chains = recent_chains()
    recent: deque[tuple[str, json.Scan]] = deque(maxlen=_RECENT)
    for number, line in lines:
        if not line.strip():
            continue
        result = _scan_like(recent, line)
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
            yield make_call(index, item, analyzed, options, chains)
            index += 1


_RECENT = 4
"""How many of the last lines a new one is compared with: conversations may be interleaved."""

_WORTHWHILE = 2_000
"""Characters that two lines must have in common, one behind the other, for sharing to be tried."""

_LONGEST_SMALL = 80
"""Characters of a difference that is looked across: a time or an id before the request."""


def _scan_like(recent: deque[tuple[str, json.Scan]], line: str) -> json.Scan:
    """Read a line; what it has in common with one of the last lines is shared, not read again.

    A conversation is sent whole with every turn. Sharing the values of the turns before keeps all
    that was worked out about them: digests, tokens, blocks.
    """
    result: json.Scan | None = None
    best, shared = None, _WORTHWHILE
    for known, known_scan in recent:
        gap = _small_difference(known, line)
        common = json.common_beginning(known[gap[1] :], line[gap[2] :])
        if common > shared and known_scan.node is not None:
            best, shared = (known, known_scan, gap), common
    if best is not None:
        result = _shared_scan(*best, line)
    if result is None:
        result = json.scan(line)
    recent.append((line, result))
    return result


def _shared_scan(
    known: str, scan: json.Scan, gap: tuple[int, int, int], line: str
) -> json.Scan | None:
    start, end, new_end = gap
    if new_end > start or end > start:
        # First the small difference alone, then the rest: two edits, each of which shares much.
        between = line[:new_end] + known[end:]
        if scan.node is None:
            return None
        moved = json.rescan(scan.node, scan.start, between, start, end, new_end - start)
        if moved is None:
            return None
        known, scan = between, moved
    if scan.node is None:
        return None
    start, end, length = json.common_edit(known, line)
    return json.rescan(scan.node, scan.start, line, start, end, length)


def _small_difference(known: str, line: str) -> tuple[int, int, int]:
    """A short difference near the start: (start, end in ``known``, end in ``line``); or none."""
    start = json.common_beginning(known[:_WORTHWHILE], line[:_WORTHWHILE])
    if start >= min(_WORTHWHILE, len(known), len(line)):
        return 0, 0, 0
    for end in range(start, start + _LONGEST_SMALL):
        piece = known[end : end + _SURE]
        if len(piece) < _SURE:
            break
        new_end = line.find(piece, start, start + _LONGEST_SMALL + _SURE)
        if new_end >= 0:
            return start, end, new_end
    return 0, 0, 0


_SURE = 40
"""Characters that must follow a small difference alike, to be sure that it is over."""
