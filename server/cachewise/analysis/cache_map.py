"""The cache map of a request: its prefix as blocks, breakpoints, bands and windows, with costs.

It says the same as hints, hover and the ``cost`` command, since it is made of the same plan.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from cachewise.analysis.bands import runs
from cachewise.analysis.document import Analyzed, Document, Located
from cachewise.analysis.templates import is_template, stable_part, template_line
from cachewise.analysis.wording import block_name, shown
from cachewise.caching.cost import (
    LONG_TTL,
    MILLION,
    Billed,
    RunCost,
    pays_from_call,
    run_cost,
    written_run_cost,
)
from cachewise.caching.plan import DEFAULT_TTL, Breakpoint
from cachewise.catalog.resolve import effective_ttls
from cachewise.report.cache_map_model import (
    BandKind,
    CacheMap,
    MapBand,
    MapBlock,
    MapBreakpoint,
    MapCall,
    MapPart,
    RunChoices,
    RunFigure,
)
from cachewise.report.model import Tokens
from cachewise.request.model import Block
from cachewise.request.volatility import volatile_spans
from cachewise.rules.turns import has_assistant_turn
from cachewise.syntax.tree import HOLE_CHARACTER
from cachewise.tokens.count import Count

CALLS_PER_HOUR = (
    1, 2, 3, 4, 5, 6, 8, 10, 12, 13, 15, 20, 24, 30, 40, 60, 90, 120, 180, 240, 360, 600, 1200, 3600
)  # fmt: skip
"""The cadences that can be chosen. An entry of five minutes is dead at twelve calls an hour and
alive at thirteen, so both are there."""

USUAL = 30
"""Calls per hour to begin with, where no traffic is declared."""

NO_CACHE = "no cache"
AS_WRITTEN = "as written"

_EXCERPT = 110
_HOURS = 24


def cache_maps(document: Document) -> list[CacheMap]:
    """The map of each request of a document, in the order of the text."""
    return [cache_map(document, located) for located in document.requests if _has_map(located)]


def cache_map_at(document: Document, offset: int) -> tuple[CacheMap, int | None] | None:
    """The map of the request at an offset, and the number of the block there, None between blocks.

    None when there is no request.
    """
    located = document.request_at(offset)
    if located is None or not _has_map(located):
        return None
    request = located.analyzed.request
    here = None
    for number in range(1, len(request.blocks) + 1):
        start, end = request.block_span(number - 1)
        if start <= offset - located.base <= end:
            here = number
            break
    return cache_map(document, located), here


def place_of(
    document: Document, offset: int, what: Literal["block", "breakpoint"], number: int
) -> tuple[int, int] | None:
    """The document offsets of a block or a breakpoint of the request at an offset, or None."""
    located = document.request_at(offset)
    if located is None or not _has_map(located) or number < 1:
        return None
    if what == "block":
        if number > len(located.analyzed.request.blocks):
            return None
        start, end = located.analyzed.request.block_span(number - 1)
    else:
        points = located.analyzed.plan.breakpoints
        if number > len(points):
            return None
        start, end = points[number - 1].placed.start, points[number - 1].placed.end
    return located.base + start, located.base + end


def cache_map(document: Document, located: Located) -> CacheMap:
    """The map of one request."""
    analyzed = located.analyzed
    plan = analyzed.plan
    in_effect = [point for point in plan.breakpoints if point.counts_as_written]
    bands, unseen = _bands(analyzed)
    blocks = tuple(_blocks(document, located))
    cached = max((point.block + 1 for point in in_effect), default=0)
    changing = [block for block in blocks[:cached] if block.volatile]
    return CacheMap(
        title=_title(document, located),
        model=_model_name(analyzed),
        line=document.text.position(located.base).line + 1,
        blocks=blocks,
        breakpoints=tuple(_breakpoints(document, located)),
        bands=tuple(bands),
        unseen=tuple(unseen),
        window=plan.window,
        minimum=analyzed.minimum,
        total=_tokens(plan.total),
        at_least=plan.at_least,
        method=plan.total.method,
        calls=() if is_template(analyzed) else tuple(_calls(analyzed)),
        pays_from_call=pays_from_call(analyzed.costs) if in_effect else None,
        runs=_runs(document, analyzed),
        notes=(*_notes(analyzed), *_changes(changing)),
    )


def _has_map(located: Located) -> bool:
    return not located.analyzed.request.configuration


def _title(document: Document, located: Located) -> str:
    name = document.path.replace("\\", "/").rpartition("/")[2] or "Request"
    number = sum(_has_map(other) for other in document.requests[: located.index + 1])
    several = number > 1 or any(map(_has_map, document.requests[located.index + 1 :]))
    return f"{name}, request {number}" if several else name


def _model_name(analyzed: Analyzed) -> str:
    if analyzed.model is None:
        written = analyzed.resolution.written
        return f"{shown(written)} (not in the catalog)" if written else "no model named"
    platform = analyzed.platform
    if platform is None:
        return analyzed.model.name
    guess = " (a guess)" if analyzed.platform_guessed else ""
    return f"{analyzed.model.name} on {platform.name}{guess}"


def _blocks(document: Document, located: Located) -> Iterator[MapBlock]:
    request = located.analyzed.request
    plan = located.analyzed.plan
    unknown = set(plan.unknown)
    # As the rule about it has it: in a conversation, what was said stays as it is.
    history = has_assistant_turn(request)
    before = Count(0, 0, 0, "")
    for index, block in enumerate(request.blocks):
        prefix = plan.prefixes[index]
        start, end = request.block_span(index)
        start, end = located.base + start, located.base + end
        looked_at = block.section != "messages" or (not history and block.role != "assistant")
        yield MapBlock(
            number=index + 1,
            section=block.section,
            kind=block.kind,
            role=block.role,
            label=block_name(block),
            excerpt=_excerpt(block),
            tokens=Tokens(
                prefix.estimate - before.estimate,
                prefix.low - before.low,
                prefix.high - before.high,
            ),
            total=prefix.estimate,
            at_least=index in unknown,
            volatile=_volatile(block) if looked_at else "",
            line=document.text.position(start).line + 1,
            start=start,
            end=end,
        )
        before = prefix


def _excerpt(block: Block) -> str:
    """The first words of a block, by which one recognises it."""
    text = block.text
    if text is None and block.section == "tools":
        text = block.node.get_text("description")
    if text is None:
        text = block.node.get_text("name") if block.kind == "tool_use" else None
    return shown((text or "")[: 4 * _EXCERPT].replace(HOLE_CHARACTER, "{…}"), _EXCERPT)


def _volatile(block: Block) -> str:
    for span in volatile_spans(block):
        if span.volatile.changes in ("call", "day"):
            return shown(span.volatile.shown, 40)
    return ""


def _breakpoints(document: Document, located: Located) -> Iterator[MapBreakpoint]:
    analyzed = located.analyzed
    for number, point in enumerate(analyzed.plan.breakpoints, 1):
        start = located.base + point.placed.start
        yield MapBreakpoint(
            number=number,
            block=point.block + 1,
            ttl=shown(point.ttl, 20),
            automatic=point.automatic,
            prefix=_tokens(point.prefix),
            at_least=point.at_least,
            minimum=point.minimum,
            effective=point.effective,
            counted=point.counts_as_written,
            ignored=point.ignored,
            window=_window(analyzed, point),
            line=document.text.position(start).line + 1,
            start=start,
            end=located.base + point.placed.end,
        )


def _window(analyzed: Analyzed, point: Breakpoint) -> tuple[int, int] | None:
    """The first and the last block, by number, that the walk back from a breakpoint looks at."""
    window = analyzed.plan.window
    if window is None or point.ignored:
        return None
    # Positions rise with the blocks, so the first one behind the reach is found by halving.
    first = bisect_right(analyzed.plan.positions, point.position - window)
    return first + 1, point.block + 1


def _bands(analyzed: Analyzed) -> tuple[list[MapBand], list[tuple[int, int]]]:
    """What becomes of the prefix on a cold call, without gaps; and what no walk looks at.

    The latter as (first, last) blocks: they are a part of their band, since they are written too.
    """
    plan = analyzed.plan
    total = plan.total.estimate
    if is_template(analyzed):
        stable = stable_part(analyzed)[0].estimate
        return list(_stretches([("stable", stable, ""), ("varies", total, "")])), []
    ends: list[tuple[BandKind, int, str]] = []
    unseen: list[tuple[int, int]] = []
    for kind, ttl, first, last, _ in runs(analyzed):
        if kind == "out-of-window":
            unseen.append((first + 1, last + 1))
        else:
            ends.append((kind, plan.prefixes[last].estimate, shown(ttl, 20)))
    platform = analyzed.platform
    if not ends:
        implicit = platform is not None and platform.implicit
        ends.append(("implicit" if implicit else "uncached", total, ""))
    elif ends[-1][0] == "uncached":
        # What the API adds around the blocks is billed with them.
        ends[-1] = ("uncached", total, "")
    else:
        ends.append(("uncached", total, ""))
    return list(_stretches(ends)), unseen


def _stretches(ends: list[tuple[BandKind, int, str]]) -> Iterator[MapBand]:
    """The bands that end at these numbers of tokens; what goes on as it was is one band."""
    start = 0
    for index, (kind, end, ttl) in enumerate(ends):
        following = ends[index + 1] if index + 1 < len(ends) else None
        if end > start and (following is None or (kind, ttl) != (following[0], following[2])):
            yield MapBand(kind, start, end, ttl)
            start = end


def _lifetimes(analyzed: Analyzed) -> tuple[str, str]:
    """What the longer and the shorter lifetime are called here."""
    points = [point for point in analyzed.plan.breakpoints if point.counts_as_written]
    long = next((point.ttl for point in points if point.long_lived), LONG_TTL)
    short = next((point.ttl for point in points if not point.long_lived), DEFAULT_TTL)
    return shown(long, 20), shown(short, 20)


def _calls(analyzed: Analyzed) -> Iterator[MapCall]:
    costs = analyzed.costs
    yield _call(analyzed, "cold call", costs.first, costs.first_call)
    yield _call(analyzed, "warm call", costs.next, costs.next_call)
    total = analyzed.plan.total.estimate
    yield _call(analyzed, "without a cache", Billed(0, 0, 0, total), costs.uncached)


def _call(analyzed: Analyzed, name: str, billed: Billed, cost: Decimal | None) -> MapCall:
    prices = analyzed.prices
    long, short = _lifetimes(analyzed)
    parts = (
        ("read", billed.read, prices.read if prices else None),
        (f"write {long}", billed.write_1h, prices.write_1h if prices else None),
        (f"write {short}", billed.write_5m, prices.write_5m if prices else None),
        ("plain input", billed.input, prices.input if prices else None),
    )
    return MapCall(
        name,
        tuple(
            MapPart(what, tokens, rate, None if rate is None else tokens * rate / MILLION)
            for what, tokens, rate in parts
            if tokens
        ),
        cost,
    )


def _runs(document: Document, analyzed: Analyzed) -> RunChoices | None:
    """What runs cost at each cadence with each lifetime; None when that is not known."""
    prices = analyzed.prices
    model = analyzed.model
    platform = analyzed.platform
    uncached = analyzed.costs.uncached
    if prices is None or model is None or uncached is None or is_template(analyzed):
        return None
    plan = analyzed.plan
    cadences = CALLS_PER_HOUR
    choices: list[tuple[str, tuple[RunFigure, ...]]] = [
        (
            NO_CACHE,
            tuple(
                RunFigure(0, 0, calls * uncached, calls * _HOURS * uncached) for calls in cadences
            ),
        )
    ]
    written = {point.ttl for point in plan.breakpoints if point.counts_as_written}
    lifetimes = dict(platform.ttl_seconds) if platform is not None else {}
    if written:
        ttls = effective_ttls(model, analyzed.resolution.platform)
        for ttl in ttls:
            lifetime = lifetimes.get(ttl)
            if lifetime is None:
                continue
            figures = [
                _figure(
                    *(
                        run_cost(
                            plan,
                            prices,
                            ttl=ttl,
                            lifetime=lifetime,
                            calls=calls * hours,
                            every=3600 / calls,
                            ttls=ttls,
                        )
                        for hours in (1, _HOURS)
                    )
                )
                for calls in cadences
            ]
            known = [figure for figure in figures if figure is not None]
            if len(known) == len(figures):
                choices.append((shown(ttl, 20), tuple(known)))
    if len(written) > 1:
        figures = [
            _figure(
                *(
                    written_run_cost(
                        plan,
                        prices,
                        lifetimes=lifetimes,
                        calls=calls * hours,
                        every=3600 / calls,
                    )
                    for hours in (1, _HOURS)
                )
            )
            for calls in cadences
        ]
        known = [figure for figure in figures if figure is not None]
        if len(known) == len(figures):
            choices.append((AS_WRITTEN, tuple(known)))
    names = [name for name, _ in choices]
    own = next(iter(written)) if len(written) == 1 else AS_WRITTEN
    return RunChoices(
        calls=cadences,
        choices=tuple(choices),
        start=_start(document),
        chosen=names.index(own) if own in names else 0,
    )


def _figure(hour: RunCost | None, day: RunCost | None) -> RunFigure | None:
    if hour is None or day is None or hour.cost is None or day.cost is None:
        return None
    return RunFigure(hour.writes, hour.reads, hour.cost, day.cost)


def _start(document: Document) -> int:
    """The index of the cadence that is nearest to the declared traffic."""
    traffic = document.options.settings.traffic
    wanted = USUAL if traffic is None else 3600 / traffic.every
    return min(range(len(CALLS_PER_HOUR)), key=lambda at: abs(CALLS_PER_HOUR[at] - wanted))


def _notes(analyzed: Analyzed) -> Iterator[str]:
    """What is not known, or is different here, in whole sentences."""
    model = analyzed.model
    plan = analyzed.plan
    if is_template(analyzed):
        yield f"A prompt in a file, which a program fills in and sends: {template_line(analyzed)}."
    written = analyzed.resolution.written
    if model is None and written:
        nearest = ", ".join(analyzed.resolution.nearest)
        alike = f" Ids that look like it: {nearest}." if nearest else ""
        yield (
            f"{shown(written)} is not in the catalog: its minimum and its prices are not known."
            f"{alike}"
        )
    elif model is None:
        yield "No model is named, so neither its minimum nor its prices are known."
    elif analyzed.prices is None or analyzed.costs.uncached is None:
        yield "No price is published for this request."
    elif analyzed.costs.first_call is None or analyzed.costs.next_call is None:
        yield "A price that this request needs is not published, so not every cost is known."
    if model is not None and analyzed.minimum is None and not is_template(analyzed):
        yield "The minimum of this model is not known."
    if analyzed.minimum is None and any(point.counts_as_written for point in plan.breakpoints):
        yield "The breakpoints are drawn as if they were in effect."
    if plan.at_least:
        yield "A text of unknown length is in it: tokens and costs are lower bounds."
    in_effect = any(point.counts_as_written for point in plan.breakpoints)
    platform = analyzed.platform
    if not in_effect and platform is not None and platform.implicit and not is_template(analyzed):
        least = platform.implicit_minimum
        since = f" of {least:,} tokens or more" if least is not None else ""
        yield (
            f"{platform.name} caches prefixes{since} by itself. What a call reads of them is not "
            "promised, so no saving is counted."
        )
    elif not in_effect and not is_template(analyzed):
        yield "Nothing is cached: no breakpoint is in effect."


def _changes(changing: list[MapBlock]) -> Iterator[str]:
    """What makes the calls differ inside of the cached prefix."""
    for block in changing[:1]:
        more = f" (and {len(changing) - 1} more blocks)" if len(changing) > 1 else ""
        yield (
            f"Block {block.number} holds {block.volatile}{more}, which is made anew: a call that "
            "differs there reads nothing of what is cached behind it. The costs here are those of "
            "identical calls."
        )


def _tokens(count: Count) -> Tokens:
    return Tokens(count.estimate, count.low, count.high)
