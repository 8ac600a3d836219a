"""A document's analysis as plain data for a report: requests with costs, and findings."""

from __future__ import annotations

from decimal import Decimal

from cachewise.analysis.document import Document, Located, LocatedFinding
from cachewise.caching.cost import MILLION, Traffic, pays_from_call, run_cost
from cachewise.catalog.resolve import effective_ttls
from cachewise.report.model import (
    BlockReport,
    BreakpointReport,
    Excerpt,
    FileReport,
    FindingReport,
    Place,
    RequestReport,
    RunChoice,
    RunReport,
    Span,
    Tokens,
)
from cachewise.rules.base import Fix, docs_url
from cachewise.text import Text
from cachewise.tokens.count import Count

WINDOW_BEFORE = 40
WINDOW_AFTER = 70
"""How many characters around the start of a span an excerpt of a long line shows."""


def file_report(
    document: Document, *, blocks: bool = False, traffic: Traffic | None = None
) -> FileReport:
    """Everything about a document. ``blocks`` adds each block's tokens, ``traffic`` the run."""
    return FileReport(
        path=document.path,
        format=document.format,
        requests=tuple(
            _request(document.text, located, blocks, traffic)
            for located in document.requests
            if not located.analyzed.request.configuration
        ),
        findings=tuple(_finding(document, finding) for finding in document.findings()),
    )


def automatic_fix(found: LocatedFinding, *, unsafe: bool = False) -> Fix | None:
    """The fix that ``--fix`` applies unasked, or None.

    It is the first marker-only fix of an error or a warning; with ``unsafe`` the first of any kind.
    """
    if found.finding.severity == "info":
        return None
    return next((fix for fix in found.finding.fixes if fix.marker_only or unsafe), None)


def _finding(document: Document, found: LocatedFinding) -> FindingReport:
    finding = found.finding
    text = document.text
    requests = document.requests
    places: list[Place] = []
    for related in finding.related:
        index = found.located.index + related.request
        if 0 <= index < len(requests):
            start, end = requests[index].base + related.start, requests[index].base + related.end
            places.append(
                Place(
                    related.message,
                    related.pointer,
                    _span(text, start, end),
                    _excerpt(text, start, end),
                )
            )
    return FindingReport(
        code=finding.code,
        rule=finding.rule,
        severity=finding.severity,
        message=finding.message,
        pointer=finding.pointer,
        span=_span(text, found.start, found.end),
        excerpt=_excerpt(text, found.start, found.end),
        related=tuple(places),
        fixes=tuple(fix.title for fix in finding.fixes),
        fixable=automatic_fix(found) is not None,
        url=docs_url(finding.code, finding.rule),
    )


def _request(text: Text, located: Located, blocks: bool, traffic: Traffic | None) -> RequestReport:
    analyzed = located.analyzed
    request = analyzed.request
    plan = analyzed.plan
    costs = analyzed.costs
    resolution = analyzed.resolution
    in_effect = any(item.counts_as_written for item in plan.breakpoints)
    return RequestReport(
        pointer=located.found.pointer,
        shape=request.shape,
        provider=request.provider,
        platform=resolution.platform,
        model_written=resolution.written,
        model_id=resolution.id,
        model_known=resolution.known,
        span=_span(text, located.base, located.end),
        block_count=len(request.blocks),
        tokens=_tokens(plan.total),
        method=plan.total.method,
        at_least=plan.at_least,
        breakpoints=tuple(
            BreakpointReport(
                pointer=item.placed.pointer,
                span=_span(text, located.base + item.placed.start, located.base + item.placed.end),
                ttl=item.ttl,
                automatic=item.automatic,
                block=item.block + 1,
                prefix_tokens=_tokens(item.prefix),
                minimum_tokens=item.minimum,
                effective=item.effective,
            )
            for item in plan.breakpoints
        ),
        uncached=costs.uncached,
        first_call=costs.first_call,
        next_call=costs.next_call,
        pays_from_call=pays_from_call(costs) if in_effect else None,
        blocks=_blocks(located) if blocks else (),
        run=_run(located, traffic) if traffic is not None else None,
    )


def _blocks(located: Located) -> tuple[BlockReport, ...]:
    request = located.analyzed.request
    previous = Count(0, 0, 0, "")
    found: list[BlockReport] = []
    for index, block in enumerate(request.blocks):
        prefix = located.analyzed.plan.prefixes[index]
        own = Tokens(
            prefix.estimate - previous.estimate,
            prefix.low - previous.low,
            prefix.high - previous.high,
        )
        pointer = request.block_pointer(index)
        found.append(BlockReport(pointer, block.section, block.kind, own, _tokens(prefix)))
        previous = prefix
    return tuple(found)


def _run(located: Located, traffic: Traffic) -> RunReport:
    analyzed = located.analyzed
    prices = analyzed.prices
    uncached = analyzed.costs.uncached
    if prices is None or uncached is None:
        return RunReport(traffic.calls, traffic.every, traffic.output_tokens, None, (), None)
    answers = Decimal(0)
    if traffic.output_tokens:
        if prices.output is None:
            return RunReport(traffic.calls, traffic.every, traffic.output_tokens, None, (), None)
        answers = traffic.calls * traffic.output_tokens * prices.output / MILLION
    without = traffic.calls * uncached + answers
    choices: list[RunChoice] = []
    if any(item.counts_as_written for item in analyzed.plan.breakpoints) and analyzed.model:
        platform = analyzed.platform
        ttls = effective_ttls(analyzed.model, analyzed.resolution.platform)
        for ttl in ttls:
            lifetime = platform.ttl_seconds.get(ttl) if platform is not None else None
            if lifetime is None:
                continue
            run = run_cost(
                analyzed.plan,
                prices,
                ttl=ttl,
                lifetime=lifetime,
                calls=traffic.calls,
                every=traffic.every,
                ttls=ttls,
            )
            cost = None if run.cost is None else run.cost + answers
            choices.append(RunChoice(ttl, run.writes, run.reads, cost))
    best: str | None = "none"
    lowest = without
    for choice in choices:
        if choice.cost is None:
            best = None
            break
        if choice.cost < lowest:
            best, lowest = choice.ttl, choice.cost
    return RunReport(
        traffic.calls, traffic.every, traffic.output_tokens, without, tuple(choices), best
    )


def _tokens(count: Count) -> Tokens:
    return Tokens(count.estimate, count.low, count.high)


def _span(text: Text, start: int, end: int) -> Span:
    first, last = text.position(start), text.position(end)
    return Span(first.line, first.column, last.line, last.column)


def _excerpt(text: Text, start: int, end: int) -> Excerpt:
    line = text.position(start).line
    first, last = text.line_start(line), text.line_end(line)
    start = min(start, last)
    window_start, window_end = first, last
    if last - first > WINDOW_BEFORE + WINDOW_AFTER:
        window_start = max(first, start - WINDOW_BEFORE)
        window_end = min(last, start + WINDOW_AFTER)
    return Excerpt(
        line=line,
        column=start - first + 1,
        text=text.slice(window_start, window_end),
        start=start - window_start,
        end=max(start, min(end, window_end)) - window_start,
        cut_before=window_start > first,
        cut_after=window_end < last,
    )
