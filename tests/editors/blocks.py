"""The configurations of docs/editors, as their readers copy them."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "editors"

PAGES = sorted(page.name for page in DOCS.glob("*.md"))


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page, in their order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
