"""One HTTP exchange that always ends: bounded in time, size and attempts, and that tells no secret.

Failures come back as a sentence. None is made from the text of an exception: an HTTP library puts
into it what it was given, the key included.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

    import httpx

Kind = Literal[
    "not-offered",
    "no-key",
    "bad-address",
    "unreachable",
    "timeout",
    "cancelled",
    "redirected",
    "refused",
    "invalid",
    "limited",
    "broken",
    "garbage",
]
"""What went wrong: ``refused`` is a key that is not accepted, ``invalid`` a request that the
provider rejects as wrong, ``limited`` too many questions, ``broken`` a fault on the other side."""

MOST_ATTEMPTS = 5
MOST_CONNECTIONS = 2
"""Attempts, and those among them that may end without any answer: an address where nobody listens
does not come to life within seconds."""

FIRST_PAUSE = 0.5
"""Seconds before the second attempt; each further pause is twice as long, with some chance."""

MOST_REDIRECTS = 3

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer that can be used; ``sentence`` says why and what to do, for the user."""

    kind: Kind
    sentence: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is sent. Headers hold the key, so they are in no ``repr``."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str]
    content: bytes
    largest: int
    """Bytes of the answer's body that are read at most."""

    def __repr__(self) -> str:
        return f"Exchange({self.method}, {host_of(self.url)!r})"


class Clock:
    """How much of the time is left; ``stop`` ends the work from outside."""

    def __init__(self, seconds: float, stop: threading.Event | None = None) -> None:
        self.seconds = seconds
        self.stop = stop or threading.Event()
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Wait; shorter when the work is stopped meanwhile."""
        self.stop.wait(min(seconds, self.left))

    def failure(self, host: str) -> Failure | None:
        """Why no more work may be done, or None."""
        if self.stop.is_set():
            return Failure("cancelled", "Cancelled.")
        if self.left <= 0:
            return late(host, self.seconds)
        return None


def late(host: str, seconds: float) -> Failure:
    """The failure of whoever has not answered in time."""
    return Failure("timeout", f"{host} did not answer within {seconds:g} s.")


def exchange(what: Exchange, clock: Clock) -> Answer | Failure:
    """Send, and wait for the answer; again after a pause where that may help.

    An answer with ``retry-after`` is asked again when it says so, if that is in time at all.
    """
    host = host_of(what.url)
    silent = 0
    outcome: Answer | Failure = late(host, clock.seconds)
    for attempt in range(MOST_ATTEMPTS):
        ended = clock.failure(host)
        if ended is not None:
            return ended
        outcome, wanted = _once(what, clock)
        if isinstance(outcome, Answer):
            if outcome.status not in _RETRIED:
                return outcome
        elif outcome.kind == "unreachable":
            silent += 1
            if silent >= MOST_CONNECTIONS:
                return outcome
        elif outcome.kind != "broken":
            return outcome
        # Chance, so that many clients turned away at once do not come back at once.
        pause = FIRST_PAUSE * 2**attempt * random.uniform(0.7, 1.3)
        if wanted is not None:
            pause = max(wanted, pause / 2)
        if pause >= clock.left:
            return outcome
        clock.pause(pause)
    return outcome


def bounded_exchange(what: Exchange, clock: Clock) -> Answer | Failure:
    """``exchange``, back in time even where the system itself hangs, as in looking a name up."""
    ready: list[Answer | Failure] = []
    thread = threading.Thread(
        target=lambda: ready.append(exchange(what, clock)), daemon=True, name="cachewise-fetch"
    )
    thread.start()
    thread.join(clock.left)
    return ready[0] if ready else late(host_of(what.url), clock.seconds)


def _once(what: Exchange, clock: Clock) -> tuple[Answer | Failure, float | None]:
    """One attempt, and the seconds that the other side asks to wait before another."""
    # Imported here: it takes a third of a second, and most commands never need it.
    import httpx

    host = host_of(what.url)
    url = what.url
    try:
        with httpx.Client(
            follow_redirects=False,
            # A proxy has no business between a program and its own machine.
            trust_env=not is_local(url),
            verify=_certificates(),
            headers={"accept-encoding": "identity"},
        ) as client:
            for _ in range(MOST_REDIRECTS + 1):
                request = client.build_request(
                    what.method,
                    url,
                    headers=dict(what.headers),
                    content=what.content or None,
                    timeout=max(clock.left, 0.001),
                )
                response = client.send(request, stream=True)
                try:
                    if response.is_redirect:
                        target = _same_place(url, response)
                        if target is None:
                            return _redirected(host, response), None
                        url = target
                        continue
                    body = _read(response, what.largest, clock)
                    if isinstance(body, Failure):
                        return body, None
                    wanted = retry_after(response.headers, datetime.now(UTC))
                    return Answer(response.status_code, body), wanted
                finally:
                    response.close()
            return Failure("redirected", f"{host} redirects in a circle."), None
    except httpx.TimeoutException:
        return clock.failure(host) or late(host, clock.seconds), None
    except (httpx.ConnectError, httpx.ProxyError):
        return Failure("unreachable", f"{host} cannot be reached."), None
    except httpx.TransportError:
        return Failure("broken", f"{host} broke the connection off before its answer ended."), None
    except (httpx.InvalidURL, httpx.HTTPError, ValueError, OSError):
        return Failure("bad-address", f"{host} cannot be asked: the address is not usable."), None


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that are trusted, read once: that takes longer than an exchange."""
    import httpx

    return httpx.create_ssl_context()


def _read(response: httpx.Response, largest: int, clock: Clock) -> bytes | Failure:
    host = host_of(str(response.url))
    parts: list[bytes] = []
    size = 0
    for part in response.iter_raw():
        size += len(part)
        if size > largest:
            return Failure("garbage", f"{host} answers with more than {largest:,} bytes.")
        ended = clock.failure(host)
        if ended is not None:
            return ended
        parts.append(part)
    return b"".join(parts)


def _same_place(url: str, response: httpx.Response) -> str | None:
    """Where a redirect leads, if that is on the same server and keeps the method; else None."""
    if response.status_code not in (307, 308) and response.request.method != "GET":
        return None
    target = response.url.join(response.headers.get("location", ""))
    before, after = urlsplit(url), urlsplit(str(target))
    same = (before.scheme, before.netloc) == (after.scheme, after.netloc)
    return str(target) if same and response.headers.get("location") else None


def _redirected(host: str, response: httpx.Response) -> Failure:
    location: str = response.headers.get("location", "")
    other = host_of(location)[:100]
    where = f"to {other}" if other not in (host, "the address") else "to another address"
    return Failure(
        "redirected",
        f"{host} redirects {where} (HTTP {response.status_code}); that is not followed.",
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds in ``retry-after-ms`` or ``retry-after`` (a number or a date), or None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        written = headers.get(name, "").strip()
        if not written:
            continue
        try:
            seconds = float(written) * unit
        except ValueError:
            try:
                moment = parsedate_to_datetime(written)
            except ValueError:
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            seconds = (moment - now).total_seconds()
        if seconds == seconds:
            return max(0.0, seconds)
    return None


def host_of(url: str) -> str:
    """The host and port of a URL, as they are shown to the user."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the address"
    if not host:
        return "the address"
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def address_problem(url: str) -> str | None:
    """Why a base URL cannot be used, as a sentence; None when it can."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "The base URL is not a URL."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "The base URL must begin with https:// (or http://) and name a host."
    if "@" in parts.netloc or parts.query or parts.fragment:
        return "The base URL must hold no user name, password, query or fragment."
    if any(character <= " " or character > "~" for character in url):
        return "The base URL must hold no spaces and only ASCII characters."
    return None


def is_local(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
