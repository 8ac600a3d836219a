"""``cachewise/bands``: the prefix of each request in bands, for an editor that tints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cachewise.lsp import convert, parameters
from cachewise.lsp.notebooks import Cell, Elsewhere, find_cell

if TYPE_CHECKING:
    from cachewise.analysis.bands import Band
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument

MOST_REQUESTS = 300
"""A document with more requests is answered for one range at a time, where one is given."""


def bands(server: Server, params: Any) -> dict[str, Any] | None:
    """``cachewise/bands``: ``{textDocument, range?}`` to ``{version, enabled, complete, bands}``.

    ``enabled`` is false when the settings of the document leave the tint off; there are no bands
    then. ``complete`` is false when the answer is about ``range`` alone. Each band is ``{kind, ttl,
    first, last, tokens, atLeast, minimum, ranges}``: block numbers from 1, ranges in the client's
    columns. Null for a document that holds no request.
    """
    uri = parameters.document_uri(params)
    if not isinstance(uri, str):
        raise ValueError("cachewise/bands needs {textDocument: {uri}}.")
    found = find_cell(server, uri)
    cell = found[1] if found is not None else None
    document = found[0] if found is not None else server.store.get(uri)
    analysis = document.analysis if document is not None else None
    if document is None or analysis is None:
        return None
    version = cell.version if cell is not None else document.version
    if not analysis.options.settings.tint_enabled:
        return {"version": version, "enabled": False, "complete": True, "bands": []}
    from cachewise.analysis.bands import bands as bands_between

    start, end = 0, len(document.text)
    where = _range(parameters.field(params, "range"))
    complete = where is None or len(analysis.requests) <= MOST_REQUESTS
    if where is not None and not complete:
        if cell is not None:
            where = cell.range_to_program(where)
        start = convert.offset(document.text, where.start, server.encoding)
        end = convert.offset(document.text, where.end, server.encoding)
    shown = [
        _band(band, ranges)
        for band in bands_between(analysis, start, end)
        if (ranges := _ranges(server, document, band, cell))
    ]
    server.counting.wanted(document)
    return {"version": version, "enabled": True, "complete": complete, "bands": shown}


def _band(band: Band, ranges: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": band.kind,
        "ttl": band.ttl,
        "first": band.first + 1,
        "last": band.last + 1,
        "tokens": band.tokens,
        "atLeast": band.at_least,
        "minimum": band.minimum,
        "ranges": ranges,
    }


def _ranges(
    server: Server, document: OpenDocument, band: Band, cell: Cell | None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start, end in band.spans:
        where = convert.span(document.text, start, end, server.encoding)
        if cell is not None:
            try:
                where = cell.range_from_program(where)
            except Elsewhere:
                continue
        found.append(convert.plain_range(where))
    return found


def _range(value: Any) -> types.Range | None:
    start, end = (parameters.position(parameters.field(value, name)) for name in ("start", "end"))
    return None if start is None or end is None else types.Range(start, end)
