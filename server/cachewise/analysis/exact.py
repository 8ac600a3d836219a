"""A provider's own count of a whole request, kept for as long as its source stays as it is."""

from __future__ import annotations

from dataclasses import replace

from cachewise.syntax.tree import Node
from cachewise.tokens.count import Count
from cachewise.tokens.structure import RequestCounts

_KEY = "counted by the provider"


def keep_exact(node: Node, tokens: int, host: str) -> None:
    """Note what ``host`` counted for a request. An edit makes another node, and so forgets it."""
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    memo[_KEY] = Count(tokens, tokens, tokens, f"counted by {host}")


def with_exact(counts: RequestCounts, node: Node) -> RequestCounts:
    """The counts of a request with the provider's total, where there is one.

    A provider counts whole requests: the prefixes keep their intervals, as far as the total goes.
    """
    total: Count | None = None if node.memo is None else node.memo.get(_KEY)
    if total is None:
        return counts
    most = total.estimate
    prefixes = [
        Count(min(one.estimate, most), min(one.low, most), min(one.high, most), one.method)
        for one in counts.prefixes
    ]
    return replace(counts, prefixes=prefixes, total=total)
