"""Where what was fetched is kept: the user's cache folder, by the custom of each system."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

NAME = "cachewise"


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder for this program's cached files; None where the user has no home.

    ``XDG_CACHE_HOME`` holds on every system when it is an absolute path, as its specification asks.
    """
    chosen = environment.get("XDG_CACHE_HOME", "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / NAME
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA", "")
        return Path(local) / NAME / "Cache" if local else None
    home = environment.get("HOME", "")
    if not home:
        return None
    if sys.platform == "darwin":
        return Path(home) / "Library" / "Caches" / NAME
    return Path(home) / ".cache" / NAME


def write_whole(file: Path, data: bytes) -> None:
    """Replace a file as a whole or not at all, readable by its user alone. Raises ``OSError``."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
