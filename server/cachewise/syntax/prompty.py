"""The roles of a chat template: Prompty's ``system:`` lines and dotprompt's ``{{role "user"}}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(
    r"^[ \t]*#{0,3}[ \t]*(?P<role>system|user|assistant|function|tool|developer|model)"
    r"[ \t]*(?:\[[^\]\r\n]*\])?[ \t]*:[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_HELPER = re.compile(
    r"\{\{~?\s*role\s+[\"'](?P<role>\w+)[\"']\s*~?\}\}|(?P<history>\{\{~?\s*history\s*~?\}\})"
)


@dataclass(frozen=True, slots=True)
class Section:
    """What one role says: the offsets of its text, without the white space around it."""

    role: str
    start: int
    end: int


def sections_by_line(source: str, start: int, end: int) -> list[Section]:
    """The sections of a Prompty template; a text before the first role is the system's."""
    found = list(_LINE.finditer(source, start, end))
    return list(_sections(source, start, end, found, "system"))


def sections_by_helper(source: str, start: int, end: int) -> list[Section]:
    """The sections of a dotprompt template; a text before the first role is the user's.

    ``{{history}}`` stands for the turns so far: behind it the model's part is over.
    """
    found = list(_HELPER.finditer(source, start, end))
    return list(_sections(source, start, end, found, "user"))


def _sections(
    source: str, start: int, end: int, found: list[re.Match[str]], first: str
) -> Iterator[Section]:
    role = first
    at = start
    for match in found:
        yield from _section(source, role, at, match.start())
        named = match["role"]
        role = "user" if named is None else _ROLES.get(named.lower(), named.lower())
        at = match.end()
    yield from _section(source, role, at, end)


_ROLES = {"model": "assistant", "developer": "system", "function": "tool"}


def _section(source: str, role: str, start: int, end: int) -> Iterator[Section]:
    text = source[start:end]
    inner = text.strip()
    if inner:
        first = start + len(text) - len(text.lstrip())
        yield Section(role, first, first + len(inner))
