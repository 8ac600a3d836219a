"""Reads requests from JSON source for the tests, and says where their parts stand."""

from __future__ import annotations

import json
from typing import Any

from cachewise.request.find import find_requests, may_hold_requests
from cachewise.request.model import Found, Request
from cachewise.syntax import json as scanner
from cachewise.syntax.tree import resolve_pointer


def found_in(value: Any) -> list[Found]:
    """The requests in a JSON text, or in a value that is written as one first."""
    source = value if isinstance(value, str) else json.dumps(value)
    node = scanner.scan(source).node
    assert node is not None
    found = list(find_requests(node))
    if found:
        assert may_hold_requests(source), "the cheap look would have passed the document over"
    return found


def read_one(value: Any) -> Request:
    """The one request in a value."""
    found = found_in(value)
    assert len(found) == 1, [entry.request.shape for entry in found]
    return found[0].request


def outline(request: Request) -> list[tuple[str, str, str, str]]:
    """Section, role, kind and pointer of every block, in prefix order."""
    return [
        (block.section, block.role, block.kind, request.block_pointer(index))
        for index, block in enumerate(request.blocks)
    ]


def marks_of(request: Request) -> list[tuple[str, str, int, str]]:
    """Pointer, place, closed block and ttl of every mark, in the provider's order."""
    return [
        (placed.pointer, placed.mark.place, placed.block, placed.mark.ttl)
        for placed in request.marks
    ]


def assert_exact(source: str, request: Request) -> None:
    """Every block and mark stands where its pointer says, and its span holds its own source."""
    for index, block in enumerate(request.blocks):
        start, end = request.block_span(index)
        target = resolve_pointer(request.node, request.block_pointer(index))
        assert target is not None and target[0] is block.node and target[1] == start
        assert json.loads(source[start:end]) == json.loads(
            source[target[1] : target[1] + target[0].length]
        )
    for placed in request.marks:
        target = resolve_pointer(request.node, placed.pointer)
        assert target is not None and target[0] is placed.mark.node
        assert (placed.start, placed.end) == (target[1], target[1] + target[0].length)
        owner = placed.start - placed.mark.start + placed.mark.owner_start
        assert source[owner] == "{"
        key = placed.start - placed.mark.start + placed.mark.key_start
        assert json.loads(source[key : key + len(placed.mark.key) + 2]) == placed.mark.key


def assert_memoised(source: str, pointer: str) -> None:
    """Typing in the string at ``pointer`` makes one new unit; all the others stay the same."""
    first = scanner.scan(source).node
    assert first is not None
    before = next(iter(find_requests(first))).request
    target = resolve_pointer(first, pointer)
    assert target is not None
    at = target[1] + 1
    changed = source[:at] + "x" + source[at:]
    second = scanner.edited(first, at, at, 1, lambda start, end: changed[start:end])
    assert second is not None
    after = next(iter(find_requests(second))).request
    fresh = [
        index
        for index, (old, new) in enumerate(zip(before.units, after.units, strict=True))
        if old is not new
    ]
    assert len(fresh) == 1
    assert pointer.startswith(after.unit_pointers[fresh[0]])
    assert_exact(changed, after)
