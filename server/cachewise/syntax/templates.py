"""Templates: the places of a text that something else fills in, as holes.

Known are ``{{ name }}`` with its relatives (Jinja, Handlebars, Mustache, Liquid), Jinja's and
Liquid's ``{% … %}``, and ``${name}`` of the editors. Nothing is rendered: a condition or a loop is
a hole where it begins, and what stands in its branches is read as it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from cachewise.syntax.source import Part, Unknown
from cachewise.syntax.tree import HOLE_CHARACTER, Hole, Node, string_pieces

Dialect = Literal["jinja", "handlebars", "editor", "none"]
"""``editor``: only ``${name}``, as in an editor's prompt files; ``none``: a text without any."""

_RAW = r"\{%[-+]?\s*(?P<word>raw|verbatim)\s*[-+]?%\}(?P<raw>.*?)\{%[-+]?\s*end(?P=word)\s*[-+]?%\}"
_PATTERNS: dict[Dialect, re.Pattern[str]] = {
    "jinja": re.compile(
        rf"(?s){_RAW}|\{{#(?P<comment>.*?)#\}}|\{{%[-+]?\s*(?P<tag>.*?)\s*[-+]?%\}}"
        r"|\{\{\{?[-+~]?\s*(?P<name>[^{}]*?)\s*[-+~]?\}\}\}?"
    ),
    "handlebars": re.compile(
        r"(?s)\{\{~?!--(?P<comment>.*?)--~?\}\}|\{\{\{?[~&]?\s*(?P<name>[^{}]*?)\s*~?\}\}\}?"
    ),
    "editor": re.compile(r"\$\{(?P<name>[^{}\n]{1,200})\}"),
}
_LITERAL = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
_OPENING_TAGS = ("if", "for", "include", "import", "call", "block", "unless", "case", "render")
"""Tags at which what follows depends on something; the others say nothing by themselves."""


def template_parts(source: str, start: int, end: int, dialect: Dialect) -> Iterator[Part | Unknown]:
    """What stands from ``start`` to ``end`` of a document, as text and holes."""
    pattern = _PATTERNS.get(dialect)
    at = start
    for found in pattern.finditer(source, start, end) if pattern is not None else ():
        if found.start() > at:
            yield Part(source[at : found.start()], at)
        yield from _part(found)
        at = found.end()
    if end > at:
        yield Part(source[at:end], at)


def _part(found: re.Match[str]) -> Iterator[Part | Unknown]:
    groups = found.groupdict()
    if groups.get("raw"):
        yield Part(found["raw"], found.start("raw"))
        return
    if groups.get("raw") is not None or groups.get("comment") is not None:
        return
    tag = groups.get("tag")
    if tag is not None:
        if tag.split(None, 1)[:1] and tag.split(None, 1)[0] in _OPENING_TAGS:
            yield Unknown(" ".join(tag.split())[:200], *found.span())
        return
    name = groups.get("name") or ""
    literal = _LITERAL.fullmatch(name)
    if literal is not None:
        group = 1 if literal[1] is not None else 2
        if literal[group]:
            yield Part(literal[group], found.start("name") + 1)
        return
    if name[:1] == "#":
        yield Unknown(" ".join(name[1:].split())[:200], *found.span())
    elif name[:1] == ">":
        yield Unknown(f"include {name[1:].strip()}"[:200], *found.span())
    elif name and name[0] not in "/!^" and name.split()[0] not in ("else", "role"):
        yield Unknown(" ".join(name.split())[:200], *found.span())


def is_control(name: str) -> bool:
    """Whether a hole is a condition, a loop or an inclusion, and no value with a name."""
    word = name.split(None, 1)[0] if name.strip() else ""
    return word in _OPENING_TAGS or word in ("each", "with")


def with_holes(node: Node, dialect: Dialect) -> Node:
    """A string of any format with its template variables as holes; the same node without any.

    The result is kept on the node.
    """
    pattern = _PATTERNS.get(dialect)
    if node.kind != "string" or pattern is None:
        return node
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    key = ("template", dialect)
    if key not in memo:
        memo[key] = _with_holes(node, dialect) if pattern.search(node.text) else node
    return memo[key]


def _with_holes(node: Node, dialect: Dialect) -> Node:
    text = node.text
    listed = string_pieces(node)
    fresh = Node("string", node.length, node.raw)
    fresh.style = node.style
    fresh.flawed = node.flawed
    decoded: list[str] = []
    pieces: list[tuple[int, int]] = []
    holes: list[Hole] = []
    at = 0

    def place(offset: int) -> int:
        index = next(
            (index for index in range(len(listed) - 1, -1, -1) if listed[index][0] <= offset), 0
        )
        return listed[index][1] + offset - listed[index][0]

    known = iter(node.holes)
    for part in template_parts(text, 0, len(text), dialect):
        if isinstance(part, Unknown):
            start, end = place(part.start), place(part.end - 1) + 1
            holes.append(Hole(at, start, end, part.name))
            pieces.append((at, start))
            decoded.append(HOLE_CHARACTER)
            at += 1
            continue
        stop = part.start + len(part.text)
        pieces.append((at, place(part.start)))
        pieces.extend(
            (at + first - part.start, source) for first, source in listed
            if part.start < first < stop
        )  # fmt: skip
        for index, character in enumerate(part.text):
            if character == HOLE_CHARACTER:
                hole = next(known, None)
                if hole is not None:
                    holes.append(Hole(at + index, hole.start, hole.end, hole.name, hole.origin))
        decoded.append(part.text)
        at += len(part.text)
    fresh.decoded = "".join(decoded)
    fresh.pieces = tuple(pieces) or ((0, 0),)
    fresh.holes = tuple(holes)
    return fresh
