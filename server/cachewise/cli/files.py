"""From the paths of a command to texts: searching folders, reading, decoding, writing back."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cachewise.analysis.reference import RULE_NAMES, format_by_content, format_of
from cachewise.cli.output import InputError, error, warn
from cachewise.settings import Configuration, find_settings

PASSED_OVER = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox"}
)
"""Folders that hold other people's files or a tool's own."""

BIGGEST_IN_FOLDER = 64 * 1024 * 1024
"""Bytes; a file of a folder that is bigger is left alone unless it is named itself."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""In an order in which UTF-16's mark, the beginning of UTF-32's, comes after it."""

_LOOKED_AT = 8192
"""Bytes at a file's beginning that decide whether it is text."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read. ``file`` is None for standard input; ``named`` on the command line."""

    path: str
    file: Path | None
    named: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text without its byte-order mark, and what is needed to write it back.

    ``lossy``: it held invalid bytes, which the text shows as U+FFFD.
    """

    input: Input
    text: str
    format: str
    bom: bytes
    encoding: str
    lossy: bool


class Configurations:
    """The settings of each folder, each settings file read once and complained about once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, Configuration] = {}
        self._said: set[str] = set()

    def of(self, folder: Path) -> Configuration:
        """The settings that hold for the files of a folder."""
        known = self._by_folder.get(folder)
        if known is None:
            known = self._by_folder[folder] = find_settings(folder, rules=RULE_NAMES)
            # Folders under the same settings file share one object, and with it their analyses.
            for other in self._by_folder.values():
                if other.file is not None and other.file == known.file:
                    known = self._by_folder[folder] = other
                    break
            for problem in known.problems:
                if problem not in self._said:
                    self._said.add(problem)
                    warn(problem)
        return known


def find_inputs(
    paths: Sequence[str], stdin_name: str | None, configurations: Configurations
) -> tuple[list[Input], bool]:
    """The files that paths stand for, each once; and whether every path could be used.

    Raises ``InputError`` when standard input is asked for without a name.
    """
    found: dict[str, Input] = {}
    usable = True
    for path in paths:
        if path == "-":
            if stdin_name is None:
                raise InputError("Standard input has no format: give --stdin-filename NAME.")
            found["-"] = Input(stdin_name, None, True)
            continue
        file = Path(path)
        try:
            mode = file.stat().st_mode
        except (OSError, ValueError) as problem:
            error(f"{path}: {reason(problem)}.")
            usable = False
            continue
        if stat.S_ISDIR(mode):
            for item in _walk(file, configurations):
                found.setdefault(item.path, item)
        else:
            found[path] = Input(path, file, True)
    return list(found.values()), usable


def _walk(folder: Path, configurations: Configurations) -> Iterator[Input]:
    def unreadable(problem: OSError) -> None:
        warn(f"{problem.filename}: {reason(problem)}.")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        configuration = configurations.of(here)
        folders[:] = sorted(
            name
            for name in folders
            if name not in PASSED_OVER and not configuration.excludes(here / name, folder=True)
        )
        for name in sorted(names):
            if format_of(name) is None:
                continue
            file = here / name
            if not configuration.excludes(file):
                yield Input(str(file), file, False)


def read_source(item: Input) -> Source | None:
    """A file's text; None for what a folder's search passes over.

    Raises ``InputError`` with a sentence when a named file cannot be read or is no text.
    """
    data = _read_bytes(item)
    if data is None:
        return None
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", ""))
    if not encoding:
        encoding = "utf-8"
        if is_binary(data):
            if item.named:
                raise InputError(f"{item.path}: this is no text file.")
            return None
    text = data[len(bom) :].decode(encoding, "replace")
    lossy = "\ufffd" in text and text.encode(encoding) != data[len(bom) :]
    # A named file is read whatever its name; one that does not look like JSON holds no request.
    format = format_of(item.path) or format_by_content(text) or "json"
    return Source(item, text, format, bom, encoding, lossy)


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: a NUL, or a third of them neither UTF-8 nor printable."""
    head = data[:_LOOKED_AT]
    if b"\0" in head:
        return True
    return len(_ODD.findall(head.decode("utf-8", "replace"))) * 3 > len(head)


_ODD = re.compile(r"[\ufffd\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Bytes that are not UTF-8, and controls other than white space and escape."""


def _read_bytes(item: Input) -> bytes | None:
    if item.file is None:
        return sys.stdin.buffer.read()
    try:
        if not item.named:
            details = item.file.stat()
            if not stat.S_ISREG(details.st_mode):
                return None
            if details.st_size > BIGGEST_IN_FOLDER:
                size = details.st_size // (1024 * 1024)
                warn(f"{item.path}: passed over, because it has {size} MB; name it to read it.")
                return None
        return item.file.read_bytes()
    except (OSError, MemoryError) as problem:
        raise InputError(f"{item.path}: {reason(problem)}.") from problem


def write_back(source: Source, text: str) -> None:
    """Replace a file's text, atomically, with its byte-order mark, encoding and permissions.

    Raises ``InputError`` with a sentence when that cannot be done; the file is then as it was.
    """
    assert source.input.file is not None
    try:
        # A link stays a link: what it leads to is replaced.
        target = source.input.file.resolve()
        if not os.access(target, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        data = source.bom + text.encode(source.encoding)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            shutil.copymode(target, name)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as problem:
        raise InputError(f"{source.input.path}: not written: {reason(problem)}.") from problem


def reason(problem: BaseException) -> str:
    """Why a file cannot be used, as the end of a sentence."""
    if isinstance(problem, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(problem, PermissionError):
        return "permission denied"
    if isinstance(problem, MemoryError):
        return "it is too big for the memory of this machine"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror[:1].lower() + problem.strerror[1:]
    return str(problem)
