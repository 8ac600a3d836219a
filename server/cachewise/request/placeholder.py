"""Texts that stand for another text: their length, and often their content, is not known."""

from __future__ import annotations

import re

from cachewise.request.model import Block
from cachewise.syntax.tree import Node, strings_below

_PLACEHOLDER = re.compile(
    r"\s*(?:<[^<>]*>|\[[^\[\]]*\]|\{\{[^{}]*\}\}|\.\.\.|…|\$\{[^{}]*\})\s*\Z", re.DOTALL
)


def is_placeholder(text: str) -> bool:
    """Whether a text is nothing but ``<…>``, ``[…]``, ``{{…}}``, ``${…}`` or an ellipsis.

    Such a text (``<the entire contents of the book>``) is taken as a hole of unknown length.
    """
    return len(text) < 500 and _PLACEHOLDER.match(text) is not None


def has_unknown_length(block: Block) -> bool:
    """Whether a block's tokens can only be counted as "at least"."""
    return block.memo("unknown length", lambda: _unknown(block))


def _unknown(block: Block) -> bool:
    text = block.text
    if text is not None:
        node = block.node if block.node.kind == "string" else block.node.get("text")
        return is_placeholder(text) or bool(node is not None and node.holes)
    if block.kind == "text":
        return True
    return any(node.holes for node, _ in strings_below(block.node)) or _has_hole(block.node)


def _has_hole(node: Node) -> bool:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.kind == "hole" and not current.raw:
            continue
        if current.kind == "hole":
            return True
        stack.extend(current.values)
    return False
