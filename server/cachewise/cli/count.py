"""``cachewise count``: tokens of blocks and prefixes, counted offline or by the provider."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cachewise.analysis import Document
from cachewise.analysis.overview import file_report
from cachewise.cli.files import Source
from cachewise.cli.output import Progress, error, say, wants_color
from cachewise.cli.work import Work, today
from cachewise.report.json import count_object, to_text
from cachewise.report.model import FileReport, RequestReport, Tokens
from cachewise.report.text import count_lines, plural, write

if TYPE_CHECKING:
    from cachewise.remote.counting import Outcome
    from cachewise.remote.providers import Access, Question


def count(options: argparse.Namespace) -> int:
    """Print the counts; 1 when an exact one could not be had, 2 when a file cannot be read."""
    work = Work(options.paths, options.stdin_filename)
    asking = Asking(options) if options.exact else None

    def look(_: Source, document: Document) -> FileReport:
        report = file_report(document, blocks=True)
        if asking is not None:
            asking.add(report, document)
        return report

    files = work.reports(look)
    complete = True
    if asking is not None:
        files, complete = asking.answered(files)
    if options.format == "json":
        sys.stdout.write(to_text(count_object(files)))
    else:
        for file in files:
            write(count_lines(file), sys.stdout, color=wants_color(sys.stdout))
        if not any(file.requests for file in files):
            sys.stdout.write(f"No request in {plural(len(files), 'file')}.\n")
    if work.failed:
        return 2
    return 0 if complete else 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what to ask whom, or why nobody can be asked."""

    what: tuple[Question, Access] | str


class Asking:
    """The requests of one command that a provider is to count, and what came of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._base_url: str | None = options.base_url
        self._trusts_settings: bool = options.trust_settings
        self._timeout: float = options.timeout
        self._asked: list[tuple[FileReport, list[_Asked]]] = []

    def add(self, report: FileReport, document: Document) -> None:
        """Take the requests of a file; ``report`` is what is known of them offline."""
        from cachewise.analysis.outgoing import Outgoing, outgoing
        from cachewise.remote.providers import Question, access_for

        asked: list[_Asked] = []
        for located in document.requests:
            if located.analyzed.request.configuration:
                continue
            what = outgoing(located)
            if isinstance(what, Outgoing):
                named = document.options.settings.anthropic_base_url
                access = access_for(
                    what.platform,
                    os.environ,
                    base_url=self._base_url,
                    settings_url=named,
                    trusts_settings=self._trusts_settings,
                )
                if isinstance(access, str):
                    what = access
                else:
                    question = Question(
                        what.platform, what.shape, what.model, what.body, what.betas
                    )
                    asked.append(_Asked((question, access)))
                    continue
            asked.append(_Asked(what))
        self._asked.append((report, asked))

    def answered(self, files: list[FileReport]) -> tuple[list[FileReport], bool]:
        """The reports with the provider's counts, and whether every request has one."""
        outcomes = iter(self._outcomes())
        made: dict[int, FileReport] = {}
        problems: list[str] = []
        for report, asked in self._asked:
            requests: list[RequestReport] = []
            for request, item in zip(report.requests, asked, strict=True):
                if isinstance(item.what, str):
                    requests.append(replace(request, error=item.what))
                    problems.append(item.what)
                    continue
                changed = _with(request, next(outcomes))
                requests.append(changed)
                if changed.error is not None:
                    problems.append(changed.error)
            made[id(report)] = replace(report, requests=tuple(requests))
        _complain(problems)
        return [made[id(file)] for file in files], not problems

    def _outcomes(self) -> list[Outcome]:
        questions = [
            item.what
            for _, asked in self._asked
            for item in asked
            if not isinstance(item.what, str)
        ]
        if not questions:
            return []
        from cachewise.remote.counting import count_many
        from cachewise.remote.folder import cache_folder
        from cachewise.remote.remembered import Remembered

        for access in _each_host(access for _, access in questions):
            unsafe = "" if access.is_private else ", over a connection that is not encrypted"
            say(f"{access.host} is asked to count; the requests are sent there{unsafe}.")
        folder = cache_folder(os.environ)
        progress = Progress("Asking")
        try:
            return count_many(
                questions,
                timeout=self._timeout,
                memory=None if folder is None else Remembered(folder, today()),
                done=lambda number: progress.step(number, len(questions), "requests"),
            )
        finally:
            progress.end()


def _with(request: RequestReport, outcome: Outcome) -> RequestReport:
    from cachewise.remote.counting import ExactCount

    if isinstance(outcome, ExactCount):
        tokens = Tokens(outcome.tokens, outcome.tokens, outcome.tokens)
        return replace(
            request, tokens=tokens, method=f"counted by {outcome.host}", at_least=False, exact=True
        )
    return replace(request, error=outcome.sentence)


def _each_host(accesses: Iterable[Access]) -> list[Access]:
    return list({access.host: access for access in accesses}.values())


def _complain(problems: list[str]) -> None:
    """One sentence, however many requests there are; each one's own reason is in the output."""
    if not problems:
        return
    more = len(problems) - 1
    rest = f" ({plural(more, 'other request')} likewise not counted exactly.)" if more else ""
    error(f"{problems[0]}{rest}")
