"""More breakpoints than the provider takes.

On Claude's API a request may carry four markers, counted over the tools, the system prompt and
the messages, those nested in a `tool_result` or a `document` included. One more, and the whole
request is rejected. It happens when several layers each set their own: an application, the SDK
around it, a proxy.

On Alibaba's Model Studio and at OpenAI nothing is rejected: only the last four markers take effect
there, and the earlier ones silently do nothing.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "tools": [{"name": "find", "description": "Finds a ship.", "input_schema": {"type": "object"},
   "cache_control": {"type": "ephemeral"}}],
 "system": [
   {"type": "text", "text": "You answer in one line.", "cache_control": {"type": "ephemeral"}},
   {"type": "text", "text": "The harbour log: …", "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "The Argo sails at noon.", "cache_control": {"type": "ephemeral"}},
   {"type": "text", "text": "Where is she now?", "cache_control": {"type": "ephemeral"}}]}]}
```

Keep the last one, which the next turn builds on, and those behind the tools and the system
prompt, which every conversation shares:

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "tools": [{"name": "find", "description": "Finds a ship.", "input_schema": {"type": "object"},
   "cache_control": {"type": "ephemeral"}}],
 "system": [
   {"type": "text", "text": "You answer in one line."},
   {"type": "text", "text": "The harbour log: …", "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": [
   {"type": "text", "text": "The Argo sails at noon.", "cache_control": {"type": "ephemeral"}},
   {"type": "text", "text": "Where is she now?", "cache_control": {"type": "ephemeral"}}]}]}
```

When the marker too many is the automatic one at the top of the request, `automatic-conflict`
speaks instead.

Source: Anthropic, "Prompt caching" (up to 4 cache breakpoints); the API's own error message;
Alibaba Cloud, "Context cache" (only the last 4 markers take effect).
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.caching.plan import limits_apply
from cachewise.request.litellm_proxy import landings
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Related, Rule, Severity
from cachewise.rules.markers import least_useful, remove_mark, slots


def check(context: Context) -> Iterator[Finding]:
    """One finding on the last marker when there are more than the platform takes."""
    if context.request.configuration:
        yield from _not_injected(context)
        return
    platform = context.platform
    if platform is None or platform.max_breakpoints is None:
        return
    if not limits_apply(context.request, context.model, platform):
        return
    if platform.gateway and (context.model is None or context.model.provider != "anthropic"):
        return  # The catalog's limit of a gateway is that of the Claude models behind it.
    limit = platform.max_breakpoints
    counted = slots(context)
    excess = len(counted) - limit
    if excess <= 0:
        return
    if context.request.drops_surplus:
        yield _dropped(context, counted, limit)
    elif platform.extra_breakpoints == "last-win":
        yield _ignored(context, counted, limit, excess)
    elif platform.extra_breakpoints == "rejected" and counted[-1].mark.place != "top":
        yield _rejected(context, counted, limit, excess)


def _rejected(context: Context, counted: list[PlacedMark], limit: int, excess: int) -> Finding:
    victims = least_useful(context, counted, excess)
    return _finding(
        context,
        counted,
        f"The API rejects this request: A maximum of {limit} blocks with cache_control may be "
        f"provided. Found {len(counted)}. Tools, system, messages and nested blocks count "
        f"together; remove {_number(excess)}.",
        Fix(
            f"Remove {_number(excess, 'the least useful breakpoint')}",
            tuple(remove_mark(context, placed) for placed in victims),
        ),
    )


def _ignored(context: Context, counted: list[PlacedMark], limit: int, excess: int) -> Finding:
    assert context.platform is not None
    return _finding(
        context,
        counted,
        f"{len(counted)} breakpoints: on {context.platform.name} only the last {limit} take "
        f"effect, so the first {excess} of these {'is' if excess == 1 else 'are'} silently "
        f"ignored. Remove {_number(excess)}, the ones that matter least.",
        Fix(
            f"Remove {_number(excess, 'the breakpoint')} that "
            f"{'has' if excess == 1 else 'have'} no effect",
            tuple(remove_mark(context, placed) for placed in counted[:excess]),
        ),
        severity="warning",
    )


def _dropped(context: Context, counted: list[PlacedMark], limit: int) -> Finding:
    idle = {id(point.placed) for point in context.plan.breakpoints if point.ignored}
    surplus = [placed for placed in counted if id(placed) in idle]
    return _finding(
        context,
        counted,
        f"{len(counted)} breakpoints: only {limit} are passed on to the provider, and the others "
        f"are dropped with no more than a warning in the log. Remove {_number(len(surplus))}.",
        Fix(
            f"Remove {_number(len(surplus), 'the breakpoint')} that "
            f"{'is' if len(surplus) == 1 else 'are'} dropped",
            tuple(remove_mark(context, placed) for placed in surplus),
        ),
        severity="warning",
    )


def _not_injected(context: Context) -> Iterator[Finding]:
    """The injection points of a LiteLLM proxy that come too late to set a marker."""
    platform = context.catalog.platforms.get("litellm")
    limit = platform.max_breakpoints if platform is not None else None
    for landing in landings(context.request, limit):
        if landing.surplus:
            yield RULE.finding(
                f"This injection point sets no marker: {landing.why_not}. LiteLLM honours the "
                "points in their order; remove this one or one before it.",
                landing.pointer,
                (landing.start, landing.end),
                severity="warning",
            )


def _finding(
    context: Context,
    counted: list[PlacedMark],
    message: str,
    fix: Fix,
    severity: Severity = "error",
) -> Finding:
    last = counted[-1]
    return RULE.finding(
        message,
        last.pointer,
        (last.start, last.end),
        severity=severity,
        related=tuple(
            Related(f"breakpoint {number} of {len(counted)}", other.pointer, other.start, other.end)
            for number, other in enumerate(counted[:-1], 1)
        ),
        fixes=(fix,),
    )


def _number(count: int, what: str = "") -> str:
    """``one``, or the number; with ``what``, the things counted (``the 2 … breakpoints``)."""
    if not what:
        return "one" if count == 1 else str(count)
    return what if count == 1 else f"{what.replace('the ', f'the {count} ', 1)}s"


RULE = Rule(
    code="CW101",
    name="too-many-breakpoints",
    severity="error",
    summary="More breakpoints than the provider takes",
    docs=__doc__ or "",
    check=check,
)
