"""Reports as JSON objects: one object, keys in a fixed order, money as exact decimal strings.

Everything is plain ASCII with escapes, so that what a prompt contains reaches a terminal, a log or
a parser only as data.
"""

from __future__ import annotations

import json
from typing import Any

from cachewise.report.model import (
    BlockReport,
    BreakpointReport,
    FileReport,
    FindingReport,
    Place,
    RequestReport,
    RunReport,
    Span,
    Tokens,
    tally,
)
from cachewise.report.money import exact

VERSION = 1
"""The version of the objects below; it changes when a key changes its meaning."""


def to_text(value: dict[str, Any]) -> str:
    """One JSON object with a line break behind it."""
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def check_object(files: list[FileReport]) -> dict[str, Any]:
    """What ``check --format json`` prints."""
    counts = tally(files)
    return {
        "version": VERSION,
        "files": [
            {
                "path": file.path,
                "format": file.format,
                "requests": [_request(request) for request in file.requests],
                "findings": [_finding(finding) for finding in file.findings],
            }
            for file in files
        ],
        "summary": {
            "files": counts.files,
            "requests": counts.requests,
            "errors": counts.errors,
            "warnings": counts.warnings,
            "infos": counts.infos,
        },
    }


def cost_object(files: list[FileReport]) -> dict[str, Any]:
    """What ``cost PATH --format json`` prints."""
    return {
        "version": VERSION,
        "files": [
            {
                "path": file.path,
                "requests": [
                    {
                        "pointer": request.pointer,
                        "provider": request.provider,
                        "platform": request.platform,
                        "model": _model(request),
                        "tokens": {**_tokens(request.tokens), "method": request.method},
                        "cost": _cost(request),
                        "pays_from_call": request.pays_from_call,
                        "run": None if request.run is None else _run(request.run),
                    }
                    for request in file.requests
                ],
            }
            for file in files
        ],
    }


def count_object(files: list[FileReport]) -> dict[str, Any]:
    """What ``count --format json`` prints; ``exact`` is false for a count made offline.

    The blocks are always counted offline: a provider counts whole requests.
    """
    return {
        "version": VERSION,
        "files": [
            {
                "path": file.path,
                "requests": [
                    {
                        "pointer": request.pointer,
                        "exact": request.exact,
                        "tokens": {**_tokens(request.tokens), "method": request.method},
                        "blocks": [_block(block) for block in request.blocks],
                        "error": request.error,
                    }
                    for request in file.requests
                ],
            }
            for file in files
        ],
    }


def _request(request: RequestReport) -> dict[str, Any]:
    return {
        "shape": request.shape,
        "provider": request.provider,
        "model": _model(request),
        "range": _range(request.span),
        "blocks": request.block_count,
        "tokens": {**_tokens(request.tokens), "method": request.method},
        "breakpoints": [_breakpoint(item) for item in request.breakpoints],
        "cost": _cost(request),
    }


def _model(request: RequestReport) -> dict[str, Any]:
    return {
        "written": request.model_written,
        "id": request.model_id,
        "known": request.model_known,
    }


def _cost(request: RequestReport) -> dict[str, Any]:
    return {
        "currency": "USD",
        "uncached": exact(request.uncached),
        "first_call": exact(request.first_call),
        "next_call": exact(request.next_call),
    }


def _run(run: RunReport) -> dict[str, Any]:
    return {
        "calls": run.calls,
        "every_seconds": int(run.every) if run.every == int(run.every) else run.every,
        "output_tokens": run.output_tokens,
        "uncached": exact(run.uncached),
        "choices": [
            {
                "ttl": choice.ttl,
                "writes": choice.writes,
                "reads": choice.reads,
                "cost": exact(choice.cost),
            }
            for choice in run.choices
        ],
        "best": run.best,
    }


def _breakpoint(item: BreakpointReport) -> dict[str, Any]:
    return {
        "pointer": item.pointer,
        "range": _range(item.span),
        "ttl": item.ttl,
        "automatic": item.automatic,
        "block": item.block,
        "prefix_tokens": _tokens(item.prefix_tokens),
        "minimum_tokens": item.minimum_tokens,
        "effective": item.effective,
    }


def _block(block: BlockReport) -> dict[str, Any]:
    return {
        "pointer": block.pointer,
        "section": block.section,
        "kind": block.kind,
        "tokens": _tokens(block.tokens),
        "prefix_tokens": _tokens(block.prefix_tokens),
    }


def _finding(finding: FindingReport) -> dict[str, Any]:
    return {
        "code": finding.code,
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "pointer": finding.pointer,
        "range": _range(finding.span),
        "related": [_place(place) for place in finding.related],
        "fixes": list(finding.fixes),
        "url": finding.url,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"message": place.message, "pointer": place.pointer, "range": _range(place.span)}


def _range(span: Span) -> dict[str, Any]:
    return {
        "start": {"line": span.start_line, "character": span.start_column},
        "end": {"line": span.end_line, "character": span.end_column},
    }


def _tokens(tokens: Tokens) -> dict[str, int]:
    return {"estimate": tokens.estimate, "low": tokens.low, "high": tokens.high}
