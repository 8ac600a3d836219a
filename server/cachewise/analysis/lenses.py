"""Code lenses above each request: its cost, and what it reads of an earlier request."""

from __future__ import annotations

from cachewise.analysis.compare import reading
from cachewise.analysis.configuration import configuration_line
from cachewise.analysis.document import Analyzed, Document
from cachewise.analysis.surfaces import Lens
from cachewise.analysis.templates import is_template, template_line
from cachewise.analysis.wording import money, number
from cachewise.caching.cost import pays_from_call

COMPARE = "cachewise.compare"
"""The command that shows a request beside the earlier one that it reads from."""


def lenses(document: Document) -> list[Lens]:
    """What is told above each request of the document; none when the settings switch them off.

    A request that goes on from an earlier one of the document has a second lens, ``reads 5,169 of
    5,270 tokens from the request above``, whose command compares the two.
    """
    if not document.options.settings.lens_enabled:
        return []
    found: list[Lens] = []
    for located in document.requests:
        if located.analyzed.request.configuration:
            line = configuration_line(document, located)
        elif is_template(located.analyzed):
            line = template_line(located.analyzed)
        else:
            line = _remembered_line(located.analyzed)
        if line is not None:
            found.append(Lens(located.base, located.end, line))
    for step in document.steps:
        if step.step.reference is not None:
            located = document.requests[step.step.call.index]
            found.append(Lens(located.base, located.end, reading(step), COMPARE))
    found.sort(key=lambda lens: lens.start)
    return found


def _remembered_line(analyzed: Analyzed) -> str:
    memo = analyzed.request.node.memo
    if memo is None:
        memo = analyzed.request.node.memo = {}
    known: tuple[Analyzed, str] | None = memo.get("lens")
    if known is None or known[0] is not analyzed:
        known = memo["lens"] = analyzed, request_line(analyzed)
    return known[1]


def request_line(analyzed: Analyzed) -> str:
    """``12,034 tokens · first call $0.0444 · next $0.0064 · pays from call 2``."""
    plan = analyzed.plan
    tokens = f"{number(plan.total, plan.at_least)} tokens"
    costs = analyzed.costs
    least = "≥ " if plan.at_least else ""
    if costs.first_call is None or costs.next_call is None:
        if analyzed.model is None and analyzed.resolution.written is not None:
            return f"{tokens} · the model is not in the catalog, so its price is not known"
        if analyzed.model is None:
            return f"{tokens} · no model named, so no price is known"
        return f"{tokens} · price not known"
    if not costs.first.write_5m and not costs.first.write_1h:
        return f"{tokens} · {least}{money(costs.first_call)} each call · nothing cached"
    line = (
        f"{tokens} · first call {least}{money(costs.first_call)} · "
        f"next {least}{money(costs.next_call)}"
    )
    pays = pays_from_call(costs)
    return line if pays is None else f"{line} · pays from call {pays}"
