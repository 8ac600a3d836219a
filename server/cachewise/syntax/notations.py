"""How the languages other than Python write what a change puts into their requests."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

from cachewise.syntax.edit import Edit, Read
from cachewise.syntax.notation import Notation, plain_literal, quoted
from cachewise.syntax.tree import Node

_SLASH_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")

_WORDS = ("true", "false", "null")


def _script_literal(value: Any, quote: str) -> str:
    """A value with bare keys, as JavaScript is written by hand."""
    if isinstance(value, dict):
        members = ", ".join(
            f"{key if _WORD.fullmatch(key) else quoted(key, quote)}: {_script_literal(item, quote)}"
            for key, item in cast(dict[str, Any], value).items()
        )
        return f"{{ {members} }}" if members else "{}"
    return plain_literal(value, quote, _WORDS)


def _script_block(source: str, marker: str | None, quote: str) -> str:
    tail = "" if marker is None else f", cache_control: {marker}"
    return f"[{{ type: {quote}text{quote}, text: {source}{tail} }}]"


def blanked(empty: str) -> Any:
    """The way to take a marker from an assignment, which cannot go without its statement."""

    def remove(read: Read, node: Node, start: int, key: str) -> Edit:
        at = start + node.starts[node.index(key)]
        return Edit(at, at + node.values[node.index(key)].length, empty)

    return remove


_TYPESCRIPT = Notation(
    member=lambda name, value, quote: f"{_script_key(name, quote)}: {value}",
    literal=_script_literal,
    comment=_SLASH_COMMENT,
    text_block=_script_block,
    empty="undefined",
)


def _script_key(name: str, quote: str) -> str:
    return name if _WORD.fullmatch(name) else quoted(name, quote)


_BUILD = re.compile(r"\s*\.build\(\)\Z")
_JAVA_TTL = {"5m": "CacheControlEphemeral.Ttl.TTL_5M", "1h": "CacheControlEphemeral.Ttl.TTL_1H"}


def _builder_literal(value: Any, quote: str) -> str:
    """A value as the SDK's classes write it: a marker is built, a lifetime a constant."""
    if isinstance(value, dict):
        ttl = cast(dict[str, Any], value).get("ttl")
        inner = f".ttl({_builder_literal(ttl, quote)})" if ttl else ""
        return f"CacheControlEphemeral.builder(){inner}.build()"
    if isinstance(value, str):
        return _JAVA_TTL.get(value) or quoted(value, '"')
    return plain_literal(value, '"', _WORDS)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _add_method(read: Read, node: Node, start: int, key: str, written: str) -> Edit:
    """One more method, before the ``.build()`` that ends the chain."""
    raw = read(start, start + node.length)
    last = _BUILD.search(raw)
    if last is None:
        return Edit(start + node.length, start + node.length, f".{_camel(key)}({written})")
    space = last[0][: len(last[0]) - len(".build()")]
    at = start + last.start()
    return Edit(at, at, f"{space}.{_camel(key)}({written})")


def _remove_method(read: Read, node: Node, start: int, key: str) -> Edit:
    """A method with its dot, its arguments, and the white space before it."""
    index = node.index(key)
    name = start + node.key_starts[index]
    raw = read(start, name)
    first = start + len(raw.rstrip().removesuffix(".").rstrip())
    end = start + node.starts[index] + node.values[index].length
    behind = re.match(r"\s*\)", read(end, end + 200))
    return Edit(first, end + (behind.end() if behind is not None else 0), "")


_METHODS = {
    "system": "systemOfTextBlockParams",
    "content": "contentOfBlockParams",
    "addUserMessage": "addUserMessageOfBlockParams",
    "addAssistantMessage": "addAssistantMessageOfBlockParams",
}


def _wrap_argument(listed: str) -> Any:
    """A text that is given to a method becomes a list of one block, given to another method."""

    def wrap(read: Read, node: Node, start: int, marker: str | None) -> Edit:
        source = read(start, start + node.length)
        before = read(max(0, start - 200), start)
        method = re.search(r"(\w+)(\(\s*)\Z", before)
        tail = "" if marker is None else f".cacheControl({marker})"
        block = f"TextBlockParam.builder().text({source}){tail}.build()"
        name = _METHODS.get(method[1]) if method is not None else None
        if method is None or name is None:
            return Edit(start, start + node.length, block)
        if method[1] != "system":
            block = f"ContentBlockParam.ofText({block})"
        first = start - len(method[0])
        return Edit(first, start + node.length, f"{name}{method[2]}{listed}({block})")

    return wrap


_JAVA = Notation(
    member=lambda name, value, quote: f"{quoted(name, quote)}, {value}",
    literal=_builder_literal,
    comment=_SLASH_COMMENT,
    text_block=_script_block,
    empty="null",
    trailing=False,
    wrap=_wrap_argument("List.of"),
)
_JAVA_BUILDER = replace(_JAVA, add=_add_method, remove=_remove_method)


def _pascal(name: str) -> str:
    return "TTL" if name == "ttl" else "".join(word.title() for word in name.split("_"))


def _colon(name: str, value: str, quote: str) -> str:
    return f"{quoted(name, quote)}: {value}"


def _go_literal(value: Any, quote: str) -> str:
    """A value in Go: a marker is a struct, a lifetime a constant."""
    if isinstance(value, dict):
        ttl = cast(dict[str, Any], value).get("ttl")
        if not ttl:
            return "anthropic.NewCacheControlEphemeralParam()"
        return f"anthropic.CacheControlEphemeralParam{{TTL: {_go_literal(ttl, quote)}}}"
    if value in ("5m", "1h"):
        return f"anthropic.CacheControlEphemeralTTLTTL{value}"
    return plain_literal(value, '"', ("true", "false", "nil"))


def _go_block(source: str, marker: str | None, quote: str) -> str:
    tail = "" if marker is None else f", CacheControl: {marker}"
    return f"[]anthropic.TextBlockParam{{{{Text: {source}{tail}}}}}"


_GO = Notation(
    member=lambda name, value, quote: f"{_pascal(name)}: {value}",
    literal=_go_literal,
    comment=_SLASH_COMMENT,
    text_block=_go_block,
    empty="nil",
)


def _go_text_call(read: Read, node: Node, start: int, key: str, written: str) -> Edit:
    """``NewTextBlock(text)`` takes no marker: the block is written out."""
    text = node.values[node.index("text")]
    at = start + node.starts[node.index("text")]
    source = read(at, at + text.length)
    block = (
        "anthropic.ContentBlockParamUnion{OfText: &anthropic.TextBlockParam"
        f"{{Text: {source}, CacheControl: {written}}}}}"
    )
    return Edit(start, start + node.length, block)


def _go_marker_call(read: Read, node: Node, start: int, key: str, written: str) -> Edit:
    """``NewCacheControlEphemeralParam()`` takes no lifetime: the struct is written out."""
    struct = f"anthropic.CacheControlEphemeralParam{{{_pascal(key)}: {written}}}"
    return Edit(start, start + node.length, struct)


def _sharp_literal(value: Any, quote: str) -> str:
    """A value in C#: a marker is an object, a lifetime a constant."""
    if isinstance(value, dict):
        ttl = cast(dict[str, Any], value).get("ttl")
        inner = f" {{ Ttl = {_sharp_literal(ttl, quote)} }}" if ttl else "()"
        return f"new CacheControlEphemeral{inner}"
    if value in ("5m", "1h"):
        return f"Ttl.Ttl{value}"
    return plain_literal(value, '"', _WORDS)


def _sharp_key(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


def _sharp_block(source: str, marker: str | None, quote: str) -> str:
    tail = "" if marker is None else f", CacheControl = {marker}"
    return f"new List<TextBlockParam> {{ new() {{ Text = {source}{tail} }} }}"


def _sharp_new(read: Read, node: Node, start: int, key: str, written: str) -> Edit:
    """``new X(…)`` without an initializer gets one."""
    end = start + node.length
    return Edit(end, end, f" {{ {_sharp_key(key)} = {written} }}")


_CSHARP = Notation(
    member=lambda name, value, quote: f"{_sharp_key(name)} = {value}",
    literal=_sharp_literal,
    comment=_SLASH_COMMENT,
    text_block=_sharp_block,
    empty="null",
)


def _ruby_literal(value: Any, quote: str) -> str:
    if isinstance(value, dict):
        members = ", ".join(
            f"{key}: {_ruby_literal(item, quote)}"
            for key, item in cast(dict[str, Any], value).items()
        )
        return f"{{ {members} }}" if members else "{}"
    return plain_literal(value, quote, ("true", "false", "nil"))


def _ruby_block(source: str, marker: str | None, quote: str) -> str:
    tail = "" if marker is None else f", cache_control: {marker}"
    return f"[{{ type: {quote}text{quote}, text: {source}{tail} }}]"


_RUBY = Notation(
    member=lambda name, value, quote: f"{'system_' if name == 'system' else name}: {value}",
    literal=_ruby_literal,
    comment=re.compile(r"#[^\r\n]*"),
    text_block=_ruby_block,
    empty="nil",
)


def _named_argument(name: str, value: str, quote: str) -> str:
    return f"{_camel(name)}: {value}"


def _php_literal(value: Any, quote: str) -> str:
    if isinstance(value, dict):
        members = ", ".join(
            f"{quoted(key, quote)} => {_php_literal(item, quote)}"
            for key, item in cast(dict[str, Any], value).items()
        )
        return f"[{members}]"
    return plain_literal(value, quote, _WORDS)


def _php_block(source: str, marker: str | None, quote: str) -> str:
    kind, text = quoted("type", quote), quoted("text", quote)
    tail = "" if marker is None else f", {quoted('cache_control', quote)} => {marker}"
    return f"[[{kind} => {text}, {text} => {source}{tail}]]"


_PHP = Notation(
    member=lambda name, value, quote: f"{quoted(name, quote)} => {value}",
    literal=_php_literal,
    comment=re.compile(r"//[^\r\n]*|#[^\r\n]*|/\*.*?\*/", re.DOTALL),
    text_block=_php_block,
    empty="null",
)

OTHERS: dict[str, Notation] = {
    "typescript": _TYPESCRIPT,
    "java": _JAVA,
    "java-builder": _JAVA_BUILDER,
    "kotlin": replace(_JAVA, wrap=_wrap_argument("listOf")),
    "kotlin-builder": replace(_JAVA_BUILDER, wrap=_wrap_argument("listOf")),
    "go": _GO,
    "go-map": replace(_GO, member=_colon),
    "go-call": replace(_GO, add=_go_marker_call),
    "go-text-call": replace(_GO, add=_go_text_call),
    "csharp": _CSHARP,
    "csharp-new": replace(_CSHARP, add=_sharp_new),
    "ruby": _RUBY,
    "ruby-assignment": replace(_RUBY, remove=blanked("nil")),
    "php": _PHP,
    "php-call": replace(_PHP, member=_named_argument),
    "php-assignment": replace(_PHP, remove=blanked("null")),
    "typescript-assignment": replace(_TYPESCRIPT, remove=blanked("undefined")),
}
"""The notations by the styles of nodes."""
