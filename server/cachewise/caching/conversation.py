"""Which requests of one document belong to one conversation.

A request goes on from an earlier one when it begins with all of that one's blocks: the way in which
a client without memory on the provider's side sends a conversation, turn by turn. A repetition of
the very same request counts too.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachewise.caching.canonical import block_digest
from cachewise.request.model import Request

MOST_BETWEEN = 16
"""How many requests back one looks: that many conversations may be interleaved in a recording."""


def links(requests: Sequence[Request]) -> list[int]:
    """For each request the index of the nearest earlier one that it goes on from, or -1.

    Requests to different models never belong together, since no entry is shared between them.
    """
    found = [-1] * len(requests)
    alike: dict[object, list[int]] = {}
    for later, request in enumerate(requests):
        beginning = _beginning(request)
        if beginning is None:
            continue
        before = alike.setdefault(beginning, [])
        for earlier in reversed(before):
            if later - earlier > MOST_BETWEEN:
                break
            if goes_on_from(request, requests[earlier]):
                found[later] = earlier
                break
        before.append(later)
    return found


def _beginning(request: Request) -> object:
    """What two requests must have in common, cheaply compared; None when there is no block."""
    memo = request.node.memo
    if memo is None:
        memo = request.node.memo = {}
    if "beginning" not in memo:
        # The first block alone: where no other request begins like this one, that is all.
        first = [block_digest(block) for block in request.blocks[:1]]
        known = (request.shape, request.model_written, first[0]) if first else None
        memo["beginning"] = known
    return memo["beginning"]


def goes_on_from(later: Request, earlier: Request) -> bool:
    """Whether a request begins with all that an earlier one holds."""
    count = len(earlier.blocks)
    if not 0 < count <= len(later.blocks) or earlier.shape != later.shape:
        return False
    if earlier.blocks[-1].section != "messages" or earlier.model_written != later.model_written:
        return False
    return _digests(later)[:count] == _digests(earlier)


def _digests(request: Request) -> tuple[bytes, ...]:
    memo = request.node.memo
    if memo is None:
        memo = request.node.memo = {}
    if "digests" not in memo:
        memo["digests"] = tuple(block_digest(block) for block in request.blocks)
    return memo["digests"]
