"""Applying fixes to a text until none is left."""

from __future__ import annotations

from cachewise.analysis.document import Document, LocatedFinding
from cachewise.analysis.overview import automatic_fix

MAX_ROUNDS = 50
"""More than any request needs; a fix that does not remove its finding ends here."""

_ORDER = {"error": 0, "warning": 1, "info": 2}

Change = tuple[int, int, str]
"""Characters from, up to, and what comes in their place; document offsets."""


def fixed(document: Document, *, unsafe: bool = False) -> tuple[str, int]:
    """The text with the first fix of each error and warning applied; and how many were.

    Each round answers one rule in each request, errors first, since what one rule changes may
    settle or move what another has to say. Fixes whose changes overlap wait for the next round.
    The document is edited on the way.
    """
    seen = {str(document.text)}
    applied = 0
    newline = _newline(str(document.text))
    for _ in range(MAX_ROUNDS):
        changes, count = fix_round(document, unsafe=unsafe)
        if not changes:
            break
        for start, end, new in sorted(changes, reverse=True):
            document.edit(start, end, new.replace("\n", newline) if "\r" not in new else new)
        text = str(document.text)
        if text in seen:
            break
        seen.add(text)
        applied += count
    return str(document.text), applied


def fix_round(document: Document, *, unsafe: bool = False) -> tuple[list[Change], int]:
    """The changes of one round, none of which meet, and how many findings they answer."""
    by_request: dict[int, list[LocatedFinding]] = {}
    for found in document.findings():
        by_request.setdefault(found.located.index, []).append(found)
    changes: list[Change] = []
    count = 0
    for findings in by_request.values():
        findings.sort(key=lambda found: (_ORDER[found.finding.severity], found.start))
        rule = ""
        taken: list[Change] = []
        for found in findings:
            fix = automatic_fix(found, unsafe=unsafe)
            if fix is None or (rule and found.finding.rule != rule):
                continue
            base = found.located.base
            wanted = [(base + edit.start, base + edit.end, edit.new) for edit in fix.edits]
            fresh = [change for change in wanted if change not in taken]
            if any(_overlap(one, other) for one in fresh for other in taken):
                continue
            rule = found.finding.rule
            taken += fresh
            count += 1
        changes += taken
    return changes, count


def _overlap(one: Change, other: Change) -> bool:
    """Whether two changes touch; two insertions at one place do, as their order would matter."""
    return one[0] <= other[1] and other[0] <= one[1]


def _newline(text: str) -> str:
    """The line break that new lines get: the first one of the text."""
    at = text.find("\n")
    if at < 0:
        return "\r" if "\r" in text else "\n"
    return "\r\n" if text[at - 1 : at] == "\r" else "\n"
