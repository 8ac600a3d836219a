"""The grammars of programming languages, each loaded when the first such text is read.

The only module that knows tree-sitter. A tree-sitter tree counts bytes of UTF-8; ``Parsed`` turns
them into the code points that everything else counts in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING

__all__ = ["Parsed", "SyntaxNode", "parse"]

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode
    from tree_sitter import Parser


_WIDE = re.compile(r"[^\x00-\x7f]")


class Parsed:
    """A text with its syntax tree."""

    __slots__ = ("_edges", "_extra", "_points", "root", "text")

    def __init__(self, text: str, root: SyntaxNode) -> None:
        self.text = text
        self.root = root
        self._edges: list[int] = []
        self._extra: list[int] = []
        self._points: list[int] = []
        if not text.isascii():
            extra = 0
            for found in _WIDE.finditer(text):
                code = ord(found[0])
                extra += 1 if code < 0x800 else 2 if code < 0x10000 else 3
                self._edges.append(found.end() + extra)
                self._points.append(found.end())
                self._extra.append(extra)

    def offset(self, byte: int) -> int:
        """The code point at which a byte offset stands."""
        if not self._edges:
            return byte
        index = bisect_right(self._edges, byte)
        return byte - (self._extra[index - 1] if index else 0)

    def byte(self, offset: int) -> int:
        """The byte at which a code point stands."""
        if not self._points:
            return offset
        index = bisect_right(self._points, offset)
        return offset + (self._extra[index - 1] if index else 0)

    def start(self, node: SyntaxNode) -> int:
        """Where a node starts, in code points."""
        return self.offset(node.start_byte)

    def end(self, node: SyntaxNode) -> int:
        """Where a node ends, in code points."""
        return self.offset(node.end_byte)

    def source(self, node: SyntaxNode) -> str:
        """A node's own text."""
        return self.text[self.start(node) : self.end(node)]


def parse(language: str, text: str) -> Parsed:
    """The syntax tree of a text; it holds error nodes where the text does not parse."""
    tree = _parser(language).parse(text.encode("utf-8", "surrogatepass"))
    return Parsed(text, tree.root_node)


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
