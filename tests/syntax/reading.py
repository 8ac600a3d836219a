"""What a reader makes of a text, for the tests of the readers."""

from __future__ import annotations

from typing import Any

from cachewise.syntax.formats import read_regions
from cachewise.syntax.region import Region
from cachewise.syntax.tree import Node, plain_value, resolve_pointer, source_offset


def values(format: str, source: str) -> list[Region]:
    """The regions that hold a value."""
    return [region for region in read_regions(format, source) if region.node is not None]


def one(format: str, source: str) -> Region:
    """The only value of a text."""
    (region,) = values(format, source)
    return region


def plain(region: Region) -> Any:
    """A region's value as Python objects."""
    assert region.node is not None
    return plain_value(region.node)


def at(region: Region, pointer: str) -> tuple[Node, int]:
    """The node that a pointer names, and its document offset."""
    assert region.node is not None
    found = resolve_pointer(region.node, pointer)
    assert found is not None, pointer
    return found[0], region.start + found[1]


def source_of(source: str, region: Region, pointer: str) -> str:
    """The source of a value."""
    node, start = at(region, pointer)
    return source[start : start + node.length]


def assert_spans(source: str, region: Region) -> None:
    """Every plain letter and digit of every text stands where ``source_offset`` says it does."""
    assert region.node is not None
    stack = [(region.node, region.start)]
    while stack:
        node, start = stack.pop()
        assert 0 <= start <= start + node.length <= len(source), node
        for key, key_start in zip(node.keys, node.key_starts, strict=True):
            if key.isalnum() and node.style.endswith(("python", "-call")):
                assert key in source[start + key_start : start + key_start + len(key) + 1]
        if node.kind == "string":
            holes = {hole.at for hole in node.holes}
            for index, character in enumerate(node.text):
                if index not in holes and character.isascii() and character.isalnum():
                    there = source[start + source_offset(node, index)]
                    assert there in (character, "\\"), (node, index)
        stack.extend(
            (child, start + offset) for child, offset in zip(node.values, node.starts, strict=True)
        )
