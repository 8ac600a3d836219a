"""The server's text is the client's text, whatever is edited, in every position encoding."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from cachewise.lsp import convert
from cachewise.lsp.store import OpenDocument

from . import session
from .requests import SMALL

PIECES = st.text(
    st.sampled_from('ab "{}[],:\\\r\n\u2028\u0085\f\té漢\U0001f600\U0001d54f'), max_size=12
)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[tuple[str, str, types.Range, str]]]:
    """A text and edits to it: the text before and after each, and what the client sends."""
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "utf-32"]))
    text = draw(st.one_of(PIECES, st.just(SMALL)))
    found: list[tuple[str, str, types.Range, str]] = []
    for _ in range(draw(st.integers(1, 8))):
        # A client never addresses the middle of a line break.
        places = draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2))
        start, end = sorted(index - (text[index - 1 : index + 1] == "\r\n") for index in places)
        new = draw(PIECES)
        where = types.Range(
            session.position(text, start, encoding), session.position(text, end, encoding)
        )
        after = text[:start] + new + text[end:]
        found.append((text, after, where, new))
        text = after
    return encoding, found


@settings(max_examples=300, deadline=None)
@given(edits())
def test_edits_arrive_as_they_were_made(made: tuple[str, list[tuple[str, str, types.Range, str]]]):
    encoding, changes = made
    item = types.TextDocumentItem("file:///a.json", "json", 1, changes[0][0])
    document = OpenDocument(item, "json", lambda _: None)
    for version, (_, after, where, new) in enumerate(changes, 2):
        document.change(
            [types.TextDocumentContentChangePartial(where, new)],
            version,
            convert.ENCODINGS[encoding],
        )
        assert str(document.text) == after
        assert document.version == version
        for offset in range(0, len(after) + 1, max(1, len(after) // 7)):
            if after[offset - 1 : offset + 1] == "\r\n":
                continue
            assert convert.position(
                document.text, offset, convert.ENCODINGS[encoding]
            ) == session.position(after, offset, encoding)
