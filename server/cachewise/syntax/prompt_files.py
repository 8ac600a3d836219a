"""Files that hold a prompt and nothing else: Prompty, dotprompt, instructions, Jinja templates.

Each becomes an object with the ``model`` that its head names, and ``messages`` with a role each, or
one ``system`` text. Template variables are holes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cachewise.syntax.prompty import Section, sections_by_helper, sections_by_line
from cachewise.syntax.region import Region
from cachewise.syntax.source import (
    Draft,
    Listing,
    Mapping,
    Member,
    Part,
    Unknown,
    Written,
    build,
)
from cachewise.syntax.templates import Dialect, template_parts
from cachewise.syntax.tree import Comment, Node

STYLE = "prompt-file"
SHAPE = "prompt-file"

FORMATS = ("prompty", "dotprompt", "prompt", "jinja", "instructions")
"""``prompt``: an editor's prompt file or a system prompt as text; ``instructions``: what an agent
puts in front of every conversation (``CLAUDE.md`` and its like)."""

_SUFFIXES = {
    ".prompty": "prompty",
    ".prompt": "dotprompt",
    ".prompt.md": "prompt",
    ".chatmode.md": "prompt",
    ".instructions.md": "instructions",
    ".j2": "jinja",
    ".jinja": "jinja",
    ".jinja2": "jinja",
}
_INSTRUCTIONS = {
    "claude.md", "claude.local.md", "agents.md", "gemini.md", "qwen.md", "skill.md",
    "copilot-instructions.md",
}  # fmt: skip
_SYSTEM_PROMPT = re.compile(
    r"(?:^|[._ -])system[_ -]?(?:prompt|message|instructions?)(?![a-z]).*\.(?:md|txt)$"
)


def format_of_name(name: str) -> str | None:
    """The format of a prompt file by its name, in lower case; None for any other file."""
    base = re.split(r"[\\/]", name)[-1]
    if base in _INSTRUCTIONS:
        return "instructions"
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if base.endswith(suffix):
            return _SUFFIXES[suffix]
    return "prompt" if _SYSTEM_PROMPT.search(base) else None


_PROSE = re.compile(
    r"\b(?:you are|you're|you will|you must|you should|your (?:task|job|role|goal|answer|response"
    r"|output|reply)|as an? (?:ai|expert|assistant)|assistant|respond|answer the)\b",
    re.IGNORECASE,
)
_NO_PROMPT = re.compile(r"<(?:!doctype|html|body|head|div|table)\b|^FROM \S+$", re.I | re.M)
_TAGS = re.compile(r"(?s)\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}")


def holds_prompt(format: str, source: str) -> bool:
    """Whether a text of one of the formats is a prompt: a Jinja file may be anything else too."""
    if not source.strip():
        return False
    if format != "jinja":
        return True
    if _PROSE.search(source) is None or _NO_PROMPT.search(source) is not None:
        return False
    # A model's chat template is code with a few words in it.
    code = sum(len(found[0]) for found in _TAGS.finditer(source))
    return 4 * code < 3 * len(source)


@dataclass(frozen=True, slots=True)
class _Head:
    """A file's front matter: its value with its offset, and where the text behind it starts."""

    node: Node | None
    start: int
    body: int
    comments: tuple[Comment, ...] = ()


_FENCE = re.compile(r"\ufeff?---[ \t]*\r?\n(?P<inner>(?:.*\r?\n)*?)---[ \t]*(?:\r?\n|\Z)")


def read_regions(format: str, source: str) -> list[Region]:
    """The prompt of a file as one value; nothing when there is no text in it."""
    head = _head(source)
    sections = _sections(format, source, head.body)
    if not sections:
        return []
    dialect = _dialect(format)
    draft = _draft(source, sections, dialect, head.body, single=format not in _WITH_ROLES)
    node, start = build(draft, STYLE)
    if head.node is not None and format != "instructions":
        model, at = _model(head.node)
        if model is not None:
            key_at = head.start + at
            node.keys = ["model", *node.keys]
            node.key_starts = [key_at - start, *node.key_starts]
            node.key_lengths = [0, *node.key_lengths]
            node.values = [model, *node.values]
            node.starts = [key_at - start, *node.starts]
    comments = (
        *head.comments,
        *(Comment(found.start(), found[0]) for found in _COMMENT.finditer(source, head.body)),
    )
    return [Region(start, start + node.length, node, comments, SHAPE)]


_COMMENT = re.compile(r"(?s)<!--.*?-->|\{#.*?#\}|\{\{!--.*?--\}\}")
"""Comments of Markdown and of templates: in them a finding can be silenced."""


_WITH_ROLES = {"prompty", "dotprompt"}


def _dialect(format: str) -> Dialect:
    if format in ("prompty", "jinja"):
        return "jinja"
    if format == "dotprompt":
        return "handlebars"
    return "editor" if format == "prompt" else "none"


def _head(source: str) -> _Head:
    found = _FENCE.match(source)
    if found is None:
        return _Head(None, 0, 1 if source.startswith("\ufeff") else 0)
    # Loaded here: most prompt files have no front matter.
    from cachewise.syntax import yaml

    documents, comments = yaml.read(found["inner"])
    base = found.start("inner")
    listed = tuple(Comment(base + comment.start, comment.text) for comment in comments)
    if not documents:
        return _Head(None, base, found.end(), listed)
    return _Head(documents[0].node, base + documents[0].start, found.end(), listed)


def _sections(format: str, source: str, body: int) -> list[Section]:
    if format == "prompty":
        return sections_by_line(source, body, len(source))
    if format == "dotprompt":
        return sections_by_helper(source, body, len(source))
    text = source[body:]
    inner = text.strip()
    start = body + len(text) - len(text.lstrip())
    return [Section("system", start, start + len(inner))] if inner else []


def _draft(
    source: str, sections: list[Section], dialect: Dialect, body: int, *, single: bool
) -> Draft:
    texts = [
        Written(section.start, section.end, "", list(template_parts(
            source, section.start, section.end, dialect
        )))
        for section in sections
    ]  # fmt: skip
    if single:
        member = Member("system", texts[0].start, 0, texts[0])
        return Mapping(texts[0].start, texts[0].end, STYLE, (member,))
    messages: list[Draft] = []
    for section, text in zip(sections, texts, strict=True):
        role = Written(text.start, text.start, section.role, _role_parts(section))
        members = (
            Member("role", text.start, 0, role),
            Member("content", text.start, 0, text),
        )
        messages.append(Mapping(text.start, text.end, STYLE, members))
    first, last = texts[0].start, texts[-1].end
    listing = Listing(first, last, STYLE, messages)
    return Mapping(first, last, STYLE, (Member("messages", first, 0, listing),))


def _role_parts(section: Section) -> list[Part | Unknown]:
    return [Part(section.role, section.start)]


def _model(head: Node) -> tuple[Node | None, int]:
    """The model that a front matter names, with its offset from the front matter's start.

    Prompty nests it (``model.id``, ``model.configuration.azure_deployment``); others write it.
    """
    start = 0
    node: Node | None = head
    for _ in range(3):
        if node is None or node.kind != "object":
            return None, 0
        names = _MODEL_KEYS if node is not head else ("model",)
        key = next((key for key in names if node.get(key) is not None), None)
        if key is None:
            return None, 0
        start += node.start_of(key)
        node = node.get(key)
        if node is not None and node.kind == "string":
            return node, start
    return None, 0


_MODEL_KEYS = ("configuration", "id", "name", "azure_deployment", "deployment")
