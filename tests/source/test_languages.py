"""Requests in other languages than Python: recognised, priced, and edited in their style."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from cachewise.analysis import Document, Options
from cachewise.analysis.actions import actions, findings_between
from cachewise.analysis.hints import hints
from cachewise.analysis.lenses import lenses
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax.edit import apply_edits
from cachewise.syntax.grammar import parse
from cachewise.syntax.tree import plain_value

OPTIONS = Options(builtin(), Settings(), date(2026, 11, 21))
LONG = "The keeper reads the book. "

SAMPLES = {
    "typescript": """import Anthropic from '@anthropic-ai/sdk';
const client = new Anthropic();
const RULES = "The keeper reads the book. ".repeat(900);
const response = await client.messages.create({
  model: "claude-sonnet-4-6",
  max_tokens: 1024,
  system: [
    { type: "text", text: RULES },
    {
      type: "text",
      text: `Answer ${name} kindly.`,
      cache_control: { type: "ephemeral" }
    }
  ],
  messages: [{ role: "user", content: "Which gate?" }]
});
""",
    "tsx": """const ask = (q) => client.beta.messages.stream({
  model: 'claude-sonnet-4-6', max_tokens: 9,
  system: [{ type: 'text', text: 'The keeper reads the book. '.repeat(900) },
    { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
  messages: [{ role: 'user', content: 'Which gate?' }] });
const view = <p>{"text"}</p>;
""",
    "java": """class Ask {
    static final String RULES = "The keeper reads the book. ".repeat(900);
    void ask(AnthropicClient client) {
        MessageCreateParams params = MessageCreateParams.builder()
                .model(Model.CLAUDE_SONNET_4_6)
                .maxTokens(1024)
                .systemOfTextBlockParams(List.of(
                        TextBlockParam.builder()
                                .text(RULES)
                                .build(),
                        TextBlockParam.builder()
                                .text("Be kind.")
                                .cacheControl(CacheControlEphemeral.builder().build())
                                .build()))
                .addUserMessage("Which gate?")
                .build();
    }
}
""",
    "kotlin": """val RULES = "The keeper reads the book. ".repeat(900)
fun ask() {
    val params = MessageCreateParams.builder()
        .model(Model.CLAUDE_SONNET_4_6)
        .maxTokens(1024L)
        .systemOfTextBlockParams(listOf(
            TextBlockParam.builder().text(RULES).build(),
            TextBlockParam.builder().text("Be kind.")
                .cacheControl(CacheControlEphemeral.builder().build())
                .build()))
        .addUserMessage("Which gate?")
        .build()
}
""",
    "go": """package main

var rules = strings.Repeat("The keeper reads the book. ", 900)

func ask() {
	message, err := client.Messages.New(ctx, anthropic.MessageNewParams{
		Model:     anthropic.ModelClaudeSonnet4_6,
		MaxTokens: 1024,
		System: []anthropic.TextBlockParam{
			{Text: rules},
			{
				Text:         "Be kind.",
				CacheControl: anthropic.NewCacheControlEphemeralParam(),
			},
		},
		Messages: []anthropic.MessageParam{
			anthropic.NewUserMessage(anthropic.NewTextBlock("Which gate?")),
		},
	})
}
""",
    "csharp": """var rules = "The keeper reads the book. ";
var parameters = new MessageCreateParams
{
    Model = Model.ClaudeSonnet4_6,
    MaxTokens = 1024,
    System = new List<TextBlockParam>
    {
        new() { Text = rules },
        new() { Text = "Be kind.", CacheControl = new CacheControlEphemeral() },
    },
    Messages = [new() { Role = Role.User, Content = "Which gate?" }],
};
""",
    "ruby": """RULES = "The keeper reads the book. " * 900
message = anthropic.messages.create(
  model: :"claude-sonnet-4-6",
  max_tokens: 1024,
  system_: [
    {type: "text", text: RULES},
    {type: "text", text: "Be kind.", cache_control: {type: "ephemeral"}}
  ],
  messages: [{role: "user", content: "Which gate?"}]
)
""",
    "php": """<?php
$rules = str_repeat("The keeper reads the book. ", 900);
$message = $client->messages->create(
    model: Model::CLAUDE_SONNET_4_6,
    maxTokens: 1024,
    system: [
        ['type' => 'text', 'text' => $rules],
        ['type' => 'text', 'text' => 'Be kind.', 'cache_control' => ['type' => 'ephemeral']],
    ],
    messages: [['role' => 'user', 'content' => 'Which gate?']],
);
""",
    "rust": """fn ask() {
    let body = json!({
        "model": "claude-sonnet-4-6",
        "max_tokens": 1024,
        "system": [
            {"type": "text", "text": "The keeper reads the book."},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}
        ],
        "messages": [{"role": "user", "content": "Which gate?"}]
    });
}
""",
}


def opened(language: str, source: str | None = None) -> Document:
    return Document(SAMPLES[language] if source is None else source, language, OPTIONS)


def values(document: Document) -> list[Any]:
    return [plain_value(found.request.node) for found in document.found]


def without_markers(value: Any) -> Any:
    """A request as it is without any marker, a text as the one block that it stands for."""
    value = copy.deepcopy(value)
    for block in [*value["system"], *(
        part for message in value["messages"] if isinstance(message["content"], list)
        for part in message["content"]
    )]:  # fmt: skip
        block.pop("cache_control", None)
    for message in value["messages"]:
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        message["content"] = [
            {key: part[key] for key in sorted(part)} for part in message["content"]
        ]
    return value


@pytest.mark.parametrize("language", SAMPLES)
def test_a_request_is_read_hinted_and_priced(language: str) -> None:
    document = opened(language)
    assert document.relevant
    (located,) = document.requests
    analyzed = located.analyzed
    assert analyzed.model is not None
    assert analyzed.model.id == "claude-sonnet-4-6"
    assert [block.section for block in analyzed.request.blocks] == ["system", "system", "messages"]
    (point,) = analyzed.plan.breakpoints
    assert point.block == 1
    assert point.placed.pointer == "/system/1/cache_control"
    marked = document.read(located.base + point.placed.start, located.base + point.placed.end)
    assert marked.lower().replace("_", "").find("ephemeral") >= 0
    (lens,) = lenses(document)
    assert "tokens" in lens.title and "$" in lens.title
    assert any(hint.kind == "breakpoint" for hint in hints(document, 0, len(document.text)))
    if language not in ("csharp", "rust", "typescript"):
        assert point.effective is True
        assert analyzed.counts.total.low > 4000


@pytest.mark.parametrize("language", SAMPLES)
def test_code_actions_leave_a_text_that_parses_and_the_same_request(language: str) -> None:
    document = opened(language)
    source = SAMPLES[language]
    assert not parse(language, source).root.has_error
    (before,) = values(document)
    seen = 0
    (located,) = document.requests
    for index in range(3):
        start, _ = located.analyzed.request.block_span(index)
        at = located.base + start + 1
        for action in actions(document, at, at, findings_between(document, at, at)):
            if "breakpoint" not in action.title:
                continue
            seen += 1
            changed = apply_edits(source, action.edits)
            assert not parse(language, changed).root.has_error, f"{action.title}:\n{changed}"
            (after,) = values(opened(language, changed))
            assert without_markers(after) == without_markers(before), f"{action.title}:\n{changed}"
            marks = opened(language, changed).found[0].request.marks
            if action.title.startswith("Insert"):
                assert len(marks) == 2, f"{action.title}:\n{changed}"
                assert ("(1h)" in action.title) == ("1h" in {one.mark.ttl for one in marks})
            elif action.title.startswith("Remove"):
                assert marks == []
            else:
                assert len(marks) == 1
    assert seen >= 4


@pytest.mark.parametrize("language", SAMPLES)
def test_half_a_text_is_read_without_failing(language: str) -> None:
    source = SAMPLES[language]
    for end in range(0, len(source), 23):
        document = Document(source[:end], language, OPTIONS)
        errors = [one for one in document.findings() if one.finding.severity == "error"]
        assert len(errors) <= 1


@pytest.mark.parametrize("language", SAMPLES)
def test_texts_without_a_sign_are_not_read(language: str) -> None:
    document = Document("let x = 1;\n" * 20, language, OPTIONS)
    assert not document.relevant
    assert document.requests == []


def told(document: Document) -> list[tuple[str, str, str]]:
    return [
        (one.finding.code, one.finding.severity, document.read(one.start, one.end))
        for one in document.findings()
    ]


@pytest.mark.parametrize(
    ("language", "old", "new", "where"),
    [
        ("typescript", "text: RULES", "text: RULES + Date.now()", "Date.now()"),
        ("typescript", "text: RULES", "text: `${RULES} ${crypto.randomUUID()}`",
         "crypto.randomUUID()"),
        ("typescript", "text: RULES", "text: [RULES, Math.random()].join(' ')", "Math.random()"),
        ("java", ".text(RULES)", ".text(RULES + Instant.now())", "Instant.now()"),
        ("java", ".text(RULES)", '.text(String.format("%s %s", RULES, UUID.randomUUID()))',
         "UUID.randomUUID()"),
        ("kotlin", ".text(RULES)", '.text("$RULES ${Instant.now()}")', "Instant.now()"),
        ("go", "Text: rules", "Text: rules + time.Now().String()", "time.Now()"),
        ("go", "Text: rules", 'Text: fmt.Sprintf("%s %s", rules, uuid.NewString())',
         "uuid.NewString()"),
        ("csharp", "Text = rules", 'Text = $"{rules} {DateTime.UtcNow}"', "DateTime.UtcNow"),
        ("csharp", "Text = rules", "Text = rules + Guid.NewGuid()", "Guid.NewGuid()"),
        ("ruby", "text: RULES", 'text: "#{RULES} #{Time.now}"', "Time.now"),
        ("ruby", "text: RULES", "text: RULES + SecureRandom.uuid", "SecureRandom.uuid"),
        ("php", "'text' => $rules", "'text' => $rules . time()", "time()"),
        ("php", "'text' => $rules", "'text' => $rules . uniqid()", "uniqid()"),
    ],
)  # fmt: skip
def test_a_changing_value_in_the_prefix_is_told_where_it_is_made(
    language: str, old: str, new: str, where: str
) -> None:
    source = SAMPLES[language].replace(old, new)
    assert source != SAMPLES[language]
    assert ("CW301", "warning", where) in told(opened(language, source))
    assert [one for one in told(opened(language)) if one[0] == "CW301"] == []


@pytest.mark.parametrize("language", [name for name in SAMPLES if name != "rust"])
def test_a_finding_can_be_ignored_by_a_comment(language: str) -> None:
    source = SAMPLES[language].replace("Be kind.", "Current time: 2026-11-21T14:03:22Z")
    if language == "typescript":
        source = source.replace("Answer ${name} kindly.", "Current time: 2026-11-21T14:03:22Z")
    document = opened(language, source)
    (finding,) = [one for one in document.findings() if one.finding.code == "CW301"]
    titles = {
        action.title: action
        for action in actions(document, finding.start, finding.end, [finding])
        if action.title.startswith("Ignore volatile-content")
    }
    assert "Ignore volatile-content here" in titles
    for action in titles.values():
        changed = apply_edits(source, action.edits)
        assert not parse(language, changed).root.has_error, changed
        assert "CW301" not in {one[0] for one in told(opened(language, changed))}


def test_vercel_provider_options() -> None:
    source = """import { generateText } from "ai";
const result = await generateText({
  model: anthropic("claude-sonnet-4-6"),
  messages: [
    { role: "system", content: "x", providerOptions: {
      anthropic: { cacheControl: { type: "ephemeral", ttl: "2h" } } } },
    { role: "user", content: "Which gate?" },
  ],
});
"""
    document = opened("typescript", source)
    (located,) = document.requests
    assert located.analyzed.request.shape == "vercel-ai-sdk"
    assert located.analyzed.model is not None
    assert located.analyzed.model.id == "claude-sonnet-4-6"
    assert ("CW104", "error", '"2h"') in told(document)


def test_converse_in_typescript() -> None:
    source = """const command = new ConverseCommand({
  modelId: "us.anthropic.claude-sonnet-4-6",
  system: [{ cachePoint: { type: "default" } }, { text: "x" }],
  messages: [{ role: "user", content: [{ text: "Which gate?" }] }],
});
"""
    document = opened("typescript", source)
    assert [one[0] for one in told(document)] == ["CW106"]


def test_names_of_other_functions_are_not_taken() -> None:
    source = """function a() { const text = "short"; return text; }
function b(text: string) {
  return client.messages.create({ model: "claude-sonnet-4-6", max_tokens: 9,
    system: [{ type: "text", text, cache_control: { type: "ephemeral" } }],
    messages: [{ role: "user", content: "q" }] });
}
"""
    (located,) = opened("typescript", source).requests
    assert located.analyzed.request.blocks[0].text == "\ufffc"


def test_a_list_that_is_built_up() -> None:
    source = """const messages: Message[] = [];
messages.push({ role: "user", content: "Which gate?" });
messages[0].content = [{ type: "text", text: "Which gate?" }];
messages[0].content[0].cache_control = { type: "ephemeral" };
await client.messages.create({ model: "claude-sonnet-4-6", max_tokens: 9, system: "s", messages });
"""
    (located,) = opened("typescript", source).requests
    assert [placed.pointer for placed in located.analyzed.request.marks] == [
        "/messages/0/content/0/cache_control"
    ]
