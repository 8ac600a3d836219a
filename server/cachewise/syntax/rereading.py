"""What an edit leaves of a reading of source code: only what it may have touched is read again.

A text is cut into **items**: the statements of the file, and those in its classes, each whole. What
is found in an item is remembered with what it was made of:

- the items in which anything was read on the way: its own, that of a constant, of a function;
- the **questions** that were asked of the whole file or of a class (what happens to a name at its
  outermost level, which function has a name), with their answers.

After an edit an item's findings hold when every such item says what it said, and every question is
answered as before, places being counted on by what the edit has put in. Then they are moved to
where the item stands now. In any doubt the item is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from cachewise.syntax.region import Region
from cachewise.syntax.tree import Comment, Hole, Node, Origin

if TYPE_CHECKING:
    from cachewise.syntax.grammar import Parsed, SyntaxNode

Answer: TypeAlias = "int | str | tuple[Answer, ...]"
"""What a question was answered: every number in it is a byte offset."""

Question = tuple[str, int, str]
"""What is asked, of what (the byte where a class starts, or ``NOWHERE``: the file), and a name."""

NOWHERE = -1

T = TypeVar("T")


class Steps(Protocol):
    """Whatever counts the expressions that it looks at."""

    steps: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Where two texts differ, in characters and in bytes, and where their trees may.

    ``start`` to ``end`` (of the old text) became what is ``delta`` longer. ``ranges`` are bytes of
    the new text. What stands next to a change counts as touched by it.
    """

    start: int
    end: int
    delta: int
    first_byte: int
    last_byte: int
    byte_delta: int
    ranges: tuple[tuple[int, int], ...]

    def character(self, at: int) -> int | None:
        """Where a character of the old text stands now; None when that cannot be said."""
        if at < self.start:
            return at
        return at + self.delta if at > self.end else None

    def byte(self, at: int) -> int | None:
        """Where a byte of the old text stands now; None when that cannot be said."""
        if at < self.first_byte:
            return at
        return at + self.byte_delta if at > self.last_byte else None

    def touches(self, start: int, end: int) -> bool:
        """Whether anything from one byte of the new text to another may be another than before."""
        return any(first <= end and last >= start for first, last in self.ranges)

    def answer(self, answer: Answer) -> Answer | None:
        """An answer with its places in the new text; None when one of them cannot be said."""
        if isinstance(answer, int):
            return answer if answer == NOWHERE else self.byte(answer)
        if isinstance(answer, str):
            return answer
        found: list[Answer] = []
        for part in answer:
            moved = self.answer(part)
            if moved is None:
                return None
            found.append(moved)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Item:
    """A statement of the file or of a class in it, in bytes.

    ``owners`` are the classes around it, the outermost first; ``size`` is its number of nodes.
    """

    start: int
    end: int
    kind: str
    size: int
    owners: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A region with where its markers are written, and where the values beside it start."""

    region: Region
    markers: tuple[int, ...]
    beside: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Record:
    """What was found in an item, and what that was made of; document offsets."""

    item: Item
    requests: list[Finding] = field(default_factory=list[Finding])
    markers: list[Finding] = field(default_factory=list[Finding])
    comments: list[Comment] = field(default_factory=list[Comment])
    steps: int = 0
    read: set[Item] = field(default_factory=set[Item])
    asked: set[Question] = field(default_factory=set[Question])
    lost: bool = False
    """Whether it was made of something that is no item, so that it has to be read each time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The records of a reading, and the answers to all questions in them."""

    records: Sequence[Record]
    answers: dict[Question, Answer]


class Reading:
    """One reading of a text: what of the last one holds, and what this one is made of."""

    def __init__(
        self,
        parsed: Parsed,
        opens: frozenset[str],
        ask: Callable[[Question], Answer | None],
    ) -> None:
        """``opens`` are the types of classes and their bodies; ``ask`` answers a question anew."""
        self.parsed = parsed
        self._opens = opens
        self._ask = ask
        self._low = self._high = 0
        self._record: Record | None = None
        self._answers: dict[Question, Answer] = {}
        self._earlier: dict[int, Record] = {}
        self._survivors: dict[Item, Item | None] = {}
        self._same: dict[Question, Question | None] = {}
        self.edit, self._kept = parsed.edit, parsed.kept
        if self.edit is not None and self._kept is not None:
            for record in self._kept.records:
                item = self._survivor(record.item)
                if item is not None and not record.lost:
                    self._earlier[item.start] = record

    # What is written down while an item is read.

    def begin(self, record: Record | None) -> None:
        """Write down what is read from now on for an item; for nothing when it is None."""
        self._record = record
        self._low = self._high = 0

    def note(self, at: int) -> None:
        """Something is read that stands in the item at a byte."""
        if self._low <= at < self._high or self._record is None:
            return
        found = self.item_at(at)
        if found is None:
            self._record.lost = True
            return
        item = _item(*found)
        self._record.read.add(item)
        self._low, self._high = item.start, item.end

    def note_up_to(self, at: int, end: int) -> None:
        """The same of all from a byte to another, which must be in one item."""
        self.note(at)
        if self._record is not None and not self._low <= at <= end <= self._high:
            self._record.lost = True

    def whole(self, node: SyntaxNode) -> bool:
        """Whether a node is in one item; then that is noted, else a question must be."""
        at = node.start_byte
        if self._low <= at and node.end_byte <= self._high:
            return True
        found = self.item_at(at)
        if found is None or found[0].end_byte < node.end_byte:
            return False
        self.note(at)
        return True

    def hear(self, question: Question, answer: Answer) -> None:
        """A question about more than one item has been answered."""
        self._answers[question] = answer
        if self._record is not None:
            self._record.asked.add(question)

    def give_up(self) -> None:
        """What is found now depends on what is not written down."""
        if self._record is not None:
            self._record.lost = True

    # The items.

    def items(self, places: Sequence[int]) -> list[tuple[SyntaxNode, list[SyntaxNode]]]:
        """The items that one of the places is in, each with the classes around it, in order."""
        found: list[tuple[SyntaxNode, list[SyntaxNode]]] = []
        stack: list[tuple[SyntaxNode, list[SyntaxNode]]] = [(self.parsed.root, [])]
        while stack:
            node, owners = stack.pop()
            if node is self.parsed.root or self._is_open(node):
                inner = owners if node is self.parsed.root else [*owners, node]
                children = self.parsed.within(node, places)
                stack.extend((child, inner) for child in reversed(children))
            else:
                found.append((node, owners))
        return found

    def item_at(self, at: int) -> tuple[SyntaxNode, list[SyntaxNode]] | None:
        """The item at a byte, with the classes around it; None between items."""
        owners: list[SyntaxNode] = []
        node = self.parsed.root
        while True:
            child = self.parsed.child_at(node, at)
            if child is None:
                return None
            if not self._is_open(child):
                return child, owners
            owners.append(child)
            node = child

    def class_at(self, at: int) -> list[SyntaxNode]:
        """The class that starts at a byte, behind all that are around it; empty for none."""
        owners: list[SyntaxNode] = []
        node = self.parsed.root
        while True:
            child = self.parsed.child_at(node, at)
            if child is None or not self._is_open(child):
                return []
            owners.append(child)
            if child.start_byte == at and child.child_by_field_name("body") is not None:
                return owners
            node = child

    def _is_open(self, node: SyntaxNode) -> bool:
        kind = node.type
        if kind in _WRAPPERS:
            return any(child.type in self._opens for child in node.named_children)
        return kind in self._opens

    # What holds of the last reading.

    def start(self, node: SyntaxNode, owners: list[SyntaxNode]) -> Record:
        """A new record for an item."""
        return Record(_item(node, owners))

    def remembered(self, node: SyntaxNode) -> Record | None:
        """What was found in an item before the edit, moved to where it is now; None in doubt."""
        record = self._earlier.get(node.start_byte)
        edit, item = self.edit, None
        if record is None or edit is None:
            return None
        item = self._survivor(record.item)
        if item is None or item.end != node.end_byte:
            return None
        read: set[Item] = set()
        for one in record.read:
            survivor = self._survivor(one)
            if survivor is None:
                return None
            read.add(survivor)
        asked: set[Question] = set()
        for question in record.asked:
            same = self._still(question)
            if same is None:
                return None
            asked.add(same)
        requests = _moved(record.requests, edit)
        markers = _moved(record.markers, edit)
        comments: list[Comment] = []
        for comment in record.comments:
            at = edit.character(comment.start)
            if at is None:
                return None
            comments.append(comment if at == comment.start else Comment(at, comment.text))
        if requests is None or markers is None:
            return None
        return Record(item, requests, markers, comments, record.steps, read, asked)

    def keep(self, records: Sequence[Record]) -> None:
        """Remember what was found for the next reading."""
        self.parsed.keep(Kept(records, self._answers))

    def _survivor(self, item: Item) -> Item | None:
        """The item as it stands in the new text when nothing in it was touched."""
        if item in self._survivors:
            return self._survivors[item]
        found = self._survivors[item] = self._surviving(item)
        return found

    def _surviving(self, item: Item) -> Item | None:
        edit = self.edit
        assert edit is not None
        start, end = edit.byte(item.start), edit.byte(item.end)
        if start is None or end is None or edit.touches(start, end):
            return None
        found = self.item_at(start)
        if found is None:
            return None
        now = _item(*found)
        owners: list[tuple[int, str]] = []
        for at, kind in item.owners:
            moved = edit.byte(at)
            if moved is None:
                return None
            owners.append((moved, kind))
        before = Item(start, end, item.kind, item.size, tuple(owners))
        return now if now == before else None

    def _still(self, question: Question) -> Question | None:
        """The question in the new text when it is answered as before."""
        if question in self._same:
            return self._same[question]
        found = self._same[question] = self._answered_as_before(question)
        return found

    def _answered_as_before(self, question: Question) -> Question | None:
        edit, kept = self.edit, self._kept
        assert edit is not None and kept is not None
        kind, at, name = question
        moved = at if at == NOWHERE else edit.byte(at)
        expected = edit.answer(kept.answers[question])
        if moved is None or expected is None:
            return None
        now = kind, moved, name
        recording, self._record = self._record, None
        answer = self._ask(now)
        self._record = recording
        if answer != expected:
            return None
        self._answers[now] = expected
        return now


_WRAPPERS = frozenset({"decorated_definition", "export_statement"})
"""Node types that are part of an item, but for those around a class."""


def _item(node: SyntaxNode, owners: list[SyntaxNode]) -> Item:
    around = tuple((owner.start_byte, owner.type) for owner in owners)
    return Item(node.start_byte, node.end_byte, node.type, node.descendant_count, around)


def _moved(findings: Sequence[Finding], edit: Edit) -> list[Finding] | None:
    found: list[Finding] = []
    for finding in findings:
        region = finding.region
        start, node = edit.character(region.start), region.node
        if start is None or node is None:
            return None
        node = moved_node(node, region.start, start, edit)
        if node is None:
            return None
        markers: list[int] = []
        for marker in finding.markers:
            at = edit.character(marker)
            if at is None:
                return None
            markers.append(at)
        beside = dict(region.beside)
        starts: list[tuple[str, int]] = []
        for key, at in finding.beside:
            now = edit.character(at)
            value = moved_node(beside[key], at, now, edit) if now is not None else None
            if now is None or value is None:
                return None
            beside[key] = value
            starts.append((key, now))
        end = start + region.end - region.start
        placed = replace(region, start=start, end=end, node=node, beside=beside)
        found.append(Finding(placed, tuple(markers), tuple(starts)))
    return found


def read_items(
    reading: Reading,
    places: Sequence[int],
    steps: Steps,
    most: int,
    walk: Callable[[SyntaxNode, list[SyntaxNode], Record], list[T]],
    mark: Callable[[T], Finding | None],
) -> list[Record]:
    """What is in each item that one of the places stands in; as far as it can be from before.

    ``walk`` puts the requests and comments of an item into its record and gives what may be a
    marker outside of every request; once all items are through, ``mark`` looks at each of those.
    Behind ``most`` steps nothing is evaluated, so that what an item gives depends on all before.
    """
    for again in (False, True):
        steps.steps = 0
        records: list[Record] = []
        fresh: list[tuple[Record, list[T]]] = []
        for node, owners in reading.items(places):
            record = None if again else reading.remembered(node)
            if record is None:
                record = reading.start(node, owners)
                reading.begin(record)
                reading.note(node.start_byte)
                before = steps.steps
                fresh.append((record, walk(node, owners, record)))
                record.steps = steps.steps - before
                reading.begin(None)
            else:
                steps.steps += record.steps
            records.append(record)
        for record, loose in fresh:
            reading.begin(record)
            before = steps.steps
            found = (mark(one) for one in loose)
            record.markers.extend(one for one in found if one is not None)
            record.steps += steps.steps - before
            reading.begin(None)
        if steps.steps <= most:
            reading.keep(records)
            return records
        if len(fresh) == len(records):
            return records
    return records


def regions_of(records: Sequence[Record]) -> list[Region]:
    """The requests in the order of the text, and the markers that belong to none of them."""
    found: list[Region] = []
    comments: list[Comment] = []
    consumed: set[int] = set()
    for record in records:
        comments.extend(record.comments)
        for finding in record.requests:
            found.append(finding.region)
            consumed.update(finding.markers)
    for record in records:
        for finding in record.markers:
            if consumed.isdisjoint(finding.markers):
                consumed.update(finding.markers)
                found.append(finding.region)
    found.sort(key=lambda one: one.start)
    comments.sort(key=lambda comment: comment.start)
    return [*([Region(0, 0, None, tuple(comments))] if comments else []), *found]


class _Unsettled(Exception):
    """A place of which cannot be said where it stands now."""


def moved_node(node: Node, base: int, now: int, edit: Edit) -> Node | None:
    """A node that started at ``base`` and starts at ``now``, with its parts that stand elsewhere.

    The same object when all of it moved alike. None when of a place in it cannot be said where it
    stands now.
    """
    if not edit.delta:
        return node
    try:
        return _placed(node, base, now, edit)
    except _Unsettled:
        return None


def _placed(node: Node, base: int, now: int, edit: Edit) -> Node:
    def place(offset: int) -> int:
        moved = edit.character(base + offset)
        if moved is None:
            raise _Unsettled
        return moved - now

    starts = [place(start) for start in node.starts]
    values = [
        _placed(value, base + old, now + new, edit)
        for value, old, new in zip(node.values, node.starts, starts, strict=True)
    ]
    key_starts = [place(start) for start in node.key_starts]
    pieces = tuple((at, place(start)) for at, start in node.pieces)
    holes = tuple(_hole(hole, place) for hole in node.holes)
    body = (place(node.body[0]), node.body[1]) if node.body is not None else None
    if (
        starts == node.starts
        and key_starts == node.key_starts
        and pieces == node.pieces
        and holes == node.holes
        and body == node.body
        and all(one is other for one, other in zip(values, node.values, strict=True))
    ):
        return node
    fresh = Node(node.kind, node.length, node.raw)
    fresh.keys, fresh.key_lengths = node.keys, node.key_lengths
    fresh.key_starts, fresh.starts, fresh.values = key_starts, starts, values
    fresh.comments, fresh.flawed, fresh.style = node.comments, node.flawed, node.style
    fresh.decoded, fresh.pieces, fresh.holes, fresh.body = node.decoded, pieces, holes, body
    return fresh


def _hole(hole: Hole, place: Callable[[int], int]) -> Hole:
    origin = hole.origin
    if origin is not None:
        steps = tuple((words, place(start), place(end)) for words, start, end in origin.steps)
        start, end = place(origin.start), place(origin.end)
        origin = Origin(origin.what, origin.change, origin.source, start, end, steps)
    return Hole(hole.at, place(hole.start), place(hole.end), hole.name, origin)
