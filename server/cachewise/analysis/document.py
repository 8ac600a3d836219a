"""One document under analysis: text, trees, requests, and what is known of each request.

Everything that is worked out for a request is a function of its node, of what stands beside it and
of the options, and is kept on the node. So an edit costs what the edited block costs, and the
other requests of a file are not looked at again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cachewise.analysis.exact import keep_exact, with_exact
from cachewise.analysis.steps import Summary, TraceStep, break_of, replay_requests
from cachewise.analysis.suppression import is_suppressed
from cachewise.caching.conversation import links as conversation_links
from cachewise.caching.cost import Costs, request_costs
from cachewise.caching.plan import Plan, make_plan
from cachewise.catalog.model import Catalog, Model, Platform, Prices
from cachewise.catalog.prices import UnsupportedModifier, prices_for
from cachewise.catalog.resolve import Resolution, effective_minimum, resolve
from cachewise.request import lone_marker
from cachewise.request.destination import destination
from cachewise.request.find import find_requests, may_hold_requests
from cachewise.request.model import Found, Request
from cachewise.request.placeholder import is_placeholder
from cachewise.rules import RULES
from cachewise.rules.base import Context, Finding, Previous, Rule
from cachewise.settings import Settings
from cachewise.syntax.formats import is_source, read_regions, reread_regions
from cachewise.syntax.grammar import Trees
from cachewise.syntax.region import Region
from cachewise.syntax.tree import HOLE_CHARACTER, Comment, Node, holds
from cachewise.text import Text
from cachewise.tokens.structure import RequestCounts, count_request

MOST_REPLAYED = 200
"""How many requests of one document are compared with each other as one types."""


@dataclass(frozen=True, slots=True)
class Options:
    """What an analysis depends on besides the text. Compared by identity: make one and keep it."""

    catalog: Catalog
    settings: Settings
    today: date
    exact_tokens: bool = True
    """False: cold, big texts are first estimated, and counted later by ``Document.refine``."""
    model: str | None = None
    """A model id that stands for whatever a request names, to ask what another would cost."""


@dataclass(slots=True)
class Analyzed:
    """All that is known of one request. Offsets count from the request's start."""

    request: Request
    resolution: Resolution
    model: Model | None
    platform: Platform | None
    minimum: int | None
    prices: Prices | None
    counts: RequestCounts
    plan: Plan
    costs: Costs
    findings: tuple[Finding, ...]
    platform_guessed: bool = False
    """Whether the platform follows from how the body looks, and from nothing firmer."""


@dataclass(frozen=True, slots=True)
class Located:
    """An analysed request in its document: ``base`` is its offset, ``index`` its number from 0."""

    analyzed: Analyzed
    found: Found
    base: int
    index: int

    @property
    def end(self) -> int:
        """The document offset behind the request."""
        return self.base + self.analyzed.request.node.length


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding with the request it belongs to; ``start`` and ``end`` are document offsets."""

    finding: Finding
    located: Located

    @property
    def start(self) -> int:
        """Where the finding starts in the document."""
        return self.located.base + self.finding.start

    @property
    def end(self) -> int:
        """Where the finding ends in the document."""
        return self.located.base + self.finding.end


class Document:
    """A text, its format, and its analysis, kept up to date edit by edit.

    ``path`` serves settings by file name; ``format`` is one of ``syntax.formats.FORMATS``.
    """

    def __init__(self, source: str, format: str, options: Options, path: str = "") -> None:
        self.text = Text(source)
        self.format = format
        self.path = path
        self.options = options
        self.version = 0
        self._source: str | None = source
        self._regions: list[Region] | None = None
        self._earlier: list[Region] | None = None
        self._changed: tuple[int, int, int] | None = None
        """Where the text differs from what ``_earlier`` was read of: (start, old end, new end)."""
        self._trees = Trees()
        self._found: list[Found] | None = None
        self._located: list[Located] | None = None
        self._relevant: bool | None = None
        self._outer_comments: tuple[tuple[Comment, int], ...] | None = None
        self._steps: Sequence[TraceStep] | None = None

    def edit(self, start: int, end: int, new: str) -> None:
        """Replace the characters between two offsets."""
        self.version += 1
        regions = self._regions
        self.text.edit(start, end, new)
        self._source = None
        self._found = None
        self._located = None
        self._steps = None
        self._outer_comments = None
        if regions is not None:
            self._regions = reread_regions(self.format, regions, self.text, start, end, len(new))
            if self._regions is None:
                self._earlier = regions
                self._changed = (start, end, start + len(new))
        elif self._changed is not None:
            first, old_end, new_end = self._changed
            last = max(new_end, end)
            self._changed = (
                min(first, start),
                old_end + last - new_end,
                last + len(new) - (end - start),
            )
        if not self._relevant:
            self._relevant = None

    def replace(self, source: str) -> None:
        """Take a whole new text, as a client without incremental changes sends it."""
        self.version += 1
        self.text = Text(source)
        self._source = source
        self._earlier = self._regions or self._earlier
        self._changed = None
        self._regions = None
        self._found = None
        self._located = None
        self._steps = None
        self._outer_comments = None
        self._relevant = None

    def set_options(self, options: Options) -> None:
        """Judge the same text by other options."""
        self.options = options
        self._located = None
        self._steps = None

    @property
    def relevant(self) -> bool:
        """Whether the document may hold a request at all, by a cheap look at its text."""
        if self._relevant is None:
            self._relevant = may_hold_requests(self._whole(), self.format)
        return self._relevant

    @property
    def found(self) -> list[Found]:
        """The requests of the document, in the order of the text."""
        if self._found is None:
            if not self.relevant:
                self._found = []
            else:
                if self._regions is None:
                    self._regions = read_regions(
                        self.format, self._whole(), self._earlier, self._changed, self._trees
                    )
                    self._earlier = self._changed = None
                self._found = [
                    found
                    for region in self._regions
                    if region.node is not None
                    for found in find_requests(
                        region.node,
                        region.start,
                        region.shape,
                        region.beside,
                        region.headers_start,
                    )
                ]
        return self._found

    @property
    def regions(self) -> list[Region]:
        """The values of the text in order; none when no request can be in there."""
        _ = self.found  # reads the text when that has not been done yet
        return self._regions or []

    @property
    def requests(self) -> list[Located]:
        """The requests with everything known of each."""
        if self._located is None:
            # Requests in source code stand in the order of the text, not in that of a conversation.
            links = [-1] * len(self.found)
            if not is_source(self.format):
                links = conversation_links([found.request for found in self.found])
            followed = set(links)
            located: list[Located] = []
            for index, (found, link) in enumerate(zip(self.found, links, strict=True)):
                previous = None
                if link >= 0:
                    earlier = located[link].analyzed
                    previous = Previous(earlier.request, earlier.plan, index - link)
                analyzed = self._analyzed(found, previous, index in followed)
                located.append(Located(analyzed, found, found.base, index))
            self._located = located
        return self._located

    def request_at(self, offset: int) -> Located | None:
        """The request whose source holds an offset, or None.

        In source code that is also one which uses by name what stands there.
        """
        requests = self.requests
        index = bisect_right(requests, offset, key=lambda located: located.base) - 1
        if index >= 0 and offset <= requests[index].end:
            return requests[index]
        if is_source(self.format):
            for located in requests:
                if holds(located.analyzed.request.node, offset - located.base):
                    return located
        return None

    def findings(self) -> list[LocatedFinding]:
        """What the rules say, in the order of the text, without what the user has silenced."""
        across = self._across()
        found = [
            LocatedFinding(finding, located)
            for located in self.requests
            for finding in (*located.analyzed.findings, *across.get(located.index, ()))
            if not is_suppressed(self, located, finding)
        ]
        if not is_source(self.format):
            return found
        # Several requests may use the same constant: what is wrong there is said once.
        once = {(one.finding.code, one.start, one.end): one for one in reversed(found)}
        return sorted(once.values(), key=lambda one: (one.start, one.end))

    @property
    def steps(self) -> Sequence[TraceStep]:
        """The requests replayed one after the other; none when there is but one, or too many.

        More than ``MOST_REPLAYED`` are a recording, for the command that streams it.
        """
        if self._steps is None:
            requests = self.requests
            self._steps = ()
            if 1 < len(requests) <= MOST_REPLAYED and not is_source(self.format):
                self._steps = tuple(replay_requests(requests, self.options, Summary()))
        return self._steps

    def _across(self) -> Mapping[int, list[Finding]]:
        """What the rules say about requests that lost the cache of an earlier one, by request."""
        found: dict[int, list[Finding]] = {}
        for step in self.steps:
            broken = break_of(step)
            if broken is None:
                continue
            for rule in _chosen(RULES, self.options.settings):
                if rule.check_break is not None:
                    found.setdefault(step.step.call.index, []).extend(rule.check_break(broken))
        return found

    def comments_around(self, base: int) -> tuple[tuple[Comment, int], ...]:
        """The comments outside of the value that holds an offset, each with its document offset."""
        if self._outer_comments is None:
            self._outer_comments = tuple(
                (comment, comment.start)
                for region in self._regions or []
                for comment in region.comments
            )
        return self._outer_comments

    def region_at(self, offset: int) -> Region | None:
        """The region whose source holds an offset, or None."""
        regions = self._regions or []
        index = bisect_right(regions, offset, key=lambda region: region.start) - 1
        return regions[index] if index >= 0 and offset <= regions[index].end else None

    def read(self, start: int, end: int) -> str:
        """The source between two document offsets."""
        return self.text.slice(start, end)

    def refine(self) -> Iterator[None]:
        """Count, slice by slice, the texts that were only estimated.

        Each step takes a few milliseconds. The estimates are forgotten at the end. Where nothing
        is left to count, code that does not parse is read from scratch, in one step.
        """
        if self.unsettled:
            self._trees.forget()
            self._earlier, self._regions = self._regions, None
            self._found = self._located = self._steps = self._outer_comments = None
            return
        for located in self.requests:
            if not located.analyzed.counts.complete:
                yield from located.analyzed.counts.refine()
                memo = located.analyzed.request.node.memo
                if memo is not None:
                    memo.pop(_KEY, None)
        self._located = None
        self._steps = None

    def set_exact(self, located: Located, tokens: int, host: str) -> None:
        """Take the provider's own count of a request; it holds until that request is edited."""
        node = located.found.request.node
        keep_exact(node, tokens, host)
        if node.memo is not None:
            node.memo.pop(_KEY, None)
        self._located = None
        self._steps = None

    @property
    def complete(self) -> bool:
        """Whether everything shown is the best that can be had offline, see ``refine``."""
        return self._counted and self._trees.settled

    @property
    def unsettled(self) -> bool:
        """Whether all that is left for ``refine`` is to read the text from scratch.

        Until then what is shown of code that does not parse was read with what is left of an
        earlier tree, and in rare cases differs, see ``Trees.settled``.
        """
        return self._counted and not self._trees.settled

    @property
    def _counted(self) -> bool:
        return all(located.analyzed.counts.complete for located in self.requests)

    def _whole(self) -> str:
        if self._source is None:
            self._source = str(self.text)
        return self._source

    def _analyzed(self, found: Found, previous: Previous | None, followed: bool) -> Analyzed:
        node = found.request.node
        memo = node.memo
        if memo is None:
            memo = node.memo = {}
        known: tuple[Options, Mapping[str, Node], object, Analyzed] | None = memo.get(_KEY)
        around = (found.headers_start, followed, _seen_of(previous))
        if (
            known is not None
            and known[0] is self.options
            and known[1] == found.beside
            and known[2] == around
        ):
            return known[3]
        base = found.base
        analyzed = analyze(
            found,
            self.options,
            self.format,
            lambda start, end: self.text.slice(base + start, base + end),
            previous=previous,
            followed=followed,
        )
        memo[_KEY] = (self.options, found.beside, around, analyzed)
        return analyzed


_KEY = "analyzed"


def _seen_of(previous: Previous | None) -> object:
    """What the analysis of a request depends on in the one that it goes on from.

    Not its whole plan: that one's own predecessor may change without any effect here.
    """
    if previous is None:
        return None
    points = previous.plan.breakpoints
    written = tuple((point.block, point.effective) for point in points)
    return previous.request.node, previous.distance, written


def analyze(
    found: Found,
    options: Options,
    format: str,
    read: Callable[[int, int], str],
    rules: Sequence[Rule] = RULES,
    *,
    previous: Previous | None = None,
    followed: bool = False,
) -> Analyzed:
    """Everything about one request: plan, costs, and the findings of ``rules``.

    ``previous`` is the earlier request of the document that it goes on from; ``followed``: a later
    one goes on from it.
    """
    request = found.request
    catalog = options.catalog
    settings = options.settings
    target = destination(catalog, found, settings.platform or settings.provider)
    written = options.model or target.model or settings.model
    hint = target.platform
    if hint is None and _names_no_model(written) and request.provider in catalog.platforms:
        # Nothing says where this goes: then it goes where bodies of its shape are at home.
        hint = request.provider
    resolution = resolve(catalog, written, hint)
    model = resolution.model
    platform = catalog.platforms.get(resolution.platform)
    minimum = effective_minimum(model, resolution.platform) if model is not None else None
    counts = count_request(request, model, exact=options.exact_tokens)
    counts = with_exact(counts, request.node)
    plan = make_plan(
        request,
        counts.prefixes,
        counts.total,
        model=model,
        platform=platform,
        minimum=minimum,
    )
    prices = _prices(found, model, platform, resolution, counts, options.today)
    costs = request_costs(plan, prices)
    context = Context(
        found=found,
        request=request,
        plan=plan,
        costs=costs,
        catalog=catalog,
        resolution=resolution,
        model=model,
        platform=platform,
        prices=prices,
        minimum=minimum,
        today=options.today,
        traffic=settings.traffic,
        auth=settings.auth,
        format=format,
        read=read,
        previous=previous,
        followed=followed,
    )
    return Analyzed(
        request=request,
        resolution=resolution,
        model=model,
        platform=platform,
        minimum=minimum,
        prices=prices,
        counts=counts,
        plan=plan,
        costs=costs,
        findings=tuple(_run_rules(context, settings, rules)),
        platform_guessed=target.guessed,
    )


def _names_no_model(written: str | None) -> bool:
    """Whether the model is still to be typed, or only a placeholder for one."""
    return written is None or is_placeholder(written) or HOLE_CHARACTER in written


def _prices(
    found: Found,
    model: Model | None,
    platform: Platform | None,
    resolution: Resolution,
    counts: RequestCounts,
    today: date,
) -> Prices | None:
    """The prices of this very request, or None when the model or a modifier has none."""
    if model is None:
        return None
    request = found.request
    try:
        return prices_for(
            model,
            platform=platform,
            region=resolution.regional,
            total_input_tokens=counts.total.estimate,
            batch="custom_id" in found.beside,
            geo=request.params_text("inference_geo"),
            speed=request.params_text("speed"),
            today=today,
        )
    except UnsupportedModifier:
        return None


def _run_rules(context: Context, settings: Settings, rules: Sequence[Rule]) -> Iterator[Finding]:
    lone = context.request.shape == lone_marker.SHAPE
    for rule in _chosen(rules, settings):
        if not lone or rule.code == lone_marker.JUDGED_BY:
            yield from rule.check(context)


def _chosen(rules: Sequence[Rule], settings: Settings) -> Iterator[Rule]:
    """The rules that the settings ask for."""
    selected = set(settings.select)
    ignored = set(settings.ignore)
    for rule in rules:
        names = {rule.code, rule.name}
        if (not selected or names & selected) and not names & ignored:
            yield rule
