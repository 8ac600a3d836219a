"""What one command works out and the next one can use: files in the user's cache folder."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from cachewise.remote.folder import cache_folder, write_whole

LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is read; the largest that is written has half a million."""


class KeptFiles:
    """The files of a folder. What cannot be read is not there; what cannot be written is not kept.

    Whoever reads checks what was read: the folder may hold anything.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """A file's contents; None when there is none that can be read."""
        file = self._folder / name
        try:
            if not file.is_file() or file.stat().st_size > LARGEST:
                return None
            return file.read_bytes()
        except OSError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file, or leave all as it was."""
        with contextlib.suppress(OSError):
            write_whole(self._folder / name, data)


def kept_files(environment: Mapping[str, str]) -> KeptFiles | None:
    """The files of this user; None where the user has no home."""
    folder = cache_folder(environment)
    return None if folder is None else KeptFiles(folder)
