"""Which findings a file silences: by a comment, or by a ``$cachewise`` key where JSON has none.

``// cachewise: ignore[volatile-content]`` on the line where the finding starts or on the line
above, in any comment syntax; without brackets it silences every rule there. ``// cachewise:
ignore-file[…]`` outside of every value or in one that holds the finding, and ``"$cachewise":
{"ignore": ["…"]}`` in an object around it, silence all inside. Rules are named by name or code.

Only true comments and keys count: a text of the prompt that looks like one changes nothing.
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
    at = located.base + finding.start
    line: int | None = None
    for found, start in _around(document, at):
        if isinstance(found, Node):
            if names & set(_ignored(found)):
                return True
            continue
        comment = _COMMENT.search(found.text)
        if comment is None:
            continue
        if comment[2] is not None and not names & {name.strip() for name in comment[2].split(",")}:
            continue
        if comment[1] == "ignore-file":
            return True
        if line is None:
            line = document.text.position(at).line
        if document.text.position(start + len(found.text)).line in (line - 1, line):
            return True
    return False


def _around(document: Document, at: int) -> Iterator[tuple[Comment | Node, int]]:
    """What could silence a finding that starts at a document offset, with document offsets.

    The comments outside of every value, then the comments and ``$cachewise`` values of each
    container around that offset, from the outermost one in.
    """
    yield from document.comments_around(at)
    region = document.region_at(at)
    if region is None or region.node is None:
        return
    node, start = region.node, region.start
    while True:
        for comment in node.comments:
            yield comment, start + comment.start
        if node.kind == "object":
            value = node.get(KEY)
            if value is not None:
                yield value, start
        index = child_at(node, at - start) if node.values else -1
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
