"""Qwen Code: the requests that it sends, and its settings file.

Its requests are chat completions, and are judged as the service judges them: markers on tools are
ignored, only the last four count. What is special is told by the headers beside a captured request.
Its ``settings.json`` decides whether there is a cache at all: by the way of signing in. Gemini CLI,
of which it is a fork, keeps the same file.

Sources: Qwen Code's page on token caching; npm @qwen-code/qwen-code 0.24.4, its bundle (headers,
``security.auth.selectedType``).
"""

from __future__ import annotations

from collections.abc import Mapping

from cachewise.request.model import Request, members_except
from cachewise.syntax.tree import Node

SHAPE = "qwen-code-settings"

_PATH = ("security", "auth", "selectedType")
_HEADERS = ("x-dashscope-cachecontrol", "x-dashscope-useragent", "x-dashscope-authtype")


def matches(node: Node) -> bool:
    """Whether an object is a settings file that names a way of signing in."""
    found = selected_auth(node)
    return found is not None and node.get("messages") is None


def read(node: Node) -> Request:
    """The settings, as a configuration without blocks."""
    return Request(
        shape=SHAPE,
        provider="alibaba",
        node=node,
        units=[],
        unit_starts=[],
        unit_pointers=[],
        params=members_except(node),
        configuration=True,
    )


def selected_auth(node: Node) -> tuple[Node, int, str] | None:
    """The value that names the way of signing in, with its offset and its pointer; or None."""
    start = 0
    for name in _PATH:
        index = node.index(name)
        if index < 0:
            return None
        start += node.starts[index]
        node = node.values[index]
    return (node, start, "/" + "/".join(_PATH)) if node.kind == "string" else None


def is_signed_by_qwen_code(beside: Mapping[str, Node]) -> bool:
    """Whether the headers beside a captured request are those that go to DashScope."""
    headers = beside.get("headers")
    if headers is None or headers.kind != "object":
        return False
    return any(key.lower() in _HEADERS for key in headers.keys)
