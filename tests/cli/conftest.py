"""Running the command line inside of the test's own process, which is fast; and as a program."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cachewise.cli.main import main

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n"]
BIDI = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)]


@dataclass
class Run:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def file(self) -> Any:
        (file,) = self.json["files"]
        return file

    def rules(self) -> list[str]:
        return [finding["rule"] for file in self.json["files"] for finding in file["findings"]]


Cli = Callable[..., Run]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("check", "a.json", stdin=b"…")`` in an empty folder, without a terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CACHEWISE_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as left:
            status = int(left.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Run(status, captured.out, captured.err)

    return run


def program(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cachewise", *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        **options,
    )


FILLER = " ".join(
    f"Step {number}: weigh the {thing}, write the weight down, and put it on shelf {number}."
    for number, thing in enumerate(("brass cog", "copper ring", "steel pin", "tin plate") * 40, 1)
)
"""More than 2,000 tokens by any count, so that a prefix that holds it is cached."""

MARK = {"type": "ephemeral"}


def body(**changes: Any) -> dict[str, Any]:
    """A request that nothing is said about: one breakpoint behind a long system prompt."""
    request: dict[str, Any] = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 100,
        "system": [{"type": "text", "text": FILLER, "cache_control": MARK}],
        "messages": [{"role": "user", "content": "Where does the copper ring lie?"}],
    }
    return {key: value for key, value in {**request, **changes}.items() if value is not None}


def wrong_order() -> dict[str, Any]:
    """A request that the API rejects: a 1-hour breakpoint behind a 5-minute one."""
    return body(
        system=[
            {"type": "text", "text": FILLER, "cache_control": MARK},
            {"type": "text", "text": FILLER, "cache_control": {**MARK, "ttl": "1h"}},
        ]
    )


def put(name: str, value: Any, *, indent: int | None = 1) -> Path:
    """Write a request, or text, or bytes, to a file of the current folder."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, indent=indent)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path
