"""How a language writes members and literals, for changes in its own manner."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from cachewise.syntax.edit import Edit, Read
from cachewise.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Notation:
    """How a language writes objects of one form.

    ``member(name, value, quote)`` gives a member's source, ``literal(value, quote)`` that of a
    plain value. ``comment`` matches a comment. ``text_block(source, marker, quote)`` gives a list
    with one text block around the source of a string; ``marker`` is source too, or None. ``empty``
    is how "no value" is written. ``trailing``: a comma may stand behind the last member. The last
    three replace the general way, which is for members in one pair of brackets with commas between.
    """

    member: Callable[[str, str, str], str]
    literal: Callable[[Any, str], str]
    comment: re.Pattern[str]
    text_block: Callable[[str, str | None, str], str]
    empty: str
    trailing: bool = True
    add: Callable[[Read, Node, int, str, str], Edit] | None = None
    remove: Callable[[Read, Node, int, str], Edit] | None = None
    wrap: Callable[[Read, Node, int, str | None], Edit] | None = None


def plain_literal(value: Any, quote: str, words: tuple[str, str, str]) -> str:
    """A value of JSON as most languages write it; ``words`` are true, false and null."""
    if value is None:
        return words[2]
    if isinstance(value, bool):
        return words[0] if value else words[1]
    if isinstance(value, str):
        return quoted(value, quote)
    if isinstance(value, list):
        items = (plain_literal(item, quote, words) for item in cast(list[Any], value))
        return f"[{', '.join(items)}]"
    if isinstance(value, dict):
        members = (
            f"{quoted(str(key), quote)}: {plain_literal(item, quote, words)}"
            for key, item in cast(dict[Any, Any], value).items()
        )
        return "{" + ", ".join(members) + "}"
    return json.dumps(value)


def quoted(text: str, quote: str) -> str:
    """A string literal with the escapes that nearly all languages share."""
    source = json.dumps(text, ensure_ascii=False)
    if quote == '"':
        return source
    return quote + source[1:-1].replace('\\"', '"').replace(quote, f"\\{quote}") + quote
