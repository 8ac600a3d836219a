"""Edit by edit equals from scratch: the document's analysis against reading the new text anew."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))
RULES = "Each ship is written down with its crew. " * 40


def body(number: int = 0) -> dict:
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "tools": [{"name": "tide", "description": RULES, "input_schema": {"type": "object"}}],
        "system": [
            {
                "type": "text",
                "text": f"{number} " + RULES * 4,
                "cache_control": {"type": "ephemeral"},
            }
        ],
        "messages": [
            {"role": "user", "content": "Where is the 𝄞 Argo? " + RULES * 3},
            {"role": "assistant", "content": [{"type": "text", "text": "At sea."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}}
                ],
            },
        ],
    }


SOURCES = {
    "json": json.dumps(body(), indent=2, ensure_ascii=False),
    "jsonc": "// a request\n" + json.dumps(body(), indent=1) + "\n// its end\n",
    "jsonl": "\n".join(json.dumps(body(number)) for number in range(3)),
}
PIECES = st.sampled_from(
    ['"', "x", "{", "}", "[", "]", ",", ":", "\n", " ", "\\", "// c\n", "/*", "*/", "1h", "é𝄞",
     '"cache_control": {"type": "ephemeral"}', '{"role": "user", "content": "more"},',
     ', "cache_control": {"type": "ephemeral", "ttl": "1h"}', '"ttl": "1h"', ""]
)  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES, st.booleans()), max_size=8)


def seen(document: Document) -> list:
    """Everything that a face would show, with document offsets."""
    told: list = []
    for located in document.requests:
        found = located.analyzed
        told.append(
            (
                located.base,
                located.end,
                found.resolution.id,
                [block.pointer for block in found.request.blocks],
                [found.request.block_span(index) for index in range(len(found.request.blocks))],
                [
                    (p.block, p.position, p.prefix.estimate, p.ttl, p.placed.start)
                    for p in found.plan.breakpoints
                ],
                found.plan.total,
                found.costs,
            )
        )
    told.append(
        [
            (item.start, item.end, item.finding.message, item.finding.fixes)
            for item in document.findings()
        ]
    )
    return told


@pytest.mark.parametrize("format", SOURCES)
@settings(max_examples=120, deadline=None)
@given(edits=EDITS)
def test_edits_equal_reading_from_scratch(format, edits):
    document = Document(SOURCES[format], format, OPTIONS)
    assert document.requests
    for place, length, piece, look in edits:
        size = len(document.text)
        start = int(place * size)
        end = min(size, start + length)
        document.edit(start, end, piece)
        if look:
            assert seen(document) == seen(Document(str(document.text), format, OPTIONS))
    assert seen(document) == seen(Document(str(document.text), format, OPTIONS))


def test_a_line_break_in_a_jsonl_line_begins_another_value():
    document = Document(SOURCES["jsonl"], "jsonl", OPTIONS)
    assert len(document.requests) == 3
    at = SOURCES["jsonl"].index('"messages"')
    document.edit(at, at, "\n")
    assert seen(document) == seen(Document(str(document.text), "jsonl", OPTIONS))


def test_typing_in_one_message_leaves_the_others_the_same_objects():
    document = Document(SOURCES["json"], "json", OPTIONS)
    before = document.requests[0].analyzed.request.blocks
    at = SOURCES["json"].index("And now")
    document.edit(at, at, "x")
    after = document.requests[0].analyzed.request.blocks
    assert [old is new for old, new in zip(before, after, strict=True)] == [True] * 4 + [False]


def test_a_new_message_leaves_the_others_the_same_objects():
    document = Document(SOURCES["json"], "json", OPTIONS)
    before = document.requests[0].analyzed.request.blocks
    at = SOURCES["json"].index('{\n      "role": "assistant"')
    document.edit(at, at, '{"role": "user", "content": "more"}, ')
    after = document.requests[0].analyzed.request.blocks
    assert [block for block in after if all(block is not old for old in before)] == [after[3]]
    assert len(after) == len(before) + 1
