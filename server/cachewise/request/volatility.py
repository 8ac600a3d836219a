"""Finding the parts of a text that are likely to be another one in the next call.

A prefix is only read from the cache while it stays the same to the last character, so a clock or a
fresh id in it costs the whole prefix. What is looked for: points in time, dates that say "today",
UUIDs, ids of one request or session, random tokens, epoch seconds, counters, template variables,
and holes (an f-string field, say) whose name tells that their value is made anew.

A text that merely *contains* a date is left alone: release dates, examples, log lines, file names
and links are as stable as the words around them. So a date needs words before it that say "now",
and words that say "example" or "since" silence it. Everything here is a pure function of the text.

Sources: Anthropic, "Prompt caching", sections "Structuring your prompt" and "Troubleshooting common
issues" (cached sections must be identical); the mistakes that public repositories report most.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from cachewise.request.model import TEXT_KINDS, Block
from cachewise.request.placeholder import is_placeholder
from cachewise.syntax.tree import HOLE_CHARACTER, Node, Origin, source_span
from cachewise.syntax.yaml_style import STYLES as YAML

VolatileKind = Literal[
    "timestamp", "time", "date", "UUID", "id", "random value", "epoch", "counter", "variable"
]

Changes = Literal["call", "day", "unknown"]
"""How often a text is made anew: with every call (or session), once a day, or nobody can tell."""


@dataclass(frozen=True, slots=True)
class Volatile:
    """One such part: ``start`` and ``end`` are offsets in the text, ``shown`` what stands there.

    ``shown`` is the name alone for a variable or a hole.
    """

    start: int
    end: int
    kind: VolatileKind
    changes: Changes
    shown: str


@dataclass(frozen=True, slots=True)
class VolatileSpan:
    """A volatile part with its span in the source, counted from the block's own start.

    In source code ``origin`` says where its value is made, when that could be followed; the offsets
    in it count from ``origin_start``, which counts from the block's start too.
    """

    start: int
    end: int
    volatile: Volatile
    origin: Origin | None = None
    origin_start: int = 0


def volatile_spans(block: Block) -> tuple[VolatileSpan, ...]:
    """The volatile parts of a block's own words, in order; worked out once a block.

    The words are the text of a text block, and the descriptions of a tool and of its parameters.
    Images, documents, tool calls and their results have none: their content is data.
    """
    return block.memo("volatile", lambda: tuple(_block_spans(block)))


def _block_spans(block: Block) -> Iterator[VolatileSpan]:
    for node, start in _texts(block):
        code = is_code(node)
        names = () if code else tuple(hole.name for hole in node.holes)
        for volatile in find_volatile(node.text, names, heading=block.section != "tools"):
            first, last = source_span(node, volatile.start, volatile.end)
            yield VolatileSpan(start + first, start + last, volatile)
        if code:
            yield from _made_by_code(node, start)


def is_code(node: Node) -> bool:
    """Whether a value is written in a programming language, whose names were followed."""
    return node.style.partition("@")[0] not in ("", *YAML)


def _made_by_code(node: Node, start: int) -> Iterator[VolatileSpan]:
    """The holes of a text in source code, by where their values come from, else by their names."""
    alone = node.text.strip() == HOLE_CHARACTER
    for hole in node.holes:
        origin = hole.origin
        if origin is not None:
            if origin.change == "order":
                continue
            changes: Changes = origin.change if origin.change in ("call", "day") else "unknown"
            shown = origin.source
        else:
            shown = hole.name
            changes = changes_of(shown)
            if changes == "unknown" and (alone or _PERSON.search(shown) is None):
                continue  # Most names in code stand for what is the same in every call.
        volatile = Volatile(hole.at, hole.at + 1, "variable", changes, shown)
        yield VolatileSpan(start + hole.start, start + hole.end, volatile, origin, start)


_PERSON = re.compile(
    r"(?:\b|_)(?:user|customer|client|account|tenant|member|visitor)"
    r"(?:_?(?:id|name|email|profile|info|context))?(?:\b|_)",
    re.IGNORECASE,
)
"""Names of what differs from one user to the next."""


def _texts(block: Block) -> Iterator[tuple[Node, int]]:
    """The strings of a block that are prose, with their offsets from the block's start."""
    node = block.node
    if node.kind == "string":
        yield node, 0
    elif block.section == "tools":
        yield from _descriptions(node)
    elif block.kind in TEXT_KINDS:
        text = node.get("text")
        if text is not None and text.kind == "string":
            yield text, node.start_of("text")


def _descriptions(tool: Node) -> Iterator[tuple[Node, int]]:
    stack = [(tool, 0)]
    found: list[tuple[Node, int]] = []
    while stack:
        node, start = stack.pop()
        for index, value in enumerate(node.values):
            at = start + node.starts[index]
            if value.kind == "string":
                if node.kind == "object" and node.keys[index] == "description":
                    found.append((value, at))
            elif value.values:
                stack.append((value, at))
    found.sort(key=lambda pair: pair[1])
    return iter(found)


def find_volatile(
    text: str, holes: tuple[str, ...] = (), *, heading: bool = True
) -> list[Volatile]:
    """The volatile parts of a text, in order, none inside another.

    ``holes`` are the names of the text's ``HOLE_CHARACTER`` characters, in their order. Without
    ``heading``, a point in time needs words that say what it is, wherever it stands.
    """
    found: list[Volatile] = []
    if _WORTH_A_LOOK.search(text) is not None:
        seen = _seen_in(text)
        found.extend(_points_in_time(text, seen, heading))
        found.extend(_identifiers(text, seen))
        found.extend(_counters(text, seen))
        found.extend(_variables(text, seen))
    if holes:
        found.extend(_holes(text, holes))
    found.sort(key=lambda one: (one.start, -one.end))
    apart: list[Volatile] = []
    for one in found:
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart


# A text without a digit, a brace or a percent sign has nothing to find.
_WORTH_A_LOOK = re.compile(r"[0-9{%]")


_Name = Literal["time", "id", "bare id", "random", "uuid", "counter", "variable"]


class _Match:
    """A match in a piece of a text, with offsets in the whole of it."""

    __slots__ = ("_match", "_offset")

    def __init__(self, match: re.Match[str], offset: int) -> None:
        self._match = match
        self._offset = offset

    def __getitem__(self, group: str | int) -> str | Any:
        return self._match[group]

    @property
    def lastgroup(self) -> str | None:
        return self._match.lastgroup

    def start(self, group: str | int = 0) -> int:
        return self._match.start(group) + self._offset

    def end(self, group: str | int = 0) -> int:
        return self._match.end(group) + self._offset

    def span(self, group: str | int = 0) -> tuple[int, int]:
        return self.start(group), self.end(group)


_Seen = dict[_Name, list[_Match]]


def _seen_in(text: str) -> _Seen:
    """What each pattern finds in a text.

    A text that was looked at before is remembered. A long one is looked at in pieces, and each
    piece is remembered: who types in a book that stands in a prompt changes one of them. What runs
    across the end of a piece is not seen.
    """
    seen: _Seen = {name: [] for name in _PATTERNS}
    if len(text) <= _WHOLE:
        for name, matches in _seen_in_whole(text):
            seen[name] += (_Match(match, 0) for match in matches)
        return seen
    start = 0
    while start < len(text):
        # Ends are looked for from the start of the piece on, so that behind an edit the same
        # pieces come again: at the end of a line, else at a space.
        end = text.find("\n", start + _PIECE, start + 2 * _PIECE)
        if end < 0:
            end = text.find(" ", start + 2 * _PIECE, start + 3 * _PIECE)
        end = start + 3 * _PIECE if end < 0 else end + 1
        for name, matches in _seen_in_piece(text[start:end]):
            seen[name] += (_Match(match, start) for match in matches)
        start = end
    return seen


_WHOLE = 6_000
_PIECE = 2_000
"""Characters up to which a text is looked at as a whole, and the least that a piece has."""


def _look(piece: str) -> list[tuple[_Name, list[re.Match[str]]]]:
    seen: list[tuple[_Name, list[re.Match[str]]]] = []
    for name, pattern in _PATTERNS.items():
        if matches := list(pattern.finditer(piece)):
            seen.append((name, matches))
    return seen


_seen_in_piece = lru_cache(4096)(_look)
_seen_in_whole = lru_cache(256)(_look)
"""Source code is read anew after each edit, and the texts in it are mostly those of before."""


_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?"
_CLOCK = (
    r"[0-2]?\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?(?:\s?[ap](?:m\b|\.m\.))?"
    r"(?:\s?(?:Z|UTC|GMT|[A-Z]{2,4}T|[+-]\d{2}:?\d{2})(?![A-Za-z]))?"
)
_DAY = (
    rf"(?:{_WEEKDAY},?\s+(?:the\s+)?)?"
    r"(?:(?:19|20)\d{2}[-/.][01]?\d[-/.][0-3]?\d(?!\d)"
    r"|[0-3]?\d[/.][0-3]?\d[/.](?:19|20)\d{2}(?!\d)"
    rf"|{_MONTH}\s+[0-3]?\d(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}(?!\d)"
    rf"|[0-3]?\d(?:st|nd|rd|th)?[\s-]+{_MONTH},?[\s-]+(?:19|20)\d{{2}}(?!\d))"
)
_UNIX_DATE = (
    rf"{_WEEKDAY}\s+{_MONTH}\s+[0-3]?\d\s+[0-2]\d:[0-5]\d:[0-6]\d\s+(?:[A-Z]{{3,4}}\s+)?20\d{{2}}"
)
_TIME_PATTERN = re.compile(
    rf"(?<![\w/.@#=-])(?>(?P<unix>{_UNIX_DATE})"
    rf"|(?P<day>{_DAY})(?:(?:T|,?\s+(?:at\s+|-\s+)?|\s?[|/]\s?)(?P<clock>{_CLOCK}))?"
    rf"|(?P<bare>{_CLOCK})|(?P<epoch>1[4-9]\d{{8}}(?:\d{{3}}|\.\d{{1,7}})?))"
    r"(?![\w/@-]|(?-i:\.[a-z0-9]))",
    re.IGNORECASE,
)
# An ISO date inside a path or an id (``…/2026-11-21/…``, ``model-2026-11-21``) is a name.

_LABEL_REACH = 64
"""Characters before a value in which its label is looked for: about one short clause."""

_MOMENT = r"(?:date[ _-]?(?:and|&)?[ _-]?time|date|time(?:[ _-]?stamp)?|day|clock)"
_NOW = re.compile(
    # "current date and time (UTC):", "server time is", "today's date:", "today is", "now:", "it is"
    rf"(?:\b(?:current|present|local|server|system|request|client|utc|session)(?:ly)?[ _-]?"
    rf"(?:\w+[ _-])?{_MOMENT}\b(?:[^.!?;\n]{{0,40}})"
    r"|\btoday(?:['’]?s\b|\b)[ _-]?(?:date|day)?(?:\W{0,6}(?:is\b)?\W{0,6}|[ _-]?in [\w ]{1,20}: ?)"
    r"|\bnow\b(?:\s+is\b)?\W{1,6}|\bit(?:['’]s| is)(?: now| currently)?\s)\W{0,6}\Z",
    re.IGNORECASE,
)
_STAMPED = re.compile(
    r"\b(?:generated|rendered|requested|assembled|as of"
    r"|(?:session|conversation|chat|run)\s+(?:start(?:ed|s)?|began|begun|opened))"
    r"\s*(?:at|on)?\W{0,6}\Z",
    re.IGNORECASE,
)
_PLAIN_LABEL = re.compile(
    rf"(?:^|[\n<\[({{\"'*_#>-]|\b(?=the\b))\s*"
    rf"(?P<label>(?:the\s+)?(?:{_MOMENT}|now))"
    r"\W{0,4}(?:is\b)?\W{0,4}\Z",
    re.IGNORECASE,
)
_STAMP_LABEL = re.compile(
    r"\b(?:time[ _-]?stamp|date[ _-]?time|time|clock|now)\W{0,4}(?:is\b)?\W{0,4}\Z", re.IGNORECASE
)
_SETTLED = re.compile(
    r"\b(?:e\.?g|for example|for instance|examples?|such as|like|format(?:s|ted)?|iso[- ]?8601"
    r"|rfc[- ]?\d+|releas\w*|publish\w*|updated?|revis\w*|modifi\w*|effective|cut-?off|since"
    r"|found\w*|born|birth\w*|due|deadline|expir\w*|until|before|after|between|from|version\w*"
    r"|copyright|creat\w*|signed|issued|training|trained|knowledge|histor\w*|deprecat\w*"
    r"|retir\w*|launch\w*|through|starting|valid|approv\w*|review\w*|adopted|dated)\b[^\n]{0,40}\Z",
    re.IGNORECASE,
)
_EPOCH_LABEL = re.compile(
    r"\b(?:time[ _-]?stamp|epoch|unix(?: time)?|current time|now|ts)\b[^.\n]{0,16}\Z",
    re.IGNORECASE,
)
_SHORT_TEXT = 200
"""Characters up to which a text is a heading rather than a document."""
_LOG_LINES = 3
"""From this many points in time on, a text without "now" words is a log or a table."""


_NOW_HINT = re.compile(
    r"current|present|local|server|system|request|client|utc|session|today|now|\bit(?:['’]s| is)",
    re.IGNORECASE,
)
"""What every label of ``_NOW`` holds: most values have no such word before them."""


def _points_in_time(text: str, seen: _Seen, heading: bool) -> Iterator[Volatile]:
    matches = seen["time"]
    if not matches:
        return
    edges = _edge_lines(text) if heading else (0, len(text))
    stamps = sum(1 for match in matches if match["unix"] or match["clock"])
    for match in matches:
        at = match.start()
        before = text[max(0, at - _LABEL_REACH) : at]
        now = _NOW.search(before) if _NOW_HINT.search(before) else None
        plain = None
        # A log or a table needs words that say "now"; so do values in the midst of a document.
        edge = heading and (at < edges[0] or match.end() > edges[1])
        if now is None and (edge or stamps < _LOG_LINES):
            plain = _PLAIN_LABEL.search(before)
        if edge:
            edge = (
                _begins_line(text, at, edges)
                if plain is None
                else _is_heading(text, at - len(before) + plain.start("label"), match.end(), edges)
            )
        span = match.span()
        found: Volatile | None = None
        if match["epoch"] is not None:
            if _EPOCH_LABEL.search(before):
                found = Volatile(*span, "epoch", "call", match[0])
        elif match["unix"] is not None or match["clock"] is not None:
            if (
                now
                or (stamps < _LOG_LINES and (plain or edge or _STAMP_LABEL.search(before)))
                or _STAMPED.search(before)
            ):
                found = Volatile(*span, "timestamp", "call", match[0])
        elif now or (plain and edge):
            if match["day"] is not None:
                found = Volatile(*span, "date", "day", match[0])
            else:
                found = Volatile(*span, "time", "call", match[0])
        if found is None:
            continue
        settled = _SETTLED.search(before)
        if settled is None or (now is not None and settled.start() <= now.start()):
            yield found


def _edge_lines(text: str) -> tuple[int, int]:
    """Where the first line with words ends and where the last one starts; a short text is both.

    Of a long line only the outermost part counts.
    """
    if len(text) <= _SHORT_TEXT:
        return len(text), 0
    first = text.find("\n", len(text) - len(text.lstrip()))
    last = text.rfind("\n", 0, len(text.rstrip()))
    return (
        min(_SHORT_TEXT, len(text) if first < 0 else first),
        max(len(text) - _SHORT_TEXT, last + 1),
    )


def _begins_line(text: str, at: int, edges: tuple[int, int]) -> bool:
    """Whether a value without a label begins the first or the last line: ``[10:00] Hello``."""
    line = text.rfind("\n", 0, at) + 1
    return (at < edges[0] or at >= edges[1]) and not _LETTER.search(text, line, at)


def _is_heading(text: str, label: int, end: int, edges: tuple[int, int]) -> bool:
    """Whether a labelled value in the first or last line stands as a heading or footer would.

    That is: in a short line, or with its label at the very start or end of the text.
    """
    line = text.rfind("\n", 0, label) + 1
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    if stop - line <= _SHORT_TEXT:
        return True
    if end <= edges[0] and not _LETTER.search(text, line, label):
        return True
    return label >= edges[1] and not _LETTER.search(text, end, stop)


_LETTER = re.compile(r"[^\W_]")


_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_UUID_PATTERN = re.compile(rf"(?<![\w/-]){_UUID}(?![\w-])")
_CALL_THINGS = (
    r"request|session|trace|conversation|correlation|message|run|span|thread|transaction"
    r"|invocation|execution|interaction|chat|job|call"
)
_ID_LABEL = rf"\b(?:{_CALL_THINGS})(?:[ _-]?(?:id|uuid|guid|identifier|key|token|no\.?|number))"
_ID_PATTERN = re.compile(
    rf"(?P<label>{_ID_LABEL})[\"'`*_>)\]]{{0,3}}\s*(?:is\b|[:=#]|\bwas\b)?\s*[\"'`*_<(\[]{{0,3}}"
    rf"(?P<value>{_UUID}|[A-Za-z0-9][A-Za-z0-9_.:-]{{6,}}[A-Za-z0-9])",
    re.IGNORECASE,
)
_BARE_ID_PATTERN = re.compile(
    r"\b(?P<label>request|session|trace|correlation|conversation)[\"'`*_>]{0,3}\s*[:=#]\s*"
    r"[\"'`*_<(\[]{0,3}(?P<value>(?:[a-z]{2,12}_)?(?:[0-9a-f]{8,}|[A-Za-z0-9]{16,}))(?![\w.:/-])",
    re.IGNORECASE,
)
_RANDOM_PATTERN = re.compile(
    r"\b(?P<label>nonce|random(?: (?:value|token|string|number|id|seed))?|salt|cache[ _-]?buster"
    r"|(?:random[ _-]?)?seed)[\"'`*]{0,2}\s*(?:is\b|[:=])\s*[\"'`*]{0,2}"
    r"(?P<value>0\.\d{6,}|[A-Za-z0-9][A-Za-z0-9+/_=-]{7,})",
    re.IGNORECASE,
)
_SETTLED_UUID = re.compile(
    r"\b(?:tenant|org(?:anisation|anization)?|project|workspace|account|customer|company|client"
    r"|user|team|document|file|product|item|order|entity|record|resource|node|page|database|table"
    r"|namespace|service|subscription|device|role|policy|group|category|model|agent|app"
    r"|application|dataset|collection|version|example|sample|format)s?\b[^\n]{0,24}\Z",
    re.IGNORECASE,
)
_CALL_LABEL = re.compile(rf"\b(?:{_CALL_THINGS})\b[^\n]{{0,24}}\Z", re.IGNORECASE)
_MANY_UUIDS = 3
"""From this many UUIDs on, unlabelled ones are data of a list, not marks of this call."""


def _identifiers(text: str, seen: _Seen) -> Iterator[Volatile]:
    taken: set[int] = set()
    labelled = [*seen["id"], *seen["bare id"]]
    often = Counter(match["label"].lower() for match in labelled)
    for match in labelled:
        value = match["value"]
        if (
            often[match["label"].lower()] >= _LOG_LINES
            or not _looks_random(value)
            or _is_example(text, match.start(), match.start("value"))
        ):
            continue
        taken.add(match.start("value"))
        yield Volatile(match.start("value"), match.end("value"), "id", "call", value)
    for match in seen["random"]:
        value = match["value"]
        if _looks_random(value) and not _is_example(text, match.start(), match.start("value")):
            taken.add(match.start("value"))
            yield Volatile(match.start("value"), match.end("value"), "random value", "call", value)
    uuids = seen["uuid"]
    for match in uuids:
        if match.start() in taken or _is_example(text, match.start(), match.start()):
            continue
        before = text[max(0, match.start() - 40) : match.start()]
        if _CALL_LABEL.search(before) is None and (
            len(uuids) >= _MANY_UUIDS or _SETTLED_UUID.search(before) is not None
        ):
            continue
        if len(set(match[0].replace("-", "").lower())) > 4:  # 0000…, 1111…: a sample or a nil id
            yield Volatile(match.start(), match.end(), "UUID", "call", match[0])


def _looks_random(value: str) -> bool:
    """Whether a token was made by a machine: digits among its letters, or many digits."""
    digits = sum(character.isdigit() for character in value)
    if "." in value and re.fullmatch(r"v?\d+(\.\d+)+\S*", value):
        return value.startswith("0.")
    return digits >= 2 and (digits < len(value) or digits >= 8) and len(set(value)) > 4


_EXAMPLE = re.compile(
    r"\b(?:e\.?g|for example|for instance|examples?|such as|like|format(?:s|ted)?|sample"
    r"|looks? like)\b[^\n]{0,40}\Z",
    re.IGNORECASE,
)


def _is_example(text: str, label: int, value: int) -> bool:
    return _EXAMPLE.search(text[max(0, label - 40) : value]) is not None


_COUNTER_PATTERN = re.compile(
    r"\b(?:current(?:ly)?\s+(?:on\s+|at\s+|in\s+)?(?:iteration|attempt|turn|step|loop|round)"
    r"|(?:this is|you are (?:on|at|in)|now (?:on|at|in))\s+(?:the\s+)?"
    r"(?:iteration|attempt|turn|loop|round)"
    r"|iteration(?:\s+(?:number|count(?:er)?))?(?=\s*[:=]?\s*#?\d+\s*(?:/|of|out of)\s*\d))"
    r"(?:\s+(?:number|is))*\s*[:=]?\s*(?P<value>#?\d+(?:\s*(?:/|of|out of)\s*\d+)?)",
    re.IGNORECASE,
)


def _counters(text: str, seen: _Seen) -> Iterator[Volatile]:
    for match in seen["counter"]:
        if not _is_example(text, match.start(), match.start("value")):
            start, end = match.span("value")
            yield Volatile(start, end, "counter", "call", match["value"])


_VARIABLE_PATTERN = re.compile(
    r"\{\{[{~-]?\s*(?P<double>[^{}\n]{1,80}?)\s*[~-]?\}\}\}?"
    r"|\$\{\s*(?P<dollar>[^{}\n]{1,80}?)\s*\}"
    r"|<%=?-?\s*(?P<erb>[^<>%\n]{1,80}?)\s*-?%>"
    r"|%\((?P<percent>[A-Za-z_]\w{0,60})\)s"
    r"|(?<![{\w$])\{(?P<single>[A-Za-z_][\w.]{0,60}(?:\(\))?)(?:![rsa])?(?::[^{}\n]{0,30})?\}(?!\})"
)
_PATTERNS: dict[_Name, re.Pattern[str]] = {
    "time": _TIME_PATTERN,
    "id": _ID_PATTERN,
    "bare id": _BARE_ID_PATTERN,
    "random": _RANDOM_PATTERN,
    "uuid": _UUID_PATTERN,
    "counter": _COUNTER_PATTERN,
    "variable": _VARIABLE_PATTERN,
}
_NAME = re.compile(r"[A-Za-z_$@][\w$]*(?:\.[A-Za-z_$]\w*)*\s*(?:\|.*)?")


def _variables(text: str, seen: _Seen) -> Iterator[Volatile]:
    if not seen["variable"]:
        return
    code = _code_spans(text)
    for match in seen["variable"]:
        kind = match.lastgroup or ""
        name = match[kind]
        changes = changes_of(name)
        if changes == "unknown" and (
            # Braces around a plain word are code or prose more often than a template's variable.
            kind in ("single", "percent")
            or _NAME.fullmatch(name) is None
            or name.split()[0] in _BLOCK_WORDS
            or is_placeholder(text)
        ):
            continue
        if _inside(code, match.start()):
            continue
        yield Volatile(match.start(), match.end(), "variable", changes, name)


_BLOCK_WORDS = {"else", "endif", "endfor", "end", "this", "else_", "endraw", "raw"}


def _code_spans(text: str) -> list[tuple[int, int]]:
    """The spans of fenced and quoted code, where braces belong to the code."""
    if "`" not in text:
        return []
    return [found.span() for found in re.finditer(r"(?s)```.*?(?:```|\Z)|`[^`\n]+`", text)]


def _inside(spans: list[tuple[int, int]], at: int) -> bool:
    index = bisect_right(spans, (at, at)) - 1
    return index >= 0 and at < spans[index][1]


def _holes(text: str, names: tuple[str, ...]) -> Iterator[Volatile]:
    alone = text.strip() == HOLE_CHARACTER
    at = -1
    for name in names:
        at = text.find(HOLE_CHARACTER, at + 1)
        if at < 0:
            return
        changes = changes_of(name)
        if changes != "unknown" or not alone:
            yield Volatile(at, at + 1, "variable", changes, name)


_CALL_EXPRESSION = re.compile(
    r"\b(?:uuid\d?|uuid\.\w+|random\w*|randint|secrets|urandom|nonce|guid|NewGuid)\s*[.(]"
    r"|\b(?:Date\.now|performance\.now|time\.time(?:_ns)?|time\.Now|monotonic|perf_counter)\s*\("
    r"|\b\w*date_?time\w*(?:\.\w+)*\.(?:utc)?now\b|\bnow\(|\b(?:Instant|Clock)\.\w*now\b"
    r"|\b(?:LocalDateTime|ZonedDateTime|OffsetDateTime)\.now|\bDateTime(?:Offset)?\.(?:Utc)?Now\b"
    r"|\bnew Date\b|\bTime\.(?:now|current)\b|\btime\.(?:strftime|ctime|asctime|localtime|gmtime)"
    r"|\brandomUUID\b|\bcurrentTimeMillis\b|\bnanoid\b|\$\(date\b|`date\b|\bdate \+",
    re.IGNORECASE,
)
_DAY_EXPRESSION = re.compile(
    r"\bdate\.today\b|\btoday\(\)|\bLocalDate\.now\b|\bDate\.(?:today|current)\b"
    r"|toLocaleDateString|toDateString|\bDateOnly\b",
    re.IGNORECASE,
)
_FORMAT = re.compile(r"%[-#]?[A-Za-z]")
_CLOCK_FORMAT = re.compile(r"%[-#]?[HIMSfpXcTs]")

_CALL_WORDS = {
    "timestamp", "time", "date", "now", "today", "datetime", "uuid", "guid", "nonce", "random",
    "seed", "counter", "iteration", "uuid4", "uuidv4", "clock", "epoch", "randomint", "randomuuid",
    "isotimestamp", "randomid",
}  # fmt: skip
_QUALIFIERS = {
    "current", "curr", "cur", "todays", "the", "this", "local", "utc", "iso",
    "iso8601", "system", "server", "request", "session", "unix", "formatted",
    "string", "str", "text", "human", "readable", "ms", "value", "number", "generated", "context",
    "ctx", "env", "vars", "self", "int", "integer", "float",
}  # fmt: skip
_CALL_IDS = {
    "request", "session", "trace", "conversation", "message", "run", "correlation", "span",
    "invocation", "execution", "transaction", "call", "chat", "thread", "interaction",
}  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
_SUFFIXES = {"id", "uuid", "guid", "identifier", "key"}


@lru_cache(1024)
def changes_of(name: str) -> Changes:
    """How often the value of a variable or expression with this name is made anew.

    Words in camel case, snake case or with dots are read one by one: ``currentDate``,
    ``request.id`` and ``SESSION_ID`` are known, ``birth_date`` and ``time_zone`` are not.
    """
    if _DAY_EXPRESSION.search(name) or _CALL_EXPRESSION.search(name):
        formats = _FORMAT.findall(name)
        if formats:
            return "call" if _CLOCK_FORMAT.search(name) else "day"
        return "day" if _DAY_EXPRESSION.search(name) else "call"
    plain = name.split("|", 1)[0].strip()
    if re.fullmatch(r"[\w$@.\-\[\]\"' #/()]+", plain) is None:
        return "unknown"
    words = [word.lower() for word in _WORDS.findall(plain)]
    if not words or len(words) > 6:
        return "unknown"
    if len(words) >= 2 and words[-1] in _SUFFIXES and words[-2] in _CALL_IDS:
        return "call"
    if words[0] in ("get", "format"):
        words = words[1:]
    if any(word in _CALL_WORDS for word in words) and all(
        word in _CALL_WORDS or word in _QUALIFIERS for word in words
    ):
        return "call"
    return "unknown"
