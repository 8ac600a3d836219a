"""What a hover shows: findings, a breakpoint's prefix, a model, a lifetime, a response's bill.

All Markdown. Whatever comes from the request goes through ``escape``.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cachewise.analysis.cursor import Step, path_at
from cachewise.analysis.document import Analyzed, Document, Located
from cachewise.analysis.hints import breakpoint_label, breakpoint_tooltip
from cachewise.analysis.surfaces import Hover
from cachewise.analysis.wording import (
    block_name,
    block_tokens,
    escape,
    money,
    number,
    source,
)
from cachewise.caching.cost import (
    LONG_TTL,
    Billed,
    Costs,
    effective_prefixes,
    pays_from_call,
    price,
    run_cost,
    split,
)
from cachewise.caching.plan import DEFAULT_TTL, Breakpoint
from cachewise.catalog.model import Prices
from cachewise.catalog.prices import UnknownPrice, UnsupportedModifier
from cachewise.catalog.resolve import effective_ttls, lifecycle, resolve
from cachewise.catalog.usage import price_usage, read_usage
from cachewise.rules import BY_NAME
from cachewise.rules.base import docs_url
from cachewise.syntax.tree import plain_value

TABLE_HEAD = 6
TABLE_TAIL = 14
"""A prefix table shows so many blocks at its start and at its end, and elides those between."""


def hover(document: Document, offset: int) -> Hover | None:
    """What there is to say about the place at an offset; None when there is nothing."""
    path = path_at(document, offset)
    if not path:
        return None
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    for start, end, text in _findings(document, offset):
        parts.append(text)
        spans.append((start, end))
    about = _about(document, path, offset)
    if about is not None:
        parts.append(about.markdown)
        spans.append((about.start, about.end))
    if not parts:
        return None
    start, end = min(spans, key=lambda span: span[1] - span[0])
    return Hover(start, end, "\n\n---\n\n".join(parts))


def _findings(document: Document, offset: int) -> Iterator[tuple[int, int, str]]:
    if document.request_at(offset) is None:
        return
    for found in document.findings():
        if not found.start <= offset <= found.end:
            continue
        finding = found.finding
        rule = BY_NAME.get(finding.code)
        summary = rule.summary if rule is not None else finding.rule
        url = docs_url(finding.code, finding.rule)
        text = f"**{finding.code} {finding.rule}**: {escape(summary, 300)} ([the rule]({url}))"
        yield found.start, found.end, text


def _about(document: Document, path: list[Step], offset: int) -> Hover | None:
    for depth in range(len(path) - 1, -1, -1):
        step = path[depth]
        if step.key == "usage" and step.node.kind == "object":
            markdown = _bill(document, path, depth)
            return Hover(step.key_start, step.end, markdown) if markdown else None
    located = document.request_at(offset)
    if located is None:
        return None
    root = next(
        (depth for depth, step in enumerate(path) if step.node is located.found.request.node), None
    )
    if root is None or root + 1 >= len(path):
        return None
    member = path[root + 1]
    if len(path) == root + 2 and member.key in ("model", "modelId"):
        markdown = _model(document, located)
        return Hover(member.key_start, member.end, markdown)
    for depth in range(len(path) - 1, root, -1):
        step = path[depth]
        if step.key != "cache_control":
            continue
        index = _breakpoint_index(located, step)
        if index < 0:
            return None
        inside = path[depth + 1] if depth + 1 < len(path) else None
        if inside is not None and inside.key == "ttl":
            markdown = _ttl(document, located, located.analyzed.plan.breakpoints[index])
            return Hover(inside.key_start, inside.end, markdown)
        return Hover(step.key_start, step.end, _breakpoint(located, index))
    return None


def _breakpoint_index(located: Located, step: Step) -> int:
    for index, point in enumerate(located.analyzed.plan.breakpoints):
        if located.base + point.placed.start == step.start:
            return index
    return -1


def _breakpoint(located: Located, index: int) -> str:
    analyzed = located.analyzed
    plan = analyzed.plan
    point = plan.breakpoints[index]
    lines = [
        breakpoint_label(analyzed, point),
        "",
        *_prefix_table(analyzed, point),
    ]
    if plan.window is not None:
        lines += ["", _window(analyzed, point)]
    # How the figures came about stands last, so that it never pushes the table out of view.
    lines += ["", breakpoint_tooltip(analyzed, index)]
    return "\n".join(lines)


def _prefix_table(analyzed: Analyzed, point: Breakpoint) -> Iterator[str]:
    """The blocks of a prefix; ``cold`` and ``warm`` are what a call pays for all up to there."""
    request = analyzed.request
    plan = analyzed.plan
    closing = effective_prefixes(
        [other for other in plan.breakpoints if other.block <= point.block]
    )
    closes = {other.block for other in plan.breakpoints}
    yield "| # | block | tokens | running total | cold | warm |"
    yield "|--:|---|--:|--:|--:|--:|"
    for index in range(point.block + 1):
        if TABLE_HEAD <= index <= point.block - TABLE_TAIL:
            if index == TABLE_HEAD:
                left_out = point.block - TABLE_TAIL - TABLE_HEAD + 1
                yield f"| … | {left_out} more blocks | | | | |"
            continue
        total = plan.prefixes[index].estimate
        mark = " ◆" if index in closes else ""
        cold, warm = _up_to(total, closing, analyzed.prices)
        least = "≥ " if index in plan.unknown else ""
        yield (
            f"| {index + 1}{mark} | {escape(block_name(request.blocks[index]))} | "
            f"{least}{block_tokens(analyzed, index):,} | {total:,} | {cold} | {warm} |"
        )


def _up_to(total: int, closing: list[tuple[int, str]], prices: Prices | None) -> tuple[str, str]:
    """What the first ``total`` tokens cost on a call that writes, and on one that reads."""
    if prices is None:
        return "?", "?"
    deepest = max((tokens for tokens, _ in closing), default=0)
    whole = split(max(total, deepest), closing, 0)
    # The parts of the bill lie one behind the other: 1-hour writes, 5-minute writes, plain input.
    longs = min(total, whole.write_1h)
    shorts = min(total - longs, whole.write_5m)
    cold = price(Billed(0, longs, shorts, total - longs - shorts), prices)
    read = min(total, deepest)
    warm = price(Billed(read, 0, 0, total - read), prices)
    return _money(cold), _money(warm)


def _window(analyzed: Analyzed, point: Breakpoint) -> str:
    """Which blocks the walk back from a breakpoint looks at."""
    plan = analyzed.plan
    window = plan.window or 0
    lowest = max(1, point.position - window + 1)
    seen = [
        index + 1
        for index in range(point.block + 1)
        if lowest <= plan.positions[index] <= point.position
    ]
    first, last = seen[0], seen[-1]
    blocks = f"blocks {first} to {last}" if first != last else f"block {last}"
    positions = point.position - lowest + 1
    named = f"{positions} position{'s' if positions != 1 else ''} of at most {window}"
    return f"Lookback from here: {blocks} ({named})."


def _model(document: Document, located: Located) -> str:
    analyzed = located.analyzed
    resolution = analyzed.resolution
    model = analyzed.model
    if model is None:
        written = escape(resolution.written or "")
        nearest = ", ".join(escape(name) for name in resolution.nearest)
        tail = f" Ids that look like it: {nearest}." if nearest else ""
        return (
            f"**{written}** is not in the catalog: its minimum and its prices are not known.{tail}"
        )
    platform = analyzed.platform
    lines = [f"**{escape(model.name)}** (`{model.id}`)"]
    if platform is not None:
        guess = ", a guess: nothing in the file says where it goes"
        lines[0] += f" on {escape(platform.name)}{guess if analyzed.platform_guessed else ''}"
    lines.append("")
    if analyzed.minimum is None:
        lines.append("- Smallest prefix that is cached: not known")
    else:
        unverified = "" if model.minimum_verified else ", not verified"
        lines.append(
            f"- Smallest prefix that is cached: {analyzed.minimum:,} tokens{unverified}: "
            f"{source(model.sources.get('minimum'))}"
        )
    prices = analyzed.prices
    if prices is None:
        lines.append("- Prices: none published for this request")
    else:
        lines += [
            f"- USD per million tokens: {source(model.sources.get('prices'))}",
            "",
            "| input | 5m write | 1h write | read | output |",
            "|--:|--:|--:|--:|--:|",
            "| "
            + " | ".join(
                _rate(rate)
                for rate in (
                    prices.input,
                    prices.write_5m,
                    prices.write_1h,
                    prices.read,
                    prices.output,
                )
            )
            + " |",
            "",
        ]
    ttls = effective_ttls(model, resolution.platform)
    if ttls:
        lines.append(f"- Lifetimes: {', '.join(ttls)}: {source(model.sources.get('ttls'))}")
    life = lifecycle(document.options.catalog, model, resolution.platform, document.options.today)
    status = f"- Status: {life.status}"
    if life.retires is not None:
        status += f", retires {life.retires.isoformat()}"
    elif life.not_before is not None:
        status += f", not retired before {life.not_before.isoformat()}"
    if model.released:
        status += f", released {model.released}"
    lines.append(f"{status}: {source(model.sources.get('lifecycle'))}")
    if model.context_window is not None:
        lines.append(f"- Context window: {model.context_window:,} tokens")
    return "\n".join(lines)


def _ttl(document: Document, located: Located, point: Breakpoint) -> str:
    """What each lifetime costs: over the declared traffic, or for one write and one read."""
    analyzed = located.analyzed
    model = analyzed.model
    platform = analyzed.platform
    prices = analyzed.prices
    if model is None or platform is None or prices is None:
        return "The price of this model is not known, so neither is that of its lifetimes."
    choices = effective_ttls(model, analyzed.resolution.platform) or (DEFAULT_TTL,)
    traffic = document.options.settings.traffic
    lines: list[str] = []
    if traffic is None:
        lines += ["| lifetime | first call | next call | pays from call |", "|---|--:|--:|--:|"]
        for ttl in choices:
            lines.append(_one_ttl(analyzed, prices, ttl, point, long_lived=ttl in choices[1:]))
        lines += [
            "",
            "Declare how often such a request is sent (the setting `traffic.every`) to see what "
            "each lifetime costs over a day's calls.",
        ]
        return "\n".join(lines)
    every = f"{traffic.every:g}"
    lines += [
        f"{traffic.calls:,} calls, one every {every} seconds, all breakpoints at one lifetime:",
        "",
        "| lifetime | writes | reads | cost |",
        "|---|--:|--:|--:|",
    ]
    for ttl in choices:
        lifetime = platform.ttl_seconds.get(ttl)
        if lifetime is None:
            continue
        run = run_cost(
            analyzed.plan, prices, ttl=ttl, lifetime=lifetime, calls=traffic.calls,
            every=traffic.every, ttls=choices,
        )  # fmt: skip
        here = " ◆" if ttl == point.ttl else ""
        lines.append(
            f"| {escape(ttl)}{here} | {run.writes:,} | {run.reads:,} | {_money(run.cost)} |"
        )
    uncached = analyzed.costs.uncached
    if uncached is not None:
        lines.append(f"| no cache | | | {money(uncached * traffic.calls)} |")
    return "\n".join(lines)


def _one_ttl(
    analyzed: Analyzed, prices: Prices, ttl: str, point: Breakpoint, *, long_lived: bool
) -> str:
    total = analyzed.plan.total.estimate
    billed_as = LONG_TTL if long_lived else ttl
    closing = [(tokens, billed_as) for tokens, _ in effective_prefixes(analyzed.plan.breakpoints)]
    deepest = max((tokens for tokens, _ in closing), default=0)
    first, following = split(total, closing, 0), split(total, closing, deepest)
    costs = Costs(
        price(Billed(0, 0, 0, total), prices),
        price(first, prices),
        price(following, prices),
        first,
        following,
    )
    pays = pays_from_call(costs)
    here = " ◆" if ttl == point.ttl else ""
    return (
        f"| {escape(ttl)}{here} | {_money(costs.first_call)} | {_money(costs.next_call)} | "
        f"{pays if pays is not None else 'never'} |"
    )


_PARTS = (
    ("read", "read from the cache", "read"),
    ("write_5m", "written for 5m", "write_5m"),
    ("write_1h", "written for 1h", "write_1h"),
    ("input", "plain input", "input"),
    ("output", "output", "output"),
)


def _bill(document: Document, path: list[Step], depth: int) -> str:
    """The bill of a recorded response's usage; empty when it belongs to no request."""
    step = path[depth]
    located = _request_beside(document, path, depth)
    if located is None:
        return ""
    around: dict[str, Any] = {"usage": plain_value(step.node)}
    for place in path[:depth]:
        if place.node.kind == "object":
            for key, value in zip(place.node.keys, place.node.values, strict=True):
                if value.kind == "string" and key in ("model", "service_tier"):
                    around[key] = value.text
    try:
        usage = read_usage(around)
    except ValueError as error:
        return f"This usage cannot be priced: {escape(str(error), 300)}"
    if usage is None:
        return ""
    analyzed = located.analyzed
    answered = around.get("model")
    model = analyzed.model
    if model is None and isinstance(answered, str):
        model = resolve(document.options.catalog, answered, analyzed.resolution.platform).model
    if model is None:
        return "The model is not in the catalog, so this usage cannot be priced."
    try:
        bill = price_usage(
            usage,
            model,
            analyzed.platform,
            region=analyzed.resolution.regional,
            today=document.options.today,
        )
    except (UnknownPrice, UnsupportedModifier) as error:
        return f"This usage cannot be priced: {escape(str(error), 300)}"
    lines = [
        f"**{money(bill.total)}** for this call on {escape(model.name)}",
        "",
        "| | tokens | cost |",
        "|---|--:|--:|",
    ]
    for field, name, part in _PARTS:
        tokens: int = getattr(usage, field)
        if tokens:
            lines.append(f"| {name} | {tokens:,} | {money(bill.parts[part])} |")
    if usage.web_searches:
        lines.append(f"| web searches | {usage.web_searches:,} | {money(bill.parts['other'])} |")
    uncached = usage.total_input
    rate = bill.prices.input
    if rate is not None and usage.total_input != usage.input:
        without = uncached * rate / 1_000_000 + bill.parts["output"] + bill.parts["other"]
        saved = without - bill.total
        what = "saved" if saved >= 0 else "lost"
        lines += ["", f"Without the cache {money(without)}: {money(abs(saved))} {what}."]
    predicted = analyzed.plan.total
    lines += ["", f"Counted here: {number(predicted)} tokens; billed: {usage.total_input:,}."]
    return "\n".join(lines)


def _request_beside(document: Document, path: list[Step], depth: int) -> Located | None:
    """The request that stands nearest to a response's value: in the same pair, entry or line."""
    for place in reversed(path[:depth]):
        for located in document.requests:
            if place.start <= located.base and located.end <= place.end:
                return located
    return None


def _rate(rate: Decimal | None) -> str:
    return "?" if rate is None else f"${rate.normalize():f}"


def _money(amount: Decimal | None) -> str:
    return "?" if amount is None else money(amount)
