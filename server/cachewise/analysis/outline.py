"""The outline of a document: each request, its sections, its turns, its blocks, with tokens."""

from __future__ import annotations

from cachewise.analysis.document import Document, Located
from cachewise.analysis.surfaces import Symbol
from cachewise.analysis.wording import block_name, block_tokens, number, shown

MAX_SYMBOLS = 5000
"""So many entries at most: editors slow down on more, and nobody reads them."""

_SECTIONS = ("tools", "system", "messages")


def outline(document: Document) -> list[Symbol]:
    """The requests of a document as a tree of entries. Names are plain text and never empty."""
    left = MAX_SYMBOLS
    found: list[Symbol] = []
    for located in document.requests:
        if left <= 0:
            break
        symbol, used = _request(located, left)
        left -= used
        found.append(symbol)
    return found


def _request(located: Located, left: int) -> tuple[Symbol, int]:
    analyzed = located.analyzed
    request = analyzed.request
    sections: list[Symbol] = []
    used = 1
    for name in _SECTIONS:
        index = request.node.index(name)
        if index < 0:
            continue
        start = located.base + request.node.starts[index]
        key = located.base + request.node.key_starts[index]
        units = [
            place
            for place, unit in enumerate(request.units)
            if start <= located.base + request.unit_starts[place] < start + _length(located, index)
            and unit.blocks
        ]
        children: list[Symbol] = []
        tokens = 0
        for unit in units:
            first = request.firsts[unit]
            blocks = request.units[unit].blocks
            tokens += sum(block_tokens(analyzed, first + place) for place in range(len(blocks)))
            if used < left:
                entry, count = _unit(located, unit)
                children.append(entry)
                used += count
        used += 1
        sections.append(
            Symbol(
                name=name,
                detail=f"{tokens:,} tokens",
                kind="section",
                start=key,
                end=start + _length(located, index),
                select_start=key,
                select_end=key + request.node.key_lengths[index],
                children=tuple(children),
            )
        )
    written = analyzed.resolution.written
    plan = analyzed.plan
    return (
        Symbol(
            name=shown(written, 60) if written and shown(written) else "request",
            detail=f"{number(plan.total, plan.at_least)} tokens",
            kind="request",
            start=located.base,
            end=located.end,
            select_start=located.base,
            select_end=located.base + 1,
            children=tuple(sections),
        ),
        used,
    )


def _length(located: Located, index: int) -> int:
    return located.analyzed.request.node.values[index].length


def _unit(located: Located, unit: int) -> tuple[Symbol, int]:
    """A tool, a system part or a turn; a turn of several blocks has them as children."""
    analyzed = located.analyzed
    request = analyzed.request
    node = request.units[unit].node
    start = located.base + request.unit_starts[unit]
    first = request.firsts[unit]
    blocks = request.units[unit].blocks
    tokens = sum(block_tokens(analyzed, first + place) for place in range(len(blocks)))
    turn = request.blocks[first].section == "messages"
    children: list[Symbol] = []
    if turn and len(blocks) > 1:
        for place, block in enumerate(blocks):
            at = start + block.start
            children.append(
                Symbol(
                    name=f"{first + place + 1} {block_name(block)}",
                    detail=f"{block_tokens(analyzed, first + place):,} tokens",
                    kind="block",
                    start=at,
                    end=at + block.length,
                    select_start=at,
                    select_end=at + block.length,
                )
            )
    if turn:
        name = shown(request.units[unit].role, 30) or "message"
        name = name if children else f"{first + 1} {name}"
    else:
        name = f"{first + 1} {block_name(request.blocks[first])}"
    return (
        Symbol(
            name=name,
            detail=f"{tokens:,} tokens",
            kind="turn" if turn else "block",
            start=start,
            end=start + node.length,
            select_start=start,
            select_end=start + node.length,
            children=tuple(children),
        ),
        1 + len(children),
    )
