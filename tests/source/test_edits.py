"""Changes to requests in source code: in the source's own style, and with no other effect."""

from __future__ import annotations

import ast
import json
from datetime import date
from typing import Any

import pytest

from cachewise.analysis import Document, Options
from cachewise.analysis.actions import actions, findings_between
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.analysis.surfaces import Action
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.edit import apply_edits
from cachewise.syntax.tree import plain_value

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))

SHELL = """\
curl https://api.anthropic.com/v1/messages \\
  -H "content-type: application/json" \\
  -H "x-api-key: $ANTHROPIC_API_KEY" \\
  -d '{
    "model": "claude-sonnet-4-6",
    "max_tokens": 512,
    "system": [
      {
        "type": "text",
        "text": "You keep the register of the harbour."
      },
      {
        "type": "text",
        "text": "<the whole register>",
        "cache_control": {"type": "ephemeral"}
      }
    ],
    "messages": [
      {
        "role": "user",
        "content": "Which ships are late?"
      }
    ]
  }'

# Once more
curl https://api.anthropic.com/v1/messages # and so on
"""

PYTHON = """\
import anthropic

client = anthropic.Anthropic()

response = client.messages.create(
    model="claude-sonnet-4-6",
    max_tokens=512,
    system=[
      {
        "type": "text",
        "text": "You keep the register of the harbour.",
      },
      {
        "type": "text",
        "text": "<the whole register>",
        "cache_control": {"type": "ephemeral"}
      }
    ],
    messages=[{"role": "user", "content": "Which ships are late?"}],
)
print(response.usage.model_dump_json())

# Once more
response = client.messages.create(.....)
print(response.usage.model_dump_json())
"""

INDENTED = "".join(f"   {line}" for line in SHELL.splitlines(keepends=True))
MARKDOWN = f"# Notes\n\n1. So:\n\n   ```bash\n{INDENTED}   ```\n"

NOTEBOOK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "source": PYTHON.split("\n# Once more")[0].splitlines(keepends=True),
            }
        ],
        "metadata": {},
    },
    indent=1,
)

DOUBLE = 'curl https://api.anthropic.com/v1/messages -d "' + (
    SHELL.split("-d '")[1].split("}'")[0].replace('"', '\\"') + '}"\n'
)

HTTP = (
    "### ask\nPOST https://api.anthropic.com/v1/messages\ncontent-type: application/json\n\n"
    + SHELL.split("-d '")[1].split("}'")[0]
    + "}\n"
)

FORMS = {
    "shell": SHELL,
    "python": PYTHON,
    "markdown": MARKDOWN,
    "notebook": NOTEBOOK,
    "http": HTTP,
    "shell, double quotes": DOUBLE,
}


def document(form: str, source: str | None = None) -> Document:
    return Document(FORMS[form] if source is None else source, form.split(",")[0], OPTIONS)


def body(opened: Document) -> Any:
    (located,) = opened.requests
    return plain_value(located.analyzed.request.node)


def act(form: str, words: str, title: str) -> Any:
    """The body after the action with this title at some words was applied; the file is checked."""
    opened = document(form)
    source = str(opened.text)
    at = source.index(words)
    (action,) = (
        one
        for one in actions(opened, at, at, findings_between(opened, at, at))
        if one.title == title
    )
    changed = apply_edits(source, action.edits)
    if form == "python":
        ast.parse(changed.replace("(.....)", "()"))
    elif form == "notebook":
        code = "".join(json.loads(changed)["cells"][0]["source"])
        ast.parse(code)
    return body(document(form, changed)), changed


BEFORE = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 512,
    "system": [
        {"type": "text", "text": "You keep the register of the harbour."},
        {
            "type": "text",
            "text": "<the whole register>",
            "cache_control": {"type": "ephemeral"},
        },
    ],
    "messages": [{"role": "user", "content": "Which ships are late?"}],
}


@pytest.mark.parametrize("form", FORMS)
def test_the_request_is_recognised_hinted_and_priced(form: str) -> None:
    opened = document(form)
    assert body(opened) == BEFORE
    (located,) = opened.requests
    assert located.analyzed.model is not None
    assert located.analyzed.costs.uncached is not None
    assert [point.block for point in located.analyzed.plan.breakpoints] == [1]
    labels = [hint.label for hint in hints(opened, 0, len(opened.text))]
    assert any("cached from 1,024" in label for label in labels)
    (lens,) = lenses(opened)
    assert "first call" in lens.title
    assert [found.finding.severity for found in opened.findings()] == []


@pytest.mark.parametrize("form", FORMS)
def test_removing_a_breakpoint_changes_nothing_else(form: str) -> None:
    after, _ = act(form, "cache_control", "Remove this breakpoint")
    expected = json.loads(json.dumps(BEFORE))
    del expected["system"][1]["cache_control"]
    assert after == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_adding_a_breakpoint_changes_nothing_else(form: str, ttl: str) -> None:
    after, changed = act(form, "You keep", f"Insert cache breakpoint here ({ttl})")
    expected = json.loads(json.dumps(BEFORE))
    expected["system"][0]["cache_control"] = (
        {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": "1h"}
    )
    assert after == expected
    if form == "python":
        assert '        "text": "You keep the register of the harbour.",\n        "cache' in changed


@pytest.mark.parametrize("form", FORMS)
def test_a_text_becomes_a_list_with_one_block(form: str) -> None:
    after, _ = act(form, "Which ships", "Insert cache breakpoint here (5m)")
    expected = json.loads(json.dumps(BEFORE))
    expected["messages"][0]["content"] = [
        {
            "type": "text",
            "text": "Which ships are late?",
            "cache_control": {"type": "ephemeral"},
        }
    ]
    assert after == expected


def insertion(opened: Document, at: int) -> Action:
    """The action that puts a breakpoint on the block at an offset."""
    wanted = "Insert cache breakpoint here (5m)"
    (action,) = (one for one in actions(opened, at, at, []) if one.title == wanted)
    return action


STYLES = [
    # before, words, title, after
    (
        "m(system='abc', messages=[])",
        "'abc'",
        "[{'type': 'text', 'text': 'abc', 'cache_control': {'type': 'ephemeral'}}]",
    ),
    (
        'm(system=f"a{x}", messages=[])',
        'f"a{x}"',
        '[{"type": "text", "text": f"a{x}", "cache_control": {"type": "ephemeral"}}]',
    ),
    (
        "m(system=[{'type': 'text', 'text': 'abc'}], messages=[])",
        "'abc'",
        "'abc', 'cache_control': {'type': 'ephemeral'}",
    ),
    (
        "m(system=[dict(type='text', text='abc')], messages=[])",
        "'abc'",
        "'abc', cache_control={'type': 'ephemeral'}",
    ),
    (
        "m(system=[{'type': 'text', 'text': 'abc',}], messages=[])",
        "'abc',",
        "'abc', 'cache_control': {'type': 'ephemeral'},",
    ),
    (
        "m(system=[{\n    'type': 'text',\n    'text': 'abc'\n}], messages=[])",
        "'abc'",
        "'abc',\n    'cache_control': {'type': 'ephemeral'}",
    ),
    (
        "m(system=[{\n    'type': 'text',\n    'text': 'abc',  # why\n}], messages=[])",
        "'abc',  # why",
        "'abc',  # why\n    'cache_control': {'type': 'ephemeral'},",
    ),
    (
        "m(system=[{\n    'type': 'text',\n    'text': 'abc'  # why\n}], messages=[])",
        "'abc'  # why",
        "'abc',  # why\n    'cache_control': {'type': 'ephemeral'},",
    ),
    (
        "m(system=[{\r\n\t'type': 'text',\r\n\t'text': 'abc',\r\n}], messages=[])",
        "'abc',",
        "'abc',\r\n\t'cache_control': {'type': 'ephemeral'},",
    ),
    (
        "m(system=[{'type': 'text', 'text': ('abc'\n  'def')}], messages=[])",
        "'def')",
        "'def'), 'cache_control': {'type': 'ephemeral'}",
    ),
]


@pytest.mark.parametrize(("before", "part", "after"), STYLES)
def test_styles_of_python(before: str, part: str, after: str) -> None:
    source = f"client.messages.create(model='claude-sonnet-4-6', {before[2:]}\n"
    opened = Document(source, "python", OPTIONS)
    at = source.index("abc") if "abc" in source else source.index(part) + 2
    action = insertion(opened, at)
    changed = apply_edits(source, action.edits)
    assert changed == source.replace(part, after)
    ast.parse(changed)
    # Taking it away again gives what was there, but for a comma that now ends a line.
    back = Document(changed, "python", OPTIONS)
    at = changed.index("cache_control")
    (removal,) = (one for one in actions(back, at, at, []) if one.title == "Remove this breakpoint")
    restored = apply_edits(changed, removal.edits)
    ast.parse(restored)
    assert "cache_control" not in restored


def test_a_constant_is_changed_where_it_is_written() -> None:
    source = (
        "BLOCK = {'type': 'text', 'text': 'abc'}\n"
        "client.messages.create(model='claude-sonnet-4-6', system=[BLOCK], messages=[])\n"
    )
    opened = Document(source, "python", OPTIONS)
    at = source.index("'abc'")
    action = insertion(opened, at)
    assert apply_edits(source, action.edits) == source.replace(
        "'abc'", "'abc', 'cache_control': {'type': 'ephemeral'}"
    )


def test_a_text_by_name_is_wrapped_where_it_is_used() -> None:
    source = "S = 'abc'\nclient.messages.create(model='claude-sonnet-4-6', system=S, messages=[])\n"
    opened = Document(source, "python", OPTIONS)
    at = source.index("=S") + 1
    action = insertion(opened, at)
    assert "S = 'abc'\n" in apply_edits(source, action.edits)
    assert '"text": S, "cache_control"' in apply_edits(source, action.edits)


def quick_fixed(source: str, format: str = "python") -> str:
    opened = Document(source, format, OPTIONS)
    (found,) = opened.findings()
    fix = found.finding.fixes[0]
    base = found.located.base
    return apply_edits(
        source, tuple(type(e)(e.start + base, e.end + base, e.new) for e in fix.edits)
    )


def test_the_marker_of_an_assignment_is_corrected_in_place() -> None:
    source = "def f(x):\n    x['cache_control'] = {'type': 'ephemeral', 'ttl': '3h'}\n"
    assert quick_fixed(source) == source.replace("'3h'", "'5m'")
    source = "def f(x):\n    x['cache_control'] = {'type': 'ephemeral', 'scope': 'org'}\n"
    assert quick_fixed(source) == source.replace(", 'scope': 'org'", "")


def test_a_header_goes_with_its_line() -> None:
    beta = "anthropic-beta: prompt-caching-2024-07-31"
    request = SHELL.replace("x-api-key: $ANTHROPIC_API_KEY", beta)
    assert quick_fixed(request, "shell") == request.replace(f'-H "{beta}" \\\n  ', "")
    http = HTTP.replace("content-type: application/json", beta)
    assert quick_fixed(http, "http") == http.replace(f"{beta}\n", "")


def test_comments_that_silence() -> None:
    source = "# header\nx['cache_control'] = {'type': 'ephemeral', 'ttl': '3h'}\n"
    opened = Document(source, "python", OPTIONS)
    at = source.index("'3h'")
    titles = {one.title: one for one in actions(opened, at, at, findings_between(opened, at, at))}
    for title in (
        "Ignore invalid-cache-control here",
        "Ignore invalid-cache-control in this file",
    ):
        changed = apply_edits(source, titles[title].edits)
        assert "# cachewise: ignore" in changed
        assert Document(changed, "python", OPTIONS).findings() == []


def test_no_comment_is_put_into_a_text_or_a_command() -> None:
    source = SHELL.replace('"type": "ephemeral"}', '"type": "ephemeral", "ttl": "3h"}')
    opened = Document(source, "shell", OPTIONS)
    at = source.index('"3h"')
    titles = [one.title for one in actions(opened, at, at, findings_between(opened, at, at))]
    assert "Ignore invalid-cache-control in this file" in titles
    assert "Ignore invalid-cache-control here" not in titles
