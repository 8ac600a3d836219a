"""A small editor: it keeps the text, counts columns on its own, and talks to a real server.

The three profiles say what the clients at hand can do, cut down to what changes the server's
answers; ``test_real_clients`` runs with whole recorded ones.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

COMMAND = [sys.executable, "-m", "cachewise", "lsp", "--stdio"]
PATIENCE = 10.0
"""Seconds to wait for what must come."""

ACTIONS = {
    "codeActionLiteralSupport": {
        "codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source"]}
    },
    "isPreferredSupport": True,
    "dataSupport": True,
}

PROFILES: dict[str, dict[str, Any]] = {
    "vscode": {
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {
            "configuration": True,
            "workspaceFolders": True,
            "workspaceEdit": {"documentChanges": True},
            "didChangeConfiguration": {"dynamicRegistration": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
            "diagnostics": {"refreshSupport": True},
            "inlayHint": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
        },
        "textDocument": {
            "diagnostic": {"relatedInformation": True, "dataSupport": True},
            "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
            "inlayHint": {},
            "codeAction": ACTIONS,
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        },
        "window": {"workDoneProgress": True},
    },
    "neovim": {
        "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
        "workspace": {
            "configuration": True,
            "workspaceFolders": True,
            "inlayHint": {"refreshSupport": True},
        },
        "textDocument": {
            "diagnostic": {},
            "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
            "inlayHint": {},
            "codeAction": ACTIONS,
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
        },
        "window": {"workDoneProgress": True},
    },
    "emacs": {
        "general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]},
        "workspace": {"configuration": True, "workspaceEdit": {"documentChanges": True}},
        "textDocument": {
            "publishDiagnostics": {"relatedInformation": False},
            "inlayHint": {},
            "codeAction": ACTIONS,
            "documentSymbol": {},
            "hover": {"contentFormat": ["plaintext"]},
        },
    },
}

ENCODINGS = {"vscode": "utf-16", "neovim": "utf-8", "emacs": "utf-32"}


def capabilities(profile: dict[str, Any]) -> types.ClientCapabilities:
    return get_converter().structure(profile, types.ClientCapabilities)


def make_client() -> LanguageClient:
    """A test client that keeps every published set of diagnostics with its version."""
    client = LanguageClient(converter_factory=default_converter)
    features = dict(DEFAULT_CLIENT_FEATURES)
    published: list[types.PublishDiagnosticsParams] = []
    refreshed: list[str] = []
    client.published = published  # type: ignore[attr-defined]
    client.refreshed = refreshed  # type: ignore[attr-defined]

    def publish(params: types.PublishDiagnosticsParams) -> None:
        published.append(params)

    features[types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS] = publish
    for method in (
        types.WORKSPACE_DIAGNOSTIC_REFRESH,
        types.WORKSPACE_INLAY_HINT_REFRESH,
        types.WORKSPACE_CODE_LENS_REFRESH,
    ):
        features[method] = lambda params, method=method: refreshed.append(method)
    features[types.CLIENT_REGISTER_CAPABILITY] = lambda params: refreshed.append(
        types.CLIENT_REGISTER_CAPABILITY
    )
    register_lsp_features(client, features)
    return client


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def units(text: str, encoding: str) -> int:
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    return len(text.encode(codec)) // width


def position(text: str, offset: int, encoding: str) -> types.Position:
    head = re.split(r"\r\n|\r|\n", text[:offset])
    return types.Position(len(head) - 1, units(head[-1], encoding))


def offset(text: str, at: types.Position, encoding: str) -> int:
    start = 0
    for _ in range(at.line):
        start = _LINE.match(text, start).end()  # type: ignore[union-attr]
    end = start
    while units(text[start:end], encoding) < at.character:
        end += 1
    assert units(text[start:end], encoding) == at.character, "a column inside a character"
    return end


_numbers = itertools.count(1)


@dataclass
class File:
    """A document that the editor has open."""

    editor: Editor
    uri: str
    text: str
    version: int = 1

    @property
    def identifier(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    def at(self, place: str | int, after: int = 0) -> types.Position:
        """The position of a text's first character (or of an offset), ``after`` further on."""
        index = self.text.index(place) if isinstance(place, str) else place
        return position(self.text, index + after, self.editor.encoding)

    def range(self, place: str) -> types.Range:
        start = self.text.index(place)
        return types.Range(self.at(start), self.at(start + len(place)))

    def covered(self, where: types.Range) -> str:
        """The text of a range."""
        encoding = self.editor.encoding
        return self.text[
            offset(self.text, where.start, encoding) : offset(self.text, where.end, encoding)
        ]

    def replace(self, start: int, end: int, new: str) -> None:
        """Edit, and tell the server the changed range only."""
        where = types.Range(self.at(start), self.at(end))
        self.text = self.text[:start] + new + self.text[end:]
        self.version += 1
        self.editor.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version, self.uri),
                [types.TextDocumentContentChangePartial(where, new)],
            )
        )

    def replace_text(self, old: str, new: str) -> None:
        start = self.text.index(old)
        self.replace(start, start + len(old), new)

    def apply(self, edit: types.WorkspaceEdit | None) -> None:
        """Apply an edit as an editor would: the form that was asked for, the version checked."""
        assert edit is not None
        if self.editor.versioned_edits:
            assert edit.changes is None and edit.document_changes
            (change,) = edit.document_changes
            assert isinstance(change, types.TextDocumentEdit)
            assert change.text_document.uri == self.uri
            assert change.text_document.version == self.version
            edits: Sequence[Any] = change.edits
        else:
            assert edit.document_changes is None and edit.changes
            edits = edit.changes[self.uri]
        encoding = self.editor.encoding
        spans = sorted(
            (
                offset(self.text, item.range.start, encoding),
                offset(self.text, item.range.end, encoding),
                item.new_text,
            )
            for item in edits
        )
        for (_, end, _), (start, _, _) in itertools.pairwise(spans):
            assert end <= start, "edits of one change overlap"
        for start, end, new in reversed(spans):
            self.replace(start, end, new)

    async def diagnostics(self) -> list[types.Diagnostic]:
        """The findings of the text as it is now, asked for or published."""
        if self.editor.pulls:
            report = await self.editor.client.text_document_diagnostic_async(
                types.DocumentDiagnosticParams(self.identifier)
            )
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return list(report.items)
        return list((await self.published(self.version)).diagnostics)

    async def published(self, version: int | None) -> types.PublishDiagnosticsParams:
        """What was published last, once that is for the given version."""

        def last() -> types.PublishDiagnosticsParams | None:
            known = [item for item in self.editor.client.published if item.uri == self.uri]
            return known[-1] if known and known[-1].version == version else None

        return await until(last)

    async def codes(self) -> list[str]:
        return sorted(str(item.code) for item in await self.diagnostics())

    async def until_codes(self, wanted: list[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.codes() != wanted:
                await asyncio.sleep(0.02)

    async def hints(self) -> list[types.InlayHint]:
        whole = types.Range(types.Position(0, 0), self.at(len(self.text)))
        found = await self.editor.client.text_document_inlay_hint_async(
            types.InlayHintParams(self.identifier, whole)
        )
        return list(found or ())

    async def lenses(self) -> list[types.CodeLens]:
        found = await self.editor.client.text_document_code_lens_async(
            types.CodeLensParams(self.identifier)
        )
        return list(found or ())

    async def hover(self, at: types.Position) -> str | None:
        found = await self.editor.client.text_document_hover_async(
            types.HoverParams(self.identifier, at)
        )
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        assert found.contents.kind.value in self.editor.hover_formats
        return found.contents.value

    async def completions(self, at: types.Position) -> list[types.CompletionItem]:
        found = await self.editor.client.text_document_completion_async(
            types.CompletionParams(self.identifier, at)
        )
        return [] if found is None else list(found.items)  # type: ignore[union-attr]

    async def actions(
        self,
        where: types.Range,
        diagnostics: Sequence[types.Diagnostic] = (),
        only: list[str] | None = None,
    ) -> list[types.CodeAction]:
        found = await self.editor.client.text_document_code_action_async(
            types.CodeActionParams(
                self.identifier, where, types.CodeActionContext(list(diagnostics), only=only)
            )
        )
        return list(found or ())  # type: ignore[arg-type]

    async def action(self, title: str, where: types.Range, **more: Any) -> types.CodeAction:
        found = await self.actions(where, **more)
        titles = [action.title for action in found]
        assert title in titles, titles
        return found[titles.index(title)]

    async def symbols(self) -> list[Any]:
        return list(
            await self.editor.client.text_document_document_symbol_async(
                types.DocumentSymbolParams(self.identifier)
            )
            or ()
        )

    def close(self) -> None:
        self.editor.client.text_document_did_close(
            types.DidCloseTextDocumentParams(self.identifier)
        )


@dataclass
class Editor:
    """A client with a running session, and what was agreed on."""

    client: Any
    encoding: str
    pulls: bool
    versioned_edits: bool
    hover_formats: list[str]
    result: types.InitializeResult
    root: str = "file:///project"
    files: list[File] = field(default_factory=list)

    def open(self, text: str, name: str = "request.json", language: str = "json") -> File:
        file = File(self, f"{self.root}/{next(_numbers)}/{name}", text)
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(file.uri, language, file.version, text)
            )
        )
        return file

    async def ask(self, method: str, params: Any) -> Any:
        """A request with any parameters at all."""
        async with asyncio.timeout(PATIENCE):
            return await self.client.protocol.send_request_async(method, params)


async def start(
    client: LanguageClient,
    profile: dict[str, Any],
    *,
    folders: list[types.WorkspaceFolder] | None = None,
    options: Any = None,
) -> Editor:
    result = await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities(profile),
            workspace_folders=folders or [],
            initialization_options=options,
        )
    )
    hover = profile["textDocument"].get("hover", {}).get("contentFormat", ["markdown"])
    edits = profile.get("workspace", {}).get("workspaceEdit", {})
    encoding = result.capabilities.position_encoding
    return Editor(
        client,
        str(getattr(encoding, "value", encoding)),
        result.capabilities.diagnostic_provider is not None,
        bool(edits.get("documentChanges")),
        hover,
        result,
    )


async def until(found: Any, patience: float = PATIENCE) -> Any:
    """Wait until a function gives something."""
    async with asyncio.timeout(patience):
        while not (value := found()):
            await asyncio.sleep(0.005)
    return value
