"""How often Cachewise is right about prompts in source code, over labelled snippets."""

from __future__ import annotations

from collections import defaultdict

import pytest
from tests.precision.cases import Score, Snippet, compare, findings, options, read_snippets

PRECISION = 0.98
RECALL = 0.90

SNIPPETS = read_snippets()


def score(snippets: list[Snippet]) -> tuple[Score, list[str]]:
    """The score over some snippets, and a line for each mistake."""
    right = wrong = missed = 0
    mistakes: list[str] = []
    chosen = options()
    for snippet in snippets:
        found = findings(snippet, chosen)
        false, absent = compare(snippet, found)
        wrong += false.total()
        missed += absent.total()
        right += len(found) - false.total()
        mistakes += [f"{snippet.id}: false: {one}" for one in false.elements()]
        mistakes += [f"{snippet.id}: missed: {one}" for one in absent.elements()]
    return Score(len(snippets), right, wrong, missed), mistakes


def test_precision_and_recall(capsys: pytest.CaptureFixture[str]) -> None:
    by_format: dict[str, list[Snippet]] = defaultdict(list)
    for snippet in SNIPPETS:
        by_format[snippet.format].append(snippet)
    whole, mistakes = score(SNIPPETS)
    with capsys.disabled():
        print()
        for format, snippets in sorted(by_format.items()):
            part, _ = score(snippets)
            print(
                f"{format:<12} {part.snippets:>4} snippets  precision {part.precision:7.2%}  "
                f"recall {part.recall:7.2%}"
            )
        print(
            f"{'all':<12} {whole.snippets:>4} snippets  precision {whole.precision:7.2%}  "
            f"recall {whole.recall:7.2%}"
        )
        for line in mistakes:
            print(f"  {line}")
    assert whole.precision >= PRECISION, mistakes
    assert whole.recall >= RECALL, mistakes


def test_ordinary_snippets_stay_silent() -> None:
    """Whatever has no label says nothing: here not a single finding is allowed."""
    silent = [snippet for snippet in SNIPPETS if not snippet.expected]
    assert len(silent) >= 20
    assert score(silent)[1] == []


def test_there_are_enough_snippets_to_say_so() -> None:
    assert len(SNIPPETS) >= 80
    assert len({snippet.id for snippet in SNIPPETS}) == len(SNIPPETS)
