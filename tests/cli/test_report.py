"""``report``: one page of findings, costs and cache maps, and no file lost for it."""

from __future__ import annotations

import json
import os
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .conftest import BIDI, CONTROLS, Cli, body, put, wrong_order


def ids_and_links(html: str) -> tuple[list[str], list[str]]:
    ids: list[str] = []
    links: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            known = dict(attrs)
            ids.extend(filter(None, [known.get("id")]))
            links.extend(filter(None, [known.get("href")]))

    Reader().feed(html)
    return ids, links


def test_a_page_with_the_map_costs_and_findings_of_each_request(cli: Cli) -> None:
    put("a/good.json", body())
    put("a/bad.json", wrong_order())
    put("a/calls.jsonl", "".join(json.dumps(body()) + "\n" for _ in range(12)))
    run = cli("report", "a", "-o", "page.html")
    assert run.status == 0, "a report tells; only check judges"
    assert run.out == "page.html: 14 requests of 3 files, 1 finding.\n"
    assert run.err == ""
    html = Path("page.html").read_text(encoding="utf-8")
    assert html.count('<section class="map"') == 14
    assert "CW102" in html
    assert '<span class="severity error">' in html
    costs = json.loads(cli("cost", "--format", "json", "a/good.json").out)
    cost = costs["files"][0]["requests"][0]["cost"]
    for amount in (cost["first_call"], cost["next_call"], cost["uncached"]):
        assert f"${amount}" in html
    ids, links = ids_and_links(html)
    assert len(ids) == len(set(ids))
    inner = [link[1:] for link in links if link.startswith("#")]
    assert len(inner) == 14
    assert set(inner) <= set(ids)


def test_standard_output_and_standard_input(cli: Cli) -> None:
    text = json.dumps(body()).encode()
    run = cli("report", "-", "--stdin-filename", "mine.json", "-o", "-", stdin=text)
    assert run.status == 0
    assert run.out.startswith("<!doctype html>")
    assert run.out.endswith("</html>\n")
    assert "mine.json" in run.out
    assert not list(Path().iterdir())


def test_only_an_older_report_is_replaced(cli: Cli) -> None:
    request = put("a.json", body())
    before = request.read_bytes()
    run = cli("report", "a.json", "-o", "a.json")
    assert run.status == 2
    assert "no report of Cachewise" in run.err
    assert request.read_bytes() == before
    other = put("other.html", "<!doctype html><p>mine")
    assert cli("report", "a.json", "-o", "other.html").status == 2
    assert other.read_text() == "<!doctype html><p>mine"

    assert cli("report", "a.json", "-o", "page.html").status == 0
    page = Path("page.html")
    page.chmod(0o640)
    put("a.json", body(model="claude-opus-4-6"))
    assert cli("report", "a.json", "-o", "page.html").status == 0
    assert "claude-opus-4-6" in page.read_text(encoding="utf-8")
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    assert sorted(path.name for path in Path().iterdir()) == ["a.json", "other.html", "page.html"]


def test_an_empty_file_may_be_filled(cli: Cli) -> None:
    put("a.json", body())
    put("page.html", "")
    assert cli("report", "a.json", "-o", "page.html").status == 0
    assert Path("page.html").stat().st_size > 1000


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_new_page_can_be_read_as_other_new_files_can(cli: Cli) -> None:
    put("a.json", body())
    assert cli("report", "a.json", "-o", "page.html").status == 0
    usual = put("b.txt", "x").stat().st_mode
    assert Path("page.html").stat().st_mode == usual


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.json",), "-o"),
        (("a.json", "-o", "no/such/folder/page.html"), "there is no such file or folder"),
        (("a.json", "-o", "folder"), "this is a folder"),
        (("missing.json", "-o", "page.html"), "missing.json"),
        (("-o", "page.html"), "PATH"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    put("a.json", body())
    Path("folder").mkdir()
    run = cli("report", *arguments)
    assert run.status == 2
    assert said.lower() in run.err.lower()
    assert len(run.err.splitlines()) == 1


def test_files_that_cannot_be_read_cost_nothing_of_the_others(cli: Cli) -> None:
    put("a.json", body())
    put("b.json", b"\x00\x01\x02\xff" * 100)
    run = cli("report", "a.json", "b.json", "-o", "page.html")
    assert run.status == 2
    assert Path("page.html").read_text(encoding="utf-8").count('<section class="map"') == 1


def test_a_file_without_a_request_has_a_page_too(cli: Cli) -> None:
    put("a.json", {"name": "x"})
    run = cli("report", "a.json", "-o", "page.html")
    assert run.status == 0
    assert "No request in this file." in Path("page.html").read_text(encoding="utf-8")


def test_names_and_texts_are_shown_and_do_nothing(cli: Cli) -> None:
    hostile = "<script>alert(1)</script>" + "".join(CONTROLS + BIDI)
    name = "<b>&\"'.json"
    put(
        name,
        body(
            model="claude-sonnet-4-6" + hostile,
            system=[{"type": "text", "text": hostile, "cache_control": {"type": hostile}}],
        ),
    )
    run = cli("report", name, "-o", "-")
    assert run.status == 0
    assert run.out.count("<script") == 1
    assert "<b>&" not in run.out
    assert not set(CONTROLS + BIDI) & set(run.out)
