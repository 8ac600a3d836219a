"""How many tokens of a request stand in front of a place inside of a block."""

from __future__ import annotations

from cachewise.caching.plan import Plan
from cachewise.catalog.model import Model
from cachewise.request.model import Request
from cachewise.tokens.count import Count, count_text, is_ready
from cachewise.tokens.structure import settings_for

LONGEST_COUNTED = 50_000
"""Characters of a part that are counted by themselves; of a longer one a share is taken."""


def tokens_before(request: Request, plan: Plan, model: Model | None, block: int, at: int) -> Count:
    """The tokens of the prefix up to character ``at`` of a block's text."""
    prefixes = plan.prefixes
    whole = prefixes[block]
    before = prefixes[block - 1] if block else Count(0, 0, 0, whole.method)
    text = request.blocks[block].text or ""
    if at <= 0 or not text:
        return before
    if at >= len(text):
        return whole
    family = settings_for(request, model).family
    if at <= LONGEST_COUNTED and is_ready(family):
        counted = count_text(text[:at], family)
        return Count(
            before.estimate + counted.estimate,
            before.low + counted.low,
            before.high + counted.high,
            whole.method,
        )
    share = at / len(text)
    inside = (whole.estimate - before.estimate) * share
    return Count(
        before.estimate + round(inside),
        before.low + int(inside * 0.85),
        before.high + round(inside * 1.15) + 1,
        whole.method,
    )
