"""Recorded requests: what the API accepted is not called an error."""

from __future__ import annotations

import json
from datetime import date

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings
from corpus import shared_folder


def test_no_error_on_a_body_that_was_answered_with_200() -> None:
    folder = shared_folder("corpus")
    options = Options(builtin(), Settings(), date(2026, 11, 21), exact_tokens=False)
    wrong: list[str] = []
    recognised = marked = 0
    for line in (folder / "INDEX.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if not entry["file"].startswith("requests/") or entry["status"] != 200:
            continue
        source = (folder / entry["file"]).read_text("utf-8")
        document = Document(source, "json", options)
        recognised += bool(document.found)
        marked += any(found.request.marks for found in document.found)
        wrong += [
            f"{entry['file']}: {one.finding.message}"
            for one in document.findings()
            if one.finding.severity == "error"
        ]
    assert wrong == []
    # Otherwise the test would be content with a reader that recognises nothing.
    assert recognised > 450
    assert marked > 290
