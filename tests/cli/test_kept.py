"""What a command keeps for the next one: used when it is whole and of this very installation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from cachewise.cli.kept import LARGEST, KeptFiles, kept_files
from cachewise.tokens import claude
from cachewise.tokens.claude import ClaudeCounter, load_steps

from .conftest import program, wrong_order

FAMILIES = sorted(claude.FAMILY_VERSIONS)
TEXTS = [
    "The keeper reads.\n\n",
    "12,345 KB of É文𝄞",
    "it's getElementById(HTTP)",
    " a\tb",
    "\u200d€",
]


def load(family: str, kept: claude.Kept | None = None) -> ClaudeCounter:
    steps = load_steps(family, kept)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value


def counts(counter: ClaudeCounter) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for text in TEXTS:
        steps = counter.steps(text)
        while True:
            try:
                next(steps)
            except StopIteration as ended:
                found.append(ended.value)
                break
    return found


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Grows with each vocabulary that is read from the package's own document."""
    read: list[str] = []
    original = claude._read_vocabulary

    def watched(document, rules):
        read.append(rules.file)
        return original(document, rules)

    monkeypatch.setattr(claude, "_read_vocabulary", watched)
    yield read


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_kept_counts_as_the_package_does(family, tmp_path, reading):
    fresh = load(family)
    kept = KeptFiles(tmp_path / "new" / "folder")
    load(family, kept)
    assert len(reading) == 2
    again = load(family, kept)
    assert len(reading) == 2, "it was there, and was not used"
    assert again._vocabulary._pieces == fresh._vocabulary._pieces
    assert again._vocabulary._longest == fresh._vocabulary._longest
    assert again._vocabulary._byte_prefixes == fresh._vocabulary._byte_prefixes
    assert counts(again) == counts(fresh)


@pytest.mark.parametrize("harm", ["empty", "cut", "flipped", "foreign", "huge", "folder", "other"])
def test_what_is_spoilt_is_made_anew(harm, tmp_path, reading, monkeypatch):
    kept = KeptFiles(tmp_path)
    load("claude-v4.8", kept)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if harm == "folder":
        file.unlink()
        file.mkdir()
    elif harm == "other":
        monkeypatch.setattr(claude, "__version__", "0.0.0")
    else:
        middle = len(whole) // 2
        file.write_bytes(
            {
                "empty": b"",
                "cut": whole[:-1],
                "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                "foreign": b"{}\n" * 1000,
                "huge": b"x" * (LARGEST + 1),
            }[harm]
        )
    counter = load("claude-v4.8", kept)
    assert len(reading) == 2
    assert counts(counter) == counts(load("claude-v4.8"))
    if harm not in ("folder", "other"):
        assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "packed", [b"", b"a\x00b", b"a\x01b\x01c", b"a\x01b\x01\xff", b"a\x01\x01"]
)
def test_a_sealed_file_that_means_nothing_is_not_believed(packed, tmp_path, reading):
    class Sealed:
        def __init__(self) -> None:
            self.asked = 0

        def read(self, name: str) -> bytes:
            self.asked += 1
            document = claude.files("ctok").joinpath("data", "pieces_v4_7.json").read_bytes()
            return claude._seal(claude._origin(document), packed) + packed

        def write(self, name: str, data: bytes) -> None: ...

    kept = Sealed()
    counter = load("claude-v4.7", kept)
    assert kept.asked == 1 and len(reading) == 1
    assert counts(counter) == counts(load("claude-v4.7"))


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path):
    file = tmp_path / "a-file"
    file.write_text("")
    kept = KeptFiles(file / "below")
    kept.write("name", b"data")
    assert kept.read("name") is None
    assert counts(load("claude-v4.8", kept)) == counts(load("claude-v4.8"))


def test_without_a_home_nothing_is_kept():
    assert kept_files({}) is None


def test_a_check_keeps_its_vocabulary_and_writes_nothing_else(tmp_path, monkeypatch):
    folder, cache = tmp_path / "work", tmp_path / "cache"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(wrong_order()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    first = program("check", "a.json", cwd=folder)
    assert [file.name for file in folder.iterdir()] == ["a.json"]
    (kept,) = (cache / "cachewise").iterdir()
    assert kept.name.endswith(".vocabulary")
    if os.name == "posix":
        assert kept.stat().st_mode & 0o077 == 0
    second = program("check", "a.json", cwd=folder)
    assert (first.stdout, first.returncode) == (second.stdout, second.returncode)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "a.json"))
    third = program("check", "a.json", cwd=folder)
    assert (third.stdout, third.returncode) == (first.stdout, first.returncode)
    assert not third.stderr
