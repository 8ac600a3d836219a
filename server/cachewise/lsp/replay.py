"""``cachewise/replay``: a recorded trace replayed beside the answers, as a page.

A long trace takes seconds, and one line of it may take a second. So it is read in a thread of its
own, with values of its own; what both threads use (the catalog, the memories of token counts) is
made for two. The page is the one that ``cachewise replay --format html`` prints.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import to_fs_path

from cachewise.lsp import parameters
from cachewise.lsp.background import SHOW_AFTER_SECONDS, Progress
from cachewise.lsp.store import OpenDocument

if TYPE_CHECKING:
    from cachewise.analysis import Options
    from cachewise.lsp.server import Server

_log = logging.getLogger(__name__)

METHOD = "cachewise/replay"

COMMAND = "cachewise.replay"
"""Its argument is the trace's URI. For editors without a place for a page: the sums are said."""

_LINES = (".jsonl", ".ndjson", ".log")
_WHOLE = (".json", ".jsonc")

_TICK_SECONDS = 0.1


class Stopped(Exception):
    """The user, the client or the end of the server has stopped a replay."""


class Work:
    """A replay in its thread: how far it is, whether it is to stop, and the page or why not."""

    def __init__(self) -> None:
        self.read = 0
        self.size = 0
        self.page: str | None = None
        self.sentence: str | None = None
        self.problem: str | None = None
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have it end at the next line."""
        self._stopped.set()

    def step(self, characters: int) -> None:
        """Note that so much has been read; ``Stopped`` when that is to be all."""
        if self._stopped.is_set():
            raise Stopped
        self.read += characters

    @property
    def percentage(self) -> int | None:
        """How much of the text has been read; None when its size is not known."""
        return min(100, 100 * self.read // self.size) if self.size else None


async def replay(server: Server, params: Any) -> dict[str, Any] | None:
    """Answer ``{textDocument, workDoneToken?}`` with ``{title, html, sentence, problem}``, or null.

    The trace is an open document, as it is in the editor, or a file. ``html`` is a page without
    scripts that loads nothing, ``sentence`` its sums; both are null when there is a ``problem``,
    which is a sentence too. The answer is null when the replay was stopped.
    """
    uri = parameters.document_uri(params)
    if not isinstance(uri, str):
        raise ValueError(f"{METHOD} needs {{textDocument: {{uri}}}}.")
    document = server.store.get(uri)
    path = to_fs_path(uri) or ""
    title = Path(path).name or uri.rpartition("/")[2]
    lines = _is_lines(document, path)
    if lines is None:
        return _answer(title, problem="A trace is a JSON or a JSON Lines file.")
    options = _options(server, document, uri, lines=lines)
    if options is None:
        return _answer(title, problem="The settings exclude this file.")
    source = str(document.text) if document is not None else None
    work = Work()
    make = _page(work, title, source, Path(path), options, lines=lines)
    token = parameters.field(params, "workDoneToken")
    token = token if isinstance(token, str | int) else None
    finished = await _in_thread(server, work, make, f"replaying {title}", token)
    return _answer(title, work.page, work.sentence, work.problem) if finished else None


async def execute(server: Server, arguments: Sequence[Any]) -> dict[str, Any] | None:
    """Run the command: the user is told the sums of the trace, or why there are none."""
    uri = arguments[0] if len(arguments) == 1 else None
    if not isinstance(uri, str):
        raise ValueError(f"{COMMAND} needs a URI.")
    found = await replay(server, {"textDocument": {"uri": uri}})
    if found is not None:
        kind = types.MessageType.Warning if found["problem"] else types.MessageType.Info
        text = f"Cachewise: {found['problem'] or found['sentence']}"
        server.window_show_message(types.ShowMessageParams(kind, text))
    return found


def _answer(
    title: str, html: str | None = None, sentence: str | None = None, problem: str | None = None
) -> dict[str, Any]:
    return {"title": title, "html": html, "sentence": sentence, "problem": problem}


def _is_lines(document: OpenDocument | None, path: str) -> bool | None:
    """Whether a trace holds a value a line; None when it is no trace by its format or name."""
    suffix = Path(path).suffix.lower()
    if suffix in _LINES:
        return True
    if document is not None:
        return {"jsonl": True, "json": False, "jsonc": False}.get(document.format)
    return False if suffix in _WHOLE else None


def _options(
    server: Server, document: OpenDocument | None, uri: str, *, lines: bool
) -> Options | None:
    """The document's settings, with every token counted: nobody waits for this between two keys."""
    known = document
    if known is None:
        item = types.TextDocumentItem(uri, "jsonl" if lines else "json", 0, "")
        known = OpenDocument(item, item.language_id, server.configuration.options)
    options = server.configuration.options(known)
    if document is None:
        server.configuration.forget(uri)
    return None if options is None else replace(options, exact_tokens=True)


def _page(
    work: Work, title: str, source: str | None, path: Path, options: Options, *, lines: bool
) -> Callable[[], None]:
    """What the thread does: read, replay, and write the page into ``work``."""

    def make() -> None:
        from cachewise.analysis import Document
        from cachewise.analysis.steps import Summary, replay_requests
        from cachewise.analysis.trace import replay_lines
        from cachewise.analysis.trace_overview import step_report, summary_report
        from cachewise.report.trace import html_pieces, summary_lines

        summary = Summary()
        try:
            if lines:
                steps = replay_lines(enumerate(_lines(work, source, path), 1), options, summary)
            else:
                text = source if source is not None else path.read_text("utf-8-sig", "replace")
                work.step(0)
                document = Document(text, "jsonc", options, str(path))
                steps = replay_requests(document.requests, options, summary)
            pieces: list[str] = []
            for piece in html_pieces(
                title, map(step_report, steps), lambda: summary_report(summary)
            ):
                work.step(0)
                pieces.append(piece)
        except OSError as error:
            work.problem = f"{title} cannot be read: {error.strerror or error}."
            return
        if not summary.steps:
            work.problem = f"No request of a known shape is in {title}."
            return
        told = [
            "".join(text for text, _ in line) for line in summary_lines(summary_report(summary))
        ]
        work.sentence = "; ".join(line for line in told if line) + "."
        work.page = "".join(pieces)

    return make


def _lines(work: Work, source: str | None, path: Path) -> Iterator[str]:
    """The lines of a trace. They end at a line feed alone: a prompt may hold other separators."""
    if source is not None:
        work.size = len(source)
        yield from _counted(work, source.split("\n"))
        return
    work.size = path.stat().st_size
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        yield from _counted(work, stream)


def _counted(work: Work, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        work.step(len(line))
        yield line.rstrip("\r\n")


async def _in_thread(
    server: Server, work: Work, make: Callable[[], None], what: str, token: str | int | None
) -> bool:
    """Let the thread work, with progress that can end it; whether it came to its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()

    def settle(finished: bool) -> None:
        if not done.done():
            done.set_result(finished)

    def run() -> None:
        finished = False
        try:
            make()
            finished = True
        except Stopped:
            _log.info("A replay was stopped.")
        except Exception:
            _log.exception("A replay failed.")
            work.problem = "The replay failed; that is a fault of Cachewise."
            finished = True
        try:
            loop.call_soon_threadsafe(settle, finished)
        except RuntimeError:
            _log.debug("The server has ended before a replay.")

    server.wire.when_cancelled(work.stop)
    # A server that is told to leave does not wait for it.
    threading.Thread(target=run, name="cachewise-replay", daemon=True).start()
    started = time.monotonic()
    progress: Progress | None = None
    try:
        while not done.done():
            await asyncio.wait({done}, timeout=_TICK_SECONDS)
            if progress is None and time.monotonic() - started > SHOW_AFTER_SECONDS:
                progress = Progress(server, what, work.percentage, token)
            if progress is not None:
                progress.report(work.percentage)
                if progress.cancelled:
                    work.stop()
        return done.result()
    finally:
        work.stop()
        if progress is not None:
            progress.end()
