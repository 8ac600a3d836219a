"""What a check found, as plain data: no trees, no documents, nothing that can still change.

Positions are 0-based lines and 0-based UTF-16 columns, as the language server protocol counts
them. Money is USD as ``Decimal``, None where a price is not known. Texts are as they were written:
whoever shows them on a terminal makes them visible first.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """From a first character up to, not including, a last one."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The source line in which a span starts, cut to a window when the line is long.

    ``start`` and ``end`` are code points inside ``text``; ``end`` is the end of the line's part
    when the span goes on. ``column`` is the 1-based code point of the span's start in the whole
    line. ``cut_before`` and ``cut_after`` tell that the line is longer than the window.
    """

    line: int
    column: int
    text: str
    start: int
    end: int
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Another place that has to do with a finding."""

    message: str
    pointer: str
    span: Span
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class FindingReport:
    """One finding; ``fixes`` are the titles, ``fixable`` whether ``--fix`` would apply one."""

    code: str
    rule: str
    severity: str
    message: str
    pointer: str
    span: Span
    excerpt: Excerpt
    related: tuple[Place, ...]
    fixes: tuple[str, ...]
    fixable: bool
    url: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token count with the interval in which the provider's own count lies."""

    estimate: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class BreakpointReport:
    """One place where the prefix is closed; ``block`` counts from 1 in prefix order.

    ``effective`` is None when the minimum lies inside the interval of ``prefix_tokens``, or is not
    known.
    """

    pointer: str
    span: Span
    ttl: str
    automatic: bool
    block: int
    prefix_tokens: Tokens
    minimum_tokens: int | None
    effective: bool | None


@dataclass(frozen=True, slots=True)
class BlockReport:
    """One block with its own tokens and those of the prefix that it ends."""

    pointer: str
    section: str
    kind: str
    tokens: Tokens
    prefix_tokens: Tokens


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run of calls with one lifetime: how many write, how many read, and what all cost."""

    ttl: str
    writes: int
    reads: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class RunReport:
    """``calls`` identical calls, one every ``every`` seconds, without a cache and per lifetime.

    All figures include ``output_tokens`` for each call. ``best`` is the cheapest choice's ``ttl``,
    ``none`` when no cache is cheaper, None when a price is missing.
    """

    calls: int
    every: float
    output_tokens: int
    uncached: Decimal | None
    choices: tuple[RunChoice, ...]
    best: str | None


@dataclass(frozen=True, slots=True)
class RequestReport:
    """One request. Costs are for input tokens only.

    ``at_least`` tells that a text of unknown length makes every total a lower bound.
    ``pays_from_call`` is the number of identical calls from which caching is cheaper, None when
    it never is or a price is not known. ``blocks`` and ``run`` are there when asked for.
    """

    pointer: str
    shape: str
    provider: str
    platform: str
    model_written: str | None
    model_id: str | None
    model_known: bool
    span: Span
    block_count: int
    tokens: Tokens
    method: str
    at_least: bool
    breakpoints: tuple[BreakpointReport, ...]
    uncached: Decimal | None
    first_call: Decimal | None
    next_call: Decimal | None
    pays_from_call: int | None
    blocks: tuple[BlockReport, ...] = ()
    run: RunReport | None = None
    exact: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file with its requests and findings, both in the order of the text."""

    path: str
    format: str
    requests: tuple[RequestReport, ...]
    findings: tuple[FindingReport, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are of what."""

    files: int
    requests: int
    errors: int
    warnings: int
    infos: int


def tally(files: list[FileReport]) -> Tally:
    """Counts over the files of a report."""
    severities = [finding.severity for file in files for finding in file.findings]
    return Tally(
        files=len(files),
        requests=sum(len(file.requests) for file in files),
        errors=severities.count("error"),
        warnings=severities.count("warning"),
        infos=severities.count("info"),
    )
