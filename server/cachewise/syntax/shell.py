"""Requests in shell scripts: what curl sends, in quotes, variables or here-documents.

Nothing is run. A variable inside of a body is a hole; a body that comes from a file (``@file``) is
not looked for here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cachewise.syntax.embedded import Excerpt, double_quoted, json_regions
from cachewise.syntax.region import Region
from cachewise.syntax.source import comments_region
from cachewise.syntax.tree import HOLE_CHARACTER, Comment, Node

Piece = tuple[str, int, int]

_BREAKS = " \t\r\n;&|()<>"
_VARIABLE = re.compile(r"\$(?:\{[^{}\n]*\}|[A-Za-z_]\w*|[0-9@*#?$!-])")
_DATA = {"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"}
_HEADERS = {"-H", "--header"}
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_ONE_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


@dataclass(slots=True)
class Word:
    """One word of a command; ``quotes`` are the kinds of quotes in it."""

    start: int
    end: int = 0
    pieces: list[Piece] = field(default_factory=list[Piece])
    quotes: str = ""

    @property
    def text(self) -> str:
        """The word as the command gets it, holes as ``HOLE_CHARACTER``."""
        return "".join(piece[0] for piece in self.pieces)


@dataclass(slots=True)
class Command:
    """A simple command, with the here-documents that it reads."""

    words: list[Word] = field(default_factory=list[Word])
    documents: list[list[Piece]] = field(default_factory=list["list[Piece]"])


@dataclass(frozen=True, slots=True)
class _Body:
    """A text that may be a request's body, and how it is quoted."""

    pieces: Sequence[Piece]
    surroundings: str


def read_regions(source: str) -> list[Region]:
    """The requests of a shell script, in order."""
    comments: list[Comment] = []
    variables: dict[str, _Body] = {}
    bodies: dict[int, tuple[_Body, dict[str, Node], int]] = {}

    def keep(body: _Body, beside: dict[str, Node], headers_start: int) -> None:
        text = "".join(piece[0] for piece in body.pieces).lstrip()
        if text[:1] in ("{", "["):
            start = body.pieces[0][1]
            if beside or start not in bodies:
                bodies[start] = (body, beside, headers_start)

    for command in commands(source, comments):
        for word in command.words:
            named = _ASSIGNED.match(source, word.start)
            if named is not None and named.end() < word.end:
                body = _cut(word, named.end())
                variables[named[0][:-1]] = body
                keep(body, {}, 0)
        for document in command.documents:
            if document:
                keep(_Body(document, ""), {}, 0)
        at = next(
            (index for index, word in enumerate(command.words)
             if re.fullmatch(r"(?:.*/)?curl(?:\.exe)?", word.text)), -1
        )  # fmt: skip
        if at >= 0:
            _curl(source, command, command.words[at + 1 :], variables, keep)
    found: list[Region] = []
    values = {name: _plain(body) for name, body in variables.items()}
    for body, beside, headers_start in bodies.values():
        excerpt = Excerpt.of(source, _filled(source, body.pieces, values))
        found += [
            replace(region, beside=beside, headers_start=headers_start)
            for region in json_regions(excerpt, body.surroundings)
            if region.node is not None
        ]
    found.sort(key=lambda region: region.start)
    return [*comments_region(comments), *found]


def _plain(body: _Body) -> str | None:
    """The value of a variable that is a plain text."""
    text = "".join(piece[0] for piece in body.pieces)
    return None if HOLE_CHARACTER in text or "\n" in text else text


def _filled(
    source: str, pieces: Sequence[Piece], values: Mapping[str, str | None]
) -> Iterator[Piece]:
    """The pieces of a body with the script's own plain variables put in."""
    for piece in pieces:
        text, start, end = piece
        if text == HOLE_CHARACTER:
            named = _ONE_VARIABLE.fullmatch(source[start:end])
            value = values.get(named[1]) if named is not None else None
            if value is not None:
                yield value, start, end
                continue
        yield piece


def _curl(
    source: str,
    command: Command,
    words: list[Word],
    variables: dict[str, _Body],
    keep: Callable[[_Body, dict[str, Node], int], None],
) -> None:
    body: _Body | None = None
    url = ""
    headers: list[tuple[Word, Word]] = []
    index = 0
    while index < len(words):
        word = words[index]
        text = word.text
        option, value = text, words[index + 1] if index + 1 < len(words) else None
        if text[:2] in ("-d", "-H") and len(text) > 2:
            option, value = text[:2], _behind(word, 2)
        elif text.startswith("--") and "=" in text and text.split("=", 1)[0] in (_DATA | _HEADERS):
            option = text.split("=", 1)[0]
            value = _behind(word, len(option) + 1)
        else:
            index += 1
        index += 1
        if option in _DATA and value is not None:
            body = _data(source, command, value, variables) or body
        elif option in _HEADERS and value is not None:
            headers.append((word, value))
        elif option == "--url" and value is not None:
            url = value.text
        else:
            # No option with a value: what follows is looked at on its own.
            if value is not None and option == text:
                index -= 1
            if not text.startswith("-") and _is_url(text):
                url = text
    if body is None:
        return
    beside: dict[str, Node] = {}
    start = 0
    if url:
        beside["url"] = _string(url)
    if headers:
        node, start = header_node(
            "curl-header",
            [(first.start, value.end, value.text, value.pieces) for first, value in headers],
        )
        if node is not None:
            beside["headers"] = node
    keep(body, beside, start)


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://")) or (HOLE_CHARACTER in text and "/" in text)


def _string(text: str) -> Node:
    node = Node("string", 0, "")
    node.decoded = text.replace(HOLE_CHARACTER, "")
    return node


def header_node(
    style: str, lines: Sequence[tuple[int, int, str, Sequence[Piece]]]
) -> tuple[Node | None, int]:
    """HTTP headers as an object, and its document offset.

    Each line is ``(start, end, "name: value", pieces)``; start and end say what goes when the
    header is removed.
    """
    found: list[tuple[str, int, int, str, int, int]] = []
    for start, end, text, pieces in lines:
        name, colon, value = text.partition(":")
        if not colon or not pieces:
            continue
        gap = len(value) - len(value.lstrip())
        at = len(name) + 1 + gap
        first = next(
            (piece[1] + at - before for before, piece in _running(pieces)
             if before <= at < before + len(piece[0])), pieces[-1][2]
        )  # fmt: skip
        found.append((name.strip(), start, first, value.strip(), end, pieces[0][1]))
    if not found:
        return None, 0
    base = found[0][1]
    node = Node("object", found[-1][4] - base)
    node.style = style
    node.keys = [name for name, *_ in found]
    node.key_starts = [start - base for _, start, *_ in found]
    node.key_lengths = [first - start for _, start, first, *_ in found]
    node.starts = [first - base for _, _, first, *_ in found]
    node.values = []
    for _, _, first, value, end, _ in found:
        child = Node("string", end - first, value)
        child.style = style
        child.decoded = value
        child.pieces = ((0, 0),)
        node.values.append(child)
    return node, base


def _running(pieces: Sequence[Piece]) -> Iterator[tuple[int, Piece]]:
    at = 0
    for piece in pieces:
        yield at, piece
        at += len(piece[0])


def _data(source: str, command: Command, word: Word, variables: dict[str, _Body]) -> _Body | None:
    text = word.text
    if text in ("@-", "@/dev/stdin"):
        return _Body(command.documents[-1], "") if command.documents else None
    if text == HOLE_CHARACTER:
        named = _ONE_VARIABLE.fullmatch(source[word.pieces[0][1] : word.pieces[0][2]])
        return variables.get(named[1]) if named is not None else None
    if text.startswith("@"):
        return None
    return _Body(word.pieces, "double" if word.quotes[:1] == '"' else "")


def _behind(word: Word, count: int) -> Word:
    """The rest of a word behind its first ``count`` characters."""
    fresh = Word(word.start, word.end, [], word.quotes)
    for piece in word.pieces:
        text, start, end = piece
        if count >= len(text):
            count -= len(text)
        elif count:
            fresh.pieces.append((text[count:], start + count, end))
            count = 0
        else:
            fresh.pieces.append(piece)
    if fresh.pieces:
        fresh.start = fresh.pieces[0][1]
    return fresh


def _cut(word: Word, start: int) -> _Body:
    kept = [
        piece if piece[1] >= start else (piece[0][start - piece[1] :], start, piece[2])
        for piece in word.pieces
        if piece[2] > start
    ]
    return _Body(kept, "double" if word.quotes[:1] == '"' else "")


def commands(source: str, comments: list[Comment]) -> Iterator[Command]:
    """The simple commands of a script, one after the other; comments are put into the list."""
    position, size = 0, len(source)
    command = Command()
    waiting: list[tuple[str, bool, bool, Command]] = []
    while position < size:
        character = source[position]
        if character in " \t":
            position += 1
        elif character == "\\" and source[position + 1 : position + 2] in ("\n", "\r"):
            position += 3 if source.startswith("\r\n", position + 1) else 2
        elif character in "\r\n":
            position += 1
            if character == "\r" and source[position : position + 1] == "\n":
                position += 1
            for mark, tabs, literal, reader in waiting:
                pieces, position = _document(source, position, mark, tabs, literal)
                reader.documents.append(pieces)
            waiting = []
            yield command
            command = Command()
        elif character == "#":
            end = position
            while end < size and source[end] not in "\r\n":
                end += 1
            comments.append(Comment(position, source[position:end]))
            position = end
        elif source.startswith("<<", position) and not source.startswith("<<<", position):
            tabs = source[position + 2 : position + 3] == "-"
            word, position = _word(source, _blank(source, position + 2 + tabs))
            if word.pieces:
                waiting.append((word.text, tabs, bool(word.quotes), command))
        elif character in "<>":
            position += 1
        elif character == "|" and source[position : position + 2] != "||":
            # What one command writes the next one reads: here-documents are passed on.
            position += 1
            following = Command(documents=command.documents)
            waiting = [
                (mark, tabs, literal, following if reader is command else reader)
                for mark, tabs, literal, reader in waiting
            ]
            yield command
            command = following
        elif character in ";&|()":
            position += 1
            if not waiting:
                yield command
                command = Command()
        else:
            word, after = _word(source, position)
            position = max(after, position + 1)
            command.words.append(word)
    yield command


def _blank(source: str, position: int) -> int:
    while position < len(source) and source[position] in " \t":
        position += 1
    return position


def _word(source: str, position: int) -> tuple[Word, int]:
    """The word that starts here, and where it ends."""
    size = len(source)
    word = Word(position)
    plain = position
    while position < size:
        character = source[position]
        if character in _BREAKS:
            break
        special = character in "'\"\\`" or (
            character == "$" and source[position + 1 : position + 2] not in ("", " ", '"')
        )
        if not special:
            position += 1
            continue
        if position > plain:
            word.pieces.append((source[plain:position], plain, position))
        if character == "'" or source.startswith("$'", position):
            start = position + (2 if character == "$" else 1)
            end = source.find("'", start)
            end = size if end < 0 else end
            word.quotes += "'"
            if end > start:
                word.pieces.append((source[start:end], start, end))
            position = min(end + 1, size)
        elif character == '"':
            word.quotes += '"'
            pieces, position = _double(source, position + 1)
            word.pieces += pieces
        elif character == "\\":
            following = source[position + 1 : position + 2]
            if following not in ("\n", "\r"):
                word.pieces.append((following, position, min(position + 2, size)))
            position = min(position + 2, size)
        elif character == "$" and source.startswith("$(", position):
            # A command inside of a word is read like any other.
            break
        else:
            end = _expansion(source, position)
            word.pieces.append((HOLE_CHARACTER, position, end))
            position = end
        plain = position
    if position > plain:
        word.pieces.append((source[plain:position], plain, position))
    word.end = position
    if position < size and source.startswith("$(", position):
        position += 1
    return word, position


def _double(source: str, position: int) -> tuple[list[Piece], int]:
    """What stands from behind an opening double quote to its closing one."""
    pieces: list[Piece] = []
    size = len(source)
    start = position
    while position < size and source[position] != '"':
        character = source[position]
        if character == "\\":
            position += 2
            continue
        if character == "$" or character == "`":
            end = _expansion(source, position)
            if end > position + 1:
                pieces += _escaped(source, start, position)
                pieces.append((HOLE_CHARACTER, position, end))
                position = start = end
                continue
        position += 1
    stop = min(position, size)
    pieces += _escaped(source, start, stop)
    return pieces, min(stop + 1, size)


def _escaped(source: str, start: int, end: int) -> list[Piece]:
    return [
        (text, start + first, start + last)
        for text, first, last in double_quoted(source[start:end])
    ]


def _expansion(source: str, position: int) -> int:
    """Where a variable, a command in parentheses or one in back quotes ends."""
    if source[position] == "`":
        end = source.find("`", position + 1)
        return len(source) if end < 0 else end + 1
    if source.startswith("$(", position):
        depth = 0
        for index in range(position + 1, len(source)):
            if source[index] == "(":
                depth += 1
            elif source[index] == ")":
                depth -= 1
                if not depth:
                    return index + 1
        return len(source)
    found = _VARIABLE.match(source, position)
    return found.end() if found is not None else position + 1


def _document(
    source: str, position: int, mark: str, tabs: bool, literal: bool
) -> tuple[list[Piece], int]:
    """The lines of a here-document, and where what is behind it begins."""
    lines: list[Piece] = []
    size = len(source)
    while position < size:
        end = source.find("\n", position)
        end = size if end < 0 else end + 1
        line = source[position:end].rstrip("\r\n")
        first = position
        if tabs:
            first += len(line) - len(line.lstrip("\t"))
        if line[first - position :] == mark:
            position = end
            break
        if literal:
            lines.append((source[first:end], first, end))
        else:
            lines += _with_holes(source, first, end)
        position = end
    return _merged(lines), position


def _with_holes(source: str, start: int, end: int) -> Iterator[Piece]:
    plain = position = start
    while position < end:
        character = source[position]
        if character == "\\" and source[position + 1 : position + 2] in ("$", "`", "\\"):
            if position > plain:
                yield source[plain:position], plain, position
            yield source[position + 1], position, position + 2
            position += 2
            plain = position
        elif character in "$`" and _expansion(source, position) > position + 1:
            if position > plain:
                yield source[plain:position], plain, position
            stop = min(_expansion(source, position), end)
            yield HOLE_CHARACTER, position, stop
            plain = position = stop
        else:
            position += 1
    if position > plain:
        yield source[plain:position], plain, position


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Pieces with those joined that follow each other without a gap."""
    joined: list[Piece] = []
    for text, start, end in pieces:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last[2] == start
            and len(last[0]) == last[2] - last[1]
            and len(text) == end - start
        ):
            joined[-1] = (last[0] + text, last[1], end)
        else:
            joined.append((text, start, end))
    return joined
