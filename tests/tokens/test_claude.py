"""Claude counts: the sum of spans against ctok's own walk, on any text."""

import sys
from importlib import import_module

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise.tokens import claude
from cachewise.tokens.count import (
    Count,
    count_steps,
    count_text,
    fast_count,
    forget,
    is_warm,
    unavailable,
)

ctok = pytest.importorskip("ctok", reason="ctok needs Python 3.12 or newer")

FRAMES = {"claude-v3": 7, "claude-v4.7": 11, "claude-v4.8": 6}

AWKWARD = [
    *("hello", "World", "HTTP", "GaN", "iPhone", "don", "a", "I", "_", "__init__", "snake_case"),
    *("'", "'s", "'t ", "'ve", "'RE", "1's", "文's", "’", "“", "”", '"', "don't", "`", "``"),
    *(" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u200b"),
    *("\x00", "\x01", "\x7f", "\x85", "\ue000", "\ufdd0", "\ufdd1", "\ufeff", "\ud800", "\ufe0f"),
    *("1", "12", "1234", "0.5", "$5", "²", "½", "²,", "²}-.", "①", "١٢", "२", "Ⅷ", "ⓐ", "𝒳"),
    *(
        "文",
        "字文",
        "日本語",
        "，",
        "。",
        "（",
        "）",
        "：",
        '："',
        "々",
        "カタカナ",
        "ひらがな",
        "가나",
    ),
    *("é", "e\u0301", "\u0301", "İ", "ẞ", "ς", "ΟΔΟΣ", "Привет", "ǅ", "ﬁ", "ϴ", "\u0345"),
    *("שָׁ", "العربية", "हिन्दी", "ไทย", "\u0e4d\u0e32", "்", "்.", "܁", "\u0730", "\u0f43", "\u0958"),
    *("😀", "👍🏽", "❤️", "👨\u200d👩\u200d👧", "\U0001f1e9\U0001f1ea", "\U00011099\U000110ba"),
    *(",", ".", "...", "==", "{", "}", "<div>", "\\", "/", "-----", "##", "**", "—", "…", "€"),
]

texts = st.one_of(
    st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=14).map("".join),
    st.text(min_size=1, max_size=30),
    st.text(alphabet=st.characters(max_codepoint=0x7F), min_size=1, max_size=40),
    st.lists(
        st.one_of(st.sampled_from(AWKWARD), st.characters(max_codepoint=0x17FF)),
        min_size=1,
        max_size=14,
    ).map("".join),
)


def in_ctok(text: str, family: str) -> int:
    return ctok.token_count(text, claude.FAMILY_VERSIONS[family]) - FRAMES[family]


@pytest.mark.parametrize("family", FRAMES)
@given(text=texts)
@example("\u00a0a")
@example(" \x00a")
@example("ⓐ're")
@example("\n")
@example("\x01")
@example("a\n\n\x01\n")
@example("x'll")
@example("'s")
@example("١2")
@settings(max_examples=150, deadline=None)
def test_same_count_as_ctok(family: str, text: str) -> None:
    assert count_text(text, family) == Count(*[in_ctok(text, family)] * 3, family)


@pytest.mark.parametrize("family", FRAMES)
@given(parts=st.lists(texts, min_size=4, max_size=12))
@settings(max_examples=50, deadline=None)
def test_windows_change_nothing(family: str, parts: list[str]) -> None:
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claude, "_WINDOW", 12)
        patch.setattr(claude, "_SEARCH", 200)
        forget()
        count = count_text(text, family)
    forget()
    assert count.low <= in_ctok(text, family) <= count.high
    assert count.method == family
    if count.exact:
        assert count.estimate == in_ctok(text, family)


@pytest.mark.parametrize("family", FRAMES)
@pytest.mark.parametrize(
    "text", ["=" * 3000, "a" * 3000, " " * 3000 + "x", "\n" * 1500, "ก" * 2000]
)
def test_overlong_runs_are_priced_in_parts_and_say_so(family: str, text: str) -> None:
    count = count_text(text, family)
    assert not count.exact
    assert count.low <= in_ctok(text, family) <= count.high


@pytest.mark.parametrize("family", FRAMES)
def test_a_document_of_many_windows_is_exact(family: str) -> None:
    lines = [
        f"Line {n}: a naïve café costs {n * 37} €, isn't it? {{'k': [{n}, {n / 7:.3f}]}} 文{n}。"
        for n in range(400)
    ]
    text = "\n".join(lines)
    assert count_text(text, family) == Count(*[in_ctok(text, family)] * 3, family)
    unbroken = "".join(lines).replace(" ", "").replace("'", "")
    assert count_text(unbroken, family).estimate == in_ctok(unbroken, family)


def test_steps_hand_back_control_and_end_with_the_count() -> None:
    text = "A sentence of plain words. " * 2000
    *earlier, last = count_steps(text, "claude-v3")
    assert len(earlier) >= len(text) // claude._WINDOW
    assert set(earlier) == {None}
    assert last == count_text(text, "claude-v3")
    assert list(count_steps(text, "claude-v3")) == [last]


def test_warm_after_counting_only() -> None:
    text = "A text that no other test counts: quokka."
    assert not is_warm(text, "claude-v3")
    count_text(text, "claude-v3")
    assert is_warm(text, "claude-v3")
    assert not is_warm(text, "claude-v4.8")
    assert is_warm("", "claude-v3")


@pytest.mark.parametrize("family", FRAMES)
def test_the_estimate_holds_the_true_count(family: str) -> None:
    text = "The estimate must hold for an ordinary paragraph of English prose, as here. " * 5
    guess = fast_count(text, family)
    assert guess.low <= in_ctok(text, family) <= guess.high
    assert guess.method == family + "-fast"


def check_fallback(reason: str) -> None:
    text = "Whatever happens, a number comes back."
    forget()
    try:
        assert count_text(text, "claude-v3") == fast_count(text, "claude-v3")
        assert reason in (unavailable("claude-v3") or "")
    finally:
        forget()


def test_falls_back_when_ctok_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ctok"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ctok", None)
    check_fallback("ctok cannot be used")


def test_falls_back_when_a_rule_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(import_module("ctok.normalize"), "stream_norm")
    check_fallback("stream_norm")


def test_falls_back_when_a_known_count_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(claude._KNOWN_COUNTS, "claude-v3", {"hello, world": 4})
    check_fallback("counts 3 tokens")


def test_falls_back_when_a_piece_crosses_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    constants, engine = import_module("ctok.constants"), import_module("ctok.engine")
    across = f"of{constants.EOW_G}{constants.BOW_G}the"
    monkeypatch.setattr(engine, "glued_contraction", lambda name: across)
    check_fallback("reaches across the edge of a word")
