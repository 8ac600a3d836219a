"""Text against a naive reference: one string, split at the protocol's three line breaks only."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise import text as text_module
from cachewise.text import Encoding, Position, Text

CODECS: dict[Encoding, tuple[str, int]] = {
    "utf-8": ("utf-8", 1),
    "utf-16": ("utf-16-le", 2),
    "utf-32": ("utf-32-le", 4),
}
ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
alphabet = st.sampled_from(list('ab\r\n\n\r\u2028\x85\x0c\x1cé字𝄞\ud83d {"}'))
words = st.text(alphabet, max_size=40)


def naive_position(source: str, offset: int, encoding: Encoding) -> Position:
    # A position between \r and \n counts as lying on the line that they end.
    breaks = [m.end() for m in re.finditer(r"\r\n|\n|\r", source) if m.end() <= offset]
    codec, width = CODECS[encoding]
    start = breaks[-1] if breaks else 0
    return Position(len(breaks), len(source[start:offset].encode(codec, "surrogatepass")) // width)


@settings(max_examples=300, deadline=None)
@given(words, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), words), max_size=12))
@example("a\r", [(2, 2, "\n")])
@example("\r\n", [(1, 1, "x")])
def test_edits_and_positions_equal_the_naive_reference(source, edits):
    piece = text_module._PIECE
    text_module._PIECE = 7  # many pieces, so that every boundary case is met
    try:
        document = Text(source)
        for start, end, new in edits:
            start, end = min(start, len(source)), min(max(start, end), len(source))
            source = source[:start] + new + source[end:]
            document.edit(start, end, new)
            assert str(document) == source
            assert len(document) == len(source)
        assert document.line_count == len(re.findall(r"\r\n|\n|\r", source)) + 1
        for offset in range(len(source) + 1):
            for encoding in ENCODINGS:
                expected = naive_position(source, offset, encoding)
                assert document.position(offset, encoding) == expected
                # Between \r and \n no position can be written: it lies behind the line's end.
                if source[offset - 1 : offset + 1] != "\r\n" or offset == 0:
                    assert document.offset(expected, encoding) == offset
        for line in range(document.line_count):
            assert document.line(line) == re.split(r"\r\n|\n|\r", source)[line]
    finally:
        text_module._PIECE = piece


@given(words, st.integers(0, 50), st.integers(0, 50))
def test_slices_are_clipped(source, start, end):
    assert Text(source).slice(start, end) == source[start:end]


def test_positions_outside_are_clipped():
    document = Text("ab\ncd")
    assert document.offset(Position(0, 99)) == 2
    assert document.offset(Position(7, 3)) == 5
    assert document.position(99) == Position(1, 2)


def test_a_position_inside_a_character_means_its_start():
    assert Text("a𝄞b").offset(Position(0, 2), "utf-16") == 1
    assert Text("a字b").offset(Position(0, 3), "utf-8") == 1


def test_one_long_line_of_many_pieces():
    source = "x" * 30_000 + "𝄞" + "y" * 30_000
    document = Text(source)
    assert document.position(60_000) == Position(0, 60_001)
    assert document.offset(Position(0, 60_001)) == 60_000
    document.edit(30_000, 30_001, "\n")
    assert document.position(60_000) == Position(1, 29_999)
