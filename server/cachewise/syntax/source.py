"""From source code to the tree of values: the drafts of values that a reader makes, and the build.

A reader of a language evaluates, as far as that needs no run of the program, the expressions that
make up a request, and gets drafts. A draft's offsets count from the document's start, and ``start``
and ``end`` say where it is *used*: for a constant used by name that is the name, while ``body``,
``parts`` and members keep standing where they are written. ``build`` makes a node of a draft, with
offsets that count from each value's own start, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from cachewise.syntax.region import Region
from cachewise.syntax.tree import HOLE_CHARACTER, Change, Comment, Hole, Kind, Node, Origin

LONGEST_TEXT = 4_000_000
"""Characters of a text that is put together (``"x" * n``) up to which it is; a longer is a hole."""

SPREAD = "**"
"""The key of a member that stands for another object's members (``**base``, ``...base``)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of an unknown expression is made, see ``tree.Origin``; document offsets."""

    what: str
    change: Change
    source: str
    start: int
    end: int
    steps: tuple[tuple[str, int, int], ...] = ()

    def after(self, words: str, start: int, end: int) -> Source:
        """The same, one step further on its way."""
        return replace(self, steps=(*self.steps, (words, start, end)))


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a text as the program sees it; ``start`` is its place in the document.

    Characters and source run in parallel in a part, so an escape is a part of its own.
    """

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value, or a part of a text, that only the run knows; ``name`` is its source."""

    name: str
    start: int
    end: int
    made: Source | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A text; ``raw`` is the source of a single literal."""

    start: int
    end: int
    raw: str
    parts: Sequence[Part | Unknown]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, ``true``, ``false`` or ``null``; ``raw`` is how JSON would write it."""

    start: int
    end: int
    kind: Kind
    raw: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: its key, where that is written and how long it is, and its value.

    What stands for a key that is not written as such (a method of a builder) counts as the key.
    """

    key: str
    key_start: int
    key_length: int
    value: Draft


@dataclass(frozen=True, slots=True)
class Mapping:
    """An object: a literal, the arguments of a call. ``body`` is None when it is written here."""

    start: int
    end: int
    style: str
    members: Sequence[Member]
    body: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. An ``Unknown`` item stands for any number of items, none included."""

    start: int
    end: int
    style: str
    items: Sequence[Draft]
    body: tuple[int, int] | None = None


Draft: TypeAlias = Unknown | Written | Scalar | Mapping | Listing


def used_at(draft: Draft, start: int, end: int) -> Draft:
    """The same value, used by a name that stands from ``start`` to ``end``."""
    if isinstance(draft, Mapping | Listing):
        body = draft.body or (draft.start, draft.end)
        return replace(draft, start=start, end=end, body=body)
    return replace(draft, start=start, end=end)


def parts_of(draft: Draft) -> Sequence[Part | Unknown]:
    """What a draft adds to a text that it is put into; an object or list is unknown as text."""
    if isinstance(draft, Written):
        return draft.parts
    if isinstance(draft, Unknown):
        return (draft,)
    return (Unknown("", draft.start, draft.end),)


def joined(start: int, end: int, parts: Iterable[Part | Unknown]) -> Draft:
    """A text that is put together; unknown when it would be too long."""
    listed = list(parts)
    if sum(len(part.text) for part in listed if isinstance(part, Part)) > LONGEST_TEXT:
        return Unknown("a very long text", start, end)
    return Written(start, end, "", listed)


def build(draft: Draft, style: str) -> tuple[Node, int]:
    """The node of a draft, and its document offset. ``style`` is that of texts and scalars."""
    start = draft.start
    if isinstance(draft, Written):
        return _text(draft, style), start
    if isinstance(draft, Unknown):
        node = Node("hole", draft.end - start, draft.name or "?")
        node.holes = (_hole(draft, 0, start),)
    elif isinstance(draft, Scalar):
        node = Node(draft.kind, draft.end - start, draft.raw)
    elif isinstance(draft, Mapping):
        node = Node("object", draft.end - start)
        node.keys = [member.key for member in draft.members]
        node.key_starts = [member.key_start - start for member in draft.members]
        node.key_lengths = [member.key_length for member in draft.members]
        _attach(node, [member.value for member in draft.members], start, style)
    else:
        node = Node("array", draft.end - start)
        _attach(node, draft.items, start, style)
    node.style = style
    if isinstance(draft, Mapping | Listing):
        node.style = draft.style
        if draft.body is not None:
            node.body = (draft.body[0] - start, draft.body[1] - draft.body[0])
    return node, start


def _attach(node: Node, values: Sequence[Draft], start: int, style: str) -> None:
    built = [build(value, style) for value in values]
    node.values = [child for child, _ in built]
    node.starts = [at - start for _, at in built]


def _text(draft: Written, style: str) -> Node:
    start = draft.start
    node = Node("string", draft.end - start, draft.raw)
    node.style = style
    text: list[str] = []
    pieces: list[tuple[int, int]] = []
    holes: list[Hole] = []
    at = 0
    fresh = True
    for part in draft.parts:
        if isinstance(part, Unknown):
            holes.append(_hole(part, at, start))
            pieces.append((at, part.start - start))
            text.append(HOLE_CHARACTER)
            at += 1
            fresh = True
        elif part.text:
            source = part.start - start
            # What goes on just where the piece before it ends is the same piece.
            if fresh or pieces[-1][1] - pieces[-1][0] != source - at:
                pieces.append((at, source))
            text.append(part.text)
            at += len(part.text)
            fresh = False
    node.decoded = "".join(text)
    node.pieces = tuple(pieces) or ((0, min(1, node.length)),)
    node.holes = tuple(holes)
    return node


def _hole(part: Unknown, at: int, start: int) -> Hole:
    made = part.made
    origin = None
    if made is not None:
        steps = tuple((words, first - start, last - start) for words, first, last in made.steps)
        origin = Origin(
            made.what, made.change, made.source, made.start - start, made.end - start, steps
        )
    return Hole(at, part.start - start, part.end - start, part.name, origin)


def comments_region(comments: Iterable[Comment]) -> list[Region]:
    """A region without a value that holds a file's comments; nothing when there are none."""
    listed = tuple(comments)
    return [Region(0, 0, None, listed)] if listed else []


def region(draft: Draft, style: str, shape: str = "") -> Region:
    """The region of a request or marker that was found in source code."""
    node, start = build(draft, style)
    return Region(start, start + node.length, node, (), shape)
