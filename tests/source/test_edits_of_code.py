"""Source code of each language under any edits: what is shown is what a fresh reading shows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.unit.test_incremental import seen

from cachewise.analysis import Document
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.syntax import grammar
from cachewise.syntax.grammar import Parsed, Trees, parse

from .test_keeping_up import OPTIONS, SOURCE
from .test_languages import SAMPLES

PYTHON = f'''{SOURCE}

class Asking:
    """Asks – in the é𝄞 way."""

    system = "Keep to metres."

    def ask(self, q, turn=0):
        global MARK
        messages = [{{"role": "user", "content": f"Turn {{turn}}: é𝄞 {{q}}"}}]
        for word in q:
            messages.append({{"role": "user", "content": word}})
        if turn:
            messages[0]["cache_control"] = MARK
        return client.messages.create(  # cachewise: ignore[volatile-content]
            model=MODEL, max_tokens=9, system=self.system + helped(turn), messages=messages)


MODEL = "claude-opus-4-8"

def helped(n, style="short"):
    return f"{{RULES}} {{style}} {{n}}"
'''
CODE = {"python": PYTHON} | {
    format: f"{source}\n{source}".replace("Which gate?", "Which – é𝄞 – gate?")
    for format, source in SAMPLES.items()
}
TYPED = [
    "x", " ", '"', "'", "`", "(", ")", "()", "{", "}", "[", "]", ",", "\n", "\r\n", "\\", ".", "=",
    "é𝄞", "\ufeff", "#", "// ", "/*", "*/", '"""', "${", "$", ";", "RULES", "RULES = 3\n",
    "return ",
    "if x:\n    ", "for (;;) {", "<<~X", "<?php ", "messages", "system", "1",
]  # fmt: skip


class Edits(RuleBasedStateMachine):
    @initialize(format=st.sampled_from(sorted(CODE)), breaks=st.sampled_from(["\n", "\r\n"]))
    def open(self, format: str, breaks: str) -> None:
        self.document = Document(CODE[format].replace("\n", breaks), format, OPTIONS)
        self.undo: list[tuple[int, int, str]] = []
        self.look()

    def replace(self, start: int, end: int, new: str) -> None:
        self.undo.append((start, start + len(new), self.document.read(start, end)))
        self.document.edit(start, end, new)

    @rule(
        place=st.floats(0, 1),
        length=st.integers(0, 6),
        text=st.sampled_from(TYPED),
        looks=st.booleans(),
        stays=st.integers(0, 3),
    )
    def type_anywhere(self, place: float, length: int, text: str, looks: bool, stays: int) -> None:
        start = int(place * len(self.document.text))
        self.replace(start, min(len(self.document.text), start + length), text)
        if looks:
            self.look()
        if stays:
            self.take_back()

    @rule(choice=st.integers(0), text=st.sampled_from(["x", "é", "𝄞 and so on", ""]))
    def type_in_a_word(self, choice: int, text: str) -> None:
        found = [found.span() for found in re.finditer(r"\w+", str(self.document.text))]
        if found:
            start, end = found[choice % len(found)]
            self.replace((start + end) // 2, end if not text else (start + end) // 2, text)

    @rule(choice=st.integers(0))
    def take_a_line_away(self, choice: int) -> None:
        line = choice % self.document.text.line_count
        self.replace(
            self.document.text.line_start(line), self.document.text.line_start(line + 1), ""
        )

    @rule(choice=st.integers(0), other=st.integers(0))
    def write_a_line_again(self, choice: int, other: int) -> None:
        text = self.document.text
        line = text.line(choice % text.line_count)
        start = text.line_start(other % text.line_count)
        self.replace(start, start, f"{line}\n")

    @precondition(lambda self: self.undo)
    @rule()
    def take_back(self) -> None:
        self.document.edit(*self.undo.pop())

    @rule()
    def look(self) -> None:
        """While the code does not parse the last word is that of ``refine``."""
        text = str(self.document.text)
        for _ in range(3):
            if not self.document.complete:
                assert list(self.document.refine()) == []
        assert self.document.complete
        fresh = Document(text, self.document.format, OPTIONS)
        assert seen(self.document) == seen(fresh)
        assert hints(self.document, 0, len(text)) == hints(fresh, 0, len(text))
        assert lenses(self.document) == lenses(fresh)


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def shape(parsed: Parsed) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    stack = [parsed.root]
    while stack:
        node = stack.pop()
        found.append((node.type, parsed.start(node), parsed.end(node)))
        stack.extend(node.children)
    return found


@settings(max_examples=80, deadline=None)
@given(
    format=st.sampled_from(sorted(CODE)),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 5), st.sampled_from(TYPED)), max_size=4
    ),
)
def test_a_text_that_parses_has_the_tree_of_a_fresh_parse(format, edits):
    trees = Trees()
    source = CODE[format]
    parse(format, source, trees)
    for place, length, new in edits:
        start = int(place * len(source))
        changed = source[:start] + new + source[start + length :]
        parsed = parse(format, changed, trees)
        if trees.settled:
            assert shape(parsed) == shape(parse(format, changed))
        assert parse(format, changed, trees).root == parsed.root  # asked twice, parsed once
    assert shape(parse(format, source, trees)) == shape(parse(format, source))


@given(st.text(st.sampled_from("ab \né𝄞\ud800"), max_size=60))
@example("a" * 1023 + "é" + "b" * 4000 + "𝄞")
@example("\ud800" * 1200 + "é" * 1200)
def test_bytes_and_characters_of_a_text(text):
    parsed = parse("python", text)
    at = 0
    for index, character in enumerate(text):
        assert parsed.byte(index) == at
        assert parsed.offset(at) == index
        at += len(character.encode("utf-8", "replace"))
    assert parsed.byte(len(text)) == at == len(parsed.data)
    assert parsed.offset(at) == len(text)


def test_a_word_is_found_where_it_stands_by_itself():
    parsed = parse("python", "x = xx + x_x + éx + x1 + x\n# x")
    assert [parsed.offset(at) for at in parsed.places("x")] == [0, 25, 29]


@pytest.mark.parametrize("format", ["python", "typescript", "java", "go"])
def test_what_an_edit_costs_does_not_grow_with_the_file(monkeypatch, format):
    """Counted in nodes that are looked at, and in bytes that are parsed again."""
    other = {
        "python": "def tide{n}(ship):\n    return [ship, {n}]\n\n",
        "typescript": "function tide{n}(ship: string) {{ return [ship, {n}]; }}\n",
        "java": "class Tide{n} {{ int tide(int ship) {{ return ship + {n}; }} }}\n",
        "go": "func tide{n}(ship int) int {{ return ship + {n} }}\n",
    }[format]
    looked = []
    within = Parsed.within

    def counted(parsed, node, places):
        looked.append(node)
        return within(parsed, node, places)

    monkeypatch.setattr(Parsed, "within", counted)
    costs = []
    for count in (20, 400):
        source = CODE[format] + "".join(other.format(n=n) for n in range(count))
        document = Document(source, format, OPTIONS)
        before = document.requests
        at = source.index("gate" if format != "python" else "Every ship")
        document.edit(at, at, "x")
        looked.clear()
        assert len(document.requests) == len(before) > 0
        costs.append(len(looked))
        assert document.requests[-1].analyzed is not None
    assert costs[0] == costs[1] > 0


def test_only_the_first_parse_starts_from_nothing(monkeypatch):
    parser = grammar._parser("python")
    given_trees = []

    class Watched:
        def parse(self, *given):
            given_trees.append(len(given))
            return parser.parse(*given)

    monkeypatch.setattr(grammar, "_parser", lambda language: Watched())
    document = Document(PYTHON, "python", OPTIONS)
    assert document.requests
    for at in range(3):
        document.edit(at, at, "#" if not at else "x")
        assert document.requests
    assert given_trees == [1, 2, 2, 2]


def test_code_that_does_not_parse_is_read_from_scratch_last():
    document = Document(PYTHON, "python", replace(OPTIONS, exact_tokens=False))
    assert document.requests and not document.unsettled
    at = PYTHON.index("def two")
    document.edit(at, at, "x = (")
    assert not document.complete
    while not document.unsettled:
        assert list(document.refine()), "first everything is counted"
    assert not document.complete
    before = document.requests[0].analyzed
    assert list(document.refine()) == []
    assert document.complete and not document.unsettled
    assert document.requests[0].analyzed is before
