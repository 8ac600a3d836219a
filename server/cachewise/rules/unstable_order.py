"""Tools or keys stand in another order than before, and nothing else changed.

The prefix is compared byte for byte once the request's own structure is read: the order of the
tools, and the order of keys inside a tool's schema or a `tool_use` input, is part of it. Some
languages shuffle the keys of a map each time they write one (Go, Swift), sets have no order at all,
and a registry filled by threads gives its tools in another order after every start.

```jsonl bad
{"model": "claude-sonnet-4-6", "max_tokens": 50, "tools": [{"name": "tide", "description": "{{repeat:Tells the tide at a harbour. :300}}", "input_schema": {"type": "object"}}, {"name": "wind", "description": "Tells the wind.", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}]}
{"model": "claude-sonnet-4-6", "max_tokens": 50, "tools": [{"name": "wind", "description": "Tells the wind.", "input_schema": {"type": "object"}}, {"name": "tide", "description": "{{repeat:Tells the tide at a harbour. :300}}", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}, {"role": "assistant", "content": "At sea."}, {"role": "user", "content": "And now?"}]}
```

Sort the tools by name, and write JSON with sorted keys:

```jsonl good
{"model": "claude-sonnet-4-6", "max_tokens": 50, "tools": [{"name": "tide", "description": "{{repeat:Tells the tide at a harbour. :300}}", "input_schema": {"type": "object"}}, {"name": "wind", "description": "Tells the wind.", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}]}
{"model": "claude-sonnet-4-6", "max_tokens": 50, "tools": [{"name": "tide", "description": "{{repeat:Tells the tide at a harbour. :300}}", "input_schema": {"type": "object"}}, {"name": "wind", "description": "Tells the wind.", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}, {"role": "assistant", "content": "At sea."}, {"role": "user", "content": "And now?"}]}
```

In source code the rule follows values: what comes out of a set, out of a folder's listing, or out
of `json.dumps` of a map that is not known and not sorted, through names and functions of the file.

Source: Anthropic, "Prompt caching", section "Troubleshooting": the keys of `tool_use` blocks must have a
stable order.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request.model import Unit
from cachewise.rules.base import Break, Context, Finding, Related, Rule
from cachewise.rules.prefix_changed import above, earlier_place, place
from cachewise.syntax.tree import Hole, Node

LONGEST_SHOWN = 60
"""Characters of an expression that a message repeats."""


def check(context: Context) -> Iterator[Finding]:
    """What source code puts into a cached prefix in an order that is not settled."""
    points = [point for point in context.plan.breakpoints if not point.ignored]
    if not points:
        return
    if context.format in ("json", "jsonc", "jsonl"):
        return  # only source code says where a value comes from
    seen: set[int] = set()
    request = context.request
    places = [
        request.firsts[unit] + offset
        for unit, offsets in request.noted("unsettled", _unsettled_blocks)
        for offset in offsets
    ]
    for index in places:
        if index > points[-1].block:
            break
        start, _ = request.block_span(index)
        pointer = request.block_pointer(index)
        for hole, base in _unsettled(request.blocks[index].node, start):
            origin = hole.origin
            if origin is None or base + origin.start in seen:
                continue
            seen.add(base + origin.start)
            behind = [point for point in points if point.block >= index]
            yield RULE.finding(
                f"{origin.what[0].upper()}{origin.what[1:]} ({_short(origin.source)}) gives its "
                "entries in no settled order, and it comes into a cached prefix: in another order "
                "the prefix is another one and cannot be read. Sort it.",
                pointer,
                (base + origin.start, base + origin.end),
                related=(
                    *(
                        Related(words, pointer, base + first, base + last)
                        for words, first, last in origin.steps
                    ),
                    *(
                        Related(
                            "the prefix that this breakpoint closes holds it",
                            point.placed.pointer,
                            point.placed.start,
                            point.placed.end,
                        )
                        for point in behind
                    ),
                ),
            )


def _unsettled_blocks(unit: Unit) -> list[int] | None:
    """The blocks of a unit, by their place in it, that hold something in no settled order."""
    found = [at for at, block in enumerate(unit.blocks) if any(_unsettled(block.node, 0))]
    return found or None


def _unsettled(node: Node, start: int) -> Iterator[tuple[Hole, int]]:
    """The holes in a block whose values come in no settled order, with their node's offset."""
    stack = [(node, start)]
    while stack:
        current, base = stack.pop()
        for hole in current.holes:
            if hole.origin is not None and hole.origin.change == "order":
                yield hole, base
        stack.extend(
            (value, base + offset)
            for value, offset in zip(current.values, current.starts, strict=True)
        )


def _short(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"


def check_break(broken: Break) -> Iterator[Finding]:
    """A cache that was lost to an order alone."""
    found = broken.divergence
    if found is None or found.kind not in ("array_order", "key_order"):
        return
    pointer, span = place(broken)
    lost = broken.lost.estimate - broken.kept
    what = "The same entries" if found.kind == "array_order" else "The same keys"
    yield RULE.finding(
        f"{what} stand in another order than in the request {above(broken.distance)}, so {lost:,} "
        f"cached tokens cannot be read: before «{found.before}», now «{found.after}». "
        "Write them in a fixed order, for instance sorted by name.",
        pointer,
        span,
        related=(earlier_place(broken, "the order in the earlier request"),),
    )


RULE = Rule(
    code="CW302",
    name="unstable-order",
    severity="warning",
    summary="Tools or keys stand in another order than before",
    docs=__doc__ or "",
    check=check,
    check_break=check_break,
)
