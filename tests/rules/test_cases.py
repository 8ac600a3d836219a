"""The cases of the Markdown files: every finding on its exact span, and nothing else."""

from __future__ import annotations

import pytest

from cachewise.analysis import Document
from cachewise.rules import BY_NAME
from rules.cases import (
    FOLDER,
    Case,
    Expected,
    find,
    fixed_fully,
    fixed_once,
    options,
    read_cases,
)

CASES = [case for path in sorted(FOLDER.glob("*.md")) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    found = find(case.source, options(case.settings), case.format)
    requests = Document(case.source, case.format, options(case.settings)).requests
    lines = case.source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:row])) for row in range(len(lines))]
    assert all(one.code in BY_NAME for one in case.expected)

    actual = [
        (one.start, one.end, one.finding.code, one.finding.message, one.finding.severity,
         one.finding.rule)
        for one in found
    ]  # fmt: skip
    _compare(case.expected, actual, starts, lines)

    for code in {one.code for one in case.related}:
        places = [
            (place.start + base, place.end + base, code, place.message, "", "")
            for one in found
            if one.finding.code == code
            for place in one.finding.related
            for base in (requests[one.located.index + place.request].base,)
        ]
        wanted = tuple(one for one in case.related if one.code == code)
        _compare(wanted, sorted(set(places)), starts, lines)

    if case.after is not None:
        assert fixed_once(case.source, found) == case.after
    if case.fixed is not None:
        text, left = fixed_fully(case.source, options(case.settings), case.format)
        assert text == case.fixed
        assert [one.finding.message for one in left if one.finding.severity == "error"] == []


def _compare(
    expected: tuple[Expected, ...],
    actual: list[tuple[int, int, str, str, str, str]],
    starts: list[int],
    lines: list[str],
) -> None:
    left = list(actual)
    for want in expected:
        start = starts[want.line] + want.start
        line_end = starts[want.line] + len(lines[want.line].rstrip("\n"))
        for one in left:
            ends = (
                one[1] > line_end if want.end is None else one[1] == start + want.end - want.start
            )
            if (
                one[0] == start
                and ends
                and one[2] == want.code
                and want.text in one[3]
                and one[4:] == (want.severity, want.name)
            ):
                left.remove(one)
                break
        else:
            pytest.fail(f"expected {want}\nfound {actual}")
    assert left == [], "found what is not expected"
