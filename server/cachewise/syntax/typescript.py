"""Requests in TypeScript and JavaScript: calls of SDKs, object literals, markers that are set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cachewise.syntax.grammar import Trees, parse
from cachewise.syntax.region import Region
from cachewise.syntax.source import Draft, Listing, Mapping, Member
from cachewise.syntax.source_regions import (
    ANTHROPIC,
    BODIES,
    CHAT,
    CONVERSE,
    MARKER_KEYS,
    RESPONSES,
    VERCEL,
    Finder,
    carries_marker,
    keys_of,
    looks_like_marker,
    read_regions,
)
from cachewise.syntax.typescript_values import STYLE, TypeScript

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

_CALLS: tuple[tuple[re.Pattern[str], str, frozenset[str]], ...] = (
    (
        re.compile(r"(?:^|\.)messages\.(?:create|stream|countTokens|parse|toolRunner)$"),
        ANTHROPIC,
        frozenset({"messages", "system", "tools"}),
    ),
    (
        re.compile(r"(?:^|\.)completions\.(?:create|parse|stream|runTools)$"),
        CHAT,
        frozenset({"messages"}),
    ),
    (re.compile(r"(?:^|\.)responses\.(?:create|parse|stream)$"), RESPONSES, frozenset({"input"})),
    (
        re.compile(r"^(?:generateText|streamText|generateObject|streamObject)$"),
        VERCEL,
        frozenset({"messages"}),
    ),
    (
        re.compile(r"^(?:\w+\.)?Converse(?:Stream)?Command$"),
        CONVERSE,
        frozenset({"messages", "system"}),
    ),
)
"""What is called or constructed, the shape of its request, keys of which one must be there."""


def regions_of_typescript(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a TypeScript text."""
    return _regions("typescript", source, trees)


def regions_of_tsx(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a text that may hold JSX: ``.tsx``, and every JavaScript."""
    return _regions("tsx", source, trees)


_SIGNS = {
    "messages": "",
    "completions": "",
    "responses": "",
    "generateText": "",
    "streamText": "",
    "generateObject": "",
    "streamObject": "",
    "Converse": "",
    "cache_control": "",
    "cacheControl": "",
    "anthropic_version": "",
    "contents": "",
    "custom_id": "",
    "providerOptions": "",
    "system": r"[\"']?\s*[:,}/]",
    "input": r"[\"']?\s*[:,}/]",
}


def _regions(language: str, source: str, trees: Trees | None) -> list[Region]:
    parsed = parse(language, source, trees)
    values = TypeScript(parsed)

    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        if node.type in ("call_expression", "new_expression"):
            return _call(values, node)
        if node.type == "object":
            written = {
                values.source(key).strip("\"'")
                for child in node.named_children
                for key in (child.child_by_field_name("key") if child.type == "pair" else child,)
                if key is not None
            }
            if any(needed <= written for needed in BODIES):
                draft = values.value(node, values.frame_of(node))
                if isinstance(draft, Mapping) and _is_list(draft):
                    return draft, ""
        return None

    def marker(node: SyntaxNode) -> Draft | None:
        return _marker(values, node)

    def beside(node: SyntaxNode) -> list[SyntaxNode]:
        called = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        others = arguments.named_children[1:] if arguments is not None else []
        return [*([called] if called is not None else []), *others]

    return read_regions(values, Finder(STYLE, _SIGNS, request, marker, beside))


def _is_list(draft: Mapping) -> bool:
    """Whether an object's messages are a list with something in it: a state's often are not."""
    return all(
        isinstance(member.value, Listing) and bool(member.value.items)
        for member in draft.members
        if member.key in ("messages", "contents")
    )


def _call(values: TypeScript, node: SyntaxNode) -> tuple[Draft, str] | None:
    called = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    arguments = node.child_by_field_name("arguments")
    if called is None or arguments is None or arguments.type != "arguments":
        return None
    if called.type not in ("member_expression", "identifier"):
        return None
    name = values.source(called).replace("?.", ".").replace("!", "")
    if len(name) > 200:
        return None
    for pattern, shape, needed in _CALLS:
        if pattern.search(name) is None or not arguments.named_children:
            continue
        first = next((one for one in arguments.named_children if one.type != "comment"), None)
        if first is None:
            return None
        draft = values.value(first, values.frame_of(first))
        if keys_of(draft) & needed:
            return draft, shape
    return None


def _marker(values: TypeScript, node: SyntaxNode) -> Draft | None:
    if node.type == "pair":
        key, around = node.child_by_field_name("key"), node.parent
        if key is None or around is None or around.type != "object":
            return None
        if values.source(key).strip("\"'") not in MARKER_KEYS:
            return None
        draft = values.value(around, values.frame_of(around))
        return draft if carries_marker(draft) else None
    if node.type != "assignment_expression":
        return None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return None
    key = left.child_by_field_name("property") or left.child_by_field_name("index")
    if key is None or values.source(key).strip("\"'`") not in MARKER_KEYS:
        return None
    value = values.value(right, values.frame_of(right))
    if not looks_like_marker(value):
        return None
    start, end = values.span(node)
    at, stop = values.span(key)
    name = values.source(key).strip("\"'`")
    return Mapping(start, end, "typescript-assignment", (Member(name, at, stop - at, value),))
