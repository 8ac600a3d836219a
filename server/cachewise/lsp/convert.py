"""Plain data to protocol types and back: every position, range and edit goes through here.

Columns are counted in the encoding that client and server have agreed on. A range never leaves
the line it starts in where the protocol or the editors are better off with that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lsprotocol import types

from cachewise.text import Encoding, Position, Text

ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
"""The position encodings of the protocol."""


def position(text: Text, offset: int, encoding: Encoding) -> types.Position:
    """The protocol's position of an offset."""
    found = text.position(offset, encoding)
    return types.Position(found.line, found.column)


def offset(text: Text, at: types.Position, encoding: Encoding) -> int:
    """The offset of a protocol position; beyond the text's end it means the end."""
    return text.offset(Position(at.line, at.character), encoding)


def plain(at: types.Position) -> dict[str, int]:
    """A position as the JSON of our own answers."""
    return {"line": at.line, "character": at.character}


def plain_range(where: types.Range) -> dict[str, dict[str, int]]:
    """A range as the JSON of our own answers."""
    return {"start": plain(where.start), "end": plain(where.end)}


def span(text: Text, start: int, end: int, encoding: Encoding) -> types.Range:
    """The range between two offsets."""
    return types.Range(position(text, start, encoding), position(text, end, encoding))


def line_span(text: Text, start: int, end: int, encoding: Encoding) -> types.Range:
    """The range between two offsets, cut at the end of its first line."""
    first = text.position(start, encoding)
    stop = text.line_end(first.line)
    here = types.Position(first.line, first.column)
    if end <= start:
        return types.Range(here, here)
    return types.Range(here, position(text, max(start, min(end, stop)), encoding))


def text_edits(
    text: Text, edits: Iterable[tuple[int, int, str]], encoding: Encoding
) -> list[types.TextEdit]:
    """The protocol's edits; new lines are written as the document writes them."""
    newline = "\r\n" if text.slice(text.line_end(0), text.line_end(0) + 2) == "\r\n" else "\n"
    return [
        types.TextEdit(
            span(text, start, end, encoding),
            new.replace("\n", newline) if "\r" not in new else new,
        )
        for start, end, new in edits
    ]


def workspace_edit(
    uri: str, version: int, edits: list[types.TextEdit], *, versioned: bool
) -> types.WorkspaceEdit:
    """A change of one document, bound to its version where the client understands that."""
    if not versioned:
        return types.WorkspaceEdit(changes={uri: edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(text_document=identifier, edits=[*edits])]
    )


_LINK = re.compile(r"\[([^\]\[]*)\]\((https://[^()\s]*)\)")
_RULER = re.compile(r"\n*^(?:---|\|[-:| ]+\|)$", re.MULTILINE)
_MARK = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*|`")


def markup(markdown: str, formats: Iterable[Any] | None) -> types.MarkupContent:
    """Markdown for clients that show it (or do not say), else the same as plain text."""
    kinds = [str(getattr(kind, "value", kind)) for kind in formats or ()]
    if kinds and types.MarkupKind.Markdown.value not in kinds:
        plain = _RULER.sub("", _LINK.sub(r"\1: \2", markdown))
        plain = _MARK.sub(lambda found: found[1] or "", plain)
        return types.MarkupContent(types.MarkupKind.PlainText, plain)
    return types.MarkupContent(types.MarkupKind.Markdown, markdown)
