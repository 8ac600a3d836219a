"""What the user can have changed at a place: fixes, breakpoints, rules switched off.

Every action carries its edits, in document offsets, made so that the document keeps its formatting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from cachewise.analysis.cursor import block_at, path_at
from cachewise.analysis.document import Document, Located, LocatedFinding
from cachewise.analysis.suppression import KEY
from cachewise.analysis.surfaces import Action
from cachewise.caching.cost import LONG_TTL
from cachewise.caching.plan import DEFAULT_TTL
from cachewise.catalog.resolve import effective_ttls
from cachewise.request.model import PlacedMark
from cachewise.syntax.json_edit import (
    Edit,
    add_member,
    remove_member,
    set_member,
    wrap_text,
)
from cachewise.syntax.tree import Node

FIX_ALL = "source.fixAll.cachewise"
EDITABLE = ("json", "jsonc", "jsonl")
"""Formats in which markers and keys can be inserted at any place."""

_MEMBER = "cache_control"


def actions(
    document: Document, start: int, end: int, findings: Sequence[LocatedFinding]
) -> list[Action]:
    """The actions for a selection, the fixes of ``findings`` first.

    ``findings`` are those that the selection touches, see ``findings_between``.
    """
    found = [*quick_fixes(findings)]
    if document.format not in EDITABLE:
        return _distinct(found)
    located = document.request_at(start)
    if located is not None:
        found += _remove_and_move(document, located, start, end)
        found += _insert(document, located, start)
    for finding in findings:
        found += _ignore(document, finding)
    return _distinct(found)


def findings_between(document: Document, start: int, end: int) -> list[LocatedFinding]:
    """The findings that a selection touches."""
    return [found for found in document.findings() if found.start <= end and start <= found.end]


def quick_fixes(findings: Iterable[LocatedFinding]) -> Iterator[Action]:
    """The fixes of some findings; the first one that touches markers only is preferred."""
    for found in findings:
        preferred = True
        for fix in found.finding.fixes:
            yield Action(
                fix.title,
                "quickfix",
                shifted(fix.edits, found.located.base),
                found,
                preferred and fix.marker_only,
            )
            preferred = preferred and not fix.marker_only


def fix_all(document: Document) -> Action | None:
    """One change with the first marker-only fix of every error and warning; None without any.

    Fixes whose edits would meet are left for the next time.
    """
    taken: list[Edit] = []
    count = 0
    for found in document.findings():
        if found.finding.severity == "info":
            continue
        fix = next((fix for fix in found.finding.fixes if fix.marker_only), None)
        if fix is None:
            continue
        edits = shifted(fix.edits, found.located.base)
        if any(_meet(edit, other) for edit in edits for other in taken):
            continue
        taken += edits
        count += 1
    if not taken:
        return None
    what = "1 problem" if count == 1 else f"{count} problems"
    return Action(f"Fix {what} of cache breakpoints", FIX_ALL, _ordered(taken))


def shifted(edits: Iterable[Edit], by: int) -> tuple[Edit, ...]:
    """The same edits with offsets that count from elsewhere."""
    return tuple(Edit(edit.start + by, edit.end + by, edit.new) for edit in edits)


def stable_end(located: Located) -> int:
    """The index of the last block that is the same on every call, as far as can be told; or -1.

    The last user turn counts as changing, and so does all behind a text in which a value that
    changes per call was found (rule CW301).
    """
    request = located.analyzed.request
    last = len(request.units)
    while last > 0 and request.units[last - 1].role == "user":
        last -= 1
    end = request.firsts[last] - 1
    for finding in located.analyzed.findings:
        if finding.code == "CW301" and finding.severity == "warning":
            block = block_at(located, located.base + finding.start)
            if block >= 0:
                end = min(end, block - 1)
    blocks = request.blocks
    while end >= 0 and (blocks[end].barred or not _can_take_marker(located, end)):
        end -= 1
    return end


def _distinct(found: list[Action]) -> list[Action]:
    seen: set[tuple[str, tuple[Edit, ...]]] = set()
    kept: list[Action] = []
    for action in found:
        identity = (action.title, action.edits)
        if identity not in seen:
            seen.add(identity)
            kept.append(action)
    return kept


def _meet(one: Edit, other: Edit) -> bool:
    return one.start <= other.end and other.start <= one.end


def _ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: (edit.start, edit.end)))


def _marker_source(ttl: str) -> str:
    if ttl == DEFAULT_TTL:
        return '{"type": "ephemeral"}'
    return f'{{"type": "ephemeral", "ttl": {json.dumps(ttl)}}}'


def _ttls(located: Located) -> tuple[str, ...]:
    model = located.analyzed.model
    if model is None:
        return (DEFAULT_TTL, LONG_TTL)
    return effective_ttls(model, located.analyzed.resolution.platform) or (DEFAULT_TTL,)


def _can_take_marker(located: Located, index: int) -> bool:
    """Whether a block may carry a marker here, and carries none."""
    analyzed = located.analyzed
    request = analyzed.request
    block = request.blocks[index]
    platform = analyzed.platform
    if analyzed.model is not None and analyzed.model.explicit is False:
        return False
    if platform is not None:
        if _MEMBER not in platform.markers:
            return False
        if block.section == "tools" and not platform.tools_markers:
            return False
    if block.barred or block.node.flawed or block.node.get(_MEMBER) is not None:
        return False
    if block.node.kind == "string":
        # An item of a list must be an object already; a whole text can become a list of one.
        in_list = re.search(r"/\d+$", request.block_pointer(index)) is not None
        return bool(block.node.text.strip()) and not in_list
    return True


def _has_slot(located: Located) -> bool:
    platform = located.analyzed.platform
    if platform is None or platform.max_breakpoints is None:
        return True
    return len(located.analyzed.request.marks) < platform.max_breakpoints


def _allowed_ttls(located: Located, index: int, without: PlacedMark | None = None) -> Iterator[str]:
    """The lifetimes that keep the order of lifetimes: never a longer one behind a shorter one."""
    marks = [
        (point.block, point.ttl)
        for point in located.analyzed.plan.breakpoints
        if point.placed is not without
    ]
    for ttl in _ttls(located):
        if ttl == LONG_TTL and any(block < index and other != LONG_TTL for block, other in marks):
            continue
        if ttl != LONG_TTL and any(block > index and other == LONG_TTL for block, other in marks):
            continue
        yield ttl


def _insertion(document: Document, located: Located, index: int, ttl: str) -> Edit:
    request = located.analyzed.request
    node = request.blocks[index].node
    start = located.base + request.block_span(index)[0]
    if node.kind == "string":
        return wrap_text(document.read, node, start, _marker_source(ttl))
    return add_member(document.read, node, start, _MEMBER, _marker_source(ttl))


def _insert(document: Document, located: Located, offset: int) -> Iterator[Action]:
    if not _has_slot(located):
        return
    here = block_at(located, offset)
    if here >= 0 and _can_take_marker(located, here):
        for ttl in _allowed_ttls(located, here):
            yield Action(
                f"Insert cache breakpoint here ({ttl})",
                "refactor",
                (_insertion(document, located, here, ttl),),
            )
    stable = stable_end(located)
    marked = {point.block for point in located.analyzed.plan.breakpoints}
    if stable >= 0 and stable != here and stable not in marked:
        for ttl in _allowed_ttls(located, stable):
            yield Action(
                f"Insert cache breakpoint after the last stable block, block {stable + 1} ({ttl})",
                "refactor",
                (_insertion(document, located, stable, ttl),),
            )


def _mark_at(located: Located, start: int, end: int) -> PlacedMark | None:
    """The marker that a selection touches, else the one of the block that it stands in."""
    for placed in located.analyzed.request.marks:
        key = located.base + placed.start - placed.mark.start + placed.mark.key_start
        if key <= end and start <= located.base + placed.end:
            return placed
    block = block_at(located, start)
    for point in located.analyzed.plan.breakpoints:
        if point.block == block >= 0 and not point.automatic:
            return point.placed
    return None


def _removal(document: Document, located: Located, placed: PlacedMark) -> Edit:
    mark = placed.mark
    owner = located.base + placed.start - mark.start + mark.owner_start
    return remove_member(document.read, mark.owner, owner, _MEMBER)


def _remove_and_move(
    document: Document, located: Located, start: int, end: int
) -> Iterator[Action]:
    placed = _mark_at(located, start, end)
    if placed is None:
        if not _has_slot(located):
            yield from _move_here(document, located, start)
        return
    if placed.mark.place == "point":
        return
    removal = _removal(document, located, placed)
    yield Action("Remove this breakpoint", "refactor", (removal,))
    for name, index in _targets(located):
        if not _can_take_marker(located, index):
            continue
        ttl = _moved_ttl(located, placed, index)
        if ttl is not None:
            yield Action(
                f"Move breakpoint to {name}",
                "refactor",
                _ordered((removal, _insertion(document, located, index, ttl))),
            )


def _move_here(document: Document, located: Located, offset: int) -> Iterator[Action]:
    """All slots are taken: offer to bring the nearest marker to the block under the cursor."""
    here = block_at(located, offset)
    points = [
        point
        for point in located.analyzed.plan.breakpoints
        if not point.automatic and point.placed.mark.place != "point"
    ]
    if here < 0 or not points or not _can_take_marker(located, here):
        return
    nearest = min(points, key=lambda point: abs(point.block - here))
    ttl = _moved_ttl(located, nearest.placed, here)
    if ttl is not None:
        yield Action(
            f"Move breakpoint to here from block {nearest.block + 1}",
            "refactor",
            _ordered(
                (
                    _removal(document, located, nearest.placed),
                    _insertion(document, located, here, ttl),
                )
            ),
        )


def _moved_ttl(located: Located, placed: PlacedMark, index: int) -> str | None:
    """The lifetime of a moved marker: its own where the order allows it, else the allowed one."""
    allowed = list(_allowed_ttls(located, index, without=placed))
    own = placed.mark.ttl or DEFAULT_TTL
    return own if own in allowed else allowed[0] if allowed else None


def _targets(located: Located) -> Iterator[tuple[str, int]]:
    """Places that a breakpoint is usually moved to, each once, with the block's index."""
    blocks = located.analyzed.request.blocks
    named: dict[int, str] = {}
    for section, name in (("tools", "the last tool"), ("system", "the end of the system prompt")):
        index = max(
            (place for place, block in enumerate(blocks) if block.section == section), default=-1
        )
        if index >= 0:
            named[index] = name
    stable = stable_end(located)
    if stable >= 0 and stable not in named:
        named[stable] = f"the last stable block, block {stable + 1}"
    for index in sorted(named):
        yield named[index], index


def _ignore(document: Document, found: LocatedFinding) -> Iterator[Action]:
    rule = found.finding.rule
    if _takes_comments(document, found):
        here = _comment_here(document, found)
        file = _comment_for_file(document, found)
    else:
        here = _key_here(document, found)
        file = _key_for_request(document, found)
    single = len(document.requests) == 1 or (file is not None and file.new.startswith("//"))
    scope = "in this file" if single else "in this request"
    if here is not None and here != file:
        yield Action(f"Ignore {rule} here", "quickfix", (here,), found)
    if file is not None:
        yield Action(f"Ignore {rule} {scope}", "quickfix", (file,), found)


def _takes_comments(document: Document, found: LocatedFinding) -> bool:
    if document.format == "jsonc":
        return True
    if document.comments_around(found.located.base):
        return True
    return any(step.node.comments for step in path_at(document, found.start))


def _comment_here(document: Document, found: LocatedFinding) -> Edit | None:
    """A comment on the line above, or just before the member when that line is another value's."""
    text = document.text
    path = path_at(document, found.start)
    if len(path) < 2:
        return None
    line = text.position(found.start).line
    at = text.line_start(line)
    source = text.line(line)
    indentation = source[: len(source) - len(source.lstrip(" \t"))]
    comment = f"cachewise: ignore[{found.finding.rule}]"
    around = path_at(document, at + len(indentation))
    containers = [step.node for step in path[:-1]]
    first = next((step for step in reversed(around) if step.start < at), None)
    if first is not None and any(first.node is node for node in containers):
        return Edit(at, at, f"{indentation}// {comment}{_line_break(document, line)}")
    step = path[-1]
    before = step.key_start if step.key is not None else step.start
    return Edit(before, before, f"/* {comment} */ ")


def _comment_for_file(document: Document, found: LocatedFinding) -> Edit | None:
    comment = f"// cachewise: ignore-file[{found.finding.rule}]"
    if document.format == "jsonl":
        return None
    return Edit(0, 0, f"{comment}{_line_break(document, 0)}")


def _line_break(document: Document, line: int) -> str:
    text = document.text
    following = text.slice(text.line_end(line), text.line_end(line) + 2)
    return "\r\n" if following == "\r\n" else "\n"


def _key_here(document: Document, found: LocatedFinding) -> Edit | None:
    """A ``$cachewise`` key in the block or message that a finding stands in."""
    request = found.located.analyzed.request
    block = block_at(found.located, found.start)
    if block < 0:
        return None
    node = request.blocks[block].node
    start = found.located.base + request.block_span(block)[0]
    if node.kind != "object":
        unit = request.unit_of(block)
        node = request.units[unit].node
        start = found.located.base + request.unit_starts[unit]
    return _ignoring(document, node, start, found.finding.rule)


def _key_for_request(document: Document, found: LocatedFinding) -> Edit | None:
    node = found.located.analyzed.request.node
    return _ignoring(document, node, found.located.base, found.finding.rule)


def _ignoring(document: Document, node: Node, start: int, rule: str) -> Edit | None:
    """Add a rule to an object's ``$cachewise`` key, which may be there already."""
    if node.kind != "object" or node.flawed:
        return None
    known = node.get(KEY)
    if known is None:
        return add_member(document.read, node, start, KEY, json.dumps({"ignore": [rule]}))
    if known.kind != "object":
        return None
    at = start + node.start_of(KEY)
    listed = known.get("ignore")
    names = [value.text for value in listed.values if value.kind == "string"] if listed else []
    if listed is not None and listed.kind == "string":
        names = [listed.text]
    value = json.dumps([*names, rule])
    edits = set_member(document.read, known, at, "ignore", value)
    return edits[0]
