"""Values inside of other text: JSON in a shell command, code in a notebook or a Markdown fence.

What such a text says is read out of its surroundings first (quotes, escapes, indentation), as an
``Excerpt`` that knows where each character comes from; the reader of the inner language reads that,
and what it found is moved to where it stands in the document. Where a change would have to be
escaped in turn, the style of a value names its surroundings (``python@notebook``).
"""

from __future__ import annotations

import json as plain_json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from cachewise.syntax import json
from cachewise.syntax.edit import Edit, Read
from cachewise.syntax.region import Region
from cachewise.syntax.tree import HOLE_CHARACTER, Comment, Hole, Node, Origin, string_pieces


@dataclass(frozen=True, slots=True)
class Run:
    """``length`` characters of an excerpt from ``at`` on, and where they stand in the source.

    They are as many there, or one (or nothing) stands for ``source_length`` characters.
    """

    at: int
    length: int
    start: int
    source_length: int
    hole: str | None = None
    """The name of what is unknown here; the excerpt has one ``HOLE_CHARACTER`` for it."""


class Excerpt:
    """A text put together from runs of another."""

    __slots__ = ("_starts", "runs", "text")

    def __init__(self) -> None:
        self.text = ""
        self.runs: list[Run] = []
        self._starts: list[int] | None = None

    @classmethod
    def of(cls, source: str, pieces: Iterable[tuple[str, int, int]]) -> Excerpt:
        """From pieces ``(text, start, end)``: a text, and the source offsets that it stands for."""
        excerpt = cls()
        texts: list[str] = []
        at = 0
        for text, start, end in pieces:
            name = _bare(source[start:end]) if text == HOLE_CHARACTER else None
            excerpt.runs.append(Run(at, len(text), start, end - start, name))
            texts.append(text)
            at += len(text)
        excerpt.text = "".join(texts)
        return excerpt

    @property
    def plain(self) -> bool:
        """Whether the excerpt is a part of the source as it stands there."""
        return len(self.runs) == 1 and self.runs[0].length == self.runs[0].source_length

    def start(self, at: int) -> int:
        """Where character ``at`` stands in the source."""
        run = self._run(at)
        if run is None:
            return 0
        inside = min(at - run.at, run.length)
        if run.length == run.source_length:
            return run.start + inside
        return run.start + (run.source_length if inside >= run.length and inside else 0)

    def end(self, at: int) -> int:
        """Where the character before ``at`` ends in the source."""
        if at <= 0:
            return self.start(0)
        run = self._run(at - 1)
        if run is None:
            return 0
        inside = at - run.at
        if run.length == run.source_length:
            return run.start + inside
        return run.start + run.source_length

    def at(self, start: int) -> int:
        """The character of the excerpt that stands at a source offset, or the next one."""
        for run in self.runs:
            if start < run.start + run.source_length:
                if start <= run.start:
                    return run.at
                return run.at + (start - run.start if run.length == run.source_length else 0)
        return len(self.text)

    def _run(self, at: int) -> Run | None:
        if self._starts is None:
            self._starts = [run.at for run in self.runs]
        index = bisect_right(self._starts, at) - 1
        # Runs without a character share their place with the one behind them.
        return self.runs[index] if index >= 0 else None


def _bare(variable: str) -> str:
    """The name of a variable without the signs around it: ``{{$guid 1}}``, ``${NAME}``."""
    if variable.startswith("{{"):
        inner = variable.strip("{} \t")
        return inner.split()[0] if inner.startswith("$") else inner
    return f"${variable[2:-1]}" if variable.startswith("${") else variable


def json_regions(excerpt: Excerpt, surroundings: str = "") -> list[Region]:
    """The JSON values of an excerpt, at their places in the document."""
    return [
        moved(Region(found.start, found.end, found.node, tuple(found.comments)), excerpt,
              surroundings)
        for found in json.scan_all(excerpt.text)
        if found.node is None or found.node.kind in ("object", "array")
    ]  # fmt: skip


def moved(region: Region, excerpt: Excerpt, surroundings: str = "") -> Region:
    """A region of an excerpt, moved to where it stands in the document."""
    comments = tuple(
        Comment(excerpt.start(comment.start), comment.text) for comment in region.comments
    )
    if excerpt.plain and not surroundings:
        by = excerpt.runs[0].start
        headers = region.headers_start + by
        return replace(region, start=region.start + by, end=region.end + by, comments=comments,
                       headers_start=headers)  # fmt: skip
    start, end = excerpt.start(region.start), excerpt.end(region.end)
    node = region.node
    if node is not None:
        node = _moved(node, region.start, excerpt, surroundings)
    return replace(region, start=start, end=end, node=node, comments=comments)


def _moved(node: Node, at: int, excerpt: Excerpt, surroundings: str) -> Node:
    """A node that stands at ``at`` in the excerpt, with the offsets of the document."""
    start = excerpt.start(at)

    def place(offset: int) -> int:
        return excerpt.start(at + offset) - start

    def edge(offset: int) -> int:
        return excerpt.end(at + offset) - start

    fresh = Node(node.kind, edge(node.length), node.raw)
    fresh.flawed = node.flawed
    fresh.style = f"{node.style}@{surroundings}" if surroundings else node.style
    fresh.keys = node.keys
    fresh.key_starts = [place(offset) for offset in node.key_starts]
    fresh.key_lengths = [
        edge(offset + length) - place(offset)
        for offset, length in zip(node.key_starts, node.key_lengths, strict=True)
    ]
    fresh.starts = [place(offset) for offset in node.starts]
    fresh.values = [
        _moved(value, at + offset, excerpt, surroundings)
        for value, offset in zip(node.values, node.starts, strict=True)
    ]
    fresh.comments = tuple(Comment(place(comment.start), comment.text) for comment in node.comments)
    if node.body is not None:
        first, length = node.body
        fresh.body = (place(first), edge(first + length) - place(first))
    fresh.holes = tuple(
        Hole(hole.at, place(hole.start), edge(hole.end), hole.name, _origin(hole, place, edge))
        for hole in node.holes
    )
    if node.kind == "string":
        _move_text(node, fresh, at, excerpt, place)
    elif node.kind == "hole" and not node.holes and HOLE_CHARACTER in node.raw:
        run = next((run for run in excerpt.runs if run.hole and at <= run.at < at + node.length),
                   None)  # fmt: skip
        if run is not None and run.hole is not None:
            fresh.raw = run.hole
            fresh.holes = (Hole(0, 0, fresh.length, run.hole),)
    return fresh


def _origin(hole: Hole, place: Callable[[int], int], edge: Callable[[int], int]) -> Origin | None:
    made = hole.origin
    if made is None:
        return None
    steps = tuple((words, place(first), edge(last)) for words, first, last in made.steps)
    return replace(made, start=place(made.start), end=edge(made.end), steps=steps)


def _move_text(
    node: Node, fresh: Node, at: int, excerpt: Excerpt, place: Callable[[int], int]
) -> None:
    text = node.text
    fresh.decoded = text
    pieces: list[tuple[int, int]] = []
    listed = string_pieces(node)
    for index, (piece_at, offset) in enumerate(listed):
        stop = listed[index + 1][0] if index + 1 < len(listed) else len(text)
        # Inside of a piece each run of the excerpt begins a piece of its own.
        pieces.append((piece_at, place(offset)))
        for run in excerpt.runs:
            inside = run.at - (at + offset)
            if 0 < inside < stop - piece_at:
                pieces.append((piece_at + inside, place(offset + inside)))
    fresh.pieces = tuple(dict(pieces).items())
    if fresh.holes or HOLE_CHARACTER not in text:
        return
    holes: list[Hole] = []
    index = text.find(HOLE_CHARACTER)
    named = {run.start: run for run in excerpt.runs if run.hole is not None}
    base = excerpt.start(at)
    while index >= 0:
        where = bisect_right(fresh.pieces, index, key=_first) - 1
        offset = fresh.pieces[where][1] + index - fresh.pieces[where][0] if where >= 0 else 0
        run = named.get(base + offset)
        if run is not None and run.hole is not None:
            holes.append(Hole(index, offset, offset + run.source_length, run.hole))
        index = text.find(HOLE_CHARACTER, index + 1)
    fresh.holes = tuple(holes)


def _first(piece: tuple[int, int]) -> int:
    return piece[0]


# Changes where what is written has to be escaped.


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a text that another text holds is read from a part of it, and written into it."""

    read: Callable[[str], Iterable[tuple[str, int, int]]]
    write: Callable[[str], str]


def through(verb: Callable[..., Any], read: Read, node: Node, start: int, *arguments: Any) -> Any:
    """What an edit function makes of a value, as if its surroundings were not there.

    ``verb`` is a function of ``json_edit``; the result is its edit or edits, escaped.
    """
    style, _, name = node.style.rpartition("@")
    surroundings = SURROUNDINGS[name]
    offset, length = node.body or (0, node.length)
    base = start + offset
    raw = read(base, base + length)
    excerpt = Excerpt.of(raw, surroundings.read(raw))

    def place(position: int) -> int:
        return excerpt.at(position - offset)

    inner = Node(node.kind, len(excerpt.text), node.raw)
    inner.style = style
    inner.flawed = node.flawed
    inner.keys = node.keys
    inner.comments = node.comments
    inner.key_starts = [place(first) for first in node.key_starts]
    inner.key_lengths = [
        place(first + size) - place(first)
        for first, size in zip(node.key_starts, node.key_lengths, strict=True)
    ]
    inner.starts = [place(first) for first in node.starts]
    for value, first in zip(node.values, node.starts, strict=True):
        child = Node(value.kind, place(first + value.length) - place(first), value.raw)
        child.style = value.style.rpartition("@")[0]
        inner.values = [*inner.values, child]

    def read_inside(first: int, last: int) -> str:
        return excerpt.text[max(first, 0) : max(last, 0)]

    def outside(edit: Edit) -> Edit:
        first, last = excerpt.start(edit.start), excerpt.end(edit.end)
        if edit.start == edit.end:
            first = last = excerpt.end(edit.end)
        return Edit(base + first, base + max(first, last), surroundings.write(edit.new))

    made = verb(read_inside, inner, 0, *arguments)
    if isinstance(made, Edit):
        return outside(made)
    if isinstance(made, tuple):
        return tuple(outside(edit) for edit in cast(tuple[Edit, ...], made))
    return made


_DOUBLE_ESCAPE = re.compile(r"\\([\"\\$`\n])")


def double_quoted(raw: str) -> Iterable[tuple[str, int, int]]:
    """What stands between a shell's double quotes, without its variables."""
    position = 0
    for found in _DOUBLE_ESCAPE.finditer(raw):
        if found.start() > position:
            yield raw[position : found.start()], position, found.start()
        yield ("" if found[1] == "\n" else found[1]), found.start(), found.end()
        position = found.end()
    if position < len(raw):
        yield raw[position:], position, len(raw)


_JSON_PART = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|(.))|\"[\s,]*\"", re.DOTALL
)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def notebook_source(raw: str) -> Iterable[tuple[str, int, int]]:
    """What a JSON string says, or several of a list one behind the other, from inside of them."""
    position = 0
    for found in _JSON_PART.finditer(raw):
        if found.start() > position:
            yield raw[position : found.start()], position, found.start()
        position = found.end()
        if found[1] is not None:
            value = chr(int(found[1], 16))
            if found[2] is not None and "\ud800" <= value <= "\udbff":
                code = 0x10000 + ((ord(value) - 0xD800) << 10) + (int(found[2], 16) - 0xDC00)
                value = chr(code)
            elif found[2] is not None:
                value += chr(int(found[2], 16))
            yield value, found.start(), found.end()
        elif found[3] is not None:
            yield _SIMPLE.get(found[3], found[3]), found.start(), found.end()
        # What stands between two strings of the list says nothing.
    if position < len(raw):
        yield raw[position:], position, len(raw)


def _as_json(text: str) -> str:
    return plain_json.dumps(text, ensure_ascii=False)[1:-1]


def _as_double(text: str) -> str:
    return re.sub(r"([\"\\$`])", r"\\\1", text)


SURROUNDINGS: dict[str, Surroundings] = {
    "double": Surroundings(double_quoted, _as_double),
    "notebook": Surroundings(notebook_source, _as_json),
}
"""Surroundings in which a change has to be escaped, by the name that styles have behind ``@``."""


def pieces_of_lines(source: str, lines: Sequence[tuple[int, int]]) -> Excerpt:
    """An excerpt of whole lines or parts of them, each ``(start, end)`` with its line break."""
    return Excerpt.of(source, ((source[start:end], start, end) for start, end in lines))
