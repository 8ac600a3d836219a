"""``cachewise check``: the findings of files, repaired when asked."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from dataclasses import replace

from cachewise.analysis import Document
from cachewise.analysis.fixing import fixed
from cachewise.analysis.overview import file_report
from cachewise.cli.files import Source, write_back
from cachewise.cli.output import InputError, wants_color
from cachewise.cli.work import Work, rule_choice
from cachewise.report.json import check_object, to_text
from cachewise.report.model import FileReport, tally
from cachewise.report.text import Line, costs_lines, findings_lines, plural, summary_line, write
from cachewise.report.visible import visible
from cachewise.settings import Settings

_RANK = {"error": 3, "warning": 2, "info": 1}


def check(options: argparse.Namespace) -> int:
    """Print findings, costs and a summary; 1 when a finding reaches ``--fail-on``."""
    fixing = options.fix or options.unsafe_fixes
    if options.diff and options.format != "text":
        raise InputError("--diff prints a difference and cannot be combined with --format json.")
    if fixing and not options.diff and "-" in options.paths:
        raise InputError("Standard input cannot be repaired in place: use --diff.")
    select, ignore = rule_choice(options.select), rule_choice(options.ignore)

    def adjust(settings: Settings) -> Settings:
        return replace(
            settings, select=select or settings.select, ignore=(*settings.ignore, *ignore)
        )

    work = Work(options.paths, options.stdin_filename, adjust=adjust)
    repaired: dict[str, int] = {}
    differences: list[Line] = []

    def look(source: Source, document: Document) -> FileReport:
        if options.diff:
            report = file_report(document)
            text, count = fixed(document, unsafe=options.unsafe_fixes)
            if count:
                repaired[source.input.path] = count
                differences.extend(difference(source.input.path, source.text, text))
            return report
        if fixing:
            text, count = fixed(document, unsafe=options.unsafe_fixes)
            if count:
                rewrite(source, text)
                repaired[source.input.path] = count
        return file_report(document)

    files = work.reports(look)
    counts = tally(files)
    if options.diff:
        write(differences, sys.stdout, color=wants_color(sys.stdout))
        _tell("Would repair", repaired)
    elif options.format == "json":
        sys.stdout.write(to_text(check_object(files)))
        _tell("Repaired", repaired)
    else:
        color = wants_color(sys.stdout)
        for file in files:
            write(findings_lines(file), sys.stdout, color=color)
        costs = list(costs_lines(files))
        write([*costs, *([[]] if costs else [])], sys.stdout, color=color)
        fixable = sum(finding.fixable for file in files for finding in file.findings)
        write([summary_line(counts, 0 if fixing else fixable)], sys.stdout, color=color)
        _tell("Repaired", repaired)
    if work.failed:
        return 2
    if options.fail_on == "never":
        return 0
    limit = _RANK[options.fail_on]
    worst = max((_RANK[finding.severity] for file in files for finding in file.findings), default=0)
    return 1 if worst >= limit else 0


def rewrite(source: Source, text: str) -> None:
    """Write a changed text back; ``InputError`` when that would lose something."""
    if source.lossy:
        raise InputError(
            f"{source.input.path}: not rewritten, because it holds bytes that are not "
            f"{source.encoding} and would be lost."
        )
    write_back(source, text)


def _tell(verb: str, repaired: dict[str, int]) -> None:
    if repaired:
        total = plural(sum(repaired.values()), "finding")
        sys.stderr.write(f"{verb} {total} in {plural(len(repaired), 'file')}.\n")


def difference(path: str, before: str, after: str) -> list[Line]:
    """A unified difference whose lines show what a prompt hides as escapes.

    Tabs and the carriage returns of line breaks stay, so that it can be applied as a patch.
    """
    lines: list[Line] = []
    name = path.lstrip("/")
    for line in difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"):
        body = line.rstrip("\r\n")
        ending = "\r" if line.endswith("\r\n") else ""
        shown = "\t".join(visible(part) for part in body.split("\t"))
        lines.append([(shown + ending, _DIFF_STYLE.get(line[:1], ""))])
        if not line.endswith("\n"):
            lines.append([("\\ No newline at end of file", "")])
    return lines


_DIFF_STYLE = {"+": "green", "-": "red", "@": "cyan"}


def _lines(text: str) -> list[str]:
    """The lines with their breaks; a patch knows no other break than a line feed."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
