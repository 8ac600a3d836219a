"""The best breakpoints of a request, why they are, and the change that sets them.

``place`` answers for one request, ``placed`` gives a whole text with the answers written into it.
Nothing is changed for a saving that is smaller than what the assumptions are worth (``SMALLEST``),
nothing is changed to something dearer, and nothing but markers is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from cachewise.analysis.context import context_of
from cachewise.analysis.document import Document, Located
from cachewise.analysis.forecast import SHARES, Outlook, forecast, outlook
from cachewise.caching.canonical import block_digest
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
from cachewise.report.money import dollars
from cachewise.request import lone_marker, prompt_file
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding
from cachewise.rules.markers import has_valid_ttl, misplacement, remove_mark
from cachewise.rules.placement import WRITTEN, can_carry, insertion, marker_source
from cachewise.rules.turns import last_user_turn
from cachewise.syntax.formats import is_source
from cachewise.syntax.json_edit import Edit, apply_edits, set_member

SMALLEST = 100
"""A change must save at least one part in so many: less is lost in what is assumed."""

MOST_PLACES = 64
"""How many places are compared; of a longer request those that matter, and others evenly spread."""

ASSUMED = Traffic(every=60, calls=10, output_tokens=0)
"""The traffic where none is declared. Lifetimes are then left as they are."""

Outcome = Literal["change", "best", "nothing", "unknown"]

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
    declared = traffic or document.options.settings.traffic
    work = _Work(document, located, declared or ASSUMED, declared is not None)
    reason = _why_not(work.context)
    if reason is not None:
        return work.answer(*reason)
    found = _answer(work)
    if found.edits and (verify or is_source(document.format)):
        problem = _misses(work, found)
        if problem is not None:
            return replace(
                found, outcome="unknown", sentence=problem, edits=(), title="", points=None,
                after=None,
            )  # fmt: skip
    return found


def place_at(document: Document, offset: int, *, verify: bool = True) -> Placement | None:
    """The answer for the request at an offset; of a document's only request from anywhere."""
    requests = document.requests
    located = document.request_at(offset) or (requests[0] if len(requests) == 1 else None)
    if located is None or not is_request(located):
        return None
    return place(document, located, verify=verify)


def placements(document: Document, traffic: Traffic | None = None) -> Iterator[Placement]:
    """The answers for all requests of a document."""
    for located in document.requests:
        if is_request(located):
            yield place(document, located, traffic)


def placed(document: Document, traffic: Traffic | None = None) -> tuple[str, int]:
    """The text with the best breakpoints of every request, and how many requests that changed.

    Requests in source code may share a constant; then the first of them decides. The document is
    edited on the way.
    """
    newline = "\r\n" if "\r\n" in str(document.text) else "\n"
    changed = 0
    settled: list[tuple[int, int, str]] = []
    for index in range(len(document.requests)):
        if index >= len(document.requests):
            break
        located = document.requests[index]
        if not is_request(located):
            continue
        edits = place(document, located, traffic).edits
        if not edits or _meets(edits, settled):
            continue
        changed += 1
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
            new = edit.new if "\r" in edit.new else edit.new.replace("\n", newline)
            document.edit(edit.start, edit.end, new)
            settled = [_moved(span, edit, new) for span in settled]
            settled.append((edit.start, edit.start + len(new), new))
    return str(document.text), changed


def is_request(located: Located) -> bool:
    """Whether a request is one that is sent, and not a part of a configuration."""
    request = located.analyzed.request
    return not request.configuration and request.shape != lone_marker.SHAPE


def _meets(edits: Sequence[Edit], settled: Sequence[tuple[int, int, str]]) -> bool:
    """Whether a change touches what an earlier request of the same text has settled."""
    return any(
        edit.start <= end and start <= edit.end for edit in edits for start, end, _ in settled
    )


def _moved(span: tuple[int, int, str], edit: Edit, new: str) -> tuple[int, int, str]:
    by = len(new) - (edit.end - edit.start) if edit.end <= span[0] else 0
    return span[0] + by, span[1] + by, span[2]


class _Work:
    """What is looked at for one request; figures that do not depend on the breakpoints, once."""

    def __init__(
        self, document: Document, located: Located, traffic: Traffic, declared: bool
    ) -> None:
        self.document = document
        self.located = located
        self.traffic = traffic
        self.declared = declared
        self.batch = "custom_id" in located.found.beside
        self.context = context_of(document, located)
        self.carried: dict[int, bool] = {}

    def answer(self, outcome: Outcome, sentence: str) -> Placement:
        return Placement(self.located, outcome, sentence, self.traffic, self.declared)

    def outlook(self, closed: Sequence[int]) -> Outlook:
        requests = self.document.requests
        previous: int | None = None
        followed = False
        if len(requests) > 1 and not is_source(self.document.format):
            linked = links([one.analyzed.request for one in requests])
            link = linked[self.located.index]
            followed = self.located.index in linked
            if link >= 0:
                previous = len(requests[link].analyzed.request.blocks) - 1
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


def _why_not(context: Context) -> tuple[Outcome, str] | None:
    """Why nothing can be said, or nothing is to be done; None when there is work."""
    model, platform, request = context.model, context.platform, context.request
    if model is None or platform is None:
        written = context.resolution.written
        what = f"the model {written!r} is not in the catalog" if written else "no model is named"
        return "unknown", f"It cannot be told where breakpoints should stand: {what}."
    if request.shape == prompt_file.SHAPE:
        return "nothing", (
            "No marker can stand in this file: let the program that sends it close what stays the "
            "same with a breakpoint."
        )
    where = f"{model.name} on {platform.name}"
    by_itself = model.implicit if model.implicit is not None else platform.implicit
    writable = {"cache_control", "cachePoint"} & set(platform.markers)
    if model.explicit is False or not writable:
        if by_itself:
            return (
                "nothing",
                f"There is nothing to place: {where} caches what begins alike by itself.",
            )
        if model.explicit is False:
            return "nothing", f"There is nothing to place: {where} takes no breakpoints."
        return "unknown", f"Markers cannot be written for {where} from here."
    if request.shape not in WRITTEN:
        return "unknown", (
            f"Markers are not written in this form of a request ({request.shape}) from here."
        )
    prices = context.prices
    if model.explicit is None:
        return "unknown", f"It is not known whether breakpoints have an effect on {where}."
    if context.minimum is None:
        return "unknown", f"It is not known how long a prefix must be on {where} to be cached."
    if prices is None or prices.input is None or prices.read is None or prices.write_5m is None:
        return "unknown", f"It cannot be told what pays: not all prices of {where} are known."
    if request.has_unknown_blocks:
        return "unknown", (
            "It cannot be told where breakpoints should stand: only the run of the program knows "
            "which blocks this request has."
        )
    for point in context.plan.breakpoints:
        if point.effective is None and point.at_least:
            block = context.plan.unknown[0]
            return "unknown", (
                f"It cannot be told whether the breakpoint at block {point.block + 1} is long "
                f"enough to be cached: block {block + 1} stands for a text whose length is not "
                "known here."
            )
    total = context.plan.total
    if total.low < context.minimum and context.plan.at_least:
        return "unknown", (
            "It cannot be told where breakpoints should stand: block "
            f"{context.plan.unknown[0] + 1} stands for a text whose length is not known here, and "
            f"the rest of the request is shorter than the {context.minimum:,} tokens from which "
            f"{where} caches."
        )
    if total.high < context.minimum:
        return "nothing", (
            f"There is nothing to place: the whole request has {total.estimate:,} tokens, and "
            f"{where} caches prefixes from {context.minimum:,} tokens on."
        )
    return None


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
    edits = [] if same and not rejected else _edits(context, work.located.analyzed.findings, cuts)
    if edits is None:
        return replace(
            answer, outcome="unknown", points=None, after=None,
            sentence="The best breakpoints cannot be written here without touching each other.",
        )  # fmt: skip
    if not edits:
        outcome, sentence = _nothing_better(work, seen, problem, cuts)
        return replace(answer, outcome=outcome, sentence=sentence)
    base = work.located.base
    return replace(
        answer,
        outcome="change",
        edits=tuple(Edit(edit.start + base, edit.end + base, edit.new) for edit in edits),
        sentence=_sentence(answer),
        title=_title(answer),
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


def _sentence(answer: Placement) -> str:
    points = answer.points or ()
    if not points:
        seen = answer.outlook
        anew = seen is not None and 0 <= seen.volatile <= seen.system
        why = f", as block {seen.volatile + 1} is made anew in every call" if seen and anew else ""
        return f"Caching does not pay here{why}: without breakpoints {_saving(answer)}."
    places = _listed([f"block {point.cut.block + 1} ({point.reason})" for point in points])
    return f"Breakpoints belong at {places}: {_saving(answer)}."


def _saving(answer: Placement) -> str:
    """``the next call costs $0.01 instead of $0.05, and 10 calls $0.20 instead of $0.50``."""
    before, after, calls = answer.before, answer.after, answer.traffic.calls
    assert after is not None
    if before is None:
        return (
            f"the next call costs {dollars(after.next)}; with the present ones the API rejects the "
            "request"
        )
    if calls == 1:
        return f"the call costs {dollars(after.run)} instead of {dollars(before.run)}"
    return (
        f"the next call costs {dollars(after.next)} instead of {dollars(before.next)}, and "
        f"{calls:,} calls {dollars(after.run)} instead of {dollars(before.run)}"
    )


def _title(answer: Placement) -> str:
    points = answer.points or ()
    before, after = answer.before, answer.after
    assert after is not None
    if not points:
        return "Place breakpoints optimally: none, as caching does not pay here"
    where = _listed([f"{point.cut.block + 1}" for point in points])
    noun = "block" if len(points) == 1 else "blocks"
    because = f" ({points[0].reason})" if len(points) == 1 else ""
    saved = f"next call {dollars(after.next)}"
    saved += (
        " instead of a rejected one" if before is None else f" instead of {dollars(before.next)}"
    )
    return f"Place breakpoints optimally: {noun} {where}{because}; {saved}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _edits(context: Context, findings: Sequence[Finding], cuts: Sequence[Cut]) -> list[Edit] | None:
    """The changes of markers that leave exactly these breakpoints; None if two of them meet."""
    edits: list[Edit] = []
    wanted = {cut.block: cut for cut in cuts}
    done: set[int] = set()
    closing = {id(point.placed): point for point in context.plan.breakpoints}
    wrong = [
        finding.pointer
        for finding in findings
        if finding.severity == "error" and finding.code in _ABOUT_ONE
    ]
    marks = sorted(context.request.marks, key=lambda one: one.mark.place not in ("block", "point"))
    for placed_mark in marks:
        point = closing.get(id(placed_mark))
        block = placed_mark.block if point is None else point.block
        cut = wanted.get(block)
        clean = _is_clean(context, placed_mark, wrong)
        if cut is None or block in done:
            edits.append(remove_mark(context, placed_mark))
        elif point is not None and point.ttl == cut.ttl and clean:
            done.add(block)
        elif placed_mark.mark.place in ("block", "point"):
            edits += _rewritten(context, placed_mark, cut, clean)
            done.add(block)
        else:
            edits.append(remove_mark(context, placed_mark))
    for block, cut in wanted.items():
        if block not in done:
            if not can_carry(context, block):
                return None
            edits.append(insertion(context, block, cut.ttl))
    edits = list(dict.fromkeys(edits))
    edits.sort(key=lambda edit: (edit.start, edit.end))
    for edit, following in pairwise(edits):
        if following.start < edit.end or following.start == edit.start:
            return None
    return edits


def _is_clean(context: Context, placed_mark: PlacedMark, wrong: Sequence[str]) -> bool:
    """Whether a marker can stay as it is written; ``wrong`` are the pointers of errors."""
    return (
        placed_mark.mark.node.kind == "object"
        and misplacement(context, placed_mark) is None
        and (not placed_mark.mark.ttl or has_valid_ttl(context, placed_mark))
        and not any(pointer.startswith(placed_mark.pointer) for pointer in wrong)
    )


_ABOUT_ONE = {"CW103", "CW104", "CW106"}
"""Errors that are about a marker itself, and not about how many there are or in what order."""


def _rewritten(
    context: Context, placed_mark: PlacedMark, cut: Cut, clean: bool
) -> tuple[Edit, ...]:
    """The edits that give a marker another lifetime, or write it anew where it is wrong."""
    mark = placed_mark.mark
    if clean:
        return set_member(context.read, mark.node, placed_mark.start, "ttl", f'"{cut.ttl}"')
    owner = placed_mark.start - mark.start + mark.owner_start
    return set_member(context.read, mark.owner, owner, mark.key, marker_source(context, cut.ttl))


def _misses(work: _Work, found: Placement) -> str | None:
    """Why the changed text would not be what was meant; None when it is."""
    document, located = work.document, work.located
    source = apply_edits(str(document.text), found.edits)
    changed = Document(source, document.format, document.options, document.path)
    requests = changed.requests
    told = "The best breakpoints cannot be written here by a change of markers alone."
    if len(requests) != len(document.requests):
        return told
    after = requests[located.index].analyzed
    before = located.analyzed
    if [block_digest(block) for block in after.request.blocks] != [
        block_digest(block) for block in before.request.blocks
    ]:
        return told
    stands = {(point.block, point.ttl) for point in after.plan.breakpoints}
    if stands != {(point.cut.block, point.cut.ttl) for point in found.points or ()}:
        return told
    rejected = any(
        finding.severity == "error" and finding.code.startswith("CW1") for finding in after.findings
    )
    return told if rejected else None
