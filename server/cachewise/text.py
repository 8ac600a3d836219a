"""A document as text that is edited often and asked for positions often.

``Text`` holds the document in pieces of a few thousand characters, so that an edit and a change
between offsets and line/column pairs cost the square root of the document's size, not its size,
also in a file that is one line of ten megabytes.

Lines end at ``\\n``, ``\\r\\n`` and a lone ``\\r`` and nowhere else, as the language server
protocol says. (Splitting on U+2028, NEL or a form feed too, as ``str.splitlines`` does, makes the
server's text drift from the editor's.)
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""The unit in which a client counts columns."""

_PIECE = 8192
_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two characters: 0-based line, 0-based column in the encoding's units."""

    line: int
    column: int


class Text:
    """An editable text with O(√n) edits and position conversion.

    Offsets are 0-based code points. Every method clips what lies outside of the text, since an
    editor may ask about a version that has moved on.
    """

    __slots__ = ("_breaks", "_ends", "_lines", "_pieces", "_starts", "_units")

    def __init__(self, source: str = "") -> None:
        self._pieces: list[str] = _cut(source) or [""]
        self._starts: list[list[int] | None] = [None] * len(self._pieces)
        self._units: list[dict[Encoding, int] | None] = [None] * len(self._pieces)
        self._breaks: list[int] = [_count_breaks(piece) for piece in self._pieces]
        self._ends: list[int] | None = None
        self._lines: list[int] | None = None

    def __str__(self) -> str:
        return "".join(self._pieces)

    def __len__(self) -> int:
        return self._piece_ends()[-1]

    @property
    def line_count(self) -> int:
        """The number of lines; a text that ends in a line break has an empty last line."""
        return self._line_ends()[-1] + 1

    def slice(self, start: int, end: int) -> str:
        """The characters from ``start`` up to, not including, ``end``."""
        ends = self._piece_ends()
        start, end = max(0, start), min(end, ends[-1])
        if start >= end:
            return ""
        first = bisect_right(ends, start)
        last = bisect_left(ends, end)
        base = ends[first - 1] if first else 0
        if first == last:
            return self._pieces[first][start - base : end - base]
        middle = self._pieces[first + 1 : last]
        tail_base = ends[last - 1]
        return "".join(
            (self._pieces[first][start - base :], *middle, self._pieces[last][: end - tail_base])
        )

    def edit(self, start: int, end: int, new: str) -> None:
        """Replace the characters from ``start`` to ``end`` by ``new``."""
        ends = self._piece_ends()
        start = min(max(0, start), ends[-1])
        end = min(max(start, end), ends[-1])
        first = min(bisect_right(ends, start), len(self._pieces) - 1)
        last = min(bisect_left(ends, end), len(self._pieces) - 1)
        last = max(first, last)
        base = ends[first - 1] if first else 0
        tail_base = ends[last - 1] if last else 0
        merged = self._pieces[first][: start - base] + new + self._pieces[last][end - tail_base :]
        # A \r\n must never be cut in two, and tiny pieces would add up: join with the neighbour.
        if first > 0 and (
            len(merged) < _PIECE // 8
            or (merged[:1] == "\n" and self._pieces[first - 1].endswith("\r"))
        ):
            first -= 1
            merged = self._pieces[first] + merged
        if last + 1 < len(self._pieces) and (
            merged[-1:] == "\r" and self._pieces[last + 1].startswith("\n")
        ):
            last += 1
            merged += self._pieces[last]
        fresh = _cut(merged) if len(merged) > 2 * _PIECE else [merged]
        if not fresh:
            fresh = [""]
        self._pieces[first : last + 1] = fresh
        self._starts[first : last + 1] = [None] * len(fresh)
        self._units[first : last + 1] = [None] * len(fresh)
        self._breaks[first : last + 1] = [_count_breaks(piece) for piece in fresh]
        self._ends = None
        self._lines = None

    def position(self, offset: int, encoding: Encoding = "utf-16") -> Position:
        """The line and column of an offset, columns counted in the units of ``encoding``."""
        ends = self._piece_ends()
        offset = min(max(0, offset), ends[-1])
        index = min(bisect_right(ends, offset), len(self._pieces) - 1)
        base = ends[index - 1] if index else 0
        local = offset - base
        starts = self._piece_starts(index)
        found = bisect_right(starts, local)
        line = (self._line_ends()[index - 1] if index else 0) + found
        if found:
            return Position(line, _units(self._pieces[index][starts[found - 1] : local], encoding))
        column = _units(self._pieces[index][:local], encoding)
        while index > 0:
            index -= 1
            starts = self._piece_starts(index)
            if starts:
                return Position(line, column + _units(self._pieces[index][starts[-1] :], encoding))
            column += self._piece_units(index, encoding)
        return Position(line, column)

    def offset(self, position: Position, encoding: Encoding = "utf-16") -> int:
        """The offset of a position; a column beyond the line's end means the line's end."""
        start = self.line_start(position.line)
        stop = self.line_end(position.line)
        remaining = max(0, position.column)
        ends = self._piece_ends()
        offset = start
        while offset < stop and remaining > 0:
            index = bisect_right(ends, offset)
            base = ends[index - 1] if index else 0
            piece = self._pieces[index]
            until = min(stop, ends[index])
            whole = offset == base and until == ends[index]
            if whole:
                width = self._piece_units(index, encoding)
            else:
                width = _units(piece[offset - base : until - base], encoding)
            if width <= remaining:
                remaining -= width
                offset = until
                continue
            return offset + _advance(piece[offset - base : until - base], remaining, encoding)
        return offset

    def line_start(self, line: int) -> int:
        """The offset of a line's first character; the text's end when there is no such line."""
        if line <= 0:
            return 0
        lines = self._line_ends()
        if line > lines[-1]:
            return self._piece_ends()[-1]
        index = bisect_left(lines, line)
        base = self._piece_ends()[index - 1] if index else 0
        before = lines[index - 1] if index else 0
        return base + self._piece_starts(index)[line - before - 1]

    def line_end(self, line: int) -> int:
        """The offset just before a line's break, or the text's end for the last line."""
        if line >= self._line_ends()[-1]:
            return self._piece_ends()[-1]
        following = self.line_start(line + 1)
        tail = self.slice(following - 2, following)
        return following - (2 if tail == "\r\n" else 1)

    def line(self, line: int) -> str:
        """The text of a line without its line break."""
        return self.slice(self.line_start(line), self.line_end(line))

    def _piece_ends(self) -> list[int]:
        if self._ends is None:
            self._ends = list(accumulate(map(len, self._pieces)))
        return self._ends

    def _line_ends(self) -> list[int]:
        if self._lines is None:
            self._lines = list(accumulate(self._breaks))
        return self._lines

    def _piece_starts(self, index: int) -> list[int]:
        """Offsets inside a piece at which a line starts."""
        starts = self._starts[index]
        if starts is None:
            starts = [found.end() for found in _BREAK.finditer(self._pieces[index])]
            self._starts[index] = starts
        return starts

    def _piece_units(self, index: int, encoding: Encoding) -> int:
        known = self._units[index]
        if known is None:
            known = self._units[index] = {}
        width = known.get(encoding)
        if width is None:
            width = known[encoding] = _units(self._pieces[index], encoding)
        return width


def _cut(source: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    while start < len(source):
        end = start + _PIECE
        if source[end - 1 : end + 1] == "\r\n":
            end += 1
        pieces.append(source[start:end])
        start = end
    return pieces


def _count_breaks(piece: str) -> int:
    if "\r" not in piece:
        return piece.count("\n")
    return piece.count("\n") + piece.count("\r") - piece.count("\r\n")


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def _advance(text: str, units: int, encoding: Encoding) -> int:
    """How many characters fit into ``units``; a position inside a character means its start."""
    if encoding == "utf-32" or text.isascii():
        return min(units, len(text))
    for index, character in enumerate(text):
        code = ord(character)
        if encoding == "utf-16":
            units -= 2 if code > 0xFFFF else 1
        else:
            units -= 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if units < 0:
            return index
    return len(text)
