"""``stats``: what usage logs and agents' session logs say, summed up."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from .conftest import Cli, put

SONNET = "claude-sonnet-4-6"


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def stats(cli: Cli, *paths: str) -> dict:
    run = cli("stats", *paths, "--format", "json")
    assert run.status == 0, run.err
    return run.json


def claude_code(number: int, part: int, output: int, session: str = "s1") -> dict:
    """One line of a session log: one content block of a response, with the usage of all of it."""
    return {
        "type": "assistant",
        "sessionId": session,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "requestId": f"req_{number}",
        "uuid": f"{number}-{part}",
        "message": {
            "id": f"msg_{number}",
            "model": SONNET,
            "role": "assistant",
            "content": [{"type": "text", "text": "private words"}],
            "usage": {
                "input_tokens": 100,
                "cache_creation_input_tokens": 1000,
                "cache_read_input_tokens": 10_000,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 400,
                    "ephemeral_1h_input_tokens": 600,
                },
                "output_tokens": output,
            },
        },
    }


def test_lines_of_one_claude_code_response_count_once(cli: Cli) -> None:
    put(
        "log.jsonl",
        lines(
            {"type": "user", "message": {"role": "user", "content": "private words"}},
            claude_code(1, 0, 1),
            claude_code(1, 1, 50),
            {"type": "summary", "summary": "private words"},
            claude_code(2, 0, 7, "s2"),
        ),
    )
    found = stats(cli, "log.jsonl")
    total = found["total"]
    assert (total["calls"], total["input"], total["write"], total["read"]) == (2, 200, 2000, 20_000)
    assert total["output"] == 57
    # Per call 100 at $3, 400 at $3.75, 600 at $6, 10,000 at $0.30; 57 given at $15 a million.
    each = Decimal(100) * 3 + Decimal(400) * Decimal("3.75") + 600 * 6 + 10_000 * Decimal("0.3")
    spent = (2 * each + 57 * 15) / 1_000_000
    assert Decimal(total["spent"]) == spent
    assert Decimal(total["without_cache"]) == (Decimal(2 * 11_100 * 3) + 57 * 15) / 1_000_000
    assert Decimal(total["saved"]) == Decimal(total["without_cache"]) - spent
    assert "private" not in json.dumps(found)
    assert [(item["name"], item["calls"]) for item in found["by_session"]] == [("s1", 1), ("s2", 1)]
    assert [item["name"] for item in found["by_model"]] == [SONNET]
    assert [item["name"] for item in found["by_day"]] == ["2026-11-20"]
    assert found["unreadable"]["count"] == 0


def test_a_session_that_is_gone_on_with_in_another_file_counts_once(cli: Cli) -> None:
    put("logs/a.jsonl", lines(claude_code(1, 0, 5)))
    put("logs/b.jsonl", lines(claude_code(1, 0, 5, "s2"), claude_code(2, 0, 5, "s2")))
    put("logs/README.md", "No log.")
    found = stats(cli, "logs")
    assert found["total"]["calls"] == 2
    assert found["unreadable"]["count"] == 0


def qwen_turn(number: int) -> dict:
    return {
        "uuid": f"u{number}",
        "sessionId": "q1",
        "timestamp": "2026-11-21T08:00:00Z",
        "type": "assistant",
        "model": "qwen3.7-plus",
        "message": {"role": "model", "parts": [{"text": "private words"}]},
        "usageMetadata": {
            "promptTokenCount": 5808,
            "cachedContentTokenCount": 5250,
            "candidatesTokenCount": 20,
            "totalTokenCount": 5828,
        },
    }


def qwen_event(number: int) -> dict:
    return {
        "event.name": "qwen-code.api_response",
        "event.timestamp": "2026-11-21T08:00:00Z",
        "model": "qwen3.7-plus",
        "input_token_count": 5808,
        "cached_content_token_count": 5250,
        "output_token_count": 20,
        "response_id": f"r{number}",
        "auth_type": "openai",
    }


def in_session(event: dict) -> dict:
    return {
        "sessionId": "q1",
        "type": "system",
        "subtype": "ui_telemetry",
        "systemPayload": {"uiEvent": event},
    }


SERVED = "10,500 (90.4%) of input tokens were served from the cache"


@pytest.mark.parametrize(
    "text",
    [
        lines(qwen_turn(1), qwen_turn(2)),
        lines(qwen_turn(1), in_session(qwen_event(1)), qwen_turn(2), in_session(qwen_event(2))),
        "".join(json.dumps({"attributes": qwen_event(n)}, indent=2) + "\n" for n in (1, 2)),
    ],
    ids=["turns", "turns and telemetry", "telemetry file"],
)
def test_qwen_code_says_the_same_line_as_its_own_stats(cli: Cli, text: str) -> None:
    put("log.jsonl", text)
    found = stats(cli, "log.jsonl")
    total = found["total"]
    assert (total["calls"], total["read"], total["input"]) == (2, 10_500, 1_116)
    assert total["hit_percent"] == "90.4"
    assert SERVED in found["served_from_cache"]
    assert found["unreadable"]["count"] == 0
    assert SERVED in cli("stats", "log.jsonl").out


def test_a_telemetry_event_is_counted_once_however_often_it_is_written(cli: Cli) -> None:
    put("log.jsonl", lines(in_session(qwen_event(1)), in_session(qwen_event(1))))
    assert stats(cli, "log.jsonl")["total"]["calls"] == 1


RESPONSES = {
    "openai": (
        {
            "id": "chatcmpl-1",
            "model": "gpt-4.1",
            "created": 1_790_000_000,
            "usage": {
                "prompt_tokens": 3000,
                "completion_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 2048},
            },
        },
        (952, 0, 2048, 10),
        # 952 at $2, 2,048 at $0.50, 10 at $8.
        "0.003008",
    ),
    "bedrock": (
        {
            "request": {"modelId": "anthropic.claude-sonnet-4-6"},
            "response": {
                "usage": {
                    "inputTokens": 50,
                    "outputTokens": 10,
                    "cacheReadInputTokens": 2000,
                    "cacheWriteInputTokens": 300,
                }
            },
        },
        (50, 300, 2000, 10),
        # 50 at $3, 300 at $3.75, 2,000 at $0.30, 10 at $15.
        "0.002025",
    ),
    "anthropic": (
        {
            "id": "msg_1",
            "type": "message",
            "model": SONNET,
            "usage": {"input_tokens": 50, "cache_read_input_tokens": 2000, "output_tokens": 10},
        },
        (50, 0, 2000, 10),
        "0.0009",
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("indent", [None, 2])
def test_recorded_responses_of_every_provider(cli: Cli, name: str, indent: int | None) -> None:
    response, figures, spent = RESPONSES[name]
    put("r.json", json.dumps(response, indent=indent))
    total = stats(cli, "r.json")["total"]
    assert tuple(total[key] for key in ("input", "write", "read", "output")) == figures
    assert Decimal(total["spent"]) == Decimal(spent)


def test_standard_input(cli: Cli) -> None:
    text = lines(claude_code(1, 0, 5))
    run = cli("stats", "-", "--format", "json", stdin=text.encode())
    assert run.json["total"]["calls"] == 1


def test_a_model_without_a_known_price_is_in_no_sum_of_money(cli: Cli) -> None:
    response = {"model": "nobodys-model", "usage": {"input_tokens": 10, "output_tokens": 1}}
    put("r.jsonl", lines(response, RESPONSES["anthropic"][0]))
    found = stats(cli, "r.jsonl")
    assert found["total"]["unpriced"] == 1
    assert Decimal(found["total"]["spent"]) == Decimal("0.0009")
    assert "1 without a known price" in cli("stats", "r.jsonl").out


def test_unreadable_lines_are_counted_and_named(cli: Cli) -> None:
    put("r.jsonl", "words\n" + lines(RESPONSES["anthropic"][0]) + '{"usage": {"input_tok\n')
    found = stats(cli, "r.jsonl")
    assert found["total"]["calls"] == 1
    assert found["unreadable"]["count"] == 2
    assert [item["line"] for item in found["unreadable"]["lines"]] == [1, 3]
    assert "2 lines could not be read:" in cli("stats", "r.jsonl").out


def test_nothing_to_sum_up_and_nothing_to_read(cli: Cli) -> None:
    put("r.jsonl", '{"type": "user"}\n')
    run = cli("stats", "r.jsonl")
    assert (run.status, run.out) == (0, "No usage was found.\n")
    assert cli("stats", "absent.jsonl").status == 2
    put("b.jsonl", b"\x00\x01")
    assert cli("stats", "b.jsonl").status == 2


def test_a_sign_in_without_caching_is_told(cli: Cli) -> None:
    """The base page's rule: users who sign in with Qwen's OAuth have no token caching."""
    put("log.jsonl", lines(in_session({**qwen_event(1), "auth_type": "qwen-oauth"})))
    assert any(note.startswith("CW405") for note in stats(cli, "log.jsonl")["notes"])
    put("key.jsonl", lines(in_session(qwen_event(1))))
    assert stats(cli, "key.jsonl")["notes"] == []
    Path("cachewise.toml").write_text('auth = "qwen-oauth"\n')
    put("turns.jsonl", lines(qwen_turn(1)))
    assert any(note.startswith("CW405") for note in stats(cli, "turns.jsonl")["notes"])
