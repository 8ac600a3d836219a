"""Model ids as people write them, and what they are taken for."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.catalog import (
    Catalog,
    Lifecycle,
    builtin,
    effective_minimum,
    effective_ttls,
    lifecycle,
    resolve,
    target_of_url,
)

S45 = "claude-sonnet-4-5-20250929"
H45 = "claude-haiku-4-5-20251001"


@pytest.mark.parametrize(
    ("written", "hint", "id_", "platform", "region"),
    [
        ("claude-sonnet-4-5", None, "claude-sonnet-4-5", "anthropic", None),
        ("claude-sonnet-4-5-20250929", None, S45, "anthropic", None),
        ("Claude-Sonnet-4-5", None, "claude-sonnet-4-5", "anthropic", None),
        (" claude-sonnet-4-5 ", None, "claude-sonnet-4-5", "anthropic", None),
        ("claude-opus-4-1", None, "claude-opus-4-1-20250805", "anthropic", None),
        ("claude-opus-4-0", None, "claude-opus-4-20250514", "anthropic", None),
        ("claude-sonnet-4-0", None, "claude-sonnet-4-20250514", "anthropic", None),
        ("claude-3-7-sonnet-latest", None, "claude-3-7-sonnet-20250219", "anthropic", None),
        ("claude-3-5-haiku-latest", None, "claude-3-5-haiku-20241022", "anthropic", None),
        ("claude-3-opus-latest", None, "claude-3-opus-20240229", "anthropic", None),
        ("claude-3-5-sonnet", None, "claude-3-5-sonnet-20241022", "anthropic", None),
        ("claude-4-5-sonnet", None, "claude-sonnet-4-5", "anthropic", None),
        ("claude-4-sonnet-20250514", None, "claude-sonnet-4-20250514", "anthropic", None),
        ("claude-sonnet-4-5[1m]", None, "claude-sonnet-4-5", "anthropic", None),
        # Constants of the software kits.
        ("Model.CLAUDE_OPUS_4_20250514", None, "claude-opus-4-20250514", "anthropic", None),
        ("CLAUDE_SONNET_4_5", None, "claude-sonnet-4-5", "anthropic", None),
        ("Model.CLAUDE_3_7_SONNET_LATEST", None, "claude-3-7-sonnet-20250219", "anthropic", None),
        ("anthropic.ModelClaudeSonnet4_5_20250929", None, S45, "anthropic", None),
        ("ModelClaude3_7SonnetLatest", None, "claude-3-7-sonnet-20250219", "anthropic", None),
        ("anthropic::Model::ClaudeHaiku4_5", None, "claude-haiku-4-5", "anthropic", None),
        # Bedrock.
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", None, S45, "bedrock", None),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", None, S45, "bedrock", "us"),
        ("eu.anthropic.claude-opus-4-6-v1", None, "claude-opus-4-6", "bedrock", "eu"),
        ("au.anthropic.claude-opus-5", None, "claude-opus-5", "bedrock", "au"),
        ("jp.anthropic.claude-opus-5", None, "claude-opus-5", "bedrock", "jp"),
        ("apac.anthropic.claude-sonnet-5", None, "claude-sonnet-5", "bedrock", "apac"),
        ("us-gov.anthropic.claude-opus-4-8", None, "claude-opus-4-8", "bedrock", "us-gov"),
        ("global.anthropic.claude-haiku-5-5", None, "claude-haiku-5-5", "bedrock", "global"),
        ("anthropic.claude-fable-5-2", None, "claude-fable-5-2", "bedrock", None),
        (
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            None,
            "claude-3-5-sonnet-20241022",
            "bedrock",
            None,
        ),
        ("us.amazon.nova-pro-v1:0", None, "amazon-nova-pro", "bedrock", "us"),
        ("amazon.nova-lite-v1:0", None, "amazon-nova-lite", "bedrock", None),
        (
            f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.{H45}-v1:0",
            None,
            H45,
            "bedrock",
            "us",
        ),
        (
            f"arn:aws:bedrock:us-east-1::foundation-model/anthropic.{S45}-v1:0",
            None,
            S45,
            "bedrock",
            None,
        ),
        (f"bedrock/us.anthropic.{S45}-v1:0", "anthropic", S45, "bedrock", "us"),
        (
            "bedrock/converse/eu.anthropic.claude-opus-4-6-v1",
            None,
            "claude-opus-4-6",
            "bedrock",
            "eu",
        ),
        (f"bedrock/us-west-2/anthropic.{S45}-v1:0", None, S45, "bedrock", None),
        ("anthropic.claude-opus-5-5", "bedrock-mantle", "claude-opus-5-5", "bedrock-mantle", None),
        (
            "bedrock_mantle/anthropic.claude-opus-5-5",
            None,
            "claude-opus-5-5",
            "bedrock-mantle",
            None,
        ),
        # Vertex AI.
        ("claude-sonnet-4-5@20250929", None, S45, "vertex", None),
        ("claude-opus-4-6@default", None, "claude-opus-4-6", "vertex", None),
        ("claude-3-5-sonnet-v2@20241022", None, "claude-3-5-sonnet-20241022", "vertex", None),
        ("vertex_ai/claude-haiku-4-5@20251001", None, H45, "vertex", None),
        ("vertex_ai/claude-sonnet-4-6", None, "claude-sonnet-4-6", "vertex", None),
        (
            "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929",
            None,
            S45,
            "vertex",
            "us-east5",
        ),
        ("vertex_ai/gemini-2.5-pro", None, "gemini-2.5-pro", "vertex", None),
        # Gateways.
        ("anthropic/claude-sonnet-4.5", None, "claude-sonnet-4-5", "openrouter", None),
        ("anthropic/claude-sonnet-4.5:beta", None, "claude-sonnet-4-5", "openrouter", None),
        (
            "anthropic/claude-3.7-sonnet:thinking",
            None,
            "claude-3-7-sonnet-20250219",
            "openrouter",
            None,
        ),
        (
            "anthropic/claude-sonnet-4:thinking",
            None,
            "claude-sonnet-4-20250514",
            "openrouter",
            None,
        ),
        ("openrouter/anthropic/claude-opus-4.8", None, "claude-opus-4-8", "openrouter", None),
        ("anthropic/claude-sonnet-4-5", None, "claude-sonnet-4-5", "anthropic", None),
        ("anthropic/claude-sonnet-4-5", "openrouter", "claude-sonnet-4-5", "openrouter", None),
        ("anthropic/claude-sonnet-4-5", "litellm", "claude-sonnet-4-5", "anthropic", None),
        ("claude-sonnet-4-5", "litellm", "claude-sonnet-4-5", "litellm", None),
        ("qwen/qwen3-coder-plus", "openrouter", "qwen3-coder-plus", "openrouter", None),
        ("azure_ai/claude-opus-4-8", None, "claude-opus-4-8", "foundry", None),
        # A first-party spelling goes where the hint says.
        ("claude-opus-5", "foundry", "claude-opus-5", "foundry", None),
        ("claude-opus-5", "claude-platform-aws", "claude-opus-5", "claude-platform-aws", None),
        ("claude-opus-5", "vertex", "claude-opus-5", "vertex", None),
        # Other makers' names are theirs, whatever the shape suggests.
        ("gpt-4o", "anthropic", "gpt-4o", "openai", None),
        ("gpt-4o", "azure", "gpt-4o", "azure", None),
        ("gpt-4o-2024-08-06", None, "gpt-4o", "openai", None),
        ("gpt-4o-2024-05-13", None, "gpt-4o-2024-05-13", "openai", None),
        ("gpt-5.2_2025-12-11", None, "gpt-5.2", "openai", None),
        ("openai/gpt-4o", None, "gpt-4o", "openai", None),
        ("gpt-5.6-sol", None, "gpt-5.6", "openai", None),
        ("gemini-3.1-pro-preview", None, "gemini-3.1-pro", "google", None),
        ("models/gemini-2.5-flash", None, "gemini-2.5-flash", "google", None),
        ("gemini/gemini-4-argon", None, "gemini-4-argon", "google", None),
        ("qwen3-coder-plus", None, "qwen3-coder-plus", "dashscope", None),
        ("dashscope/qwen3-max", None, "qwen3-max", "dashscope", None),
        ("qwen4-max", None, "qwen4", "dashscope", None),
    ],
)
def test_known(
    catalog: Catalog, written: str, hint: str | None, id_: str, platform: str, region: str | None
) -> None:
    found = resolve(catalog, written, hint)
    assert found.known
    assert (found.id, found.platform, found.regional) == (id_, platform, region)
    assert found.model is catalog.models[id_]
    assert (found.written, found.nearest) == (written, ())


@pytest.mark.parametrize(
    ("written", "hint", "platform", "nearest"),
    [
        ("claude-sonet-4-5", None, "anthropic", "claude-sonnet-4-5"),
        ("claude-opus-5-6", None, "anthropic", "claude-opus-5-5"),
        ("sonnet-4-5", None, "unknown", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5-20990101", None, "anthropic", "claude-sonnet-4-5-20250929"),
        ("gpt-4.2", None, "openai", "gpt-4.1"),
        ("us.anthropic.claude-sonet-4-6", None, "bedrock", "claude-sonnet-4-6"),
    ],
)
def test_unknown_with_nearest(
    catalog: Catalog, written: str, hint: str | None, platform: str, nearest: str
) -> None:
    found = resolve(catalog, written, hint)
    assert not found.known
    assert (found.id, found.model, found.platform) == (None, None, platform)
    assert nearest in found.nearest
    assert len(found.nearest) <= 3
    assert all(id_ in catalog.models for id_ in found.nearest)


@pytest.mark.parametrize(
    "written",
    [
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
        "arn:aws-us-gov:bedrock:us-gov-west-1:1:provisioned-model/claude-sonnet-4-5",
    ],
)
def test_an_opaque_profile_is_not_guessed(catalog: Catalog, written: str) -> None:
    found = resolve(catalog, written, None)
    assert (found.known, found.id, found.platform, found.nearest) == (False, None, "bedrock", ())


def test_another_makers_model_is_never_near(catalog: Catalog) -> None:
    assert resolve(catalog, "grok-3-mini", None).nearest == ()


@pytest.mark.parametrize("written", [None, "", "   "])
def test_no_model(catalog: Catalog, written: str | None) -> None:
    found = resolve(catalog, written, "bedrock")
    assert (found.known, found.id, found.platform, found.nearest) == (False, None, "bedrock", ())
    assert resolve(catalog, written, None).platform == "unknown"


def test_every_spelling_of_the_catalog_finds_its_row(catalog: Catalog) -> None:
    for model in catalog.models.values():
        assert resolve(catalog, model.id, None).id == model.id
        target = model.alias_of or model.id
        for alias in model.aliases:
            assert resolve(catalog, alias, None).id == target
        for platform, ids in model.platform_ids.items():
            for id_ in ids:
                found = resolve(catalog, id_, platform)
                assert (found.id, found.platform) == (target, platform)


@given(st.text(max_size=200), st.sampled_from([None, "anthropic", "openrouter", "nowhere"]))
def test_any_text_is_answered(written: str, hint: str | None) -> None:
    found = resolve(builtin(), written, hint)
    assert found.known == (found.model is not None)
    assert found.platform


@given(
    st.sampled_from(sorted(builtin().models)),
    st.sampled_from(["us", "eu", "au", "jp", "apac", "us-gov", "global"]),
)
def test_case_and_region_change_nothing(id_: str, region: str) -> None:
    catalog = builtin()
    assert resolve(catalog, id_.upper(), None).id == id_
    if catalog.models[id_].provider == "anthropic":
        found = resolve(catalog, f"{region}.anthropic.{id_}-v1:0", None)
        assert (found.id, found.regional) == (id_, region)


# What holds where


def test_minimum_by_platform(catalog: Catalog) -> None:
    opus = catalog.models["claude-opus-4-7"]
    assert effective_minimum(opus, "anthropic") == 2048
    assert effective_minimum(opus, "bedrock") == 4096
    assert effective_minimum(opus, "vertex") == 2048
    argon = catalog.models["gemini-4-argon"]
    assert effective_minimum(argon, "google") == 4096
    assert effective_minimum(argon, "vertex") == 6144


def test_ttls_by_platform(catalog: Catalog) -> None:
    sonnet = catalog.models["claude-3-7-sonnet-20250219"]
    assert effective_ttls(sonnet, "anthropic") == ("5m", "1h")
    assert effective_ttls(sonnet, "bedrock") == ("5m",)
    assert effective_ttls(catalog.models["gpt-5.6"], "openai") == ("30m", "12h")
    assert effective_ttls(catalog.models["gpt-4o"], "openai") == ()


TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("id_", "platform", "today", "expected"),
    [
        ("claude-sonnet-4-5", "anthropic", TODAY, ("deprecated", date(2026, 11, 30))),
        ("claude-sonnet-4-5", "anthropic", date(2026, 11, 29), ("deprecated", date(2026, 11, 30))),
        ("claude-sonnet-4-5", "anthropic", date(2026, 11, 30), ("retired", date(2026, 11, 30))),
        ("claude-sonnet-4-5", "foundry", TODAY, ("deprecated", date(2026, 11, 30))),
        ("claude-sonnet-4-5", "claude-platform-aws", TODAY, ("deprecated", date(2026, 11, 30))),
        ("claude-sonnet-4-5", "bedrock", TODAY, ("deprecated", date(2027, 4, 8))),
        ("claude-sonnet-4-5", "vertex", TODAY, ("unknown", None)),
        ("claude-sonnet-4-5", "openrouter", TODAY, ("unknown", None)),
        ("claude-opus-4-1-20250805", "anthropic", TODAY, ("retired", date(2026, 8, 5))),
        ("claude-opus-4-1-20250805", "bedrock", TODAY, ("deprecated", date(2027, 1, 8))),
        ("claude-opus-4-1-20250805", "vertex", TODAY, ("legacy", None)),
        ("claude-opus-4-20250514", "vertex", TODAY, ("legacy", None)),
        ("claude-opus-4-20250514", "bedrock", TODAY, ("retired", date(2026, 6, 15))),
        ("claude-3-opus-20240229", "openrouter", TODAY, ("retired", date(2026, 1, 5))),
        ("claude-opus-4-20250514", "openrouter", TODAY, ("unknown", None)),
        ("claude-opus-5-5", "anthropic", TODAY, ("active", None)),
        ("claude-opus-5-5", "bedrock", TODAY, ("active", None)),
        ("gpt-5", "openai", TODAY, ("deprecated", date(2026, 12, 11))),
        ("o3-mini", "openai", TODAY, ("retired", date(2026, 10, 23))),
    ],
)
def test_lifecycle(
    catalog: Catalog, id_: str, platform: str, today: date, expected: tuple[str, date | None]
) -> None:
    found = lifecycle(catalog, catalog.models[id_], platform, today)
    assert (found.status, found.retires) == expected


def test_not_before_is_no_date(catalog: Catalog) -> None:
    found = lifecycle(catalog, catalog.models["claude-haiku-4-5"], "anthropic", TODAY)
    assert found == Lifecycle("active", None, date(2026, 10, 15))


def test_successors(catalog: Catalog) -> None:
    sonnet = catalog.models["claude-sonnet-4-5"]
    assert (sonnet.successor, sonnet.successor_stated) == ("claude-sonnet-5-5", True)
    opus = catalog.models["claude-opus-5"]
    assert (opus.successor, opus.successor_stated) == ("claude-opus-5-5", False)
    assert catalog.models["claude-opus-5-5"].successor is None
    for model in catalog.models.values():
        assert model.successor != model.id
        assert model.successor is None or model.successor in catalog.models
        if model.status == "retired":
            assert model.successor is not None


# URLs


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.anthropic.com/v1/messages", ("anthropic", None, None)),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-opus-5/invoke",
            ("bedrock", "us-east-1", "us.anthropic.claude-opus-5"),
        ),
        ("/model/amazon.nova-lite-v1%3A0/converse", ("bedrock", None, "amazon.nova-lite-v1:0")),
        (
            "https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages",
            ("bedrock-mantle", "eu-west-1", None),
        ),
        (
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers"
            "/anthropic/models/claude-opus-5:streamRawPredict",
            ("vertex", "us-east5", "claude-opus-5"),
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
            ("google", None, "gemini-2.5-pro"),
        ),
        ("https://api.openai.com/v1/responses", ("openai", None, None)),
        ("https://openrouter.ai/api/v1/chat/completions", ("openrouter", None, None)),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", ("dashscope", None, None)),
        ("https://dashscope.aliyuncs.com/api/v1", ("dashscope", None, None)),
        ("https://team.services.ai.azure.com/anthropic/v1/messages", ("foundry", None, None)),
        (
            "https://team.openai.azure.com/openai/deployments/gpt-4o/chat/completions",
            ("azure", None, "gpt-4o"),
        ),
        (
            "http://localhost:4000/model/anthropic.claude-opus-5/converse",
            ("bedrock", None, "anthropic.claude-opus-5"),
        ),
    ],
)
def test_url(catalog: Catalog, url: str, expected: tuple[str, str | None, str | None]) -> None:
    target = target_of_url(catalog, url)
    assert target is not None
    assert (target.platform, target.region, target.model) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/v1/messages",
        "http://[broken",
        "http://localhost:4000/v1/messages",
        "api.anthropic.com.evil.example",
    ],
)
def test_no_platform_has_that_url(catalog: Catalog, url: str) -> None:
    assert target_of_url(catalog, url) is None


@given(st.text(max_size=100))
def test_any_url_is_answered(url: str) -> None:
    target = target_of_url(builtin(), url)
    assert target is None or target.platform in builtin().platforms
