"""Asking a provider: right and bad answers, retries, time, secrets, memory."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cachewise.remote.counting import (
    AT_ONCE,
    ExactCount,
    Outcome,
    RemoteProblem,
    count_many,
    count_soon,
    count_tokens,
)
from cachewise.remote.providers import ANTHROPIC_FIELDS, Access, Question, access_for
from cachewise.remote.remembered import FILE, KEPT, LARGEST, Remembered
from cachewise.remote.transfer import retry_after

from .provider import KEY, Provider, Reply, StartProvider, refusal, unused_port

TODAY = date(2026, 11, 22)
BODY = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 64,
    "stream": True,
    "metadata": {"user_id": "somebody"},
    "temperature": 0.5,
    "system": "You sort screws.",
    "messages": [{"role": "user", "content": "A prompt that nobody may see: Zanzibar"}],
    "tools": [],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "disabled"},
    "cache_control": {"type": "ephemeral"},
}


def question(**changes: Any) -> Question:
    return Question("anthropic", "anthropic-messages", "claude-sonnet-4-5", {**BODY, **changes})


def access(server: Provider | str, key: str = KEY) -> Access:
    url = server if isinstance(server, str) else server.url
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": key}, base_url=url)
    assert isinstance(found, Access)
    return found


def ask(server: Provider | str, timeout: float = 5, **more: Any) -> Outcome:
    return count_tokens(question(), access(server), timeout=timeout, **more)


def problem(outcome: Outcome) -> RemoteProblem:
    assert isinstance(outcome, RemoteProblem), outcome
    assert KEY not in repr(outcome)
    assert outcome.sentence.endswith(".")
    return outcome


# What is sent


def test_only_what_the_endpoint_accepts_is_sent(provider: StartProvider) -> None:
    server = provider()
    assert ask(server) == ExactCount(4321, server.host)
    (got,) = server.got
    assert got.path == "/v1/messages/count_tokens"
    assert got.headers["anthropic-version"] == "2023-06-01"
    assert got.headers["x-api-key"] == KEY
    assert "authorization" not in got.headers
    assert "anthropic-beta" not in got.headers
    assert set(got.json) == set(BODY) - {"max_tokens", "stream", "metadata", "temperature"}
    assert set(got.json) <= ANTHROPIC_FIELDS
    assert got.json["messages"] == BODY["messages"]


def test_betas_and_a_bearer_token(provider: StartProvider) -> None:
    server = provider()
    found = access_for("anthropic", {"ANTHROPIC_AUTH_TOKEN": KEY}, base_url=f"{server.url}/v1/")
    assert isinstance(found, Access)
    asked = Question("anthropic", "anthropic-messages", "m", BODY, ("one-1", "two-2"))
    assert isinstance(count_tokens(asked, found), ExactCount)
    (got,) = server.got
    assert got.path == "/v1/messages/count_tokens"
    assert got.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in got.headers
    assert got.headers["anthropic-beta"] == "one-1,two-2"
    assert got.json["model"] == "m"


def test_bedrock(provider: StartProvider) -> None:
    server = provider(Reply(body={"inputTokens": 77}))
    environment = {"AWS_BEARER_TOKEN_BEDROCK": KEY, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url}
    found = access_for("bedrock", environment)
    assert isinstance(found, Access)
    converse = {"messages": [{"role": "user", "content": [{"text": "x"}]}], "inferenceConfig": {}}
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    outcome = count_tokens(Question("bedrock", "bedrock-converse", model, converse), found)
    assert outcome == ExactCount(77, server.host)
    invoke = {"model": model, "messages": [], "max_tokens": 5}
    count_tokens(Question("bedrock", "anthropic-messages", model, invoke, ("b-1",)), found)
    first, second = server.got
    bare = "anthropic.claude-sonnet-4-5-20250929-v1%3A0"
    assert first.path == second.path == f"/model/{bare}/count-tokens"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.json == {"input": {"converse": {"messages": converse["messages"]}}}
    assert json.loads(base64.b64decode(second.json["input"]["invokeModel"]["body"])) == {
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["b-1"],
        "messages": [],
        "max_tokens": 5,
    }


def test_bedrock_needs_a_region() -> None:
    assert "AWS_REGION" in str(access_for("bedrock", {"AWS_BEARER_TOKEN_BEDROCK": KEY}))
    odd = {"AWS_BEARER_TOKEN_BEDROCK": KEY, "AWS_REGION": "evil.example/"}
    assert "AWS_REGION" in str(access_for("bedrock", odd))
    found = access_for("bedrock", {**odd, "AWS_REGION": "eu-central-1"})
    assert isinstance(found, Access)
    assert found.base_url == "https://bedrock-runtime.eu-central-1.amazonaws.com"


def test_gemini(provider: StartProvider) -> None:
    server = provider(Reply(body={"totalTokens": 9, "promptTokensDetails": []}))
    found = access_for("google", {"GEMINI_API_KEY": KEY}, base_url=server.url)
    assert isinstance(found, Access)
    body = {"model": "gemini-3.5-pro", "contents": [{"parts": [{"text": "x"}]}], "safety": []}
    asked = Question("google", "gemini-generate-content", "gemini-3.5-pro", body)
    assert count_tokens(asked, found) == ExactCount(9, server.host)
    (got,) = server.got
    assert got.path == "/v1beta/models/gemini-3.5-pro:countTokens"
    assert got.headers["x-goog-api-key"] == KEY
    sent = got.json["generateContentRequest"]
    assert sent == {"model": "models/gemini-3.5-pro", "contents": body["contents"]}


@pytest.mark.parametrize("platform", ["dashscope", "openai", "openrouter", "vertex", "unknown"])
def test_who_is_not_asked(platform: str) -> None:
    found = access_for(platform, {}, base_url="http://127.0.0.1:9")
    assert isinstance(found, str)
    assert "not offered" in found


def test_a_shape_that_is_not_counted(provider: StartProvider) -> None:
    server = provider()
    asked = Question("anthropic", "chat-completions", "claude-opus-5", {})
    found = problem(count_tokens(asked, access(server)))
    assert (found.kind, server.got) == ("not-offered", [])
    odd = problem(count_tokens(question(system=float("inf")), access(server)))
    assert (odd.kind, server.got) == ("not-offered", [])


# Address and key


def test_the_order_of_addresses() -> None:
    environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://variable.example"}

    def host(environment: dict[str, str], **more: Any) -> str:
        found = access_for("anthropic", environment, **more)
        assert isinstance(found, Access), found
        return found.host

    settings = {"settings_url": "https://settings.example", "trusts_settings": True}
    assert host(environment, base_url="https://option.example", **settings) == "option.example"
    assert host(environment, **settings) == "variable.example"
    del environment["ANTHROPIC_BASE_URL"]
    assert host(environment, **settings) == "settings.example"
    assert host(environment) == "api.anthropic.com"


def test_settings_that_are_not_trusted_name_no_address() -> None:
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": KEY}, settings_url="https://evil.example")
    assert isinstance(found, str)
    assert "evil.example" in found
    assert "not trusted" in found


@pytest.mark.parametrize(
    "url",
    [
        "api.anthropic.com",
        "ftp://host",
        "https://",
        "https://user:hunter2@host",
        "https://host/?a=b",
        "https://host/#x",
        "https://ho st",
        "https://host:99999",
        "https://höst.example",
        "https://[::1",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": KEY}, base_url=url)
    assert isinstance(found, str)
    assert "base URL" in found
    assert "hunter2" not in found


def test_no_key() -> None:
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": ""})
    assert found == "ANTHROPIC_API_KEY is not set, so Anthropic cannot be asked."


@pytest.mark.parametrize("key", [f"{KEY}\nx: y", f"{KEY} {KEY}", "ключ", " "])
def test_a_key_that_cannot_be_one_is_not_told(key: str) -> None:
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": key})
    assert found == "What ANTHROPIC_API_KEY holds cannot be a key."


def test_the_editors_key_goes_first(provider: StartProvider) -> None:
    server = provider()
    found = access_for("anthropic", {"ANTHROPIC_API_KEY": "x"}, base_url=server.url, key=KEY)
    assert isinstance(found, Access)
    count_tokens(question(), found)
    assert server.got[0].headers["x-api-key"] == KEY
    assert KEY not in repr(found)
    assert KEY not in str(found)


# Answers


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (refusal(400, "messages.0: too odd"), "invalid", "messages.0: too odd"),
        (refusal(401, f"invalid x-api-key {KEY}"), "refused", "ANTHROPIC_API_KEY"),
        (refusal(403, "no"), "refused", "ANTHROPIC_API_KEY"),
        (refusal(404, "model: claude-none"), "refused", "model: claude-none"),
        (refusal(413, "too long"), "refused", "413"),
        (refusal(418, "teapot"), "garbage", "418"),
        (Reply(body=b"<html>Welcome to the hotel's network</html>"), "garbage", "no count"),
        (Reply(body=b""), "garbage", "no count"),
        (Reply(body={"input_tokens": "12"}), "garbage", "no count"),
        (Reply(body={"input_tokens": -1}), "garbage", "no count"),
        (Reply(body={"input_tokens": 1.5}), "garbage", "no count"),
        (Reply(body={"input_tokens": True}), "garbage", "no count"),
        (Reply(body=b"[" * 50_000), "garbage", "no count"),
        (Reply(body=b"\xff\xfe\x00"), "garbage", "no count"),
        (Reply(body=b"x" * 200_000), "garbage", "more than 65,536 bytes"),
        (Reply(400, b"[" * 50_000), "invalid", "HTTP 400"),
        (Reply(204, b""), "garbage", "204"),
    ],
)
def test_answers_that_are_not_asked_for_again(
    provider: StartProvider, reply: Reply, kind: str, told: str
) -> None:
    server = provider(reply)
    found = problem(ask(server))
    assert (found.kind, len(server.got)) == (kind, 1)
    assert told in found.sentence
    assert server.host in found.sentence


def test_the_words_of_a_provider_are_kept_short_and_without_the_key(
    provider: StartProvider,
) -> None:
    words = "x" * 1990 + KEY + "y" * 100_000
    found = problem(ask(provider(refusal(400, words[:60_000]))))
    assert len(found.words) == 2000
    assert found.words.startswith("x" * 1990 + "[key]")


def test_a_fault_that_passes(provider: StartProvider, hurried: None) -> None:
    server = provider(refusal(500, "oh"), refusal(529, "overloaded"), Reply())
    assert ask(server) == ExactCount(4321, server.host)
    assert len(server.got) == 3


def test_a_fault_that_stays(provider: StartProvider, hurried: None) -> None:
    server = provider(refusal(503, "out of order"))
    found = problem(ask(server))
    assert found.kind == "broken"
    assert "out of order" in found.sentence
    assert len(server.got) == 5


def test_retry_after_is_honoured(provider: StartProvider, hurried: None) -> None:
    server = provider(refusal(429, "slowly", retry_after="1"), Reply())
    assert isinstance(ask(server), ExactCount)
    first, second = server.got
    assert 1.0 <= second.at - first.at < 3


def test_a_wait_beyond_the_time_is_not_begun(provider: StartProvider) -> None:
    server = provider(refusal(429, "tomorrow", retry_after="86400"), Reply())
    began = time.monotonic()
    found = problem(ask(server, timeout=4))
    assert time.monotonic() - began < 2
    assert (found.kind, len(server.got)) == ("limited", 1)


def test_retry_after_in_all_its_forms() -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    assert retry_after({"retry-after": "2.5"}, now) == 2.5
    assert retry_after({"retry-after-ms": "1500", "retry-after": "9"}, now) == 1.5
    assert retry_after({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, now) == 30
    assert retry_after({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, now) == 0
    for odd in ({}, {"retry-after": "soon"}, {"retry-after": "nan"}, {"retry-after": ""}):
        assert retry_after(odd, now) is None
    assert retry_after({"retry-after": "-5"}, now) == 0


def test_an_answer_that_is_cut_off(provider: StartProvider, hurried: None) -> None:
    cut = Reply(body=b'{"input_tok', promised=500)
    server = provider(cut, Reply())
    assert isinstance(ask(server), ExactCount)
    server = provider(cut)
    found = problem(ask(server))
    assert found.kind == "broken"
    assert "broke the connection off" in found.sentence


@pytest.mark.parametrize("reply", [Reply(wait=60), Reply(drip=0.3), refusal(500, "oh")])
def test_the_time_is_kept_all_told(provider: StartProvider, reply: Reply) -> None:
    server = provider(reply)
    began = time.monotonic()
    found = problem(ask(server, timeout=1))
    assert time.monotonic() - began < 1.6
    assert found.kind in ("timeout", "broken")
    if found.kind == "timeout":
        assert found.sentence == f"{server.host} did not answer within 1 s."


def test_nobody_listens(hurried: None) -> None:
    found = problem(ask(f"http://127.0.0.1:{unused_port()}"))
    assert found.kind == "unreachable"


def test_a_redirect_to_another_host_gets_no_key(provider: StartProvider) -> None:
    thief = provider()
    for status in (301, 302, 303, 307, 308):
        server = provider(Reply(status, b"", {"location": f"{thief.url}/v1/steal"}))
        found = problem(ask(server))
        assert found.kind == "redirected"
        assert thief.host in found.sentence
    assert thief.got == []


def test_a_redirect_on_the_same_server_is_followed(provider: StartProvider) -> None:
    server = provider(Reply(307, b"", {"location": "/v2/count"}), Reply())
    assert isinstance(ask(server), ExactCount)
    assert [got.path for got in server.got] == ["/v1/messages/count_tokens", "/v2/count"]
    assert server.got[1].body == server.got[0].body
    circle = provider(Reply(307, b"", {"location": "/again"}))
    assert problem(ask(circle)).kind == "redirected"
    assert len(circle.got) <= 5


def test_no_redirect_to_plain_http(provider: StartProvider) -> None:
    server = provider(Reply(307, b"", {"location": "http://127.0.0.1:1/"}))
    assert problem(ask(server)).kind == "redirected"
    odd = provider(Reply(307, b"", {"location": "http://[::1"}))
    assert problem(ask(odd)).kind in ("redirected", "broken")


# Stopping, and many at once


def test_stop(provider: StartProvider) -> None:
    server = provider(Reply(wait=60))
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    found = problem(ask(server, timeout=30, stop=stop))
    assert time.monotonic() - began < 2
    assert found.kind == "cancelled"


async def test_a_task_that_is_cancelled(provider: StartProvider) -> None:
    server = provider(Reply(wait=60))
    task = asyncio.create_task(count_soon(question(), access(server), timeout=30))
    while not server.got:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_event_loop_goes_on(provider: StartProvider) -> None:
    server = provider(Reply(wait=0.4))
    task = asyncio.create_task(count_soon(question(), access(server)))
    turns = 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0.01)
    assert task.result() == ExactCount(4321, server.host)
    assert turns > 10


def test_only_so_many_at_once(provider: StartProvider) -> None:
    server = provider(Reply(wait=0.4))
    questions = [(question(system=f"{number}"), access(server)) for number in range(12)]
    told: list[int] = []
    outcomes = count_many(questions, timeout=10, done=told.append)
    assert all(isinstance(outcome, ExactCount) for outcome in outcomes)
    assert len(server.got) == 12
    assert 1 < server.most_at_once <= AT_ONCE
    assert told == sorted(told)
    assert told[-1] == 12


def test_the_time_is_that_of_all_together(provider: StartProvider) -> None:
    server = provider(Reply(wait=0.5))
    questions = [(question(system=f"{number}"), access(server)) for number in range(40)]
    began = time.monotonic()
    outcomes = count_many(questions, timeout=1.3)
    assert time.monotonic() - began < 2
    assert isinstance(outcomes[0], ExactCount)
    assert problem(outcomes[-1]).kind == "timeout"


def test_equal_requests_are_sent_once(provider: StartProvider) -> None:
    server = provider()
    outcomes = count_many([(question(), access(server))] * 5)
    assert outcomes == [ExactCount(4321, server.host)] * 5
    assert len(server.got) == 1


# Memory


def test_what_was_counted_is_not_sent_again(provider: StartProvider, tmp_path: Path) -> None:
    server = provider()
    assert ask(server, memory=Remembered(tmp_path, TODAY)) == ExactCount(4321, server.host)
    again = ask(server, memory=Remembered(tmp_path, TODAY + KEPT))
    assert again == ExactCount(4321, server.host, remembered=True)
    assert len(server.got) == 1
    changed = count_tokens(
        question(system="other"), access(server), memory=Remembered(tmp_path, TODAY)
    )
    assert isinstance(changed, ExactCount)
    assert not changed.remembered
    late = ask(server, memory=Remembered(tmp_path, TODAY + KEPT + timedelta(days=1)))
    assert isinstance(late, ExactCount)
    assert not late.remembered
    assert len(server.got) == 3


def test_only_hashes_numbers_and_days_are_kept(provider: StartProvider, tmp_path: Path) -> None:
    ask(provider(), memory=Remembered(tmp_path, TODAY))
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [FILE]
    name, tokens, day = kept[0].read_text().split()
    assert len(name) == 64
    assert set(name) <= set("0123456789abcdef")
    assert (tokens, day) == ("4321", TODAY.isoformat())


def test_problems_are_not_remembered(
    provider: StartProvider, tmp_path: Path, hurried: None
) -> None:
    server = provider(refusal(400, "no"), Reply())
    assert problem(ask(server, memory=Remembered(tmp_path, TODAY))).kind == "invalid"
    assert isinstance(ask(server, memory=Remembered(tmp_path, TODAY)), ExactCount)


@pytest.mark.parametrize("data", [b"\xff\x00garbage\n\n", b"a b c\n", b"x" * 100, b""])
def test_a_spoilt_memory_is_only_forgotten(
    provider: StartProvider, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / FILE).write_bytes(data)
    assert isinstance(ask(provider(), memory=Remembered(tmp_path, TODAY)), ExactCount)
    (tmp_path / "dir").write_text("a file where the folder should be")
    unusable = Remembered(tmp_path / "dir" / "deeper", TODAY)
    assert isinstance(ask(provider(), memory=unusable), ExactCount)


def test_the_memory_is_bounded(tmp_path: Path) -> None:
    line = f"{'0' * 64} 1 {TODAY}\n".encode()
    (tmp_path / FILE).write_bytes(line * (LARGEST // len(line) + 1))
    memory = Remembered(tmp_path, TODAY)
    memory.put("f" * 64, 5)
    assert (tmp_path / FILE).stat().st_size < LARGEST * 0.6
    assert Remembered(tmp_path, TODAY).get("f" * 64) == 5
    assert Remembered(tmp_path, TODAY).get("0" * 64) == 1
