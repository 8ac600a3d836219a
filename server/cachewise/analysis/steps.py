"""A sequence of requests as calls, and what the simulator says of each, held against the record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from cachewise.caching.canonical import Chain, chain, common_beginning
from cachewise.caching.context_editing import Cleared, cleared
from cachewise.caching.cost import Billed, price, split
from cachewise.caching.divergence import Divergence, divergence
from cachewise.caching.replay import (
    Call,
    Outcome,
    Remembered,
    Step,
    active_points,
    caches_anything,
    replay,
)
from cachewise.catalog.model import Model, Platform
from cachewise.catalog.prices import UnknownPrice, UnsupportedModifier
from cachewise.catalog.usage import Usage, price_usage, read_usage
from cachewise.request.model import Found, Request
from cachewise.rules.base import Break
from cachewise.syntax.tree import Node, plain_value

if TYPE_CHECKING:
    from cachewise.analysis.document import Analyzed, Located, Options

KEEPS_REASONS = {"first_request", "below_minimum", "no_breakpoint"}
"""Reasons behind which there is nothing that could have been avoided by sending the same prefix."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of a trace that gives no call: its 1-based number, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One call of a trace: what was predicted, what was recorded, and whether they agree.

    ``actual_cost`` is USD for the recorded usage, output included. ``avoidable`` is USD that this
    call cost more than if it had read all that the call before it had cached. ``note`` is a
    sentence about what the figures cannot tell, or empty. ``agrees`` is None when nothing was
    recorded.
    """

    step: Step
    actual: Usage | None
    actual_cost: Decimal | None
    actual_outcome: Outcome | None
    agrees: bool | None
    divergence: Divergence | None
    avoidable: Decimal
    warm: bool
    note: str


@dataclass(slots=True)
class Summary:
    """Sums over a trace. Money is USD; tokens are input tokens.

    ``hit_tokens`` of ``input_tokens`` were read: recorded figures where there are some, predicted
    ones elsewhere. ``unpriced`` counts the steps whose cost is not known and in no sum.
    """

    steps: int = 0
    with_usage: int = 0
    agree: int = 0
    warm: int = 0
    hit_tokens: int = 0
    input_tokens: int = 0
    spent: Decimal = Decimal(0)
    without_cache: Decimal = Decimal(0)
    avoidable: Decimal = Decimal(0)
    unpriced: int = 0
    without_times: bool = False
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    unreadable_count: int = 0

    @property
    def hit_rate(self) -> Decimal:
        """The share of the input tokens that was read from the cache, to two decimals."""
        if not self.input_tokens:
            return Decimal(0)
        return (Decimal(self.hit_tokens) / self.input_tokens).quantize(Decimal("0.01"))

    @property
    def saved(self) -> Decimal:
        """USD that the cache saved (negative: it cost more than it saved)."""
        return self.without_cache - self.spent


def replay_requests(
    requests: Iterable[Located], options: Options, summary: Summary, *, together: bool = False
) -> Iterator[TraceStep]:
    """The steps of requests that were read and analysed already; ``summary`` is filled.

    ``together``: the requests are compared, however little they have in common.
    """
    recent = recent_chains()
    yield from run_steps(
        (
            make_call(index, located.found, located.analyzed, options, recent)
            for index, located in enumerate(requests)
        ),
        summary,
        together=together,
    )


def run_steps(
    calls: Iterable[Call], summary: Summary, *, together: bool = False
) -> Iterator[TraceStep]:
    """Replay calls, hold each against its record, and add it to the sums."""
    warm = False
    for step in replay(calls, together=together):
        result = judge(step, warm)
        warm = warm or result.warm
        _add(summary, result)
        yield result


def recent_chains() -> deque[Chain]:
    """Room for the digests of the last calls, from which those of the next are worked out."""
    return deque(maxlen=_RECENT)


_RECENT = 4
"""How many of the last calls a new one is compared with: conversations may be interleaved."""


def make_call(
    index: int, found: Found, analyzed: Analyzed, options: Options, recent: deque[Chain]
) -> Call:
    """A call out of an analysed request and what was recorded beside it.

    ``recent`` holds the digests of the calls before it, and is given its own.
    """
    platform = analyzed.platform
    request, plan = analyzed.request, analyzed.plan
    semantics = options.catalog.semantics.get(options.settings.semantics)
    model = analyzed.resolution.id or analyzed.resolution.written or ""
    space = _space(platform, found.beside)
    edited = cleared(request, plan.prefixes, plan.total)
    digests = _chain(request, analyzed.model, f"{model}\0{space}", edited, recent)
    recent.append(digests)
    implicit = platform is not None and platform.implicit
    return Call(
        index=index,
        at=_seconds(found.beside),
        request=request,
        plan=plan,
        chain=digests,
        model=model,
        space=space,
        prices=analyzed.prices,
        lifetimes=platform.ttl_seconds if platform is not None else {},
        matches_unmarked=semantics.matches_unmarked if semantics is not None else False,
        observed=recorded_usage(found.beside),
        implicit_minimum=platform.implicit_minimum if implicit and platform is not None else None,
        implicit_step=platform.implicit_step if implicit and platform is not None else None,
        marks_server_results=platform is not None and platform.marks_server_results,
        minimum=analyzed.minimum,
        priced=analyzed,
    )


def _chain(
    request: Request, model: Model | None, space: str, edited: Cleared, recent: deque[Chain]
) -> Chain:
    """The digests of a request; those of one that no edit has touched are known already."""
    memo = request.node.memo
    if memo is None:
        memo = request.node.memo = {}
    known: tuple[Model | None, str, Cleared, Chain] | None = memo.get("chain")
    if known is not None and known[0] is model and known[1:3] == (space, edited):
        return known[3]
    like = max(recent, key=lambda one: common_beginning(one.units, request.units), default=None)
    digests = chain(request, model, space, edited, like)
    memo["chain"] = model, space, edited, digests
    return digests


def _divergence(reference: Remembered, call: Call) -> Divergence | None:
    """Where a call left its reference, worked out once for the same two."""
    memo = call.request.node.memo
    if memo is None:
        memo = call.request.node.memo = {}
    known: tuple[Chain, Chain, int, Divergence | None] | None = memo.get("divergence")
    if (
        known is not None
        and known[0] is reference.chain
        and known[1] is call.chain
        and known[2] == reference.deepest
    ):
        return known[3]
    found = divergence(reference, call.request, call.chain)
    memo["divergence"] = reference.chain, call.chain, reference.deepest, found
    return found


_ORGANISATIONS = ("organization", "organisation", "organization_id")
_WORKSPACES = ("workspace", "workspace_id")


def _space(platform: Platform | None, beside: Mapping[str, Node]) -> str:
    """What a call's entries are kept apart by: its platform, and whose call it is.

    A workspace counts only where the platform keeps its workspaces apart.
    """
    keys = _ORGANISATIONS
    if platform is None or platform.isolation in ("workspace", None):
        keys += _WORKSPACES
    named = [
        f"{key.partition('_')[0]}={node.text}"
        for key in keys
        if (node := beside.get(key)) is not None and node.kind == "string"
    ]
    return "/".join([platform.id if platform is not None else "unknown", *named])


def _seconds(beside: Mapping[str, Node]) -> float | None:
    """When a call started, in seconds, from ``at`` or ``t``: ISO 8601, or a number (s or ms)."""
    node = beside.get("at") or beside.get("t")
    if node is None or node.kind not in ("string", "number"):
        return None
    value = plain_value(node)
    if isinstance(value, (int, float)):
        return value / 1000 if value > _MILLISECONDS else float(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_MILLISECONDS = 100_000_000_000
"""Larger than any time in seconds that a trace can carry; so the figure is in milliseconds."""


def recorded_usage(beside: Mapping[str, Node]) -> Usage | None:
    """The usage recorded beside a request, or None when there is none that can be read."""
    for key in ("response_usage", "usage", "response"):
        node = beside.get(key)
        if node is None or node.kind != "object":
            continue
        value = plain_value(node)
        try:
            usage = read_usage(cast("dict[str, object]", value))
        except ValueError:
            continue
        if usage is not None:
            return usage
    return None


def judge(step: Step, warm_before: bool = False) -> TraceStep:
    """A step held against what was recorded for it.

    ``warm_before``: an earlier call of the trace read what nothing in the trace had written, so
    that more than the trace's own entries may be read.
    """
    call = step.call
    actual = call.observed
    reference = step.reference
    found: Divergence | None = None
    if step.outcome in ("partial", "miss") and reference is not None:
        found = (
            Divergence("/model", "parameter", reference.model, call.model)
            if reference.model != call.model
            else _divergence(reference, call)
        )
    outcome: Outcome | None = None
    agrees: bool | None = None
    warm = False
    note = ""
    cost: Decimal | None = None
    if actual is not None:
        outcome = _observed_outcome(step, actual)
        warm = bool(actual.read) and reference is None and step.outcome != "hit"
        warm = warm or (warm_before and actual.read > step.read.high)
        agrees = not warm and outcome == step.outcome and _within(step, actual)
        if warm:
            note = "The cache was already warm when the trace began."
        cost = _cost_of(call, actual)
    if call.chain.edited:
        note = note or (
            "By context editing old tool results are left out here, whose tokens are counted still."
        )
    if step.best_effort:
        note = note or (
            "This provider caches by itself and promises nothing: read is an upper bound."
        )
        if actual is not None:
            agrees = actual.read <= step.read.high
    return TraceStep(
        step=step,
        actual=actual,
        actual_cost=cost,
        actual_outcome=outcome,
        agrees=agrees,
        divergence=found,
        avoidable=_avoidable(step),
        warm=warm,
        note=note,
    )


def break_of(result: TraceStep) -> Break | None:
    """What a step lost of an earlier call of the same conversation to a change, or None.

    Requests that share no message (a batch of separate questions, each with the same instructions)
    are no conversation: there nothing was lost that could have been kept.
    """
    step = result.step
    reference = step.reference
    call = step.call
    if step.outcome not in ("partial", "miss") or reference is None or result.divergence is None:
        return None
    mine = _messages(call.request, call.chain)
    if not mine & _messages(reference.request, reference.chain):
        return None
    return Break(
        request=call.request,
        reference=reference.request,
        distance=call.index - reference.index,
        reason=step.reason or "unknown",
        divergence=result.divergence,
        lost=reference.prefix,
        kept=min(step.billed.read, reference.prefix.estimate),
    )


def _messages(request: Request, chain: Chain) -> set[bytes]:
    return {
        digest
        for digest, block in zip(chain.blocks, request.blocks, strict=True)
        if digest is not None and block.section == "messages"
    }


def _observed_outcome(step: Step, actual: Usage) -> Outcome:
    if not caches_anything(actual):
        return "miss" if step.best_effort and step.outcome == "miss" else "uncached"
    if not actual.read:
        return "miss"
    reference = step.reference
    if reference is None:
        return "hit"
    # All that the call before had cached: by its own record, else as far as the count can tell.
    whole = reference.cached
    if whole is None:
        whole = min(reference.prefix.low, step.call.plan.total.low)
    if step.outcome == "hit":
        whole = min(whole, step.read.low)
    return "hit" if actual.read >= whole else "partial"


def _within(step: Step, actual: Usage) -> bool:
    """Whether the recorded figures lie in the intervals of the predicted ones."""
    read = step.read
    if not read.low <= actual.read <= read.high:
        return False
    active = active_points(step.call)
    if not active:
        return True
    last = active[-1].prefix
    written = actual.write_5m + actual.write_1h
    return last.low <= actual.read + written <= last.high


def _cost_of(call: Call, actual: Usage) -> Decimal | None:
    analyzed = cast("Analyzed | None", call.priced)
    if analyzed is None or analyzed.model is None:
        return None
    try:
        return price_usage(
            actual,
            analyzed.model,
            analyzed.platform,
            region=analyzed.resolution.regional,
        ).total
    except (UnsupportedModifier, UnknownPrice):
        return None


def _avoidable(step: Step) -> Decimal:
    """USD that reading all that the reference had cached would have saved on this call."""
    call = step.call
    if step.reason is None or step.reason in KEEPS_REASONS or call.prices is None:
        return Decimal(0)
    reference = step.reference
    if reference is None or step.cost is None:
        return Decimal(0)
    active = active_points(call)
    could = min(reference.prefix.estimate, max((p.prefix.estimate for p in active), default=0))
    best = price(
        split(call.plan.total.estimate, [(p.prefix.estimate, p.ttl) for p in active], could),
        call.prices,
    )
    return max(Decimal(0), step.cost - best) if best is not None else Decimal(0)


def _add(summary: Summary, result: TraceStep) -> None:
    step = result.step
    summary.steps += 1
    if step.call.at is None:
        summary.without_times = True
    billed = step.billed
    read, total = billed.read, billed.total
    spent = step.cost
    output = 0
    if result.actual is not None:
        summary.with_usage += 1
        summary.agree += bool(result.agrees)
        summary.warm += result.warm
        read, total = result.actual.read, result.actual.total_input
        output = result.actual.output
        spent = result.actual_cost
    summary.hit_tokens += read
    summary.input_tokens += total
    prices = step.call.prices
    plain = price(Billed(0, 0, 0, total), prices) if prices is not None else None
    if spent is None or plain is None:
        summary.unpriced += 1
        return
    summary.spent += spent
    summary.without_cache += plain
    if output and prices is not None and prices.output is not None:
        summary.without_cache += prices.output * output / 1_000_000
    summary.avoidable += result.avoidable
