"""The cache map of a request as HTML: its prefix to scale, and tables that say the same.

All that comes from a prompt is escaped. The figures of the sliders are worked out beforehand and
the page's script only looks them up, so no amount of money ever passes through a binary float.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from cachewise.report.cache_map_model import (
    BandKind,
    CacheMap,
    MapBlock,
    MapBreakpoint,
    RunChoices,
    RunFigure,
)
from cachewise.report.model import Tokens
from cachewise.report.money import exact
from cachewise.report.visible import visible


def map_html(
    shown: CacheMap,
    *,
    key: str = "map",
    title: str | None = None,
    heading: int = 1,
    interactive: bool = False,
) -> str:
    """The map as a section of a page that has ``style`` and ``script`` of ``cache_map_page``.

    ``key`` makes its ids unique on the page, ``heading`` is the level of its ``title``. With
    ``interactive`` blocks and breakpoints are buttons, which an editor answers.
    """
    drawn = _Section(shown, key, heading, interactive)
    return "".join(drawn.pieces(shown.title if title is None else title))


_SECTIONS = ("tools", "system", "messages")
_LETTERS = {"tools": "T", "system": "S", "messages": "M"}

_THIN = 0.35
"""Per cent of the picture's width: neighbours that are thinner are drawn as one."""

_ROWS = 100
"""So many blocks stand in one table; a longer request has several, of which one is open."""

_OPEN = 24
"""A table of at most so many blocks is open from the start."""

_ROOM = 6.5
"""Per cent of the width that the number of a breakpoint needs beside the next."""

_FARTHEST = 4
"""A minimum that is so many times the whole request is only pointed to: all else would vanish."""

_ROOM_BESIDE_LEAST = 3
"""Percent of the width that a number on the axis keeps from the line of the minimum."""

_BAND_WORDS: dict[BandKind, str] = {
    "1h": "written for {ttl}",
    "5m": "written for {ttl}",
    "under-minimum": "under the minimum: not cached",
    "implicit": "cached by the provider itself, not promised",
    "stable": "the same in every use",
    "varies": "from the first variable on",
    "uncached": "plain input on each call",
}
_BAND_LETTERS: dict[BandKind, str] = {
    "1h": "{ttl}",
    "5m": "{ttl}",
    "under-minimum": "under",
    "implicit": "auto",
    "stable": "stable",
    "varies": "varies",
    "uncached": "input",
}


def _text(text: str) -> str:
    """Any text made safe for HTML, in text and in attributes."""
    return escape(visible(text), quote=True)


def _foreign(text: str) -> str:
    """A prompt's own words, whose direction must not turn what stands beside them."""
    return f"<bdi>{_text(text)}</bdi>" if text else ""


def _money(amount: Decimal | None) -> str:
    return "not known" if amount is None else f"${exact(amount)}"


def _count(tokens: Tokens, at_least: bool) -> str:
    if at_least:
        return f"≥ {tokens.low:,}"
    return f"{tokens.estimate:,}" if tokens.low == tokens.high else f"~{tokens.estimate:,}"


def _range(first: int, last: int) -> str:
    return f"block {first}" if first == last else f"blocks {first}–{last}"


def _percent(part: Decimal, whole: Decimal) -> str:
    """How much less ``part`` is than ``whole``: ``62 % less``, ``25 % more``, ``the same``."""
    if not whole or part == whole:
        return "the same"
    share = int(100 * abs(whole - part) / whole)
    word = "less" if part < whole else "more"
    return f"{share}\u00a0% {word}" if share else f"under 1\u00a0% {word}"


class _Section:
    """The parts of one map; they share the scale of the picture and the ids."""

    def __init__(self, shown: CacheMap, key: str, heading: int, interactive: bool) -> None:
        self.map = shown
        self.key = key
        self.heading = heading
        self.interactive = interactive
        self.extent = max(1, shown.total.estimate)
        """The tokens that the whole width of the picture stands for."""
        self.far = False
        if shown.minimum is not None and shown.minimum > self.extent:
            self.far = shown.minimum > _FARTHEST * self.extent
            self.extent = self.extent * 4 // 3 if self.far else shown.minimum * 21 // 20

    def pieces(self, title: str) -> Iterator[str]:
        level = self.heading
        yield f'<section class="map" id="{self.key}" aria-labelledby="{self.key}-title">'
        yield from self._head(title)
        yield '<figure class="picture">'
        yield from self._picture()
        yield from self._legend()
        yield "</figure>"
        if self.map.runs is not None:
            yield f"<h{level + 1}>What a run costs</h{level + 1}>"
            yield from self._runs(self.map.runs)
        if self.map.breakpoints:
            yield f"<h{level + 1}>Breakpoints</h{level + 1}>"
            yield from self._breakpoints()
        if self.map.calls:
            yield f"<h{level + 1}>What one call pays</h{level + 1}>"
            yield from self._calls()
        yield f"<h{level + 1}>Blocks</h{level + 1}>"
        yield from self._blocks()
        yield "</section>"

    def _head(self, title: str) -> Iterator[str]:
        shown = self.map
        level = self.heading
        tokens = _count(shown.total, shown.at_least)
        between = ""
        if not shown.at_least and shown.total.low != shown.total.high:
            between = f" ({shown.total.low:,} to {shown.total.high:,})"
        # In an editor its cursor tells where; and a line of a notebook's program is no line there.
        where = "" if self.interactive else f"line {shown.line:,} · "
        yield f'<h{level} id="{self.key}-title">{_foreign(title)}</h{level}>'
        yield (
            f'<p class="about">{_foreign(shown.model)} · {where}'
            f"{len(shown.blocks):,} block{'' if len(shown.blocks) == 1 else 's'} · "
            f"{tokens} tokens{between}, counted by {_text(shown.method)}</p>"
        )
        for note in shown.notes:
            yield f'<p class="note">{_foreign(note)}</p>'
        costs = {call.name: call.cost for call in shown.calls}
        if any(cost is not None for cost in costs.values()):
            least = "≥ " if shown.at_least else ""
            yield '<dl class="sums">'
            for name, cost in costs.items():
                yield f"<div><dt>{_text(name)}</dt><dd>{least}{_money(cost)}</dd></div>"
            if shown.pays_from_call is not None:
                yield f"<div><dt>caching pays</dt><dd>from call {shown.pays_from_call}</dd></div>"
            elif any(point.counted for point in shown.breakpoints):
                yield "<div><dt>caching pays</dt><dd>never</dd></div>"
            yield "</dl>"

    # The picture. Everything lies in lanes one below the other; sideways all is in per cent of the
    # tokens, so that the picture takes any width without a script and without distorted text.

    def _at(self, tokens: int) -> float:
        return min(100.0, 100 * tokens / self.extent)

    def _picture(self) -> Iterator[str]:
        shown = self.map
        flags = self._flag_rows()
        top = 20 * (max(flags, default=-1) + 1) + (4 if flags else 0)
        bands, blocks = top, top + 26
        sections = blocks + 34
        lanes = sections + 20
        windows = [point for point in shown.breakpoints if point.window is not None]
        axis = lanes + 19 * (len(windows) + bool(shown.unseen)) + (6 if windows else 0)
        named = shown.minimum is not None
        height = axis + 22 + (18 if named else 0)
        yield (
            f'<svg class="prefix" role="img" width="100%" height="{height}" '
            f'aria-labelledby="{self.key}-name {self.key}-what">'
            f'<title id="{self.key}-name">The prefix to scale</title>'
            f'<desc id="{self.key}-what">{_text(self._spoken())}</desc>'
        )
        yield from self._bands(bands)
        yield from self._segments(blocks)
        yield from self._section_names(sections)
        yield from self._axis(axis)
        if shown.minimum is not None:
            yield from self._minimum(shown.minimum, bands - 3, axis)
        for row, point in zip(flags, shown.breakpoints, strict=True):
            yield from self._flag(point, 20 * row, blocks + 30)
        for lane, point in enumerate(windows):
            yield from self._window(point, lanes + 19 * lane)
        if shown.unseen:
            yield from self._unseen(lanes + 19 * len(windows))
        yield "</svg>"

    def _spoken(self) -> str:
        """The picture in words; the tables below say the rest."""
        said = [
            f"{_BAND_WORDS[band.kind].format(ttl=band.ttl)}: {band.end - band.start:,} tokens"
            for band in self.map.bands
        ]
        points = len(self.map.breakpoints)
        said.append(f"{points} breakpoint{'' if points == 1 else 's'}")
        if self.map.minimum is not None:
            said.append(f"the minimum is {self.map.minimum:,} tokens")
        return "; ".join(said) + "."

    def _rect(
        self, css: str, span: tuple[int, int], y: int, height: int, tip: str, more: str = ""
    ) -> str:
        x, end = self._at(span[0]), self._at(span[1])
        title = f"<title>{_text(tip)}</title>" if tip else ""
        return (
            f'<rect class="{css}" x="{x:.3f}%" y="{y}" width="{end - x:.3f}%" '
            f'height="{height}"{more}>{title}</rect>'
        )

    def _label(self, tokens: float, y: int, text: str, css: str = "") -> str:
        """A text at a number of tokens, kept inside of the picture at both ends."""
        x = min(100.0, 100 * tokens / self.extent)
        anchor = "start" if x < 4 else "end" if x > 96 else "middle"
        return (
            f'<text class="{css}" x="{x:.3f}%" y="{y}" text-anchor="{anchor}">{_text(text)}</text>'
        )

    def _bands(self, y: int) -> Iterator[str]:
        for band in self.map.bands:
            words = _BAND_WORDS[band.kind].format(ttl=band.ttl)
            tip = f"{words}: {band.end - band.start:,} tokens"
            span = band.start, band.end
            yield self._rect(f"band b-{band.kind}", span, y, 24, tip)
            yield self._rect(f"hatch h-{band.kind}", span, y, 24, tip)
            share = self._at(band.end) - self._at(band.start)
            if share > 7:
                css = "on" if share > 18 else "on wide"
                letters = _BAND_LETTERS[band.kind].format(ttl=band.ttl)
                yield self._label((band.start + band.end) / 2, y + 16, letters, css)

    def _segments(self, y: int) -> Iterator[str]:
        for odd, group in enumerate(self._groups()):
            first, last = group[0], group[-1]
            span = first.total - first.tokens.estimate, last.total
            tip = f"{_range(first.number, last.number)}, {first.section}: "
            tip += f"{span[1] - span[0]:,} tokens"
            if first is last:
                tip += f", {first.label}"
            css = f"block {first.section} {'odd' if odd % 2 else 'even'}"
            more = f' data-block="{first.number}" data-last="{last.number}"'
            yield self._rect(css, span, y, 30, tip, more)
            reason = next((block.volatile for block in group if block.volatile), "")
            if reason or any(block.at_least for block in group):
                what = f"changes: {reason}" if reason else "of unknown length"
                yield self._rect("hatch h-volatile", span, y, 30, f"{tip}, {what}", more)

    def _groups(self) -> Iterator[list[MapBlock]]:
        """The blocks, those that are too thin to be seen together with their neighbours."""
        group: list[MapBlock] = []
        width = 0.0
        for block in self.map.blocks:
            wide = 100 * block.tokens.estimate / self.extent
            fits = group and group[0].section == block.section and width + wide < _THIN
            if group and not (fits or (group[0].section == block.section and width < _THIN)):
                yield group
                group, width = [], 0.0
            group.append(block)
            width += wide
        if group:
            yield group

    def _section_names(self, y: int) -> Iterator[str]:
        for name in _SECTIONS:
            own = [block for block in self.map.blocks if block.section == name]
            if not own:
                continue
            start, end = own[0].total - own[0].tokens.estimate, own[-1].total
            share = self._at(end) - self._at(start)
            if share > 12:
                yield self._label(
                    (start + end) / 2, y + 10, name, "dim" if share > 24 else "dim wide"
                )

    def _axis(self, y: int) -> Iterator[str]:
        yield f'<line class="rule" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        step = _step(self.extent)
        minimum = self.map.minimum
        least = None if minimum is None or self.far else self._at(minimum)
        for number, tokens in enumerate(range(0, self.extent + 1, step)):
            x = self._at(tokens)
            yield f'<line class="rule" x1="{x:.3f}%" x2="{x:.3f}%" y1="{y}" y2="{y + 4}"/>'
            # The line of the minimum would go through a number that stands where it does.
            if least is None or abs(x - least) > _ROOM_BESIDE_LEAST:
                yield self._label(
                    tokens, y + 16, _short(tokens), "dim wide" if number % 2 else "dim"
                )

    def _minimum(self, minimum: int, top: int, axis: int) -> Iterator[str]:
        text = f"minimum {minimum:,}"
        if self.far:
            yield self._label(self.extent, axis + 34, f"{text} →", "least")
            return
        x = self._at(minimum)
        yield f'<line class="least" x1="{x:.3f}%" x2="{x:.3f}%" y1="{top}" y2="{axis + 20}"/>'
        anchor = "start" if x < 25 else "end" if x > 75 else "middle"
        yield (
            f'<text class="least" x="{x:.3f}%" y="{axis + 34}" text-anchor="{anchor}">{text}</text>'
        )

    def _flag_rows(self) -> list[int]:
        """For each breakpoint the row of its flag, so that no two cover each other."""
        rows: list[int] = []
        ends: list[float] = []
        for point in self.map.breakpoints:
            x = self._at(point.prefix.estimate)
            free = [row for row, end in enumerate(ends) if x - end >= _ROOM]
            row = free[0] if free else len(ends)
            if row == len(ends):
                ends.append(0.0)
            ends[row] = x
            rows.append(row)
        return rows

    def _flag(self, point: MapBreakpoint, y: int, bottom: int) -> Iterator[str]:
        x = self._at(point.prefix.estimate)
        state = _state(point)
        tip = f"breakpoint {point.number} behind block {point.block}, {point.ttl}: "
        tip += f"{_count(point.prefix, point.at_least)} tokens, {_verdict(point)}"
        # Numbers of pixels inside of this one: a shape cannot be drawn in per cent.
        yield (
            f'<svg class="flag {state}" x="{x:.3f}%" overflow="visible" '
            f'data-breakpoint="{point.number}"><title>{_text(tip)}</title>'
            f'<line x1="0" x2="0" y1="{y + 17}" y2="{bottom}"/>'
            f'<path d="M0 {y} l9 9 l-9 9 l-9 -9z"/>'
            f'<text x="0" y="{y + 13}" text-anchor="middle">{point.number}</text></svg>'
        )

    def _window(self, point: MapBreakpoint, y: int) -> Iterator[str]:
        assert point.window is not None
        first, last = point.window
        start = self.map.blocks[first - 1].total - self.map.blocks[first - 1].tokens.estimate
        end = self.map.blocks[last - 1].total
        words = f"◆{point.number} looks at {_range(first, last)}"
        yield self._rect("window", (start, end), y, 14, words)
        yield from self._beside(start, end, y + 11, f"◆{point.number}", words)

    def _unseen(self, y: int) -> Iterator[str]:
        for first, last in self.map.unseen:
            start = self.map.blocks[first - 1].total - self.map.blocks[first - 1].tokens.estimate
            end = self.map.blocks[last - 1].total
            words = f"no walk looks at {_range(first, last)}"
            yield self._rect("unseen", (start, end), y, 14, words)
            yield self._rect("hatch h-unseen", (start, end), y, 14, words)
        first, last = self.map.unseen[-1]
        start = self.map.blocks[first - 1].total - self.map.blocks[first - 1].tokens.estimate
        words = "no walk looks here"
        yield from self._beside(start, self.map.blocks[last - 1].total, y + 11, "out", words)

    def _beside(self, start: int, end: int, y: int, short: str, words: str) -> Iterator[str]:
        """A label where there is more room: behind a bar, before it, or else on it."""
        before, behind = self._at(start), 100 - self._at(end)
        for text, css, needed in ((words, "dim wide", 24.0), (short, "dim narrow", 10.0)):
            if behind >= needed:
                x, anchor, shift = self._at(end), "start", 4
            elif before >= needed:
                x, anchor, shift = before, "end", -4
            else:
                x, anchor, shift, css = (before + self._at(end)) / 2, "middle", 0, css + " on"
            yield (
                f'<text class="{css}" x="{x:.3f}%" dx="{shift}" y="{y}" '
                f'text-anchor="{anchor}">{_text(text)}</text>'
            )

    def _legend(self) -> Iterator[str]:
        yield '<figcaption><ul class="legend">'
        for band in self.map.bands:
            kind, ttl = band.kind, band.ttl
            swatch = f'<rect class="band b-{kind}" width="22" height="12"/>'
            swatch += f'<rect class="hatch h-{kind}" width="22" height="12"/>'
            yield _entry(swatch, _BAND_WORDS[kind].format(ttl=ttl))
        for name in _SECTIONS:
            if any(block.section == name for block in self.map.blocks):
                swatch = "".join(
                    f'<rect class="block {name} {parity}" x="{x}" width="11" height="12"/>'
                    for parity, x in (("even", 0), ("odd", 11))
                )
                yield _entry(swatch, name)
        if any(block.volatile or block.at_least for block in self.map.blocks):
            swatch = '<rect class="block system even" width="22" height="12"/>'
            swatch += '<rect class="hatch h-volatile" width="22" height="12"/>'
            yield _entry(swatch, "changes, or of unknown length")
        for state, words in _STATES.items():
            if any(_state(point) == state for point in self.map.breakpoints):
                yield _entry(
                    f'<g class="flag {state}"><path d="M11 0 l6 6 l-6 6 l-6 -6z"/></g>', words
                )
        if self.map.window is not None and any(p.window for p in self.map.breakpoints):
            yield _entry(
                '<rect class="window" y="1" width="22" height="10"/>',
                f"lookback, {self.map.window} positions",
            )
        if self.map.unseen:
            yield _entry(
                '<rect class="unseen" y="1" width="22" height="10"/>'
                '<rect class="hatch h-unseen" y="1" width="22" height="10"/>',
                "no walk looks here: an entry that ends here is not found",
            )
        yield "</ul></figcaption>"

    # The tables.

    def _button(self, what: str, number: int, name: str) -> str:
        if not self.interactive:
            return f"{number:,}"
        return (
            f'<button type="button" data-{what}="{number}" '
            f'aria-label="{_text(name)}: show in the editor">{number:,}</button>'
        )

    def _runs(self, runs: RunChoices) -> Iterator[str]:
        key = self.key
        none = runs.choices[0][1]
        figures: list[tuple[str, list[list[Any]]]] = [
            (name, [_figure(*pair) for pair in zip(of, none, strict=True)])
            for name, of in runs.choices
        ]
        cheapest = [
            _cheapest([of[cadence] for _, of in runs.choices]) for cadence in range(len(runs.calls))
        ]
        data = {"calls": runs.calls, "choices": figures, "cheapest": cheapest}
        calls = runs.calls[runs.start]
        name = runs.choices[runs.chosen][0]
        yield f'<div class="runs" data-runs="{_text(json.dumps(data))}">'
        yield (
            f'<p><label for="{key}-calls">Calls per hour</label>'
            f'<input type="range" id="{key}-calls" class="calls" min="0" '
            f'max="{len(runs.calls) - 1}" step="1" value="{runs.start}" '
            f'aria-valuetext="{_calls(calls)} per hour">'
            f'<span class="value" aria-hidden="true">{calls:,}</span></p>'
        )
        if len(runs.choices) > 1:
            yield (
                f'<p><label for="{key}-ttl">Lifetime of all breakpoints</label>'
                f'<input type="range" id="{key}-ttl" class="ttl" min="0" '
                f'max="{len(runs.choices) - 1}" step="1" value="{runs.chosen}" '
                f'aria-valuetext="{_text(name)}">'
                f'<span class="value" aria-hidden="true">{_text(name)}</span></p>'
            )
        yield (
            f'<p><output class="answer" for="{key}-calls {key}-ttl" aria-live="polite">'
            f"{_answer(calls, name, figures[runs.chosen][1][runs.start])}</output></p>"
        )
        yield (
            '<table class="choices"><caption class="spoken">Costs by lifetime</caption>'
            '<thead><tr><th scope="col">Lifetime</th><th scope="col" class="n">An hour</th>'
            '<th scope="col" class="n">A day</th><th scope="col">Against no cache</th></tr></thead>'
            "<tbody>"
        )
        for number, (name, of) in enumerate(figures):
            figure = of[runs.start]
            chosen = ' aria-current="true"' if number == runs.chosen else ""
            note = "cheapest" if number == cheapest[runs.start] and len(figures) > 1 else ""
            yield (
                f'<tr{chosen}><th scope="row">{_text(name)}</th><td class="n">{figure[2]}</td>'
                f'<td class="n">{figure[3]}</td><td>{figure[4]}'
                f'<span class="best">{note}</span></td></tr>'
            )
        yield (
            "</tbody></table>"
            '<p class="small">Identical calls at even distances, input tokens only; all figures '
            "are exact for the estimated tokens.</p></div>"
        )

    def _breakpoints(self) -> Iterator[str]:
        yield (
            '<div class="scroll"><table><caption class="spoken">Breakpoints</caption><thead><tr>'
            '<th scope="col" class="n">◆</th><th scope="col">Behind</th><th scope="col">TTL</th>'
            '<th scope="col" class="n">Prefix</th><th scope="col">In effect</th>'
            '<th scope="col">Looks at</th></tr></thead><tbody>'
        )
        for point in self.map.breakpoints:
            name = f"breakpoint {point.number}"
            looks = "" if point.window is None else _range(*point.window)
            kind = " (automatic)" if point.automatic else ""
            yield (
                f'<tr><td class="n">{self._button("breakpoint", point.number, name)}</td>'
                f"<td>block {point.block}{kind}</td><td>{_text(point.ttl)}</td>"
                f'<td class="n">{_count(point.prefix, point.at_least)}</td>'
                f"<td>{_text(_verdict(point))}</td><td>{looks}</td></tr>"
            )
        yield "</tbody></table></div>"

    def _calls(self) -> Iterator[str]:
        yield (
            '<div class="scroll"><table class="bills"><caption class="spoken">What one call pays '
            'for its input</caption><thead><tr><th scope="col">Call</th><th scope="col">Part</th>'
            '<th scope="col" class="n">Tokens</th><th scope="col" class="n">per million</th>'
            '<th scope="col" class="n">USD</th></tr></thead>'
        )
        for call in self.map.calls:
            yield "<tbody>"
            for number, part in enumerate(call.parts):
                first = ""
                if not number:
                    first = (
                        f'<th scope="rowgroup" rowspan="{len(call.parts)}">{_text(call.name)}</th>'
                    )
                yield (
                    f'<tr>{first}<td>{_text(part.name)}</td><td class="n">{part.tokens:,}</td>'
                    f'<td class="n">{_money(part.rate)}</td>'
                    f'<td class="n">{_money(part.cost)}</td></tr>'
                )
            yield "</tbody>"
        yield "</table></div>"

    def _blocks(self) -> Iterator[str]:
        blocks = self.map.blocks
        points: dict[int, list[MapBreakpoint]] = {}
        for point in self.map.breakpoints:
            points.setdefault(point.block, []).append(point)
        for start in range(0, len(blocks), _ROWS):
            some = blocks[start : start + _ROWS]
            opened = " open" if len(blocks) <= _OPEN else ""
            tokens = some[-1].total - some[0].total + some[0].tokens.estimate
            name = _range(some[0].number, some[-1].number).capitalize()
            yield (
                f'<details id="{self.key}-blocks-{start}"{opened}><summary>{name}, '
                f'{tokens:,} tokens</summary><table class="blocks">'
                f'<caption class="spoken">{name}</caption><thead><tr>'
                '<th scope="col" class="n">#</th><th scope="col">Block</th>'
                '<th scope="col" class="n">Tokens</th><th scope="col" class="n">Total</th>'
                "</tr></thead><tbody>"
            )
            for block in some:
                yield self._row(block, points.get(block.number, ()))
            yield "</tbody></table></details>"

    def _row(self, block: MapBlock, points: Sequence[MapBreakpoint]) -> str:
        marks = "".join(
            f' <b class="mark">◆{point.number} {_text(point.ttl)}</b>' for point in points
        )
        excerpt = (
            f' <span class="excerpt">{_foreign(block.excerpt)}</span>' if block.excerpt else ""
        )
        if block.volatile:
            excerpt += f' <span class="changes">changes: {_foreign(block.volatile)}</span>'
        letter = _LETTERS.get(block.section, "")
        where = "" if self.interactive else f' <span class="dim">line {block.line:,}</span>'
        return (
            f'<tr data-row="{block.number}"><td class="n">'
            f"{self._button('block', block.number, f'block {block.number}')}</td>"
            f'<td><abbr class="{block.section}" title="{_text(block.section)}">{letter}</abbr> '
            f"{_foreign(block.label)}{marks}{where}{excerpt}</td>"
            f'<td class="n">{_count(block.tokens, block.at_least)}</td>'
            f'<td class="n">{block.total:,}</td></tr>'
        )


def _entry(swatch: str, words: str) -> str:
    return f'<li><svg width="22" height="12" aria-hidden="true">{swatch}</svg> {_text(words)}</li>'


_STATES = {
    "counts": "breakpoint",
    "unsure": "breakpoint, perhaps under the minimum",
    "fails": "breakpoint without effect",
}


def _state(point: MapBreakpoint) -> str:
    if point.effective is None and point.minimum is not None and not point.at_least:
        return "unsure"
    return "counts" if point.counted else "fails"


def _verdict(point: MapBreakpoint) -> str:
    """Whether a breakpoint is in effect, and if not, why."""
    if point.ignored:
        return f"no: {point.ignored}"
    if point.minimum is None:
        return "its minimum is not known"
    if point.effective is None:
        return f"not sure: may be under {point.minimum:,}"
    return "yes" if point.effective else f"no: under {point.minimum:,}"


def _figure(figure: RunFigure, none: RunFigure) -> list[Any]:
    """What the script needs of a run: counts, and amounts as the texts that it shows."""
    against = _percent(figure.hour, none.hour) if figure is not none else ""
    return [figure.writes, figure.reads, _money(figure.hour), _money(figure.day), against]


def _calls(number: int) -> str:
    return f"{number:,} call{'' if number == 1 else 's'}"


def _answer(calls: int, name: str, figure: Sequence[Any]) -> str:
    """The sentence under the sliders; the script makes the same one."""
    writes, reads, hour, day, against = figure
    said = ""
    if writes or reads:
        said = f" {_calls(writes)} {'writes' if writes == 1 else 'write'}, {reads:,} only read;"
    tail = f" ({against})" if against else ""
    return _text(f"{_calls(calls)} per hour, {name}:{said} {hour} an hour, {day} a day{tail}.")


def _cheapest(figures: Iterable[RunFigure]) -> int:
    """The index of the choice that costs least over a day."""
    days = [figure.day for figure in figures]
    return days.index(min(days))


def _step(extent: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, … tokens that divides the axis into at most eight parts."""
    step = 1
    while extent > 8 * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _short(tokens: int) -> str:
    """``0``, ``500``, ``2k``, ``1.5M``: a number on the axis."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if tokens >= unit:
            return f"{tokens / unit:g}{name}"
    return str(tokens)
