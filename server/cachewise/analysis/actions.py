"""What the user can have changed at a place: fixes, breakpoints, rules switched off.

Every action carries its edits, in document offsets, made so that the document keeps its formatting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from cachewise.analysis.context import context_of
from cachewise.analysis.cursor import block_at, path_at
from cachewise.analysis.document import Document, Located, LocatedFinding
from cachewise.analysis.fixing import fix_round
from cachewise.analysis.place import is_request, place
from cachewise.analysis.suppression import KEY
from cachewise.analysis.surfaces import Action
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context
from cachewise.rules.markers import Spot, allowed_ttls, fits, remove_mark, slots
from cachewise.rules.placement import can_carry, insertion, movement, standing
from cachewise.syntax.formats import COMMENTS, is_source
from cachewise.syntax.json_edit import Edit, add_member, set_member
from cachewise.syntax.tree import Node

FIX_ALL = "source.fixAll.cachewise"

_COMMENTS = {"jsonc": "//", "yaml": "#"}
"""How a comment begins in the formats that have any."""


def actions(
    document: Document, start: int, end: int, findings: Sequence[LocatedFinding]
) -> list[Action]:
    """The actions for a selection, the fixes of ``findings`` first.

    ``findings`` are those that the selection touches, see ``findings_between``.
    """
    found = [*quick_fixes(findings)]
    located = document.request_at(start)
    if located is not None:
        found += _remove_and_move(document, located, start, end)
        found += _insert(document, located, start)
        found += _place(document, located)
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
    """One change with the first round of fixes that ``check --fix`` makes; None without any."""
    changes, count = fix_round(document)
    if not changes:
        return None
    what = "1 problem" if count == 1 else f"{count} problems"
    edits = _ordered(Edit(start, end, new) for start, end, new in changes)
    return Action(f"Fix {what} of cache breakpoints", FIX_ALL, edits)


def shifted(edits: Iterable[Edit], by: int) -> tuple[Edit, ...]:
    """The same edits with offsets that count from elsewhere."""
    return tuple(Edit(edit.start + by, edit.end + by, edit.new) for edit in edits)


def stable_end(document: Document, located: Located) -> int:
    """The index of the last block that is the same on every call, as far as can be told; or -1.

    The last user turn counts as changing, and so does all behind a text in which a value that
    changes per call was found (rule CW301). Blocks that cannot take a marker are passed over.
    """
    request = located.analyzed.request
    last = len(request.units)
    while last > 0 and request.units[last - 1].role == "user":
        last -= 1
    end = request.firsts[last] - 1
    for finding in located.analyzed.findings:
        if finding.code == "CW301" and finding.severity == "warning":
            # The finding itself may stand where the value is made, outside of the request.
            block = next(
                (index for index in range(end + 1)
                 if request.block_pointer(index) == finding.pointer), -1
            )  # fmt: skip
            if block >= 0:
                end = min(end, block - 1)
    context = context_of(document, located)
    while end >= 0 and not can_carry(context, end):
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


def _ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: (edit.start, edit.end)))


def _takes_markers(context: Context) -> bool:
    return context.model is None or context.model.explicit is not False


def _insert(document: Document, located: Located, offset: int) -> Iterator[Action]:
    context = context_of(document, located)
    if not _takes_markers(context):
        return
    others = standing(context)
    here = block_at(located, offset)
    if here >= 0 and can_carry(context, here):
        for ttl in _fitting(context, here, others):
            edit = insertion(context, here, ttl)
            yield Action(
                f"Insert cache breakpoint here ({ttl})",
                "refactor",
                shifted((edit,), located.base),
            )
    stable = stable_end(document, located)
    if stable >= 0 and stable != here:
        for ttl in _fitting(context, stable, others):
            edit = insertion(context, stable, ttl)
            yield Action(
                f"Insert cache breakpoint after the last stable block, block {stable + 1} ({ttl})",
                "refactor",
                shifted((edit,), located.base),
            )


def _place(document: Document, located: Located) -> Iterator[Action]:
    """All breakpoints of a request at once, where they cost least; only if that saves something."""
    if is_request(located):
        found = place(document, located, verify=False)
        if found.edits:
            yield Action(found.title, "refactor.rewrite", found.edits)


def _fitting(context: Context, block: int, others: Sequence[Spot]) -> Iterator[str]:
    """The lifetimes that a marker on a block may name without the API rejecting the request."""
    for ttl in allowed_ttls(context):
        if fits(context, Spot(block, ttl), others):
            yield ttl


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


def _remove_and_move(
    document: Document, located: Located, start: int, end: int
) -> Iterator[Action]:
    context = context_of(document, located)
    placed = _mark_at(located, start, end)
    if placed is None:
        yield from _move_here(context, located, start)
        return
    removal = shifted((remove_mark(context, placed),), located.base)
    yield Action("Remove this breakpoint", "refactor", removal)
    for name, index in _targets(document, located):
        edits = movement(context, placed, index)
        if edits is not None:
            yield Action(
                f"Move breakpoint to {name}", "refactor", _ordered(shifted(edits, located.base))
            )


def _move_here(context: Context, located: Located, offset: int) -> Iterator[Action]:
    """All slots are taken: offer to bring the nearest marker to the block under the cursor."""
    limit = context.platform.max_breakpoints if context.platform is not None else None
    here = block_at(located, offset)
    points = [point for point in context.plan.breakpoints if not point.automatic]
    if limit is None or len(slots(context)) < limit or here < 0 or not points:
        return
    nearest = min(points, key=lambda point: abs(point.block - here))
    edits = movement(context, nearest.placed, here)
    if edits is not None:
        yield Action(
            f"Move breakpoint to here from block {nearest.block + 1}",
            "refactor",
            _ordered(shifted(edits, located.base)),
        )


def _targets(document: Document, located: Located) -> Iterator[tuple[str, int]]:
    """Places that a breakpoint is usually moved to, each once, with the block's index."""
    blocks = located.analyzed.request.blocks
    named: dict[int, str] = {}
    for section, name in (("tools", "the last tool"), ("system", "the end of the system prompt")):
        index = max(
            (place for place, block in enumerate(blocks) if block.section == section), default=-1
        )
        if index >= 0:
            named[index] = name
    stable = stable_end(document, located)
    if stable >= 0 and stable not in named:
        named[stable] = f"the last stable block, block {stable + 1}"
    for index in sorted(named):
        yield named[index], index


def _ignore(document: Document, found: LocatedFinding) -> Iterator[Action]:
    rule = found.finding.rule
    if is_source(document.format):
        yield from _ignore_in_source(document, found)
        return
    if _takes_comments(document, found):
        here = _comment_here(document, found)
        file = _comment_for_file(document, found)
    else:
        here = _key_here(document, found)
        file = _key_for_request(document, found)
    single = len(document.requests) == 1 or (file is not None and file.start == 0)
    scope = "in this file" if single else "in this request"
    if here is not None and here != file:
        yield Action(f"Ignore {rule} here", "quickfix", (here,), found)
    if file is not None:
        yield Action(f"Ignore {rule} {scope}", "quickfix", (file,), found)


def _ignore_in_source(document: Document, found: LocatedFinding) -> Iterator[Action]:
    """Comments in the language's own syntax, where they do silence the finding and nothing else.

    A line above can stand in a text or in a command that goes on: so each is tried first.
    """
    marks = COMMENTS.get(document.format)
    if marks is None:
        return
    rule = found.finding.rule
    opening, closing = marks
    text = document.text
    line = text.position(found.start).line
    at = text.line_start(line)
    source = text.line(line)
    indentation = source[: len(source) - len(source.lstrip(" \t"))]
    newline = _line_break(document, line)
    here = Edit(at, at, f"{indentation}{opening} cachewise: ignore[{rule}]{closing}{newline}")
    if _silences(document, here, found):
        yield Action(f"Ignore {rule} here", "quickfix", (here,), found)
    said = f"{opening} cachewise: ignore-file[{rule}]{closing}"
    first = text.line_start(1) if text.slice(0, 2) == "#!" else 0
    file = Edit(first, first, f"{said}{newline}")
    if document.format == "markdown":  # its first lines can be front matter
        file = Edit(len(text), len(text), f"{newline}{said}{newline}")
    if _silences(document, file, found):
        yield Action(f"Ignore {rule} in this file", "quickfix", (file,), found)


def _silences(document: Document, edit: Edit, found: LocatedFinding) -> bool:
    """Whether a file says the same after an edit, without a finding."""
    source = str(document.text)
    changed = Document(
        source[: edit.start] + edit.new + source[edit.end :],
        document.format,
        document.options,
        document.path,
    )
    before = [(one.finding.code, one.finding.message) for one in document.findings()]
    after = [(one.finding.code, one.finding.message) for one in changed.findings()]
    gone = (found.finding.code, found.finding.message)
    return (
        after.count(gone) < before.count(gone)
        and {one for one in before if one[0] != gone[0]}
        == {one for one in after if one[0] != gone[0]}
        and [one.found.request.node.keys for one in document.requests]
        == [one.found.request.node.keys for one in changed.requests]
    )


def _takes_comments(document: Document, found: LocatedFinding) -> bool:
    if document.format in _COMMENTS:
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
        mark = _COMMENTS.get(document.format, "//")
        return Edit(at, at, f"{indentation}{mark} {comment}{_line_break(document, line)}")
    if document.format == "yaml":
        return None
    step = path[-1]
    before = step.key_start if step.key is not None else step.start
    return Edit(before, before, f"/* {comment} */ ")


def _comment_for_file(document: Document, found: LocatedFinding) -> Edit | None:
    mark = _COMMENTS.get(document.format, "//")
    comment = f"{mark} cachewise: ignore-file[{found.finding.rule}]"
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
