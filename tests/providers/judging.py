"""Builds requests for each provider, and says what the rules find in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from itertools import cycle, islice
from typing import Any

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings

TODAY = date(2026, 11, 21)

Found = list[tuple[str, str, str]]
"""Code, severity and pointer of each finding."""

_PROSE = (
    "The harbour master keeps one book for the ships that come in and one for those that leave "
    "and he reads both of them every day before the first gate is opened to the river ."
)


def words(number: int) -> str:
    """Prose of so many words, nearly all of which are one token each."""
    return " ".join(islice(cycle(_PROSE.split()), number))


LONG = words(12_000)
"""More tokens than any minimum, by any count."""

SHORT = words(200)
"""Fewer tokens than any minimum, by any count."""

EPHEMERAL = {"type": "ephemeral"}
POINT = {"cachePoint": {"type": "default"}}


@cache
def _options(platform: str | None, model: str | None) -> Options:
    return Options(builtin(), Settings(platform=platform, model=model), TODAY)


def document(
    body: Any, *, platform: str | None = None, model: str | None = None, format: str = "json"
) -> Document:
    """A request (or a text) under the settings of one platform and model."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Document(text, format, _options(platform, model))


def judged(body: Any, **settings: Any) -> Found:
    """Everything that is found: information too, in the order of the text."""
    read = document(body, **settings)
    assert read.requests, "no request is seen in this"
    return [
        (one.finding.code, one.finding.severity, one.finding.pointer) for one in read.findings()
    ]


def at_the_edge(count: Callable[[str], tuple[int, int]], minimum: int) -> tuple[str, str]:
    """Two texts: one counted as ``minimum`` at least, one as one token less at most.

    ``count`` gives the bounds of a text's tokens with whatever stands around it.
    """
    low, high = 0, 4 * minimum
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if count(words(middle))[0] >= minimum else (middle, high)
    near = [
        words(number) + end for number in range(high + 2, 0, -1) for end in ("", ".", " a", "\n\nB")
    ]
    enough = next(one for one in near if count(one)[0] == minimum)
    under = next(one for one in near if count(one)[1] == minimum - 1)
    return enough, under
