"""Findings as diagnostics: asked for by clients that can, published to the others.

A client that pulls but cannot be told to pull again would keep what it has after the settings
changed, so it is published to as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cachewise.lsp import convert

if TYPE_CHECKING:
    from cachewise.analysis import LocatedFinding
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument

_log = logging.getLogger(__name__)

MAX_FINDINGS = 200
"""So many diagnostics of one document at most, the gravest first."""

COALESCE_SECONDS = 0.05
"""How long edits are gathered before they are published."""

SOURCE = "cachewise"

_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
_RANK = {"error": 0, "warning": 1, "info": 2}
_TAG = {
    "unnecessary": types.DiagnosticTag.Unnecessary,
    "deprecated": types.DiagnosticTag.Deprecated,
}


def diagnostics(server: Server, document: OpenDocument) -> list[types.Diagnostic]:
    """The diagnostics of a document as it is now."""
    analysis = document.analysis
    if analysis is None:
        return []
    findings = analysis.findings()
    if len(findings) > MAX_FINDINGS:
        findings = sorted(findings, key=lambda found: _RANK[found.finding.severity])[:MAX_FINDINGS]
    shown = [_diagnostic(server, document, found) for found in findings]
    return shown + server.exact.diagnostics(document)


def result_id(found: list[types.Diagnostic]) -> str:
    """A name for a list of diagnostics, the same for the same list.

    The document's version in their data does not count: who applies a fix looks at it again.
    """
    seen = [
        (item.range, item.code, item.message, item.severity, item.related_information)
        for item in found
    ]
    written = repr(seen).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(written, digest_size=12).hexdigest()


def pull(server: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    """Answer ``textDocument/diagnostic``."""
    document = server.store.get(params.text_document.uri)
    found = diagnostics(server, document) if document is not None else []
    name = result_id(found)
    server.counting.wanted(document)
    if params.previous_result_id == name:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=name)
    return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=name)


def nothing() -> types.DocumentDiagnosticReport:
    """The answer when something went wrong: no diagnostics."""
    return types.RelatedFullDocumentDiagnosticReport(items=[])


class Publisher:
    """Publishes diagnostics to clients that do not pull: at most one waiting timer a document."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.enabled = False
        self.paused = False
        """While this holds nothing is published; whoever ends it has all documents published."""

    def soon(self, document: OpenDocument, delay: float = COALESCE_SECONDS) -> None:
        """Publish a document a little later, in the version that it has then."""
        if not (self.enabled or document.pushed):
            return
        if self.paused or document.uri in self._timers:
            return
        loop = asyncio.get_running_loop()
        self._timers[document.uri] = loop.call_later(delay, self._publish, document.uri)

    def withdraw(self, uri: str) -> None:
        """A document was closed: nothing of it may stay on the screen."""
        self.cancel(uri)
        if self.enabled:
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=uri, diagnostics=[])
            )

    def cancel(self, uri: str) -> None:
        """Publish nothing of what waits."""
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()

    def _publish(self, uri: str) -> None:
        self._timers.pop(uri, None)
        document = self._server.store.get(uri)
        if document is None:
            return
        try:
            found = diagnostics(self._server, document)
        except Exception:
            _log.exception("The diagnostics of %s could not be made.", uri)
            found = []
        for part, version, shown in document.published(found):
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=part, version=version, diagnostics=shown)
            )
        self._server.counting.wanted(document)


def _diagnostic(server: Server, document: OpenDocument, found: LocatedFinding) -> types.Diagnostic:
    from cachewise.analysis.reference import docs_url

    text = document.text
    encoding = server.encoding
    finding = found.finding
    related: list[types.DiagnosticRelatedInformation] | None = None
    if finding.related and server.client.related_information:
        related = _related(server, document, found)
    return types.Diagnostic(
        range=convert.line_span(text, found.start, found.end, encoding),
        message=finding.message,
        severity=_SEVERITY[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(docs_url(finding.code, finding.rule)),
        source=SOURCE,
        tags=[_TAG[tag] for tag in finding.tags] or None,
        related_information=related,
        data=_data(server, document, found) if server.client.diagnostic_data else None,
    )


def _related(
    server: Server, document: OpenDocument, found: LocatedFinding
) -> list[types.DiagnosticRelatedInformation]:
    analysis = document.analysis
    assert analysis is not None  # it has given the finding
    result: list[types.DiagnosticRelatedInformation] = []
    for place in found.finding.related:
        index = found.located.index + place.request
        if not 0 <= index < len(analysis.requests):
            continue
        base = analysis.requests[index].base
        where = convert.line_span(
            document.text, base + place.start, base + place.end, server.encoding
        )
        result.append(
            types.DiagnosticRelatedInformation(types.Location(document.uri, where), place.message)
        )
    return result


def _data(server: Server, document: OpenDocument, found: LocatedFinding) -> Any:
    """The fixes with their edits, and the version that they are for."""
    from cachewise.analysis.actions import quick_fixes

    return {
        "version": document.version,
        "fixes": [
            {
                "title": fix.title,
                "preferred": fix.preferred,
                "edits": [
                    {
                        "range": {
                            "start": _plain(edit.range.start),
                            "end": _plain(edit.range.end),
                        },
                        "newText": edit.new_text,
                    }
                    for edit in convert.text_edits(
                        document.text,
                        ((edit.start, edit.end, edit.new) for edit in fix.edits),
                        server.encoding,
                    )
                ],
            }
            for fix in quick_fixes([found])
        ],
    }


def _plain(at: types.Position) -> dict[str, int]:
    return {"line": at.line, "character": at.character}
