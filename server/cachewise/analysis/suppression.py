"""Which findings a file silences: by a comment, or by a ``$cachewise`` key where JSON has none.

``// cachewise: ignore[volatile-content]`` on the finding's line or on the line above, in any
comment syntax; without brackets it silences every rule there. ``// cachewise: ignore-file[…]`` in
any comment of the request, and ``"$cachewise": {"ignore": ["…"]}`` in an object around the
finding, silence all inside. Only true comments and keys count: a text of the prompt that
looks like one changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cachewise.rules.base import Finding
from cachewise.syntax.tree import Comment, Node, child_at

if TYPE_CHECKING:
    from cachewise.analysis.document import Document, Located

KEY = "$cachewise"

_COMMENT = re.compile(r"cachewise:\s*(ignore-file|ignore)\b(?:\s*\[([^\]]*)\])?")


def is_suppressed(document: Document, located: Located, finding: Finding) -> bool:
    """Whether the file says not to report a finding."""
    names = {finding.rule, finding.code}
    line: int | None = None
    regions = document.comments_around(located.base)
    for comment, at in _around(located.found.request.node, located.base, finding.start, regions):
        if isinstance(comment, Node):
            if names & set(_ignored(comment)):
                return True
            continue
        found = _COMMENT.search(comment.text)
        if found is None:
            continue
        listed = {name.strip() for name in found[2].split(",")} if found[2] else names
        if not names & listed:
            continue
        if found[1] == "ignore-file":
            return True
        if line is None:
            line = document.text.position(located.base + finding.start).line
        last = at + len(comment.text)
        if document.text.position(last).line in (line - 1, line):
            return True
    return False


def _around(
    node: Node, base: int, offset: int, outer: tuple[tuple[Comment, int], ...]
) -> Iterator[tuple[Comment | Node, int]]:
    """The comments and ``$cachewise`` values of every container around an offset of the request."""
    yield from outer
    start = 0
    while True:
        for comment in node.comments:
            yield comment, base + start + comment.start
        if node.kind == "object":
            value = node.get(KEY)
            if value is not None:
                yield value, base + start
        index = child_at(node, offset - start) if node.values else -1
        if index < 0:
            return
        start += node.starts[index]
        node = node.values[index]


def _ignored(node: Node) -> Iterator[str]:
    listed = node.get("ignore")
    if listed is not None:
        for value in listed.values if listed.kind == "array" else [listed]:
            if value.kind == "string":
                yield value.text
