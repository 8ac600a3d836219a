"""The content of a prefix as the provider compares it: a chain of digests, one a block.

Two prefixes are the same when their digests are. What the comparison leaves out and what it keeps:

- a ``cache_control`` marker is not content: it may move, appear or go (the prompt-caching page:
  only the blocks themselves are hashed);
- a string and a list with one text part say the same, as do consecutive messages of one role;
- white space, escapes and key order of the request's own objects do not matter, since the provider
  parses them; but the order of keys *inside* tool schemas and ``tool_use.input`` does (the
  page's advice on languages that randomise it);
- request parameters act where the invalidation table says: a change of speed, web search or
  citations is lost from the system prompt on, a change of tool_choice, thinking, effort, or
  images anywhere, from the messages on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cachewise.catalog.model import Model
from cachewise.request.model import Block, Request
from cachewise.syntax.tree import Node

ORDERED = {"input", "input_schema", "parameters", "inputSchema", "schema"}
"""Members whose own key order is content."""

_MARKERS = {"cache_control", "prompt_cache_breakpoint", "cachePoint"}
_SYSTEM_TOOLS = ("web_search", "web_fetch")
_THINKING = {"thinking", "redacted_thinking"}
_IMAGES = {"image", "image_url", "input_image"}
DEFAULT_EFFORT = "high"
"""Naming the default effort is the same as not naming one (prompt-caching page, September 2026)."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The digests of a request's prefixes.

    ``blocks[i]`` is the digest of block *i* alone, ``prefixes[i]`` that of everything up to and
    including it, parameters counted in; both are None for a block that the provider drops (thinking
    of earlier turns, on models that strip it). ``system_parameters`` and ``message_parameters``
    name the request parameters that act on the system prompt and on the messages.
    """

    blocks: Sequence[bytes | None]
    prefixes: Sequence[bytes | None]
    system_parameters: tuple[tuple[str, str], ...]
    message_parameters: tuple[tuple[str, str], ...]


def chain(request: Request, model: Model | None) -> Chain:
    """The digests of a request, block by block."""
    blocks = request.blocks
    system_parameters = _system_parameters(request)
    message_parameters = _message_parameters(request)
    dropped = _dropped(request, model)
    running = b""
    own: list[bytes | None] = []
    prefixes: list[bytes | None] = []
    section = "tools"
    for index, block in enumerate(blocks):
        if block.section != section:
            running = _enter(running, section, block.section, system_parameters, message_parameters)
            section = block.section
        if index in dropped:
            own.append(None)
            prefixes.append(None)
            continue
        digest = block_digest(block)
        own.append(digest)
        running = blake2b(running + digest, digest_size=16).digest()
        prefixes.append(running)
    return Chain(own, prefixes, system_parameters, message_parameters)


def _enter(
    running: bytes,
    old: str,
    new: str,
    system_parameters: tuple[tuple[str, str], ...],
    message_parameters: tuple[tuple[str, str], ...],
) -> bytes:
    """The digest on entering a section: what changes there makes everything behind it another."""
    if old == "tools":
        running = blake2b(running + repr(system_parameters).encode(), digest_size=16).digest()
    if new == "messages":
        running = blake2b(running + repr(message_parameters).encode(), digest_size=16).digest()
    return running


def block_digest(block: Block) -> bytes:
    """The digest of one block's content, kept with the block."""

    def make() -> bytes:
        if block.section == "tools" and _is_system_tool(block.node):
            # Turning such a tool on changes the system prompt, not the tool definitions.
            return b""
        content = f"{block.section}\0{block.role}\0{canonical(block)}"
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return block.memo(("digest", block.section, block.role), make)


def canonical(block: Block) -> str:
    """A block's content in one fixed spelling, without markers."""
    text = block.text
    node = block.node
    if text is not None and (node.kind == "string" or not _extra_members(node)):
        return "text\0" + text
    parts: list[str] = []
    _write(node, parts, False)
    return "".join(parts)


def _extra_members(node: Node) -> bool:
    return any(key not in ("type", "text", *_MARKERS) for key in node.keys)


def _write(node: Node, parts: list[str], ordered: bool) -> None:
    # Depth is bounded by the scanner's MAX_DEPTH.
    kind = node.kind
    if kind == "object":
        parts.append("{")
        members = dict(zip(node.keys, node.values, strict=True))  # a key given twice: the last wins
        for key in members if ordered else sorted(members):
            if not ordered and key in _MARKERS:
                continue
            value = members[key]
            if not ordered and value.kind == "null":
                continue
            parts.append(json.dumps(key))
            parts.append(":")
            if not ordered and key == "content" and value.kind == "string":
                parts.append('[{"text":')
                parts.append(json.dumps(value.text))
                parts.append(',"type":"text",},]')
            else:
                _write(value, parts, ordered or key in ORDERED)
            parts.append(",")
        parts.append("}")
    elif kind == "array":
        parts.append("[")
        for value in node.values:
            _write(value, parts, ordered)
            parts.append(",")
        parts.append("]")
    elif kind == "string":
        parts.append(json.dumps(node.text))
    else:
        parts.append(node.raw)


def _is_system_tool(node: Node) -> bool:
    return (node.get_text("type") or "").startswith(_SYSTEM_TOOLS)


def _system_parameters(request: Request) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    speed = request.params_text("speed")
    if speed and speed != "standard":
        found.append(("speed", speed))
    citations = False
    for block in request.blocks:
        if block.section == "tools" and _is_system_tool(block.node):
            found.append((block.node.get_text("name") or "web", block.node.get_text("type") or ""))
        elif block.kind in ("document", "search_result"):
            enabled = (block.node.get("citations") or _NOTHING).get("enabled")
            citations = citations or (enabled is not None and enabled.kind == "true")
    if citations:
        found.append(("citations", "true"))
    return tuple(found)


def _message_parameters(request: Request) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    choice = request.param("tool_choice")
    if choice is not None and choice.kind != "null":
        parts: list[str] = []
        _write(choice, parts, False)
        spelled = "".join(parts)
        if spelled != '{"type":"auto",}':
            found.append(("tool_choice", spelled))
    thinking = request.param("thinking")
    if thinking is not None and thinking.get_text("type") not in (None, "disabled"):
        parts = []
        _write(thinking, parts, False)
        found.append(("thinking", "".join(parts)))
    effort = (request.param("output_config") or _NOTHING).get_text("effort")
    if effort and effort != DEFAULT_EFFORT:
        found.append(("effort", effort))
    if any(_holds_image(block) for block in request.blocks):
        found.append(("images", "true"))
    return tuple(found)


def _holds_image(block: Block) -> bool:
    if block.kind in _IMAGES:
        return True
    if block.kind != "tool_result":
        return False
    content = block.node.get("content")
    return content is not None and any(part.get_text("type") in _IMAGES for part in content.values)


def _dropped(request: Request, model: Model | None) -> set[int]:
    """The blocks that the provider leaves out: thinking before the last true user turn."""
    if model is None or model.thinking != "strip":
        return set()
    blocks = request.blocks
    last_user = -1
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].role == "user" and blocks[index].kind != "tool_result":
            last_user = index
            break
    return {index for index in range(last_user) if blocks[index].kind in _THINKING}


_NOTHING = Node("null")
