"""``replay`` and ``diff``: recorded calls, told step by step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .conftest import FILLER, Cli, body, program, put

USAGE = {"input_tokens": 9, "cache_creation_input_tokens": 2000, "output_tokens": 20}


def rows(*bodies: dict, times: bool = True, **beside) -> str:
    found = []
    for number, request in enumerate(bodies):
        row = {"request": request, **beside}
        if times:
            row["at"] = f"2026-11-21T10:0{number}:00Z"
        found.append(json.dumps(row))
    return "\n".join(found) + "\n"


def asked(question: str, **more) -> dict:
    return body(messages=[{"role": "user", "content": question}], **more)


def changed() -> dict:
    marked = {"type": "text", "text": f"Now: {FILLER}", "cache_control": {"type": "ephemeral"}}
    return asked("two", system=[marked])


def test_the_object_of_a_trace(cli: Cli) -> None:
    put("t.jsonl", rows(asked("one"), asked("two"), changed(), response={"usage": USAGE}))
    run = cli("replay", "t.jsonl", "--format", "json")
    assert run.status == 0, run.err
    assert list(run.json) == ["version", "steps", "summary"]
    first, second, third = run.json["steps"]
    assert first["at"] == "2026-11-21T10:00:00Z"
    assert (first["outcome"], first["reason"]) == ("miss", "first_request")
    assert set(first["predicted"]) == {"read", "write_5m", "write_1h", "input", "cost"}
    assert second["predicted"]["read"] == first["predicted"]["write_5m"]
    assert (second["outcome"], second["reason"], second["divergence"]) == ("hit", None, None)
    assert (third["outcome"], third["reason"]) == ("miss", "system_changed")
    assert third["divergence"]["pointer"] == "/system/0/text"
    assert third["divergence"]["kind"] == "text"
    assert third["divergence"]["after"].startswith("Now: Step 1")
    assert first["actual"]["output"] == 20
    # 9 plain tokens at $3, 2,000 written at $3.75 and 20 given at $15 a million.
    assert first["actual"]["cost"] == "0.007827"
    summary = run.json["summary"]
    assert (summary["steps"], summary["with_usage"]) == (3, 3)
    spent, plain = Decimal(summary["spent"]), Decimal(summary["without_cache"])
    assert Decimal(summary["saved"]) == plain - spent
    assert Decimal(summary["avoidable"]) > 0


def test_without_times_entries_are_taken_to_be_alive_and_that_is_said(cli: Cli) -> None:
    put("t.jsonl", rows(asked("one"), asked("two"), times=False))
    run = cli("replay", "t.jsonl")
    assert "Some calls carry no time: their entries are taken to be alive." in run.out
    assert cli("replay", "t.jsonl", "--format", "json").json["summary"]["assumes_alive"] is True
    put("t.jsonl", rows(asked("one"), asked("two")))
    assert "carry no time" not in cli("replay", "t.jsonl").out


def test_text_names_outcome_reason_and_the_place(cli: Cli) -> None:
    put("t.jsonl", rows(asked("one"), changed()))
    lines = cli("replay", "t.jsonl").out.splitlines()
    assert re.match(r" +0  miss +first_request +read +0  write +[\d,]+ ", lines[0])
    assert re.match(r" +1  miss +system_changed ", lines[1])
    assert lines[2].strip() == "text at /system/0/text character 0"
    assert lines[3].strip().startswith("- Step 1: weigh")
    assert lines[4].strip().startswith("+ Now: Step 1")


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_of_requests_in_a_file_and_on_standard_input(cli: Cli, indent) -> None:
    text = json.dumps([asked("one"), asked("two")], indent=indent)
    put("t.json", text)
    expected = ["miss", "hit"]
    for run in (
        cli("replay", "t.json", "--format", "json"),
        cli("replay", "-", "--stdin-filename", "t.json", "--format", "json", stdin=text.encode()),
    ):
        assert [step["outcome"] for step in run.json["steps"]] == expected, run.err


def test_lines_on_standard_input_need_no_name(cli: Cli) -> None:
    run = cli("replay", "-", "--format", "json", stdin=rows(asked("é"), asked("two")).encode())
    assert [step["outcome"] for step in run.json["steps"]] == ["miss", "hit"]


def test_a_batch_of_another_provider(cli: Cli) -> None:
    lines = [
        {"custom_id": f"q{n}", "method": "POST", "url": "/v1/chat/completions", "body": {
            "model": "gpt-4.1", "messages": [
                {"role": "system", "content": FILLER}, {"role": "user", "content": f"q{n}"}]}}
        for n in range(2)
    ]  # fmt: skip
    put("b.jsonl", "\n".join(map(json.dumps, lines)))
    steps = cli("replay", "b.jsonl", "--format", "json").json["steps"]
    assert [step["best_effort"] for step in steps] == [True, True]
    assert steps[1]["predicted"]["read"] % 128 == 0 < steps[1]["predicted"]["read"]


def test_several_traces_in_one_object(cli: Cli) -> None:
    put("a.jsonl", rows(asked("one")))
    put("folder/b.jsonl", rows(asked("one"), asked("two")))
    put("folder/page.md", "# Nothing")
    run = cli("replay", "a.jsonl", "folder", "--format", "json")
    assert run.status == 0, run.err
    assert run.json["version"] == 1
    assert [trace["path"] for trace in run.json["traces"]] == [
        "a.jsonl",
        str(Path("folder", "b.jsonl")),
    ]
    assert [len(trace["steps"]) for trace in run.json["traces"]] == [1, 2]


def test_unreadable_lines_are_counted_and_named(cli: Cli) -> None:
    good = rows(asked("one"), asked("two")).splitlines()
    text = "\n".join([good[0], "gibberish", good[1][:-40], '{"a": 1}', "", good[1]])
    put("t.jsonl", text)
    run = cli("replay", "t.jsonl", "--format", "json")
    assert run.status == 0
    assert [step["outcome"] for step in run.json["steps"]] == ["miss", "hit"]
    unreadable = run.json["summary"]["unreadable"]
    assert unreadable["count"] == 3
    assert [item["line"] for item in unreadable["lines"]] == [2, 3, 4]
    assert [item["why"] for item in unreadable["lines"]] == [
        "it is not a JSON object",
        "its JSON is cut off or malformed",
        "no request of a known shape is in it",
    ]
    assert "3 lines could not be read, the first is line 2" in run.err
    assert "3 lines could not be read:" in cli("replay", "t.jsonl").out


def test_what_cannot_be_read_at_all(cli: Cli) -> None:
    assert cli("replay", "absent.jsonl").status == 2
    put("t.jsonl", b"\x00\x01\x02\x00")
    run = cli("replay", "t.jsonl")
    assert run.status == 2
    assert "not a text file" in run.err
    put("t.json", "[1, 2]")
    run = cli("replay", "t.json", "--format", "json")
    assert run.status == 2
    assert "no request of a known shape" in run.err
    assert run.json["steps"] == []


class Attributes(HTMLParser):
    """The names of all attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {name for name, _ in attrs}


HOSTILE = '</td><script>alert(1)</script><img src=x onerror="alert(2)">\x1b[31m\u202e'


def test_a_page_runs_nothing_and_needs_nothing(cli: Cli) -> None:
    marked = {"type": "text", "text": HOSTILE + FILLER, "cache_control": {"type": "ephemeral"}}
    put("t.jsonl", rows(asked("one"), asked("two", system=[marked], model=HOSTILE)))
    put("u.jsonl", rows(asked("one"), asked("two", system=[marked])))
    for name in ("t.jsonl", "u.jsonl"):
        page = cli("replay", name, "--format", "html").out
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert "<script" not in page
        assert "<img" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "default-src 'none'" in page
        reader = Attributes()
        reader.feed(page)
        assert reader.names <= {"lang", "charset", "content", "name", "class", "style", "role"} | {
            "http-equiv", "aria-label", "colspan", "scope",
        }  # fmt: skip
    assert "&lt;script&gt;alert(1)" in page
    assert "prefers-color-scheme: dark" in page


def test_a_page_holds_one_trace(cli: Cli) -> None:
    put("a.jsonl", rows(asked("one")))
    put("b.jsonl", rows(asked("one")))
    assert cli("replay", "a.jsonl", "b.jsonl", "--format", "html").status == 2


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(rows(*[asked("one")] * 9) * 30)
    command = f"{sys.executable} -m cachewise replay t.jsonl --format json | head -c 100"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_progress_shows_on_a_terminal_only(tmp_path: Path) -> None:
    import pty

    (tmp_path / "t.jsonl").write_text(rows(*[asked(f"q{n}") for n in range(9)]) * 60)
    assert program("replay", "t.jsonl", cwd=tmp_path).stderr == ""
    leader, follower = pty.openpty()
    slow = (
        "import sys, time; import cachewise.analysis.trace as t; made = t.make_call\n"
        "def late(*a): time.sleep(.01); return made(*a)\n"
        "t.make_call = late\n"
        "from cachewise.cli.main import main; sys.exit(main(['replay', 't.jsonl']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", slow],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=follower,
        env={**os.environ, "TERM": "xterm"},
        timeout=60,
        check=False,
    )
    os.close(follower)
    told = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert done.returncode == 0
    assert "Replaying" in told
    assert told.endswith("\r\x1b[K")


def test_diff_is_a_replay_of_two_steps(cli: Cli) -> None:
    put("a.json", asked("one"))
    put("b.json", changed())
    run = cli("diff", "a.json", "b.json", "--format", "json")
    assert run.status == 0, run.err
    assert list(run.json) == ["version", "steps", "summary"]
    assert [step["index"] for step in run.json["steps"]] == [0, 1]
    assert run.json["steps"][1]["reason"] == "system_changed"
    assert run.json["summary"]["steps"] == 2
    told = cli("diff", "a.json", "b.json").out.splitlines()[0]
    assert re.fullmatch(
        r"The second request reads 0 of [\d,]+ cached tokens \(system_changed\)\.", told
    )


def test_diff_of_a_marker_that_moves(cli: Cli) -> None:
    """The content is the same, so it is no difference: there is only no entry at that place."""
    put("a.json", asked("one"))
    put("b.json", asked("two"))
    told = cli("diff", "a.json", "b.json").out.splitlines()[0]
    found = re.fullmatch(r"The second request reads ([\d,]+) of ([\d,]+) cached tokens\.", told)
    assert found is not None
    assert found[1] == found[2]


def test_diff_of_two_requests_with_nothing_in_common(cli: Cli) -> None:
    put("a.json", asked("one"))
    words = {"type": "text", "text": "Rain. " * 3000, "cache_control": {"type": "ephemeral"}}
    put("b.json", asked("two", system=[words]))
    step = cli("diff", "a.json", "b.json", "--format", "json").json["steps"][1]
    assert (step["outcome"], step["reason"]) == ("miss", "system_changed")
    # In a recording such calls are strangers to each other.
    put("t.jsonl", rows(asked("one"), asked("two", system=[words])))
    step = cli("replay", "t.jsonl", "--format", "json").json["steps"][1]
    assert (step["outcome"], step["reason"]) == ("miss", "first_request")


def test_diff_of_what_caches_nothing_and_of_what_is_no_request(cli: Cli) -> None:
    put("a.json", body(system=None))
    put("b.json", asked("two"))
    assert cli("diff", "a.json", "b.json").out.startswith("Nothing of the first request is cached")
    put("c.json", "[]")
    for pair in (("a.json", "c.json"), ("c.json", "a.json"), ("a.json", "absent.json")):
        run = cli("diff", *pair)
        assert (run.status, run.out) == (2, "")
        assert run.err.startswith("cachewise: ")
