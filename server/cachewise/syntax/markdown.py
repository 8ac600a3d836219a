"""Requests in the fenced code of Markdown, each fence read as the language that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachewise.syntax.embedded import moved, pieces_of_lines
from cachewise.syntax.region import Region
from cachewise.syntax.source import comments_region
from cachewise.syntax.tree import Comment

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_OPENING = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<info>[^`\r\n]*)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def read_regions(source: str) -> list[Region]:
    """The requests of a Markdown file, in order."""
    # Imported here, since the list of formats holds this reader.
    from cachewise.syntax import formats

    comments = [Comment(found.start(), found[0]) for found in _COMMENT.finditer(source)]
    regions: list[Region] = []
    for language, lines in fences(source):
        excerpt = pieces_of_lines(source, lines)
        format = formats.format_of("", language) if language else None
        if format is None and not language and excerpt.text.lstrip()[:1] == "{":
            format = "jsonc"
        if format is None or format == "markdown":
            continue
        if formats.may_hold_values(format, excerpt.text) is False:
            continue
        for region in formats.read_regions(format, excerpt.text):
            placed = moved(region, excerpt)
            comments += placed.comments
            if placed.node is not None:
                regions.append(placed)
    comments.sort(key=lambda comment: comment.start)
    return [*comments_region(comments), *regions]


def fences(source: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each fence: the language that it names, and its lines, less the fence's own indentation."""
    lines = [found.span() for found in _LINE.finditer(source) if found[0]]
    index = 0
    while index < len(lines):
        opening = _OPENING.match(source, *lines[index])
        index += 1
        if opening is None:
            continue
        words = opening["info"].split()
        language = words[0].strip("{}.").lower() if words else ""
        width = len(opening["indent"])
        closing = re.compile(
            rf"[ \t]*{re.escape(opening['fence'][0])}{{{len(opening['fence'])},}}\s*\Z"
        )
        inside: list[tuple[int, int]] = []
        while index < len(lines):
            start, end = lines[index]
            index += 1
            if closing.fullmatch(source, start, end):
                break
            blank = 0
            while blank < width and source[start + blank : start + blank + 1] in (" ", "\t"):
                blank += 1
            inside.append((start + blank, end))
        yield language, _merged(inside)


def _merged(lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in lines:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
