"""What Java and Kotlin expressions stand for, with the builders of Anthropic's SDK as objects.

``X.builder().key(value).build()`` is an object with the members that its methods set; their names
are brought to the API's own (``maxTokens`` to ``max_tokens``, ``addUserMessage`` to an entry of
``messages``). Source: the SDK's examples and its generated classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cachewise.syntax.changing_calls import made_by
from cachewise.syntax.evaluation import (
    Evaluator,
    Event,
    Frame,
    as_block,
    fitting,
    join_items,
    repeated,
    text_of,
    unescaped,
)
from cachewise.syntax.python_values import made_in
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

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method or function: on what, its name, what it is given, and where that ends."""

    target: SyntaxNode | None
    name: str
    name_node: SyntaxNode
    given: Sequence[SyntaxNode]
    end: int


_TYPES = {
    "TextBlockParam": "text",
    "ImageBlockParam": "image",
    "DocumentBlockParam": "document",
    "ToolUseBlockParam": "tool_use",
    "ToolResultBlockParam": "tool_result",
    "ThinkingBlockParam": "thinking",
    "RedactedThinkingBlockParam": "redacted_thinking",
    "CacheControlEphemeral": "ephemeral",
    "Base64ImageSource": "base64",
    "UrlImageSource": "url",
    "Base64PdfSource": "base64",
    "PlainTextSource": "text",
}
"""The ``type`` that an object of a class has without saying so."""

_LISTS = {"List.of", "Arrays.asList", "listOf", "mutableListOf", "Collections.singletonList",
          "ImmutableList.of", "arrayListOf"}  # fmt: skip
_MAPS = {"Map.of", "ImmutableMap.of", "mapOf"}
_PASS = re.compile(
    r"(?:^|\.)(?:of[A-Z]\w*|JsonValue\.from|Optional\.of|JsonField\.of|Model\.of|String\.valueOf)$"
)
_CONSTANT = re.compile(r"(?:\w+\.)*(?:Model|Role|Ttl|TTL|Type)\.(?P<name>[A-Z][A-Z0-9_]*)$")
_OPTION_OF = re.compile(r"Of[A-Z]\w*$")


class Builders(Evaluator):
    """A text in Java or Kotlin."""

    builder_style = ""

    def call_parts(self, node: SyntaxNode) -> Call | None:
        """A call taken apart; None for any other node."""
        return None

    def literal(self, node: SyntaxNode, frame: Frame) -> Draft | None:
        """The value of a literal or operator of the language; None for what is common to both."""
        return None

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """The value of one expression."""
        found = self.literal(node, frame)
        if found is not None:
            return found
        call = self.call_parts(node)
        if call is not None:
            return self._called(node, call, frame)
        return self.unknown(node)

    def constant(self, node: SyntaxNode) -> Draft | None:
        """A constant of the SDK: a model, a role, a lifetime."""
        source = self.source(node)
        found = _CONSTANT.search(source) if len(source) < 200 else None
        if found is None:
            return None
        name = found["name"]
        if source.rpartition(".")[0].endswith("Model"):
            text = source
        elif name.startswith("TTL_"):
            text = name.removeprefix("TTL_").lower()
        else:
            text = name.lower()
        start, end = self.span(node)
        return Written(start, end, "", (Part(text, start),))

    def chain(self, node: SyntaxNode) -> tuple[str, list[tuple[SyntaxNode, Call]]]:
        """The class whose builder a chain of calls begins with, and its calls; else no class."""
        calls: list[tuple[SyntaxNode, Call]] = []
        current: SyntaxNode | None = node
        while current is not None:
            call = self.call_parts(current)
            if call is None:
                return "", []
            if call.name == "builder" and call.target is not None:
                name = self.source(call.target)
                calls.reverse()
                return (name if len(name) < 200 else ""), calls
            calls.append((current, call))
            current = call.target
        return "", []

    def _called(self, node: SyntaxNode, call: Call, frame: Frame) -> Draft:
        owner, calls = self.chain(node)
        if owner:
            return self.built(node, owner, calls, frame)
        start, end = self.span(node)
        target = self.source(call.target) if call.target is not None else ""
        name = f"{target}.{call.name}" if target else call.name
        given = call.given
        if len(name) < 200:
            short = re.sub(r"\s+", "", name)
            if short in _LISTS:
                items = [as_block(self.value(child, frame), self.builder_style) for child in given]
                return Listing(start, end, self.style, items)
            if short in _MAPS:
                return Mapping(start, end, self.style, list(self.pairs(given, frame)))
            if _PASS.search(short) is not None and len(given) == 1:
                draft = self.value(given[0], frame)
                return draft if not isinstance(draft, Unknown) else self.unknown(
                    node, made_in(draft)
                )  # fmt: skip
            made = made_by(short)
            if made is not None:
                return self.unknown(node, Source(*made, self.source(node)[:200], start, end))
        if call.target is not None:
            method = self._method(node, call, frame)
            if method is not None:
                return method
        else:
            helped = self.helper(node, call.name, given, frame)
            if helped is not None:
                return helped
        for child in given:
            made_there = made_in(self.value(child, frame))
            if made_there is not None:
                return self.unknown(node, made_there)
        return self.unknown(node)

    def pairs(self, given: Sequence[SyntaxNode], frame: Frame) -> Iterator[Member]:
        """The members of ``Map.of(key, value, …)``."""
        for index in range(0, len(given) - 1, 2):
            key = text_of(self.value(given[index], frame)) or self.source(given[index])
            start, end = self.span(given[index])
            yield Member(key, start, end - start, self.value(given[index + 1], frame))

    def _method(self, node: SyntaxNode, call: Call, frame: Frame) -> Draft | None:
        start, end = self.span(node)
        assert call.target is not None
        if call.name in ("formatted", "format") and call.given:
            own = self.value(call.target, frame)
            if self.source(call.target) == "String":
                own, rest = self.value(call.given[0], frame), call.given[1:]
            else:
                rest = call.given
            if isinstance(own, Written):
                return joined(start, end, self._formatted(own, rest, frame))
            return None
        if call.name == "join" and self.source(call.target) == "String" and len(call.given) > 1:
            separator = parts_of(self.value(call.given[0], frame))
            drafts = [self.value(child, frame) for child in call.given[1:]]
            if len(drafts) == 1 and isinstance(drafts[0], Listing):
                drafts = list(drafts[0].items)
            return joined(start, end, join_items(drafts, separator))
        draft = self.value(call.target, frame)
        if call.name in ("trimIndent", "trimMargin", "stripIndent", "strip", "trim", "toString"):
            if isinstance(draft, Written):
                return replace(draft, start=start, end=end, raw="")
            return self.unknown(node, made_in(draft))
        if call.name == "repeat" and call.given and isinstance(draft, Written):
            count = self.value(call.given[0], frame)
            if isinstance(count, Scalar) and count.raw.isdecimal():
                return repeated(draft, int(count.raw), start, end)
        if call.name == "concat" and call.given and isinstance(draft, Written):
            return joined(start, end, [*draft.parts, *parts_of(self.value(call.given[0], frame))])
        made = made_in(draft)
        if made is None:
            return None
        if call.name in ("toLocalDate", "toDateTimeString") and made.change == "call":
            made = replace(made, change="day")
        return self.unknown(node, made)

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
            for found in re.finditer(r"%[-#0 +,]*[\d.]*([a-zA-Z%])", part.text):
                if found.start() > position:
                    yield Part(part.text[position : found.start()], part.start + position)
                at = part.start + found.start()
                position = found.end()
                if found[1] in "%n":
                    yield Part("%" if found[1] == "%" else "\n", at)
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

    # Builders.

    def built(
        self,
        node: SyntaxNode,
        owner: str,
        calls: Sequence[tuple[SyntaxNode, Call]],
        frame: Frame,
    ) -> Mapping:
        """The object that a chain of a builder's methods makes."""
        start, end = self.span(node)
        name = owner.rsplit(".", 1)[-1].removeprefix("Beta")
        members: list[Member] = []
        lists: dict[str, list[Draft]] = {}
        for _, call in calls:
            at = self.parsed.start(call.name_node)
            width = self.parsed.end(call.name_node) - at
            if call.name in ("build", "apply", "also") or not call.given:
                continue
            values = [self.value(child, frame) for child in call.given]
            value = values[0]
            entry = self._entry(call, value)
            if entry is not None:
                key, item = entry
                if key not in lists:
                    lists[key] = []
                    listing = Listing(item.start, item.end, self.style, lists[key])
                    members.append(Member(key, at, width, listing))
                lists[key].append(item)
                continue
            if call.name.startswith("putAdditional") and len(values) == 2:
                key = text_of(values[0])
                if key is not None:
                    members.append(Member(key, at, width, values[1]))
                continue
            key = snake(_OPTION_OF.sub("", call.name))
            if isinstance(value, Listing) and key in lists:
                lists[key].extend(value.items)
                continue
            if isinstance(value, Listing) and key in ("messages", "tools", "system"):
                lists[key] = list(value.items)
                value = replace(value, items=lists[key])
            members.append(Member(key, at, width, fitting(key, value, self.style)))
        if name in _TYPES and not any(member.key == "type" for member in members):
            kind = Written(start, start, "", (Part(_TYPES[name], start),))
            members.insert(0, Member("type", start, 0, kind))
        return Mapping(start, end, self.builder_style, members)

    def _entry(self, call: Call, value: Draft) -> tuple[str, Draft] | None:
        """What ``addUserMessage`` and its like add to which list."""
        word = _OPTION_OF.sub("", call.name)
        role = {"addUserMessage": "user", "addAssistantMessage": "assistant"}.get(word)
        if role is not None:
            start = self.parsed.start(call.name_node)
            text = Written(start, start, "", (Part(role, start),))
            content = fitting("content", value, self.style)
            members = (
                Member("role", start, 0, text),
                Member("content", start, self.parsed.end(call.name_node) - start, content),
            )
            return "messages", Mapping(start, call.end, self.style, members)
        if word in ("addMessage", "addTool"):
            return f"{snake(word[3:])}s", as_block(value, self.builder_style)
        return None


def snake(name: str) -> str:
    """``maxTokens`` as ``max_tokens``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Java(Builders):
    """A Java text."""

    style = "java"
    builder_style = "java-builder"
    functions = frozenset({"method_declaration", "constructor_declaration", "lambda_expression"})
    conditional = frozenset({
        "if_statement", "for_statement", "enhanced_for_statement", "while_statement",
        "do_statement", "catch_clause", "switch_block_statement_group", "switch_rule",
    })  # fmt: skip
    loops = frozenset({"for_statement", "enhanced_for_statement", "while_statement"})
    opens = frozenset({"class_declaration", "class_body"})
    opaque = frozenset({"string_literal", "line_comment", "block_comment", "import_declaration"})

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Declarations and assignments."""
        at, end = node.start_byte, node.end_byte
        if node.type == "variable_declarator":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None:
                yield self.source(name), Event("assign", at, end, value)
        elif node.type == "assignment_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            operator = node.child_by_field_name("operator")
            if left is not None and right is not None and operator is not None:
                kind = {"=": "assign", "+=": "augment"}.get(operator.type, "unknown")
                name = self.source(left).removeprefix("this.")
                counter = "an iteration counter" if right.type == "decimal_integer_literal" else ""
                made = counter if kind != "assign" else ""
                yield name, Event(kind, at, end, right, (), made)  # type: ignore[arg-type]
        elif node.type == "update_expression" and node.named_children:
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
        """The expressions of its ``return`` statements."""
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type == "return_statement":
                yield from current.named_children[:1]
            elif current is node or current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    def call_parts(self, node: SyntaxNode) -> Call | None:
        """A method invocation."""
        if node.type != "method_invocation":
            return None
        name = node.child_by_field_name("name")
        arguments = node.child_by_field_name("arguments")
        if name is None or arguments is None:
            return None
        given = [child for child in arguments.named_children if "comment" not in child.type]
        target = node.child_by_field_name("object")
        if target is not None and target.type == "this":
            target = None
        return Call(target, self.source(name), name, given, self.parsed.end(node))

    def literal(self, node: SyntaxNode, frame: Frame) -> Draft | None:
        """Java's literals, names and operators."""
        kind = node.type
        start, end = self.span(node)
        if kind == "string_literal":
            return Written(start, end, self.source(node), list(string_parts(self, node, frame)))
        if kind == "decimal_integer_literal":
            raw = self.source(node).rstrip("lL").replace("_", "")
            return Scalar(start, end, "number", raw.lstrip("0") or "0")
        if kind in ("true", "false"):
            return Scalar(start, end, kind, kind)
        if kind == "null_literal":
            return Scalar(start, end, "null", "null")
        if kind == "identifier":
            return self.named(node, frame)
        if kind == "field_access":
            found = self.constant(node)
            if found is not None:
                return found
            name = node.child_by_field_name("field")
            return self.named(node, frame, self.source(name)) if name is not None else None
        if kind in ("parenthesized_expression", "cast_expression"):
            inner = node.child_by_field_name("value") or (
                node.named_children[0] if node.named_children else None
            )
            return used_at(self.value(inner, frame), start, end) if inner is not None else None
        if kind == "binary_expression":
            return plus(self, node, frame)
        return None


class Kotlin(Builders):
    """A Kotlin text."""

    style = "kotlin"
    builder_style = "kotlin-builder"
    functions = frozenset({"function_declaration", "anonymous_function", "lambda_literal"})
    conditional = frozenset({
        "if_expression", "for_statement", "while_statement", "do_while_statement", "when_entry",
        "catch_block",
    })  # fmt: skip
    loops = frozenset({"for_statement", "while_statement", "do_while_statement"})
    opens = frozenset({"class_declaration", "class_body", "object_declaration", "companion_object"})
    opaque = frozenset({"line_comment", "block_comment", "import"})

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Properties and assignments."""
        at, end = node.start_byte, node.end_byte
        children = node.named_children
        if node.type == "property_declaration":
            declared = next((one for one in children if one.type == "variable_declaration"), None)
            if declared is not None and declared.named_children and children[-1] is not declared:
                name = self.source(declared.named_children[0])
                yield name, Event("assign", at, end, children[-1])
        elif node.type == "assignment" and len(children) == 2:
            operator = next((one.type for one in node.children if one.type.endswith("=")), "=")
            kind = "augment" if operator == "+=" else "assign"
            yield self.source(children[0]), Event(kind, at, end, children[1])

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The names of a function's parameters."""
        found: dict[str, SyntaxNode | None] = {}
        for child in node.named_children:
            if child.type == "function_value_parameters":
                for parameter in child.named_children:
                    if parameter.type == "parameter" and parameter.named_children:
                        found[self.source(parameter.named_children[0])] = None
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The function's name."""
        name = node.child_by_field_name("name")
        return self.source(name) if name is not None else ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """What it returns; a function may be just an expression."""
        body = next((one for one in node.named_children if one.type == "function_body"), None)
        if body is None:
            return
        if body.named_children and body.named_children[0].type != "block":
            yield body.named_children[0]
            return
        stack = [body]
        while stack:
            current = stack.pop()
            if current.type == "return_expression":
                yield from current.named_children[:1]
            elif current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    def call_parts(self, node: SyntaxNode) -> Call | None:
        """A call, with or without something before the dot."""
        if node.type != "call_expression" or not node.named_children:
            return None
        called = node.named_children[0]
        listed = next((one for one in node.named_children if one.type == "value_arguments"), None)
        if listed is None:
            return None
        given = [
            one.named_children[-1] for one in listed.named_children
            if one.type == "value_argument" and one.named_children
        ]  # fmt: skip
        end = self.parsed.end(node)
        if called.type == "identifier":
            return Call(None, self.source(called), called, given, end)
        if called.type == "navigation_expression" and len(called.named_children) == 2:
            target, name = called.named_children
            return Call(target, self.source(name), name, given, end)
        return None

    def literal(self, node: SyntaxNode, frame: Frame) -> Draft | None:
        """Kotlin's literals, names and operators."""
        kind = node.type
        start, end = self.span(node)
        if kind in ("string_literal", "multiline_string_literal"):
            return Written(start, end, self.source(node), list(self._parts(node, frame)))
        if kind == "number_literal":
            raw = self.source(node).rstrip("lLuUfF").replace("_", "")
            return Scalar(start, end, "number", raw) if raw.isdecimal() else self.unknown(node)
        if kind in ("true", "false", "null"):
            return Scalar(start, end, kind, kind)
        if kind == "identifier":
            return self.named(node, frame)
        if kind == "navigation_expression":
            found = self.constant(node)
            if found is not None:
                return found
            made = made_in(self.value(node.named_children[0], frame))
            return self.unknown(node, made)
        if kind == "parenthesized_expression" and node.named_children:
            return used_at(self.value(node.named_children[0], frame), start, end)
        if kind == "binary_expression":
            return plus(self, node, frame)
        return None

    def _parts(self, node: SyntaxNode, frame: Frame) -> Iterator[Part | Unknown]:
        """The parts of a string; the grammar does not always see ``$name`` as what it is."""
        for child in node.named_children:
            before = self.parsed.text[self.parsed.start(child) - 1]
            if child.type != "string_content" or before != "$":
                if self.source(child) != "$" or child is node.named_children[-1]:
                    yield from string_parts(self, node, frame, (child,))
                continue
            source, start = self.source(child), self.parsed.start(child)
            name = re.match(r"[A-Za-z_]\w*", source)
            if name is None:
                yield Part(f"${source}", start - 1)
                continue
            draft = self.named(child, frame, name[0])
            if isinstance(draft, Written):
                yield from draft.parts
            else:
                end = start + name.end()
                yield Unknown(name[0], start - 1, end, made_in(draft))
            if name.end() < len(source):
                yield Part(source[name.end() :], start + name.end())

    def pairs(self, given: Sequence[SyntaxNode], frame: Frame) -> Iterator[Member]:
        """The members of ``mapOf(key to value, …)``."""
        for child in given:
            if len(child.named_children) == 3 or child.type == "infix_expression":
                first, last = child.named_children[0], child.named_children[-1]
                key = text_of(self.value(first, frame)) or self.source(first)
                start, end = self.span(first)
                yield Member(key, start, end - start, self.value(last, frame))


def string_parts(
    values: Evaluator,
    node: SyntaxNode,
    frame: Frame,
    children: Sequence[SyntaxNode] | None = None,
) -> Iterator[Part | Unknown]:
    """The parts of a string of any of these languages; a block of lines loses its indentation."""
    for child in node.named_children if children is None else children:
        start, end = values.span(child)
        if "escape" in child.type:
            value = unescaped(values.source(child))
            if value:
                yield Part(value, start)
        elif child.type == "multiline_string_fragment":
            yield from _dedented(values.source(child), start)
        elif "interpolation" in child.type or "substitution" in child.type:
            inner = [one for one in child.named_children if "comment" not in one.type]
            draft = values.value(inner[0], frame) if inner else values.unknown(child)
            if isinstance(draft, Written):
                for part in draft.parts:
                    yield part if isinstance(part, Part) else replace(part, start=start, end=end)
            elif isinstance(draft, Scalar) and draft.kind == "number":
                yield Part(draft.raw, draft.start)
            else:
                name = draft.name if isinstance(draft, Unknown) and draft.name else (
                    values.source(inner[0]) if inner else ""
                )  # fmt: skip
                yield Unknown(name[:200], start, end, made_in(draft))
        elif child.type in ("string_fragment", "string_content", "string_literal_content"):
            yield Part(values.source(child), start)


def _dedented(source: str, start: int) -> Iterator[Part]:
    """The text of a block of lines as Java reads it: without the indentation that all share."""
    lines = source.splitlines(keepends=True)
    at = start
    if lines and not lines[0].strip():
        at += len(lines[0])
        lines = lines[1:]
    kept = [line for line in lines if line.strip()]
    last = lines[-1] if lines and not lines[-1].endswith(("\n", "\r")) else None
    if last is not None and not last.strip():
        kept.append(last + ".")
    width = min((len(line) - len(line.lstrip(" \t")) for line in kept), default=0)
    for line in lines:
        text = line[width:] if line.strip() else line[-1:] if line.endswith("\n") else ""
        if text:
            yield Part(text, at + len(line) - len(text))
        at += len(line)


def plus(values: Evaluator, node: SyntaxNode, frame: Frame) -> Draft | None:
    """``a + b`` of texts."""
    inner = [child for child in node.named_children if "comment" not in child.type]
    if len(inner) != 2 or not any(child.type == "+" for child in node.children):
        return None
    one, other = values.value(inner[0], frame), values.value(inner[1], frame)
    start, end = values.span(node)
    if isinstance(one, Written) or isinstance(other, Written):
        return joined(start, end, [*parts_of(one), *parts_of(other)])
    return values.unknown(node, made_in(one) or made_in(other))
