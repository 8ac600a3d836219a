"""What the cache map of a request shows, as plain data.

Numbers of blocks and breakpoints count from 1; money is USD, None where a price is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cachewise.report.model import Tokens

BandKind = Literal["1h", "5m", "under-minimum", "implicit", "stable", "varies", "uncached"]
"""What becomes of a stretch of the prefix on a cold call: it is written for the longer or the usual
lifetime, whatever they are called; it is marked, and too short to be cached; the provider may cache
it without a marker; it is the same in every use of a template, or stands behind what is not; it is
plain input each time."""


@dataclass(frozen=True, slots=True)
class MapBlock:
    """One block: ``total`` counts the tokens up to and including it; ``line`` counts from 1.

    ``start`` and ``end`` are document offsets. ``at_least``: its length is not known, the tokens
    are a lower bound. ``volatile`` is a text in it that is made anew for every call or day, or
    empty.
    """

    number: int
    section: str
    kind: str
    role: str
    label: str
    excerpt: str
    tokens: Tokens
    total: int
    at_least: bool
    volatile: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MapBreakpoint:
    """One breakpoint behind ``block``; ``start`` and ``end`` are the document offsets of its mark.

    ``window`` are the first and last block that the walk back from here looks at, None where there
    is no such walk. ``effective`` is None when that cannot be told; ``counted``: the costs are
    shown as if it were in effect. ``ignored`` says why a marker has no effect, or is empty.
    """

    number: int
    block: int
    ttl: str
    automatic: bool
    prefix: Tokens
    at_least: bool
    minimum: int | None
    effective: bool | None
    counted: bool
    ignored: str
    window: tuple[int, int] | None
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MapBand:
    """The tokens from ``start`` up to ``end``, and what becomes of them; ``ttl`` when written."""

    kind: BandKind
    start: int
    end: int
    ttl: str = ""


@dataclass(frozen=True, slots=True)
class MapPart:
    """A part of a call's bill: ``rate`` is USD per million tokens."""

    name: str
    tokens: int
    rate: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class MapCall:
    """What one call pays for its input, and for what."""

    name: str
    parts: tuple[MapPart, ...]
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class RunFigure:
    """A run at one cadence: the calls of an hour that write and that only read; hour and day."""

    writes: int
    reads: int
    hour: Decimal
    day: Decimal


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What runs cost: ``choices`` are (name, a figure for each of the ``calls`` per hour).

    The first choice is that without a cache. ``start`` is the index of the cadence to begin with,
    ``chosen`` that of the choice.
    """

    calls: tuple[int, ...]
    choices: tuple[tuple[str, tuple[RunFigure, ...]], ...]
    start: int
    chosen: int


@dataclass(frozen=True, slots=True)
class CacheMap:
    """Everything that the map of one request shows.

    ``total`` are the tokens of the request, ``method`` how they were counted. ``minimum`` is the
    smallest prefix that is cached. ``unseen`` are (first, last) blocks inside the cached prefix at
    which no walk looks, with ``window`` positions a walk. ``notes`` say what is not known.
    """

    title: str
    model: str
    line: int
    blocks: tuple[MapBlock, ...]
    breakpoints: tuple[MapBreakpoint, ...]
    bands: tuple[MapBand, ...]
    unseen: tuple[tuple[int, int], ...]
    window: int | None
    minimum: int | None
    total: Tokens
    at_least: bool
    method: str
    calls: tuple[MapCall, ...]
    pays_from_call: int | None
    runs: RunChoices | None
    notes: tuple[str, ...]
