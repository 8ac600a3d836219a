"""Slow work beside the answers: counting exactly what was first estimated.

One task works, on the document that was asked about last, a few milliseconds at a time; between two
slices the event loop answers whatever has arrived. An edit ends the work on its document; what
has been counted stays known.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

if TYPE_CHECKING:
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument

_log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
"""How long nothing must have been asked for before slow work goes on."""

SETTLE_SECONDS = 1.0
"""The same for reading code that does not parse from scratch: half-typed code soon parses again."""

SHOW_AFTER_SECONDS = 0.7
"""Work that takes longer than this is shown as progress."""


class Counting:
    """Counts the documents that wait for it, the newest first."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[str, OpenDocument] = {}
        self._latest: OpenDocument | None = None
        self._task: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._declined: set[tuple[str, int]] = set()

    def wanted(self, document: OpenDocument | None) -> None:
        """An answer about a document was given: make its counts better if they can be."""
        self._asked = time.monotonic()
        if document is None:
            return
        analysis = document.analysis
        if analysis is None or analysis.complete:
            return
        if (document.uri, document.version) in self._declined:
            return
        self._waiting.pop(document.uri, None)
        self._waiting[document.uri] = document
        self._latest = document
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    def stop(self, uri: str) -> None:
        """Forget a document that was closed."""
        self._waiting.pop(uri, None)
        self._declined = {entry for entry in self._declined if entry[0] != uri}

    async def _work(self) -> None:
        while self._waiting:
            quiet = time.monotonic() - self._asked
            if quiet < IDLE_SECONDS:
                await asyncio.sleep(IDLE_SECONDS - quiet)
                continue
            uri, document = self._waiting.popitem()
            if self._server.store.get(uri) is not document:
                continue
            try:
                analysis = document.analysis
                if quiet < SETTLE_SECONDS and analysis is not None and analysis.unsettled:
                    self._waiting[uri] = document
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                finished = await self._count(document)
            except Exception:
                _log.exception("The tokens of %s could not be counted.", uri)
                self._declined.add((uri, document.version))
                continue
            if finished:
                document.generation += 1
                self._server.refresh(document)

    async def _count(self, document: OpenDocument) -> bool:
        """Count one document; False when an edit, a close or the user ended it."""
        analysis = document.analysis
        if analysis is None:
            return False
        generation = document.generation
        started = time.monotonic()
        progress: Progress | None = None
        steps = analysis.refine()
        try:
            for _ in steps:
                await asyncio.sleep(0)
                if document.generation != generation:
                    # Whoever asks about the new version asks for its counts too.
                    return False
                if document.uri in self._waiting:
                    del self._waiting[document.uri]
                if self._latest is not document and self._latest in self._waiting.values():
                    # Another document was asked about meanwhile: it comes first.
                    self._waiting = {document.uri: document, **self._waiting}
                    return False
                if self._server.store.get(document.uri) is not document:
                    return False
                if progress is None and time.monotonic() - started > SHOW_AFTER_SECONDS:
                    progress = Progress(
                        self._server, f"counting the tokens of {document.uri.rpartition('/')[2]}"
                    )
                if progress is not None and progress.cancelled:
                    self._declined.add((document.uri, document.version))
                    return False
        finally:
            if progress is not None:
                progress.end()
        return True


class Progress:
    """Progress shown by clients that can, with a button to end the work.

    ``percentage`` is how far the work is at the start; None where nobody can tell, then or later.
    ``token`` is the client's own, where it has made a place for the progress already.
    """

    def __init__(
        self,
        server: Server,
        what: str,
        percentage: int | None = None,
        token: str | int | None = None,
    ) -> None:
        self._server = server
        self._token: str | int | None = None
        self._told: int | None = None
        self._ended = False
        if token is not None:
            self._begin(token, what, percentage)
        elif server.client.progress:
            self._creating = asyncio.get_running_loop().create_task(self._create(what, percentage))

    @property
    def cancelled(self) -> bool:
        """Whether the user has ended the work."""
        if self._token is None:
            return False
        future = _tokens(self._server).get(self._token)
        return future is not None and future.cancelled()

    async def _create(self, what: str, percentage: int | None) -> None:
        token = str(uuid.uuid4())
        try:
            await cast("Any", self._server.work_done_progress).create_async(token)
        except Exception as error:
            _log.debug("no progress: %r", error)
            return
        if self._ended:
            _tokens(self._server).pop(token, None)
            return
        self._begin(token, what, percentage)

    def _begin(self, token: str | int, what: str, percentage: int | None) -> None:
        self._token = token
        self._server.work_done_progress.begin(
            token,
            types.WorkDoneProgressBegin(
                title=f"Cachewise: {what}", cancellable=True, percentage=percentage
            ),
        )

    def report(self, percentage: int | None) -> None:
        """Tell how far the work is, where that is known and not told already."""
        if self._token is None or percentage is None or percentage == self._told:
            return
        self._told = percentage
        self._server.work_done_progress.report(
            self._token, types.WorkDoneProgressReport(percentage=percentage, cancellable=True)
        )

    def end(self) -> None:
        """Take the progress off the screen."""
        self._ended = True
        if self._token is not None:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
            _tokens(self._server).pop(self._token, None)


def _tokens(server: Server) -> dict[Any, Any]:
    """The progress shown at present, each with a future that the client's button cancels."""
    return cast("Any", server.work_done_progress).tokens
