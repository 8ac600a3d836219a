"""Prices with tiers and modifiers, usage in every provider's form, and exact bills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.catalog import (
    Catalog,
    Prices,
    UnknownPrice,
    UnsupportedModifier,
    Usage,
    builtin,
    plain,
    price_usage,
    prices_for,
    read_usage,
)

TODAY = date(2026, 11, 21)


def five(text: str) -> Prices:
    return Prices(*(Decimal(part) for part in text.split("/")))


# Tiers and modifiers


@pytest.mark.parametrize(
    ("id_", "platform", "tokens", "expected"),
    [
        ("claude-haiku-5-5", "anthropic", 100_000, "0.10/0.125/0.20/0.01/0.50"),
        ("claude-haiku-5-5", "anthropic", 100_001, "0.50/0.625/1/0.05/2.50"),
        ("claude-haiku-5-5", "anthropic", 0, "0.10/0.125/0.20/0.01/0.50"),
        ("claude-sonnet-4-5", "anthropic", 900_000, "3/3.75/6/0.30/15"),
        ("gpt-5.6", "openai", 272_000, "4/5/10/0.4/20"),
        ("gpt-5.6", "openai", 272_001, "8/10/20/0.8/30"),
    ],
)
def test_tier_of_the_whole_request(
    catalog: Catalog, id_: str, platform: str, tokens: int, expected: str
) -> None:
    found = prices_for(
        catalog.models[id_],
        platform=catalog.platforms[platform],
        total_input_tokens=tokens,
        today=TODAY,
    )
    assert found == five(expected)


@pytest.mark.parametrize(
    ("tokens", "price"),
    [(32_000, "1"), (32_001, "1.8"), (128_000, "1.8"), (128_001, "3"), (256_001, "6")],
)
def test_tiers_of_qwen(catalog: Catalog, tokens: int, price: str) -> None:
    found = prices_for(
        catalog.models["qwen3-coder-plus"],
        platform=catalog.platforms["dashscope"],
        total_input_tokens=tokens,
    )
    assert found.input == Decimal(price)
    assert found.write_5m == Decimal(price) * Decimal("1.25")
    assert found.read == Decimal(price) / 10


def test_tier_counts_every_input_token(catalog: Catalog) -> None:
    model, platform = catalog.models["claude-haiku-5-5"], catalog.platforms["anthropic"]
    at = price_usage(Usage(input=50_000, write_5m=20_000, read=30_000), model, platform)
    over = price_usage(Usage(input=50_001, write_5m=20_000, read=30_000), model, platform)
    assert plain(at.total) == "0.0078"
    assert plain(over.total) == "0.0390005"


def test_batch_halves_every_price(catalog: Catalog) -> None:
    found = prices_for(
        catalog.models["claude-opus-5-5"], platform=catalog.platforms["anthropic"], batch=True
    )
    assert found == five("2/2.5/4/0.1/10")


def test_residency_from_4_6_on(catalog: Catalog) -> None:
    anthropic = catalog.platforms["anthropic"]
    found = prices_for(catalog.models["claude-sonnet-4-6"], platform=anthropic, geo="us")
    assert found == five("3.3/4.125/6.6/0.33/16.5")
    for id_ in ("claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"):
        with pytest.raises(UnsupportedModifier, match=r"does not support inference_geo 'us'"):
            prices_for(catalog.models[id_], platform=anthropic, geo="us")
    with pytest.raises(UnsupportedModifier, match="inference_geo 'mars'"):
        prices_for(catalog.models["claude-opus-5"], platform=anthropic, geo="mars")


@pytest.mark.parametrize("geo", [None, "", "global", "not_available", "GLOBAL"])
def test_residency_that_costs_nothing(catalog: Catalog, geo: str | None) -> None:
    model = catalog.models["claude-sonnet-4-5"]
    assert prices_for(model, platform=catalog.platforms["anthropic"], geo=geo) == model.prices


@pytest.mark.parametrize(
    ("id_", "region", "factor"),
    [
        ("claude-sonnet-4-5", None, "1"),
        ("claude-sonnet-4-5", "global", "1"),
        ("claude-sonnet-4-5", "us", "1.1"),
        ("claude-sonnet-4-5", "eu", "1.1"),
        ("claude-opus-5-5", "us-gov", "1.2"),
        ("claude-opus-4-1-20250805", "us", "1"),
        ("claude-sonnet-4-20250514", "apac", "1"),
    ],
)
def test_regional_profiles_of_bedrock(
    catalog: Catalog, id_: str, region: str | None, factor: str
) -> None:
    model = catalog.models[id_]
    found = prices_for(model, platform=catalog.platforms["bedrock"], region=region)
    for name in ("input", "write_5m", "write_1h", "read", "output"):
        assert getattr(found, name) == getattr(model.prices, name) * Decimal(factor)


@pytest.mark.parametrize(
    ("region", "expected"), [(None, "0.8"), ("us", "0.8"), ("eu", "1.05"), ("apac", "0.84")]
)
def test_regions_of_nova_have_prices_of_their_own(
    catalog: Catalog, region: str | None, expected: str
) -> None:
    nova, bedrock = catalog.models["amazon-nova-pro"], catalog.platforms["bedrock"]
    assert prices_for(nova, platform=bedrock, region=region).input == Decimal(expected)


def test_a_region_means_nothing_on_the_claude_api(catalog: Catalog) -> None:
    model = catalog.models["claude-opus-5"]
    assert prices_for(model, platform=catalog.platforms["anthropic"], region="us") == model.prices


def test_modifiers_multiply(catalog: Catalog) -> None:
    anthropic = catalog.platforms["anthropic"]
    model = catalog.models["claude-haiku-5-5"]
    found = prices_for(model, platform=anthropic, geo="us", batch=True, total_input_tokens=200_000)
    assert found.input == Decimal("0.50") * Decimal("0.5") * Decimal("1.1")


def test_fast(catalog: Catalog) -> None:
    anthropic = catalog.platforms["anthropic"]
    fable = catalog.models["claude-fable-5-2"]
    assert prices_for(fable, platform=anthropic, speed="fast") == five("16/20/32/0.4/80")
    assert prices_for(fable, platform=anthropic, speed="standard") == fable.prices
    with pytest.raises(UnsupportedModifier, match="no fast mode"):
        prices_for(catalog.models["claude-sonnet-5-5"], platform=anthropic, speed="fast")
    with pytest.raises(UnsupportedModifier, match="batch"):
        prices_for(fable, platform=anthropic, speed="fast", batch=True)
    with pytest.raises(UnsupportedModifier, match="'warp'"):
        prices_for(fable, platform=anthropic, speed="warp")


def test_fast_ends_on_its_day(catalog: Catalog) -> None:
    anthropic, opus = catalog.platforms["anthropic"], catalog.models["claude-opus-4-8"]
    day_before = prices_for(opus, platform=anthropic, speed="fast", today=date(2026, 11, 29))
    assert day_before == five("10/12.5/20/1/50")
    with pytest.raises(UnsupportedModifier, match="2026-11-30"):
        prices_for(opus, platform=anthropic, speed="fast", today=date(2026, 11, 30))


def test_a_price_that_has_changed(catalog: Catalog) -> None:
    anthropic, sonnet = catalog.platforms["anthropic"], catalog.models["claude-sonnet-5-5"]
    before = prices_for(sonnet, platform=anthropic, today=date(2026, 10, 6))
    after = prices_for(sonnet, platform=anthropic, today=date(2026, 10, 7))
    assert (before.read, after.read) == (Decimal("0.20"), Decimal("0.10"))
    assert prices_for(sonnet, platform=anthropic).read == Decimal("0.10")


def test_a_price_of_one_platform(catalog: Catalog) -> None:
    mythos = catalog.models["claude-mythos-preview"]
    found = prices_for(mythos, platform=catalog.platforms["bedrock"], region="us")
    assert found == five("27.5/34.375/55/2.75/137.5")


def test_unknown_prices_are_said(catalog: Catalog) -> None:
    qwen4, dashscope = catalog.models["qwen4"], catalog.platforms["dashscope"]
    assert prices_for(qwen4, platform=dashscope, batch=False).input is None
    with pytest.raises(UnknownPrice, match="uncached input"):
        price_usage(Usage(input=1), qwen4, dashscope)
    assert price_usage(Usage(), qwen4, dashscope).total == 0
    with pytest.raises(UnsupportedModifier, match="batch processing on this platform"):
        prices_for(qwen4, platform=dashscope, batch=True)
    with pytest.raises(UnknownPrice, match="web searches"):
        price_usage(Usage(web_searches=1), catalog.models["claude-opus-5"], None)


# Usage, form by form

ANTHROPIC = {
    "input_tokens": 2048,
    "cache_read_input_tokens": 1800,
    "cache_creation_input_tokens": 248,
    "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 503,
}
MIXED = Usage(input=2048, write_5m=148, write_1h=100, read=1800, output=503)


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (ANTHROPIC, MIXED),
        ({"id": "msg_1", "type": "message", "usage": ANTHROPIC}, MIXED),
        ({"type": "message_start", "message": {"usage": ANTHROPIC}}, MIXED),
        (
            {"custom_id": "a", "result": {"type": "succeeded", "message": {"usage": ANTHROPIC}}},
            MIXED,
        ),
        ({"request": {"usage": 1}, "response_usage": ANTHROPIC}, MIXED),
        ({"request": {}, "response": {"usage": ANTHROPIC}}, MIXED),
        (
            {"input_tokens": 21, "cache_creation_input_tokens": 188086, "output_tokens": 393},
            Usage(input=21, write_5m=188086, output=393),
        ),
        (
            {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 7}},
            Usage(input=1, write_1h=7),
        ),
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 10,
                "cache_creation": {"ephemeral_1h_input_tokens": 7},
            },
            Usage(input=1, write_5m=3, write_1h=7),
        ),
        (
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": None,
                "cache_read_input_tokens": None,
                "cache_creation": None,
                "server_tool_use": None,
                "output_tokens": None,
            },
            Usage(input=5),
        ),
        ({"output_tokens": 15}, Usage(output=15)),
        (
            {
                "input_tokens": 5,
                "server_tool_use": {"web_search_requests": 2},
                "service_tier": "batch",
                "inference_geo": "US",
                "speed": "fast",
            },
            Usage(input=5, web_searches=2, service_tier="batch", inference_geo="us", speed="fast"),
        ),
        # OpenAI chat: what was cached is part of prompt_tokens.
        (
            {
                "usage": {
                    "prompt_tokens": 2006,
                    "completion_tokens": 300,
                    "prompt_tokens_details": {"cached_tokens": 1920},
                }
            },
            Usage(input=86, read=1920, output=300, implicit=True),
        ),
        (
            {
                "prompt_tokens": 5000,
                "completion_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 3000},
            },
            Usage(input=1000, write_5m=3000, read=1000, output=10),
        ),
        (
            {
                "prompt_tokens": 5000,
                "completion_tokens": 10,
                "prompt_tokens_details": {
                    "cache_write_tokens": 3000,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 1000, "ttl_12h_tokens": 2000},
                },
            },
            Usage(input=2000, write_5m=1000, write_1h=2000, output=10),
        ),
        # OpenAI Responses.
        (
            {
                "response": {
                    "service_tier": "default",
                    "usage": {
                        "input_tokens": 2006,
                        "input_tokens_details": {"cached_tokens": 1920},
                        "output_tokens": 300,
                    },
                }
            },
            Usage(input=86, read=1920, output=300, service_tier="default", implicit=True),
        ),
        # DashScope: explicit, then implicit, then its Anthropic-compatible form.
        (
            {
                "prompt_tokens": 1500,
                "completion_tokens": 50,
                "prompt_tokens_details": {
                    "cached_tokens": 1200,
                    "cache_creation_input_tokens": 300,
                    "cache_type": "ephemeral",
                    "cache_creation": {"ephemeral_5m_input_tokens": 300},
                },
            },
            Usage(write_5m=300, read=1200, output=50),
        ),
        (
            {
                "prompt_tokens": 1500,
                "completion_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 1200, "cache_type": "ephemeral"},
            },
            Usage(input=300, read=1200, output=50),
        ),
        (
            {
                "input_tokens": 1500,
                "output_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 1024},
            },
            Usage(input=476, read=1024, output=50, implicit=True),
        ),
        # Bedrock.
        (
            {
                "usage": {
                    "inputTokens": 10,
                    "outputTokens": 20,
                    "cacheReadInputTokens": 30,
                    "cacheWriteInputTokens": 100,
                    "cacheDetails": [
                        {"ttl": "1h", "inputTokens": 60},
                        {"ttl": "5m", "inputTokens": 40},
                    ],
                }
            },
            Usage(input=10, write_5m=40, write_1h=60, read=30, output=20),
        ),
        (
            {"inputTokens": 10, "outputTokens": 20, "cacheWriteInputTokens": 100},
            Usage(input=10, write_5m=100, output=20),
        ),
        (
            {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4}}},
            Usage(input=3, output=4),
        ),
        (
            {
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 4,
                    "cacheReadInputTokenCount": 5,
                }
            },
            Usage(input=3, read=5, output=4),
        ),
        # Gemini.
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 2152,
                    "cachedContentTokenCount": 2027,
                    "candidatesTokenCount": 100,
                    "thoughtsTokenCount": 50,
                }
            },
            Usage(input=125, read=2027, output=150, implicit=True),
        ),
        # A client's telemetry.
        (
            {
                "input_token_count": 11_611,
                "cached_content_token_count": 10_500,
                "output_token_count": 9,
            },
            Usage(input=1111, read=10_500, output=9, implicit=True),
        ),
    ],
)
def test_read_usage(obj: dict[str, Any], expected: Usage) -> None:
    assert read_usage(obj) == expected


@pytest.mark.parametrize(
    "obj", [{}, {"usage": None}, {"usage": {}}, {"usage": "12"}, {"model": "claude-opus-5"}]
)
def test_no_usage(obj: dict[str, Any]) -> None:
    assert read_usage(obj) is None


@pytest.mark.parametrize(
    ("obj", "key"),
    [
        ({"input_tokens": -1}, "input_tokens"),
        ({"input_tokens": "12"}, "input_tokens"),
        ({"input_tokens": True}, "input_tokens"),
        ({"input_tokens": 1.5}, "input_tokens"),
        (
            {"input_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": "x"}},
            "cache_creation.ephemeral_5m_input_tokens",
        ),
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 2},
            },
            "cache_creation names 2",
        ),
        (
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 11}},
            "prompt_tokens is 10",
        ),
        (
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": -1}},
            "prompt_tokens_details.cached_tokens",
        ),
        ({"inputTokens": 1, "cacheDetails": [7]}, r"cacheDetails\[0\]"),
        (
            {"inputTokens": 1, "cacheDetails": [{"ttl": "5m", "inputTokens": []}]},
            r"cacheDetails\[0\].inputTokens",
        ),
        ({"promptTokenCount": 1, "cachedContentTokenCount": 2}, "promptTokenCount is 1"),
    ],
)
def test_garbage_names_its_key(obj: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=key):
        read_usage({"usage": obj})


_count = st.integers(0, 10**9)


@given(_count, _count, _count, _count, _count)
def test_the_same_tokens_in_every_form(
    fresh: int, short: int, long: int, read: int, out: int
) -> None:
    """However a provider writes them, the same tokens are the same usage."""
    beside = read_usage(
        {
            "input_tokens": fresh,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {
                "ephemeral_5m_input_tokens": short,
                "ephemeral_1h_input_tokens": long,
            },
            "cache_read_input_tokens": read,
            "output_tokens": out,
        }
    )
    bedrock = read_usage(
        {
            "inputTokens": fresh,
            "outputTokens": out,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": short + long,
            "cacheDetails": [
                {"ttl": "1h", "inputTokens": long},
                {"ttl": "5m", "inputTokens": short},
            ],
        }
    )
    included = read_usage(
        {
            "prompt_tokens": fresh + short + long + read,
            "completion_tokens": out,
            "prompt_tokens_details": {
                "cached_tokens": read,
                "cache_write_tokens": short + long,
                "cache_write_tokens_details": {"ttl_30m_tokens": short, "ttl_12h_tokens": long},
                "cache_type": "ephemeral",
            },
        }
    )
    expected = Usage(input=fresh, write_5m=short, write_1h=long, read=read, output=out)
    assert beside == bedrock == included == expected


# Bills


def test_published_example_of_qwen(catalog: Catalog) -> None:
    """A prompt of 1,500 tokens, 1,200 of them read and 300 written, at 3.7 Max's prices."""
    usage = Usage(write_5m=300, read=1200, output=100)
    bill = price_usage(usage, catalog.models["qwen3.7-max"], catalog.platforms["dashscope"])
    assert plain(bill.total) == "0.0019875"
    assert bill.parts["write_5m"] == Decimal("0.0009375")
    assert bill.parts["read"] == Decimal("0.0003")


def test_implicit_reads_of_qwen_cost_twice_as_much(catalog: Catalog) -> None:
    model, platform = catalog.models["qwen3.7-max"], catalog.platforms["dashscope"]
    explicit = price_usage(Usage(read=1000), model, platform)
    implicit = price_usage(Usage(read=1000, implicit=True), model, platform)
    assert (plain(explicit.total), plain(implicit.total)) == ("0.00025", "0.0005")


def test_web_search_stays_at_its_price(catalog: Catalog) -> None:
    anthropic, sonnet = catalog.platforms["anthropic"], catalog.models["claude-sonnet-4-5"]
    usage = Usage(input=105, write_5m=7345, read=7123, output=6039, web_searches=1)
    bill = price_usage(usage, sonnet, anthropic)
    assert plain(bill.total) == "0.13058065"
    assert bill.parts["other"] == Decimal("0.01")
    halved = price_usage(usage, sonnet, anthropic, batch=True)
    assert halved.total == (bill.total - Decimal("0.01")) / 2 + Decimal("0.01")


def test_modifiers_are_read_from_the_usage(catalog: Catalog) -> None:
    anthropic, opus = catalog.platforms["anthropic"], catalog.models["claude-opus-5-5"]
    assert plain(price_usage(Usage(input=10**6), opus, anthropic).total) == "4"
    batch = Usage(input=10**6, service_tier="batch", inference_geo="us")
    assert plain(price_usage(batch, opus, anthropic).total) == "2.2"
    assert plain(price_usage(batch, opus, anthropic, batch=False, geo="global").total) == "4"
    fast = Usage(input=10**6, speed="fast")
    assert plain(price_usage(fast, opus, anthropic).total) == "8"
    assert plain(price_usage(fast, opus, anthropic, speed="standard").total) == "4"


@given(
    st.sampled_from(
        sorted(
            m.id for m in builtin().models.values() if "batch" in m.modifiers and m.prices.write_1h
        )
    ),
    *[st.integers(0, 10**7)] * 5,
)
def test_parts_add_up_exactly(
    id_: str, fresh: int, short: int, long: int, read: int, out: int
) -> None:
    catalog = builtin()
    model = catalog.models[id_]
    usage = Usage(input=fresh, write_5m=short, write_1h=long, read=read, output=out)
    bill = price_usage(usage, model, catalog.platforms["anthropic"])
    assert sum(bill.parts.values()) == bill.total
    assert bill.prices.input is not None
    assert bill.parts["input"] * 10**6 == fresh * bill.prices.input
    assert "E" not in plain(bill.total)
    assert Decimal(plain(bill.total)) == bill.total


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("0.000", "0"),
        ("1E-7", "0.0000001"),
        ("10", "10"),
        ("1E+2", "100"),
        ("1.50", "1.5"),
    ],
)
def test_plain(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text
