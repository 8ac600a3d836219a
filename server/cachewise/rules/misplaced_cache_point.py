"""A Bedrock `cachePoint` stands where Converse has no place for one.

In Converse a checkpoint is an element of its own in a list, and closes what stands before it. So
it cannot come first in its list: there is nothing to cache yet. It has no place inside
`toolResult.content` either, and none at all for a model without prompt caching. Amazon Nova takes
checkpoints behind text only: not among the tools, and not right behind a `toolResult`.

```json bad
{"modelId": "us.anthropic.claude-sonnet-4-6",
 "system": [{"cachePoint": {"type": "default"}}, {"text": "You answer in one line."}],
 "messages": [{"role": "user", "content": [{"text": "Where is the Argo?"}]}]}
```

Let it follow what it is to cache:

```json good
{"modelId": "us.anthropic.claude-sonnet-4-6",
 "system": [{"text": "You answer in one line."}, {"cachePoint": {"type": "default"}}],
 "messages": [{"role": "user", "content": [{"text": "Where is the Argo?"}]}]}
```

A text block of nothing but white space right before a checkpoint is legal.

Source: Amazon Bedrock user guide, "Prompt caching"; botocore's service model of bedrock-runtime;
the service's own error messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from cachewise.request.bedrock_converse import POINT
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.syntax import yaml_edit
from cachewise.syntax.json_edit import Edit, remove_item, remove_member
from cachewise.syntax.tree import Node, plain_value, resolve_pointer
from cachewise.syntax.yaml_style import STYLE as YAML

_BARRED_KINDS = ("tool", "toolResult")
"""What a model that takes checkpoints behind some kinds of block only is known to refuse."""


def check(context: Context) -> Iterator[Finding]:
    """Each checkpoint that the service rejects, with the reason it gives."""
    for placed in context.request.marks:
        yield from _misplaced(context, placed)


def is_misplaced(context: Context, placed: PlacedMark) -> bool:
    """Whether this rule has anything to say of a marker: another place comes before its value."""
    return any(True for _ in _misplaced(context, placed))


def _misplaced(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    mark = placed.mark
    if mark.key != POINT or mark.node.kind == "hole":
        return
    if context.model is not None and context.model.explicit is False:
        yield _unsupported(context, placed)
    elif mark.place == "inside":
        yield _inside(context, placed)
    elif mark.place == "point" and placed.block < 0:
        yield _first(context, placed)
    elif _is_refused(context, placed.block):
        yield _behind_refused(context, placed)


def _unsupported(context: Context, placed: PlacedMark) -> Finding:
    assert context.model is not None
    return _finding(
        context,
        placed,
        "Bedrock rejects this request: You invoked an unsupported model or your request did not "
        f"allow prompt caching. {context.model.name} has no prompt caching; remove the checkpoint "
        "or choose a model that has it.",
        _removal(context, placed),
    )


def _inside(context: Context, placed: PlacedMark) -> Finding:
    move: tuple[Fix, ...] = ()
    above, _, tail = placed.pointer.partition("/toolResult/content/")
    found = _list_of(context, above)
    if tail and found is not None:
        content, start, index = found
        following = content.values[index + 1] if index + 1 < len(content.values) else None
        if following is None or not _is_point(following):
            move = _moved(
                context, placed, content, start, index, "Move the checkpoint behind the toolResult"
            )
    return _finding(
        context,
        placed,
        "Bedrock rejects this request: Converse has no cachePoint inside toolResult.content. A "
        "checkpoint closes a whole block: put it behind the toolResult.",
        (*move, *_removal(context, placed)),
    )


def _first(context: Context, placed: PlacedMark) -> Finding:
    pointer = placed.pointer.removesuffix(f"/{POINT}")
    where = pointer.rpartition("/")[0].strip("/").replace("/", ".")
    return _finding(
        context,
        placed,
        "Bedrock rejects this request: There is nothing available to cache. The checkpoint is the "
        f"first element of {where}, and a checkpoint closes what stands before it in its list. "
        "Put it behind what it is to cache.",
        (*_later(context, placed), *_removal(context, placed)),
    )


def _behind_refused(context: Context, placed: PlacedMark) -> Finding:
    assert context.model is not None
    tools = context.request.blocks[placed.block].section == "tools"
    path = placed.pointer.removesuffix(f"/{POINT}") if tools else "/messages"
    what = "among the tools" if tools else "right behind a toolResult"
    return _finding(
        context,
        placed,
        f"Bedrock rejects this request: Malformed input request: #{path}: extraneous key "
        f"[{POINT}] is not permitted. {context.model.name} takes checkpoints behind "
        f"{' and '.join(context.model.marked_blocks or ())} only, not {what}. Remove this one.",
        _removal(context, placed),
    )


def _is_refused(context: Context, block: int) -> bool:
    model = context.model
    if model is None or model.marked_blocks is None or block < 0:
        return False
    kind = context.request.blocks[block].kind
    return kind in _BARRED_KINDS and kind not in model.marked_blocks


def _later(context: Context, placed: PlacedMark) -> tuple[Fix, ...]:
    """The fix that moves a first checkpoint to where it closes something."""
    found = _list_of(context, placed.pointer.removesuffix(f"/{POINT}"))
    if found is None or len(found[0].values) < 2 or _is_point(found[0].values[1]):
        return ()
    own, start, index = found
    if index != 0:
        return ()
    unit = placed.unit
    if unit > 0 and context.request.unit_pointers[unit - 1].startswith("/messages/"):
        # In a message it was meant to close what stands before the message.
        pointer = f"{context.request.unit_pointers[unit - 1]}/content"
        before = resolve_pointer(context.request.node, pointer)
        if before is not None and before[0].kind == "array" and before[0].values:
            content, at = before
            last = len(content.values) - 1
            if _is_point(content.values[last]) or _refused_behind(context, content.values[last]):
                return ()
            return _moved(
                context, placed, content, at, last, "Move the checkpoint behind the message before"
            )
    last = len(own.values) - 1
    if _is_point(own.values[last]) or _refused_behind(context, own.values[last]):
        return ()
    return _moved(context, placed, own, start, last, "Move the checkpoint to the end of its list")


def _refused_behind(context: Context, element: Node) -> bool:
    model = context.model
    if model is None or model.marked_blocks is None:
        return False
    return any(key not in model.marked_blocks for key in element.keys)


def _moved(
    context: Context, placed: PlacedMark, target: Node, start: int, index: int, title: str
) -> tuple[Fix, ...]:
    """The fix that takes a checkpoint away and writes it behind element ``index`` of a list."""
    end = start + target.starts[index] + target.values[index].length
    source = json.dumps({POINT: plain_value(placed.mark.node)}, ensure_ascii=False)
    if target.style == YAML:
        if index + 1 < len(target.values):
            return ()
        added = yaml_edit.add_item(context.read, target, start, source)
    else:
        added = Edit(end, end, f"{_separator(context, target, start)}{source}")
    return tuple(
        Fix(title, (edit, added))
        for edit in _removing(context, placed)
        if edit.end <= end or edit.start >= end
    )


def _separator(context: Context, target: Node, start: int) -> str:
    """What stands between two elements of a list: the comma, and the space or the new line."""
    gap = context.read(start + 1, start + target.starts[0])
    if gap.strip() or "\n" not in gap:
        return ", "
    return f",{gap}"


def _removal(context: Context, placed: PlacedMark) -> tuple[Fix, ...]:
    return tuple(Fix("Remove the checkpoint", (edit,)) for edit in _removing(context, placed))


def _removing(context: Context, placed: PlacedMark) -> Iterator[Edit]:
    """The edit that takes a checkpoint away, unless that would leave a message empty."""
    mark = placed.mark
    if mark.place == "block":
        owner = placed.start - mark.start + mark.owner_start
        yield remove_member(context.read, mark.owner, owner, POINT)
        return
    found = _list_of(context, placed.pointer.removesuffix(f"/{POINT}"))
    if found is not None:
        elements, start, index = found
        in_message = mark.place == "point" and placed.pointer.startswith("/messages/")
        if len(elements.values) > 1 or not in_message:
            yield remove_item(context.read, elements, start, index)


def _list_of(context: Context, pointer: str) -> tuple[Node, int, int] | None:
    """The list that an element stands in, its offset, and the element's index."""
    above, _, index = pointer.rpartition("/")
    found = resolve_pointer(context.request.node, above)
    if found is None or found[0].kind != "array" or not index.isdecimal():
        return None
    return found[0], found[1], int(index)


def _is_point(element: Node) -> bool:
    return element.keys == [POINT]


def _finding(context: Context, placed: PlacedMark, message: str, fixes: tuple[Fix, ...]) -> Finding:
    return RULE.finding(message, placed.pointer, (placed.start, placed.end), fixes=fixes)


RULE = Rule(
    code="CW106",
    name="misplaced-cache-point",
    severity="error",
    summary="A Bedrock cachePoint stands where Converse has no place for one",
    docs=__doc__ or "",
    check=check,
)
