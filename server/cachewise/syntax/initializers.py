"""Requests in Go and C#: literals of structs and object initializers of Anthropic's SDKs.

Field names are brought to the API's own (``MaxTokens`` to ``max_tokens``); a union's wrapper
(``OfTool``, ``OfText``) is the value that it holds. Source: the SDKs' examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cachewise.syntax.builder_values import plus, snake, string_parts
from cachewise.syntax.changing_calls import made_by
from cachewise.syntax.evaluation import (
    Evaluator,
    Event,
    Frame,
    as_block,
    fitting,
    join_items,
    repeated,
)
from cachewise.syntax.grammar import Trees, parse
from cachewise.syntax.python_values import made_in
from cachewise.syntax.region import Region
from cachewise.syntax.source import (
    Draft,
    Listing,
    Mapping,
    Member,
    Part,
    Scalar,
    Source,
    Unknown,
    Written,
    joined,
    parts_of,
    used_at,
)
from cachewise.syntax.source_regions import (
    ANTHROPIC,
    Finder,
    carries_marker,
    keys_of,
    read_regions,
)

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

_REQUESTS = re.compile(
    r"(?:^|\.)(?:Beta)?Message(?:New|Create|CountTokens)Params$|(?:^|\.)MessageParameters$"
)
_SIGNS = {
    "MessageNewParams": "",
    "MessageCreateParams": "",
    "MessageCountTokensParams": "",
    "MessageParameters": "",
    "CacheControl": "",
}
_TYPES = (
    (re.compile(r"TextBlock"), "text"),
    (re.compile(r"ImageBlock"), "image"),
    (re.compile(r"DocumentBlock"), "document"),
    (re.compile(r"ToolResultBlock"), "tool_result"),
    (re.compile(r"ToolUseBlock"), "tool_use"),
    (re.compile(r"RedactedThinkingBlock"), "redacted_thinking"),
    (re.compile(r"ThinkingBlock"), "thinking"),
    (re.compile(r"CacheControlEphemeral"), "ephemeral"),
)
"""The ``type`` that a value of a class has without saying so."""


def field_key(name: str) -> str:
    """A field's name as the API writes it: ``MaxTokens`` as ``max_tokens``, ``TTL`` as ``ttl``."""
    return "ttl" if name.lower() == "ttl" else snake(name)


def object_of(
    kind: str, members: list[Member], start: int, end: int, style: str, key: str = ""
) -> Mapping:
    """The object of a class with the ``type`` that it stands for."""
    named = next((word for pattern, word in _TYPES if pattern.search(kind)), "")
    if not named and key in ("system", "content") and any(one.key == "text" for one in members):
        named = "text"
    if not named and key == "cache_control":
        named = "ephemeral"
    if named and not any(member.key == "type" for member in members):
        text = Written(start, start, "", (Part(named, start),))
        members = [Member("type", start, 0, text), *members]
    return Mapping(start, end, style, members)


def constant(name: str, start: int, end: int) -> Draft | None:
    """A constant of the SDK: a model, a role, a lifetime."""
    last = name.rsplit(".", 1)[-1]
    text = ""
    if re.match(r"Model(?:Claude|_)", last) or re.search(r"(?:^|\.)Model\.\w+$", name):
        text = name if "Model." in name else f"Model.{last.removeprefix('Model')}"
    elif re.search(r"(?:TTL|Ttl)\.?(?:TTL|Ttl)?5[mM]$", name):
        text = "5m"
    elif re.search(r"(?:TTL|Ttl)\.?(?:TTL|Ttl)?1[hH]$", name):
        text = "1h"
    elif re.search(r"Role\.?(?:User|Assistant|System)$", name):
        text = re.sub(r".*Role\.?", "", name).lower()
    return Written(start, end, "", (Part(text, start),)) if text else None


class Go(Evaluator):
    """A Go text."""

    style = "go"
    functions = frozenset({"function_declaration", "method_declaration", "func_literal"})
    conditional = frozenset({"if_statement", "for_statement", "expression_case", "default_case",
                             "type_case", "communication_case"})  # fmt: skip
    loops = frozenset({"for_statement"})
    opaque = frozenset({
        "interpreted_string_literal", "raw_string_literal", "comment", "import_declaration",
    })  # fmt: skip

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Declarations, assignments, and ``x = append(x, …)``."""
        at, end = node.start_byte, node.end_byte
        if node.type in ("const_spec", "var_spec"):
            value = node.child_by_field_name("value")
            name = node.child_by_field_name("name")
            if name is not None and value is not None and len(value.named_children) == 1:
                yield self.source(name), Event("assign", at, end, value.named_children[0])
        elif node.type in ("short_var_declaration", "assignment_statement"):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                return
            names, given = left.named_children, right.named_children
            if len(names) != 1 or len(given) != 1:
                for name in names:
                    yield self.source(name), Event("unknown", at, end, None)
                return
            name, value = self.source(names[0]), given[0]
            operator = next((one.type for one in node.children if one.type.endswith("=")), "=")
            if operator == "+=":
                made = "an iteration counter" if value.type == "int_literal" else ""
                yield name, Event("augment", at, end, value, (), made)
                return
            called = value.child_by_field_name("function")
            arguments = value.child_by_field_name("arguments")
            if called is not None and arguments is not None and self.source(called) == "append":
                items = arguments.named_children
                if items and self.source(items[0]) == name:
                    for item in items[1:]:
                        yield name, Event("append", at, end, item)
                    return
            if names[0].type == "identifier":
                yield name, Event("assign", at, end, value)
            elif names[0].type == "selector_expression":
                base = names[0].child_by_field_name("operand")
                key = names[0].child_by_field_name("field")
                if base is not None and key is not None and base.type == "identifier":
                    path = (field_key(self.source(key)),)
                    yield self.source(base), Event("set", at, end, value, path)
        elif node.type in ("inc_statement", "dec_statement") and node.named_children:
            name = self.source(node.named_children[0])
            yield name, Event("unknown", at, end, None, (), "an iteration counter")

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The names of a function's parameters."""
        listed = node.child_by_field_name("parameters")
        found: dict[str, SyntaxNode | None] = {}
        for child in listed.named_children if listed is not None else ():
            for name in child.children_by_field_name("name"):
                found[self.source(name)] = None
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The function's name; methods are called on something that is not known."""
        name = node.child_by_field_name("name")
        plain = node.type == "function_declaration" and name is not None
        return self.source(name) if plain and name is not None else ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """The first value of each ``return``."""
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type == "return_statement":
                for listed in current.named_children[:1]:
                    yield from listed.named_children[:1]
            elif current is node or current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """The value of one expression."""
        kind = node.type
        start, end = self.span(node)
        if kind in ("interpreted_string_literal", "raw_string_literal"):
            return Written(start, end, self.source(node), list(self._text(node)))
        if kind == "int_literal":
            raw = self.source(node).replace("_", "")
            return Scalar(start, end, "number", raw) if raw.isdecimal() else self.unknown(node)
        if kind in ("true", "false"):
            return Scalar(start, end, kind, kind)
        if kind == "nil":
            return Scalar(start, end, "null", "null")
        if kind == "identifier":
            return self.named(node, frame)
        if kind in ("parenthesized_expression", "literal_element", "unary_expression"):
            inner = node.named_children
            return used_at(self.value(inner[0], frame), start, end) if inner else self.unknown(node)
        if kind == "selector_expression":
            found = constant(self.source(node), start, end)
            return found or self.unknown(node)
        if kind == "binary_expression":
            return plus(self, node, frame) or self.unknown(node)
        if kind == "composite_literal":
            named = node.child_by_field_name("type")
            body = node.child_by_field_name("body")
            if body is not None:
                return self.literal_value(
                    body, self.source(named) if named is not None else "", frame, "", start
                )
        if kind == "literal_value":
            return self.literal_value(node, "", frame, "", start)
        if kind == "call_expression":
            return self._call(node, frame)
        return self.unknown(node)

    def _text(self, node: SyntaxNode) -> Iterator[Part]:
        for child in node.named_children:
            start = self.parsed.start(child)
            if child.type == "escape_sequence":
                for part in string_parts(self, node, Frame(0, None), (child,)):
                    if isinstance(part, Part):
                        yield part
            else:
                yield Part(self.source(child), start)

    def literal_value(
        self, node: SyntaxNode, kind: str, frame: Frame, key: str, start: int
    ) -> Draft:
        """What stands in the braces: an object, or a list when there are no keys."""
        end = self.parsed.end(node)
        children = [child for child in node.named_children if child.type != "comment"]
        if kind.startswith("["):
            inner = kind.partition("]")[2].lstrip("*")
            items = [self._item(child, inner, key, frame) for child in children]
            return Listing(start, end, self.style, items, self.span(node))
        if kind.startswith("map["):
            pairs = [
                member
                for child in children
                if child.type == "keyed_element"
                for member in self._member(child, frame, plain=True)
            ]
            return Mapping(start, end, "go-map", pairs, self.span(node))
        members: list[Member] = []
        for child in children:
            if child.type == "keyed_element":
                members.extend(self._member(child, frame))
        for member in members:
            if re.match(r"of_[a-z]", member.key) and isinstance(member.value, Mapping):
                return replace(member.value, start=start, end=end, body=(
                    member.value.body or (member.value.start, member.value.end)
                ))  # fmt: skip
        made = object_of(kind, members, start, end, self.style, key)
        return replace(made, body=self.span(node))

    def _item(self, node: SyntaxNode, kind: str, key: str, frame: Frame) -> Draft:
        inner = node
        while inner.type == "literal_element" and inner.named_children:
            inner = inner.named_children[0]
        if inner.type == "literal_value":
            return self.literal_value(inner, kind, frame, key, self.parsed.start(inner))
        return as_block(self.value(inner, frame), self.style)

    def _member(self, node: SyntaxNode, frame: Frame, plain: bool = False) -> Iterator[Member]:
        written, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if written is None or value is None:
            return
        start, end = self.span(written)
        name = self.source(written)
        key = name.strip('"`') if plain else field_key(name)
        draft = self._valued(value, key, frame)
        yield Member(key, start, end - start, fitting(key, draft, self.style))

    def _valued(self, node: SyntaxNode, key: str, frame: Frame) -> Draft:
        draft = self.value(node, frame)
        if key == "cache_control" and isinstance(draft, Mapping):
            return object_of("", list(draft.members), draft.start, draft.end, draft.style, key) if (
                draft.body is None
            ) else replace(object_of("", list(draft.members), draft.start, draft.end,
                                     draft.style, key), body=draft.body)  # fmt: skip
        return draft

    def _call(self, node: SyntaxNode, frame: Frame) -> Draft:
        called = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if called is None or arguments is None:
            return self.unknown(node)
        start, end = self.span(node)
        name = self.source(called)
        given = [child for child in arguments.named_children if child.type != "comment"]
        word = name.rsplit(".", 1)[-1]
        at = self.parsed.start(called)
        if word in ("NewUserMessage", "NewAssistantMessage"):
            role = Written(at, at, "", (Part("user" if "User" in word else "assistant", at),))
            items = [as_block(self.value(child, frame), self.style) for child in given]
            listing = Listing(*self.span(arguments), self.style, items)
            members = (Member("role", at, 0, role), Member("content", at, 0, listing))
            return Mapping(start, end, "go-call", members)
        if word == "NewTextBlock" and given:
            kind = Written(at, at, "", (Part("text", at),))
            text = fitting("text", self.value(given[0], frame), self.style)
            members = (Member("type", at, 0, kind), Member("text", at, 0, text))
            return Mapping(start, end, "go-text-call", members)
        if word == "NewCacheControlEphemeralParam":
            kind = Written(at, at, "", (Part("ephemeral", at),))
            return Mapping(start, end, "go-call", (Member("type", at, 0, kind),))
        if word in ("F", "String", "Int", "Float", "Bool", "Opt", "Ptr", "Model", "Null") and given:
            draft = self.value(given[0], frame)
            return used_at(draft, start, end) if not isinstance(draft, Unknown) else draft
        if name == "fmt.Sprintf" and given:
            pattern = self.value(given[0], frame)
            if isinstance(pattern, Written):
                return joined(start, end, self._formatted(pattern, given[1:], frame))
        if name == "strings.Join" and len(given) == 2:
            listed = self.value(given[0], frame)
            if isinstance(listed, Listing):
                separator = parts_of(self.value(given[1], frame))
                return joined(start, end, join_items(listed.items, separator))
        if name == "strings.Repeat" and len(given) == 2:
            text, count = self.value(given[0], frame), self.value(given[1], frame)
            if isinstance(text, Written) and isinstance(count, Scalar) and count.raw.isdecimal():
                return repeated(text, int(count.raw), start, end) or self.unknown(node)
        made = made_by(name)
        if made is not None:
            return self.unknown(node, Source(*made, self.source(node)[:200], start, end))
        if called.type == "identifier":
            helped = self.helper(node, name, given, frame)
            if helped is not None:
                return helped
        else:
            operand = called.child_by_field_name("operand")
            source = made_in(self.value(operand, frame)) if operand is not None else None
            if source is not None:
                if word == "Format" and given:
                    layout = self.source(given[0])
                    if not re.search(r"15|03|04|05|RFC|Kitchen|Stamp|ANSIC|Unix", layout):
                        source = replace(source, change="day")
                return self.unknown(node, source)
        for child in given:
            source = made_in(self.value(child, frame))
            if source is not None:
                return self.unknown(node, source)
        return self.unknown(node)

    def _formatted(
        self, pattern: Written, given: Sequence[SyntaxNode], frame: Frame
    ) -> Iterator[Part | Unknown]:
        values = [self.value(child, frame) for child in given]
        index = 0
        for part in pattern.parts:
            if isinstance(part, Unknown):
                yield part
                continue
            position = 0
            for found in re.finditer(r"%[-#0 +]*[\d.]*([a-zA-Z%])", part.text):
                if found.start() > position:
                    yield Part(part.text[position : found.start()], part.start + position)
                at = part.start + found.start()
                position = found.end()
                if found[1] == "%":
                    yield Part("%", at)
                    continue
                value = values[index] if index < len(values) else None
                index += 1
                if isinstance(value, Written):
                    yield from value.parts
                else:
                    made = made_in(value) if value is not None else None
                    name = value.name if isinstance(value, Unknown) else ""
                    yield Unknown(name, at, part.start + position, made)
            if position < len(part.text):
                yield Part(part.text[position:], part.start + position)


_INSIDE = {"initializer_expression", "collection_element", "expression_element"}


class CSharp(Evaluator):
    """A C# text."""

    style = "csharp"
    functions = frozenset({
        "method_declaration", "constructor_declaration", "local_function_statement",
        "lambda_expression",
    })  # fmt: skip
    conditional = frozenset({
        "if_statement", "for_statement", "foreach_statement", "while_statement", "do_statement",
        "catch_clause", "switch_section",
    })  # fmt: skip
    loops = frozenset({"for_statement", "foreach_statement", "while_statement", "do_statement"})
    opens = frozenset({"namespace_declaration", "class_declaration", "declaration_list"})
    opaque = frozenset({"string_literal", "comment", "using_directive"})

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Declarations and assignments."""
        at, end = node.start_byte, node.end_byte
        if node.type == "variable_declarator":
            name = node.child_by_field_name("name")
            children = node.named_children
            if name is not None and len(children) > 1:
                yield self.source(name), Event("assign", at, end, children[-1])
        elif node.type == "property_declaration":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None:
                yield self.source(name), Event("assign", at, end, value)
        elif node.type == "assignment_expression":
            around = node.parent
            if around is not None and around.type == "initializer_expression":
                return
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None:
                source = self.parsed.text[self.parsed.end(left) : self.parsed.start(right)]
                if "+=" in source:
                    made = "an iteration counter" if right.type == "integer_literal" else ""
                    yield self.source(left), Event("augment", at, end, right, (), made)
                else:
                    yield self.source(left).removeprefix("this."), Event("assign", at, end, right)
        elif node.type == "postfix_unary_expression" and self.source(node).endswith("++"):
            name = self.source(node.named_children[0])
            yield name, Event("unknown", at, end, None, (), "an iteration counter")

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The names of a method's parameters."""
        listed = node.child_by_field_name("parameters")
        found: dict[str, SyntaxNode | None] = {}
        for child in listed.named_children if listed is not None else ():
            name = child.child_by_field_name("name")
            if name is not None:
                found[self.source(name)] = None
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The method's name."""
        name = node.child_by_field_name("name")
        return self.source(name) if name is not None else ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """What it returns; a method may be just an expression."""
        body = node.child_by_field_name("body")
        if body is not None and body.type == "arrow_expression_clause":
            yield from body.named_children[:1]
            return
        stack = [body] if body is not None else []
        while stack:
            current = stack.pop()
            if current.type == "return_statement":
                yield from current.named_children[:1]
            elif current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    def expression(self, node: SyntaxNode, frame: Frame, key: str = "", kind: str = "") -> Draft:
        """The value of one expression; ``key`` and ``kind`` say what ``new()`` stands for."""
        type_ = node.type
        start, end = self.span(node)
        if type_ in ("string_literal", "interpolated_string_expression", "raw_string_literal"):
            return Written(start, end, self.source(node), list(self._text(node, frame)))
        if type_ == "verbatim_string_literal":
            return Written(start, end, self.source(node), list(self._verbatim(node)))
        if type_ == "integer_literal":
            raw = self.source(node).rstrip("lLuU").replace("_", "")
            return Scalar(start, end, "number", raw) if raw.isdecimal() else self.unknown(node)
        if type_ == "boolean_literal":
            raw = self.source(node)
            return Scalar(start, end, "true" if raw == "true" else "false", raw)
        if type_ == "null_literal":
            return Scalar(start, end, "null", "null")
        if type_ == "identifier":
            return self.named(node, frame)
        if type_ in ("parenthesized_expression", "cast_expression", "await_expression"):
            inner = node.named_children
            return used_at(self.value(inner[-1], frame), start, end) if inner else (
                self.unknown(node)
            )  # fmt: skip
        if type_ == "member_access_expression":
            return self._access(node, frame)
        if type_ == "binary_expression":
            return plus(self, node, frame) or self.unknown(node)
        if type_ in ("collection_expression", "implicit_array_creation_expression",
                     "array_creation_expression"):  # fmt: skip
            return Listing(start, end, self.style, list(self._items(node, frame, key)))
        if type_ in ("object_creation_expression", "implicit_object_creation_expression"):
            return self.created(node, frame, key, kind)
        if type_ == "invocation_expression":
            return self._call(node, frame)
        return self.unknown(node)

    def _text(self, node: SyntaxNode, frame: Frame) -> Iterator[Part | Unknown]:
        for child in node.named_children:
            if child.type == "interpolation":
                start, end = self.span(child)
                inner = [
                    one for one in child.named_children
                    if not one.type.startswith("interpolation") and one.type != "comment"
                ]  # fmt: skip
                draft = self.value(inner[0], frame) if inner else self.unknown(child)
                if isinstance(draft, Written):
                    for part in draft.parts:
                        yield (
                            part if isinstance(part, Part) else replace(part, start=start, end=end)
                        )
                    continue
                made = made_in(draft)
                format = next(
                    (self.source(one) for one in child.named_children
                     if one.type == "interpolation_format_clause"), ""
                )  # fmt: skip
                if made is not None and format and not re.search(r"[HhmstfTgGuorRO]", format):
                    made = replace(made, change="day")
                name = draft.name if isinstance(draft, Unknown) else ""
                yield Unknown(name[:200], start, end, made)
            elif child.type in ("string_content", "raw_string_content"):
                yield Part(self.source(child), self.parsed.start(child))
            elif child.type not in ("interpolation_start", "raw_string_start", "raw_string_end"):
                yield from string_parts(self, node, frame, (child,))

    def _verbatim(self, node: SyntaxNode) -> Iterator[Part]:
        source, start = self.source(node), self.parsed.start(node)
        for found in re.finditer(r'""|[^"]+', source[2:-1]):
            yield Part('"' if found[0] == '""' else found[0], start + 2 + found.start())

    def _items(self, node: SyntaxNode, frame: Frame, key: str) -> Iterator[Draft]:
        stack = [node]
        while stack:
            current = stack.pop()
            stack.extend(
                child for child in reversed(current.named_children) if child.type in _INSIDE
            )
            if current is node and node.type != "collection_expression":
                continue
            for child in current.named_children:
                if child.type == "spread_element":
                    yield self.unknown(child)
                elif child.type not in _INSIDE and child.type != "comment":
                    yield as_block(self.expression(child, frame, key, ""), self.style)

    def created(self, node: SyntaxNode, frame: Frame, key: str, kind: str) -> Draft:
        """An object with its initializer, or a list of a generic type."""
        start, end = self.span(node)
        named = node.child_by_field_name("type")
        name = self.source(named) if named is not None else kind
        body = next(
            (one for one in node.named_children if one.type == "initializer_expression"), None
        )
        arguments = next((one for one in node.named_children if one.type == "argument_list"), None)
        if re.match(r"(?:List|IReadOnlyList|Collection|IList)\s*<", name):
            items = list(self._items(node, frame, key)) if body is not None else []
            span = self.span(body) if body is not None else None
            return Listing(start, end, self.style, items, span)
        members: list[Member] = []
        for child in body.named_children if body is not None else ():
            left, right = child.child_by_field_name("left"), child.child_by_field_name("right")
            if child.type != "assignment_expression" or left is None or right is None:
                continue
            at, stop = self.span(left)
            written = self.source(left)
            inner = field_key(written.strip("[]\"' ")) if left.type == "identifier" else (
                written.strip("[]\"' ")
            )  # fmt: skip
            draft = self.expression(right, frame, inner, "")
            members.append(Member(inner, at, stop - at, fitting(inner, draft, self.style)))
        given = [one.named_children[-1] for one in arguments.named_children
                 if one.named_children] if arguments is not None else []  # fmt: skip
        if given and not members and re.search(r"TextBlock|SystemMessage|TextContent", name):
            text = fitting("text", self.value(given[0], frame), self.style)
            members.append(Member("text", text.start, 0, text))
        made = object_of(name, members, start, end, self.style, key)
        return replace(made, body=self.span(body)) if body is not None else (
            replace(made, style="csharp-new")
        )  # fmt: skip

    def _access(self, node: SyntaxNode, frame: Frame) -> Draft:
        start, end = self.span(node)
        source = self.source(node)
        if len(source) < 200:
            found = constant(source, start, end)
            if found is not None:
                return found
            made = made_by(source)
            if made is not None:
                return self.unknown(node, Source(*made, source, start, end))
        target = node.child_by_field_name("expression")
        name = node.child_by_field_name("name")
        if target is not None and name is not None and target.type == "identifier":
            # A constant of a class, by the class's name.
            found = self.named(node, frame, self.source(name))
            if self.source(target)[:1].isupper() and isinstance(found, Written):
                return found
        made_there = made_in(self.value(target, frame)) if target is not None else None
        return self.unknown(node, made_there)

    def _call(self, node: SyntaxNode, frame: Frame) -> Draft:
        called = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if called is None or arguments is None:
            return self.unknown(node)
        start, end = self.span(node)
        name = self.source(called)
        given = [one.named_children[-1] for one in arguments.named_children if one.named_children]
        if name in ("string.Join", "String.Join") and len(given) == 2:
            listed = self.value(given[1], frame)
            if isinstance(listed, Listing):
                separator = parts_of(self.value(given[0], frame))
                return joined(start, end, join_items(listed.items, separator))
        if name in ("string.Concat", "String.Concat"):
            parts = [part for one in given for part in parts_of(self.value(one, frame))]
            return joined(start, end, parts)
        if len(name) < 200:
            made = made_by(name)
            if made is not None:
                return self.unknown(node, Source(*made, self.source(node)[:200], start, end))
        if called.type == "identifier":
            helped = self.helper(node, name, given, frame)
            if helped is not None:
                return helped
        else:
            target = called.child_by_field_name("expression")
            source = made_in(self.value(target, frame)) if target is not None else None
            if source is not None:
                format = self.source(given[0]) if given else ""
                day = name.endswith(("ToShortDateString", "ToLongDateString")) or (
                    bool(format) and not re.search(r"[HhmstfTgGuorRO]", format)
                )
                return self.unknown(node, replace(source, change="day") if day else source)
        return self.unknown(node)


def regions_of_go(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a Go text."""
    values = Go(parse("go", source, trees))

    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        named = node.child_by_field_name("type") if node.type == "composite_literal" else None
        if named is None or _REQUESTS.search(values.source(named)) is None:
            return None
        draft = values.value(node, values.frame_of(node))
        return (draft, ANTHROPIC) if keys_of(draft) & {"messages", "system", "tools"} else None

    def marker(node: SyntaxNode) -> Draft | None:
        if node.type not in ("composite_literal", "literal_value"):
            return None
        if "CacheControl" not in values.source(node):
            return None
        draft = values.value(node, values.frame_of(node))
        return draft if carries_marker(draft) else None

    return read_regions(values, Finder("go", _SIGNS, request, marker))


def regions_of_csharp(source: str, trees: Trees | None = None) -> list[Region]:
    """The requests of a C# text."""
    values = CSharp(parse("csharp", source, trees))

    def request(node: SyntaxNode) -> tuple[Draft, str] | None:
        kind = _kind(node)
        if _REQUESTS.search(kind) is None:
            return None
        draft = values.created(node, values.frame_of(node), "", kind)
        return (draft, ANTHROPIC) if keys_of(draft) & {"messages", "system", "tools"} else None

    def _kind(node: SyntaxNode) -> str:
        if node.type == "object_creation_expression":
            named = node.child_by_field_name("type")
            return values.source(named) if named is not None else ""
        if node.type == "implicit_object_creation_expression":
            # ``MessageCreateParams p = new() {…}``: the declaration names the type.
            around = node.parent.parent if node.parent is not None else None
            named = around.child_by_field_name("type") if around is not None else None
            return values.source(named) if named is not None else ""
        return ""

    def marker(node: SyntaxNode) -> Draft | None:
        if node.type not in ("object_creation_expression", "implicit_object_creation_expression"):
            return None
        if "CacheControl" not in values.source(node):
            return None
        draft = values.created(node, values.frame_of(node), "", "")
        return draft if carries_marker(draft) else None

    return read_regions(values, Finder("csharp", _SIGNS, request, marker))
