"""Requests in Java and Kotlin: the builders of Anthropic's SDK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cachewise.syntax.builder_values import Builders, Java, Kotlin
from cachewise.syntax.grammar import Trees, parse
from cachewise.syntax.region import Region
from cachewise.syntax.source import Draft
from cachewise.syntax.source_regions import (
    ANTHROPIC,
    Finder,
    carries_marker,
    keys_of,
    read_regions,
)

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

_REQUESTS = re.compile(r"(?:^|\.)(?:Message(?:Create|CountTokens)Params|Request\.Params)$")
_SIGNS = {
    "MessageCreateParams": "",
    "MessageCountTokensParams": "",
    "Request.Params": "",
    "cacheControl": "",
}


def regions_of_java(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Java text."""
    return _regions(Java(parse("java", source, trees)))


def regions_of_kotlin(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Kotlin text."""
    return _regions(Kotlin(parse("kotlin", source, trees)))


def _regions(values: Builders) -> list[Region]:
    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        if values.call_parts(node) is None:
            return None
        owner, calls = values.chain(node)
        if not owner or _REQUESTS.search(owner) is None:
            return None
        draft = values.built(node, owner, calls, values.frame_of(node))
        return (draft, ANTHROPIC) if keys_of(draft) & {"messages", "system", "tools"} else None

    def marker(node: SyntaxNode) -> Draft | None:
        call = values.call_parts(node)
        if call is None:
            return None
        owner, calls = values.chain(node)
        if not owner or not any(one.name == "cacheControl" for _, one in calls):
            return None
        draft = values.built(node, owner, calls, values.frame_of(node))
        return draft if carries_marker(draft) else None

    return read_regions(values, Finder(values.style, _SIGNS, request, marker))
