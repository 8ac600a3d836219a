"""What docs/editors tells people to copy parses, and starts the server by its real name."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from .blocks import DOCS, PAGES, blocks

EDITORS = [page for page in PAGES if page not in ("README.md", "vscode.md")]


@pytest.mark.parametrize("page", PAGES)
def test_json_and_toml_blocks_parse(page: str) -> None:
    for block in blocks(page, "json"):
        assert isinstance(json.loads(block), dict)
    for block in blocks(page, "toml"):
        assert isinstance(tomllib.loads(block), dict)


@pytest.mark.parametrize("page", EDITORS)
def test_first_block_starts_the_server(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    first = re.search(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    words = re.findall(r"[\w-]+", first[1])
    at = words.index("lsp", words.index("cachewise"))
    assert words[at + 1] == "--stdio"


def test_every_page_is_linked_from_the_overview() -> None:
    linked = re.findall(r"\]\(([\w.]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert sorted(linked) == [page for page in PAGES if page != "README.md"]


def test_vs_code_settings_exist() -> None:
    manifest = json.loads((DOCS.parents[1] / "package.json").read_text(encoding="utf-8"))
    known = manifest["contributes"]["configuration"]["properties"]
    (settings,) = (json.loads(block) for block in blocks("vscode.md", "json"))
    assert set(settings) <= set(known)


def test_vs_code_settings_are_those_of_the_server() -> None:
    script = DOCS.parents[1] / "scripts" / "build_vsix_settings.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}run python {script.name}"
