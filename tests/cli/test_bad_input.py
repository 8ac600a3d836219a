"""Input that is broken in every way: a sentence or a partial analysis, never a lost result."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from .conftest import FILLER, Cli, body, put, wrong_order

GOOD = json.dumps(wrong_order())


@pytest.mark.parametrize(
    ("name", "data", "requests"),
    [
        ("truncated", GOOD[: GOOD.index('"messages"') + 40].encode(), 1),
        ("empty", b"", 0),
        ("blank", b" \r\n\t", 0),
        ("bom", b"\xef\xbb\xbf" + GOOD.encode(), 1),
        ("utf-16", GOOD.encode("utf-16"), 1),
        ("utf-32", GOOD.encode("utf-32"), 1),
        ("not-utf-8", GOOD.encode().replace(b"brass", b"br\xe4ss", 1), 1),
        ("crlf", json.dumps(wrong_order(), indent=1).replace("\n", "\r\n").encode(), 1),
        ("lone-cr", json.dumps(wrong_order(), indent=1).replace("\n", "\r").encode(), 1),
        ("separators", GOOD.replace("brass", "\u2028\u2029\x85\u200b").encode(), 1),
        (
            "duplicate-keys",
            ('{"model": "x", "model": "claude-sonnet-4-6", ' + GOOD[1:]).encode(),
            1,
        ),
        ("nan", GOOD.replace(": 100", ": NaN").encode(), 1),
        ("infinity", GOOD.replace(": 100", ": -Infinity").encode(), 1),
        ("long-number", GOOD.replace(": 100", ": " + "9" * 5000).encode(), 1),
        ("brackets", b"[" * 100_000, 0),
        ("brackets-in-request", ('{"tools": ' + "[" * 100_000 + ', "messages": [').encode(), None),
        ("braces", b'{"messages":' * 100_000, None),
        ("escapes", GOOD.replace("brass", "\\ud800 \\u00 \\x \\").encode(), None),
        ("quote", b'{"messages": ["', None),
    ],
)
def test_broken_json_is_read_as_far_as_it_goes(
    cli: Cli, name: str, data: bytes, requests: int | None
) -> None:
    put(f"{name}.json", data)
    put("good.json", GOOD)
    for options in (("--format", "json"), (), ("--diff",)):
        run = cli("check", *options, f"{name}.json", "good.json")
        assert run.status in (0, 1), run.err
    run = cli("check", "--format", "json", f"{name}.json", "good.json")
    first, second = run.json["files"]
    assert len(second["requests"]) == 1, "no other file's results are lost"
    assert requests is None or len(first["requests"]) == requests


def test_the_last_of_duplicate_keys_counts(cli: Cli) -> None:
    put("a.json", '{"model": "x", "max_tokens": 1, "model": "claude-sonnet-4-6", "messages": []}')
    (request,) = cli("check", "--format", "json", "a.json").file["requests"]
    assert request["model"]["id"] == "claude-sonnet-4-6"


def test_a_byte_order_mark_counts_no_column(cli: Cli) -> None:
    put("plain.json", GOOD)
    put("marked.json", "\ufeff" + GOOD)
    run = cli("check", "--format", "json", "plain.json", "marked.json")
    plain, marked = run.json["files"]
    assert plain["findings"] == marked["findings"]
    assert plain["requests"] == marked["requests"]


def test_line_separators_are_no_line_breaks(cli: Cli) -> None:
    put("a.json", GOOD.replace("brass", "\u2028\x85\u2029\x0c", 1))
    finding = cli("check", "--select", "CW102", "--format", "json", "a.json").file["findings"][0]
    assert finding["range"]["start"]["line"] == 0


def test_ten_megabytes_in_one_line(cli: Cli) -> None:
    request = body(messages=[{"role": "user", "content": FILLER * 900}])
    path = put("a.json", json.dumps(request))
    assert path.stat().st_size > 10_000_000
    began = time.monotonic()
    run = cli("check", "a.json")
    assert run.status in (0, 1)
    assert max(map(len, run.out.splitlines())) < 2000, "a long line is cut to a window"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 40, b"\xff\xfa\xb4" * 999]
)
def test_binary_files(cli: Cli, data: bytes) -> None:
    put("box/picture.json", data)
    put("box/good.json", GOOD)
    named = cli("check", "--format", "json", "box/picture.json", "box/good.json")
    assert named.status == 2
    assert named.err == "cachewise: box/picture.json: this is no text file.\n"
    assert named.file["path"] == "box/good.json"
    folder = cli("check", "--format", "json", "box")
    assert (folder.status, folder.err) == (1, "")
    assert folder.file["path"] == "box/good.json"


def test_missing_file(cli: Cli) -> None:
    put("good.json", GOOD)
    run = cli("check", "--format", "json", "missing.json", "good.json")
    assert run.status == 2
    assert run.err == "cachewise: missing.json: there is no such file or folder.\n"
    assert run.file["path"] == "good.json"


@pytest.mark.parametrize("path", ["a\0b.json", "", "x" * 5000 + ".json"])
def test_impossible_paths(cli: Cli, path: str) -> None:
    run = cli("check", path)
    # An empty path is the current folder to the system, which holds no request here.
    assert run.status == (0 if path == "" else 2)


def test_unreadable_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    put("box/a.json", GOOD)
    put("box/b.json", GOOD)
    real = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "a.json":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # Not by the file's mode, which does not stop a test that runs as root.
    monkeypatch.setattr(Path, "read_bytes", refused)
    run = cli("check", "--format", "json", "box")
    assert run.status == 2
    assert run.err == "cachewise: box/a.json: permission denied.\n"
    assert run.file["path"] == "box/b.json"


def test_folder_as_json_name(cli: Cli) -> None:
    put("weird.json/a.json", GOOD)
    assert cli("check", "--format", "json", "weird.json").file["path"] == "weird.json/a.json"


def test_dangling_and_circular_links_in_a_folder(cli: Cli) -> None:
    put("box/a.json", GOOD)
    Path("box/gone.json").symlink_to("nowhere.json")
    Path("box/self.json").symlink_to("self.json")
    Path("box/up").symlink_to("..")
    run = cli("check", "--format", "json", "box")
    assert [file["path"] for file in run.json["files"]] == ["box/a.json"]


def test_a_pipe_in_a_folder_is_passed_over(cli: Cli) -> None:
    put("box/a.json", GOOD)
    os.mkfifo("box/pipe.json")
    assert cli("check", "--format", "json", "box").file["path"] == "box/a.json"


def test_one_broken_line_of_many(cli: Cli) -> None:
    lines = [GOOD, "{broken", "", '"text"', GOOD[:900], "[]", GOOD]
    put("a.jsonl", "\n".join(lines))
    run = cli("check", "--select", "CW102", "--format", "json", "a.jsonl")
    assert {finding["range"]["start"]["line"] for finding in run.file["findings"]} == {0, 6}


def test_a_fault_in_one_file_costs_no_other(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from cachewise.cli import check

    real = check.file_report

    def faulty(document, **options):
        if document.path == "a.json":
            raise ZeroDivisionError("a fault")
        return real(document, **options)

    monkeypatch.setattr(check, "file_report", faulty)
    put("a.json", GOOD)
    put("b.json", GOOD)
    run = cli("check", "--format", "json", "a.json", "b.json")
    assert run.status == 2
    assert "a.json: the analysis failed" in run.err
    assert run.file["path"] == "b.json"


@pytest.mark.parametrize("settings", ["[[[", "a = 'x'\n" * 3, "\xff", "traffic = 3\nselect = 'x'"])
def test_broken_settings_are_a_warning(cli: Cli, settings: str) -> None:
    Path("cachewise.toml").write_bytes(settings.encode("latin-1"))
    put("a.json", GOOD)
    run = cli("check", "--select", "CW102", "a.json")
    assert run.status == 1
    assert "cachewise.toml" in run.err
    assert "warning" in run.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("check",),
        ("chekc", "a.json"),
        ("check", "--format", "xml", "a.json"),
        ("check", "--no-such-option", "a.json"),
        ("check", "--fail-on", "sometimes", "a.json"),
        ("cost",),
        ("cost", "--calls", "0", "a.json"),
        ("cost", "--every", "soon", "a.json"),
        ("cost", "--usage", "u.json"),
        ("cost", "--usage", "u.json", "--model", "m", "a.json"),
        ("cost", "--batch", "a.json"),
        ("explain", "CW999"),
        ("models", "--provider", "nobody"),
        ("lsp", "--tcp", "here"),
    ],
)
def test_wrong_options_are_one_sentence(cli: Cli, arguments: tuple[str, ...]) -> None:
    put("a.json", GOOD)
    put("u.json", '{"usage": {"input_tokens": 1}}')
    run = cli(*arguments)
    assert run.status == 2
    assert run.out == ""
    assert run.err.startswith("cachewise: ")
    assert len(run.err.splitlines()) == 1
    assert FILLER not in run.err
