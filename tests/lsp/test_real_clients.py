"""One round with the whole capabilities of real editors, as they were recorded."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import ClientServerConfig

from corpus import shared_folder

from . import session
from .requests import LARGE

CONFIG = ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client)


@pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")
@pytest.mark.parametrize(
    "recorded",
    [
        "emacs-eglot_v1.9",
        "emacs_v30.1",
        "neovim_v0.11.4",
        "neovim_v0.12.0-dev",
        "vscode_v1.139.1_languageclient_v11.0.0",
        "vscode_v1.139.1_languageclient_v10.1.2",
        "vscode_v1.139.1_languageclient_v9.0.1",
    ],
)
async def test_a_round(recorded: str):
    path = shared_folder("recipes", "editors", "capabilities", f"{recorded}.json")
    await a_round(json.loads(path.read_text())["capabilities"])


@pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")
@pytest.mark.parametrize(
    "older", ["emacs_v29.1", "neovim_v0.9.1", "neovim_v0.10.0", "neovim_v0.11.0"]
)
async def test_a_round_with_an_older_editor(older: str):
    """As the test library has recorded them."""
    path = files("pytest_lsp").joinpath("clients", f"{older}.json")
    await a_round(json.loads(path.read_text())["capabilities"])


async def a_round(profile: dict[str, Any]) -> None:
    client = await CONFIG.start()
    try:
        editor = await session.start(client, profile)  # type: ignore[arg-type]
        assert editor.encoding in ("utf-8", "utf-16", "utf-32")
        file = editor.open(LARGE.replace("Where", "\U0001f600 Where"))
        found = [item for item in await file.diagnostics() if item.code == "CW102"]
        assert [file.covered(item.range) for item in found] == ['"1h"']
        assert len(await file.hints()) == 3
        assert await file.hover(file.at("claude-sonnet-4-6"))
        assert await file.symbols()
        lenses = await file.lenses()
        assert len(lenses) == 2
        # A client runs what the server can run; a lens may name nothing else, unless the client
        # has said that it knows the command itself. One without a command is but shown.
        provider = editor.result.capabilities.execute_command_provider
        assert provider is not None
        named = {lens.command.command for lens in lenses if lens.command is not None}
        assert named - {""} <= set(provider.commands)
        offered = await file.actions(found[0].range, found)
        assert [action.title for action in offered if action.edit is None or action.command] == []
        action = await file.action(
            "Give this breakpoint the 5m TTL", found[0].range, diagnostics=found
        )
        file.apply(action.edit)
        left = await file.diagnostics()
        assert [item for item in left if item.severity == types.DiagnosticSeverity.Error] == []
        assert client.messages == []  # type: ignore[attr-defined]
    finally:
        # A client that stops waits for its server, and a server waits to be told.
        await client.shutdown_session()  # type: ignore[attr-defined]
        await client.stop()
