"""Requests in ``.http`` and ``.rest`` files, as editors' REST clients send them.

A file holds requests that lines beginning with ``###`` part from each other. Each has a line with
method and address, header lines, an empty line, and the body. ``{{name}}`` stands for a variable:
one that the file sets (``@name = value``) is put in, any other is a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cachewise.syntax.embedded import Excerpt, json_regions
from cachewise.syntax.region import Region
from cachewise.syntax.shell import Piece, header_node
from cachewise.syntax.source import comments_region
from cachewise.syntax.tree import HOLE_CHARACTER, Comment, Node

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_START = re.compile(
    r"(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+)?(?P<url>(?:https?://|\{\{)\S+|/\S+)"
    r"(?:\s+HTTP/[\d.]+)?\s*\Z"
)
_METHOD = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s")
_SET = re.compile(r"@([\w.-]+)\s*=\s*(.*?)\s*\Z")
_VARIABLE = re.compile(r"\{\{\s*([^{}\n]+?)\s*\}\}")
_HEADER = re.compile(r"[\w-]+\s*:")


def read_regions(source: str) -> list[Region]:
    """The bodies of a file's requests, in order."""
    comments: list[Comment] = []
    lines = [(found[0], found.start()) for found in _LINE.finditer(source) if found[0]]
    variables = {
        found[1]: found[2] for line, _ in lines for found in (_SET.match(line.strip()),) if found
    }
    found: list[Region] = []
    index = 0
    while index < len(lines):
        index = _request(source, lines, index, variables, comments, found)
    return [*comments_region(comments), *found]


def _request(
    source: str,
    lines: list[tuple[str, int]],
    index: int,
    variables: dict[str, str],
    comments: list[Comment],
    found: list[Region],
) -> int:
    """Read one request from line ``index`` on; the number of the line behind it."""
    url = ""
    while index < len(lines):
        line, start = lines[index]
        plain = line.strip()
        if plain.startswith(("#", "//")):
            comments.append(Comment(start, plain))
        elif plain and not plain.startswith(("@", "<")):
            said = _START.match(plain)
            if said is not None or _METHOD.match(plain):
                url = said["url"] if said is not None else plain.split()[1]
                index += 1
                break
        index += 1
    headers: list[tuple[int, int, str, list[Piece]]] = []
    while index < len(lines) and lines[index][0].strip():
        line, start = lines[index]
        plain = line.strip()
        if plain.startswith("###"):
            return index
        if plain.startswith(("#", "//")):
            comments.append(Comment(start, plain))
        elif plain.startswith(("?", "&")) and not headers:
            url += plain
        elif _HEADER.match(plain):
            first = start + len(line) - len(line.lstrip())
            headers.append((first, first + len(plain), plain, [(plain, first, first + len(plain))]))
        index += 1
    first = index
    while index < len(lines) and not lines[index][0].startswith("###"):
        if re.match(r"(?:>>?!?|<>)\s", lines[index][0]):
            break
        index += 1
    if first < index:
        begin, end = lines[first][1], lines[index - 1][1] + len(lines[index - 1][0])
        excerpt = Excerpt.of(source, _pieces(source, begin, end, variables))
        beside: dict[str, Node] = {}
        if url:
            address = Node("string", 0, "")
            address.decoded = _VARIABLE.sub(lambda name: variables.get(name[1], ""), url)
            beside["url"] = address
        node, at = header_node("http-header", headers)
        if node is not None:
            beside["headers"] = node
        found += [
            replace(region, beside=beside, headers_start=at) for region in json_regions(excerpt)
        ]
    while index < len(lines) and not lines[index][0].startswith("###"):
        index += 1
    if index < len(lines):
        line, start = lines[index]
        comments.append(Comment(start, line.strip()))
        index += 1
    return index


def _pieces(source: str, start: int, end: int, variables: dict[str, str]) -> Iterator[Piece]:
    position = start
    for name in _VARIABLE.finditer(source, start, end):
        if name.start() > position:
            yield source[position : name.start()], position, name.start()
        value = variables.get(name[1])
        if value is None or _VARIABLE.search(value):
            value = HOLE_CHARACTER
        yield value, name.start(), name.end()
        position = name.end()
    if position < end:
        yield source[position:end], position, end
