"""Reads the labelled snippets of this folder, and compares what is found with the labels.

Each ``*.snippets`` file is Markdown (under another name, so that formatters leave it alone) with
snippets under ``##`` headings. Before a snippet's fence stands what must be found in it, one a line
and nothing else::

    - CW301 warning at `datetime.now()`
    - nothing

The words in quotes are those in whose line the finding must start (their first occurrence in the
snippet). ``RULES`` between double angle brackets stands for a long text of some 3,000 tokens. The
fence's language is the format; ``notebook`` is a program whose cells begin with ``# %%``, and is
read as an ``.ipynb`` file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings

FOLDER = Path(__file__).parent
RULES = "The harbour office keeps the list of waiting vessels and reads it out at noon. " * 200

_FENCE = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
_LABEL = re.compile(r"- (?:(CW\d+) (error|warning|info) at (`+)(.+?)\3|(nothing))")

Found = tuple[str, str, int]
"""Code, severity, 0-based line."""


@dataclass(frozen=True)
class Snippet:
    """A labelled snippet; ``requests`` is None when the label does not say how many there are."""

    id: str
    format: str
    source: str
    expected: tuple[Found, ...]


@dataclass(frozen=True)
class Score:
    """What was found rightly, wrongly, and not at all, over some snippets."""

    snippets: int
    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of findings that are right."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of what is there that is found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def read_snippets() -> list[Snippet]:
    """Every snippet of the folder."""
    return [snippet for path in sorted(FOLDER.glob("*.snippets")) for snippet in _read(path)]


def _read(path: Path) -> Iterator[Snippet]:
    for section in re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        fence = _FENCE.search(body)
        assert fence is not None, f"{path.name}: {title}: no fence"
        labels = [line for line in body[: fence.start()].splitlines() if line.strip()]
        assert labels, f"{path.name}: {title}: no label"
        source = fence[3].replace("<<RULES>>", RULES.strip())
        format = fence[2]
        if format == "notebook":
            source = _as_notebook(source)
        expected: list[Found] = []
        for line in labels:
            label = _LABEL.fullmatch(line.strip())
            assert label is not None, f"{path.name}: {title}: {line!r} is no label"
            if label[5] is None:
                expected.append((label[1], label[2], _line(source, label[4], format, title)))
        yield Snippet(f"{path.stem}: {title}", format, source, tuple(expected))


def _line(source: str, words: str, format: str, title: str) -> int:
    if format == "notebook":
        words = json.dumps(words, ensure_ascii=False)[1:-1]
    at = source.find(words)
    assert at >= 0, f"{title}: {words!r} is not in the snippet"
    return source.count("\n", 0, at)


def _as_notebook(program: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": cell.strip("\n").splitlines(keepends=True),
        }
        for cell in re.split(r"^# %%.*\n", program, flags=re.MULTILINE)
        if cell.strip()
    ]
    markdown = {"cell_type": "markdown", "metadata": {}, "source": ["# Notes\n", "Some words."]}
    notebook = {
        "cells": [markdown, *cells],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def options() -> Options:
    """The settings of a user who has none, on a fixed day."""
    return Options(builtin(), Settings(), date(2026, 11, 21))


def findings(snippet: Snippet, options: Options) -> list[Found]:
    """What is found in a snippet."""
    document = Document(snippet.source, snippet.format, options)
    return [
        (found.finding.code, found.finding.severity, document.text.position(found.start).line)
        for found in document.findings()
    ]


def compare(snippet: Snippet, found: list[Found]) -> tuple[Counter[Found], Counter[Found]]:
    """What was found wrongly, and what was missed."""
    expected, seen = Counter(snippet.expected), Counter(found)
    return seen - expected, expected - seen
