"""From paths to analysed documents, one file after the other, none lost for another's sake."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from cachewise.analysis import Document, Options
from cachewise.analysis.reference import RULE_NAMES, Catalog, catalog_with, keep_in, options_for
from cachewise.cli.files import Configurations, Source, find_inputs, read_source, reason
from cachewise.cli.kept import kept_files
from cachewise.cli.output import InputError, Progress, error, warn
from cachewise.remote.prices import kept_prices
from cachewise.report.model import FileReport
from cachewise.settings import Settings, expand_rules, nearest

Adjust = Callable[[Settings], Settings]
"""What a command's options change in the settings of every file."""


class Work:
    """The files of one command. ``failed`` is set once one of them could not be used."""

    def __init__(
        self,
        paths: Sequence[str],
        stdin_name: str | None,
        *,
        adjust: Adjust | None = None,
        model: str | None = None,
    ) -> None:
        self._configurations = Configurations()
        self._adjust = adjust
        self._model = model
        self._options: dict[int, tuple[Settings, Options]] = {}
        self._today = today()
        self._catalog = current_catalog()
        keep_in(kept_files(os.environ))
        self._inputs, usable = find_inputs(paths, stdin_name, self._configurations)
        self.failed = not usable

    def reports(self, make: Callable[[Source, Document], FileReport]) -> list[FileReport]:
        """What ``make`` gives for each file: every named one, and others that hold something."""
        progress = Progress("Reading")
        reports: list[FileReport] = []
        try:
            for number, item in enumerate(self._inputs, 1):
                progress.step(number, len(self._inputs), item.path)
                for source, document in self._open(number - 1, progress):
                    report = self._fenced(source, document, make, progress)
                    if report and (item.named or report.requests or report.findings):
                        reports.append(report)
        finally:
            progress.end()
        return reports

    def _open(self, index: int, progress: Progress) -> Iterator[tuple[Source, Document]]:
        item = self._inputs[index]
        try:
            source = read_source(item)
        except InputError as problem:
            progress.end()
            error(str(problem))
            self.failed = True
            return
        if source is not None:
            yield (
                source,
                Document(source.text, source.format, self._options_of(item.path), item.path),
            )

    def _fenced(
        self,
        source: Source,
        document: Document,
        make: Callable[[Source, Document], FileReport],
        progress: Progress,
    ) -> FileReport | None:
        """A fault in the analysis of one file must not cost the results of the others."""
        try:
            return make(source, document)
        except InputError as problem:
            progress.end()
            error(str(problem))
        except Exception as problem:
            progress.end()
            error(
                f"{source.input.path}: the analysis failed ({type(problem).__name__}: "
                f"{reason(problem)}). This is a fault of Cachewise; with CACHEWISE_DEBUG=1 it "
                "says where."
            )
            if os.environ.get("CACHEWISE_DEBUG"):
                traceback.print_exc()
        self.failed = True
        return None

    def _options_of(self, path: str) -> Options:
        file = Path(path)
        configuration = self._configurations.of(file.parent)
        settings = configuration.for_file(file)
        known = self._options.get(id(settings))
        if known is not None:
            return known[1]
        adjusted = self._adjust(settings) if self._adjust is not None else settings
        options, problems = options_for(
            adjusted, self._today, catalog=self._catalog, model=self._model
        )
        for problem in problems:
            warn(problem)
        # The settings are kept beside the options so that their id stays theirs.
        self._options[id(settings)] = (settings, options)
        return options


def rule_choice(written: Sequence[str]) -> tuple[str, ...]:
    """The codes that ``--select`` or ``--ignore`` means. Raises ``InputError`` for unknown ones."""
    names = [name for item in written for name in item.split(",") if name.strip()]
    codes, unknown = expand_rules(names, RULE_NAMES)
    if unknown:
        known = [name for pair in RULE_NAMES for name in pair]
        raise InputError(
            f"There is no rule {unknown[0]!r}.{nearest(unknown[0], known)} See cachewise rules."
        )
    return codes


def current_catalog() -> Catalog:
    """The packaged catalog, with the newer prices that ``catalog update`` has fetched, if any."""
    kept = kept_prices(os.environ)
    catalog, problem = catalog_with(None if kept is None else kept[1])
    if kept is not None and problem is not None:
        warn(f"{kept[0]}: {problem} The packaged prices are used; cachewise catalog update helps.")
    return catalog


def today() -> date:
    """The day in UTC, in which the catalog's dates count."""
    return datetime.now(UTC).date()
