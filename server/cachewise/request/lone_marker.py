"""A cache marker in source code whose request is not to be seen: a helper that sets the key.

It is judged for how it is written, and for nothing else: no tokens, no cost, no place in a prefix.
"""

from __future__ import annotations

from cachewise.request.model import Block, Request, Unit, mark_at
from cachewise.syntax.region import MARKER
from cachewise.syntax.tree import Node

SHAPE = MARKER

JUDGED_BY = "CW104"
"""The rule about how a marker is written: the only one that needs nothing else of its request."""

KEYS = ("cache_control", "cacheControl")


def matches(node: Node) -> bool:
    """Never by its looks: only the reader of the source knows that it is one."""
    return False


def read(node: Node) -> Request:
    """The object around a marker, as a part of a request that decides on caching."""
    block = Block("system", "", "", node, 0, "")
    marks = tuple(
        mark_at("block", node, index, 0, "", 0)
        for index, key in enumerate(node.keys)
        if key in KEYS and node.values[index].kind != "null"
    )
    return Request(
        shape=SHAPE,
        provider="anthropic",
        node=node,
        units=[Unit(node, "", (block,), marks)],
        unit_starts=[0],
        unit_pointers=[""],
        params={},
        configuration=True,
    )
