"""The open documents, kept up to date by the client's edits.

A document is plain text until something in it looks like a request; only then is the analysis
loaded, and with it the catalog and the tokenizers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from cachewise.lsp import convert
from cachewise.text import Encoding, Text

if TYPE_CHECKING:
    from cachewise.analysis import Document, Options

_log = logging.getLogger(__name__)

_NEAR = 200
"""How far around an edit a new sign of a request is looked for; no sign is longer."""


class OpenDocument:
    """One document that the client has open.

    ``version`` is the client's; ``generation`` rises with everything that may change an answer:
    an edit, other settings, better token counts.
    """

    pushed = False
    """Whether its diagnostics are published to every client, those that pull included."""

    def __init__(
        self,
        item: types.TextDocumentItem,
        format: str,
        options: Callable[[OpenDocument], Options | None],
    ) -> None:
        self.uri = item.uri
        self.path = to_fs_path(item.uri) or ""
        self.format = format
        self.version = item.version
        self.generation = 0
        self._options = options
        self._text = Text(item.text)
        self._document: Document | None = None
        self._relevant = _may_hold_requests(item.text, format)

    @property
    def text(self) -> Text:
        """The document's text as it is now."""
        return self._text if self._document is None else self._document.text

    @property
    def analysis(self) -> Document | None:
        """The document under analysis; None without a request in it, or when it is excluded."""
        if not self._relevant:
            return None
        options = self._options(self)
        if options is None:
            return None
        document = self._document
        if document is None:
            # Imported here: it loads rules, catalog and tokenizers, which other documents never
            # need.
            from cachewise.analysis import Document

            document = Document(str(self._text), self.format, options, self.path)
            self._document = document
        elif document.options is not options:
            document.set_options(options)
            self.generation += 1
        return document

    def change(
        self,
        changes: Sequence[types.TextDocumentContentChangeEvent],
        version: int,
        encoding: Encoding,
    ) -> None:
        """Apply the client's changes, each to the text that the one before it left."""
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                text = self.text
                start = convert.offset(text, change.range.start, encoding)
                end = max(start, convert.offset(text, change.range.end, encoding))
                self._edit(start, end, change.text)
            else:
                self._replace(change.text)
        self.version = version
        self.generation += 1

    def published(
        self, found: list[types.Diagnostic]
    ) -> Iterator[tuple[str, int, list[types.Diagnostic]]]:
        """The document's diagnostics as they are published: URI, version and diagnostics."""
        yield self.uri, self.version, found

    def _edit(self, start: int, end: int, new: str) -> None:
        if self._document is None:
            self._text.edit(start, end, new)
        else:
            _edit(self._document, start, end, new)
        if not self._relevant:
            around = self.text.slice(start - _NEAR, start + len(new) + _NEAR)
            self._relevant = _may_hold_requests(around, self.format)

    def _replace(self, source: str) -> None:
        if self._document is not None:
            self._document.replace(source)
        else:
            self._text = Text(source)
        self._relevant = _may_hold_requests(source, self.format)


class Store:
    """The open documents by their URI."""

    def __init__(self, options: Callable[[OpenDocument], Options | None]) -> None:
        self._options = options
        self._documents: dict[str, OpenDocument] = {}

    def open(self, item: types.TextDocumentItem) -> OpenDocument | None:
        """Take a document in; None when it is of a format that is not read."""
        format = _format(item)
        if format is None:
            self._documents.pop(item.uri, None)
            return None
        document = OpenDocument(item, format, self._options)
        self._documents[item.uri] = document
        return document

    def keep(self, document: OpenDocument) -> None:
        """Take in a document that was made of something else, as a notebook is."""
        self._documents[document.uri] = document

    def close(self, uri: str) -> OpenDocument | None:
        """Forget a document, and give it back for the last time."""
        return self._documents.pop(uri, None)

    def get(self, uri: str) -> OpenDocument | None:
        """An open document, or None."""
        return self._documents.get(uri)

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(list(self._documents.values()))


def _edit(document: Document, start: int, end: int, new: str) -> None:
    """Edit a document so that its text is the client's whatever the analysis makes of it."""
    length = len(document.text) - (end - start) + len(new)
    try:
        document.edit(start, end, new)
    except Exception:
        _log.exception("An edit could not be followed; the document is read anew.")
        if len(document.text) != length or end - start == len(new):
            document.text.edit(start, end, new)
        document.replace(str(document.text))


def _may_hold_requests(text: str, format: str) -> bool:
    # Imported here, so that the server can answer `initialize` first.
    from cachewise.analysis.glance import may_hold_requests

    return may_hold_requests(text, format)


def _format(item: types.TextDocumentItem) -> str | None:
    """The format of a document; an editor that takes it for JSON with comments knows best."""
    if item.language_id == "jsonc":
        return "jsonc"
    from cachewise.analysis.glance import format_of

    return format_of(to_fs_path(item.uri) or item.uri, item.language_id)
