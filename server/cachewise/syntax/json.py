"""A tolerant JSON scanner, one pass over one regular expression, and its incremental form.

It reads JSON, JSON with comments and trailing commas, and half-typed text: whatever is missing or
misplaced is passed over or closed, and the values that can be seen are kept. The scanner never
recurses, never raises, and looks at each character a bounded number of times.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from cachewise.syntax.sharing import succeed
from cachewise.syntax.tree import Comment, Node, decode_string

MAX_DEPTH = 200
"""Brackets nested deeper than this are passed over as one unknown value; no request comes near."""

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      ("[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+(?:"|\\?(?=[\r\n]|\Z)))
    | ([{}\[\],:])
    | (//[^\r\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    | ([^\s{}\[\],:"/]++|.)
    | \Z
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = r"""
    (?:("[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+")
     | (-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null))
    [ \t\r\n]*+(?:,|(?=[}\]]))
"""
_MEMBER = re.compile(
    rf"""[ \t\r\n]*+("[^"\\\r\n]*+")[ \t\r\n]*+:[ \t\r\n]*+(?:{_PLAIN}|(?=[{{\[])())""",
    re.VERBOSE,
)
"""A whole member with nothing amiss in it: the value is a string, another scalar, or a bracket."""

_ELEMENT = re.compile(rf"[ \t\r\n]*+{_PLAIN}", re.VERBOSE)
"""The same of a list's scalars."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BRACKETS = re.compile(r'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"?|[{}\[\]]')
_WORDS = {"true", "false", "null"}


@dataclass(slots=True)
class Scan:
    """What one pass over a text saw.

    ``settled`` is False when the reading depended on what stands around the text (a closing
    bracket without its opening one, a value still open at the end): such a reading is right for the
    whole document but not for a part of it.
    """

    node: Node | None
    start: int
    end: int
    settled: bool
    comments: list[Comment]


@dataclass(slots=True)
class _Open:
    """A container that is being read: where it starts, and the key that waits for its value.

    ``twin`` is the container that it was before an edit, as long as what follows the edit may be
    taken over from it.
    """

    node: Node
    base: int
    key: tuple[str, int, int] | None = None
    twin: Node | None = None


def scan(text: str, position: int = 0, depth: int = 0) -> Scan:
    """Read one value from ``position`` on; ``end`` is where reading stopped.

    ``node`` is None when only white space and comments were left. Offsets are code points of
    ``text``; comments outside of the value are given with such offsets too. ``depth`` is how many
    brackets are open around the value.
    """
    return _read(text, position, depth, [], len(text) + 1, 0)


def rescan(root: Node, base: int, text: str, start: int, end: int, length: int) -> Scan | None:
    """Read again a value that starts at ``base``, after an edit, sharing what the edit left alone.

    ``text`` is the new text; the characters from ``start`` to ``end`` of the old one have become
    ``length`` others. What comes before the edit is taken over from ``root``, and so is what
    follows it, from the first place on where both readings are in the same state. None when nothing
    can be taken over; else the result is what ``scan`` gives.
    """
    opened = _reopened(root, base, start)
    if opened is None:
        return None
    stack, position = opened
    delta = length - (end - start)
    return _read(text, position, 0, stack, start + length, delta)


def common_beginning(a: str, b: str) -> int:
    """How many characters two texts begin with in common."""
    return _shared(a, b, min(len(a), len(b)))


def common_edit(old: str, new: str) -> tuple[int, int, int]:
    """The one edit that makes ``new`` of ``old``: (start, end) in the old text, new length."""
    limit = min(len(old), len(new))
    start = _shared(old, new, limit)
    tail = _shared(old, new, limit - start, from_end=True)
    return start, len(old) - tail, len(new) - tail - start


def _shared(a: str, b: str, limit: int, from_end: bool = False) -> int:
    """How many characters two texts begin (or end) with in common, at most ``limit``."""
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


def _reopened(root: Node, base: int, start: int) -> tuple[list[_Open], int] | None:
    """The containers around an edit as they stood just before it, and where to go on reading."""
    stack: list[_Open] = []
    node, at = root, base
    position = -1
    while True:
        if node.flawed or node.kind not in ("object", "array") or start <= at:
            break
        # Only children that end before the edit can be kept: an edit at a child's end may go on it.
        count = bisect_left(node.starts, start - at)
        if count:
            last = node.values[count - 1]
            # A child without its closing bracket goes on as far as the text lets it.
            if last.flawed or at + node.starts[count - 1] + last.length >= start:
                count -= 1
        kept = _beginning(node, count)
        position = at + 1
        if count:
            position = at + node.starts[count - 1] + node.values[count - 1].length
        kept.comments = tuple(c for c in node.comments if at + c.start < position)
        stack.append(_Open(kept, at, None, node))
        if count >= len(node.values):
            break
        child_at = at + node.starts[count]
        child = node.values[count]
        if not child_at < start or child.flawed or child.kind not in ("object", "array"):
            break
        if node.kind == "object":
            key = (node.keys[count], node.key_starts[count], node.key_lengths[count])
            stack[-1].key = key
        kept.comments = tuple(c for c in node.comments if at + c.start < child_at)
        node, at = child, child_at
    return (stack, position) if stack else None


def _beginning(node: Node, count: int) -> Node:
    kept = Node(node.kind)
    succeed(kept, node)
    kept.values = node.values[:count]
    kept.starts = node.starts[:count]
    if node.kind == "object":
        kept.keys = node.keys[:count]
        kept.key_starts = node.key_starts[:count]
        kept.key_lengths = node.key_lengths[:count]
    return kept


def _taken_over(opened: _Open, start: int, delta: int) -> bool:
    """Take the rest of a container over from before the edit, if a child of its stood here."""
    node, twin, base = opened.node, opened.twin, opened.base
    if twin is None or twin.flawed or node.flawed:
        return False
    starts = twin.key_starts if twin.kind == "object" else twin.starts
    old = start - base - delta
    index = bisect_left(starts, old)
    if index >= len(starts) or starts[index] != old:
        return False
    node.values += twin.values[index:]
    node.starts += [at + delta for at in twin.starts[index:]]
    if node.kind == "object":
        node.keys += twin.keys[index:]
        node.key_starts += [at + delta for at in twin.key_starts[index:]]
        node.key_lengths += twin.key_lengths[index:]
    node.comments += tuple(
        Comment(comment.start + delta, comment.text)
        for comment in twin.comments
        if comment.start >= old
    )
    node.length = twin.length + delta
    return True


def _read_plain(
    text: str, position: int, container: Node, base: int, until: int
) -> tuple[int, tuple[str, int, int] | None]:
    """Read the members or elements with nothing amiss in them, one step each: nearly all there are.

    Ends before ``until``, and at whatever is not so plain: where to go on, and the key that waits
    for its value.
    """
    values, starts = container.values, container.starts
    is_object = container.kind == "object"
    match = _MEMBER.match if is_object else _ELEMENT.match
    while found := match(text, position):
        group = found.lastindex or 0
        start = found.start(group)
        if start >= until:
            break
        if is_object:
            key = found[1]
            at = found.start(1) - base
            if group == 4:
                return start, (key[1:-1], at, len(key))
            container.keys.append(key[1:-1])
            container.key_starts.append(at)
            container.key_lengths.append(len(key))
        token = found[group]
        if token[0] == '"':
            node = Node("string", len(token), token)
        elif token in _WORDS:
            node = Node(token, len(token), token)  # type: ignore[arg-type]
        else:
            node = Node("number", len(token), token)
        values.append(node)
        starts.append(start - base)
        position = found.end()
    return position, None


_Frame = tuple[Node, int, tuple[str, int, int] | None, Node | None]
"""An open container, its start, the key that waits for its value, and its twin."""


def _close(stack: list[_Frame], container: Node, base: int) -> tuple[Node, int, Node | None]:
    """Put a container that is read into the one around it, which is then the one being read."""
    parent, parent_base, key, twin = stack.pop()
    _attach(parent, container, base - parent_base, key)
    return parent, parent_base, twin


def _read(text: str, position: int, depth: int, opened: list[_Open], tail: int, delta: int) -> Scan:
    """The scanner's loop. ``opened`` are the containers around ``position``, outermost first.

    From ``tail`` on the text is the old one, ``delta`` characters further on.
    """
    match = _TOKEN.match
    outer: list[Comment] = []
    settled = True
    # The container being read, its start, the key that waits for its value, and the stack of those.
    container: Node | None = None
    base = 0
    key: tuple[str, int, int] | None = None
    twin: Node | None = None
    stack: list[_Frame] = []
    if opened:
        stack = [(item.node, item.base, item.key, item.twin) for item in opened]
        container, base, key, twin = stack.pop()

    while True:
        if container is not None and key is None:
            until: int = tail if twin is not None else len(text) + 1
            plain: tuple[int, tuple[str, int, int] | None]
            plain = _read_plain(text, position, container, base, until)
            position, key = plain
        found = match(text, position)
        if found is None:  # nothing but what no alternative takes; cannot happen, but must not hang
            break
        group = found.lastindex
        end = found.end()
        if group is None:  # the end of the text
            position = end
            break
        start = found.start(group)

        if group == 3:
            comment = found[3]
            if container is None:
                outer.append(Comment(start, comment))
            else:
                container.comments += (Comment(start - base, comment),)
            if end == len(text) and comment.startswith("/*") and not comment.endswith("*/"):
                settled = False
            position = end
            continue

        if (
            twin is not None
            and start >= tail
            and key is None
            and container is not None
            and _taken_over(_Open(container, base, None, twin), start, delta)
        ):
            # Behind the edit, at a place where a child stood before: the rest is as it was.
            position = base + container.length
            if not stack:
                return Scan(container, base, position, settled, outer)
            container, base, twin = _close(stack, container, base)
            key = None
            continue

        if group == 2:
            mark = found[2]
            position = end
            if mark in "{[":
                if container is not None and container.kind == "object" and key is None:
                    # A value where a key belongs: the bracket that should have closed this object
                    # is missing, so close it here, and go on in the array around it.
                    container.flawed = True
                    if stack and stack[-1][0].kind == "array":
                        container.length = _trimmed_end(text, base, start) - base
                        container, base, twin = _close(stack, container, base)
                        key = None
                    else:
                        if not stack:
                            settled = False
                        key = ("", start - base, 0)
                if depth + len(stack) + (container is not None) >= MAX_DEPTH:
                    position, closed = _pass_over(text, start)
                    settled = settled and closed
                    node = Node("hole", position - start)
                    _attach(container, node, start - base, key)
                    key = None
                    continue
                if container is not None:
                    stack.append((container, base, key, twin))
                container = Node("object" if mark == "{" else "array")
                container.values = []
                container.starts = []
                if mark == "{":
                    container.keys = []
                    container.key_starts = []
                    container.key_lengths = []
                base = start
                key = None
                twin = None
                continue
            if container is None:
                # A stray bracket, comma or colon before any value says nothing.
                settled = False
                continue
            if mark in "}]":
                wanted = "object" if mark == "}" else "array"
                if container.kind != wanted:
                    container.flawed = True
                    if not any(node.kind == wanted for node, _, _, _ in stack):
                        settled = False
                        continue
                    while container.kind != wanted:
                        if key is not None:
                            _attach(container, Node("hole"), start - base, key)
                        container.length = _trimmed_end(text, base, start) - base
                        container.flawed = True
                        container, base, twin = _close(stack, container, base)
                        key = None
                if key is not None:
                    _attach(container, Node("hole"), start - base, key)
                    container.flawed = True
                    key = None
                container.length = end - base
                if not stack:
                    return Scan(container, base, end, settled, outer)
                container, base, twin = _close(stack, container, base)
                key = None
                continue
            if mark == "," and key is not None:
                _attach(container, Node("hole"), start - base, key)
                container.flawed = True
                key = None
            continue

        # A string, a number, a word, or a character that means nothing in JSON.
        token = found[group]
        if container is None:
            node = _scalar(token, group)
            cut = group == 1 and end == len(text) and not _closed(token)
            return Scan(node, start, end, settled and not cut and group == 1, outer)
        if end == len(text):
            settled = False
        if container.kind == "object" and key is None:
            position = end
            following = _TOKEN.match(text, end)
            while following is not None and following.lastindex == 3:
                container.comments += (Comment(following.start(3) - base, following[3]),)
                position = following.end()
                following = _TOKEN.match(text, position)
            name = decode_string(token) if group == 1 else token
            if following is not None and following.lastindex == 2 and following[2] == ":":
                key = (name, start - base, end - start)
                position = following.end()
            else:
                # A key without its colon yet: keep it, with nothing behind it.
                container.flawed = True
                if group == 1:
                    _attach(container, Node("hole"), end - base, (name, start - base, end - start))
            continue
        node = _scalar(token, group)
        if group == 4 and node.kind == "hole":
            container.flawed = True
        _attach(container, node, start - base, key)
        key = None
        position = end

    # The text ended inside a value: close what is open where the text ends.
    if container is None:
        return Scan(None, position, position, False, outer)
    if key is not None:
        _attach(container, Node("hole"), len(text) - base, key)
    stop = _trimmed_end(text, base, len(text))
    while True:
        container.length = stop - base
        container.flawed = True
        if not stack:
            return Scan(container, base, len(text), False, outer)
        container, base, twin = _close(stack, container, base)


def scan_all(text: str) -> list[Scan]:
    """Every value that stands in a text, one behind the other, as in JSON text sequences."""
    found: list[Scan] = []
    position = 0
    while position < len(text):
        result = scan(text, position)
        if result.node is None:
            if result.comments:
                found.append(result)
            break
        found.append(result)
        position = max(result.end, position + 1)
    return found


def edited(
    root: Node, start: int, end: int, length: int, read: Callable[[int, int], str]
) -> Node | None:
    """The tree after an edit, sharing each node left alone; None when all must be read again.

    ``start`` and ``end`` are the replaced span, from the root's start, ``length`` is the number of
    characters that stand there now, ``read(a, b)`` gives the *new* text between two such offsets.
    The result is what reading the whole new text would give, node for node.
    """
    path: list[tuple[Node, int]] = []
    node, base = root, 0
    candidates: list[tuple[int, Node, int]] = []
    while True:
        # Strictly inside of the brackets or quotes: an edit that touches them belongs further out.
        if not (base < start and end < base + node.length):
            break
        candidates.append((len(path), node, base))
        if not node.values:
            break
        index = _enclosing(node, start - base, end - base)
        if index < 0:
            break
        path.append((node, index))
        base += node.starts[index]
        node = node.values[index]
    delta = length - (end - start)
    for above, old, offset in reversed(candidates[-3:]):
        if old.kind != "string" and old.length > _SMALL:
            break  # ``rescan`` shares what is in it; reading it anew would not
        text = read(offset, offset + old.length + delta)
        result = scan(text, 0, above)
        if not result.settled or result.start != 0 or result.end != len(text):
            continue
        fresh = result.node
        if fresh is None or fresh.kind != old.kind:
            continue
        for parent, index in reversed(path[:above]):
            fresh = _spliced(parent, index, fresh, delta)
        return fresh
    return None


_SMALL = 4096
"""Characters of a list or an object that is read anew as a whole when an edit is inside of it."""


def _enclosing(node: Node, start: int, end: int) -> int:
    low, high = 0, len(node.starts)
    while low < high:
        middle = (low + high) // 2
        if node.starts[middle] < start:
            low = middle + 1
        else:
            high = middle
    index = low - 1
    if index < 0 or end >= node.starts[index] + node.values[index].length:
        return -1
    return index


def _spliced(parent: Node, index: int, child: Node, delta: int) -> Node:
    fresh = Node(parent.kind, parent.length + delta)
    succeed(fresh, parent)
    fresh.values = parent.values.copy()
    fresh.values[index] = child
    fresh.flawed = parent.flawed
    fresh.keys = parent.keys
    fresh.key_lengths = parent.key_lengths
    fresh.starts = parent.starts
    fresh.key_starts = parent.key_starts
    fresh.comments = parent.comments
    if delta:
        edge = parent.starts[index]
        fresh.starts = parent.starts[: index + 1]
        fresh.starts += [start + delta for start in parent.starts[index + 1 :]]
        if parent.keys:
            fresh.key_starts = parent.key_starts[: index + 1]
            fresh.key_starts += [start + delta for start in parent.key_starts[index + 1 :]]
        if parent.comments:
            fresh.comments = tuple(
                Comment(comment.start + delta, comment.text) if comment.start > edge else comment
                for comment in parent.comments
            )
    return fresh


def _attach(
    container: Node | None, node: Node, start: int, key: tuple[str, int, int] | None
) -> None:
    if container is None:
        return
    if container.kind == "object":
        if key is None:
            return
        container.keys.append(key[0])
        container.key_starts.append(key[1])
        container.key_lengths.append(key[2])
    container.values.append(node)
    container.starts.append(start)


def _scalar(token: str, group: int) -> Node:
    if group == 1:
        node = Node("string", len(token), token)
        node.flawed = not _closed(token)
        return node
    if token in _WORDS:
        return Node(token, len(token), token)  # type: ignore[arg-type]
    if _NUMBER.fullmatch(token):
        return Node("number", len(token), token)
    return Node("hole", len(token), token)


def _closed(token: str) -> bool:
    if len(token) < 2 or token[-1] != '"':
        return False
    body = token[1:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 0


def _pass_over(text: str, start: int) -> tuple[int, bool]:
    """The end of a bracketed value too deep to read, and whether it was closed."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        mark = found[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return found.end(), True
    return len(text), False


def _trimmed_end(text: str, start: int, end: int) -> int:
    """The end without white space, commas and colons: where a value that was cut off is closed."""
    while end > start + 1 and text[end - 1] in " \t\r\n,:":
        end -= 1
    return end
