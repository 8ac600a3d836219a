"""What Python expressions stand for, as far as it can be told without running them.

Nothing is executed. A name is followed to the assignments that surely happened before its use, in
the order of the text, with what is appended to it and set in it on the way; a call to a function of
the same file to what that returns. What happens under a condition is not known to have happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from cachewise.syntax.python_sources import made_by, named_for
from cachewise.syntax.rereading import NOWHERE, Answer, Question, Reading
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
    from cachewise.syntax.grammar import Parsed, SyntaxNode

STYLE = "python"
CALL_STYLE = "python-call"

MAX_DEPTH = 40
"""Names and calls that are followed one behind the other; a longer way ends in a hole."""

MAX_HELPERS = 6
"""Functions that are entered one inside the other."""

MAX_STEPS = 20_000
"""Expressions that are looked at for one file; behind that everything is a hole."""

_CONDITIONAL = {
    "if_statement", "elif_clause", "else_clause", "for_statement", "while_statement",
    "except_clause", "except_group_clause", "case_clause", "match_statement",
    "conditional_expression", "finally_clause",
}  # fmt: skip
_NOTHING_HAPPENS = {
    "string", "comment", "dictionary", "list", "set", "tuple", "argument_list", "subscript",
    "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression",
    "decorator", "concatenated_string",
}  # fmt: skip
"""Parts of expressions in which names are used and not set."""

_LOOPS = {"for_statement", "while_statement"}
_LAST_WORD = re.compile(r"\w+\Z")
_SCOPES = {"function_definition", "class_definition", "lambda"}

EventKind = Literal["assign", "augment", "append", "extend", "insert", "set", "update", "unknown"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a name: ``value`` is the expression, ``path`` what is set in it.

    ``blocks`` are the offsets of the conditional statements around it, the outermost first.
    """

    kind: EventKind
    at: int
    value: SyntaxNode | None
    blocks: tuple[int, ...]
    path: tuple[SyntaxNode, ...] = ()
    made: str = ""


Bound: TypeAlias = "dict[str, tuple[SyntaxNode, Scope] | None]"
"""What the parameters of a function stand for, where that is known."""


@dataclass(slots=True)
class Scope:
    """A module, class or function: what happens to its names, and what its parameters stand for."""

    node: SyntaxNode
    parent: Scope | None
    parameters: Bound
    events: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])
    """What happens to each name that was asked for."""

    @property
    def kind(self) -> str:
        """The type of its syntax node."""
        return self.node.type


class File:
    """A Python text and the scopes in it."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.module = Scope(parsed.root, None, {})
        self._scopes: dict[int, Scope] = {}
        self._declares = "global" in parsed.text or "nonlocal" in parsed.text
        self._depth = 0
        self.steps = 0
        self._active: set[tuple[str, int, int]] = set()
        self._helpers = 0
        self._returned: dict[int, list[SyntaxNode]] = {}
        self._class_methods: dict[int, list[Scope]] = {}
        self.reading = Reading(parsed, _OPENS, self.answer)

    # Scopes and what happens in them.

    def scope_of(self, node: SyntaxNode, around: Scope) -> Scope:
        """The scope inside a node: its own when it is a function or class, else that around it."""
        if node.type not in _SCOPES:
            return around
        known = self._scopes.get(node.id)
        if known is None:
            known = self._scopes[node.id] = Scope(node, around, self._parameters(node))
        return known

    def _parameters(self, node: SyntaxNode) -> Bound:
        found: Bound = {}
        for name, _ in self._parameter_list(node):
            found[name] = None
        return found

    def _parameter_list(self, node: SyntaxNode) -> Iterator[tuple[str, SyntaxNode | None]]:
        """The names of a function's parameters, with their defaults."""
        listed = node.child_by_field_name("parameters")
        if listed is None:
            return
        for child in listed.named_children:
            name: SyntaxNode | None = child
            default: SyntaxNode | None = None
            if child.type in ("default_parameter", "typed_default_parameter"):
                name = child.child_by_field_name("name")
                default = child.child_by_field_name("value")
            elif child.type in (
                "typed_parameter",
                "list_splat_pattern",
                "dictionary_splat_pattern",
            ):
                name = child.named_children[0] if child.named_children else None
                while name is not None and name.type.endswith("_pattern"):
                    name = name.named_children[0] if name.named_children else None
            if name is not None and name.type == "identifier":
                yield self.parsed.source(name), default

    def answer(self, question: Question) -> Answer | None:
        """What the text says to a question that was asked of an earlier one."""
        kind, at, name = question
        if kind in ("function_definition", "class_definition"):
            found = self._defined(name, kind)
            return found.start_byte if found is not None else ""
        scope = self.module
        if at != NOWHERE:
            for node in self.reading.class_at(at):
                scope = self.scope_of(node, scope)
            if scope is self.module:
                return None
        if kind == "events":
            return _told(self._events_in(scope, name))
        if kind == "fields":
            return _told(event for event, _ in self._fields(scope, name))
        if kind == "counted":
            counted = self._counted_in(scope, name)
            return _told([counted] if counted is not None else [])
        method = self._method_named(scope, name)
        return method.node.start_byte if method is not None else ""

    def _hear(self, scope: Scope, kind: str, name: str, answer: Answer) -> None:
        """A question about a scope was answered: of the module or a class, or in one item."""
        if scope.parent is None:
            self.reading.hear((kind, NOWHERE, name), answer)
        elif not self.reading.whole(scope.node):
            self.reading.hear((kind, scope.node.start_byte, name), answer)

    def _events(self, scope: Scope, name: str) -> list[Event]:
        """What happens to a name in a scope, noted as read."""
        found = self._events_in(scope, name)
        if scope.parent is None or not self.reading.whole(scope.node):
            self._hear(scope, "events", name, _told(found))
        return found

    def _events_in(self, scope: Scope, name: str) -> list[Event]:
        """What happens to a name in a scope: looked for where the text has that name at all."""
        known = scope.events.get(name)
        if known is None:
            body = scope.node if scope.parent is None else scope.node.child_by_field_name("body")
            found = self._collect(body, scope, name) if body is not None else ()
            known = scope.events[name] = [event for said, event in found if said == name]
        return known

    def _collect(self, body: SyntaxNode, scope: Scope, name: str) -> Iterator[tuple[str, Event]]:
        # ``self.turn`` is written in as many ways as there are spaces; its last word is not.
        word = _LAST_WORD.search(name)
        places = self.parsed.places(word[0] if word is not None else name)
        stack: list[tuple[SyntaxNode, tuple[int, ...]]] = [(body, ())]
        while stack:
            node, blocks = stack.pop()
            kind = node.type
            if kind in _NOTHING_HAPPENS:
                continue
            inner = blocks
            if kind in _CONDITIONAL:
                inner = (*blocks, node.start_byte)
            yield from self._happening(node, blocks)
            if kind in _SCOPES and node is not body:
                own = node.child_by_field_name("name")
                if own is not None:
                    yield self.parsed.source(own), Event("unknown", node.start_byte, None, blocks)
                if scope.parent is None and self._declares:
                    for said in self._declared_global(node):
                        yield said, Event("unknown", node.start_byte, None, (node.start_byte,))
                continue
            children = self.parsed.within(node, places)
            stack.extend((child, inner) for child in reversed(children))

    def _declared_global(self, node: SyntaxNode) -> Iterator[str]:
        body = self.parsed.source(node)
        for found in re.finditer(r"^[ \t]*(?:global|nonlocal)\s+([\w, ]+)", body, re.MULTILINE):
            for name in found[1].split(","):
                yield name.strip()

    def _happening(self, node: SyntaxNode, blocks: tuple[int, ...]) -> Iterator[tuple[str, Event]]:
        at = node.start_byte
        kind = node.type
        source = self.parsed.source
        if kind in ("assignment", "named_expression"):
            left = node.child_by_field_name("left") or node.child_by_field_name("name")
            right = node.child_by_field_name("right") or node.child_by_field_name("value")
            if left is None or right is None:
                return
            if left.type == "identifier":
                yield source(left), Event("assign", at, right, blocks)
            elif left.type in ("subscript", "attribute"):
                yield from self._set_in(left, right, at, blocks)
            else:
                for name in _names(left):
                    yield source(name), Event("unknown", at, None, blocks)
        elif kind == "augmented_assignment":
            left = node.child_by_field_name("left")
            right = node.child_by_field_name("right")
            if left is None:
                return
            plus = any(child.type == "+=" for child in node.children)
            counter = "an iteration counter" if _is_number(right) else ""
            if left.type == "identifier":
                event = Event("augment" if plus else "unknown", at, right, blocks, (), counter)
                yield source(left), event
            elif left.type == "attribute":
                yield source(left), Event("augment", at, right, blocks, (), counter)
        elif kind == "call":
            called = node.child_by_field_name("function")
            arguments = node.child_by_field_name("arguments")
            if called is None or arguments is None or called.type != "attribute":
                return
            method = called.child_by_field_name("attribute")
            target = called.child_by_field_name("object")
            if method is None or target is None:
                return
            word = source(method)
            given = [child for child in arguments.named_children if child.type != "comment"]
            wanted: dict[str, EventKind] = {
                "append": "append", "extend": "extend", "insert": "insert", "update": "update",
            }  # fmt: skip
            path: tuple[SyntaxNode, ...] = ()
            while target is not None and target.type == "subscript":
                key = target.child_by_field_name("subscript")
                path = (key, *path) if key is not None else path
                target = target.child_by_field_name("value")
            if target is None or target.type not in ("identifier", "attribute"):
                return
            if word in wanted and given:
                yield source(target), Event(wanted[word], at, given[-1], blocks, path)
            elif word in ("pop", "clear", "remove", "sort", "reverse", "popitem", "setdefault"):
                yield source(target), Event("unknown", at, None, blocks, path)
        elif kind == "for_statement":
            left = node.child_by_field_name("left")
            right = node.child_by_field_name("right")
            if left is None:
                return
            counted = right is not None and re.match(
                r"(?:range|enumerate|(?:itertools\.)?count)\s*\(", source(right)
            )
            for number, name in enumerate(_names(left)):
                made = "an iteration counter" if counted and number == 0 else ""
                inner = (*blocks, node.start_byte)
                yield source(name), Event("unknown", at, None, inner, (), made)
        elif kind in ("with_item", "except_clause", "as_pattern"):
            for child in node.named_children:
                if child.type == "as_pattern_target":
                    for name in _names(child):
                        yield source(name), Event("unknown", at, None, blocks)
        elif kind in ("import_statement", "import_from_statement"):
            for child in node.named_children[kind == "import_from_statement" :]:
                name = child.child_by_field_name("alias") or child
                yield source(name).split(".")[0], Event("unknown", at, None, blocks)
        elif kind == "delete_statement":
            for name in _names(node):
                yield source(name), Event("unknown", at, None, blocks)

    def _set_in(
        self, left: SyntaxNode, right: SyntaxNode, at: int, blocks: tuple[int, ...]
    ) -> Iterator[tuple[str, Event]]:
        path: tuple[SyntaxNode, ...] = ()
        target: SyntaxNode | None = left
        while target is not None and target.type == "subscript":
            key = target.child_by_field_name("subscript")
            if key is None:
                return
            path = (key, *path)
            target = target.child_by_field_name("value")
        if target is None or target.type not in ("identifier", "attribute"):
            return
        kind: EventKind = "set" if path else "assign"
        yield self.parsed.source(target), Event(kind, at, right, blocks, path)

    # Expressions.

    def value(self, node: SyntaxNode, scope: Scope) -> Draft:
        """What an expression stands for."""
        self.reading.note(node.start_byte)
        self.steps += 1
        if self._depth >= MAX_DEPTH or self.steps > MAX_STEPS:
            return self._unknown(node)
        self._depth += 1
        try:
            return self._value(node, scope)
        finally:
            self._depth -= 1

    def _unknown(self, node: SyntaxNode, made: Source | None = None) -> Unknown:
        source = self.parsed.source(node)
        name = source if len(source) <= 200 else f"{source[:199]}…"
        return Unknown(name, self.parsed.start(node), self.parsed.end(node), made)

    def _value(self, node: SyntaxNode, scope: Scope) -> Draft:
        parsed = self.parsed
        kind = node.type
        start, end = parsed.start(node), parsed.end(node)
        if kind == "string":
            return Written(start, end, parsed.source(node), list(self._string(node, scope)))
        if kind == "concatenated_string":
            parts = [
                part
                for child in node.named_children
                if child.type == "string"
                for part in self._string(child, scope)
            ]
            return Written(start, end, "", parts)
        if kind == "parenthesized_expression":
            inner = [child for child in node.named_children if child.type != "comment"]
            if len(inner) == 1:
                draft = self.value(inner[0], scope)
                if isinstance(draft, Mapping | Listing):
                    return used_at(draft, start, end)
                return replace(draft, start=start, end=end)
            return self._unknown(node)
        if kind == "dictionary":
            return Mapping(start, end, STYLE, list(self._pairs(node, scope)))
        if kind in ("list", "tuple", "expression_list"):
            return Listing(start, end, STYLE, list(self._items(node, scope)))
        if kind in ("list_comprehension", "generator_expression"):
            return Listing(start, end, STYLE, (self._comprehension(node, scope),))
        if kind in ("integer", "float"):
            return self._number(node)
        if kind == "unary_operator":
            inner = node.child_by_field_name("argument")
            number = self._number(inner) if inner is not None and inner.type in (
                "integer", "float"
            ) else None  # fmt: skip
            if isinstance(number, Scalar) and parsed.source(node).startswith("-"):
                return Scalar(start, end, "number", f"-{number.raw}")
            return self._unknown(node)
        if kind == "true":
            return Scalar(start, end, "true", "true")
        if kind == "false":
            return Scalar(start, end, "false", "false")
        if kind == "none":
            return Scalar(start, end, "null", "null")
        if kind in ("identifier", "attribute"):
            return self._name(node, scope)
        if kind == "binary_operator":
            return self._operation(node, scope)
        if kind == "call":
            return self._call(node, scope)
        if kind == "await":
            inner = node.named_children
            return self.value(inner[0], scope) if inner else self._unknown(node)
        if kind == "named_expression":
            right = node.child_by_field_name("value")
            return self.value(right, scope) if right is not None else self._unknown(node)
        if kind == "subscript":
            return self._subscript(node, scope)
        if kind == "conditional_expression":
            return self._unknown(node, self._either(node, scope))
        if kind == "boolean_operator":
            return self._unknown(node, self._either(node, scope))
        if kind in ("set", "set_comprehension"):
            source = Source("a set", "order", parsed.source(node)[:200], start, end)
            return self._unknown(node, source)
        return self._unknown(node)

    def _either(self, node: SyntaxNode, scope: Scope) -> Source | None:
        """What either branch brings along, when it changes from call to call."""
        for child in node.named_children:
            draft = self.value(child, scope)
            made = made_in(draft)
            if made is not None:
                return made
        return None

    def _number(self, node: SyntaxNode) -> Draft:
        raw = self.parsed.source(node).replace("_", "")
        start, end = self.parsed.start(node), self.parsed.end(node)
        if re.fullmatch(r"\d+", raw):
            return Scalar(start, end, "number", raw.lstrip("0") or "0")
        if re.fullmatch(r"\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+", raw):
            return Scalar(start, end, "number", re.sub(r"\.(?!\d)", ".0", raw))
        if re.fullmatch(r"\.\d+", raw):
            return Scalar(start, end, "number", f"0{raw}")
        return self._unknown(node)

    # Strings.

    def _string(self, node: SyntaxNode, scope: Scope) -> Iterator[Part | Unknown]:
        parsed = self.parsed
        opening = node.children[0] if node.children else None
        prefix = parsed.source(opening).rstrip("\"'").lower() if opening is not None else ""
        raw = "r" in prefix
        for child in node.children:
            if child.type == "string_content":
                yield from self._content(child, raw)
            elif child.type == "interpolation":
                yield from self._field(child, scope)

    def _content(self, node: SyntaxNode, raw: bool) -> Iterator[Part]:
        parsed = self.parsed
        at = parsed.start(node)
        end = parsed.end(node)
        text = parsed.text
        for child in node.children:
            start, stop = parsed.start(child), parsed.end(child)
            source = text[start:stop]
            if child.type == "escape_interpolation":
                value = source[:1]
            elif child.type == "escape_sequence" and not raw:
                value = _unescaped(source)
            else:
                continue
            if start > at:
                yield Part(text[at:start], at)
            if value:
                yield Part(value, start)
            at = stop
        if end > at:
            yield Part(text[at:end], at)

    def _field(self, node: SyntaxNode, scope: Scope) -> Iterator[Part | Unknown]:
        expression = node.child_by_field_name("expression")
        start, end = self.parsed.start(node), self.parsed.end(node)
        if expression is None:
            yield Unknown("", start, end)
            return
        draft = self.value(expression, scope)
        spec = next((child for child in node.children if child.type == "format_specifier"), None)
        converted = any(child.type == "type_conversion" for child in node.children)
        if isinstance(draft, Written) and spec is None and not converted:
            for part in draft.parts:
                yield part if isinstance(part, Part) else replace(part, start=start, end=end)
            return
        if isinstance(draft, Scalar) and draft.kind == "number" and spec is None:
            yield Part(draft.raw, draft.start)
            return
        made = made_in(draft)
        if made is not None and spec is not None and made.change == "call":
            made = formatted(made, self.parsed.source(spec))
        name = self.parsed.source(expression)
        if isinstance(draft, Unknown) and draft.name:
            name = draft.name
        yield Unknown(name[:200], start, end, made)

    # Objects and lists.

    def _pairs(self, node: SyntaxNode, scope: Scope) -> Iterator[Member]:
        parsed = self.parsed
        for child in node.named_children:
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or value is None:
                    continue
                start = parsed.start(key)
                named = self.value(key, scope)
                text = _text(named)
                draft = self.value(value, scope)
                name = text if text is not None else parsed.source(key)
                yield Member(name, start, parsed.end(key) - start, _fitting(name, draft))
            elif child.type == "dictionary_splat":
                yield from self._spread(child, scope)

    def _spread(self, node: SyntaxNode, scope: Scope) -> Iterator[Member]:
        inner = node.named_children
        draft = self.value(inner[0], scope) if inner else self._unknown(node)
        if isinstance(draft, Mapping):
            yield from draft.members
            return
        start = self.parsed.start(node)
        yield Member(SPREAD, start, 2, Unknown("", start + 2, self.parsed.end(node)))

    def _items(self, node: SyntaxNode, scope: Scope) -> Iterator[Draft]:
        for child in node.named_children:
            if child.type == "comment":
                continue
            if child.type == "list_splat":
                inner = child.named_children
                draft = self.value(inner[0], scope) if inner else self._unknown(child)
                if isinstance(draft, Listing):
                    yield from draft.items
                else:
                    yield self._unknown(child, made_in(draft))
                continue
            draft = self.value(child, scope)
            if isinstance(draft, Unknown) and draft.made is None:
                # One value, whose kind is not known: a block all the same.
                yield Mapping(
                    draft.start,
                    draft.end,
                    STYLE,
                    (Member(SPREAD, draft.start, 0, draft),),
                )
                continue
            yield draft

    def _comprehension(self, node: SyntaxNode, scope: Scope) -> Unknown:
        """``[f(x) for x in xs]``: any number of unknown items, in the order of ``xs``."""
        made = None
        for child in node.named_children:
            if child.type == "for_in_clause":
                right = child.child_by_field_name("right")
                if right is not None:
                    made = made or made_in(self.value(right, scope))
        return self._unknown(node, made)

    def arguments(self, node: SyntaxNode, scope: Scope) -> Mapping:
        """The keyword arguments of a call as an object. ``node`` is its ``argument_list``."""
        parsed = self.parsed
        members: list[Member] = []
        for child in node.named_children:
            if child.type == "keyword_argument":
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is None or value is None:
                    continue
                start = parsed.start(key)
                name = parsed.source(key)
                draft = _fitting(name, self.value(value, scope))
                if name == "extra_body" and isinstance(draft, Mapping):
                    members.extend(draft.members)
                    continue
                members.append(Member(name, start, parsed.end(key) - start, draft))
            elif child.type == "dictionary_splat":
                members.extend(self._spread(child, scope))
        return Mapping(parsed.start(node), parsed.end(node), CALL_STYLE, members)

    # Names.

    def _name(self, node: SyntaxNode, scope: Scope) -> Draft:
        parsed = self.parsed
        name = parsed.source(node)
        start, end = parsed.start(node), parsed.end(node)
        made = made_by(name, None, "")
        if node.type == "attribute":
            found = self._attribute(node, scope)
            if found is not None:
                return found
            changed = self._changed_attribute(node, scope)
            if changed is not None:
                return changed
            if made is not None:
                return Unknown(name[:200], start, end, Source(*made, name[:200], start, end))
            return self._unknown(node, self._of_object(node, scope))
        resolved = self._resolve(name, scope, node)
        if resolved is None:
            return self._unknown(node)
        if isinstance(resolved, Unknown):
            source = resolved.made
            if source is not None and (source.start, source.end) != (start, end):
                source = source.after(f"{name} carries it", start, end)
            return Unknown(resolved.name or name, start, end, source)
        if isinstance(resolved, Written):
            resolved = replace(resolved, parts=[
                part if isinstance(part, Part) or part.made is None
                else replace(part, made=part.made.after(f"{name} carries it", start, end))
                for part in resolved.parts
            ])  # fmt: skip
        return used_at(resolved, start, end)

    def _of_object(self, node: SyntaxNode, scope: Scope) -> Source | None:
        """``uuid4().hex``: an attribute of a value that changes changes with it."""
        target = node.child_by_field_name("object")
        if target is None:
            return None
        made = made_in(self.value(target, scope))
        if made is None or made.change == "order":
            return None
        attribute = node.child_by_field_name("attribute")
        word = self.parsed.source(attribute) if attribute is not None else ""
        return replace(made, change=_slower(made, "day")) if word in _PARTS_OF_DAY else made

    def _resolve(self, name: str, scope: Scope, use: SyntaxNode) -> Draft | None:
        """The value of a name where it is used; None when nothing is known of it."""
        current: Scope | None = scope
        own = True
        while current is not None:
            # The names of a class body are not seen from its methods.
            if current.kind == "class_definition" and not own:
                current = current.parent
                continue
            events = self._events(current, name)
            bound = current.parameters.get(name)
            if events or name in current.parameters:
                key = (name, current.node.id, use.start_byte)
                if key in self._active:
                    return None
                self._active.add(key)
                try:
                    return self._after(name, current, events, bound, use, own)
                finally:
                    self._active.discard(key)
            current = current.parent
            own = False
        return None

    def _after(
        self,
        name: str,
        scope: Scope,
        events: Sequence[Event],
        bound: tuple[SyntaxNode, Scope] | None,
        use: SyntaxNode,
        own: bool,
    ) -> Draft | None:
        """What a name holds after the events that come before its use."""
        at = use.start_byte
        blocks, loops = self._blocks(use, scope) if own else ((), ())
        relevant: list[tuple[Event, bool]] = []
        again: list[Event] = []
        for event in events:
            if not own:
                relevant.append((event, not event.blocks))
            elif event.at < at and not (event.at <= at < self._end_of(event)):
                relevant.append((event, event.blocks == blocks[: len(event.blocks)]))
            elif any(event.at < end for end in loops):
                again.append(event)
        first = 0
        for index, (event, certain) in enumerate(relevant):
            if event.kind == "assign" and certain:
                first = index
        state: Draft | None = None
        if relevant and relevant[first][0].kind == "assign" and relevant[first][1]:
            value = relevant[first][0].value
            assert value is not None
            state = self.value(value, scope)
            rest = relevant[first + 1 :]
        elif bound is not None:
            state = self.value(*bound)
            rest = relevant
        elif name in scope.parameters:
            state = self._parameter(name, scope, use)
            rest = relevant
        else:
            counter = next((event for event, _ in relevant if event.made), None)
            if counter is not None:
                return self._counted(name, counter, use)
            return Unknown(name, self.parsed.start(use), self.parsed.end(use)) if events else None
        if not own:
            # At import everything was run once; a function that runs later sees what that left.
            state = started(state)
        for event, certain in rest:
            state = self._happened(state, event, certain, scope, name)
            if state is None:
                return None
        for event in again:
            if event.kind == "augment" and event.made:
                return self._counted(name, event, use)
            state = self._happened(state, event, False, scope, name)
            if state is None:
                return None
        return state

    def _parameter(self, name: str, scope: Scope, use: SyntaxNode) -> Draft:
        start, end = self.parsed.start(use), self.parsed.end(use)
        if name in ("self", "cls"):
            return Unknown(name, start, end)
        made = named_for(name)
        if made is not None:
            return Unknown(name, start, end, Source(*made, name, start, end))
        return Unknown(name, start, end)

    def _counted(self, name: str, event: Event, use: SyntaxNode) -> Unknown:
        start, end = self.parsed.start(use), self.parsed.end(use)
        at = self.parsed.offset(event.at)
        line = self.parsed.text.find("\n", at)
        stop = line if line >= 0 else len(self.parsed.text)
        self.reading.note_up_to(event.at, self.parsed.byte(stop))
        source = Source(event.made, "call", name, at, stop)
        return Unknown(name, start, end, source.after(f"{name} is used", start, end))

    def _end_of(self, event: Event) -> int:
        return event.value.end_byte if event.value is not None else event.at

    def _blocks(self, node: SyntaxNode, scope: Scope) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The conditional statements around a node, up to its scope, the outermost first.

        And where those of them end that are loops.
        """
        found: list[int] = []
        loops: list[int] = []
        current = node.parent
        while current is not None and current.id != scope.node.id:
            if current.type in _CONDITIONAL:
                found.append(current.start_byte)
                if current.type in _LOOPS:
                    loops.append(current.end_byte)
            current = current.parent
        return tuple(reversed(found)), tuple(loops)

    def _happened(
        self, state: Draft, event: Event, certain: bool, scope: Scope, name: str
    ) -> Draft | None:
        """What a value is after an event; an event that may not have happened leaves a hole."""
        if event.kind == "unknown":
            return None
        value = self.value(event.value, scope) if event.value is not None else None
        if value is None:
            return None
        if event.kind == "assign":
            return Unknown("", state.start, state.end, made_in(value) or made_in(state))
        if event.kind == "augment":
            if isinstance(state, Listing):
                items = value.items if isinstance(value, Listing) and certain else (
                    _loose(value),
                )  # fmt: skip
                return replace(state, items=[*state.items, *items])
            if isinstance(state, Written | Unknown) and isinstance(value, Written | Unknown):
                added = list(parts_of(value)) if certain else [self._part(event, value)]
                return joined(state.start, state.end, [*parts_of(state), *added])
            return self._lost(state)
        if event.path:
            key = self._keys(event.path, scope)
            last = event.kind == "set"
            return _changed(state, key if last else (*key, None), value, event, certain, self)
        if event.kind in ("append", "insert", "extend"):
            return _changed(state, (None,), value, event, certain, self)
        if event.kind == "update":
            if isinstance(state, Mapping) and isinstance(value, Mapping) and certain:
                return replace(state, members=[*state.members, *value.members])
            return self._lost(state)
        return None

    def _keys(self, path: Sequence[SyntaxNode], scope: Scope) -> tuple[str | int | None, ...]:
        keys: list[str | int | None] = []
        for node in path:
            draft = self.value(node, scope)
            text = _text(draft)
            if text is not None:
                keys.append(text)
            elif isinstance(draft, Scalar) and re.fullmatch(r"-?\d+", draft.raw):
                keys.append(int(draft.raw))
            else:
                keys.append(None)
        return tuple(keys)

    def key_span(self, event: Event) -> tuple[int, int]:
        """Where the last key of an assignment into something is written."""
        node = event.path[-1]
        return self.parsed.start(node), self.parsed.end(node)

    def _part(self, event: Event, value: Draft) -> Unknown:
        return Unknown("", value.start, value.end, made_in(value))

    def _lost(self, state: Draft) -> Unknown:
        return Unknown("", state.start, state.end)

    def _attribute(self, node: SyntaxNode, scope: Scope) -> Draft | None:
        """``self.NAME``, ``cls.NAME``, ``Class.NAME``: assigned once, in the class."""
        target = node.child_by_field_name("object")
        attribute = node.child_by_field_name("attribute")
        if target is None or attribute is None or target.type != "identifier":
            return None
        word = self.parsed.source(target)
        name = self.parsed.source(attribute)
        owner: Scope | None = None
        if word in ("self", "cls"):
            owner = scope
            while owner is not None and owner.kind != "class_definition":
                owner = owner.parent
        else:
            known = self._defined(word, "class_definition")
            if known is not None:
                owner = self.scope_of(known, self.module)
        if owner is None:
            return None
        found = self._fields(owner, name)
        self._hear(owner, "fields", name, _told(event for event, _ in found))
        if len(found) != 1 or found[0][0].kind != "assign" or found[0][0].blocks:
            return None
        event, where = found[0]
        key = (name, where.node.id, node.start_byte)
        if key in self._active or event.value is None:
            return None
        self._active.add(key)
        try:
            return self._named(self.value(event.value, where), node)
        finally:
            self._active.discard(key)

    def _fields(self, owner: Scope, name: str) -> list[tuple[Event, Scope]]:
        """What happens to a field in a class and in the class's methods."""
        found = [(event, owner) for event in self._events_in(owner, name)]
        for method in self._methods(owner):
            found += [(event, method) for event in self._events_in(method, f"self.{name}")]
        return found

    def _named(self, draft: Draft, node: SyntaxNode) -> Draft:
        start, end = self.parsed.start(node), self.parsed.end(node)
        if isinstance(draft, Unknown):
            made = draft.made
            if made is not None:
                made = made.after(f"{self.parsed.source(node)} carries it", start, end)
                made = _lasting(made)
            return Unknown(draft.name or self.parsed.source(node), start, end, made)
        return used_at(draft, start, end)

    def _changed_attribute(self, node: SyntaxNode, scope: Scope) -> Draft | None:
        """``self.turn`` of a class that counts it up somewhere."""
        name = self.parsed.source(node)
        if not name.startswith("self."):
            return None
        owner: Scope | None = scope
        while owner is not None and owner.kind != "class_definition":
            owner = owner.parent
        if owner is None:
            return None
        event = self._counted_in(owner, name)
        self._hear(owner, "counted", name, _told([event] if event is not None else []))
        return self._counted(name, event, node) if event is not None else None

    def _counted_in(self, owner: Scope, name: str) -> Event | None:
        """Where a method of a class counts up a field first."""
        for method in self._methods(owner):
            for event in self._events_in(method, name):
                if event.kind == "augment" and event.made:
                    return event
        return None

    def _method_named(self, owner: Scope, name: str) -> Scope | None:
        """The method of a class with a name; of several the last."""
        last: Scope | None = None
        for method in self._methods(owner):
            named = method.node.child_by_field_name("name")
            if named is not None and self.parsed.source(named) == name:
                last = method
        return last

    def _methods(self, owner: Scope) -> list[Scope]:
        known = self._class_methods.get(owner.node.id)
        if known is not None:
            return known
        found: list[Scope] = []
        body = owner.node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            inner = child
            if child.type == "decorated_definition":
                inner = child.child_by_field_name("definition") or child
            if inner.type == "function_definition":
                found.append(self.scope_of(inner, owner))
        self._class_methods[owner.node.id] = found
        return found

    # Operators and calls.

    def _operation(self, node: SyntaxNode, scope: Scope) -> Draft:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return self._unknown(node)
        start, end = self.parsed.start(node), self.parsed.end(node)
        one, other = self.value(left, scope), self.value(right, scope)
        if operator.type == "+":
            if isinstance(one, Listing) or isinstance(other, Listing):
                items = [*_as_items(one), *_as_items(other)]
                return Listing(start, end, STYLE, items, (start, end))
            if isinstance(one, Written) or isinstance(other, Written):
                return joined(start, end, [*parts_of(one), *parts_of(other)])
        elif operator.type == "*":
            times, text = (one, other) if isinstance(one, Scalar) else (other, one)
            if isinstance(times, Scalar) and isinstance(text, Written) and times.raw.isdecimal():
                count = int(times.raw)
                length = sum(len(part.text) for part in text.parts if isinstance(part, Part))
                if count * max(length, 1) <= 4_000_000 and count * len(text.parts) <= 200_000:
                    return joined(start, end, list(text.parts) * count)
        elif operator.type == "%" and isinstance(one, Written):
            return joined(start, end, self._percent(one, other, right))
        elif operator.type == "|" and isinstance(one, Mapping) and isinstance(other, Mapping):
            return Mapping(start, end, STYLE, [*one.members, *other.members], (start, end))
        return self._unknown(node, made_in(one) or made_in(other))

    def _percent(
        self, pattern: Written, given: Draft, node: SyntaxNode
    ) -> Iterator[Part | Unknown]:
        values = list(given.items) if isinstance(given, Listing) else [given]
        index = 0
        for part in pattern.parts:
            if isinstance(part, Unknown):
                yield part
                continue
            position = 0
            for found in re.finditer(r"%(?:\((\w+)\))?[-#0 +]*[\d.]*([a-zA-Z%])", part.text):
                if found.start() > position:
                    yield Part(part.text[position : found.start()], part.start + position)
                at = part.start + found.start()
                position = found.end()
                if found[2] == "%":
                    yield Part("%", at)
                    continue
                value = values[index] if index < len(values) and not found[1] else None
                index += 1
                if isinstance(value, Written):
                    yield from value.parts
                else:
                    made = made_in(value) if value is not None else None
                    name = found[1] or (value.name if isinstance(value, Unknown) else "")
                    yield Unknown(name, at, part.start + position, made)
            if position < len(part.text):
                yield Part(part.text[position:], part.start + position)

    def _subscript(self, node: SyntaxNode, scope: Scope) -> Draft:
        target = node.child_by_field_name("value")
        key = node.child_by_field_name("subscript")
        if target is None or key is None:
            return self._unknown(node)
        start, end = self.parsed.start(node), self.parsed.end(node)
        source = self.parsed.source(node)
        made = made_by(source, None, "")
        if made is not None:
            return self._unknown(node, Source(*made, source[:200], start, end))
        draft = self.value(target, scope)
        named = self.value(key, scope)
        text = _text(named)
        if isinstance(draft, Mapping) and text is not None:
            for member in reversed(draft.members):
                if member.key == text:
                    return self._named(member.value, node)
        if isinstance(draft, Listing) and isinstance(named, Scalar) and named.raw.isdecimal():
            index = int(named.raw)
            if index < len(draft.items) and not any(
                isinstance(item, Unknown) for item in draft.items[: index + 1]
            ):
                return self._named(draft.items[index], node)
        made_there = made_in(draft)
        # A slice of an id is as new as the id; an element of a list has no order.
        if made_there is not None and made_there.change != "order":
            return self._unknown(node, made_there)
        return self._unknown(node)

    def _call(self, node: SyntaxNode, scope: Scope) -> Draft:
        parsed = self.parsed
        called = node.child_by_field_name("function")
        listed = node.child_by_field_name("arguments")
        if called is None or listed is None:
            return self._unknown(node)
        start, end = parsed.start(node), parsed.end(node)
        name = parsed.source(called)
        given = [child for child in listed.named_children if child.type != "comment"]
        word = name.rsplit(".", 1)[-1]
        if listed.type == "generator_expression":
            given = [listed]
        first = given[0] if given and given[0].type not in ("keyword_argument",) else None
        if word == "sorted":
            return self._unknown(node)
        if word in ("set", "frozenset") and name == word:
            if first is None:
                return self._unknown(node)
            inner = self.value(first, scope)
            if isinstance(inner, Listing) and len(inner.items) < 2:
                return self._unknown(node)
            return self._unknown(
                node, Source("a set", "order", parsed.source(node)[:200], start, end)
            )
        if word == "dict" and name == "dict":
            if first is None:
                draft = self.arguments(listed, scope)
                return replace(draft, body=(draft.start, draft.end), start=start, end=end)
            return self._unknown(node)
        if (word.endswith("Param") or word == "cast") and name != word[:0]:
            if word == "cast" and len(given) == 2:
                return self._named(self.value(given[1], scope), node)
            if word.endswith("Param") and all(
                child.type in ("keyword_argument", "dictionary_splat") for child in given
            ):
                draft = self.arguments(listed, scope)
                return replace(draft, body=(draft.start, draft.end), start=start, end=end)
        if name in _SAME and len(given) == 1 and first is not None:
            draft = self.value(first, scope)
            if isinstance(draft, Unknown):
                return Unknown(draft.name, start, end, draft.made)
            if isinstance(draft, Written) and name in ("list", "tuple", "reversed"):
                return self._unknown(node)
            if isinstance(draft, Mapping | Listing) and name in ("str", "reversed"):
                return self._unknown(node, made_in(draft))
            if isinstance(draft, Scalar) and name == "str" and draft.kind == "number":
                return Written(start, end, "", (Part(draft.raw, draft.start),))
            return self._named(draft, node)
        if word in ("dumps", "dump_json") and first is not None:
            return self._dumped(node, given, scope)
        arguments = parsed.source(listed)
        if called.type == "attribute":
            method = self._method(node, called, given, scope)
            if method is not None:
                return method
        made = made_by(name, arguments, word)
        if made is not None:
            return self._unknown(node, Source(*made, parsed.source(node)[:200], start, end))
        helper = self._helper(node, called, listed, scope)
        if helper is not None:
            return helper
        # A value that changes stays one when a function makes something of it.
        for child in given:
            value = (
                child.child_by_field_name("value") if child.type == "keyword_argument" else child
            )
            source = made_in(self.value(value, scope)) if value is not None else None
            if source is not None and (source.change != "order" or word in _KEEP_ORDER):
                return self._unknown(node, source)
        return self._unknown(node)

    def _method(
        self, node: SyntaxNode, called: SyntaxNode, given: Sequence[SyntaxNode], scope: Scope
    ) -> Draft | None:
        """The methods of a text, and what is asked of a point in time."""
        target = called.child_by_field_name("object")
        attribute = called.child_by_field_name("attribute")
        if target is None or attribute is None:
            return None
        word = self.parsed.source(attribute)
        start, end = self.parsed.start(node), self.parsed.end(node)
        if word == "join" and len(given) == 1:
            return self._joined(node, self.value(target, scope), given[0], scope)
        if word in ("strip", "rstrip", "lstrip", "format") or word in _TEXT_METHODS:
            draft = self.value(target, scope)
            if word == "format" and isinstance(draft, Written):
                return joined(start, end, self._formatted(draft, given, scope))
            if word in ("strip", "rstrip", "lstrip") and not given and isinstance(draft, Written):
                return replace(draft, start=start, end=end, raw="", parts=_stripped(draft, word))
            if isinstance(draft, Written) and not any(
                isinstance(part, Unknown) for part in draft.parts
            ):
                return self._unknown(node)
            made = made_in(draft)
            return self._unknown(node, made) if made is not None else None
        if word in ("strftime", "isoformat", "date", "timestamp", "ctime", "time", "astimezone",
                    "replace", "hex", "format", "timetuple", "to_iso8601_string"):  # fmt: skip
            made = made_in(self.value(target, scope))
            if made is not None:
                if word in ("strftime", "format") and given:
                    made = formatted(made, self.parsed.source(given[0]))
                elif word == "date":
                    made = replace(made, change=_slower(made, "day"))
                return self._unknown(node, made)
        return None

    def _joined(self, node: SyntaxNode, separator: Draft, given: SyntaxNode, scope: Scope) -> Draft:
        start, end = self.parsed.start(node), self.parsed.end(node)
        draft = self.value(given, scope)
        if isinstance(draft, Listing) and isinstance(separator, Written):
            parts: list[Part | Unknown] = []
            for number, item in enumerate(draft.items):
                if number:
                    parts.extend(separator.parts)
                if isinstance(item, Mapping):
                    known = [
                        member.value for member in item.members
                        if member.key == SPREAD and isinstance(member.value, Unknown)
                    ]  # fmt: skip
                    parts.append(known[0] if known else Unknown("", item.start, item.end))
                else:
                    parts.extend(parts_of(item))
            return joined(start, end, parts)
        return self._unknown(node, made_in(draft))

    def _formatted(
        self, pattern: Written, given: Sequence[SyntaxNode], scope: Scope
    ) -> Iterator[Part | Unknown]:
        """``"…{}…{name}".format(…)``."""
        positional: list[SyntaxNode] = []
        named: dict[str, SyntaxNode] = {}
        for child in given:
            if child.type == "keyword_argument":
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    named[self.parsed.source(key)] = value
            else:
                positional.append(child)
        index = 0
        for part in pattern.parts:
            if isinstance(part, Unknown):
                yield part
                continue
            position = 0
            for found in re.finditer(r"\{\{|\}\}|\{([\w.\[\]]*)(?:![rsa])?(:[^{}]*)?\}", part.text):
                if found.start() > position:
                    yield Part(part.text[position : found.start()], part.start + position)
                at = part.start + found.start()
                position = found.end()
                if found[0] in ("{{", "}}"):
                    yield Part(found[0][0], at)
                    continue
                name = found[1]
                node = named.get(name)
                if not name or name.isdecimal():
                    number = int(name) if name else index
                    index += 1
                    node = positional[number] if number < len(positional) else None
                if node is None:
                    yield Unknown(name, at, part.start + position)
                    continue
                draft = self.value(node, scope)
                if isinstance(draft, Written) and not found[2]:
                    yield from draft.parts
                    continue
                made = made_in(draft)
                if made is not None and found[2]:
                    made = formatted(made, found[2])
                shown = draft.name if isinstance(draft, Unknown) else self.parsed.source(node)
                yield Unknown(shown[:200], at, part.start + position, made)
            if position < len(part.text):
                yield Part(part.text[position:], part.start + position)

    def _dumped(self, node: SyntaxNode, given: Sequence[SyntaxNode], scope: Scope) -> Draft:
        """``json.dumps(x)``: as unsettled as the order of what is in it."""
        parsed = self.parsed
        start, end = parsed.start(node), parsed.end(node)
        options = " ".join(parsed.source(child) for child in given[1:])
        draft = self.value(given[0], scope)
        made = made_in(draft)
        if made is not None and made.change != "order":
            return self._unknown(node, made)
        if re.search(r"sort_keys\s*=\s*True|OPT_SORT_KEYS", options):
            # Keys are sorted then, what stands in lists is not.
            return self._unknown(node, made)
        if made is not None:
            return self._unknown(node, made)
        if isinstance(draft, Unknown) and not _is_constant(parsed.source(given[0])):
            source = Source(
                "json.dumps without sort_keys", "order", parsed.source(node)[:200], start, end
            )
            return self._unknown(node, source)
        return self._unknown(node)

    # Functions of the same file.

    def _defined(self, name: str, kind: str) -> SyntaxNode | None:
        """The function or class of the module with a name; of several the last."""
        last: SyntaxNode | None = None
        for child in self.parsed.within(self.parsed.root, self.parsed.places(name)):
            inner = child
            if child.type == "decorated_definition":
                inner = child.child_by_field_name("definition") or child
            named = inner.child_by_field_name("name") if inner.type == kind else None
            if named is not None and self.parsed.source(named) == name:
                last = inner
        self.reading.hear((kind, NOWHERE, name), last.start_byte if last is not None else "")
        return last

    def _helper(
        self, node: SyntaxNode, called: SyntaxNode, listed: SyntaxNode, scope: Scope
    ) -> Draft | None:
        """What a function of this file returns for these arguments."""
        around = self.module
        function: SyntaxNode | None = None
        skip = 0
        if called.type == "identifier":
            function = self._defined(self.parsed.source(called), "function_definition")
        elif called.type == "attribute":
            target = called.child_by_field_name("object")
            name = called.child_by_field_name("attribute")
            if target is None or name is None or self.parsed.source(target) not in ("self", "cls"):
                return None
            owner: Scope | None = scope
            while owner is not None and owner.kind != "class_definition":
                owner = owner.parent
            if owner is not None:
                word = self.parsed.source(name)
                method = self._method_named(owner, word)
                at = method.node.start_byte if method is not None else ""
                self._hear(owner, "method", word, at)
                if method is not None:
                    function, around, skip = method.node, owner, 1
        if function is None:
            return None
        self.reading.note(function.start_byte)
        returned = self._returned.get(function.id)
        if returned is None:
            returned = self._returned[function.id] = list(_returns(function))
        if not returned or self._helpers >= MAX_HELPERS:
            return None
        bound: Bound = {}
        parameters = list(self._parameter_list(function))
        for name, default in parameters:
            bound[name] = (default, around) if default is not None else None
        position = skip
        for child in listed.named_children:
            if child.type == "keyword_argument":
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    bound[self.parsed.source(key)] = (value, scope)
            elif child.type not in ("list_splat", "dictionary_splat", "comment"):
                if position < len(parameters):
                    bound[parameters[position][0]] = (child, scope)
                position += 1
        key = ("()", function.id, node.start_byte)
        if key in self._active:
            return None
        own = self.scope_of(function, around)
        inner = Scope(function, around, bound, own.events)
        cached = self._is_cached(function)
        self._active.add(key)
        self._helpers += 1
        try:
            drafts = [self.value(value, inner) for value in returned]
        finally:
            self._active.discard(key)
            self._helpers -= 1
        start, end = self.parsed.start(node), self.parsed.end(node)
        if len(drafts) == 1:
            draft = drafts[0]
            if isinstance(draft, Unknown):
                made = draft.made
                if made is not None:
                    made = made.after("the function returns it", start, end)
                    made = _lasting(made) if cached else made
                return Unknown(self.parsed.source(node)[:200], start, end, made)
            if cached:
                draft = started(draft)
            return used_at(draft, start, end)
        for draft in drafts:
            made = made_in(draft)
            if made is not None:
                made = made.after("the function returns it", start, end)
                return self._unknown(node, _lasting(made) if cached else made)
        return self._unknown(node)

    def _is_cached(self, function: SyntaxNode) -> bool:
        """``@lru_cache`` and its like: the function runs once for the same arguments."""
        around = function.parent
        if around is None or around.type != "decorated_definition":
            return False
        return any(
            re.search(r"\b(?:lru_)?cache(?:d|d_property)?\b", self.parsed.source(child))
            for child in around.named_children
            if child.type == "decorator"
        )


def _told(events: Iterable[Event]) -> Answer:
    """All that is known of what happens to a name, as an answer."""
    return tuple(
        (
            event.kind,
            event.at,
            _bytes(event.value),
            event.blocks,
            tuple(_bytes(step) for step in event.path),
            event.made,
        )
        for event in events
    )


def _bytes(node: SyntaxNode | None) -> Answer:
    return (node.start_byte, node.end_byte) if node is not None else ""


_OPENS = frozenset({"class_definition", "block"})
_PARTS_OF_DAY = {"year", "month", "day"}
_SAME = {"str", "list", "tuple", "copy.deepcopy", "deepcopy", "copy.copy", "reversed"}
_KEEP_ORDER = {"list", "tuple", "str", "map", "filter", "enumerate", "dedent", "reversed", "repr"}
_TEXT_METHODS = {
    "upper", "lower", "title", "capitalize", "encode", "decode", "removeprefix", "removesuffix",
    "split", "ljust", "rjust", "zfill", "expandtabs",
}  # fmt: skip
_CONSTANT = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*")


def _is_constant(source: str) -> bool:
    """A name in capitals, alone or as an attribute: what its module fixes once."""
    return _CONSTANT.fullmatch(source.rsplit(".", 1)[-1]) is not None


def made_in(draft: Draft) -> Source | None:
    """Where the first part of a value that changes is made, if there is one."""
    if isinstance(draft, Unknown):
        return draft.made
    if isinstance(draft, Written):
        for part in draft.parts:
            if isinstance(part, Unknown) and part.made is not None:
                return part.made
        return None
    if isinstance(draft, Listing):
        children: Sequence[Draft] = draft.items
    elif isinstance(draft, Mapping):
        children = [member.value for member in draft.members]
    else:
        return None
    for child in children:
        made = made_in(child)
        if made is not None:
            return made
    return None


def formatted(made: Source, format: str) -> Source:
    """The same when it is written out by a format: without hours it changes once a day."""
    letters = re.findall(r"%[-#]?([A-Za-z])", format)
    if letters and not any(letter in "HIMSfpXcTsr" for letter in letters):
        return replace(made, change=_slower(made, "day"))
    words = re.sub(r"[\"'{}:]", "", format)
    if not letters and re.fullmatch(r"[YMDdwy\W_]+", words) and re.search(r"Y{2,4}", words):
        return replace(made, change=_slower(made, "day"))
    return made


def _slower(made: Source, change: Literal["day"]) -> Literal["call", "day", "start", "order"]:
    return made.change if made.change in ("start", "order") else change


def _lasting(made: Source) -> Source:
    return replace(made, change="start") if made.change in ("call", "day") else made


def started(draft: Draft) -> Draft:
    """A value of the module: whatever changes in it was made once, when the program started."""
    if isinstance(draft, Unknown):
        return replace(draft, made=_lasting(draft.made)) if draft.made is not None else draft
    if isinstance(draft, Written):
        return replace(draft, parts=[
            replace(part, made=_lasting(part.made))
            if isinstance(part, Unknown) and part.made is not None else part
            for part in draft.parts
        ])  # fmt: skip
    if isinstance(draft, Listing):
        return replace(draft, items=[started(item) for item in draft.items])
    if isinstance(draft, Mapping):
        members = [replace(member, value=started(member.value)) for member in draft.members]
        return replace(draft, members=members)
    return draft


def _fitting(key: str, draft: Draft) -> Draft:
    """An unknown value in the form that its key asks for: a text, or a list of anything."""
    if not isinstance(draft, Unknown):
        return draft
    if key in ("text", "content"):
        return Written(draft.start, draft.end, "", (draft,))
    if key in ("system", "messages", "tools"):
        return Listing(draft.start, draft.end, STYLE, (draft,))
    return draft


def _as_items(draft: Draft) -> Sequence[Draft]:
    return draft.items if isinstance(draft, Listing) else (_loose(draft),)


def _loose(draft: Draft) -> Unknown:
    """Any number of unknown items."""
    if isinstance(draft, Unknown):
        return draft
    return Unknown("", draft.start, draft.end, made_in(draft))


def _changed(
    state: Draft,
    path: tuple[str | int | None, ...],
    value: Draft,
    event: Event,
    certain: bool,
    file: File,
) -> Draft | None:
    """A value after something was set at a path in it; a last step of None appends."""
    step, rest = path[0], path[1:]
    if isinstance(state, Mapping) and isinstance(step, str):
        if not rest:
            start, end = file.key_span(event)
            set_to = value if certain else Unknown("", value.start, value.end)
            member = Member(step, start, end - start, _fitting(step, set_to))
            kept = [one for one in state.members if one.key != step or not certain]
            return replace(state, members=[*kept, member])
        members = list(state.members)
        for index in range(len(members) - 1, -1, -1):
            if members[index].key == step:
                inner = _changed(members[index].value, rest, value, event, certain, file)
                if inner is None:
                    return None
                members[index] = replace(members[index], value=inner)
                return replace(state, members=members)
        return state
    if isinstance(state, Listing):
        if step is None and not rest:
            if event.kind == "extend":
                added: Sequence[Draft] = _as_items(value)
            elif isinstance(value, Unknown):
                added = (value,)
            else:
                added = (value,)
            if not certain:
                added = (_loose(value),)
            items = [*added, *state.items] if event.kind == "insert" else [*state.items, *added]
            return replace(state, items=items)
        if isinstance(step, int):
            items = list(state.items)
            unknown = [index for index, item in enumerate(items) if isinstance(item, Unknown)]
            index = step if step >= 0 else len(items) + step
            settled = 0 <= index < len(items) and not any(
                other >= index if step < 0 else other <= index for other in unknown
            )
            if not settled:
                return state
            if not rest:
                items[index] = value if certain else Unknown("", value.start, value.end)
                return replace(state, items=items)
            inner = _changed(items[index], rest, value, event, certain, file)
            if inner is None:
                return None
            items[index] = inner
            return replace(state, items=items)
        return state
    return state if isinstance(state, Mapping) else Unknown("", state.start, state.end)


def _text(draft: Draft) -> str | None:
    """The text of a draft that has no unknown part."""
    if not isinstance(draft, Written):
        return None
    texts: list[str] = []
    for part in draft.parts:
        if not isinstance(part, Part):
            return None
        texts.append(part.text)
    return "".join(texts)


def _stripped(draft: Written, word: str) -> list[Part | Unknown]:
    """The parts of a text without the white space at its ends."""
    parts = list(draft.parts)
    if word != "rstrip":
        while parts and isinstance(parts[0], Part):
            text = parts[0].text.lstrip()
            if text:
                cut = len(parts[0].text) - len(text)
                parts[0] = Part(text, parts[0].start + cut)
                break
            parts.pop(0)
    if word != "lstrip":
        while parts:
            last = parts[-1]
            if not isinstance(last, Part):
                break
            text = last.text.rstrip()
            if text:
                parts[-1] = Part(text, last.start)
                break
            parts.pop()
    return parts


def _names(node: SyntaxNode) -> Iterator[SyntaxNode]:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type == "identifier":
            yield current
        elif current.type not in ("subscript", "attribute", "call"):
            stack.extend(reversed(current.named_children))


def _is_number(node: SyntaxNode | None) -> bool:
    return node is not None and node.type in ("integer", "float")


def _returns(function: SyntaxNode) -> Iterator[SyntaxNode]:
    """The expressions that a function returns; none when it yields."""
    body = function.child_by_field_name("body")
    stack = [body] if body is not None else []
    while stack:
        node = stack.pop()
        if node.type == "return_statement":
            yield from node.named_children[:1]
        elif node.type not in _SCOPES and node.type != "string":
            stack.extend(reversed(node.named_children))


_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b",
    "f": "\f", "v": "\v", "0": "\0",
}  # fmt: skip


def _unescaped(source: str) -> str:
    """The value of one escape of a string that is not raw."""
    body = source[1:]
    if body[:1] in ("\n", "\r"):
        return ""
    if body[:1] in "xuU" and len(body) > 1:
        try:
            return chr(int(body[1:], 16))
        except (ValueError, OverflowError):
            return source
    if body[:1] == "N":
        import unicodedata

        try:
            return unicodedata.lookup(body[2:-1])
        except KeyError:
            return source
    if re.fullmatch(r"[0-7]{1,3}", body):
        return chr(int(body, 8))
    return _ESCAPES.get(body[:1], source)
