"""The language server: what it offers, what it does when documents and settings change.

``main`` serves one client until it leaves. ``initialize`` is answered before catalog, tokenizers
and rules are imported; they come with the first document that looks like a request.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from cachewise import __version__
from cachewise.lsp import (
    bands,
    cache_map,
    compare,
    convert,
    diagnostics,
    features,
    notebooks,
    parameters,
    place,
    replay,
)
from cachewise.lsp.background import Counting
from cachewise.lsp.configuration import FILES, SECTION, Configuration
from cachewise.lsp.exact import COMMAND, ExactCounts
from cachewise.lsp.protocol import Protocol
from cachewise.lsp.store import OpenDocument, Store
from cachewise.lsp.transport import (
    Frames,
    StreamWriter,
    claim_standard_output,
    read_connection,
    read_standard_input,
)
from cachewise.text import Encoding

_log = logging.getLogger(__name__)

Address = tuple[str, int]


def main(address: Address | None = None) -> int:
    """Serve over standard input and output, or over TCP at (host, port); the exit status.

    0 when the client said ``shutdown`` before it left, else 1.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
    )
    # At INFO the library formats the body of every message.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    server = make_server()
    try:
        if address is None:
            return asyncio.run(_serve_standard_streams(server))
        return asyncio.run(_serve_connection(server, address))
    except KeyboardInterrupt:
        return 130


@dataclass(slots=True)
class Client:
    """What the client can do, as far as it changes what it is sent."""

    refresh_hints: bool = False
    refresh_lenses: bool = False
    refresh_diagnostics: bool = False
    pulls_diagnostics: bool = False
    related_information: bool = False
    diagnostic_data: bool = False
    versioned_edits: bool = False
    nested_symbols: bool = False
    progress: bool = False
    configuration: bool = False
    commands: frozenset[str] = frozenset()
    """Commands of its own that lenses may name."""
    changes: bool = False
    """Whether it is told, by ``cachewise/changed``, that answers of our own have changed."""
    watches_files: bool = False
    registers_configuration: bool = False
    hover_formats: tuple[Any, ...] = ()
    completion_formats: tuple[Any, ...] = ()


class Server(LanguageServer):
    """The server's state: open documents, settings, and what goes on in the background."""

    def __init__(self) -> None:
        # The library's own signature is not fully typed.
        cast("Any", LanguageServer).__init__(
            self,
            "cachewise",
            __version__,
            protocol_cls=Protocol,
            converter_factory=default_converter,
            notebook_document_sync=notebooks.SYNC,
        )
        self.client = Client()
        self.encoding: Encoding = "utf-16"
        self.configuration = Configuration(self)
        self.store = Store(self.configuration.options)
        self.publisher = diagnostics.Publisher(self)
        self.counting = Counting(self)
        self.exact = ExactCounts(self)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def wire(self) -> Protocol:
        """The protocol's side of this server."""
        protocol = self.protocol
        assert isinstance(protocol, Protocol)
        return protocol

    def refresh(self, document: OpenDocument | None = None) -> None:
        """Something other than an edit has changed the answers: tell the client to ask again.

        Only about one document where the protocol allows that.
        """
        for changed in [document] if document is not None else self.store:
            self.publisher.soon(changed, 0)
        if not self.publisher.enabled and self.client.refresh_diagnostics:
            self.workspace_diagnostic_refresh(None)
        if self.client.refresh_hints:
            self.workspace_inlay_hint_refresh(None)
        if self.client.refresh_lenses:
            self.workspace_code_lens_refresh(None)
        if self.client.changes:
            self.wire.notify("cachewise/changed", {})

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside the messages, such as a question to the client."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("Something beside the messages failed.", exc_info=error)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong. The library would show a popup, on every keystroke."""
        _log.error("%s: %s", getattr(source, "__name__", source), error)


def make_server() -> Server:
    """A server with every feature registered, not yet connected to anything."""
    server = Server()
    for method, own, options in _REQUESTS:
        function = notebooks.in_cells(method, own)
        server.feature(method, options)(_fenced(server, method, function, _EMPTY.get(method)))
    for method, function in _NOTIFICATIONS:
        server.feature(method)(_fenced(server, method, function, None))

    @server.feature(replay.METHOD)
    async def replay_trace(params: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
        return await replay.replay(server, params)

    @server.command(replay.COMMAND)
    async def replay_command(*arguments: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
        return await replay.execute(server, arguments)

    @server.command(COMMAND)
    async def count_exact(*arguments: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
        return await server.exact.execute(arguments)

    @server.command(compare.COMMAND)
    def compare_requests(*arguments: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
        return _fenced(server, compare.COMMAND, compare.execute, None)(arguments)

    return server


def _fenced(
    server: Server,
    method: str,
    function: Callable[[Server, Any], Any],
    empty: Callable[[], Any] | None,
) -> Callable[[Any], Any]:
    """A handler that never fails: what goes wrong is logged, and the answer is an empty one."""

    def handle(params: Any) -> Any:
        try:
            return function(server, params)
        except Exception:
            _log.exception("%s failed; the answer is empty.", method)
            return empty() if empty is not None else None

    return handle


def _initialize(server: Server, params: types.InitializeParams) -> None:
    client = params.capabilities
    document = client.text_document or types.TextDocumentClientCapabilities()
    workspace = client.workspace or types.WorkspaceClientCapabilities()
    published = document.publish_diagnostics or types.PublishDiagnosticsClientCapabilities()
    pulled = document.diagnostic
    edits = workspace.workspace_edit
    watched = workspace.did_change_watched_files
    configured = workspace.did_change_configuration
    symbol = document.document_symbol
    item = document.completion.completion_item if document.completion else None
    refresh_diagnostics = bool(workspace.diagnostics and workspace.diagnostics.refresh_support)
    server.client = Client(
        refresh_hints=bool(workspace.inlay_hint and workspace.inlay_hint.refresh_support),
        refresh_lenses=bool(workspace.code_lens and workspace.code_lens.refresh_support),
        refresh_diagnostics=refresh_diagnostics,
        pulls_diagnostics=pulled is not None and refresh_diagnostics,
        related_information=bool(
            published.related_information or (pulled and pulled.related_information)
        ),
        diagnostic_data=bool(published.data_support or (pulled and pulled.data_support)),
        versioned_edits=bool(edits and edits.document_changes),
        nested_symbols=bool(symbol and symbol.hierarchical_document_symbol_support),
        progress=bool(client.window and client.window.work_done_progress),
        commands=cache_map.commands_of(params.initialization_options),
        changes=parameters.field(params.initialization_options, "changes") is True,
        configuration=bool(workspace.configuration),
        watches_files=bool(watched and watched.dynamic_registration),
        registers_configuration=bool(configured and configured.dynamic_registration),
        hover_formats=tuple((document.hover and document.hover.content_format) or ()),
        completion_formats=tuple((item and item.documentation_format) or ()),
    )
    encoding = server.workspace.position_encoding
    server.encoding = convert.ENCODINGS.get(str(getattr(encoding, "value", encoding)), "utf-16")
    server.configuration.start_with(params.initialization_options)
    server.exact.start_with(params)
    server.publisher.enabled = not server.client.pulls_diagnostics
    if server.client.pulls_diagnostics:
        _serve_pulls(server)


def _serve_pulls(server: Server) -> None:
    method = types.TEXT_DOCUMENT_DIAGNOSTIC
    options = types.DiagnosticOptions(
        identifier=SECTION, inter_file_dependencies=False, workspace_diagnostics=False
    )
    server.feature(method, options)(_fenced(server, method, diagnostics.pull, diagnostics.nothing))


def _initialized(server: Server, _params: types.InitializedParams) -> None:
    if not server.client.pulls_diagnostics:
        # Not announced, since this client is published to; but whoever asks is answered.
        _serve_pulls(server)
    server.begin(_ask_the_client(server))


async def _ask_the_client(server: Server) -> None:
    registrations: list[types.Registration] = []
    if server.client.watches_files:
        watchers = [types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in FILES]
        registrations.append(
            types.Registration(
                id="cachewise-files",
                method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers),
            )
        )
    if server.client.registers_configuration:
        registrations.append(
            types.Registration(
                id="cachewise-settings",
                method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options=types.DidChangeConfigurationRegistrationOptions(section=SECTION),
            )
        )
    if server.client.configuration:
        # What would be published now, might be taken back a moment later.
        server.publisher.paused = True
        try:
            await server.configuration.pull()
        finally:
            server.publisher.paused = False
        if any(True for _ in server.store):
            server.refresh()
    if registrations:
        try:
            await server.client_register_capability_async(types.RegistrationParams(registrations))
        except Exception as error:
            _log.warning("The client does not tell about changed settings: %r", error)


def _configuration_changed(server: Server, params: types.DidChangeConfigurationParams) -> None:
    if server.client.configuration:
        server.begin(_pull_and_refresh(server))
    else:
        server.configuration.pushed(params.settings)
        server.refresh()


def _files_changed(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
    named = any(change.uri.rpartition("/")[2] in FILES for change in params.changes)
    if named and server.configuration.files_changed():
        server.refresh()


def _folders_changed(server: Server, _params: types.DidChangeWorkspaceFoldersParams) -> None:
    if server.client.configuration:
        server.begin(_pull_and_refresh(server))


async def _pull_and_refresh(server: Server) -> None:
    await server.configuration.pull()
    server.refresh()


def _did_open(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    document = server.store.open(params.text_document)
    if document is not None:
        server.publisher.soon(document, 0)


def _did_change(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    document = server.store.get(params.text_document.uri)
    if document is not None:
        document.change(params.content_changes, params.text_document.version, server.encoding)
        server.publisher.soon(document)


def _did_close(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    if server.store.close(uri) is not None:
        server.publisher.withdraw(uri)
    server.counting.stop(uri)
    server.exact.forget(uri)
    server.configuration.forget(uri)


def _did_save(
    server: Server,
    _params: types.DidSaveTextDocumentParams | types.DidSaveNotebookDocumentParams,
) -> None:
    # Not every client tells when a settings file changes, but all tell when something is saved.
    if server.configuration.files_changed():
        server.refresh()


_REQUESTS: tuple[tuple[str, Callable[[Server, Any], Any], Any], ...] = (
    (types.TEXT_DOCUMENT_INLAY_HINT, features.inlay_hints, types.InlayHintOptions()),
    (types.TEXT_DOCUMENT_CODE_LENS, features.code_lenses, types.CodeLensOptions()),
    (types.TEXT_DOCUMENT_HOVER, features.hover, None),
    (
        types.TEXT_DOCUMENT_COMPLETION,
        features.completion,
        types.CompletionOptions(trigger_characters=['"', ":"]),
    ),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, features.symbols, None),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        features.code_actions,
        types.CodeActionOptions(
            code_action_kinds=[
                types.CodeActionKind.QuickFix,
                types.CodeActionKind.Refactor,
                "source.fixAll.cachewise",
            ]
        ),
    ),
    ("cachewise/summary", features.summary, None),
    ("cachewise/explain", features.explain, None),
    ("cachewise/cacheMap", cache_map.cache_map, None),
    ("cachewise/cacheMapPlace", cache_map.place, None),
    ("cachewise/compare", compare.compare, None),
    ("cachewise/requests", compare.requests, None),
    ("cachewise/place", place.place, None),
    ("cachewise/rules", features.rules, None),
    ("cachewise/bands", bands.bands, None),
)
"""The requests that are answered, with the functions that answer them and what is announced."""

_EMPTY: dict[str, Callable[[], Any]] = {
    types.TEXT_DOCUMENT_INLAY_HINT: list,
    types.TEXT_DOCUMENT_CODE_LENS: list,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: list,
    types.TEXT_DOCUMENT_CODE_ACTION: list,
    "cachewise/rules": list,
    "cachewise/requests": list,
}
"""What a failed request is answered with; null for the others."""

_NOTIFICATIONS: tuple[tuple[str, Callable[[Server, Any], None]], ...] = (
    (types.INITIALIZE, _initialize),
    (types.INITIALIZED, _initialized),
    (types.TEXT_DOCUMENT_DID_OPEN, _did_open),
    (types.TEXT_DOCUMENT_DID_CHANGE, _did_change),
    (types.TEXT_DOCUMENT_DID_CLOSE, _did_close),
    (types.TEXT_DOCUMENT_DID_SAVE, _did_save),
    (types.NOTEBOOK_DOCUMENT_DID_OPEN, notebooks.did_open),
    (types.NOTEBOOK_DOCUMENT_DID_CHANGE, notebooks.did_change),
    (types.NOTEBOOK_DOCUMENT_DID_CLOSE, notebooks.did_close),
    (types.NOTEBOOK_DOCUMENT_DID_SAVE, _did_save),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, _configuration_changed),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _files_changed),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, _folders_changed),
)
"""What is done when the client tells something."""


async def _serve_standard_streams(server: Server) -> int:
    if sys.stdin.isatty():
        print("cachewise lsp waits for an editor on standard input.", file=sys.stderr)
    loop = asyncio.get_running_loop()
    left = _connect(server)
    server.wire.set_writer(StreamWriter(claim_standard_output()))
    frames = Frames()

    def receive(data: bytes) -> None:
        for body in frames.feed(data):
            server.wire.receive(body)

    read_standard_input(loop, receive, server.wire.end_of_input)
    return await left


async def _serve_connection(server: Server, address: Address) -> int:
    left = _connect(server)
    taken = False

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        if taken:
            _log.warning("A second client is turned away.")
            writer.close()
            return
        taken = True
        server.wire.set_writer(_SocketWriter(writer))
        frames = Frames()

        def receive(data: bytes) -> None:
            for body in frames.feed(data):
                server.wire.receive(body)

        await read_connection(reader, receive, server.wire.end_of_input)

    listener = await asyncio.start_server(connected, *address)
    port = listener.sockets[0].getsockname()[1]
    print(f"cachewise lsp listens on {address[0]}:{port}.", file=sys.stderr, flush=True)
    try:
        return await left
    finally:
        listener.close()


class _SocketWriter:
    """A TCP connection in the form that the library writes to; sending never waits."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    def close(self) -> None:
        """Send what is left and end the connection."""
        self._writer.close()


def _connect(server: Server) -> asyncio.Future[int]:
    """Let the protocol run on the event loop; the future gets the exit status."""
    loop = asyncio.get_running_loop()
    left: asyncio.Future[int] = loop.create_future()

    def leave(status: int) -> None:
        if not left.done():
            left.set_result(status)

    server.wire.leave = leave
    server.wire.defer = loop.call_soon
    return left
