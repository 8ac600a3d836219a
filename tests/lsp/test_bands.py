"""``cachewise/bands``: what a client that tints the prefix is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .requests import GOOD, SMALL, WORDS
from .session import ENCODINGS, PROFILES, Editor, File

CONFIG = ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client)


@pytest_lsp.fixture(config=CONFIG, params=sorted(PROFILES))
async def client(request, lsp_client: LanguageClient, tmp_path: Path):
    lsp_client.set_configuration({"cachewise": {"tint": {"enabled": True}}})
    folders = [types.WorkspaceFolder(tmp_path.as_uri(), "project")]
    lsp_client.editor = await session.start(lsp_client, PROFILES[request.param], folders=folders)
    lsp_client.profile = request.param
    lsp_client.editor.root = tmp_path.as_uri()
    # Whatever the client is asked for at the start has been answered then.
    await lsp_client.editor.open(GOOD).codes()
    yield
    await lsp_client.shutdown_session()


async def ask(file: File, **more: Any) -> dict[str, Any] | None:
    params = {"textDocument": {"uri": file.uri}, **more}
    return plain(await file.editor.ask("cachewise/bands", params))


def plain(value: Any) -> Any:
    """A result of a request that the client's library knows no type for."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    return value


def covered(file: File, where: dict[str, Any]) -> str:
    start, end = (types.Position(**where[name]) for name in ("start", "end"))
    return file.covered(types.Range(start, end))


async def test_bands_come_in_the_clients_columns(client: LanguageClient):
    editor: Editor = client.editor
    assert editor.encoding == ENCODINGS[client.profile]
    source = json.dumps(json.loads(GOOD.replace("Argo", "Argo 🇫🇷 été")), ensure_ascii=False)
    file = editor.open(source.replace("The quick", "𝄞 quick"))
    found = await ask(file)
    assert found is not None
    assert (found["version"], found["enabled"], found["complete"]) == (1, True, True)
    cached, tail = found["bands"]
    assert (cached["kind"], cached["ttl"], cached["first"], cached["last"]) == ("5m", "5m", 1, 2)
    assert (tail["kind"], tail["first"], tail["last"]) == ("uncached", 3, 3)
    assert covered(file, cached["ranges"][1]).startswith('{"type": "text"')
    assert json.loads(covered(file, tail["ranges"][0]))["role"] == "user"


async def test_an_edit_changes_them(client: LanguageClient):
    file = client.editor.open(SMALL)
    before = await ask(file)
    assert before is not None
    assert before["bands"][0]["kind"] == "under-minimum"
    assert before["bands"][0]["minimum"] == 1024
    file.replace_text("You answer in one line.", WORDS * 200)
    after = await ask(file)
    assert after is not None
    assert after["version"] == 2
    assert after["bands"][0]["kind"] == "1h"


async def test_the_settings_switch_them_off_without_a_restart(
    client: LanguageClient, tmp_path: Path
):
    file = client.editor.open(GOOD)
    found = await ask(file)
    assert found is not None and found["enabled"]
    (tmp_path / "cachewise.toml").write_text("[tint]\nenabled = false\n")
    client.text_document_did_save(types.DidSaveTextDocumentParams(file.identifier))
    other = client.editor.open(GOOD)
    for one in (file, other):
        found = await ask(one)
        assert found is not None
        assert (found["enabled"], found["bands"]) == (False, [])


async def test_a_file_without_a_request_has_no_answer(client: LanguageClient):
    assert await ask(client.editor.open('{"name": "x"}')) is None
    missing = File(client.editor, "file:///nowhere.json", "")
    assert await ask(missing) is None


async def test_a_long_recording_is_answered_for_what_is_seen(client: LanguageClient):
    line = json.dumps(json.loads(SMALL)) + "\n"
    file = client.editor.open(line * 400, "trace.jsonl", "jsonl")
    seen = {"start": {"line": 10, "character": 0}, "end": {"line": 19, "character": 0}}
    found = await ask(file, range=seen)
    assert found is not None and not found["complete"]
    lines = {band["ranges"][0]["start"]["line"] for band in found["bands"]}
    assert lines == set(range(9, 20)) or lines == set(range(10, 20))
    whole = await ask(file)
    assert whole is not None and whole["complete"]
    assert len({band["ranges"][0]["start"]["line"] for band in whole["bands"]}) == 400


async def test_the_cells_of_a_notebook_have_their_own(client: LanguageClient):
    editor: Editor = client.editor
    uri = f"{editor.root}/book.ipynb"
    first, second = f"{uri}#a", f"{uri}#b"
    cells = [
        ("import anthropic\nPROMPT = '" + WORDS * 200 + "'\n", first),
        (
            'anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9,\n'
            '    system=[{"type": "text", "text": PROMPT, "cache_control": {"type": "ephemeral"}}],'
            '\n    messages=[{"role": "user", "content": "Hello"}])\n',
            second,
        ),
    ]
    client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                uri,
                "jupyter-notebook",
                1,
                [types.NotebookCell(types.NotebookCellKind.Code, cell) for _, cell in cells],
            ),
            [types.TextDocumentItem(cell, "python", 1, text) for text, cell in cells],
        )
    )
    found = await ask(File(editor, second, cells[1][0]))
    assert found is not None
    assert [band["kind"] for band in found["bands"]] == ["5m", "uncached"]
    assert [band["ranges"][0]["start"]["line"] for band in found["bands"]] == [1, 2]
    assert await ask(File(editor, first, cells[0][0])) is not None
