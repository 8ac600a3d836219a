"""What the client asks for, one function a request: parameters in, protocol types out.

Each asks the analysis and converts the answer. ``None`` or an empty list means: nothing to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cachewise.lsp import cache_map, compare, convert, parameters
from cachewise.lsp.diagnostics import SOURCE

if TYPE_CHECKING:
    from cachewise.analysis import Document, LocatedFinding
    from cachewise.analysis.surfaces import Action, Completion, Symbol
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument


def inlay_hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    """``textDocument/inlayHint``."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return []
    from cachewise.analysis.hints import hints

    text = document.text
    start = convert.offset(text, params.range.start, server.encoding)
    end = convert.offset(text, params.range.end, server.encoding)
    found = [
        types.InlayHint(
            position=convert.position(text, hint.at, server.encoding),
            label=hint.label,
            tooltip=convert.markup(hint.tooltip, server.client.hover_formats),
            padding_left=True,
        )
        for hint in hints(analysis, start, end)
    ]
    server.counting.wanted(document)
    return found


def code_lenses(server: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    """``textDocument/codeLens``."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return []
    from cachewise.analysis.lenses import lenses

    found = [
        types.CodeLens(
            range=convert.line_span(document.text, lens.start, lens.end, server.encoding),
            command=types.Command(
                title=lens.title,
                command=lens.command,
                arguments=compare.arguments(server, document, lens.start)
                if lens.command == compare.COMMAND
                else [*lens.arguments] or None,
            ),
        )
        for lens in lenses(analysis)
    ]
    found += cache_map.lenses(server, document, analysis)
    found += server.exact.lenses(document, analysis)
    found += compare.lenses(server, document, analysis)
    server.counting.wanted(document)
    return found


def hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """``textDocument/hover``."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return None
    from cachewise.analysis.hover import hover as hover_at

    text = document.text
    found = hover_at(analysis, convert.offset(text, params.position, server.encoding))
    if found is None:
        return None
    return types.Hover(
        contents=convert.markup(found.markdown, server.client.hover_formats),
        range=convert.span(text, found.start, found.end, server.encoding),
    )


def completion(server: Server, params: types.CompletionParams) -> types.CompletionList | None:
    """``textDocument/completion``."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return None
    from cachewise.analysis.completions import completions

    at = convert.offset(document.text, params.position, server.encoding)
    items = [_completion(server, document, item) for item in completions(analysis, at)]
    return types.CompletionList(is_incomplete=False, items=items)


def symbols(
    server: Server, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """``textDocument/documentSymbol``."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return []
    from cachewise.analysis.outline import outline

    tree = outline(analysis)
    if server.client.nested_symbols:
        return [_symbol(server, document, symbol) for symbol in tree]
    return list(_flat_symbols(server, document, tree, None))


def code_actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """``textDocument/codeAction``: fixes from the diagnostics' data, the rest from the analysis."""
    document, analysis = _document(server, params.text_document.uri)
    if document is None or analysis is None:
        return []
    from cachewise.analysis import actions

    text = document.text
    start = convert.offset(text, params.range.start, server.encoding)
    end = convert.offset(text, params.range.end, server.encoding)
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
    found: list[types.CodeAction] = []
    carried: set[tuple[Any, ...]] = set()
    if _asked("quickfix", only):
        for diagnostic in params.context.diagnostics:
            fixes = list(_carried_fixes(server, document, diagnostic))
            if fixes:
                carried.add((diagnostic.code, _place(diagnostic.range)))
                found += fixes
    touched = actions.findings_between(analysis, start, end)
    for action in actions.actions(analysis, start, end, touched):
        if not _asked(action.kind, only):
            continue
        diagnostic = None
        if action.finding is not None:
            where = convert.line_span(
                text, action.finding.start, action.finding.end, server.encoding
            )
            is_fix = any(fix.title == action.title for fix in action.finding.finding.fixes)
            if is_fix and (action.finding.finding.code, _place(where)) in carried:
                continue
            diagnostic = _matching(params.context.diagnostics, action.finding, where)
        found.append(_action(server, document, action, diagnostic))
    if _asked(actions.FIX_ALL, only) and (only or touched):
        everything = actions.fix_all(analysis)
        if everything is not None:
            found.append(_action(server, document, everything, None))
    return found


def summary(server: Server, params: Any) -> dict[str, Any] | None:
    """``cachewise/summary``: the request under the cursor, for a status bar."""
    uri, at = _uri_and_position(params)
    document, analysis = _document(server, uri)
    if document is None or analysis is None:
        return None
    from cachewise.analysis.summary import summary as summary_at

    found = summary_at(analysis, convert.offset(document.text, at, server.encoding))
    if found is None:
        return None
    server.counting.wanted(document)
    return {
        "label": found.label,
        "tooltip": found.tooltip,
        "tokens": found.tokens,
        "nextCall": found.next_call,
        "model": found.model,
    }


def explain(_server: Server, params: Any) -> dict[str, str] | None:
    """``cachewise/explain``: the page of a rule, by code or name."""
    from cachewise.analysis.reference import BY_NAME, docs_url

    wanted = parameters.field(params, "rule")
    if not isinstance(wanted, str):
        raise ValueError("cachewise/explain needs {rule: code or name}.")
    rule = BY_NAME.get(wanted) or BY_NAME.get(wanted.upper()) or BY_NAME.get(wanted.lower())
    if rule is None:
        return None
    head = f"# {rule.code} {rule.name}\n\n*{rule.severity}* · {docs_url(rule.code, rule.name)}"
    return {"markdown": f"{head}\n\n{rule.docs.strip()}\n"}


def rules(_server: Server, _params: Any) -> list[dict[str, str]]:
    """``cachewise/rules``: every rule in the order of the codes."""
    from cachewise.analysis.reference import RULES

    return [
        {
            "code": rule.code,
            "name": rule.name,
            "severity": rule.severity,
            "summary": rule.summary,
        }
        for rule in RULES
    ]


def _document(server: Server, uri: str) -> tuple[OpenDocument | None, Document | None]:
    document = server.store.get(uri)
    return (None, None) if document is None else (document, document.analysis)


def _uri_and_position(params: Any) -> tuple[str, types.Position]:
    uri = parameters.document_uri(params)
    line = parameters.field(parameters.field(params, "position"), "line")
    character = parameters.field(parameters.field(params, "position"), "character")
    if not (isinstance(uri, str) and isinstance(line, int) and isinstance(character, int)):
        raise ValueError("cachewise/summary needs {textDocument: {uri}, position}.")
    return uri, types.Position(line, character)


def _asked(kind: str, only: list[str]) -> bool:
    """Whether a client that named kinds wants this one: a kind stands for all kinds below it."""
    return not only or any(not name or kind == name or kind.startswith(f"{name}.") for name in only)


def _place(where: types.Range) -> tuple[int, int, int, int]:
    return where.start.line, where.start.character, where.end.line, where.end.character


def _carried_fixes(
    server: Server, document: OpenDocument, diagnostic: types.Diagnostic
) -> Iterator[types.CodeAction]:
    """The fixes in a diagnostic's data, when they are for the text as it is now."""
    data: Any = diagnostic.data
    if diagnostic.source != SOURCE or parameters.field(data, "version") != document.version:
        return
    for fix in parameters.field(data, "fixes") or ():
        edits = [
            types.TextEdit(
                types.Range(
                    types.Position(**edit["range"]["start"]), types.Position(**edit["range"]["end"])
                ),
                edit["newText"],
            )
            for edit in fix["edits"]
        ]
        yield types.CodeAction(
            title=fix["title"],
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            is_preferred=fix.get("preferred") or None,
            edit=convert.workspace_edit(
                document.uri, document.version, edits, versioned=server.client.versioned_edits
            ),
        )


def _matching(
    diagnostics: list[types.Diagnostic] | Any, found: LocatedFinding, where: types.Range
) -> types.Diagnostic | None:
    for diagnostic in diagnostics:
        if diagnostic.code == found.finding.code and _place(diagnostic.range) == _place(where):
            return diagnostic
    return None


def _action(
    server: Server,
    document: OpenDocument,
    action: Action,
    diagnostic: types.Diagnostic | None,
) -> types.CodeAction:
    edits = convert.text_edits(
        document.text,
        ((edit.start, edit.end, edit.new) for edit in action.edits),
        server.encoding,
    )
    return types.CodeAction(
        title=action.title,
        kind=action.kind,
        diagnostics=[diagnostic] if diagnostic is not None else None,
        is_preferred=action.preferred or None,
        edit=convert.workspace_edit(
            document.uri, document.version, edits, versioned=server.client.versioned_edits
        ),
    )


def _completion(server: Server, document: OpenDocument, item: Completion) -> types.CompletionItem:
    documentation = None
    formats = server.client.completion_formats
    if item.documentation and formats:  # a client that names none may show raw Markdown
        documentation = convert.markup(item.documentation, formats)
    return types.CompletionItem(
        label=item.label,
        kind=types.CompletionItemKind.Property
        if item.kind == "property"
        else types.CompletionItemKind.Value,
        detail=item.detail or None,
        documentation=documentation,
        sort_text=item.sort or None,
        # What the client compares with the typed word, which may begin with a quote.
        filter_text=item.insert,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(
            convert.span(document.text, item.start, item.end, server.encoding), item.insert
        ),
    )


_SYMBOL_KINDS = {
    "request": types.SymbolKind.Object,
    "section": types.SymbolKind.Array,
    "turn": types.SymbolKind.Namespace,
    "block": types.SymbolKind.String,
}


def _symbol(server: Server, document: OpenDocument, symbol: Symbol) -> types.DocumentSymbol:
    text = document.text
    return types.DocumentSymbol(
        name=symbol.name,
        detail=symbol.detail,
        kind=_SYMBOL_KINDS[symbol.kind],
        range=convert.span(text, symbol.start, symbol.end, server.encoding),
        selection_range=convert.span(text, symbol.select_start, symbol.select_end, server.encoding),
        children=[_symbol(server, document, child) for child in symbol.children] or None,
    )


def _flat_symbols(
    server: Server, document: OpenDocument, symbols: Any, container: str | None
) -> Iterator[types.SymbolInformation]:
    for symbol in symbols:
        where = convert.span(document.text, symbol.start, symbol.end, server.encoding)
        yield types.SymbolInformation(
            name=f"{symbol.name}: {symbol.detail}",
            kind=_SYMBOL_KINDS[symbol.kind],
            location=types.Location(document.uri, where),
            container_name=container,
        )
        yield from _flat_symbols(server, document, symbol.children, symbol.name)
