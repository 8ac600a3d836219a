"""What was worked out about a list before an edit, taken over for the list after it.

An edit makes new nodes along one path and leaves every other node the same object. A list on that
path is another object, although all but one of its values are what they were. Whatever is found by
looking at each value of a list in turn is therefore taken over from the list before the edit: the
two are compared from both ends, by identity and at the speed of C, and only what differs between
is looked at again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from operator import itemgetter
from typing import TypeVar

from cachewise.syntax.tree import Node

T = TypeVar("T")
V = TypeVar("V")

_EARLIER = "earlier"


def succeed(node: Node, earlier: Node) -> None:
    """Remember of which node an edit has made this one. Changes nothing that can be seen.

    Only one earlier node is kept: the last one about which anything was worked out.
    """
    known = earlier.memo
    if not known:
        return
    oldest = known.pop(_EARLIER, None)
    if not known:
        earlier = oldest
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    memo[_EARLIER] = earlier


def graft(
    old: Sequence[tuple[Node, int]],
    new: Sequence[tuple[Node, int]],
    changed: tuple[int, int, int],
) -> list[Node]:
    """The newly read values of a text, with what an edit has left alone as the old objects.

    ``old`` and ``new`` are the values with their offsets. ``changed`` says where the texts differ:
    (start, end in the old text, end in the new one). Where the same characters make a value on
    either side of that, it is the same value, whatever has become of what stands around it.
    """
    start, old_end, new_end = changed
    around: dict[int, Node] = {}
    children: dict[int, Node] = {}
    level = list(old)
    while level:
        inner: list[tuple[Node, int]] = []
        for node, base in level:
            if node.values and base <= old_end and base + node.length >= start:
                around.setdefault(base, node)
                inner += zip(node.values, (base + at for at in node.starts), strict=True)
            else:
                children[base] = node
        level = inner

    def known(node: Node, base: int) -> Node | None:
        if base + node.length <= start:
            twin = children.get(base)
        elif base >= new_end:
            twin = children.get(base - new_end + old_end)
        else:
            return None
        same = twin is not None and twin.kind == node.kind and twin.length == node.length
        return twin if same and twin is not None and not (twin.flawed or node.flawed) else None

    roots = [known(node, base) or node for node, base in new]
    stack = [pair for pair, root in zip(new, roots, strict=True) if pair[0] is root]
    while stack:
        node, base = stack.pop()
        before = around.get(base)
        if before is not None and before.kind == node.kind and base < start:
            succeed(node, before)
        for index, child in enumerate(node.values):
            twin = known(child, base + node.starts[index])
            if twin is not None:
                node.values[index] = twin
            elif child.values:
                stack.append((child, base + node.starts[index]))
    return roots


def earlier_of(node: Node) -> Node | None:
    """The node that this one was before an edit, where that is known."""
    return None if node.memo is None else node.memo.get(_EARLIER)


def common_ends(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """How many items two sequences have in common at their beginnings, and at their ends.

    The two do not overlap: together they are at most the shorter sequence's length.
    """
    limit = min(len(old), len(new))
    front = _common(old, new, limit, from_end=False)
    return front, _common(old, new, limit - front, from_end=True)


def _common(a: Sequence[object], b: Sequence[object], limit: int, *, from_end: bool) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if from_end:
            same = a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]
        else:
            same = a[low:middle] == b[low:middle]
        if same:
            low = middle
        else:
            high = middle - 1
    return low


def noted(node: Node, key: Hashable, look: Callable[[Node], T | None]) -> list[tuple[int, T]]:
    """What ``look`` says of a list's values, with their indexes; those it says None of left out.

    Worked out once for as long as the list lives, under ``key``. ``look`` may depend on the value
    alone, and should have little to say: what it says of many values is copied with every edit.
    """
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    name = ("noted", key)
    found: list[tuple[int, T]] | None = memo.get(name)
    if found is None:
        earlier: Node | None = memo.get(_EARLIER)
        if earlier is not None and earlier.memo is not None and name in earlier.memo:
            ends = common_ends(earlier.values, node.values)
            found = notes_after(earlier.memo[name], len(earlier.values), node.values, look, ends)
        else:
            found = notes(node.values, look)
        memo[name] = found
    return found


def notes(values: Sequence[V], look: Callable[[V], T | None]) -> list[tuple[int, T]]:
    """What ``look`` says of each value that it says something of, with the value's index."""
    return [
        (index, said) for index, value in enumerate(values) if (said := look(value)) is not None
    ]


def notes_after(
    before: Sequence[tuple[int, T]],
    count: int,
    values: Sequence[V],
    look: Callable[[V], T | None],
    ends: tuple[int, int],
) -> list[tuple[int, T]]:
    """``notes(values, look)``, from those about the ``count`` values that there were before.

    ``ends`` is how many values both have in common at the beginning and at the end.
    """
    front, back = ends
    moved = len(values) - count
    found = list(before[: bisect_left(before, front, key=_index_of)])
    found += (
        (front + index, said)
        for index, value in enumerate(values[front : len(values) - back])
        if (said := look(value)) is not None
    )
    behind = before[bisect_left(before, count - back, key=_index_of) :]
    found += ((index + moved, said) for index, said in behind) if moved else behind
    return found


_index_of = itemgetter(0)
