"""Workspaces of several folders: each document by the settings of its own folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .requests import LARGE
from .session import PROFILES, Editor, File

CONFIG = ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client)

# Names that a URI cannot hold as they are.
FIRST, SECOND, THIRD = "chat service", "batch #2", "später"


@pytest_lsp.fixture(config=CONFIG, params=["vscode", "neovim"])
async def client(request, lsp_client: LanguageClient, tmp_path: Path):
    folders: dict[str, types.WorkspaceFolder] = {}
    for name in (FIRST, SECOND, THIRD):
        (tmp_path / name).mkdir()
        folders[name] = types.WorkspaceFolder((tmp_path / name).as_uri(), name)
    lsp_client.folders = folders
    everywhere = {"cachewise": {"ignore": ["CW201"]}}
    lsp_client.set_configuration(everywhere)
    for name, ignored, lens in ((FIRST, [], True), (SECOND, ["CW102"], False), (THIRD, [], False)):
        value = {"cachewise": {"ignore": ["CW201", *ignored], "lens": {"enabled": lens}}}
        lsp_client.set_configuration(value, scope_uri=folders[name].uri)
    lsp_client.editor = await session.start(
        lsp_client, PROFILES[request.param], folders=[folders[FIRST], folders[SECOND]]
    )
    yield
    await lsp_client.shutdown_session()


def opened(client: LanguageClient, folder: str, name: str = "request.json") -> File:
    editor: Editor = client.editor
    file = File(editor, f"{client.folders[folder].uri}/{name}", LARGE)
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(file.uri, "json", 1, LARGE))
    )
    return file


async def lens_count(file: File, wanted: int) -> None:
    async with asyncio.timeout(session.PATIENCE):
        while len(await file.lenses()) != wanted:
            await asyncio.sleep(0.02)


async def test_each_folder_has_its_own_settings(client: LanguageClient):
    first, second = opened(client, FIRST), opened(client, SECOND)
    await first.until_codes(["CW102"])
    await second.until_codes([])
    await lens_count(first, 2)
    await lens_count(second, 0)


async def test_a_change_in_one_folder_is_taken_over_there(client: LanguageClient):
    first, second = opened(client, FIRST), opened(client, SECOND)
    await second.until_codes([])
    value = {"cachewise": {"ignore": ["CW201"], "lens": {"enabled": True}}}
    client.set_configuration(value, scope_uri=client.folders[SECOND].uri)
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await second.until_codes(["CW102"])
    await lens_count(second, 2)
    await first.until_codes(["CW102"])


async def test_a_folder_that_is_added_later_is_asked_about(client: LanguageClient):
    late = opened(client, THIRD)
    await lens_count(late, 2)
    client.workspace_did_change_workspace_folders(
        types.DidChangeWorkspaceFoldersParams(
            types.WorkspaceFoldersChangeEvent(added=[client.folders[THIRD]], removed=[])
        )
    )
    await lens_count(late, 0)


async def test_each_folder_has_its_own_project_file(client: LanguageClient, tmp_path: Path):
    (tmp_path / FIRST / "cachewise.toml").write_text('ignore = ["CW102", "CW201"]\n')
    (tmp_path / SECOND / "cachewise.toml").write_text('ignore = ["CW201"]\n')
    await opened(client, FIRST, "other.json").until_codes([])
    await opened(client, SECOND, "other.json").until_codes(["CW102"])
