"""How numbers, places and foreign text are written for people, in one place.

``escape`` is what stands between a prompt and the editor: names and texts of a request are hostile,
and Markdown made of them must show them and nothing else.
"""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from cachewise.analysis.document import Analyzed
from cachewise.catalog.model import Source
from cachewise.request.model import Block
from cachewise.tokens.count import Count

_SMALLEST = Decimal("0.0001")
_LARGE = Decimal(100)


def money(amount: Decimal) -> str:
    """USD with four decimals, two from 100 dollars on: ``$0.0414``, ``<$0.0001``, ``$1,234.50``."""
    if amount == 0:
        return "$0"
    if amount < 0:
        return f"-{money(-amount)}"
    if amount < _SMALLEST:
        return f"<${_SMALLEST}"
    step = Decimal("0.01") if amount >= _LARGE else _SMALLEST
    return f"${amount.quantize(step, ROUND_HALF_UP):,}"


def number(count: Count, at_least: bool = False) -> str:
    """A token count: ``11,034`` exact, ``~11,034`` inside an interval, ``≥ 11,034`` a lower bound.

    A lower bound is shown as the interval's lower end, so that it holds.
    """
    if at_least:
        return f"≥ {count.low:,}"
    return f"{count.estimate:,}" if count.low == count.high else f"~{count.estimate:,}"


def interval(count: Count, at_least: bool = False) -> str:
    """`` (10,900 to 11,200)`` behind a count that is not exact, else an empty text."""
    if at_least or count.low == count.high:
        return ""
    return f" ({count.low:,} to {count.high:,})"


def block_tokens(analyzed: Analyzed, block: int) -> int:
    """The estimated tokens of one block: what it adds to the running total."""
    prefixes = analyzed.plan.prefixes
    before = prefixes[block - 1].estimate if block else 0
    return prefixes[block].estimate - before


def block_name(block: Block) -> str:
    """A block in a few words, as plain text: ``tool get_weather``, ``text (user)``."""
    kind = shown(block.kind or "block", 40)
    if block.section == "tools":
        name = block.node.get_text("name")
        return f"{kind} {shown(name, 40)}" if name else kind
    role = shown(block.role, 20)
    return f"{kind} ({role})" if role and role != kind else kind


def shown(text: str, limit: int = 80) -> str:
    """Foreign text as one line of plain text: control and direction characters become spaces."""
    cut = text[: limit + 1]
    line = "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character for character in cut
    )
    line = " ".join(line.split())
    return line if len(text) <= limit else f"{line[:limit]}…"


_ESCAPED = {ord(mark): f"\\{mark}" for mark in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}


def escape(text: str, limit: int = 80) -> str:
    """Foreign text as one line of Markdown that shows it and does nothing.

    Every ASCII mark gets a backslash, dots and colons too, since an address becomes a link even
    without brackets.
    """
    return shown(text, limit).translate(_ESCAPED)


def source(given: Source | None) -> str:
    """Where a catalog value comes from, in a few words of Markdown, or an empty text.

    Only the first of several places is named; `cachewise models --format json` names all.
    """
    if given is None:
        return ""
    first, *others = given.what.split("; ")
    more = f" and {len(others)} more" if others else ""
    # A catalog's own words, which settings may have changed: what could act is still disarmed.
    words = "".join(f"\\{mark}" if mark in _ACTING else mark for mark in shown(first, 80))
    return f"{words}{more}, checked {given.checked.isoformat()}"


_ACTING = set("`*_[]<>!|\\:@")
