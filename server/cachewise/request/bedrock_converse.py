"""The shape of Amazon Bedrock's Converse, and of Nova's own body, which looks nearly the same.

A checkpoint is an element of its own, ``{"cachePoint": {"type": "default"}}``, in ``system``, in a
message's ``content`` or in ``toolConfig.tools``: it closes the prefix before it and is no block
itself. In Nova's own body (InvokeModel) it is a member of the part that it closes. Blocks are
unions: an object whose single member names its kind.

Sources: botocore 1.44.5, service model of bedrock-runtime; Bedrock user guide, Prompt caching.
"""

from __future__ import annotations

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
from cachewise.syntax.tree import Node

SHAPE = "bedrock-converse"

POINT = "cachePoint"

_PARTS = frozenset(
    {
        "text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent",
        "reasoningContent", "citationsContent", "searchResult",
    }
)  # fmt: skip
_TOOLS = frozenset({"toolSpec", "systemTool"})
_SIGNS = ("modelId", "inferenceConfig", "toolConfig", "guardrailConfig", "schemaVersion")
_MEMBERS = frozenset(
    {
        *_SIGNS, "messages", "system", "additionalModelRequestFields", "promptVariables",
        "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "outputConfig",
        "serviceTier",
    }
)  # fmt: skip


def matches(node: Node) -> bool:
    """Whether an object is a Converse body, finished or half typed."""
    if node.kind != "object":
        return False
    signs = any(node.get(key) is not None for key in _SIGNS)
    system = node.get("system")
    if system is not None and not (
        _are_parts(system)
        if system.kind == "array"
        # Some write the system prompt as one string, which only the signs excuse.
        else signs and system.kind == "string"
    ):
        return False
    messages = node.get("messages")
    if messages is None:
        return signs and system is not None and (bool(system.values) or system.kind == "string")
    if messages.kind != "array":
        return False
    seen = False
    for message in messages.values[:8]:
        if message.kind == "hole":
            continue
        role = message.get_text("role")
        content = message.get("content")
        if content is None:
            if not message.flawed:
                return False
            continue
        if role not in ("user", "assistant", None) or content.kind != "array":
            return False
        if role is None and not message.flawed:
            return False
        if not _are_parts(content):
            return False
        seen = seen or bool(content.values)
    if signs:
        return True
    # Nothing but messages of untyped parts is enough, as long as nothing foreign stands beside.
    return seen and all(key in _MEMBERS for key in node.keys)


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    index = node.index("toolConfig")
    if index >= 0:
        config, base = node.values[index], node.starts[index]
        inner = config.index("tools")
        if inner >= 0:
            start = base + config.starts[inner]
            tools = config.values[inner]
            prefix.add_entries(tools, start, "/toolConfig/tools", (SHAPE, "tools"), _tool)
    for section, make in (("system", _system), ("messages", _message)):
        index = node.index(section)
        if index >= 0:
            value, start = node.values[index], node.starts[index]
            if value.kind == "string" and section == "system":
                prefix.add(memoised_unit(value, (SHAPE, section), make), start, "/system")
            prefix.add_entries(value, start, f"/{section}", (SHAPE, section), make)
    model = (node.get_text("modelId") or "").lower()
    return Request(
        shape=SHAPE,
        provider="anthropic" if "anthropic." in model else "amazon",
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "system", "messages"),
        platform="bedrock",
    )


def _are_parts(content: Node) -> bool:
    """Whether a list holds nothing but Converse's unions (or holes, while it is being typed)."""
    for part in content.values:
        if part.kind == "hole":
            continue
        if part.kind != "object" or "type" in part.keys:
            return False
        if not part.keys:
            if not part.flawed:
                return False
        elif not any(key in _PARTS or key == POINT for key in part.keys) and not part.flawed:
            return False
    return True


def _tool(node: Node) -> Unit:
    return _single(node, "tools", "")


def _system(node: Node) -> Unit:
    return _single(node, "system", "system")


def _single(node: Node, section: Section, role: str) -> Unit:
    """The unit of one entry of the tools or of the system: a block, or a point of its own."""
    blocks: list[Block] = []
    marks: list[Mark] = []
    _collect(node, section, role, 0, "", blocks, marks)
    return Unit(node, role, tuple(blocks), tuple(marks))


def _message(node: Node) -> Unit:
    role = node.get_text("role") or ""
    blocks: list[Block] = []
    marks: list[Mark] = []
    index = node.index("content")
    if index >= 0:
        content, base = node.values[index], node.starts[index]
        if content.kind == "array":
            for position, part in enumerate(content.values):
                start = base + content.starts[position]
                _collect(
                    part, "messages", role, start, f"/content/{position}", blocks, marks
                )  # fmt: skip
    return Unit(node, role, tuple(blocks), tuple(marks))


def _collect(
    node: Node,
    section: Section,
    role: str,
    start: int,
    pointer: str,
    blocks: list[Block],
    marks: list[Mark],
) -> None:
    """Add what one element of a list is: a block, or a mark behind the block before it."""
    if node.kind == "string":
        blocks.append(Block(section, "text", role, node, start, pointer))
    if node.kind != "object":
        return
    names = _TOOLS if section == "tools" else _PARTS
    kind = next((key for key in node.keys if key in names), "")
    point = node.index(POINT)
    if not kind and point >= 0:
        if node.values[point].kind != "null":
            marks.append(mark_at("point", node, point, start, pointer, len(blocks) - 1))
        return
    if kind in _TOOLS:
        kind = "tool"
    blocks.append(Block(section, kind, role, node, start, pointer))
    if kind == "toolResult":
        _collect_nested(node, start, pointer, len(blocks) - 1, marks)
    if point >= 0 and node.values[point].kind != "null":
        marks.append(mark_at("block", node, point, start, pointer, len(blocks) - 1))


def _collect_nested(node: Node, start: int, pointer: str, block: int, marks: list[Mark]) -> None:
    """The points inside ``toolResult.content``, where Converse has no place for them."""
    outer = node.index("toolResult")
    result, base = node.values[outer], start + node.starts[outer]
    inner = result.index("content")
    if inner < 0 or result.values[inner].kind != "array":
        return
    content, base = result.values[inner], base + result.starts[inner]
    for position, part in enumerate(content.values):
        index = part.index(POINT)
        if index >= 0 and part.values[index].kind != "null":
            where = f"{pointer}/toolResult/content/{position}"
            marks.append(
                mark_at("inside", part, index, base + content.starts[position], where, block)
            )
