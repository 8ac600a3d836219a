"""Automatic caching, asked for at the top of the request, contradicts the markers on its blocks.

A `cache_control` at the top of a request lets the API close the last block that can be cached.
The request is rejected when

- that block carries a marker of its own with another lifetime,
- the other markers have taken all the places: the automatic one always takes a place, also when
  its block is marked already,
- the endpoint has no automatic caching (InvokeModel on Amazon Bedrock).

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "cache_control": {"type": "ephemeral", "ttl": "1h"},
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Where is the Argo?", "cache_control": {"type": "ephemeral"}}]}]}
```

Say it once, or say the same twice:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "cache_control": {"type": "ephemeral"},
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "Where is the Argo?", "cache_control": {"type": "ephemeral"}}]}]}
```

Source: Anthropic, "Prompt caching", section "Automatic caching"; the API's own error message.
That the automatic marker is counted even where its block is marked was seen in recorded traffic,
and agrees with the page's rule for four markers.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.rules.markers import (
    anthropic_judges,
    is_open,
    least_useful,
    mismatched_target,
    remove_mark,
    slots,
    ttl_of,
)
from cachewise.syntax.json_edit import set_member


def check(context: Context) -> Iterator[Finding]:
    """One finding on the top-level marker when it cannot stand beside the others."""
    platform = context.platform
    automatic = next((one for one in context.request.marks if one.mark.place == "top"), None)
    if platform is None or automatic is None or not anthropic_judges(context):
        return
    if is_open(automatic.mark.node):
        return
    if platform.automatic_refused:
        yield _unavailable(context, automatic, platform.name)
        return
    if not platform.automatic or automatic.mark.node.kind != "object":
        return
    counted = slots(context)
    if platform.max_breakpoints is not None and len(counted) > platform.max_breakpoints:
        yield _no_slot(context, automatic, counted, platform.max_breakpoints)
        return
    other = mismatched_target(context, automatic)
    if other is not None:
        yield _mismatch(context, automatic, other)


def _unavailable(context: Context, automatic: PlacedMark, platform: str) -> Finding:
    return RULE.finding(
        f"The API rejects this request: {platform} has no automatic caching here, so it takes no "
        "cache_control at the top of a request. Mark the last block of the prefix instead.",
        automatic.pointer,
        (automatic.start, automatic.end),
        fixes=(Fix("Remove automatic caching", (remove_mark(context, automatic),)),),
    )


def _no_slot(
    context: Context, automatic: PlacedMark, counted: list[PlacedMark], limit: int
) -> Finding:
    explicit = [placed for placed in counted if placed is not automatic]
    excess = len(explicit) - limit
    removed = [automatic, *(least_useful(context, explicit, excess) if excess > 0 else [])]
    fixes = [
        Fix(
            "Remove automatic caching"
            + (f" and the least useful of the markers ({excess})" if excess > 0 else ""),
            tuple(remove_mark(context, placed) for placed in removed),
        )
    ]
    if mismatched_target(context, automatic) is None:
        victims = least_useful(context, counted, len(counted) - limit)
        fixes.append(
            Fix(
                "Keep automatic caching and remove the least useful of the other breakpoints",
                tuple(remove_mark(context, placed) for placed in victims),
            )
        )
    return RULE.finding(
        f"The API rejects this request: A maximum of {limit} blocks with cache_control may be "
        f"provided. Found {len(counted)}. Automatic caching takes a place of its own, and the "
        f"{len(explicit)} markers on blocks leave none. Remove it, or one of them.",
        automatic.pointer,
        (automatic.start, automatic.end),
        related=tuple(
            Related(f"breakpoint {number} of {len(counted)}", one.pointer, one.start, one.end)
            for number, one in enumerate(explicit, 1)
        ),
        fixes=tuple(fixes),
    )


def _mismatch(context: Context, automatic: PlacedMark, other: PlacedMark) -> Finding:
    mine, theirs = ttl_of(automatic), ttl_of(other)
    return RULE.finding(
        f"The API rejects this request: Top-level cache_control has ttl='{mine}' but the target "
        f"block already has cache_control with ttl='{theirs}'. When both are specified on the "
        "same block, they must have matching TTLs. Give both the same ttl, or remove one.",
        automatic.pointer,
        (automatic.start, automatic.end),
        related=(
            Related(
                "automatic caching closes this block, which asks for another lifetime",
                other.pointer,
                other.start,
                other.end,
            ),
        ),
        fixes=(
            Fix(
                f"Give automatic caching the {theirs} TTL of the block",
                set_member(
                    context.read, automatic.mark.node, automatic.start, "ttl", f'"{theirs}"'
                ),
            ),
            Fix("Remove automatic caching", (remove_mark(context, automatic),)),
        ),
    )


RULE = Rule(
    code="CW105",
    name="automatic-conflict",
    severity="error",
    summary="Automatic caching contradicts the markers on the blocks",
    docs=__doc__ or "",
    check=check,
)
