"""Recorded requests: each is recognised as what it is, and none that was accepted is an error."""

import json
from collections import Counter
from datetime import date

import pytest

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings
from corpus import shared_folder

SHAPES = {
    "anthropic": {"anthropic-messages"},
    "bedrock": {"bedrock-converse", "anthropic-messages"},
    "gemini": {"gemini-generate-content"},
    "openai": {"openai-responses"},
    "openai-compatible": {"chat-completions"},
    "openrouter": {"chat-completions"},
    "other-chat": {"chat-completions"},
}
REFUSED_AS_NO_REQUEST = "anthropic_completion_error"
"""Its messages are strings: the API refused it for having no request's shape."""


@pytest.fixture(scope="module")
def recorded():
    folder = shared_folder("corpus")
    options = Options(builtin(), Settings(), date(2026, 11, 21), exact_tokens=False)
    entries = []
    for line in (folder / "INDEX.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        format = "jsonl" if entry["file"].endswith(".jsonl") else "json"
        source = (folder / entry["file"]).read_text("utf-8")
        entries.append((entry, source, Document(source, format, options, entry["file"])))
    return entries


def test_every_recorded_request_is_recognised(recorded, capsys):
    table = Counter()
    missed = []
    for entry, source, document in recorded:
        expected = 1 if document.format == "json" else len(source.splitlines())
        shapes = [found.request.shape for found in document.found]
        table.update((entry["provider"], shape) for shape in shapes)
        if len(shapes) != expected or not set(shapes) <= SHAPES[entry["provider"]]:
            missed.append(entry["file"])
    with capsys.disabled():
        print()
        for (provider, shape), count in sorted(table.items()):
            print(f"  {provider:18} {shape:24} {count:4}")
    assert [name for name in missed if REFUSED_AS_NO_REQUEST not in name] == []
    assert table["bedrock", "bedrock-converse"] > table["bedrock", "anthropic-messages"]


def test_nothing_that_was_accepted_is_called_an_error(recorded):
    errors = [
        (entry["file"], found.finding.code, found.finding.message)
        for entry, _, document in recorded
        if entry["status"] == 200
        for found in document.findings()
        if found.finding.severity == "error"
    ]
    assert errors == []


def test_spans_of_blocks_and_marks_are_exact(recorded):
    for _, source, document in recorded:
        for found in document.found:
            request = found.request
            for index, block in enumerate(request.blocks):
                start, end = request.block_span(index)
                assert source[found.base + start] in '{"'
                assert source[found.base + end - 1] in '}"'
                assert end - start == block.length
            for placed in request.marks:
                written = source[found.base + placed.start : found.base + placed.end]
                assert json.loads(written)["type"] in ("ephemeral", "default")
