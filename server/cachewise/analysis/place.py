"""The best breakpoints of a request, why they are, and the change that sets them.

``place`` answers for one request, ``placed`` gives a whole text with the answers written into it.
Nothing is changed for a saving that is smaller than what the assumptions are worth (``SMALLEST``),
nothing is changed to something dearer, and nothing but markers is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cachewise.analysis.context import context_of
from cachewise.analysis.document import Document, Located
from cachewise.analysis.forecast import SHARES, Outlook, forecast, outlook
from cachewise.analysis.place_edits import is_as_meant, marker_edits
from cachewise.analysis.place_words import sentence, title, why_not
from cachewise.caching.conversation import links
from cachewise.caching.cost import Traffic
from cachewise.caching.place import (
    Cut,
    Expected,
    Lifetime,
    Place,
    Problem,
    best,
    expected,
    leaves_unseen,
    uncached,
)
from cachewise.caching.plan import DEFAULT_TTL, Breakpoint, closed_prefix
from cachewise.catalog.resolve import effective_ttls
from cachewise.report.place import Outcome
from cachewise.request import lone_marker
from cachewise.rules.base import Context
from cachewise.rules.placement import can_carry
from cachewise.rules.turns import last_user_turn
from cachewise.syntax.formats import is_source
from cachewise.syntax.json_edit import Edit, apply_edits

SMALLEST = 100
"""A change must save at least one part in so many: less is lost in what is assumed."""

MOST_PLACES = 64
"""How many places are compared; of a longer request those that matter, and others evenly spread."""

ASSUMED = Traffic(every=60, calls=10, output_tokens=0)
"""The traffic where none is declared. Lifetimes are then left as they are."""

_SETTLED = 4
"""How often the answer is asked again as if it stood there already, until it stays."""


@dataclass(frozen=True, slots=True)
class Point:
    """A chosen breakpoint: what it closes, why there, and what the calls would cost more without.

    ``worth`` is USD over the declared calls.
    """

    cut: Cut
    pointer: str
    reason: str
    worth: Decimal | None


@dataclass(frozen=True, slots=True)
class Placement:
    """The answer for one request; ``edits`` count from the start of the document.

    ``points`` is None where it cannot be told. ``before``, ``after`` and ``plain`` are the costs
    with the present breakpoints, with the best ones, and with none.
    """

    located: Located
    outcome: Outcome
    sentence: str
    traffic: Traffic
    declared: bool
    outlook: Outlook | None = None
    points: tuple[Point, ...] | None = None
    edits: tuple[Edit, ...] = ()
    title: str = ""
    notes: tuple[str, ...] = ()
    before: Expected | None = None
    after: Expected | None = None
    plain: Expected | None = None

    @property
    def kind(self) -> str | None:
        """The kind of request that the coming calls were taken to follow."""
        return self.outlook.kind if self.outlook is not None else None


def place(
    document: Document, located: Located, traffic: Traffic | None = None, *, verify: bool = True
) -> Placement:
    """Where the breakpoints of a request should stand.

    ``traffic`` is what is declared, else the settings' is taken. ``verify``: the change is tried
    on a copy of the text, and given only if the request then is what was meant.
    """
    found = _place(document, located, traffic, _linked(document))
    if verify or is_source(document.format):
        return _verified(document, [found])[0]
    return found


def place_at(document: Document, offset: int, *, verify: bool = True) -> Placement | None:
    """The answer for the request at an offset; of a document's only request from anywhere."""
    requests = document.requests
    located = document.request_at(offset) or (requests[0] if len(requests) == 1 else None)
    if located is None or not is_request(located):
        return None
    return place(document, located, verify=verify)


def placements(document: Document, traffic: Traffic | None = None) -> list[Placement]:
    """The answers for all requests of a document."""
    linked = _linked(document)
    return _verified(
        document,
        [
            _place(document, located, traffic, linked)
            for located in document.requests
            if is_request(located)
        ],
    )


def placed(document: Document, traffic: Traffic | None = None) -> tuple[str, int]:
    """The text with the best breakpoints of every request, and how many requests that changed.

    Requests in source code may share a constant; then the first of them decides.
    """
    source = str(document.text)
    newline = "\r\n" if "\r\n" in source else "\n"
    edits, changed = _together(document, placements(document, traffic))
    written = tuple(
        edit if "\r" in edit.new else replace(edit, new=edit.new.replace("\n", newline))
        for edit in edits
    )
    return apply_edits(source, written), len(changed)


def _place(
    document: Document, located: Located, traffic: Traffic | None, linked: Sequence[int]
) -> Placement:
    declared = traffic or document.options.settings.traffic
    work = _Work(document, located, declared or ASSUMED, declared is not None, linked)
    reason = why_not(work.context)
    return work.answer(*reason) if reason is not None else _answer(work)


def _linked(document: Document) -> list[int]:
    """For each request the earlier one that it goes on from; in source code, no order is known."""
    requests = document.requests
    if len(requests) < 2 or is_source(document.format):
        return [-1] * len(requests)
    return links([one.analyzed.request for one in requests])


def _together(
    document: Document, answers: Sequence[Placement]
) -> tuple[list[Edit], list[Placement]]:
    """The changes that can be made in one go, and the answers that are followed by them.

    Only in source code can two requests stand in the same place, by a constant that both use.
    """
    shared = is_source(document.format) and len(answers) > 1
    taken: dict[Edit, None] = {}
    followed: list[Placement] = []
    for answer in answers:
        fresh = [edit for edit in answer.edits if edit not in taken]
        meets = shared and any(
            edit.start <= other.end and other.start <= edit.end for edit in fresh for other in taken
        )
        if fresh and not meets:
            taken.update(dict.fromkeys(fresh))
            followed.append(answer)
    return list(taken), followed


def _verified(document: Document, answers: list[Placement]) -> list[Placement]:
    """The answers, those withdrawn whose change would not make what it is meant to make."""
    edits, followed = _together(document, answers)
    if not edits:
        return answers
    changed = _changed(document, edits)
    together = {answer.located.index for answer in followed}
    found: list[Placement] = []
    for answer in answers:
        if answer.edits:
            own = answer.located.index in together
            copy = changed if own else _changed(document, answer.edits)
            if not is_as_meant(document, answer, copy):
                answer = _withdrawn(answer)
        found.append(answer)
    return found


def _changed(document: Document, edits: Sequence[Edit]) -> Document:
    source = apply_edits(str(document.text), tuple(edits))
    return Document(source, document.format, document.options, document.path)


def _withdrawn(answer: Placement) -> Placement:
    return replace(
        answer,
        outcome="unknown",
        sentence="The best breakpoints cannot be written here by a change of markers alone.",
        edits=(),
        title="",
        points=None,
        after=None,
    )


def is_request(located: Located) -> bool:
    """Whether a request is one that is sent, and not a part of a configuration."""
    request = located.analyzed.request
    return not request.configuration and request.shape != lone_marker.SHAPE


class _Work:
    """What is looked at for one request; figures that do not depend on the breakpoints, once."""

    def __init__(
        self,
        document: Document,
        located: Located,
        traffic: Traffic,
        declared: bool,
        linked: Sequence[int],
    ) -> None:
        self.document = document
        self.linked = linked
        self.located = located
        self.traffic = traffic
        self.declared = declared
        self.batch = "custom_id" in located.found.beside
        self.context = context_of(document, located)
        self.carried: dict[int, bool] = {}

    def answer(self, outcome: Outcome, sentence: str) -> Placement:
        return Placement(self.located, outcome, sentence, self.traffic, self.declared)

    def outlook(self, closed: Sequence[int]) -> Outlook:
        link = self.linked[self.located.index]
        previous: int | None = None
        if link >= 0:
            previous = len(self.document.requests[link].analyzed.request.blocks) - 1
        followed = self.located.index in self.linked
        return outlook(self.context.request, closed, previous=previous, followed=followed)

    def carries(self, block: int) -> bool:
        """Whether a breakpoint can stand on a block and its prefix is surely long enough."""
        known = self.carried.get(block)
        if known is None:
            context = self.context
            assert context.minimum is not None
            prefix = closed_prefix(
                context.plan.prefixes[block], context.request.blocks[block], context.model
            )
            known = self.carried[block] = prefix.low >= context.minimum and (
                any(
                    point.block == block and not point.ignored for point in context.plan.breakpoints
                )
                or _can_carry(context, block)
            )
        return known


def _can_carry(context: Context, block: int) -> bool:
    if can_carry(context, block):
        return True
    # What stands there already, rightly or wrongly, can be written anew.
    return (
        any(
            placed.block == block and placed.mark.place == "block"
            for placed in context.request.marks
        )
        and not context.request.blocks[block].barred
    )


def _answer(work: _Work) -> Placement:
    context = work.context
    present = _present(context)
    seen = work.outlook([cut.block for cut in present])
    problem = _problem(work, seen, present)
    before, plain = expected(problem, present), uncached(problem)
    if before is None or plain is None:
        return work.answer("unknown", "It cannot be told what pays: not all prices are known.")
    rejected = any(
        finding.severity == "error" and finding.code.startswith("CW1")
        for finding in work.located.analyzed.findings
    )
    cuts = _settled(work, problem, present, before, rejected)
    after = expected(problem, cuts)
    assert after is not None
    notes = tuple(_notes(work, seen, problem, cuts, present))
    answer = Placement(
        located=work.located,
        outcome="best",
        sentence="",
        traffic=work.traffic,
        declared=work.declared,
        outlook=seen,
        points=tuple(_points(work, problem, seen, cuts)),
        notes=notes,
        before=None if rejected else before,
        after=after,
        plain=plain,
    )
    same = {(cut.block, cut.ttl) for cut in cuts} == {(cut.block, cut.ttl) for cut in present}
    edits = (
        [] if same and not rejected else marker_edits(context, work.located.analyzed.findings, cuts)
    )
    if edits is None:
        return replace(
            answer, outcome="unknown", points=None, after=None,
            sentence="The best breakpoints cannot be written here without touching each other.",
        )  # fmt: skip
    if not edits:
        outcome, told = _nothing_better(work, seen, problem, cuts)
        return replace(answer, outcome=outcome, sentence=told)
    base = work.located.base
    return replace(
        answer,
        outcome="change",
        edits=tuple(Edit(edit.start + base, edit.end + base, edit.new) for edit in edits),
        sentence=sentence(answer),
        title=title(answer),
    )


def _settled(
    work: _Work, problem: Problem, present: Sequence[Cut], before: Expected, rejected: bool
) -> tuple[Cut, ...]:
    """The best breakpoints, which asked again stay the best; else the present ones."""
    kept = tuple(present)
    chosen = kept
    current = problem
    for _ in range(_SETTLED):
        found = best(current)
        old, new = expected(current, chosen), expected(current, found)
        if old is None or new is None:
            return kept
        first = chosen is kept and rejected
        if not first and new.run * SMALLEST > old.run * (SMALLEST - 1):
            break
        if {(cut.block, cut.ttl) for cut in found} == {(cut.block, cut.ttl) for cut in chosen}:
            break
        chosen = found
        # Whether the end is marked, and with which lifetime, is itself a sign of what is to come.
        current = _problem(work, work.outlook([cut.block for cut in chosen]), chosen)
    after = expected(problem, chosen)
    dearer = after is None or after.run > before.run
    return kept if dearer and not rejected else chosen


def _present(context: Context) -> tuple[Cut, ...]:
    """The breakpoints that cache something now."""
    return tuple(_cut(point) for point in context.plan.breakpoints if point.counts_as_written)


def _cut(point: Breakpoint) -> Cut:
    return Cut(point.block, point.position, point.prefix.estimate, point.ttl)


def _problem(work: _Work, seen: Outlook, present: Sequence[Cut]) -> Problem:
    context = work.context
    model, platform, prices = context.model, context.platform, context.prices
    assert model is not None
    assert platform is not None
    assert prices is not None
    assert context.minimum is not None
    ttls = effective_ttls(model, platform.id) or (DEFAULT_TTL,)
    lifetimes = tuple(
        Lifetime(ttl, seconds, long=ttl in ttls[1:])
        for ttl, seconds in platform.ttl_seconds.items()
    )
    known = tuple(
        lifetime.ttl
        for lifetime in lifetimes
        if lifetime.ttl in ttls and (prices.write_1h if lifetime.long else prices.write_5m)
    )
    plan = context.plan
    limit = platform.max_breakpoints
    return Problem(
        places=tuple(
            Place(
                block,
                plan.positions[block],
                plan.prefixes[block].estimate,
                known if work.declared and not work.batch else _kept_ttl(block, present, known),
            )
            for block in _candidates(work, seen, present)
        ),
        lifetimes=lifetimes,
        forecast=forecast(seen, plan, context.minimum),
        traffic=work.traffic,
        prices=prices,
        total=plan.total.estimate,
        limit=max(1, len(present)) if limit is None else limit,
        window=plan.window,
        watched=_watched(context),
    )


def _kept_ttl(block: int, present: Sequence[Cut], known: tuple[str, ...]) -> tuple[str, ...]:
    """Without declared traffic nothing speaks for another lifetime than the one that is there."""
    behind = [cut.ttl for cut in present if cut.block >= block and cut.ttl in known]
    before = [cut.ttl for cut in present if cut.ttl in known]
    return tuple((behind[:1] or before[-1:]) or known[:1])


def _candidates(work: _Work, seen: Outlook, present: Sequence[Cut]) -> list[int]:
    """The blocks that are compared, in order: all, or those that matter and others between them."""
    context = work.context
    count = len(context.request.blocks)
    if count <= MOST_PLACES:
        return [block for block in range(count) if work.carries(block)]
    positions = context.plan.positions
    window = context.plan.window or MOST_PLACES
    wanted = [seen.tools, seen.system, seen.stable, seen.end, seen.previous]
    wanted += [cut.block for cut in present]
    for mark in (seen.end, seen.stable, *([seen.previous] if seen.previous >= 0 else ())):
        if mark >= 0:
            for reach in range(1, 5):
                lowest = positions[mark] - reach * window
                wanted.append(next(at for at in range(count) if positions[at] >= lowest))
    if seen.previous >= 0:
        highest = positions[seen.previous] + window - 1
        wanted.append(max(at for at in range(count) if positions[at] <= highest))
    chosen = {found for block in wanted if (found := _carrier(work, block)) >= 0}
    step = count / MOST_PLACES
    for part in range(1, MOST_PLACES + 1):
        if len(chosen) >= MOST_PLACES:
            break
        found = _carrier(work, min(count - 1, int(part * step)))
        if found >= 0:
            chosen.add(found)
    return sorted(chosen)


def _carrier(work: _Work, block: int) -> int:
    """The last block up to one that can carry a breakpoint; or -1."""
    while block >= 0 and not work.carries(block):
        block -= 1
    return block


def _watched(context: Context) -> tuple[int, int] | None:
    """The positions that lie in sight of a walk, or rule CW202 warns of them."""
    plan, request = context.plan, context.request
    assert context.minimum is not None
    minimum = context.minimum
    first = next(
        (at for at, prefix in enumerate(plan.prefixes) if prefix.high >= minimum or plan.at_least),
        -1,
    )
    turn = last_user_turn(request)
    if first < 0 or plan.window is None:
        return None
    if all(block.role not in ("assistant", "model") for block in request.blocks):
        return plan.positions[first], plan.positions[-1]
    if not turn:
        return None
    return max(plan.positions[first], plan.positions[turn[0]]), plan.positions[turn[-1]]


def _points(work: _Work, problem: Problem, seen: Outlook, cuts: Sequence[Cut]) -> Iterator[Point]:
    with_all = expected(problem, cuts)
    for index, cut in enumerate(cuts):
        without = expected(problem, [*cuts[:index], *cuts[index + 1 :]])
        worth = None if with_all is None or without is None else without.run - with_all.run
        yield Point(
            cut,
            work.context.request.block_pointer(cut.block),
            _reason(work, seen, cut, cuts),
            worth,
        )


def _reason(work: _Work, seen: Outlook, cut: Cut, cuts: Sequence[Cut]) -> str:
    """Why a breakpoint stands where it stands, as the end of a sentence."""
    block = cut.block
    deepest = block == max(one.block for one in cuts) and block > max(seen.system, seen.previous)
    if deepest and seen.kind != "question" and _is_last(work, block, seen.end):
        return "the end of the conversation so far, with which the next call begins"
    if seen.volatile > 0 and block == _last_before(work.context, seen.volatile):
        return f"stands before block {seen.volatile + 1}, which is made anew in every call"
    if block == seen.tools:
        return "the end of the tools, which change least"
    if block == seen.system and seen.kind == "question":
        return "the end of the system prompt, which stays the same from question to question"
    if block == seen.system:
        return "the end of the system prompt, which other conversations share"
    if block <= seen.stable and _is_last(work, block, seen.stable):
        return "the end of what stays the same before the question"
    if seen.previous >= 0 and block >= seen.previous:
        return "keeps what the call before wrote within the window of the walk back"
    return "what stands before it stays cached when something behind it changes"


def _is_last(work: _Work, block: int, end: int) -> bool:
    """Whether no block between this one and an end can carry a breakpoint."""
    return block <= end and not any(work.carries(at) for at in range(block + 1, end + 1))


def _last_before(context: Context, block: int) -> int:
    at = block - 1
    while at >= 0 and context.request.blocks[at].barred:
        at -= 1
    return at


def _nothing_better(
    work: _Work, seen: Outlook, problem: Problem, cuts: Sequence[Cut]
) -> tuple[Outcome, str]:
    """Outcome and sentence where nothing should change."""
    if cuts:
        what = "breakpoint is" if len(cuts) == 1 else "breakpoints are"
        return "best", f"The present {what} already the best."
    if work.traffic.calls < 2:
        sentence = "There is nothing to place: one call writes and never reads, which costs more."
    elif not problem.places:
        if any(prefix.low >= (work.context.minimum or 0) for prefix in work.context.plan.prefixes):
            sentence = "There is nothing to place: no block of a sufficient prefix can be marked."
        else:
            sentence = (
                f"There is nothing to place: no prefix surely has {work.context.minimum:,} tokens."
            )
    elif seen.stable < problem.places[0].block and seen.end < problem.places[0].block:
        sentence = (
            f"There is nothing to place: block {seen.volatile + 1} is made anew in every call, and "
            "what stands before it is too short to be cached."
        )
    elif seen.kind == "question" and seen.stable < problem.places[0].block:
        sentence = (
            "There is nothing to place: what stays the same before the question is too short to "
            "be cached. If the conversation goes on, mark its last block."
        )
    else:
        sentence = "There is nothing to place: at this cadence no entry is read before it dies."
    return "nothing", sentence


def _notes(
    work: _Work, seen: Outlook, problem: Problem, cuts: Sequence[Cut], present: Sequence[Cut]
) -> Iterator[str]:
    context = work.context
    going_on, anew = SHARES[seen.kind]
    if seen.kind == "question":
        likely = f"{anew} of 100 coming calls are taken to differ in the question only"
    else:
        likely = (
            f"{going_on} of 100 coming calls are taken to go on from the one before, {anew} to "
            "begin anew"
        )
    yield f"{likely}."
    if not work.declared:
        yield (
            "No traffic is declared: ten calls, one a minute, are assumed, and lifetimes are left "
            "as they are."
        )
    elif work.batch:
        yield "A batch is worked off at no known pace, so lifetimes are left as they are."
    if seen.variables and seen.stable >= 0:
        shown = ", ".join(seen.variables[:3]) + (", …" if len(seen.variables) > 3 else "")
        yield f"Values that only the program knows are taken to stay the same: {shown}."
    if context.plan.at_least:
        yield (
            f"Block {context.plan.unknown[0] + 1} has a part of unknown length: costs are lower "
            "bounds."
        )
    idle = [point for point in context.plan.breakpoints if not point.counts_as_written]
    for point in idle:
        why = point.ignored or f"its prefix is under {point.minimum:,} tokens"
        yield f"The breakpoint at block {point.block + 1} caches nothing: {why}."
    uncertain = [
        point
        for point in context.plan.breakpoints
        if point.effective is None and any(cut.block == point.block for cut in cuts)
    ]
    for point in uncertain:
        yield (
            f"The prefix of block {point.block + 1} may be just under the minimum of "
            f"{point.minimum:,} tokens."
        )
    if leaves_unseen(problem, cuts) and not leaves_unseen(problem, present):
        yield (
            "The request is longer than the walks of all breakpoints together: some blocks lie "
            "outside of every window (lookback-window)."
        )
