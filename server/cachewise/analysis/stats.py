"""Sums over recorded usage: responses, Claude Code and Qwen Code session logs, telemetry.

Only figures are read, never the prompts. Everything streams; what is kept grows with the number of
models, sessions and days, not with the size of the logs.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from cachewise.analysis.document import Options
from cachewise.analysis.steps import Unreadable
from cachewise.catalog.model import Prices
from cachewise.catalog.prices import UnknownPrice, UnsupportedModifier
from cachewise.catalog.resolve import Resolution, resolve
from cachewise.catalog.usage import Usage, price_usage, read_usage

UNKNOWN = "unknown"
"""Stands for a model, session or day that a record does not name."""


@dataclass(slots=True)
class Tally:
    """Sums over some calls. Tokens are counted once each; money is USD.

    ``unpriced`` calls are in the tokens and in no sum of money.
    """

    calls: int = 0
    input: int = 0
    write: int = 0
    read: int = 0
    output: int = 0
    spent: Decimal = Decimal(0)
    without_cache: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def prompt(self) -> int:
        """All tokens of the prompts: plain, written and read."""
        return self.input + self.write + self.read

    @property
    def saved(self) -> Decimal:
        """USD that the cache saved; negative when it cost more than it saved."""
        return self.without_cache - self.spent

    @property
    def hit_percent(self) -> Decimal:
        """The share of the prompt tokens that was read from the cache, in percent, one decimal."""
        if not self.prompt:
            return Decimal("0.0")
        return (Decimal(100 * self.read) / self.prompt).quantize(Decimal("0.1"))


@dataclass(slots=True)
class Stats:
    """All sums: in total, and by model, session and day. ``notes`` are sentences to be shown."""

    total: Tally = field(default_factory=Tally)
    models: dict[str, Tally] = field(default_factory=dict[str, Tally])
    sessions: dict[str, Tally] = field(default_factory=dict[str, Tally])
    days: dict[str, Tally] = field(default_factory=dict[str, Tally])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    unreadable: list[tuple[str, Unreadable]] = field(default_factory=list[tuple[str, Unreadable]])
    unreadable_count: int = 0

    @property
    def served_from_cache(self) -> str:
        """The line that Qwen Code's ``/stats`` shows."""
        return (
            f"{self.total.read:,} ({self.total.hit_percent}%) of input tokens were served from "
            "the cache, reducing costs."
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One call's usage with what the log says around it.

    ``key`` is the same for all lines that a log writes about one call; ``source`` tells apart the
    two ways in which Qwen Code writes one call down (``turn`` and ``telemetry``), and is ``""``
    elsewhere.
    """

    usage: Usage
    model: str | None
    session: str
    day: str
    key: str | None
    auth: str | None
    source: str = ""


def gather(sources: Iterable[tuple[str, Iterable[tuple[int, str]]]], options: Options) -> Stats:
    """The sums over (name, numbered lines) of files.

    A file is either one JSON value a line, or JSON text that spans lines (a list, one object, or
    one object behind another, as telemetry files are).
    """
    stats = Stats()
    recent: OrderedDict[str, Record] = OrderedDict()
    for name, lines in sources:
        _gather_file(name, lines, options, stats, recent)
    return stats


def _gather_file(
    name: str,
    lines: Iterable[tuple[int, str]],
    options: Options,
    stats: Stats,
    recent: OrderedDict[str, Record],
) -> None:
    # Claude Code writes one line per content block of a response, each with the whole usage, and
    # repeats the lines of a session in the file of one that goes on from it: a later line of the
    # same call takes the place of the earlier one.
    held: dict[str, list[Record]] = {}
    telemetry: set[str] = set()
    for value in _values(name, lines, stats):
        for record in records(value, name, stats):
            if record.source == "telemetry":
                telemetry.add(record.session)
            elif record.source == "turn":
                # Counted only when the session has no telemetry of its own, which says the same.
                held.setdefault(record.session, []).append(record)
                continue
            if record.key is not None:
                earlier = recent.pop(record.key, None)
                if earlier is not None:
                    _add(stats, earlier, options, -1)
                recent[record.key] = record
                while len(recent) > _RECENT:
                    recent.popitem(last=False)
            _add(stats, record, options, 1)
    for session, turns in held.items():
        if session not in telemetry:
            for record in turns:
                _add(stats, record, options, 1)


_RECENT = 10_000
"""How many calls are remembered by name, to know them again; a bound for the memory."""
_NAMED = 100
"""How many unreadable lines are named; the others are counted."""


def _values(
    name: str, lines: Iterable[tuple[int, str]], stats: Stats
) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of a file: one a line, or spread over lines."""
    pending: list[str] = []
    first = 0
    for number, line in lines:
        if not pending:
            text = line.strip()
            if not text:
                continue
            value = _parsed(text)
            if value is not None:
                yield from _objects(value)
                continue
            if text[0] not in "[{":
                _name_unreadable(stats, name, number, "it is not JSON")
                continue
            first = number
        pending.append(line)
        if line.rstrip() in ("}", "]", "},"):
            value = _parsed("".join(pending).strip().rstrip(","))
            if value is not None:
                pending = []
                yield from _objects(value)
        elif len(pending) == 1 and not _opens(line):
            pending = []
            _name_unreadable(stats, name, number, "its JSON is cut off or malformed")
    if pending:
        _name_unreadable(stats, name, first, "its JSON is cut off or malformed")


def _opens(line: str) -> bool:
    """Whether a line can be the first of a value that goes on: it ends where more must come."""
    return line.rstrip()[-1:] in ("{", "[", ",")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield cast("dict[str, Any]", value)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("dict[str, Any]", item)


def _name_unreadable(stats: Stats, name: str, line: int, why: str) -> None:
    stats.unreadable_count += 1
    if len(stats.unreadable) < _NAMED:
        stats.unreadable.append((name, Unreadable(line, why)))


def records(value: Mapping[str, Any], name: str, stats: Stats) -> Iterator[Record]:
    """The usage records in one log line or response; none in a line about something else."""
    event = _qwen_event(value)
    if event is not None:
        if str(event.get("event.name", "")).endswith("api_response"):
            yield _telemetry_record(event, value, name)
        return
    try:
        usage = read_usage(value)
    except ValueError as problem:
        stats.notes[f"A usage object of {name} was passed over: {problem}"] = None
        return
    if usage is None:
        return
    message = _mapping(value.get("message"))
    request = _mapping(value.get("request"))
    response = _mapping(value.get("response"))
    moment = value.get("timestamp") or value.get("at") or value.get("t") or value.get("created")
    identity = message.get("id") or response.get("id")
    qwen_turn = value.get("type") == "assistant" and "usageMetadata" in value
    yield Record(
        usage=usage,
        model=_text(value.get("model"))
        or _text(message.get("model"))
        or _text(response.get("model"))
        or _text(request.get("model"))
        or _text(request.get("modelId"))
        or _text(value.get("modelVersion")),
        session=_text(value.get("sessionId")) or _text(value.get("session_id")) or name,
        day=_day(moment),
        key=f"{identity}/{value.get('requestId')}" if identity else None,
        auth=None,
        source="turn" if qwen_turn else "",
    )


def _qwen_event(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The telemetry event in a line of Qwen Code's session log or telemetry file, or None."""
    payload = _mapping(value.get("systemPayload"))
    event = _mapping(payload.get("uiEvent"))
    if event:
        return event
    attributes = _mapping(value.get("attributes"))
    if "event.name" in attributes:
        return attributes
    return value if "event.name" in value else None


def _telemetry_record(event: Mapping[str, Any], value: Mapping[str, Any], name: str) -> Record:
    cached = _whole(event.get("cached_content_token_count"))
    prompt = _whole(event.get("input_token_count"))
    output = _whole(event.get("output_token_count")) + _whole(event.get("thoughts_token_count"))
    moment = event.get("event.timestamp") or value.get("timestamp")
    response = _text(event.get("response_id"))
    return Record(
        usage=Usage(
            input=max(0, prompt - cached), read=min(cached, prompt), output=output, implicit=True
        ),
        model=_text(event.get("model")),
        session=_text(value.get("sessionId")) or _text(event.get("session.id")) or name,
        day=_day(moment),
        key=response or None,
        auth=_text(event.get("auth_type")) or None,
        source="telemetry",
    )


def _add(stats: Stats, record: Record, options: Options, sign: int) -> None:
    resolution = resolve(options.catalog, record.model, options.settings.platform)
    if sign > 0:
        _note_auth(stats, record.auth or options.settings.auth, options)
    spent, plain = _priced(record, resolution, options)
    label = resolution.id or record.model or UNKNOWN
    usage = record.usage
    for tally in (
        stats.total,
        stats.models.setdefault(label, Tally()),
        stats.sessions.setdefault(record.session, Tally()),
        stats.days.setdefault(record.day, Tally()),
    ):
        tally.calls += sign
        tally.input += sign * usage.input
        tally.write += sign * (usage.write_5m + usage.write_1h)
        tally.read += sign * usage.read
        tally.output += sign * usage.output
        if spent is None or plain is None:
            tally.unpriced += sign
        else:
            tally.spent += sign * spent
            tally.without_cache += sign * plain


def _priced(
    record: Record, resolution: Resolution, options: Options
) -> tuple[Decimal | None, Decimal | None]:
    """USD for a call as it was, and as it would have been without a cache."""
    model = resolution.model
    if model is None:
        return None, None
    usage = record.usage
    platform = options.catalog.platforms.get(resolution.platform)
    try:
        today = date.fromisoformat(record.day)
    except ValueError:
        today = options.today
    try:
        bill = price_usage(usage, model, platform, region=resolution.regional, today=today)
        prices: Prices = bill.prices
        if prices.input is None:
            return None, None
        plain = bill.total - bill.parts["write_5m"] - bill.parts["write_1h"] - bill.parts["read"]
        moved = usage.write_5m + usage.write_1h + usage.read
        return bill.total, plain + (prices.input * moved).scaleb(-6)
    except (UnsupportedModifier, UnknownPrice):
        return None, None


def _note_auth(stats: Stats, method: str | None, options: Options) -> None:
    if method is None:
        return
    for auth in options.catalog.auth:
        if auth.method == method and not auth.caching:
            stats.notes[
                f"CW405: {auth.client}'s sign-in {method!r} has no token caching: {auth.note}"
            ] = None


def _day(moment: object) -> str:
    if isinstance(moment, (int, float)) and not isinstance(moment, bool):
        seconds = moment / 1000 if moment > 100_000_000_000 else moment
        try:
            return datetime.fromtimestamp(seconds, UTC).date().isoformat()
        except (OverflowError, OSError, ValueError):
            return UNKNOWN
    if isinstance(moment, str):
        try:
            return datetime.fromisoformat(moment).date().isoformat()
        except ValueError:
            return UNKNOWN
    return UNKNOWN


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
