"""The requests and the loose markers of a text of source code, the same way for every language.

A language's module says what is a request (``Finder.request``) and what may be a marker outside of
one (``Finder.marker``); this module walks the tree, leaves out what a request has taken already,
and collects the comments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachewise.syntax.evaluation import MAX_STEPS
from cachewise.syntax.region import MARKER, Region
from cachewise.syntax.rereading import Finding, Record, read_items, regions_of
from cachewise.syntax.source import (
    Draft,
    Listing,
    Mapping,
    Unknown,
    Written,
    region,
)
from cachewise.syntax.tree import Comment

if TYPE_CHECKING:
    from cachewise.syntax.evaluation import Evaluator
    from cachewise.syntax.grammar import Parsed, SyntaxNode

ANTHROPIC = "anthropic-messages"
CHAT = "chat-completions"
CONVERSE = "bedrock-converse"
RESPONSES = "openai-responses"
VERCEL = "vercel-ai-sdk"

BODIES = (
    {"messages"},
    {"model", "system"},
    {"modelId", "system"},
    {"anthropic_version"},
    {"model", "input"},
    {"contents"},
    {"custom_id", "params"},
    {"model", "prompt", "providerOptions"},
)
"""Keys of objects that may be a request; its shape decides."""

MARKER_KEYS = ("cache_control", "cacheControl")

CARRIERS = {"text", "input_schema", "role", "source", "tool_use_id", "function", "content"}
"""Keys beside which even a marker that is no object is one."""


@dataclass(frozen=True, slots=True)
class Finder:
    """What a language tells the walk.

    Every request and every marker has one of the words in ``signs``, each with the pattern of what
    follows it; only what holds one is looked at. ``request`` gives the draft and the shape of a
    request that a node is, or None; ``marker`` the object around a marker that is written outside
    of every request.
    """

    style: str
    signs: dict[str, str]
    request: Callable[[SyntaxNode], tuple[Draft, str] | None]
    marker: Callable[[SyntaxNode], Draft | None]
    beside: Callable[[SyntaxNode], list[SyntaxNode]] = lambda node: []
    """Nodes inside of a request's source that are no part of it and may hold others."""


def read_regions(values: Evaluator, finder: Finder) -> list[Region]:
    """The requests of a text, in order, and the markers that belong to none of them."""
    parsed = values.parsed
    # Of the comments outside of requests only those count that are for Cachewise.
    signs = parsed.signs({**finder.signs, "cachewise:": ""})

    def walk(item: SyntaxNode, _: list[SyntaxNode], record: Record) -> list[SyntaxNode]:
        loose: list[SyntaxNode] = []
        stack = [item]
        while stack:
            node = stack.pop()
            if "comment" in node.type:
                record.comments.append(Comment(parsed.start(node), parsed.source(node)))
                continue
            made = finder.request(node)
            if made is not None:
                draft, shape = made
                found = region(draft, finder.style, shape)
                record.requests.append(Finding(found, tuple(markers_in(draft))))
                record.comments.extend(_comments_in(parsed, node))
                stack.extend(reversed(finder.beside(node)))
                continue
            loose.append(node)
            stack.extend(reversed(parsed.within(node, signs)))
        return loose

    def mark(node: SyntaxNode) -> Finding | None:
        draft = finder.marker(node)
        if draft is None:
            return None
        return Finding(region(draft, finder.style, MARKER), tuple(markers_in(draft)))

    return regions_of(read_items(values.reading, signs, values, MAX_STEPS, walk, mark))


def _comments_in(parsed: Parsed, node: SyntaxNode) -> Iterator[Comment]:
    source = parsed.source(node)
    stack = [node] if any(opening in source for opening in ("//", "/*", "#")) else []
    while stack:
        current = stack.pop()
        if "comment" in current.type:
            yield Comment(parsed.start(current), parsed.source(current))
        else:
            stack.extend(current.named_children)


def markers_in(draft: Draft) -> Iterator[int]:
    """Where the keys of the markers in a value are written."""
    stack: list[Draft] = [draft]
    while stack:
        current = stack.pop()
        if isinstance(current, Mapping):
            for member in current.members:
                if member.key in MARKER_KEYS:
                    yield member.key_start
                stack.append(member.value)
        elif isinstance(current, Listing):
            stack.extend(current.items)


def carries_marker(draft: Draft) -> bool:
    """Whether an object is one around a cache marker, by the marker or by the keys beside it."""
    if not isinstance(draft, Mapping):
        return False
    carrier = bool({member.key for member in draft.members} & CARRIERS)
    return any(
        member.key in MARKER_KEYS
        and (
            looks_like_marker(member.value)
            or (carrier and not isinstance(member.value, Unknown | Listing))
        )
        for member in draft.members
    )


def looks_like_marker(draft: Draft) -> bool:
    """An object with a ``type`` or a ``ttl``; ``Cache-Control`` of HTTP has neither."""
    if not isinstance(draft, Mapping):
        return False
    names = {member.key for member in draft.members}
    if "type" in names:
        return True
    return "ttl" in names and all(
        isinstance(member.value, Written) for member in draft.members if member.key == "ttl"
    )


def keys_of(draft: Draft) -> set[str]:
    """The keys of an object; of anything else none."""
    return {member.key for member in draft.members} if isinstance(draft, Mapping) else set()
