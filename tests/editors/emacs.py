"""Emacs in a terminal of its own, driven through emacsclient."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import threading
from pathlib import Path
from typing import Any

from .blocks import blocks
from .editor import Editor, Shown, environment, until

_ROWS, _COLUMNS = 50, 200


class Emacs(Editor):
    """A session of Emacs with eglot."""

    name = "emacs"
    encoding = "utf-32"
    # YAML and TypeScript want grammars that Emacs does not bring along.
    suffixes = frozenset({".json", ".jsonl", ".py", ".sh", ".ipynb"})

    @staticmethod
    def why_not() -> str | None:
        emacs = shutil.which("emacs")
        if emacs is None or shutil.which("emacsclient") is None:
            return "skipped: no Emacs"
        version = subprocess.run([emacs, "--version"], capture_output=True, text=True).stdout
        major = re.search(r"GNU Emacs (\d+)", version)
        if major is None or int(major[1]) < 30:
            # Emacs 29 works too, but keeps what is looked at here under other names.
            return f"skipped: the tests need Emacs 30 or newer, this is {version[:20]!r}"
        return None

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._environment = environment(home)
        # A socket's name may have about a hundred characters, and a test's folder has many.
        self._runtime = tempfile.TemporaryDirectory(prefix="cachewise-", dir="/tmp")
        self._socket = Path(self._runtime.name, "emacs")
        self._answer = home / "answer.json"
        init = home / "init.el"
        init.write_text("\n".join(blocks("emacs.md", "elisp")), encoding="utf-8")
        self._terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        socket = f'server-socket-dir "{self._runtime.name}" server-name "emacs"'
        serve = f"(progn (setq {socket}) (server-start))"
        driver = Path(__file__).with_name("driver.el")
        self._process = subprocess.Popen(
            ["emacs", "-nw", "-Q", "-l", init, "-l", driver, "--eval", serve],
            stdin=other,
            stdout=other,
            stderr=other,
            env=self._environment,
            cwd=home,
            start_new_session=True,
            # Emacs wants the terminal that it was started from.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(other)
        self._screen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until("Emacs is there", lambda: self._socket.exists() or self._process.poll() is not None)
        assert self._process.poll() is None, self._screen.decode(errors="replace")

    def _read(self) -> None:
        """Take what Emacs draws: it would wait for ever for a terminal that reads nothing."""
        with contextlib.suppress(OSError):
            while piece := os.read(self._terminal, 65536):
                self._screen += piece
                del self._screen[:-20_000]

    def _ask(self, form: str) -> Any:
        done = subprocess.run(
            [
                "emacsclient",
                "-s",
                self._socket,
                "--eval",
                f"(cw-reply {_lisp(str(self._answer))} {form})",
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (
            done.stdout + done.stderr + self._screen.decode(errors="replace")
        )
        answer = json.loads(self._answer.read_text(encoding="utf-8"))
        assert "error" not in answer, f"{form}: {answer['error']}"
        return answer["value"]

    def _type(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def open(self, file: Path) -> None:
        self._ask(f"(progn (find-file {_lisp(str(file))}) nil)")
        self._type(b"\x0c")  # C-l: eglot starts behind the first command in a buffer
        until("the server is attached", lambda: self.server() is not None)

    def text(self) -> str:
        return str(self._ask("(buffer-substring-no-properties (point-min) (point-max))"))

    def go(self, needle: str, inside: int = 0) -> None:
        self._ask(f"(cw-go {_lisp(needle)} {inside})")

    def findings(self) -> list[Shown]:
        return [
            Shown(code, message, marked, (start, end))
            for code, message, marked, start, end in self._ask("(cw-findings)")
        ]

    def hints(self) -> list[str]:
        return list(self._ask("(cw-hints)"))

    def lenses(self) -> dict[str, str] | None:
        return None

    def hover(self) -> str:
        self._ask("(progn (cw-ask-hover) nil)")
        return str(until("a hover", lambda: self._ask("cw-hovered")))

    def actions(self) -> list[str]:
        return list(self._ask("(cw-actions)"))

    def apply(self, title: str) -> None:
        before = self.text()
        offered = self._ask(f"(cw-actions {_lisp(title)})")
        assert any(one.startswith(title) for one in offered), offered
        until("the edit", lambda: self.text() != before)

    def outline(self) -> list[str]:
        return list(self._ask("(cw-outline)"))

    def completions(self) -> list[str]:
        return list(self._ask("(cw-completions)"))

    def replace(self, old: str, new: str) -> None:
        self._ask(f"(cw-replace {_lisp(old)} {_lisp(new)})")

    def save(self) -> None:
        self._ask("(progn (save-buffer) nil)")

    def configure(self, values: dict[str, Any]) -> None:
        self._ask(
            f"(progn (setq-default eglot-workspace-configuration '(:cachewise {_lisp(values)}))"
            " (call-interactively #'eglot-signal-didChangeConfiguration) nil)"
        )

    def settings(self) -> dict[str, Any]:
        return self._ask("(plist-get (default-value 'eglot-workspace-configuration) :cachewise)")

    def hints_anew(self) -> None:
        self._ask("(progn (eglot-inlay-hints-mode -1) (eglot-inlay-hints-mode 1) nil)")

    def agreed_encoding(self) -> str:
        return str(self._ask("(eglot-server-capable :positionEncoding)"))

    def commands(self) -> list[str]:
        return list(self._ask("(eglot-server-capable :executeCommandProvider :commands)"))

    def run(self, command: str, arguments: list[Any]) -> None:
        # The page has a function for it, which puts the file's URI in front by itself.
        rest = " ".join(map(_lisp, arguments[1:]))
        self._ask(f"(progn (cachewise-command {_lisp(command)} {rest}) nil)")

    def messages(self) -> str:
        return str(self._ask("(cw-messages)"))

    def server(self) -> int | None:
        return self._ask("(cw-server)")

    def restart(self) -> None:
        before = self.server()
        if before is None:
            self._ask("(progn (call-interactively #'eglot) nil)")
        else:
            self._ask("(progn (call-interactively #'eglot-reconnect) nil)")
        until("another server", lambda: self.server() not in (None, before))

    def stop(self) -> None:
        try:
            self._ask("(progn (cw-quit) nil)")
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(5)
            os.close(self._terminal)
            self._runtime.cleanup()


def _lisp(value: Any) -> str:
    """A value of JSON as eglot writes it in Lisp."""
    if isinstance(value, bool):
        return "t" if value else ":json-false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "(" + " ".join(f":{name} {_lisp(inner)}" for name, inner in value.items()) + ")"
    if isinstance(value, list):
        return "[" + " ".join(map(_lisp, value)) + "]"
    return str(value)
