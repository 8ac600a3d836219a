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

Source: Anthropic, "Prompt caching", section "Troubleshooting": the keys of `tool_use` blocks must have a
stable order.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from cachewise.rules.base import Break, Context, Finding, Rule
from cachewise.rules.prefix_changed import above, earlier_place, place


def check(context: Context) -> Iterator[Finding]:
    """One request alone has only one order."""
    del context
    yield from ()


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
