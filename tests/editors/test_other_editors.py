"""What people see and do in editors other than VS Code: one list, and each editor goes through it.

The editors are real, each configured with the block of its page in docs/editors and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

pytest.importorskip("termios", reason="skipped: the editors are driven in a Unix terminal")

from cachewise.settings import parse_settings

from .editor import Editor, until
from .emacs import Emacs
from .neovim import Neovim
from .requests import CONVERSATION, FLAWED, GOOD, ODD, ORDINARY, PYTHON, UNMARKED, Flawed

# The client library of Neovim asks asyncio for something that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher':DeprecationWarning")

EDITORS: tuple[type[Editor], ...] = (Neovim, Emacs)


@pytest.fixture(scope="module", params=EDITORS, ids=[kind.name for kind in EDITORS])
def editor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Editor]:
    """One session for the whole list: starting an editor takes longer than most of the tests."""
    reason = request.param.why_not()
    if reason is not None:
        pytest.skip(reason)
    session: Editor = request.param(tmp_path_factory.mktemp(request.param.name))
    yield session
    session.stop()


def documents(editor: Editor) -> list[Flawed]:
    """The flawed documents that an editor opens as what they are."""
    return [
        document
        for document in FLAWED
        if editor.suffixes is None or f".{document.name.rpartition('.')[2]}" in editor.suffixes
    ]


def codes(editor: Editor) -> list[str]:
    return [found.code for found in editor.findings()]


def test_the_settings_of_the_page_exist(editor: Editor) -> None:
    values = editor.settings()
    assert values
    assert parse_settings(values, editor=True)[1] == ()


def test_the_encoding_of_columns_is_the_one_that_the_editor_prefers(editor: Editor) -> None:
    editor.show("encoding.json", GOOD)
    assert editor.agreed_encoding() == editor.encoding


def test_findings_are_marked_exactly_and_fixes_reach_the_disk(editor: Editor) -> None:
    """In every kind of file: odd characters before the mark, Windows' line ends, cells."""
    for document in documents(editor):
        file = editor.show(document.name, document.text)
        found = editor.finding("CW104")
        assert found.marked == document.marked, document.name
        assert found.columns == document.columns(editor.encoding), document.name
        assert "'5m' or '1h'" in found.message

        editor.go(document.marked, 1)
        editor.apply('Set ttl to "5m"')
        until("no finding", lambda: "CW104" not in codes(editor))
        editor.save()
        assert file.read_bytes().decode() == document.fixed, document.name


def test_an_edit_before_a_mark_moves_it(editor: Editor) -> None:
    """The editor tells a change in its own columns, and the mark comes back in them."""
    (document,) = (one for one in FLAWED if one.name == "one-line.json")
    editor.show("edited.json", document.text)
    before = editor.finding("CW104")
    editor.replace("tides", ODD + ODD)
    edited = Flawed("", document.text.replace("tides", ODD + ODD, 1), document.marked)
    assert edited.columns(editor.encoding) != before.columns
    until(
        "the mark has moved",
        lambda: editor.finding("CW104").columns == edited.columns(editor.encoding),
    )
    assert editor.finding("CW104").marked == document.marked


@pytest.mark.parametrize(("name", "text"), [("good.json", GOOD), ("good.py", PYTHON)])
def test_a_good_request_has_hints_and_lenses_and_no_finding(
    editor: Editor, name: str, text: str
) -> None:
    editor.show(name, text)
    until("a hint", lambda: any(" tok · 5m · write $" in hint for hint in editor.hints()))
    if editor.lenses() is not None:
        until("a lens", lambda: any("first call $" in title for title in editor.lenses() or ()))
    assert editor.findings() == []


def test_every_lens_can_be_run(editor: Editor) -> None:
    """No lens may have a command that only VS Code knows; one without any is but shown."""
    editor.show("lenses.jsonl", CONVERSATION)
    lenses = editor.lenses()
    if lenses is not None:
        lenses = until("lenses", editor.lenses)
        assert any(title.startswith("reads ") for title in lenses)
        assert {command for command in lenses.values() if command} <= set(editor.commands())


def test_commands_run_and_tell_what_came_of_them(editor: Editor) -> None:
    file = editor.show("commands.jsonl", CONVERSATION)
    until("hints", editor.hints)
    editor.run("cachewise.compare", [file.as_uri(), 1, 5])
    until("the comparison", lambda: "Cachewise: " in editor.messages())
    assert "tokens" in editor.messages().rpartition("Cachewise: ")[2]
    # There is no key, so nothing is asked.
    editor.run("cachewise.countExact", [file.as_uri(), 0])
    until("the answer", lambda: "Not counted exactly: " in editor.messages())


def test_the_hover_of_a_breakpoint_tells_its_prefix(editor: Editor) -> None:
    editor.show("hover.json", GOOD)
    editor.go("cache_control", 2)
    told = editor.hover()
    assert "Breakpoint 1 of 1" in told
    assert "write → read" in told or "write $" in told


def test_the_hover_of_a_finding_documents_its_rule(editor: Editor) -> None:
    editor.show("rule.json", FLAWED[0].text)
    editor.finding("CW104")
    editor.go('"2h"', 1)
    told = editor.hover()
    assert "invalid-cache-control" in told
    assert "/rules/CW104-invalid-cache-control/" in told


def test_insert_cache_breakpoint_here(editor: Editor) -> None:
    file = editor.show("unmarked.json", UNMARKED)
    editor.go("You answer")
    assert {"Insert cache breakpoint here (5m)", "Insert cache breakpoint here (1h)"} <= set(
        editor.actions()
    )
    editor.apply("Insert cache breakpoint here (1h)")
    editor.save()
    saved = json.loads(file.read_text("utf-8"))
    assert saved["system"][0].pop("cache_control") == {"type": "ephemeral", "ttl": "1h"}
    assert saved == json.loads(UNMARKED)


def test_whatever_is_offered_can_be_done(editor: Editor) -> None:
    """Each action comes with its edit, and needs no command that only VS Code has."""
    flawed = FLAWED[0]
    editor.show("offered.json", flawed.text)
    editor.finding("CW104")
    editor.go(flawed.marked, 1)
    offered = editor.actions()
    assert {"Fix 1 problem of cache breakpoints", "Remove this breakpoint"} <= set(offered)
    # What stands behind a colon may change while tokens are counted.
    for number, title in enumerate(one.partition(":")[0] for one in offered):
        file = editor.show(f"offered-{number}.json", flawed.text)
        editor.finding("CW104")
        editor.go(flawed.marked, 1)
        editor.apply(title)
        until(f"no finding: {title}", lambda: "CW104" not in codes(editor))
        editor.save()
        assert json.loads(file.read_text("utf-8")) != json.loads(flawed.text), title


def test_the_outline(editor: Editor) -> None:
    editor.show("outline.json", GOOD)
    names = " | ".join(editor.outline())
    for name in ("claude-sonnet-5-5", "system", "1 text (system)", "messages", "2 user"):
        assert name in names


def test_lifetimes_are_completed(editor: Editor) -> None:
    editor.show("complete.json", FLAWED[0].text)
    editor.go('"2h"', 1)
    assert {"5m", "1h"} <= {label.strip('"') for label in editor.completions()}


def test_nothing_is_said_about_other_json(editor: Editor) -> None:
    ordinary = editor.show("package.json", ORDINARY)
    # Messages are answered in their order: when there are hints here, all is said about the other.
    editor.show("request.json", GOOD)
    until("a hint", editor.hints)
    editor.open(ordinary)
    assert editor.findings() == []
    assert editor.hints() == []
    assert not editor.lenses()


def test_settings_change_without_a_restart(editor: Editor) -> None:
    editor.show("settings.json", FLAWED[0].text)
    editor.finding("CW104")
    until("hints", editor.hints)
    before = editor.server()
    try:
        editor.configure({"ignore": ["CW104"], "hints": {"blocks": True}})
        until("no finding", lambda: editor.findings() == [])
        editor.hints_anew()
        until("a hint at a block", lambda: any("#1" in hint for hint in editor.hints()))
    finally:
        editor.configure({"ignore": []})
    editor.finding("CW104")
    assert editor.server() == before


def test_a_changed_settings_file_is_taken_over_on_save(editor: Editor) -> None:
    editor.show("project.json", FLAWED[0].text)
    editor.finding("CW104")
    settings = editor.folder / "cachewise.toml"
    settings.write_text('ignore = ["invalid-cache-control"]\n')
    try:
        editor.replace("high tide", "low tide")
        editor.save()
        until("no finding", lambda: editor.findings() == [])
    finally:
        settings.unlink()
    editor.replace("low tide", "high tide")
    editor.save()
    editor.finding("CW104")


def test_a_restarted_server_goes_on(editor: Editor) -> None:
    editor.show("restart.json", FLAWED[0].text)
    editor.finding("CW104")
    before = editor.server()
    editor.restart()
    assert editor.server() not in (None, before)
    editor.finding("CW104")


def test_a_killed_server_comes_back(editor: Editor) -> None:
    editor.show("killed.json", FLAWED[0].text)
    editor.finding("CW104")
    editor.kill_server()
    editor.restart()
    editor.replace("2h", "3h")
    until("the new finding", lambda: [one for one in editor.findings() if one.marked == '"3h"'])
    until("hints", editor.hints)
