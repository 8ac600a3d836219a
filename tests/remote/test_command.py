"""``count --exact`` from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Cli, body, program, put

from .provider import KEY, Provider, Reply, StartProvider, refusal


def exact(cli: Cli, server: Provider, *more: str) -> Any:
    put("a.json", body())
    return cli("count", "--exact", "--format", "json", "--base-url", server.url, *more, "a.json")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def test_an_exact_count(cli: Cli, provider: StartProvider, key: None) -> None:
    server = provider()
    run = exact(cli, server)
    assert run.status == 0
    assert server.host in run.err, "it says to whom the request is sent"
    assert set(run.json) == {"version", "files"}
    (request,) = run.file["requests"]
    assert set(request) == {"pointer", "exact", "tokens", "blocks", "error"}
    assert request["exact"] is True
    assert request["error"] is None
    method = f"counted by {server.host}"
    assert request["tokens"] == {"estimate": 4321, "low": 4321, "high": 4321, "method": method}
    assert [block["pointer"] for block in request["blocks"]] == ["/system/0", "/messages/0/content"]
    assert "max_tokens" not in server.got[0].json


def test_as_text(cli: Cli, provider: StartProvider, key: None) -> None:
    server = provider()
    put("a.json", body())
    run = cli("count", "--exact", "--base-url", server.url, "a.json")
    assert f"a.json:1  4,321 tokens (counted by {server.host})" in run.out
    server = provider(refusal(400, "messages.0: \x1b[31mwrong"))
    put("a.json", body(system="new"))
    run = cli("count", "--exact", "--base-url", server.url, "a.json")
    assert run.status == 1
    assert "messages.0:" in run.out
    assert "\x1b" not in run.out + run.err


def test_without_exact_nothing_is_sent(cli: Cli, provider: StartProvider, key: None) -> None:
    server = provider()
    put("a.json", body())
    run = cli("count", "--base-url", server.url, "--format", "json", "a.json")
    assert (run.status, run.file["requests"][0]["exact"], server.got) == (0, False, [])


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, "messages.0.content: odd"),
        refusal(401, f"invalid key: {KEY}"),
        refusal(429, "later", retry_after="60"),
        refusal(500, f"trouble with {KEY}"),
        Reply(body=b"<html></html>"),
        Reply(body=b'{"input', promised=99),
        Reply(302, b"", {"location": "http://elsewhere.example/"}),
        Reply(body=b" " * 300_000),
        Reply(wait=30),
    ],
)
def test_bad_answers_give_the_offline_estimate(
    cli: Cli, provider: StartProvider, key: None, hurried: None, reply: Reply
) -> None:
    server = provider(reply)
    put("a.json", body())
    offline = cli("count", "--format", "json", "a.json").file["requests"][0]
    began = time.monotonic()
    run = exact(cli, server, "--timeout", "1.5")
    assert time.monotonic() - began < 3
    assert run.status == 1
    (request,) = run.file["requests"]
    assert request["exact"] is False
    assert request["tokens"] == offline["tokens"]
    assert request["blocks"] == offline["blocks"]
    assert server.host in request["error"]
    told, reason = run.err.splitlines()
    assert server.host in told
    assert reason == f"cachewise: {request['error']}"
    assert KEY not in run.out + run.err


def test_no_key(cli: Cli, provider: StartProvider) -> None:
    server = provider()
    run = exact(cli, server)
    assert run.status == 1
    assert run.err == "cachewise: ANTHROPIC_API_KEY is not set, so Anthropic cannot be asked.\n"
    assert run.file["requests"][0]["exact"] is False
    assert server.got == []


def test_the_variable_names_the_address(
    cli: Cli, provider: StartProvider, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = provider()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    put("a.json", body())
    assert cli("count", "--exact", "a.json").status == 0
    assert len(server.got) == 1


def test_a_project_cannot_have_the_key_sent_elsewhere(
    cli: Cli, provider: StartProvider, key: None
) -> None:
    server = provider()
    put("cachewise.toml", f'[remote.anthropic]\nbase-url = "{server.url}"\n')
    put("a.json", body())
    run = cli("count", "--exact", "--format", "json", "a.json")
    assert (run.status, server.got) == (1, [])
    assert "not trusted" in run.file["requests"][0]["error"]
    run = cli("count", "--exact", "--trust-settings", "--format", "json", "a.json")
    assert (run.status, len(server.got)) == (0, 1)


def test_a_key_in_a_settings_file_is_no_setting(cli: Cli, provider: StartProvider) -> None:
    put("cachewise.toml", f'[remote.anthropic]\napi-key = "{KEY}"\n')
    run = exact(cli, provider())
    assert "remote.anthropic.api-key is no setting" in run.err
    assert "ANTHROPIC_API_KEY is not set" in run.err
    assert KEY not in run.out + run.err


def test_what_cannot_be_sent_whole(cli: Cli, provider: StartProvider, key: None) -> None:
    server = provider()
    put("half.json", json.dumps(body())[:-1])
    put("openai.json", {"model": "gpt-5.6", "messages": [{"role": "user", "content": "x"}]})
    run = cli(
        "count", "--exact", "--format", "json", "--base-url", server.url, "half.json", "openai.json"
    )
    assert (run.status, server.got) == (1, [])
    half, openai = (file["requests"][0]["error"] for file in run.json["files"])
    assert "known only when it is sent" in half
    assert "not offered" in openai
    assert len(run.err.splitlines()) == 1


def test_requests_of_a_file_of_lines(cli: Cli, provider: StartProvider, key: None) -> None:
    server = provider(Reply(body={"input_tokens": 5}))
    lines = "\n".join(
        json.dumps({"custom_id": f"{n}", "params": body(system=f"{n}")}) for n in "ab"
    )
    put("a.jsonl", lines)
    run = cli("count", "--exact", "--format", "json", "--base-url", server.url, "a.jsonl")
    assert run.status == 0
    assert [request["tokens"]["estimate"] for request in run.file["requests"]] == [5, 5]
    assert {got.json["system"] for got in server.got} == {"a", "b"}
    again = cli("count", "--exact", "--format", "json", "--base-url", server.url, "a.jsonl")
    assert again.json == run.json
    assert len(server.got) == 2


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf", "3601"])
def test_times_that_are_none(cli: Cli, seconds: str) -> None:
    run = cli("count", "--exact", "--timeout", seconds, "a.json")
    assert run.status == 2
    assert "seconds" in run.err


def test_a_hanging_provider_does_not_hold_the_program(
    provider: StartProvider, key: None, tmp_path: Path
) -> None:
    server = provider(Reply(wait=60))
    (tmp_path / "a.json").write_text(json.dumps(body()))
    began = time.monotonic()
    run = program(
        "count", "--exact", "--timeout", "1", "--base-url", server.url, "a.json", cwd=tmp_path
    )
    assert time.monotonic() - began < 8
    assert run.returncode == 1
    assert "did not answer within 1 s" in run.stderr


def test_the_key_is_nowhere(
    provider: StartProvider, key: None, clean: Path, tmp_path: Path
) -> None:
    """Not in the output, not in a log at its loudest, not in a file, not in the arguments sent."""
    server = provider(refusal(500, KEY), refusal(401, f"bad key {KEY}"))
    (tmp_path / "a.json").write_text(json.dumps(body()))
    code = (
        "import logging, sys\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "from cachewise.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    for format in ("text", "json"):
        arguments = ["count", "--exact", "--format", format, "--base-url", server.url, "a.json"]
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            capture_output=True,
            env={**os.environ, "CACHEWISE_DEBUG": "1"},
            timeout=60,
            check=False,
        )
        assert run.returncode == 1
        assert KEY.encode() not in run.stdout + run.stderr
    for file in [*clean.rglob("*"), *tmp_path.rglob("*")]:
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    assert all(KEY not in got.path and KEY.encode() not in got.body for got in server.got)
