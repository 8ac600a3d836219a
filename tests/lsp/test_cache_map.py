"""``cachewise/cacheMap``: the page and its content, the places in it, and who gets the lens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lsprotocol import types

from cachewise.lsp.server import make_server

from .session import PROFILES, offset, position
from .test_in_process import URI, Wire
from .test_notebooks import IMPORTS, LITERAL, SECOND, THIRD, Cells

NONCE = "MDEyMzQ1Njc4OWFiY2RlZg=="
COMMAND = "cachewise.cacheMap"
RULES = "Every 🛟 ship is written down with its crew and the hour. " * 200
MARK = {"type": "ephemeral"}
TEXT = json.dumps(
    {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "system": [{"type": "text", "text": RULES, "cache_control": MARK}],
        "messages": [{"role": "user", "content": "Where is the Argo? 🛟🛟 Tell me."}],
    },
    ensure_ascii=False,
)
BY_ENCODING = {"utf-16": "vscode", "utf-8": "neovim", "utf-32": "emacs"}


class Maps(Wire):
    """A client that may have the command, with one request open."""

    encoding = "utf-16"

    async def start(self, encoding: str = "utf-16", options: Any = None, text: str = TEXT) -> None:
        self.encoding = encoding
        capabilities = {**PROFILES[BY_ENCODING[encoding]]}
        capabilities["workspace"] = {**capabilities["workspace"], "configuration": False}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities}
        answer = await self.ask("initialize", {**params, "initializationOptions": options}, "i")
        assert answer["result"]["capabilities"]["positionEncoding"] == encoding
        self.send("initialized", {})
        self.text = text
        self.open(text)

    def about(self, place: str, **more: Any) -> dict[str, Any]:
        at = position(self.text, self.text.index(place), self.encoding)
        where = {"line": at.line, "character": at.character}
        return {"textDocument": {"uri": URI}, "position": where, **more}

    async def map(self, place: str, **more: Any) -> dict[str, Any] | None:
        return (await self.ask("cachewise/cacheMap", self.about(place, **more), f"{more}"))[
            "result"
        ]

    async def covered(self, what: str, number: int) -> str | None:
        params = self.about("model", what=what, number=number)
        answer = await self.ask("cachewise/cacheMapPlace", params, f"{what} {number!r}")
        found = answer["result"]
        if found is None:
            return None
        assert found["uri"] == URI
        start, end = (
            offset(self.text, types.Position(**found["range"][side]), self.encoding)
            for side in ("start", "end")
        )
        return self.text[start:end]

    async def lenses(self) -> list[dict[str, Any]]:
        params = {"textDocument": {"uri": URI}}
        return (await self.ask("textDocument/codeLens", params, "lenses"))["result"]


@pytest.fixture
async def maps() -> Maps:
    return Maps(make_server())


async def test_a_page_with_the_nonce_and_a_content_without(maps: Maps):
    await maps.start()
    page = await maps.map("Argo", nonce=NONCE)
    assert page is not None
    assert page["title"] == "request.json"
    assert page["here"] == 2
    assert page["html"].startswith("<!doctype html>")
    assert page["html"].count(f'nonce="{NONCE}"') == 2
    assert f"script-src 'nonce-{NONCE}'" in page["html"]
    content = await maps.map("Every")
    assert content is not None
    assert content["here"] == 1
    assert content["html"].startswith('<section class="map"')
    assert content["html"] in page["html"]
    assert "<script" not in content["html"]
    assert 'data-block="2"' in content["html"], "the blocks are buttons here"


async def test_no_request_no_map(maps: Maps):
    await maps.start(text='{"name": "x"}')
    assert await maps.map("name") is None


@pytest.mark.parametrize(
    "bad",
    [
        {"nonce": 5},
        {"nonce": "x'; script-src *"},
        {"position": {"line": "1", "character": 0}},
        {"position": {"line": True, "character": 0}},
        {"textDocument": None},
    ],
    ids=str,
)
async def test_malformed_parameters_are_answered_with_nothing(maps: Maps, bad: dict[str, Any]):
    await maps.start()
    assert await maps.map("Argo", **bad) is None
    assert await maps.map("Argo") is not None, "and the server goes on"


@pytest.mark.parametrize("encoding", sorted(BY_ENCODING))
async def test_the_place_of_a_block_and_of_a_breakpoint(maps: Maps, encoding: str):
    await maps.start(encoding)
    assert json.loads(await maps.covered("block", 1) or "")["text"] == RULES
    assert json.loads(await maps.covered("block", 2) or "") == "Where is the Argo? 🛟🛟 Tell me."
    assert json.loads(await maps.covered("breakpoint", 1) or "") == MARK
    for what, number in (("block", 0), ("block", 3), ("block", -1), ("breakpoint", 2)):
        assert await maps.covered(what, number) is None
    for what, number in (("tool", 1), ("block", "1"), ("block", True), ("block", 1.0)):
        assert await maps.covered(what, number) is None  # type: ignore[arg-type]


async def test_the_lens_goes_to_clients_that_have_its_command(
    maps: Maps, caplog: pytest.LogCaptureFixture
):
    await maps.start(options={"commands": [COMMAND]})
    told = [lens for lens in await maps.lenses() if lens["command"]["title"] == "Cache map"]
    assert [lens["command"]["command"] for lens in told] == [COMMAND]
    uri, line, character = told[0]["command"]["arguments"]
    assert (uri, line, character) == (URI, 0, 0)
    titles = [lens["command"]["title"] for lens in await maps.lenses()]
    assert titles[1:] == ["Cache map", "Count exactly"]
    assert "no setting" not in caplog.text


@pytest.mark.parametrize(
    "options", [None, {}, {"commands": "cachewise.cacheMap"}, {"commands": [1]}]
)
async def test_others_get_no_command_that_they_cannot_run(maps: Maps, options: Any):
    await maps.start(options=options)
    lenses = await maps.lenses()
    assert lenses
    assert all(lens["command"]["command"] != COMMAND for lens in lenses)


async def test_in_a_notebook_the_place_is_in_its_cell():
    cells = Cells(make_server())
    await cells.start("utf-16", (SECOND, IMPORTS), (THIRD, LITERAL))
    at = LITERAL[: LITERAL.index("max_tokens")].count("\n")
    about = {"textDocument": {"uri": THIRD}, "position": {"line": at, "character": 20}}
    shown = (await cells.ask("cachewise/cacheMap", about, "map"))["result"]
    assert shown["title"].startswith("chat.ipynb")
    found = (
        await cells.ask("cachewise/cacheMapPlace", {**about, "what": "breakpoint", "number": 1}, 2)
    )["result"]
    assert found["uri"] == THIRD
    assert cells.covered(LITERAL, found["range"]) == '{"type": "ephemeral"}'
