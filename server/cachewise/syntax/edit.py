"""A change to a text, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Read = Callable[[int, int], str]
"""``read(a, b)`` gives the source between two offsets."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from ``start`` to ``end`` by ``new``."""

    start: int
    end: int
    new: str


def apply_edits(source: str, edits: tuple[Edit, ...]) -> str:
    """A text with edits applied that do not overlap; their offsets count from its start."""
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        source = source[: edit.start] + edit.new + source[edit.end :]
    return source
