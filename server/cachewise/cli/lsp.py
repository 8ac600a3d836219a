"""``cachewise lsp``: the language server over standard input or a TCP port."""

from __future__ import annotations

import argparse
import gc

from cachewise.cli.output import InputError


def lsp(options: argparse.Namespace) -> int:
    """Serve until the client leaves."""
    address = None if options.tcp is None else _address(options.tcp)
    # While modules are loaded nothing becomes garbage, and looking for some takes a tenth of it.
    gc.disable()
    # Imported here because the protocol's library takes longer than a check of a small file.
    from cachewise.lsp.server import main

    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20)
    gc.enable()
    return main(address)


_ALLOCATIONS = 50_000
"""Objects more than before at which cycles are looked for: reading a file makes that many at once,
and none of them is garbage."""


def _address(written: str) -> tuple[str, int]:
    host, colon, port = written.rpartition(":")
    number = int(port) if port.isdecimal() and len(port) <= 5 else -1
    if not colon or not 0 <= number <= 65535:
        raise InputError(f"--tcp wants HOST:PORT, such as 127.0.0.1:2087, not {written!r}.")
    return (host.strip("[]") or "127.0.0.1", number)
