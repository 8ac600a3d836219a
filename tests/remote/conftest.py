"""Providers for a test's time, an empty cache, and an environment without keys of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cachewise.remote import transfer
from cli.conftest import cli

from .provider import Provider, Reply, StartProvider

__all__ = ["cli"]

VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
)


@pytest.fixture(autouse=True)
def clean(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No key and no address from outside; the cache folder of this test alone."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts of hundredths of a second."""
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.01)


@pytest.fixture
def provider() -> Iterator[StartProvider]:
    """``provider(Reply(...), ...)`` starts a server; all of them end with the test."""
    started: list[Provider] = []

    def start(*replies: Reply) -> Provider:
        started.append(Provider(*replies))
        return started[-1]

    yield start
    for server in started:
        server.close()
