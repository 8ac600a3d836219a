"""Requests in Python source: SDK calls, dict literals, and markers that helpers set.

Expressions are followed as far as that can be done without running them: names to the module's
constants and to assignments in the same function, what is appended to a list and set in a dict on
the way, helpers of the same file that return what they are given. Everything else is a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cachewise.syntax.grammar import Parsed, Trees, parse
from cachewise.syntax.python_values import MAX_STEPS, STYLE, File, Scope
from cachewise.syntax.region import MARKER, Region
from cachewise.syntax.rereading import Finding, Record, read_items, regions_of
from cachewise.syntax.source import (
    Draft,
    Listing,
    Mapping,
    Member,
    Unknown,
    Written,
    build,
    region,
)
from cachewise.syntax.tree import Comment, Node

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

_ANTHROPIC = "anthropic-messages"
_CHAT = "chat-completions"
_CONVERSE = "bedrock-converse"
_RESPONSES = "openai-responses"

_CALLS: tuple[tuple[re.Pattern[str], str, frozenset[str]], ...] = (
    (
        re.compile(
            r"(?:^|\.)messages\.(?:with_(?:raw|streaming)_response\.)?"
            r"(?:create|stream|count_tokens|parse|tool_runner)$"
        ),
        _ANTHROPIC,
        frozenset({"messages", "system", "tools"}),
    ),
    (
        re.compile(r"(?:^|\.)MessageCreateParams(?:NonStreaming|Streaming|Base)?$"),
        _ANTHROPIC,
        frozenset({"messages"}),
    ),
    (
        re.compile(
            r"(?:^|\.)completions\.(?:with_(?:raw|streaming)_response\.)?(?:create|parse|stream)$"
        ),
        _CHAT,
        frozenset({"messages"}),
    ),
    (re.compile(r"(?:^|\.)a?(?:text_)?completion(?:_with_retries)?$"), _CHAT,
     frozenset({"messages"})),
    (re.compile(r"\.converse(?:_stream)?$"), _CONVERSE, frozenset({"messages", "system"})),
    (re.compile(r"(?:^|\.)responses\.(?:create|parse|stream)$"), _RESPONSES, frozenset({"input"})),
)  # fmt: skip
"""Calls of SDKs: what is called, the shape of the request, arguments of which one must be there."""

_BODIES = (
    {"messages"},
    {"model", "system"},
    {"modelId", "system"},
    {"anthropic_version"},
    {"model", "input"},
    {"contents"},
    {"custom_id", "params"},
    {"model", "prompt", "providerOptions"},
)
"""Keys of dicts that may be a request; its shape decides."""

_MARKER_KEYS = ("cache_control", "cacheControl")
_CARRIERS = {"text", "input_schema", "role", "source", "tool_use_id", "function", "content"}
"""Keys beside which even a marker that is no object is one."""


_QUOTE = "[\"']"
_SIGNS = {
    "messages": "[.\"']",
    "MessageCreateParams": "",
    "completion": "",
    ".converse": "",
    "responses.": "",
    "cache_control": "",
    "cacheControl": "",
    "cachewise:": "",
    "system": _QUOTE,
    "anthropic_version": _QUOTE,
    "input": _QUOTE,
    "contents": _QUOTE,
    "custom_id": _QUOTE,
    "providerOptions": _QUOTE,
}
"""Words of which every request, every marker and every comment for Cachewise has one, with what
follows there."""


def read_regions(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Python file, in order, and the markers that belong to none of them."""
    file = File(parse("python", source, trees))
    parsed = file.parsed
    # Most of a file has no sign in it, and need not be looked at.
    signs = parsed.signs(_SIGNS)

    def walk(
        item: SyntaxNode, owners: list[SyntaxNode], record: Record
    ) -> list[tuple[SyntaxNode, Scope]]:
        loose: list[tuple[SyntaxNode, Scope]] = []
        around = file.module
        for owner in owners:
            around = file.scope_of(owner, around)
        stack: list[tuple[SyntaxNode, Scope]] = [(item, around)]
        while stack:
            node, scope = stack.pop()
            kind = node.type
            if kind == "comment":
                record.comments.append(Comment(parsed.start(node), parsed.source(node)))
                continue
            inner = file.scope_of(node, scope)
            draft: Draft | None = None
            shape = ""
            if kind == "call":
                draft, shape = _call(file, node, scope)
            elif kind == "dictionary" and _is_body(parsed, node):
                draft = file.value(node, scope)
            elif kind in ("pair", "keyword_argument", "assignment"):
                loose.append((node, scope))
            if draft is not None:
                found = Finding(region(draft, STYLE, shape), tuple(_markers_in(draft)))
                model = _model_around(file, node, scope) if kind == "dictionary" else None
                if model is not None:
                    named, at = model
                    beside = replace(found.region, beside={"modelId": named})
                    found = replace(found, region=beside, beside=(("modelId", at),))
                record.requests.append(found)
                record.comments.extend(_comments_in(parsed, node))
                stack.extend((child, inner) for child in reversed(_strangers(node)))
                continue
            stack.extend((child, inner) for child in reversed(parsed.within(node, signs)))
        return loose

    def mark(loose: tuple[SyntaxNode, Scope]) -> Finding | None:
        draft = _lone_marker(file, *loose)
        if draft is None:
            return None
        return Finding(region(draft, STYLE, MARKER), tuple(_markers_in(draft)))

    return regions_of(read_items(file.reading, signs, file, MAX_STEPS, walk, mark))


def _model_around(file: File, node: SyntaxNode, scope: Scope) -> tuple[Node, int] | None:
    """The ``modelId`` of Bedrock's ``invoke_model``, whose ``body`` a dict is."""
    current = node.parent
    for _ in range(6):
        if current is None or current.type.endswith(("_statement", "block")):
            return None
        if current.type == "argument_list":
            for child in current.named_children:
                name = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                if name is not None and value is not None and file.parsed.source(name) == "modelId":
                    return build(file.value(value, scope), STYLE)
        current = current.parent
    return None


def _strangers(node: SyntaxNode) -> list[SyntaxNode]:
    """What stands in a request's source without being a part of it: the object that is called."""
    called = node.child_by_field_name("function")
    return [called] if called is not None else []


def _comments_in(parsed: Parsed, node: SyntaxNode) -> Iterator[Comment]:
    stack = [node] if "#" in parsed.source(node) else []
    while stack:
        current = stack.pop()
        if current.type == "comment":
            yield Comment(parsed.start(current), parsed.source(current))
        elif current.type != "string":
            stack.extend(current.named_children)


def _call(file: File, node: SyntaxNode, scope: Scope) -> tuple[Draft | None, str]:
    called = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if called is None or arguments is None or arguments.type != "argument_list":
        return None, ""
    if called.type not in ("attribute", "identifier"):
        return None, ""
    name = file.parsed.source(called)
    if len(name) > 200:
        return None, ""
    for pattern, shape, needed in _CALLS:
        if pattern.search(name) is None:
            continue
        draft = file.arguments(arguments, scope)
        keys = {member.key for member in draft.members}
        if keys & needed:
            return draft, shape
    return None, ""


def _is_body(parsed: Parsed, node: SyntaxNode) -> bool:
    keys: set[str] = set()
    for pair in node.named_children:
        if pair.type == "pair":
            key = pair.child_by_field_name("key")
            if key is not None and key.type == "string":
                keys.add(parsed.source(key).strip("\"'"))
    return any(needed <= keys for needed in _BODIES)


def _markers_in(draft: Draft) -> Iterator[int]:
    """Where the values of markers in a request are written."""
    stack: list[Draft] = [draft]
    while stack:
        current = stack.pop()
        if isinstance(current, Mapping):
            for member in current.members:
                if member.key in _MARKER_KEYS and not isinstance(member.value, Unknown):
                    yield member.key_start
                stack.append(member.value)
        elif isinstance(current, Listing):
            stack.extend(current.items)


def _lone_marker(file: File, node: SyntaxNode, scope: Scope) -> Draft | None:
    """The object around a marker that is written or assigned outside of every request."""
    parsed = file.parsed
    if node.type == "pair":
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if key is None or value is None or _plain(parsed, key) not in _MARKER_KEYS:
            return None
        around = node.parent
        if around is None or around.type != "dictionary":
            return None
        carrier = _keys_of(parsed, around) & _CARRIERS
        return _checked(file, around, scope, bool(carrier))
    if node.type == "keyword_argument":
        key, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        around = node.parent
        if key is None or around is None or parsed.source(key) not in _MARKER_KEYS:
            return None
        return _checked(file, around, scope, False)
    key, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    if key is None or value is None:
        return None
    if key.type == "subscript":
        named = key.child_by_field_name("subscript")
        name = _plain(parsed, named) if named is not None else ""
    elif key.type == "attribute":
        named = key.child_by_field_name("attribute")
        name = parsed.source(named) if named is not None else ""
    else:
        return None
    if named is None or name not in _MARKER_KEYS:
        return None
    marker = file.value(value, scope)
    if not _looks_like_marker(marker):
        return None
    start, end = parsed.start(node), parsed.end(node)
    member = Member(name, parsed.start(named), parsed.end(named) - parsed.start(named), marker)
    return Mapping(start, end, "python-assignment", (member,))


def _checked(file: File, around: SyntaxNode, scope: Scope, carrier: bool) -> Draft | None:
    if around.type == "dictionary":
        draft = file.value(around, scope)
    elif around.type == "argument_list":
        draft = file.arguments(around, scope)
    else:
        return None
    if not isinstance(draft, Mapping):
        return None
    for member in draft.members:
        if member.key in _MARKER_KEYS and (
            _looks_like_marker(member.value)
            or (carrier and not isinstance(member.value, Unknown | Listing))
        ):
            return draft
    return None


def _looks_like_marker(draft: Draft) -> bool:
    """An object with a ``type`` or a ``ttl``; ``Cache-Control`` of HTTP has neither."""
    if not isinstance(draft, Mapping):
        return False
    names = {member.key for member in draft.members}
    if "type" in names:
        return True
    return "ttl" in names and all(
        isinstance(member.value, Written) for member in draft.members if member.key == "ttl"
    )


def _keys_of(parsed: Parsed, node: SyntaxNode) -> set[str]:
    return {
        _plain(parsed, key)
        for pair in node.named_children
        if pair.type == "pair"
        for key in (pair.child_by_field_name("key"),)
        if key is not None
    }


def _plain(parsed: Parsed, node: SyntaxNode) -> str:
    return parsed.source(node).strip("\"'") if node.type == "string" else ""
