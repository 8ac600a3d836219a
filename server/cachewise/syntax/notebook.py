"""Requests in Jupyter notebooks, read as one program: the code cells in their order.

Offsets are those of the ``.ipynb`` file, where a cell's lines are strings of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cachewise.syntax import json
from cachewise.syntax.embedded import Excerpt, moved, notebook_source
from cachewise.syntax.grammar import Trees
from cachewise.syntax.region import Region
from cachewise.syntax.source import comments_region
from cachewise.syntax.tree import Comment, Node, resolve_pointer

Piece = tuple[str, int, int]

SURROUNDINGS = "notebook"
_MAGIC = re.compile(r"^(\s*)[%!?]", re.MULTILINE)
_LANGUAGES = ("/metadata/kernelspec/language", "/metadata/language_info/name")
_SHELLS = re.compile(r"%%(?:bash|sh|script\s+\S*sh)\b")


def read_regions(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests in a notebook's code cells, in order."""
    # Imported here, since the list of formats holds this reader.
    from cachewise.syntax import formats

    scanned = json.scan(source)
    notebook = scanned.node
    if notebook is None or notebook.kind != "object":
        return []
    language = next(
        (found[0].text for pointer in _LANGUAGES
         for found in (resolve_pointer(notebook, pointer),)
         if found is not None and found[0].kind == "string"), "python"
    )  # fmt: skip
    program: list[Piece] = []
    others: list[list[Piece]] = []
    for cell in _cells(notebook, scanned.start):
        pieces = list(_pieces(source, *cell))
        text = "".join(piece[0] for piece in pieces)
        if _SHELLS.match(text):
            others.append(pieces)
        elif text and not text.startswith("%%"):
            program += _without_magic(pieces)
            end = pieces[-1][2]
            program.append(("\n", end, end))
    comments: list[Comment] = []
    regions: list[Region] = []
    named = formats.format_of("", language.lower())
    for format, pieces in ((named, program), *(("shell", cell) for cell in others)):
        if format is None or not pieces:
            continue
        excerpt = Excerpt.of(source, pieces)
        kept = trees if pieces is program else None
        for region in formats.read_regions(format, excerpt.text, trees=kept):
            placed = moved(region, excerpt, SURROUNDINGS)
            comments += placed.comments
            if placed.node is not None:
                regions.append(replace(placed, beside=region.beside))
    regions.sort(key=lambda region: region.start)
    return [*comments_region(sorted(comments, key=lambda comment: comment.start)), *regions]


def cell_program(text: str) -> str:
    """An open cell's text as Python, every line and column where it was.

    IPython's own lines become comments; of a cell in another language only the lines remain.
    ``text`` breaks its lines with ``\\n`` alone.
    """
    if text.startswith("%%"):
        return "\n" * text.count("\n")
    return _MAGIC.sub(r"\1#", text)


def _cells(notebook: Node, base: int) -> Iterator[tuple[Node, int]]:
    """The ``source`` of every code cell, with its document offset."""
    index = notebook.index("cells")
    if index < 0:
        return
    cells, start = notebook.values[index], base + notebook.starts[index]
    for cell, offset in zip(cells.values, cells.starts, strict=True):
        if cell.get_text("cell_type") == "code" and cell.get("source") is not None:
            source = cell.get("source")
            assert source is not None
            yield source, start + offset + cell.start_of("source")


def _pieces(source: str, node: Node, start: int) -> Iterator[Piece]:
    strings = (
        [(node, 0)] if node.kind == "string" else list(zip(node.values, node.starts, strict=True))
    )
    for string, offset in strings:
        if string.kind != "string":
            continue
        first = start + offset + 1
        raw = source[first : first + max(string.length - 2, 0)]
        for text, begin, end in notebook_source(raw):
            yield text, first + begin, first + end


def _without_magic(pieces: list[Piece]) -> list[Piece]:
    """The same with IPython's own lines as comments."""
    text = "".join(piece[0] for piece in pieces)
    marks = {found.end() - 1 for found in _MAGIC.finditer(text)}
    if not marks:
        return pieces
    changed: list[Piece] = []
    at = 0
    for piece, start, end in pieces:
        fresh = "".join(
            "#" if at + index in marks else character for index, character in enumerate(piece)
        )
        changed.append((fresh, start, end))
        at += len(piece)
    return changed
