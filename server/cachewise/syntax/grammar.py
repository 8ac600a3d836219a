"""The grammars of programming languages, each loaded when the first such text is read.

The only module that knows tree-sitter. A tree-sitter tree counts bytes of UTF-8; ``Parsed`` turns
them into the code points that everything else counts in. ``Trees`` keeps what was parsed, so that
after an edit only what it touches is parsed again.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cachewise.syntax.rereading import Edit, Kept
from cachewise.syntax.sharing import common_ends

__all__ = ["Parsed", "SyntaxNode", "Trees", "parse"]

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode
    from tree_sitter import Parser, Tree


_STEP = 1024
"""Characters from one known pair of offset and byte to the next, where a text is not ASCII."""


class Parsed:
    """A text with its syntax tree."""

    __slots__ = (
        "_bytes",
        "_children",
        "_offsets",
        "_places",
        "data",
        "edit",
        "keep",
        "kept",
        "root",
        "text",
    )

    def __init__(self, text: str, data: bytes, root: SyntaxNode) -> None:
        self.text = text
        self.data = data
        self.root = root
        self.edit: Edit | None = None
        """Where the text differs from the one of which ``kept`` is."""
        self.kept: Kept | None = None
        self.keep: Callable[[Kept], None] = _forgotten
        """Remember what was found in this text for the one after it."""
        self._bytes: list[int] = []
        self._offsets: dict[int, int] = {}
        self._children: dict[int, tuple[list[SyntaxNode], list[int]]] = {}
        self._places: dict[str, list[int]] = {}
        if len(text) != len(data):
            at = 0
            for start in range(0, len(text), _STEP):
                self._bytes.append(at)
                piece = text[start : start + _STEP]
                at += len(piece) if piece.isascii() else len(_encoded(piece))

    def offset(self, byte: int) -> int:
        """The code point at which a byte offset stands."""
        if not self._bytes:
            return byte
        known = self._offsets.get(byte)
        if known is None:
            index = max(bisect_right(self._bytes, byte) - 1, 0)
            start = self._bytes[index]
            if index + 1 < len(self._bytes) and self._bytes[index + 1] - start == _STEP:
                known = index * _STEP + byte - start
            else:
                known = index * _STEP + len(self.data[start:byte].decode("utf-8", "replace"))
            self._offsets[byte] = known
        return known

    def byte(self, offset: int) -> int:
        """The byte at which a code point stands."""
        if not self._bytes:
            return offset
        index = min(max(offset, 0) // _STEP, len(self._bytes) - 1)
        return self._bytes[index] + len(_encoded(self.text[index * _STEP : offset]))

    def start(self, node: SyntaxNode) -> int:
        """Where a node starts, in code points."""
        return self.offset(node.start_byte)

    def end(self, node: SyntaxNode) -> int:
        """Where a node ends, in code points."""
        return self.offset(node.end_byte)

    def source(self, node: SyntaxNode) -> str:
        """A node's own text."""
        return self.text[self.start(node) : self.end(node)]

    def places(self, word: str) -> list[int]:
        """The bytes at which a word stands by itself, in comments and strings too."""
        known = self._places.get(word)
        if known is None:
            known = self._places[word] = list(_occurrences(self.data, _encoded(word)))
        return known

    def signs(self, words: Mapping[str, str]) -> list[int]:
        """The bytes at which one of the words begins, each with the pattern that must follow it."""
        found: list[int] = []
        for word, behind in words.items():
            sought = _encoded(word)
            follows = re.compile(_encoded(behind)).match
            at = self.data.find(sought)
            while at >= 0:
                end = at + len(sought)
                if not behind or follows(self.data, end):
                    found.append(at)
                at = self.data.find(sought, end)
        found.sort()
        return found

    def within(self, node: SyntaxNode, places: Sequence[int]) -> list[SyntaxNode]:
        """The named children of a node that one of the places (bytes, ascending) stands in."""
        index = bisect_left(places, node.start_byte)
        last = bisect_left(places, node.end_byte, index)
        if index == last:
            return []
        children, starts = self._inside(node)
        found: list[SyntaxNode] = []
        while index < last:
            at = bisect_right(starts, places[index]) - 1
            end = children[at].end_byte if at >= 0 else 0
            if places[index] < end:
                found.append(children[at])
                index = bisect_left(places, end, index, last)
            else:
                index += 1
        return found

    def child_at(self, node: SyntaxNode, at: int) -> SyntaxNode | None:
        """The named child of a node that a byte stands in."""
        children, starts = self._inside(node)
        index = bisect_right(starts, at) - 1
        return children[index] if index >= 0 and at < children[index].end_byte else None

    def _inside(self, node: SyntaxNode) -> tuple[list[SyntaxNode], list[int]]:
        known = self._children.get(node.id)
        if known is None:
            named = node.named_children
            known = self._children[node.id] = (named, [child.start_byte for child in named])
        return known


def _forgotten(kept: Kept) -> None:
    """Nothing is to be read after this."""


def _encoded(text: str) -> bytes:
    """The bytes for the parser, valid at any rate: half of a surrogate pair is a question mark."""
    return text.encode("utf-8", "replace")


def _occurrences(data: bytes, word: bytes) -> list[int]:
    found: list[int] = []
    at = data.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not (at and _in_word(data[at - 1])) and not (end < len(data) and _in_word(data[end])):
            found.append(at)
        at = data.find(word, end)
    return found


def _in_word(byte: int) -> bool:
    return byte in _WORD or byte > 0x7F


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Trees:
    """The syntax trees of a document's last reading, one for each language in it.

    ``settled`` says whether reading the text from scratch would surely give the same: what does
    not parse is mended by the parser at the least cost, and what it has kept of an earlier tree
    can have a part in what that is.
    """

    __slots__ = ("_kept", "_last", "settled")

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, bytes, Tree]] = {}
        self._kept: dict[str, tuple[str, Kept]] = {}
        """What was found in the last text of each language that was read to the end."""
        self.settled = True

    def parse(self, language: str, text: str) -> Parsed:
        """The syntax tree of a text, made from the last one of that language where there is one."""
        known = self._last.get(language)
        edit: Edit | None = None
        before = known[0] if known is not None else ""
        if known is None or known[0] != text:
            data = _encoded(text)
            parser = _parser(language)
            if known is None:
                tree = parser.parse(data)
                self.settled = True
            else:
                tree, edit = _parsed_again(parser, known, text, data)
                self.settled = not tree.root_node.has_error
            known = self._last[language] = text, data, tree
        else:
            behind, bytes_behind = len(text) + 1, len(known[1]) + 1
            edit = Edit(behind, behind, 0, bytes_behind, bytes_behind, 0, ())
        text, data, tree = known
        parsed = Parsed(text, data, tree.root_node)
        kept = self._kept.pop(language, None)
        if kept is not None and kept[0] == before:
            parsed.edit, parsed.kept = edit, kept[1]

        def keep(found: Kept) -> None:
            self._kept[language] = text, found

        parsed.keep = keep
        return parsed

    def forget(self) -> None:
        """Have the next reading start from scratch."""
        self._last.clear()
        self._kept.clear()
        self.settled = True


def parse(language: str, text: str, trees: Trees | None = None) -> Parsed:
    """The syntax tree of a text; it holds error nodes where the text does not parse."""
    return (trees or Trees()).parse(language, text)


def _parsed_again(
    parser: Parser, before: tuple[str, bytes, Tree], text: str, new: bytes
) -> tuple[Tree, Edit]:
    """The tree of a text, made from that of the text before it, and where the two differ."""
    earlier, old, tree = before
    front, back = common_ends(earlier, text)
    same = len(old) == len(earlier)
    start = front if same else len(_encoded(earlier[:front]))
    tail = back if same else len(_encoded(earlier[len(earlier) - back :]))
    ends = len(old) - tail, len(new) - tail
    told = tree.copy()
    told.edit(
        start,
        *ends,
        _point(old, start),
        _point(old, ends[0]),
        _point(new, ends[1]),
    )
    made = parser.parse(new, told)
    ranges = [(one.start_byte, one.end_byte) for one in told.changed_ranges(made)]
    grown = len(text) - len(earlier)
    edit = Edit(
        front,
        len(earlier) - back,
        grown,
        start,
        ends[0],
        len(new) - len(old),
        ((start, ends[1]), *ranges),
    )
    return made, edit


def _point(data: bytes, at: int) -> tuple[int, int]:
    """The row and the column, in bytes, of a place; tree-sitter ends rows at ``\\n`` alone."""
    return data.count(b"\n", 0, at), at - 1 - data.rfind(b"\n", 0, at)


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(_grammar(language)))


def _grammar(language: str) -> object:
    """The grammar of a language; each is a package of its own, imported here only."""
    if language == "python":
        import tree_sitter_python

        return tree_sitter_python.language()
    if language in ("typescript", "tsx"):
        import tree_sitter_typescript

        if language == "tsx":
            return tree_sitter_typescript.language_tsx()
        return tree_sitter_typescript.language_typescript()
    if language == "java":
        import tree_sitter_java

        return tree_sitter_java.language()
    if language == "kotlin":
        import tree_sitter_kotlin

        return tree_sitter_kotlin.language()
    if language == "go":
        import tree_sitter_go

        return tree_sitter_go.language()
    if language == "csharp":
        import tree_sitter_c_sharp

        return tree_sitter_c_sharp.language()
    if language == "ruby":
        import tree_sitter_ruby

        return tree_sitter_ruby.language()
    if language == "php":
        import tree_sitter_php

        return tree_sitter_php.language_php()
    if language == "rust":
        import tree_sitter_rust

        return tree_sitter_rust.language()
    raise ValueError(f"there is no grammar for {language}")
