"""A bounded dictionary that computes what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Memo(dict[Any, Any]):
    """Prices by key, computed when first asked for; it starts afresh when it has grown too big.

    ``entries`` and ``characters`` bound how many keys it holds and how long they are together.
    Looking up a known key is a plain dictionary access, so whole lists are priced at the speed of
    C: ``sum(map(memo.__getitem__, keys))``. Two threads may use one memo: at worst both compute.
    """

    def __init__(self, compute: Callable[[Any], Any], *, entries: int, characters: int) -> None:
        super().__init__()
        self._compute = compute
        self._entries = entries
        self._characters = characters
        self._held = 0

    def __missing__(self, key: Any) -> Any:
        value = self._compute(key)
        size = 1 if isinstance(key, int) else sum(map(len, key))
        if len(self) >= self._entries or self._held + size > self._characters:
            self.clear()
            self._held = 0
        self._held += size
        self[key] = value
        return value
