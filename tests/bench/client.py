"""The least client that can talk to the real server: it blocks, so that it measures little else."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from threading import Timer
from typing import Any

PATIENCE = 120.0
"""Seconds after which a server that says nothing is ended."""

CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "configuration": True,
        "workspaceEdit": {"documentChanges": True},
        "diagnostics": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
    },
    "textDocument": {
        "diagnostic": {"relatedInformation": True, "dataSupport": True},
        "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
        "inlayHint": {},
        "codeLens": {},
        "hover": {"contentFormat": ["markdown"]},
    },
}
VISIBLE_LINES = 60


def environment() -> dict[str, str]:
    """This process's environment, but compiled modules may be kept, as they are for everybody."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Session:
    """A running server, initialized as VS Code would do it. Use as a context manager."""

    def __init__(self) -> None:
        self._ids = 0
        self._answers: dict[int, tuple[float, Any]] = {}
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cachewise", "lsp", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        self.ask(
            "initialize",
            {"processId": os.getpid(), "rootUri": None, "capabilities": CAPABILITIES},
        )
        self.start_seconds = time.perf_counter() - started
        """From starting the process to the answer to ``initialize``."""
        self.tell("initialized", {})

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.ask("shutdown", None)
            self.tell("exit", None)
        self.process.wait(10)

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any) -> int:
        """Send a request and do not wait; the number is for ``wait``."""
        self._ids += 1
        self._send({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        return self._ids

    def cancel(self, number: int) -> None:
        """Say that an answer is no longer wanted."""
        self.tell("$/cancelRequest", {"id": number})

    def wait(self, *numbers: int) -> list[tuple[float, Any]]:
        """When each answer came (``time.perf_counter``), and the answer."""
        wanted = set(numbers)
        while not wanted <= self._answers.keys():
            self._receive()
        return [self._answers.pop(number) for number in numbers]

    def ask(self, method: str, params: Any) -> Any:
        """Send a request, wait, and give its result."""
        return self.wait(self.request(method, params))[0][1].get("result")

    def memory(self) -> float | None:
        """The megabytes of memory that the server holds now, where the system tells."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:  # noqa: PTH123
                for line in status:
                    if line.startswith("VmRSS:"):
                        return int(line.split()[1]) / 1024
        except OSError:
            pass
        try:
            told = subprocess.run(
                ["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return int(told.stdout) / 1024

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message, ensure_ascii=False).encode()
        stream = self.process.stdin
        assert stream is not None
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()

    def _receive(self) -> None:
        """Read one message; answer it when it is a question."""
        stream = self.process.stdout
        assert stream is not None
        guard = Timer(PATIENCE, self.process.kill)
        guard.start()
        try:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = stream.read(length)
        finally:
            guard.cancel()
        arrived = time.perf_counter()
        if not body:
            raise RuntimeError("The server has ended or said nothing for too long.")
        message = json.loads(body)
        if "method" not in message:
            self._answers[message["id"]] = arrived, message
        elif "id" in message:
            result = None
            if message["method"] == "workspace/configuration":
                result = [None] * len(message["params"]["items"])
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})


@dataclass
class Editor:
    """One open document, kept as lines, and what an editor asks about it after each keystroke."""

    session: Session
    uri: str
    lines: list[str] = field(default_factory=list)
    version: int = 1

    @classmethod
    def open(cls, session: Session, name: str, text: str, language: str = "json") -> Editor:
        """Open a document in the server; ``language`` is the editor's word for it."""
        uri = f"file:///bench/{name}"
        session.tell(
            "textDocument/didOpen",
            {
                "textDocument": {
                    "uri": uri,
                    "languageId": language,
                    "version": 1,
                    "text": text,
                }
            },
        )
        return cls(session, uri, text.split("\n"))

    def wait_until_counted(self) -> None:
        """Wait until the tokens are counted and no longer estimated, if they can be counted."""
        if find_spec("ctok") is None:
            return
        whole = {
            "start": {"line": 0, "character": 0},
            "end": {"line": len(self.lines), "character": 0},
        }
        question = {"textDocument": {"uri": self.uri}, "range": whole}
        until = time.perf_counter() + PATIENCE
        while time.perf_counter() < until:
            found = self.session.ask("textDocument/inlayHint", question)
            told = [line for hint in found for line in str(hint["tooltip"]).split("counted by")[1:]]
            if told and not any("fast" in line[:40] for line in told):
                return
            time.sleep(0.25)
        raise RuntimeError("The tokens were not counted in time.")

    def close(self) -> None:
        """Close it again."""
        self.session.tell("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    def insert(self, line: int, column: int, new: str) -> None:
        """Insert a text without a line break, here and in the server."""
        old = self.lines[line]
        self.lines[line] = old[:column] + new + old[column:]
        self.version += 1
        at = {"line": line, "character": column}
        self.session.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri, "version": self.version},
                "contentChanges": [{"range": {"start": at, "end": at}, "text": new}],
            },
        )

    def paste(self, line: int, text: str) -> None:
        """Insert whole lines before a line."""
        self.lines[line:line] = text.split("\n")
        self.version += 1
        at = {"line": line, "character": 0}
        self.session.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri, "version": self.version},
                "contentChanges": [{"range": {"start": at, "end": at}, "text": f"{text}\n"}],
            },
        )

    def questions(self, line: int) -> list[int]:
        """Ask for diagnostics, the hints around a line, and lenses; the requests' numbers."""
        document = {"uri": self.uri}
        first = max(0, line - VISIBLE_LINES // 2)
        last = min(len(self.lines) - 1, first + VISIBLE_LINES)
        seen = {
            "start": {"line": first, "character": 0},
            "end": {"line": last, "character": len(self.lines[last])},
        }
        session = self.session
        return [
            session.request("textDocument/diagnostic", {"textDocument": document}),
            session.request("textDocument/inlayHint", {"textDocument": document, "range": seen}),
            session.request("textDocument/codeLens", {"textDocument": document}),
        ]

    def answered(self, line: int) -> float:
        """Ask as after a keystroke and wait; when the last answer came."""
        return max(at for at, _ in self.session.wait(*self.questions(line)))


def keystrokes(
    text: str, count: int, seed: int, behind: str = '"text": "', typed: str = ""
) -> Iterator[tuple[int, int, str]]:
    """Where a person types: line, column and character; ten at one place, then at another.

    Every place is on one line of the document, just behind what is named: inside a text of a
    message, when nothing else is asked for. The ten letters are those of ``typed``, else any.
    """
    rng = random.Random(seed)
    lines = text.split("\n")
    written = [number for number, line in enumerate(lines) if behind in line]
    for _ in range(0, count, 10):
        line = rng.choice(written)
        # Not behind a backslash, which the typed character would become a part of.
        column = lines[line].index(behind) + len(behind)
        for character in typed or rng.sample("etaoinshrdlu", 10):
            yield line, column, character
            column += 1
