"""What expressions of the languages with braces stand for, as far as no run is needed to tell.

The part that these languages share: names are followed to what surely happened to them before their
use, calls to the functions of the same file, texts and lists are put together. What an expression
*is* in a language (its literals, calls, ways to join texts) the language's own module says, in a
subclass of ``Evaluator``. Nothing is executed; what cannot be told is a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from cachewise.syntax.python_values import made_in, started
from cachewise.syntax.rereading import NOWHERE, Answer, Question, Reading
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
    from cachewise.syntax.grammar import Parsed, SyntaxNode

MAX_DEPTH = 40
"""Names and calls that are followed one behind the other; a longer way ends in a hole."""

MAX_STEPS = 20_000
"""Expressions that are looked at for one file; behind that everything is a hole."""

_LAST_WORD = re.compile(r"\w+\Z")

EventKind = Literal["assign", "augment", "append", "set", "unknown"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a name from ``at`` to ``end`` (bytes of the source).

    ``value`` is the expression, ``path`` the keys that lead to what is set or appended to. What is
    counted up says so in ``made``.
    """

    kind: EventKind
    at: int
    end: int
    value: SyntaxNode | None
    path: tuple[SyntaxNode | str, ...] = ()
    made: str = ""
    blocks: tuple[int, ...] = ()


Bound: TypeAlias = "dict[str, tuple[SyntaxNode, Frame] | None]"


@dataclass(slots=True)
class Frame:
    """A function (or the file) and what its parameters stand for, where that is known."""

    scope: int
    parent: Frame | None
    bound: Bound = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]


@dataclass(slots=True)
class _Scope:
    node: SyntaxNode
    parameters: dict[str, SyntaxNode | None]
    events: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])
    """What happens to each name that was asked for."""


class Evaluator:
    """A text and what happens to the names in it. A language's module says what its nodes mean."""

    style = ""
    functions: frozenset[str] = frozenset()
    """Node types that open a scope of their own."""
    conditional: frozenset[str] = frozenset()
    """Node types whose inside may not be run, or more than once."""
    loops: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    """Node types that hold no statement: strings and comments."""
    opens: frozenset[str] = frozenset()
    """Node types of classes and their bodies, as ``Reading`` takes them."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self._anywhere: dict[str, list[Event]] = {}
        self._scopes = {parsed.root.id: _Scope(parsed.root, {})}
        self._named: dict[str, SyntaxNode | None] = {}
        self._depth = 0
        self.steps = 0
        self._active: set[tuple[object, ...]] = set()
        self.reading = Reading(parsed, self.opens, self.answer)

    # What a language says.

    def happening(self, node: SyntaxNode) -> Iterator[tuple[str, Event]]:
        """What a node does to names, not looking into its children."""
        return iter(())

    def parameters(self, node: SyntaxNode) -> dict[str, SyntaxNode | None]:
        """The parameters of a function, with their defaults."""
        return {}

    def function_name(self, node: SyntaxNode) -> str:
        """The name under which a function of the file can be called; empty for none."""
        return ""

    def expression(self, node: SyntaxNode, frame: Frame) -> Draft:
        """What an expression stands for; ``value`` is the way to ask for it."""
        return self.unknown(node)

    def returned(self, node: SyntaxNode) -> Iterator[SyntaxNode]:
        """The expressions that a function returns."""
        return iter(())

    # Scopes.

    def events(self, scope: int, name: str) -> list[Event]:
        """What happens to a name in a scope, in the order of the text."""
        held = self._scopes[scope]
        known = held.events.get(name)
        if known is None:
            found = (event for _, event in self._happenings(held.node, name, deep=False))
            known = held.events[name] = sorted(found, key=lambda event: event.at)
        if held.node is self.parsed.root:
            self.reading.hear(("events", NOWHERE, name), _told(known))
        else:
            self.reading.note(held.node.start_byte)
        return known

    def events_anywhere(self, name: str) -> list[Event]:
        """What happens to a name in all of the file, scope by scope."""
        known = self._anywhere.get(name)
        if known is None:
            found = sorted(
                self._happenings(self.parsed.root, name, deep=True),
                key=lambda one: (one[0], one[1].at),
            )
            known = self._anywhere[name] = [event for _, event in found]
        self.reading.hear(("anywhere", NOWHERE, name), _told(known))
        return known

    def answer(self, question: Question) -> Answer | None:
        """What the text says to a question that was asked of an earlier one."""
        kind, _, name = question
        if kind == "events":
            return _told(self.events(self.parsed.root.id, name))
        if kind == "anywhere":
            return _told(self.events_anywhere(name))
        found = self.function(name)
        return found.start_byte if found is not None else ""

    def _happenings(
        self, body: SyntaxNode, name: str, *, deep: bool
    ) -> Iterator[tuple[int, Event]]:
        """What happens to a name, each with where its scope starts.

        Only what holds the name's last word is looked at. What stands in the functions inside is
        left out unless it is to be ``deep``.
        """
        word = _LAST_WORD.search(name)
        places = self.parsed.places(word[0] if word is not None else name)
        stack: list[tuple[SyntaxNode, int, tuple[int, ...]]] = [(body, body.start_byte, ())]
        while stack:
            node, scope, blocks = stack.pop()
            kind = node.type
            if kind in self.opaque:
                continue
            if node is not body:
                for said, event in self.happening(node):
                    if said == name:
                        yield scope, replace(event, blocks=blocks)
            if kind in self.functions and node is not body:
                if not deep:
                    continue
                scope, blocks = node.start_byte, ()
            elif kind in self.conditional:
                blocks = (*blocks, node.start_byte)
            children = self.parsed.within(node, places)
            stack.extend((child, scope, blocks) for child in reversed(children))

    def function(self, name: str) -> SyntaxNode | None:
        """The function of the file with a name; a name that two functions have says neither."""
        if name not in self._named:
            places = self.parsed.places(name)
            found: list[SyntaxNode] = []
            stack = [self.parsed.root]
            while stack:
                node = stack.pop()
                if node.type in self.opaque:
                    continue
                # A function can have its name from the declaration around it.
                found += (
                    child
                    for child in node.named_children
                    if child.type in self.functions and self.function_name(child) == name
                )
                stack.extend(self.parsed.within(node, places))
            self._named[name] = found[0] if len(found) == 1 else None
        known = self._named[name]
        self.reading.hear(("function", NOWHERE, name), known.start_byte if known else "")
        if known is not None:
            self.reading.note(known.start_byte)
        return known

    def frame_of(self, node: SyntaxNode) -> Frame:
        """The frame of the scope that a node stands in, with unknown parameters."""
        chain: list[int] = []
        current = node.parent
        while current is not None:
            if current.type in self.functions:
                chain.append(self._scope(current))
            current = current.parent
        frame = Frame(self.parsed.root.id, None)
        for scope in reversed(chain):
            frame = Frame(scope, frame)
        return frame

    def _scope(self, function: SyntaxNode) -> int:
        if function.id not in self._scopes:
            self._scopes[function.id] = _Scope(function, self.parameters(function))
        return function.id

    # Expressions.

    def value(self, node: SyntaxNode, frame: Frame) -> Draft:
        """What an expression stands for."""
        self.reading.note(node.start_byte)
        self.steps += 1
        if self._depth >= MAX_DEPTH or self.steps > MAX_STEPS:
            return self.unknown(node)
        self._depth += 1
        try:
            return self.expression(node, frame)
        finally:
            self._depth -= 1

    def source(self, node: SyntaxNode) -> str:
        """A node's own text."""
        return self.parsed.source(node)

    def span(self, node: SyntaxNode) -> tuple[int, int]:
        """A node's offsets in the document."""
        return self.parsed.start(node), self.parsed.end(node)

    def unknown(self, node: SyntaxNode, made: Source | None = None) -> Unknown:
        """A node as a hole that is named by its source."""
        source = self.source(node)
        name = source if len(source) <= 200 else f"{source[:199]}…"
        return Unknown(name, *self.span(node), made)

    def named(self, node: SyntaxNode, frame: Frame, name: str = "") -> Draft:
        """What a name (or ``this.name``, resolved by ``name``) stands for where it is used."""
        name = name or self.source(node)
        start, end = self.span(node)
        found = self._resolve(name, frame, node)
        if found is None:
            return self.unknown(node)
        if isinstance(found, Unknown):
            made = found.made
            if made is not None and (made.start, made.end) != (start, end):
                made = made.after(f"{name} carries it", start, end)
            return Unknown(found.name or name, start, end, made)
        if isinstance(found, Written):
            parts = [
                part
                if isinstance(part, Part) or part.made is None
                else replace(part, made=part.made.after(f"{name} carries it", start, end))
                for part in found.parts
            ]
            found = replace(found, parts=parts)
        return used_at(found, start, end)

    def _resolve(self, name: str, frame: Frame, use: SyntaxNode) -> Draft | None:
        current: Frame | None = frame
        own = True
        while current is not None:
            scope = self._scopes[current.scope]
            events = self.events(current.scope, name)
            if events or name in scope.parameters:
                key = (name, current.scope, use.start_byte)
                if key in self._active:
                    return None
                self._active.add(key)
                try:
                    return self._after(name, scope, current, events, use, own)
                finally:
                    self._active.discard(key)
            current = current.parent
            own = False
        return None

    def _after(
        self,
        name: str,
        scope: _Scope,
        frame: Frame,
        events: Sequence[Event],
        use: SyntaxNode,
        own: bool,
    ) -> Draft | None:
        at = use.start_byte
        blocks, loops = self._blocks(use, scope) if own else ((), ())
        relevant: list[tuple[Event, bool]] = []
        again: list[Event] = []
        for event in events:
            if not own:
                relevant.append((event, not event.blocks))
            elif event.end <= at:
                relevant.append((event, event.blocks == blocks[: len(event.blocks)]))
            elif event.at > at and any(event.at < end for end in loops):
                again.append(event)
        first = -1
        for index, (event, certain) in enumerate(relevant):
            if event.kind == "assign" and certain:
                first = index
        state: Draft | None = None
        bound = frame.bound.get(name)
        if first >= 0:
            value = relevant[first][0].value
            state = self.value(value, frame) if value is not None else None
        elif bound is not None:
            state = self.value(*bound)
        elif name in scope.parameters:
            state = Unknown(name, *self.span(use))
        elif events and events[0].made:
            return self._counted(name, events[0], use)
        if state is None:
            return None
        if not own and frame.scope == self.parsed.root.id:
            state = started(state)
        for event, certain in relevant[first + 1 :]:
            if event.kind == "assign" and event.value is None:
                continue
            state = self._happened(state, event, certain, frame)
            if state is None:
                return None
        for event in again:
            if event.made:
                return self._counted(name, event, use)
            state = self._happened(state, event, False, frame)
            if state is None:
                return None
        return state

    def _counted(self, name: str, event: Event, use: SyntaxNode) -> Unknown:
        start, end = self.span(use)
        at = self.parsed.offset(event.at)
        source = Source(event.made, "call", name, at, self.parsed.offset(event.end))
        return Unknown(name, start, end, source.after(f"{name} is used", start, end))

    def _blocks(self, node: SyntaxNode, scope: _Scope) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What is conditional around a node, up to its scope, the outermost first.

        And where those of them end that are loops.
        """
        found: list[int] = []
        loops: list[int] = []
        current = node.parent
        while current is not None and current.id != scope.node.id:
            if current.type in self.conditional:
                found.append(current.start_byte)
                if current.type in self.loops:
                    loops.append(current.end_byte)
            current = current.parent
        return tuple(reversed(found)), tuple(loops)

    def _happened(self, state: Draft, event: Event, certain: bool, frame: Frame) -> Draft | None:
        if event.kind in ("unknown", "assign"):
            return None if event.kind == "unknown" else Unknown("", state.start, state.end)
        value = self.value(event.value, frame) if event.value is not None else None
        if value is None:
            return None
        if event.kind == "augment":
            if isinstance(state, Written | Unknown) and isinstance(value, Written | Unknown):
                added: Sequence[Part | Unknown] = parts_of(value)
                if not certain:
                    added = (Unknown("", value.start, value.end, made_in(value)),)
                return joined(state.start, state.end, [*parts_of(state), *added])
            return Unknown("", state.start, state.end)
        path: list[str | int | None] = [
            step if isinstance(step, str) else self._step(step, frame) for step in event.path
        ]
        if event.kind == "append":
            path.append(None)
        return self._changed(state, path, value, event, certain)

    def _step(self, node: SyntaxNode, frame: Frame) -> str | int | None:
        draft = self.value(node, frame)
        if isinstance(draft, Scalar) and draft.raw.isdecimal():
            return int(draft.raw)
        return text_of(draft)

    def key_of(self, event: Event) -> tuple[int, int]:
        """Where the last key of an assignment into something stands, and how long it is."""
        around = event.value.parent if event.value is not None else None
        left = around.child_by_field_name("left") if around is not None else None
        if left is None or not left.named_children:
            return self.parsed.offset(event.at), 0
        key = (
            left.child_by_field_name("property")
            or left.child_by_field_name("index")
            or left.named_children[-1]
        )
        start, end = self.span(key)
        return start, end - start

    def _changed(
        self,
        state: Draft,
        path: Sequence[str | int | None],
        value: Draft,
        event: Event,
        certain: bool,
    ) -> Draft | None:
        step, rest = path[0], path[1:]
        if isinstance(state, Mapping) and isinstance(step, str):
            if not rest:
                start, length = self.key_of(event)
                held = value if certain else Unknown("", value.start, value.end)
                kept = [one for one in state.members if one.key != step or not certain]
                return replace(state, members=[*kept, Member(step, start, length, held)])
            for index in range(len(state.members) - 1, -1, -1):
                member = state.members[index]
                if member.key == step:
                    inner = self._changed(member.value, rest, value, event, certain)
                    if inner is None:
                        return None
                    members = list(state.members)
                    members[index] = replace(member, value=inner)
                    return replace(state, members=members)
            return state
        if isinstance(state, Listing):
            if step is None and not rest:
                item = value if certain else Unknown("", value.start, value.end, made_in(value))
                return replace(state, items=[*state.items, item])
            if isinstance(step, int) and rest and step < len(state.items):
                before = state.items[: step + 1]
                if not any(isinstance(item, Unknown) for item in before):
                    inner = self._changed(state.items[step], rest, value, event, certain)
                    if inner is None:
                        return None
                    items = list(state.items)
                    items[step] = inner
                    return replace(state, items=items)
            return state
        return state if isinstance(state, Mapping) else Unknown("", state.start, state.end)

    def helper(
        self, node: SyntaxNode, name: str, given: Sequence[SyntaxNode], frame: Frame
    ) -> Draft | None:
        """What a function of this file returns for these arguments; None when not known."""
        function = self.function(name)
        if function is None:
            return None
        listed = list(self.returned(function))
        key = ("call", function.id, node.start_byte)
        if not listed or key in self._active:
            return None
        bound: Bound = {}
        root = Frame(self.parsed.root.id, None)
        for index, (parameter, default) in enumerate(self.parameters(function).items()):
            if index < len(given):
                bound[parameter] = (given[index], frame)
            else:
                bound[parameter] = (default, root) if default is not None else None
        inner = Frame(self._scope(function), self.frame_of(function), bound)
        self._active.add(key)
        try:
            drafts = [self.value(expression, inner) for expression in listed]
        finally:
            self._active.discard(key)
        start, end = self.span(node)
        if len(drafts) == 1 and not isinstance(drafts[0], Unknown):
            return used_at(drafts[0], start, end)
        for draft in drafts:
            made = made_in(draft)
            if made is not None:
                return self.unknown(node, made.after("the function returns it", start, end))
        return self.unknown(node)


def _told(events: Sequence[Event]) -> Answer:
    """All that is known of what happens to a name, as an answer."""
    return tuple(
        (
            event.kind,
            event.at,
            event.end,
            _bytes(event.value),
            tuple(step if isinstance(step, str) else _bytes(step) for step in event.path),
            event.made,
            event.blocks,
        )
        for event in events
    )


def _bytes(node: SyntaxNode | None) -> Answer:
    return (node.start_byte, node.end_byte) if node is not None else ""


def text_of(draft: Draft) -> str | None:
    """The text of a draft that has no unknown part."""
    if not isinstance(draft, Written):
        return None
    texts: list[str] = []
    for part in draft.parts:
        if not isinstance(part, Part):
            return None
        texts.append(part.text)
    return "".join(texts)


def fitting(key: str, draft: Draft, style: str) -> Draft:
    """An unknown value in the form that its key asks for: a text, or a list of anything."""
    if not isinstance(draft, Unknown):
        return draft
    if key in ("text", "content"):
        return Written(draft.start, draft.end, "", (draft,))
    if key in ("system", "messages", "tools"):
        return Listing(draft.start, draft.end, style, (draft,))
    return draft


def as_block(draft: Draft, style: str) -> Draft:
    """One item of a list whose kind is not known is a block all the same."""
    if isinstance(draft, Unknown) and draft.made is None:
        return Mapping(draft.start, draft.end, style, (Member("**", draft.start, 0, draft),))
    return draft


def repeated(draft: Written, count: int, start: int, end: int) -> Draft | None:
    """A text so many times, where that is no monster."""
    length = sum(len(part.text) for part in draft.parts if isinstance(part, Part))
    if count * max(length, 1) > 4_000_000 or count * len(draft.parts) > 200_000:
        return None
    return joined(start, end, list(draft.parts) * count)


def join_items(items: Iterable[Draft], separator: Sequence[Part | Unknown]) -> list[Part | Unknown]:
    """The parts of a text that a list's items are joined to."""
    parts: list[Part | Unknown] = []
    for number, item in enumerate(items):
        if number:
            parts.extend(separator)
        if isinstance(item, Mapping) and item.members and item.members[0].key == "**":
            parts.extend(parts_of(item.members[0].value))
        else:
            parts.extend(parts_of(item))
    return parts


_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "a": "\a",
    "e": "\x1b", "s": " ",
}  # fmt: skip


def unescaped(source: str) -> str:
    """The value of one escape, as most languages with braces write it."""
    body = source[1:]
    if body[:1] in ("\n", "\r"):
        return ""
    if body[:1] in ("x", "u", "U") and len(body) > 1:
        try:
            return chr(int(body[1:].lstrip("u").strip("{}"), 16))
        except (ValueError, OverflowError):
            return source
    return _ESCAPES.get(body[:1], body[:1])
