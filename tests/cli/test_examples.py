"""The project's own examples, its documentation, and contract examples when they are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.corpus import shared_folder

from cachewise.analysis.reference import format_of

from .conftest import program

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

EXPECTED = {
    "automatic-caching.json": set(),
    "batch-grading.jsonl": set(),
    "coding-agent.json": {"lookback-growth"},
    "rag-documents.json": set(),
    "support-agent.json": set(),
    "ttl-order-mistake.json": {"ttl-order"},
    "uncached-chat.json": set(),
    "under-minimum.json": {"prefix-below-minimum"},
    "vertex-body.json": set(),
    "volatile-timestamp.json": {"volatile-content"},
}
"""The errors and warnings of each example."""


def test_examples_show_what_they_are_said_to_show() -> None:
    run = program("check", "--format", "json", ".", cwd=EXAMPLES)
    found = {
        file["path"]: {
            finding["rule"] for finding in file["findings"] if finding["severity"] != "info"
        }
        for file in json.loads(run.stdout)["files"]
    }
    assert found == EXPECTED
    assert all(
        request["cost"]["next_call"]
        for file in json.loads(run.stdout)["files"]
        for request in file["requests"]
    )


def test_every_example_is_described() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in EXPECTED:
        assert f"| `{name}` |" in text


def test_generated_documentation_is_up_to_date() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_docs.py", "--check"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Two commands", 1)[1].split("\n## ", 1)[0]
    blocks = section.split("```")[1::2]
    assert [block.partition("\n")[2].strip() for block in blocks] == ["./dev demo", "./dev test"]


def test_contract_examples_of_the_formats_that_are_read(tmp_path: Path) -> None:
    """The ``check`` examples hold for bodies that go to the Claude API, by its own reckoning."""
    script = shared_folder("spec", "examples", "check_examples.py")
    wrapper = tmp_path / "cachewise"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cachewise "$@"\n')
    wrapper.chmod(0o755)
    run = subprocess.run(
        [sys.executable, script, wrapper],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert "examples hold" in run.stdout, run.stderr
    failures = [line for line in run.stdout.splitlines() if line.startswith("check/")]
    unexpected = [line for line in failures if _is_required(script.parent, line)]
    if unexpected:
        pytest.fail("\n".join(unexpected))


def _is_required(folder: Path, line: str) -> bool:
    name = line.split(":", 1)[0].removeprefix("check/")
    if format_of(name) not in ("json", "jsonc", "jsonl"):
        return False
    text = (folder / "check" / name).read_text(encoding="utf-8", errors="replace")
    elsewhere = ("qwen", "bedrock", "inferenceConfig", "cachePoint", "gpt-", "gemini")
    return "claude-" in text and not any(word in text + name for word in elsewhere)
