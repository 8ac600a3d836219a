"""The two programs beside which Cachewise is measured: installed when the benchmark runs.

``vscode-json-languageservice`` is what Visual Studio Code itself runs on every JSON file;
``promptcachelint`` is another checker of prompt caching. Both go into a cache folder of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON_SERVICE = "vscode-json-languageservice@5.7.2"
LINTER = "promptcachelint==0.1.0"

_LINT_ALL = """
import json, pathlib, sys, time
from promptcachelint.detectors import lint_request
from promptcachelint.providers import get_provider
started = time.perf_counter()
provider = get_provider("anthropic")
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    lint_request(provider, json.loads(path.read_text("utf-8")))
print(time.perf_counter() - started)
"""


class NotThere(Exception):
    """A program could not be installed, with the reason."""


@dataclass(frozen=True)
class JsonService:
    """The JSON service in its folder."""

    folder: Path

    def measure(self, text: str, edits: list[tuple[int, int, str]]) -> tuple[float, list[float]]:
        """Seconds of the first validation, and of each edit with the validation after it."""
        with tempfile.TemporaryDirectory() as place:
            file = Path(place, "input.json")
            file.write_text(json.dumps({"text": text, "edits": edits}), encoding="utf-8")
            script = Path(__file__).with_name("json_service.mjs")
            told = _run(["node", str(script), str(self.folder), str(file)])
        found: dict[str, Any] = json.loads(told)
        return found["opened"] / 1000, [one / 1000 for one in found["times"]]


@dataclass(frozen=True)
class Linter:
    """The other checker in its own virtual environment."""

    python: str

    def start(self, file: Path) -> float:
        """Seconds of checking one file from the command line."""
        return _timed([self.python, "-m", "promptcachelint.cli", "lint", str(file),
                       "--provider", "anthropic"])  # fmt: skip

    def folder(self, folder: Path) -> float:
        """Seconds of checking each file of a folder, in one process; its start counts."""
        return _timed([self.python, "-c", _LINT_ALL, str(folder)])

    def replay(self, trace: Path) -> float:
        """Seconds of its report over a trace."""
        return _timed([self.python, "-m", "promptcachelint.cli", "report", str(trace)])


def json_service() -> JsonService:
    """The JSON service, installed if need be; raises ``NotThere``."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotThere("Node and npm were not found")
    folder = _cache() / JSON_SERVICE.replace("@", "-")
    if not (folder / "node_modules" / "vscode-json-languageservice").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        _install([npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix",
                  str(folder), JSON_SERVICE])  # fmt: skip
    return JsonService(folder)


def linter() -> Linter:
    """The other checker, installed if need be; raises ``NotThere``."""
    folder = _cache() / LINTER.replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "installed").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _install([sys.executable, "-m", "venv", "--clear", str(folder)])
        _install([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                  LINTER])  # fmt: skip
        (folder / "installed").touch()
    return Linter(str(python))


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "cachewise-bench")


def _install(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        said = getattr(problem, "stderr", "") or str(problem)
        raise NotThere((said.strip().splitlines() or [""])[-1]) from problem


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    # Findings give an exit status of their own, so only a signal counts as a failure.
    status = subprocess.run(command, capture_output=True, check=False).returncode
    if status not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return time.perf_counter() - started
