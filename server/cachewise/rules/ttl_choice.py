"""With the declared traffic another lifetime is cheaper, or caching does not pay.

A 5-minute write costs 1.25 times the plain input on Anthropic's models, a 1-hour write twice, and a
read a tenth or less. So which lifetime is cheaper depends on the time between two calls: as long as
they come within five minutes, the short one is kept alive by the reads themselves; beyond that
every call writes anew, unless the long one bridges the gap; and beyond an hour nothing is ever
read, and each write is money lost.

The rule speaks only when the settings declare the traffic (`[traffic] every = "10m", calls = 20`),
and tells the sums of all choices, for the input of so many identical calls.

```json bad traffic=10m,20
{"model": "claude-sonnet-4-6", "max_tokens": 50,
 "system": [{"type": "text", "text": "{{repeat:You answer questions about ships. :500}}",
   "cache_control": {"type": "ephemeral"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

With a call every ten minutes the 1-hour lifetime is read nineteen times:

```json good traffic=10m,20
{"model": "claude-sonnet-4-6", "max_tokens": 50,
 "system": [{"type": "text", "text": "{{repeat:You answer questions about ships. :500}}",
   "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

Source: Anthropic, "Prompt caching", sections "Pricing" and "When to use the 1-hour cache"; the sums
follow from the catalog's prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cachewise.caching.cost import Traffic, run_cost
from cachewise.catalog.prices import plain
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import allowed_ttls, remove_mark
from cachewise.syntax.json_edit import set_member


def check(context: Context) -> Iterator[Finding]:
    """One finding on the first breakpoint, when another choice is cheaper for the whole request."""
    traffic, prices, platform = context.traffic, context.prices, context.platform
    if traffic is None or traffic.calls < 1 or prices is None or platform is None:
        return
    points = [point for point in context.plan.breakpoints if point.counts_as_written]
    lifetimes = {point.ttl for point in points}
    if len(lifetimes) != 1 or context.costs.uncached is None:
        return  # nothing cached, or a mix of lifetimes that was chosen on purpose
    current = lifetimes.pop()
    sums: dict[str, Decimal] = {"": traffic.calls * context.costs.uncached}
    allowed = allowed_ttls(context)
    for ttl in allowed:
        lifetime = platform.ttl_seconds.get(ttl)
        if lifetime is None:
            return
        run = run_cost(
            context.plan,
            prices,
            ttl=ttl,
            lifetime=lifetime,
            calls=traffic.calls,
            every=traffic.every,
            ttls=allowed,
        )
        if run.cost is None:
            return
        sums[ttl] = run.cost
    if current not in sums:
        return
    best = min(sums, key=lambda name: (sums[name], name != current))
    if sums[best] >= sums[current]:
        return
    marks = [point.placed for point in points]
    first = marks[0]
    yield RULE.finding(
        _message(traffic, sums, current, best),
        first.pointer,
        (first.start, first.end),
        fixes=_fixes(context, marks, best),
    )


def _message(traffic: Traffic, sums: dict[str, Decimal], current: str, best: str) -> str:
    told = ", ".join(
        f"{name or 'no cache'} ${plain(amount)}" for name, amount in sorted(sums.items())
    )
    every = f"{traffic.every:g} s"
    calls = "1 call" if traffic.calls == 1 else f"{traffic.calls} calls"
    way = (
        f"The {best} lifetime would be cheaper than {current}"
        if best
        else "Caching does not pay here"
    )
    advice = (
        f"Use ttl {best}." if best else "Remove the markers, or send the calls closer together."
    )
    return f"{way} for {calls}, one every {every}: {told} of input. {advice}"


def _fixes(context: Context, marks: list[PlacedMark], best: str) -> tuple[Fix, ...]:
    if any(mark.mark.node.kind != "object" for mark in marks):
        return ()
    if not best:
        return (Fix("Remove the markers", tuple(remove_mark(context, placed) for placed in marks)),)
    edits = tuple(
        edit
        for placed in marks
        for edit in set_member(context.read, placed.mark.node, placed.start, "ttl", f'"{best}"')
    )
    return (Fix(f"Use the {best} lifetime", edits),)


RULE = Rule(
    code="CW401",
    name="ttl-choice",
    severity="info",
    summary="Another lifetime would be cheaper, or caching does not pay",
    docs=__doc__ or "",
    check=check,
)
