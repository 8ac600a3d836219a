"""A request as it would be sent: its body, its model, the platform it is for.

Asking a provider for an exact count is the business of ``remote``; here it is only decided whether
there is a whole request to ask about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cachewise.analysis.document import Located
from cachewise.request.betas import beta_entries
from cachewise.syntax.tree import Node, plain_value, resolve_pointer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What would be sent. ``platform`` is a platform's id, ``body`` plain values: do not change it.

    ``betas`` are the beta features that the body or its recorded headers ask for.
    """

    platform: str
    shape: str
    model: str
    body: Mapping[str, Any]
    betas: tuple[str, ...]


def outgoing(located: Located) -> Outgoing | str:
    """The request as it would be sent, or a sentence that says why it cannot be."""
    request = located.found.request
    resolution = located.analyzed.resolution
    if not is_whole(request.node):
        return (
            "Parts of this request are known only when it is sent (a variable, an unfinished "
            "value), so no provider can count it."
        )
    if not resolution.written:
        return "This request names no model, and neither do the settings."
    betas = tuple(dict.fromkeys(entry.name for entry in beta_entries(located.found)))
    return Outgoing(
        platform=resolution.platform,
        shape=request.shape,
        model=resolution.written,
        body=plain_value(request.node),
        betas=betas,
    )


def is_whole(node: Node) -> bool:
    """Whether everything in a value is known: no hole, and nothing half-typed."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current.flawed or current.holes or current.kind == "hole":
            return False
        stack.extend(current.values)
    return True


_PATH = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+)*): ")


def named_span(located: Located, message: str) -> tuple[int, int]:
    """The document span of what a provider's message names at its beginning.

    ``messages.0.content.1.cache_control.ttl: …`` is looked up as far as the body goes; names that
    the provider's own types put in between are passed over. Without a path it is the model, which
    such messages are about, or the request's first character.
    """
    node = located.found.request.node
    found = _PATH.match(message)
    pointer = ""
    if found is not None:
        for name in found[1].split("."):
            if resolve_pointer(node, f"{pointer}/{name}") is not None:
                pointer += f"/{name}"
    place = resolve_pointer(node, pointer) if pointer else resolve_pointer(node, "/model")
    if place is None:
        return located.base, located.base + 1
    inner, start = place
    return located.base + start, located.base + start + inner.length
