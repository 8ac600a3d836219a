"""Comparing two requests: which earlier one, at which line, and the sentence about them."""

from __future__ import annotations

import json
from datetime import date

from cachewise.analysis import Document, Options
from cachewise.analysis.compare import compare, reading
from cachewise.catalog import builtin
from cachewise.settings import Settings

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))
RULES = "Every ship is written down with its crew and the hour at which it came in. " * 120


def body(question: str, rules: str = RULES) -> dict:
    marked = {"type": "text", "text": rules, "cache_control": {"type": "ephemeral"}}
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "system": [marked],
        "messages": [{"role": "user", "content": question}],
    }


def lines(*bodies: dict) -> Document:
    return Document("\n".join(map(json.dumps, bodies)), "jsonl", OPTIONS, "log/calls.jsonl")


def test_the_request_above_and_what_is_read_from_it():
    document = lines(body("one"), body("two"))
    found = compare(document, document.requests[1].base + 5)
    assert found is not None
    cached = document.steps[0].step.billed.write_5m
    assert found.sentence == f"reads {cached:,} of {cached:,} tokens from the request above"
    assert found.earlier.title == "calls.jsonl, request 1"
    assert json.loads(found.later.text) == body("two")


def test_it_opens_at_the_first_difference():
    document = lines(body("one"), body("one", RULES.replace("crew", "cargo")))
    found = compare(document, document.requests[1].base)
    assert found is not None
    assert '"text": "Every ship' in found.later.text.split("\n")[found.later.line]
    assert found.sentence.endswith("(system_changed)")


def test_another_document_can_be_the_earlier_one():
    first = Document(json.dumps(body("one")), "json", OPTIONS, "a.json")
    second = Document(json.dumps(body("two")), "json", OPTIONS, "b.json")
    found = compare(second, 0, (first, 0))
    assert found is not None
    assert (found.earlier.title, found.later.title) == ("a.json, request 1", "b.json, request 1")


def test_a_single_request_has_nothing_to_be_compared_with():
    document = Document(json.dumps(body("one")), "json", OPTIONS)
    assert compare(document, 3) is None
    assert compare(Document("[]", "json", OPTIONS), 0) is None


def test_a_first_request_reads_nothing():
    assert reading(lines(body("one"), body("two")).steps[0]) == (
        "no earlier request shares its prefix"
    )
