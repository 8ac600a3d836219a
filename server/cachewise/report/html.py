"""The whole of a ``report``: findings, costs and the cache map of each request, on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from cachewise.report.cache_map import map_html
from cachewise.report.cache_map_model import CacheMap
from cachewise.report.cache_map_page import page
from cachewise.report.model import Excerpt, FileReport, FindingReport, RequestReport, tally
from cachewise.report.money import exact
from cachewise.report.text import plural
from cachewise.report.visible import visible

MAPS_SHOWN = 10
"""The maps of so many requests are open from the start; the others open when they are asked for."""


@dataclass(frozen=True, slots=True)
class MappedFile:
    """A file's report with the map of each of its requests."""

    report: FileReport
    maps: Sequence[CacheMap]


def html_pieces(files: Sequence[MappedFile]) -> Iterator[str]:
    """The page, piece by piece. It needs nothing from elsewhere."""
    return page("Cachewise report", _parts(files))


def _parts(files: Sequence[MappedFile]) -> Iterator[str]:
    counts = tally([file.report for file in files])
    found = [
        plural(number, noun)
        for number, noun in (
            (counts.errors, "error"),
            (counts.warnings, "warning"),
            (counts.infos, "note"),
        )
        if number
    ]
    yield "<h1>Cachewise report</h1>"
    yield (
        f'<p class="about">{plural(counts.requests, "request")} in '
        f"{plural(counts.files, 'file')}; {', '.join(found) or 'nothing to report'}.</p>"
    )
    if counts.requests:
        yield from _costs(files)
    number = 0
    for file in files:
        yield f"<h2><bdi>{_text(file.report.path)}</bdi></h2>"
        if file.report.findings:
            yield '<ul class="findings">'
            for finding in file.report.findings:
                yield _finding(finding)
            yield "</ul>"
        if not file.maps:
            yield '<p class="about">No request in this file.</p>'
        for drawn in file.maps:
            number += 1
            title = f"Cache map, line {drawn.line:,}"
            body = map_html(drawn, key=f"r{number}", title=title, heading=3)
            if number <= MAPS_SHOWN:
                yield body
            else:
                yield f"<details><summary>{title}</summary>{body}</details>"


def _costs(files: Sequence[MappedFile]) -> Iterator[str]:
    yield (
        '<h2>Costs</h2><div class="scroll"><table class="costs"><caption class="spoken">'
        'What each request costs</caption><thead><tr><th scope="col">Request</th>'
        '<th scope="col">Model</th>'
        '<th scope="col" class="n">Tokens</th><th scope="col" class="n">Cold call</th>'
        '<th scope="col" class="n">Warm call</th><th scope="col" class="n">No cache</th>'
        "</tr></thead><tbody>"
    )
    number = 0
    for file in files:
        for request in file.report.requests:
            number += 1
            yield _cost(file.report.path, request, number)
    yield "</tbody></table></div>"


def _cost(path: str, request: RequestReport, number: int) -> str:
    line = request.span.start_line + 1
    name = request.model_id or request.model_written or "no model named"
    least = "≥ " if request.at_least else ""
    cells = "".join(
        f'<td class="n">{least if cost is not None else ""}{_money(cost)}</td>'
        for cost in (request.first_call, request.next_call, request.uncached)
    )
    return (
        f'<tr><th scope="row"><a href="#r{number}"><bdi>{_text(path)}</bdi>:{line}</a></th>'
        f'<td><bdi>{_text(name)}</bdi></td><td class="n">{least}{request.tokens.estimate:,}</td>'
        f"{cells}</tr>"
    )


def _finding(finding: FindingReport) -> str:
    fixes = "".join(f"<br>Fix: <bdi>{_text(title)}</bdi>" for title in finding.fixes[:1])
    return (
        f'<li><span class="severity {finding.severity}">{finding.severity}</span> '
        f'<a href="{_text(finding.url)}">{finding.code} {_text(finding.rule)}</a> '
        f'<span class="dim">line {finding.span.start_line + 1:,}</span>: '
        f"<bdi>{_text(finding.message)}</bdi>{fixes}{_excerpt(finding.excerpt)}</li>"
    )


def _excerpt(excerpt: Excerpt) -> str:
    start = excerpt.text[: excerpt.start]
    before = f"…{start}" if excerpt.cut_before else start.lstrip()
    marked = excerpt.text[excerpt.start : excerpt.end]
    behind = excerpt.text[excerpt.end :] + ("…" if excerpt.cut_after else "")
    return (
        f'<pre>{_text(before)}<mark class="excerpted">{_text(marked)}</mark>{_text(behind)}</pre>'
    )


def _money(amount: Decimal | None) -> str:
    return "not known" if amount is None else f"${exact(amount)}"


def _text(text: str) -> str:
    return escape(visible(text), quote=True)
