"""What context editing takes out of a request before the model, and so the cache, sees it.

The client sends the whole conversation; the provider puts a sentence in the place of old tool
results once the prompt is longer than a trigger, and leaves out the thinking of old turns. From the
first cleared place on the prefix is another one.

Source: Anthropic, "Context editing" (strategies ``clear_tool_uses_20250919`` and
``clear_thinking_20251015``, with the values that they have when none are given).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachewise.request.model import Request
from cachewise.syntax.tree import Node
from cachewise.tokens.count import Count

TRIGGER_TOKENS = 100_000
"""The length of the prompt, in tokens, from which on tool results are cleared."""
KEPT_RESULTS = 3
"""The latest tool results, which stay."""
KEPT_THINKING = 1
"""The latest turns of the model whose thinking stays."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """The indexes of the blocks that context editing has emptied (results) or left out (thinking).

    ``thinking`` is None when the request says nothing about it, and the model's own way holds.
    """

    results: frozenset[int] = frozenset()
    thinking: frozenset[int] | None = None


NOTHING = Cleared()


def cleared(request: Request, prefixes: Sequence[Count], total: Count) -> Cleared:
    """What is taken out of a request; its running token counts decide whether a trigger is met."""
    management = request.param("context_management")
    edits = management.get("edits") if management is not None else None
    if edits is None or edits.kind != "array":
        return NOTHING
    results: frozenset[int] = frozenset()
    thinking: frozenset[int] | None = None
    for edit in edits.values:
        kind = edit.get_text("type") or ""
        if kind.startswith("clear_tool_uses"):
            results = _results(request, edit, prefixes, total)
        elif kind.startswith("clear_thinking"):
            thinking = _thinking(request, edit)
    return Cleared(results, thinking)


def _results(
    request: Request, edit: Node, prefixes: Sequence[Count], total: Count
) -> frozenset[int]:
    blocks = request.blocks
    found = [index for index, block in enumerate(blocks) if block.kind == "tool_result"]
    trigger = edit.get("trigger")
    reached = total.estimate
    if trigger is not None and trigger.get_text("type") == "tool_uses":
        reached = len(found)
    if reached <= _value(trigger, TRIGGER_TOKENS):
        return frozenset()
    spared = _names(edit.get("exclude_tools"))
    names = {
        block.node.get_text("id"): block.node.get_text("name")
        for block in blocks
        if block.kind == "tool_use"
    }
    kept = _value(edit.get("keep"), KEPT_RESULTS)
    emptied = [
        index
        for index in found[: max(0, len(found) - kept)]
        if names.get(blocks[index].node.get_text("tool_use_id")) not in spared
    ]
    tokens = sum(
        prefixes[index].estimate - (prefixes[index - 1].estimate if index else 0)
        for index in emptied
    )
    return frozenset(emptied) if tokens >= _value(edit.get("clear_at_least"), 0) else frozenset()


def _thinking(request: Request, edit: Node) -> frozenset[int]:
    keep = edit.get("keep")
    if keep is not None and keep.kind == "string":
        return frozenset()
    turns: list[list[int]] = [[]]
    for index, block in enumerate(request.blocks):
        if block.kind in ("thinking", "redacted_thinking"):
            turns[-1].append(index)
        elif block.role == "user" and block.kind != "tool_result" and turns[-1]:
            turns.append([])
    thought = [turn for turn in turns if turn]
    old = thought[: max(0, len(thought) - _value(keep, KEPT_THINKING))]
    return frozenset(index for turn in old for index in turn)


def _value(node: Node | None, otherwise: int) -> int:
    value = node.get("value") if node is not None else None
    return int(value.raw) if value is not None and value.raw.isdigit() else otherwise


def _names(node: Node | None) -> set[str | None]:
    return {value.text for value in node.values} if node is not None else set()
