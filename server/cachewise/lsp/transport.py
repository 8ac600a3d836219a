"""Bytes in and out: standard input and output, or one TCP connection.

Standard output belongs to the protocol alone: whatever else writes there, a stray ``print`` or a
library in C, is sent to standard error instead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

_log = logging.getLogger(__name__)

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,10})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_HEADER_LIMIT = 1 << 16
_CHUNK = 1 << 16


class Frames:
    """Cuts a stream of bytes into message bodies; a header without a usable length is dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._missing: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete once ``data`` has arrived."""
        self._buffer += data
        while True:
            if self._missing is None and not self._read_header():
                return
            length = self._missing or 0
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._missing = None
            yield body

    def _read_header(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEADER_LIMIT:
                _log.error("No message header in %d bytes; they are dropped.", len(self._buffer))
                self._buffer.clear()
            return False
        header = bytes(self._buffer[:end]).replace(b"\r\n", b"\n")
        del self._buffer[: end + 4]
        found = _LENGTH.search(header)
        if found is None:
            _log.error("A message header without Content-Length is dropped.")
            return self._read_header()
        self._missing = int(found[1])
        return True


def claim_standard_output() -> BinaryIO:
    """The real standard output, which from now on nothing else in this process writes to."""
    real = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    try:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    except OSError:
        _log.debug("standard error is closed", exc_info=True)
    sys.stdout = sys.stderr
    return real


def read_standard_input(
    loop: asyncio.AbstractEventLoop, receive: Callable[[bytes], None], ended: Callable[[], None]
) -> None:
    """Hand all that arrives on standard input to ``receive``, on the event loop.

    A thread of its own reads, so that a message is seen while another one is being worked on. It
    reads from the descriptor: a daemon thread that waits inside a buffered reader would hold its
    lock when the process ends.
    """
    descriptor = sys.stdin.fileno()

    def read() -> None:
        while True:
            try:
                data = os.read(descriptor, _CHUNK)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(receive, data) if data else loop.call_soon_threadsafe(
                    ended
                )
            except RuntimeError:
                return  # the loop has ended, and with it the need to read
            if not data:
                return

    threading.Thread(target=read, name="stdin", daemon=True).start()


class StreamWriter:
    """What pygls writes to: a binary stream that is flushed after each message."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Send bytes; raises ``OSError`` when the client is gone."""
        self._stream.write(data)
        self._stream.flush()

    def close(self) -> None:
        """Send what is left."""
        self._stream.close()


async def read_connection(
    reader: asyncio.StreamReader, receive: Callable[[bytes], None], ended: Callable[[], None]
) -> None:
    """Hand all that arrives on a TCP connection to ``receive``."""
    try:
        while data := await reader.read(_CHUNK):
            receive(data)
    except OSError:
        _log.debug("the connection broke", exc_info=True)
    ended()
