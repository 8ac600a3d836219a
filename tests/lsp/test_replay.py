"""``cachewise/replay``: a trace as a page, made beside the answers to everything else."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cachewise.lsp.server import make_server

from .requests import GOOD, WORDS
from .session import until
from .test_in_process import START, Wire, about

MODEL = "claude-sonnet-4-5"


def call(turn: int, words: str = WORDS * 200) -> dict[str, Any]:
    """A call of a conversation that grows."""
    mark = {"type": "ephemeral"}
    return {
        "at": f"2026-11-20T10:{turn % 60:02}:00Z",
        "request": {
            "model": MODEL,
            "max_tokens": 100,
            "system": [{"type": "text", "text": words, "cache_control": mark}],
            "messages": [
                {"role": ("user", "assistant")[number % 2], "content": f"Turn {number}."}
                for number in range(2 * turn + 1)
            ],
        },
    }


def lines(count: int) -> str:
    return "".join(json.dumps(call(turn)) + "\n" for turn in range(count))


def new_words(count: int, seed: int) -> str:
    """Calls of which none has a word in common with another, so that each has to be counted."""
    letters = random.Random(seed)
    return "".join(
        json.dumps(call(1, " ".join(f"{letters.getrandbits(40):x}" for _ in range(3_000)))) + "\n"
        for _ in range(count)
    )


@pytest.fixture
async def wire() -> Wire:
    wire = Wire(make_server())
    await wire.begin()
    return wire


async def ask(wire: Wire, uri: str, identity: Any = "replay") -> Any:
    answer = await wire.ask("cachewise/replay", {"textDocument": {"uri": uri}}, identity)
    return answer["result"]


async def test_a_file_gives_the_page_of_the_command_line(wire: Wire, tmp_path: Path):
    file = tmp_path / "trace.jsonl"
    file.write_text(lines(4) + "not a call\n")
    found = await ask(wire, file.as_uri())
    assert (found["title"], found["problem"]) == ("trace.jsonl", None)
    command = [sys.executable, "-m", "cachewise", "replay", "--format", "html", file.name]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found["html"] == printed.stdout
    assert "1 line could not be read" in found["html"]


async def test_an_open_document_is_read_as_it_is_in_the_editor(wire: Wire, tmp_path: Path):
    file = tmp_path / "trace.jsonl"
    file.write_text(lines(1))
    item = {"uri": file.as_uri(), "languageId": "jsonl", "version": 1, "text": lines(3)}
    wire.send("textDocument/didOpen", {"textDocument": item})
    found = await ask(wire, file.as_uri())
    assert "3 steps" in found["html"]


async def test_a_list_of_calls_in_one_json_value(wire: Wire, tmp_path: Path):
    file = tmp_path / "trace.json"
    file.write_text(json.dumps([call(0), call(1)], indent=1))
    assert "2 steps" in (await ask(wire, file.as_uri()))["html"]


async def test_the_folders_settings_hold(wire: Wire, tmp_path: Path):
    file = tmp_path / "trace.jsonl"
    file.write_text(lines(2))
    plain = (await ask(wire, file.as_uri(), 1))["html"]
    (tmp_path / "cachewise.toml").write_text(
        f'[prices."{MODEL}"]\ninput = 300\nwrite-5m = 375\nread = 30\noutput = 1500\n'
    )
    wire.send("textDocument/didSave", {"textDocument": {"uri": file.as_uri()}})
    assert (await ask(wire, file.as_uri(), 2))["html"] != plain


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("trace.jsonl", '{"name": "x"}\n', "No request of a known shape is in trace.jsonl."),
        ("trace.jsonl", None, "trace.jsonl cannot be read: No such file or directory."),
        ("trace.py", "x = 1\n", "A trace is a JSON or a JSON Lines file."),
    ],
)
async def test_what_cannot_be_replayed_is_said(
    wire: Wire, tmp_path: Path, name: str, text: str | None, problem: str
):
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    found = await ask(wire, file.as_uri())
    assert found == {"title": name, "html": None, "sentence": None, "problem": problem}


async def test_an_editor_without_a_place_for_pages_is_told_the_sums(wire: Wire, tmp_path: Path):
    file = tmp_path / "trace.jsonl"
    file.write_text(lines(3))
    command = {"command": "cachewise.replay", "arguments": [file.as_uri()]}
    found = (await wire.ask("workspace/executeCommand", command, 1))["result"]
    (shown,) = wire.asked("window/showMessage")
    assert shown["params"] == {"type": 3, "message": f"Cachewise: {found['sentence']}"}
    assert found["sentence"].startswith("3 steps, ") and "; spent $" in found["sentence"]
    command["arguments"] = [(tmp_path / "no.jsonl").as_uri()]
    await wire.ask("workspace/executeCommand", command, 2)
    (_, shown) = wire.asked("window/showMessage")
    problem = "Cachewise: no.jsonl cannot be read: No such file or directory."
    assert shown["params"] == {"type": 2, "message": problem}


async def test_a_prompt_cannot_write_into_the_page(wire: Wire, tmp_path: Path):
    first, second = call(0), call(0)
    second["request"]["system"][0]["text"] = "<script>alert(1)</script>" + WORDS * 200
    file = tmp_path / "<b>.jsonl"
    file.write_text(json.dumps(first) + "\n" + json.dumps(second) + "\n")
    html = (await ask(wire, file.as_uri()))["html"]
    assert "&lt;script&gt;" in html
    assert "<script" not in html and "<b>" not in html


async def test_a_long_replay_holds_up_no_answer_and_can_be_stopped(wire: Wire, tmp_path: Path):
    file = tmp_path / "long.jsonl"
    file.write_text(new_words(600, 1))
    wire.open(GOOD)
    await wire.ask("textDocument/hover", about(position=START), "warm")
    wire.send("cachewise/replay", about(file.as_uri()), "replay")
    waits: list[float] = []
    shown: str | None = None
    for number in range(150):
        began = time.perf_counter()
        await wire.ask("textDocument/hover", about(position=START), f"hover {number}")
        waits.append(time.perf_counter() - began)
        if shown is None and (asked := wire.asked("window/workDoneProgress/create")):
            shown = asked[0]["params"]["token"]
            wire.raw({"jsonrpc": "2.0", "id": asked[0]["id"], "result": None})
        await asyncio.sleep(0.01)
    assert wire.answer("replay") is None, "the trace is long enough to be waited for"
    waits.sort()
    # Half of the answers within 50 ms, whatever else the machine is busy with.
    assert waits[len(waits) // 2] < 0.05, waits
    reports = await until(
        lambda: [
            item["params"]["value"]
            for item in wire.asked("$/progress")
            if item["params"]["value"]["kind"] == "report"
        ]
    )
    assert 0 <= reports[0]["percentage"] <= reports[-1]["percentage"] <= 100
    wire.send("window/workDoneProgress/cancel", {"token": shown})
    answer = await until(lambda: wire.answer("replay"))
    assert answer["result"] is None
    assert wire.asked("$/progress")[-1]["params"]["value"]["kind"] == "end"


async def test_progress_goes_to_the_place_that_the_client_has_made(wire: Wire, tmp_path: Path):
    file = tmp_path / "long.jsonl"
    file.write_text(new_words(300, 2))
    wire.send("cachewise/replay", {**about(file.as_uri()), "workDoneToken": "own"}, "replay")
    answer = await until(lambda: wire.answer("replay"), 60)
    assert answer["result"]["problem"] is None
    values = [item["params"] for item in wire.asked("$/progress")]
    assert {item["token"] for item in values} == {"own"}
    kinds = [item["value"]["kind"] for item in values]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("begin", "end", {"report"})
    assert not wire.asked("window/workDoneProgress/create")


async def test_a_cancelled_request_stops_the_work(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    file = tmp_path / "long.jsonl"
    file.write_text(new_words(600, 3))
    wire.send("cachewise/replay", about(file.as_uri()), "replay")
    await asyncio.sleep(0.2)
    wire.send("$/cancelRequest", {"id": "replay"})
    await until(lambda: "A replay was stopped." in caplog.text)
