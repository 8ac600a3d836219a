"""A request as the provider's cache sees it: a sequence of blocks, in prefix order, with marks.

``Block``, ``Mark`` and ``Unit`` are worked out from one node of the tree alone and kept on it, with
offsets counted from that node; ``Request`` adds where the nodes stand inside the request, and
``Found`` where the request stands in its document. So typing in one message makes one new unit, and
every other unit of the request is the object it was before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, Literal, TypeVar, cast

from cachewise.syntax.sharing import common_ends, earlier_of, notes, notes_after
from cachewise.syntax.tree import Node, escape_pointer

T = TypeVar("T")

Section = Literal["tools", "system", "messages"]

MarkPlace = Literal["block", "nested", "message", "inside", "top", "point"]
"""Where a mark stands: on a block, on a block nested in one (``tool_result`` or ``document``
content), on a message object, somewhere deeper (a citation, a toolset's configs), or at the
request's top level (automatic caching); ``point`` is an element of its own behind the block it
closes (``cachePoint``). In the shapes that accept a mark on a message or on a tool's ``function``
it counts as a mark on the (last) block there, and is a ``block`` too."""

UNKNOWN = "unknown"
"""The kind of a block that stands for any number of blocks, none included: source code puts them
there, and only its run knows which."""

TEXT_KINDS = frozenset({"text", "input_text", "output_text"})
"""The type names of blocks that hold nothing but a ``text``."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the prefix: a tool, a part of the system prompt, a part of a message.

    ``node`` is the block's value (an object, or a string that stands for one text block), ``start``
    its offset from the unit's start, ``pointer`` the rest of its JSON pointer behind the unit's.
    ``kind`` is the provider's own type name (``tool`` for a tool definition). ``barred`` says why
    the block itself cannot carry a mark, or is empty.
    """

    section: Section
    kind: str
    role: str
    node: Node
    start: int
    pointer: str
    barred: str = ""

    @property
    def length(self) -> int:
        """The length of the block's source in code points."""
        return self.node.length

    @property
    def text(self) -> str | None:
        """The text of a text block, holes as ``HOLE_CHARACTER``; None for any other kind."""
        if self.node.kind == "string":
            return self.node.text
        return self.node.get_text("text") if self.kind in TEXT_KINDS else None

    def memo(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gives for this block, worked out once for as long as its source lives."""
        memo = self.node.memo
        if memo is None:
            memo = self.node.memo = {}
        if key not in memo:
            memo[key] = make()
        return memo[key]


@dataclass(frozen=True, slots=True)
class Mark:
    """One cache marker as it is written, valid or not.

    ``node`` is the marker's value, ``start`` its offset from the unit's start (from the request's
    for a top-level mark), ``key_start`` that of its key. ``owner`` is the object that carries it.
    ``block`` is the index of the block, inside the unit, that the marker closes or stands in; -1
    when none. ``ttl`` is what the marker asks for, ``""`` when it says nothing (the default).
    """

    place: MarkPlace
    node: Node
    start: int
    key_start: int
    pointer: str
    owner: Node
    owner_start: int
    block: int
    ttl: str
    last_nested: bool = False

    @property
    def key(self) -> str:
        """The name of the marker's member: ``cache_control``, ``cachePoint``, ..."""
        return self.pointer.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Unit:
    """What one entry of tools, system or messages adds to the sequence."""

    node: Node
    role: str
    blocks: tuple[Block, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """A mark and where it stands in its request.

    ``unit`` and ``block`` are 0-based indexes (-1: none, at the top level); ``start`` is the
    offset of the marker's value from the request's start.
    """

    mark: Mark
    unit: int
    block: int
    pointer: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the marker's value."""
        return self.start + self.mark.node.length


@dataclass(slots=True)
class Request:
    """One request, worked out from its node alone: every offset counts from the node's start.

    ``units`` stand in prefix order (tools, system, messages, whatever the order of the keys),
    ``unit_starts`` are their offsets, ``unit_pointers`` their JSON pointers inside the request.
    ``params`` holds the other top-level members, by name, with their offsets. ``platform`` is set
    when the body itself says where it goes, ``platform_guess`` when it only looks like it: whatever
    else is known (settings, a URL) goes before a guess. ``default_ttl`` is the lifetime that the
    request names for markers without one. ``configuration``: this is no request but a part of a
    configuration file that decides on caching, so it has no tokens and no cost.
    ``drops_surplus``: the layer that sends the request passes on only as many markers as the
    provider takes, so that too many of them are not rejected.
    """

    shape: str
    provider: str
    node: Node
    units: list[Unit]
    unit_starts: list[int]
    unit_pointers: list[str]
    params: Mapping[str, tuple[Node, int]]
    automatic: Mark | None = None
    platform: str | None = None
    platform_guess: str | None = None
    default_ttl: str = ""
    configuration: bool = False
    drops_surplus: bool = False
    memo: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)
    """What was worked out about this request as a whole, by whom it concerns."""
    _blocks: list[Block] | None = None
    _firsts: list[int] | None = None
    _marks: list[PlacedMark] | None = None
    _noted: dict[str, list[tuple[int, Any]]] = field(
        default_factory=dict[str, list[tuple[int, Any]]], compare=False, repr=False
    )
    _earlier: tuple[Request, int, int] | None = field(default=None, compare=False, repr=False)
    """The request before an edit, and how many units both have in common at either end."""

    def succeed(self, earlier: Request) -> None:
        """Take over what was found out about the units that an edit has left alone."""
        if earlier._earlier is not None:
            # It is needed no longer, and knows itself by way of what was worked out about it:
            # without these ways it goes at once, and does not wait for a collector of cycles.
            oldest, _, _ = earlier._earlier
            oldest.memo.clear()
            oldest.node.memo = None
            earlier._earlier = None
        self._earlier = (earlier, *common_ends(earlier.units, self.units))

    @property
    def earlier(self) -> tuple[Request, int, int] | None:
        """The request before an edit, and how many units both have in common at either end."""
        return self._earlier

    def noted(self, key: str, look: Callable[[Unit], T | None]) -> list[tuple[int, T]]:
        """What ``look`` says of the units, with their indexes; those it says None of left out.

        Worked out once under ``key``, and after an edit only for the units that it changed.
        ``look`` may depend on the unit alone, and should have something to say of few units.
        """
        found: list[tuple[int, T]] | None = self._noted.get(key)
        if found is None:
            if self._earlier is not None and key in self._earlier[0]._noted:
                earlier, *ends = self._earlier
                found = notes_after(
                    earlier._noted[key], len(earlier.units), self.units, look, (ends[0], ends[1])
                )
            else:
                found = notes(self.units, look)
            self._noted[key] = found
        return found

    @property
    def blocks(self) -> list[Block]:
        """All blocks in prefix order. Block *n* of a message to the user is ``blocks[n - 1]``."""
        if self._blocks is None:
            if self._earlier is not None and self._earlier[0]._blocks is not None:
                earlier, front, back = self._earlier
                last = len(earlier.units) - back
                self._blocks = earlier.blocks[: earlier.firsts[front]]
                for unit in self.units[front : len(self.units) - back]:
                    self._blocks += unit.blocks
                self._blocks += earlier.blocks[earlier.firsts[last] :]
            else:
                self._blocks = [block for unit in self.units for block in unit.blocks]
        return self._blocks

    @property
    def firsts(self) -> list[int]:
        """For each unit, the index of its first block; then how many blocks there are."""
        if self._firsts is None:
            if self._earlier is not None and self._earlier[0]._firsts is not None:
                self._firsts = self._firsts_after(*self._earlier)
            else:
                self._firsts = list(
                    accumulate((len(unit.blocks) for unit in self.units), initial=0)
                )
        return self._firsts

    def _firsts_after(self, earlier: Request, front: int, back: int) -> list[int]:
        known = earlier.firsts
        changed = self.units[front : len(self.units) - back]
        firsts = known[:front]
        firsts += accumulate((len(unit.blocks) for unit in changed), initial=known[front])
        moved = firsts[-1] - known[len(known) - 1 - back]
        tail = known[len(known) - back :]
        firsts += [first + moved for first in tail] if moved else tail
        return firsts

    @property
    def marks(self) -> list[PlacedMark]:
        """All marks in the order in which the provider reads them; the top-level one comes last."""
        if self._marks is None:
            found: list[PlacedMark] = []
            for index, marks in self.noted("marks", lambda unit: unit.marks or None):
                first = self.firsts[index]
                base = self.unit_starts[index]
                pointer = self.unit_pointers[index]
                found.extend(
                    PlacedMark(
                        mark,
                        index,
                        first + mark.block if mark.block >= 0 else self._before(index, mark),
                        pointer + mark.pointer,
                        base + mark.start,
                    )
                    for mark in marks
                )
            if self.automatic is not None:
                mark = self.automatic
                found.append(PlacedMark(mark, -1, -1, mark.pointer, mark.start))
            self._marks = found
        return self._marks

    def _before(self, unit: int, mark: Mark) -> int:
        """The block that an element of its own among the tools or the system parts closes, or -1.

        That is the last block before it in the same list: one that stands first closes nothing.
        """
        if mark.place != "point" or mark.owner is not self.units[unit].node:
            return -1
        parent = self.unit_pointers[unit].rpartition("/")[0]
        for earlier in range(unit - 1, -1, -1):
            if self.unit_pointers[earlier].rpartition("/")[0] != parent:
                return -1
            if self.units[earlier].blocks:
                return self.firsts[earlier + 1] - 1
        return -1

    @property
    def model_written(self) -> str | None:
        """The model id as written, or None when the body names none (it stands in the URL).

        Nor does it when only the run of a program knows a part of the name.
        """
        found = self.params.get("model") or self.params.get("modelId")
        known = found is not None and found[0].kind == "string" and not found[0].holes
        return found[0].text if found is not None and known else None

    @property
    def has_unknown_blocks(self) -> bool:
        """Whether blocks, and markers on them, may be there that the source does not show."""
        return bool(self.noted("unknown blocks", _holds_unknown_blocks))

    def unit_of(self, block: int) -> int:
        """The index of the unit that a block belongs to."""
        return bisect_right(self.firsts, block) - 1

    def block_span(self, block: int) -> tuple[int, int]:
        """The offsets of a block's source, from the request's start."""
        unit = self.unit_of(block)
        start = self.unit_starts[unit] + self.blocks[block].start
        return start, start + self.blocks[block].length

    def block_pointer(self, block: int) -> str:
        """The JSON pointer of a block inside the request."""
        return self.unit_pointers[self.unit_of(block)] + self.blocks[block].pointer

    def params_text(self, name: str) -> str | None:
        """A top-level string member's text, or None."""
        found = self.params.get(name)
        return found[0].text if found and found[0].kind == "string" else None

    def param(self, name: str) -> Node | None:
        """A top-level member's value, or None."""
        found = self.params.get(name)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Found:
    """A request and where it stands: its offset and its JSON pointer in the document's value.

    ``beside`` holds what stands next to a recorded request: ``url``, ``response``, ``usage``,
    ``at``, ``custom_id``, ``headers``.
    """

    request: Request
    base: int
    pointer: str = ""
    beside: Mapping[str, Node] = field(default_factory=dict[str, Node])
    headers_start: int = 0
    """Where ``beside["headers"]`` stands, from the request's start; often negative."""


def _holds_unknown_blocks(unit: Unit) -> bool | None:
    return True if any(block.kind == UNKNOWN for block in unit.blocks) else None


def is_unknown(node: Node) -> bool:
    """Whether an item of a list stands for any number of items of a program's run."""
    return node.kind == "hole" and bool(node.holes)


def is_entry(node: Node) -> bool:
    """Whether an item of tools, system, messages or content is one (or an unknown number)."""
    return node.kind in ("object", "string") or is_unknown(node)


def unknown_unit(node: Node, section: Section) -> Unit:
    """The entry that an unknown number of entries makes."""
    return Unit(node, "", (Block(section, UNKNOWN, "", node, 0, ""),), ())


def memoised_unit(node: Node, key: tuple[str, str], make: Callable[[Node], Unit]) -> Unit:
    """The unit that ``make`` gives for an entry, worked out once for as long as its source lives.

    ``key`` names the shape and the section: the same source may be read by several shapes.
    """
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    unit = memo.get(key)
    if unit is None:
        unit = memo[key] = make(node)
    return unit


def mark_at(
    place: MarkPlace,
    owner: Node,
    index: int,
    base: int,
    pointer: str,
    block: int,
    *,
    last_nested: bool = False,
) -> Mark:
    """The mark that is member ``index`` of ``owner``, which stands at ``base`` and ``pointer``."""
    node = owner.values[index]
    return Mark(
        place=place,
        node=node,
        start=base + owner.starts[index],
        key_start=base + owner.key_starts[index],
        pointer=f"{pointer}/{escape_pointer(owner.keys[index])}",
        owner=owner,
        owner_start=base,
        block=block,
        ttl=node.get_text("ttl") or "",
        last_nested=last_nested,
    )


class Prefix:
    """The entries of a request as they are collected, in prefix order."""

    __slots__ = ("pointers", "starts", "units")

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.starts: list[int] = []
        self.pointers: list[str] = []

    def add(self, unit: Unit, start: int, pointer: str) -> None:
        """Take one entry that stands at ``start`` and ``pointer`` inside the request."""
        self.units.append(unit)
        self.starts.append(start)
        self.pointers.append(pointer)

    def add_entries(
        self,
        value: Node,
        start: int,
        pointer: str,
        key: tuple[str, str],
        make: Callable[[Node], Unit],
    ) -> None:
        """Take every object and string of a list that stands at ``start`` and ``pointer``."""
        if value.kind != "array":
            return
        units, pointers = _entries(value, pointer, key, make)
        starts = [start + at for at in value.starts]
        if not all(units):
            pointers = [item for item, unit in zip(pointers, units, strict=True) if unit]
            starts = [item for item, unit in zip(starts, units, strict=True) if unit]
            self.units += filter(None, units)
        else:
            self.units += cast("list[Unit]", units)
        self.starts += starts
        self.pointers += pointers


def _entries(
    value: Node, pointer: str, key: tuple[str, str], make: Callable[[Node], Unit]
) -> tuple[list[Unit | None], list[str]]:
    """For each value of a list its unit, None when it is no entry, and its pointer.

    Kept on the list; what an edit has left alone is taken over from the list before it.
    """
    memo = value.memo
    if memo is None:
        memo = value.memo = {}
    name = ("entries", key, pointer)
    known: tuple[list[Unit | None], list[str]] | None = memo.get(name)
    if known is None:
        earlier = earlier_of(value)
        if earlier is not None and earlier.memo is not None and name in earlier.memo:
            before, pointers = cast("tuple[list[Unit | None], list[str]]", earlier.memo[name])
            front, back = common_ends(earlier.values, value.values)
            changed = value.values[front : len(value.values) - back]
            units = before[:front]
            units += [_entry(child, key, make) for child in changed]
            units += before[len(before) - back :]
        else:
            pointers = list[str]()
            units = [_entry(child, key, make) for child in value.values]
        if len(pointers) != len(units):
            pointers = pointers[: len(units)]
            pointers += [f"{pointer}/{at}" for at in range(len(pointers), len(units))]
        known = memo[name] = units, pointers
    return known


def _entry(node: Node, key: tuple[str, str], make: Callable[[Node], Unit]) -> Unit | None:
    if is_unknown(node):
        return memoised_unit(node, key, partial(unknown_unit, section=_section(key)))
    return memoised_unit(node, key, make) if node.kind in ("object", "string") else None


def _section(key: tuple[str, str]) -> Section:
    """The section in the name under which a shape keeps its entries."""
    return "tools" if key[1] == "tools" else "system" if key[1] == "system" else "messages"


def members_except(node: Node, *names: str) -> dict[str, tuple[Node, int]]:
    """An object's members by name with their offsets, without those that hold the prefix."""
    return {
        key: (value, offset)
        for key, value, offset in zip(node.keys, node.values, node.starts, strict=True)
        if key not in names
    }
