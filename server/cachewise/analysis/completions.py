"""What can be typed at a place of a request: a breakpoint, a lifetime, a model's id.

Nothing is offered where it may not stand. Works on half-typed text: the container around the
cursor comes from the tree, the word being typed from the text before it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from cachewise.analysis.cursor import Step, path_at
from cachewise.analysis.document import Document, Located
from cachewise.analysis.surfaces import Completion
from cachewise.analysis.wording import escape, source
from cachewise.caching.plan import DEFAULT_TTL
from cachewise.catalog.model import Model
from cachewise.catalog.resolve import effective_minimum, effective_ttls, lifecycle

_BARE = re.compile(r"[\w$./@-]*\Z")
_REST = re.compile(r"[\w$./@-]*")
_KEY = re.compile(r'"([^"\\\r\n]*)"\s*:\Z')
_LOOK = 400
"""How far around the cursor the text is read; a word that is longer is none of ours."""

_FORMATS = ("json", "jsonc", "jsonl")
"""Formats whose half-typed words are understood here."""

_MEMBER = "cache_control"
_MARKER = '{"type": "ephemeral"}'


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is being typed: the word's span, and whether it is a key or a value."""

    start: int
    end: int
    role: Literal["key", "value"]
    key: str
    followed_by_colon: bool
    followed_by_entry: bool


def completions(document: Document, offset: int) -> list[Completion]:
    """What fits at an offset, best first; empty where nothing of ours may stand."""
    if document.format not in _FORMATS or not document.relevant:
        return []
    located = document.request_at(offset)
    if located is None:
        return []
    place = _place(document, offset)
    if place is None:
        return []
    owner = _owner(document, located, place)
    if owner is None:
        return []
    step, is_marker = owner
    if place.role == "key" and _has_other(step, _MEMBER, place) and not is_marker:
        return []
    if is_marker:
        return _inside_marker(located, step, place)
    request = located.analyzed.request.node
    if step.node is request:
        if place.role == "value" and place.key == "model":
            return _models(document, located, place)
        if _may_be_automatic(located):
            return _marker(located, place, automatic=True)
        return []
    if _may_carry(located, step):
        return _marker(located, place, automatic=False)
    return []


def _place(document: Document, offset: int) -> _Place | None:
    text = document.text
    path = path_at(document, offset)
    token = _string_at(path[-1], offset) if path else None
    if token is not None:
        start, stop = token
        closed = stop - start > 1 and text.slice(stop - 1, stop) == '"'
        if closed and offset == stop:
            return None  # behind a finished text
        if closed:
            end = stop
        else:
            end = offset + len(_matched(_REST.match(text.slice(offset, min(stop, offset + _LOOK)))))
    else:
        start = offset - len(_matched(_BARE.search(text.slice(max(0, offset - _LOOK), offset))))
        end = offset + len(_matched(_REST.match(text.slice(offset, offset + _LOOK))))
    head = text.slice(max(0, start - _LOOK), start).rstrip()
    following = text.slice(end, end + _LOOK).lstrip()
    role: Literal["key", "value"] = "key"
    name = ""
    if head.endswith(":"):
        key = _KEY.search(head)
        if key is None:
            return None
        role, name = "value", key[1]
    elif not head.endswith(("{", ",")):
        return None
    return _Place(
        start=start,
        end=end,
        role=role,
        key=name,
        followed_by_colon=following.startswith(":"),
        followed_by_entry=following.startswith('"'),
    )


def _string_at(step: Step, offset: int) -> tuple[int, int] | None:
    """The span of the text or key, finished or not, that an offset stands in; None elsewhere."""
    if step.on_key:
        return (step.key_start, step.key_end) if step.key_start < offset else None
    if step.node.kind == "string" and step.start < offset:
        return step.start, step.end
    return None


def _matched(found: re.Match[str] | None) -> str:
    return found[0] if found is not None else ""


def _owner(document: Document, located: Located, place: _Place) -> tuple[Step, bool] | None:
    """The object in which something is typed, and whether it is a marker's value."""
    for step in reversed(path_at(document, place.start)):
        if not step.start < place.start <= step.end:
            continue
        if step.node.kind == "array":
            # Typing directly in a list: objects stand there, and nothing that is offered here.
            return None
        if step.node.kind == "object":
            if step.start < located.base:
                return None
            return step, step.key == "cache_control"
    return None


def _may_be_automatic(located: Located) -> bool:
    platform = located.analyzed.platform
    return platform is not None and platform.automatic


def _may_carry(located: Located, step: Step) -> bool:
    analyzed = located.analyzed
    if analyzed.model is not None and analyzed.model.explicit is False:
        return False
    platform = analyzed.platform
    if platform is not None and "cache_control" not in platform.markers:
        return False
    for block in analyzed.request.blocks:
        if block.node is step.node:
            if block.section == "tools" and platform is not None and not platform.tools_markers:
                return False
            # A text that is still empty would bar the marker, yet it is being written.
            return not block.barred or block.kind == "text"
    return False


def _marker(located: Located, place: _Place, *, automatic: bool) -> list[Completion]:
    if place.role == "value" and place.key != _MEMBER:
        return []
    found: list[Completion] = []
    for order, ttl in enumerate(_ttls(located)):
        default = ttl == DEFAULT_TTL
        value = _MARKER if default else f'{{"type": "ephemeral", "ttl": {json.dumps(ttl)}}}'
        if place.role == "key":
            if place.followed_by_colon:
                if order:
                    break
                insert = '"cache_control"'
            else:
                comma = "," if place.followed_by_entry else ""
                insert = f'"cache_control": {value}{comma}'
        else:
            insert = value
        what = "automatic caching" if automatic else "a breakpoint behind this block"
        found.append(
            Completion(
                start=place.start,
                end=place.end,
                label="cache_control" if default else f"cache_control ({ttl})",
                insert=insert,
                detail=f"{what}, {ttl}",
                documentation=(
                    "Closes the prefix behind the last block that can be cached, on every call."
                    if automatic
                    else "Closes the prefix behind this block: what stands before it is cached."
                ),
                kind="property" if place.role == "key" else "value",
                sort=str(order),
            )
        )
    return found


def _ttls(located: Located) -> tuple[str, ...]:
    model = located.analyzed.model
    if model is None:
        return (DEFAULT_TTL, "1h")
    return effective_ttls(model, located.analyzed.resolution.platform) or (DEFAULT_TTL,)


def _inside_marker(located: Located, step: Step, place: _Place) -> list[Completion]:
    known = {
        placed.mark.node: placed
        for placed in located.analyzed.request.marks
        if located.base + placed.start == step.start
    }
    if not known:
        return []
    if place.role == "key":
        options = [
            ("type", '"type"', '"ephemeral"', "the only type there is"),
            ("ttl", '"ttl"', f'"{_ttls(located)[-1]}"', "how long the prefix is kept"),
        ]
        comma = "," if place.followed_by_entry else ""
        return [
            Completion(
                start=place.start,
                end=place.end,
                label=name,
                insert=key if place.followed_by_colon else f"{key}: {value}{comma}",
                detail=detail,
                documentation="",
                kind="property",
                sort=str(order),
            )
            for order, (name, key, value, detail) in enumerate(options)
            if not _has_other(step, name, place)
        ]
    if place.key == "type":
        values = [("ephemeral", "the only type there is")]
    elif place.key == "ttl":
        values = [(ttl, _ttl_detail(located, ttl)) for ttl in _ttls(located)]
    else:
        return []
    return [
        Completion(
            start=place.start,
            end=place.end,
            label=value,
            insert=json.dumps(value),
            detail=detail,
            documentation="",
            kind="value",
            sort=str(order),
        )
        for order, (value, detail) in enumerate(values)
    ]


def _has_other(step: Step, name: str, place: _Place) -> bool:
    """Whether an object has a member of this name, other than the one that is being typed."""
    index = step.node.index(name)
    return index >= 0 and step.start + step.node.key_starts[index] != place.start


def _ttl_detail(located: Located, ttl: str) -> str:
    prices = located.analyzed.prices
    rate = None
    if prices is not None:
        rate = prices.write_1h if ttl == "1h" else prices.write_5m if ttl == DEFAULT_TTL else None
    default = "the default; " if ttl == DEFAULT_TTL else ""
    return f"{default}writes at ${rate.normalize():f} per MTok" if rate is not None else ttl


def _models(document: Document, located: Located, place: _Place) -> list[Completion]:
    catalog = document.options.catalog
    provider = located.analyzed.request.provider
    platform = located.analyzed.platform
    platform_id = platform.id if platform is not None else ""
    found: list[Completion] = []
    for order, model in enumerate(catalog.models.values()):
        if model.provider != provider:
            continue
        life = lifecycle(catalog, model, platform_id, document.options.today)
        if life.status == "retired":
            continue
        fading = life.status in ("deprecated", "legacy")
        found.append(
            Completion(
                start=place.start,
                end=place.end,
                label=model.id,
                insert=json.dumps(model.id),
                detail=_model_detail(model, platform_id),
                documentation=(
                    f"{escape(model.name)}: {life.status}"
                    + (f", retires {life.retires.isoformat()}" if life.retires else "")
                    + f"\n\nPrices: {source(model.sources.get('prices'))}"
                ),
                kind="value",
                sort=f"{int(fading)}{order:04}",
            )
        )
    found.sort(key=lambda completion: completion.sort)
    return found


def _model_detail(model: Model, platform_id: str) -> str:
    minimum = effective_minimum(model, platform_id)
    least = "minimum not known" if minimum is None else f"min {minimum:,} tok"
    prices = model.prices_by_platform.get(platform_id, model.prices)
    if prices.input is None or prices.read is None:
        return least
    return (
        f"{least} · input ${prices.input.normalize():f}, read ${prices.read.normalize():f} per MTok"
    )
