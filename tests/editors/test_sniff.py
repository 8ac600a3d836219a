"""The extension starts the server for all that the server reads: both look for the same words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cachewise.syntax.formats import SIGNS, format_of

CLIENT = Path(__file__).parents[2] / "client-vscode" / "src"
SNIFF = (CLIENT / "sniff.ts").read_text("utf-8")
LANGUAGES = (CLIENT / "languages.ts").read_text("utf-8")
SOURCE_LANGUAGES = (
    "typescript", "typescriptreact", "javascript", "javascriptreact", "java", "kotlin", "go",
    "csharp", "ruby", "php", "rust",
)  # fmt: skip


def words(code: str) -> set[str]:
    """The string literals in a piece of TypeScript."""
    found = re.findall(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'", code)
    return {json.loads(one) if one.startswith('"') else one[1:-1] for one in found}


def listed(name: str) -> set[str]:
    """The words of an array constant, with those of the arrays that are spread into it."""
    body = re.search(rf"const {name} = \[(.*?)\];\n", SNIFF, re.DOTALL)
    assert body is not None, name
    spread = re.findall(r"\.\.\.(\w+)", body[1])
    return words(body[1]).union(*(listed(one) for one in spread))


@pytest.mark.parametrize("language", SOURCE_LANGUAGES)
def test_the_words_are_the_same(language: str) -> None:
    table = SNIFF[SNIFF.index("const SIGNS") :]
    entry = re.search(rf"^  {language}: (\[.*?\]|\w+),$", table, re.MULTILINE | re.DOTALL)
    assert entry is not None
    own = words(entry[1]) if entry[1].startswith("[") else listed(entry[1])
    format = format_of("", language)
    assert format is not None
    assert own == set(SIGNS[format])


def test_the_server_reads_every_language_that_the_extension_wakes_for() -> None:
    body = re.search(r"LANGUAGES = \[(.*?)\];", LANGUAGES, re.DOTALL)
    assert body is not None
    # A dotprompt is known by its name.
    unread = {one for one in words(body[1]) if format_of("", one) is None}
    assert unread == {"dotprompt"} and format_of("a.prompt") == "dotprompt"
    assert set(SOURCE_LANGUAGES) <= words(body[1])
