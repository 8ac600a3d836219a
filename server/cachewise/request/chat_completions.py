"""The shape of OpenAI-compatible chat completions, with the cache markers that gateways accept.

Order of the prefix: tools first (they are rendered into, or in front of, the system prompt), then
the messages as they stand. For Claude models, system messages that stand later are taken first,
since a gateway has to move them into the one system prompt that Claude has.

Markers: ``cache_control`` on a part (DashScope, OpenRouter, LiteLLM), on a message or a tool or its
``function`` (LiteLLM, OpenRouter), at the top of the body (OpenRouter, for Claude), and
``prompt_cache_breakpoint`` on a part (OpenAI from GPT-5.6, Qwen4). Also read: DashScope's own body,
whose messages stand under ``input``.

Sources: OpenAI's API reference and prompt caching guide; Alibaba Model Studio, Context cache;
OpenRouter and LiteLLM, Prompt caching.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request.model import (
    UNKNOWN,
    Block,
    Mark,
    Prefix,
    Request,
    Section,
    Unit,
    is_entry,
    is_unknown,
    mark_at,
    members_except,
    memoised_unit,
)
from cachewise.syntax.tree import Node

SHAPE = "chat-completions"

MARKERS = ("cache_control", "prompt_cache_breakpoint")

_SYSTEM_ROLES = frozenset({"system", "developer"})
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_ANSWER = ("choices", "usage", "created", "object")
_LOCAL = ("keep_alive", "options", "think", "format")

VENDORS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("claude", "anthropic"), "anthropic"),
    (("gpt", "chatgpt", "codex", "openai", "o1", "o3", "o4"), "openai"),
    (("qwen", "qwq", "qvq"), "alibaba"),
    (("gemini", "gemma", "google"), "google"),
    (("nova", "amazon"), "amazon"),
)
"""How the names of each provider's models (or the provider's own prefix) begin."""


def matches(node: Node) -> bool:
    """Whether an object is a chat completions body, finished or half typed."""
    if node.kind != "object" or any(node.get(key) is not None for key in _ANSWER):
        return False
    messages = _messages(node)
    if messages is None or messages.kind != "array":
        return False
    if not node.get_text("model"):
        # Without a model it may be any record of a conversation: only a marker says what it is.
        return _is_chat(messages) and any(unit.marks for unit in _units(messages))
    return _is_chat(messages)


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    for path in (("tools",), ("functions",), ("parameters", "tools")):
        found = _member(node, path)
        if found is not None:
            prefix.add_entries(found[0], found[1], "/" + "/".join(path), (SHAPE, "tools"), _tool)
    model = node.get_text("model") or ""
    provider = provider_of(model)
    path = ("messages",) if node.get("messages") is not None else ("input", "messages")
    found = _member(node, path)
    if found is not None:
        _add_messages(prefix, found[0], found[1], "/" + "/".join(path), provider == "anthropic")
    automatic = None
    index = node.index("cache_control")
    if index >= 0 and node.values[index].kind != "null":
        automatic = mark_at("top", node, index, 0, "", -1)
    nested = len(path) > 1
    options = node.get("prompt_cache_options")
    return Request(
        shape=SHAPE,
        provider=provider,
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "tools", "functions", "messages"),
        automatic=automatic,
        platform="dashscope" if nested else _local_platform(node, model),
        platform_guess=None if nested else guess_platform(node, model, provider),
        default_ttl=(options.get_text("ttl") or "") if options is not None else "",
    )


def provider_of(model: str) -> str:
    """Who made a model, by the way its id begins; ``unknown`` when that says nothing."""
    name = model.lower()
    for text in (name.rsplit("/", 1)[-1], *name.split("/")[:-1]):
        bare = (
            text.split(".", 1)[1] if text.startswith(("us.", "eu.", "apac.", "global.")) else text
        )
        for beginnings, provider in VENDORS:
            if bare.startswith(beginnings):
                return provider
    return "unknown"


def guess_platform(node: Node, model: str, provider: str) -> str | None:
    """Where a body seems to go, by its model's id and by members that one gateway alone knows.

    None when the maker's own API is the only place that suggests itself.
    """
    if node.get("cache_control_injection_points") is not None:
        return "litellm"
    if any(node.get(key) is not None for key in ("transforms", "models", "route", "provider")):
        return "openrouter"
    if provider == "anthropic":
        # Claude's maker has no such body with markers: a gateway translates it.
        vendor, _, name = model.lower().rpartition("/")
        return "openrouter" if vendor == "anthropic" and "." in name else "litellm"
    if "/" in model and provider in ("alibaba", "google", "unknown"):
        return "openrouter"
    return None


def _local_platform(node: Node, model: str) -> str | None:
    """``ollama`` for a body to a model on the own machine, which no provider's rules concern."""
    if ":" in model and any(node.get(key) is not None for key in _LOCAL):
        return "ollama"
    return None


def _member(node: Node, path: tuple[str, ...]) -> tuple[Node, int] | None:
    start = 0
    for name in path:
        index = node.index(name)
        if index < 0:
            return None
        start += node.starts[index]
        node = node.values[index]
    return node, start


def _messages(node: Node) -> Node | None:
    messages = node.get("messages")
    if messages is None:
        outer = node.get("input")
        messages = outer.get("messages") if outer is not None else None
    return messages


def _is_chat(messages: Node) -> bool:
    seen = False
    for message in messages.values[:8]:
        if message.kind == "hole":
            continue
        role = message.get_text("role")
        if message.kind != "object" or (role is None and not message.flawed):
            return False
        if role is None:
            continue
        if role not in _ROLES:
            return False
        content = message.get("content")
        called = message.get("tool_calls") is not None or message.get("function_call") is not None
        if content is None:
            if not called and not message.flawed:
                return False
        elif content.kind == "array":
            for part in content.values:
                if part.kind == "object" and part.get_text("type") is None and not part.flawed:
                    return False
        elif content.kind not in ("string", "null", "hole"):
            return False
        seen = True
    return seen or not messages.values


def _units(messages: Node) -> Iterator[Unit]:
    for message in messages.values:
        if message.kind == "object":
            yield memoised_unit(message, (SHAPE, "messages"), _message)


def _add_messages(prefix: Prefix, messages: Node, start: int, pointer: str, hoist: bool) -> None:
    if messages.kind != "array":
        return
    later: list[tuple[Unit, int, str]] = []
    leading = True
    for position, child in enumerate(messages.values):
        if child.kind != "object":
            continue
        system = child.get_text("role") in _SYSTEM_ROLES
        leading = leading and system
        first = system and (leading or hoist)
        section = "system" if first else "messages"
        unit = memoised_unit(child, (SHAPE, section), _system if first else _message)
        place = (unit, start + messages.starts[position], f"{pointer}/{position}")
        if first:
            prefix.add(*place)
        else:
            later.append(place)
    for place in later:
        prefix.add(*place)


def _tool(node: Node) -> Unit:
    block = Block("tools", "tool", "", node, 0, "")
    marks: list[Mark] = []
    _mark(node, 0, "", 0, marks)
    index = node.index("function")
    if index >= 0 and node.values[index].kind == "object":
        _mark(node.values[index], node.starts[index], "/function", 0, marks)
    return Unit(node, "", (block,), tuple(marks))


def _system(node: Node) -> Unit:
    return _unit(node, "system")


def _message(node: Node) -> Unit:
    return _unit(node, "messages")


def _unit(node: Node, section: Section) -> Unit:
    role = node.get_text("role") or ""
    blocks: list[Block] = []
    marks: list[Mark] = []
    index = node.index("content")
    if index >= 0:
        content, base = node.values[index], node.starts[index]
        if content.kind == "string":
            blocks.append(Block(section, "text", role, content, base, "/content"))
        elif content.kind == "array":
            for position, part in enumerate(content.values):
                if not is_entry(part):
                    continue
                start, pointer = base + content.starts[position], f"/content/{position}"
                kind = UNKNOWN if is_unknown(part) else part.get_text("type") or "text"
                blocks.append(Block(section, kind, role, part, start, pointer))
                _mark(part, start, pointer, len(blocks) - 1, marks)
    index = node.index("tool_calls")
    if index >= 0 and node.values[index].kind == "array":
        calls, base = node.values[index], node.starts[index]
        for position, call in enumerate(calls.values):
            if call.kind == "object":
                start, pointer = base + calls.starts[position], f"/tool_calls/{position}"
                blocks.append(Block(section, "tool_call", role, call, start, pointer))
                _mark(call, start, pointer, len(blocks) - 1, marks)
    index = node.index("function_call")
    if index >= 0 and node.values[index].kind == "object":
        call = node.values[index]
        blocks.append(
            Block(section, "tool_call", role, call, node.starts[index], "/function_call")
        )  # fmt: skip
    # A marker beside the content closes the message, so it counts with the last block.
    _mark(node, 0, "", len(blocks) - 1, marks)
    return Unit(node, role, tuple(blocks), tuple(marks))


def _mark(node: Node, start: int, pointer: str, block: int, marks: list[Mark]) -> None:
    for key in MARKERS:
        index = node.index(key)
        if index >= 0 and node.values[index].kind != "null":
            marks.append(mark_at("block", node, index, start, pointer, block))
