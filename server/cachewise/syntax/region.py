"""A part of a document that holds one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachewise.syntax.tree import Comment, Node


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a document that holds one value (or none), with the part's offsets.

    ``shape`` is the request shape that the source itself names (an SDK's call, say), or ``""``;
    ``MARKER`` means that the value is an object around a cache marker whose request is not to be
    seen. ``beside`` holds what the source says next to the value: ``url`` of a curl command, and
    what ``request.find`` takes from recorded requests.
    """

    start: int
    end: int
    node: Node | None
    comments: tuple[Comment, ...] = ()
    """Comments outside of the value, with document offsets."""
    shape: str = ""
    beside: Mapping[str, Node] = field(default_factory=dict[str, Node])
    headers_start: int = 0
    """The document offset of ``beside["headers"]``."""


MARKER = "cache-marker"
"""The ``shape`` of a region that holds nothing but a marker under its key."""


def reuse_regions(old: list[Region], new: list[Region]) -> list[Region]:
    """The new regions with every value that is the same as before replaced by the old object.

    What was worked out about a value is kept on it, so that after an edit only the values that
    changed are looked at again.
    """
    taken = {_identity(region): region for region in old if region.node is not None}
    if not taken:
        return new
    kept: list[Region] = []
    count: dict[str, list[Region]] = {}
    for region in old:
        if region.node is not None:
            count.setdefault(region.shape, []).append(region)
    held = {id(region.node) for region in old if region.node is not None}
    seen: dict[str, int] = {}
    for region in new:
        if region.node is None:
            kept.append(region)
            continue
        # First what looks alike, wherever it moved to; else what stands at the same number.
        number = seen.get(region.shape, 0)
        seen[region.shape] = number + 1
        if id(region.node) in held and not region.beside:
            kept.append(region)
            continue
        earlier = taken.get(_identity(region))
        if earlier is None:
            others = count.get(region.shape, [])
            earlier = others[number] if number < len(others) else None
        if earlier is None or earlier.node is None:
            kept.append(region)
            continue
        beside = {
            key: _reused(earlier.beside[key], node) if key in earlier.beside else node
            for key, node in region.beside.items()
        }
        node = _reused(earlier.node, region.node)
        kept.append(replace(region, node=node, beside=beside))
    return kept


def _identity(region: Region) -> tuple[str, int, int, tuple[str, ...]]:
    node = region.node
    assert node is not None
    return region.shape, node.length, len(node.values), tuple(node.keys)


def _reused(old: Node, new: Node) -> Node:
    """The old node when both say the same, else the new one with such children of the old."""
    if old is new:
        return new
    same = (
        old.kind == new.kind
        and old.length == new.length
        and old.raw == new.raw
        and old.style == new.style
        and old.flawed == new.flawed
        and old.decoded == new.decoded
        and old.pieces == new.pieces
        and old.body == new.body
        and old.holes == new.holes
        and old.keys == new.keys
        and old.starts == new.starts
        and old.key_starts == new.key_starts
        and old.key_lengths == new.key_lengths
        and old.comments == new.comments
        and len(old.values) == len(new.values)
    )
    if not new.values:
        return old if same else new
    # Children are paired from both ends, since an insertion moves all behind it.
    total = min(len(old.values), len(new.values))
    values = new.values.copy()
    front = 0
    while front < total:
        values[front] = _reused(old.values[front], new.values[front])
        if values[front] is not old.values[front]:
            break
        front += 1
    back = 0
    # The child at which the way from the front ended has been compared already.
    rest = total - front - (len(old.values) == len(new.values))
    while back < rest:
        last = len(values) - 1 - back
        before = old.values[len(old.values) - 1 - back]
        values[last] = _reused(before, values[last])
        if values[last] is not before:
            break
        back += 1
    if same and front == len(values):
        return old
    new.values = values
    return new
