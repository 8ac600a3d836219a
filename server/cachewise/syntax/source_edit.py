"""Small changes to values in source code, each in the manner of its language and its neighbours.

The same verbs as ``json_edit``, which passes on every value that has a ``style``. A language says
in a ``Notation`` how it writes members and literals; what it writes quite differently (the methods
of a builder) it does itself, in the notation's ``add``, ``remove`` and ``wrap``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from cachewise.syntax.edit import Edit, Read
from cachewise.syntax.notation import Notation, plain_literal, quoted
from cachewise.syntax.notations import OTHERS
from cachewise.syntax.tree import Node


def set_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Give a member the value that is written in JSON as ``value``, or add it as the last one."""
    index = node.index(key)
    if index < 0:
        return add_member(read, node, start, key, value)
    at = start + node.starts[index]
    old = node.values[index]
    return Edit(at, at + old.length, _literal(node, value, quote_of(read, node, start)))


def add_member(read: Read, node: Node, start: int, key: str, value: str) -> Edit:
    """Add a member behind the last one, spaced as its neighbours are."""
    notation = NOTATIONS[node.style]
    quote = quote_of(read, node, start)
    written = _literal(node, value, quote)
    if notation.add is not None:
        return notation.add(read, node, start, key, written)
    layout = _layout(read, node, start)
    member = notation.member(key, written, quote)
    raw, base, spans = layout.raw, layout.base, layout.spans
    if not spans:
        inner = raw[1:-1]
        if not inner.strip():
            return Edit(base + 1, base + 1, member)
        at = base + 1 + len(inner.rstrip())
        return Edit(at, at, f" {member}" if inner.rstrip().endswith(",") else f", {member}")
    end = spans[-1][1]
    gap = _gap(notation, layout)
    rest = raw[end : len(raw) - 1]
    comma = _comma(notation, rest)
    if "\n" in gap:
        # What stands on the last member's own line, a comma or a comment, stays there.
        line = re.match(r"[^\r\n]*", rest)
        tail = line[0] if line is not None else ""
        if comma >= 0 and comma < len(tail):
            stop = len(tail.rstrip())
            return Edit(base + end + stop, base + end + stop, f"{gap}{member},")
        if comma < 0 and notation.comment.search(tail):
            kept = tail.rstrip()
            comma_behind = "," if notation.trailing else ""
            return Edit(base + end, base + end + len(kept), f",{kept}{gap}{member}{comma_behind}")
        return Edit(base + end, base + end, f",{gap}{member}")
    if comma >= 0:
        return Edit(base + end + comma + 1, base + end + comma + 1, f"{gap}{member},")
    return Edit(base + end, base + end, f",{gap}{member}")


def member_indent(read: Read, node: Node, start: int) -> str | None:
    """The indentation of a member that ``add_member`` adds; None when it stays on a line.

    Always None: in source code a member that is added is written on one line.
    """
    return None


def remove_member(read: Read, node: Node, start: int, key: str) -> Edit:
    """Remove a member with the comma and the white space that belong to it."""
    notation = NOTATIONS[node.style]
    if notation.remove is not None:
        return notation.remove(read, node, start, key)
    index = node.index(key)
    layout = _layout(read, node, start)
    span = _member_span(node, index, layout)
    if span is None:
        # The member came with another object (``**base``): here it can only be overruled.
        member = notation.member(key, notation.empty, quote_of(read, node, start))
        last = layout.spans[-1][1] if layout.spans else 1
        lead = "," if layout.spans else ""
        return Edit(layout.base + last, layout.base + last, f"{lead} {member}".lstrip())
    return _removal(notation, layout, span)


def remove_item(read: Read, node: Node, start: int, index: int) -> Edit:
    """Remove an array's item with the comma and the white space that belong to it."""
    notation = NOTATIONS[node.style]
    layout = _layout(read, node, start)
    span = _member_span(node, index, layout)
    if span is None:
        at = start + node.starts[index]
        return Edit(at, at + node.values[index].length, notation.empty)
    return _removal(notation, layout, span)


def wrap_text(read: Read, node: Node, start: int, marker: str | None) -> Edit:
    """Turn a string into a list with one text block, marked when asked."""
    notation = NOTATIONS[node.style]
    quote = quote_of(read, node, start)
    written = None if marker is None else _literal(node, marker, quote)
    if notation.wrap is not None:
        return notation.wrap(read, node, start, written)
    source = read(start, start + node.length)
    return Edit(start, start + node.length, notation.text_block(source, written, quote))


def quote_of(read: Read, node: Node, start: int) -> str:
    """The quote that the source around a value uses: that of a key, else of a string in it."""
    offset, length = node.body or (0, node.length)
    raw = read(start + offset, start + offset + length)
    if node.kind == "object":
        for key_start, key_length in zip(node.key_starts, node.key_lengths, strict=True):
            at = key_start - offset
            if key_length and 0 <= at < len(raw) and raw[at] in "\"'":
                return raw[at]
    if node.kind == "string":
        opening = _OPENING.match(raw)
        return opening[1] if opening is not None else '"'
    found = _QUOTE.search(raw)
    return found[1] if found is not None else '"'


_OPENING = re.compile(r"[(\s]*[rRbBuUfF]{0,2}([\"'])")
_QUOTE = re.compile(r"[=:(\[{,\s]\s*(?:[rRbBuUfF]{0,2})([\"'])(?!\1)")


@dataclass(frozen=True, slots=True)
class _Layout:
    """An object's or list's source, its offset, and the spans of what is written in it."""

    raw: str
    base: int
    offset: int
    spans: list[tuple[int, int]]


def _layout(read: Read, node: Node, start: int) -> _Layout:
    offset, length = node.body or (0, node.length)
    base = start + offset
    spans: list[tuple[int, int]] = []
    firsts = node.key_starts if node.kind == "object" else node.starts
    for index, first in enumerate(firsts):
        begin = first - offset
        end = node.starts[index] + node.values[index].length - offset
        if 0 < begin <= end < length:
            spans.append((begin, end))
    spans.sort()
    return _Layout(read(base, base + length), base, offset, spans)


def _member_span(node: Node, index: int, layout: _Layout) -> tuple[int, int] | None:
    first = node.key_starts[index] if node.kind == "object" else node.starts[index]
    begin = first - layout.offset
    end = node.starts[index] + node.values[index].length - layout.offset
    return (begin, end) if (begin, end) in layout.spans else None


def _literal(node: Node, value: str, quote: str) -> str:
    """JSON source as the node's language writes it; source of that language is kept as it is."""
    try:
        plain: Any = json.loads(value)
    except ValueError:
        return value
    return NOTATIONS[node.style].literal(plain, quote)


def _gap(notation: Notation, layout: _Layout) -> str:
    """The white space before the last member, which a new one gets too."""
    begin = layout.spans[-1][0]
    before = layout.spans[-2][1] if len(layout.spans) > 1 else 1
    between = layout.raw[before:begin]
    if "\n" in between or "\r" in between:
        newline = "\r\n" if "\r\n" in between else "\n"
        line = re.split(r"[\r\n]", between)[-1]
        return newline + (line if not line.strip() else "")
    return " "


def _removal(notation: Notation, layout: _Layout, span: tuple[int, int]) -> Edit:
    raw, base = layout.raw, layout.base
    begin, end = span
    number = layout.spans.index(span)
    before = layout.spans[number - 1][1] if number else 1
    last = number + 1 == len(layout.spans)
    after = layout.spans[number + 1][0] if not last else len(raw) - 1
    lead, trail = raw[before:begin], raw[end:after]
    comma = _comma(notation, trail)
    if comma >= 0:
        stop = end + comma + 1
        line_start = _line_start(raw, begin)
        rest = re.match(r"[ \t]*", raw[stop:])
        blank_end = stop + (rest.end() if rest is not None else 0)
        alone = not raw[line_start:begin].strip() and line_start > 0
        if alone and raw[blank_end : blank_end + 1] in ("\n", "\r"):
            # Its own lines, from the break before them on.
            first = line_start - (2 if raw[line_start - 2 : line_start] == "\r\n" else 1)
            return Edit(base + first, base + blank_end, "")
        if last and number and not notation.comment.search(lead):
            first = before + _comma(notation, lead) + 1
            return Edit(base + first, base + stop, "")
        if alone:
            return Edit(base + begin, base + stop, "")
        return Edit(base + begin, base + blank_end, "")
    if number:
        if not notation.comment.search(lead):
            return Edit(base + before, base + end, "")
        at = _comma(notation, lead)
        kept = lead[:at] + lead[at + 1 :] if at >= 0 else lead
        return Edit(base + before, base + end, kept.rstrip(" \t"))
    if lead.strip() or trail.strip():
        return Edit(base + begin, base + end, "")
    return Edit(base + 1, base + len(raw) - 1, "")


def _line_start(raw: str, at: int) -> int:
    return max(raw.rfind("\n", 0, at), raw.rfind("\r", 0, at)) + 1


def _comma(notation: Notation, between: str) -> int:
    """Where the comma stands in what separates two members, or -1; comments are passed over."""
    position = 0
    while position < len(between):
        comma = between.find(",", position)
        if comma < 0:
            return -1
        comment = notation.comment.search(between, position)
        if comment is None or comma < comment.start():
            return comma
        position = max(comment.end(), position + 1)
    return -1


def _python_literal(value: Any, quote: str) -> str:
    return plain_literal(value, quote, ("True", "False", "None"))


def _python_block(source: str, marker: str | None, quote: str) -> str:
    tail = "" if marker is None else f", {quote}cache_control{quote}: {marker}"
    return f"[{{{quote}type{quote}: {quote}text{quote}, {quote}text{quote}: {source}{tail}}}]"


def _keyword(name: str, value: str, quote: str) -> str:
    return f"{name}={value}"


_HASH_COMMENT = re.compile(r"#[^\r\n]*")

_PYTHON = Notation(
    member=lambda name, value, quote: f"{quoted(name, quote)}: {value}",
    literal=_python_literal,
    comment=_HASH_COMMENT,
    text_block=_python_block,
    empty="None",
)


def _blank_value(read: Read, node: Node, start: int, key: str) -> Edit:
    """The marker of an assignment cannot go without its statement: it becomes ``None``."""
    index = node.index(key)
    at = start + node.starts[index]
    return Edit(at, at + node.values[index].length, NOTATIONS[node.style].empty)


def _header_line(read: Read, node: Node, start: int, key: str) -> Edit:
    """A header of an HTTP file goes with its line."""
    index = node.index(key)
    at = start + node.key_starts[index]
    end = start + node.starts[index] + node.values[index].length
    behind = read(end, end + 2)
    return Edit(at, end + (2 if behind == "\r\n" else 1 if behind[:1] in ("\n", "\r") else 0), "")


def _header_option(read: Read, node: Node, start: int, key: str) -> Edit:
    """A header of a curl command goes with its option, and the line's continuation behind it."""
    index = node.index(key)
    at = start + node.key_starts[index]
    end = start + node.starts[index] + node.values[index].length
    behind = re.match(r"[ \t]*(?:\\(?:\r\n|\n|\r)[ \t]*)?", read(end, end + 200))
    return Edit(at, end + (behind.end() if behind is not None else 0), "")


NOTATIONS: dict[str, Notation] = {
    **OTHERS,
    "python": _PYTHON,
    "python-call": replace(_PYTHON, member=_keyword),
    "python-assignment": replace(_PYTHON, remove=_blank_value),
    "http-header": replace(_PYTHON, remove=_header_line),
    "curl-header": replace(_PYTHON, remove=_header_option),
}
"""Every style that a node can have, but JSON's: the language, and the form where it has several."""
