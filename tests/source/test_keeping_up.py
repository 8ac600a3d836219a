"""Source code under edit: what is known is what reading it anew would give, at little cost."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))

SOURCE = """\
RULES = "Every ship reports. "
MARK = {"type": "ephemeral", "ttl": "5m"}

def one(q):
    return client.messages.create(
        model="claude-sonnet-4-6", max_tokens=9,
        system=[{"type": "text", "text": RULES * 900, "cache_control": MARK}],
        messages=[{"role": "user", "content": q}],
    )

def two(q):
    return client.messages.create(
        model="claude-haiku-4-5", max_tokens=9,
        system=[{"type": "text", "text": f"Now {datetime.now()}", "cache_control": MARK}],
        messages=[{"role": "user", "content": q}],
    )
"""


def said(document: Document) -> list[tuple[str, str, int, int]]:
    return [
        (found.finding.code, found.finding.message, found.start, found.end)
        for found in document.findings()
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SOURCE)),
            st.integers(0, 6),
            st.text("\"'{}[](),:=x5h\n ", max_size=5),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_edited_is_the_same_as_read_anew(edits: list[tuple[int, int, str]]) -> None:
    document = Document(SOURCE, "python", OPTIONS)
    document.findings()
    for start, length, new in edits:
        document.edit(start, start + length, new)
        anew = Document(str(document.text), "python", OPTIONS)
        assert said(document) == said(anew)
        assert [located.base for located in document.requests] == [
            located.base for located in anew.requests
        ]


def test_a_request_that_is_not_touched_is_not_looked_at_again() -> None:
    source = SOURCE.replace("MARK", '{"type": "ephemeral"}', 2).replace("RULES * 900", '"x " * 9')
    document = Document(source, "python", OPTIONS)
    before = [located.analyzed for located in document.requests]
    at = source.index("def two")
    document.edit(at, at, "x = 1\n\n")
    after = [located.analyzed for located in document.requests]
    assert after[0] is before[0]
    at = str(document.text).index("claude-haiku")
    document.edit(at, at + 1, "C")
    first, second = document.requests
    assert first.analyzed is before[0]
    assert second.analyzed is not after[1]


def test_an_edit_of_a_constant_reaches_its_requests() -> None:
    document = Document(SOURCE, "python", OPTIONS)
    assert not [code for code, *_ in said(document) if code == "CW104"]
    at = SOURCE.index('"5m"')
    document.edit(at, at + 4, '"9m"')
    assert [code for code, *_ in said(document) if code == "CW104"] == ["CW104"]
