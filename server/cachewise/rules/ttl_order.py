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

from cachewise.caching.cost import LONG_TTL
from cachewise.caching.plan import DEFAULT_TTL
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Related, Rule
from cachewise.syntax.json_edit import set_member

_ORDER = "Note that blocks are processed in the following order: `tools`, `system`, `messages`."


def check(context: Context) -> Iterator[Finding]:
    """Each 1-hour breakpoint that an earlier 5-minute one precedes."""
    platform = context.platform
    if platform is None or platform.provider != "anthropic":
        return
    earlier: list[PlacedMark] = []
    for placed in context.request.marks:
        mark = placed.mark
        if mark.node.kind != "object":
            continue
        ttl = mark.ttl or DEFAULT_TTL
        if ttl == DEFAULT_TTL:
            earlier.append(placed)
        elif ttl == LONG_TTL and earlier:
            yield _finding(context, placed, earlier)


def _finding(context: Context, placed: PlacedMark, earlier: list[PlacedMark]) -> Finding:
    mark = placed.mark
    path = placed.pointer.strip("/").replace("/", ".")
    where = "cache_control" if mark.place == "top" else f"{path}.ttl"
    provider = (
        f"{where}: a ttl='1h' cache_control block must not come after a ttl='5m' "
        f"cache_control block. {_ORDER}"
    )
    first = earlier[0]
    shorter = set_member(context.read, mark.node, placed.start, "ttl", '"5m"')
    lengthen = tuple(
        edit
        for other in earlier
        for edit in set_member(context.read, other.mark.node, other.start, "ttl", '"1h"')
    )
    index = mark.node.index("ttl")
    start = placed.start + mark.node.starts[index]
    bare = "" if first.mark.ttl else " (it names no ttl, which means 5 minutes)"
    return RULE.finding(
        f"The API rejects this request: {provider} The 5-minute breakpoint at {first.pointer}"
        f"{bare} comes first. Lengthen that one or shorten this one.",
        f"{placed.pointer}/ttl",
        (start, start + mark.node.values[index].length),
        related=tuple(
            Related(
                "this earlier breakpoint lives 5 minutes", other.pointer, other.start, other.end
            )
            for other in earlier
        ),
        fixes=(
            Fix("Give this breakpoint the 5m TTL", shorter),
            Fix("Give the earlier breakpoints the 1h TTL", lengthen),
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
