"""Small changes to YAML that is written in lines, keeping indentation, comments and scalars.

The same verbs as ``json_edit``, which passes on every value of a YAML style (what stands in
brackets is written as in JSON, and changed so). A new value is written in one line, as JSON: that
is YAML too. What an alias stands for cannot be changed where the alias stands: such an edit does
nothing.
"""

from __future__ import annotations

import json
import re

from cachewise.syntax.edit import Edit, Read
from cachewise.syntax.tree import Node
from cachewise.syntax.yaml_style import STYLE

_LINE_REST = re.compile(r"[^\r\n]*")
_NEW_LINE = re.compile(r"\r\n|\n|\r")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BLOCK_SCALAR = re.compile(r"([|>])([+-]?)[ \t]*(?:#[^\r\n]*)?(\r\n|\n|\r)")
_AHEAD = 400
"""How far behind a value its line is looked through for a comment."""


def set_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Give a member the value that is written in JSON as ``value``, or add it as the last one."""
    if node.style != STYLE:
        return _nothing(start)
    index = node.index(key)
    if index < 0:
        return add_member(read, node, start, key, value)
    at = start + node.starts[index]
    length = node.values[index].length
    behind_key = start + node.key_starts[index] + node.key_lengths[index]
    between = read(behind_key, at)
    if not length or "\n" in between or "\r" in between:
        # On a line of its own the new value could stand no deeper than its key: it moves up.
        colon = behind_key + between.find(":") + 1
        return Edit(colon, at + length, f" {value}")
    return Edit(at, at + length, value)


def add_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Add a member on a line of its own behind the last one, indented as that is."""
    if node.style != STYLE:
        return _nothing(start)
    name = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return _added(read, node, start, node.key_starts, f"{name}: {value}")


def add_item(read: Read, node: Node, start: int, value: str) -> Edit:
    """Add an item on a line of its own behind the last one, with its dash."""
    if node.style != STYLE:
        return _nothing(start)
    return _added(read, node, start, [0], f"- {value}")


def remove_member(read: Read, node: Node, start: int, key: str) -> Edit:
    """Remove a member with its line, or lines."""
    if node.style != STYLE:
        return _nothing(start)
    return _removal(read, node, start, node.index(key), node.key_starts, "{}")


def remove_item(read: Read, node: Node, start: int, index: int) -> Edit:
    """Remove an item with its dash and its lines."""
    if node.style != STYLE:
        return _nothing(start)
    # One space deeper: a list may stand right below its key, what is in brackets may not.
    return _removal(read, node, start, index, node.starts, " []")


def wrap_text(read: Read, node: Node, start: int, marker: str | None) -> Edit:
    """Turn a string into a list with one text block, marked when asked.

    A block scalar stays one, indented further; any other string is written on one line.
    """
    if node.style != STYLE:
        return _nothing(start)
    source = read(start, start + node.length)
    scalar = _BLOCK_SCALAR.match(source)
    content = re.search(r"[\r\n]([ \t]+)\S", source)
    if scalar is None or content is None:
        tail = f', "cache_control": {marker}' if marker is not None else ""
        text = source if source[:1] == '"' and "\n" not in source else _quoted(node.text)
        return Edit(start, start + node.length, f'[{{"type": "text", "text": {text}{tail}}}]')
    newline, indent = scalar[3], content[1]
    body = _NEW_LINE.split(source[scalar.end() :])
    lines = [
        f"{indent}- type: text",
        f"{indent}  text: {source[: scalar.end()].rstrip()}",
        *(f"    {line}" if line.strip() else line for line in body),
    ]
    if marker is not None:
        lines.append(f"{indent}  cache_control: {marker}")
    return Edit(start, start + node.length, newline + newline.join(lines))


def _nothing(start: int) -> Edit:
    return Edit(start, start, "")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _added(read: Read, node: Node, start: int, firsts: list[int], written: str) -> Edit:
    end = start + node.starts[-1] + node.values[-1].length
    # A comment on the last line stays there.
    rest = _LINE_REST.match(read(end, end + _AHEAD))
    at = end + (len(rest[0].rstrip()) if rest is not None else 0)
    first = start + firsts[0]
    column = _column(read, first)
    newline = "\r\n" if "\r\n" in read(start, end + _AHEAD) else "\n"
    return Edit(at, at, f"{newline}{' ' * column}{written}")


def _column(read: Read, at: int) -> int:
    """How many characters stand before an offset on its line."""
    width = 0
    while width < _AHEAD:
        before = read(at - width - 1, at - width)
        if not before or before in "\r\n":
            break
        width += 1
    return width


def _removal(read: Read, node: Node, start: int, index: int, firsts: list[int], empty: str) -> Edit:
    first = start + firsts[index]
    end = start + node.starts[index] + node.values[index].length
    if len(node.values) == 1:
        return Edit(start, start + node.length, empty)
    if index + 1 < len(node.values):
        # The white space before the next one stays in front of the first: both stand in a column.
        return Edit(first, start + firsts[index + 1], "")
    before = start + node.starts[index - 1] + node.values[index - 1].length
    line = _NEW_LINE.search(read(before, first))
    return Edit(before + line.start() if line is not None else before, end, "")
