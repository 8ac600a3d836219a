"""Ordinary source code: no request where there is none, and next to no time to see that.

A sample of the standard library and of the installed packages is read; with
``CACHEWISE_WHOLE_LIBRARY=1`` in the environment all of it.
"""

from __future__ import annotations

import os
import random
import statistics
import sysconfig
import time
from datetime import date
from pathlib import Path

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.formats import format_of, may_hold_values, read_regions

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))
SAMPLE = 400
OWN = ("anthropic", "openai", "litellm", "cachewise")
"""Packages that are about requests, and so may hold some."""


def library() -> list[Path]:
    paths = sysconfig.get_paths()
    found: list[Path] = []
    for root in (Path(paths["stdlib"]), Path(paths["purelib"])):
        for file in sorted(root.rglob("*")):
            inside = file.relative_to(root).parts
            if root.name != "site-packages" and "site-packages" in inside:
                continue
            if file.suffix in (".py", ".pyi", ".sh", ".ipynb", ".http") and inside[0] not in OWN:
                found.append(file)
    if os.environ.get("CACHEWISE_WHOLE_LIBRARY") != "1":
        found = random.Random(20261121).sample(found, min(SAMPLE, len(found)))
    return found


def test_the_library_holds_no_request() -> None:
    files = library()
    assert len(files) > 100
    for file in files:
        format = format_of(file.name)
        assert format is not None
        document = Document(file.read_text("utf-8", "replace"), format, OPTIONS)
        assert not document.requests, file
        assert not document.findings(), file


def test_the_reader_itself_holds_against_the_library() -> None:
    """The cheap look aside: whatever the text, reading it raises nothing and finds nothing."""
    for file in library()[:60]:
        source = file.read_text("utf-8", "replace")
        if len(source) < 60_000:
            assert not [one for one in read_regions("python", source) if one.shape], file


def test_a_file_without_a_sign_costs_less_than_a_millisecond() -> None:
    taken: list[float] = []
    for file in library():
        source = file.read_text("utf-8", "replace")
        format = format_of(file.name)
        assert format is not None
        start = time.perf_counter()
        sign = may_hold_values(format, source)
        spent = time.perf_counter() - start
        if not sign:
            taken.append(spent)
    assert statistics.mean(taken) < 0.001
    assert statistics.quantiles(taken, n=100)[97] < 0.001
