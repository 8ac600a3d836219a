"""What a test can do in an editor, whichever it is: open, look, move, apply, save."""

from __future__ import annotations

import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cachewise.text import Encoding

Value = TypeVar("Value")

PATIENCE = 30.0
"""Seconds to wait for what must come: far more than needed, for machines with much to do."""


def until(what: str, look: Callable[[], Value], seconds: float = PATIENCE) -> Value:
    """Look again and again until there is something, and return it."""
    end = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.03)
    return value


@dataclass(frozen=True)
class Shown:
    """A finding as the editor keeps it.

    ``marked`` is the text of the buffer under it, ``columns`` are where the server said that it
    begins and ends, in the units that were agreed on.
    """

    code: str
    message: str
    marked: str
    columns: tuple[int, int]


class Editor(ABC):
    """One running editor with the configuration of ``docs/editors`` and nothing else."""

    name: str
    encoding: Encoding
    """The position encoding that this editor asks for first."""
    suffixes: frozenset[str] | None = None
    """The ends of file names that it has a mode for; None: all of the documents'."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "work"
        """Where its files lie."""
        self.folder.mkdir()

    @staticmethod
    @abstractmethod
    def why_not() -> str | None:
        """Why there is no such editor to test with, or None."""

    @abstractmethod
    def open(self, file: Path) -> None:
        """Open a file as its user does, and wait for the server to have it."""

    @abstractmethod
    def text(self) -> str:
        """The text of the current buffer."""

    @abstractmethod
    def go(self, needle: str, inside: int = 0) -> None:
        """Move the cursor to a text, or to a character inside of it."""

    @abstractmethod
    def findings(self) -> list[Shown]:
        """What is marked in the current buffer."""

    @abstractmethod
    def hints(self) -> list[str]:
        """The inlay hints in the current buffer."""

    @abstractmethod
    def lenses(self) -> dict[str, str] | None:
        """The code lenses in the current buffer, title → command; None without such a thing."""

    @abstractmethod
    def hover(self) -> str:
        """The text that is shown about the place of the cursor."""

    @abstractmethod
    def actions(self) -> list[str]:
        """The titles of what can be done at the cursor."""

    @abstractmethod
    def apply(self, title: str) -> None:
        """Do the action whose title is, or begins with, the one given."""

    @abstractmethod
    def outline(self) -> list[str]:
        """The names of the document's symbols, with those inside of others."""

    @abstractmethod
    def completions(self) -> list[str]:
        """What is offered to complete the text at the cursor."""

    @abstractmethod
    def replace(self, old: str, new: str) -> None:
        """Edit the buffer: the first ``old`` becomes ``new``."""

    @abstractmethod
    def save(self) -> None:
        """Write the current buffer to its file."""

    @abstractmethod
    def configure(self, values: dict[str, Any]) -> None:
        """Change Cachewise's settings as the editor's page in the documentation says."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Cachewise's settings as the block of the editor's page writes them."""

    @abstractmethod
    def hints_anew(self) -> None:
        """Have hints asked for again, where the server cannot tell the editor to."""

    @abstractmethod
    def agreed_encoding(self) -> str:
        """The position encoding that editor and server have agreed on."""

    @abstractmethod
    def commands(self) -> list[str]:
        """The commands that the server says it can run."""

    @abstractmethod
    def run(self, command: str, arguments: list[Any]) -> None:
        """Have the server run a command."""

    @abstractmethod
    def messages(self) -> str:
        """What the editor has told its user so far."""

    @abstractmethod
    def server(self) -> int | None:
        """The process id of the server that serves the current buffer; None when there is none."""

    @abstractmethod
    def restart(self) -> None:
        """Restart the server, or start it again, as the editor's page says."""

    @abstractmethod
    def stop(self) -> None:
        """End the editor."""

    def show(self, name: str, text: str) -> Path:
        """Open a new file with this text in it."""
        file = self.folder / name
        file.write_bytes(text.encode())
        self.open(file)
        return file

    def finding(self, code: str) -> Shown:
        """Wait for the one finding with a code."""
        found = until(code, lambda: [item for item in self.findings() if item.code == code])
        assert len(found) == 1, found
        return found[0]

    def kill_server(self) -> None:
        """End the server without a word to it, and wait until the editor has seen it."""
        victim = self.server()
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        until("the editor has seen it", lambda: self.server() != victim)


def environment(home: Path) -> dict[str, str]:
    """The variables for an editor: nobody's own settings, and the ``cachewise`` of this Python.

    No provider's key is among them, so that nothing can be asked over the network.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NVIM", "VIM", "XDG_", "EMACS", "CACHEWISE_"))
        and not name.endswith(("_API_KEY", "_TOKEN"))
    }
    return {
        **kept,
        **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")},
        "XDG_CACHE_HOME": str(home / "cache"),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        # The pages say `cachewise`; here that is the one of the Python that runs the tests.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
