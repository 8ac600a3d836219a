"""The changes of markers that set breakpoints, and whether a changed text is what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from cachewise.analysis.document import Document
from cachewise.caching.canonical import block_digest
from cachewise.caching.place import Cut
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding
from cachewise.rules.markers import has_valid_ttl, misplacement, remove_mark
from cachewise.rules.placement import can_carry, insertion, marker_source
from cachewise.syntax.json_edit import Edit, set_member

if TYPE_CHECKING:
    from cachewise.analysis.place import Placement


def marker_edits(
    context: Context, findings: Sequence[Finding], cuts: Sequence[Cut]
) -> list[Edit] | None:
    """The changes of markers that leave exactly these breakpoints; None if two of them meet."""
    edits: list[Edit] = []
    wanted = {cut.block: cut for cut in cuts}
    done: set[int] = set()
    closing = {id(point.placed): point for point in context.plan.breakpoints}
    wrong = [
        finding.pointer
        for finding in findings
        if finding.severity == "error" and finding.code in _ABOUT_ONE
    ]
    marks = sorted(context.request.marks, key=lambda one: one.mark.place not in ("block", "point"))
    for placed_mark in marks:
        point = closing.get(id(placed_mark))
        block = placed_mark.block if point is None else point.block
        cut = wanted.get(block)
        clean = _is_clean(context, placed_mark, wrong)
        if cut is None or block in done:
            edits.append(remove_mark(context, placed_mark))
        elif point is not None and point.ttl == cut.ttl and clean:
            done.add(block)
        elif placed_mark.mark.place in ("block", "point"):
            edits += _rewritten(context, placed_mark, cut, clean)
            done.add(block)
        else:
            edits.append(remove_mark(context, placed_mark))
    for block, cut in wanted.items():
        if block not in done:
            if not can_carry(context, block):
                return None
            edits.append(insertion(context, block, cut.ttl))
    edits = list(dict.fromkeys(edits))
    edits.sort(key=lambda edit: (edit.start, edit.end))
    for edit, following in pairwise(edits):
        if following.start < edit.end or following.start == edit.start:
            return None
    return edits


def _is_clean(context: Context, placed_mark: PlacedMark, wrong: Sequence[str]) -> bool:
    """Whether a marker can stay as it is written; ``wrong`` are the pointers of errors."""
    return (
        placed_mark.mark.node.kind == "object"
        and misplacement(context, placed_mark) is None
        and (not placed_mark.mark.ttl or has_valid_ttl(context, placed_mark))
        and not any(pointer.startswith(placed_mark.pointer) for pointer in wrong)
    )


_ABOUT_ONE = {"CW103", "CW104", "CW106"}
"""Errors that are about a marker itself, and not about how many there are or in what order."""


def _rewritten(
    context: Context, placed_mark: PlacedMark, cut: Cut, clean: bool
) -> tuple[Edit, ...]:
    """The edits that give a marker another lifetime, or write it anew where it is wrong."""
    mark = placed_mark.mark
    if clean:
        return set_member(context.read, mark.node, placed_mark.start, "ttl", f'"{cut.ttl}"')
    owner = placed_mark.start - mark.start + mark.owner_start
    return set_member(context.read, mark.owner, owner, mark.key, marker_source(context, cut.ttl))


def is_as_meant(document: Document, answer: Placement, changed: Document) -> bool:
    """Whether a request holds the same in a changed text, closed where it was meant to be.

    Nor may the API reject it for its markers.
    """
    requests = changed.requests
    located = answer.located
    if len(requests) != len(document.requests):
        return False
    after, before = requests[located.index].analyzed, located.analyzed
    if [block_digest(block) for block in after.request.blocks] != [
        block_digest(block) for block in before.request.blocks
    ]:
        return False
    stands = {(point.block, point.ttl) for point in after.plan.breakpoints}
    if stands != {(point.cut.block, point.cut.ttl) for point in answer.points or ()}:
        return False
    return not any(
        finding.severity == "error" and finding.code.startswith("CW1") for finding in after.findings
    )
