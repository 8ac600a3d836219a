"""What the provider makes of one request: positions, breakpoints, windows, running totals.

Sources: the prompt-caching page (prefix order tools → system → messages; at most 20 positions are
looked at per breakpoint, the breakpoint itself the first; runs of ``tool_use`` and of
``tool_result`` blocks count as one position on the Claude API; automatic caching closes the last
block that can be cached). The numbers come from the catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cachewise.catalog.model import Model, Platform
from cachewise.catalog.resolve import effective_ttls
from cachewise.request.model import Block, PlacedMark, Request, Unit
from cachewise.request.placeholder import has_unknown_length
from cachewise.tokens.count import Count

DEFAULT_TTL = "5m"
"""What a marker without ``ttl`` means, where neither the request nor the model says otherwise."""


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A place where the prefix is closed.

    ``block`` is the 0-based index of the closed block, ``position`` its 1-based position after run
    collapsing. ``prefix`` counts the tokens up to and including it. ``effective`` is False when
    the prefix is under the model's ``minimum`` (tokens) or the marker has no effect here, None when
    that cannot be told. ``ignored`` says why a marker has no effect, or is empty. ``at_least``:
    the prefix holds a text of unknown length, so ``prefix`` is a lower bound.
    """

    placed: PlacedMark
    block: int
    position: int
    ttl: str
    automatic: bool
    prefix: Count
    minimum: int | None
    effective: bool | None
    ignored: str = ""
    at_least: bool = False
    long_lived: bool = False
    """Whether ``ttl`` is a longer lifetime than the model's default here, at another price."""
    excess: bool = False
    """Whether it is ignored because other markers have taken all the places."""

    @property
    def counts_as_written(self) -> bool:
        """Whether costs are shown as if this prefix were cached."""
        if self.effective is None:
            return self.minimum is None or self.at_least or self.prefix.estimate >= self.minimum
        return self.effective


@dataclass(frozen=True, slots=True)
class Plan:
    """The sequence of a request with everything that follows from it alone.

    ``positions[i]`` is the 1-based position of block *i*. ``prefixes[i]`` counts the tokens up to
    and including block *i*; ``total`` counts the whole request. ``unknown`` lists the blocks whose
    length is not known.
    """

    positions: list[int]
    prefixes: Sequence[Count]
    total: Count
    breakpoints: tuple[Breakpoint, ...]
    window: int | None
    unknown: tuple[int, ...]

    @property
    def at_least(self) -> bool:
        """Whether the total is only a lower bound."""
        return bool(self.unknown)


def positions(blocks: Sequence[Block], *, collapses_runs: bool) -> list[int]:
    """The 1-based position of each block in the walk of the lookback window."""
    kinds = [block.kind for block in blocks] if collapses_runs else []
    repeated = [
        index
        for index, (before, kind) in enumerate(pairwise(kinds), 1)
        if kind == before and kind in _RUNS
    ]
    return _numbered(len(blocks), repeated)


def _positions_of(request: Request) -> list[int]:
    """``positions`` with runs collapsed, for all blocks of a request."""
    blocks = request.blocks
    in_runs = (
        request.firsts[unit] + offset
        for unit, offsets in request.noted("runs", _in_runs)
        for offset in offsets
    )
    repeated = [at for at in in_runs if at and blocks[at - 1].kind == blocks[at].kind]
    return _numbered(len(blocks), repeated)


def _in_runs(unit: Unit) -> list[int] | None:
    """The blocks of a unit, by their place in it, that can share a position with the one before."""
    kinds = ["", *(block.kind for block in unit.blocks)]
    found = [
        at
        for at, (before, kind) in enumerate(pairwise(kinds))
        if kind in _RUNS and (before == kind or not at)
    ]
    return found or None


def _numbered(count: int, repeated: Sequence[int]) -> list[int]:
    """Positions from 1 on; each of the ``repeated`` blocks has the position of the one before."""
    found: list[int] = []
    position = 1
    for end in (*repeated, count):
        fresh = end - len(found)
        found += range(position, position + fresh)
        position += fresh - 1
    return found


_RUNS = {"tool_use", "tool_result"}


def automatic_target(blocks: Sequence[Block]) -> int:
    """The index of the block that automatic caching closes: the last that can be cached; or -1."""
    for index in range(len(blocks) - 1, -1, -1):
        if not blocks[index].barred:
            return index
    return -1


def closed_block(placed: PlacedMark, blocks: Sequence[Block]) -> int:
    """The index of the block whose prefix a marker closes, or -1 when it closes none."""
    mark = placed.mark
    if mark.node.kind != "object":
        return -1
    if mark.place == "top":
        return automatic_target(blocks)
    if mark.place == "block":
        # A message whose content is still to come has no block yet.
        return -1 if placed.block < 0 or blocks[placed.block].barred else placed.block
    if mark.place == "nested" and mark.last_nested:
        return placed.block
    if mark.place == "point":
        return placed.block
    return -1


def make_plan(
    request: Request,
    prefixes: Sequence[Count],
    total: Count,
    *,
    model: Model | None,
    platform: Platform | None,
    minimum: int | None,
) -> Plan:
    """The plan of a request.

    ``prefixes`` and ``total`` are the running token counts of its blocks; ``minimum`` is what the
    model needs on this platform, None when that is not known.
    """
    blocks = request.blocks
    collapses = platform is not None and platform.collapses_runs
    spots = _positions_of(request) if collapses else positions(blocks, collapses_runs=False)
    unknown = tuple(
        request.firsts[unit] + offset
        for unit, offsets in request.noted("unknown lengths", _unknown_lengths)
        for offset in offsets
    )
    closing: list[tuple[int, PlacedMark]] = []
    for placed in request.marks:
        block = closed_block(placed, blocks)
        if block >= 0:
            closing.append((block, placed))
    closing.sort(key=lambda pair: (pair[0], pair[1].mark.place == "top"))
    kept = _kept(closing, blocks, request, platform)
    ttls = effective_ttls(model, platform.id) if model is not None and platform is not None else ()
    default = request.default_ttl or (ttls[0] if ttls else DEFAULT_TTL)
    breakpoints: list[Breakpoint] = []
    for index, (block, placed) in enumerate(closing):
        prefix = closed_prefix(prefixes[block], blocks[block], model)
        ignored = kept.get(index, "")
        if model is not None and model.explicit is False:
            ignored = "this model has no explicit caching"
        if platform is not None and not platform.tools_markers and blocks[block].section == "tools":
            ignored = "markers on tools are ignored here"
        if placed.mark.place == "top" and platform is not None and not platform.automatic:
            ignored = "automatic caching is not available here"
        at_least = bool(unknown) and unknown[0] <= block
        breakpoints.append(
            Breakpoint(
                placed=placed,
                block=block,
                position=spots[block],
                ttl=placed.mark.ttl or default,
                automatic=placed.mark.place == "top",
                prefix=prefix,
                minimum=minimum,
                effective=False if ignored else _effective(prefix, minimum, at_least),
                ignored=ignored,
                at_least=at_least,
                long_lived=(placed.mark.ttl or default) in ttls[1:],
                excess=index in kept,
            )
        )
    return Plan(
        positions=spots,
        prefixes=prefixes,
        total=total,
        breakpoints=tuple(breakpoints),
        window=_window(request, model, platform),
        unknown=unknown,
    )


def limits_apply(request: Request, model: Model | None, platform: Platform) -> bool:
    """Whether a platform's limits on markers, its window among them, are about this model.

    One that serves several makers' models states them for those whose lifetimes it has. OpenAI's
    models, with lifetimes of their own, keep their maker's cache there: nothing walks back in it,
    and no marker too many is rejected (OpenAI, "Prompt caching"). Of a model that is named and not
    known, nothing is asserted there but what is true of all Claude models.
    """
    if model is None:
        claude = request.provider == "anthropic" and not platform.gateway
        nameless = request.model_written is None and not platform.gateway
        return claude or nameless or platform.serves == (request.provider,)
    ttls = effective_ttls(model, platform.id)
    return not ttls or any(ttl in platform.ttl_seconds for ttl in ttls)


def _window(request: Request, model: Model | None, platform: Platform | None) -> int | None:
    applies = platform is not None and limits_apply(request, model, platform)
    return platform.window if platform is not None and applies else None


def _unknown_lengths(unit: Unit) -> list[int] | None:
    """The blocks of a unit, by their place in it, whose length is not known."""
    return [at for at, block in enumerate(unit.blocks) if has_unknown_length(block)] or None


_JOIN = 2
"""Tokens by which white space at the end of a closed prefix was seen to count more or less: it is
read together with what follows it (recorded usage, 2025 and 2026)."""


def closed_prefix(prefix: Count, block: Block, model: Model | None) -> Count:
    """The tokens of a prefix as a breakpoint closes it, where that is less certain than its sum.

    Behind the tools a part of the hidden tool prompt stands on the other side of the breakpoint; a
    recording of Claude Sonnet 4 shows 120 of its 313 tokens there, so up to a half is allowed for.
    """
    text = block.text
    if text is not None:
        return prefix.widened(_JOIN, _JOIN) if text[-1:].isspace() else prefix
    if block.section == "tools" and model is not None and model.tool_prompt is not None:
        return prefix.widened(model.tool_prompt[0] // 2, 0)
    return prefix


def _effective(prefix: Count, minimum: int | None, at_least: bool) -> bool | None:
    if minimum is None:
        return None
    if prefix.low >= minimum:
        return True
    if prefix.high < minimum and not at_least:
        return False
    return None


def _kept(
    closing: list[tuple[int, PlacedMark]],
    blocks: Sequence[Block],
    request: Request,
    platform: Platform | None,
) -> dict[int, str]:
    """Why some markers have no effect where only so many count, by their place in the list."""
    if platform is None or platform.max_breakpoints is None:
        return {}
    limit = platform.max_breakpoints
    excess = len(closing) - limit
    if excess <= 0:
        return {}
    if request.drops_surplus:
        # The layer in between reads the messages before the tools, and takes the first ones.
        order = sorted(
            range(len(closing)),
            key=lambda index: (blocks[closing[index][0]].section == "tools", index),
        )
        return dict.fromkeys(order[limit:], f"only {limit} markers are passed on")
    if platform.extra_breakpoints == "last-win":
        reason = f"only the last {limit} markers take effect here"
        counted = [
            index
            for index, (_, placed) in enumerate(closing)
            if placed.mark.place != "top" or platform.automatic
        ]
        return dict.fromkeys(counted[:-limit], reason)
    return {}
