"""Two requests side by side, opened at the first difference that the cache sees."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cachewise.analysis.document import Document, Located, Options
from cachewise.analysis.steps import Summary, TraceStep, replay_requests
from cachewise.syntax.json import scan
from cachewise.syntax.tree import plain_value, resolve_pointer
from cachewise.text import Text


@dataclass(frozen=True, slots=True)
class Side:
    """One of two requests: what to call it, its body as indented JSON, and the line to show."""

    title: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An earlier request and a later one; ``sentence`` says what the later one still reads."""

    earlier: Side
    later: Side
    sentence: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A request that one may choose: what to call it, what it is, and its document offset."""

    title: str
    detail: str
    start: int


def choices(document: Document) -> list[Choice]:
    """The requests of a document that can be compared with others."""
    return [
        Choice(
            f"request {located.index + 1}, line {document.text.position(located.base).line + 1}",
            f"{located.analyzed.plan.total.estimate:,} tokens"
            + (f" · {written}" if (written := located.analyzed.resolution.written) else ""),
            located.base,
        )
        for located in document.requests
        if not located.analyzed.request.configuration
    ]


def compare(
    document: Document, offset: int, other: tuple[Document, int] | None = None
) -> Comparison | None:
    """The request at an offset against an earlier one; None when there is nothing to compare.

    The earlier one is that at an offset of another document, or else the one of the same document
    that the request goes on from, or stands behind.
    """
    later = _at(document, offset)
    if later is None:
        return None
    if other is not None:
        earlier = _at(*other)
        title = other[0].path
    else:
        earlier = _earlier(document, later)
        title = document.path
    if earlier is None or earlier is later:
        return None
    step = _second_step(earlier, later, document.options)
    pointer = step.divergence.pointer if step.divergence is not None else ""
    return Comparison(
        earlier=_side(earlier, title, pointer),
        later=_side(later, document.path, pointer),
        sentence=reading(step, "" if other is None else "the other request"),
    )


def reading(step: TraceStep, earlier: str = "") -> str:
    """``reads 5,169 of 5,270 tokens from the request above``, or why it reads nothing.

    ``earlier`` is what to call the earlier request where it does not stand above this one.
    """
    figures = step.step
    reference = figures.reference
    if reference is None:
        return "no earlier request shares its prefix"
    distance = figures.call.index - reference.index
    above = earlier or ("the request above" if distance == 1 else f"the request {distance} above")
    if figures.best_effort:
        return f"reads at most {figures.billed.read:,} tokens from {above}"
    cached = reference.prefix.estimate
    if not cached:
        return f"{above} cached nothing"
    told = f"reads {figures.billed.read:,} of {cached:,} tokens from {above}"
    return f"{told} ({figures.reason})" if figures.reason else told


def _at(document: Document, offset: int) -> Located | None:
    requests = document.requests
    return document.request_at(offset) or (requests[0] if len(requests) == 1 else None)


def _earlier(document: Document, later: Located) -> Located | None:
    requests = document.requests
    steps = document.steps
    if later.index < len(steps):
        reference = steps[later.index].step.reference
        if reference is not None:
            return requests[reference.index]
    return requests[later.index - 1] if later.index else None


def _second_step(earlier: Located, later: Located, options: Options) -> TraceStep:
    *_, step = replay_requests((earlier, later), options, Summary(), together=True)
    return step


def _side(located: Located, path: str, pointer: str) -> Side:
    text = json.dumps(
        plain_value(located.analyzed.request.node), indent=2, ensure_ascii=False, allow_nan=True
    )
    name = path.replace("\\", "/").rpartition("/")[2] or "request"
    return Side(f"{name}, request {located.index + 1}", text, _line(text, pointer))


def _line(text: str, pointer: str) -> int:
    """The 0-based line at which the value of a pointer, or the nearest one around it, starts."""
    root = scan(text).node
    while root is not None and pointer:
        found = resolve_pointer(root, pointer)
        if found is not None:
            return Text(text).position(found[1]).line
        pointer = pointer.rpartition("/")[0]
    return 0
