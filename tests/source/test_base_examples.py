"""The TypeScript and Java examples of the provider's page, as they stand there."""

from __future__ import annotations

from datetime import date

import pytest

from cachewise.analysis import Document, Options
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.catalog import builtin
from cachewise.settings import Settings
from corpus import shared_folder

EXAMPLES = {
    "typescript": ("import Anthropic from", "\nJava\n"),
    "java": ("import java.util.List;", "\nJSON\n"),
}


@pytest.mark.parametrize("language", EXAMPLES)
def test_an_example_is_recognised_hinted_and_priced(language: str) -> None:
    page = shared_folder("base", "anthropic-prompt-caching.fr.txt").read_text("utf-8")
    first, last = EXAMPLES[language]
    source = page[page.index(first) : page.index(last, page.index(first))]
    document = Document(source, language, Options(builtin(), Settings(), date(2026, 11, 1)))
    (located,) = document.requests
    analyzed = located.analyzed
    assert analyzed.model is not None
    assert len(analyzed.request.blocks) == 3
    (point,) = analyzed.plan.breakpoints
    assert (point.block, point.ttl, point.at_least) == (1, "5m", True)
    (lens,) = lenses(document)
    assert lens.title.startswith("≥ ") and "first call ≥ $" in lens.title
    labels = [hint.label for hint in hints(document, 0, len(source)) if hint.kind == "breakpoint"]
    assert labels == [f"≥ {point.prefix.low} tok · 5m · cached from 1,024"]
    assert [
        one.finding.code for one in document.findings() if one.finding.severity == "error"
    ] == []
