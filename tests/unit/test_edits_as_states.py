"""Whatever the edits and whenever someone looks: what is shown is what a fresh reading shows.

The document is long enough, and the stages of the token count are set close enough together, that
an edit can take over what stands before it, what stands behind it, and both.
"""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cachewise.analysis import Document
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.caching import conversation
from cachewise.tokens import structure

from .test_incremental import OPTIONS, seen

MARKER = ', "cache_control": {"type": "ephemeral"}'
MESSAGES = [
    '{"role": "user", "content": "And the tide?"},',
    '{"role": "assistant", "content": [{"type": "text", "text": "Low."}]},',
    '{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "tide", '
    '"input": {"at": 1}}, {"type": "tool_use", "id": "c2", "name": "wind", "input": {}}]},',
    '{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "3"}, '
    '{"type": "tool_result", "tool_use_id": "c2", "content": "<the answer>"}]},',
    '{"role": "system", "content": "Keep to metres."},',
]
PARAMETERS = [
    '"tool_choice": {"type": "any"}, ',
    '"thinking": {"type": "enabled", "budget_tokens": 2048}, ',
    '"cache_control": {"type": "ephemeral"}, ',
]
TYPED = ["x", " ", '"', "\\", "{", "}", "[", "]", ",", "\n", "<", "é𝄞", '"}, {"role": "user"']


def body(count: int) -> str:
    entries = [json.loads(text[:-1]) for text in MESSAGES[:4]]
    request = {
        "model": "claude-opus-4-8",
        "max_tokens": 9,
        "tools": [
            {"name": name, "description": "Reads it. " * 40, "input_schema": {"type": "object"}}
            for name in ("tide", "fog", "ice", "sun", "dew", "wind")
        ],
        "system": [{"type": "text", "text": "Each ship is written down. " * 60}],
        "messages": [entries[at % len(entries)] for at in range(count)],
    }
    return json.dumps(request, indent=1, ensure_ascii=False)


class Edits(RuleBasedStateMachine):
    @initialize(count=st.sampled_from([0, 9, 31, 47]), copies=st.integers(1, 3))
    def open(self, count: int, copies: int) -> None:
        self.stride = structure._STRIDE
        structure._STRIDE = 4
        format = "json" if copies == 1 else "jsonl"
        texts = [body(count) for _ in range(copies)]
        if copies > 1:
            texts = [json.dumps(json.loads(text)) for text in texts]
        self.document = Document("\n".join(texts), format, OPTIONS)
        self.undo: list[tuple[int, int, str]] = []

    def teardown(self) -> None:
        if hasattr(self, "document"):
            try:
                self.look()
            finally:
                structure._STRIDE = self.stride

    def replace(self, start: int, end: int, new: str) -> None:
        self.undo.append((start, start + len(new), self.document.read(start, end)))
        self.document.edit(start, end, new)

    def places(self, pattern: str) -> list[tuple[int, int]]:
        return [found.span() for found in re.finditer(pattern, str(self.document.text))]

    @rule(
        place=st.floats(0, 1),
        length=st.integers(0, 9),
        text=st.sampled_from(TYPED),
        looks=st.booleans(),
        stays=st.integers(0, 9),
    )
    def type_anywhere(self, place: float, length: int, text: str, looks: bool, stays: int) -> None:
        """Mostly taken back again: in a text that stays broken little is left to go wrong."""
        start = int(place * len(self.document.text))
        self.replace(start, min(len(self.document.text), start + length), text)
        if looks:
            self.look()
        if stays:
            self.take_back()

    @rule(choice=st.integers(0), text=st.sampled_from(["x", "é", " and so on", '\\"', "", "\\n"]))
    def type_in_a_text(self, choice: int, text: str) -> None:
        found = self.places(r'(?<="(?:text)": ")[^"\\]+|(?<="content": ")[^"\\]+')
        if found:
            start, end = found[choice % len(found)]
            at = random.Random(choice).randint(start, end)
            self.replace(at, min(end, at + (not text)), text)

    @rule(choice=st.integers(0), text=st.sampled_from(MESSAGES))
    def add_a_message(self, choice: int, text: str) -> None:
        found = self.places(r'\{\s*"role"')
        if found:
            start = found[choice % len(found)][0]
            self.replace(start, start, text)

    @rule(choice=st.integers(0))
    def take_a_message_away(self, choice: int) -> None:
        found = self.places(r'\{\s*"role": "[a-z]+",\s*"content": "[^"]*"\s*\},?')
        if found:
            self.replace(*found[choice % len(found)], "")

    @rule(choice=st.integers(0))
    def mark(self, choice: int) -> None:
        found = self.places(r'"type": "(?:text|tool_result|tool_use)"')
        if found:
            end = found[choice % len(found)][1]
            self.replace(end, end, MARKER)

    @rule(choice=st.integers(0))
    def unmark(self, choice: int) -> None:
        found = self.places(re.escape(MARKER))
        if found:
            self.replace(*found[choice % len(found)], "")

    @rule(text=st.sampled_from(PARAMETERS))
    def add_a_parameter(self, text: str) -> None:
        found = self.places('"max_tokens"')
        if found:
            self.replace(found[-1][0], found[-1][0], text)

    @rule(model=st.sampled_from(["claude-opus-4-8", "claude-haiku-4-5", "gpt-5.6", "nobody"]))
    def ask_another_model(self, model: str) -> None:
        found = self.places(r'(?<="model": ")[^"]*')
        if found:
            self.replace(*found[0], model)

    @precondition(lambda self: self.undo)
    @rule()
    def take_back(self) -> None:
        self.document.edit(*self.undo.pop())

    @rule()
    def look(self) -> None:
        """Between some edits someone looks, between others nobody does."""
        text = str(self.document.text)
        fresh = Document(text, self.document.format, OPTIONS)
        assert seen(self.document) == seen(fresh)
        assert hints(self.document, 0, len(text)) == hints(fresh, 0, len(text))
        assert lenses(self.document) == lenses(fresh)
        for mine, its in zip(self.document.requests, fresh.requests, strict=True):
            assert mine.analyzed.counts.notes == its.analyzed.counts.notes
            assert mine.analyzed.counts.unknown == its.analyzed.counts.unknown
            assert [*mine.analyzed.plan.prefixes] == [*its.analyzed.plan.prefixes]
            assert mine.analyzed.plan.positions == its.analyzed.plan.positions


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


ELSEWHERE = {
    "a tool of another kind": (
        '{"name": "wind"',
        '{"type": "web_search_20250305", "name": "web_search"}, {"name": "wind"',
    ),
    "a call of another name": ('"name": "wind", "input"', '"name": "wind_of_words", "input"'),
    "a call that is gone": ('{"type": "tool_use", "id": "c1"', '{"type": "text", "id": "c1"'),
    "a parameter": ('"max_tokens"', PARAMETERS[0] + '"max_tokens"'),
    "a message": (
        '{"role": "user", "content": "And',
        MESSAGES[1] + '{"role": "user", "content": "A',
    ),
    "another role": ('"assistant", "content": [{"type": "te', '"user", "content": [{"type": "te'),
}
"""One edit each: a text, and what is put in its place."""


@pytest.mark.parametrize("edit", ELSEWHERE)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_what_an_edit_changes_elsewhere(monkeypatch, edit, share):
    monkeypatch.setattr(structure, "_STRIDE", 4)
    source = json.dumps(json.loads(body(63)))
    marked = [found.end() for found in re.finditer('"text": "Low."', source)]
    for at in (marked[14], marked[9], marked[2]):
        source = f"{source[:at]}{MARKER}{source[at:]}"
    document = Document(source, "json", OPTIONS)
    shown = [*document.requests[0].analyzed.plan.prefixes]
    old, new = ELSEWHERE[edit]
    start = source.find(old, int(share * len(source)))
    if start < 0:
        start = source.index(old)
    document.edit(start, start + len(old), new)
    fresh = Document(str(document.text), "json", OPTIONS)
    assert seen(document) == seen(fresh)
    mine, its = document.requests[0].analyzed, fresh.requests[0].analyzed
    assert [*mine.plan.prefixes] == [*its.plan.prefixes] != shown
    assert mine.counts.unknown == its.counts.unknown
    assert mine.plan.positions == its.plan.positions


def test_a_request_that_no_other_begins_like_is_compared_with_none(monkeypatch):
    asked = []
    digest = conversation.block_digest
    monkeypatch.setattr(
        conversation, "block_digest", lambda block: asked.append(block) or digest(block)
    )
    document = Document(body(63), "json", OPTIONS)
    assert len(document.requests[0].analyzed.request.blocks) > 50
    at = body(63).rindex("Low.")
    document.edit(at, at, "x")
    assert document.requests
    assert len(asked) == 2
    two = json.dumps(json.loads(body(9)))
    assert Document(f"{two}\n{two}", "jsonl", OPTIONS).requests
    assert len(asked) > 4
