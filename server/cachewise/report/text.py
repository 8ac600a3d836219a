"""Reports for people: the source line with an underline, then the costs, then a summary.

The functions give lines, each a sequence of (text, style) pieces; ``write`` prints them, in colour
where that is wanted. Every piece that comes from a file or a prompt has gone through ``visible``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from cachewise.report.model import Excerpt, FileReport, FindingReport, RequestReport, Tally, Tokens
from cachewise.report.money import dollars
from cachewise.report.visible import visible, width

Line = list[tuple[str, str]]
"""Pieces of one line, each with its style (empty: none), in the words of the rich library."""

_SEVERITY_STYLE = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_DIM = "dim"
_GUTTER = "blue"
_MAX_RELATED = 4


def findings_lines(file: FileReport) -> Iterator[Line]:
    """Each finding of a file, with its source line, related places and fix."""
    for finding in file.findings:
        yield from _finding(file.path, finding)
        yield []


def costs_lines(files: Iterable[FileReport]) -> Iterator[Line]:
    """One line a request: where, which model, how big, and what a call costs."""
    for file in files:
        for request in file.requests:
            yield _cost_line(file.path, request)


def summary_line(counts: Tally, fixable: int) -> Line:
    """The last line of a check."""
    what: Line = []
    for number, name, style in (
        (counts.errors, "error", "bold red"),
        (counts.warnings, "warning", "bold yellow"),
        (counts.infos, "info", "bold cyan"),
    ):
        if number:
            text = "info" if name == "info" else plural(number, name)
            what += [(", ", "")] if what else []
            what.append((f"{number} {name}" if name == "info" else text, style))
    if not what:
        what.append(("nothing to report", "bold green"))
    where = f" in {plural(counts.requests, 'request')} of {plural(counts.files, 'file')}"
    what.append((where, ""))
    if fixable:
        what.append((f"; --fix can repair {fixable}", ""))
    return what


def run_lines(file: FileReport) -> Iterator[Line]:
    """For each request the costs of one call and, when a cadence is given, of the whole run."""
    for request in file.requests:
        yield _cost_line(file.path, request)
        if request.pays_from_call is not None:
            yield [(f"    caching pays from call {request.pays_from_call} on", "")]
        elif any(item.effective is not False for item in request.breakpoints):
            yield [("    caching never pays here", "")]
        else:
            yield [("    nothing is cached", "")]
        run = request.run
        if run is None:
            continue
        each = f", {run.output_tokens:,} output tokens each" if run.output_tokens else ""
        yield [(f"    {plural(run.calls, 'call')}, one every {duration(run.every)}{each}:", "")]
        yield _choice("no cache", dollars(run.uncached), "", run.best == "none")
        for choice in run.choices:
            detail = f"{plural(choice.writes, 'write')}, {plural(choice.reads, 'read')}"
            best = run.best == choice.ttl
            yield _choice(f"ttl {choice.ttl}", dollars(choice.cost), detail, best)


def count_lines(file: FileReport) -> Iterator[Line]:
    """For each request its blocks with their tokens and those of the prefix so far."""
    for request in file.requests:
        yield [
            (f"{_where(file.path, request)}  ", "bold"),
            (f"{_tokens(request.tokens, request.at_least)} tokens ({request.method})", ""),
        ]
        if request.error is not None:
            yield [(visible(f"  not counted exactly: {request.error}"), "yellow")]
        marks = {item.block: item for item in request.breakpoints}
        for number, block in enumerate(request.blocks, 1):
            mark = marks.get(number)
            yield [
                (f"  {number:>4}  ", _DIM),
                (f"{block.tokens.estimate:>9,}  {block.prefix_tokens.estimate:>10,}  ", ""),
                (visible(f"{block.pointer}  "), ""),
                (visible(block.kind), _DIM),
                (f"  ◆ {visible(mark.ttl)}" if mark else "", "bold cyan"),
            ]


def write(lines: Iterable[Line], stream: TextIO, *, color: bool) -> None:
    """Print lines; ``color`` chooses between styled text and plain text."""
    if not color:
        for line in lines:
            stream.write("".join(text for text, _ in line) + "\n")
        return
    # Imported here because plain output has no use for it and it doubles the start-up time.
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, soft_wrap=True, highlight=False)
    for line in lines:
        console.print(Text.assemble(*((text, style) for text, style in line)))


def plural(number: int, noun: str) -> str:
    """``1 file``, ``2 files``, ``1,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Seconds in the largest unit that leaves no rest: ``90 s``, ``2 min``, ``1 h``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _finding(path: str, finding: FindingReport) -> Iterator[Line]:
    style = _SEVERITY_STYLE[finding.severity]
    yield [
        (f"{finding.severity}[{finding.code}]", style),
        (f" {finding.rule}: ", "bold"),
        (visible(finding.message), ""),
    ]
    lines = [finding.excerpt.line, *(place.excerpt.line for place in finding.related)]
    gutter = len(f"{max(lines) + 1}")
    yield _arrow("-->", path, finding.excerpt, gutter)
    yield from _source(finding.excerpt, "^", style, "", gutter)
    for place in finding.related[:_MAX_RELATED]:
        yield _arrow(":::", path, place.excerpt, gutter)
        yield from _source(place.excerpt, "-", "blue", visible(place.message), gutter)
    more = len(finding.related) - _MAX_RELATED
    if more > 0:
        yield _note(gutter, "also", plural(more, "more place"))
    for number, title in enumerate(finding.fixes):
        yield _note(gutter, "or" if number else "fix", visible(title))
    yield _note(gutter, "help", f"cachewise explain {finding.rule}")


def _arrow(sign: str, path: str, excerpt: Excerpt, gutter: int) -> Line:
    place = f"{visible(path)}:{excerpt.line + 1}:{excerpt.column}"
    return [(" " * gutter + sign + " ", _GUTTER), (place, "")]


def _source(excerpt: Excerpt, mark: str, style: str, label: str, gutter: int) -> Iterator[Line]:
    before = ("…" if excerpt.cut_before else "") + visible(excerpt.text[: excerpt.start])
    inside = visible(excerpt.text[excerpt.start : excerpt.end])
    after = visible(excerpt.text[excerpt.end :]) + ("…" if excerpt.cut_after else "")
    yield [(f"{excerpt.line + 1:>{gutter}} | ", _GUTTER), (before + inside + after, "")]
    yield [
        (" " * gutter + " | ", _GUTTER),
        (" " * width(before) + mark * max(1, width(inside)), style),
        (f" {label}" if label else "", style),
    ]


def _note(gutter: int, name: str, text: str) -> Line:
    return [(" " * gutter + " = ", _GUTTER), (f"{name}: ", "bold"), (text, "")]


def _cost_line(path: str, request: RequestReport) -> Line:
    model = request.model_id or request.model_written or "no model named"
    line: Line = [
        (f"{_where(path, request)}  ", "bold"),
        (visible(model), ""),
        ("" if request.model_known or not request.model_written else " (unknown)", "yellow"),
        (
            f"  {plural(request.block_count, 'block')}, "
            f"{_tokens(request.tokens, request.at_least)} tokens",
            "",
        ),
    ]
    in_effect = [item for item in request.breakpoints if item.effective is not False]
    if request.uncached is None:
        return [*line, ("  no price known", _DIM)]
    line.append((f"  uncached {dollars(request.uncached)}", ""))
    if in_effect:
        line.append((f"  first call {dollars(request.first_call)}", ""))
        line.append((f"  next call {dollars(request.next_call)}", "green"))
        if request.next_call is not None and request.uncached:
            change = request.next_call / request.uncached - 1
            line.append((f" ({change:+.0%})".replace("-", "\N{MINUS SIGN}"), _DIM))
    else:
        line.append(("  nothing cached", _DIM))
    return line


def _where(path: str, request: RequestReport) -> str:
    return f"{visible(path)}:{request.span.start_line + 1}"


def _tokens(tokens: Tokens, at_least: bool) -> str:
    if at_least:
        return f"at least {tokens.low:,}"
    if tokens.low == tokens.high:
        return f"{tokens.estimate:,}"
    return f"{tokens.estimate:,} ({tokens.low:,} to {tokens.high:,})"


def _choice(name: str, amount: str, detail: str, best: bool) -> Line:
    return [
        (f"      {name:<10} {amount:>12}", "bold" if best else ""),
        (f"  {detail}" if detail else "", _DIM),
        ("  ← cheapest" if best else "", "green"),
    ]
