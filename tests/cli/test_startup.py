"""What a check of a small file loads: the libraries of the server and the network stay out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .conftest import wrong_order

SLOW = {
    "lsprotocol",
    "pygls",
    "httpx",
    "pydantic",
    "asyncio",
    "pathspec",
    "rich",
    "ssl",
    "tree_sitter",
    "yaml",
}

CODE = """
import sys
from cachewise.cli.main import main
status = main(sys.argv[1:])
print("LOADED", status, *sys.modules)
"""


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    run = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    _, status, *modules = run.stdout.rpartition("LOADED")[2].join(("LOADED", "")).split()
    return int(status), set(modules)


def test_a_check_loads_no_slow_library(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(wrong_order()))
    for options in (("--format", "json"), ()):
        status, modules = loaded(tmp_path, "check", *options, "a.json")
        assert status == 1
        assert not modules & SLOW
        assert "cachewise.analysis" in modules


def test_settings_load_what_validates_them(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(wrong_order()))
    (tmp_path / "cachewise.toml").write_text('ignore = ["CW102"]\n')
    status, modules = loaded(tmp_path, "check", "--select", "CW102", "a.json")
    assert status == 0
    assert "pydantic" in modules, "or this test would not notice a lazy import that moved"
