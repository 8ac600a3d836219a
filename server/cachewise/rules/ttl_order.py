"""A 1-hour breakpoint stands after a 5-minute one.

The API reads breakpoints in the order tools → system → messages → automatic caching, and rejects a
request in which a longer lifetime follows a shorter one. The order of the JSON keys does not
matter: `messages` may well stand before `system` in the file.

A marker without `ttl` means 5 minutes. So the usual culprit is a bare marker on the tools, while
the provider's message points at the later block.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "tools": [{"name": "find", "description": "Finds a ship.", "input_schema": {"type": "object"},
   "cache_control": {"type": "ephemeral"}}],
 "system": [{"type": "text", "text": "You answer in one line.",
   "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

Give both the same lifetime, or let the longer one come first:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "tools": [{"name": "find", "description": "Finds a ship.", "input_schema": {"type": "object"},
   "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
 "system": [{"type": "text", "text": "You answer in one line.",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

Source: Anthropic, "Prompt caching", section "Mixing different TTLs": entries with the longer TTL
must come before the shorter ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import closed_block
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.rules.markers import (
    anthropic_judges,
    api_path,
    has_valid_ttl,
    mismatched_target,
    misplacement,
    slots,
    ttl_of,
)
from cachewise.syntax.json_edit import set_member

_ORDER = "Note that blocks are processed in the following order: `tools`, `system`, `messages`."


def check(context: Context) -> Iterator[Finding]:
    """Each breakpoint that one with a shorter lifetime precedes."""
    platform = context.platform
    if platform is None or not anthropic_judges(context):
        return
    counted = [
        placed
        for placed in slots(context)
        if has_valid_ttl(context, placed) and misplacement(context, placed) is None
    ]
    blocks = context.request.blocks
    for index, placed in enumerate(counted):
        lifetime = platform.ttl_seconds[ttl_of(placed)]
        # Of two markers on one block it is not documented which one is read first.
        block = closed_block(placed, blocks)
        earlier = [
            other
            for other in counted[:index]
            if platform.ttl_seconds[ttl_of(other)] < lifetime
            and closed_block(other, blocks) != block
        ]
        if earlier and not _is_conflict(context, placed):
            yield _finding(context, placed, earlier)


def _is_conflict(context: Context, placed: PlacedMark) -> bool:
    """Whether ``automatic-conflict`` already reports this automatic marker."""
    platform = context.platform
    if placed.mark.place != "top" or platform is None:
        return False
    limit = platform.max_breakpoints
    return (limit is not None and len(slots(context)) > limit) or (
        mismatched_target(context, placed) is not None
    )


def _finding(context: Context, placed: PlacedMark, earlier: list[PlacedMark]) -> Finding:
    mark = placed.mark
    path = api_path(context, placed, typed=False)
    where = path if mark.place == "top" else f"{path}.ttl"
    first = earlier[0]
    longer, shorter_ttl = ttl_of(placed), ttl_of(first)
    provider = (
        f"{where}: a ttl='{longer}' cache_control block must not come after a "
        f"ttl='{shorter_ttl}' cache_control block. {_ORDER}"
    )
    shorter = set_member(context.read, mark.node, placed.start, "ttl", f'"{shorter_ttl}"')
    lengthen = tuple(
        edit
        for other in earlier
        for edit in set_member(context.read, other.mark.node, other.start, "ttl", f'"{longer}"')
    )
    index = mark.node.index("ttl")
    start = placed.start + mark.node.starts[index]
    bare = "" if first.mark.ttl else f" (it names no ttl, which means {shorter_ttl})"
    return RULE.finding(
        f"The API rejects this request: {provider} The {shorter_ttl} breakpoint at {first.pointer}"
        f"{bare} comes first. Lengthen that one or shorten this one.",
        f"{placed.pointer}/ttl",
        (start, start + mark.node.values[index].length),
        related=tuple(
            Related(
                f"this earlier breakpoint lives {ttl_of(other)}",
                other.pointer,
                other.start,
                other.end,
            )
            for other in earlier
        ),
        fixes=(
            Fix(f"Give this breakpoint the {shorter_ttl} TTL", shorter),
            Fix(f"Give the earlier breakpoints the {longer} TTL", lengthen),
        ),
    )


RULE = Rule(
    code="CW102",
    name="ttl-order",
    severity="error",
    summary="A 1-hour breakpoint stands after a 5-minute one",
    docs=__doc__ or "",
    check=check,
)
