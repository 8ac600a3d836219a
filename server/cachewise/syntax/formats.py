"""The document formats, and how a text in each is cut into regions of one tree each."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from cachewise.syntax import json, prompt_files
from cachewise.syntax.grammar import Trees
from cachewise.syntax.region import Region, reuse_regions
from cachewise.syntax.sharing import graft
from cachewise.syntax.tree import Comment, Node
from cachewise.text import Text

FORMATS = (
    "json",
    "jsonc",
    "jsonl",
    "yaml",
    "python",
    "shell",
    "http",
    "markdown",
    "notebook",
    "typescript",
    "tsx",
    "java",
    "kotlin",
    "go",
    "csharp",
    "ruby",
    "php",
    "rust",
    *prompt_files.FORMATS,
)
"""Names of the formats, as the JSON output and the settings use them."""

_BY_SUFFIX = {
    ".json": "json",
    ".jsonc": "jsonc",
    ".json5": "jsonc",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".py": "python",
    ".pyi": "python",
    ".sh": "shell",
    ".bash": "shell",
    ".zsh": "shell",
    ".http": "http",
    ".rest": "http",
    ".md": "markdown",
    ".markdown": "markdown",
    ".ipynb": "notebook",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".js": "tsx",
    ".mjs": "tsx",
    ".cjs": "tsx",
    ".jsx": "tsx",
    ".java": "java",
    ".kt": "kotlin",
    ".kts": "kotlin",
    ".go": "go",
    ".cs": "csharp",
    ".rb": "ruby",
    ".php": "php",
    ".rs": "rust",
}

_BY_LANGUAGE = {
    "json": "json",
    "jsonc": "jsonc",
    "json5": "jsonc",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "jsonlines": "jsonl",
    "yaml": "yaml",
    "python": "python",
    "python3": "python",
    "py": "python",
    "shell": "shell",
    "shellscript": "shell",
    "bash": "shell",
    "sh": "shell",
    "zsh": "shell",
    "console": "shell",
    "http": "http",
    "rest": "http",
    "markdown": "markdown",
    "md": "markdown",
    "typescript": "typescript",
    "ts": "typescript",
    "typescriptreact": "tsx",
    "tsx": "tsx",
    "javascript": "tsx",
    "javascriptreact": "tsx",
    "js": "tsx",
    "jsx": "tsx",
    "java": "java",
    "kotlin": "kotlin",
    "kt": "kotlin",
    "go": "go",
    "golang": "go",
    "csharp": "csharp",
    "cs": "csharp",
    "c#": "csharp",
    "ruby": "ruby",
    "rb": "ruby",
    "php": "php",
    "rust": "rust",
    "rs": "rust",
    "prompty": "prompty",
    "prompt": "prompt",
    "chatmode": "prompt",
    "chatagent": "prompt",
    "instructions": "instructions",
    "jinja": "jinja",
    "jinja-md": "jinja",
    "jinja2": "jinja",
}


def format_of(name: str, language: str | None = None) -> str | None:
    """The format of a file by its name or the editor's language id, or None when not supported."""
    lower = name.lower()
    prompt = prompt_files.format_of_name(lower)
    if prompt is not None:
        return prompt
    for suffix, format in _BY_SUFFIX.items():
        if lower.endswith(suffix):
            return format
    return _BY_LANGUAGE.get(language.lower()) if language else None


def format_by_content(source: str) -> str | None:
    """The format of a named file whose name says nothing: JSON of some kind when it starts so."""
    head = source.lstrip("\ufeff \t\r\n")[:1]
    if head not in ("{", "[", "/"):
        return None
    first, _, rest = source.strip().partition("\n")
    if first.rstrip().endswith("}") and rest.lstrip().startswith("{"):
        return "jsonl"
    return "jsonc"


COMMENTS: dict[str, tuple[str, str]] = {
    "python": ("#", ""),
    "shell": ("#", ""),
    "http": ("#", ""),
    "markdown": ("<!--", " -->"),
    "typescript": ("//", ""),
    "tsx": ("//", ""),
    "java": ("//", ""),
    "kotlin": ("//", ""),
    "go": ("//", ""),
    "csharp": ("//", ""),
    "ruby": ("#", ""),
    "php": ("//", ""),
    "rust": ("//", ""),
    "jinja": ("{#", " #}"),
}
"""How a comment begins and ends in the formats of source code that have any."""


def is_source(format: str) -> bool:
    """Whether a format is that of code or prose which holds requests, and no record of any."""
    return format in _READERS or format in prompt_files.FORMATS


def may_hold_values(format: str, source: str) -> bool | None:
    """A cheap look at a text of source code: False means that no request can be in there.

    None for the formats in which a request shows in other ways. Nothing is imported for it.
    """
    if format in prompt_files.FORMATS:
        return prompt_files.holds_prompt(format, source)
    signs = SIGNS.get(format)
    if signs is None:
        return None
    return any(sign in source for sign in signs)


def read_regions(
    format: str,
    source: str,
    previous: list[Region] | None = None,
    changed: tuple[int, int, int] | None = None,
    trees: Trees | None = None,
) -> list[Region]:
    """The values of a document, in order. Never fails: unreadable text gives no values.

    ``previous`` is what an earlier version of the text gave: values that are the same are the same
    objects again. ``changed`` tells where the two versions differ, as ``sharing.graft`` takes it.
    ``trees`` are the syntax trees of the earlier version, kept there for the next one too.
    """
    if format == "jsonl":
        return _grafted(previous, list(_read_lines(source, 0)), changed)
    if format == "yaml":
        return _read_yaml(source)
    if format in prompt_files.FORMATS:
        return reuse_regions(previous or [], prompt_files.read_regions(format, source))
    reader = _READERS.get(format)
    if reader is not None:
        regions = reader(source, trees or Trees())
        return reuse_regions(previous, regions) if previous else regions
    regions = [
        Region(result.start, result.end, result.node, tuple(result.comments))
        for result in json.scan_all(source)
    ]
    return _grafted(previous, regions, changed)


def _grafted(
    previous: list[Region] | None, regions: list[Region], changed: tuple[int, int, int] | None
) -> list[Region]:
    """The regions of JSON with what stands outside of the change as it was before."""
    if not previous or changed is None:
        return regions
    nodes = graft(
        [(region.node, region.start) for region in previous if region.node is not None],
        [(region.node, region.start) for region in regions if region.node is not None],
        changed,
    )
    kept = iter(nodes)
    return [
        region if region.node is None else replace(region, node=next(kept)) for region in regions
    ]


def _read_yaml(source: str) -> list[Region]:
    # Loaded here: most sessions never see a YAML file.
    from cachewise.syntax import yaml

    documents, comments = yaml.read(source)
    return [
        Region(found.start, found.end, found.node, () if index else tuple(comments))
        for index, found in enumerate(documents)
    ]


def _reread_yaml(regions: list[Region], source: str) -> list[Region]:
    from cachewise.syntax import yaml

    fresh = _read_yaml(source)
    for index, (old, new) in enumerate(zip(regions, fresh, strict=False)):
        if old.node is not None and new.node is not None:
            node = yaml.shared(old.node, new.node)
            fresh[index] = Region(new.start, new.end, node, new.comments)
    return fresh


_MARKERS = ("cache_control", "cacheControl", "cachePoint", "cache_point", "prompt_cache")

# Whatever is called, a request has messages, or a marker.
_PYTHON_SIGNS = (*_MARKERS, "messages=", '"messages"', "'messages'")
_WORDS = (*_MARKERS, "messages", "contents", "/converse", "/responses")

_SCRIPT_SIGNS = (
    *_MARKERS,
    "messages.create",
    "messages.stream",
    "messages.countTokens",
    "messages.parse",
    "completions.create",
    "completions.parse",
    "responses.create",
    "ConverseCommand",
    "ConverseStreamCommand",
    "generateText(",
    "streamText(",
    "anthropic_version",
    "messages: [",
    '"messages": [',
)
_BUILDER_SIGNS = (
    "MessageCreateParams",
    "MessageCountTokensParams",
    "CacheControl",
    "cacheControl(",
    "cache_control",
)

SIGNS: dict[str, tuple[str, ...]] = {
    "typescript": _SCRIPT_SIGNS,
    "tsx": _SCRIPT_SIGNS,
    "java": _BUILDER_SIGNS,
    "kotlin": _BUILDER_SIGNS,
    "go": ("MessageNewParams", "CacheControl", "cache_control"),
    "csharp": ("MessageCreateParams", "MessageParameters", "CacheControl", "cache_control"),
    "ruby": ("cache_control", "messages.create", "messages.stream"),
    "php": ("cache_control", "cacheControl", "CacheControl", "messages->create"),
    "rust": ("cache_control", '"messages"'),
    "python": _PYTHON_SIGNS,
    "shell": _WORDS,
    "http": _WORDS,
    "notebook": _WORDS,
    "markdown": (*_WORDS, "completion(", "converse("),
}
"""For each format of source code, words of which a text with a request holds at least one."""


def _read_python(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.python import read_regions

    return read_regions(source, trees)


def _read_shell(source: str, _: Trees) -> list[Region]:
    from cachewise.syntax.shell import read_regions

    return read_regions(source)


def _read_http(source: str, _: Trees) -> list[Region]:
    from cachewise.syntax.http import read_regions

    return read_regions(source)


def _read_markdown(source: str, _: Trees) -> list[Region]:
    from cachewise.syntax.markdown import read_regions

    return read_regions(source)


def _read_notebook(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.notebook import read_regions

    return read_regions(source, trees)


def _read_typescript(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.typescript import regions_of_typescript

    return regions_of_typescript(source, trees)


def _read_tsx(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.typescript import regions_of_tsx

    return regions_of_tsx(source, trees)


def _read_java(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.builders import regions_of_java

    return regions_of_java(source, trees)


def _read_kotlin(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.builders import regions_of_kotlin

    return regions_of_kotlin(source, trees)


def _read_go(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.initializers import regions_of_go

    return regions_of_go(source, trees)


def _read_csharp(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.initializers import regions_of_csharp

    return regions_of_csharp(source, trees)


def _read_ruby(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.dynamic import regions_of_ruby

    return regions_of_ruby(source, trees)


def _read_php(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.dynamic import regions_of_php

    return regions_of_php(source, trees)


def _read_rust(source: str, trees: Trees) -> list[Region]:
    from cachewise.syntax.dynamic import regions_of_rust

    return regions_of_rust(source, trees)


_READERS: dict[str, Callable[[str, Trees], list[Region]]] = {
    "python": _read_python,
    "shell": _read_shell,
    "http": _read_http,
    "markdown": _read_markdown,
    "notebook": _read_notebook,
    "typescript": _read_typescript,
    "tsx": _read_tsx,
    "java": _read_java,
    "kotlin": _read_kotlin,
    "go": _read_go,
    "csharp": _read_csharp,
    "ruby": _read_ruby,
    "php": _read_php,
    "rust": _read_rust,
}
"""The readers of source code. Each loads its grammar when it is first called."""


_LINE = re.compile(r"[^\r\n]+")
_BREAKS = re.compile(r"[\r\n]")


def _read_lines(source: str, offset: int) -> Iterator[Region]:
    for found in _LINE.finditer(source):
        line = found[0]
        result = json.scan(line)
        if result.node is not None:
            start = offset + found.start() + result.start
            yield Region(start, offset + found.start() + result.end, result.node)


def reread_regions(
    format: str, regions: list[Region], text: Text, start: int, end: int, length: int
) -> list[Region] | None:
    """The regions after the characters from ``start`` to ``end`` became ``length`` others.

    ``text`` is the new text. None when the document has to be read again as a whole; else the
    result equals reading it again.
    """
    if format == "yaml":
        # Indentation far away may change what a line means, and libyaml is fast enough to look.
        return _reread_yaml(regions, str(text))
    if is_source(format):
        return None
    index = bisect_right(regions, start, key=lambda region: region.start) - 1
    region = regions[index] if index >= 0 else None
    node = None
    # In a trace a line break begins another value, wherever it stands.
    if region is not None and not (
        format == "jsonl" and _BREAKS.search(text.slice(start, start + length))
    ):
        node = _reread_value(region, text, start, end, length)
    if region is None or node is None:
        return _reread_lines(regions, text, start, end, length) if format == "jsonl" else None
    delta = length - (end - start)
    fresh = Region(region.start, region.end + delta, node, region.comments)
    return [*regions[:index], fresh, *_moved(regions[index + 1 :], delta)]


def _reread_value(region: Region, text: Text, start: int, end: int, length: int) -> Node | None:
    """The value of a region with an edit inside of it; None when it reaches beyond."""
    if region.node is None or not region.start < start <= end < region.end:
        return None
    delta = length - (end - start)
    base = region.start
    node = json.edited(
        region.node,
        start - base,
        end - base,
        length,
        lambda first, last: text.slice(base + first, base + last),
    )
    if node is None:
        # The edit reaches beyond one value: read on from there, and take over what follows it.
        source = text.slice(base, region.end + delta)
        result = json.rescan(region.node, 0, source, start - base, end - base, length)
        if result is not None and result.settled and result.end == len(source):
            node = result.node
        if node is not None:
            changed = (start - base, end - base, start - base + length)
            [node] = graft([(region.node, 0)], [(node, 0)], changed)
    return node


def _reread_lines(
    regions: list[Region], text: Text, start: int, end: int, length: int
) -> list[Region]:
    """The regions of a trace when nothing but the lines that an edit touches is read again."""
    delta = length - (end - start)
    first = text.line_start(text.position(start).line)
    # Behind a break of two characters that the edit parts there is no more of the line.
    last = max(start + length, text.line_end(text.position(start + length).line))
    low = bisect_left(regions, first, key=lambda region: region.start)
    high = bisect_left(regions, last - delta, key=lambda region: region.start)
    fresh = list(_read_lines(text.slice(first, last), first))
    changed = start, end, start + length
    return [
        *regions[:low],
        *_grafted(regions[low:high], fresh, changed),
        *_moved(regions[high:], delta),
    ]


def _moved(regions: list[Region], delta: int) -> list[Region]:
    """The regions so many characters further on."""
    if not delta:
        return regions
    return [
        Region(
            later.start + delta,
            later.end + delta,
            later.node,
            tuple(Comment(comment.start + delta, comment.text) for comment in later.comments),
        )
        for later in regions
    ]
