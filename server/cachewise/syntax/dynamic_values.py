"""What Ruby and PHP expressions stand for."""

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
    EventKind,
    Frame,
    as_block,
    fitting,
    join_items,
    repeated,
    text_of,
)
from cachewise.syntax.python_values import formatted, made_in
from cachewise.syntax.source import (
    SPREAD,
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


class Ruby(Evaluator):
    """A Ruby text."""

    style = "ruby"
    functions = frozenset({"method", "singleton_method", "lambda", "block", "do_block"})
    conditional = frozenset({
        "if", "elsif", "else", "unless", "while", "until", "for", "case", "when", "rescue",
        "if_modifier", "unless_modifier", "while_modifier", "conditional",
    })  # fmt: skip
    loops = frozenset({"while", "until", "for"})
    opens = frozenset({"class", "module", "body_statement"})
    opaque = frozenset({"string", "comment", "heredoc_body"})

    def __init__(self, parsed: object) -> None:
        self._heredocs: list[SyntaxNode] = []
        self._begun: list[int] = []
        super().__init__(parsed)  # type: ignore[arg-type]
        stack = [self.parsed.root]
        while stack:
            node = stack.pop()
            if node.type == "heredoc_body":
                self._heredocs.append(node)
            elif node.type == "heredoc_beginning":
                self._begun.append(node.start_byte)
            stack.extend(reversed(node.named_children))

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Assignments, and what is put behind a list with ``<<``."""
        at, end = node.start_byte, node.end_byte
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if node.type == "assignment":
            if left.type in ("identifier", "constant", "instance_variable"):
                yield self.source(left), Event("assign", at, end, right)
            elif left.type == "element_reference" and len(left.named_children) == 2:
                target, key = left.named_children
                if target.type == "identifier":
                    yield self.source(target), Event("set", at, end, right, (key,))
        elif node.type == "operator_assignment":
            made = "an iteration counter" if right.type == "integer" else ""
            kind: EventKind = "augment" if "+=" in self.source(node) else "unknown"
            if "||=" not in self.source(node):
                yield self.source(left), Event(kind, at, end, right, (), made)
        elif node.type == "binary" and left.type == "identifier":
            operator = node.child_by_field_name("operator")
            if operator is not None and operator.type == "<<":
                yield self.source(left), Event("append", at, end, right)

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The names of a method's parameters."""
        listed = node.child_by_field_name("parameters")
        found: dict[str, SyntaxNode | None] = {}
        for child in listed.named_children if listed is not None else ():
            name = child.child_by_field_name("name") or child
            found[self.source(name)] = child.child_by_field_name("value")
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The method's name."""
        name = node.child_by_field_name("name")
        return self.source(name) if name is not None else ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """The last expression of a method."""
        body = node.child_by_field_name("body")
        if body is None:
            return
        if body.type != "body_statement":
            yield body
        elif body.named_children:
            last = [one for one in body.named_children if one.type != "heredoc_body"][-1:]
            for one in last:
                yield from one.named_children[:1] if one.type == "return" else (one,)

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """The value of one expression."""
        kind = node.type
        start, end = self.span(node)
        if kind == "string":
            raw = self.source(node)
            return Written(start, end, raw, list(string_parts(self, node, frame)))
        if kind in ("simple_symbol", "delimited_symbol"):
            source = self.source(node)
            text = source.lstrip(":").strip("\"'")
            return Written(start, end, "", (Part(text, end - len(source.lstrip(":"))),))
        if kind == "heredoc_beginning":
            return self._heredoc(node, frame)
        if kind in ("integer", "float"):
            raw = self.source(node).replace("_", "")
            return Scalar(start, end, "number", raw)
        if kind in ("true", "false"):
            return Scalar(start, end, kind, kind)
        if kind == "nil":
            return Scalar(start, end, "null", "null")
        if kind in ("identifier", "constant", "instance_variable"):
            found = self.named(node, frame)
            if isinstance(found, Unknown) and found.made is None and kind == "identifier":
                helped = self.helper(node, self.source(node), (), frame)
                return helped if helped is not None else found
            return found
        if kind == "hash":
            return Mapping(start, end, "ruby", list(self.pairs(node, frame)))
        if kind == "array":
            return Listing(start, end, "ruby", list(self._items(node, frame)))
        if kind == "binary":
            return self._binary(node, frame)
        if kind == "parenthesized_statements" and len(node.named_children) == 1:
            return used_at(self.value(node.named_children[0], frame), start, end)
        if kind == "call":
            return self._call(node, frame)
        if kind == "element_reference":
            source = self.source(node)
            made = made_by(source)
            if made is not None:
                return self.unknown(node, Source(*made, source[:200], start, end))
        return self.unknown(node)

    def _heredoc(self, node: SyntaxNode, frame: Frame) -> Draft:
        start, end = self.span(node)
        # Which body is that of which beginning is a matter of all the file.
        self.reading.give_up()
        index = self._begun.index(node.start_byte) if node.start_byte in self._begun else -1
        if index < 0 or index >= len(self._heredocs):
            return self.unknown(node)
        body = self._heredocs[index]
        parts: list[Part | Unknown] = []
        for child in body.named_children:
            if child.type == "heredoc_content":
                parts.append(Part(self.source(child), self.parsed.start(child)))
            elif child.type != "heredoc_end":
                parts.extend(string_parts(self, body, frame, (child,)))
        if parts and isinstance(parts[0], Part):
            text = parts[0].text
            cut = len(text) - len(text.lstrip("\r\n"))
            parts[0] = Part(text[cut:], parts[0].start + cut)
        if "~" in self.source(node):
            parts = _squiggly(parts)
        return Written(start, end, "", parts)

    def pairs(self, node: SyntaxNode, frame: Frame) -> Iterator[Member]:
        """The members of a hash, or the keyword arguments of a call."""
        for child in node.named_children:
            if child.type == "hash_splat_argument":
                inner = child.named_children
                draft = self.value(inner[0], frame) if inner else self.unknown(child)
                if isinstance(draft, Mapping):
                    yield from draft.members
                else:
                    start, end = self.span(child)
                    yield Member(SPREAD, start, 2, Unknown("", start + 2, end))
            if child.type != "pair":
                continue
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is None:
                continue
            start, end = self.span(key)
            if key.type == "string":
                name = text_of(self.value(key, frame)) or self.source(key)
            else:
                name = self.source(key).strip(":\"'")
            # The SDK writes ``system_`` because ``system`` is a method of everything.
            name = "system" if name == "system_" else name
            draft = self.value(value, frame) if value is not None else self.named(key, frame, name)
            yield Member(name, start, end - start, fitting(name, draft, "ruby"))

    def _items(self, node: SyntaxNode, frame: Frame) -> Iterator[Draft]:
        for child in node.named_children:
            if child.type == "comment":
                continue
            if child.type == "splat_argument":
                inner = child.named_children
                draft = self.value(inner[0], frame) if inner else self.unknown(child)
                if isinstance(draft, Listing):
                    yield from draft.items
                else:
                    yield self.unknown(child, made_in(draft))
                continue
            yield as_block(self.value(child, frame), "ruby")

    def _binary(self, node: SyntaxNode, frame: Frame) -> Draft:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        start, end = self.span(node)
        if left is not None and right is not None and operator is not None:
            if operator.type == "*":
                one, other = self.value(left, frame), self.value(right, frame)
                if isinstance(one, Written) and isinstance(other, Scalar):
                    count = int(other.raw) if other.raw.isdecimal() else 0
                    return repeated(one, count, start, end) or self.unknown(node)
            if operator.type == "||":
                one = self.value(left, frame)
                return one if not isinstance(one, Unknown) else self.unknown(node, one.made)
        return plus(self, node, frame) or self.unknown(node)

    def _call(self, node: SyntaxNode, frame: Frame) -> Draft:
        receiver = node.child_by_field_name("receiver")
        method = node.child_by_field_name("method")
        arguments = node.child_by_field_name("arguments")
        start, end = self.span(node)
        if method is None:
            return self.unknown(node)
        word = self.source(method)
        given = arguments.named_children if arguments is not None else []
        name = f"{self.source(receiver)}.{word}" if receiver is not None else word
        if len(name) < 200:
            made = made_by(name)
            if made is not None:
                return self.unknown(node, Source(*made, self.source(node)[:200], start, end))
        if receiver is None:
            helped = self.helper(node, word, given, frame)
            return helped if helped is not None else self.unknown(node)
        draft = self.value(receiver, frame)
        if word in ("freeze", "strip", "chomp", "to_s", "dup", "squish", "html_safe"):
            if isinstance(draft, Written):
                return replace(draft, start=start, end=end, raw="")
            if isinstance(draft, Mapping | Listing):
                return used_at(draft, start, end)
        if word == "join" and isinstance(draft, Listing):
            separator = parts_of(self.value(given[0], frame)) if given else ()
            return joined(start, end, join_items(draft.items, separator))
        if word == "to_sym" and isinstance(draft, Written):
            return used_at(draft, start, end)
        source = made_in(draft)
        if source is not None and word == "strftime" and given:
            source = formatted(source, self.source(given[0]))
        elif source is not None and word == "to_date":
            source = replace(source, change="day")
        return self.unknown(node, source)


def _squiggly(parts: Sequence[Part | Unknown]) -> list[Part | Unknown]:
    """The text of ``<<~`` without the indentation that its lines share."""
    lines = "".join(part.text if isinstance(part, Part) else "x" for part in parts).split("\n")
    width = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    found: list[Part | Unknown] = []
    fresh = True
    for part in parts:
        if isinstance(part, Unknown):
            found.append(part)
            fresh = False
            continue
        at = part.start
        for line in part.text.splitlines(keepends=True):
            blank = len(line) - len(line.lstrip(" \t"))
            cut = min(width, blank) if fresh else 0
            if line[cut:]:
                found.append(Part(line[cut:], at + cut))
            at += len(line)
            fresh = line.endswith("\n")
    return found


class Php(Evaluator):
    """A PHP text."""

    style = "php"
    functions = frozenset({
        "function_definition", "method_declaration", "anonymous_function", "arrow_function",
        "anonymous_function_creation_expression",
    })  # fmt: skip
    conditional = frozenset({
        "if_statement", "else_clause", "else_if_clause", "for_statement", "foreach_statement",
        "while_statement", "do_statement", "case_statement", "catch_clause",
        "conditional_expression",
    })  # fmt: skip
    loops = frozenset({"for_statement", "foreach_statement", "while_statement", "do_statement"})
    opens = frozenset({"class_declaration", "declaration_list"})
    opaque = frozenset({"string", "comment", "encapsed_string"})

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Constants, assignments, and what is put behind a list with ``[] =``."""
        at, end = node.start_byte, node.end_byte
        if node.type == "const_element" and len(node.named_children) == 2:
            name, value = node.named_children
            yield self.source(name), Event("assign", at, end, value)
        elif node.type in ("assignment_expression", "augmented_assignment_expression"):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                return
            if node.type == "augmented_assignment_expression":
                between = self.parsed.text[self.parsed.end(left) : self.parsed.start(right)]
                made = "an iteration counter" if "+=" in between else ""
                kind: EventKind = "augment" if ".=" in between else "unknown"
                yield self.source(left), Event(kind, at, end, right, (), made)
                return
            path: tuple[SyntaxNode | str, ...] = ()
            current: SyntaxNode | None = left
            appended = False
            while current is not None and current.type == "subscript_expression":
                if len(current.named_children) > 1:
                    path = (current.named_children[1], *path)
                else:
                    appended = True
                current = current.named_children[0] if current.named_children else None
            if current is None:
                return
            kind = "append" if appended else "set" if path else "assign"
            yield self.source(current), Event(kind, at, end, right, path)
        elif node.type == "update_expression" and node.named_children:
            name = self.source(node.named_children[0])
            yield name, Event("unknown", at, end, None, (), "an iteration counter")

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The names of a function's parameters."""
        listed = node.child_by_field_name("parameters")
        found: dict[str, SyntaxNode | None] = {}
        for child in listed.named_children if listed is not None else ():
            name = child.child_by_field_name("name")
            if name is not None:
                found[self.source(name)] = child.child_by_field_name("default_value")
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The function's name."""
        name = node.child_by_field_name("name")
        return self.source(name) if name is not None else ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """The expressions of its ``return`` statements."""
        body = node.child_by_field_name("body")
        stack = [body] if body is not None else []
        while stack:
            current = stack.pop()
            if current.type == "return_statement":
                yield from current.named_children[:1]
            elif current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """The value of one expression."""
        kind = node.type
        start, end = self.span(node)
        if kind in ("string", "encapsed_string", "heredoc", "nowdoc"):
            return Written(start, end, self.source(node), list(self._text(node, frame)))
        if kind in ("integer", "float"):
            return Scalar(start, end, "number", self.source(node).replace("_", ""))
        if kind == "boolean":
            raw = self.source(node).lower()
            return Scalar(start, end, "true" if raw == "true" else "false", raw)
        if kind == "null":
            return Scalar(start, end, "null", "null")
        if kind in ("variable_name", "name"):
            return self.named(node, frame)
        if kind == "array_creation_expression":
            return self._array(node, frame)
        if kind == "parenthesized_expression" and node.named_children:
            return used_at(self.value(node.named_children[0], frame), start, end)
        if kind == "binary_expression":
            return self._binary(node, frame)
        if kind == "class_constant_access_expression":
            return self._constant(node, frame)
        if kind == "member_access_expression":
            source = self.source(node)
            last = source.rsplit(">", 1)[-1]
            return self.named(node, frame, source) if last else self.unknown(node)
        if kind in ("function_call_expression", "member_call_expression", "scoped_call_expression"):
            return self._call(node, frame)
        if kind == "object_creation_expression":
            name = self.source(node)
            if re.match(r"new\s+\\?(?:DateTime(?:Immutable)?|Carbon)\s*(?:\(\s*\))?$", name):
                return self.unknown(node, Source("the clock", "call", name[:200], start, end))
        return self.unknown(node)

    def _text(self, node: SyntaxNode, frame: Frame) -> Iterator[Part | Unknown]:
        children = node.named_children
        if node.type in ("heredoc", "nowdoc"):
            children = [
                inner
                for child in children
                if child.type in ("heredoc_body", "nowdoc_body")
                for inner in child.named_children
            ]
        for child in children:
            if child.type in ("string_content", "nowdoc_string", "heredoc_content"):
                yield Part(self.source(child), self.parsed.start(child))
            elif child.type == "escape_sequence":
                yield from string_parts(self, node, frame, (child,))
            elif child.type not in ("heredoc_start", "heredoc_end"):
                start, end = self.span(child)
                draft = self.value(child, frame)
                if isinstance(draft, Written):
                    yield from draft.parts
                else:
                    name = draft.name if isinstance(draft, Unknown) else self.source(child)
                    yield Unknown(name[:200], start, end, made_in(draft))

    def _array(self, node: SyntaxNode, frame: Frame) -> Draft:
        start, end = self.span(node)
        entries = [one for one in node.named_children if one.type == "array_element_initializer"]
        pairs = [one.named_children for one in entries]
        if any(len(pair) == 2 for pair in pairs):
            members: list[Member] = []
            for pair in pairs:
                if len(pair) != 2:
                    continue
                at, stop = self.span(pair[0])
                name = text_of(self.value(pair[0], frame)) or self.source(pair[0])
                draft = fitting(name, self.value(pair[1], frame), "php")
                members.append(Member(name, at, stop - at, draft))
            return Mapping(start, end, "php", members)
        items: list[Draft] = []
        for pair in pairs:
            if not pair:
                continue
            if pair[0].type == "variadic_unpacking":
                draft = self.value(pair[0].named_children[0], frame)
                if isinstance(draft, Listing):
                    items.extend(draft.items)
                else:
                    items.append(self.unknown(pair[0], made_in(draft)))
                continue
            items.append(as_block(self.value(pair[0], frame), "php"))
        return Listing(start, end, "php", items)

    def _binary(self, node: SyntaxNode, frame: Frame) -> Draft:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return self.unknown(node)
        start, end = self.span(node)
        one, other = self.value(left, frame), self.value(right, frame)
        if operator.type == "." and not (
            isinstance(one, Mapping | Listing) or isinstance(other, Mapping | Listing)
        ):
            return joined(start, end, [*parts_of(one), *parts_of(other)])
        return self.unknown(node, made_in(one) or made_in(other))

    def _constant(self, node: SyntaxNode, frame: Frame) -> Draft:
        start, end = self.span(node)
        source = self.source(node)
        owner, _, name = source.rpartition("::")
        if owner in ("self", "static"):
            return self.named(node, frame, name)
        if owner.endswith("Model"):
            return Written(start, end, "", (Part(f"Model.{name}", start),))
        return self.unknown(node)

    def arguments(self, node: SyntaxNode, frame: Frame) -> Mapping:
        """The named arguments of a call as an object, with the API's own names."""
        members: list[Member] = []
        for child in node.named_children:
            name = child.child_by_field_name("name")
            if child.type != "argument" or name is None or len(child.named_children) < 2:
                continue
            at, stop = self.span(name)
            key = snake(self.source(name))
            draft = fitting(key, self.value(child.named_children[-1], frame), "php")
            members.append(Member(key, at, stop - at, draft))
        return Mapping(*self.span(node), "php-call", members)

    def _call(self, node: SyntaxNode, frame: Frame) -> Draft:
        arguments = node.child_by_field_name("arguments")
        called = node.child_by_field_name("function") or node.child_by_field_name("name")
        if arguments is None or called is None:
            return self.unknown(node)
        start, end = self.span(node)
        word = self.source(called)
        given = [one.named_children[-1] for one in arguments.named_children if one.named_children]
        scope = node.child_by_field_name("scope")
        if scope is not None:
            owner = self.source(scope).rsplit("\\", 1)[-1]
            if word == "with":
                return self._with(node, owner, arguments, frame)
            name = f"{owner}::{word}"
        else:
            name = word
        if word in ("str_repeat", "\\str_repeat") and len(given) == 2:
            text, count = self.value(given[0], frame), self.value(given[1], frame)
            if isinstance(text, Written) and isinstance(count, Scalar) and count.raw.isdecimal():
                return repeated(text, int(count.raw), start, end) or self.unknown(node)
        if word in ("implode", "join") and len(given) == 2:
            listed = self.value(given[1], frame)
            if isinstance(listed, Listing):
                separator = parts_of(self.value(given[0], frame))
                return joined(start, end, join_items(listed.items, separator))
        if word in ("trim", "rtrim", "ltrim") and given:
            draft = self.value(given[0], frame)
            return used_at(draft, start, end)
        if node.type == "function_call_expression" and word in ("date", "gmdate", "\\date"):
            if len(given) == 1:
                format = self.source(given[0])
                day = re.search(r"[HhGgisuvaABUcr]", format.strip("\"'")) is None
                made = Source("today's date" if day else "the clock", "day" if day else "call",
                              self.source(node)[:200], start, end)  # fmt: skip
                return self.unknown(node, made)
            return self.unknown(node)
        target = node.child_by_field_name("object")
        if target is not None:
            made_there = made_in(self.value(target, frame))
            return self.unknown(node, made_there)
        found = made_by(name)
        if found is not None:
            return self.unknown(node, Source(*found, self.source(node)[:200], start, end))
        if node.type == "function_call_expression":
            helped = self.helper(node, word, given, frame)
            if helped is not None:
                return helped
        for child in given:
            made_there = made_in(self.value(child, frame))
            if made_there is not None:
                return self.unknown(node, made_there)
        return self.unknown(node)

    def _with(self, node: SyntaxNode, owner: str, arguments: SyntaxNode, frame: Frame) -> Draft:
        """``TextBlockParam::with(text: '…')``: an object of the SDK."""
        draft = self.arguments(arguments, frame)
        kinds = {"TextBlockParam": "text", "CacheControlEphemeral": "ephemeral",
                 "ImageBlockParam": "image", "DocumentBlockParam": "document",
                 "ToolResultBlockParam": "tool_result"}  # fmt: skip
        start, end = self.span(node)
        members = list(draft.members)
        kind = kinds.get(owner.removeprefix("Beta"))
        if kind is not None and not any(member.key == "type" for member in members):
            text = Written(start, start, "", (Part(kind, start),))
            members.insert(0, Member("type", start, 0, text))
        return Mapping(start, end, "php-call", members, self.span(arguments))
