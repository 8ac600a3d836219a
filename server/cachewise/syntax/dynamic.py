"""Requests in Ruby, PHP and Rust: calls of Anthropic's SDKs, hashes and arrays, ``json!``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cachewise.syntax.dynamic_values import Php, Ruby
from cachewise.syntax.embedded import Excerpt, json_regions
from cachewise.syntax.evaluation import Evaluator
from cachewise.syntax.grammar import Trees, parse
from cachewise.syntax.region import Region
from cachewise.syntax.source import Draft, Listing, Mapping, Member, comments_region
from cachewise.syntax.source_regions import (
    ANTHROPIC,
    BODIES,
    CHAT,
    MARKER_KEYS,
    Finder,
    carries_marker,
    keys_of,
    looks_like_marker,
    read_regions,
)
from cachewise.syntax.tree import Comment

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

_NEEDED = {"messages", "system", "tools"}
_SIGNS = {
    "messages": "",
    "completions": "",
    "system": "",
    "contents": "",
    "cache_control": "",
    "cacheControl": "",
    "CacheControl": "",
}


def _body(values: Evaluator, node: SyntaxNode) -> tuple[Draft, str] | None:
    """A hash or array that may be a request; its shape decides."""
    source = values.source(node)
    if "messages" not in source and "system" not in source and "contents" not in source:
        return None
    draft = values.value(node, values.frame_of(node))
    if not isinstance(draft, Mapping):
        return None
    keys = keys_of(draft)
    lists = all(
        isinstance(member.value, Listing) and bool(member.value.items)
        for member in draft.members
        if member.key in ("messages", "contents")
    )
    return (draft, "") if lists and any(needed <= keys for needed in BODIES) else None


def regions_of_ruby(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Ruby text."""
    values = Ruby(parse("ruby", source, trees))

    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        if node.type == "hash":
            return _body(values, node)
        receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        arguments = node.child_by_field_name("arguments")
        if node.type != "call" or receiver is None or method is None or arguments is None:
            return None
        name = f"{values.source(receiver)}.{values.source(method)}"
        if len(name) > 200:
            return None
        if re.search(r"\bmessages\.(?:create|stream|stream_raw|count_tokens)$", name) is None and (
            re.search(r"\bcompletions\.(?:create|stream|stream_raw)$", name) is None
        ):
            return None
        members = list(values.pairs(arguments, values.frame_of(arguments)))
        draft = Mapping(*values.span(arguments), "ruby", members)
        shape = CHAT if "completions" in name else ANTHROPIC
        return (draft, shape) if keys_of(draft) & _NEEDED else None

    def marker(node: SyntaxNode) -> Draft | None:
        if node.type == "hash":
            draft = values.value(node, values.frame_of(node))
            return draft if carries_marker(draft) else None
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type != "assignment" or left is None or right is None:
            return None
        if left.type != "element_reference" or len(left.named_children) != 2:
            return None
        return _assigned(values, node, left.named_children[1], right, "ruby-assignment")

    return read_regions(values, Finder("ruby", _SIGNS, request, marker))


def regions_of_php(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a PHP text."""
    values = Php(parse("php", source, trees))

    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        if node.type == "array_creation_expression":
            return _body(values, node)
        target, method = node.child_by_field_name("object"), node.child_by_field_name("name")
        arguments = node.child_by_field_name("arguments")
        if node.type != "member_call_expression" or target is None or method is None:
            return None
        word = values.source(method)
        name = values.source(target)
        if arguments is None or not re.search(r"->messages(?:\(\))?$", name[-60:]):
            return None
        if word not in ("create", "createStream", "createStreamed", "stream", "countTokens"):
            return None
        frame = values.frame_of(arguments)
        draft: Draft = values.arguments(arguments, frame)
        if not keys_of(draft) & _NEEDED and arguments.named_children:
            first = arguments.named_children[0]
            draft = values.value(first.named_children[-1], frame) if first.named_children else draft
        return (draft, ANTHROPIC) if keys_of(draft) & _NEEDED else None

    def marker(node: SyntaxNode) -> Draft | None:
        if node.type in ("array_creation_expression", "scoped_call_expression"):
            if "ache" not in values.source(node):
                return None
            draft = values.value(node, values.frame_of(node))
            return draft if carries_marker(draft) else None
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type != "assignment_expression" or left is None or right is None:
            return None
        if left.type != "subscript_expression" or len(left.named_children) != 2:
            return None
        return _assigned(values, node, left.named_children[1], right, "php-assignment")

    return read_regions(values, Finder("php", _SIGNS, request, marker))


def _assigned(
    values: Evaluator, node: SyntaxNode, key: SyntaxNode, right: SyntaxNode, style: str
) -> Draft | None:
    name = values.source(key).strip(":\"'")
    if name not in MARKER_KEYS:
        return None
    value = values.value(right, values.frame_of(right))
    if not looks_like_marker(value):
        return None
    at, stop = values.span(key)
    return Mapping(*values.span(node), style, (Member(name, at, stop - at, value),))


def regions_of_rust(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Rust text: what stands in ``json!`` is JSON, but for its expressions."""
    parsed = parse("rust", source, trees)
    found: list[Region] = []
    comments: list[Comment] = []
    signs = parsed.signs({"json": "", "cachewise:": ""})
    stack = [parsed.root]
    while stack:
        node = stack.pop()
        if node.type in ("line_comment", "block_comment"):
            comments.append(Comment(parsed.start(node), parsed.source(node)))
            continue
        named = node.child_by_field_name("macro") if node.type == "macro_invocation" else None
        if named is not None and parsed.source(named).rsplit("::", 1)[-1] == "json":
            tree = next((one for one in node.named_children if one.type == "token_tree"), None)
            if tree is not None:
                start, end = parsed.start(tree) + 1, parsed.end(tree) - 1
                inner = source[start:end]
                found.extend(json_regions(Excerpt.of(source, [(inner, start, end)])))
            continue
        stack.extend(reversed(parsed.within(node, signs)))
    return [*comments_region(comments), *found]
