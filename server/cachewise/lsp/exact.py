"""The command that asks a provider to count a request exactly, and what its answer changes.

Nothing is sent before the user gives the command, and nothing at all from a workspace that the
editor does not trust. A request that the provider rejects gets its words as a diagnostic, until the
next edit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

from cachewise.lsp import convert
from cachewise.lsp.background import Progress
from cachewise.remote.offered import OFFERED

if TYPE_CHECKING:
    from cachewise.analysis import Document, Located
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument
    from cachewise.remote.counting import Outcome
    from cachewise.remote.providers import Access

_log = logging.getLogger(__name__)

COMMAND = "cachewise.countExact"
"""Its arguments: the document's URI; the request's number from 0, or a line and a character inside
of it, or nothing when there is but one; and last, where the editor keeps one, a key as the text
``PLATFORM=KEY``: a key goes to the provider that it belongs to and to no other."""

SOURCE = "cachewise (provider)"

_TRUST_ASKED = "visual studio code"
"""Who has a notion of trust, and must have said something about it."""

_NOT_TRUSTED = "This workspace is not trusted, so nothing is sent from it."


class ExactCounts:
    """What providers have said about the open documents, and whether they may be asked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._trusted: bool | None = None
        self._refused: dict[str, tuple[int, int, int, str, str]] = {}

    def start_with(self, params: types.InitializeParams) -> None:
        """Learn from ``initialize`` whether the workspace is trusted: ``{"trusted": true}``."""
        options: object = params.initialization_options
        said: object = None
        if isinstance(options, Mapping):
            said = cast("Mapping[str, object]", options).get("trusted")
        if isinstance(said, bool):
            self._trusted = said
        else:
            name = params.client_info.name if params.client_info is not None else ""
            self._trusted = False if name.lower().startswith(_TRUST_ASKED) else None

    def lenses(self, document: OpenDocument, analysis: Document) -> list[types.CodeLens]:
        """A lens with the command above each request that can be asked about."""
        if self._trusted is False or not analysis.options.settings.lens_enabled:
            return []
        return [
            types.CodeLens(
                range=convert.line_span(
                    document.text, located.base, located.end, self._server.encoding
                ),
                command=types.Command(
                    title="Count exactly", command=COMMAND, arguments=[document.uri, located.index]
                ),
            )
            for located in analysis.requests
            if not located.analyzed.request.configuration
            and (located.analyzed.resolution.platform, located.found.request.shape) in OFFERED
        ]

    def diagnostics(self, document: OpenDocument) -> list[types.Diagnostic]:
        """What a provider would reject in a document as it is now, in the provider's words."""
        kept = self._refused.get(document.uri)
        if kept is None:
            return []
        version, start, end, host, words = kept
        if version != document.version:
            del self._refused[document.uri]
            return []
        return [
            types.Diagnostic(
                range=convert.line_span(document.text, start, end, self._server.encoding),
                message=f"{host} rejects this request: {words}",
                severity=types.DiagnosticSeverity.Error,
                source=SOURCE,
            )
        ]

    def forget(self, uri: str) -> None:
        """A document was closed."""
        self._refused.pop(uri, None)

    async def execute(self, arguments: Sequence[object]) -> dict[str, Any]:
        """Run the command. Its result, and a message to the user, say what came of it."""
        try:
            uri, where, key = _arguments(arguments)
            found = self._request(uri, where)
            if isinstance(found, str):
                return self._failed(found)
            document, analysis, located = found
            return await self._count(document, analysis, located, key)
        except ValueError as error:
            return self._failed(str(error))
        except Exception as error:
            # The places alone: an exception's text may hold the arguments, the key among them.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s failed: %s\n%s", COMMAND, type(error).__name__, places)
            return self._failed("Counting exactly failed; that is a fault of Cachewise.")

    def _request(
        self, uri: str, where: tuple[int, ...]
    ) -> tuple[OpenDocument, Document, Located] | str:
        if self._trusted is False:
            return _NOT_TRUSTED
        document = self._server.store.get(uri)
        analysis = document.analysis if document is not None else None
        if document is None or analysis is None or not analysis.requests:
            return "There is no request in this document."
        requests = analysis.requests
        if len(where) == 2:
            position = types.Position(*where)
            offset = convert.offset(document.text, position, self._server.encoding)
            located = analysis.request_at(offset)
            if located is None:
                return "There is no request here."
        elif len(where) == 1:
            if where[0] >= len(requests):
                return "There is no such request in this document."
            located = requests[where[0]]
        elif len(requests) == 1:
            located = requests[0]
        else:
            return "There are several requests in this document: say which."
        return document, analysis, located

    async def _count(
        self, document: OpenDocument, analysis: Document, located: Located, key: str | None
    ) -> dict[str, Any]:
        # Imported here: only this command needs any of it.
        from cachewise.analysis.outgoing import outgoing
        from cachewise.remote.providers import Question, access_for

        logging.getLogger("httpx").setLevel(logging.WARNING)
        what = outgoing(located)
        if isinstance(what, str):
            return self._failed(what)
        access = access_for(
            what.platform,
            os.environ,
            settings_url=analysis.options.settings.anthropic_base_url,
            trusts_settings=self._trusted is True,
            key=_key_of(what.platform, key),
        )
        if isinstance(access, str):
            return self._failed(access)
        question = Question(what.platform, what.shape, what.model, what.body, what.betas)
        version = document.version
        outcome = await self._ask(question, access)
        return self._take(document, version, located, access, outcome)

    async def _ask(self, question: Any, access: Access) -> Outcome:
        """Ask, with progress that says whom, and that can end it; so can the request itself."""
        from cachewise.remote.counting import RemoteProblem, count_soon
        from cachewise.remote.folder import cache_folder
        from cachewise.remote.remembered import Remembered

        folder = cache_folder(os.environ)
        memory = None if folder is None else Remembered(folder, datetime.now(UTC).date())
        self._server.window_log_message(
            types.LogMessageParams(
                types.MessageType.Info, f"{access.host} is asked to count; a request is sent there."
            )
        )
        task = asyncio.create_task(count_soon(question, access, memory=memory))
        self._server.wire.when_cancelled(task.cancel)
        progress = Progress(self._server, f"asking {access.host} to count tokens")
        try:
            while not task.done():
                if progress.cancelled:
                    task.cancel()
                await asyncio.wait({task}, timeout=0.05)
            with contextlib.suppress(asyncio.CancelledError):
                return task.result()
            return RemoteProblem("cancelled", "Cancelled.")
        finally:
            task.cancel()
            progress.end()

    def _take(
        self,
        document: OpenDocument,
        version: int,
        located: Located,
        access: Access,
        outcome: Outcome,
    ) -> dict[str, Any]:
        """Show an outcome, as far as it is about the text as it is now."""
        from cachewise.analysis.outgoing import named_span
        from cachewise.remote.counting import ExactCount

        analysis = document.analysis
        current = (
            self._server.store.get(document.uri) is document
            and document.version == version
            and analysis is not None
        )
        if isinstance(outcome, ExactCount):
            text = f"{outcome.host} counts {outcome.tokens:,} tokens."
            if current and analysis is not None:
                analysis.set_exact(located, outcome.tokens, outcome.host)
                self._refused.pop(document.uri, None)
                self._changed(document)
            self._show(types.MessageType.Info, text)
            return {"exact": True, "tokens": outcome.tokens, "host": outcome.host, "error": None}
        if outcome.kind == "invalid" and outcome.words and current:
            start, end = named_span(located, outcome.words)
            self._refused[document.uri] = (version, start, end, access.host, outcome.words)
            self._changed(document)
        return self._failed(outcome.sentence, quiet=outcome.kind == "cancelled")

    def _changed(self, document: OpenDocument) -> None:
        document.generation += 1
        self._server.refresh(document)

    def _failed(self, sentence: str, *, quiet: bool = False) -> dict[str, Any]:
        if not quiet:
            self._show(types.MessageType.Warning, f"Not counted exactly: {sentence}")
        return {"exact": False, "tokens": None, "host": None, "error": sentence}

    def _show(self, kind: types.MessageType, text: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(kind, text))


def _key_of(platform: str, given: str | None) -> str | None:
    """The editor's key, when it belongs to the platform that is asked."""
    name, separator, key = (given or "").partition("=")
    return key if separator and name == platform and key else None


def _arguments(arguments: Sequence[object]) -> tuple[str, tuple[int, ...], str | None]:
    """The URI, the place, the key; ``ValueError`` with a sentence that repeats none of them."""
    rest = list(arguments)
    uri = rest.pop(0) if rest else None
    key = rest.pop() if rest and isinstance(rest[-1], str) else None
    numbers = [item for item in rest if isinstance(item, int) and not isinstance(item, bool)]
    good = len(numbers) == len(rest) <= 2 and all(number >= 0 for number in numbers)
    if not isinstance(uri, str) or not good:
        raise ValueError(f"{COMMAND} takes a URI, then a number or a position, then a key.")
    return uri, tuple(numbers), key if isinstance(key, str) else None
