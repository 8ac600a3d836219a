"""Open notebooks: the code cells of each are one program, and answers are about one cell of it.

The program is the cells' text joined by line breaks, each cell with as many lines as the editor
counts in it. So a place in a cell is the same column of a later line of the program, in whatever
unit columns are counted, and only lines have to be converted: ``Cell.first`` is the difference.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

from cachewise.lsp import compare, convert, parameters
from cachewise.lsp.store import OpenDocument
from cachewise.text import Encoding, Text

if TYPE_CHECKING:
    from cachewise.analysis import Options
    from cachewise.lsp.server import Server

SYNC = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook"),
            cells=[types.NotebookCellLanguage(language="python")],
        )
    ],
    save=True,
)
"""What the client is asked to tell: Jupyter's notebooks, and of them the cells in Python."""

_PROGRAM = "#cachewise-program"
"""Tells a notebook's program from the file, which may be open as JSON beside it."""

_BREAK = re.compile(r"\r\n?")
_BEYOND = 2**31 - 1


class Cell:
    """A code cell: ``first`` is the program's line that it starts at, ``lines`` their number."""

    def __init__(self, item: types.TextDocumentItem) -> None:
        self.uri = item.uri
        self.version = item.version
        self.first = 0
        self.lines = 1
        self._text = Text(item.text)
        self._program: str | None = None

    @property
    def program(self) -> str:
        """The cell as Python, of as many lines as the cell has."""
        if self._program is None:
            # Imported here, so that the server can answer `initialize` first.
            from cachewise.analysis.glance import cell_program

            self._program = cell_program(_BREAK.sub("\n", str(self._text)))
        return self._program

    def change(
        self,
        changes: Sequence[types.TextDocumentContentChangeEvent],
        version: int,
        encoding: Encoding,
    ) -> None:
        """Apply the client's changes, each to the text that the one before it left."""
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start = convert.offset(self._text, change.range.start, encoding)
                end = max(start, convert.offset(self._text, change.range.end, encoding))
                self._text.edit(start, end, change.text)
            else:
                self._text = Text(change.text)
        self.version = version
        self._program = None

    def to_program(self, at: types.Position) -> types.Position:
        """The program's position of one in the cell; beyond the cell it means the cell's end."""
        if at.line >= self.lines:
            return types.Position(self.first + self.lines - 1, _BEYOND)
        return types.Position(self.first + at.line, at.character)

    def range_to_program(self, where: types.Range) -> types.Range:
        """The program's range of one in the cell."""
        return types.Range(self.to_program(where.start), self.to_program(where.end))

    def from_program(self, at: types.Position) -> types.Position:
        """The cell's position of one in the program; ``Elsewhere`` when it is not in the cell."""
        if not self.first <= at.line < self.first + self.lines:
            raise Elsewhere
        return types.Position(at.line - self.first, at.character)

    def range_from_program(self, where: types.Range) -> types.Range:
        """The cell's range of one in the program; ``Elsewhere`` when a part is not in the cell."""
        return types.Range(self.from_program(where.start), self.from_program(where.end))


class Elsewhere(Exception):
    """A place of the program is not in the cell that an answer is about."""


class Notebook(OpenDocument):
    """A notebook as a document that holds its program. Its version rises with every change."""

    pushed = True

    def __init__(
        self,
        params: types.DidOpenNotebookDocumentParams,
        options: Callable[[OpenDocument], Options | None],
    ) -> None:
        self.notebook_uri = params.notebook_document.uri
        self._order = list(params.notebook_document.cells)
        self._cells: dict[str, Cell] = {}
        self._take(params.cell_text_documents)
        item = types.TextDocumentItem(
            program_uri(self.notebook_uri), "python", params.notebook_document.version, ""
        )
        super().__init__(item, "python", options)
        self._join()

    def cell(self, uri: str) -> Cell | None:
        """A code cell by its URI."""
        return next((cell for cell in self.cells if cell.uri == uri), None)

    @property
    def cells(self) -> list[Cell]:
        """The code cells in Python, in the notebook's order."""
        return [
            self._cells[cell.document]
            for cell in self._order
            if cell.kind == types.NotebookCellKind.Code and cell.document in self._cells
        ]

    def restructure(
        self, change: types.NotebookDocumentChangeEvent, encoding: Encoding
    ) -> list[str]:
        """Follow the client's changes; the URIs of the cells that are no longer there."""
        before = [cell.uri for cell in self.cells]
        changed = change.cells or types.NotebookDocumentCellChanges()
        if changed.structure is not None:
            array = changed.structure.array
            end = array.start + array.delete_count
            self._order[array.start : end] = array.cells or []
            for closed in changed.structure.did_close or ():
                self._cells.pop(closed.uri, None)
            self._take(changed.structure.did_open or ())
        for data in changed.data or ():
            self._order = [data if cell.document == data.document else cell for cell in self._order]
        for content in changed.text_content or ():
            cell = self._cells.get(content.document.uri)
            if cell is not None:
                cell.change(content.changes, content.document.version, encoding)
        self._join()
        left = {cell.uri for cell in self.cells}
        return [uri for uri in before if uri not in left]

    def published(
        self, found: list[types.Diagnostic]
    ) -> Iterator[tuple[str, int, list[types.Diagnostic]]]:
        """The diagnostics of every cell, those without any included."""
        for cell in self.cells:
            own: list[types.Diagnostic] = []
            for diagnostic in found:
                try:
                    shown = _diagnostic(cell, diagnostic)
                except Elsewhere:
                    continue
                # Fixes come from the analysis: whether one stays in its cell is known there.
                shown.data = None
                shown.related_information = [
                    types.DiagnosticRelatedInformation(place, related.message)
                    for related in diagnostic.related_information or ()
                    if (place := self.location(related.location)) is not None
                ] or None
                own.append(shown)
            yield cell.uri, cell.version, own

    def location(self, location: types.Location) -> types.Location | None:
        """A place of the program as one in a cell; None when it is in no single cell."""
        for cell in self.cells:
            try:
                return types.Location(cell.uri, cell.range_from_program(location.range))
            except Elsewhere:
                continue
        return None

    def _take(self, items: Sequence[types.TextDocumentItem]) -> None:
        self._cells.update((item.uri, Cell(item)) for item in items if item.language_id == "python")

    def _join(self) -> None:
        first = 0
        parts: list[str] = []
        for cell in self.cells:
            cell.first = first
            cell.lines = cell.program.count("\n") + 1
            first += cell.lines
            parts.append(cell.program)
        whole = types.TextDocumentContentChangeWholeDocument("\n".join(parts))
        self.change([whole], self.version + 1, "utf-32")


def program_uri(notebook_uri: str) -> str:
    """The name under which a notebook's program is kept among the open documents."""
    return notebook_uri + _PROGRAM


def did_open(server: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    """``notebookDocument/didOpen``."""
    notebook = Notebook(params, server.configuration.options)
    server.store.keep(notebook)
    server.publisher.soon(notebook, 0)


def did_change(server: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    """``notebookDocument/didChange``."""
    notebook = server.store.get(program_uri(params.notebook_document.uri))
    if not isinstance(notebook, Notebook):
        return
    for uri in notebook.restructure(params.change, server.encoding):
        _clear(server, uri)
    server.publisher.soon(notebook)


def did_close(server: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    """``notebookDocument/didClose``."""
    uri = program_uri(params.notebook_document.uri)
    notebook = server.store.close(uri)
    if isinstance(notebook, Notebook):
        server.publisher.cancel(uri)
        for cell in notebook.cells:
            _clear(server, cell.uri)
    server.counting.stop(uri)
    server.exact.forget(uri)
    server.configuration.forget(uri)


def _clear(server: Server, uri: str) -> None:
    server.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(uri=uri, diagnostics=[])
    )


Answer = Callable[["Server", Any], Any]


def in_cells(method: str, function: Answer) -> Answer:
    """The same function, which also answers for a cell: asked of the program, told of the cell."""
    back = _BACK.get(method)
    if back is None:
        return _plain_in_cells(function) if method in _PLAIN else function

    def answer(server: Server, params: Any) -> Any:
        found = find_cell(server, params.text_document.uri)
        if found is None:
            return function(server, params)
        notebook, cell = found
        params.text_document.uri = notebook.uri
        if hasattr(params, "position"):
            params.position = cell.to_program(params.position)
        if hasattr(params, "range"):
            params.range = cell.range_to_program(params.range)
        if isinstance(params, types.CodeActionParams):
            for diagnostic in params.context.diagnostics:
                diagnostic.range = cell.range_to_program(diagnostic.range)
        return back(notebook, cell, function(server, params))

    return answer


@dataclass(frozen=True, slots=True)
class _Each:
    """Converts a list item by item, without the items that are about another cell."""

    convert: Callable[[Notebook, Cell, Any], Any]

    def __call__(self, notebook: Notebook, cell: Cell, found: Sequence[Any] | None) -> list[Any]:
        result: list[Any] = []
        for item in found or ():
            try:
                result.append(self.convert(notebook, cell, item))
            except Elsewhere:
                continue
        return result


def _hint(_notebook: Notebook, cell: Cell, hint: types.InlayHint) -> types.InlayHint:
    hint.position = cell.from_program(hint.position)
    return hint


def _lens(_notebook: Notebook, cell: Cell, lens: types.CodeLens) -> types.CodeLens:
    # Its command's arguments name the program, which is among the open documents too. Only where
    # the client has the user choose, it must know that this one is the cell's own.
    lens.range = cell.range_from_program(lens.range)
    if lens.command is not None and lens.command.command == compare.CHOOSE:
        start = lens.range.start
        lens.command.arguments = [cell.uri, start.line, start.character, True]
    return lens


def _hover(_notebook: Notebook, cell: Cell, hover: types.Hover | None) -> types.Hover | None:
    if hover is not None and hover.range is not None:
        try:
            hover.range = cell.range_from_program(hover.range)
        except Elsewhere:
            hover.range = None
    return hover


def _completions(
    notebook: Notebook, cell: Cell, found: types.CompletionList | None
) -> types.CompletionList | None:
    if found is not None:
        found.items = _Each(_completion)(notebook, cell, found.items)
    return found


def _completion(
    _notebook: Notebook, cell: Cell, item: types.CompletionItem
) -> types.CompletionItem:
    if isinstance(item.text_edit, types.TextEdit):
        item.text_edit = _edit(cell, item.text_edit)
    return item


def _symbol(notebook: Notebook, cell: Cell, symbol: Any) -> Any:
    if isinstance(symbol, types.DocumentSymbol):
        symbol.range = cell.range_from_program(symbol.range)
        symbol.selection_range = cell.range_from_program(symbol.selection_range)
        symbol.children = _Each(_symbol)(notebook, cell, symbol.children) or None
        return symbol
    where = cell.range_from_program(symbol.location.range)
    symbol.location = types.Location(cell.uri, where)
    return symbol


def _action(_notebook: Notebook, cell: Cell, action: types.CodeAction) -> types.CodeAction:
    if action.edit is not None:
        action.edit = edit_in_cell(cell, action.edit)
    if action.diagnostics is not None:
        action.diagnostics = [_diagnostic(cell, diagnostic) for diagnostic in action.diagnostics]
    return action


def edit_in_cell(cell: Cell, edit: types.WorkspaceEdit) -> types.WorkspaceEdit:
    """A change of the program as one of the cell; ``Elsewhere`` when it is not in it alone."""
    edits: list[types.TextEdit] = []
    for listed in (edit.changes or {}).values():
        edits += listed
    for change in edit.document_changes or ():
        if isinstance(change, types.TextDocumentEdit):
            edits += [one for one in change.edits if isinstance(one, types.TextEdit)]
    moved = [_edit(cell, one) for one in edits]
    versioned = edit.document_changes is not None
    return convert.workspace_edit(cell.uri, cell.version, moved, versioned=versioned)


def _edit(cell: Cell, edit: types.TextEdit) -> types.TextEdit:
    return types.TextEdit(cell.range_from_program(edit.range), edit.new_text)


def _diagnostic(cell: Cell, diagnostic: types.Diagnostic) -> types.Diagnostic:
    moved = copy.copy(diagnostic)
    moved.range = cell.range_from_program(diagnostic.range)
    return moved


_BACK: dict[str, Callable[[Notebook, Cell, Any], Any]] = {
    types.TEXT_DOCUMENT_INLAY_HINT: _Each(_hint),
    types.TEXT_DOCUMENT_CODE_LENS: _Each(_lens),
    types.TEXT_DOCUMENT_HOVER: _hover,
    types.TEXT_DOCUMENT_COMPLETION: _completions,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: _Each(_symbol),
    types.TEXT_DOCUMENT_CODE_ACTION: _Each(_action),
}
"""How the answers about a program become answers about a cell."""

_PLAIN = ("cachewise/summary", "cachewise/compare", "cachewise/requests")
"""Our own requests, whose parameters are plain JSON."""


def _plain_in_cells(function: Answer) -> Answer:
    def answer(server: Server, params: Any) -> Any:
        found = find_cell(server, parameters.document_uri(params))
        if isinstance(params, dict):
            params = cast("dict[str, Any]", params)
            other = _placed(server, params.get("other"))
            params = {**params, "other": other} if other is not None else params
        if found is None:
            return function(server, params)
        notebook, cell = found
        params = {
            **params,
            "textDocument": {"uri": notebook.uri},
            "position": _shifted(cell, parameters.field(params, "position")),
        }
        result = function(server, params)
        if isinstance(result, list):
            return _Each(_choice)(notebook, cell, cast("list[Any]", result))
        return result

    return answer


def _placed(server: Server, other: Any) -> Any:
    """``{uri, position?}`` in a cell as one in its program; anything else as it is."""
    found = find_cell(server, parameters.field(other, "uri"))
    if found is None:
        return other
    notebook, cell = found
    position = parameters.field(other, "position") or {"line": 0, "character": 0}
    return {"uri": notebook.uri, "position": _shifted(cell, position)}


def _shifted(cell: Cell, position: Any) -> Any:
    line, character = parameters.field(position, "line"), parameters.field(position, "character")
    if not (isinstance(line, int) and isinstance(character, int)):
        return position
    return convert.plain(cell.to_program(types.Position(line, character)))


def _choice(_notebook: Notebook, cell: Cell, choice: dict[str, Any]) -> dict[str, Any]:
    at = cell.from_program(types.Position(**choice["position"]))
    return {**choice, "position": convert.plain(at)}


def find_cell(server: Server, uri: Any) -> tuple[Notebook, Cell] | None:
    """The cell with a URI and its notebook, or None."""
    for document in server.store:
        if isinstance(document, Notebook):
            cell = document.cell(uri)
            if cell is not None:
                return document, cell
    return None
