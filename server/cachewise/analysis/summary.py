"""The request under the cursor, in one line."""

from __future__ import annotations

from cachewise.analysis.document import Document
from cachewise.analysis.hints import breakpoint_label, tail_label
from cachewise.analysis.lenses import request_line
from cachewise.analysis.surfaces import Summary
from cachewise.analysis.wording import escape, money, number
from cachewise.catalog.prices import plain


def summary(document: Document, offset: int) -> Summary | None:
    """What a status bar shows for the request that holds an offset; None when there is none.

    ``label`` is plain text, ``tooltip`` Markdown, ``next_call`` exact USD.
    """
    located = document.request_at(offset)
    if located is None or located.analyzed.request.configuration:
        return None
    analyzed = located.analyzed
    plan = analyzed.plan
    following = analyzed.costs.next_call
    label = f"{number(plan.total, plan.at_least)} tok"
    if following is not None:
        label += f" · next {'≥ ' if plan.at_least else ''}{money(following)}"
    model = analyzed.model
    name = f"**{escape(model.name)}**" if model is not None else "**Unknown model**"
    if analyzed.platform is not None and analyzed.platform_guessed:
        name += f" on {escape(analyzed.platform.name)} (a guess)"
    lines = [name, "", f"- {request_line(analyzed)}"]
    lines += [
        f"- Block {point.block + 1}: {breakpoint_label(analyzed, point)}"
        for point in plan.breakpoints
    ]
    tail = tail_label(analyzed)
    if tail:
        lines.append(f"- {tail}")
    return Summary(
        label=label,
        tooltip="\n".join(lines),
        tokens=plan.total.estimate,
        next_call=None if following is None else plain(following),
        model=model.id if model is not None else None,
    )
