"""Which Python expressions give another value each time: clocks, ids, random numbers.

Names are judged by what they usually are; the file's imports are not looked at, since a snippet in
a document often has none.
"""

from __future__ import annotations

import re

from cachewise.syntax.tree import Change

Made = tuple[str, Change]
"""What makes a value, in words, and how often it is another one."""

_CALLS: tuple[tuple[re.Pattern[str], str, Change], ...] = (
    (
        re.compile(r"(?:^|\.)(?:datetime|dt|timezone|pendulum|arrow)(?:\.\w+)*\.(?:utc)?now$"
                   r"|(?:^|\.)utcnow$|^now$|(?:^|\.)localtime$|(?:^|\.)gmtime$"
                   r"|(?:^|\.)time\.(?:time|time_ns|monotonic|monotonic_ns|perf_counter"
                   r"|perf_counter_ns|ctime|asctime|strftime)$|^(?:time|time_ns|perf_counter)$"
                   r"|(?:^|\.)datetime\.today$"),
        "the clock", "call",
    ),
    (
        re.compile(r"(?:^|\.)date\.today$|^today$|(?:^|\.)pendulum\.today$"),
        "today's date", "day",
    ),
    (
        re.compile(r"(?:^|\.)uuid[1-8]$|(?:^|\.)(?:shortuuid|ulid|nanoid|ksuid|cuid)\.\w+$"
                   r"|^(?:nanoid|generate_uuid|new_uuid|make_uuid)$|(?:^|\.)ObjectId$|^ULID$"),
        "a new id", "call",
    ),
    (
        re.compile(r"(?:^|\.)random\.(?!seed$)\w+$|(?:^|\.)secrets\.\w+$|(?:^|\.)urandom$"
                   r"|^(?:randint|token_hex|token_urlsafe|getrandbits|randrange|SystemRandom)$"),
        "a random value", "call",
    ),
    (re.compile(r"^next$"), "a counter", "call"),
    (
        re.compile(r"(?:^|\.)(?:getenv|gethostname|getpid|getuser|getlogin|uname)$"
                   r"|(?:^|\.)environ\.get$|(?:^|\.)platform\.(?:node|platform|uname)$"),
        "the environment", "start",
    ),
    (
        re.compile(r"(?:^|\.)os\.(?:listdir|scandir|walk)$|(?:^|\.)i?glob(?:\.i?glob)?$"
                   r"|\.(?:iterdir|rglob)$|^listdir$"),
        "the order of a folder's files", "order",
    ),
    (re.compile(r"^(?:globals|vars|locals)$"), "a namespace", "order"),
)  # fmt: skip

_VALUES: tuple[tuple[re.Pattern[str], str, Change], ...] = (
    (re.compile(r"(?:^|\.)environ\["), "the environment", "start"),
)


_NAMES: tuple[tuple[re.Pattern[str], str, Change], ...] = (
    (
        re.compile(r"(?:current_)?(?:iteration|attempt|turn)(?:_?(?:number|count|index|no))?"),
        "a counter", "call",
    ),
    (re.compile(r"(?:current_)?(?:time|timestamp|datetime)|now|time_?stamp"), "the time", "call"),
    (
        re.compile(r"(?:request|session|trace|conversation|run|message|correlation)_?(?:uu)?id"),
        "an id", "call",
    ),
    (re.compile(r"nonce|random_(?:id|value|seed)|uuid4?"), "a random value", "call"),
)  # fmt: skip


def named_for(name: str) -> Made | None:
    """What a parameter carries, when its name says that it is another value in each call."""
    for pattern, what, change in _NAMES:
        if pattern.fullmatch(name.lower()):
            return what, change
    return None


def made_by(name: str, arguments: str | None, word: str) -> Made | None:
    """What makes the value of a call of ``name`` (or, without arguments, of the expression)."""
    if arguments is None:
        for pattern, what, change in _VALUES:
            if pattern.search(name):
                return what, change
        return None
    for pattern, what, change in _CALLS:
        if pattern.search(name):
            if word == "next" and not re.search(r"count|ids?\b|seq", arguments):
                return None
            if word in ("strftime", "ctime", "asctime", "localtime", "gmtime"):
                return _of_time(word, arguments, what, change)
            return what, change
    return None


def _of_time(word: str, arguments: str, what: str, change: Change) -> Made | None:
    """``time.strftime(format)`` says the present time; with a second argument it may be any."""
    inner = arguments[1:-1]
    if word != "strftime":
        return (what, change) if not inner.strip() else None
    letters = re.findall(r"%[-#]?([A-Za-z])", inner)
    if letters and not any(letter in "HIMSfpXcTsr" for letter in letters):
        return "today's date", "day"
    return what, change
