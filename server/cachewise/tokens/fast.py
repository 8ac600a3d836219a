"""Token estimates without any vocabulary: a few microseconds a text, with an honest interval.

An estimate is a weighted sum of what can be counted at the speed of C: words, letters, digits,
punctuation, blanks, and characters by script. The weights and the width of the interval are data
(``fast.toml``), fitted by ``scripts/calibrate_tokens.py`` on texts whose counts are known exactly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import ceil, floor, sqrt

FEATURES = (
    "words",
    "letters",
    "rare_letters",
    "capitals",
    "capital_starts",
    "digits",
    "digit_runs",
    "marks",
    "mark_runs",
    "lines",
    "indents",
    "spaces",
    "latin",
    "greek",
    "cyrillic",
    "hebrew_arabic",
    "indic",
    "other_alphabets",
    "symbols",
    "kana",
    "han",
    "hangul",
    "wide_forms",
    "astral",
    "foreign_words",
    "common_words",
)
"""What is counted, in the order of the weights."""

MOSTLY_ASCII = 0.9
"""The share of ASCII above which a text takes ``spread``, and not ``spread_other``."""

SAMPLE = 32_768
"""Characters above which a text is sampled instead of read: a megabyte then costs what 32 kB do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One family's fit: tokens per feature, and how far a count may lie from the estimate.

    ``spread`` is the share of the estimate for texts mostly in ASCII, ``spread_other`` for the
    rest; ``scatter`` is multiplied by the square root of the estimate, and rules short texts.
    """

    values: tuple[float, ...]
    spread: float
    spread_other: float
    scatter: float


def estimate(text: str, family: str) -> tuple[int, int, int]:
    """Content tokens of ``text`` as ``(estimate, low, high)``; the family must be in fast.toml."""
    weights = load_weights()[family]
    counts, scale = _measure(text)
    tokens = scale * sum(
        count * value for count, value in zip(counts, weights.values, strict=True) if count
    )
    mostly = ascii_share(counts) > MOSTLY_ASCII
    spread = weights.spread if mostly else weights.spread_other
    width = tokens * spread + weights.scatter * sqrt(tokens)
    if scale > 1:
        width += 0.04 * tokens
    least = 1 if text else 0
    middle = max(least, round(tokens))
    return middle, max(least, floor(tokens - width)), max(middle, ceil(tokens + width))


def ascii_share(counts: Sequence[float]) -> float:
    """Of the characters counted in a text's features, the share that is ASCII."""
    inside = counts[1] + counts[5] + counts[7] + 1
    return inside / (inside + sum(counts[12:24]))


def features(text: str) -> tuple[int, ...]:
    """The counts named in :data:`FEATURES`. Each character outside ASCII is counted once."""
    data = text.encode("utf-8", "replace")
    kinds = data.translate(_KINDS, _CONTINUATION)
    count = kinds.count
    rare, capitals, digits = count(b"q"), count(b"A"), count(b"0")
    marks, lines, spaces = count(b"."), count(b"\n"), count(b" ")
    scripts = [count(letter) for letter in _SCRIPTS]
    words = kinds.translate(_WORDS).split()
    foreign = 0 if len(kinds) == len(data) else len(kinds.translate(_FOREIGN).split())
    return (
        len(words),
        sum(map(len, words)),
        rare,
        capitals,
        count(b"aA"),
        digits,
        len(kinds.translate(_DIGITS).split()),
        marks,
        len(kinds.translate(_MARKS).split()),
        lines,
        count(b"\n "),
        spaces,
        *scripts,
        foreign,
        sum(map(data.count, _COMMON)),
    )


@cache
def load_weights() -> dict[str, Weights]:
    """The fits by family, from the packaged data."""
    document = tomllib.loads(
        files("cachewise.tokens").joinpath("fast.toml").read_text(encoding="utf-8")
    )
    return {
        family: Weights(
            tuple(float(fit["weights"].get(name, 0.0)) for name in FEATURES),
            float(fit["spread"]),
            float(fit["spread_other"]),
            float(fit["scatter"]),
        )
        for family, fit in document["families"].items()
    }


def _measure(text: str) -> tuple[tuple[int, ...], float]:
    """The features of the text, or of an even sample of it and by how much to multiply them."""
    if len(text) <= SAMPLE:
        return features(text), 1.0
    parts = 16
    size = SAMPLE // parts
    step = (len(text) - size) / (parts - 1)
    sample = "\n".join(text[int(step * n) : int(step * n) + size] for n in range(parts))
    return features(sample), len(text) / (size * parts)


def _classes() -> bytes:
    """Each byte's kind as one letter; a character outside ASCII has the kind of its first byte."""
    table = bytearray(b"." * 256)
    for start, stop, kind in (
        ("a", "z", "a"),
        ("A", "Z", "A"),
        ("0", "9", "0"),
        ("\t", "\r", "\n"),
        (" ", " ", " "),
    ):
        table[ord(start) : ord(stop) + 1] = kind.encode() * (ord(stop) - ord(start) + 1)
    table[ord("\t")] = ord(" ")
    for letter in "jkqvwxyz":
        table[ord(letter)] = ord("q")
    for (first, kind), (after, _) in pairwise(_FIRST_BYTES):
        table[first:after] = kind.encode() * (after - first)
    return bytes(table)


def _only(kept: str) -> bytes:
    """A table that leaves the named kinds and turns all others into blanks, for ``split``."""
    return bytes(byte if byte in kept.encode() else 32 for byte in range(256))


_FIRST_BYTES = (
    (0xC2, "S"),
    (0xC3, "L"),
    (0xCC, "J"),
    (0xCE, "G"),
    (0xD0, "C"),
    (0xD4, "J"),
    (0xD6, "H"),
    (0xDC, "J"),
    (0xE0, "I"),
    (0xE1, "J"),
    (0xE2, "S"),
    (0xE3, "K"),
    (0xE4, "Z"),
    (0xEA, "N"),
    (0xEE, "W"),
    (0xF0, "E"),
    (0x100, ""),
)
_SCRIPTS = (b"L", b"G", b"C", b"H", b"I", b"J", b"S", b"K", b"Z", b"N", b"W", b"E")
_COMMON = (b" the ", b" of ", b" and ", b" to ", b" in ", b" is ", b" a ", b" for ")
"""English words: a text that has them is cheaper by the word than other text in Latin letters."""

_KINDS = _classes()
_CONTINUATION = bytes(range(0x80, 0xC0))
_WORDS = _only("aqAL")
_DIGITS = _only("0")
_MARKS = _only(".")
_FOREIGN = _only("GCHIJN")
