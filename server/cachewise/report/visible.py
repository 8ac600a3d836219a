"""Text of a prompt made safe to show on a terminal.

A prompt may hold escape sequences that would recolour or rewrite the screen, and bidirectional
marks that would make a line read differently from what it is. Each such character is shown as its
escape (``\\x1b``, ``\\u202e``) instead.
"""

from __future__ import annotations

import unicodedata

TAB = "    "
"""How a tab is shown, so that an underline keeps its place."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, format characters (all bidirectional marks among them), lone surrogates, private and
unassigned code points, and the line and paragraph separators."""


def visible(text: str) -> str:
    """The text with every character that does not simply stand for itself written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def width(text: str) -> int:
    """How many terminal cells a visible text takes: two for wide characters, none for combining."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return TAB
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
