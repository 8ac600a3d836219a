"""Which expressions of the compiled languages, Ruby and PHP give another value each time.

Names are judged by what they usually are, with the dots, arrows and colons of their language.
"""

from __future__ import annotations

import re

from cachewise.syntax.tree import Change

_CALLS: tuple[tuple[re.Pattern[str], str, Change], ...] = (
    (
        re.compile(
            r"\b(?:LocalDate\.now|DateOnly\.FromDateTime|Date\.(?:today|current)|DateTime\.Today)\b"
        ),
        "today's date",
        "day",
    ),
    (
        re.compile(
            r"\b(?:Instant|LocalDateTime|ZonedDateTime|OffsetDateTime|LocalTime|Clock\.System"
            r"|Clock\w*\(\))\.now\b|\bcurrentTimeMillis\b|\bnanoTime\b|\btime\.Now\b"
            r"|\bDateTime(?:Offset)?\.(?:Utc)?Now\b|\bStopwatch\.GetTimestamp\b"
            r"|\b(?:Time|DateTime)\.(?:now|current)\b|^(?:\\?time|\\?microtime|\\?hrtime)$"
            r"|\b(?:Utc|Local|SystemTime|OffsetDateTime)::now(?:_utc)?\b|\bCarbon::now\b|^now$"
        ),
        "the clock",
        "call",
    ),
    (
        re.compile(
            r"\brandomUUID\b|\bUuid\.random\b|\bGuid\.NewGuid\b|\buuid\.(?:New\w*|Must)\b"
            r"|\bxid\.New\b|\bulid\.Make\b|\bSecureRandom\.uuid\b|\bUuid::(?:new_v\d|uuid\d|v\d)\b"
            r"|^\\?uniqid$|\bStr::(?:uuid|ulid)\b"
        ),
        "a new id",
        "call",
    ),
    (
        re.compile(
            r"\bMath\.random\b|\bThreadLocalRandom\b|\bRandom(?:\(\))?\.(?:[Nn]ext\w*|Shared\b.*)"
            r"|\brand\.(?:Int\w*|Float\w*|Read|Text)\b|\bRandom\.(?:rand|hex|new)\b|^(?:rand|mt_rand)$"
            r"|\bSecureRandom\.\w+|^\\?random_(?:int|bytes)$|\brand::random\b|\bthread_rng\b"
        ),
        "a random value",
        "call",
    ),
    (
        re.compile(
            r"\bSystem\.get(?:env|Property)\b|\bos\.(?:Getenv|Hostname|LookupEnv)\b"
            r"|\bEnvironment\.(?:GetEnvironmentVariable|MachineName|UserName)\b|^ENV(?:\.fetch)?\b"
            r"|^\\?(?:getenv|gethostname|env)$|\benv::var\b"
        ),
        "the environment",
        "start",
    ),
)


_FRESH = re.compile(r"\bRandom\(\)\.[Nn]ext\w*$")


def made_by(name: str) -> tuple[str, Change] | None:
    """What makes the value of a call (or property) of this name, in words, and how often."""
    if ")" in name and _FRESH.search(name) is None:
        return None  # a method of what another call gives: that one is looked at by itself
    for pattern, what, change in _CALLS:
        if pattern.search(name):
            return what, change
    return None
