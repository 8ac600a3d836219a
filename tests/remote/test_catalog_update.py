"""``catalog update`` from the outside: fetched, shown, kept, used; and what cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cachewise.cli import catalog as command
from cachewise.cli import work
from cachewise.remote.prices import DEFAULT_URL
from cli.conftest import Cli, body, put

from .provider import Reply, StartProvider, refusal, unused_port

PRICES = {
    "input_mtok": 3,
    "cache_write_mtok": 3.75,
    "cache_write_1h_mtok": 6,
    "cache_read_mtok": 0.15,
    "output_mtok": 15,
}


def price_list(**changes: Any) -> list[Any]:
    entry = {
        "id": "claude-opus-5-5",
        "match": {"equals": "claude-opus-5-5"},
        "prices": {**PRICES, **changes},
    }
    return [{"id": "anthropic", "models": [entry]}]


@pytest.fixture(autouse=True)
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day after the packaged catalog, whenever the test runs."""
    day = command.builtin().updated.replace(year=2099)
    monkeypatch.setattr(command, "today", lambda: day)
    monkeypatch.setattr(work, "today", lambda: day)


def input_price(cli: Cli) -> str:
    models = cli("models", "--format", "json").json["models"]
    return next(model["prices"]["input"] for model in models if model["id"] == "claude-opus-5-5")


def test_newer_prices_are_fetched_shown_and_used(
    cli: Cli, provider: StartProvider, clean: Path
) -> None:
    server = provider(Reply(body=price_list()))
    put("a.json", body(model="claude-opus-5-5"))
    before = cli("cost", "--format", "json", "a.json").file["requests"][0]["cost"]["uncached"]
    assert input_price(cli) == "4"
    run = cli("catalog", "update", "--from", f"{server.url}/data.json")
    assert run.status == 0
    assert "claude-opus-5-5  prices.input  4 → 3" in run.out
    assert server.host in run.err
    assert input_price(cli) == "3"
    after = cli("cost", "--format", "json", "a.json").file["requests"][0]["cost"]["uncached"]
    assert float(after) == pytest.approx(float(before) * 3 / 4)
    shown = cli("models", "--provider", "anthropic").out
    assert "2099-" in shown
    assert server.host in shown, "models says where the prices come from"
    (kept,) = [path for path in clean.rglob("*") if path.is_file()]
    assert kept.name == "prices.json"
    assert "authorization" not in server.got[0].headers


def test_diff_changes_nothing(cli: Cli, clean: Path) -> None:
    put("list.json", price_list())
    run = cli("catalog", "update", "--diff", "--from", "list.json", "--format", "json")
    assert run.status == 0
    assert {
        "model": "claude-opus-5-5",
        "field": "prices.input",
        "packaged": "4",
        "newer": "3",
    } in run.json["changes"]
    assert run.json["file"] is None
    assert list(clean.rglob("*.json")) == []
    assert input_price(cli) == "4"


def test_prices_that_are_the_packaged_ones(cli: Cli) -> None:
    same = price_list(
        input_mtok=4,
        cache_write_mtok=5,
        cache_write_1h_mtok=8,
        cache_read_mtok=0.2,
        output_mtok=20,
    )
    put("list.json", same)
    run = cli("catalog", "update", "--from", "list.json")
    assert (run.status, run.err) == (0, "")
    assert "0 differences" in run.out


@pytest.mark.parametrize(
    "reply",
    [
        refusal(404, "gone"),
        refusal(500, "trouble"),
        Reply(body=b"<html>"),
        Reply(body=[]),
        Reply(body=price_list(input_mtok=-3)),
        Reply(body=price_list(input_mtok="3")),
        Reply(body=b"[", promised=100),
        Reply(wait=30),
    ],
)
def test_a_bad_list_changes_nothing(
    cli: Cli, provider: StartProvider, clean: Path, hurried: None, reply: Reply
) -> None:
    server = provider(reply)
    run = cli("catalog", "update", "--timeout", "1.5", "--from", server.url)
    assert run.status == 1
    assert run.out == ""
    assert server.host in run.err
    assert list(clean.rglob("*.json")) == []


def test_nobody_there(cli: Cli, hurried: None) -> None:
    run = cli("catalog", "update", "--from", f"http://127.0.0.1:{unused_port()}/x")
    assert run.status == 1
    assert "cannot be reached" in run.err
    for odd in ("ftp://host/x", "https://user:pw@host/"):
        run = cli("catalog", "update", "--from", odd)
        assert run.status == 1
        assert "The address" in run.err
    assert cli("catalog", "update", "--from", "missing.json").status == 2
    assert cli("catalog").status == 2


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 200_000, b"x" * 5_000_000])
def test_a_spoilt_file_is_passed_over_with_a_warning(cli: Cli, clean: Path, data: bytes) -> None:
    file = clean / "cachewise" / "prices.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    put("a.json", body())
    run = cli("check", "--format", "json", "a.json")
    assert run.status == 0
    assert str(file) in run.err
    assert run.err.count("warning") == 1
    assert input_price(cli) == "4"


def test_newer_prices_load_no_slow_library(cli: Cli, provider: StartProvider) -> None:
    put("list.json", price_list())
    assert cli("catalog", "update", "--from", "list.json").status == 0
    put("a.json", body(model="claude-opus-5-5"))
    code = (
        "import sys; from cachewise.cli.main import main; main(sys.argv[1:]);"
        "print('LOADED', *[m for m in ('pydantic', 'httpx', 'ssl', 'asyncio') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "cost", "--format", "json", "a.json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.rstrip().endswith("LOADED")
    assert json.loads(run.stdout.rpartition("LOADED")[0])["files"]


def test_the_published_address_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "remote.md"
    assert DEFAULT_URL in page.read_text(encoding="utf-8")
