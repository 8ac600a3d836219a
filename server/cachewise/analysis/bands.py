"""The prefix in bands: which blocks are cached and for how long, and which are not, and why.

An editor tints them. Everything here follows from the plan of a request; nothing is counted anew.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachewise.analysis.document import Analyzed, Document, Located
from cachewise.analysis.templates import is_template
from cachewise.caching.cost import LONG_TTL
from cachewise.caching.plan import Breakpoint
from cachewise.syntax.tree import Node, strings_below

BandKind = Literal["1h", "5m", "uncached", "under-minimum", "out-of-window"]
"""``1h`` stands for a provider's longer lifetime and ``5m`` for its usual one, whatever they are
called there (``Band.ttl``). ``uncached``: billed as plain input with every call.
``under-minimum``: marked, but too short for the model. ``out-of-window``: cached as a part of its
prefix, but an entry that an earlier request wrote there is found from no breakpoint."""


@dataclass(frozen=True, slots=True)
class Band:
    """Blocks that stand one behind the other in the prefix and fare alike.

    ``first`` and ``last`` are 0-based block numbers, ``tokens`` what they count together, a lower
    bound when ``at_least``. ``ttl`` is the lifetime as the provider calls it, ``""`` where nothing
    is cached. ``minimum`` (tokens) is what an ``under-minimum`` prefix would need. ``spans`` are
    document offsets in the order of the prefix: several where the blocks stand in several places.
    """

    kind: BandKind
    ttl: str
    first: int
    last: int
    tokens: int
    at_least: bool
    minimum: int | None
    spans: tuple[tuple[int, int], ...]


def bands(document: Document, start: int, end: int) -> list[Band]:
    """The bands of the requests that reach into the text between two offsets, request by request.

    None for configurations and prompt files, which are no requests themselves, and where a
    provider caches prefixes without being told to: which of them it keeps is not known.
    """
    requests = document.requests
    first = max(0, bisect_right(requests, start, key=lambda located: located.base) - 1)
    return [
        Band(kind, ttl, low, high, *_tokens(located.analyzed, low, high), minimum, spans)
        for located in requests[first:]
        if located.base <= end and not located.analyzed.request.configuration
        for kind, ttl, low, high, minimum in runs(located.analyzed)
        if (spans := tuple(_spans(document, located, low, high)))
    ]


Run = tuple[BandKind, str, int, int, int | None]
"""A kind, a lifetime, the first and the last block, and the minimum that is not reached."""


def runs(analyzed: Analyzed) -> Iterator[Run]:
    """The bands of a request in prefix order, as 0-based block numbers.

    A part that is out of the window stands before one of its own lifetime that is not.
    """
    end = len(analyzed.request.blocks) - 1
    written = [point for point in analyzed.plan.breakpoints if point.counts_as_written]
    if not written:
        yield from _nothing_written(analyzed, end)
        return
    longs = [point for point in written if point.long_lived or point.ttl == LONG_TTL]
    long = longs[-1].block if longs else -1
    last = written[-1].block
    unseen = sorted(_unseen(analyzed))
    if longs:
        yield from _apart("1h", longs[-1].ttl, 0, long, unseen)
    if last > long:
        yield from _apart("5m", written[-1].ttl, long + 1, last, unseen)
    if last < end:
        yield "uncached", "", last + 1, end, None


def _nothing_written(analyzed: Analyzed, end: int) -> Iterator[Run]:
    short = [
        point
        for point in analyzed.plan.breakpoints
        if point.minimum is not None and not point.ignored
    ]
    platform = analyzed.platform
    if short:
        last = short[-1]
        yield "under-minimum", "", 0, last.block, last.minimum
        if last.block < end:
            yield "uncached", "", last.block + 1, end, None
    elif end >= 0 and not is_template(analyzed) and not (platform and platform.implicit):
        yield "uncached", "", 0, end, None


def _unseen(analyzed: Analyzed) -> Iterator[tuple[int, int]]:
    """First and last of the blocks between two breakpoints that neither's walk back looks at.

    The same ones that the rule about the lookback window names.
    """
    plan = analyzed.plan
    window = plan.window
    if window is None or analyzed.request.has_unknown_blocks:
        return
    previous = 0
    for point in (point for point in plan.breakpoints if not point.ignored):
        first = bisect_right(plan.positions, previous)
        behind = bisect_right(plan.positions, point.position - window)
        if first < behind and not _holds_no_entry(analyzed, point, behind - 1):
            yield first, behind - 1
        previous = point.position


def _holds_no_entry(analyzed: Analyzed, point: Breakpoint, block: int) -> bool:
    """Whether the prefix up to a block is surely too short to have been cached."""
    unknown = analyzed.plan.unknown
    if point.minimum is None or (unknown and unknown[0] <= block):
        return False
    return analyzed.plan.prefixes[block].high < point.minimum


def _apart(
    kind: BandKind, ttl: str, first: int, last: int, unseen: list[tuple[int, int]]
) -> Iterator[Run]:
    """A band, with the blocks that are out of the window as bands of their own."""
    at = first
    for low, high in unseen:
        low, high = max(low, at), min(high, last)
        if low > high:
            continue
        if low > at:
            yield kind, ttl, at, low - 1, None
        yield "out-of-window", ttl, low, high, None
        at = high + 1
    if at <= last:
        yield kind, ttl, at, last, None


def _tokens(analyzed: Analyzed, first: int, last: int) -> tuple[int, bool]:
    plan = analyzed.plan
    before = plan.prefixes[first - 1].estimate if first else 0
    unknown = bisect_right(plan.unknown, last) > bisect_right(plan.unknown, first - 1)
    return max(0, plan.prefixes[last].estimate - before), unknown


_BETWEEN = re.compile(r"[\s,;\[\](){}-]*")
"""What stands between two entries of a list, in any of the languages."""

_LONGEST_BETWEEN = 200
"""Characters; what is further apart does not belong together."""


def _spans(
    document: Document, located: Located, first: int, last: int
) -> Iterator[tuple[int, int]]:
    """Where some blocks stand in the document; entries of one list that follow each other as one.

    In JSON that is so by the order of the list. Elsewhere an entry may stand anywhere (a constant
    used by name, an anchor), so there the text between two of them is looked at.
    """
    request = located.analyzed.request
    in_order = document.format in _IN_ORDER
    known: tuple[str, int, int] | None = None
    for unit in range(request.unit_of(first), request.unit_of(last) + 1):
        low = max(first, request.firsts[unit])
        high = min(last, request.firsts[unit + 1] - 1)
        around = request.unit_pointers[unit].rpartition("/")[0]
        for start, end in _pieces(located, unit, low, high, in_order=in_order):
            if known is not None:
                joined = known[0] == around and known[2] <= start
                if joined and (in_order or _adjoins(document, known[2], start)):
                    known = around, known[1], max(end, known[2])
                    continue
                yield known[1], known[2]
            known = around, start, end
    if known is not None:
        yield known[1], known[2]


_IN_ORDER = ("json", "jsonc", "jsonl")


def _pieces(
    located: Located, unit: int, low: int, high: int, *, in_order: bool
) -> list[tuple[int, int]]:
    """The spans of some blocks of one entry: that of the entry when these are all of its blocks."""
    if low > high:
        return []
    request = located.analyzed.request
    first = request.firsts[unit]
    base = located.base + request.unit_starts[unit]
    blocks = request.units[unit].blocks
    spans = [
        (base + block.start, base + block.start + block.length)
        for block in blocks[low - first : high - first + 1]
    ]
    length = request.units[unit].node.length
    inside = spans[0][0] >= base and spans[-1][1] <= base + length
    elsewhere = [] if in_order else _texts_elsewhere(located, unit, low, high)
    if inside and high - low + 1 == len(blocks):
        return [(base, base + length), *elsewhere]
    return [(spans[0][0], spans[-1][1])] if in_order else [*spans, *elsewhere]


def _texts_elsewhere(located: Located, unit: int, low: int, high: int) -> list[tuple[int, int]]:
    """The texts of some blocks that stand outside of them: constants used by name."""
    request = located.analyzed.request
    base = located.base + request.unit_starts[unit]
    first = request.firsts[unit]
    found: list[tuple[int, int]] = []
    for block in request.units[unit].blocks[low - first : high - first + 1]:
        for node, at in strings_below(block.node):
            start = base + block.start + at
            found += [(start + low, start + high) for low, high in _sources(node)]
    return found


def _sources(node: Node) -> Iterator[tuple[int, int]]:
    """Where the text of a string is written outside of it, from the node's start.

    Pieces of one literal are a few characters apart: an escape, the quotes of two lines.
    """
    known: tuple[int, int] | None = None
    ends = [*(at for at, _ in node.pieces[1:]), len(node.text)]
    for (at, source), end in zip(node.pieces, ends, strict=False):
        if 0 <= source <= node.length:
            continue
        stop = source + end - at
        if known is not None and 0 <= source - known[1] <= _LONGEST_BETWEEN:
            known = known[0], stop
            continue
        if known is not None:
            yield known
        known = source, stop
    if known is not None and known[1] > known[0]:
        yield known


def _adjoins(document: Document, end: int, start: int) -> bool:
    between = document.read(end, min(start, end + _LONGEST_BETWEEN))
    return start - end <= _LONGEST_BETWEEN and _BETWEEN.fullmatch(between) is not None
