"""A provider on this machine that answers as a test tells it, also badly, and keeps what it got."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-api03-THIS-IS-THE-SECRET-d41d8cd98f00b204"


@dataclass
class Got:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What to answer: a status, headers, a body; and ways of doing it badly."""

    status: int = 200
    body: bytes | Any = field(default_factory=lambda: {"input_tokens": 4321})
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    """A content-length other than the true one: the connection is cut off before."""
    wait: float = 0
    drip: float = 0
    """Seconds between two bytes of the body."""

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refusal(status: int, message: str, **headers: str) -> Reply:
    """An error in Anthropic's form."""
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    return Reply(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


class Provider:
    """The server. ``replies`` are given in turn, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or [Reply()]
        self.got: list[Got] = []
        self.at_once = 0
        self.most_at_once = 0
        self.ending = threading.Event()
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                provider._answer(self)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            reply = self.replies[min(len(self.got), len(self.replies) - 1)]
            self.got.append(Got(handler.path, headers, body, time.monotonic()))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.ending.wait(reply.wait)
            self._send(handler, reply)
        except OSError:
            pass  # the client has gone, as it may
        finally:
            with self._lock:
                self.at_once -= 1

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        data = reply.data
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        length = len(data) if reply.promised is None else reply.promised
        handler.send_header("content-length", str(length))
        handler.end_headers()
        if reply.drip:
            for byte in data:
                handler.wfile.write(bytes([byte]))
                if self.ending.wait(reply.drip):
                    return
        else:
            handler.wfile.write(data)
        handler.close_connection = True


def unused_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


StartProvider = Callable[..., Provider]
