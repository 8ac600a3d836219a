"""The beta features that a request asks for: in its body, or in the headers recorded beside it.

The SDKs take them as ``betas``, Bedrock and Vertex AI as ``anthropic_beta`` in the body, and on
the wire they are one header with commas. Sources: Anthropic's SDK and the Bedrock user guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cachewise.request.model import Found
from cachewise.syntax.tree import Node, escape_pointer, source_offset

_BODY_KEYS = ("betas", "anthropic_beta")
_EXTRA = "extra_headers"
"""The SDKs' argument for headers of one call."""

_HEADER = "anthropic-beta"
_PART = re.compile(r"[^,\s][^,]*[^,\s]|[^,\s]")


@dataclass(frozen=True, slots=True)
class BetaEntry:
    """One name in a list of betas.

    ``start`` and ``end`` span the name's source, from the request's start (negative where the
    headers stand before the request). ``owner`` is the object with the member ``key`` that holds
    the list, ``owner_start`` its offset; ``item`` is the place in the list, -1 when the names
    stand in one string. ``alone``: nothing else is in the list.
    """

    name: str
    start: int
    end: int
    pointer: str
    owner: Node
    owner_start: int
    key: str
    item: int
    alone: bool


def beta_entries(found: Found) -> Iterator[BetaEntry]:
    """Every beta that a request names, in the order of the body, then of the headers."""
    body = found.request.node
    for key in _BODY_KEYS:
        if body.index(key) >= 0:
            yield from _entries(body, 0, key, f"/{key}")
    index = body.index(_EXTRA)
    if index >= 0 and body.values[index].kind == "object":
        yield from _header_entries(body.values[index], body.starts[index], f"/{_EXTRA}")
    headers = found.beside.get("headers")
    if headers is None or headers.kind != "object":
        return
    yield from _header_entries(headers, found.headers_start, "/headers")


def _header_entries(headers: Node, start: int, pointer: str) -> Iterator[BetaEntry]:
    for index, key in enumerate(headers.keys):
        if key.lower() == _HEADER and headers.index(key) == index:
            yield from _entries(headers, start, key, f"{pointer}/{escape_pointer(key)}")


def _entries(owner: Node, owner_start: int, key: str, pointer: str) -> Iterator[BetaEntry]:
    index = owner.index(key)
    value = owner.values[index]
    start = owner_start + owner.starts[index]
    if value.kind == "array":
        alone = len(value.values) == 1
        for item, (child, offset) in enumerate(zip(value.values, value.starts, strict=True)):
            if child.kind == "string" and not child.flawed:
                yield BetaEntry(
                    child.text.strip(), start + offset, start + offset + child.length,
                    f"{pointer}/{item}", owner, owner_start, key, item, alone,
                )  # fmt: skip
    elif value.kind == "string" and not value.flawed and "\\" not in value.raw:
        parts = list(_PART.finditer(value.text))
        for part in parts:
            # No escapes, so text and source run in step.
            at = start + source_offset(value, part.start())
            yield BetaEntry(
                part[0], at, at + len(part[0]), pointer, owner, owner_start, key, -1,
                len(parts) == 1,
            )  # fmt: skip
