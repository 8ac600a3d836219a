"""``cachewise count``: tokens of blocks and prefixes, counted offline."""

from __future__ import annotations

import argparse
import sys

from cachewise.analysis import Document
from cachewise.analysis.overview import file_report
from cachewise.cli.files import Source
from cachewise.cli.output import wants_color
from cachewise.cli.work import Work
from cachewise.report.json import count_object, to_text
from cachewise.report.model import FileReport
from cachewise.report.text import count_lines, plural, write


def count(options: argparse.Namespace) -> int:
    """Print the counts; 2 when a file cannot be read."""
    work = Work(options.paths, options.stdin_filename)

    def look(_: Source, document: Document) -> FileReport:
        return file_report(document, blocks=True)

    files = work.reports(look)
    if options.format == "json":
        sys.stdout.write(to_text(count_object(files)))
    else:
        for file in files:
            write(count_lines(file), sys.stdout, color=wants_color(sys.stdout))
        if not any(file.requests for file in files):
            sys.stdout.write(f"No request in {plural(len(files), 'file')}.\n")
    return 2 if work.failed else 0
