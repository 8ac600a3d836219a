"""The shape of OpenAI's Responses API, which DashScope and others serve too.

Order of the prefix: tools, ``instructions``, then ``input`` (one string, or items). Only content
parts take a marker, ``prompt_cache_breakpoint``; the whole request may carry
``prompt_cache_options``.

Sources: OpenAI's API reference and prompt caching guide, PyPI openai 3.54.0.
"""

from __future__ import annotations

from cachewise.request.chat_completions import MARKERS, guess_platform, provider_of
from cachewise.request.model import (
    Block,
    Mark,
    Prefix,
    Request,
    Unit,
    mark_at,
    members_except,
    memoised_unit,
)
from cachewise.syntax.tree import Node

SHAPE = "openai-responses"

_SIGNS = (
    "instructions", "tools", "previous_response_id", "max_output_tokens", "reasoning", "text",
    "store", "include", "prompt_cache_options", "prompt_cache_key", "prompt_cache_retention",
    "conversation", "truncation", "parallel_tool_calls", "tool_choice",
)  # fmt: skip
_FOREIGN = (
    "messages", "output", "usage", "object", "voice", "encoding_format", "dimensions",
    "input_type", "documents", "query", "contents", "embedding_types",
)  # fmt: skip
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_SPEAKING = (
    "gpt", "chatgpt", "codex", "o1", "o3", "o4", "grok", "claude", "gemini", "qwen", "computer-use",
)  # fmt: skip
_OTHER_USES = ("embed", "tts", "moderation", "whisper", "image", "audio", "rerank", "transcribe")


def matches(node: Node) -> bool:
    """Whether an object is a Responses body, finished or half typed."""
    if node.kind != "object" or any(node.get(key) is not None for key in _FOREIGN):
        return False
    model = (node.get_text("model") or "").lower().rsplit("/", 1)[-1]
    signs = any(node.get(key) is not None for key in _SIGNS)
    given = node.get("input")
    if given is None:
        # An answer to come from instructions alone is legal, but says too little.
        return False
    if given.kind == "array":
        return (bool(model) or signs) and _are_items(given)
    if given.kind != "string" or any(use in model for use in _OTHER_USES):
        return False
    return model.startswith(_SPEAKING) or (bool(model) and signs)


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    index = node.index("tools")
    if index >= 0:
        prefix.add_entries(
            node.values[index], node.starts[index], "/tools", (SHAPE, "tools"), _tool
        )
    index = node.index("instructions")
    if index >= 0 and node.values[index].kind == "string":
        unit = memoised_unit(node.values[index], (SHAPE, "instructions"), _instructions)
        prefix.add(unit, node.starts[index], "/instructions")
    index = node.index("input")
    if index >= 0:
        value, start = node.values[index], node.starts[index]
        if value.kind == "string":
            prefix.add(memoised_unit(value, (SHAPE, "input"), _string), start, "/input")
        else:
            prefix.add_entries(value, start, "/input", (SHAPE, "items"), _item)
    model = node.get_text("model") or ""
    provider = provider_of(model)
    options = node.get("prompt_cache_options")
    return Request(
        shape=SHAPE,
        provider=provider,
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "tools", "instructions", "input"),
        platform_guess=guess_platform(node, model, provider),
        default_ttl=(options.get_text("ttl") or "") if options is not None else "",
    )


def _are_items(items: Node) -> bool:
    seen = False
    for item in items.values[:8]:
        if item.kind == "hole":
            continue
        if item.kind != "object":
            return False
        role, kind = item.get_text("role"), item.get_text("type")
        if role is None and kind is None:
            if not item.flawed:
                return False
            continue
        if role is not None and role not in _ROLES:
            return False
        if role is not None and item.get("content") is None and not item.flawed:
            return False
        if role is None and kind in ("text", "image_url", "image", "message"):
            return False
        seen = True
    return seen


def _tool(node: Node) -> Unit:
    return Unit(node, "", (Block("tools", "tool", "", node, 0, ""),), ())


def _instructions(node: Node) -> Unit:
    return Unit(node, "system", (Block("system", "text", "system", node, 0, ""),), ())


def _string(node: Node) -> Unit:
    return Unit(node, "user", (Block("messages", "text", "user", node, 0, ""),), ())


def _item(node: Node) -> Unit:
    if node.kind == "string":
        return _string(node)
    role = node.get_text("role")
    blocks: list[Block] = []
    marks: list[Mark] = []
    if role is None:
        # A call, its output, a piece of reasoning, a reference: one block each.
        kind = node.get_text("type") or ""
        role = "tool" if kind.endswith("_output") else "assistant"
        blocks.append(Block("messages", kind, role, node, 0, ""))
        _mark(node, 0, "", 0, marks)
        index = node.index("output")
        if index >= 0 and node.values[index].kind == "array":
            output, base = node.values[index], node.starts[index]
            for position, part in enumerate(output.values):
                start = base + output.starts[position]
                _mark(part, start, f"/output/{position}", 0, marks)
        return Unit(node, role, tuple(blocks), tuple(marks))
    index = node.index("content")
    if index >= 0:
        content, base = node.values[index], node.starts[index]
        if content.kind == "string":
            blocks.append(Block("messages", "text", role, content, base, "/content"))
        elif content.kind == "array":
            for position, part in enumerate(content.values):
                if part.kind not in ("object", "string"):
                    continue
                start, pointer = base + content.starts[position], f"/content/{position}"
                kind = part.get_text("type") or "text"
                blocks.append(Block("messages", kind, role, part, start, pointer))
                _mark(part, start, pointer, len(blocks) - 1, marks)
    return Unit(node, role, tuple(blocks), tuple(marks))


def _mark(node: Node, start: int, pointer: str, block: int, marks: list[Mark]) -> None:
    for key in MARKERS:
        index = node.index(key)
        if index >= 0 and node.values[index].kind != "null":
            marks.append(mark_at("block", node, index, start, pointer, block))
