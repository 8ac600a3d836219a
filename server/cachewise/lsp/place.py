"""``cachewise/place``: the best breakpoints of the request under the cursor, as one change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cachewise.lsp import convert, notebooks, parameters

if TYPE_CHECKING:
    from cachewise.lsp.server import Server

_ELSEWHERE = "The request's breakpoints belong in another cell of the notebook."


def place(server: Server, params: Any) -> dict[str, Any] | None:
    """What should change and why: ``{edit, sentence, outcome}``; null without a request there.

    The parameters are ``{textDocument: {uri}, position}``. ``edit`` is a ``WorkspaceEdit`` in the
    form that the client understands, or null when nothing should change; ``outcome`` is ``change``,
    ``best``, ``nothing`` or ``unknown``.
    """
    uri = parameters.document_uri(params)
    at = parameters.position(parameters.field(params, "position"))
    if not isinstance(uri, str) or at is None:
        raise ValueError("cachewise/place needs {textDocument: {uri}, position}.")
    in_notebook = notebooks.find_cell(server, uri)
    if in_notebook is not None:
        document, cell = in_notebook
        at = cell.to_program(at)
    else:
        document, cell = server.store.get(uri), None
    analysis = document.analysis if document is not None else None
    if document is None or analysis is None:
        return None
    from cachewise.analysis.place import place_at

    found = place_at(analysis, convert.offset(document.text, at, server.encoding))
    if found is None:
        return None
    if not found.edits:
        return {"edit": None, "sentence": found.sentence, "outcome": found.outcome}
    edits = convert.text_edits(
        document.text, ((edit.start, edit.end, edit.new) for edit in found.edits), server.encoding
    )
    edit = convert.workspace_edit(
        document.uri, document.version, edits, versioned=server.client.versioned_edits
    )
    if cell is not None:
        try:
            edit = notebooks.edit_in_cell(cell, edit)
        except notebooks.Elsewhere:
            return {"edit": None, "sentence": _ELSEWHERE, "outcome": "unknown"}
    return {
        "edit": server.wire.plain(edit),
        "sentence": found.sentence,
        "outcome": found.outcome,
    }
