"""``cachewise replay``, ``diff`` and ``stats``: recorded traffic, streamed from the files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from cachewise.analysis import Document, Located, Options
from cachewise.analysis.reference import options_for
from cachewise.analysis.stats import gather
from cachewise.analysis.steps import Summary, TraceStep, replay_requests
from cachewise.analysis.trace import replay_lines
from cachewise.analysis.trace_overview import stats_report, step_report, summary_report
from cachewise.cli.files import Configurations, Input, find_inputs, read_source, reason
from cachewise.cli.output import InputError, Progress, error, wants_color, warn
from cachewise.cli.work import current_catalog, today
from cachewise.report.json import to_text
from cachewise.report.text import write
from cachewise.report.trace import (
    html_pieces,
    stats_lines,
    stats_object,
    step_lines,
    summary_lines,
    trace_pieces,
    unreadable_lines,
    version_piece,
)


def replay(options: argparse.Namespace) -> int:
    """Print the steps of each trace; 2 when a trace cannot be read."""
    configurations = Configurations()
    traces = _traces(options.traces, options.stdin_filename, configurations)
    if options.format == "html" and len(traces.names) != 1:
        raise InputError("--format html takes one trace.")
    several = len(traces.names) > 1
    out = sys.stdout
    if options.format == "json":
        out.write("{" + version_piece())
        if several:
            out.write('"traces": [\n')
    for number, name in enumerate(traces.names):
        summary = Summary()
        steps = map(step_report, _steps(name, traces, configurations, summary))
        if options.format == "json":
            if several:
                out.write((",\n" if number else "") + '{"path": ' + to_text_string(name) + ",\n")
            out.writelines(trace_pieces(steps, lambda s=summary: summary_report(s)))
            if several:
                out.write("}")
        elif options.format == "html":
            out.writelines(html_pieces(name, steps, lambda s=summary: summary_report(s)))
        else:
            color = wants_color(out)
            if several:
                write([[(name, "bold")]], out, color=color)
            for step in steps:
                write(step_lines(step), out, color=color)
            write(summary_lines(summary_report(summary)), out, color=color)
        if options.format != "text" and summary.unreadable_count:
            warn(
                f"{name}: {unreadable_lines(summary.unreadable_count)}, the first is line "
                f"{summary.unreadable[0].line}: {summary.unreadable[0].why}."
            )
    if options.format == "json":
        out.write("]}\n" if several else "}\n")
    return 2 if traces.failed else 0


def to_text_string(text: str) -> str:
    """A text as a JSON string."""
    return to_text({"": text}).strip().removeprefix('{\n  "": ').removesuffix("\n}")


class _Traces:
    """The files of a command. ``failed`` is set once one of them could not be used."""

    def __init__(self, inputs: Sequence[Input], failed: bool) -> None:
        self.names = [item.path for item in inputs]
        self.files = {item.path: item.file for item in inputs}
        self.inputs = {item.path: item for item in inputs}
        self.failed = failed


def _traces(
    paths: Sequence[str], stdin_name: str | None, configurations: Configurations
) -> _Traces:
    inputs, usable = find_inputs(paths, stdin_name or _STDIN, configurations)
    # Of a folder only what can be a recording: its sources and pages are none.
    taken = [
        item
        for item in inputs
        if item.named or (item.file is not None and item.file.suffix.lower() in _RECORDINGS)
    ]
    return _Traces(taken, not usable)


_STDIN = "standard-input.jsonl"
"""What standard input is taken for when the command line gives it no name."""

_LINES = (".jsonl", ".ndjson", ".log")
_RECORDINGS = (*_LINES, ".json")


def _steps(
    name: str, traces: _Traces, configurations: Configurations, summary: Summary
) -> Iterator[TraceStep]:
    options = _options(name, configurations)
    file = traces.files[name]
    progress = Progress("Replaying")
    try:
        if file is not None and not _is_lines(file):
            yield from _whole(traces.inputs[name], options, summary)
            return
        with _open(file) as stream:
            lines: Iterable[str] = stream
            if file is None and not name.lower().endswith(_LINES):
                lines = _whole_or_lines(stream)
            for number, step in enumerate(
                replay_lines(enumerate(_text_lines(lines, name), 1), options, summary), 1
            ):
                progress.step(number, 0, name)
                yield step
    except (OSError, InputError) as problem:
        progress.end()
        error(str(problem) if isinstance(problem, InputError) else f"{name}: {reason(problem)}.")
        traces.failed = True
    finally:
        progress.end()


def _whole(item: Input, options: Options, summary: Summary) -> Iterator[TraceStep]:
    """The steps of a trace that is one JSON value: a list of requests, a batch.

    A file of a folder may be something else; one that is named must hold a request.
    """
    source = read_source(item)
    if source is None:
        return
    requests = Document(source.text, source.format, options, item.path).requests
    if not requests and item.named:
        raise InputError(f"{item.path}: no request of a known shape is in it.")
    yield from replay_requests(requests, options, summary)


def _options(name: str, configurations: Configurations) -> Options:
    file = Path(name)
    settings = configurations.of(file.parent).for_file(file)
    options, problems = options_for(settings, today(), catalog=current_catalog())
    for problem in problems:
        warn(problem)
    return options


def _is_lines(file: Path) -> bool:
    """Whether a file holds one JSON value a line, by its name, else by its first line."""
    if file.suffix.lower() in _LINES:
        return True
    with file.open("rb") as stream:
        first = stream.readline(1 << 16).strip()
        second = stream.readline(16).strip()
    return first.startswith(b"{") and first.endswith(b"}") and (not second or second[:1] == b"{")


def _open(file: Path | None) -> TextIO:
    if file is None:
        return TextIOWrapper(sys.stdin.buffer, "utf-8-sig", "replace", newline="\n")
    # Lines end at \n alone: a prompt may hold any other separator.
    return file.open(encoding="utf-8-sig", errors="replace", newline="\n")


def _whole_or_lines(stream: TextIO) -> Iterator[str]:
    """The lines of standard input; one only, when it is one JSON value that spans lines."""
    first = stream.readline()
    if first.strip().startswith("{") and first.strip().endswith("}"):
        yield first
        yield from stream
    else:
        yield first + stream.read()


def _text_lines(stream: Iterable[str], name: str) -> Iterator[str]:
    """The lines without their ends. Raises ``InputError`` for a file that is no text at all."""
    for number, line in enumerate(stream):
        if not number and "\0" in line:
            raise InputError(f"{name}: this is not a text file.")
        yield line.rstrip("\r\n")


def diff(options: argparse.Namespace) -> int:
    """Compare two request bodies; 2 when one cannot be read."""
    configurations = Configurations()
    found: list[Located] = []
    settings = _options(options.a, configurations)
    for path in (options.a, options.b):
        inputs, usable = find_inputs([path], None, configurations)
        if not usable or not inputs:
            return 2
        source = read_source(inputs[0])
        if source is None:
            return 2
        requests = Document(source.text, source.format, settings, path).requests
        if not requests:
            raise InputError(f"{path}: no request of a known shape is in it.")
        found.append(requests[0])
    summary = Summary()
    steps = [
        step_report(result) for result in replay_requests(found, settings, summary, together=True)
    ]
    if options.format == "json":
        sys.stdout.write("{" + version_piece())
        sys.stdout.writelines(trace_pieces(iter(steps), lambda: summary_report(summary)))
        sys.stdout.write("}\n")
        return 0
    color = wants_color(sys.stdout)
    first, second = steps
    cached = first.predicted.write_5m + first.predicted.write_1h
    if not cached:
        line = "Nothing of the first request is cached, so the second has nothing to read."
    elif second.outcome == "hit":
        line = f"The second request reads {second.predicted.read:,} of {cached:,} cached tokens."
    else:
        line = (
            f"The second request reads {second.predicted.read:,} of {cached:,} cached tokens"
            f" ({second.reason})."
        )
    write([[(line, "bold")]], sys.stdout, color=color)
    for step in steps:
        write(step_lines(step), sys.stdout, color=color)
    return 0


def stats(options: argparse.Namespace) -> int:
    """Print sums over usage logs; 2 when a file cannot be read."""
    configurations = Configurations()
    traces = _traces(options.paths, options.stdin_filename, configurations)
    settings = _options(traces.names[0] if traces.names else ".", configurations)
    progress = Progress("Reading")

    def sources() -> Iterator[tuple[str, Iterator[tuple[int, str]]]]:
        for number, name in enumerate(traces.names, 1):
            progress.step(number, len(traces.names), name)
            yield name, _numbered(name, traces)

    report = stats_report(gather(sources(), settings))
    progress.end()
    if options.format == "json":
        sys.stdout.write(to_text(stats_object(report)))
    elif not report.total.calls:
        sys.stdout.write("No usage was found.\n")
    else:
        write(stats_lines(report), sys.stdout, color=wants_color(sys.stdout))
    return 2 if traces.failed else 0


def _numbered(name: str, traces: _Traces) -> Iterator[tuple[int, str]]:
    try:
        with _open(traces.files[name]) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and "\0" in line:
                    raise InputError(f"{name}: this is not a text file.")
                yield number, line
    except (OSError, InputError) as problem:
        error(str(problem) if isinstance(problem, InputError) else f"{name}: {reason(problem)}.")
        traces.failed = True
