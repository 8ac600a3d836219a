"""Notebooks in an editor: one program of all cells, and every answer in the right cell."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from cachewise.analysis import Document, completions
from cachewise.analysis.surfaces import Completion
from cachewise.lsp.server import make_server

from .session import PROFILES, offset, position, until
from .test_in_process import Wire

NOTEBOOK = "file:///project/chat.ipynb"
FIRST, SECOND, THIRD = (f"vscode-notebook-cell:/project/chat.ipynb#W{index}" for index in range(3))
PROFILES_BY_ENCODING = {"utf-16": "vscode", "utf-8": "neovim", "utf-32": "emacs"}

IMPORTS = "%pip install anthropic\nfrom datetime import datetime\nimport anthropic"
PROMPT = 'PROMPT = f"Prête 🛟: the hour is {datetime.now()}. " + "Be brief. " * 900'
CALL = """client = anthropic.Anthropic()
def ask(question):
    return client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=100,
        system=[{"type": "text", "text": make(), "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": question}],
    )
"""
HELPER = (
    'def make():\n    return f"Prête 🛟: the hour is {datetime.now()}. " + "Be brief. " * 900\n'
)
CULPRIT = "datetime.now()"
MARKER = CALL.replace("make()", '"Be brief. " * 900').replace('"ephemeral"', '"forever"')
LITERAL = CALL.replace("make()", '"Be brief. " * 900')


class Cells(Wire):
    """An editor with one notebook open."""

    version = 1

    async def start(self, encoding: str = "utf-16", *cells: tuple[str, str]) -> None:
        self.encoding = encoding
        capabilities = dict(PROFILES[PROFILES_BY_ENCODING[encoding]])
        capabilities["workspace"] = {**capabilities["workspace"], "configuration": False}
        capabilities["notebookDocument"] = {"synchronization": {}}
        answer = await self.ask(
            "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities}, "i"
        )
        self.capabilities = answer["result"]["capabilities"]
        assert self.capabilities["positionEncoding"] == encoding
        self.send("initialized", {})
        notebook = {
            "uri": NOTEBOOK,
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": [{"kind": 2, "document": uri} for uri, _ in cells],
        }
        self.send(
            "notebookDocument/didOpen",
            {"notebookDocument": notebook, "cellTextDocuments": [item(*cell) for cell in cells]},
        )

    def change(self, **cells: Any) -> None:
        self.version += 1
        notebook = {"uri": NOTEBOOK, "version": self.version}
        self.send(
            "notebookDocument/didChange", {"notebookDocument": notebook, "change": {"cells": cells}}
        )

    def insert(self, index: int, uri: str, text: str) -> None:
        self.change(structure={
            "array": {"start": index, "deleteCount": 0, "cells": [{"kind": 2, "document": uri}]},
            "didOpen": [item(uri, text)],
        })  # fmt: skip

    def delete(self, index: int, uri: str) -> None:
        self.change(structure={
            "array": {"start": index, "deleteCount": 1}, "didClose": [{"uri": uri}],
        })  # fmt: skip

    def replace(self, uri: str, text: str, old: str, new: str, version: int) -> str:
        start = text.index(old)
        where = self.range(text, start, start + len(old))
        self.change(textContent=[{
            "document": {"uri": uri, "version": version},
            "changes": [{"range": where, "text": new}],
        }])  # fmt: skip
        return text.replace(old, new, 1)

    def range(self, text: str, start: int, end: int) -> dict[str, Any]:
        first, last = (position(text, at, self.encoding) for at in (start, end))
        return {
            "start": {"line": first.line, "character": first.character},
            "end": {"line": last.line, "character": last.character},
        }

    def forget(self) -> None:
        self.got.clear()

    async def published(self, uri: str) -> dict[str, Any]:
        def last() -> dict[str, Any] | None:
            sent = self.asked("textDocument/publishDiagnostics")
            return next(
                (one["params"] for one in reversed(sent) if one["params"]["uri"] == uri), None
            )

        return await until(last)

    async def codes(self, uri: str) -> list[str]:
        return [found["code"] for found in (await self.published(uri))["diagnostics"]]

    def covered(self, text: str, where: dict[str, Any]) -> str:
        start, end = (
            offset(text, types.Position(**where[side]), self.encoding) for side in ("start", "end")
        )
        return text[start:end]


def item(uri: str, text: str, version: int = 1) -> dict[str, Any]:
    return {"uri": uri, "languageId": "python", "version": version, "text": text}


def about(uri: str, **more: Any) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, **more}


WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}


@pytest.fixture
async def cells() -> Cells:
    return Cells(make_server())


def only(found: list[dict[str, Any]], code: str) -> dict[str, Any]:
    matching = [one for one in found if one["code"] == code]
    assert len(matching) == 1, found
    return matching[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_what_changes_in_one_cell_spoils_the_request_in_another(cells: Cells, encoding: str):
    await cells.start(encoding, (FIRST, IMPORTS), (SECOND, HELPER), (THIRD, CALL))
    published = await cells.published(SECOND)
    found = only(published["diagnostics"], "CW301")
    assert cells.covered(HELPER, found["range"]) == CULPRIT
    assert published["version"] == 1
    assert (await cells.published(FIRST))["diagnostics"] == []
    assert "CW301" not in await cells.codes(THIRD)


async def test_a_prompt_that_is_made_once_is_told_where_it_is_made(cells: Cells):
    call = CALL.replace("make()", "PROMPT")
    first = f"{IMPORTS}\n{PROMPT}"
    await cells.start("utf-16", (FIRST, first), (SECOND, call))
    found = only((await cells.published(FIRST))["diagnostics"], "CW301")
    assert found["severity"] == 3
    assert cells.covered(first, found["range"]) == CULPRIT
    assert "CW301" not in await cells.codes(SECOND)
    related = found.get("relatedInformation", [])
    assert {one["location"]["uri"] for one in related} <= {FIRST, SECOND}


async def test_the_client_is_asked_for_python_cells_of_jupyter(cells: Cells):
    await cells.start("utf-16", (FIRST, "1"))
    sync = cells.capabilities["notebookDocumentSync"]
    assert sync["save"] is True
    (selector,) = sync["notebookSelector"]
    assert selector["notebook"]["notebookType"] == "jupyter-notebook"
    assert selector["cells"] == [{"language": "python"}]


async def test_an_error_in_a_marker_is_shown_in_its_cell(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, MARKER))
    found = (await cells.published(SECOND))["diagnostics"]
    (error,) = [one for one in found if one["severity"] == 1]
    assert "forever" in cells.covered(MARKER, error["range"])
    assert await cells.codes(FIRST) == []


async def test_cells_that_come_go_and_change(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (THIRD, CALL))
    assert "CW301" not in await cells.codes(THIRD)
    cells.forget()
    cells.insert(1, SECOND, HELPER)
    found = only((await cells.published(SECOND))["diagnostics"], "CW301")
    assert cells.covered(HELPER, found["range"]) == CULPRIT

    cells.forget()
    longer = cells.replace(FIRST, IMPORTS, "import anthropic", "import os\n\nimport anthropic", 2)
    assert longer.count("\n") == 4
    assert (await cells.published(FIRST))["version"] == 2
    found = only((await cells.published(SECOND))["diagnostics"], "CW301")
    assert cells.covered(HELPER, found["range"]) == CULPRIT

    cells.forget()
    still = cells.replace(SECOND, HELPER, f"{{{CULPRIT}}}", "late", 2)
    published = await cells.published(SECOND)
    assert published["version"] == 2
    assert "CW301" not in [one["code"] for one in published["diagnostics"]]

    cells.forget()
    cells.replace(SECOND, still, "late", f"{{{CULPRIT}}}", 3)
    assert "CW301" in await cells.codes(SECOND)
    cells.forget()
    cells.delete(1, SECOND)
    assert (await cells.published(SECOND))["diagnostics"] == []
    assert "CW301" not in await cells.codes(THIRD)


async def test_the_order_of_the_cells_is_that_of_the_notebook(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, MARKER))
    assert await cells.codes(SECOND)
    cells.forget()
    # The cell moves to the front: taken out and put in again, and its document stays open.
    cells.change(structure={"array": {
        "start": 0, "deleteCount": 2,
        "cells": [{"kind": 2, "document": SECOND}, {"kind": 2, "document": FIRST}],
    }})  # fmt: skip
    found = (await cells.published(SECOND))["diagnostics"]
    (error,) = [one for one in found if one["severity"] == 1]
    assert "forever" in cells.covered(MARKER, error["range"])
    cells.forget()
    # It becomes a text cell: nothing in it is a program any more.
    cells.change(data=[{"kind": 1, "document": SECOND}])
    assert (await cells.published(SECOND))["diagnostics"] == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_every_line_break_counts_once(cells: Cells, newline: str):
    first = f"%%bash{newline}curl -d '{{' x{newline}"
    marker = MARKER.replace("\n", newline)
    await cells.start("utf-16", (FIRST, first), (SECOND, newline + marker))
    found = (await cells.published(SECOND))["diagnostics"]
    (error,) = [one for one in found if one["severity"] == 1]
    line = (newline + marker).split(newline)[error["range"]["start"]["line"]]
    assert line[error["range"]["start"]["character"] :].startswith('"forever"')


async def test_closing_leaves_nothing(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, MARKER))
    assert await cells.codes(SECOND)
    cells.forget()
    documents = [{"uri": FIRST}, {"uri": SECOND}]
    cells.send(
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": NOTEBOOK}, "cellTextDocuments": documents},
    )
    assert (await cells.published(FIRST))["diagnostics"] == []
    assert (await cells.published(SECOND))["diagnostics"] == []
    assert list(cells.server.store) == []
    assert (await cells.ask("textDocument/inlayHint", about(SECOND, range=WHOLE), 1))[
        "result"
    ] == []


async def test_pulling_for_a_cell_gives_nothing_twice(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, MARKER))
    assert await cells.codes(SECOND)
    answer = await cells.ask("textDocument/diagnostic", about(SECOND), 1)
    assert answer["result"]["items"] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_hints_lenses_and_hover_of_a_cell(cells: Cells, encoding: str):
    await cells.start(encoding, (FIRST, IMPORTS), (SECOND, "# é🛟\n" + LITERAL))
    text = "# é🛟\n" + LITERAL
    hints = (await cells.ask("textDocument/inlayHint", about(SECOND, range=WHOLE), 1))["result"]
    assert hints
    assert all(0 < hint["position"]["line"] <= text.count("\n") for hint in hints)
    assert (await cells.ask("textDocument/inlayHint", about(FIRST, range=WHOLE), 2))["result"] == []
    lenses = (await cells.ask("textDocument/codeLens", about(SECOND), 3))["result"]
    assert lenses
    call = "client.messages.create("
    lines = {lens["range"]["start"]["line"] for lens in lenses}
    assert lines == {text[: text.index(call)].count("\n")}
    assert (await cells.ask("textDocument/codeLens", about(FIRST), 4))["result"] == []
    at = cells.range(text, *[text.index('"cache_control"') + 2] * 2)["start"]
    hover = (await cells.ask("textDocument/hover", about(SECOND, position=at), 5))["result"]
    assert "write $" in hover["contents"]["value"]
    assert cells.covered(text, hover["range"])
    assert hover["range"]["start"]["line"] == at["line"]
    shown = (await cells.ask("cachewise/summary", about(SECOND, position=at), 6))["result"]
    assert shown["model"] == "claude-sonnet-4-5"
    listed = (await cells.ask("cachewise/requests", about(SECOND), 7))["result"]
    assert [text.splitlines()[one["position"]["line"]].strip()[:6] for one in listed] == ["return"]
    assert (await cells.ask("cachewise/requests", about(FIRST), 8))["result"] == []


async def test_completion_in_a_cell(cells: Cells, monkeypatch: pytest.MonkeyPatch):
    def word(_: Document, at: int) -> list[Completion]:
        return [Completion(*span, "a", "b", "", "", "value") for span in ((at - 3, at), (0, 1))]

    monkeypatch.setattr(completions, "completions", word)
    await cells.start("utf-8", (FIRST, IMPORTS), (SECOND, "# é🛟\n" + LITERAL))
    text = "# é🛟\n" + LITERAL
    at = cells.range(text, *[text.index("claude-sonnet") + 3] * 2)["start"]
    answer = await cells.ask("textDocument/completion", about(SECOND, position=at), 1)
    # The other item would change the first cell.
    (offered,) = answer["result"]["items"]
    assert cells.covered(text, offered["textEdit"]["range"]) == "cla"


async def test_a_fix_edits_its_cell_in_the_version_that_it_is_for(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, MARKER))
    cells.replace(FIRST, IMPORTS, "import anthropic", "import anthropic\n", 2)
    found = (await cells.published(SECOND))["diagnostics"]
    (error,) = [one for one in found if one["severity"] == 1]
    asked = about(SECOND, range=error["range"], context={"diagnostics": [error]})
    actions = (await cells.ask("textDocument/codeAction", asked, 1))["result"]
    (fix,) = [one for one in actions if one.get("diagnostics") and one["kind"] == "quickfix"][:1]
    (change,) = fix["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": SECOND, "version": 1}
    assert fix["diagnostics"][0]["range"] == error["range"]
    (edit,) = change["edits"]
    assert "forever" in cells.covered(MARKER, edit["range"])


async def test_an_edit_of_another_cell_is_not_offered(cells: Cells):
    block = '{"type": "text", "text": "Be brief. " * 900, "cache_control": {"type": "forever"}}'
    constant = f"SYSTEM = [{block}]\n"
    call = LITERAL.replace(LITERAL[LITERAL.index("[{") : LITERAL.index("}}],") + 3], "SYSTEM")
    call = call.replace("claude-sonnet-4-5", "claude-3-opus-20240229")
    assert "system=SYSTEM," in call
    await cells.start("utf-16", (FIRST, constant), (SECOND, call))
    titles: dict[str, list[str]] = {}
    for uri in (FIRST, SECOND):
        asked = about(uri, range=WHOLE, context={"diagnostics": []})
        actions = (await cells.ask("textDocument/codeAction", asked, uri))["result"]
        changes = [change for one in actions for change in one["edit"]["documentChanges"]]
        assert {change["textDocument"]["uri"] for change in changes} == {uri}
        titles[uri] = [one["title"] for one in actions]
    assert any("ephemeral" in title for title in titles[FIRST])
    assert not any("ephemeral" in title for title in titles[SECOND])
    # Silencing a rule here edits this cell; in the whole file, it would edit the first one.
    assert any(title.endswith("here") for title in titles[SECOND])
    assert any(title.endswith("in this file") for title in titles[FIRST])
    assert not any(title.endswith("in this file") for title in titles[SECOND])


BARE = LITERAL.replace(', "cache_control": {"type": "ephemeral"}', "")


async def test_breakpoints_are_placed_in_the_cell(cells: Cells):
    await cells.start("utf-16", (FIRST, IMPORTS), (SECOND, BARE))
    at = {"line": 3, "character": 10}
    answer = (await cells.ask("cachewise/place", about(SECOND, position=at), 1))["result"]
    (change,) = answer["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": SECOND, "version": 1}
    (edit,) = change["edits"]
    assert edit["newText"] == ', "cache_control": {"type": "ephemeral"}'
    assert edit["range"]["start"]["line"] == 5


async def test_breakpoints_of_another_cell_are_not_placed(cells: Cells):
    block = '{"type": "text", "text": "Be brief. " * 900}'
    call = BARE.replace(f"[{block}]", "SYSTEM")
    assert "system=SYSTEM," in call
    await cells.start("utf-16", (FIRST, f"SYSTEM = [{block}]\n"), (SECOND, call))
    at = {"line": 3, "character": 10}
    answer = (await cells.ask("cachewise/place", about(SECOND, position=at), 1))["result"]
    assert answer["edit"] is None
    assert "another cell" in answer["sentence"]
