"""The price of each provider's usage, worked out by hand to the last decimal.

Prices stand here as published, in USD per million tokens, so that a changed figure of the catalog
shows. Where reads and writes are part of the input figure, the rest is subtracted by hand too.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cachewise.catalog import builtin
from cachewise.catalog.usage import price_usage, read_usage
from cachewise.cli.main import main

MILLION = 1_000_000


def dollars(*products: tuple[int, str]) -> Decimal:
    """The sum of tokens times prices per million."""
    return sum((count * Decimal(price) for count, price in products), Decimal(0)) / MILLION


ANTHROPIC_WRITE = {
    "input_tokens": 17,
    "cache_creation_input_tokens": 1370,
    "cache_read_input_tokens": 0,
    "output_tokens": 700,
}
ANTHROPIC_READ = {
    "input_tokens": 303,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 1370,
    "output_tokens": 874,
}
MIXED = {
    "input_tokens": 2048,
    "cache_read_input_tokens": 1800,
    "cache_creation_input_tokens": 248,
    "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 503,
}
CONVERSE = {
    "inputTokens": 17,
    "outputTokens": 700,
    "totalTokens": 4135,
    "cacheReadInputTokens": 2048,
    "cacheWriteInputTokens": 1370,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}, {"ttl": "5m", "inputTokens": 370}],
}
MODEL_STUDIO = {
    "prompt_tokens": 1500,
    "completion_tokens": 100,
    "total_tokens": 1600,
    "prompt_tokens_details": {
        "cached_tokens": 1200,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 300},
        "cache_type": "ephemeral",
    },
}
OPENAI = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
RESPONSES = {
    "input_tokens": 5000,
    "input_tokens_details": {
        "cached_tokens": 2000,
        "cache_write_tokens": 1500,
        "cache_write_tokens_details": {"ttl_30m_tokens": 1100, "ttl_12h_tokens": 400},
    },
    "output_tokens": 100,
    "total_tokens": 5100,
}
GEMINI = {
    "promptTokenCount": 5808,
    "cachedContentTokenCount": 5250,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 5858,
}

CASES: list[tuple[str, str, str, dict[str, Any], tuple[tuple[int, str], ...], str]] = [
    # id, provider, model, usage, tokens times price, the same by hand
    (
        "the API's page: a write",
        "anthropic",
        "claude-sonnet-4-5",
        ANTHROPIC_WRITE,
        # 51 + 5,137.5 + 10,500
        ((17, "3"), (1370, "3.75"), (700, "15")),
        "0.0156885",
    ),
    (
        "the API's page: a read",
        "anthropic",
        "claude-sonnet-4-5",
        ANTHROPIC_READ,
        # 909 + 411 + 13,110
        ((303, "3"), (1370, "0.30"), (874, "15")),
        "0.01443",
    ),
    (
        "a read at a twentieth",
        "anthropic",
        "claude-opus-5-5",
        ANTHROPIC_READ,
        # 1,212 + 274 + 17,480
        ((303, "4"), (1370, "0.20"), (874, "20")),
        "0.018966",
    ),
    (
        "both lifetimes",
        "anthropic",
        "claude-sonnet-4-5",
        MIXED,
        # 6,144 + 540 + 555 + 600 + 7,545
        ((2048, "3"), (1800, "0.30"), (148, "3.75"), (100, "6"), (503, "15")),
        "0.015384",
    ),
    (
        "a hundred thousand tokens read",
        "anthropic",
        "claude-sonnet-4-5",
        {"input_tokens": 50, "cache_read_input_tokens": 100_000, "output_tokens": 0},
        # 150 + 30,000
        ((50, "3"), (100_000, "0.30")),
        "0.03015",
    ),
    (
        "a cache warmed beforehand",
        "anthropic",
        "claude-opus-5",
        {"input_tokens": 8, "cache_creation_input_tokens": 5120, "output_tokens": 0},
        # 40 + 32,000
        ((8, "5"), (5120, "6.25")),
        "0.03204",
    ),
    (
        "a prompt just within the small tier",
        "anthropic",
        "claude-haiku-5-5",
        {"input_tokens": 1000, "cache_read_input_tokens": 99_000, "output_tokens": 10},
        # 100 + 990 + 5
        ((1000, "0.10"), (99_000, "0.01"), (10, "0.50")),
        "0.001095",
    ),
    (
        "one token more, and the whole request costs more",
        "anthropic",
        "claude-haiku-5-5",
        {"input_tokens": 1001, "cache_read_input_tokens": 99_000, "output_tokens": 10},
        # 500.5 + 4,950 + 25
        ((1001, "0.50"), (99_000, "0.05"), (10, "2.50")),
        "0.0054755",
    ),
    (
        "Claude Platform on AWS",
        "claude-platform-aws",
        "claude-sonnet-4-6",
        ANTHROPIC_WRITE,
        ((17, "3"), (1370, "3.75"), (700, "15")),
        "0.0156885",
    ),
    (
        "Foundry",
        "foundry",
        "claude-sonnet-4-6",
        ANTHROPIC_READ,
        ((303, "3"), (1370, "0.30"), (874, "15")),
        "0.01443",
    ),
    (
        "Vertex AI",
        "vertex",
        "claude-sonnet-4-5@20250929",
        ANTHROPIC_READ,
        ((303, "3"), (1370, "0.30"), (874, "15")),
        "0.01443",
    ),
    (
        "Converse, both lifetimes",
        "bedrock",
        "global.anthropic.claude-sonnet-4-6",
        CONVERSE,
        # 51 + 614.4 + 6,000 + 1,387.5 + 10,500
        ((17, "3"), (2048, "0.30"), (1000, "6"), (370, "3.75"), (700, "15")),
        "0.0185529",
    ),
    (
        "a region's profile costs a tenth more",
        "bedrock",
        "us.anthropic.claude-sonnet-4-6",
        CONVERSE,
        # 18,552.9 times 1.1
        ((17, "3.3"), (2048, "0.33"), (1000, "6.6"), (370, "4.125"), (700, "16.5")),
        "0.02040819",
    ),
    (
        "InvokeModel, in the API's own words",
        "bedrock",
        "global.anthropic.claude-sonnet-4-6",
        ANTHROPIC_WRITE,
        ((17, "3"), (1370, "3.75"), (700, "15")),
        "0.0156885",
    ),
    (
        "Nova: a write costs what input costs",
        "bedrock",
        "amazon.nova-pro-v1:0",
        {
            "inputTokens": 17,
            "outputTokens": 700,
            "cacheReadInputTokens": 2048,
            "cacheWriteInputTokens": 1370,
        },
        # 13.6 + 409.6 + 1,096 + 2,240
        ((17, "0.8"), (2048, "0.2"), (1370, "0.8"), (700, "3.2")),
        "0.0037592",
    ),
    (
        "Model Studio's page: 1,500 tokens, of which 1,200 read and 300 written",
        "dashscope",
        "qwen3.7-max",
        MODEL_STUDIO,
        # (1,500 - 1,200 - 300) + 300 + 937.5 + 750
        ((0, "2.5"), (1200, "0.25"), (300, "3.125"), (100, "7.5")),
        "0.0019875",
    ),
    (
        "the same where reads are not a tenth",
        "dashscope",
        "qwen3.8-flash",
        MODEL_STUDIO,
        # 19.2 + 60 + 47
        ((1200, "0.016"), (300, "0.2"), (100, "0.47")),
        "0.0001262",
    ),
    (
        "Model Studio, its unmarked cache at a fifth",
        "dashscope",
        "qwen3.7-max",
        {
            "prompt_tokens": 1500,
            "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 1200},
        },
        # 750 + 600 + 750
        ((300, "2.5"), (1200, "0.5"), (100, "7.5")),
        "0.0021",
    ),
    (
        "Model Studio's endpoint in Anthropic's form: beside the input",
        "dashscope",
        "qwen3.7-max",
        {
            "input_tokens": 20,
            "cache_read_input_tokens": 1200,
            "cache_creation_input_tokens": 300,
            "output_tokens": 100,
        },
        # 50 + 300 + 937.5 + 750
        ((20, "2.5"), (1200, "0.25"), (300, "3.125"), (100, "7.5")),
        "0.0020375",
    ),
    (
        "OpenAI's page: 2,006 tokens, of which 1,920 read",
        "openai",
        "gpt-4o",
        OPENAI,
        # 86 at the full price: 215 + 2,400 + 3,000
        ((86, "2.5"), (1920, "1.25"), (300, "10")),
        "0.005615",
    ),
    (
        "the same on Azure",
        "azure",
        "gpt-4o",
        OPENAI,
        ((86, "2.5"), (1920, "1.25"), (300, "10")),
        "0.005615",
    ),
    (
        "OpenAI with writes of both lifetimes",
        "openai",
        "gpt-5.6",
        RESPONSES,
        # 1,500 left: 6,000 + 800 + 5,500 + 4,000 + 2,000
        ((1500, "4"), (2000, "0.4"), (1100, "5"), (400, "10"), (100, "20")),
        "0.0183",
    ),
    (
        "OpenAI, reads at a twentieth",
        "openai",
        "gpt-6.1-sol",
        RESPONSES,
        # 3,000 + 200 + 2,750 + 2,000 + 1,000
        ((1500, "2"), (2000, "0.1"), (1100, "2.5"), (400, "5"), (100, "10")),
        "0.00895",
    ),
    (
        "Gemini: 5,808 tokens, of which 5,250 read; thoughts are output",
        "google",
        "gemini-2.5-flash",
        GEMINI,
        # 558 left: 167.4 + 157.5 + 125
        ((558, "0.3"), (5250, "0.03"), (50, "2.5")),
        "0.0004499",
    ),
    (
        "Gemini over 200,000 tokens",
        "google",
        "gemini-2.5-pro",
        {
            "promptTokenCount": 200_001,
            "cachedContentTokenCount": 200_000,
            "candidatesTokenCount": 10,
        },
        # 2.5 + 50,000 + 150
        ((1, "2.5"), (200_000, "0.25"), (10, "15")),
        "0.0501525",
    ),
    (
        "OpenRouter in front of Claude",
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        {
            "prompt_tokens": 1387,
            "completion_tokens": 700,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 1370},
        },
        ((17, "3"), (1370, "3.75"), (700, "15")),
        "0.0156885",
    ),
    (
        "LiteLLM in front of Claude",
        "litellm",
        "anthropic/claude-sonnet-4-5",
        {
            "prompt_tokens": 1673,
            "completion_tokens": 874,
            "prompt_tokens_details": {"cached_tokens": 1370},
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1370,
        },
        ((303, "3"), (1370, "0.30"), (874, "15")),
        "0.01443",
    ),
]


@pytest.mark.parametrize(
    ("provider", "model", "usage", "products", "total"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_the_command_gives_the_price(
    provider: str,
    model: str,
    usage: dict[str, Any],
    products: tuple[tuple[int, str], ...],
    total: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert dollars(*products) == Decimal(total), "the two sums by hand"
    monkeypatch.chdir(tmp_path)
    Path("response.json").write_text(json.dumps({"usage": usage}), "utf-8")
    arguments = ("cost", "--usage", "response.json", "--model", model, "--provider", provider)
    assert main((*arguments, "--format", "json")) == 0
    assert json.loads(capsys.readouterr().out)["cost"] == total


def test_every_provider_has_an_example() -> None:
    priced = {provider for _, provider, *_ in CASES}
    # Its prices are those of Bedrock, which has examples.
    assert set(builtin().platforms) - priced == {"bedrock-mantle"}


def test_the_parts_are_those_of_the_page() -> None:
    usage = read_usage(MODEL_STUDIO)
    assert usage is not None
    assert (usage.input, usage.read, usage.write_5m, usage.output) == (0, 1200, 300, 100)
    catalog = builtin()
    bill = price_usage(usage, catalog.models["qwen3.7-max"], catalog.platforms["dashscope"])
    assert bill.parts["read"] == dollars((1200, "0.25"))
    assert bill.parts["write_5m"] == dollars((300, "3.125"))


def test_a_search_costs_a_cent_besides() -> None:
    usage = read_usage(
        {
            "input_tokens": 105,
            "cache_creation_input_tokens": 7345,
            "cache_read_input_tokens": 7123,
            "output_tokens": 6039,
            "server_tool_use": {"web_search_requests": 1},
        }
    )
    assert usage is not None
    catalog = builtin()
    model, platform = catalog.models["claude-sonnet-4-5"], catalog.platforms["anthropic"]
    tokens = dollars((105, "3"), (7345, "3.75"), (7123, "0.30"), (6039, "15"))
    assert price_usage(usage, model, platform).total == tokens + Decimal("0.01")
    assert tokens == Decimal("0.12058065")
