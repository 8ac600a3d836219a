"""Finding the requests of a document: bodies, batches, recorded pairs, lists, one a line.

Whatever is not a request is left alone: a value is looked at only at the places below, and a body
is recognised by its shape, never by its file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cachewise.request import (
    anthropic_messages,
    bedrock_converse,
    chat_completions,
    gemini,
    litellm_proxy,
    lone_marker,
    openai_responses,
    prompt_file,
    qwen_code,
    vercel,
)
from cachewise.request.model import Found, Request
from cachewise.syntax.formats import may_hold_values
from cachewise.syntax.region import MARKER
from cachewise.syntax.sharing import earlier_of
from cachewise.syntax.tree import Node

SHAPES = (
    vercel,
    bedrock_converse,
    anthropic_messages,
    chat_completions,
    openai_responses,
    gemini,
    qwen_code,
    litellm_proxy,
)
"""The request shapes, in the order in which they are tried: the more particular ones first."""

_BY_PATH = (
    ("/chat/completions", chat_completions),
    ("/responses", openai_responses),
    ("/messages", anthropic_messages),
    ("/converse", bedrock_converse),
    ("generateContent", gemini),
    ("GenerateContent", gemini),
    ("cachedContents", gemini),
)
"""What the URL beside a body says of its shape: that one is tried before the others."""

_SIGN = re.compile(
    r"\"(?:messages|system|tools|cache_control|cachePoint|requests|request|params|body|input"
    r"|contents|systemInstruction|system_instruction|providerOptions|providerMetadata"
    r"|experimental_providerMetadata|selectedType|model_list)\"\s*:"
)
"""Members of requests, of what holds them, and of the configurations that are read."""

_BARE_SIGN = re.compile(
    r"(?:messages|contents|model_list|selectedType|prompts|system_template)'?[ \t]*:"
)
_MAX_INDENT = 120
"""The same as YAML writes them, at the beginning of a line, and how deep there at most."""

_BY_NAME = {
    MARKER: lone_marker,
    prompt_file.SHAPE: prompt_file,
    **{
        shape.SHAPE: shape
        for shape in (
            vercel,
            bedrock_converse,
            anthropic_messages,
            chat_completions,
            openai_responses,
            gemini,
        )
    },
}
"""The shapes that the source itself can name."""

MAX_WRAPPING = 4
"""How many lists and wrappers a request may stand in."""


def may_hold_requests(text: str, format: str = "json") -> bool:
    """A cheap look: False means that no request can be in there, so nothing else need be loaded."""
    known = may_hold_values(format, text)
    if known is not None:
        return known
    return _SIGN.search(text) is not None or any(
        not text[max(found.start() - _MAX_INDENT, 0) : found.start()]
        .rpartition("\n")[2]
        .strip(" \t-'")
        for found in _BARE_SIGN.finditer(text)
    )


def find_requests(
    node: Node,
    base: int = 0,
    shape: str = "",
    beside: Mapping[str, Node] | None = None,
    headers_start: int = 0,
) -> Iterator[Found]:
    """The requests in one top-level value; ``base`` is the value's offset in the document.

    ``shape`` is the one that the source names (by an SDK's call, say), ``beside`` what it says next
    to the value: the URL of a curl command, its headers, which stand at ``headers_start``.
    """
    named = _BY_NAME.get(shape)
    if named is None:
        yield from _find(node, base, "", 0, beside or {}, headers_start)
        return
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    key = ("request", shape)
    if key not in memo:
        memo[key] = named.read(node)
    yield Found(memo[key], base, "", beside or {})


def _find(
    node: Node,
    base: int,
    pointer: str,
    depth: int,
    beside: Mapping[str, Node],
    headers_at: int = 0,
) -> Iterator[Found]:
    if node.kind == "object":
        request = _read(node, beside)
        if request is not None:
            start = headers_at - base if "headers" in beside else 0
            yield Found(request, base, pointer, beside, start)
            return
        if depth > MAX_WRAPPING:
            return
        if not depth:
            templates = list(prompt_file.find_templates(node, base, pointer))
            if templates:
                yield from templates
                return
        for key in ("params", "request", "body", "modelInput", "litellm_params"):
            index = node.index(key)
            if index >= 0 and node.values[index].kind == "object":
                yield from _find(
                    node.values[index],
                    base + node.starts[index],
                    f"{pointer}/{key}",
                    depth + 1,
                    _neighbours(node),
                    base + node.start_of("headers") if node.get("headers") is not None else 0,
                )
                return
        for key in ("requests", "model_list"):
            index = node.index(key)
            if index >= 0 and node.values[index].kind == "array":
                yield from _find(
                    node.values[index], base + node.starts[index], f"{pointer}/{key}", depth + 1, {}
                )
    elif node.kind == "array" and depth <= MAX_WRAPPING:
        for position, value in enumerate(node.values):
            if value.kind == "object":
                yield from _find(
                    value,
                    base + node.starts[position],
                    f"{pointer}/{position}",
                    depth + 1,
                    beside,
                    headers_at,
                )


def _read(node: Node, beside: Mapping[str, Node]) -> Request | None:
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    url = beside.get("url")
    address = url.text if url is not None and url.kind == "string" else ""
    known = memo.get("request")
    if known is None or known[0] != address:
        first = tuple(shape for part, shape in _BY_PATH if part in address)
        shape = next((shape for shape in (*first, *SHAPES) if shape.matches(node)), None)
        request = shape.read(node) if shape is not None else None
        known = memo["request"] = (address, request)
        earlier = earlier_of(node)
        if request is not None and earlier is not None and earlier.memo is not None:
            before: Request | None = earlier.memo.get("request", ("", None))[1]
            if before is not None and before.shape == request.shape:
                request.succeed(before)
    return known[1]


_NEIGHBOURS = {
    "custom_id", "recordId", "modelId", "url", "headers", "method", "response", "usage",
    "response_usage", "at", "t", "workspace", "workspace_id", "organization", "organisation",
    "organization_id",
}  # fmt: skip


def _neighbours(node: Node) -> dict[str, Node]:
    return {
        key: value for key, value in zip(node.keys, node.values, strict=True) if key in _NEIGHBOURS
    }
