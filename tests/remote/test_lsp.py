"""The editor's command: consent and trust, what it shows, when it forgets."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cachewise.lsp import exact
from cachewise.lsp.server import make_server
from lsp.requests import LARGE
from lsp.session import PROFILES, until
from lsp.test_in_process import URI, Wire, about

from .provider import KEY, Provider, Reply, StartProvider, refusal

COMMAND = "cachewise.countExact"
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
WORDS = "system.0.cache_control.ephemeral.ttl: Input should be '5m' or '1h'"


class Editor:
    """A client in the process; ``run`` gives the command."""

    def __init__(self) -> None:
        self.wire = Wire(make_server())
        self.number = 0

    async def begin(self, *, name: str = "Neovim", **options: Any) -> None:
        capabilities = {**PROFILES["vscode"]}
        capabilities["workspace"] = {**capabilities["workspace"], "configuration": False}
        answer = await self.wire.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "clientInfo": {"name": name},
                "capabilities": capabilities,
                "initializationOptions": options,
            },
            "start",
        )
        announced = answer["result"]["capabilities"]["executeCommandProvider"]
        assert COMMAND in announced["commands"]
        self.wire.send("initialized", {})

    async def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        return (await self.wire.ask(method, params, self.number))["result"]

    async def run(self, *arguments: Any) -> Any:
        return await self.ask(
            "workspace/executeCommand", {"command": COMMAND, "arguments": [*arguments]}
        )

    async def lenses(self) -> list[str]:
        found = await self.ask("textDocument/codeLens", about())
        return [lens["command"]["title"] for lens in found]

    async def hints(self) -> list[str]:
        found = await self.ask("textDocument/inlayHint", about(range=WHOLE))
        return [hint["label"] for hint in found]

    async def words(self) -> list[dict[str, Any]]:
        found = await self.ask("textDocument/diagnostic", about())
        return [item for item in found["items"] if item["source"] == exact.SOURCE]

    def shown(self) -> list[str]:
        return [item["params"]["message"] for item in self.wire.asked("window/showMessage")]


@pytest.fixture
async def editor() -> AsyncIterator[Editor]:
    editor = Editor()
    yield editor
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.fixture
def asked(provider: StartProvider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    server = provider()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return server


async def test_an_exact_count_replaces_the_estimate(editor: Editor, asked: Provider) -> None:
    await editor.begin()
    editor.wire.open(LARGE)
    before = await editor.lenses()
    assert "Count exactly" in before
    assert asked.got == [], "nothing is sent before the command"
    result = await editor.run(URI, 0)
    assert result == {"exact": True, "tokens": 4321, "host": asked.host, "error": None}
    assert "max_tokens" not in asked.got[0].json
    assert (await editor.lenses())[0].startswith("4,321 tokens · ")
    assert editor.shown() == [f"{asked.host} counts 4,321 tokens."]
    await until(lambda: editor.wire.asked("workspace/inlayHint/refresh"))
    editor.wire.edit(0, 1, " ", 2)
    assert (await editor.lenses())[0].startswith("~3,5"), "an edit brings the estimate back"


async def test_a_rejection_is_shown_in_the_providers_words_until_the_next_edit(
    editor: Editor, asked: Provider
) -> None:
    asked.replies = [refusal(400, WORDS)]
    await editor.begin()
    text = LARGE.replace('"1h"', '"2h"')
    editor.wire.open(text)
    result = await editor.run(URI, 0)
    assert result["exact"] is False
    (shown,) = await editor.words()
    assert shown["message"] == f"{asked.host} rejects this request: {WORDS}"
    assert shown["severity"] == 1
    start = shown["range"]["start"]
    line = text.split("\n")[start["line"]]
    assert line[start["character"] :].startswith(('"2h"', '"5m"', "{"))
    await until(lambda: editor.wire.asked("workspace/diagnostic/refresh"))
    editor.wire.edit(0, 1, " ", 2)
    assert await editor.words() == []


async def test_other_failures_are_no_diagnostics(editor: Editor, asked: Provider) -> None:
    asked.replies = [refusal(401, f"bad key {KEY}")]
    await editor.begin()
    editor.wire.open(LARGE)
    result = await editor.run(URI, 0)
    assert "does not accept the key" in result["error"]
    assert await editor.words() == []
    assert KEY not in json.dumps(editor.wire.got)


@pytest.mark.parametrize(
    ("name", "options", "sent"),
    [
        ("Visual Studio Code", {"trusted": True}, True),
        ("Visual Studio Code", {"trusted": False}, False),
        ("Visual Studio Code", {}, False),
        ("Visual Studio Code - Insiders", {"trusted": "yes"}, False),
        ("Neovim", {}, True),
        ("Neovim", {"trusted": False}, False),
    ],
)
async def test_trust(
    editor: Editor, asked: Provider, name: str, options: dict[str, Any], sent: bool
) -> None:
    await editor.begin(name=name, **options)
    editor.wire.open(LARGE)
    result = await editor.run(URI, 0)
    assert result["exact"] is sent
    assert bool(asked.got) is sent
    assert ("Count exactly" in await editor.lenses()) is sent
    if not sent:
        assert "not trusted" in result["error"]


async def test_the_address_in_a_projects_settings_needs_trust(
    asked: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ANTHROPIC_BASE_URL")
    (tmp_path / "cachewise.toml").write_text(f'[remote.anthropic]\nbase-url = "{asked.url}"\n')
    uri = (tmp_path / "request.json").as_uri()
    for options, sent in (({}, 0), ({"trusted": True}, 1)):
        editor = Editor()
        await editor.begin(**options)
        editor.wire.open(LARGE, uri)
        result = await editor.run(uri, 0)
        assert (result["exact"], len(asked.got)) == (bool(sent), sent)


async def test_the_editors_key(
    editor: Editor,
    asked: Provider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    caplog.set_level(logging.INFO)
    await editor.begin()
    editor.wire.open(LARGE)
    assert "ANTHROPIC_API_KEY is not set" in (await editor.run(URI, 0))["error"]
    # A key goes to the provider that it belongs to, and to no other.
    assert "ANTHROPIC_API_KEY is not set" in (await editor.run(URI, 0, f"google={KEY}"))["error"]
    assert "ANTHROPIC_API_KEY is not set" in (await editor.run(URI, 0, KEY))["error"]
    assert (await editor.run(URI, 0, f"anthropic={KEY}"))["exact"] is True
    assert asked.got[0].headers["x-api-key"] == KEY
    assert KEY not in json.dumps(editor.wire.got)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [3],
        [URI, -1],
        [URI, 0, 0, 0, KEY],
        [URI, {"key": KEY}],
        [URI, True],
        [URI, 1.5],
        [URI, 7],
        ["file:///nothing.json", 0],
        [URI, 0, 0, f"anthropic={KEY} {KEY}"],
    ],
)
async def test_arguments_that_are_none(
    editor: Editor, asked: Provider, caplog: pytest.LogCaptureFixture, arguments: list[Any]
) -> None:
    caplog.set_level(logging.INFO)
    await editor.begin()
    editor.wire.open(LARGE)
    result = await editor.run(*arguments)
    assert result["exact"] is False
    assert result["error"]
    assert asked.got == []
    assert KEY not in caplog.text + json.dumps(editor.wire.got)


async def test_positions_and_several_requests(editor: Editor, asked: Provider) -> None:
    await editor.begin()
    body = json.loads(LARGE)
    lines = [json.dumps({**body, "system": name}) for name in ("one", "two")]
    editor.wire.open("\n".join(lines) + "\n" * 5, URI + "l")
    assert "say which" in (await editor.run(URI + "l"))["error"]
    await editor.run(URI + "l", 1, 5)
    await editor.run(URI + "l", 0)
    assert [got.json["system"] for got in asked.got] == ["two", "one"]
    assert (await editor.run(URI + "l", 4, 0))["error"] == "There is no request here."


async def test_cancelling_the_request(editor: Editor, asked: Provider) -> None:
    asked.replies = [Reply(wait=60)]
    await editor.begin()
    editor.wire.open(LARGE)
    editor.wire.send(
        "workspace/executeCommand", {"command": COMMAND, "arguments": [URI, 0]}, "count"
    )
    await until(lambda: asked.got)
    editor.wire.send("$/cancelRequest", {"id": "count"})
    answer = await until(lambda: editor.wire.answer("count"))
    assert answer["error"]["code"] == -32800
    assert "Count exactly" in await editor.lenses(), "the server goes on"


async def test_progress_names_the_host_and_can_end_it(editor: Editor, asked: Provider) -> None:
    asked.replies = [Reply(wait=60)]
    await editor.begin()
    editor.wire.open(LARGE)
    editor.wire.send(
        "workspace/executeCommand", {"command": COMMAND, "arguments": [URI, 0]}, "count"
    )
    create = await until(lambda: editor.wire.asked("window/workDoneProgress/create"))
    editor.wire.raw({"jsonrpc": "2.0", "id": create[0]["id"], "result": None})
    began = await until(lambda: editor.wire.asked("$/progress"))
    assert asked.host in began[0]["params"]["value"]["title"]
    assert began[0]["params"]["value"]["cancellable"] is True
    token = began[0]["params"]["token"]
    editor.wire.send("window/workDoneProgress/cancel", {"token": token})
    answer = await until(lambda: editor.wire.answer("count"))
    assert answer["result"]["error"] == "Cancelled."
    assert editor.shown() == []


async def test_an_edit_meanwhile_makes_the_count_one_of_the_past(
    editor: Editor, asked: Provider
) -> None:
    asked.replies = [Reply(wait=0.4)]
    await editor.begin()
    editor.wire.open(LARGE)
    editor.wire.send(
        "workspace/executeCommand", {"command": COMMAND, "arguments": [URI, 0]}, "count"
    )
    await until(lambda: asked.got)
    editor.wire.edit(0, 1, " ", 2)
    answer = await until(lambda: editor.wire.answer("count"))
    assert answer["result"]["tokens"] == 4321
    assert (await editor.lenses())[0].startswith("~3,5")
