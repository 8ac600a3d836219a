"""The running token count of a request: what its prefix is worth at the end of every block.

A request adds to its texts: a frame around each message, hidden instructions for tools, thinking
and structured answers, tags around calls and results. :func:`count_request` puts each of these
where it falls in the order of the prefix, because a breakpoint is measured by what stands before
it: the tool prompt with the tools; what ``tool_choice``, thinking and formats add, behind the
system prompt (changing them leaves the cached system prompt valid); the frame's end behind all.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, takewhile
from math import ceil, floor
from operator import attrgetter
from typing import Any, Literal, cast, overload

from cachewise.catalog.model import Model
from cachewise.request.model import Block, Request, Unit
from cachewise.request.placeholder import has_unknown_length
from cachewise.syntax.tree import HOLE_CHARACTER, Node, plain_value
from cachewise.tokens.blocks import (
    CALLS,
    DOCUMENTS,
    IMAGES,
    RESULTS,
    Place,
    Recipe,
    Settings,
    call_form,
    call_parts,
    constants,
    dump,
    forced_name,
    recipe,
    tool_definition,
)
from cachewise.tokens.count import (
    FAST,
    NEWEST_FAMILY,
    Count,
    count_steps,
    count_text,
    fast_count,
    is_ready,
    is_warm,
)

AT_ONCE = 20_000
"""Characters of new source that are counted where an answer is wanted at once: some 10 ms."""

ESTIMATED_AT_ONCE = 5_000
"""Microseconds that may go into estimates then; what is left is taken at a flat rate."""


_EDGE = 64
"""Characters of two texts that are looked at where one goes on from the other."""


class Prefixes(Sequence[Count]):
    """The running counts of a request, one a block; each ``Count`` is made when it is looked at."""

    __slots__ = ("_estimates", "_highs", "_lows", "_method")

    def __init__(
        self,
        estimates: list[float],
        lows: list[float],
        highs: list[float],
        method: str,
        earlier: tuple[Prefixes, int] | None = None,
    ) -> None:
        """``earlier``: other running counts, and how many blocks they have in common with these."""
        known, count = earlier or (None, 0)
        self._estimates = _sums(estimates, known._estimates if known else [], count)
        self._lows = _sums(lows, known._lows if known else [], count)
        self._highs = _sums(highs, known._highs if known else [], count)
        self._method = method

    def last(self) -> tuple[float, float, float]:
        """The sums behind the last block, not rounded."""
        if not self._estimates:
            return 0.0, 0.0, 0.0
        return self._estimates[-1], self._lows[-1], self._highs[-1]

    def __len__(self) -> int:
        return len(self._estimates)

    @overload
    def __getitem__(self, index: int) -> Count: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Count]: ...
    def __getitem__(self, index: int | slice) -> Count | Sequence[Count]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return _count(self._estimates[index], self._lows[index], self._highs[index], self._method)


def _sums(values: list[float], known: list[float], count: int) -> list[float]:
    """The running sums of values, the first ``count`` of which are known."""
    if not count:
        return list(accumulate(values))
    sums = known[: count - 1]
    sums += accumulate(values[count:], initial=known[count - 1])
    return sums


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """The running counts of one request.

    ``prefixes[n]`` is what the prefix holds up to and including block ``n``. ``complete`` is False
    while estimates stand in for texts that are counted by :meth:`refine`. ``notes`` say why an
    interval is wide; ``unknown`` are the blocks with a placeholder, whose length is not known.
    """

    prefixes: Sequence[Count]
    total: Count
    complete: bool = True
    notes: tuple[str, ...] = ()
    unknown: tuple[int, ...] = ()
    steps: Callable[[], Iterator[None]] | None = None

    def refine(self) -> Iterator[None]:
        """Count what is estimated so far, a few milliseconds a step; then ask for counts again."""
        if self.steps is not None:
            yield from self.steps()


def count_request(request: Request, model: Model | None, *, exact: bool = True) -> RequestCounts:
    """The running counts of a request for a model; None: the provider's newest, with a note.

    With ``exact`` False the answer comes within milliseconds: while a vocabulary is not loaded, and
    for more new text than can be counted at once, estimates stand in, and ``complete`` is False.
    """
    run = _Run(request, model, settings_for(request, model), exact)
    run.add_all()
    return run.result()


def settings_for(request: Request, model: Model | None) -> Settings:
    """What of the model (or of the request's provider, when it is not known) tokens depend on."""
    if model is None:
        family = _FAMILY_OF_PROVIDER.get(request.provider, NEWEST_FAMILY)
        tier = "high" if family == NEWEST_FAMILY else "standard"
        return Settings(family=family, tier=tier)
    name = _undated(model.id)
    image: Mapping[str, Any] = constants()["image"]
    return Settings(
        family=model.family,
        model=name,
        tier=model.image_tier or "standard",
        patch=27 if name.startswith(tuple(image["patch_27"])) else 28,
        keeps_thinking=None if model.thinking is None else model.thinking == "keep",
    )


_FAMILY_OF_PROVIDER = {
    "anthropic": NEWEST_FAMILY,
    "openai": "o200k",
    "alibaba": "qwen3.6",
    "google": "gemini",
}


@dataclass(slots=True)
class _Unit:
    """What one entry of tools, system or messages adds by itself; kept on its node.

    ``calls`` are tool names by the id of the call, ``results`` how many tool results there are,
    ``opening`` tokens fewer when the entry goes on from results instead of opening a turn,
    ``unknown`` the indexes of blocks of unknown length; ``head`` and ``tail`` are how its first and
    last block begin and end, where those are texts.
    """

    estimates: list[float] = field(default_factory=list[float])
    lows: list[float] = field(default_factory=list[float])
    highs: list[float] = field(default_factory=list[float])
    fast: bool = False
    notes: tuple[str, ...] = ()
    calls: Mapping[str, str] = field(default_factory=dict[str, str])
    results: int = 0
    opening: float = 0
    unknown: tuple[int, ...] = ()
    head: str = ""
    tail: str = ""
    plain: bool = False
    """Whether it adds its counts and nothing else."""


@dataclass(slots=True)
class _Sum:
    """Tokens that fall between two blocks."""

    estimate: float = 0
    low: float = 0
    high: float = 0

    def add(self, tokens: float, less: float = 0, more: float = 0) -> None:
        """Some more of them, and how far they may be off."""
        self.estimate += tokens
        self.low += tokens - less
        self.high += tokens + more

    def add_count(self, count: Count, tokens: float, less: float, more: float) -> None:
        """A counted text, and tokens around it."""
        self.estimate += count.estimate + tokens
        self.low += count.low + tokens - less
        self.high += count.high + tokens + more


_EntryKind = Literal["note", "unknown", "pending", "fast", "calls", "several results"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something to say of a unit: a note, the place of a block of unknown length in it, ..."""

    unit: int
    kind: _EntryKind
    value: Any


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a run stood before a unit: its index, the blocks before it, and the run's state."""

    unit: int
    blocks: int
    state: tuple[Any, ...]


_unit_of = attrgetter("unit")


def _until(entries: list[_Entry], unit: int) -> list[_Entry]:
    """The entries about the units before one."""
    return entries[: bisect_left(entries, unit, key=_unit_of)]


_STRIDE = 64
"""Units from one stage to the next."""

_STATE_NAMES = (
    "section",
    "role",
    "messages",
    "has_tools",
    "has_system",
    "system_start",
    "system_newline",
    "tail",
    "after_results",
    "thinking_placed",
    "calls_placed",
)
_STATE = attrgetter(*_STATE_NAMES)

_RUN = "token run"


@dataclass(slots=True)
class _Run:
    """One pass over the units of a request."""

    request: Request
    model: Model | None
    settings: Settings
    exact: bool
    estimates: list[float] = field(default_factory=list[float])
    lows: list[float] = field(default_factory=list[float])
    highs: list[float] = field(default_factory=list[float])
    carry: _Sum = field(default_factory=lambda: _Sum())
    """What falls between the last block and the next."""
    closing: _Sum = field(default_factory=lambda: _Sum())
    """What falls behind the last message."""
    log: list[_Entry] = field(default_factory=list[_Entry])
    """What there is to say of single units, in their order."""
    stages: list[_Stage] = field(default_factory=list[_Stage])
    last: tuple[Any, ...] = ()
    """The state behind the last unit."""
    calls: list[_Entry] = field(default_factory=list[_Entry])
    """The tools that each unit calls, by the id of the call."""
    names: dict[str, str] | None = None
    """All of them together, once a name has been asked for."""
    number: int = 0
    """The index of the unit that is being added."""
    prefixes: Prefixes | None = None
    common: tuple[Prefixes, int] | None = None
    """The running counts of an earlier run, and how many blocks of them are these ones too."""
    section: str = ""
    role: str = ""
    keys: Mapping[str, str] = field(init=False)
    frame: Mapping[str, Any] = field(init=False)
    result_after: float = field(init=False)
    messages: bool = False
    has_tools: bool = False
    system_start: str = ""
    system_newline: float = 0
    tail: str = ""
    has_system: bool = False
    after_results: bool = False
    thinking_placed: bool = False
    calls_placed: bool = False
    at_once: int = AT_ONCE
    estimated_at_once: float = ESTIMATED_AT_ONCE
    sampled: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Characters of source estimated so far, and the tokens found in them."""

    def __post_init__(self) -> None:
        settings = self.settings
        # One string is hashed once; a node's memo is asked with it for every unit on every key.
        self.keys = {name: f"tokens {name} {settings}" for name in ("tools", "system", "messages")}
        self.frame = _frame(settings)
        self.result_after = call_form(settings).get("result_after", 0)

    def add_all(self) -> None:
        """Add all entries; what an edit has left alone counts as it did before.

        After an edit the run begins at the last stage in front of it. It is over once it comes to
        a stage behind the edit in the same state as the earlier run: from there on both add the
        same.
        """
        request = self.request
        count = len(request.units)
        earlier = self.comparable()
        meeting: list[int] = []
        if earlier is not None and request.earlier is not None:
            before, front, back = request.earlier
            self.resume(earlier, front)
            moved = count - len(before.units)
            meeting = [stage.unit + moved for stage in earlier.stages]
            meeting = meeting[bisect_left(meeting, count - back) :]
        while self.number < count:
            if earlier is not None and self.number in meeting[:1] and self.joins(earlier):
                break
            meeting = meeting[bisect_right(meeting, self.number) :]
            self.stages.append(_Stage(self.number, len(self.estimates), self.state()))
            end = min(self.number + _STRIDE, count, *meeting[:1])
            self.add_units(request.units[self.number : end])
        self.number = count
        self.last = self.state()
        request.memo[_RUN] = self

    def comparable(self) -> _Run | None:
        """The run over the request before an edit, where what both share counts the same."""
        request = self.request
        if request.earlier is None:
            return None
        earlier, front, back = request.earlier
        run: _Run | None = earlier.memo.get(_RUN)
        if run is None or run.settings != self.settings or run.model is not self.model:
            return None
        if self.exact and any(entry.kind == "pending" for entry in run.log):
            return None
        if earlier.params.keys() != request.params.keys() or any(
            node is not earlier.params[name][0] for name, (node, _) in request.params.items()
        ):
            return None
        # What stands in front of the tools depends on all of them.
        edited = earlier.units[front : len(earlier.units) - back]
        edited += request.units[front : len(request.units) - back]
        return None if any(_in_tools(unit) for unit in edited) else run

    def resume(self, earlier: _Run, front: int) -> None:
        """Begin at the last stage of an earlier run that unit ``front`` does not come before."""
        index = bisect_right(earlier.stages, front, key=_unit_of) - 1
        if index < 0:
            return
        stage = earlier.stages[index]
        self.stages = earlier.stages[:index]
        self.number = stage.unit
        self.set_state(stage.state)
        self.estimates += earlier.estimates[: stage.blocks]
        self.lows += earlier.lows[: stage.blocks]
        self.highs += earlier.highs[: stage.blocks]
        if earlier.prefixes is not None:
            self.common = (earlier.prefixes, stage.blocks)
        self.log = _until(earlier.log, stage.unit)
        self.calls = _until(earlier.calls, stage.unit)

    def joins(self, earlier: _Run) -> bool:
        """Take over the rest of an earlier run, if from this stage on both add the same."""
        old_count = len(earlier.request.units)
        moved = len(self.request.units) - old_count
        index = bisect_left(earlier.stages, self.number - moved, key=_unit_of)
        stage = earlier.stages[index]
        if stage.state != self.state():
            return False
        rest = _until(earlier.log, old_count)[len(_until(earlier.log, stage.unit)) :]
        called = _until(earlier.calls, stage.unit)
        by_name = any(entry.kind == "several results" for entry in rest)
        # What several results add depends on the names of the tools called before.
        if by_name and [one.value for one in called] != [one.value for one in self.calls]:
            return False
        calls = earlier.calls[len(called) :]
        more = len(self.estimates) - stage.blocks
        stages = earlier.stages[index:]
        if moved or more:
            stages = [_Stage(at.unit + moved, at.blocks + more, at.state) for at in stages]
            rest = [_Entry(entry.unit + moved, entry.kind, entry.value) for entry in rest]
            calls = [_Entry(entry.unit + moved, entry.kind, entry.value) for entry in calls]
        self.stages += stages
        self.calls += calls
        self.names = None
        self.log += rest
        self.estimates += earlier.estimates[stage.blocks :]
        self.lows += earlier.lows[stage.blocks :]
        self.highs += earlier.highs[stage.blocks :]
        self.set_state(earlier.last)
        return True

    def state(self) -> tuple[Any, ...]:
        """All of this run that what later units add depends on, but for the names of tools."""
        carry, closing = self.carry, self.closing
        return (
            (carry.estimate, carry.low, carry.high),
            (closing.estimate, closing.low, closing.high),
            *_STATE(self),
        )

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Go on in a state that was taken before."""
        self.carry, self.closing = _Sum(*state[0]), _Sum(*state[1])
        for name, value in zip(_STATE_NAMES, state[2:], strict=True):
            setattr(self, name, value)

    def say(self, kind: _EntryKind, value: Any = None) -> None:
        """Note something about the unit that is being added."""
        self.log.append(_Entry(self.number, kind, value))

    def said(self, kind: _EntryKind) -> Iterator[_Entry]:
        """What was noted of one kind."""
        return (entry for entry in self.log if entry.kind == kind)

    def add_units(self, units: Sequence[Unit]) -> None:
        """Add entries; a message that is known and holds nothing but texts takes a short way."""
        estimates, lows, highs = self.estimates, self.lows, self.highs
        key, each = self.keys["messages"], self.frame["each"]
        for unit in units:
            memo = unit.node.memo
            counted: _Unit | None = memo.get(key) if memo is not None else None
            role = unit.role
            if (
                counted is None
                or not counted.plain
                or not self.messages
                or self.after_results
                or role in _TURNS
            ):
                self.add_unit(unit)
                self.number += 1
                continue
            self.number += 1
            if role != self.role:
                self.carry.add(each)
                self.role = role
            first = len(estimates)
            estimates += counted.estimates
            lows += counted.lows
            highs += counted.highs
            carry = self.carry
            if carry.estimate or carry.low or carry.high:
                estimates[first] += carry.estimate
                lows[first] += carry.low
                highs[first] += carry.high
                carry.estimate = carry.low = carry.high = 0

    def add_unit(self, unit: Unit) -> None:
        """Add one entry, and before it what falls between it and the one before."""
        blocks = unit.blocks
        if not blocks:
            return
        section = blocks[0].section
        if section != self.section:
            self.enter(section)
        counted = self.counted(unit)
        if self.system_newline:
            # Only a prefix that ends here has these tokens.
            self.add(-self.system_newline)
            self.system_newline = 0
        if section == "messages":
            role = _TURNS.get(unit.role, unit.role)
            if self.after_results:
                self.add(self.result_after)
            if role != self.role:
                self.add(self.frame["each"] + (0 if self.messages else self.frame["first"]))
                self.messages = True
                self.role = role
            if self.after_results and role == "assistant":
                self.add(-counted.opening)
            self.after_results = counted.results > 0
            if counted.calls:
                self.calls.append(_Entry(self.number, "calls", counted.calls))
                if self.names is not None:
                    self.names.update(counted.calls)
                if not self.has_tools and self.settings.claude:
                    self.without_tools()
        elif section == "system":
            self.has_system = True
            self.system_start = self.system_start or counted.head[:1]
            if self.tail and counted.head:
                self.add(self.joint(self.tail, counted.head))
            self.tail = counted.tail
            if counted.tail[-1:] == "\n" and self.settings.claude:
                self.system_newline = constants()["system"]["newline"]
        first = len(self.estimates)
        self.estimates += counted.estimates
        self.lows += counted.lows
        self.highs += counted.highs
        carry = self.carry
        if carry.estimate or carry.low or carry.high:
            self.estimates[first] += carry.estimate
            self.lows[first] += carry.low
            self.highs[first] += carry.high
            self.carry = _Sum()
        if self.system_newline:
            for values in (self.estimates, self.lows, self.highs):
                values[-1] += self.system_newline
        if counted.fast:
            self.say("fast")
        if counted.results > 1:
            self.say("several results")
        for note in counted.notes:
            self.say("note", note)
        for block in counted.unknown:
            self.say("unknown", block)

    def add(self, tokens: float, less: float = 0, more: float = 0) -> None:
        """Tokens that belong to whatever block comes next."""
        self.carry.add(tokens, less, more)

    def enter(self, section: str) -> None:
        """Start a section, with the hidden text that stands before it."""
        if section == "tools":
            self.has_tools = True
            self.tool_prompt()
        elif section == "system":
            self.before_system()
        elif section == "messages":
            self.before_messages()
        self.section = section

    def tool_prompt(self) -> None:
        """The hidden instructions that come with tool definitions."""
        if not self.settings.claude:
            self.add(0, 0, 60)
            return
        self.hosted()
        own = [_is_custom(unit.node) for unit in takewhile(_in_tools, self.request.units)]
        if not any(own):
            # A hosted tool's own figure holds the instructions too.
            return
        hidden = self.hidden_prompt()
        if hidden is None:
            auto, _, less, more = self.unknown_prompt()
            self.add(auto, less, more)
            self.say("note", "the hidden tool prompt of this model is not known")
        else:
            self.add(hidden[0], 2 if all(own) else hidden[0], 2)

    def unknown_prompt(self) -> tuple[float, float, float, float]:
        """The hidden prompt taken for a model without a recorded one."""
        table: Mapping[str, Any] = constants()["tools"]["unknown_prompt"]
        return table.get(self.settings.family) or table[NEWEST_FAMILY]

    def before_system(self) -> None:
        """What thinking with a budget puts in front of the system prompt; once a request."""
        if self.thinking_placed or thinking_mode(self.request) != "enabled":
            return
        self.thinking_placed = True
        before, _, closing = self.budget()
        if before or closing:
            data: Mapping[str, Any] = constants()["thinking"]
            self.add(before, data["budget_less"], data["budget_more"])
            self.closing.add(closing)

    def budget(self) -> tuple[int, int, int]:
        """Tokens for thinking: before the system prompt, behind it, behind the last message."""
        table: Mapping[str, Any] = constants()["thinking"]["budget"]
        return table.get(self.settings.model) or table.get(self.settings.family) or (0, 0, 0)

    def before_messages(self) -> None:
        """What stands between the system prompt and the first message."""
        settings = self.settings
        if not settings.claude:
            self.answer_format()
            return
        family, name = settings.family, settings.model
        for parameter in ("mcp_servers", "container"):
            if self.request.param(parameter) is not None:
                self.add(0, 0, constants()["server_tools"]["named_elsewhere"])
                self.say("note", f"{parameter} brings tools or texts that the request only names")
        if self.has_system:
            data: Mapping[str, Any] = constants()["system"]
            after: Mapping[str, int] = data["after_with_tools" if self.has_tools else "after"]
            tokens = data["model_after"].get(name, after.get(family, 1))
            if family == "claude-v4.8" and self.system_start == "\n":
                tokens = 0
            self.add(tokens)
        if self.has_tools:
            self.tool_choice()
        self.before_system()
        mode = thinking_mode(self.request)
        if mode == "adaptive" and not self.has_tools:
            self.add(constants()["thinking"]["adaptive"].get(name, 0))
        elif mode == "enabled":
            _, behind, _ = self.budget()
            self.add(behind)
        self.answer_format()

    def tool_choice(self) -> None:
        """What a choice other than ``auto`` changes in the hidden prompt, and opens at the end."""
        choice = tool_choice(self.request)
        kind = choice.get("type", "auto")
        data: Mapping[str, Any] = constants()["tools"]
        if kind in ("any", "tool"):
            hidden = self.hidden_prompt()
            auto, forced, *_ = hidden or self.unknown_prompt()
            opened = data["opened"].get(self.settings.family, 0)
            self.add(forced - auto - opened, 0, 0 if hidden else 40)
            self.closing.add(opened)
        if kind == "tool" and (name := forced_name(choice)):
            self.closing.add_count(self.text(name), data["forced"], 0, data["forced_more"])
        if choice.get("disable_parallel_tool_use") is True:
            self.add(data["no_parallel"].get(self.settings.model, 0), 0, 2)

    def hosted(self) -> None:
        """What a call may bill on top of its prompt because tools run on the provider's side."""
        data: Mapping[str, Any] = constants()["server_tools"]
        tools = takewhile(_in_tools, self.request.units)
        kinds = [unit.node.get_text("type") or "" for unit in tools]
        if any(kind.startswith(tuple(data["searching"])) for kind in kinds):
            self.closing.add(0, 0, data["billed_on_top"])

    def hidden_prompt(self) -> tuple[int, int] | None:
        """The model's hidden tool prompt, with ``auto`` and with a forced tool, where known."""
        if self.model is not None and self.model.tool_prompt is not None:
            return self.model.tool_prompt
        return constants()["tools"]["model_prompt"].get(self.settings.model)

    def answer_format(self) -> None:
        """A JSON schema that the answer must follow is written into the prompt."""
        schema = answer_schema(self.request)
        if schema is None:
            return
        settings, data = self.settings, constants()["structured"]
        if settings.claude:
            count = self.text(dump_indented(schema))
            family = settings.family if settings.family in data["around"] else NEWEST_FAMILY
            self.carry.add_count(
                count, data["around"][family], data["less"][family], data["more"][family]
            )
            alone = (
                not self.has_system and settings.model not in constants()["system"]["model_after"]
            )
            if alone and family == "claude-v3" and (self.has_tools or self.thinking_placed):
                self.add(data["system"])
        else:
            count = self.text(dump(schema))
            self.carry.add_count(count, 20, count.estimate * 0.5 + 20, count.estimate * 0.5 + 60)
            self.say("note", "how this provider writes an answer's schema is not published")

    def without_tools(self) -> None:
        """Calls in the history of a request that defines no tools bring some instructions too."""
        if self.calls_placed:
            return
        self.calls_placed = True
        data = constants()["calls"]["without_tools"]
        self.add(data["tokens"], data["less"], data["more"])
        self.say("note", "the history calls tools that the request does not define")

    def text(self, text: str) -> Count:
        """One text's count, or an estimate while the vocabulary is not loaded."""
        family = self.settings.family
        if self.exact or is_ready(family) or is_warm(text, family):
            return count_text(text, family)
        return fast_count(text, family)

    def counted(self, unit: Unit) -> _Unit:
        """What a unit adds by itself, from memory where its source is the same."""
        node = unit.node
        memo = node.memo
        if memo is None:
            memo = node.memo = {}
        key = self.keys[unit.blocks[0].section]
        known: _Unit | None = memo.get(key)
        names: tuple[str, ...] = ()
        if known is not None:
            if known.results < 2:
                return known
            names = self.result_names(unit)
            known = memo.get((key, names))
            if known is not None:
                return known
        if not self.exact:
            if node.length > self.at_once or not is_ready(self.settings.family):
                self.say("pending", unit)
                return self.rough(unit)
            self.at_once -= node.length
        known = self.make(unit, names or self.result_names(unit))
        memo[key] = known
        if known.results > 1:
            memo[key, names] = known
        return known

    def rough(self, unit: Unit) -> _Unit:
        """A unit for which there is no time: each block is estimated, or taken at a flat rate."""
        made = _Unit()
        made.fast = True
        made.results = sum(block.kind in RESULTS for block in unit.blocks)
        for block in unit.blocks:
            low = estimate = high = 0.0
            heavy = block.kind in DOCUMENTS
            if self.estimated_at_once > 0 and not heavy:
                part = recipe(block.kind, plain_value(block.node), self.settings, Place())
                counts = [fast_count(text, self.settings.family) for text in part.texts]
                estimate = sum(count.estimate for count in counts) + part.tokens
                low = sum(count.low for count in counts) + part.tokens - part.less
                high = sum(count.high for count in counts) + part.tokens + part.more
                self.estimated_at_once -= (
                    40 + sum(min(len(text), 33_000) for text in part.texts) / 40
                )
                if block.kind == "text":
                    self.sampled[0] += block.length
                    self.sampled[1] += estimate
            else:
                characters, tokens = self.sampled
                rate = tokens / characters if characters else 0.3
                size = block.length / 25 if heavy or block.kind in IMAGES else block.length
                estimate = size * rate
                low, high = estimate * 0.5, estimate * 1.6 + 5
            made.estimates.append(estimate)
            made.lows.append(low)
            made.highs.append(high)
        return made

    def refine(self) -> Iterator[None]:
        """Count the units that were only estimated, then put the whole together once."""
        family = self.settings.family
        for entry in self.said("pending"):
            for block in entry.value.blocks:
                for text in self.recipe(block, Place()).texts:
                    for _ in count_steps(text, family):
                        yield
                yield
        again = _Run(self.request, self.model, self.settings, exact=True)
        for number, unit in enumerate(self.request.units):
            again.add_unit(unit)
            if number % 20 == 0:
                yield

    def result_names(self, unit: Unit) -> tuple[str, ...]:
        """The names of the tools that a message with several results answers, in their order."""
        ids = [
            block.node.get_text("tool_use_id")
            or _nested_text(block.node, "toolResult", "toolUseId")
            for block in unit.blocks
            if block.kind in RESULTS
        ]
        if len(ids) < 2:
            return ()
        if self.names is None:
            self.names = {}
            for entry in self.calls:
                self.names.update(entry.value)
        return tuple(self.names.get(id_ or "", "") for id_ in ids)

    def make(self, unit: Unit, names: tuple[str, ...]) -> _Unit:
        """Work out what a unit adds by itself."""
        settings = self.settings
        results = sum(block.kind in RESULTS for block in unit.blocks)
        calls = [index for index, block in enumerate(unit.blocks) if block.kind in CALLS]
        given = iter(names)
        unknown: list[int] = []
        notes: dict[str, None] = {}
        made = _Unit()
        made.results = results
        for index, block in enumerate(unit.blocks):
            name = next(given, "") if block.kind in RESULTS else ""
            part = self.recipe(block, Place(results, name, bool(calls)))
            if has_unknown_length(block):
                unknown.append(index)
                notes["a placeholder stands for a text of unknown length"] = None
            counts = [self.text(text) for text in part.texts]
            made.estimates.append(sum(count.estimate for count in counts) + part.tokens)
            made.lows.append(sum(count.low for count in counts) + part.tokens - part.less)
            made.highs.append(sum(count.high for count in counts) + part.tokens + part.more)
            made.fast = made.fast or any(count.method.endswith(FAST) for count in counts)
            notes |= dict.fromkeys(part.notes)
        form = call_form(settings)
        if calls:
            self.around_calls(made, calls, form)
            made.calls = {
                _call_id(block.node): _call_name(block.node)
                for block in unit.blocks
                if block.kind in CALLS
            }
        if results > 1 and form.get("tagged"):
            first = next(i for i, block in enumerate(unit.blocks) if block.kind in RESULTS)
            _shift(made, first, form["results"] + form["result_turn"])
        if unit.blocks[0].section == "messages" and settings.claude:
            made.opening = self.opening(unit.blocks[0])
        texts = [block.text or "" for block in unit.blocks]
        texts = ["" if HOLE_CHARACTER in text else text for text in texts]
        made.head, made.tail = texts[0][:_EDGE], texts[-1][-_EDGE:]
        for index, (before, text) in enumerate(pairwise(texts), 1):
            if before and text:
                _shift(made, index, self.joint(before[-_EDGE:], text[:_EDGE]))
        made.notes = tuple(notes)
        made.unknown = tuple(unknown)
        made.plain = not (results or calls or notes or unknown or made.fast)
        return made

    def recipe(self, block: Block, place: Place) -> Recipe:
        """What a block adds, with any placeholder in it left out and its length left open."""
        part = recipe(block.kind, plain_value(block.node), self.settings, place)
        if not has_unknown_length(block):
            return part
        texts = tuple(text.replace(HOLE_CHARACTER, "") for text in part.texts)
        more = part.more + constants()["hole"]["more"]
        return Recipe(texts, part.tokens, part.less, more, part.notes)

    def around_calls(self, made: _Unit, calls: list[int], form: Mapping[str, Any]) -> None:
        """The tags around all calls of one message: half before the first, half behind the last."""
        group = form["group"]
        less, more = form["less"], form["more"]
        if not form["tagged"]:
            group += form["parallel"] * len(calls) if len(calls) > 1 else 0
            less, more = group * less, group * more
        half = group // 2
        _shift(made, calls[0], half, less)
        _shift(made, calls[-1], group - half, 0, more)

    def joint(self, before: str, text: str) -> float:
        """What two texts that follow each other cost more (or less) than each by itself.

        They are read as one text, so a newline between them counts, and a word may run across.
        """
        if not self.settings.claude or not is_ready(self.settings.family):
            return 0
        together, first, second = map(self.text, (before + text, before, text))
        if not (together.exact and first.exact and second.exact):
            return 0
        return together.estimate - first.estimate - second.estimate

    def opening(self, block: Block) -> float:
        """Tokens that a message lacks when it goes on from tool results.

        A turn opens with a mark that its first word takes in; a text that starts with anything else
        pays for the mark, and a call at once pays for the line before it. Going on from a result,
        there is no such mark.
        """
        if block.kind in CALLS:
            return 1
        text = (block.text or "")[:16]
        if not text or self.settings.family == "claude-v4.8":
            return 0
        alone = self.text(text)
        within = self.text("a\n" + text)
        if alone.exact and within.exact:
            return max(0, alone.estimate - (within.estimate - 2))
        return 0

    def result(self) -> RequestCounts:
        """The running counts after the last unit."""
        method = self.settings.family + (FAST if any(self.said("fast")) else "")
        prefixes = Prefixes(self.estimates, self.lows, self.highs, method, self.common)
        self.prefixes, self.common = prefixes, None
        if self.section != "messages":
            self.before_messages()
        frame = self.frame
        closing = frame["closing"] if self.role != "assistant" or not self.settings.claude else 0
        if self.messages:
            self.add(closing, frame.get("less", 0), frame.get("more", 0))
        if self.after_results:
            self.add(self.result_after)
        estimate, low, high = prefixes.last()
        estimate += self.carry.estimate + self.closing.estimate
        low += self.carry.low + self.closing.low
        high += self.carry.high + self.closing.high
        if self.model is None and self.settings.claude:
            self.say("note", "the model is not known, so the newest tokenizer is taken")
        pending = any(self.said("pending"))
        firsts = self.request.firsts
        return RequestCounts(
            prefixes,
            _count(estimate, low, high, method),
            not pending,
            tuple(dict.fromkeys(entry.value for entry in self.said("note"))),
            tuple(firsts[entry.unit] + entry.value for entry in self.said("unknown")),
            self.refine if pending else None,
        )


def tool_choice(request: Request) -> Mapping[str, Any]:
    """``{"type": auto | none | any | tool, ...}`` as Anthropic writes it, from any shape."""
    choice = request.param("tool_choice")
    if choice is None:
        config = request.param("toolConfig")
        choice = config.get("toolChoice") if config is not None else None
    if choice is None:
        return {}
    if choice.kind == "string":
        return {"type": {"required": "any"}.get(choice.text, choice.text)}
    value = plain_value(choice)
    if not isinstance(value, dict):
        return {}
    found = cast("dict[str, Any]", value)
    kind = found.get("type")
    if kind is None:
        kind = next((name for name in ("auto", "any", "tool", "none") if name in found), "auto")
    return {**found, "type": {"function": "tool", "required": "any"}.get(str(kind), kind)}


def thinking_mode(request: Request) -> str:
    """``enabled``, ``adaptive``, ``disabled`` or "" as the request asks for thinking."""
    node = request.param("thinking")
    return (node.get_text("type") or "") if node is not None else ""


def answer_schema(request: Request) -> Any:
    """The JSON schema that the answer must follow, or None."""
    for names in (
        ("output_config", "format"),
        ("output_format",),
        ("response_format", "json_schema"),
        ("text", "format"),
        ("generationConfig", "responseSchema"),
        ("generationConfig", "responseJsonSchema"),
    ):
        node = request.param(names[0])
        for name in names[1:]:
            node = node.get(name) if node is not None else None
        if node is not None and node.kind == "object":
            schema = node.get("schema")
            if schema is not None:
                return plain_value(schema)
            if names[-1].startswith("response"):
                return plain_value(node)
    return None


def dump_indented(value: Any) -> str:
    """A schema as it is written into the prompt: JSON with an indent of two."""
    return json.dumps(value, ensure_ascii=False, indent=2)


_TURNS = {"model": "assistant", "tool": "user", "function": "user", "developer": "system"}
"""Roles of other shapes that open a turn of the user's or the model's."""


def _count(estimate: float, low: float, high: float, method: str) -> Count:
    middle = max(0, round(estimate))
    return Count(
        middle, min(middle, max(0, floor(low + 0.01))), max(middle, ceil(high - 0.01)), method
    )


def _shift(made: _Unit, index: int, tokens: float, less: float = 0, more: float = 0) -> None:
    made.estimates[index] += tokens
    made.lows[index] += tokens - less
    made.highs[index] += tokens + more


def _frame(settings: Settings) -> Mapping[str, Any]:
    table: Mapping[str, Any] = constants()["frame"]
    return table.get(settings.family) or table[NEWEST_FAMILY]


def _in_tools(unit: Unit) -> bool:
    return bool(unit.blocks) and unit.blocks[0].section == "tools"


def _is_custom(node: Node) -> bool:
    value = plain_value(node)
    return isinstance(value, dict) and tool_definition(cast("dict[str, Any]", value)) is not None


def _undated(model: str) -> str:
    """A model's id without its date, the line before the number: ``claude-haiku-3-5``."""
    name = _DATE.sub("", model)
    return _OLD_ORDER.sub(r"claude-\2-\1", name) if name.startswith("claude-3") else name


_DATE = re.compile(r"-20\d{6}.*$")
_OLD_ORDER = re.compile(r"^claude-(3(?:-\d)?)-([a-z]+)$")


def _call_name(node: Node) -> str:
    value = plain_value(node)
    return call_parts(cast("dict[str, Any]", value))[0] if isinstance(value, dict) else ""


def _call_id(node: Node) -> str:
    return node.get_text("id") or _nested_text(node, "toolUse", "toolUseId") or ""


def _nested_text(node: Node, outer: str, inner: str) -> str | None:
    found = node.get(outer)
    return found.get_text(inner) if found is not None else None
