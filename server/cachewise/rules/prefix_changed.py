"""A request of this file lost what an earlier one of the same conversation had cached.

The cache follows the order tools → system → messages: a change at one level loses that level and all
behind it. Request parameters act on a level too: speed, web search and citations on the system
prompt; `tool_choice`, thinking, effort, and images anywhere on the messages. Moving a
`cache_control` marker changes nothing.

In a file with several requests (lines of a JSONL file, a list, recorded pairs) each request is
compared with the earlier one that it goes on from:

```jsonl bad
{"model": "claude-sonnet-4-6", "max_tokens": 50, "system": [{"type": "text", "text": "{{repeat:You answer questions about ships in one line. :400}}", "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}]}
{"model": "claude-sonnet-4-6", "max_tokens": 50, "system": [{"type": "text", "text": "{{repeat:You answer questions about boats in one line. :400}}", "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}, {"role": "assistant", "content": "At sea."}, {"role": "user", "content": "And now?"}]}
```

Keep everything before the new turn as it was, byte for byte:

```jsonl good
{"model": "claude-sonnet-4-6", "max_tokens": 50, "system": [{"type": "text", "text": "{{repeat:You answer questions about ships in one line. :400}}", "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}]}
{"model": "claude-sonnet-4-6", "max_tokens": 50, "system": [{"type": "text", "text": "{{repeat:You answer questions about ships in one line. :400}}", "cache_control": {"type": "ephemeral"}}], "messages": [{"role": "user", "content": "Where is the Argo?"}, {"role": "assistant", "content": "At sea."}, {"role": "user", "content": "And now?"}]}
```

Source: Anthropic, "Prompt caching", section "What invalidates the cache".
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from cachewise.rules.base import Break, Context, Finding, Related, Rule
from cachewise.syntax.tree import resolve_pointer

LEVELS = {
    "model_changed": "the model changed, and each model has a cache of its own",
    "tools_changed": "the tool definitions changed, which loses everything",
    "system_changed": "the system prompt changed, which loses it and the messages",
    "messages_changed": "an earlier message changed, which loses all behind it",
    "parameters_changed": "a request parameter changed, which loses the levels that it acts on",
}
"""Why an earlier entry cannot be read, by the provider's own name for it."""


def check(context: Context) -> Iterator[Finding]:
    """One request alone says nothing here."""
    del context
    yield from ()


def check_break(broken: Break) -> Iterator[Finding]:
    """A lost cache, unless the order of tools or keys alone is to blame (CW302 tells that)."""
    level = LEVELS.get(broken.reason)
    found = broken.divergence
    if level is None or found is None or found.kind in ("array_order", "key_order"):
        return
    pointer, span = place(broken)
    lost = broken.lost.estimate - broken.kept
    what = {
        "text": "a text differs",
        "added": "something was added",
        "removed": "something was removed",
        "parameter": "a parameter differs",
    }[found.kind]
    where = f"{what} at {found.pointer}"
    if found.character >= 0:
        where += f", character {found.character}"
    yield RULE.finding(
        f"This request cannot read {lost:,} of the {broken.lost.estimate:,} tokens that the "
        f"request {above(broken.distance)} cached ({broken.reason}): {level}; {where}. Keep the "
        "prefix as it was, or move what changes behind the last breakpoint.",
        pointer,
        span,
        related=(earlier_place(broken, "it was so in the earlier request"),),
    )


def above(distance: int) -> str:
    """Where an earlier request stands, in words."""
    return "above" if distance == 1 else f"{distance} above"


def place(broken: Break) -> tuple[str, tuple[int, int]]:
    """The pointer and the span of the first difference in the later request."""
    request = broken.request
    pointer = broken.divergence.pointer if broken.divergence is not None else ""
    while pointer:
        found = resolve_pointer(request.node, pointer)
        if found is not None:
            node, start = found
            return pointer, (start, start + node.length)
        pointer = pointer.rpartition("/")[0]
    return "", (0, 1)


def earlier_place(broken: Break, message: str) -> Related:
    """The same place in the earlier request."""
    pointer = broken.divergence.pointer if broken.divergence is not None else ""
    while pointer:
        found = resolve_pointer(broken.reference.node, pointer)
        if found is not None:
            node, start = found
            return Related(message, pointer, start, start + node.length, -broken.distance)
        pointer = pointer.rpartition("/")[0]
    return Related(message, "", 0, 1, -broken.distance)


RULE = Rule(
    code="CW303",
    name="prefix-changed",
    severity="warning",
    summary="A request lost what an earlier one of its conversation had cached",
    docs=__doc__ or "",
    check=check,
    check_break=check_break,
)
