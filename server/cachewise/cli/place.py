"""``cachewise place``: where the breakpoints of requests should stand, written down when asked."""

from __future__ import annotations

import argparse
import sys

from cachewise.analysis import Document
from cachewise.analysis.place import placed
from cachewise.analysis.place_report import placement_report
from cachewise.analysis.reference import Traffic
from cachewise.cli.check import difference, rewrite
from cachewise.cli.cost import DEFAULT, every_of
from cachewise.cli.files import Source
from cachewise.cli.output import InputError, wants_color
from cachewise.cli.work import Work
from cachewise.report.json import to_text
from cachewise.report.model import FileReport
from cachewise.report.place import FilePlacements, place_lines, place_object
from cachewise.report.text import Line, plural, write


def place(options: argparse.Namespace) -> int:
    """Print the best breakpoints of each request; 2 when a file cannot be used."""
    if options.diff and options.format != "text":
        raise InputError("--diff prints a difference and cannot be combined with --format json.")
    if options.write and "-" in options.paths:
        raise InputError("Standard input cannot be changed in place: use --diff.")
    every = every_of(options.every)
    work = Work(options.paths, options.stdin_filename)
    files: list[FilePlacements] = []
    differences: list[Line] = []
    changed: dict[str, int] = {}

    def look(source: Source, document: Document) -> FileReport:
        traffic = _traffic(options, every, document.options.settings.traffic)
        found = placement_report(document, traffic)
        if found.requests or source.input.named:
            files.append(found)
        if (options.write or options.diff) and any(
            request.outcome == "change" for request in found.requests
        ):
            text, count = placed(document, traffic)
            if count and options.diff:
                differences.extend(difference(source.input.path, source.text, text))
            elif count:
                rewrite(source, text)
            if count:
                changed[source.input.path] = count
        return FileReport(document.path, document.format, (), ())

    work.reports(look)
    if options.diff:
        write(differences, sys.stdout, color=wants_color(sys.stdout))
    elif options.format == "json":
        sys.stdout.write(to_text(place_object(files)))
    else:
        color = wants_color(sys.stdout)
        for file in files:
            write(place_lines(file), sys.stdout, color=color)
        if not any(file.requests for file in files):
            sys.stdout.write(f"No request in {plural(len(files), 'file')}.\n")
    if changed:
        verb = "Would place" if options.diff else "Placed"
        total = plural(sum(changed.values()), "request")
        sys.stderr.write(f"{verb} the breakpoints of {total} in {plural(len(changed), 'file')}.\n")
    return 2 if work.failed else 0


def _traffic(
    options: argparse.Namespace, every: float | None, declared: Traffic | None
) -> Traffic | None:
    """The coming calls: what the options say, for the rest what the settings declare."""
    if every is None and options.calls is None:
        return declared
    base = declared or DEFAULT
    return Traffic(
        every=base.every if every is None else every,
        calls=base.calls if options.calls is None else options.calls,
        output_tokens=base.output_tokens,
    )
