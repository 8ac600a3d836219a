"""A marker stands where none can stand.

`cache_control` belongs on a whole block: a tool, a text of the system prompt, a part of a
message. The API rejects it

- on a `thinking` or `redacted_thinking` block (such a block is cached with what follows it),
- on an empty text,
- on a message object, beside `role` and `content`,
- on a tool with `defer_loading`,
- inside a block: on a citation, a `source`, a toolset's `configs`,
- on a block inside the content of a `tool_result` or a `document`, unless it is the last one
  there (which then stands for the whole).

Code that marks "the last block", whatever it is, is the usual reason.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Where is the Argo?"},
   {"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}]}]}
```

Mark the nearest block that can carry a marker:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Where is the Argo?", "cache_control": {"type": "ephemeral"}}]}]}
```

A message object carries none in this API, though some gateways take it there in the form of
chat completions:

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "messages": [{"role": "user", "content": "Where is the Argo?",
   "cache_control": {"type": "ephemeral"}}]}
```

Source: Anthropic, "Prompt caching", section "What can be cached"; the API's own error messages;
the API release notes of 2025-05-01 for nested blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import DEFAULT_TTL
from cachewise.request.model import Block, PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import (
    Misplacement,
    Spot,
    anthropic_judges,
    api_path,
    fits,
    has_valid_ttl,
    is_open,
    misplacement,
    relocated,
    remove_mark,
    slots,
    spots,
    ttl_of,
)
from cachewise.syntax.json_edit import Edit, add_member, member_indent, wrap_text

_EXTRA = "Extra inputs are not permitted"


def check(context: Context) -> Iterator[Finding]:
    """Each marker at a place where the API takes none."""
    if not anthropic_judges(context):
        return
    taken: list[Spot] | None = None
    for placed in context.request.marks:
        if is_open(placed.mark.node):
            continue
        reason = misplacement(context, placed)
        if reason is None:
            continue
        if taken is None:
            sound = [one for one in slots(context) if misplacement(context, one) is None]
            taken = spots(context, sound)
        yield _finding(context, placed, reason, taken)


def _finding(
    context: Context, placed: PlacedMark, reason: Misplacement, taken: list[Spot]
) -> Finding:
    provider, why = _words(context, placed, reason)
    quoted = f"{provider}{'' if provider.endswith('.') else '.'} " if provider else ""
    fixes: list[Fix] = []
    target = _target(context, placed, reason)
    what = ""
    if target is not None:
        ttl = ttl_of(placed) if has_valid_ttl(context, placed) else DEFAULT_TTL
        spot = Spot(target, ttl)
        if fits(context, spot, taken):
            edits = _move(context, placed, target)
            if edits is not None:
                # A second marker that is moved in the same run must not land here too.
                taken.append(spot)
                fixes.append(Fix(f"Move the marker to {_named(context, target)}", edits))
                what = f"Move it to {context.request.block_pointer(target)}, or remove it."
    fixes.append(Fix("Remove this marker", (remove_mark(context, placed),)))
    return RULE.finding(
        f"The API rejects this request: {quoted}{why} {what or 'Remove it.'}",
        placed.pointer,
        (placed.start, placed.end),
        fixes=tuple(fixes),
    )


def _words(context: Context, placed: PlacedMark, reason: Misplacement) -> tuple[str, str]:
    """The provider's own message, empty where none is known word for word, and the reason."""
    path = api_path(context, placed)
    if reason == "thinking":
        return f"{path}: {_EXTRA}", "A thinking block cannot carry a marker."
    if reason == "message":
        return f"{path}: {_EXTRA}", "In this API a marker stands on a block, not on a message."
    if reason == "empty":
        block = api_path(context, placed, typed=False).removesuffix("cache_control")
        return (
            f"{block}text: cache_control cannot be set for empty text blocks",
            "An empty text cannot carry a marker.",
        )
    if reason == "deferred":
        name = placed.mark.owner.get_text("name") or ""
        return (
            f"Tool '{name}' cannot have both defer_loading=true and cache_control set. Tools with "
            "defer_loading cannot use prompt caching.",
            "Such a tool is not part of the prefix.",
        )
    if reason == "nested":
        return "", (
            "inside a tool result or a document only the last block can carry a marker, and that "
            "one then stands for the whole."
        )
    return "", "a marker stands on a whole block, and this is only a part of one."


def _target(context: Context, placed: PlacedMark, reason: Misplacement) -> int | None:
    """The index of the nearest block that can carry the marker, or None."""
    blocks = context.request.blocks
    if reason in ("nested", "inside"):
        return placed.block if _carries(blocks[placed.block]) else None
    if reason == "message":
        unit = context.request.units[placed.unit]
        first = context.request.firsts[placed.unit]
        for index in range(first + len(unit.blocks) - 1, first - 1, -1):
            if blocks[index].node.kind == "string" or _carries(blocks[index]):
                return index
        return None
    section = blocks[placed.block].section
    candidates = [
        index for index, block in enumerate(blocks) if block.section == section and _carries(block)
    ]
    here = placed.block
    return min(
        candidates,
        key=lambda index: (
            context.request.unit_of(index) != placed.unit and section == "messages",
            abs(index - here),
            index > here,
        ),
        default=None,
    )


def _carries(block: Block) -> bool:
    return block.node.kind == "object" and not block.barred and bool(block.node.values)


def _move(context: Context, placed: PlacedMark, target: int) -> tuple[Edit, ...] | None:
    """The edits that take the marker away and write it on a block."""
    block = context.request.blocks[target]
    start, _ = context.request.block_span(target)
    removal = remove_mark(context, placed)
    sound = placed.mark.node.kind == "object" and has_valid_ttl(context, placed)
    sound = sound and set(placed.mark.node.keys) <= {"type", "ttl"}
    sound = sound and placed.mark.node.get_text("type") == "ephemeral"
    if block.node.kind == "string":
        if not block.text:
            return None
        ttl = f', "ttl": "{placed.mark.ttl}"' if sound and placed.mark.ttl else ""
        marker = f'{{"type": "ephemeral"{ttl}}}'
        return removal, wrap_text(context.read, block.node, start, marker)
    if block.node.get("cache_control") is not None:
        return None
    marker = '{"type": "ephemeral"}'
    if sound:
        indent = member_indent(context.read, block.node, start)
        marker = relocated(context.read, placed, indent)
    return removal, add_member(context.read, block.node, start, "cache_control", marker)


def _named(context: Context, target: int) -> str:
    block = context.request.blocks[target]
    if block.section == "tools":
        name = block.node.get_text("name")
        return f"the tool {name}" if name else "the nearest tool"
    if block.section == "system":
        return "the nearest text of the system prompt"
    return f"the nearest {block.kind} block"


RULE = Rule(
    code="CW103",
    name="uncacheable-block",
    severity="error",
    summary="A marker stands where none can stand",
    docs=__doc__ or "",
    check=check,
)
