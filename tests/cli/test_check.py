"""``cachewise check``: output, exit status, choice of rules, repair."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from .conftest import BIDI, CONTROLS, FILLER, MARK, Cli, body, put, wrong_order


def test_nothing_to_report(cli: Cli) -> None:
    put("a.json", body())
    run = cli("check", "a.json")
    assert run.status == 0
    assert run.out.splitlines()[-1] == "nothing to report in 1 request of 1 file"
    assert "next call" in run.out
    assert run.err == ""


def test_a_finding_shows_its_source_line_with_an_underline(cli: Cli) -> None:
    put("a.json", wrong_order())
    run = cli("check", "a.json")
    assert run.status == 1
    lines = run.out.splitlines()
    assert lines[0].startswith("error[CW102] ttl-order: ")
    at = next(index for index, line in enumerate(lines) if '"ttl": "1h"' in line)
    assert lines[at - 1].strip().startswith("--> a.json:")
    assert lines[at + 1].index("^^^^") == lines[at].index('"1h"')
    assert lines[at + 1].count("^") == 4
    assert any("this earlier breakpoint" in line for line in lines)
    assert any(line.strip().startswith("= fix: ") for line in lines)
    assert any("cachewise explain ttl-order" in line for line in lines)
    assert lines[-1].startswith("1 error")


def test_the_underline_stands_under_wide_characters_and_tabs(cli: Cli) -> None:
    text = json.dumps(wrong_order()).replace('"1h"}}', '"1h"}\n}')
    put("a.json", text.replace('"cache_control"', '\n\t"字e\u0301": 1, "cache_control"'))
    lines = cli("check", "--select", "ttl-order", "a.json").out.splitlines()
    at = next(index for index, line in enumerate(lines) if "字e" in line and "1h" in line)
    # In cells of a terminal 字 takes two and the combining accent none.
    assert lines[at + 1].index("^") == lines[at].index('"1h"') + 1 - 1
    assert lines[at].index('"字') == lines[at].index("|") + 2 + len("    ")
    assert "\t" not in lines[at]


def test_json_has_exactly_the_documented_keys(cli: Cli) -> None:
    put("a.json", wrong_order())
    run = cli("check", "--format", "json", "a.json")
    assert run.status == 1
    report = run.json
    assert list(report) == ["version", "files", "summary"]
    assert report["version"] == 1
    assert list(run.file) == ["path", "format", "requests", "findings"]
    assert (run.file["path"], run.file["format"]) == ("a.json", "json")
    (request,) = run.file["requests"]
    assert list(request) == [
        "shape",
        "provider",
        "model",
        "range",
        "blocks",
        "tokens",
        "breakpoints",
        "cost",
    ]
    assert request["shape"] == "anthropic-messages"
    assert request["model"] == {
        "written": "claude-sonnet-4-6",
        "id": "claude-sonnet-4-6",
        "known": True,
    }
    assert list(request["tokens"]) == ["estimate", "low", "high", "method"]
    assert list(request["breakpoints"][0]) == [
        "pointer",
        "range",
        "ttl",
        "automatic",
        "block",
        "prefix_tokens",
        "minimum_tokens",
        "effective",
    ]
    assert [item["block"] for item in request["breakpoints"]] == [1, 2]
    assert [item["ttl"] for item in request["breakpoints"]] == ["5m", "1h"]
    finding = next(item for item in run.file["findings"] if item["rule"] == "ttl-order")
    assert list(finding) == [
        "code",
        "rule",
        "severity",
        "message",
        "pointer",
        "range",
        "related",
        "fixes",
        "url",
    ]
    assert (finding["code"], finding["severity"]) == ("CW102", "error")
    assert list(finding["related"][0]) == ["message", "pointer", "range"]
    assert report["summary"] == {
        "files": 1,
        "requests": 1,
        "errors": 1,
        "warnings": 0,
        "infos": len(run.file["findings"]) - 1,
    }


def test_costs_are_exact_decimal_strings(cli: Cli) -> None:
    put("a.json", body())
    (request,) = cli("check", "--format", "json", "a.json").file["requests"]
    total = request["tokens"]["estimate"]
    prefix = request["breakpoints"][0]["prefix_tokens"]["estimate"]
    # Sonnet 4.6: 3 USD input, 3.75 USD write, 0.30 USD read per million tokens.
    million = Decimal(1_000_000)
    cost = request["cost"]
    assert Decimal(cost["uncached"]) == total * Decimal(3) / million
    assert (
        Decimal(cost["first_call"]) == (prefix * Decimal("3.75") + (total - prefix) * 3) / million
    )
    assert Decimal(cost["next_call"]) == (prefix * Decimal("0.3") + (total - prefix) * 3) / million
    assert all("e" not in cost[key].lower() for key in ("uncached", "first_call", "next_call"))


def test_columns_are_utf16(cli: Cli) -> None:
    text = json.dumps(wrong_order()).replace('"max_tokens"', '"𝄞": 0, "max_tokens"')
    put("a.json", text)
    (finding,) = cli("check", "--select", "CW102", "--format", "json", "a.json").file["findings"]
    at = text.index('"1h"')
    assert finding["range"] == {
        "start": {"line": 0, "character": at + 1},
        "end": {"line": 0, "character": at + 5},
    }


@pytest.mark.parametrize(
    ("limit", "status"), [("error", 1), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_fail_on_with_an_error(cli: Cli, limit: str, status: int) -> None:
    put("a.json", wrong_order())
    assert cli("check", "--fail-on", limit, "a.json").status == status


@pytest.mark.parametrize(
    ("limit", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_fail_on_with_a_warning(cli: Cli, limit: str, status: int) -> None:
    put("a.json", body(system=[{"type": "text", "text": "Be brief.", "cache_control": MARK}]))
    run = cli("check", "--fail-on", limit, "--select", "CW201", "--format", "json", "a.json")
    assert run.rules() == ["prefix-below-minimum"]
    assert run.status == status


@pytest.mark.parametrize(
    ("limit", "status"), [("error", 0), ("warning", 0), ("info", 1), ("never", 0)]
)
def test_fail_on_with_an_info(cli: Cli, limit: str, status: int) -> None:
    put("a.json", body(model="claude-of-the-future-9"))
    run = cli("check", "--fail-on", limit, "--select", "CW402", "--format", "json", "a.json")
    assert run.rules() == ["unknown-model"]
    assert run.status == status


@pytest.mark.parametrize(
    "choice",
    [
        ("--select", "CW102"),
        ("--select", "ttl-order"),
        ("--select", "CW1"),
        ("--select", "CW402,CW102"),
        ("--select", "CW402", "CW102"),
        ("--select", "CW402", "--select", "cw102"),
        ("--ignore", "CW2,CW3,CW4"),
    ],
)
def test_rules_are_chosen_by_code_start_and_name(cli: Cli, choice: tuple[str, ...]) -> None:
    put("a.json", wrong_order())
    assert cli("check", *choice, "--format", "json", "a.json").rules() == ["ttl-order"]


def test_ignored_rules_are_silent(cli: Cli) -> None:
    put("a.json", wrong_order())
    run = cli("check", "--select", "CW102", "--ignore", "ttl-order", "a.json")
    assert run.status == 0


def test_a_file_with_a_rules_name_stays_a_file(cli: Cli) -> None:
    put("CW102", json.dumps(wrong_order()))
    run = cli("check", "--format", "json", "--select", "CW1", "CW102")
    assert run.file["path"] == "CW102"


def test_unknown_rule(cli: Cli) -> None:
    put("a.json", body())
    run = cli("check", "--select", "ttl-ordr", "a.json")
    assert run.status == 2
    assert "'ttl-ordr'" in run.err
    assert "ttl-order" in run.err


@pytest.mark.parametrize("key", ["comment", "member"])
def test_suppression(cli: Cli, key: str) -> None:
    request = wrong_order()
    if key == "member":
        request["$cachewise"] = {"ignore": ["ttl-order"]}
        put("a.json", request)
    else:
        text = json.dumps(request, indent=1)
        put("a.json", text.replace('"ttl": "1h"', '"ttl": "1h" // cachewise: ignore[ttl-order]'))
    assert cli("check", "--select", "CW102", "a.json").status == 0


def test_folder_holds_only_files_with_requests_or_findings(cli: Cli) -> None:
    put("box/b.json", body())
    put("box/a.jsonl", json.dumps(body()) + "\n" + json.dumps(body()) + "\n")
    put("box/package.json", {"name": "box", "version": "1.0.0"})
    put("box/notes.txt", json.dumps(body()))
    put("box/node_modules/x/c.json", body())
    put("box/.git/d.json", body())
    run = cli("check", "--format", "json", "box")
    assert [file["path"] for file in run.json["files"]] == ["box/a.jsonl", "box/b.json"]
    assert run.json["summary"]["requests"] == 3


def test_named_file_is_listed_and_read_whatever_its_name(cli: Cli) -> None:
    put("package.json", {"name": "box"})
    put("notes.txt", json.dumps(wrong_order()))
    run = cli("check", "--format", "json", "package.json", "notes.txt")
    files = run.json["files"]
    assert [file["path"] for file in files] == ["package.json", "notes.txt"]
    assert files[0]["requests"] == []
    assert len(files[1]["requests"]) == 1
    assert run.status == 1


def test_a_file_named_twice_is_read_once(cli: Cli) -> None:
    put("box/a.json", body())
    run = cli("check", "--format", "json", "box/a.json", "box", "box/a.json")
    assert [file["path"] for file in run.json["files"]] == ["box/a.json"]


def test_standard_input(cli: Cli) -> None:
    data = json.dumps(wrong_order()).encode()
    run = cli("check", "--format", "json", "--stdin-filename", "x.json", "-", stdin=data)
    assert run.status == 1
    assert run.file["path"] == "x.json"
    assert "ttl-order" in run.rules()


def test_standard_input_needs_a_name(cli: Cli) -> None:
    run = cli("check", "-", stdin=b"{}")
    assert run.status == 2
    assert "--stdin-filename" in run.err


def test_settings_file_is_used_and_problems_are_told(cli: Cli) -> None:
    put("cachewise.toml", 'ignore = ["ttl-order"]\nmodle = "x"\n')
    put("a.json", wrong_order())
    run = cli("check", "--select", "CW102", "a.json")
    assert run.status == 0
    assert "modle" in run.err
    assert "'model'" in run.err


def test_exclude_and_per_file_ignores(cli: Cli) -> None:
    put(
        "pyproject.toml",
        '[tool.cachewise]\nexclude = ["old/"]\n'
        '[tool.cachewise.per-file-ignores]\n"tests/**" = ["CW102"]\n',
    )
    for name in ("old/a.json", "tests/b.json", "c.json"):
        put(name, wrong_order())
    run = cli("check", "--select", "CW102", "--format", "json", ".")
    found = {file["path"]: len(file["findings"]) for file in run.json["files"]}
    assert found == {"c.json": 1, "tests/b.json": 0}
    named = cli("check", "--select", "CW102", "--format", "json", "old/a.json")
    assert len(named.file["findings"]) == 1, "a named file is always read"


def test_own_prices(cli: Cli) -> None:
    put("cachewise.toml", '[prices."claude-sonnet-4-6"]\ninput = "30"\n')
    put("a.json", body())
    (request,) = cli("check", "--format", "json", "a.json").file["requests"]
    assert Decimal(request["cost"]["uncached"]) == request["tokens"]["estimate"] * Decimal(
        "0.00003"
    )


def test_hostile_texts_reach_the_terminal_as_escapes(cli: Cli, tmp_path: Path) -> None:
    hostile = "".join(CONTROLS + BIDI) + "[bold red]x[/] \u2028 \ufeff"
    name = "a\x1b[31m.json"
    request = wrong_order()
    request["model"] = f"claude-\x1b]0;title\x07{hostile}"
    # A line break would end the key, and with NUL it would be no text.
    key = "".join(character for character in hostile if character not in "\r\0")
    text = json.dumps(request, ensure_ascii=False)
    put(name, text.replace('"ttl": "1h"', f'"{key}":1,"ttl": "1h"'))
    run = cli("check", name)
    assert run.status == 1
    for character in CONTROLS + BIDI:
        assert character not in run.out + run.err, f"U+{ord(character):04X} was printed"
    assert "[bold red]x[/]" in run.out
    diff = cli("check", "--diff", name)
    for character in CONTROLS + BIDI:
        if character not in "\t\r":
            assert character not in diff.out, f"U+{ord(character):04X} was printed"


def test_hostile_texts_are_no_markup_in_colour(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    request = body(model="[blink]:boom:\x1b[5m[/blink]")
    put("a.json", request)
    out = cli("check", "a.json").out
    assert "[blink]:boom:\\x1b[5m[/blink]" in out
    assert "\x1b[5m" not in out
    assert "\x1b[1m" in out, "colour was asked for"


def test_fix_changes_markers_only_and_keeps_the_rest(cli: Cli) -> None:
    before = wrong_order()
    path = put("a.json", "\ufeff" + json.dumps(before, indent=3).replace("\n", "\r\n"))
    path.chmod(0o640)
    run = cli("check", "--fix", "--select", "CW1", "a.json")
    assert run.status == 0
    assert "Repaired 1 finding in 1 file." in run.err
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert path.stat().st_mode & 0o777 == 0o640
    after = json.loads(data.decode("utf-8-sig"))
    assert after["system"][1].pop("cache_control")["ttl"] == "5m"
    before["system"][1].pop("cache_control")
    assert after == before
    assert [item.name for item in Path().iterdir()] == ["a.json"], "nothing is left beside it"
    again = cli("check", "--fix", "--select", "CW1", "a.json")
    assert "Repaired" not in again.err
    assert path.read_bytes() == data


def test_fix_prints_json_and_nothing_else(cli: Cli) -> None:
    put("a.json", wrong_order())
    run = cli("check", "--fix", "--select", "CW1", "--format", "json", "a.json")
    assert run.file["findings"] == []


def test_fix_of_utf16(cli: Cli) -> None:
    path = put("a.json", json.dumps(wrong_order()).encode("utf-16"))
    assert cli("check", "--fix", "--select", "CW1", "a.json").status == 0
    assert (
        json.loads(path.read_bytes().decode("utf-16"))["system"][1]["cache_control"]["ttl"] == "5m"
    )


def test_fix_follows_a_link_and_keeps_it(cli: Cli) -> None:
    put("real.json", wrong_order())
    Path("link.json").symlink_to("real.json")
    assert cli("check", "--fix", "--select", "CW1", "link.json").status == 0
    assert Path("link.json").is_symlink()
    assert cli("check", "--select", "CW1", "real.json").status == 0


def test_fix_never_loses_bytes(cli: Cli) -> None:
    data = json.dumps(wrong_order()).encode().replace(b"copper ring", b"copper \xff\xfe ring", 1)
    path = put("a.json", data)
    put("b.json", wrong_order())
    run = cli("check", "--fix", "--select", "CW1", "a.json", "b.json")
    assert run.status == 2
    assert "a.json: not rewritten" in run.err
    assert path.read_bytes() == data
    assert cli("check", "--select", "CW1", "b.json").status == 0


def test_fix_of_a_read_only_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put("a.json", wrong_order())
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: False)
    run = cli("check", "--fix", "--select", "CW1", "a.json")
    assert run.status == 2
    assert run.err == "cachewise: a.json: not written: permission denied.\n"
    assert path.read_bytes() == before


def test_fix_cannot_repair_standard_input(cli: Cli) -> None:
    run = cli("check", "--fix", "--stdin-filename", "a.json", "-", stdin=b"{}")
    assert run.status == 2


def test_diff_shows_what_fix_would_do_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    path = put("a.json", json.dumps(wrong_order(), indent=1).replace("\n", "\r\n"))
    before = path.read_bytes()
    run = cli("check", "--diff", "--select", "CW1", "a.json")
    assert run.status == 1
    assert path.read_bytes() == before
    assert "Would repair 1 finding in 1 file." in run.err
    put("change.patch", run.out)
    cli("check", "--fix", "--select", "CW1", "a.json")
    fixed = path.read_bytes()
    path.write_bytes(before)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "change.patch"], cwd=tmp_path, check=True)
    assert path.read_bytes() == fixed


def test_diff_is_no_json(cli: Cli) -> None:
    put("a.json", body())
    assert cli("check", "--diff", "--format", "json", "a.json").status == 2


def test_many_findings_end(cli: Cli) -> None:
    blocks = [
        {"type": "text", "text": f"{n} {FILLER[:200]}", "cache_control": MARK} for n in range(9)
    ]
    path = put("a.json", body(system=blocks))
    assert cli("check", "--select", "CW101", "a.json").status == 1
    cli("check", "--fix", "a.json")
    assert cli("check", "--format", "json", "--select", "CW1", "a.json").rules() == []
    kept = json.loads(path.read_text())["system"]
    assert [block["text"] for block in kept] == [block["text"] for block in blocks]
