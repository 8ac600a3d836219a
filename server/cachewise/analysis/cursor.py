"""What stands at a place of a document: the way from the outermost value down to it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from cachewise.analysis.document import Document, Located
from cachewise.syntax.tree import Node, child_at, holds


@dataclass(frozen=True, slots=True)
class Step:
    """A value on the way: its document offset, and where it hangs in the value around it.

    ``index`` counts among the parent's values (-1 for the outermost), ``key`` is the member's name.
    ``key_start`` and ``key_end`` are the document offsets of that name. ``on_key``: the place is in
    the name itself.
    """

    node: Node
    start: int
    index: int
    key: str | None
    key_start: int
    key_end: int
    on_key: bool

    @property
    def end(self) -> int:
        """The document offset behind the value."""
        return self.start + self.node.length


def path_at(document: Document, offset: int) -> list[Step]:
    """The values that hold an offset, the outermost first; empty outside of every value."""
    regions = document.regions
    index = bisect_right(regions, offset, key=lambda region: region.start) - 1
    if index < 0 or regions[index].node is None or offset > regions[index].end:
        return []
    node, start = regions[index].node, regions[index].start
    assert node is not None
    path = [Step(node, start, -1, None, start, start, False)]
    while node.values:
        local = offset - start
        index = child_at(node, local)
        on_key = False
        if node.kind == "object":
            named = bisect_right(node.key_starts, local) - 1
            # At the very edge of two things the one that starts there is meant.
            if named >= 0 and local <= node.key_starts[named] + node.key_lengths[named]:
                index, on_key = named, True
        if index < 0:
            break
        key = node.keys[index] if node.kind == "object" else None
        key_start = start + node.key_starts[index] if key is not None else start
        key_end = key_start + node.key_lengths[index] if key is not None else start
        start += node.starts[index]
        node = node.values[index]
        path.append(Step(node, start, index, key, key_start, key_end, on_key))
        if on_key:
            break
    return path


def block_at(located: Located, offset: int) -> int:
    """The 0-based index of the block whose source holds a document offset, or -1."""
    request = located.analyzed.request
    local = offset - located.base
    for unit, start in enumerate(request.unit_starts):
        if not holds(request.units[unit].node, local - start):
            continue
        first = request.firsts[unit]
        for index, block in enumerate(request.units[unit].blocks):
            if holds(block.node, local - start - block.start):
                return first + index
    return -1
