"""Inlay hints: what each breakpoint caches and costs, the uncached tail, and the blocks' numbers.

A hint stands at the end of its line, so that it never pushes source apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from cachewise.analysis.configuration import configuration_hints
from cachewise.analysis.document import Analyzed, Document, Located
from cachewise.analysis.surfaces import Hint
from cachewise.analysis.templates import is_template, template_hints
from cachewise.analysis.wording import (
    block_name,
    block_tokens,
    escape,
    interval,
    money,
    number,
    source,
)
from cachewise.caching.cost import Billed, effective_prefixes, price, split
from cachewise.caching.plan import Breakpoint


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """The hints of the lines from offset ``start`` to offset ``end``, in the order of the text."""
    settings = document.options.settings
    if not (settings.hints_breakpoints or settings.hints_blocks):
        return []
    text = document.text
    start = text.line_start(text.position(start).line)
    end = text.line_end(text.position(end).line)
    found: list[Hint] = []
    for located in _between(document, start, end):
        if settings.hints_breakpoints:
            found += configuration_hints(document, located, start, end)
        if located.analyzed.request.configuration:
            continue
        if settings.hints_blocks:
            found += _block_hints(document, located, start, end)
        if settings.hints_breakpoints:
            found += template_hints(document, located, start, end)
            found += _breakpoint_hints(document, located, start, end)
            found += _tail_hint(document, located, start, end)
    found.sort(key=lambda hint: hint.at)
    return found


def prefix_costs(analyzed: Analyzed, breakpoint: Breakpoint) -> tuple[Decimal, Decimal] | None:
    """USD for the prefix that a breakpoint closes: written as a whole, and read as a whole.

    Writing is billed by all breakpoints up to this one, since their lifetimes may differ. None
    when a price is not known.
    """
    if analyzed.prices is None:
        return None
    tokens = breakpoint.prefix.estimate
    closing = effective_prefixes(
        [other for other in analyzed.plan.breakpoints if other.block <= breakpoint.block]
    )
    write = price(split(tokens, closing, 0), analyzed.prices)
    read = price(Billed(tokens, 0, 0, 0), analyzed.prices)
    return None if write is None or read is None else (write, read)


def breakpoint_label(analyzed: Analyzed, breakpoint: Breakpoint) -> str:
    """``11,034 tok · 5m · write $0.0414 → read $0.0033``, or why nothing is cached here."""
    tokens = f"{number(breakpoint.prefix, breakpoint.at_least)} tok"
    platform = analyzed.platform
    if platform is not None and platform.ttl_seconds and breakpoint.ttl not in platform.ttl_seconds:
        return f"{tokens} · no such ttl"
    minimum = breakpoint.minimum
    if breakpoint.ignored:
        return f"{tokens} · no effect here"
    if breakpoint.effective is False:
        return f"{tokens} · under {minimum:,}: not cached"
    if breakpoint.effective is None and minimum is not None:
        if breakpoint.at_least:
            return f"{tokens} · {breakpoint.ttl} · cached from {minimum:,}"
        return f"{tokens} · {breakpoint.ttl} · may be under {minimum:,}"
    costs = prefix_costs(analyzed, breakpoint)
    if costs is None:
        return f"{tokens} · {breakpoint.ttl} · price not known"
    least = "≥ " if breakpoint.at_least else ""
    write, read = costs
    return f"{tokens} · {breakpoint.ttl} · write {least}{money(write)} → read {least}{money(read)}"


def _between(document: Document, start: int, end: int) -> Iterator[Located]:
    requests = document.requests
    first = max(0, bisect_right(requests, start, key=lambda located: located.base) - 1)
    for index in range(first, len(requests)):
        if requests[index].base > end:
            return
        yield requests[index]


def _line_end(document: Document, offset: int) -> int:
    return document.text.line_end(document.text.position(offset).line)


def _breakpoint_hints(document: Document, located: Located, start: int, end: int) -> Iterator[Hint]:
    analyzed = located.analyzed
    shown: list[tuple[Breakpoint, Hint]] = []
    for index, breakpoint in enumerate(analyzed.plan.breakpoints):
        marked = located.base + breakpoint.placed.end
        if not start <= marked <= end:
            continue
        shown.append(
            (
                breakpoint,
                Hint(
                    at=_line_end(document, marked),
                    label=breakpoint_label(analyzed, breakpoint),
                    tooltip=breakpoint_tooltip(analyzed, index),
                    kind="breakpoint",
                ),
            )
        )
    for breakpoint, hint in shown:
        # Where several stand at one line's end, each must say which block it closes.
        alone = sum(other.at == hint.at for _, other in shown) == 1
        yield hint if alone else replace(hint, label=f"block {breakpoint.block + 1}: {hint.label}")


def breakpoint_tooltip(analyzed: Analyzed, index: int) -> str:
    """How the figures of a breakpoint came about, in Markdown."""
    plan = analyzed.plan
    breakpoint = plan.breakpoints[index]
    prefix = breakpoint.prefix
    lines = [
        f"**Breakpoint {index + 1} of {len(plan.breakpoints)}**, behind block "
        f"{breakpoint.block + 1} of {len(analyzed.request.blocks)}"
        + (" (automatic caching)" if breakpoint.automatic else ""),
        "",
        f"- Prefix: {number(prefix, breakpoint.at_least)} tokens"
        f"{interval(prefix, breakpoint.at_least)}, counted by {escape(prefix.method)}",
    ]
    if breakpoint.at_least:
        lines.append("- A text of unknown length stands in the prefix: the count is a lower bound")
    lines += [f"- {escape(note, 300)}" for note in analyzed.counts.notes]
    model = analyzed.model
    if breakpoint.ignored:
        lines.append(f"- No effect: {escape(breakpoint.ignored, 200)}")
    if breakpoint.minimum is None:
        lines.append("- The minimum of this model is not known")
    else:
        where = source(model.sources.get("minimum")) if model is not None else ""
        lines.append(f"- Minimum: {breakpoint.minimum:,} tokens{': ' if where else ''}{where}")
    lines.append(_price_line(analyzed))
    return "\n".join(lines)


def _price_line(analyzed: Analyzed) -> str:
    prices = analyzed.prices
    model = analyzed.model
    if prices is None or model is None:
        return "- Prices are not known for this model"
    named = (
        ("input", prices.input),
        ("5m write", prices.write_5m),
        ("1h write", prices.write_1h),
        ("read", prices.read),
    )
    listed = ", ".join(f"{name} ${rate.normalize():f}" for name, rate in named if rate is not None)
    return f"- USD per million tokens: {listed}: {source(model.sources.get('prices'))}"


def _tail_hint(document: Document, located: Located, start: int, end: int) -> Iterator[Hint]:
    at = located.end
    if not start <= at <= end or is_template(located.analyzed):
        return
    label = tail_label(located.analyzed)
    if label:
        analyzed = located.analyzed
        total = analyzed.plan.total
        tooltip = (
            f"Whole request: {number(total, analyzed.plan.at_least)} tokens"
            f"{interval(total, analyzed.plan.at_least)}, counted by {escape(total.method)}.\n\n"
            "What stands behind the last breakpoint in effect is billed as plain input on every "
            "call."
        )
        yield Hint(_line_end(document, at), label, tooltip, "tail")


def tail_label(analyzed: Analyzed) -> str:
    """The tokens that no breakpoint caches and what they cost on each call; empty when none."""
    plan = analyzed.plan
    tail = analyzed.costs.next.input
    if tail <= 0:
        return ""
    cached = [point for point in plan.breakpoints if point.counts_as_written]
    platform = analyzed.platform
    if not cached and platform is not None and platform.implicit:
        return ""  # prefixes are cached there without being marked
    last = max((point.block for point in cached), default=-1)
    at_least = any(block > last for block in plan.unknown)
    exact = plan.total.low == plan.total.high
    sign = "≥ " if at_least else "" if exact else "~"
    rate = analyzed.prices.input if analyzed.prices is not None else None
    what = f"uncached tail {sign}{tail:,} tok" if cached else f"{sign}{tail:,} tok, none cached"
    if rate is None:
        return what
    cost = price(Billed(0, 0, 0, tail), analyzed.prices) if analyzed.prices else None
    least = "≥ " if at_least else ""
    return what if cost is None else f"{what} · {least}{money(cost)} each call"


def _block_hints(document: Document, located: Located, start: int, end: int) -> Iterator[Hint]:
    analyzed = located.analyzed
    request = analyzed.request
    for unit, unit_start in enumerate(request.unit_starts):
        at = located.base + unit_start
        if at > end or at + request.units[unit].node.length < start:
            continue
        for index, block in enumerate(request.units[unit].blocks, request.firsts[unit]):
            last = at + block.start + block.length
            if not start <= last <= end:
                continue
            tokens = block_tokens(analyzed, index)
            sign = "≥ " if index in analyzed.plan.unknown else ""
            total = analyzed.plan.prefixes[index]
            yield Hint(
                at=_line_end(document, last),
                label=f"#{index + 1} · {sign}{tokens:,} tok",
                tooltip=(
                    f"Block {index + 1} of {len(request.blocks)}: {escape(block_name(block))}\n\n"
                    f"Position {analyzed.plan.positions[index]} in the walk of the lookback "
                    f"window; {number(total)} tokens up to here{interval(total)}."
                ),
                kind="block",
            )
