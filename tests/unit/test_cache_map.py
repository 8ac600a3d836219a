"""The cache map: its figures are those of the report, and its page is safe and for everybody."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.analysis.cache_map import (
    AS_WRITTEN,
    CALLS_PER_HOUR,
    NO_CACHE,
    cache_map_at,
    cache_maps,
    place_of,
)
from cachewise.analysis.overview import file_report
from cachewise.caching.cost import Traffic, run_cost
from cachewise.catalog import builtin
from cachewise.report.cache_map import map_html
from cachewise.report.cache_map_model import CacheMap
from cachewise.report.cache_map_page import SCRIPT, STYLE, page
from cachewise.settings import Settings

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 22))
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json*"))
MARK = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}
RULES = "Every ship is written down with its crew, its cargo and the hour of its arrival. "


def body(**changes: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-4-6",
        "max_tokens": 100,
        "system": [{"type": "text", "text": RULES * 200, "cache_control": MARK}],
        "messages": [{"role": "user", "content": "Where is the Argo?"}],
        **changes,
    }


def document(value: Any, options: Options = OPTIONS, format: str = "json") -> Document:
    text = value if isinstance(value, str) else json.dumps(value)
    return Document(text, format, options, f"folder/request.{format}")


def only(value: Any, options: Options = OPTIONS) -> CacheMap:
    (drawn,) = cache_maps(document(value, options))
    return drawn


def example(path: Path) -> Document:
    format = path.suffix.removeprefix(".")
    return Document(path.read_text(encoding="utf-8"), format, OPTIONS, str(path))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_figures_are_those_of_the_report(path: Path) -> None:
    analysed = example(path)
    report = file_report(analysed, blocks=True)
    maps = cache_maps(analysed)
    assert len(maps) == len(report.requests) > 0
    for drawn, told in zip(maps, report.requests, strict=True):
        costs = {call.name: call.cost for call in drawn.calls}
        assert costs == {
            "cold call": told.first_call,
            "warm call": told.next_call,
            "without a cache": told.uncached,
        }
        for call in drawn.calls:
            if call.cost is not None:
                assert sum((part.cost or 0 for part in call.parts), Decimal(0)) == call.cost
            assert sum(part.tokens for part in call.parts) == drawn.total.estimate
        assert [block.tokens for block in drawn.blocks] == [one.tokens for one in told.blocks]
        assert [block.total for block in drawn.blocks] == [
            one.prefix_tokens.estimate for one in told.blocks
        ]
        assert [(p.block, p.ttl, p.prefix, p.effective) for p in drawn.breakpoints] == [
            (p.block, p.ttl, p.prefix_tokens, p.effective) for p in told.breakpoints
        ]
        assert drawn.pays_from_call == told.pays_from_call


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_bands_cover_the_prefix_and_are_what_the_cold_call_is_billed(path: Path) -> None:
    for drawn in cache_maps(example(path)):
        ends = [0, *(band.end for band in drawn.bands)]
        assert [band.start for band in drawn.bands] == ends[:-1]
        assert ends[-1] == drawn.total.estimate
        cold = {part.name: part.tokens for part in drawn.calls[0].parts}
        for band in drawn.bands:
            if band.kind in ("1h", "5m"):
                assert cold[f"write {band.ttl}"] == band.end - band.start


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_runs_are_those_of_the_cost_command(path: Path) -> None:
    """At each cadence and lifetime, for an hour and for a day."""
    analysed = example(path)
    for number, drawn in enumerate(cache_maps(analysed)):
        runs = drawn.runs
        assert (runs is None) == (path.name == "vertex-body.json"), "which names no model"
        if runs is None:
            continue
        assert runs.choices[0][0] == NO_CACHE
        for at, calls in enumerate(runs.calls):
            for hours in (1, 24):
                traffic = Traffic(3600 / calls, calls * hours, 0)
                told = file_report(analysed, traffic=traffic).requests[number].run
                assert told is not None
                costs = {choice.ttl: choice.cost for choice in told.choices}
                costs[NO_CACHE] = told.uncached
                shown = {
                    name: figures[at].hour if hours == 1 else figures[at].day
                    for name, figures in runs.choices
                    if name != AS_WRITTEN
                }
                assert shown == costs


def test_at_twelve_calls_an_hour_five_minutes_are_over_and_at_thirteen_not() -> None:
    runs = only(body()).runs
    assert runs is not None
    figures = dict(runs.choices)["5m"]
    twelve, thirteen = (figures[CALLS_PER_HOUR.index(calls)] for calls in (12, 13))
    assert (twelve.writes, twelve.reads) == (12, 0)
    assert (thirteen.writes, thirteen.reads) == (1, 12)
    hour = dict(runs.choices)["1h"]
    assert (hour[0].writes, hour[1].writes) == (1, 1)
    assert hour[0].day == 24 * hour[0].hour, "once an hour is once too seldom for an hour"


def test_two_lifetimes_are_a_choice_of_their_own() -> None:
    two = [
        {"type": "text", "text": RULES * 200, "cache_control": LONG},
        {"type": "text", "text": RULES * 100, "cache_control": MARK},
    ]
    analysed = document(body(system=two))
    (drawn,) = cache_maps(analysed)
    runs = drawn.runs
    assert runs is not None
    assert runs.choices[runs.chosen][0] == AS_WRITTEN
    known = analysed.requests[0].analyzed
    assert known.prices is not None
    first, second = (point.prefix.estimate for point in known.plan.breakpoints)
    rest = known.plan.total.estimate - second
    prices = known.prices
    price = {name: getattr(prices, name) for name in ("input", "write_5m", "write_1h", "read")}
    cold = first * price["write_1h"] + (second - first) * price["write_5m"] + rest * price["input"]
    half = first * price["read"] + (second - first) * price["write_5m"] + rest * price["input"]
    warm = second * price["read"] + rest * price["input"]
    figures = runs.choices[runs.chosen][1]
    six, thirty = (figures[CALLS_PER_HOUR.index(calls)] for calls in (6, 30))
    assert six.hour == (cold + 5 * half) / 1_000_000
    assert (six.writes, six.reads) == (6, 0)
    assert thirty.hour == (cold + 29 * warm) / 1_000_000
    assert (thirty.writes, thirty.reads) == (1, 29)
    assert figures[0].hour == cold / 1_000_000


@given(st.integers(1, 4000), st.sampled_from(["5m", "1h"]))
@settings(max_examples=60, deadline=None)
def test_one_lifetime_as_written_costs_what_it_costs_for_all(calls: int, ttl: str) -> None:
    from cachewise.caching.cost import written_run_cost

    marked = {"type": "text", "text": RULES * 200, "cache_control": {**MARK, "ttl": ttl}}
    known = document(body(system=[marked])).requests[0].analyzed
    assert known.prices is not None
    lifetimes = {"5m": 300, "1h": 3600}
    every = 3600 / calls
    written = written_run_cost(
        known.plan, known.prices, lifetimes=lifetimes, calls=calls, every=every
    )
    for_all = run_cost(
        known.plan, known.prices, ttl=ttl, lifetime=lifetimes[ttl], calls=calls, every=every
    )
    assert written is not None
    assert (written.writes, written.reads, written.cost) == (
        for_all.writes,
        for_all.reads,
        for_all.cost,
    )


def test_an_unknown_model_is_said_to_be_unknown() -> None:
    drawn = only(body(model="claude-sonnet-9-9"))
    assert drawn.runs is None
    assert drawn.minimum is None
    assert any("claude-sonnet-9-9 is not in the catalog" in note for note in drawn.notes)
    html = map_html(drawn)
    assert "not known" in html
    assert 'type="range"' not in html
    none = only({key: value for key, value in body().items() if key != "model"})
    assert any("No model is named" in note for note in none.notes)


def test_a_template_has_a_stable_part_and_no_runs() -> None:
    text = f"You are a harbour master. {RULES * 100}\n\n{{{{ question }}}}\n\n{RULES}"
    (drawn,) = cache_maps(Document(text, "jinja", OPTIONS, "system.j2"))
    assert [band.kind for band in drawn.bands] == ["stable", "varies"]
    assert drawn.runs is None
    assert any("A prompt in a file" in note for note in drawn.notes)


def test_too_short_a_prefix_is_under_the_minimum() -> None:
    short = {"type": "text", "text": RULES, "cache_control": MARK}
    drawn = only(body(system=[short]))
    assert [band.kind for band in drawn.bands] == ["under-minimum", "uncached"]
    assert drawn.breakpoints[0].effective is False
    assert "no: under 1,024" in map_html(drawn)
    assert any("Nothing is cached" in note for note in drawn.notes)


def test_what_changes_in_the_prefix_is_named() -> None:
    clock = {"type": "text", "text": f"Current time: 2026-11-21T14:03:22Z. {RULES * 200}"}
    drawn = only(body(system=[{**clock, "cache_control": MARK}]))
    assert drawn.blocks[0].volatile == "2026-11-21T14:03:22Z"
    assert any("which is made anew" in note for note in drawn.notes)
    assert not only(body()).blocks[0].volatile


def test_windows_and_what_no_walk_looks_at() -> None:
    words = [{"type": "text", "text": f"Entry {number}. {RULES * 8}"} for number in range(30)]
    marked = [*words[:-1], {**words[-1], "cache_control": MARK}]
    drawn = only(body(messages=[{"role": "user", "content": marked}]))
    assert [point.window for point in drawn.breakpoints] == [(1, 1), (12, 31)]
    assert drawn.unseen == ((2, 11),)
    assert "no walk looks at blocks 2–11" in map_html(drawn)


def test_the_request_and_the_block_at_a_place() -> None:
    text = json.dumps(body(), indent=1)
    analysed = document(text)
    found = cache_map_at(analysed, text.index("Argo"))
    assert found is not None
    drawn, here = found
    assert here == 2
    assert cache_map_at(document("{}"), 0) is None
    assert cache_map_at(analysed, 1)[1] is None  # type: ignore[index]
    start, end = place_of(analysed, 0, "block", 2) or (0, 0)
    assert "Argo" in text[start:end]
    assert (drawn.blocks[1].start, drawn.blocks[1].end) == (start, end)
    start, end = place_of(analysed, 0, "breakpoint", 1) or (0, 0)
    assert json.loads(text[start:end]) == MARK
    for number in (0, -1, 3):
        assert place_of(analysed, 0, "block", number) is None
    assert place_of(analysed, 0, "breakpoint", 2) is None


class Page(HTMLParser):
    """Collects what a page loads and runs, and whether it is well-formed."""

    VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def whole(drawn: CacheMap, nonce: str | None = None, **more: Any) -> str:
    return "".join(page(drawn.title, [map_html(drawn, **more)], nonce=nonce))


def test_the_page_parses_and_fetches_and_runs_nothing_of_others() -> None:
    for path in EXAMPLES:
        for drawn in cache_maps(example(path)):
            text = whole(drawn)
            read = Page(text)
            assert read.scripts == [SCRIPT]
            for tag, attributes in read.tags:
                assert tag not in ("img", "link", "iframe", "object", "embed", "use", "image")
                for name, value in attributes.items():
                    assert not name.startswith("on"), (tag, name)
                    assert name not in ("src", "style", "srcset", "xlink:href", "action"), tag
                    if name == "href":
                        assert (value or "").startswith("#")
            assert "http:" not in text
            assert "@import" not in text
            assert not re.search(r"url\((?!#)", text)


def test_the_policy_names_the_style_and_the_script_and_nothing_else() -> None:
    import base64
    import hashlib

    drawn = only(body())
    (policy,) = [
        meta["content"] or ""
        for meta in Page(whole(drawn)).named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for content in (STYLE, SCRIPT):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    with_nonce = whole(drawn, nonce="0123456789abcdef")
    assert "script-src 'nonce-0123456789abcdef'" in with_nonce
    assert '<script nonce="0123456789abcdef">' in with_nonce
    assert "sha256" not in with_nonce
    for bad in ("", "short", 'x" onload="', "0123456789abcde;", "0" * 200):
        with pytest.raises(ValueError, match="nonce"):
            whole(drawn, nonce=bad)


HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)",
    "\u202e\u2066 turned \u200f round \u2069",
    "\x00\x07\x1b[31m\x9b",
    "]]><!--",
    "{{ 7 * 7 }}${x}",
    "שלום עליכם",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_from_a_prompt_acts(text: str) -> None:
    value = body(
        model=f"claude-sonnet-4-6{text}",
        tools=[{"name": text, "description": text, "input_schema": {"type": "object"}}],
        system=[
            {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": text}}
        ],
        messages=[{"role": "user", "content": [{"type": text}, {"type": "text", "text": text}]}],
    )
    analysed = Document(json.dumps(value), "json", OPTIONS, f"{text}.json")
    (drawn,) = cache_maps(analysed)
    for interactive in (False, True):
        html = whole(drawn, interactive=interactive)
        read = Page(html)
        assert read.scripts == [SCRIPT]
        assert not read.named("img")
        assert all(not name.startswith("on") for _, one in read.tags for name in one)
        for character in "\x00\x07\x1b\x9b\u202e\u2066\u200f\u2069":
            assert character not in html


def test_two_megabytes_in_one_line_are_no_two_megabytes_of_page() -> None:
    drawn = only(body(system=[{"type": "text", "text": "x <b> " * 350_000, "cache_control": MARK}]))
    html = whole(drawn)
    assert len(html) < 60_000
    assert "x &lt;b&gt;" in html


def test_everything_in_the_picture_has_a_name_and_stands_in_the_tables() -> None:
    drawn = only(body())
    read = Page(whole(drawn, interactive=True))
    (picture,) = [svg for svg in read.named("svg") if svg.get("role") == "img"]
    ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
    assert set((picture["aria-labelledby"] or "").split()) <= ids
    labels = {label["for"] for label in read.named("label")}
    sliders = [one for one in read.named("input") if one.get("type") == "range"]
    assert {slider["id"] for slider in sliders} == labels
    assert all(slider.get("aria-valuetext") for slider in sliders)
    assert [one.get("aria-live") for one in read.named("output")] == ["polite"]
    buttons = read.named("button")
    assert all(
        (button.get("aria-label") or "").endswith("show in the editor") for button in buttons
    )
    assert [button["data-block"] for button in buttons if "data-block" in button] == ["1", "2"]
    assert [button["data-breakpoint"] for button in buttons if "data-breakpoint" in button] == ["1"]
    words = " ".join(read.texts)
    for needed in ("cold call", "warm call", "written for 5m", "minimum 1,024", "Every ship is"):
        assert needed in words
    assert not Page(whole(drawn)).named("button"), "a page by itself has no editor to show it in"


def test_three_thousand_blocks_make_a_small_picture_and_a_whole_table() -> None:
    turns = [
        {"role": ("user", "assistant")[number % 2], "content": f"Entry {number}."}
        for number in range(3000)
    ]
    analysed = document(body(messages=turns))
    _ = analysed.requests
    began = time.perf_counter()
    html = map_html(cache_maps(analysed)[0], interactive=True)
    seconds = time.perf_counter() - began
    read = Page(html)
    drawn = [one for one in read.named("rect") if "data-block" in one]
    assert len(drawn) < 400
    covered = [
        number
        for one in drawn
        for number in range(int(one["data-block"] or 0), int(one["data-last"] or 0) + 1)
    ]
    assert covered == list(range(1, 3002))
    assert len([row for row in read.named("tr") if "data-row" in row]) == 3001
    assert len(read.named("details")) == 31
    assert seconds < 2


def test_the_scale_of_the_picture() -> None:
    """What is to the right of 100 per cent would not be seen."""
    for path in EXAMPLES:
        for drawn in cache_maps(example(path)):
            read = Page(map_html(drawn))
            for rect in read.named("rect"):
                if (rect.get("x") or "").endswith("%"):
                    x, width = (float((rect[key] or "").rstrip("%")) for key in ("x", "width"))
                    assert -0.001 <= x <= 100
                    assert x + width <= 100.01
    short = only(body(system=[{"type": "text", "text": RULES * 40, "cache_control": MARK}]))
    assert short.minimum is not None
    assert short.total.estimate < short.minimum
    assert f"minimum {short.minimum:,}<" in map_html(short)
    far = map_html(only(body(system=[{"type": "text", "text": RULES, "cache_control": MARK}])))
    assert "minimum 1,024 →" in far, "a line so far away would leave the blocks no room"


def test_the_declared_traffic_is_where_the_slider_begins() -> None:
    told = replace(
        OPTIONS, settings=Settings(traffic=Traffic(every=30.0, calls=10, output_tokens=0))
    )
    runs = only(body(), told).runs
    assert runs is not None
    assert runs.calls[runs.start] == 120


@pytest.mark.skipif(which("node") is None, reason="the script is tried with Node, which is missing")
def test_the_script_is_javascript_and_says_what_the_page_says(tmp_path: Path) -> None:
    """Run against a page of stand-ins: at its start it must change no word of the page."""
    drawn = only(body())
    html = map_html(drawn)
    data = re.search(r'data-runs="([^"]*)"', html)
    answer = re.search(r'aria-live="polite">([^<]*)<', html)
    assert data is not None
    assert answer is not None
    runs = drawn.runs
    assert runs is not None
    from html import unescape

    harness = tmp_path / "run.js"
    source = _HARNESS.replace("@DATA@", json.dumps(unescape(data[1])))
    for name, number in (("CALLS", runs.start), ("TTL", runs.chosen), ("ROWS", len(runs.choices))):
        source = source.replace(f"@{name}@", str(number))
    harness.write_text(source.replace("@SCRIPT@", SCRIPT), encoding="utf-8")
    done = subprocess.run(
        ["node", str(harness)], capture_output=True, encoding="utf-8", timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["answer"] == unescape(answer[1])
    first = dict(runs.choices)["5m"][0]
    assert said["moved"].startswith("1 call per hour, 5m: 1 call writes, 0 only read; ")
    assert f"${first.hour.normalize():f} an hour" in said["moved"]


_HARNESS = """
const slider = (value) => ({
  value, listeners: [],
  attributes: {}, setAttribute(name, to) { this.attributes[name] = to; },
  addEventListener(_, call) { this.listeners.push(call); },
  parentElement: { querySelector: () => ({}) },
});
const calls = slider(@CALLS@), ttl = slider(@TTL@), answer = {};
const cell = () => ({ firstChild: {} });
const rows = Array.from({ length: @ROWS@ }, () => ({
  cells: [cell(), cell(), cell(), cell()], querySelector: () => ({}),
  setAttribute() {}, removeAttribute() {},
}));
const box = {
  dataset: { runs: @DATA@ },
  querySelector: (what) => ({ ".calls": calls, ".ttl": ttl, ".answer": answer })[what],
  querySelectorAll: () => rows,
};
globalThis.document = { querySelector: () => ({}), querySelectorAll: () => [box] };
@SCRIPT@
const first = answer.textContent;
calls.value = 0;
for (const call of calls.listeners) call();
console.log(JSON.stringify({ answer: first, moved: answer.textContent }));
"""
