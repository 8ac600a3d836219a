"""Small changes to JSON source that keep its formatting: spacing, line breaks and indentation.

Each function returns edits as ``Edit`` values whose offsets count in the same way as the ``start``
it was given. ``read(a, b)`` gives the source between two such offsets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cachewise.syntax.tree import Node

Read = Callable[[int, int], str]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from ``start`` to ``end`` by ``new``."""

    start: int
    end: int
    new: str


def set_member(read: Read, node: Node, start: int, key: str, value: str) -> tuple[Edit, ...]:
    """Give an object's member the source ``value``, replacing it or adding it as the last one."""
    index = node.index(key)
    if index >= 0:
        at = start + node.starts[index]
        return (Edit(at, at + node.values[index].length, value),)
    return (add_member(read, node, start, key, value),)


def add_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Add a member behind the last one, spaced as its neighbours are."""
    name = json.dumps(key)
    if not node.values:
        colon = ": "
        return Edit(start + 1, start + node.length - 1, f"{name}{colon}{value}")
    end = start + node.starts[-1] + node.values[-1].length
    colon = _colon(read, node, start)
    if not colon.endswith(" "):
        value = compact(value)
    return Edit(end, end, f",{_gap(read, node, start, -1)}{name}{colon}{value}")


def remove_member(read: Read, node: Node, start: int, key: str) -> Edit:
    """Remove a member with the comma and the white space that belong to it."""
    index = node.index(key)
    first = start + node.key_starts[index]
    last = start + node.starts[index] + node.values[index].length
    return _removal(
        start, node, index, first, last, start + node.key_starts[index + 1]
        if index + 1 < len(node.values)
        else None,
    )  # fmt: skip


def remove_item(read: Read, node: Node, start: int, index: int) -> Edit:
    """Remove an array's item with the comma and the white space that belong to it."""
    first = start + node.starts[index]
    last = first + node.values[index].length
    following = start + node.starts[index + 1] if index + 1 < len(node.values) else None
    return _removal(start, node, index, first, last, following)


def _removal(
    start: int, node: Node, index: int, first: int, last: int, following: int | None
) -> Edit:
    if index > 0:
        before = start + node.starts[index - 1] + node.values[index - 1].length
        return Edit(before, last, "")
    if following is not None:
        return Edit(first, following, "")
    return Edit(start + 1, start + node.length - 1, "")


def wrap_text(read: Read, node: Node, start: int, marker: str | None) -> Edit:
    """Turn a string (``"system": "…"``) into a list with one text block, marked when asked.

    The text itself is kept as it is written, escapes included.
    """
    source = read(start, start + node.length)
    tail = f', "cache_control": {marker}' if marker is not None else ""
    return Edit(start, start + node.length, f'[{{"type": "text", "text": {source}{tail}}}]')


def compact(source: str) -> str:
    """A piece of JSON source without spaces behind its colons and commas."""
    value: Any = json.loads(source)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _colon(read: Read, node: Node, start: int) -> str:
    """What stands between a key and its value in this object."""
    index = len(node.values) - 1
    if not node.key_lengths[index]:
        return ": "
    between = read(
        start + node.key_starts[index] + node.key_lengths[index], start + node.starts[index]
    )
    return between if between.strip() == ":" and len(between) <= 4 else ": "


def _gap(read: Read, node: Node, start: int, index: int) -> str:
    """The white space that stands before a member's key."""
    count = len(node.values)
    index %= count
    key_at = start + node.key_starts[index]
    if index == 0:
        before = start + 1
    else:
        before = start + node.starts[index - 1] + node.values[index - 1].length
    between = read(before, key_at)
    comma = between.find(",")
    gap = between[comma + 1 :] if comma >= 0 else between
    if gap.strip():  # a comment stands there: use only the indentation of the key's own line
        line = gap.rpartition("\n")[2]
        gap = "\n" + line if "\n" in gap and not line.strip() else " "
    if index == 0 and not gap:
        gap = "" if "\n" not in between and count > 1 else " "
    return gap
