"""Prompts in files of their own, which some program fills in and sends: what they can carry.

Such a file has no markers. What counts is how much of it stays the same: up to the first hole.

``read`` takes what ``syntax.prompt_files`` makes of a file, ``find_templates`` the templates in the
configurations of promptfoo and SWE-agent.

Sources: Prompty's specification (role lines, front matter), dotprompt's (role helpers), promptfoo's
configuration reference (``prompts``, ``providers``), SWE-agent's (``agent.templates``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cachewise.request.chat_completions import provider_of
from cachewise.request.model import Block, Found, Prefix, Request, Unit, memoised_unit
from cachewise.syntax.templates import is_control, with_holes
from cachewise.syntax.tree import Hole, Node

SHAPE = "prompt-file"


def read(node: Node) -> Request:
    """The prompt that ``syntax.prompt_files`` made of a file."""
    prefix = Prefix()
    index = node.index("system")
    if index >= 0:
        unit = memoised_unit(node.values[index], (SHAPE, "system"), _text)
        prefix.add(unit, node.starts[index], "/system")
    index = node.index("messages")
    if index >= 0:
        messages, start = node.values[index], node.starts[index]
        for system in (True, False):
            for position, child in enumerate(messages.values):
                if (child.get_text("role") == "system") is system:
                    unit = memoised_unit(child, (SHAPE, "messages"), _message)
                    at = start + messages.starts[position]
                    prefix.add(unit, at, f"/messages/{position}")
    model = node.index("model")
    named = (node.values[model], node.starts[model]) if model >= 0 else None
    return _request(node, prefix, named)


def _request(node: Node, prefix: Prefix, model: tuple[Node, int] | None) -> Request:
    return Request(
        shape=SHAPE,
        provider=provider_of(model[0].text) if model is not None else "unknown",
        node=node,
        units=prefix.units,
        unit_starts=prefix.starts,
        unit_pointers=prefix.pointers,
        params={"model": model} if model is not None else {},
    )


def _text(node: Node) -> Unit:
    return Unit(node, "system", (Block("system", "text", "system", node, 0, ""),), ())


def _message(node: Node) -> Unit:
    role = node.get_text("role") or "user"
    section = "system" if role == "system" else "messages"
    content = node.index("content")
    block = Block(section, "text", role, node.values[content], node.starts[content], "/content")
    return Unit(node, role, (block,), ())


@dataclass(frozen=True, slots=True)
class Place:
    """A hole of a prompt: its block's index, its place in that one's text, and its span.

    ``start`` and ``end`` count from the request's start.
    """

    block: int
    at: int
    start: int
    end: int
    hole: Hole


def holes(request: Request) -> Iterator[Place]:
    """The holes in the texts of a prompt, in prefix order."""
    for index, block in enumerate(request.blocks):
        node = block.node
        if node.kind == "string" and node.holes:
            base, _ = request.block_span(index)
            for hole in node.holes:
                yield Place(index, hole.at, base + hole.start, base + hole.end, hole)


def first_hole(request: Request) -> Place | None:
    """Where the part of a prompt ends that is the same in every call; None: all of it is."""
    return next(holes(request), None)


def first_value(request: Request) -> Place | None:
    """The first hole that is filled with a value, and is no condition, loop or inclusion."""
    return next((place for place in holes(request) if not is_control(place.hole.name)), None)


def shared_blocks(request: Request) -> int:
    """How many blocks are in front of the question that every call brings anew."""
    blocks = request.blocks
    count = len(blocks)
    while count > 1 and blocks[count - 1].role == "user":
        count -= 1
    return count


# Templates in configurations.

_FILE = re.compile(
    r"(?:file|https?|exec|langfuse|portkey|huggingface)://|[^\s{}]+\.(?:txt|json|ya?ml|js|mjs|cjs|ts"
    r"|py|j2|md|csv|jinja|toml)(?::\w+)?\Z"
)


def find_templates(node: Node, base: int, pointer: str = "") -> Iterator[Found]:
    """The prompts that an object of a configuration holds: promptfoo's, or SWE-agent's."""
    if node.kind != "object":
        return
    prompts = node.get("prompts")
    if prompts is not None and any(
        node.get(key) is not None for key in ("providers", "targets", "tests")
    ):
        yield from _promptfoo(node, prompts, base)
        return
    agent = node.get("agent")
    start = base
    if agent is not None and agent.kind == "object":
        start += node.start_of("agent")
        node, pointer = agent, f"{pointer}/agent"
    model = _model_of(node, start)
    templates = node.get("templates")
    if templates is not None and templates.kind == "object":
        start += node.start_of("templates")
        node, pointer = templates, f"{pointer}/templates"
    if node.get("system_template") is None or node.get("instance_template") is None:
        return
    prefix = Prefix()
    for key, role in (("system_template", _text), ("instance_template", _question)):
        value = with_holes(node.values[node.index(key)], "jinja")
        if value.kind == "string" and value.text.strip():
            prefix.add(memoised_unit(value, (SHAPE, key), role), node.start_of(key), f"/{key}")
    if prefix.units:
        named = (model[0], model[1] - start) if model is not None else None
        yield Found(_request(node, prefix, named), start, pointer)


def _question(node: Node) -> Unit:
    return Unit(node, "user", (Block("messages", "text", "user", node, 0, ""),), ())


def _model_of(node: Node, start: int) -> tuple[Node, int] | None:
    model = node.get("model")
    if model is None:
        return None
    start += node.start_of("model")
    for key in ("name", "model_name"):
        named = model.get(key)
        if named is not None and named.kind == "string":
            return named, start + model.start_of(key)
    return (model, start) if model.kind == "string" else None


def _promptfoo(node: Node, prompts: Node, base: int) -> Iterator[Found]:
    start = node.start_of("prompts")
    listed = (
        [(prompts, start, "/prompts")]
        if prompts.kind == "string"
        else [
            (value, start + offset, f"/prompts/{index}")
            for index, (value, offset) in enumerate(
                zip(prompts.values, prompts.starts, strict=True)
            )
        ]
    )
    model = _provider(node)
    for found, at, place in listed:
        value, offset, pointer = found, at, place
        if value.kind == "object":
            inner = value.index("raw")
            if inner < 0:
                continue
            offset += value.starts[inner]
            value, pointer = value.values[inner], f"{pointer}/raw"
        text = value.text.strip()
        if value.kind != "string" or not text or text[0] in "[{" or _FILE.match(text):
            # A file's prompt stands there; a chat written as JSON is read where it is a file.
            continue
        template = with_holes(value, "jinja")
        prefix = Prefix()
        prefix.add(memoised_unit(template, (SHAPE, "system"), _text), 0, "")
        named = (model[0], model[1] - offset) if model is not None else None
        yield Found(_request(template, prefix, named), base + offset, pointer)


def _provider(node: Node) -> tuple[Node, int] | None:
    """The model of the first provider: ``anthropic:messages:claude-sonnet-4-5``."""
    for key in ("providers", "targets"):
        value = node.get(key)
        if value is None:
            continue
        start = node.start_of(key)
        if value.kind == "array" and value.values:
            start += value.starts[0]
            value = value.values[0]
        if value.kind == "object":
            named = value.get("id")
            if named is None:
                return None
            start += value.start_of("id")
            value = named
        if value.kind != "string" or _FILE.match(value.text):
            return None
        memo = value.memo
        if memo is None:
            memo = value.memo = {}
        if "model" not in memo:
            written = Node("string", value.length, value.raw)
            written.style = value.style
            written.decoded = _MODEL_NAME.sub(r"\1/", value.text)
            written.pieces = ((0, max(0, value.length - len(written.decoded))),)
            memo["model"] = written
        return memo["model"], start
    return None


_MODEL_NAME = re.compile(
    r"^(anthropic|openai|google|vertex|azure|bedrock|mistral|openrouter|ollama)"
    r":(?:(?:messages|completion|chat|responses|converse|embedding):)?"
)
