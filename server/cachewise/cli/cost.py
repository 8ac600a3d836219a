"""``cachewise cost``: what requests cost, in one call and in a run; or what a response has cost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from cachewise.analysis import Document
from cachewise.analysis.overview import file_report
from cachewise.analysis.reference import Traffic, options_for, price_response
from cachewise.cli.files import Configurations, Input, Source, read_source
from cachewise.cli.output import InputError, wants_color, warn
from cachewise.cli.work import Work, current_catalog, today
from cachewise.report.json import cost_object, to_text
from cachewise.report.model import FileReport
from cachewise.report.money import exact
from cachewise.report.text import plural, run_lines, write
from cachewise.settings import seconds

DEFAULT = Traffic(every=60, calls=10, output_tokens=0)
"""A run of which only a part is described."""


def cost(options: argparse.Namespace) -> int:
    """Print costs; 2 when a file cannot be read or a response cannot be priced."""
    if options.usage is not None:
        if options.paths:
            raise InputError("Give either PATHs or --usage FILE.")
        return _usage(options)
    if not options.paths:
        raise InputError("Give the files to price, or --usage FILE.")
    given = [
        name for name in ("provider", "region", "geo", "speed", "batch") if getattr(options, name)
    ]
    if given:
        raise InputError(f"--{given[0]} belongs to --usage FILE; a request says it itself.")
    every = every_of(options.every)
    work = Work(options.paths, options.stdin_filename, model=options.model)

    def look(_: Source, document: Document) -> FileReport:
        return file_report(
            document, traffic=_traffic(options, every, document.options.settings.traffic)
        )

    files = work.reports(look)
    if options.format == "json":
        sys.stdout.write(to_text(cost_object(files)))
    else:
        color = wants_color(sys.stdout)
        for file in files:
            write(run_lines(file), sys.stdout, color=color)
        number = sum(len(file.requests) for file in files)
        if not number:
            sys.stdout.write(f"No request in {plural(len(files), 'file')}.\n")
    return 2 if work.failed else 0


def every_of(written: str | None) -> float | None:
    """What ``--every`` says, in seconds. Raises ``InputError`` for what is no duration."""
    try:
        return None if written is None else seconds(written)
    except ValueError as problem:
        raise InputError(f"--every: {problem}") from problem


def _traffic(
    options: argparse.Namespace, every: float | None, declared: Traffic | None
) -> Traffic | None:
    """The run to price: what the options say, for the rest what the settings declare."""
    if every is None and options.calls is None and options.output_tokens is None:
        return declared
    base = declared or DEFAULT
    return Traffic(
        every=base.every if every is None else every,
        calls=base.calls if options.calls is None else options.calls,
        output_tokens=(
            base.output_tokens if options.output_tokens is None else options.output_tokens
        ),
    )


def _usage(options: argparse.Namespace) -> int:
    if options.model is None:
        raise InputError("--usage needs --model M: a usage object does not name its model.")
    given = [
        name for name in ("calls", "every", "output_tokens") if getattr(options, name) is not None
    ]
    if given:
        raise InputError(f"--{given[0].replace('_', '-')} describes a run, not a response.")
    response = _read_response(options.usage)
    configuration = Configurations().of(Path.cwd())
    catalog = current_catalog()
    if configuration.settings.prices:
        settings, problems = options_for(configuration.settings, today(), catalog=catalog)
        catalog = settings.catalog
        for problem in problems:
            warn(problem)
    try:
        priced = price_response(
            catalog,
            response,
            model=options.model,
            platform=options.provider,
            region=options.region,
            batch=options.batch,
            geo=options.geo,
            speed=options.speed,
            today=today(),
        )
    except ValueError as problem:
        raise InputError(f"{options.usage}: {problem}") from problem
    bill = priced.bill
    if options.format == "json":
        sys.stdout.write(
            to_text(
                {
                    "version": 1,
                    "model": priced.model,
                    "provider": priced.provider,
                    "currency": "USD",
                    "cost": exact(bill.total),
                    "parts": {name: exact(amount) for name, amount in bill.parts.items()},
                }
            )
        )
        return 0
    lines: list[list[tuple[str, str]]] = [
        [(f"${exact(bill.total)}", "bold"), (f"  {priced.model} ({priced.provider})", "")]
    ]
    lines += (
        [(f"  {_PARTS[name]:<12} ${exact(amount)}", "")]
        for name, amount in bill.parts.items()
        if amount
    )
    write(lines, sys.stdout, color=wants_color(sys.stdout))
    return 0


_PARTS = {
    "input": "input",
    "write_5m": "write, short",
    "write_1h": "write, long",
    "read": "read",
    "output": "output",
    "other": "other",
}


def _read_response(path: str) -> Mapping[str, Any]:
    source = read_source(
        Input("standard input", None, True) if path == "-" else Input(path, Path(path), True)
    )
    if source is None:
        raise InputError(f"{path}: there is nothing to read.")
    try:
        value: object = json.loads(source.text, parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path}: this is no JSON ({problem}).") from problem
    if not isinstance(value, dict):
        raise InputError(f"{path}: a usage object, or a response that contains one, is wanted.")
    return cast("dict[str, Any]", value)
