"""What the commands print, and how they say that something is wrong."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

from cachewise.report.visible import visible


class InputError(Exception):
    """Input or an option that cannot be used: one sentence, and exit status 2."""


def error(sentence: str) -> None:
    """Say on standard error what stopped a file or a command."""
    sys.stderr.write(f"cachewise: {visible(sentence)}\n")


def warn(sentence: str) -> None:
    """Say on standard error what is odd and stops nothing."""
    sys.stderr.write(f"cachewise: warning: {visible(sentence)}\n")


def say(sentence: str) -> None:
    """Tell on standard error what is about to be done."""
    sys.stderr.write(f"cachewise: {visible(sentence)}\n")


def wants_color(stream: TextIO) -> bool:
    """Whether to colour what goes to a stream, by NO_COLOR, FORCE_COLOR, TERM and the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Progress:
    """A line on a terminal's standard error that tells how far long work has come.

    It appears after half a second and leaves nothing behind. Elsewhere it does nothing.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._shown = 0.0
        self._on = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def step(self, done: int, of: int, name: str) -> None:
        """Tell the next step; cheap enough to be called for every file."""
        if not self._on:
            return
        now = time.monotonic()
        if now - self._began < 0.5 or now - self._shown < 0.1:
            return
        self._shown = now
        text = visible(f"{self._what} {done}/{of} {name}")[:78]
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = 0.0
