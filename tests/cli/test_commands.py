"""The other commands: cost, count, explain, rules, models, and the program as a whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.corpus import shared_folder

from cachewise import __version__
from cachewise.analysis.reference import RULES

from .conftest import Cli, body, program, put


def golden() -> list[dict]:
    """The figures to the last decimal; the two of the Pride and Prejudice example always."""
    pride = {
        "G1": (
            {"input_tokens": 21, "cache_creation_input_tokens": 188086, "output_tokens": 393},
            {"claude-sonnet-4-5": "0.7112805", "claude-opus-4-1": "3.5564025"},
        ),
        "G2": (
            {"input_tokens": 21, "cache_read_input_tokens": 188086, "output_tokens": 393},
            {"claude-sonnet-4-5": "0.0623838", "claude-opus-4-1": "0.311919"},
        ),
    }
    return [{"id": id_, "usage": usage, "cost_usd": cost} for id_, (usage, cost) in pride.items()]


def price(cli: Cli, usage: dict, model: str, *options: str) -> dict:
    put("usage.json", {"id": "msg_1", "type": "message", "usage": usage})
    run = cli("cost", "--usage", "usage.json", "--model", model, "--format", "json", *options)
    assert run.status == 0, run.err
    return run.json


@pytest.mark.parametrize("entry", golden(), ids=lambda entry: entry["id"])
def test_pride_and_prejudice_to_the_last_decimal(cli: Cli, entry: dict) -> None:
    for model, cost in entry["cost_usd"].items():
        assert price(cli, entry["usage"], model)["cost"] == cost


def test_golden_figures(cli: Cli) -> None:
    entries = json.loads(shared_folder("facts", "golden.json").read_text(encoding="utf-8"))
    checked = 0
    for entry in entries:
        for key in ("cost_usd", "token_cost_usd"):
            for model, cost in entry.get(key, {}).items():
                assert price(cli, entry["usage"], model)["cost"] == cost, (entry["id"], model)
                checked += 1
        for model, cost in entry.get("uncached_usd", {}).items():
            usage = {
                "input_tokens": sum(
                    value for name, value in entry["usage"].items() if name.endswith("input_tokens")
                ),
                "output_tokens": entry["usage"]["output_tokens"],
            }
            assert price(cli, usage, model)["cost"] == cost, (entry["id"], model)
            checked += 1
    assert checked > 20


def test_usage_json_has_exactly_the_documented_keys(cli: Cli) -> None:
    usage = {"input_tokens": 21, "cache_creation_input_tokens": 188086, "output_tokens": 393}
    assert price(cli, usage, "claude-sonnet-4-5") == {
        "version": 1,
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        "currency": "USD",
        "cost": "0.7112805",
        "parts": {
            "input": "0.000063",
            "write_5m": "0.7053225",
            "write_1h": "0",
            "read": "0",
            "output": "0.005895",
            "other": "0",
        },
    }


def test_usage_modifiers(cli: Cli) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 10}
    full = Decimal(price(cli, usage, "claude-sonnet-4-5")["cost"])
    assert Decimal(price(cli, usage, "claude-sonnet-4-5", "--batch")["cost"]) == full / 2
    named = {**usage, "service_tier": "batch"}
    assert Decimal(price(cli, named, "claude-sonnet-4-5")["cost"]) == full / 2
    searched = {**usage, "server_tool_use": {"web_search_requests": 3}}
    report = price(cli, searched, "claude-sonnet-4-5")
    assert report["parts"]["other"] == "0.03"
    assert Decimal(report["cost"]) == full + Decimal("0.03")


def test_usage_as_text_and_from_standard_input(cli: Cli) -> None:
    run = cli(
        "cost", "--usage", "-", "--model", "claude-sonnet-4-5", stdin=b'{"input_tokens": 1000000}'
    )
    assert run.status == 0
    assert run.out.startswith("$3  claude-sonnet-4-5 (anthropic)")


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [
        ("{}", "claude-sonnet-4-5", "no usage object"),
        ("[1]", "claude-sonnet-4-5", "is wanted"),
        ("{", "claude-sonnet-4-5", "no JSON"),
        ("[" * 100_000, "claude-sonnet-4-5", "no JSON"),
        ('{"input_tokens": -1}', "claude-sonnet-4-5", "whole number of tokens"),
        ('{"input_tokens": 1}', "claude-sonet-4-5", "claude-sonnet-4-5"),
        ('{"input_tokens": 1e999}', "claude-sonnet-4-5", "whole number of tokens"),
    ],
)
def test_usage_that_cannot_be_priced(cli: Cli, text: str, model: str, says: str) -> None:
    put("usage.json", text)
    run = cli("cost", "--usage", "usage.json", "--model", model)
    assert run.status == 2
    assert says in run.err
    assert len(run.err.splitlines()) == 1


def test_cost_of_a_run_per_lifetime(cli: Cli) -> None:
    put("a.json", body())
    run = cli(
        "cost", "--calls", "20", "--every", "2m", "--output-tokens", "500", "--format", "json",
        "a.json",
    )  # fmt: skip
    (request,) = run.file["requests"]
    single = {key: Decimal(request["cost"][key]) for key in ("uncached", "first_call", "next_call")}
    answers = 20 * 500 * Decimal(15) / 1_000_000
    result = request["run"]
    assert (result["calls"], result["every_seconds"], result["output_tokens"]) == (20, 120, 500)
    assert Decimal(result["uncached"]) == 20 * single["uncached"] + answers
    short, long = result["choices"]
    assert (short["ttl"], short["writes"], short["reads"]) == ("5m", 1, 19)
    assert Decimal(short["cost"]) == single["first_call"] + 19 * single["next_call"] + answers
    assert long["ttl"] == "1h"
    assert Decimal(long["cost"]) > Decimal(short["cost"])
    assert result["best"] == "5m"
    assert request["pays_from_call"] == 2


@pytest.mark.parametrize(
    ("every", "short", "long", "best"),
    [
        ("299s", 1, 1, "5m"),
        ("300s", 10, 1, "1h"),
        ("3599s", 10, 1, "1h"),
        ("1h", 10, 10, "none"),
        ("1d", 10, 10, "none"),
    ],
)
def test_an_entry_is_dead_at_exactly_its_lifetime(
    cli: Cli, every: str, short: int, long: int, best: str
) -> None:
    put("a.json", body())
    run = cli("cost", "--calls", "10", "--every", every, "--format", "json", "a.json")
    result = run.file["requests"][0]["run"]
    assert [choice["writes"] for choice in result["choices"]] == [short, long]
    assert result["best"] == best


def test_cost_as_if_another_model_were_asked_for(cli: Cli) -> None:
    put("a.json", body())
    run = cli("cost", "--model", "claude-opus-4-5", "--format", "json", "a.json")
    (request,) = run.file["requests"]
    assert request["model"]["id"].startswith("claude-opus-4-5")
    expected = request["tokens"]["estimate"] * Decimal(5) / 1_000_000
    assert Decimal(request["cost"]["uncached"]) == expected


def test_cost_as_text(cli: Cli) -> None:
    put("a.json", body())
    put("b.json", {"name": "no request"})
    run = cli("cost", "--calls", "3", "--every", "10m", "a.json", "b.json")
    assert run.status == 0
    assert "caching pays from call 2 on" in run.out
    assert "3 calls, one every 10 min:" in run.out
    assert run.out.count("← cheapest") == 1
    assert cli("cost", "b.json").out == "No request in 1 file.\n"


def test_cost_of_an_unknown_model_is_not_guessed(cli: Cli) -> None:
    put("a.json", body(model="claude-of-the-future-9"))
    run = cli("cost", "--calls", "3", "--every", "10m", "--format", "json", "a.json")
    (request,) = run.file["requests"]
    assert request["cost"]["uncached"] is None
    assert request["run"]["best"] is None
    assert "no price known" in cli("cost", "a.json").out


def test_count(cli: Cli) -> None:
    put("a.json", body())
    run = cli("count", "--format", "json", "a.json")
    assert run.status == 0
    (request,) = run.file["requests"]
    assert list(request) == ["pointer", "exact", "tokens", "blocks", "error"]
    assert request["exact"] is False
    assert request["error"] is None
    system, message = request["blocks"]
    assert (system["pointer"], message["pointer"]) == ("/system/0", "/messages/0/content")
    prefix = message["prefix_tokens"]["estimate"]
    assert prefix == system["tokens"]["estimate"] + message["tokens"]["estimate"]
    text = cli("count", "a.json").out
    assert "/system/0" in text
    assert "◆ 5m" in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_explain(cli: Cli, rule) -> None:
    for name in (rule.code, rule.code.lower(), rule.name):
        run = cli("explain", name)
        assert run.status == 0
        assert run.out.startswith(f"# {rule.code} {rule.name} ({rule.severity})\n")
        assert rule.docs.strip() in run.out
    page = cli("explain", "--format", "json", rule.name).json
    assert page["docs"] == rule.docs


def test_rules(cli: Cli) -> None:
    listed = cli("rules", "--format", "json").json["rules"]
    assert [(rule["code"], rule["rule"]) for rule in listed] == [
        (rule.code, rule.name) for rule in RULES
    ]
    lines = cli("rules").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [rule.code, rule.name, rule.severity] for rule in RULES
    ]


def test_models(cli: Cli) -> None:
    report = cli("models", "--format", "json").json
    rows = {model["id"]: model for model in report["models"]}
    row = rows["claude-sonnet-4-6"]
    assert row["minimum_tokens"] == 1024
    assert row["prices"]["read"] == "0.3"
    assert row["sources"]["minimum"]["checked"] <= report["updated"]
    text = cli("models", "--provider", "anthropic").out
    assert "claude-sonnet-4-6 " in text
    assert "gpt" not in text


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version").out == f"cachewise {__version__}\n"
    assert "exit status" in cli("--help").out
    for command in ("check", "cost", "count", "explain", "rules", "models", "lsp"):
        assert cli(command, "--help").status == 0


def test_program_and_module_are_the_same(tmp_path: Path) -> None:
    put_here = tmp_path / "a.json"
    put_here.write_text(json.dumps(body()))
    run = program("check", "a.json", cwd=tmp_path)
    assert run.returncode == 0
    script = Path(sys.executable).with_name("cachewise")
    if script.exists():
        other = subprocess.run(
            [script, "check", "a.json"],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (other.returncode, other.stdout) == (run.returncode, run.stdout)


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    run = subprocess.run(
        f"'{sys.executable}' -m cachewise models --format json | head -c 10",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.stderr == ""
    assert len(run.stdout) == 10


@pytest.mark.skipif(os.name == "nt", reason="signals work differently there")
def test_interrupt(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    process = subprocess.Popen(
        [sys.executable, "-m", "cachewise", "check", "pipe.json"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    # Opening the other end waits until the program has begun to read.
    with (tmp_path / "pipe.json").open("w"):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
