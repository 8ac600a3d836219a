"""Asking a provider how many tokens a request has; also a dry run of the request, free of charge.

``count_tokens`` asks once, ``count_many`` a few at a time, ``count_soon`` from an event loop. All
of them are back within their time, whatever the other side does: the exchange runs in a thread that
nobody waits for any longer than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cachewise.remote.providers import Access, Call, Question, call_for, read_count, read_words
from cachewise.remote.remembered import Remembered, name_of
from cachewise.remote.transfer import Answer, Clock, Exchange, Failure, Kind, exchange, late

TIMEOUT = 10.0
"""Seconds that everything together may take, unless the user says otherwise."""

AT_ONCE = 4
"""Questions that are under way at the same time, of the whole program."""

LARGEST_ANSWER = 64 * 1024
"""Bytes; a count is a few dozen, an error a few hundred."""

_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class ExactCount:
    """The tokens of a whole request by the provider's own count.

    ``remembered``: this request has been counted before, so nothing was sent.
    """

    tokens: int
    host: str
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class RemoteProblem:
    """Why there is no exact count: a sentence, and the provider's own words where it has any.

    ``words`` of kind ``invalid`` say what the provider would reject about the request.
    """

    kind: Kind
    sentence: str
    words: str = ""


Outcome = ExactCount | RemoteProblem


def count_tokens(
    question: Question,
    access: Access,
    *,
    timeout: float = TIMEOUT,
    stop: threading.Event | None = None,
    memory: Remembered | None = None,
) -> Outcome:
    """The tokens of one request. Blocks up to ``timeout`` seconds; never raises.

    Setting ``stop`` ends it early. What ``memory`` holds is not asked again.
    """
    return count_many([(question, access)], timeout=timeout, stop=stop, memory=memory)[0]


def count_many(
    questions: Sequence[tuple[Question, Access]],
    *,
    timeout: float = TIMEOUT,
    stop: threading.Event | None = None,
    memory: Remembered | None = None,
    done: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """The tokens of several requests, in their order, all within ``timeout`` seconds together.

    Requests that are the same are asked about once. ``done`` is told how many have their outcome.
    """
    clock = Clock(timeout, stop)
    outcomes: dict[str, Outcome] = {}
    waiting: dict[str, tuple[Call, Access]] = {}
    names: list[str] = []
    for question, access in questions:
        call = call_for(question, access)
        if isinstance(call, str):
            name = f"{len(names)}"
            outcomes[name] = RemoteProblem("not-offered", call)
        else:
            name = name_of(call.url, call.content, call.betas)
            kept = memory.get(name) if memory is not None else None
            if kept is not None:
                outcomes[name] = ExactCount(kept, access.host, remembered=True)
            else:
                waiting[name] = (call, access)
        names.append(name)
    hosts = {name: access.host for name, (_, access) in zip(names, questions, strict=True)}
    queue = [(name, call, access) for name, (call, access) in waiting.items()]
    _work(queue, outcomes, clock, memory, done)
    found: list[Outcome] = []
    for name in names:
        outcome = outcomes.get(name)
        if outcome is None:
            failure = clock.failure(hosts[name]) or late(hosts[name], timeout)
            outcome = RemoteProblem(failure.kind, failure.sentence)
        found.append(outcome)
    return found


async def count_soon(
    question: Question,
    access: Access,
    *,
    timeout: float = TIMEOUT,
    memory: Remembered | None = None,
) -> Outcome:
    """The tokens of one request, without holding up the event loop. Cancelling it stops it."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[Outcome] = loop.create_future()
    stop = threading.Event()

    def deliver(outcome: Outcome) -> None:
        if not ready.done():
            ready.set_result(outcome)

    def work() -> None:
        outcome = count_tokens(question, access, timeout=timeout, stop=stop, memory=memory)
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(deliver, outcome)

    threading.Thread(target=work, daemon=True, name="cachewise-count").start()
    try:
        return await ready
    finally:
        stop.set()


def _work(
    waiting: list[tuple[str, Call, Access]],
    outcomes: dict[str, Outcome],
    clock: Clock,
    memory: Remembered | None,
    done: Callable[[int], None] | None,
) -> None:
    """Fill ``outcomes`` as far as the time goes. What hangs is left behind in its thread."""
    if not waiting:
        return
    queue = list(reversed(waiting))
    arrived = threading.Condition()
    finished = 0

    def take() -> None:
        nonlocal finished
        while True:
            with arrived:
                if not queue or clock.failure("") is not None:
                    return
                name, call, access = queue.pop()
            outcome = _ask(call, access, clock)
            if isinstance(outcome, ExactCount) and memory is not None:
                memory.put(name, outcome.tokens)
            with arrived:
                outcomes[name] = outcome
                finished += 1
                arrived.notify_all()

    for _ in range(min(AT_ONCE, len(waiting))):
        threading.Thread(target=take, daemon=True, name="cachewise-ask").start()
    told = 0
    while True:
        with arrived:
            if finished < len(waiting) and finished == told and clock.failure("") is None:
                # Short waits, so that a stop from outside is noticed.
                arrived.wait(min(clock.left, 0.05))
            told, ended = finished, finished == len(waiting) or clock.failure("") is not None
        if done is not None:
            done(told)
        if ended:
            return


def _ask(call: Call, access: Access, clock: Clock) -> Outcome:
    if not _places.acquire(timeout=clock.left):
        failure = late(access.host, clock.seconds)
        return RemoteProblem(failure.kind, failure.sentence)
    try:
        sent = Exchange("POST", call.url, call.headers, call.content, LARGEST_ANSWER)
        answer = exchange(sent, clock)
    except Exception as error:
        # Its text could hold what was sent, so only its kind is told.
        return RemoteProblem(
            "broken", f"Asking {access.host} failed ({type(error).__name__}); that is a fault here."
        )
    finally:
        _places.release()
    if isinstance(answer, Failure):
        return RemoteProblem(answer.kind, answer.sentence)
    return _judge(answer, access)


def _judge(answer: Answer, access: Access) -> Outcome:
    """What an answer says."""
    host, status = access.host, answer.status
    if status == 200:
        tokens = read_count(access.platform, answer.body)
        if tokens is None:
            return RemoteProblem("garbage", f"{host} answers with something that is no count.")
        return ExactCount(tokens, host)
    words = read_words(answer.body, access.key)
    said = f": {words}" if words else ""
    if not said.endswith((".", "!", "?")):
        said += "."
    if status in (401, 403):
        return RemoteProblem(
            "refused",
            f"{host} does not accept the key from {access.key_name} (HTTP {status}){said}",
            words,
        )
    if status in (400, 422):
        return RemoteProblem("invalid", f"{host} rejects the request (HTTP {status}){said}", words)
    if status == 413:
        return RemoteProblem("refused", f"{host} takes no request of this size (HTTP 413){said}")
    if status == 404:
        return RemoteProblem(
            "refused",
            f"{host} knows no such model, or counts no tokens at this address (HTTP 404){said}",
            words,
        )
    if status == 429:
        return RemoteProblem("limited", f"{host} allows no more questions now (HTTP 429){said}")
    if status >= 500:
        return RemoteProblem("broken", f"{host} has a fault of its own (HTTP {status}){said}")
    return RemoteProblem("garbage", f"{host} answers in a way that is not known (HTTP {status}).")
