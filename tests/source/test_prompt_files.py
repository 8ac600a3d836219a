"""Prompts in files of their own: what is read out of them, and what is told."""

from __future__ import annotations

from datetime import date

import pytest

from cachewise.analysis import Document, Options
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.formats import format_of
from cachewise.syntax.tree import HOLE_CHARACTER
from corpus import shared_folder

TODAY = date(2026, 11, 21)
RULES = "The keeper reads the book before the first gate is opened to the river. " * 120


def opened(source: str, name: str, **settings: object) -> Document:
    format = format_of(name)
    assert format is not None
    return Document(source, format, Options(builtin(), Settings(**settings), TODAY), name)


def told(document: Document) -> list[tuple[str, str, str]]:
    return [
        (one.finding.code, one.finding.severity, document.read(one.start, one.end))
        for one in document.findings()
    ]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("ask.prompty", "prompty"),
        ("ask.prompt", "dotprompt"),
        ("review.prompt.md", "prompt"),
        ("CLAUDE.md", "instructions"),
        ("docs/AGENTS.md", "instructions"),
        ("GEMINI.md", "instructions"),
        (".claude/skills/pdf/SKILL.md", "instructions"),
        ("system.j2", "jinja"),
        ("system.jinja", "jinja"),
        ("system_prompt.md", "prompt"),
        ("my-system-prompt.v2.txt", "prompt"),
        ("README.md", "markdown"),
        ("notes.txt", None),
        ("system_promptness.txt", None),
    ],
)
def test_files_are_known_by_their_names(name: str, format: str | None) -> None:
    assert format_of(name) == format


PROMPTY = """---
name: Gate
model:
  api: chat
  configuration:
    type: azure_openai
    azure_deployment: gpt-4o
---
# system:
You keep the gate for {{customer.name}}. {# nobody sees this #}
{% if urgent %}Hurry.{% endif %}

user:
{{question}}
"""


def test_prompty_has_roles_holes_and_a_model() -> None:
    document = opened(PROMPTY, "gate.prompty")
    (located,) = document.requests
    request = located.analyzed.request
    assert [(block.section, block.role) for block in request.blocks] == [
        ("system", "system"),
        ("messages", "user"),
    ]
    first, second = request.blocks
    assert first.text == (f"You keep the gate for {HOLE_CHARACTER}. \n{HOLE_CHARACTER}Hurry.")
    assert second.text == HOLE_CHARACTER
    assert request.model_written == "gpt-4o"
    spans = [
        document.read(located.base + request.block_span(0)[0] + hole.start,
                      located.base + request.block_span(0)[0] + hole.end)
        for hole in first.node.holes
    ]  # fmt: skip
    assert spans == ["{{customer.name}}", "{% if urgent %}"]
    # The question of the user is what every call brings: nothing is said of it.
    assert told(document) == [("CW301", "info", "{{customer.name}}")]


def test_dotprompt_has_roles_and_a_model() -> None:
    source = (
        "---\nmodel: googleai/gemini-2.5-flash\n---\n"
        '{{role "system"}}\nYou are a keeper. {{#if vip}}Be kind.{{/if}}\n'
        '{{history}}\n{{role "user"}}\n{{> header}}{{q}}\n'
    )
    document = opened(source, "gate.prompt")
    (located,) = document.requests
    assert located.analyzed.model is not None
    assert located.analyzed.model.id == "gemini-2.5-flash"
    assert [(block.role, block.text) for block in located.analyzed.request.blocks] == [
        ("system", f"You are a keeper. {HOLE_CHARACTER}Be kind."),
        ("user", HOLE_CHARACTER * 2),
    ]


def test_a_volatile_variable_before_the_rules_is_told_twice() -> None:
    source = f"You are a keeper.\nTime: {{{{ timestamp }}}}\n{RULES}"
    document = opened(source, "system.j2", model="claude-sonnet-4-6")
    assert sorted(told(document)) == [
        ("CW208", "info", "{{ timestamp }}"),
        ("CW301", "info", "{{ timestamp }}"),
    ]
    (lens,) = lenses(document)
    assert lens.title.endswith("stable, up to timestamp · under the 1,024 of claude-sonnet-4-6")
    (hint,) = hints(document, 0, len(source))
    assert hint.at == source.index("\n", source.index("timestamp"))
    assert hint.label.startswith("stable up to here: ")


def test_a_long_stable_template_can_be_cached_by_its_sender() -> None:
    source = f"You are a keeper.\n{RULES}\nAsked by {{{{ user_name }}}}."
    document = opened(source, "system.j2", model="claude-sonnet-4-6")
    assert [(code, severity) for code, severity, _ in told(document)] == [
        ("CW206", "info"),
        ("CW301", "info"),
    ]
    (lens,) = lenses(document)
    assert lens.title.endswith("· enough for claude-sonnet-4-6 (1,024)")


def test_a_short_template_is_told_only_where_the_model_is_known() -> None:
    source = "You are a keeper of gates. Answer the question about ships."
    assert told(opened(source, "system.j2")) == []
    assert [one[:2] for one in told(opened(source, "system.j2", model="claude-sonnet-4-6"))] == [
        ("CW201", "info")
    ]


@pytest.mark.parametrize(
    "source",
    [
        "server {\n  listen {{ port }};\n}\n",
        "<html><body>You are {{ name }}</body></html>",
        "FROM python:3.13\nRUN echo you are {{ name }}\n",
        "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% if m.role == 'assistant' %}"
        "{{ m.content }}{% endif %}{% endfor %}",
        "",
    ],
)
def test_other_jinja_files_are_left_alone(source: str) -> None:
    document = opened(source, "some.j2", model="claude-sonnet-4-6")
    assert not document.relevant
    assert document.requests == []


def test_instructions_have_no_variables() -> None:
    source = f"# Rules\n\nWrite `{{{{ name }}}}` as {{{{ name }}}}.\n{RULES}\nNow: {{{{ now }}}}\n"
    document = opened(source, "CLAUDE.md", model="claude-sonnet-4-6")
    assert [one[0] for one in told(document)] == ["CW301"]
    (lens,) = lenses(document)
    assert "all of it stable · enough for claude-sonnet-4-6" in lens.title


def test_an_editors_prompt_has_inputs() -> None:
    source = "---\nmode: agent\n---\nReview ${file} for ${input:topic}. Use {{ braces }} freely.\n"
    (located,) = opened(source, "review.prompt.md").requests
    (block,) = located.analyzed.request.blocks
    assert [hole.name for hole in block.node.holes] == ["file", "input:topic"]


PROMPTFOO = """prompts:
  - file://prompts/one.txt
  - |
    Time: {{timestamp}}
    Answer: {{question}}
  - id: second
    raw: "Say {{thing}}"
providers:
  - id: anthropic:messages:claude-sonnet-4-6
tests: []
"""


def test_promptfoo_holds_a_prompt_each() -> None:
    document = opened(PROMPTFOO, "promptfooconfig.yaml")
    assert [located.found.pointer for located in document.requests] == [
        "/prompts/1",
        "/prompts/2/raw",
    ]
    models = {located.analyzed.resolution.model.id for located in document.requests  # type: ignore[union-attr]
              if located.analyzed.resolution.model is not None}  # fmt: skip
    assert models == {"claude-sonnet-4-6"}
    assert [one for one in told(document) if one[0] == "CW301"] == [
        ("CW301", "info", "{{timestamp}}"),
        ("CW301", "info", "{{question}}"),
        ("CW301", "info", "{{thing}}"),
    ]


def test_swe_agent_templates() -> None:
    source = (
        "agent:\n  model:\n    name: claude-sonnet-4-6\n  templates:\n    system_template: |-\n"
        "      You help. {{command_docs}}\n    instance_template: |-\n      {{problem}}\n"
    )
    document = opened(source, "agent.yaml")
    (located,) = document.requests
    assert located.found.pointer == "/agent/templates"
    assert located.analyzed.request.model_written == "claude-sonnet-4-6"
    assert [one for one in told(document) if one[0] == "CW301"] == [
        ("CW301", "info", "{{command_docs}}")
    ]


def test_other_yaml_is_no_prompt() -> None:
    assert opened("prompts: [a, b]\nname: x\n", "some.yaml").requests == []
    assert opened("system_template: x\n", "some.yaml").requests == []


def test_edits_keep_what_did_not_change() -> None:
    document = opened(PROMPTY, "gate.prompty")
    assert len(document.requests) == 1
    at = PROMPTY.index("Hurry")
    document.edit(at, at, "Please ")
    whole = opened(str(document.text), "gate.prompty")
    assert told(document) == told(whole)
    fresh = document.requests[0].analyzed.request.blocks[0].text
    assert fresh == whole.requests[0].analyzed.request.blocks[0].text


def test_the_handbook_of_the_examples() -> None:
    path = shared_folder("spec", "examples", "check", "handbook.prompty")
    document = opened(path.read_text(encoding="utf-8"), path.name)
    found = {
        (one.finding.code, document.text.position(one.start).line) for one in document.findings()
    }
    assert found == {("CW208", 6), ("CW301", 6)}


def test_a_comment_of_the_template_silences() -> None:
    source = "You are a keeper.\n{# cachewise: ignore[volatile-content] #}\nNow: {{ now }}\n"
    assert told(opened(source, "system.j2")) == []
    source = "# Rules\n\n<!-- cachewise: ignore[CW301] -->\nCurrent time: 2026-11-21T14:03:22Z\n"
    assert told(opened(source, "CLAUDE.md")) == []
