"""LiteLLM's proxy configuration: where it will set cache markers in the requests that it passes on.

``model_list[].litellm_params.cache_control_injection_points`` lists the places. A point names a
message by its index (negative: from the end) or all messages of a role; LiteLLM marks such a
message's last part. A point at ``tool_config`` sets one checkpoint behind the tools (Bedrock only).
At most as many markers as the provider takes are set, those of the request itself counted; the
points are honoured in their order, and one place is kept free for the tools.

Source: docs.litellm.ai, Auto-inject prompt caching checkpoints; litellm's hook
``anthropic_cache_control_hook``.
"""

from __future__ import annotations

from dataclasses import dataclass

from cachewise.request.chat_completions import provider_of
from cachewise.request.model import Request, members_except
from cachewise.syntax.tree import Node, plain_value

SHAPE = "litellm-proxy"

POINTS = "cache_control_injection_points"


@dataclass(frozen=True, slots=True)
class Landing:
    """Where one injection point sets its marker.

    ``start`` and ``end`` are the point's span, from the request's start. ``where`` completes
    "sets a marker on …"; empty when the point sets none, and ``why_not`` says why. ``many``: it may
    set more than one. ``ttl`` is the lifetime that it asks for, ``""`` when it names none.
    """

    pointer: str
    start: int
    end: int
    where: str
    why_not: str = ""
    many: bool = False
    ttl: str = ""
    surplus: bool = False
    """Whether it sets none because those before it have taken all that there are."""


def matches(node: Node) -> bool:
    """Whether an object is the ``litellm_params`` of a model with injection points."""
    points = node.get(POINTS)
    return (
        points is not None
        and points.kind == "array"
        and node.get("messages") is None
        and node.get_text("model") is not None
    )


def read(node: Node) -> Request:
    """The parameters, as a configuration without blocks."""
    return Request(
        shape=SHAPE,
        provider=provider_of(node.get_text("model") or ""),
        node=node,
        units=[],
        unit_starts=[],
        unit_pointers=[],
        params=members_except(node),
        platform_guess="litellm",
        configuration=True,
    )


def landings(request: Request, limit: int | None) -> list[Landing]:
    """What becomes of each injection point, in the order in which LiteLLM honours them.

    ``limit`` is how many markers LiteLLM sets at most, None when not known.
    """
    found = request.params.get(POINTS)
    if found is None:
        return []
    points, start = found
    tools = any(_text(point, "location") == "tool_config" for point in points.values)
    free = None if limit is None else limit - tools
    landed: list[Landing] = []
    tools_seen = False
    for position, point in enumerate(points.values):
        if point.kind != "object":
            continue
        where, many = _target(point)
        why_not = ""
        surplus = False
        if not where:
            why_not = "it names no message: give it an index or a role"
        elif _text(point, "location") == "tool_config":
            if tools_seen:
                why_not = "an earlier point already sets the one marker behind the tools"
            tools_seen = True
        elif free is not None and free <= 0:
            why_not = f"the points before it already take all {limit} markers"
            surplus = True
        elif free is not None:
            free -= 1
        control = point.get("control")
        begin = start + points.starts[position]
        landed.append(
            Landing(
                pointer=f"/{POINTS}/{position}",
                start=begin,
                end=begin + point.length,
                where="" if why_not else where,
                why_not=why_not,
                many=many,
                ttl=(control.get_text("ttl") or "") if control is not None else "",
                surplus=surplus,
            )
        )
    return landed


def _text(node: Node, key: str) -> str:
    return node.get_text(key) or ""


def _target(point: Node) -> tuple[str, bool]:
    """What a point marks, in words, and whether that can be several messages."""
    location = _text(point, "location")
    if location == "tool_config":
        return "the end of the tools", False
    if location != "message":
        return "", False
    index = point.get("index")
    if index is not None and index.kind in ("number", "string"):
        number = plain_value(index)
        try:
            number = int(number)
        except (TypeError, ValueError):
            number = None
        if number is not None:
            return f"the last part of {_ordinal(number)}", False
    role = _text(point, "role")
    return (f"the last part of every {role} message", True) if role else ("", False)


def _ordinal(index: int) -> str:
    if index == -1:
        return "the last message"
    if index == 0:
        return "the first message"
    return f"message {index + 1}" if index > 0 else f"message {-index} from the end"
