"""The shape of the Vercel AI SDK's prompts where they stand as data.

Markers are provider options on a message, a part or a tool: ``cacheControl`` under
``providerOptions.anthropic`` or ``.openrouter``, ``cachePoint`` under ``providerOptions.bedrock``;
older versions write ``experimental_providerMetadata`` or ``providerMetadata``. One on a message
counts with the message's last part. Roles and part types are the SDK's own (``tool-call``,
``tool-result``).

Source: the AI SDK's documentation of its Anthropic, Amazon Bedrock and OpenRouter providers.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request.chat_completions import provider_of
from cachewise.request.model import (
    Block,
    Mark,
    Prefix,
    Request,
    Section,
    Unit,
    mark_at,
    members_except,
    memoised_unit,
)
from cachewise.syntax.sharing import noted
from cachewise.syntax.tree import Node, escape_pointer

SHAPE = "vercel-ai-sdk"

_OPTIONS = ("providerOptions", "providerMetadata", "experimental_providerMetadata")
_MARKERS = {
    "anthropic": ("cacheControl", "cache_control"),
    "openrouter": ("cacheControl", "cache_control"),
    "bedrock": ("cachePoint",),
}
_ROLES = frozenset({"system", "user", "assistant", "tool"})
_PARTS = frozenset({"tool-call", "tool-result", "reasoning"})


def matches(node: Node) -> bool:
    """Whether an object holds a prompt of the SDK, which its options or its part types betray."""
    if node.kind != "object":
        return False
    index = _messages(node)
    if index < 0 or node.values[index].kind != "array":
        return False
    looks = noted(node.values[index], SHAPE, _look)
    return bool(looks) and all(betrayed for _, betrayed in looks)


def _look(message: Node) -> bool | None:
    """Whether a message is the SDK's: True when it betrays that, False when it cannot be one."""
    if message.kind == "hole":
        return None
    role = message.get_text("role")
    if role not in _ROLES and not (role is None and message.flawed):
        return False
    betrayed = _has_options(message)
    content = message.get("content")
    if content is not None and content.kind == "array":
        for part in content.values:
            if part.get("cache_control") is not None:
                return False
            betrayed = betrayed or _has_options(part) or part.get_text("type") in _PARTS
    return betrayed or None


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    index = node.index("tools")
    if index >= 0:
        value, start = node.values[index], node.starts[index]
        if value.kind == "object":
            for position, key in enumerate(value.keys):
                child = value.values[position]
                if child.kind == "object":
                    unit = memoised_unit(child, (SHAPE, "tools"), _tool)
                    pointer = f"/tools/{escape_pointer(key)}"
                    prefix.add(unit, start + value.starts[position], pointer)
        else:
            prefix.add_entries(value, start, "/tools", (SHAPE, "tools"), _tool)
    index = node.index("system")
    if index >= 0:
        value, start = node.values[index], node.starts[index]
        if value.kind in ("string", "object"):
            prefix.add(memoised_unit(value, (SHAPE, "system"), _system), start, "/system")
        else:
            prefix.add_entries(value, start, "/system", (SHAPE, "system"), _system)
    _add_messages(prefix, node)
    model = node.get_text("model") or ""
    platform = _platform(prefix)
    made_by = provider_of(model)
    return Request(
        shape=SHAPE,
        provider="anthropic" if made_by == "unknown" and platform == "anthropic" else made_by,
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "tools", "system", "messages", "prompt"),
        platform_guess=platform,
        drops_surplus=platform == "anthropic",
    )


def _messages(node: Node) -> int:
    index = node.index("messages")
    return index if index >= 0 else node.index("prompt")


def _has_options(node: Node) -> bool:
    return any(True for _ in _options(node))


def _options(node: Node) -> Iterator[tuple[Node, int, str, str]]:
    """Every marker in an object's own provider options: its owner, that one's offset and pointer,
    and the marker's key.
    """
    for name in _OPTIONS:
        index = node.index(name)
        if index < 0 or node.values[index].kind != "object":
            continue
        options, start = node.values[index], node.starts[index]
        for provider, keys in _MARKERS.items():
            inner = options.index(provider)
            if inner < 0 or options.values[inner].kind != "object":
                continue
            owner = options.values[inner]
            for key in keys:
                if owner.get(key) is not None:
                    yield owner, start + options.starts[inner], f"/{name}/{provider}", key


def _platform(prefix: Prefix) -> str | None:
    for unit in prefix.units:
        for mark in unit.marks:
            provider = mark.pointer.split("/")[-2]
            if provider in _MARKERS:
                return provider
    return None


def _add_messages(prefix: Prefix, node: Node) -> None:
    index = _messages(node)
    messages, start, name = node.values[index], node.starts[index], node.keys[index]
    later: list[tuple[Unit, int, str]] = []
    for position, child in enumerate(messages.values):
        if child.kind != "object":
            continue
        system = child.get_text("role") == "system"
        key = (SHAPE, "system" if system else "messages")
        unit = memoised_unit(child, key, _system if system else _message)
        place = (unit, start + messages.starts[position], f"/{name}/{position}")
        if system:
            prefix.add(*place)
        else:
            later.append(place)
    for place in later:
        prefix.add(*place)


def _tool(node: Node) -> Unit:
    marks: list[Mark] = []
    _mark(node, 0, "", 0, marks)
    return Unit(node, "", (Block("tools", "tool", "", node, 0, ""),), tuple(marks))


def _system(node: Node) -> Unit:
    if node.kind == "string":
        return Unit(node, "system", (Block("system", "text", "system", node, 0, ""),), ())
    return _unit(node, "system")


def _message(node: Node) -> Unit:
    return _unit(node, "messages")


def _unit(node: Node, section: Section) -> Unit:
    role = node.get_text("role") or section
    blocks: list[Block] = []
    marks: list[Mark] = []
    index = node.index("content")
    if index >= 0:
        content, base = node.values[index], node.starts[index]
        if content.kind == "string":
            blocks.append(Block(section, "text", role, content, base, "/content"))
        elif content.kind == "array":
            for position, part in enumerate(content.values):
                if part.kind not in ("object", "string"):
                    continue
                start, pointer = base + content.starts[position], f"/content/{position}"
                kind = part.get_text("type") or "text"
                blocks.append(Block(section, kind, role, part, start, pointer))
                _mark(part, start, pointer, len(blocks) - 1, marks)
    _mark(node, 0, "", len(blocks) - 1, marks)
    return Unit(node, role, tuple(blocks), tuple(marks))


def _mark(node: Node, start: int, pointer: str, block: int, marks: list[Mark]) -> None:
    for owner, offset, where, key in _options(node):
        index = owner.index(key)
        if owner.values[index].kind != "null":
            marks.append(mark_at("block", owner, index, start + offset, pointer + where, block))
