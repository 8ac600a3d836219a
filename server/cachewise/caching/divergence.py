"""Where two requests part: the first difference that can have broken the cache.

Only a difference at or before the earlier request's deepest cached breakpoint matters; what comes
after it was never cached. Markers, white space and another spelling of the same content are no
differences.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cachewise.caching.canonical import (
    ORDERED,
    Chain,
    has_citations,
    holds_image,
    is_system_tool,
    parting,
)
from cachewise.caching.replay import Remembered, changed_section
from cachewise.request.model import Block, Request
from cachewise.syntax.tree import Node, escape_pointer

DivergenceKind = Literal["text", "key_order", "array_order", "added", "removed", "parameter"]

CONTEXT = 80
"""Characters shown on each side of the first differing one."""

_MARKERS = {"cache_control", "prompt_cache_breakpoint", "cachePoint"}


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference between an earlier request and a later one.

    ``pointer`` names the place in the later request (in the earlier one for ``removed``), ``block``
    is its 0-based block there, -1 for a request parameter. ``before`` and ``after`` are pieces of
    the two texts around the first differing character, empty where there is nothing. ``character``
    is that character's 0-based place in the later text, -1 where there is no text.
    """

    pointer: str
    kind: DivergenceKind
    before: str
    after: str
    block: int = -1
    character: int = -1


def divergence(reference: Remembered, request: Request, chain: Chain) -> Divergence | None:
    """The first difference that matters between a remembered request and a later one.

    None when all that the earlier request had cached stands unchanged.
    """
    old = reference.request
    if reference.deepest < 0:
        return None
    parted = parting(chain.blocks, reference.chain.blocks)
    level, changed = changed_section(request, reference, parted)
    if changed != "tools":
        if level != "tools":
            found = _parameter(
                old, request, reference.chain.system_parameters, chain.system_parameters
            )
            if found is not None:
                return found
        if changed != "system" and level == "messages":
            found = _parameter(
                old, request, reference.chain.message_parameters, chain.message_parameters
            )
            if found is not None:
                return found
    if changed is None:
        return None
    return _block_difference(reference, request, chain, parted)


def _parameter(
    old: Request,
    new: Request,
    before: tuple[tuple[str, str], ...],
    after: tuple[tuple[str, str], ...],
) -> Divergence | None:
    """The first request parameter or toggle that differs, at the place where it is written."""
    if before == after:
        return None
    was, now = dict(before), dict(after)
    name = next(name for name in [*now, *was] if was.get(name) != now.get(name))
    holder = new if name in now else old
    shown = _cut(was.get(name, "")), _cut(now.get(name, ""))
    if name == "images":
        block = _first(holder, holds_image)
        kind: DivergenceKind = "added" if holder is new else "removed"
        pointer = holder.block_pointer(block) if block >= 0 else "/messages"
        return Divergence(pointer, kind, "", "", block)
    if name == "citations":
        block = _first(holder, has_citations)
        return Divergence(f"{holder.block_pointer(block)}/citations", "parameter", *shown, block)
    if name in _OF_THE_BODY:
        return Divergence(_OF_THE_BODY[name], "parameter", *shown)
    block = _first(holder, lambda found: _is_tool(found, name))
    return Divergence(holder.block_pointer(block), "parameter", *shown, block)


_OF_THE_BODY = {
    "speed": "/speed",
    "tool_choice": "/tool_choice",
    "thinking": "/thinking",
    "effort": "/output_config/effort",
}


def _first(request: Request, wanted: Callable[[Block], bool]) -> int:
    return next((index for index, block in enumerate(request.blocks) if wanted(block)), -1)


def _is_tool(block: Block, name: str) -> bool:
    return (
        block.section == "tools"
        and is_system_tool(block.node)
        and (block.node.get_text("name") or "web") == name
    )


def _block_difference(
    reference: Remembered, request: Request, chain: Chain, parted: tuple[int, int]
) -> Divergence:
    old = reference.request
    here, there = parted
    before = old.blocks[there]
    after = request.blocks[here] if here < len(request.blocks) else None
    section = before.section
    removed = Divergence(old.block_pointer(there), "removed", _shown(before), "", there)
    if after is None or after.section != section:
        if after is not None and _comes_before(after, before):
            return Divergence(request.block_pointer(here), "added", "", _shown(after), here)
        return removed
    ours, theirs = chain.blocks, reference.chain.blocks
    mine = _section_digests(request, ours, section)
    yours = _section_digests(old, theirs, section)
    if mine != yours and Counter(mine) == Counter(yours):
        return Divergence(
            f"/{section}", "array_order", _names(old, section), _names(request, section), here
        )
    if ours[here] in theirs[there + 1 :] and theirs[there] not in ours:
        return removed
    if theirs[there] in ours[here + 1 :] and ours[here] not in theirs:
        return Divergence(request.block_pointer(here), "added", "", _shown(after), here)
    inside = difference(before.node, after.node)
    pointer = request.block_pointer(here)
    if inside is None:
        if before.role != after.role:
            return Divergence(pointer, "text", before.role, after.role, here)
        # The same block, which context editing has cleared in one of the two.
        return Divergence(pointer, "removed", _shown(before), "", here)
    return Divergence(
        pointer + inside.pointer, inside.kind, inside.before, inside.after, here, inside.character
    )


def _section_digests(
    request: Request, digests: Sequence[bytes | None], section: str
) -> list[bytes | None]:
    return [
        digest
        for digest, block in zip(digests, request.blocks, strict=True)
        if digest and block.section == section
    ]


def _comes_before(block: Block, other: Block) -> bool:
    order = ("tools", "system", "messages")
    return order.index(block.section) < order.index(other.section)


def difference(before: Node, after: Node, ordered: bool = False) -> Divergence | None:
    """The first difference between two values, with a pointer from ``after``; None when equal.

    ``ordered``: the order of keys counts, as it does in tool schemas and tool inputs.
    """
    old_text, new_text = _as_text(before), _as_text(after)
    if old_text is not None and new_text is not None:
        if old_text == new_text:
            return None
        at = _first_difference(old_text, new_text)
        return Divergence(
            _text_pointer(after), "text", _around(old_text, at), _around(new_text, at), -1, at
        )
    if before.kind != after.kind:
        return Divergence("", "text", _cut(_source(before)), _cut(_source(after)))
    if after.kind == "object":
        old = dict(zip(before.keys, before.values, strict=True))
        new = dict(zip(after.keys, after.values, strict=True))
        if not ordered:
            old = {k: v for k, v in old.items() if k not in _MARKERS and v.kind != "null"}
            new = {k: v for k, v in new.items() if k not in _MARKERS and v.kind != "null"}
        for key, value in new.items():
            if key not in old:
                return Divergence(f"/{escape_pointer(key)}", "added", "", _cut(_source(value)))
            inner = difference(old[key], value, ordered or key in ORDERED)
            if inner is not None:
                return Divergence(
                    f"/{escape_pointer(key)}{inner.pointer}",
                    inner.kind,
                    inner.before,
                    inner.after,
                    -1,
                    inner.character,
                )
        for key, value in old.items():
            if key not in new:
                return Divergence(f"/{escape_pointer(key)}", "removed", _cut(_source(value)), "")
        if ordered and list(old) != list(new):
            return Divergence("", "key_order", _cut(", ".join(old)), _cut(", ".join(new)))
        return None
    if after.kind == "array":
        for index, value in enumerate(after.values):
            if index >= len(before.values):
                return Divergence(f"/{index}", "added", "", _cut(_source(value)))
            inner = difference(before.values[index], value, ordered)
            if inner is not None:
                if _same_items(before, after, ordered):
                    return Divergence(
                        "", "array_order", _cut(_source(before)), _cut(_source(after))
                    )
                return Divergence(
                    f"/{index}{inner.pointer}",
                    inner.kind,
                    inner.before,
                    inner.after,
                    -1,
                    inner.character,
                )
        if len(before.values) > len(after.values):
            removed = before.values[len(after.values)]
            return Divergence(f"/{len(after.values)}", "removed", _cut(_source(removed)), "")
        return None
    if before.raw != after.raw:
        return Divergence("", "text", before.raw, after.raw)
    return None


def _same_items(before: Node, after: Node, ordered: bool) -> bool:
    """Whether two arrays hold the same items in another order."""
    if len(before.values) != len(after.values) or len(after.values) > 200:
        return False
    left = list(before.values)
    for value in after.values:
        match = next(
            (
                index
                for index, other in enumerate(left)
                if difference(other, value, ordered) is None
            ),
            None,
        )
        if match is None:
            return False
        left.pop(match)
    return True


def _as_text(node: Node) -> str | None:
    """The text of a string, or of an object or list that is nothing but one text part."""
    if node.kind == "string":
        return node.text
    if node.kind == "array" and len(node.values) == 1:
        node = node.values[0]
    if node.kind != "object" or node.get_text("text") is None:
        return None
    if any(key not in ("type", "text", *_MARKERS) for key in node.keys):
        return None
    return node.get_text("text")


def _text_pointer(node: Node) -> str:
    """Where in a value the text stands that ``_as_text`` gives."""
    return {"string": "", "object": "/text"}.get(node.kind, "/0/text")


def _first_difference(a: str, b: str) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _around(text: str, at: int) -> str:
    return text[max(0, at - CONTEXT) : at + CONTEXT]


def _cut(text: str) -> str:
    return text[: 2 * CONTEXT]


def _source(node: Node) -> str:
    """A value as compact JSON, cut to what is shown."""
    parts: list[str] = []
    _write(node, parts, [4 * CONTEXT])
    return "".join(parts)


def _write(node: Node, parts: list[str], budget: list[int]) -> None:
    if budget[0] <= 0:
        return
    if node.kind == "object":
        parts.append("{")
        for position, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            name = ("," if position else "") + json.dumps(key, ensure_ascii=False) + ":"
            budget[0] -= len(name)
            parts.append(name)
            _write(value, parts, budget)
        parts.append("}")
    elif node.kind == "array":
        parts.append("[")
        for position, value in enumerate(node.values):
            parts.append("," if position else "")
            _write(value, parts, budget)
        parts.append("]")
    else:
        shown = json.dumps(node.text, ensure_ascii=False) if node.kind == "string" else node.raw
        budget[0] -= len(shown)
        parts.append(shown)


def _shown(block: Block) -> str:
    text = block.text
    return _cut(text if text is not None else _source(block.node))


def _names(request: Request, section: str) -> str:
    names = [
        block.node.get_text("name") or block.kind
        for block in request.blocks
        if block.section == section
    ]
    return _cut(", ".join(names))
