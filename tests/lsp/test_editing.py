"""Open, edit, look, fix, close: with clients of three kinds, in three position encodings."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from . import session
from .requests import GOOD, LARGE, ORDER, SMALL, WORDS
from .session import ENCODINGS, PROFILES, Editor, File

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=session.COMMAND, client_factory=session.make_client),
    params=sorted(PROFILES),
    scope="module",
)
async def client(request, lsp_client: LanguageClient):
    lsp_client.editor = await session.start(lsp_client, PROFILES[request.param])
    lsp_client.profile = request.param
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client) -> Editor:
    return client.editor


async def errors(file: File) -> list[types.Diagnostic]:
    found = await file.diagnostics()
    return [item for item in found if item.severity == types.DiagnosticSeverity.Error]


async def test_what_is_announced(editor: Editor, client):
    announced = editor.result.capabilities
    assert editor.encoding == ENCODINGS[client.profile]
    assert announced.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert announced.hover_provider and announced.code_lens_provider
    assert announced.inlay_hint_provider and announced.completion_provider
    assert "source.fixAll.cachewise" in announced.code_action_provider.code_action_kinds
    # A client that cannot be told to ask again is published to.
    assert editor.pulls == (client.profile == "vscode")


async def test_a_finding_and_its_parts(editor: Editor, client):
    file = editor.open(LARGE)
    (found,) = await errors(file)
    assert found.code == "CW102"
    assert found.source == "cachewise"
    assert file.covered(found.range) == '"1h"'
    assert found.code_description.href.endswith("/CW102-ttl-order/")
    if client.profile == "emacs":
        assert found.related_information is None
    else:
        (related,) = found.related_information
        assert related.location.uri == file.uri
        assert file.covered(related.location.range) == '{"type": "ephemeral"}'


ASTRAL = "\U0001f600 naïve 漢字 \U0001d54f"


async def test_columns_count_in_the_agreed_unit(editor: Editor):
    file = editor.open(ORDER % (ASTRAL * 3))
    (found,) = await errors(file)
    assert file.covered(found.range) == '"1h"'
    # Edits whose columns count the same characters arrive where they belong.
    at = file.text.index("naïve")
    file.replace(at, at + 5, "\U0001f984\U0001f984")
    file.replace(at + 1, at + 2, "é")
    (found,) = await errors(file)
    assert file.covered(found.range) == '"1h"'


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085", "\f", "\v", "\x1c"])
async def test_only_the_protocols_line_breaks_count(editor: Editor, character: str):
    file = editor.open(SMALL)
    file.replace_text("You answer", f"You{character}answer {ASTRAL}")
    (found,) = await errors(file)
    assert file.covered(found.range) == '"1h"'
    file.replace_text("in one line", "x")
    file.replace_text('"1h"', '"5m"')
    assert await errors(file) == []


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
async def test_line_breaks_of_every_kind(editor: Editor, newline: str):
    file = editor.open(SMALL.replace("\n", newline))
    (found,) = await errors(file)
    assert file.covered(found.range) == '"1h"'


async def test_a_fix_is_applied_and_settles_the_finding(editor: Editor):
    file = editor.open(LARGE)
    (found,) = await errors(file)
    action = await file.action("Give this breakpoint the 5m TTL", found.range, diagnostics=[found])
    assert action.kind == types.CodeActionKind.QuickFix
    assert [item.code for item in action.diagnostics] == ["CW102"]
    file.apply(action.edit)
    assert json.loads(file.text)["system"][0]["cache_control"]["ttl"] == "5m"
    assert await errors(file) == []


async def test_fixes_come_without_the_diagnostics_too(editor: Editor):
    file = editor.open(LARGE)
    where = file.range('"1h"')
    titles = [action.title for action in await file.actions(where)]
    assert titles.count("Give this breakpoint the 5m TTL") == 1
    (found,) = await errors(file)
    titles = [action.title for action in await file.actions(where, [found])]
    assert titles.count("Give this breakpoint the 5m TTL") == 1


async def test_a_fix_of_an_older_text_is_made_anew(editor: Editor):
    file = editor.open(LARGE)
    (old,) = await errors(file)
    file.replace_text('"system"', '"stop_sequences": ["\U0001f600"], "system"')
    file.replace_text('"text": "', '"text": "\U0001f600')
    action = await file.action(
        "Give this breakpoint the 5m TTL", file.range('"1h"'), diagnostics=[old]
    )
    file.apply(action.edit)
    assert json.loads(file.text)["system"][0]["cache_control"] == {
        "type": "ephemeral",
        "ttl": "5m",
    }


async def test_only_the_kinds_that_were_asked_for(editor: Editor):
    file = editor.open(LARGE)
    where = file.range('"1h"')
    assert {action.kind for action in await file.actions(where, only=["quickfix"])} == {"quickfix"}
    found = await file.actions(where, only=["refactor"])
    assert found and all(str(action.kind).startswith("refactor") for action in found)
    (everything,) = await file.actions(where, only=["source.fixAll"])
    assert everything.kind == "source.fixAll.cachewise"
    file.apply(everything.edit)
    assert await errors(file) == []


async def test_a_breakpoint_is_inserted_under_the_cursor(editor: Editor):
    file = editor.open(GOOD.replace("Where is", f"{ASTRAL} Where is"))
    where = types.Range(file.at("is the Argo"), file.at("is the Argo"))
    action = await file.action("Insert cache breakpoint here (5m)", where)
    file.apply(action.edit)
    content = json.loads(file.text)["messages"][0]["content"]
    assert content[0]["cache_control"] == {"type": "ephemeral"}
    assert content[0]["text"].startswith(ASTRAL)
    assert len(await file.hints()) >= 3


async def test_hints_and_lenses(editor: Editor):
    file = editor.open(GOOD)
    found = await file.hints()
    assert len(found) == 3
    lines = file.text.split("\n")
    for hint in found:
        line = lines[hint.position.line]
        assert hint.position.character == session.units(line, editor.encoding)
    assert str(found[0].label).endswith("under 1,024: not cached")
    assert " · 5m · write $" in str(found[1].label)
    assert str(found[2].label).startswith("uncached tail")
    lens, exact = await file.lenses()
    assert exact.command.title == "Count exactly"
    assert list(exact.command.arguments) == [file.uri, 0]
    assert lens.range.start == types.Position(0, 0)
    assert " tokens · first call $" in lens.command.title
    assert lens.command.title.endswith(" · pays from call 2")


async def test_hints_only_for_the_asked_range(editor: Editor):
    file = editor.open(GOOD)
    found = await editor.client.text_document_inlay_hint_async(
        types.InlayHintParams(file.identifier, file.range('"system"'))
    )
    assert not found


async def test_hovers(editor: Editor, client):
    file = editor.open(GOOD)
    model = await file.hover(file.at("claude-sonnet-4-6", 3))
    assert "claude-sonnet-4-6" in model
    marker = await file.hover(file.at(json.dumps("cache_control"), 2))
    assert "Breakpoint 1 of 2" in marker
    assert await file.hover(file.at("max_tokens", 2)) is None
    broken = editor.open(LARGE)
    rule = await broken.hover(broken.at('"1h"', 1))
    assert "ttl-order" in rule
    if client.profile == "emacs":
        assert "**" not in marker + model and "`" not in model
        assert "](" not in rule and "the rule: https://" in rule
        assert "\\" not in marker
    else:
        assert "**Breakpoint 1 of 2**" in marker


async def test_a_hostile_prompt_is_only_text(editor: Editor):
    name = "[x](command:a) <img src=q> `b` ![p](https://evil.example/)"
    file = editor.open(GOOD.replace('"find"', json.dumps(name)))
    marker = await file.hover(file.at(json.dumps("cache_control"), 2))
    if editor.hover_formats == ["plaintext"]:
        assert "[x](command:a)" in marker
    else:
        assert r"\[x\]\(command\:a\) \<img src\=q\>" in marker
    (symbol, *_) = await file.symbols()
    assert symbol is not None


async def test_completion(editor: Editor):
    file = editor.open(GOOD)
    file.replace_text('"text": "The', f'"text": "{ASTRAL}", "cac": "The')
    at = file.at('"cac"', 4)
    found = await file.completions(at)
    assert [item.label for item in found] == []  # the block has its marker already
    file.replace_text(
        ', "cache_control": {"type": "ephemeral"}}\n  ],\n  "messages"', '}], \n"messages"'
    )
    at = file.at('"cac"', 4)
    found = await file.completions(at)
    assert [item.label for item in found] == ["cache_control"]
    edit = found[0].text_edit
    assert file.covered(edit.range) == '"cac"'
    assert found[0].filter_text.startswith('"cac')
    assert await file.completions(file.at("Where is", 2)) == []


async def test_symbols(editor: Editor, client):
    file = editor.open(GOOD)
    found = await file.symbols()
    if client.profile == "emacs":
        assert isinstance(found[0], types.SymbolInformation)
        assert [item.container_name for item in found][:2] == [None, "claude-sonnet-4-6"]
        return
    (whole,) = found
    assert whole.name == "claude-sonnet-4-6"
    assert [part.name for part in whole.children] == ["tools", "system", "messages"]
    assert file.covered(whole.children[1].selection_range) == '"system"'


async def test_half_typed_text_keeps_its_answers(editor: Editor):
    file = editor.open(GOOD)
    before = await file.hints()
    typed = ',\n    {"role": "assistant", "content": [{"type": "text", "text": "At sea."}]}'
    at = file.text.index('Argo?"}') + len('Argo?"}')
    for index, character in enumerate(typed):
        file.replace(at + index, at + index, character)
        assert await errors(file) == []
        hints = await file.hints()
        assert [hint.label for hint in hints[:2]] == [hint.label for hint in before[:2]]
    json.loads(file.text)
    fresh = editor.open(file.text)
    assert [hint.label for hint in await file.hints()] == [
        hint.label for hint in await fresh.hints()
    ]
    assert await file.codes() == await fresh.codes()


async def test_edits_give_what_a_fresh_reading_gives(editor: Editor):
    file = editor.open(LARGE)
    file.replace_text('"1h"', '"1')
    file.replace_text('"1}', '"1h"}')
    file.replace_text('"messages": [', '"messages": [{"role": "user", "content": "\U0001f600"}, ')
    file.replace_text('{"type": "ephemeral"}', "")
    file.replace_text('"cache_control": ', '"cache_control": {"type": "ephemeral", "ttl": "5m"}')
    fresh = editor.open(file.text)
    assert [(item.code, item.range) for item in await file.diagnostics()] == [
        (item.code, item.range) for item in await fresh.diagnostics()
    ]
    assert [hint.label for hint in await file.hints()] == [
        hint.label for hint in await fresh.hints()
    ]


async def test_several_changes_in_one_message(editor: Editor):
    file = editor.open(LARGE)
    whole = file.text.replace('"1h"', '"5m"')
    file.version += 1
    editor.client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(file.version, file.uri),
            [
                types.TextDocumentContentChangeWholeDocument(SMALL),
                types.TextDocumentContentChangeWholeDocument(whole),
                types.TextDocumentContentChangePartial(
                    types.Range(types.Position(0, 1), types.Position(0, 1)), " "
                ),
            ],
        )
    )
    file.text = whole[0] + " " + whole[1:]
    assert await errors(file) == []
    assert len(await file.hints()) == 3


async def test_a_document_that_is_no_request_has_nothing(editor: Editor):
    file = editor.open('{"name": "package", "dependencies": {"a": "1"}}', "package.json")
    assert await file.diagnostics() == []
    assert await file.hints() == []
    assert await file.lenses() == []
    assert await file.symbols() == []
    assert await file.hover(file.at("name", 1)) is None
    assert await file.completions(file.at("name", 1)) == []
    assert await file.actions(file.range("name")) == []
    # It becomes one while it is edited.
    file.replace(0, len(file.text), LARGE)
    assert len(await errors(file)) == 1


async def test_an_unknown_kind_of_document_is_left_alone(editor: Editor):
    file = editor.open(LARGE, "notes.txt", "plaintext")
    assert await file.hints() == []
    assert await file.hover(file.at("claude")) is None


async def test_closing_takes_the_findings_away(editor: Editor):
    file = editor.open(LARGE)
    assert len(await errors(file)) == 1
    file.replace_text("Argo", "Fram")
    file.close()
    if editor.pulls:
        assert await file.diagnostics() == []
        return
    assert not (await file.published(None)).diagnostics
    await asyncio.sleep(0.2)
    assert not (await file.published(None)).diagnostics


async def test_what_is_published_is_for_the_newest_version(editor: Editor):
    if editor.pulls:
        file = editor.open(LARGE)
        params = types.DocumentDiagnosticParams(file.identifier)
        first = await editor.client.text_document_diagnostic_async(params)
        params.previous_result_id = first.result_id
        again = await editor.client.text_document_diagnostic_async(params)
        assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
        assert again.result_id == first.result_id
        file.replace_text('"1h"', '"5m"')
        changed = await editor.client.text_document_diagnostic_async(params)
        assert isinstance(changed, types.RelatedFullDocumentDiagnosticReport)
        return
    file = editor.open(LARGE)
    await file.published(1)
    for _ in range(30):
        file.replace_text("Argo", "Argo Argo")
    last = await file.published(file.version)
    versions = [item.version for item in editor.client.published if item.uri == file.uri]
    assert versions == sorted(set(versions))
    # Edits that come close together are published together.
    assert len(versions) < 10
    assert [item.code for item in last.diagnostics].count("CW102") == 1


async def test_a_rule_is_silenced_and_heard_again(editor: Editor):
    file = editor.open(LARGE, "request.jsonc", "jsonc")
    (found,) = await errors(file)
    action = await file.action("Ignore ttl-order here", found.range, diagnostics=[found])
    file.apply(action.edit)
    assert "// cachewise: ignore[ttl-order]" in file.text
    assert await errors(file) == []
    file.replace_text("ignore[ttl-order]", "ignore[ttl-choice]")
    assert len(await errors(file)) == 1


async def test_own_requests(editor: Editor):
    file = editor.open(GOOD)
    at = file.at("Argo")
    params = {
        "textDocument": {"uri": file.uri},
        "position": {"line": at.line, "character": at.character},
    }
    found = await editor.ask("cachewise/summary", params)
    assert found.model == "claude-sonnet-4-6"
    assert found.tokens > 1000
    assert float(found.nextCall) > 0
    assert " tok · next $" in found.label
    params["textDocument"]["uri"] = "file:///nowhere.json"
    assert await editor.ask("cachewise/summary", params) is None
    rules = await editor.ask("cachewise/rules", {})
    codes = [rule["code"] for rule in rules]
    assert "CW102" in codes and codes == sorted(codes)
    assert set(rules[0]) == {"code", "name", "severity", "summary"}
    for name in ("CW102", "ttl-order", "cw102"):
        page = await editor.ask("cachewise/explain", {"rule": name})
        assert page.markdown.startswith("# CW102 ttl-order")
    assert await editor.ask("cachewise/explain", {"rule": "CW999"}) is None


async def test_positions_far_outside_are_clipped(editor: Editor):
    file = editor.open(LARGE)
    far = types.Position(9999, 9999)
    assert await file.hover(far) is None
    assert await file.completions(far) == []
    assert await file.actions(types.Range(far, far)) is not None


async def test_ten_documents_keep_apart(editor: Editor):
    files = [editor.open(LARGE if index % 2 else GOOD) for index in range(10)]
    for file in files:
        file.replace_text("Argo", "Fram")
    for index, file in enumerate(files):
        assert len(await errors(file)) == index % 2


async def test_a_big_paste_and_a_burst_of_edits(editor: Editor):
    file = editor.open(LARGE)
    file.replace_text("Where is", WORDS * 30_000)
    assert len(file.text) > 1_500_000
    assert len(await errors(file)) == 1
    for index in range(100):
        at = file.text.index("Argo")
        file.replace(at, at, "abcdefghij"[index % 10])
    (found,) = await errors(file)
    assert file.covered(found.range) == '"1h"'
    assert len(await file.hints()) == 3
    file.close()
