"""Placing breakpoints from an editor: the action, and the request of our own."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .session import PROFILES, Editor, File
from .test_compare import RULES, SAID, about, plain

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 9,
    "system": RULES,
    "messages": SAID,
}


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client),
    params=sorted(PROFILES),
    scope="module",
)
async def client(request, lsp_client: LanguageClient):
    lsp_client.editor = await session.start(lsp_client, PROFILES[request.param])
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client) -> Editor:
    return client.editor


def written(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


def closed(file: File) -> list[str]:
    """The blocks of a body that carry a marker, by section and number."""
    body = json.loads(file.text)
    found: list[str] = []
    for section, parts in (
        ("system", body["system"]),
        *((f"message {at}", turn["content"]) for at, turn in enumerate(body["messages"])),
    ):
        if isinstance(parts, list):
            found += [section for part in parts if "cache_control" in part]
    return found


def change(file: File, answer: dict[str, Any]) -> types.WorkspaceEdit:
    """The edit of an answer; the test client, which makes tuples, has lost the name of the file."""
    edit = dict(answer["edit"])
    if edit.get("changes"):
        edit["changes"] = dict.fromkeys([file.uri], *edit["changes"].values())
    return get_converter().structure(edit, types.WorkspaceEdit)


async def test_all_breakpoints_at_once_with_the_reason_in_the_title(editor: Editor):
    file = editor.open(written(BODY))
    where = types.Range(file.at("And now"), file.at("And now"))
    found = [
        action
        for action in await file.actions(where)
        if action.title.startswith("Place breakpoints optimally")
    ]
    assert len(found) == 1
    assert found[0].kind == "refactor.rewrite"
    assert "blocks 1 and 4" in found[0].title
    assert "next call $0.0" in found[0].title
    file.apply(found[0].edit)
    assert closed(file) == ["system", "message 2"]
    # A second time there is nothing to offer.
    where = types.Range(file.at("And now"), file.at("And now"))
    titles = [action.title for action in await file.actions(where)]
    assert not any(title.startswith("Place breakpoints optimally") for title in titles)


async def test_the_action_is_there_when_rewrites_are_asked_for(editor: Editor):
    file = editor.open(written(BODY))
    where = types.Range(file.at("And now"), file.at("And now"))
    (action,) = await file.actions(where, only=["refactor.rewrite"])
    assert action.title.startswith("Place breakpoints optimally")
    assert await file.actions(where, only=["refactor.inline"]) == []


async def test_the_request_of_our_own_gives_the_change_and_a_sentence(editor: Editor):
    file = editor.open(written(BODY))
    found = plain(await editor.ask("cachewise/place", about(file, 3)))
    assert found["outcome"] == "change"
    assert found["sentence"].startswith("Breakpoints belong at block 1 (the end of the system")
    assert "instead of $0.0" in found["sentence"]
    # In the form and in the columns that this editor has asked for.
    file.apply(change(file, found))
    assert closed(file) == ["system", "message 2"]
    again = plain(await editor.ask("cachewise/place", about(file, 3)))
    assert again == {
        "edit": None,
        "sentence": "The present breakpoints are already the best.",
        "outcome": "best",
    }


async def test_why_nothing_is_placed(editor: Editor):
    short = editor.open(written({**BODY, "system": "Be brief."}))
    found = plain(await editor.ask("cachewise/place", about(short, 3)))
    assert found["edit"] is None
    assert found["outcome"] == "nothing"
    assert "1,024 tokens" in found["sentence"]
    strange = editor.open(written({**BODY, "model": "claude-of-next-year"}))
    found = plain(await editor.ask("cachewise/place", about(strange, 3)))
    assert (found["edit"], found["outcome"]) == (None, "unknown")
    assert "not in the catalog" in found["sentence"]


async def test_where_there_is_no_request(editor: Editor):
    file = editor.open('{"name": "no request"}')
    assert await editor.ask("cachewise/place", about(file, 0)) is None
    nowhere = {"textDocument": {"uri": "a:b"}, "position": {"line": 0, "character": 0}}
    assert await editor.ask("cachewise/place", nowhere) is None
    assert await editor.ask("cachewise/place", {"textDocument": {"uri": file.uri}}) is None


async def test_only_the_request_at_the_cursor(editor: Editor):
    body = json.dumps(BODY, ensure_ascii=False)
    other = json.dumps({**BODY, "system": RULES[::-1]}, ensure_ascii=False)
    file = editor.open(f"{body}\n{other}\n", "calls.jsonl")
    found = plain(await editor.ask("cachewise/place", about(file, 1)))
    file.apply(change(file, found))
    first, second = file.text.splitlines()
    assert first == body
    assert "cache_control" in second


async def test_in_source_code_the_change_is_python(editor: Editor):
    source = (
        "import anthropic\n\n"
        f"RULES = {json.dumps(RULES, ensure_ascii=False)}\n\n"
        "answer = anthropic.Anthropic().messages.create(\n"
        '    model="claude-sonnet-4-6",\n'
        "    max_tokens=9,\n"
        "    system=RULES,\n"
        '    messages=[{"role": "user", "content": question}],\n'
        ")\n"
    )
    file = editor.open(source, "ask.py", "python")
    found = plain(await editor.ask("cachewise/place", about(file, 5)))
    file.apply(change(file, found))
    assert (
        '    system=[{"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}}],\n'
        in file.text
    )
