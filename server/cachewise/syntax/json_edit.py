"""Small changes to JSON source that keep its formatting: spacing, lines, indentation, comments.

Each function returns edits as ``Edit`` values whose offsets count in the same way as the ``start``
it was given. ``read(a, b)`` gives the source between two such offsets.

A value that stands in source code is changed by ``source_edit`` in its language's own way: rules
and actions ask here and need not know. Values that they pass are JSON all the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cachewise.syntax import embedded, source_edit, yaml_edit
from cachewise.syntax.edit import Edit, Read, apply_edits
from cachewise.syntax.tree import Node
from cachewise.syntax.yaml_style import STYLES as YAML

__all__ = [
    "Edit",
    "Read",
    "add_member",
    "apply_edits",
    "compact",
    "member_indent",
    "remove_item",
    "remove_member",
    "set_member",
    "wrap_text",
]


def set_member(read: Read, node: Node, start: int, key: str, value: str) -> tuple[Edit, ...]:
    """Give an object's member the source ``value``, replacing it or adding it as the last one."""
    index = node.index(key)
    if "@" in node.style:
        return embedded.through(set_member, read, node, start, key, value)
    if node.style in YAML:
        return (yaml_edit.set_member(read, node, start, key, value),)
    if node.style:
        return (source_edit.set_member(read, node, start, key, value),)
    if index >= 0:
        at = start + node.starts[index]
        return (Edit(at, at + node.values[index].length, value),)
    return (add_member(read, node, start, key, value),)


def add_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Add a member behind the last one, spaced as its neighbours are.

    A comment on the last member's line stays on that line.
    """
    if "@" in node.style:
        return embedded.through(add_member, read, node, start, key, value)
    if node.style in YAML:
        return yaml_edit.add_member(read, node, start, key, value)
    if node.style:
        return source_edit.add_member(read, node, start, key, value)
    name = json.dumps(key, ensure_ascii=False)
    if not node.values:
        end = start + 1
        if not node.comments and not node.flawed:
            end = start + node.length - 1
        return Edit(start + 1, end, f"{name}: {value}")
    colon = _colon(read, node, start)
    if not colon.endswith((" ", "\n")) and "\n" not in value:
        value = compact(value)
    gap = _gap(read, node, start)
    end = start + node.starts[-1] + node.values[-1].length
    member = f"{gap}{name}{colon}{value}"
    if "\n" in gap or "\r" in gap:
        trailing = _TRAILING_COMMENT.match(read(end, start + node.length))
        if trailing is not None:
            comma = "," if trailing[1] else ""
            kept = f",{trailing[2]}"
            return Edit(end, end + trailing.end(), f"{kept}{member}{comma}")
    return Edit(end, end, f",{member}")


def member_indent(read: Read, node: Node, start: int) -> str | None:
    """The indentation of a member that ``add_member`` adds; None when it stays on a line."""
    if "@" in node.style:
        return embedded.through(member_indent, read, node, start)
    if node.style in YAML:
        return None
    if node.style:
        return source_edit.member_indent(read, node, start)
    if not node.values:
        return None
    gap = _gap(read, node, start)
    if "\n" not in gap and "\r" not in gap:
        return None
    return re.split(r"[\r\n]", gap)[-1]


def remove_member(read: Read, node: Node, start: int, key: str) -> Edit:
    """Remove a member with the comma and the white space that belong to it.

    Of a key that is written twice the last one goes. Comments of the neighbours stay.
    """
    if "@" in node.style:
        return embedded.through(remove_member, read, node, start, key)
    if node.style in YAML:
        return yaml_edit.remove_member(read, node, start, key)
    if node.style:
        return source_edit.remove_member(read, node, start, key)
    index = node.index(key)
    return _removal(read, node, start, index, node.key_starts)


def remove_item(read: Read, node: Node, start: int, index: int) -> Edit:
    """Remove an array's item with the comma and the white space that belong to it."""
    if "@" in node.style:
        return embedded.through(remove_item, read, node, start, index)
    if node.style in YAML:
        return yaml_edit.remove_item(read, node, start, index)
    if node.style:
        return source_edit.remove_item(read, node, start, index)
    return _removal(read, node, start, index, node.starts)


def wrap_text(read: Read, node: Node, start: int, marker: str | None) -> Edit:
    """Turn a string (``"system": "…"``) into a list with one text block, marked when asked.

    The text itself is kept as it is written, escapes included.
    """
    if "@" in node.style:
        return embedded.through(wrap_text, read, node, start, marker)
    if node.style in YAML:
        return yaml_edit.wrap_text(read, node, start, marker)
    if node.style:
        return source_edit.wrap_text(read, node, start, marker)
    source = read(start, start + node.length)
    loose = read(max(start - 1, 0), start) != ":"
    colon, comma = (": ", ", ") if loose else (":", ",")
    tail = ""
    if marker is not None:
        tail = f'{comma}"cache_control"{colon}{marker if loose else compact(marker)}'
    return Edit(
        start,
        start + node.length,
        f'[{{"type"{colon}"text"{comma}"text"{colon}{source}{tail}}}]',
    )


def compact(source: str) -> str:
    """A piece of JSON source without spaces behind its colons and commas.

    Source that is not strict JSON (a comment stands in it, say) is given back as it is.
    """
    try:
        value: Any = json.loads(source)
    except ValueError:
        return source
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_TRAILING_COMMENT = re.compile(
    r"(?:[ \t]*(,))?([ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/))(?=[ \t]*(?:\r|\n))"
)
_SEPARATOR = re.compile(r"//[^\r\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?|,")


def _removal(read: Read, node: Node, start: int, index: int, firsts: list[int]) -> Edit:
    """The edit that removes one child; ``firsts`` says where each child begins, key included."""
    first = start + firsts[index]
    last = start + node.starts[index] + node.values[index].length
    before = start + 1
    if index > 0:
        before = start + node.starts[index - 1] + node.values[index - 1].length
    lead = read(before, first)
    if index > 0 and not _has_comment(lead):
        return Edit(before, last, "")
    if index + 1 < len(node.values):
        following = start + firsts[index + 1]
        trail = read(last, following)
        if not _has_comment(trail):
            return Edit(first, following, "")
        comma = _comma(trail)
        return Edit(first, last + comma + 1 if comma >= 0 else last, "")
    # The last child: the comma before it goes too, what was said about the one before it stays.
    close = start + node.length if node.flawed else start + node.length - 1
    trail = read(last, close)
    if index > 0:
        comma = _comma(lead)
        kept = lead[:comma] + lead[comma + 1 :] if comma >= 0 else lead
        if trail.lstrip(" \t,").startswith(("\n", "\r")):
            kept = kept.rstrip()
        own = _comma(trail)
        return Edit(before, last + own + 1 if own >= 0 else last, kept)
    if _has_comment(lead) or _has_comment(trail) or node.flawed:
        own = _comma(trail)
        return Edit(first, last + own + 1 if own >= 0 else last, "")
    return Edit(start + 1, close, "")


def _has_comment(between: str) -> bool:
    return "/" in between


def _comma(between: str) -> int:
    """Where the comma stands in what separates two values, or -1; comments are passed over."""
    for found in _SEPARATOR.finditer(between):
        if found[0] == ",":
            return found.start()
    return -1


def _colon(read: Read, node: Node, start: int) -> str:
    """What stands between a key and its value in this object."""
    index = len(node.values) - 1
    if not node.key_lengths[index]:
        return ": "
    between = read(
        start + node.key_starts[index] + node.key_lengths[index], start + node.starts[index]
    )
    return between if between.strip() == ":" and len(between) <= 4 else ": "


def _gap(read: Read, node: Node, start: int) -> str:
    """The white space that stands before the last member's key."""
    index = len(node.values) - 1
    key_at = start + node.key_starts[index]
    before = start + 1
    if index > 0:
        before = start + node.starts[index - 1] + node.values[index - 1].length
    between = read(before, key_at)
    comma = _comma(between)
    gap = between[comma + 1 :] if comma >= 0 else between
    if gap.strip():  # a comment stands there: use only the indentation of the key's own line
        line = re.split(r"[\r\n]", gap)[-1]
        newline = "\r\n" if "\r\n" in gap else "\n"
        gap = newline + line if "\n" in gap and not line.strip() else " "
    if index == 0 and not gap:
        gap = " " if _colon(read, node, start).endswith(" ") else ""
    return gap
