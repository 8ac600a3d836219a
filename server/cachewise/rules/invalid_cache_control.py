"""A marker is written in a way that the API does not take.

A marker is an object with `type`, which is `"ephemeral"`, and optionally `ttl`, which is one of
the lifetimes that the model has on this platform (`"5m"` and `"1h"` on Claude's API). The API
rejects every other type, lifetime and key, and anything that is not an object. `null` is the same
as no marker.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "You answer in one line.",
   "cache_control": {"type": "ephemeral", "ttl": "30m"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "You answer in one line.", "cache_control": true}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": [{"type": "text", "text": "You answer in one line.",
   "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

A Bedrock `cachePoint` has one type too, `"default"`, and the same two lifetimes, of which a model
may have the shorter one only.

```json bad
{"modelId": "us.amazon.nova-pro-v1:0",
 "system": [{"text": "You answer in one line."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
 "messages": [{"role": "user", "content": [{"text": "Where is the Argo?"}]}]}
```

```json good
{"modelId": "us.amazon.nova-pro-v1:0",
 "system": [{"text": "You answer in one line."}, {"cachePoint": {"type": "default", "ttl": "5m"}}],
 "messages": [{"role": "user", "content": [{"text": "Where is the Argo?"}]}]}
```

One key more, `scope`, is taken while its beta header is sent: the rule looks for the header in
`betas`, in `anthropic_beta` and in the headers recorded beside the request.

Source: Anthropic's SDK, type `CacheControlEphemeral`; the API's own error messages; the Bedrock
user guide for the lifetimes there; botocore's service model of bedrock-runtime, `CachePointBlock`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request import bedrock_converse
from cachewise.request.betas import beta_entries
from cachewise.request.model import PlacedMark
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import (
    Spot,
    allowed_ttls,
    anthropic_judges,
    api_path,
    fits,
    is_cache_control,
    is_open,
    misplacement,
    remove_mark,
    slots,
    spots,
)
from cachewise.rules.misplaced_cache_point import is_misplaced
from cachewise.syntax.json_edit import Edit, remove_member, set_member
from cachewise.syntax.tree import Node, escape_pointer

_TYPE = "ephemeral"
_MARKER = '{"type": "ephemeral"}'
_POINT_TYPE = "default"
_OWN_KEYS = ("type", "ttl", "$cachewise")
LONGEST_SHOWN = 30
"""How many characters of a wrong value a message repeats."""


def check(context: Context) -> Iterator[Finding]:
    """Each wrong value of each marker; half-typed parts are left alone."""
    if context.request.shape == bedrock_converse.SHAPE:
        for placed in context.request.marks:
            if placed.mark.key == bedrock_converse.POINT and not is_misplaced(context, placed):
                yield from _point(context, placed)
        return
    if not anthropic_judges(context):
        return
    for placed in context.request.marks:
        mark = placed.mark
        # Where no marker can stand at all, another rule speaks; a cachePoint has its own schema.
        if not is_cache_control(placed) or is_open(mark.node):
            continue
        if _is_refused_anyway(context, placed):
            continue
        if mark.node.kind != "object":
            yield _no_object(context, placed)
            continue
        yield from _type(context, placed)
        yield from _ttl(context, placed)
        yield from _extra_keys(context, placed)


def _is_refused_anyway(context: Context, placed: PlacedMark) -> bool:
    if placed.mark.place == "inside":
        return True
    if placed.mark.place == "top":
        return context.platform is not None and not context.platform.automatic
    return misplacement(context, placed) is not None


def _no_object(context: Context, placed: PlacedMark) -> Finding:
    node = placed.mark.node
    span = (placed.start, placed.end)
    removal = Fix("Remove this marker", (remove_mark(context, placed),))
    correction = Fix(f"Write it as {_MARKER}", (Edit(*span, _MARKER),))
    ttl = next(iter(allowed_ttls(context)), None)
    wanted = node.kind != "false" and ttl is not None and _fits(context, placed, ttl)
    return RULE.finding(
        f"The API rejects this request: {placed.pointer} must be an object such as {_MARKER}, and "
        f"here is {_KINDS[node.kind]}. Write the object, or remove the marker.",
        placed.pointer,
        span,
        fixes=(correction, removal) if wanted else (removal,),
    )


_KINDS = {
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "true": "true",
    "false": "false",
}


def _type(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    node = placed.mark.node
    value = node.get("type")
    if value is None:
        if not node.flawed and not any(is_open(other) for other in node.values):
            yield RULE.finding(
                f'The API rejects this request: {placed.pointer} has no `type`. Add "type": '
                f'"{_TYPE}", the only one there is.',
                placed.pointer,
                (placed.start, placed.end),
                fixes=(_set(context, placed, "type", _TYPE),),
            )
        return
    if is_open(value) or (value.kind == "string" and value.text == _TYPE):
        return
    yield RULE.finding(
        f"The API rejects this request: {placed.pointer}/type is {_shown(value)}, and the only "
        f'type of marker is "{_TYPE}". Write that.',
        f"{placed.pointer}/type",
        _member_span(placed, "type"),
        fixes=(_set(context, placed, "type", _TYPE),),
    )


def _ttl(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    platform = context.platform
    value = placed.mark.node.get("ttl")
    if platform is None or platform.unsupported_ttl != "rejected":
        return
    if value is None or value.kind == "null" or is_open(value):
        return
    allowed = allowed_ttls(context)
    if not allowed or (value.kind == "string" and value.text in allowed):
        return
    path = f"{api_path(context, placed)}.{_TYPE}.ttl"
    if value.kind == "string" and value.text in platform.ttl_seconds:
        name = context.model.name if context.model is not None else "this model"
        message = (
            f"{path}: Extra inputs are not permitted. {name} has no {value.text} lifetime on "
            f"{platform.name}, only {_listed(allowed)}. Remove `ttl`."
        )
        fixes = (
            [_remove_key(context, placed, "ttl", "Remove the ttl")]
            if _fits(context, placed, allowed[0])
            else []
        )
    else:
        message = (
            f"{path}: Input should be {_listed(allowed)}. A lifetime of {_shown(value)} does not "
            "exist; choose one of these."
        )
        fixes = [
            _set(context, placed, "ttl", ttl) for ttl in allowed if _fits(context, placed, ttl)
        ]
    if not fixes:
        fixes = [Fix("Remove this marker", (remove_mark(context, placed),))]
    yield RULE.finding(
        f"The API rejects this request: {message}",
        f"{placed.pointer}/ttl",
        _member_span(placed, "ttl"),
        fixes=tuple(fixes),
    )


def _extra_keys(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    node = placed.mark.node
    if node.flawed:
        return  # A bracket or quote is still missing, so keys from further on may seem to be here.
    for index, key in enumerate(node.keys):
        if key in _OWN_KEYS or node.index(key) != index or is_open(node.values[index]):
            continue
        allowing = context.catalog.beta_required.get(f"cache_control.{key}")
        hint = ""
        if allowing is not None:
            if any(entry.name == allowing.header for entry in beta_entries(context.found)):
                continue
            if context.request.node.flawed:
                continue  # The header may be among what is still to be typed.
            hint = f" It needs the beta header {allowing.header}, which is not to be seen here."
        start = placed.start + node.key_starts[index]
        yield RULE.finding(
            f"The API rejects this request: {api_path(context, placed)}.{_TYPE}.{key}: Extra "
            f"inputs are not permitted. A marker has `type` and `ttl` only.{hint} Remove it.",
            f"{placed.pointer}/{escape_pointer(key)}",
            (start, start + node.key_lengths[index]),
            fixes=(_remove_key(context, placed, key, f"Remove `{key}`"),),
        )


def _point(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    """What is wrong with a checkpoint's type and lifetime; of other keys nothing is known."""
    node = placed.mark.node
    if node.kind != "object":
        return
    kind = node.get("type")
    # Nova's own body, in which a checkpoint belongs to a part, does not say what types it takes.
    if placed.mark.place == "point" and not is_open(kind):
        if kind is None:
            if not node.flawed and not any(is_open(other) for other in node.values):
                yield RULE.finding(
                    f"Bedrock rejects this request: {placed.pointer} has no `type`. Add "
                    f'"type": "{_POINT_TYPE}", the only one there is.',
                    placed.pointer,
                    (placed.start, placed.end),
                    fixes=(_set(context, placed, "type", _POINT_TYPE),),
                )
        elif kind.kind != "string" or kind.text != _POINT_TYPE:
            yield RULE.finding(
                f"Bedrock rejects this request: {placed.pointer}/type is {_shown(kind)}, and the "
                f'only type of checkpoint is "{_POINT_TYPE}". Write that.',
                f"{placed.pointer}/type",
                _member_span(placed, "type"),
                fixes=(_set(context, placed, "type", _POINT_TYPE),),
            )
    yield from _point_ttl(context, placed)


def _point_ttl(context: Context, placed: PlacedMark) -> Iterator[Finding]:
    platform = context.platform
    value = placed.mark.node.get("ttl")
    if platform is None or platform.unsupported_ttl != "rejected":
        return
    if value is None or value.kind == "null" or is_open(value):
        return
    # A model may have lifetimes that a checkpoint cannot name, because its own markers do.
    allowed = tuple(ttl for ttl in allowed_ttls(context) if ttl in platform.ttl_seconds)
    if not allowed or (value.kind == "string" and value.text in allowed):
        return
    if value.kind == "string" and value.text in platform.ttl_seconds:
        name = context.model.name if context.model is not None else "this model"
        advice = f"{name} has no {value.text} lifetime there, only {_listed(allowed)}. Remove `ttl`"
        fixes = (_remove_key(context, placed, "ttl", "Remove the ttl"),)
    else:
        advice = f"lifetimes of a checkpoint are {_listed(allowed)}. Choose one of these"
        fixes = tuple(_set(context, placed, "ttl", ttl) for ttl in allowed)
    yield RULE.finding(
        f"Bedrock rejects this request: {placed.pointer}/ttl is {_shown(value)}, and {advice}.",
        f"{placed.pointer}/ttl",
        _member_span(placed, "ttl"),
        fixes=fixes,
    )


def _fits(context: Context, placed: PlacedMark, ttl: str) -> bool:
    """Whether this marker could live for ``ttl`` beside the others."""
    others = [
        one for one in slots(context) if one is not placed and misplacement(context, one) is None
    ]
    (here,) = spots(context, [placed])
    if here.block < 0:
        return False
    return fits(context, Spot(here.block, ttl, here.automatic), spots(context, others))


def _set(context: Context, placed: PlacedMark, key: str, value: str) -> Fix:
    return Fix(
        f'Set {key} to "{value}"',
        set_member(context.read, placed.mark.node, placed.start, key, f'"{value}"'),
    )


def _remove_key(context: Context, placed: PlacedMark, key: str, title: str) -> Fix:
    return Fix(title, (remove_member(context.read, placed.mark.node, placed.start, key),))


def _member_span(placed: PlacedMark, key: str) -> tuple[int, int]:
    node = placed.mark.node
    index = node.index(key)
    start = placed.start + node.starts[index]
    return start, start + node.values[index].length


def _shown(value: Node) -> str:
    if value.kind in ("object", "array"):
        return "an object" if value.kind == "object" else "a list"
    return value.raw if len(value.raw) <= LONGEST_SHOWN else f"{value.raw[:LONGEST_SHOWN]}…"


def _listed(ttls: tuple[str, ...]) -> str:
    """``'5m' or '1h'``, as the API lists them."""
    return " or ".join(f"'{ttl}'" for ttl in ttls)


RULE = Rule(
    code="CW104",
    name="invalid-cache-control",
    severity="error",
    summary="A marker is written in a way that the API does not take",
    docs=__doc__ or "",
    check=check,
)
