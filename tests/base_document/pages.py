"""Requests and answers of the engine, as the tests of this folder need them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from cachewise.analysis import Document, LocatedFinding, Options
from cachewise.analysis.steps import Summary, TraceStep, replay_requests
from cachewise.catalog import builtin
from cachewise.settings import Settings

CATALOG = builtin()
TODAY = date(2026, 11, 21)
MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
LONG_MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
BLOCK = (
    "The harbour master writes down each ship, its crew, and the hour at which it came in. " * 15
)
"""About 300 tokens: four such blocks are over the minimum of most models."""


def text(value: str, marked: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": value, **(MARK if marked else {})}


def numbered(count: int, marks: set[int], changed: dict[int, str] | None = None) -> dict[str, Any]:
    """A request of so many blocks, numbered from 1 and marked at some."""
    names = changed or {}
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 10,
        "messages": [
            {
                "role": "user",
                "content": [
                    text(f"{names.get(number, f'Block {number}')}. {BLOCK}", number in marks)
                    for number in range(1, count + 1)
                ],
            }
        ],
    }


def options(semantics: str = "current", select: tuple[str, ...] = ()) -> Options:
    return Options(CATALOG, Settings(semantics=semantics, select=select), TODAY)


def replay(*requests: dict[str, Any], semantics: str = "current") -> list[TraceStep]:
    """What the simulated cache does with a sequence of requests."""
    opts = options(semantics)
    document = Document("\n".join(map(json.dumps, requests)), "jsonl", opts)
    return list(replay_requests(document.requests, opts, Summary()))


def hit_block(step: TraceStep) -> int:
    """The number of the block whose entry a call reads, counted from 1; 0 for none."""
    return step.step.hit + 1


def findings(request: dict[str, Any], *codes: str) -> list[LocatedFinding]:
    """What rules say about one request."""
    return Document(json.dumps(request), "json", options(select=codes)).findings()
