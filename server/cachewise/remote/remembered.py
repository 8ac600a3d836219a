"""Counts that a provider has given before, so that the same request is not sent twice.

One line a count: the hash of what was sent and to whom, the number, the day. No prompt, no key and
no address can be read from it. A file that cannot be read or written costs only the memory.
"""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import date, timedelta
from pathlib import Path

from cachewise.remote.folder import write_whole

FILE = "counts.txt"

KEPT = timedelta(days=30)
"""A model's tokenizer stays, but hidden prompts change: older counts are asked for again."""

LARGEST = 1_000_000
"""Bytes; a longer file is cut to its newer half."""


def name_of(url: str, content: bytes, extra: str = "") -> str:
    """The name under which the count of a request is kept."""
    digest = hashlib.sha256()
    for part in (b"1", url.encode(), extra.encode(), content):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


class Remembered:
    """The counts in one folder. ``today`` decides which are still young enough."""

    def __init__(self, folder: Path, today: date) -> None:
        self._file = folder / FILE
        self._today = today
        self._lock = threading.Lock()
        self._counts: dict[str, int] | None = None

    def get(self, name: str) -> int | None:
        """The tokens kept under a name, or None."""
        with self._lock:
            if self._counts is None:
                self._counts = self._read()
            return self._counts.get(name)

    def put(self, name: str, tokens: int) -> None:
        """Keep a count."""
        line = f"{name} {tokens} {self._today.isoformat()}\n".encode()
        with self._lock:
            if self._counts is not None:
                self._counts[name] = tokens
            try:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if self._file.exists() and self._file.stat().st_size > LARGEST:
                    lines = self._file.read_bytes().splitlines(keepends=True)
                    write_whole(self._file, b"".join(lines[len(lines) // 2 :]))
                # One short write to the end: programs that run at once do not cut each other's.
                handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(handle, line)
                finally:
                    os.close(handle)
            except OSError:
                return

    def _read(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        try:
            with self._file.open("rb") as stream:
                data = stream.read(2 * LARGEST)
        except OSError:
            return counts
        oldest = (self._today - KEPT).isoformat()
        for line in data.decode("ascii", "replace").splitlines():
            parts = line.split(" ")
            if len(parts) == 3 and len(parts[0]) == 64 and parts[1].isdecimal():
                if oldest <= parts[2] <= self._today.isoformat() and len(parts[1]) < 10:
                    counts[parts[0]] = int(parts[1])
                else:
                    counts.pop(parts[0], None)
        return counts
