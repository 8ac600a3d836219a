"""``cachewise place``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .conftest import FILLER, MARK, Cli, body, put, wrong_order

PLAIN: dict[str, Any] = body(system=FILLER)
ANSWERED: list[dict[str, Any]] = [
    {"role": "user", "content": "Where does the copper ring lie?"},
    {"role": "assistant", "content": FILLER},
    {"role": "user", "content": "And the brass cog?"},
]


def test_it_says_where_why_and_what_that_saves(cli: Cli) -> None:
    put("a.json", PLAIN)
    run = cli("place", "a.json")
    assert run.status == 0
    assert run.err == ""
    first, second, *_ = run.out.splitlines()
    assert first == "a.json:1  claude-sonnet-4-6"
    assert second.startswith("    Breakpoints belong at block 1 (the end of the system prompt")
    assert "      + block 1 (/system) 5m  " in run.out
    assert "      no cache " in run.out
    assert "      best " in run.out
    assert "10 calls, one every 1 min, as nothing is declared" in run.out
    assert json.loads(Path("a.json").read_text()) == PLAIN


def test_json(cli: Cli) -> None:
    put("a.json", body(system=[{"type": "text", "text": FILLER}], messages=ANSWERED))
    run = cli("place", "--format", "json", "--calls", "20", "--every", "2m", "a.json")
    assert (run.status, run.err) == (0, "")
    assert run.json["version"] == 1
    assert (run.file["path"], run.file["format"]) == ("a.json", "json")
    (request,) = run.file["requests"]
    assert request["pointer"] == ""
    assert request["outcome"] == "change"
    assert request["traffic"] == {
        "calls": 20,
        "every": 120.0,
        "declared": True,
        "assumed": "conversation",
    }
    assert request["present"] == []
    assert [(point["pointer"], point["block"]) for point in request["best"]] == [
        ("/system/0", 1),
        ("/messages/2/content", 4),
    ]
    for point in request["best"]:
        assert point["ttl"] == "5m"
        assert set(point) == {"pointer", "ttl", "block", "prefix_tokens", "reason", "worth"}
        assert Decimal(point["worth"]) > 0
    cost = request["cost"]
    assert cost["currency"] == "USD"
    # Nothing is marked yet, so it costs now what it costs without a cache.
    assert cost["before"] == cost["uncached"]
    run_before, run_after = (Decimal(cost[when]["run"]) for when in ("before", "after"))
    assert run_after < run_before
    for costs in (cost["before"], cost["after"]):
        first, following = Decimal(costs["first_call"]), Decimal(costs["next_call"])
        assert Decimal(costs["run"]) == first + 19 * following


def test_write_changes_markers_and_a_second_run_nothing(cli: Cli) -> None:
    path = put("a.json", json.dumps(PLAIN, indent=2).replace("\n", "\r\n"))
    run = cli("place", "--write", "a.json")
    assert run.status == 0
    assert run.err == "Placed the breakpoints of 1 request in 1 file.\n"
    written = path.read_bytes()
    assert written.count(b"\r\n") == written.count(b"\n") > 5
    changed = json.loads(written)
    assert changed["system"] == [{"type": "text", "text": FILLER, "cache_control": MARK}]
    assert {**changed, "system": FILLER} == PLAIN
    again = cli("place", "--write", "a.json")
    assert again.err == ""
    assert "The present breakpoint is already the best." in again.out
    assert path.read_bytes() == written
    assert cli("check", "--fail-on", "info", "a.json").status == 0


def test_write_leaves_no_error(cli: Cli) -> None:
    put("order.json", wrong_order())
    five = [{"type": "text", "text": FILLER, "cache_control": MARK} for _ in range(6)]
    put("five.json", body(system=five))
    assert cli("check", "order.json", "five.json").status == 1
    run = cli("place", "--write", "order.json", "five.json")
    assert "with the present ones the API rejects the request" in run.out
    assert "Placed the breakpoints of 2 requests in 2 files." in run.err
    assert cli("check", "order.json", "five.json").status == 0


def test_diff_shows_it_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    path = put("a.json", PLAIN)
    before = path.read_bytes()
    run = cli("place", "--diff", "a.json")
    assert run.status == 0
    assert run.err == "Would place the breakpoints of 1 request in 1 file.\n"
    assert path.read_bytes() == before
    put("change.patch", run.out)
    subprocess.run(["patch", "-p1", "-i", "change.patch"], cwd=tmp_path, check=True)
    assert "cache_control" in path.read_text()
    assert cli("place", "--diff", "a.json").out == ""


def test_the_cadence_decides(cli: Cli) -> None:
    put("a.json", body())

    def ttls(*options: str) -> list[str]:
        (request,) = cli("place", "--format", "json", *options, "a.json").file["requests"]
        return [point["ttl"] for point in request["best"]]

    assert ttls() == ["5m"]
    assert ttls("--every", "299s") == ["5m"]
    assert ttls("--every", "5m") == ["1h"]
    assert ttls("--every", "1h") == []
    assert ttls("--calls", "1") == []
    put("cachewise.toml", '[traffic]\nevery = "10m"\ncalls = 20\n')
    assert ttls() == ["1h"]
    assert ttls("--every", "1m") == ["5m"]


PYTHON = """\
import anthropic
answer = anthropic.Anthropic().messages.create(
    model="claude-sonnet-4-6",
    max_tokens=9,
    system=RULES,
    messages=[{"role": "user", "content": question}],
)
"""
TYPESCRIPT = """\
import Anthropic from "@anthropic-ai/sdk";
const answer = await new Anthropic().messages.create({
  model: "claude-sonnet-4-6",
  max_tokens: 9,
  system: RULES,
  messages: [{ role: "user", content: question }],
});
"""
YAML = """\
model: claude-sonnet-4-6
max_tokens: 9
system:
  - type: text
    text: RULES
messages:
  - role: user
    content: Where?
"""


def test_the_other_formats(cli: Cli) -> None:
    for name, source in (("a.py", PYTHON), ("a.ts", TYPESCRIPT), ("a.yaml", YAML)):
        put(name, source.replace("RULES", json.dumps(FILLER)))
    other = {**PLAIN, "messages": [{"role": "user", "content": "And the brass cog?"}]}
    put("a.jsonl", f"{json.dumps(PLAIN)}\n{json.dumps(other)}\n")
    question = {"role": "user", "content": [{"text": "Where?"}]}
    bedrock = {"modelId": "us.anthropic.claude-sonnet-4-6", "system": [{"text": FILLER}]}
    put("bedrock.json", {**bedrock, "messages": [question]})
    system = {"role": "system", "content": FILLER}
    chat = [system, {"role": "user", "content": "Where?"}]
    put("qwen.json", {"model": "qwen3-coder-plus", "messages": chat})
    put("litellm.json", {"model": "anthropic/claude-sonnet-4-6", "messages": chat})
    names = ["a.yaml", "a.py", "a.ts", "a.jsonl", "bedrock.json", "qwen.json", "litellm.json"]
    run = cli("place", "--write", *names)
    assert run.err == "Placed the breakpoints of 8 requests in 7 files.\n"
    assert '"cachePoint": {"type": "default"}' in Path("bedrock.json").read_text()
    assert 'cache_control: { type: "ephemeral" }' in Path("a.ts").read_text()
    for name in names:
        again = cli("place", "--format", "json", name).file["requests"]
        assert {request["outcome"] for request in again} == {"best"}, name
    assert cli("check", *names).status == 0


def test_where_there_is_nothing_to_place(cli: Cli) -> None:
    put("gpt.json", {"model": "gpt-4.1", "messages": [{"role": "user", "content": FILLER}]})
    put("unknown.json", body(model="claude-of-next-year"))
    put("short.json", body(system="Be brief."))
    found = {}
    for name in ("gpt", "unknown", "short"):
        (request,) = cli("place", "--format", "json", f"{name}.json").file["requests"]
        found[name] = (request["outcome"], request["best"])
        assert cli("place", "--write", f"{name}.json").err == ""
    assert found == {"gpt": ("nothing", []), "unknown": ("unknown", None), "short": ("nothing", [])}


def test_a_folder_and_a_file_without_a_request(cli: Cli) -> None:
    put("prompts/a.json", PLAIN)
    put("prompts/b.json", {"name": "no request"})
    assert [file["path"] for file in cli("place", "--format", "json", "prompts").json["files"]] == [
        str(Path("prompts/a.json"))
    ]
    run = cli("place", "prompts/b.json")
    assert (run.status, run.out) == (0, "No request in 1 file.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.json"], "no such file"),
        (["--calls", "0", "a.json"], "at least 1"),
        (["--every", "soon", "a.json"], "--every"),
        (["--write", "--diff", "a.json"], "not allowed with"),
        (["--diff", "--format", "json", "a.json"], "--diff"),
        (["--write", "--stdin-filename", "a.json", "-"], "Standard input"),
    ],
)
def test_wrong_input(cli: Cli, arguments: list[str], told: str) -> None:
    put("a.json", PLAIN)
    run = cli("place", *arguments)
    assert run.status == 2
    assert told in run.err
    assert json.loads(Path("a.json").read_text()) == PLAIN


def test_standard_input(cli: Cli) -> None:
    run = cli(
        "place", "--diff", "--stdin-filename", "a.json", "-", stdin=json.dumps(PLAIN).encode()
    )
    assert run.status == 0
    assert '"cache_control": {"type": "ephemeral"}' in run.out


def test_bytes_are_never_lost(cli: Cli) -> None:
    data = json.dumps(PLAIN).encode().replace(b"copper ring", b"copper \xff\xfe ring", 1)
    path = put("a.json", data)
    run = cli("place", "--write", "a.json")
    assert run.status == 2
    assert "a.json: not rewritten" in run.err
    assert path.read_bytes() == data
