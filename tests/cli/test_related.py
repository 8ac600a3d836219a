"""Findings between two requests of a file point at both."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import FILLER, Cli, body

SAID = [
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "a"},
    {"role": "user", "content": "two"},
]


def test_a_related_place_stands_in_the_earlier_line(cli: Cli) -> None:
    marked = {"type": "text", "text": f"Now: {FILLER}", "cache_control": {"type": "ephemeral"}}
    pair = [body(messages=SAID[:1]), body(messages=SAID, system=[marked])]
    Path("t.jsonl").write_text("\n".join(map(json.dumps, pair)))
    run = cli("check", "--select", "CW303", "--format", "json", "t.jsonl")
    (finding,) = run.file["findings"]
    assert finding["pointer"] == "/system/0/text"
    assert finding["range"]["start"]["line"] == 1
    (related,) = finding["related"]
    assert related["pointer"] == "/system/0/text"
    start = related["range"]["start"]
    assert start["line"] == 0
    assert json.dumps(pair[0])[start["character"] :].startswith(json.dumps(FILLER))
