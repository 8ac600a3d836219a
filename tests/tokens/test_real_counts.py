"""The counts against what a provider really billed, with a tokenizer and without one."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.corpus import shared_folder

from cachewise.tokens.count import estimate_only, forget, unavailable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "calibrate_tokens.py"
    spec = importlib.util.spec_from_file_location("calibrate_tokens", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def counted(script: ModuleType) -> Iterator[list[Any]]:
    forget()
    yield script.measured(shared_folder("corpus", "real_counts.jsonl"))
    forget()


@pytest.fixture(scope="module")
def estimated(script: ModuleType) -> Iterator[list[Any]]:
    path = shared_folder("corpus", "real_counts.jsonl")
    estimate_only("to measure the estimates")
    yield script.measured(path)
    forget()


def share(rows: list[Any], test: str) -> float:
    return sum(getattr(row, test) for row in rows) / len(rows)


def error_at(rows: list[Any], part: float) -> float:
    return sorted(row.error for row in rows)[int(len(rows) * part)]


needs_ctok = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="ctok needs Python 3.12: before that everything is estimated"
)


@needs_ctok
def test_counts_are_those_that_were_billed(script: ModuleType, counted: list[Any]) -> None:
    print(script.table(counted))
    assert unavailable("claude-v3") is None
    assert len(counted) > 400
    assert error_at(counted, 0.5) <= 0.001
    assert error_at(counted, 0.9) <= 0.006
    assert share(counted, "covered") >= 0.97
    assert not any(row.wrong_side for row in counted)


@needs_ctok
@pytest.mark.parametrize(
    ("kind", "exact", "width"),
    [("text", 0.95, 0.0), ("tool definitions", 0.9, 0.01), ("tool loops", 0.8, 0.01)],
)
def test_text_and_tools_are_narrow(
    counted: list[Any], kind: str, exact: float, width: float
) -> None:
    rows = [row for row in counted if row.kind == kind]
    assert sum(row.count.estimate == row.real for row in rows) / len(rows) >= exact
    assert share(rows, "covered") >= 0.96
    # Below 300 tokens one token either way is already more than this share.
    assert sorted(row.width for row in rows if row.real >= 300)[-1] <= width


@needs_ctok
def test_cached_prefixes_end_where_they_are_counted(counted: list[Any]) -> None:
    rows = [row for row in counted if row.prefix is not None]
    assert len(rows) >= 60
    assert sum(row.prefix.estimate == row.cached for row in rows) / len(rows) >= 0.95
    assert all(abs(row.prefix.estimate - row.cached) <= 2 for row in rows)


def test_estimates_hold_without_a_tokenizer(script: ModuleType, estimated: list[Any]) -> None:
    print(script.table(estimated))
    assert error_at(estimated, 0.5) <= 0.02
    assert error_at(estimated, 0.9) <= 0.10
    assert share(estimated, "covered") >= 0.97
    assert not any(row.wrong_side for row in estimated)
    texts = [row for row in estimated if row.kind == "text"]
    assert not any(row.count.exact for row in texts)
