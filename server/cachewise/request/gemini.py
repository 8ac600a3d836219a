"""The shape of Gemini's ``generateContent`` and of the body that creates a ``cachedContents``.

Gemini has no markers inside a request. What is cached explicitly is a ``cachedContents`` object,
created with a body of the same members and named in later requests as ``cachedContent``: it then
stands in front of everything. The model's id usually stands in the URL only.

Sources: ai.google.dev, Context caching and the API reference; PyPI google-genai 3.4.0, types.
"""

from __future__ import annotations

from cachewise.request.model import (
    Block,
    Prefix,
    Request,
    Section,
    Unit,
    members_except,
    memoised_unit,
)
from cachewise.syntax.tree import Node

SHAPE = "gemini-generate-content"
CACHED_SHAPE = "gemini-cached-contents"

_PARTS = frozenset(
    {
        "text", "inlineData", "inline_data", "fileData", "file_data", "functionCall",
        "function_call", "functionResponse", "function_response", "executableCode",
        "executable_code", "codeExecutionResult", "code_execution_result", "toolCall",
        "toolResponse",
    }
)  # fmt: skip
_SYSTEM = ("systemInstruction", "system_instruction")
_DECLARATIONS = ("functionDeclarations", "function_declarations")
_CACHED = ("ttl", "expireTime", "expire_time", "displayName", "display_name")


def matches(node: Node) -> bool:
    """Whether an object is a body with Gemini's ``contents``, finished or half typed."""
    if node.kind != "object":
        return False
    contents = node.get("contents")
    if contents is None:
        # A cache may be created from a system instruction alone.
        system = next((node.get(key) for key in _SYSTEM if node.get(key) is not None), None)
        return system is not None and _is_content(system) and bool(_model(node))
    if contents.kind == "string":
        return any(node.get(key) is not None for key in (*_SYSTEM, "generationConfig")) and bool(
            _model(node)
        )
    entries = contents.values if contents.kind == "array" else [contents]
    seen = False
    for entry in entries[:8]:
        if entry.kind == "hole":
            continue
        if not _is_content(entry):
            return False
        seen = True
    return seen


def read(node: Node) -> Request:
    """The request that an object holds."""
    prefix = Prefix()
    index = node.index("tools")
    if index >= 0:
        value, start = node.values[index], node.starts[index]
        prefix.add_entries(value, start, "/tools", (SHAPE, "tools"), _tools)
    for key in _SYSTEM:
        index = node.index(key)
        if index >= 0 and node.values[index].kind in ("object", "string"):
            unit = memoised_unit(node.values[index], (SHAPE, "system"), _system)
            prefix.add(unit, node.starts[index], f"/{key}")
    index = node.index("contents")
    if index >= 0:
        value, start = node.values[index], node.starts[index]
        if value.kind == "array":
            prefix.add_entries(value, start, "/contents", (SHAPE, "contents"), _content)
        elif value.kind in ("object", "string"):
            prefix.add(memoised_unit(value, (SHAPE, "contents"), _content), start, "/contents")
    cached = any(node.get(key) is not None for key in _CACHED)
    model = node.get_text("model") or ""
    return Request(
        shape=CACHED_SHAPE if cached else SHAPE,
        provider="google",
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params=members_except(node, "tools", "contents", *_SYSTEM),
        platform="vertex" if "publishers/" in model else None,
        platform_guess="google",
    )


def _model(node: Node) -> str | None:
    model = node.get_text("model")
    return model if model and "gemini" in model.lower() else None


def _is_content(node: Node) -> bool:
    if node.kind == "string":
        return False
    parts = node.get("parts")
    role = node.get("role")
    if parts is None:
        return node.kind == "object" and node.flawed and role is not None
    if role is not None and role.text not in ("user", "model", "function", "system", "tool", ""):
        return False
    entries = parts.values if parts.kind == "array" else [parts]
    return all(
        part.kind == "hole"
        or (part.kind == "object" and (part.flawed or any(key in _PARTS for key in part.keys)))
        for part in entries
    )


def _tools(node: Node) -> Unit:
    """One entry of ``tools``: every function declared in it is a block, as is any other tool."""
    blocks: list[Block] = []
    for position, key in enumerate(node.keys):
        value, start = node.values[position], node.starts[position]
        if value.kind == "null":
            continue
        if key in _DECLARATIONS and value.kind == "array":
            blocks.extend(
                Block("tools", "tool", "", child, start + value.starts[index], f"/{key}/{index}")
                for index, child in enumerate(value.values)
                if child.kind == "object"
            )
        elif value.kind == "object":
            blocks.append(Block("tools", key, "", value, start, f"/{key}"))
    return Unit(node, "", tuple(blocks), ())


def _system(node: Node) -> Unit:
    return _unit(node, "system")


def _content(node: Node) -> Unit:
    return _unit(node, "messages")


def _unit(node: Node, section: Section) -> Unit:
    role = "system" if section == "system" else node.get_text("role") or "user"
    if node.kind == "string":
        return Unit(node, role, (Block(section, "text", role, node, 0, ""),), ())
    blocks: list[Block] = []
    index = node.index("parts")
    if index >= 0:
        parts, base = node.values[index], node.starts[index]
        if parts.kind == "object":
            blocks.append(Block(section, _kind(parts), role, parts, base, "/parts"))
        elif parts.kind == "array":
            blocks.extend(
                Block(section, _kind(part), role, part, base + start, f"/parts/{position}")
                for position, (part, start) in enumerate(
                    zip(parts.values, parts.starts, strict=True)
                )
                if part.kind == "object"
            )
    return Unit(node, role, tuple(blocks), ())


def _kind(part: Node) -> str:
    return next((key for key in part.keys if key in _PARTS), "")
