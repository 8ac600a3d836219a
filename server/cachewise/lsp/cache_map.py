"""The cache map of the request at the cursor, as HTML for an editor that can show it.

The lens about it is sent to clients that have said that they have its command: in
``initializationOptions``, ``{"commands": ["cachewise.cacheMap"]}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

from cachewise.lsp import compare, convert, parameters
from cachewise.lsp.notebooks import Cell, Notebook, find_cell

if TYPE_CHECKING:
    from cachewise.analysis import Document
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument

COMMAND = "cachewise.cacheMap"
"""The client's own command; its arguments: the document's URI, a line and a character."""


def cache_map(server: Server, params: Any) -> dict[str, Any] | None:
    """``cachewise/cacheMap``: ``{textDocument, position, nonce?}`` to ``{title, html, here}``.

    With a ``nonce`` the HTML is a whole page whose style and script carry it; without one it is the
    content for such a page, sent to it as a message ``{type: "show", body, here}``. ``here`` is the
    number of the block at the position, or null. Null when there is no request.
    """
    found = _asked(server, params)
    nonce = parameters.field(params, "nonce")
    if found is None or not (nonce is None or isinstance(nonce, str)):
        raise ValueError("cachewise/cacheMap needs {textDocument: {uri}, position, nonce?}.")
    document, analysis, offset = found
    if document is None or analysis is None:
        return None
    from cachewise.analysis.cache_map import cache_map_at
    from cachewise.report.cache_map import map_html
    from cachewise.report.cache_map_page import page

    drawn = cache_map_at(analysis, offset)
    if drawn is None:
        return None
    shown, here = drawn
    body = map_html(shown, interactive=True)
    html = body if nonce is None else "".join(page(shown.title, [body], nonce=nonce))
    server.counting.wanted(document)
    return {"title": shown.title, "html": html, "here": here}


def place(server: Server, params: Any) -> dict[str, Any] | None:
    """``cachewise/cacheMapPlace``: where a block or a breakpoint of the map stands.

    The parameters are ``{textDocument, position, what: "block" or "breakpoint", number}``, the
    answer is ``{uri, range}``, or null when there is none of that number any more.
    """
    found = _asked(server, params)
    what, number = parameters.field(params, "what"), parameters.field(params, "number")
    if found is None or what not in ("block", "breakpoint") or type(number) is not int:
        raise ValueError("cachewise/cacheMapPlace needs {textDocument, position, what, number}.")
    document, analysis, offset = found
    if document is None or analysis is None:
        return None
    from cachewise.analysis.cache_map import place_of

    span = place_of(analysis, offset, what, number)
    if span is None:
        return None
    where = types.Location(document.uri, convert.span(document.text, *span, server.encoding))
    if isinstance(document, Notebook):
        cell = document.location(where)
        if cell is None:
            return None
        where = cell
    return {"uri": where.uri, "range": convert.plain_range(where.range)}


def lenses(server: Server, document: OpenDocument, analysis: Document) -> list[types.CodeLens]:
    """A lens above each request, for clients that have the command."""
    if COMMAND not in server.client.commands or not analysis.options.settings.lens_enabled:
        return []
    return [
        types.CodeLens(
            range=convert.line_span(document.text, located.base, located.end, server.encoding),
            command=types.Command(
                title="Cache map",
                command=COMMAND,
                arguments=compare.arguments(server, document, located.base),
            ),
        )
        for located in analysis.requests
        if not located.analyzed.request.configuration
    ]


def commands_of(options: object) -> frozenset[str]:
    """The commands that a client says it has, in its ``initializationOptions``."""
    said: object = None
    if isinstance(options, Mapping):
        said = cast("Mapping[str, object]", options).get("commands")
    if not isinstance(said, list):
        return frozenset()
    return frozenset(name for name in cast("list[object]", said) if isinstance(name, str))


def _asked(server: Server, params: Any) -> tuple[OpenDocument | None, Document | None, int] | None:
    """The document that a request is about and the offset in it; None when it names none."""
    uri = parameters.document_uri(params)
    at = parameters.position(parameters.field(params, "position"))
    if not isinstance(uri, str) or at is None:
        return None
    found: tuple[Notebook, Cell] | None = find_cell(server, uri)
    if found is not None:
        document, at = found[0], found[1].to_program(at)
    else:
        document = server.store.get(uri)
    if document is None:
        return None, None, 0
    return document, document.analysis, convert.offset(document.text, at, server.encoding)
