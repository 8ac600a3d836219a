"""A request of a document as the rules and their helpers look at it."""

from __future__ import annotations

from cachewise.analysis.document import Document, Located
from cachewise.rules.base import Context


def context_of(document: Document, located: Located) -> Context:
    """What the helpers for placing markers look at; offsets count from the request's start."""
    analyzed = located.analyzed
    options = document.options
    base = located.base
    return Context(
        found=located.found,
        request=analyzed.request,
        plan=analyzed.plan,
        costs=analyzed.costs,
        catalog=options.catalog,
        resolution=analyzed.resolution,
        model=analyzed.model,
        platform=analyzed.platform,
        prices=analyzed.prices,
        minimum=analyzed.minimum,
        today=options.today,
        traffic=options.settings.traffic,
        auth=options.settings.auth,
        format=document.format,
        read=lambda start, end: document.read(base + start, base + end),
    )
