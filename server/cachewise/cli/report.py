"""``cachewise report``: findings, costs and cache maps as one self-contained HTML page."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cachewise.analysis import Document
from cachewise.analysis.cache_map import cache_maps
from cachewise.analysis.overview import file_report
from cachewise.cli.files import Source, reason
from cachewise.cli.output import InputError
from cachewise.cli.work import Work
from cachewise.report.cache_map_page import GENERATOR
from cachewise.report.html import MappedFile, html_pieces
from cachewise.report.model import FileReport, tally
from cachewise.report.text import plural

_HEAD = 1000
"""So many bytes of an older report hold the words by which it is known."""


def report(options: argparse.Namespace) -> int:
    """Write the page; 2 when a file cannot be read or the page cannot be written."""
    target = None if options.output == "-" else Path(options.output)
    if target is not None:
        _refuse_to_lose(target)
    work = Work(options.paths, options.stdin_filename)
    mapped: dict[str, MappedFile] = {}

    def look(_: Source, document: Document) -> FileReport:
        found = file_report(document)
        mapped[found.path] = MappedFile(found, cache_maps(document))
        return found

    files = work.reports(look)
    pieces = html_pieces([mapped[file.path] for file in files])
    if target is None:
        sys.stdout.writelines(pieces)
    else:
        _write(target, pieces)
        counts = tally(files)
        findings = plural(counts.errors + counts.warnings + counts.infos, "finding")
        where = f"{plural(counts.requests, 'request')} of {plural(counts.files, 'file')}"
        sys.stdout.write(f"{options.output}: {where}, {findings}.\n")
    return 2 if work.failed else 0


def _refuse_to_lose(target: Path) -> None:
    """Only an older report may be replaced: a slip of the keys must not cost a request."""
    try:
        if target.is_dir():
            raise InputError(f"{target}: this is a folder; name a file for the report.")
        if not target.exists():
            return
        if not target.is_file():
            raise InputError(f"{target}: this is no ordinary file; use -o - to write to a pipe.")
        with target.open("rb") as stream:
            head = stream.read(_HEAD).decode("utf-8", "replace")
    except OSError as problem:
        raise InputError(f"{target}: {reason(problem)}.") from problem
    if head and GENERATOR not in head:
        raise InputError(
            f"{target}: there is such a file, and it is no report of Cachewise, so it is left as "
            "it is. Name another file, or remove this one."
        )


def _write(target: Path, pieces: Iterable[str]) -> None:
    """Write the whole page or nothing: a reader never finds a half of it."""
    try:
        # A link stays a link: what it leads to is replaced.
        file = target.resolve()
        handle, name = tempfile.mkstemp(prefix=f".{file.name[:80]}.", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(pieces)
            Path(name).chmod(file.stat().st_mode & 0o777 if file.exists() else _new_mode())
            Path(name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as problem:
        raise InputError(f"{target}: not written: {reason(problem)}.") from problem


def _new_mode() -> int:
    """What a new file may do here: temporary files are made for their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
