"""Settings from TOML and from an editor: what is usable holds, the rest becomes sentences."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.analysis.reference import RULE_NAMES
from cachewise.caching.cost import Traffic
from cachewise.settings import (
    Settings,
    find_settings,
    parse_settings,
    seconds,
    settings_keys,
)

ROOT = Path(__file__).parents[2]


def test_everything_at_once() -> None:
    settings, problems = parse_settings(
        {
            "provider": "anthropic",
            "platform": "vertex",
            "model": "claude-sonnet-5-5",
            "auth": "api-key",
            "semantics": "2025-11",
            "select": ["CW1", "volatile-content"],
            "ignore": ["CW102"],
            "exclude": ["old/"],
            "per-file-ignores": {"tests/**": ["CW301"]},
            "traffic": {"every": "2m", "calls": 20, "output-tokens": 500},
            "prices": {"claude-sonnet-5-5": {"input": Decimal("1.5"), "write-5m": 2}},
            "hints": {"blocks": True},
        },
        rules=RULE_NAMES,
    )
    assert problems == ()
    assert settings.platform == "vertex"
    assert settings.semantics == "2025-11"
    assert {"CW101", "CW102", "CW301"} <= set(settings.select)
    assert "CW201" not in settings.select
    assert settings.per_file_ignores == {"tests/**": ("CW301",)}
    assert settings.traffic == Traffic(120, 20, 500)
    assert settings.prices["claude-sonnet-5-5"] == {"input": Decimal("1.5"), "write_5m": Decimal(2)}
    assert settings.hints_blocks is True


def test_an_editor_writes_camel_case_and_null() -> None:
    settings, problems = parse_settings(
        {
            "provider": None,
            "perFileIgnores": {"a.json": ["ttl-order"]},
            "traffic": {"every": "1h", "calls": None, "outputTokens": 7},
            "prices": {"m": {"write1h": 3}},
            "interpreter": "/usr/bin/python3",
            "trace": {"server": "off"},
        },
        editor=True,
        rules=RULE_NAMES,
    )
    assert problems == ()
    assert settings.provider is None
    assert settings.per_file_ignores == {"a.json": ("CW102",)}
    assert settings.traffic == Traffic(3600, 10, 7)
    assert settings.prices == {"m": {"write_1h": Decimal(3)}}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"modle": "x"}, "Did you mean 'model'?"),
        ({"traffic": {"evry": "2m"}}, "traffic.every"),
        ({"traffic": {"every": "soon"}}, "'soon' is no duration"),
        ({"traffic": {"calls": 3}}, "needs `every`"),
        ({"traffic": {"every": "2m", "calls": 0}}, "at least 1"),
        ({"traffic": 3}, "traffic must be a table"),
        ({"select": "CW101"}, "select"),
        ({"select": ["CW999"]}, "no rule 'CW999'"),
        ({"semantics": "2024"}, "semantics"),
        ({"model": 3}, "model"),
        ({"prices": {"m": {"input": "cheap"}}}, "prices.m.input"),
        ({"prices": {"m": {"input": -1}}}, "0 or more"),
        ({"prices": {"m": {"inpt": 1}}}, "'input'"),
        ({"hints": {"blocks": "yes"}}, "hints.blocks"),
        ({"exclude": ["!"]}, "no usable pattern"),
    ],
)
def test_problems_are_sentences_and_the_rest_holds(written: dict, says: str) -> None:
    settings, problems = parse_settings({**written, "auth": "oauth"}, rules=RULE_NAMES)
    assert len(problems) == 1, problems
    assert says in problems[0]
    assert problems[0].endswith((".", "?"))
    assert settings.auth == "oauth"
    assert settings == Settings(
        auth="oauth",
        **({"traffic": settings.traffic} if "every" in str(written) else {}),
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.sampled_from(
    sorted({key.name.split(".")[0] for key in settings_keys()} | {"perFileIgnores", "x"})
)


@given(st.dictionaries(names, json_values), st.booleans())
def test_nothing_that_is_written_raises(values: dict, editor: bool) -> None:
    settings, problems = parse_settings(values, editor=editor, rules=RULE_NAMES)
    assert isinstance(settings, Settings)
    assert all(isinstance(problem, str) for problem in problems)


@pytest.mark.parametrize(
    ("written", "value"),
    [("90s", 90), ("2m", 120), ("1h", 3600), ("1.5h", 5400), (" 1 d ", 86400), ("366d", 31622400)],
)
def test_durations(written: str, value: float) -> None:
    assert seconds(written) == value


@pytest.mark.parametrize("written", ["", "0s", "2", "m", "-1m", "1w", "367d", "1e3s", "٣m2"])
def test_no_durations(written: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(written)


def test_the_nearest_file_holds(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "cachewise.toml").write_text('model = "outer"\n')
    assert find_settings(inner).settings.model == "outer"
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_settings(inner).settings.model == "outer", "it has no settings in it"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.cachewise]\nmodel = 'project'\n")
    assert find_settings(inner).settings.model == "project"
    (tmp_path / "a" / "cachewise.toml").write_text('\ufeffmodel = "own"\n', encoding="utf-8")
    found = find_settings(inner)
    assert found.settings.model == "own"
    assert found.root == (tmp_path / "a").resolve()


def test_the_file_wins_over_the_editor_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "cachewise.toml").write_text('model = "file"\n[traffic]\ncalls = 3\n')
    base = Settings(model="editor", auth="oauth", traffic=Traffic(60, 9, 1))
    settings = find_settings(tmp_path, base=base).settings
    assert (settings.model, settings.auth) == ("file", "oauth")
    assert settings.traffic == Traffic(60, 3, 1)


def test_patterns_count_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "cachewise.toml").write_text(
        'exclude = ["/old", "*.bak.json"]\n[per-file-ignores]\n"sub/*.json" = ["x"]\n'
    )
    found = find_settings(tmp_path)
    assert found.excludes(tmp_path / "old", folder=True)
    assert not found.excludes(tmp_path / "sub" / "old" / "a.json")
    assert found.excludes(tmp_path / "sub" / "a.bak.json")
    assert found.for_file(tmp_path / "sub" / "a.json").ignore == ("x",)
    assert found.for_file(tmp_path / "a.json") is found.settings


def test_the_manifest_of_vs_code_has_every_setting() -> None:
    manifest = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    listed = set(manifest["contributes"]["configuration"]["properties"])
    own = {"cachewise.interpreter", "cachewise.trace.server"}
    assert {f"cachewise.{key.editor}" for key in settings_keys()} == listed - own
