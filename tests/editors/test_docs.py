"""What docs/editors tells people to copy parses, and starts the server by its real name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cachewise.lsp.compare import COMMAND as COMPARE
from cachewise.lsp.exact import COMMAND as COUNT_EXACTLY
from cachewise.settings import settings_keys
from cachewise.syntax.formats import format_of

from .blocks import DOCS, PAGES, blocks
from .emacs import Emacs
from .neovim import Neovim, path

EDITORS = [page for page in PAGES if page not in ("README.md", "vscode.md")]


@pytest.mark.parametrize("page", PAGES)
def test_json_and_toml_blocks_parse(page: str) -> None:
    for block in blocks(page, "json"):
        assert isinstance(json.loads(block), dict)
    for block in blocks(page, "toml"):
        assert isinstance(tomllib.loads(block), dict)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_pages_name_exists(page: str) -> None:
    """Settings, commands of the server and of the program, links between pages."""
    text = (DOCS / page).read_text(encoding="utf-8")
    settings = {key.editor for key in settings_keys()}
    for value in values_of("cachewise", page):
        assert flat(value) <= settings, value
    for name in re.findall(r'"cachewise\.([\w.]+)":', text):
        assert name in {*settings, "interpreter"}, name
    manifest = json.loads((DOCS.parents[1] / "package.json").read_text(encoding="utf-8"))
    commands = {command["command"] for command in manifest["contributes"]["commands"]}
    server = {COUNT_EXACTLY, COMPARE}
    for name in re.findall(r'"(cachewise\.\w+)"(?!:)', text):
        assert name in {*commands, *server, "cachewise.toml"}, name
    for name in re.findall(r"`cachewise ([a-z]+)", text):
        assert (DOCS.parents[1] / "server" / "cachewise" / "cli" / f"{name}.py").is_file(), name
    for link in re.findall(r"\]\(([^)#:]+\.md)(?:#[\w-]+)?\)", text):
        assert (DOCS / link).is_file(), link


def values_of(name: str, page: str) -> list[dict[str, Any]]:
    """What stands under a name in the JSON and TOML blocks of a page, wherever it is."""
    found: list[dict[str, Any]] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            inner = value.get(name)
            if isinstance(inner, dict) and not {"command", "enabled"} & set(inner):
                found.append(inner)
            for part in value.values():
                look(part)

    for block in blocks(page, "json"):
        look(json.loads(block))
    for block in blocks(page, "toml"):
        look(tomllib.loads(block).get("language-server", {}).get("cachewise", {}).get("config", {}))
    return found


def flat(value: dict[str, Any], before: str = "") -> set[str]:
    """The dotted names of the settings in nested tables."""
    return {
        name
        for key, inner in value.items()
        for name in (
            flat(inner, f"{before}{key}.") if isinstance(inner, dict) else {f"{before}{key}"}
        )
    }


def test_the_pages_show_settings_at_all() -> None:
    """What is looked for above is there: a page that is written otherwise would pass unseen."""
    assert {page for page in PAGES if values_of("cachewise", page)} == {
        "helix.md",
        "jetbrains.md",
        "kate.md",
    }


LANGUAGES = {
    "neovim.md": r"filetypes = \{(.*?)\},\n  root",
    "helix.md": r'language-id = ("\w+")',
    "jetbrains.md": r'"languageId": ("\w+")',
    "emacs.md": r':language-id ("\w+")',
}


@pytest.mark.parametrize("page", LANGUAGES)
def test_languages_are_known_by_their_names(page: str) -> None:
    text = "\n".join(blocks(page, LANGUAGE_OF[page]))
    found = re.findall(LANGUAGES[page], text, re.DOTALL)
    names = re.findall(r'"([\w-]+)"', " ".join(found))
    # A dotprompt is known by the name of its file.
    unknown = {name for name in names if format_of("", name) is None} - {"dotprompt"}
    assert names and not unknown


LANGUAGE_OF = {
    "neovim.md": "lua",
    "helix.md": "toml",
    "jetbrains.md": "json",
    "emacs.md": "elisp",
}


def test_lua_blocks_parse(tmp_path: Path) -> None:
    reason = Neovim.why_not()
    if reason is not None:
        pytest.skip(reason)
    binary = path()
    assert binary is not None
    found = [(page, block) for page in PAGES for block in blocks(page, "lua")]
    assert found
    for page, block in found:
        file = tmp_path / "block.lua"
        file.write_text(block, encoding="utf-8")
        check = tmp_path / "check.lua"
        check.write_text(f"assert(loadfile({json.dumps(str(file))}))", encoding="utf-8")
        done = subprocess.run([binary, "--clean", "-l", check], capture_output=True, text=True)
        assert done.returncode == 0, f"{page}: {done.stderr}"


def test_elisp_blocks_compile(tmp_path: Path) -> None:
    reason = Emacs.why_not()
    if reason is not None:
        pytest.skip(reason)
    # The compiler knows more than the reader: names that do not exist, arguments that do not fit.
    strict = "(progn (require 'eglot) (setq byte-compile-error-on-warn t))"
    for page in PAGES:
        found = blocks(page, "elisp")
        if found:
            file = tmp_path / "blocks.el"
            code = "\n".join((";;; -*- lexical-binding: t -*-", *found))
            file.write_text(code, encoding="utf-8")
            command = ["emacs", "--batch", "-Q", "--eval", strict, "-f", "batch-byte-compile", file]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{page}: {done.stderr}"


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
