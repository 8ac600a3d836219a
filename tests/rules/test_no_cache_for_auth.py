"""What the setting ``auth`` says about requests."""

from __future__ import annotations

from datetime import date

import pytest

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings

BODY = '{"model": "qwen3-max", "messages": [{"role": "user", "content": "A"}]}'


def said(auth: str | None, source: str = BODY) -> list[tuple[str, str]]:
    settings = Settings(auth=auth, select=("CW405",))
    found = Document(source, "json", Options(builtin(), settings, date(2026, 11, 21))).findings()
    assert all(one.finding.severity == "warning" for one in found)
    return [(one.finding.pointer, source[one.start : one.end]) for one in found]


@pytest.mark.parametrize("auth", ["oauth-personal", "qwen-oauth", "qwen-code:qwen-oauth", "OAuth"])
def test_a_sign_in_without_a_cache_is_told_at_the_model(auth: str) -> None:
    assert said(auth) == [("/model", '"qwen3-max"')]


def test_it_is_told_at_the_first_marker_when_there_is_one() -> None:
    marker = '{"type": "ephemeral"}'
    part = f'{{"type": "text", "text": "A", "cache_control": {marker}}}'
    source = BODY.replace('"A"', f"[{part}]")
    assert said("qwen-oauth", source) == [("/messages/0/content/0/cache_control", marker)]


@pytest.mark.parametrize("auth", [None, "", "openai", "vertex-ai", "another-client:oauth", "x"])
def test_any_other_way_is_left_alone(auth: str | None) -> None:
    assert said(auth) == []
