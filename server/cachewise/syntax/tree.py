"""The tree of values that every document format is read into.

A node knows its own length and where its children stand *inside* it, never where it stands in
the document. So an edit replaces the nodes on one path and leaves every other node the same object,
and whatever was worked out about a node (its text, its tokens, its findings) stays true and is kept
on the node, in ``memo``, for as long as the node lives.

A string may contain **holes**: places whose text is not known when the file is read, such as a
template variable, an f-string field, or a name that could not be resolved.

Values of source code have a ``style``, which says how their language writes them. Parts of such a
value can stand elsewhere in the file (a constant used by name): then a child starts before its
parent or behind its end, and the starts are in no order.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["object", "array", "string", "number", "true", "false", "null", "hole"]
"""``hole`` is a value that is there but not known: an unreadable word, or nothing typed yet."""

HOLE_CHARACTER = "\ufffc"
"""Stands for a hole in ``Node.text``."""


Change = Literal["call", "day", "start", "order"]
"""How often an unknown value is made anew: with every call, once a day, once when the program
starts; ``order``: it says the same each time, but in no settled order."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a hole is made, found by following names through source code.

    ``what`` is in words (``the clock``), ``source`` the expression. The span, and those of the
    steps on the way to the hole (each with a few words), count from the node's start and can lie
    outside of it.
    """

    what: str
    change: Change
    source: str
    start: int
    end: int
    steps: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hole:
    """An unknown part of a string: ``at`` in the text, and its span inside the node's source."""

    at: int
    start: int
    end: int
    name: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its offset inside the node that holds it."""

    start: int
    text: str


class Node:
    """One value. Treat as immutable: an edit makes new nodes.

    ``length`` is in code points. For an object ``keys``, ``key_starts``, ``key_lengths``,
    ``values`` and ``starts`` run in parallel, for an array ``values`` and ``starts``; all starts
    count from the node's own start. ``raw`` is the source of a string or scalar.

    ``style`` is ``""`` for JSON, else it names how the source writes this value (see
    ``source_edit``). A string that is not JSON has its value in ``decoded``, and in ``pieces``
    where it comes from: pairs of an offset in the text and the source offset of the character
    there, from the node's start; up to the next pair both count on together. ``body`` is set when
    the source says a name here and the object or list itself stands elsewhere: its offset from the
    node's start, and its length.
    """

    __slots__ = (
        "body",
        "comments",
        "decoded",
        "flawed",
        "holes",
        "key_lengths",
        "key_starts",
        "keys",
        "kind",
        "length",
        "memo",
        "pieces",
        "raw",
        "starts",
        "style",
        "values",
    )

    def __init__(self, kind: Kind, length: int = 0, raw: str = "") -> None:
        self.kind: Kind = kind
        self.length = length
        self.raw = raw
        self.keys: list[str] = _NO_KEYS
        self.key_starts: list[int] = _NO_NUMBERS
        self.key_lengths: list[int] = _NO_NUMBERS
        self.values: list[Node] = _NO_NODES
        self.starts: list[int] = _NO_NUMBERS
        self.comments: tuple[Comment, ...] = ()
        self.holes: tuple[Hole, ...] = ()
        self.flawed = False
        self.style = ""
        self.decoded: str | None = None
        self.pieces: tuple[tuple[int, int], ...] = ()
        self.body: tuple[int, int] | None = None
        self.memo: dict[Any, Any] | None = None

    def __repr__(self) -> str:
        return f"Node({self.kind}, {self.length}, {self.raw[:30] or self.keys or len(self.values)})"

    def index(self, key: str) -> int:
        """The place of a member among the values, or -1. A key given twice means its last value."""
        if self.kind != "object":
            return -1
        keys = self.keys
        for index in range(len(keys) - 1, -1, -1):
            if keys[index] == key:
                return index
        return -1

    def get(self, key: str) -> Node | None:
        """The value of a member, or None when this is no object or has no such key."""
        index = self.index(key)
        return None if index < 0 else self.values[index]

    def start_of(self, key: str) -> int:
        """Where a member's value starts inside this node; the member must exist."""
        return self.starts[self.index(key)]

    @property
    def text(self) -> str:
        """The decoded value of a string, each hole as one ``HOLE_CHARACTER``; else ``""``."""
        if self.kind != "string":
            return ""
        if self.decoded is not None:
            return self.decoded
        memo = self.memo
        if memo is None:
            memo = self.memo = {}
        text = memo.get("text")
        if text is None:
            text = memo["text"] = decode_string(self.raw)
        return text

    def get_text(self, key: str) -> str | None:
        """The text of a string member, or None when it is absent or of another type."""
        value = self.get(key)
        return value.text if value is not None and value.kind == "string" else None


_NO_KEYS: list[str] = []
_NO_NUMBERS: list[int] = []
_NO_NODES: list[Node] = []

_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|(.)|\Z)",
    re.DOTALL,
)
_SIMPLE_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def decode_string(raw: str) -> str:
    """The value of a JSON string's source, with or without its closing quote; never fails."""
    body = raw[1:-1] if len(raw) > 1 and raw[-1] == '"' and not _open_ended(raw) else raw[1:]
    if "\\" not in body:
        return body
    return _ESCAPE.sub(_unescape, body)


def _open_ended(raw: str) -> bool:
    """Whether the last quote is an escaped one, so that the string was never closed."""
    backslashes = 0
    index = len(raw) - 2
    while index > 0 and raw[index] == "\\":
        backslashes += 1
        index -= 1
    return backslashes % 2 == 1


def _unescape(found: re.Match[str]) -> str:
    high, low, single, simple = found.groups()
    if high:
        # Two escaped halves make one character, as in any JSON parser; a lone half stays.
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    if single:
        return chr(int(single, 16))
    return _SIMPLE_ESCAPES.get(simple, simple) if simple else ""


def source_offset(node: Node, at: int) -> int:
    """Where character ``at`` of a string's text stands in its source, from the node's start.

    An escaped character counts as where its escape starts. For a text that was put together from
    parts that stand elsewhere the offset can lie outside of the node.
    """
    if node.holes:
        for hole in reversed(node.holes):
            if hole.at == at:
                return hole.start
    if node.decoded is not None:
        index = bisect_right(node.pieces, at, key=_first) - 1
        if index < 0:
            return 0
        piece_at, start = node.pieces[index]
        return start + at - piece_at
    raw = node.raw
    if "\\" not in raw:
        return min(1 + at, node.length)
    position = 1
    seen = 0
    for found in _ESCAPE.finditer(raw, 1):
        plain = found.start() - position
        if seen + plain >= at:
            return position + (at - seen)
        seen += plain
        if seen == at:
            return found.start()
        position = found.end()
        seen += 1
    return min(position + (at - seen), node.length)


def string_pieces(node: Node) -> list[tuple[int, int]]:
    """Where the text of a string comes from, in the form of ``Node.pieces``, also for JSON."""
    if node.decoded is not None:
        return list(node.pieces)
    pieces = [(0, 1)]
    position, at = 1, 0
    for found in _ESCAPE.finditer(node.raw, 1):
        at += found.start() - position
        if pieces[-1] != (at, found.start()):
            pieces.append((at, found.start()))
        position = found.end()
        at += 1
        pieces.append((at, position))
    return pieces


def source_span(node: Node, start: int, end: int) -> tuple[int, int]:
    """The source offsets of a string's text from ``start`` to ``end``, from the node's start.

    Where the text is put together from several places the span ends with the first of them.
    """
    first = source_offset(node, start)
    if node.decoded is None and not node.holes:
        return first, max(first, source_offset(node, end))
    if end <= start:
        return first, first
    for hole in node.holes:
        if hole.at == end - 1:
            return (first, hole.end) if hole.end > first else (first, _end_of(node, start, end))
    return first, _end_of(node, start, end)


def _end_of(node: Node, start: int, end: int) -> int:
    """Where the run of source that holds character ``start`` ends, at the latest for ``end``."""
    for hole in node.holes:
        if hole.at == start:
            return hole.end
    if node.decoded is None:
        return max(source_offset(node, start) + 1, source_offset(node, end))
    index = bisect_right(node.pieces, start, key=_first) - 1
    if index < 0:
        return node.length
    at, source = node.pieces[index]
    while index + 1 < len(node.pieces) and node.pieces[index + 1][0] < end:
        following_at, following = node.pieces[index + 1]
        # An escape is longer in the source than in the text; anything else is another place.
        if not 0 <= following - (source + following_at - at) <= _LONGEST_ESCAPE:
            return source + following_at - at
        index += 1
        at, source = following_at, following
    if index + 1 < len(node.pieces) and node.pieces[index + 1][0] == end:
        following = node.pieces[index + 1][1]
        if 0 <= following - (source + end - at) <= _LONGEST_ESCAPE and end - at == 1:
            return following
    return source + end - at


_LONGEST_ESCAPE = 40
"""Characters that one character may take in the source; ``\\N{...}`` with a long name is rare."""


def _first(piece: tuple[int, int]) -> int:
    return piece[0]


def plain_value(node: Node) -> Any:
    """The value as Python objects, as the provider's parser would read it.

    Strings with holes keep one ``HOLE_CHARACTER`` for each; an unknown value becomes None. The
    result is memoised on the node: do not change it.
    """
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    if "plain" not in memo:
        memo["plain"] = _plain(node)
    return memo["plain"]


def _plain(node: Node) -> Any:
    kind = node.kind
    if kind == "string":
        return node.text
    if kind == "object":
        return {key: _plain(value) for key, value in zip(node.keys, node.values, strict=False)}
    if kind == "array":
        return [_plain(value) for value in node.values]
    if kind == "number":
        try:
            return json.loads(node.raw)
        except ValueError:
            return None
    return {"true": True, "false": False}.get(kind)


def strings_below(node: Node, start: int = 0) -> Iterator[tuple[Node, int]]:
    """Every string value at or under a node, with its offset counted from ``start``, in order."""
    stack = [(node, start)]
    while stack:
        current, base = stack.pop()
        if current.kind == "string":
            yield current, base
        elif current.values:
            stack.extend(
                (value, base + offset)
                for value, offset in zip(
                    reversed(current.values), reversed(current.starts), strict=True
                )
            )


def child_at(node: Node, offset: int) -> int:
    """The index of the child whose span holds ``offset`` (from the node's start), or -1."""
    if node.style:
        for index, start in enumerate(node.starts):
            if holds(node.values[index], offset - start):
                return index
        return -1
    index = bisect_right(node.starts, offset) - 1
    if index < 0 or offset > node.starts[index] + node.values[index].length:
        return -1
    return index


def holds(node: Node, offset: int) -> bool:
    """Whether an offset (from the node's start) is in a value, or in a part of it elsewhere."""
    if 0 <= offset <= node.length:
        return True
    if node.body is not None and 0 <= offset - node.body[0] <= node.body[1]:
        return True
    return bool(node.style) and any(
        holds(value, offset - start) for value, start in zip(node.values, node.starts, strict=True)
    )


def resolve_pointer(node: Node, pointer: str) -> tuple[Node, int] | None:
    """The node that a JSON pointer names, with its offset from ``node``'s start; None if absent."""
    start = 0
    if not pointer:
        return node, 0
    for step in pointer[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if node.kind == "object":
            index = node.index(name)
        else:
            index = int(name) if name.isdecimal() and int(name) < len(node.values) else -1
        if index < 0:
            return None
        start += node.starts[index]
        node = node.values[index]
    return node, start


def escape_pointer(key: str) -> str:
    """A key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
