"""The estimate that needs no vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.tokens import fast
from cachewise.tokens.count import FAMILIES, FAST, Count, fast_count

PROSE = "The old mill stood by the river, and nobody had used it for twenty years. " * 12
CODE = "def total(rows):\n    return sum(row.price * row.count for row in rows if row)\n\n\n" * 10
TABLE = "\n".join(f"{n},{n * n},{n / 7:.4f},row-{n}" for n in range(60))
GERMAN = "Die Verwaltung bestätigte gestern, dass die Brücke über den Fluss gesperrt bleibt. " * 10
CHINESE = "这座桥从昨天起关闭，行人必须绕行。市政府表示修复工作将持续三个月。" * 10
RUSSIAN = "Вчера администрация подтвердила, что мост через реку остаётся закрытым. " * 10
EMOJI = "Done 🎉 thanks 🙏🏽 see you 👨‍👩‍👧 "


def test_every_family_has_weights_for_every_feature() -> None:
    weights = fast.load_weights()
    assert set(weights) == set(FAMILIES)
    for fit in weights.values():
        assert len(fit.values) == len(fast.FEATURES)
        assert 0 < fit.spread <= 0.5 and 0 < fit.spread_other <= 0.9


@given(st.text(max_size=200))
def test_features_count_every_character_once(text: str) -> None:
    counted = dict(zip(fast.FEATURES, fast.features(text), strict=True))
    assert min(counted.values()) >= 0
    scripts = fast.FEATURES[fast.FEATURES.index("latin") : fast.FEATURES.index("foreign_words")]
    ascii_part = sum(ord(character) < 0x80 for character in text)
    assert sum(counted[name] for name in scripts) >= len(text) - ascii_part - text.count("\ud800")
    assert counted["words"] <= counted["letters"]


@given(text=st.text(max_size=300), family=st.sampled_from([*FAMILIES, "unheard-of"]))
def test_an_estimate_is_an_interval(text: str, family: str) -> None:
    count = fast_count(text, family)
    assert 0 <= count.low <= count.estimate <= count.high
    assert count.method.endswith(FAST)
    assert (count.estimate == 0) == (text == "")


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_more_text_is_not_cheaper_by_much(first: str, second: str) -> None:
    alone = fast_count(first, "claude-v3")
    both = fast_count(first + "\n" + second, "claude-v3")
    assert both.high >= alone.low


@pytest.mark.parametrize("text", [PROSE, CODE, TABLE, GERMAN, CHINESE, RUSSIAN, EMOJI * 9])
def test_a_big_text_is_sampled_near_its_parts(text: str) -> None:
    single = fast_count(text, "claude-v4.8")
    times = -(-fast.SAMPLE * 3 // len(text))
    big = fast_count(text * times, "claude-v4.8")
    assert big.estimate == pytest.approx(single.estimate * times, rel=0.05)
    assert big.low <= single.estimate * times <= big.high


def test_an_unknown_family_is_the_newest_with_a_wide_interval() -> None:
    known, unknown = fast_count(PROSE, "claude-v4.8"), fast_count(PROSE, "unheard-of")
    assert unknown.estimate == known.estimate
    assert unknown.high - unknown.low > 1.5 * (known.high - known.low)


def test_counts_add_up_and_name_the_least_exact_method() -> None:
    exact = Count(10, 10, 10, "claude-v3")
    guess = Count(20, 15, 30, "claude-v3-fast")
    assert exact + exact == Count(20, 20, 20, "claude-v3")
    assert exact + guess == guess + exact == Count(30, 25, 40, "claude-v3-fast")
    assert exact.exact and not (exact + guess).exact
    assert guess.widened(10, 5) == Count(20, 10, 35, "claude-v3-fast")
    assert guess.widened(1, 0) == Count(20, 15, 30, "claude-v3-fast")
