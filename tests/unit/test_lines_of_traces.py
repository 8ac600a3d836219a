"""JSON Lines: an edit reads its own lines again, and the result is that of reading all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.syntax import json
from cachewise.syntax.formats import read_regions, reread_regions
from cachewise.syntax.tree import plain_value
from cachewise.text import Text

LINES = [f'{{"number": {number}, "words": ["𝄞", "tide {number}"]}}' for number in range(6)]
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", " \n"])
TYPED = st.sampled_from(
    ["", "x", '"', "{", "}", "[", ",", "\n", "\r", "\r\n", "\n\r", "é𝄞", '{"a": 1}', '\n{"a": 2}\n']
)  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), TYPED), min_size=1, max_size=8)


def told(regions: list) -> list:
    return [(region.start, region.end, plain_value(region.node)) for region in regions]


@given(ends=st.lists(ENDS, min_size=6, max_size=6), edits=EDITS)
def test_reading_the_touched_lines_equals_reading_all(ends: list[str], edits: list) -> None:
    source = "".join(line + end for line, end in zip(LINES, ends, strict=True))
    text = Text(source)
    regions = read_regions("jsonl", source)
    for place, length, typed in edits:
        start = int(place * len(text))
        end = min(len(text), start + length)
        text.edit(start, end, typed)
        regions = reread_regions("jsonl", regions, text, start, end, len(typed))
        assert regions is not None
        assert told(regions) == told(read_regions("jsonl", str(text)))


@pytest.mark.parametrize("typed", ["{", '"', "\n", "}"])
def test_an_edit_that_breaks_a_line_reads_no_other(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "\n".join(LINES)
    text = Text(source)
    before = read_regions("jsonl", source)
    scanned: list[str] = []
    scan = json.scan
    monkeypatch.setattr(json, "scan", lambda line, *rest: scanned.append(line) or scan(line, *rest))
    at = source.index("tide 2") - 1
    text.edit(at, at, typed)
    after = reread_regions("jsonl", before, text, at, at, len(typed))
    assert after is not None
    others = {id(region.node) for region in before if region is not before[2]}
    assert sum(id(region.node) in others for region in after) == 5
    assert not any(f"tide {number}" in text for text in scanned for number in (0, 1, 3, 4, 5))
