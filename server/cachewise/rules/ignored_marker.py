"""A marker is accepted and does something else than it seems to, or nothing.

- On the last block inside a `tool_result` or a `document`, it acts on that block's parent: the
  whole result is what it closes. (On any other block in there the request is rejected.)
- Some platforms ignore markers on tools, or markers beyond the last few.
- A model or an endpoint without explicit caching takes no notice of markers at all.
- Some platforms ignore a lifetime that the model does not have.

The marker that Qwen Code sets on the last tool by itself is not reported in a recorded request that
carries its headers: it does no harm, and is not the reader's to remove.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "messages": [
  {"role": "user", "content": "Is the basin full?"},
  {"role": "assistant", "content": [
   {"type": "tool_use", "id": "toolu_1", "name": "gauge", "input": {}}]},
  {"role": "user", "content": [
   {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
    {"type": "text", "text": "<the readings>", "cache_control": {"type": "ephemeral"}}]}]}]}
```

Say what is meant: put it on the parent.

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "messages": [
  {"role": "user", "content": "Is the basin full?"},
  {"role": "assistant", "content": [
   {"type": "tool_use", "id": "toolu_1", "name": "gauge", "input": {}}]},
  {"role": "user", "content": [
   {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
    {"type": "text", "text": "<the readings>"}], "cache_control": {"type": "ephemeral"}}]}]}
```

Source: Anthropic, API release notes of 2025-05-01 (markers inside `tool_result.content` and
`document.source.content`); Alibaba Cloud, "Context cache" (tools, lifetimes); npm
@qwen-code/qwen-code 0.24.4 (the marker on the last tool); each platform's
entry in the catalog.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import Breakpoint
from cachewise.request.qwen_code import is_signed_by_qwen_code
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import allowed_ttls, remove_mark
from cachewise.rules.placement import movement, place_name
from cachewise.syntax.json_edit import remove_member


def check(context: Context) -> Iterator[Finding]:
    """Each marker that has no effect, or another one than its place or its words say."""
    platform = context.platform
    for point in context.plan.breakpoints:
        mark = point.placed.mark
        if point.ignored:
            # Markers beyond the last few are counted by too-many-breakpoints; automatic caching
            # that the endpoint rejects is more than ignored.
            refused = point.automatic and platform is not None and platform.automatic_refused
            if not point.excess and not refused and not _set_by_qwen_code(context, point):
                yield _without_effect(context, point)
        elif mark.place == "nested":
            yield _acts_on_parent(context, point)
        elif platform is not None and platform.unsupported_ttl == "ignored" and mark.ttl:
            allowed = allowed_ttls(context)
            if allowed and mark.ttl not in allowed and _is_lifetime(context, mark.ttl):
                yield _unsupported_ttl(context, point, allowed)


def _set_by_qwen_code(context: Context, point: Breakpoint) -> bool:
    """Whether Qwen Code set this marker, as it does on the last tool of a request that streams.

    It does no harm there, and nobody who reads the recording could leave it out.
    """
    blocks = context.request.blocks
    tools = [index for index, block in enumerate(blocks) if block.section == "tools"]
    return point.block in tools[-1:] and is_signed_by_qwen_code(context.found.beside)


def _is_lifetime(context: Context, ttl: str) -> bool:
    """Whether a word means a lifetime on any platform; any other is invalid-cache-control's."""
    return any(ttl in platform.ttl_seconds for platform in context.catalog.platforms.values())


def _without_effect(context: Context, point: Breakpoint) -> Finding:
    placed = point.placed
    return RULE.finding(
        f"This marker has no effect: {point.ignored}. Nothing is cached for it; remove it, or "
        "mark a block whose markers count.",
        placed.pointer,
        (placed.start, placed.end),
        fixes=(Fix("Remove this marker", (remove_mark(context, placed),)),),
        tags=("unnecessary",),
    )


def _acts_on_parent(context: Context, point: Breakpoint) -> Finding:
    placed = point.placed
    parent = context.request.blocks[point.block]
    fixes: list[Fix] = []
    edits = movement(context, placed, point.block)
    if edits is not None:
        fixes.append(Fix(f"Move the marker to the {parent.kind} block", edits))
    fixes.append(Fix("Remove this marker", (remove_mark(context, placed),)))
    return RULE.finding(
        f"A marker on the last block inside a {parent.kind} acts on the {parent.kind} itself, "
        f"{place_name(context, point.block)}, and once another block follows in there, the API "
        f"rejects it. Move it to the {parent.kind} block.",
        placed.pointer,
        (placed.start, placed.end),
        fixes=tuple(fixes),
    )


def _unsupported_ttl(context: Context, point: Breakpoint, allowed: tuple[str, ...]) -> Finding:
    placed = point.placed
    default = allowed[0]
    model = context.model.id if context.model is not None else "this model"
    start = placed.start + placed.mark.node.start_of("ttl")
    removal = remove_member(context.read, placed.mark.node, placed.start, "ttl")
    return RULE.finding(
        f'The lifetime "{placed.mark.ttl}" is ignored: {model} has {" and ".join(allowed)} '
        f"only on this platform, so the entry dies after {default}. Remove the ttl, and send "
        "requests at least that often.",
        f"{placed.pointer}/ttl",
        (start, start + placed.mark.node.values[placed.mark.node.index("ttl")].length),
        fixes=(Fix(f"Remove the ttl (the default is {default})", (removal,)),),
    )


RULE = Rule(
    code="CW204",
    name="ignored-marker",
    severity="warning",
    summary="A marker does nothing, or something else than it seems to",
    docs=__doc__ or "",
    check=check,
)
