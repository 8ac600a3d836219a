"""Where the fix of a rule may put a breakpoint, and the edits that put it there.

A fix must never make a request worse: what it writes keeps the number of breakpoints and the order
of lifetimes that the API asks for (``markers.fits``), closes a block that can carry a marker, and
touches nothing but markers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cachewise.caching.plan import DEFAULT_TTL, Breakpoint
from cachewise.request import anthropic_messages, chat_completions
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context
from cachewise.rules.markers import (
    Spot,
    allowed_ttls,
    fits,
    has_valid_ttl,
    misplacement,
    relocated,
    remove_mark,
    slots,
    spots,
    ttl_of,
)
from cachewise.syntax.json_edit import Edit, add_member, member_indent, wrap_text

MARKER_KEY = "cache_control"

_SHAPES = {anthropic_messages.SHAPE, chat_completions.SHAPE}
"""The shapes whose markers are a member of the block that they close."""


def live(context: Context) -> list[Breakpoint]:
    """The breakpoints that cache something, or may: neither ignored nor surely too small."""
    return [point for point in context.plan.breakpoints if point.effective is not False]


def standing(context: Context, without: Iterable[PlacedMark] = ()) -> list[Spot]:
    """The valid markers of the request, less those that a fix takes away."""
    gone = list(without)
    return spots(
        context,
        [
            placed
            for placed in slots(context)
            if misplacement(context, placed) is None and not any(placed is one for one in gone)
        ],
    )


def reaches_minimum(context: Context, block: int) -> bool:
    """Whether the prefix up to and including a block is surely long enough to be cached."""
    return context.minimum is not None and context.plan.prefixes[block].low >= context.minimum


def can_carry(context: Context, block: int) -> bool:
    """Whether a marker can be written on a block of this request, and none stands there yet."""
    request = context.request
    platform = context.platform
    found = request.blocks[block]
    if request.shape not in _SHAPES or platform is None or MARKER_KEY not in platform.markers:
        return False
    if found.section == "tools" and not platform.tools_markers:
        return False
    if found.barred or found.node.flawed:
        return False
    if found.node.kind == "string":
        # A whole text can become a list of one block; a bare string inside a list cannot.
        whole = request.block_pointer(block).endswith(("/content", "/system"))
        return whole and bool(found.node.text.strip())
    text = found.text
    return (
        found.node.kind == "object"
        and bool(found.node.values)
        and found.node.get(MARKER_KEY) is None
        and (text is None or bool(text.strip()))
    )


def fitting_ttl(context: Context, block: int, wanted: str, others: Sequence[Spot]) -> str | None:
    """The lifetime that a breakpoint on a block can have beside others: the wanted one if it can.

    None when the API would reject any (all slots are taken, say).
    """
    allowed = allowed_ttls(context)
    for ttl in (wanted, *allowed):
        if ttl in allowed and fits(context, Spot(block, ttl), others):
            return ttl
    return None


def insertion(context: Context, block: int, ttl: str) -> Edit:
    """The edit that marks a block, for which ``can_carry`` must hold."""
    node = context.request.blocks[block].node
    start, _ = context.request.block_span(block)
    return _written(context, block, start, marker_source(ttl), node.kind == "string")


def marker_source(ttl: str) -> str:
    """A marker as JSON; the default lifetime is left unsaid."""
    return (
        '{"type": "ephemeral"}'
        if ttl == DEFAULT_TTL
        else f'{{"type": "ephemeral", "ttl": "{ttl}"}}'
    )


def movement(context: Context, placed: PlacedMark, block: int) -> tuple[Edit, ...] | None:
    """The edits that move a marker to another block; None where it cannot stand there.

    It keeps its spelling where it can keep its lifetime.
    """
    if not can_carry(context, block):
        return None
    ttl = fitting_ttl(context, block, ttl_of(placed), standing(context, (placed,)))
    if ttl is None:
        return None
    node = context.request.blocks[block].node
    start, _ = context.request.block_span(block)
    plain = placed.mark.node.kind == "object" and set(placed.mark.node.keys) <= {"type", "ttl"}
    source = marker_source(ttl)
    if plain and ttl == ttl_of(placed) and has_valid_ttl(context, placed):
        indent = None
        if node.kind != "string":
            indent = member_indent(context.read, node, start)
        source = relocated(context.read, placed, indent)
    return (
        remove_mark(context, placed),
        _written(context, block, start, source, node.kind == "string"),
    )


def _written(context: Context, block: int, start: int, source: str, whole: bool) -> Edit:
    node = context.request.blocks[block].node
    if whole:
        return wrap_text(context.read, node, start, source)
    return add_member(context.read, node, start, MARKER_KEY, source)


def place_name(context: Context, block: int) -> str:
    """A block in words: its number, counted from 1 in prefix order, and its JSON pointer."""
    return f"block {block + 1} ({context.request.block_pointer(block)})"


def opening(context: Context, block: int) -> tuple[int, int]:
    """A short span at the start of a block, so that a long text is not underlined as a whole."""
    node = context.request.blocks[block].node
    start, end = context.request.block_span(block)
    if node.kind == "object" and node.keys:
        first = start + node.key_starts[0]
        return first, first + node.key_lengths[0]
    return start, min(end, start + 40)
