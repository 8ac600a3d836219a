"""Several requests in one file: lost caches, the lens about them, and two requests side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .session import PROFILES, Editor, File

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = "Every ship is written down, 🚢 and all, with its crew and the hour. " * 200
SAID = [
    {"role": "user", "content": "Where is the Argo?"},
    {"role": "assistant", "content": "At sea."},
    {"role": "user", "content": "And now?"},
]


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client),
    params=sorted(PROFILES),
    scope="module",
)
async def client(request, lsp_client: LanguageClient):
    lsp_client.editor = await session.start(lsp_client, PROFILES[request.param])
    lsp_client.profile = request.param
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client) -> Editor:
    return client.editor


def line(rules: str, turns: int, **more) -> str:
    marked = {"type": "text", "text": rules, "cache_control": {"type": "ephemeral"}}
    body = {"model": "claude-sonnet-4-6", "max_tokens": 9, "system": [marked], **more}
    # Text beyond ASCII stands before the difference, so that columns differ by encoding.
    return json.dumps({**body, "messages": SAID[:turns]}, ensure_ascii=False)


def plain(answer: Any) -> Any:
    """An answer to a request of our own, which the test client reads as named tuples."""
    if hasattr(answer, "_asdict"):
        return {key: plain(value) for key, value in answer._asdict().items()}
    return [plain(item) for item in answer] if isinstance(answer, list | tuple) else answer


def opened(editor: Editor, first: str, second: str) -> File:
    return editor.open(f"{first}\n{second}\n", "calls.jsonl")


async def test_a_lost_prefix_points_at_the_same_place_above(editor: Editor, client):
    file = opened(editor, line(RULES, 1), line(RULES.replace("crew", "cargo", 1), 3))
    found = [item for item in await file.diagnostics() if item.code == "CW303"]
    assert len(found) == 1
    assert found[0].range.start.line == 1
    assert "(system_changed)" in found[0].message
    assert file.covered(found[0].range).startswith('"Every ship')
    if client.profile == "emacs":  # it does not show related places, so none are sent
        assert found[0].related_information is None
        return
    (related,) = found[0].related_information or []
    assert related.location.uri == file.uri
    assert related.location.range.start.line == 0
    assert file.covered(related.location.range) == json.dumps(RULES, ensure_ascii=False)


async def test_another_order_of_the_tools_points_at_the_order_above(editor: Editor, client):
    tide, wind = ({"name": name, "input_schema": {"type": "object"}} for name in ("tide", "wind"))
    file = opened(editor, line(RULES, 1, tools=[tide, wind]), line(RULES, 3, tools=[wind, tide]))
    found = [item for item in await file.diagnostics() if item.code == "CW302"]
    assert len(found) == 1
    assert (found[0].range.start.line, file.covered(found[0].range)[:17]) == (
        1,
        '[{"name": "wind",',
    )
    if client.profile != "emacs":
        (related,) = found[0].related_information or []
        assert related.location.range.start.line == 0
        assert file.covered(related.location.range).startswith('[{"name": "tide",')


async def test_the_lens_tells_what_is_read_from_the_request_above(editor: Editor):
    file = opened(editor, line(RULES, 1), line(RULES, 3))
    told = [lens for lens in await file.lenses() if lens.command.command == "cachewise.compare"]
    assert len(told) == 1
    assert told[0].range.start.line == 1
    assert told[0].command.title.startswith("reads ")
    assert told[0].command.title.endswith(" tokens from the request above")
    assert list(told[0].command.arguments) == [file.uri, 1, 0]
    answer = await editor.client.workspace_execute_command_async(
        types.ExecuteCommandParams("cachewise.compare", told[0].command.arguments)
    )
    answer = plain(answer)
    assert answer["sentence"] == told[0].command.title
    assert json.loads(answer["later"]["text"])["messages"] == SAID
    assert answer["earlier"]["title"] == "calls.jsonl, request 1"


def about(file: File, line: int) -> dict:
    position = {"line": line, "character": 0}
    return {"textDocument": {"uri": file.uri}, "position": position}


async def test_a_request_with_itself_and_with_that_of_another_document(editor: Editor):
    file = opened(editor, line(RULES, 1), line(RULES, 3))
    other = editor.open(line("Another text. " * 500, 1), "other.json")
    assert await editor.ask("cachewise/compare", about(file, 0)) is None
    found = plain(
        await editor.ask("cachewise/compare", {**about(file, 1), "other": {"uri": other.uri}})
    )
    assert found["earlier"]["title"] == "other.json, request 1"
    shown = found["later"]["text"].split("\n")[found["later"]["line"]]
    assert '"text": "Every ship' in shown
    again = {**about(file, 1), "other": {"uri": file.uri, "position": {"line": 0, "character": 0}}}
    found = plain(await editor.ask("cachewise/compare", again))
    assert found["earlier"]["title"] == "calls.jsonl, request 1"
    assert await editor.ask("cachewise/compare", about(file, 1) | {"other": {"uri": "a:b"}}) is None


async def test_the_requests_of_a_document_can_be_listed(editor: Editor):
    file = opened(editor, line(RULES, 1), line(RULES, 3))
    found = plain(await editor.ask("cachewise/requests", {"textDocument": {"uri": file.uri}}))
    assert [item["title"] for item in found] == ["request 1, line 1", "request 2, line 2"]
    assert [item["position"] for item in found] == [
        {"line": 0, "character": 0},
        {"line": 1, "character": 0},
    ]
    assert found[0]["detail"].endswith(" tokens · claude-sonnet-4-6")
    assert await editor.ask("cachewise/requests", {"textDocument": {"uri": "a:b"}}) == []
