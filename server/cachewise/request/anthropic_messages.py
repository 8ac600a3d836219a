"""The shape of Anthropic's Messages API, also inside batches, count_tokens, InvokeModel and Vertex.

Sources: the prompt-caching page (order of the prefix, what can and cannot be cached), the SDK's
types (which blocks take ``cache_control``), the API release notes of 2025-05-01 (a marker on the
last nested block acts on its parent).
"""

from __future__ import annotations

from cachewise.request.model import (
    UNKNOWN,
    Block,
    Mark,
    MarkPlace,
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
from cachewise.syntax.sharing import noted
from cachewise.syntax.tree import Node, escape_pointer

SHAPE = "anthropic-messages"

BARRED_KINDS = {
    "thinking": "thinking blocks cannot carry cache_control",
    "redacted_thinking": "thinking blocks cannot carry cache_control",
}
"""Block types that the API rejects a marker on, with the reason."""

_NESTING = {"tool_result", "document", "web_fetch_tool_result"}
_MESSAGE_ROLES = {"user", "assistant", "system"}
_SIGNS = {
    "anthropic_version",
    "anthropic_beta",
    "system",
    "thinking",
    "cache_control",
    "stop_sequences",
    "top_k",
    "mcp_servers",
    "context_management",
}
_FOREIGN = {
    "response_format",
    "max_completion_tokens",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "modelId",
    "inferenceConfig",
    "toolConfig",
    "contents",
    "functions",
    "n",
    "seed",
    "enable_thinking",
    "extra_body",
}


def matches(node: Node) -> bool:
    """Whether an object is a Messages body, finished or half typed."""
    if node.kind != "object":
        return False
    messages = node.get("messages")
    model = (node.get_text("model") or "").lower()
    # A gateway's name (vendor/model) says nothing about the shape of the body.
    gateway = "/" in model and not model.startswith("arn:")
    claude = ("claude" in model and not gateway) or node.get("anthropic_version") is not None
    if messages is None:
        # A body whose messages are still to come: it must say clearly what it is.
        prefix = node.get("system") or node.get("tools")
        return claude and prefix is not None and prefix.kind in ("array", "string")
    if messages.kind != "array" or any(node.get(key) is not None for key in _FOREIGN):
        return False
    signs = claude or any(node.get(key) is not None for key in _SIGNS)
    first_roles: list[str] = []
    for message in messages.values[:8]:
        if message.kind == "hole":
            continue
        if message.kind != "object":
            return False
        role = message.get_text("role")
        content = message.get("content")
        if role is None or (content is None and not message.flawed):
            if not signs:
                return False
            continue
        if role not in _MESSAGE_ROLES:
            if any(known.startswith(role) for known in _MESSAGE_ROLES):
                continue  # still being typed
            return False
        first_roles.append(role)
        if content is not None and content.kind == "array":
            for part in content.values:
                kind = part.get_text("type")
                if kind in ("image_url", "input_text", "output_text", "input_audio", "file"):
                    return False
                if kind in ("tool_use", "tool_result", "thinking", "document", "image"):
                    signs = True
                if part.kind == "object" and kind is None and part.get("cachePoint") is not None:
                    return False
        if message.get("tool_calls") is not None or message.get("tool_call_id") is not None:
            return False
    tools = node.get("tools")
    if tools is not None and tools.kind == "array":
        odd = noted(tools, f"{SHAPE} tools", _odd_tool)
        if any(foreign for _, foreign in odd):
            return False
        signs = signs or len(odd) < len(tools.values)
    # In this API a system message never comes first: that is the way of chat completions.
    first_is_system = first_roles[:1] == ["system"] and node.get("system") is None
    if first_is_system and node.get("anthropic_version") is None:
        return False
    if not first_roles:
        return claude or (signs and (bool(model) or node.get("max_tokens") is not None))
    if signs:
        return True
    # Nothing but model, messages and max_tokens: the model's name decides, and a name that nobody
    # else claims is taken as a model of this API, which a finding then says.
    return bool(model) and node.get("max_tokens") is not None and not _other_vendor(model)


def _odd_tool(tool: Node) -> bool | None:
    """None for a tool as this API has it; else whether it is one of another API."""
    if tool.get_text("type") == "function" or tool.get("function") is not None:
        return True
    named = tool.get("input_schema") is not None or tool.get_text("name") is not None
    return None if named else False


def _other_vendor(model: str) -> bool:
    names = (
        "gpt", "o1", "o3", "o4", "gemini", "qwen", "deepseek", "llama", "mistral", "kimi", "glm",
        "grok", "nova", "command", "phi", "mixtral", "codex", "chatgpt", "gemma", "minimax",
    )  # fmt: skip
    tail = model.rsplit("/", 1)[-1]
    return "/" in model or tail.startswith(names)


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    for section, make in (("tools", _tool), ("system", _system), ("messages", _message)):
        index = node.index(section)
        if index >= 0:
            value, start = node.values[index], node.starts[index]
            if value.kind == "string" and section == "system":
                prefix.add(memoised_unit(value, (SHAPE, section), make), start, "/system")
            prefix.add_entries(value, start, f"/{section}", (SHAPE, section), make)
    automatic = None
    index = node.index("cache_control")
    if index >= 0 and node.values[index].kind != "null":
        automatic = mark_at("top", node, index, 0, "", -1)
    version = node.get_text("anthropic_version") or ""
    platform = (
        "bedrock"
        if version.startswith("bedrock")
        else "vertex"
        if version.startswith("vertex")
        else None
    )
    return Request(
        shape=SHAPE,
        provider="anthropic",
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "tools", "system", "messages"),
        automatic=automatic,
        platform=platform,
    )


def _tool(node: Node) -> Unit:
    marks: list[Mark] = []
    deferred = node.get("defer_loading")
    barred = ""
    if deferred is not None and deferred.kind == "true":
        barred = "a tool with defer_loading cannot use prompt caching"
    block = Block("tools", "tool", "", node, 0, "", barred)
    _collect_marks(node, block, 0, marks)
    return Unit(node, "", (block,), tuple(marks))


def _system(node: Node) -> Unit:
    marks: list[Mark] = []
    block = _part("system", "system", node, 0, "")
    _collect_marks(node, block, 0, marks)
    return Unit(node, "system", (block,), tuple(marks))


def _message(node: Node) -> Unit:
    marks: list[Mark] = []
    role = node.get_text("role") or ""
    blocks: list[Block] = []
    index = node.index("cache_control")
    content_index = node.index("content")
    if content_index >= 0:
        content = node.values[content_index]
        base = node.starts[content_index]
        if content.kind == "string":
            blocks.append(Block("messages", "text", role, content, base, "/content"))
        elif content.kind == "array":
            for position, child in enumerate(content.values):
                if not is_entry(child):
                    continue
                part_start = base + content.starts[position]
                block = _part("messages", role, child, part_start, f"/content/{position}")
                blocks.append(block)
                _collect_marks(child, block, len(blocks) - 1, marks)
    if index >= 0 and node.values[index].kind != "null":
        marks.append(mark_at("message", node, index, 0, "", len(blocks) - 1))
    return Unit(node, role, tuple(blocks), tuple(marks))


def _part(section: Section, role: str, node: Node, start: int, pointer: str) -> Block:
    if is_unknown(node):
        return Block(section, UNKNOWN, role, node, start, pointer)
    kind = node.get_text("type") or ("text" if node.get("text") or node.kind == "string" else "")
    barred = BARRED_KINDS.get(kind, "")
    if kind == "text" and node.kind == "object":
        text = node.get("text")
        if text is not None and text.kind == "string" and not text.text and not text.holes:
            barred = "empty text blocks cannot be cached"
    return Block(section, kind, role, node, start, pointer, barred)


def _collect_marks(node: Node, block: Block, index: int, marks: list[Mark]) -> None:
    """The marks on a block and anywhere inside it, in the order of the text."""
    if node.kind != "object":
        return
    nested = _nested_array(node) if block.kind in _NESTING else None
    # Each entry: a node to look through, its offset, its pointer, and what a mark there is.
    stack: list[tuple[Node, int, str, MarkPlace, bool]] = [
        (node, block.start, block.pointer, "block", False)
    ]
    found: list[Mark] = []
    while stack:
        current, base, pointer, place, last = stack.pop()
        if current.kind == "object":
            for position, key in enumerate(current.keys):
                value = current.values[position]
                if key == "cache_control":
                    # Of a key that is written twice the last one counts.
                    if value.kind != "null" and current.index(key) == position:
                        found.append(
                            mark_at(
                                place, current, position, base, pointer, index, last_nested=last
                            )
                        )
                    continue
                if value.kind not in ("object", "array") or key in _OPAQUE:
                    continue
                stack.append(
                    (value, base + current.starts[position], f"{pointer}/{escape_pointer(key)}",
                     "inside", False)
                )  # fmt: skip
        elif current.kind == "array":
            is_nested = current is nested
            for position, value in enumerate(current.values):
                if value.kind == "object":
                    stack.append(
                        (value, base + current.starts[position], f"{pointer}/{position}",
                         "nested" if is_nested else "inside",
                         is_nested and position == len(current.values) - 1)
                    )  # fmt: skip
    found.sort(key=lambda mark: mark.start)
    marks.extend(found)


_OPAQUE = {"input", "input_schema", "parameters", "schema"}
"""Members that hold the user's own data: a key named ``cache_control`` in there is no marker."""


def _nested_array(node: Node) -> Node | None:
    content = node.get("content")
    if content is not None and content.kind == "array":
        return content
    for key in ("source", "content"):
        inner = node.get(key)
        if inner is not None and inner.kind == "object":
            content = inner.get("content")
            if content is not None and content.kind == "array":
                return content
    return None
