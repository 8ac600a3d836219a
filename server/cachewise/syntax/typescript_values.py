"""What TypeScript and JavaScript expressions stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

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
from cachewise.syntax.tree import Change

if TYPE_CHECKING:
    from cachewise.syntax.grammar import SyntaxNode

STYLE = "typescript"

_WRAPPERS = {
    "as_expression", "satisfies_expression", "non_null_expression", "parenthesized_expression",
    "await_expression", "type_assertion",
}  # fmt: skip

_CALLS: tuple[tuple[re.Pattern[str], str, Change], ...] = (
    (
        re.compile(
            r"(?:^|\.)Date\.now$|(?:^|\.)performance\.now$|^Date$|(?:^|\.)hrtime(?:\.bigint)?$"
            r"|^(?:dayjs|moment)$|(?:^|\.)DateTime\.(?:now|utc|local)$|(?:^|\.)Temporal\.Now\.\w+$"
        ),
        "the clock", "call",
    ),
    (
        re.compile(
            r"(?:^|\.)randomUUID$|^(?:uuid(?:v[1-7])?|v[1-7]|nanoid|cuid2?|createId|ulid|ksuid)$"
            r"|(?:^|\.)uuid\.v[1-7]$|^(?:new|generate|create|make)(?:Request|Session)?(?:Uuid|UUID)$"
        ),
        "a new id", "call",
    ),
    (
        re.compile(r"(?:^|\.)Math\.random$|(?:^|\.)randomBytes$|(?:^|\.)getRandomValues$"
                   r"|(?:^|\.)randomInt$"),
        "a random value", "call",
    ),
    (
        re.compile(r"(?:^|\.)os\.(?:hostname|userInfo|tmpdir|platform|release)$"
                   r"|(?:^|\.)process\.(?:cwd|uptime)$|(?:^|\.)Deno\.env\.get$"),
        "the environment", "start",
    ),
    (
        re.compile(r"(?:^|\.)readdir(?:Sync)?$|^glob(?:Sync)?$"),
        "the order of a folder's files", "order",
    ),
)  # fmt: skip
_ENVIRONMENT = re.compile(r"(?:^|\.)process\.env[.\[]|^import\.meta\.env\.|^Bun\.env\.")
_DAY = {"toDateString", "toLocaleDateString"}
_TIME_METHODS = {
    "toISOString", "toString", "toJSON", "getTime", "valueOf", "toUTCString", "toLocaleString",
    "toLocaleTimeString", "toTimeString", "format", "unix", "toISO", "getHours", "getMinutes",
    "getSeconds", "toFixed", "toGMTString", "utc",
}  # fmt: skip
_TEXT_METHODS = {
    "slice", "substring", "substr", "toUpperCase", "toLowerCase", "replace", "replaceAll",
    "padStart", "padEnd", "at", "split",
}  # fmt: skip
_ITERATING = {"map", "filter", "flatMap", "slice", "reverse", "toReversed", "entries", "keys",
              "values"}  # fmt: skip
_MODEL_CALLS = re.compile(
    r"^(?:\w+\.)?(?:anthropic|bedrock|openrouter|vertexAnthropic|openai|google|vertex|mistral|xai"
    r"|gateway)(?:\.\w+)?$"
)


class TypeScript(Evaluator):
    """A TypeScript or JavaScript text."""

    style = STYLE
    functions = frozenset({
        "function_declaration", "function_expression", "arrow_function", "method_definition",
        "generator_function_declaration", "generator_function",
    })  # fmt: skip
    conditional = frozenset({
        "if_statement", "else_clause", "for_statement", "for_in_statement", "while_statement",
        "do_statement", "switch_case", "catch_clause", "ternary_expression",
    })  # fmt: skip
    loops = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
    opens = frozenset({"class_declaration", "abstract_class_declaration", "class_body"})
    opaque = frozenset({"string", "comment", "regex", "template_type"})

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """Declarations, assignments, and what is pushed to a list."""
        at, end, kind = node.start_byte, node.end_byte, node.type
        if kind in ("variable_declarator", "public_field_definition"):
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is None:
                return
            if name.type in ("identifier", "property_identifier", "private_property_identifier"):
                prefix = "this." if kind == "public_field_definition" else ""
                if value is not None or kind == "variable_declarator":
                    yield prefix + self.source(name), Event("assign", at, end, value)
            else:
                for inner in _names(name):
                    yield self.source(inner), Event("unknown", at, end, None)
        elif kind == "assignment_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                return
            yield from self._set(left, right, at, end, "assign")
        elif kind == "augmented_assignment_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            operator = node.child_by_field_name("operator")
            if left is None or right is None:
                return
            counter = "an iteration counter" if right.type == "number" else ""
            plus = operator is not None and operator.type == "+="
            if left.type in ("identifier", "member_expression"):
                event = Event("augment" if plus else "unknown", at, end, right, (), counter)
                yield self.source(left), event
        elif kind == "update_expression":
            inner = node.child_by_field_name("argument")
            if inner is not None:
                event = Event("unknown", at, end, None, (), "an iteration counter")
                yield self.source(inner), event
        elif kind == "call_expression":
            called = node.child_by_field_name("function")
            arguments = node.child_by_field_name("arguments")
            if called is None or arguments is None or called.type != "member_expression":
                return
            method, target = _field(called, "property"), _field(called, "object")
            if method is None or target is None:
                return
            word = self.source(method)
            given = [child for child in arguments.named_children if child.type != "comment"]
            if word == "push":
                for child in given:
                    if child.type == "spread_element":
                        yield from self._place(target, Event("append", at, end, child))
                    else:
                        yield from self._place(target, Event("append", at, end, child))
            elif word in ("pop", "shift", "unshift", "splice", "sort", "reverse", "fill"):
                yield self.source(target), Event("unknown", at, end, None)
        elif kind == "for_in_statement":
            left = node.child_by_field_name("left")
            if left is not None:
                for inner in _names(left):
                    yield self.source(inner), Event("unknown", at, at, None)
        elif kind == "import_statement":
            for inner in _names(node):
                yield self.source(inner), Event("unknown", at, end, None)

    def _place(self, target: SyntaxNode, event: Event) -> Iterator[tuple[str, Event]]:
        path: tuple[SyntaxNode | str, ...] = event.path
        current: SyntaxNode | None = target
        while current is not None:
            if current.type == "subscript_expression":
                index = _field(current, "index")
                if index is None:
                    return
                path = (index, *path)
                current = _field(current, "object")
            elif current.type == "member_expression":
                inner, name = _field(current, "object"), _field(current, "property")
                if inner is not None and inner.type == "this":
                    yield self.source(current), replace(event, path=path)
                    return
                if name is None:
                    return
                path = (self.source(name), *path)
                current = inner
            elif current.type == "non_null_expression" or current.type in _WRAPPERS:
                current = current.named_children[0] if current.named_children else None
            else:
                break
        if current is not None and current.type == "identifier":
            yield self.source(current), replace(event, path=path)

    def _set(
        self, left: SyntaxNode, right: SyntaxNode, at: int, end: int, kind: str
    ) -> Iterator[tuple[str, Event]]:
        if left.type == "identifier":
            yield self.source(left), Event("assign", at, end, right)
            return
        for name, event in self._place(left, Event("set", at, end, right)):
            yield name, (event if event.path else replace(event, kind="assign"))

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The parameters of a function; those of a destructured object are not known."""
        found: dict[str, SyntaxNode | None] = {}
        listed = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        if listed is None:
            return found
        if listed.type == "identifier":
            return {self.source(listed): None}
        for child in listed.named_children:
            pattern = child.child_by_field_name("pattern") or child
            if pattern.type == "identifier":
                found[self.source(pattern)] = child.child_by_field_name("value")
            else:
                for inner in _names(pattern):
                    found[self.source(inner)] = None
        return found

    def function_name(self, node: SyntaxNode) -> str:
        """The function's own name, or that of the constant it is given to."""
        name = node.child_by_field_name("name")
        if name is not None:
            return self.source(name)
        around = node.parent
        if around is not None and around.type == "variable_declarator":
            name = around.child_by_field_name("name")
            return self.source(name) if name is not None else ""
        return ""

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """What the function returns; an arrow function may be just an expression."""
        body = node.child_by_field_name("body")
        if body is None:
            return
        if body.type != "statement_block":
            yield body
            return
        stack = [body]
        while stack:
            current = stack.pop()
            if current.type == "return_statement":
                yield from current.named_children[:1]
            elif current.type not in self.functions:
                stack.extend(reversed(current.named_children))

    # Expressions.

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """The value of one expression."""
        kind = node.type
        start, end = self.span(node)
        if kind == "string":
            return Written(start, end, self.source(node), list(self._text(node)))
        if kind == "template_string":
            return Written(start, end, self.source(node), list(self._template(node, frame)))
        if kind in _WRAPPERS:
            inner = [child for child in node.named_children if child.type != "comment"]
            if not inner:
                return self.unknown(node)
            draft = self.value(inner[-1] if kind == "type_assertion" else inner[0], frame)
            if isinstance(draft, Mapping | Listing):
                return used_at(draft, start, end)
            return replace(draft, start=start, end=end)
        if kind == "object":
            return Mapping(start, end, STYLE, list(self._members(node, frame)))
        if kind == "array":
            return Listing(start, end, STYLE, list(self._items(node, frame)))
        if kind == "number":
            raw = self.source(node).replace("_", "")
            if re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", raw):
                return Scalar(start, end, "number", raw)
            return self.unknown(node)
        if kind in ("true", "false", "null"):
            return Scalar(start, end, kind, kind)
        if kind == "undefined":
            return Scalar(start, end, "null", "null")
        if kind == "identifier":
            return self.named(node, frame)
        if kind == "member_expression":
            return self._attribute(node, frame)
        if kind == "subscript_expression":
            return self._attribute(node, frame)
        if kind == "binary_expression":
            return self._operation(node, frame)
        if kind == "ternary_expression":
            made = None
            for name in ("consequence", "alternative"):
                branch = node.child_by_field_name(name)
                if branch is not None:
                    made = made or made_in(self.value(branch, frame))
            return self.unknown(node, made)
        if kind == "call_expression":
            return self._call(node, frame)
        if kind == "new_expression":
            return self._new(node, frame)
        return self.unknown(node)

    def _text(self, node: SyntaxNode) -> Iterator[Part]:
        for child in node.named_children:
            if child.type == "escape_sequence":
                value = unescaped(self.source(child))
                if value:
                    yield Part(value, self.parsed.start(child))
            elif child.type == "string_fragment":
                yield Part(self.source(child), self.parsed.start(child))

    def _template(self, node: SyntaxNode, frame: Frame) -> Iterator[Part | Unknown]:
        for child in node.named_children:
            if child.type != "template_substitution":
                yield from self._piece(child)
                continue
            start, end = self.span(child)
            inner = [one for one in child.named_children if one.type != "comment"]
            draft = self.value(inner[0], frame) if inner else self.unknown(child)
            if isinstance(draft, Written):
                for part in draft.parts:
                    yield part if isinstance(part, Part) else replace(part, start=start, end=end)
            elif isinstance(draft, Scalar) and draft.kind == "number":
                yield Part(draft.raw, draft.start)
            else:
                name = draft.name if isinstance(draft, Unknown) and draft.name else ""
                made = made_in(draft)
                if made is not None and made.change == "order" and isinstance(draft, Listing):
                    name = name or made.source
                name = name or (self.source(inner[0]) if inner else "")
                yield Unknown(name[:200], start, end, made)

    def _piece(self, node: SyntaxNode) -> Iterator[Part]:
        if node.type == "escape_sequence":
            value = unescaped(self.source(node))
            if value:
                yield Part(value, self.parsed.start(node))
        elif node.type == "string_fragment":
            yield Part(self.source(node), self.parsed.start(node))

    def _members(self, node: SyntaxNode, frame: Frame) -> Iterator[Member]:
        for child in node.named_children:
            start = self.parsed.start(child)
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or value is None:
                    continue
                name = self.key_name(key, frame)
                draft = fitting(name, self.value(value, frame), STYLE)
                yield Member(name, start, self.parsed.end(key) - start, draft)
            elif child.type == "shorthand_property_identifier":
                name = self.source(child)
                draft = fitting(name, self.named(child, frame), STYLE)
                yield Member(name, start, len(name), draft)
            elif child.type == "spread_element":
                yield from self._spread(child, frame)

    def _spread(self, node: SyntaxNode, frame: Frame) -> Iterator[Member]:
        inner = node.named_children
        draft = self.value(inner[0], frame) if inner else self.unknown(node)
        if isinstance(draft, Mapping):
            yield from draft.members
            return
        start, end = self.span(node)
        yield Member(SPREAD, start, 3, Unknown("", min(start + 3, end), end))

    def key_name(self, node: SyntaxNode, frame: Frame) -> str:
        """The key of a member; of a computed one that is not known, its source."""
        if node.type == "string":
            return "".join(part.text for part in self._text(node))
        if node.type == "computed_property_name" and node.named_children:
            return text_of(self.value(node.named_children[0], frame)) or self.source(node)
        return self.source(node)

    def _items(self, node: SyntaxNode, frame: Frame) -> Iterator[Draft]:
        for child in node.named_children:
            if child.type == "comment":
                continue
            if child.type == "spread_element":
                inner = child.named_children
                draft = self.value(inner[0], frame) if inner else self.unknown(child)
                if isinstance(draft, Listing):
                    yield from draft.items
                else:
                    yield self.unknown(child, made_in(draft))
                continue
            yield as_block(self.value(child, frame), STYLE)

    def _attribute(self, node: SyntaxNode, frame: Frame) -> Draft:
        target = _field(node, "object")
        name = self.source(node)
        start, end = self.span(node)
        if _ENVIRONMENT.search(name) is not None:
            made = Source("the environment", "start", name[:200], start, end)
            return self.unknown(node, made)
        if target is None:
            return self.unknown(node)
        if target.type == "this":
            return self._field_of_this(node, name, frame)
        draft = self.value(target, frame)
        name_node = _field(node, "property")
        index = _field(node, "index")
        key: str | None = self.source(name_node) if name_node is not None else None
        if index is not None:
            chosen = self.value(index, frame)
            key = text_of(chosen)
            if isinstance(draft, Listing) and isinstance(chosen, Scalar) and chosen.raw.isdecimal():
                number = int(chosen.raw)
                before = draft.items[: number + 1]
                if number < len(draft.items) and not any(
                    isinstance(item, Unknown) for item in before
                ):
                    return used_at(draft.items[number], start, end)
        if isinstance(draft, Mapping) and key is not None:
            for member in reversed(draft.members):
                if member.key == key:
                    return used_at(member.value, start, end)
        made = made_in(draft)
        if made is not None and made.change != "order" and key not in ("length", "size"):
            return self.unknown(node, made)
        return self.unknown(node)

    def _field_of_this(self, node: SyntaxNode, name: str, frame: Frame) -> Draft:
        """A field of the class that is given a value once in the file."""
        found = self.events_anywhere(name)
        counted = next((event for event in found if event.made), None)
        if counted is not None:
            return self._counted(name, counted, node)
        if len(found) != 1 or found[0].kind != "assign" or found[0].value is None:
            return self.unknown(node)
        event = found[0]
        assert event.value is not None
        key = ("this", name, node.start_byte)
        if key in self._active:
            return self.unknown(node)
        self._active.add(key)
        try:
            draft = self.value(event.value, self.frame_of(event.value))
        finally:
            self._active.discard(key)
        start, end = self.span(node)
        if isinstance(draft, Unknown):
            made = draft.made
            if made is not None:
                change: Change = "start" if made.change in ("call", "day") else made.change
                made = replace(made.after(f"{name} carries it", start, end), change=change)
            return Unknown(draft.name or name, start, end, made)
        return used_at(draft, start, end)

    def _operation(self, node: SyntaxNode, frame: Frame) -> Draft:
        left, right = _field(node, "left"), _field(node, "right")
        operator = _field(node, "operator")
        if left is None or right is None or operator is None:
            return self.unknown(node)
        start, end = self.span(node)
        one = self.value(left, frame)
        if operator.type in ("??", "||"):
            return one if not isinstance(one, Unknown) else self.unknown(node, made_in(one))
        other = self.value(right, frame)
        if operator.type == "+" and (isinstance(one, Written) or isinstance(other, Written)):
            return joined(start, end, [*_texts(one), *_texts(other)])
        return self.unknown(node, made_in(one) or made_in(other))

    def _new(self, node: SyntaxNode, frame: Frame) -> Draft:
        constructor = _field(node, "constructor")
        arguments = _field(node, "arguments")
        name = self.source(constructor) if constructor is not None else ""
        given = _given(arguments)
        start, end = self.span(node)
        shown = self.source(node)[:200]
        if name == "Date":
            if not given:
                return self.unknown(node, Source("the clock", "call", shown, start, end))
            return self.unknown(node, made_in(self.value(given[0], frame)))
        if name in ("Set", "Map", "WeakSet"):
            what = "a set" if name != "Map" else "a map"
            return self.unknown(node, Source(what, "order", shown, start, end))
        return self.unknown(node)

    def _call(self, node: SyntaxNode, frame: Frame) -> Draft:
        called = _field(node, "function")
        arguments = _field(node, "arguments")
        if called is None or arguments is None:
            return self.unknown(node)
        if arguments.type == "template_string":
            # ``dedent`...``` and its like: white space aside the text itself.
            draft = self.value(arguments, frame)
            if isinstance(draft, Written):
                return replace(draft, start=self.parsed.start(node), raw="")
            return self.unknown(node)
        given = _given(arguments)
        start, end = self.span(node)
        name = self.source(called)
        shown = self.source(node)[:200]
        word = name.rsplit(".", 1)[-1]
        if called.type == "member_expression":
            method = self._method(node, called, word, given, frame)
            if method is not None:
                return method
        if name == "JSON.stringify" and given:
            return self._stringified(node, given, frame)
        if name in ("String", "structuredClone", "Object.freeze", "tool", "cached") and given:
            draft = self.value(given[0], frame)
            if isinstance(draft, Written | Mapping | Listing) and name != "cached":
                return used_at(draft, start, end)
            return self.unknown(node, made_in(draft))
        if name in ("Array.from", "Object.entries", "Object.keys", "Object.values") and given:
            draft = self.value(given[0], frame)
            made = made_in(draft)
            return self.unknown(node, made)
        for pattern, what, change in _CALLS:
            if pattern.search(name) is not None:
                if given and word in ("Date", "dayjs", "moment"):
                    break
                return self.unknown(node, Source(what, change, shown, start, end))
        if _MODEL_CALLS.match(name) and given and given[0].type == "string":
            draft = self.value(given[0], frame)
            return replace(draft, start=start, end=end)
        if called.type == "identifier":
            helped = self.helper(node, name, given, frame)
            if helped is not None:
                return helped
        elif name.startswith("this."):
            helped = self.helper(node, word, given, frame)
            if helped is not None:
                return helped
        for child in given:
            made = made_in(self.value(child, frame))
            if made is not None and made.change != "order":
                return self.unknown(node, made)
        return self.unknown(node)

    def _method(
        self,
        node: SyntaxNode,
        called: SyntaxNode,
        word: str,
        given: Sequence[SyntaxNode],
        frame: Frame,
    ) -> Draft | None:
        target = _field(called, "object")
        if target is None:
            return None
        start, end = self.span(node)
        if word == "join":
            separator: Sequence[Part | Unknown] = (
                parts_of(self.value(given[0], frame)) if given else (Part(",", start),)
            )
            draft = self.value(target, frame)
            if isinstance(draft, Listing):
                return joined(start, end, join_items(draft.items, separator))
            return self.unknown(node, made_in(draft))
        if word == "repeat" and given:
            draft, count = self.value(target, frame), self.value(given[0], frame)
            if isinstance(draft, Written) and isinstance(count, Scalar) and count.raw.isdecimal():
                return repeated(draft, int(count.raw), start, end) or self.unknown(node)
            return self.unknown(node)
        if word in ("trim", "trimStart", "trimEnd", "toString", "normalize") and not given:
            draft = self.value(target, frame)
            if isinstance(draft, Written):
                return replace(draft, start=start, end=end, raw="")
            return self.unknown(node, made_in(draft))
        if word == "concat":
            draft = self.value(target, frame)
            others = [self.value(child, frame) for child in given]
            if isinstance(draft, Written):
                parts = [*draft.parts, *(part for other in others for part in _texts(other))]
                return joined(start, end, parts)
            if isinstance(draft, Listing):
                items = list(draft.items)
                for other in others:
                    items.extend(other.items if isinstance(other, Listing) else (other,))
                return Listing(start, end, STYLE, items, (start, end))
            return None
        if word in ("sort", "toSorted"):
            return self.unknown(node)
        if word in _ITERATING or word in _TEXT_METHODS:
            draft = self.value(target, frame)
            made = made_in(draft)
            if word == "split" and given:
                # The time of day is what stands behind the T.
                cut = text_of(self.value(given[0], frame))
                if made is not None and made.change == "call" and cut == "T":
                    made = replace(made, change="day")
            if word == "slice" and made is not None and made.change == "call" and len(given) == 2:
                last = self.source(given[1])
                if self.source(given[0]) == "0" and last == "10" and made.what == "the clock":
                    made = replace(made, change="day")
            if word in _ITERATING and (made is not None or isinstance(draft, Listing | Unknown)):
                return Listing(start, end, STYLE, (self.unknown(node, made),), (start, end)) if (
                    word in ("map", "filter", "flatMap")
                ) else self.unknown(node, made)  # fmt: skip
            return self.unknown(node, made)
        if word in _DAY or word in _TIME_METHODS:
            made = made_in(self.value(target, frame))
            if made is None:
                return None
            if word in _DAY:
                made = replace(made, change="day" if made.change == "call" else made.change)
            elif word == "format" and given:
                format = text_of(self.value(given[0], frame)) or ""
                if format and not re.search(
                    r"[HhmsSAaTXx]", re.sub(r"M{2,4}|YYYY|DD?", "", format)
                ):
                    made = replace(made, change="day" if made.change == "call" else made.change)
            return self.unknown(node, made)
        return None

    def _stringified(self, node: SyntaxNode, given: Sequence[SyntaxNode], frame: Frame) -> Draft:
        """``JSON.stringify(x)``: as unsettled as the order of what is in it."""
        return self.unknown(node, made_in(self.value(given[0], frame)))


def _texts(draft: Draft) -> Sequence[Part | Unknown]:
    if isinstance(draft, Scalar) and draft.kind == "number":
        return (Part(draft.raw, draft.start),)
    return parts_of(draft)


def _field(node: SyntaxNode, name: str) -> SyntaxNode | None:
    return node.child_by_field_name(name)


def _given(arguments: SyntaxNode | None) -> list[SyntaxNode]:
    if arguments is None:
        return []
    return [child for child in arguments.named_children if child.type != "comment"]


def _names(node: SyntaxNode) -> Iterator[SyntaxNode]:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in ("identifier", "shorthand_property_identifier_pattern"):
            yield current
        else:
            stack.extend(reversed(current.named_children))
