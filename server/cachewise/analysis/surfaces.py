"""What the editor shows, as plain data. Every offset is a document offset in code points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cachewise.analysis.document import LocatedFinding
from cachewise.syntax.json_edit import Edit

HintKind = Literal["breakpoint", "block", "tail"]


@dataclass(frozen=True, slots=True)
class Hint:
    """An inlay hint behind the character at ``at - 1``; ``tooltip`` is Markdown."""

    at: int
    label: str
    tooltip: str
    kind: HintKind


@dataclass(frozen=True, slots=True)
class Lens:
    """A line of text above a span; ``command`` is empty or one that the editor knows."""

    start: int
    end: int
    title: str
    command: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about a span."""

    start: int
    end: int
    markdown: str


ActionKind = Literal["quickfix", "refactor", "refactor.rewrite", "source.fixAll.cachewise"]


@dataclass(frozen=True, slots=True)
class Action:
    """A change that the user can choose; ``finding`` is what a quick fix answers."""

    title: str
    kind: ActionKind
    edits: tuple[Edit, ...]
    finding: LocatedFinding | None = None
    preferred: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """A text offered in place of the span; ``detail`` is plain, ``documentation`` Markdown."""

    start: int
    end: int
    label: str
    insert: str
    detail: str
    documentation: str
    kind: Literal["property", "value"]
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of the outline: the whole span, and the span to select."""

    name: str
    detail: str
    kind: Literal["request", "section", "turn", "block"]
    start: int
    end: int
    select_start: int
    select_end: int
    children: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The request under the cursor in one line, for a status bar."""

    label: str
    tooltip: str
    tokens: int
    next_call: str | None
    model: str | None
