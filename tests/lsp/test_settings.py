"""Settings from the client and from files, taken over without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .requests import GOOD, LARGE
from .session import PROFILES, Editor, File, until

CONFIG = ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client)


@pytest_lsp.fixture(config=CONFIG, params=sorted(PROFILES))
async def client(request, lsp_client: LanguageClient, tmp_path: Path):
    lsp_client.profile = request.param
    lsp_client.set_configuration({"cachewise": {"ignore": ["CW201"]}})
    folders = [types.WorkspaceFolder(tmp_path.as_uri(), "project")]
    lsp_client.editor = await session.start(lsp_client, PROFILES[request.param], folders=folders)
    lsp_client.editor.root = tmp_path.as_uri()
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=CONFIG)
async def silent(lsp_client: LanguageClient):
    """A client that cannot be asked for its settings."""
    profile = {"workspace": {}, "textDocument": PROFILES["emacs"]["textDocument"]}
    options = {"cachewise": {"lens": {"enabled": False}, "ignore": ["CW201"]}, "trusted": True}
    lsp_client.editor = await session.start(lsp_client, profile, options=options)
    yield
    await lsp_client.shutdown_session()


def change(client: LanguageClient, settings: object) -> None:
    client.set_configuration({"cachewise": settings})
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))


async def lens_count(file: File, wanted: int) -> None:
    async with asyncio.timeout(session.PATIENCE):
        while len(await file.lenses()) != wanted:
            await asyncio.sleep(0.01)


async def test_settings_change_without_a_restart(client: LanguageClient):
    editor: Editor = client.editor
    file = editor.open(LARGE)
    await file.until_codes(["CW102"])
    await lens_count(file, 2)
    client.refreshed.clear()
    change(client, {"ignore": ["CW102", "CW201"], "lens": {"enabled": False}})
    await lens_count(file, 0)
    await file.until_codes([])
    if client.profile == "vscode":
        await until(lambda: types.WORKSPACE_DIAGNOSTIC_REFRESH in client.refreshed)
        await until(lambda: types.WORKSPACE_CODE_LENS_REFRESH in client.refreshed)
    if client.profile != "emacs":
        await until(lambda: types.WORKSPACE_INLAY_HINT_REFRESH in client.refreshed)
    change(client, {"ignore": ["CW201"], "hints": {"blocks": True}})
    await file.until_codes(["CW102"])
    await lens_count(file, 2)
    assert [str(hint.label)[:2] for hint in await file.hints()].count("#1") == 1


async def test_a_project_file_is_read_and_read_again(client: LanguageClient, tmp_path: Path):
    editor: Editor = client.editor
    file = editor.open(LARGE)
    await file.until_codes(["CW102"])
    settings = tmp_path / "cachewise.toml"
    settings.write_text('ignore = ["ttl-order", "CW201"]\n')
    change(client, {})
    # Either notification makes the server look again: not every client sends the first.
    if client.profile == "vscode":
        client.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(
                [types.FileEvent(settings.as_uri(), types.FileChangeType.Created)]
            )
        )
    else:
        client.text_document_did_save(types.DidSaveTextDocumentParams(file.identifier))
    await file.until_codes([])
    settings.write_text('ignore = ["CW201"]\n')
    client.text_document_did_save(types.DidSaveTextDocumentParams(file.identifier))
    await file.until_codes(["CW102"])


async def test_the_project_file_has_the_last_word(client: LanguageClient, tmp_path: Path):
    """So that an editor and a build machine agree; what the file leaves open is the editor's."""
    (tmp_path / "cachewise.toml").write_text('ignore = ["CW201"]\n')
    change(client, {"ignore": ["CW102"], "lens": {"enabled": False}})
    file = client.editor.open(LARGE)
    await file.until_codes(["CW102"])
    assert await file.lenses() == []


async def test_an_excluded_file_is_left_alone(client: LanguageClient, tmp_path: Path):
    (tmp_path / "cachewise.toml").write_text('exclude = ["generated-*.json"]\n')
    file = client.editor.open(LARGE, "generated-1.json")
    assert await file.codes() == []
    assert await file.hints() == []
    other = client.editor.open(LARGE, "written-1.json")
    assert "CW102" in await other.codes()


async def test_a_wrong_setting_is_told_once_and_does_no_harm(client: LanguageClient):
    change(client, {"ignore": 3, "lens": {"enabled": False}, "nobody": 1})
    file = client.editor.open(LARGE)
    await lens_count(file, 0)
    told = await until(lambda: [item.message for item in client.log_messages])
    assert any("nobody" in message for message in told)
    assert len(told) == len(set(told))
    assert client.messages == []


async def test_clients_that_cannot_be_asked_say_it_at_the_start(silent: LanguageClient):
    file = silent.editor.open(GOOD)
    assert await file.lenses() == []
    assert silent.log_messages == []
    silent.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings={"cachewise": {"lens": {"enabled": True}}})
    )
    await lens_count(file, 2)


async def test_a_request_can_say_itself_what_is_to_be_ignored(client: LanguageClient):
    """In the file it takes effect with the edit that writes it, and goes with it."""
    file = client.editor.open(LARGE)
    await file.until_codes(["CW102"])
    file.replace_text("{", '{\n  "$cachewise": {"ignore": ["ttl-order"]},')
    await file.until_codes([])
    file.replace_text('"ttl-order"', '"CW104"')
    await file.until_codes(["CW102"])
