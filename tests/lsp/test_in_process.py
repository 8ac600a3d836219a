"""What a client over standard streams cannot see: fences, queues, imports, slow work."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cachewise.analysis import Document
from cachewise.lsp import background, features
from cachewise.lsp.server import Server, _connect, make_server
from cachewise.lsp.transport import Frames

from .requests import GOOD, LARGE
from .session import PROFILES, until

URI = "file:///project/request.json"


class Wire:
    """A client inside the process: what it sends is handled in turn, what it gets is kept."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.frames = Frames()
        self.got: list[dict[str, Any]] = []
        self.closed = False
        self.left = _connect(server)
        server.wire.set_writer(self)  # type: ignore[arg-type]

    def write(self, data: bytes) -> None:
        self.got += [json.loads(body) for body in self.frames.feed(data)]

    def close(self) -> None:
        self.closed = True

    def send(self, method: str, params: Any = None, identity: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if identity is not None:
            message["id"] = identity
        self.raw(message)

    def raw(self, message: Any) -> None:
        self.server.wire.receive(json.dumps(message).encode())

    def answer(self, identity: Any) -> dict[str, Any] | None:
        return next(
            (item for item in self.got if "method" not in item and item.get("id") == identity),
            None,
        )

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [item for item in self.got if item.get("method") == method]

    async def ask(self, method: str, params: Any, identity: Any) -> dict[str, Any]:
        self.send(method, params, identity)
        return await until(lambda: self.answer(identity))

    async def begin(self, profile: str = "vscode") -> None:
        capabilities = {**PROFILES[profile]}
        capabilities["workspace"] = {**capabilities["workspace"], "configuration": False}
        await self.ask("initialize", {"processId": None, "rootUri": None,
                                      "capabilities": capabilities}, "start")  # fmt: skip
        self.send("initialized", {})

    def open(self, text: str, uri: str = URI, version: int = 1) -> None:
        item = {"uri": uri, "languageId": "json", "version": version, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})

    def edit(self, line: int, column: int, new: str, version: int, uri: str = URI) -> None:
        at = {"line": line, "character": column}
        change = {"range": {"start": at, "end": at}, "text": new}
        self.send(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
        )


@pytest.fixture
async def wire() -> Wire:
    return Wire(make_server())


def about(uri: str = URI, **more: Any) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, **more}


START = {"line": 1, "character": 6}
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}


# Fences


@pytest.mark.parametrize(
    ("method", "params", "empty"),
    [
        ("textDocument/hover", about(position=START), None),
        ("textDocument/completion", about(position=START), None),
        ("textDocument/inlayHint", about(range=WHOLE), []),
        ("textDocument/codeLens", about(), []),
        ("textDocument/documentSymbol", about(), []),
        ("textDocument/codeAction", about(range=WHOLE, context={"diagnostics": []}), []),
        ("cachewise/summary", about(position=START), None),
    ],
)
async def test_a_feature_that_fails_answers_empty(
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    params: dict[str, Any],
    empty: Any,
):
    await wire.begin()
    wire.open(GOOD)

    def explode(*_: Any) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(features, "_document", explode)
        answer = await wire.ask(method, params, 1)
        assert answer.get("result", "missing") == empty
        assert "error" not in answer
        assert "boom" in caplog.text and "Traceback" in caplog.text
    assert (await wire.ask(method, params, 2))["result"]
    assert wire.asked("window/showMessage") == []


@pytest.mark.parametrize("profile", ["vscode", "neovim"])
async def test_an_analysis_that_fails_gives_no_findings(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, profile: str
):
    await wire.begin(profile)

    def explode(*_: Any) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(Document, "findings", explode)
        wire.open(LARGE)
        answer = await wire.ask("textDocument/diagnostic", about(), 1)
        assert answer["result"]["items"] == []
        if profile == "neovim":
            await until(lambda: wire.asked("textDocument/publishDiagnostics"))
    wire.edit(0, 1, " ", 2)
    answer = await wire.ask("textDocument/diagnostic", about(), 2)
    assert [item["code"] for item in answer["result"]["items"]].count("CW102") == 1


async def test_an_edit_that_cannot_be_followed_is_read_anew(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    from cachewise.analysis import document as module

    await wire.begin()
    wire.open(LARGE)
    await wire.ask("textDocument/diagnostic", about(), 1)

    def explode(*_: Any) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(module, "reread_regions", explode)
        wire.edit(2, 0, "\n", 2)
        wire.edit(3, 2, " ", 3)
        await wire.ask("textDocument/hover", about(position=START), 2)
    document = wire.server.store.get(URI)
    assert document is not None
    lines = LARGE.split("\n")
    assert str(document.text) == "\n".join([*lines[:2], "", "   " + lines[2][2:], *lines[3:]])
    answer = await wire.ask("textDocument/diagnostic", about(), 3)
    assert [item["code"] for item in answer["result"]["items"]].count("CW102") == 1


# Messages that are not as they should be


async def test_malformed_parameters_get_an_error_and_harm_nothing(wire: Wire):
    await wire.begin()
    wire.open(LARGE)
    bad: list[tuple[str, Any]] = [
        ("textDocument/hover", about()),
        ("textDocument/hover", {"textDocument": 3, "position": {"line": "x"}}),
        ("textDocument/codeAction", {}),
        ("textDocument/inlayHint", []),
        ("textDocument/diagnostic", None),
    ]
    for number, (method, params) in enumerate(bad):
        answer = await wire.ask(method, params, number)
        assert answer["error"]["code"] == -32602, method
        assert method in answer["error"]["message"]
    for number, params in enumerate(({}, about(), None, [], {"rule": 3})):
        for method in ("cachewise/summary", "cachewise/explain"):
            answer = await wire.ask(method, params, f"{method}{number}")
            assert answer["result"] is None
    assert (await wire.ask("nobody/knows", {}, "x"))["error"]["code"] == -32601
    wire.send("textDocument/didChange", {"textDocument": 1})
    wire.send("textDocument/didOpen", None)
    wire.send("nobody/knows", {"jsonrpc": "2.0", "id": 1})
    wire.raw({"jsonrpc": "2.0", "id": "unasked", "result": 1})
    answer = await wire.ask("textDocument/diagnostic", about(), "last")
    assert [item["code"] for item in answer["result"]["items"]].count("CW102") == 1
    assert wire.asked("window/showMessage") == []


async def test_another_protocols_message_in_the_parameters_is_data(wire: Wire):
    await wire.begin()
    inner = {"jsonrpc": "2.0", "id": 9, "method": "shutdown", "params": {}}
    answer = await wire.ask("cachewise/explain", {"rule": "CW102", "inner": inner}, 1)
    assert answer["result"]["markdown"].startswith("# CW102 ttl-order")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"3", -32600),
        (b'{"id": 5, "method": "textDocument/hover"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}', -32600),
        (b"\xff\xfe", -32700),
    ],
)
async def test_what_is_no_message_is_refused(wire: Wire, body: bytes, code: int):
    await wire.begin()
    wire.server.wire.receive(body)
    (refused,) = await until(lambda: [item for item in wire.got if "error" in item])
    assert refused["error"]["code"] == code
    assert "result" in await wire.ask("cachewise/rules", {}, "alive")


async def test_messages_out_of_turn(wire: Wire):
    answer = await wire.ask("textDocument/hover", about(position=START), 1)
    assert answer["error"]["code"] == -32002
    wire.open(LARGE)
    await wire.begin()
    again = await wire.ask("initialize", {"processId": None, "capabilities": {}}, 2)
    assert again["error"]["code"] == -32600
    await wire.ask("shutdown", None, 3)
    late = await wire.ask("textDocument/hover", about(position=START), 4)
    assert late["error"]["code"] == -32600
    wire.send("exit")
    assert await wire.left == 0


async def test_leaving_without_shutdown_is_a_failure(wire: Wire):
    await wire.begin()
    wire.send("exit")
    assert await wire.left == 1


# Cancellation


async def test_a_cancelled_request_is_never_worked_on(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    await wire.begin()
    wire.open(GOOD)
    await wire.ask("textDocument/codeLens", about(), "first")
    worked: list[Any] = []
    real = features._document

    def counted(server: Any, uri: str) -> Any:
        worked.append(uri)
        return real(server, uri)

    monkeypatch.setattr(features, "_document", counted)
    for number in range(5):
        wire.send("textDocument/hover", about(position=START), number)
    for number in range(1, 5):
        wire.send("$/cancelRequest", {"id": number})
    await until(lambda: all(wire.answer(number) for number in range(5)))
    assert len(worked) == 1
    assert "result" in (wire.answer(0) or {})
    assert [(wire.answer(number) or {})["error"]["code"] for number in range(1, 5)] == [-32800] * 4


async def test_a_late_or_senseless_cancellation_is_no_matter(
    wire: Wire, caplog: pytest.LogCaptureFixture
):
    await wire.begin()
    await wire.ask("cachewise/rules", {}, 1)
    caplog.set_level(logging.WARNING)
    for params in ({"id": 1}, {"id": "never"}, {}, None, [1]):
        wire.send("$/cancelRequest", params)
    await wire.ask("cachewise/rules", {}, 2)
    assert caplog.text == ""


# Frames


def test_messages_arrive_in_pieces_of_any_size():
    bodies = [b"{}", b'{"a": "\xc3\xa9"}', b"[" + b"1," * 500 + b"1]"]
    stream = b"".join(
        b"Content-Type: x\r\ncontent-length:  %d\r\n\r\n" % len(body) + body for body in bodies
    )
    for size in (1, 2, 3, 7, 64, len(stream)):
        frames = Frames()
        got: list[bytes] = []
        for start in range(0, len(stream), size):
            got += frames.feed(stream[start : start + size])
        assert got == bodies


def test_a_header_without_a_length_is_passed_over():
    frames = Frames()
    assert list(frames.feed(b"Hello: 1\r\n\r\nContent-Length: 2\r\n\r\n{}")) == [b"{}"]
    assert list(frames.feed(b"x" * 100_000)) == []
    assert list(frames.feed(b"Content-Length: 2\r\n\r\n{}")) == [b"{}"]


# Slow work


class Slow:
    """Counting that goes on, slice by slice, until the test lets it come to its end."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.may_end = False
        self.slices = 0
        self._done: set[int] = set()

    def refine(self, document: Document) -> Iterator[None]:
        name = document.path.rpartition("/")[2]
        self.steps.append(f"{name} begun")
        while not self.may_end:
            self.slices += 1
            yield
        self._done.add(id(document))
        self.steps.append(f"{name} done")

    def complete(self, document: Document) -> bool:
        return id(document) in self._done


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(Document, "refine", lambda document: slow.refine(document))
    monkeypatch.setattr(Document, "complete", property(slow.complete))
    monkeypatch.setattr(background, "IDLE_SECONDS", 0.01)
    return slow


async def ask_hints(wire: Wire, identity: int, uri: str = URI) -> None:
    await wire.ask("textDocument/inlayHint", about(uri, range=WHOLE), identity)


async def test_better_counts_arrive_in_the_background(wire: Wire, slow: Slow):
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    assert "request.json done" not in slow.steps  # the answer did not wait
    await until(lambda: slow.slices)
    assert wire.asked("workspace/inlayHint/refresh") == []
    slow.may_end = True
    for method in ("diagnostic", "inlayHint", "codeLens"):
        await until(lambda method=method: wire.asked(f"workspace/{method}/refresh"))
    assert slow.steps == ["request.json begun", "request.json done"]


async def test_better_counts_are_published_too(wire: Wire, slow: Slow):
    await wire.begin("neovim")
    wire.open(GOOD)
    await until(lambda: wire.asked("textDocument/publishDiagnostics"))
    await until(lambda: slow.slices)
    slow.may_end = True
    await until(lambda: len(wire.asked("textDocument/publishDiagnostics")) == 2)


async def test_answers_come_between_the_slices(wire: Wire, slow: Slow):
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    await until(lambda: slow.slices)
    before = slow.slices
    answer = await wire.ask("textDocument/hover", about(position=START), 2)
    assert answer["result"] is not None
    await until(lambda: slow.slices > before)


async def test_an_edit_ends_the_work_on_the_old_text(wire: Wire, slow: Slow):
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    await until(lambda: slow.slices)
    wire.edit(0, 1, " ", 2)
    await asyncio.sleep(0.05)
    counted = slow.slices
    await asyncio.sleep(0.05)
    assert slow.slices == counted
    # Whoever asks about the new text has its counts made.
    slow.may_end = True
    await ask_hints(wire, 2)
    await until(lambda: slow.steps[-1] == "request.json done")
    assert slow.steps.count("request.json begun") == 2


async def test_the_document_asked_about_last_comes_first(wire: Wire, slow: Slow):
    await wire.begin()
    other = "file:///project/other.json"
    wire.open(GOOD)
    wire.open(GOOD, other)
    await ask_hints(wire, 1)
    await until(lambda: slow.slices)
    await ask_hints(wire, 2, other)
    await until(lambda: "other.json begun" in slow.steps)
    await asyncio.sleep(0.05)
    assert slow.steps == ["request.json begun", "other.json begun"]  # no going to and fro
    slow.may_end = True
    await until(lambda: "request.json done" in slow.steps)
    assert slow.steps.index("other.json done") < slow.steps.index("request.json done")


async def test_a_closed_document_is_not_counted(wire: Wire, slow: Slow):
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    await until(lambda: slow.slices)
    wire.send("textDocument/didClose", about())
    await asyncio.sleep(0.05)
    counted = slow.slices
    slow.may_end = True
    await asyncio.sleep(0.05)
    assert slow.slices == counted
    assert slow.steps == ["request.json begun"]


async def test_long_work_is_shown_and_can_be_ended(
    wire: Wire, slow: Slow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(background, "SHOW_AFTER_SECONDS", 0.0)
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    (created,) = await until(lambda: wire.asked("window/workDoneProgress/create"))
    wire.raw({"jsonrpc": "2.0", "id": created["id"], "result": None})
    (begun,) = await until(lambda: wire.asked("$/progress"))
    assert begun["params"]["value"]["kind"] == "begin"
    assert begun["params"]["value"]["cancellable"] is True
    assert "request.json" in begun["params"]["value"]["title"]
    wire.send("window/workDoneProgress/cancel", {"token": begun["params"]["token"]})
    await until(lambda: len(wire.asked("$/progress")) == 2)
    assert wire.asked("$/progress")[1]["params"]["value"]["kind"] == "end"
    counted = slow.slices
    await ask_hints(wire, 2)
    await asyncio.sleep(0.1)
    assert slow.slices == counted  # not again for the same text


async def test_counting_that_fails_ends_by_itself(
    wire: Wire, slow: Slow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def explode(_: Document) -> Iterator[None]:
        slow.steps.append("tried")
        yield
        raise RuntimeError("boom")

    monkeypatch.setattr(Document, "refine", explode)
    await wire.begin()
    wire.open(GOOD)
    await ask_hints(wire, 1)
    await until(lambda: "boom" in caplog.text)
    await ask_hints(wire, 2)
    await asyncio.sleep(0.05)
    assert slow.steps == ["tried"]


# Start


def run(code: str, *, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code], input=stdin, capture_output=True, timeout=60, check=False
    )


def framed(*messages: dict[str, Any]) -> bytes:
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies)


INITIALIZE = {
    "id": 1,
    "method": "initialize",
    "params": {"processId": None, "rootUri": None, "capabilities": PROFILES["emacs"]},
}
INITIALIZED = {"method": "initialized", "params": {}}
LEAVE = ({"id": 99, "method": "shutdown"}, {"method": "exit"})

LOADED = """
import sys
from cachewise.lsp.server import main
status = main()
for name in ("cachewise.catalog", "cachewise.rules", "cachewise.tokens",
             "cachewise.analysis.document", "pydantic", "ctok", "tiktoken", "tree_sitter",
             "yaml", "httpx"):
    print(name, any(item == name or item.startswith(name + ".") for item in sys.modules))
"""


def opening(text: str) -> dict[str, Any]:
    item = {"uri": URI, "languageId": "json", "version": 1, "text": text}
    return {"method": "textDocument/didOpen", "params": {"textDocument": item}}


def loaded(*messages: dict[str, Any]) -> set[str]:
    ended = run(LOADED, stdin=framed(INITIALIZE, INITIALIZED, *messages, *LEAVE))
    lines = ended.stderr.decode().splitlines()
    return {line.split()[0] for line in lines if line.endswith(" True")}


def test_ordinary_json_loads_nothing():
    hover = {"id": 2, "method": "textDocument/hover", "params": about(position=START)}
    symbols = {"id": 3, "method": "textDocument/documentSymbol", "params": about()}
    assert loaded() == set()
    assert loaded(opening('{"name": "x", "version": "1"}'), hover, symbols) == set()
    assert "cachewise.catalog" in loaded(opening(GOOD), hover)


NOISY = """
import os, sys
import cachewise.lsp.features as features
real = features._document
def noisy(*arguments):
    print("printed")
    os.write(1, b"written")
    os.system("echo echoed")
    return real(*arguments)
features._document = noisy
from cachewise.lsp.server import main
sys.exit(main())
"""


def test_standard_output_carries_the_protocol_alone():
    hover = {"id": 2, "method": "textDocument/hover", "params": about(position=START)}
    ended = run(NOISY, stdin=framed(INITIALIZE, INITIALIZED, opening(GOOD), hover, *LEAVE))
    frames = Frames()
    got = [json.loads(body) for body in frames.feed(ended.stdout)]
    assert {item.get("id") for item in got} >= {1, 2, 99}
    for noise in (b"printed", b"written", b"echoed"):
        assert noise in ended.stderr
        assert noise not in ended.stdout
    assert ended.returncode == 0


def test_the_end_of_the_input_ends_the_server():
    code = "import sys; from cachewise.lsp.server import main; sys.exit(main())"
    assert run(code, stdin=framed(INITIALIZE)).returncode == 1
    assert run(code, stdin=framed(INITIALIZE, LEAVE[0])).returncode == 0
    assert run(code).returncode == 1


async def test_over_tcp():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cachewise", "lsp", "--tcp", "127.0.0.1:0",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
    port = int(said.rpartition(":")[2].strip().rstrip("."))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(INITIALIZE, INITIALIZED, *LEAVE))
    got: list[dict[str, Any]] = []
    frames = Frames()
    async with asyncio.timeout(30):
        while data := await reader.read(4096):
            got += [json.loads(body) for body in frames.feed(data)]
        assert {item.get("id") for item in got} >= {1, 99}
        assert await process.wait() == 0
    writer.close()


# Our own requests, whose answers change


@pytest.mark.parametrize("asked", [True, False])
async def test_a_client_that_asks_for_it_is_told_when_answers_change(wire: Wire, asked: bool):
    """The protocol's own requests to ask again are about the protocol's own features."""
    capabilities = {**PROFILES["vscode"], "workspace": {"configuration": False}}
    params = {"processId": None, "rootUri": None, "capabilities": capabilities}
    await wire.ask("initialize", {**params, "initializationOptions": {"changes": asked}}, "start")
    wire.send("initialized", {})
    wire.open(GOOD)
    await wire.ask("textDocument/codeLens", about(), 1)
    wire.got.clear()
    wire.send("workspace/didChangeConfiguration", {"settings": {"cachewise": {"ignore": []}}})
    await wire.ask("textDocument/codeLens", about(), 2)
    assert bool(wire.asked("cachewise/changed")) == asked
    assert not wire.asked("window/logMessage"), "it is no setting"


@pytest.mark.parametrize("commands", [[], ["cachewise.compareRequests"]])
async def test_a_client_that_lets_one_choose_has_a_lens_for_it(wire: Wire, commands: list[str]):
    capabilities = {**PROFILES["vscode"], "workspace": {"configuration": False}}
    params = {"processId": None, "rootUri": None, "capabilities": capabilities}
    options = {"commands": commands, "trusted": True}
    await wire.ask("initialize", {**params, "initializationOptions": options}, "start")
    wire.send("initialized", {})
    line = json.dumps(json.loads(GOOD))
    item = {"uri": URI + "l", "languageId": "jsonl", "version": 1, "text": f"{line}\n{line}\n"}
    wire.send("textDocument/didOpen", {"textDocument": item})
    lenses = (await wire.ask("textDocument/codeLens", about(URI + "l"), 1))["result"]
    chosen = [lens["command"] for lens in lenses if lens["command"]["title"] == "Compare with…"]
    # The second one reads from the first, and says so: its lens compares these two.
    assert chosen == [
        {"title": "Compare with…", "command": name, "arguments": [URI + "l", 0, 0, True]}
        for name in commands
    ]
    assert sum("from the request above" in lens["command"]["title"] for lens in lenses) == 1


async def test_code_that_does_not_parse_is_read_from_scratch_when_all_is_quiet(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(background, "SETTLE_SECONDS", 1.5)
    uri = "file:///project/calls.py"
    code = (
        "answer = client.messages.create(model='claude-sonnet-4-6', max_tokens=9,\n"
        "    messages=[{'role': 'user', 'content': 'And the tide?'}])\n"
    )
    await wire.begin()
    wire.open(code, uri)
    await ask_hints(wire, 1, uri)
    wire.edit(1, 4, "x(", 2, uri)
    await ask_hints(wire, 2, uri)
    document = wire.server.store.get(uri)
    assert document is not None and document.analysis is not None
    await until(lambda: document.analysis.unsettled)
    await asyncio.sleep(0.1)
    assert document.analysis.unsettled  # one who types on is not disturbed
    await until(lambda: document.analysis.complete)


async def test_in_a_notebook_the_lens_that_lets_one_choose_names_the_cell(wire: Wire):
    capabilities = {**PROFILES["vscode"], "workspace": {"configuration": False}}
    params = {"processId": None, "rootUri": None, "capabilities": capabilities}
    options = {"commands": ["cachewise.compareRequests"], "trusted": True}
    await wire.ask("initialize", {**params, "initializationOptions": options}, "start")
    wire.send("initialized", {})
    book = "file:///project/book.ipynb"
    texts = ["import anthropic\n", "\nanthropic.Anthropic().messages.create(\n"
             '    model="claude-sonnet-4-6", max_tokens=9,\n'
             '    messages=[{"role": "user", "content": "Hello"}])\n']  # fmt: skip
    cells = [f"{book}#{number}" for number in range(len(texts))]
    document = {
        "uri": book,
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": cell} for cell in cells],
    }
    items = [
        {"uri": cell, "languageId": "python", "version": 1, "text": text}
        for cell, text in zip(cells, texts, strict=True)
    ]
    wire.send(
        "notebookDocument/didOpen", {"notebookDocument": document, "cellTextDocuments": items}
    )
    lenses = (await wire.ask("textDocument/codeLens", about(cells[1]), 1))["result"]
    (chosen,) = [lens for lens in lenses if lens["command"]["title"] == "Compare with…"]
    start = chosen["range"]["start"]
    assert start["line"] == 1
    assert chosen["command"]["arguments"] == [cells[1], 1, start["character"], True]
    # So the client can leave this one out of what it offers.
    listed = (await wire.ask("cachewise/requests", about(cells[1]), 2))["result"]
    assert [choice["position"] for choice in listed] == [start]
