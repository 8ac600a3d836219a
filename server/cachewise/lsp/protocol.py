"""The protocol's own part: reading messages, answering what cannot be handled, cancelling.

pygls answers a request with malformed parameters not at all, shows a popup for each failing
notification, and keeps a copy of every document that costs its whole length per edit. The class
here does none of that.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    LanguageServerProtocol,
    lsp_method,
)

_log = logging.getLogger(__name__)

Handler = Generator[Any, Any, None]


class Protocol(LanguageServerProtocol):
    """Messages in, handlers called one after the other, answers out.

    Messages wait in a queue, one is handled per turn of the event loop; so a cancellation that
    has arrived meanwhile removes its request before any work is done.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.leave: Callable[[int], None] = lambda _status: None
        """Called with the exit status when the client says ``exit``."""
        self.defer: Callable[[Callable[[], None]], object] = lambda call: call()
        """Runs a call on a later turn of the event loop."""
        # None stands for the end of the input, which comes behind all that arrived before it.
        self._queue: deque[dict[str, Any] | None] = deque()
        self._scheduled = False

    def receive(self, body: bytes) -> None:
        """Take the body of one message."""
        try:
            data: object = json.loads(body)
        except (ValueError, RecursionError):
            _log.error("A message that is not JSON is answered with an error.")
            self._refuse(None, types.ErrorCodes.ParseError, "This message is not JSON.")
            return
        if not isinstance(data, dict):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "A message must be an object.")
            return
        message = cast("dict[str, Any]", data)
        if message.get("method") == types.CANCEL_REQUEST:
            self._cancel(message.get("params"))
            return
        self._put(message)

    def end_of_input(self) -> None:
        """Leave once everything that has arrived is handled: the client is gone."""
        self._put(None)

    def _put(self, message: dict[str, Any] | None) -> None:
        self._queue.append(message)
        if not self._scheduled:
            self._scheduled = True
            self.defer(self._next)

    def _next(self) -> None:
        if not self._queue:  # what was waiting has been cancelled
            self._scheduled = False
            return
        message = self._queue.popleft()
        self._scheduled = bool(self._queue)
        if self._scheduled:
            self.defer(self._next)
        if message is None:
            self.leave(0 if self._shutdown else 1)
        else:
            self._dispatch(message)

    def _dispatch(self, data: dict[str, Any]) -> None:
        method = data.get("method")
        identity = data.get("id")
        is_request = "id" in data and method is not None
        if is_request and not isinstance(identity, int | str):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "The id is no number and no text.")
            return
        if method is not None and self._out_of_turn(str(method), identity, is_request):
            return
        try:
            message = self.structure_message(data)
        except Exception:
            # The library has logged what is wrong with it.
            if is_request:
                text = f"The parameters of {method!s:.80} do not have the shape they must have."
                self._refuse(identity, types.ErrorCodes.InvalidParams, text)
            elif "id" in data:
                waiting = self._request_futures.pop(cast("str", identity), None)
                if waiting is not None and not waiting.done():
                    waiting.set_exception(JsonRpcException("The client's answer is malformed."))
            return
        if isinstance(message, dict):
            self._refuse(
                identity if is_request else None,
                types.ErrorCodes.InvalidRequest,
                'A message must say "jsonrpc": "2.0".',
            )
            return
        self.handle_message(message)

    def _out_of_turn(self, method: str, identity: Any, is_request: bool) -> bool:
        """Whether a message may not come now, before ``initialize`` say; it is then answered."""
        if method == types.EXIT:
            return False
        if self._workspace is None and method != types.INITIALIZE:
            if is_request:
                text = "The server waits for initialize."
                self._refuse(identity, types.ErrorCodes.ServerNotInitialized, text)
            return True
        if self._workspace is not None and method == types.INITIALIZE:
            if is_request:
                text = "The server has been initialized already."
                self._refuse(identity, types.ErrorCodes.InvalidRequest, text)
            return True
        if self._shutdown:
            if is_request:
                text = "The server is shutting down."
                self._refuse(identity, types.ErrorCodes.InvalidRequest, text)
            return True
        return False

    def _cancel(self, params: object) -> None:
        identity = cast("dict[str, Any]", params).get("id") if isinstance(params, dict) else None
        for message in self._queue:
            if message is not None and message.get("id") == identity and "method" in message:
                self._queue.remove(message)
                self._refuse(identity, types.LSPErrorCodes.RequestCancelled, "Cancelled.")
                return
        waiting = self._request_futures.get(cast("str", identity))
        if waiting is not None:
            waiting.cancel()

    def when_cancelled(self, call: Callable[[], object]) -> None:
        """Have ``call`` called if the client cancels the request that is being answered."""
        identity = self._ctx_msg_id.get()
        answer = self._request_futures.get(identity) if identity is not None else None
        if answer is not None:
            answer.add_done_callback(lambda done: call() if done.cancelled() else None)

    def plain(self, value: object) -> Any:
        """A protocol type as the JSON that it is sent as."""
        return self._converter.unstructure(value)

    def _refuse(
        self, identity: Any, code: types.ErrorCodes | types.LSPErrorCodes, text: str
    ) -> None:
        error = types.ResponseError(code=code.value, message=text)
        self._send_data(types.ResponseErrorMessage(id=identity, error=error))

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The typed form of a message; our own methods keep their parameters as plain JSON."""
        method = data.get("method")
        own = isinstance(method, str) and self.get_message_type(method) is None
        if own and data.get("jsonrpc") == self.VERSION:
            params = data.get("params")
            if "id" in data:
                return JsonRPCRequestMessage(data["id"], str(method), self.VERSION, params)
            return JsonRPCNotification(str(method), self.VERSION, params)
        return super().structure_message(data)

    def _send_data(self, data: Any) -> None:
        try:
            super()._send_data(data)
        except BrokenPipeError:
            _log.error("The client is gone.")
            self.leave(1)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> Handler:
        """Leave; the status tells whether the client said ``shutdown`` before."""
        self.leave(0 if self._shutdown else 1)
        yield from ()

    # The library's own store of documents is passed over: these only call the server's handlers.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Handler:
        """A document was opened."""
        yield self._own_handler(types.TEXT_DOCUMENT_DID_OPEN), (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Handler:
        """A document was changed."""
        yield self._own_handler(types.TEXT_DOCUMENT_DID_CHANGE), (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Handler:
        """A document was closed."""
        yield self._own_handler(types.TEXT_DOCUMENT_DID_CLOSE), (params,), None

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(
        self, params: types.DidOpenNotebookDocumentParams
    ) -> Handler:
        """A notebook was opened."""
        yield self._own_handler(types.NOTEBOOK_DOCUMENT_DID_OPEN), (params,), None

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(
        self, params: types.DidChangeNotebookDocumentParams
    ) -> Handler:
        """A notebook was changed."""
        yield self._own_handler(types.NOTEBOOK_DOCUMENT_DID_CHANGE), (params,), None

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(
        self, params: types.DidCloseNotebookDocumentParams
    ) -> Handler:
        """A notebook was closed."""
        yield self._own_handler(types.NOTEBOOK_DOCUMENT_DID_CLOSE), (params,), None

    def _own_handler(self, method: str) -> Any:
        return cast("dict[str, Any]", cast("Any", self.fm).features)[method]
