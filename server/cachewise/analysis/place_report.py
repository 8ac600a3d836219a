"""The placements of a document as plain data for a report."""

from __future__ import annotations

from cachewise.analysis.document import Document
from cachewise.analysis.place import Placement, placements
from cachewise.caching.cost import Traffic
from cachewise.caching.place import Expected
from cachewise.caching.plan import closed_prefix
from cachewise.report.model import Span, Tokens
from cachewise.report.place import ClosedBlock, FilePlacements, PlacementReport, RunCosts
from cachewise.tokens.count import Count


def placement_report(document: Document, traffic: Traffic | None = None) -> FilePlacements:
    """Where the breakpoints of each request should stand, and what that saves.

    ``traffic`` goes before what the settings declare.
    """
    return FilePlacements(
        document.path,
        document.format,
        tuple(_request(document, found) for found in placements(document, traffic)),
    )


def _request(document: Document, found: Placement) -> PlacementReport:
    located = found.located
    analyzed = located.analyzed
    resolution = analyzed.resolution
    known = found.outcome != "unknown"
    best: tuple[ClosedBlock, ...] | None = None
    if found.points is not None:
        best = tuple(
            ClosedBlock(
                pointer=point.pointer,
                ttl=point.cut.ttl,
                block=point.cut.block + 1,
                prefix_tokens=_tokens(
                    closed_prefix(
                        analyzed.plan.prefixes[point.cut.block],
                        analyzed.request.blocks[point.cut.block],
                        analyzed.model,
                    )
                ),
                reason=point.reason,
                worth=point.worth,
            )
            for point in found.points
        )
    elif known:
        best = ()
    return PlacementReport(
        pointer=located.found.pointer,
        span=_span(document, located.base, located.end),
        shape=analyzed.request.shape,
        provider=analyzed.request.provider,
        platform=resolution.platform,
        model_written=resolution.written,
        model_id=resolution.id,
        model_known=resolution.known,
        outcome=found.outcome,
        sentence=found.sentence,
        notes=found.notes,
        calls=found.traffic.calls,
        every=found.traffic.every,
        declared=found.declared,
        assumed=found.kind,
        at_least=analyzed.plan.at_least,
        present=tuple(
            ClosedBlock(
                pointer=analyzed.request.block_pointer(point.block),
                ttl=point.ttl,
                block=point.block + 1,
                prefix_tokens=_tokens(point.prefix),
                automatic=point.automatic,
                effective=point.effective,
            )
            for point in analyzed.plan.breakpoints
        ),
        best=best,
        before=_costs(found.before),
        after=_costs(found.after),
        uncached=_costs(found.plain),
    )


def _costs(costs: Expected | None) -> RunCosts | None:
    return None if costs is None else RunCosts(costs.first, costs.next, costs.run)


def _tokens(count: Count) -> Tokens:
    return Tokens(count.estimate, count.low, count.high)


def _span(document: Document, start: int, end: int) -> Span:
    first, last = document.text.position(start), document.text.position(end)
    return Span(first.line, first.column, last.line, last.column)
