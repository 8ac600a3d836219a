"""What the rules about markers share: who judges them, which of them take a slot, what fits.

Sources: Anthropic's prompt-caching page (limits, order, automatic caching), the API's own error
messages (which key paths they name), the API release notes of 2025-05-01 (nested markers). Every
number comes from the catalog, by way of ``context.platform``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cachewise.caching.plan import DEFAULT_TTL, automatic_target, closed_block
from cachewise.catalog.resolve import effective_ttls
from cachewise.request import anthropic_messages, lone_marker
from cachewise.request.model import Block, PlacedMark
from cachewise.request.placeholder import is_placeholder
from cachewise.rules.base import Context
from cachewise.syntax.json_edit import Edit, Read, remove_item, remove_member
from cachewise.syntax.tree import Node, plain_value, resolve_pointer

Misplacement = Literal["thinking", "empty", "deferred", "message", "inside", "nested"]
"""Why a marker cannot stand where it stands."""

_REFUSED_INSIDE = ("citations", "source", "configs")
"""Members of a block that are no blocks themselves, and in which a marker is an unknown key."""


def anthropic_judges(context: Context) -> bool:
    """Whether Anthropic's checks of ``cache_control`` decide about this request.

    True on its own API and wherever else its models answer, as far as the catalog says that
    markers are checked there; False where model or platform are not known to be of that kind.
    """
    platform = context.platform
    if platform is None or platform.extra_breakpoints != "rejected":
        return False
    if context.request.configuration and context.request.shape != lone_marker.SHAPE:
        return False
    if context.model is not None:
        return context.model.provider == "anthropic"
    # An unknown model behind a gateway can be anybody's.
    return context.request.provider == "anthropic" and not platform.gateway


def is_cache_control(placed: PlacedMark) -> bool:
    """Whether a marker is written in Anthropic's way, and not as Bedrock's ``cachePoint``, say."""
    return placed.mark.pointer.rpartition("/")[2] in ("cache_control", "cacheControl")


def misplacement(context: Context, placed: PlacedMark) -> Misplacement | None:
    """Why the API rejects a marker at this place, or None when it does not (or cannot be told)."""
    mark = placed.mark
    if not is_cache_control(placed):
        return None
    if mark.place == "message":
        return "message" if context.request.shape == anthropic_messages.SHAPE else None
    if mark.place == "inside":
        steps = mark.pointer.split("/")[:-1]
        return "inside" if any(step in _REFUSED_INSIDE for step in steps[-2:]) else None
    if mark.place == "nested":
        return None if mark.last_nested else "nested"
    if mark.place == "block" and placed.block >= 0:
        return _barred(context.request.blocks[placed.block])
    return None


def _barred(block: Block) -> Misplacement | None:
    if not block.barred:
        return None
    if block.kind in anthropic_messages.BARRED_KINDS:
        return "thinking"
    if block.section == "tools":
        return "deferred"
    text = block.node.get("text")
    if block.kind == "text" and text is not None and not text.flawed:
        return "empty"
    return None


def slots(context: Context) -> list[PlacedMark]:
    """The markers that count against the maximum, in the order in which the provider reads them.

    A marker where the request's schema has no place for one is refused before anything is
    counted, and one that the platform does not look at is not counted either.
    """
    platform = context.platform
    if platform is None:
        return []
    blocks = context.request.blocks
    return [
        placed
        for placed in context.request.marks
        if placed.mark.node.kind == "object"
        and placed.mark.place not in ("message", "inside")
        and not (placed.block >= 0 and blocks[placed.block].kind in anthropic_messages.BARRED_KINDS)
        and (placed.mark.place != "top" or platform.automatic)
        and (
            platform.tools_markers or placed.block < 0 or blocks[placed.block].section != "tools"
        )
    ]  # fmt: skip


def ttl_of(placed: PlacedMark) -> str:
    """The lifetime that a marker asks for, the default when it names none."""
    return placed.mark.ttl or DEFAULT_TTL


def allowed_ttls(context: Context) -> tuple[str, ...]:
    """The lifetimes that a marker may name here, shortest first; empty when not known."""
    if context.platform is None:
        return ()
    if context.model is not None:
        return effective_ttls(context.model, context.platform.id)
    return tuple(context.platform.ttl_seconds)


def has_valid_ttl(context: Context, placed: PlacedMark) -> bool:
    """Whether a marker's lifetime is one of those allowed here."""
    ttl = placed.mark.node.get("ttl")
    return (ttl is None or ttl.kind == "string") and ttl_of(placed) in allowed_ttls(context)


def is_open(node: Node | None) -> bool:
    """Whether a value is still being typed, or stands for one that only the run will know."""
    if node is None:
        return False
    if node.kind == "hole":
        return True
    if node.kind != "string":
        return False
    return node.flawed or bool(node.holes) or (bool(node.text) and is_placeholder(node.text))


@dataclass(frozen=True, slots=True)
class Spot:
    """A breakpoint reduced to what its neighbours care for: the block it closes and its TTL."""

    block: int
    ttl: str
    automatic: bool = False


def spots(context: Context, markers: Iterable[PlacedMark]) -> list[Spot]:
    """Markers as spots; one that closes no block at all stands where it is written."""
    blocks = context.request.blocks
    found: list[Spot] = []
    for placed in markers:
        automatic = placed.mark.place == "top"
        block = automatic_target(blocks) if automatic else closed_block(placed, blocks)
        found.append(Spot(placed.block if block < 0 else block, ttl_of(placed), automatic))
    return found


def fits(context: Context, new: Spot, others: Sequence[Spot]) -> bool:
    """Whether a breakpoint can be added to others without breaking a rule of the API.

    The number, the order of the lifetimes, the agreement with automatic caching, and that no block
    is closed twice.
    """
    platform = context.platform
    if platform is None:
        return False
    limit = platform.max_breakpoints
    if limit is not None and len(others) >= limit:
        return False
    seconds = platform.ttl_seconds.get(new.ttl)
    for other in others:
        if other.block == new.block and not other.automatic:
            return False
        theirs = platform.ttl_seconds.get(other.ttl)
        if seconds is None or theirs is None:
            continue
        if other.automatic:
            if theirs > seconds or (other.block == new.block and theirs != seconds):
                return False
        elif theirs < seconds if other.block < new.block else theirs > seconds:
            return False
    return True


def mismatched_target(context: Context, automatic: PlacedMark) -> PlacedMark | None:
    """The marker on the block that automatic caching closes, when it names another lifetime.

    Where the block carries one itself and another one nested in it, its own is the one compared.
    """
    blocks = context.request.blocks
    target = automatic_target(blocks)
    own = [
        placed
        for placed in slots(context)
        if placed.mark.place != "top" and closed_block(placed, blocks) == target
    ]
    own.sort(key=lambda placed: placed.mark.place == "nested")
    if not own or ttl_of(own[0]) == ttl_of(automatic):
        return None
    valid = has_valid_ttl(context, own[0]) and has_valid_ttl(context, automatic)
    return own[0] if valid else None


def least_useful(context: Context, markers: Sequence[PlacedMark], count: int) -> list[PlacedMark]:
    """Which ``count`` of some markers, in prefix order, to give up.

    Kept are, in this order: the last one, on which the next turn builds; those that close the
    system prompt and the tools, the largest prefixes that every conversation shares; then the
    larger prefixes before the smaller. A prefix too small to be cached is given up first of all.
    """
    request = context.request
    breakpoints = {id(found.placed): found for found in context.plan.breakpoints}
    closing: dict[str, int] = {}
    for index, placed in enumerate(markers):
        if placed.block >= 0:
            closing[request.blocks[placed.block].section] = index

    def worth(index: int) -> tuple[bool, bool, int, int]:
        found = breakpoints.get(id(markers[index]))
        shared = 2 if index == closing.get("system") else int(index == closing.get("tools"))
        too_small = found is None or found.effective is False
        return (index == len(markers) - 1, not too_small, shared, index)

    given_up = sorted(range(len(markers)), key=worth)[:count]
    return [markers[index] for index in sorted(given_up)]


def remove_mark(context: Context, placed: PlacedMark) -> Edit:
    """The edit that takes a marker away; a marker that is an element of its own goes as a whole."""
    mark = placed.mark
    if mark.place == "point":
        pointer = placed.pointer.removesuffix("/cachePoint")
        above, _, index = pointer.rpartition("/")
        found = resolve_pointer(context.request.node, above)
        if found is not None and found[0].kind == "array" and index.isdecimal():
            return remove_item(context.read, found[0], found[1], int(index))
    owner_start = placed.start - mark.start + mark.owner_start
    key = mark.pointer.rpartition("/")[2]
    return remove_member(context.read, mark.owner, owner_start, key)


def relocated(read: Read, placed: PlacedMark, indent: str | None) -> str:
    """A marker's source, to be written at another place.

    ``indent`` is the indentation of the line it moves to, None when it stays within a line.
    """
    source = read(placed.start, placed.end)
    lines = _LINE_BREAK.split(source)
    if len(lines) == 1:
        return source
    if indent is None:
        return json.dumps(plain_value(placed.mark.node), ensure_ascii=False)
    old = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip(" \t"))]
    newline = "\r\n" if "\r\n" in source else "\n"
    return newline.join([lines[0], *(indent + line.removeprefix(old) for line in lines[1:])])


_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def api_path(context: Context, placed: PlacedMark, *, typed: bool = True) -> str:
    """The place of a marker as the API's messages write it.

    ``typed``: with the type of the block on the way, as in messages about the schema:
    ``messages.0.content.1.thinking.cache_control``, ``tools.2.custom.cache_control``. A body of
    another shape is rewritten on its way to the API, so of its path only the end is known.
    """
    mark = placed.mark
    if context.request.shape != anthropic_messages.SHAPE:
        return "cache_control"
    steps = placed.pointer.strip("/").split("/")
    if typed and mark.place == "block" and placed.block >= 0:
        block = context.request.blocks[placed.block]
        if block.section == "tools":
            steps.insert(-1, block.node.get_text("type") or "custom")
        elif block.section == "messages" and block.kind:
            steps.insert(-1, block.kind)
    return ".".join(steps)
