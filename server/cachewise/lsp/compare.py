"""Two requests side by side: a request of our own, and a command for editors without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cachewise.lsp import convert, parameters

if TYPE_CHECKING:
    from cachewise.analysis import Document
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument

COMMAND = "cachewise.compare"
"""Its arguments: the document's URI, a line and a character inside of the later request."""

CHOOSE = "cachewise.compareRequests"
"""A command of the client: it lets the user choose what to compare with. Its arguments are those of
``COMMAND`` and true."""

_NOTHING = "There is no earlier request here to compare with."


def compare(server: Server, params: Any) -> dict[str, Any] | None:
    """``cachewise/compare``: two bodies, and the lines of their first difference.

    The parameters are ``{textDocument, position, other?: {uri, position?}}``; without ``other`` the
    earlier request is the one of the same document that this one goes on from. The answer is
    ``{earlier: {title, text, line}, later: {title, text, line}, sentence}``, or null.
    """
    uri = parameters.document_uri(params)
    at = parameters.position(parameters.field(params, "position"))
    if not isinstance(uri, str) or at is None:
        raise ValueError("cachewise/compare needs {textDocument: {uri}, position}.")
    other = parameters.field(params, "other")
    if other is None:
        return _compare(server, uri, at)
    return _compare(
        server,
        uri,
        at,
        parameters.field(other, "uri"),
        parameters.position(parameters.field(other, "position")),
    )


def execute(server: Server, arguments: Sequence[Any]) -> dict[str, Any] | None:
    """Run the command; the user is told in one sentence what the later request still reads."""
    if len(arguments) != 3 or not isinstance(arguments[0], str):
        raise ValueError(f"{COMMAND} needs a URI, a line and a character.")
    at = parameters.position({"line": arguments[1], "character": arguments[2]})
    found = _compare(server, arguments[0], at) if at is not None else None
    sentence = found["sentence"] if found is not None else _NOTHING
    server.window_show_message(
        types.ShowMessageParams(types.MessageType.Info, f"Cachewise: {sentence}")
    )
    return found


def requests(server: Server, params: Any) -> list[dict[str, Any]]:
    """``cachewise/requests``: the requests of a document, to choose one from.

    Each is ``{title, detail, position}``; the position lies inside of the request.
    """
    uri = parameters.document_uri(params)
    document, analysis = _document(server, uri)
    if document is None or analysis is None:
        return []
    from cachewise.analysis.compare import choices

    return [
        {
            "title": choice.title,
            "detail": choice.detail,
            "position": convert.plain(
                convert.position(document.text, choice.start, server.encoding)
            ),
        }
        for choice in choices(analysis)
    ]


def lenses(server: Server, document: OpenDocument, analysis: Document) -> list[types.CodeLens]:
    """A lens above each request, for clients in which the other request can be chosen.

    Not where a lens compares with the request above already.
    """
    if CHOOSE not in server.client.commands or not analysis.options.settings.lens_enabled:
        return []
    followers = {step.step.call.index for step in analysis.steps if step.step.reference is not None}
    return [
        types.CodeLens(
            range=convert.line_span(document.text, located.base, located.end, server.encoding),
            command=types.Command(
                title="Compare with…",
                command=CHOOSE,
                arguments=[*arguments(server, document, located.base), True],
            ),
        )
        for located in analysis.requests
        if located.index not in followers and not located.analyzed.request.configuration
    ]


def arguments(server: Server, document: OpenDocument, offset: int) -> list[Any]:
    """The command's arguments for the request at an offset."""
    at = convert.position(document.text, offset, server.encoding)
    return [document.uri, at.line, at.character]


def _compare(
    server: Server,
    uri: str,
    at: types.Position,
    other_uri: Any = None,
    other_at: types.Position | None = None,
) -> dict[str, Any] | None:
    document, analysis = _document(server, uri)
    if document is None or analysis is None:
        return None
    from cachewise.analysis.compare import compare as compare_at

    other: tuple[Document, int] | None = None
    if other_uri is not None:
        beside, known = _document(server, other_uri)
        if beside is None or known is None:
            return None
        place = other_at or types.Position(0, 0)
        other = known, convert.offset(beside.text, place, server.encoding)
    found = compare_at(analysis, convert.offset(document.text, at, server.encoding), other)
    if found is None:
        return None
    return {
        **{
            name: {"title": side.title, "text": side.text, "line": side.line}
            for name, side in (("earlier", found.earlier), ("later", found.later))
        },
        "sentence": found.sentence,
    }


def _document(server: Server, uri: Any) -> tuple[OpenDocument | None, Document | None]:
    document = server.store.get(uri) if isinstance(uri, str) else None
    return (None, None) if document is None else (document, document.analysis)
