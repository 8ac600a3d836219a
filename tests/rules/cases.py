"""Reads the cases of the Markdown files in this folder, and runs the rules on a text.

A file begins with settings between two ``---`` lines: ``rules`` (the codes that its cases look
at), ``today``, ``platform``, ``model``, ``traffic`` (``10m,20``). Every ``##`` section is a case; a
line ``Settings: key = value; …`` in it changes settings for that case alone. Its first fence holds
the text, with what is expected on lines of their own, below the line that they speak of:

    //   ^^^^ error[CW102] ttl-order: part of the message
    //   ---- related[CW102] part of the message

The carets mark the exact span; ``>`` behind the last one says that it goes on in the next lines.
Every such finding must occur, and no other. Related places are compared for a code as soon as one
of that code is written down. These lines are taken out before the text is read. A second fence
``after`` holds the text as the first fix that touches markers alone leaves it, ``fixed`` as such
fixes leave it when no more applies.

``<the harbour rules, 3000 tokens>`` in a text stands for prose of about that length, and
``{{repeat:Some words. :300}}`` for those words so many times, so that a case about long prefixes
stays short; both are spelled out before the text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from pathlib import Path

from cachewise.analysis import Document, LocatedFinding, Options
from cachewise.caching.cost import Traffic
from cachewise.catalog import builtin
from cachewise.settings import Settings, seconds
from cachewise.syntax.json_edit import apply_edits

TODAY = date(2026, 11, 21)
FOLDER = Path(__file__).parent

_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_FENCE = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SETTING = re.compile(r"^Settings: (.*)$", re.MULTILINE)
_MARKER = re.compile(
    r"//(?P<space> *)(?:(?P<carets>\^+)(?P<more>>?) (?P<severity>error|warning|info)"
    r"\[(?P<code>CW\d+)\] (?P<name>[a-z-]+): (?P<text>.+)"
    r"|(?P<dashes>-+)(?P<related_more>>?) related\[(?P<related>CW\d+)\] (?P<related_text>.+))"
)


@dataclass(frozen=True)
class Expected:
    """A finding or a related place that must occur; ``end`` None: it ends in a later line."""

    line: int
    start: int
    end: int | None
    code: str
    text: str
    severity: str = ""
    name: str = ""


@dataclass(frozen=True)
class Case:
    """One section of a file."""

    id: str
    settings: Mapping[str, str]
    format: str
    source: str
    expected: tuple[Expected, ...]
    related: tuple[Expected, ...]
    after: str | None
    fixed: str | None


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file; a section without a fence is an error of the file."""
    text = path.read_text("utf-8")
    front = _FRONT.match(text)
    assert front is not None, f"{path.name} has no settings at its top"
    shared = dict(line.split(": ", 1) for line in front[1].splitlines())
    for section in re.split(r"^## ", text[front.end() :], flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        fences = _FENCE.findall(body)
        assert fences, f"{path.name}: {title}: no fence"
        format, _, source = fences[0]
        named = {kind: fence for _, kind, fence in fences[1:]}
        assert set(named) <= {"after", "fixed"}, f"{path.name}: {title}: {sorted(named)}"
        own = _SETTING.search(body)
        extra = dict(pair.split(" = ", 1) for pair in own[1].split("; ")) if own else {}
        plain, expected, related = _without_markers(source)
        yield Case(
            f"{path.stem}: {title}",
            {**shared, **extra},
            format,
            spelled_out(plain),
            expected,
            related,
            spelled_out(named["after"]) if "after" in named else None,
            spelled_out(named["fixed"]) if "fixed" in named else None,
        )


def spelled_out(text: str) -> str:
    """A text with each ``<…, N tokens>`` and each ``{{repeat:…:N}}`` written out."""
    text = _REPEAT.sub(lambda found: found[1] * int(found[2]), text)
    return _LENGTH.sub(lambda found: " ".join(islice(cycle(_PROSE.split()), int(found[1]))), text)


_REPEAT = re.compile(r"\{\{repeat:([^{}]*):(\d+)\}\}")
_LENGTH = re.compile(r"<[^<>]*, (\d+) tokens>")
_PROSE = (
    "The harbour master keeps one book for the ships that come in and one for those that leave "
    "and he reads both of them every day before the first gate is opened to the river ."
)


def _without_markers(source: str) -> tuple[str, tuple[Expected, ...], tuple[Expected, ...]]:
    kept: list[str] = []
    expected: list[Expected] = []
    related: list[Expected] = []
    for line in source.splitlines(keepends=True):
        found = _MARKER.fullmatch(line.rstrip("\n"))
        if found is None:
            kept.append(line)
            continue
        start = 2 + len(found["space"])
        width = len(found["carets"] or found["dashes"])
        end = None if found["more"] or found["related_more"] else start + width
        row = len(kept) - 1
        if found["carets"]:
            expected.append(
                Expected(
                    row, start, end, found["code"], found["text"], found["severity"], found["name"]
                )
            )
        else:
            related.append(Expected(row, start, end, found["related"], found["related_text"]))
    return "".join(kept), tuple(expected), tuple(related)


def options(settings: Mapping[str, str], *, rules: str | None = None) -> Options:
    """Options of an analysis for settings as the files write them."""
    selected = rules or settings.get("rules", "")
    return Options(
        builtin(),
        Settings(
            platform=settings.get("platform"),
            model=settings.get("model"),
            select=tuple(code.strip() for code in selected.split(",") if code.strip()),
            traffic=_traffic(settings.get("traffic", "")),
        ),
        date.fromisoformat(settings["today"]) if "today" in settings else TODAY,
    )


def _traffic(written: str) -> Traffic | None:
    """``10m,20`` as twenty calls, one every ten minutes."""
    if not written:
        return None
    every, calls = written.split(",")
    return Traffic(seconds(every), int(calls), 0)


def find(source: str, opts: Options, format: str = "json") -> list[LocatedFinding]:
    """What the rules say about a text."""
    return Document(source, format, opts).findings()


def fixed_once(source: str, found: list[LocatedFinding]) -> str | None:
    """The text after the first fix that touches markers alone, or None when there is none."""
    for one in found:
        for fix in one.finding.fixes:
            if fix.marker_only:
                base = one.located.base
                return apply_edits(
                    source,
                    tuple(
                        type(edit)(edit.start + base, edit.end + base, edit.new)
                        for edit in fix.edits
                    ),
                )
    return None


def fixed_fully(
    source: str, opts: Options, format: str = "json", *, limit: int = 60
) -> tuple[str, list[LocatedFinding]]:
    """The text when no fix of an error or a warning applies any more, and what is left to say."""
    for _ in range(limit):
        found = find(source, opts, format)
        fixable = [one for one in found if one.finding.severity != "info"]
        fixed = fixed_once(source, fixable)
        if fixed is None:
            return source, found
        assert fixed != source, "a fix that changes nothing"
        source = fixed
    raise AssertionError(f"still fixing after {limit} rounds:\n{source}")
