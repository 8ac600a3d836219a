"""YAML into the same tree of values as JSON, with the source span of every key and value.

libyaml's events are read, not its values: no tag constructs anything, and an alias is followed only
so far. Half-typed text is read as far as it goes: a line that cannot be read is passed over, as if
it were empty. A string keeps, besides its text, where its parts stand in the source (indentation,
folding and escapes make the two differ).

PyYAML was taken rather than ruamel.yaml: its libyaml parser gives the same marks about eight times
as fast, and nothing is ever written back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from cachewise.syntax.tree import Comment, Kind, Node
from cachewise.syntax.yaml_style import ALIAS_STYLE, STYLE

MAX_DEPTH = 200
"""Collections nested deeper than this are unknown values; no request comes near."""

MAX_ALIAS_NODES = 10_000
"""How many values the aliases of one file may add up to; beyond that an alias is unknown."""

_MAX_REPAIRS = 6
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-][0-9]+)?)?")
"""As YAML 1.1 writes them: an exponent only behind a point and with a sign; ``0E0`` is a text."""
_COMMENT = re.compile(r"(?:(?<=[ \t])|^)#[^\r\n]*", re.MULTILINE)
_WORDS: dict[str, Kind] = {
    "": "null", "~": "null", "null": "null", "Null": "null", "NULL": "null",
    "true": "true", "True": "true", "TRUE": "true",
    "false": "false", "False": "false", "FALSE": "false",
}  # fmt: skip
_OPENED = (
    "while scanning a quoted scalar",
    "while scanning a simple key",
    "while parsing a flow",
)
"""libyaml's words for troubles that began with what was opened, far from where they are noticed."""

_STRING_TAG = "tag:yaml.org,2002:str"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file: its value, and where that starts and ends in the text."""

    node: Node
    start: int
    end: int


def read(source: str) -> tuple[list[Document], list[Comment]]:
    """The documents of a text, and its comments with offsets in the text. Never fails."""
    bom = 1 if source.startswith("\ufeff") else 0
    body = source[bom:]
    # libyaml refuses a whole text for one control character; as a space it keeps its place.
    text = _FORBIDDEN.sub(" ", body)
    blanked: set[int] = set()
    while True:
        reader = _Reader(body)
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                reader.take(event)
            break
        except yaml.YAMLError as error:
            start, end = _culprit(text, error)
            if start in blanked or len(blanked) == _MAX_REPAIRS:
                break
            blanked.add(start)
            text = text[:start] + re.sub(r"[^\r\n]", " ", text[start:end]) + text[end:]
    reader.finish()
    return (
        [Document(found.node, found.start + bom, found.end + bom) for found in reader.documents],
        [Comment(start + bom, comment) for start, comment in _comments(body, reader.scalars)],
    )


def _culprit(text: str, error: yaml.YAMLError) -> tuple[int, int]:
    """The line that makes a text unreadable: where the trouble began, not where it was noticed."""
    mark: _Marked | None = getattr(error, "problem_mark", None)
    context: str = getattr(error, "context", None) or ""
    if context.startswith(_OPENED):
        mark = getattr(error, "context_mark", None) or mark
    at = len(text) if mark is None else min(_index(mark), len(text))
    start = text.rfind("\n", 0, at) + 1
    if not text[start:].strip():
        start = text.rfind("\n", 0, len(text[:start].rstrip())) + 1
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


class _Marked(Protocol):
    @property
    def index(self) -> int: ...


def _index(mark: _Marked | None) -> int:
    return 0 if mark is None else mark.index


def shared(old: Node, new: Node) -> Node:
    """``new`` with every part that equals its counterpart in ``old`` replaced by that very node.

    So what was worked out about the parts that an edit left alone is kept.
    """
    if old.kind != new.kind:
        return new
    if not new.values and not old.values:
        same = old.length == new.length and old.raw == new.raw and old.text == new.text
        return old if same else new
    before, after = old.values, new.values
    values = list(after)
    last = min(len(before), len(after))
    front = 0
    while front < last:
        values[front] = shared(before[front], after[front])
        if len(before) != len(after) and values[front] is not before[front]:
            break
        front += 1
    for back in range(1, last - front + 1 if len(before) != len(after) else 1):
        values[-back] = shared(before[-back], after[-back])
        if values[-back] is not before[-back]:
            break
    if (
        len(before) == len(after)
        and old.length == new.length
        and old.keys == new.keys
        and old.starts == new.starts
        and old.key_starts == new.key_starts
        and all(one is other for one, other in zip(before, values, strict=True))
    ):
        return old
    new.values = values
    return new


@dataclass(slots=True)
class _Frame:
    """A collection being read: ``end`` is where the last thing read in it ends."""

    node: Node
    start: int
    end: int
    flow: bool
    anchor: str | None
    key: tuple[str, int, int] | None = None
    merges: list[Node] = field(default_factory=list[Node])


class _Reader:
    """Builds the tree from events; every offset counts from the start of the text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.documents: list[Document] = []
        self.scalars: list[tuple[int, int]] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._too_deep = 0
        self._aliased = 0

    def take(self, event: yaml.Event) -> None:
        """Read one event."""
        if isinstance(event, yaml.ScalarEvent):
            if not self._too_deep:
                self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(_index(event.end_mark))
        elif isinstance(event, yaml.AliasEvent):
            if not self._too_deep:
                self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def finish(self) -> None:
        """Close what a text that broke off has left open."""
        self._too_deep = 0
        while self._stack:
            frame = self._stack[-1]
            frame.node.flawed = True
            self._close(frame.end)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if self._too_deep or len(self._stack) >= MAX_DEPTH:
            self._too_deep += 1
            return
        kind: Kind = "object" if isinstance(event, yaml.MappingStartEvent) else "array"
        node = Node(kind)
        node.values = []
        node.starts = []
        if kind == "object":
            node.keys = []
            node.key_starts = []
            node.key_lengths = []
        start = _index(event.start_mark)
        flow = bool(event.flow_style)
        # What stands in brackets is written as in JSON.
        node.style = "" if flow else STYLE
        self._stack.append(_Frame(node, start, _index(event.end_mark), flow, event.anchor))

    def _close(self, at: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
            if not self._too_deep:
                self._add(Node("hole", 1, "?"), self._stack[-1].end, self._stack[-1].end + 1)
            return
        frame = self._stack.pop()
        if frame.key is not None:
            self._stack.append(frame)
            self._add(Node("null"), frame.end, frame.end)
            self._stack.pop()
        end = at if frame.flow and not frame.node.flawed else frame.end
        frame.node.length = max(end - frame.start, 0)
        for other in frame.merges:
            _merge(frame.node, other)
        if frame.anchor:
            self._anchors[frame.anchor] = frame.node
        self._add(frame.node, frame.start, frame.start + frame.node.length)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = _index(event.start_mark), _index(event.end_mark)
        raw = self.source[start:end]
        trimmed = raw.rstrip() if event.style in ("|", ">") else raw
        end = start + len(trimmed)
        if event.style:
            self.scalars.append((start, end))
        node = _scalar_node(event, trimmed)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, start, end, event.value)

    def _alias(self, event: yaml.AliasEvent) -> None:
        start, end = _index(event.start_mark), _index(event.end_mark)
        known = self._anchors.get(event.anchor or "")
        node = None
        if known is not None:
            copied = _copied(known, end - start, MAX_ALIAS_NODES - self._aliased)
            if copied is not None:
                node, count = copied
                self._aliased += count
        self._add(node or Node("hole", end - start, self.source[start:end]), start, end)

    def _add(self, node: Node, start: int, end: int, name: str = "") -> None:
        if not self._stack:
            self.documents.append(Document(node, start, start + node.length))
            return
        frame = self._stack[-1]
        frame.end = max(frame.end, end)
        parent = frame.node
        if parent.kind == "object":
            if frame.key is None:
                frame.key = (name, start - frame.start, end - start)
                return
            key, frame.key = frame.key, None
            if key[0] == "<<" and node.kind in ("object", "array"):
                frame.merges.extend(node.values if node.kind == "array" else [node])
            parent.keys.append(key[0])
            parent.key_starts.append(key[1])
            parent.key_lengths.append(key[2])
        parent.values.append(node)
        parent.starts.append(start - frame.start)


def _scalar_node(event: yaml.ScalarEvent, raw: str) -> Node:
    value = event.value
    plain = event.style in (None, "")
    if event.tag not in (None, "!", _STRING_TAG):
        return Node("hole", len(raw), raw or "?")
    if plain and event.tag is None:
        word = _WORDS.get(value)
        if word is not None:
            return Node(word, len(raw), raw)
        if _NUMBER.fullmatch(value):
            return Node("number", len(raw), value)
    node = Node("string", len(raw), raw)
    node.style = STYLE
    node.decoded = value
    node.pieces = ((0, 0),) if raw == value else _pieces(raw, value, event.style or "")
    return node


_RUNS = {
    '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|\r\n|.)|([^\\\r\n]+)", re.DOTALL),
    "'": re.compile(r"''|((?:[^'\r\n]|'(?!'))+)"),
}
_LINE = re.compile(r"([^\r\n]+)")


def _pieces(raw: str, text: str, style: str) -> tuple[tuple[int, int], ...]:
    """Pairs of a place in the text and the place in the source where that character stands.

    From one pair to the next both run on together. Whatever stands on one line of the source, and
    between two escapes, stands in the text as it is: only line breaks and indentation differ.
    """
    position = 1 if style in ("'", '"') else 0
    if style in ("|", ">"):
        position = max(raw.find("\n"), 0)
    found: list[tuple[int, int]] = []
    at = 0
    for run in _RUNS.get(style, _LINE).finditer(raw, position, len(raw) - (position == 1)):
        written = run[1]
        if not written:
            continue
        body = written.strip(" \t")
        spot = text.find(body, at) if body else -1
        if spot >= 0:
            found.append((spot, run.start(1) + written.index(body)))
            at = spot + len(body)
    return tuple(found) or ((0, position),)


def _copied(node: Node, length: int, budget: int) -> tuple[Node, int] | None:
    """A value as its alias holds it: all of it stands where the alias does. None past the budget.

    Given with how many values were copied.
    """
    if budget <= 0:
        return None
    fresh = Node(node.kind, length, node.raw)
    fresh.style = ALIAS_STYLE
    if node.kind == "string":
        fresh.decoded, fresh.pieces = node.text, ((0, 0),)
    count = 1
    if node.kind in ("object", "array"):
        fresh.keys = node.keys
        fresh.key_starts = [0] * len(node.keys)
        fresh.key_lengths = [length] * len(node.keys)
        fresh.starts = [0] * len(node.values)
        fresh.values = []
        for child in node.values:
            copied = _copied(child, length, budget - count)
            if copied is None:
                return None
            fresh.values.append(copied[0])
            count += copied[1]
    return fresh, count


def _merge(node: Node, other: Node) -> None:
    """Take over, as ``<<`` does, the members of another mapping.

    They stand where ``<<`` does, so that of a name given twice the mapping's own member, written
    after it, is the last and counts; one written before it is kept by leaving the other out.
    """
    at = node.keys.index("<<")
    earlier = set(node.keys[:at])
    for key, value in zip(other.keys, other.values, strict=True):
        if key not in earlier:
            at += 1
            node.keys.insert(at, key)
            node.key_starts.insert(at, node.key_starts[at - 1])
            node.key_lengths.insert(at, node.key_lengths[at - 1])
            node.values.insert(at, value)
            node.starts.insert(at, node.starts[at - 1])


def _comments(source: str, scalars: list[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    if "#" not in source:
        return
    starts = [start for start, _ in scalars]
    for found in _COMMENT.finditer(source):
        index = bisect_right(starts, found.start()) - 1
        if index < 0 or found.start() >= scalars[index][1]:
            yield found.start(), found[0]
