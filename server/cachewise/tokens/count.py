"""Token counts of a text, with an interval: exact where a tokenizer is installed, else estimated.

``count_text`` answers for one text, ``count_steps`` the same in slices of a few milliseconds, and
``fast_count`` at once and for any family, without a tokenizer. All count *content*: what a request
adds around its texts is in :mod:`cachewise.tokens.structure`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

from cachewise.tokens import bpe, claude, fast

FAMILIES = (*claude.FAMILY_VERSIONS, *bpe.FAMILIES, "gemini")
"""The tokenizer families that have a name here."""

NEWEST_FAMILY = "claude-v4.8"
"""What an unknown family is taken for, with an interval that says so."""

FAST = "-fast"
"""How the method of an estimate ends; an exact count's method is the name of its family."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens: the best estimate, the interval that it lies in, and how it was got.

    Counts add up, and so do both ends of their intervals, and the least exact method is named.
    """

    estimate: int
    low: int
    high: int
    method: str

    @property
    def exact(self) -> bool:
        """Whether the number is known and not only estimated."""
        return self.low == self.high

    def __add__(self, other: Count) -> Count:
        """Both together."""
        return Count(
            self.estimate + other.estimate,
            self.low + other.low,
            self.high + other.high,
            join_methods((self.method, other.method)),
        )

    def widened(self, less: float, more: float) -> Count:
        """The same estimate, with an interval wider by ``less`` below and ``more`` above it."""
        low = min(self.low, self.estimate - round(less))
        return Count(self.estimate, max(0, low), self.high + round(more), self.method)


def join_methods(methods: Iterable[str]) -> str:
    """The name of the least exact of several methods: an estimate's, else the first named."""
    first = ""
    for method in methods:
        if method.endswith(FAST):
            return method
        first = first or method
    return first


def count_text(text: str, family: str) -> Count:
    """The content tokens of ``text``; memoised. 1 MB takes some 0.4 s when it is new."""
    steps = count_steps(text, family)
    while (count := next(steps)) is None:
        pass
    return count


def count_steps(text: str, family: str) -> Iterator[Count | None]:
    """``count_text`` in slices of at most a few milliseconds; the last value is the count.

    The first use of a family loads its vocabulary, in slices too. Every value before the last is
    None: it only hands back control.
    """
    known = _memo.get(family, text)
    if known is not None:
        yield known
        return
    if not text:
        yield Count(0, 0, 0, family if family in FAMILIES else NEWEST_FAMILY + FAST)
        return
    counter = yield from _counter_steps(family)
    if counter is None:
        count = fast_count(text, family)
    else:
        tokens, cuts = yield from counter.steps(text)
        # Where an overlong run was priced in parts, each cut may have cost or spared some tokens.
        low = max(1 if tokens else 0, tokens - 4 * cuts)
        count = Count(tokens, low, tokens + 4 * cuts, family)
    _memo.put(family, text, count)
    yield count


def fast_count(text: str, family: str) -> Count:
    """An estimate of the content tokens, without a vocabulary: some 20 microseconds for 2 kB."""
    known = family if family in fast.load_weights() else NEWEST_FAMILY
    if not text:
        return Count(0, 0, 0, known + FAST)
    middle, low, high = fast.estimate(text, known)
    count = Count(middle, low, high, known + FAST)
    # Between two families of one provider the count of a text differs by up to a third.
    return count if known == family else count.widened(0.35 * middle + 2, 0.35 * middle + 2)


def is_warm(text: str, family: str) -> bool:
    """Whether ``count_text`` would answer from memory."""
    return not text or _memo.get(family, text) is not None


def is_ready(family: str) -> bool:
    """Whether the family's vocabulary is loaded, or known to be missing: no wait is to come."""
    return family in _counters or family in _unavailable


def unavailable(family: str) -> str | None:
    """Why a family is only estimated, once that has been found out; None where it is counted."""
    return _unavailable.get(family)


def estimate_only(reason: str) -> None:
    """From now on estimate every family, as where no tokenizer is installed; ``forget`` ends it."""
    forget()
    _unavailable.update(dict.fromkeys(FAMILIES, reason))


def keep_in(place: claude.Kept | None) -> None:
    """Keep what the loading of a vocabulary has worked out, for the next start of the program."""
    global _kept
    _kept = place


def forget() -> None:
    """Drop every count and every vocabulary held in memory."""
    _memo.clear()
    _counters.clear()
    _unavailable.clear()


class _TextMemo:
    """Counts by family and text: the least recently used are dropped beyond a bounded size."""

    def __init__(self, entries: int, characters: int) -> None:
        self._counts: OrderedDict[tuple[str, str], Count] = OrderedDict()
        self._entries = entries
        self._characters = characters
        self._held = 0
        self._lock = Lock()

    def get(self, family: str, text: str) -> Count | None:
        """What is known of the text, which then counts as just used."""
        key = family, text
        with self._lock:
            count = self._counts.get(key)
            if count is not None:
                self._counts.move_to_end(key)
            return count

    def put(self, family: str, text: str, count: Count) -> None:
        """Keep a count; a text larger than all that may be kept is kept alone."""
        with self._lock:
            if (family, text) in self._counts:
                return
            self._counts[family, text] = count
            self._held += len(text)
            while len(self._counts) > 1 and (
                len(self._counts) > self._entries or self._held > self._characters
            ):
                (_, dropped), _ = self._counts.popitem(last=False)
                self._held -= len(dropped)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._held = 0


_Counter = claude.ClaudeCounter | bpe.BpeCounter

_memo = _TextMemo(entries=20_000, characters=12_000_000)
_counters: dict[str, _Counter] = {}
_unavailable: dict[str, str] = {}
_kept: claude.Kept | None = None


def _counter_steps(family: str) -> Generator[None, None, _Counter | None]:
    """The family's counter, loaded if need be; None where there is none."""
    if family in _counters or family in _unavailable:
        return _counters.get(family)
    try:
        if family in claude.FAMILY_VERSIONS:
            counter = yield from claude.load_steps(family, _kept)
        elif family in bpe.FAMILIES:
            counter = yield from bpe.load_steps(family)
        else:
            raise claude.Unavailable(f"no tokenizer is known for {family}")
    except claude.Unavailable as reason:
        _unavailable[family] = str(reason)
        return None
    _counters[family] = counter
    return counter
