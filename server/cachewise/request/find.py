"""Finding the requests of a document: bodies, batches, recorded pairs, lists, one a line.

Whatever is not a request is left alone: a value is looked at only at the places below, and a body
is recognised by its shape, never by its file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cachewise.request import anthropic_messages
from cachewise.request.model import Request
from cachewise.syntax.tree import Node

SHAPES = (anthropic_messages,)
"""The request shapes, in the order in which they are tried."""

_SIGN = re.compile(
    r"\"(?:messages|system|tools|cache_control|cachePoint|requests|request|params|body)\"\s*:"
)

MAX_REQUESTS = 20_000
"""More requests than this in one document are not looked at: it is a data set, not a draft."""


def may_hold_requests(text: str) -> bool:
    """A cheap look: False means that no request can be in there, so nothing else need be loaded."""
    return _SIGN.search(text) is not None


def find_requests(node: Node, start: int = 0) -> Iterator[Request]:
    """The requests in one top-level value; ``start`` is its document offset."""
    yield from _find(node, start, "", 0)


def _find(node: Node, start: int, pointer: str, depth: int) -> Iterator[Request]:
    if node.kind == "object":
        for shape in SHAPES:
            if shape.matches(node):
                request = shape.read(node, start)
                yield replace(request, pointer_base=pointer) if pointer else request
                return
        if depth > 4:
            return
        for key in ("params", "request", "body"):
            index = node.index(key)
            if index < 0:
                continue
            value = node.values[index]
            if value.kind == "object":
                context = _surroundings(node)
                for request in _find(
                    value, start + node.starts[index], f"{pointer}/{key}", depth + 1
                ):
                    yield replace(request, context={**context, **request.context})
                return
        index = node.index("requests")
        if index >= 0 and node.values[index].kind == "array":
            yield from _find(
                node.values[index], start + node.starts[index], f"{pointer}/requests", depth + 1
            )
    elif node.kind == "array" and depth <= 4:
        for position, value in enumerate(node.values):
            if value.kind == "object":
                yield from _find(
                    value, start + node.starts[position], f"{pointer}/{position}", depth + 1
                )


_NEIGHBOURS = (
    "custom_id",
    "url",
    "headers",
    "method",
    "response",
    "usage",
    "response_usage",
    "at",
    "t",
)


def _surroundings(node: Node) -> dict[str, Node]:
    """What stands beside a recorded request and says something about it."""
    return {
        key: value for key, value in zip(node.keys, node.values, strict=True) if key in _NEIGHBOURS
    }
