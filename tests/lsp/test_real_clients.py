"""One round with the whole capabilities of real editors, as they were recorded."""

from __future__ import annotations

import json

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
        "vscode_v1.139.1_languageclient_v9.0.1",
    ],
)
async def test_a_round(recorded: str):
    path = shared_folder("recipes", "editors", "capabilities", f"{recorded}.json")
    profile = json.loads(path.read_text())["capabilities"]
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
        assert len(await file.lenses()) == 2
        action = await file.action(
            "Give this breakpoint the 5m TTL", found[0].range, diagnostics=found
        )
        file.apply(action.edit)
        left = await file.diagnostics()
        assert [item for item in left if item.severity == types.DiagnosticSeverity.Error] == []
        assert client.messages == []  # type: ignore[attr-defined]
        await client.shutdown_session()  # type: ignore[attr-defined]
    finally:
        await client.stop()
