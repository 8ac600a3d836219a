"""Where the fix of a rule may put a breakpoint, and the edits that put it there.

A marker is a member of the block that it closes, or, in Converse, an element behind it.

A fix must never make a request worse: what it writes keeps the number of breakpoints and the order
of lifetimes that the API asks for (``markers.fits``), closes a block that can carry a marker, and
touches nothing but markers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cachewise.caching.plan import DEFAULT_TTL, Breakpoint
from cachewise.request import anthropic_messages, bedrock_converse, chat_completions
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
from cachewise.syntax.tree import Node, resolve_pointer

LONGEST_SHOWN = 40
"""Characters of a text that are underlined at most."""

MARKER_KEY = "cache_control"

_SHAPES = {anthropic_messages.SHAPE, chat_completions.SHAPE}
"""The shapes whose markers are a member of the block that they close."""

WRITTEN = frozenset({*_SHAPES, bedrock_converse.SHAPE})
"""The shapes in which markers can be written."""


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
    if platform is None or found.barred or found.node.flawed:
        return False
    if found.section == "tools" and not platform.tools_markers:
        return False
    if request.shape == bedrock_converse.SHAPE:
        return _can_be_followed_by_point(context, block)
    if request.shape not in _SHAPES or MARKER_KEY not in platform.markers:
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
    return _written(context, block, marker_source(context, ttl))


def marker_source(context: Context, ttl: str) -> str:
    """A marker as JSON; the default lifetime is left unsaid."""
    kind = "default" if context.request.shape == bedrock_converse.SHAPE else "ephemeral"
    if ttl == DEFAULT_TTL:
        return f'{{"type": "{kind}"}}'
    return f'{{"type": "{kind}", "ttl": "{ttl}"}}'


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
    own = placed.mark.node
    source = marker_source(context, ttl)
    if (
        set(own.keys) <= {"type", "ttl"}
        and ttl == ttl_of(placed)
        and has_valid_ttl(context, placed)
    ):
        within = node.kind == "string" or placed.mark.place == "point"
        indent = None if within else member_indent(context.read, node, start)
        source = relocated(context.read, placed, indent)
    return remove_mark(context, placed), _written(context, block, source)


def _written(context: Context, block: int, source: str) -> Edit:
    node = context.request.blocks[block].node
    start, end = context.request.block_span(block)
    if context.request.shape == bedrock_converse.SHAPE:
        found = _list_of(context, block)
        separator = _separator(context, *found) if found is not None else ", "
        return Edit(end, end, f'{separator}{{"{bedrock_converse.POINT}": {source}}}')
    if node.kind == "string":
        return wrap_text(context.read, node, start, source)
    return add_member(context.read, node, start, MARKER_KEY, source)


def _can_be_followed_by_point(context: Context, block: int) -> bool:
    """Whether a ``cachePoint`` can stand behind a block: in a JSON list, and not twice."""
    found = context.request.blocks[block]
    point = bedrock_converse.POINT
    listed = _list_of(context, block)
    if context.platform is None or point not in context.platform.markers:
        return False
    if listed is None or listed[0].style or found.node.get(point) is not None:
        return False
    allowed = context.model.marked_blocks if context.model is not None else None
    if allowed is not None and found.kind not in allowed:
        return False
    elements = listed[0].values
    index = next((place for place, value in enumerate(elements) if value is found.node), -1)
    following = elements[index + 1 : index + 2]
    return index >= 0 and not any(value.keys == [point] for value in following)


def _list_of(context: Context, block: int) -> tuple[Node, int] | None:
    """The list that a block is an element of, with its offset."""
    above = context.request.block_pointer(block).rpartition("/")[0]
    found = resolve_pointer(context.request.node, above)
    return found if found is not None and found[0].kind == "array" else None


def _separator(context: Context, listed: Node, start: int) -> str:
    """What stands between two elements of a list: the comma, and the space or the new line."""
    gap = context.read(start + 1, start + listed.starts[0])
    return ", " if gap.strip() or "\n" not in gap else f",{gap}"


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
    return start, min(end, start + LONGEST_SHOWN)
