"""The model is retired on this platform, or its announced retirement is near.

Requests to a retired model fail, and with a model its cache is gone: what was tuned for its
minimum and its prices has to be looked at again. The rule speaks of dates that were announced for
the platform that the request goes to (Bedrock and Google have dates of their own), from 30 days
before. "Not before" a day is no date, and says nothing.

```json bad
{"model": "claude-3-opus-20240229", "max_tokens": 100,
 "system": "You answer in one line.",
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

```json good
{"model": "claude-opus-5-5", "max_tokens": 100,
 "system": "You answer in one line.",
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

Source: Anthropic, "Model deprecations"; the Bedrock and Vertex AI pages on model lifecycle. The
dates stand in the catalog, each with its own source.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.catalog.model import Model
from cachewise.catalog.names import REGIONS
from cachewise.catalog.resolve import lifecycle
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.syntax.json_edit import Edit

NOTICE_DAYS = 30
"""How long before an announced retirement the rule begins to speak; its own choice."""


def check(context: Context) -> Iterator[Finding]:
    """One finding on the id of a model that is retired, or will be soon, on this platform."""
    model = context.model
    key = "model" if "model" in context.request.params else "modelId"
    found = context.request.params.get(key)
    if (
        model is None
        or found is None
        or context.request.model_written != context.resolution.written
    ):
        return
    node, start = found
    state = lifecycle(context.catalog, model, context.resolution.platform, context.today)
    where = context.platform.name if context.platform is not None else "every platform"
    if state.status == "retired":
        on = f" on {state.retires.isoformat()}" if state.retires is not None else ""
        message = f"{model.id} was retired{on} ({where}): requests to it fail."
    elif state.retires is not None and (state.retires - context.today).days <= NOTICE_DAYS:
        days = (state.retires - context.today).days
        message = (
            f"{model.id} retires on {state.retires.isoformat()} ({where}), "
            f"in {days} day{'' if days == 1 else 's'}: requests to it fail from then on."
        )
    else:
        return
    span = (start, start + node.length)
    fixes: tuple[Fix, ...] = ()
    successor = context.catalog.models.get(model.successor) if model.successor else None
    if successor is not None:
        message += (
            f" The provider names {successor.id} as its successor: change to that."
            if model.successor_stated
            else f" The newest model of its line is {successor.id}: consider that."
        )
        spelled = _spelled(context, model, successor)
        if spelled is not None:
            fixes = (
                Fix(
                    f"Change the model to {spelled}",
                    (Edit(*span, f'"{spelled}"'),),
                    marker_only=False,
                ),
            )
    yield RULE.finding(message, f"/{key}", span, fixes=fixes, tags=("deprecated",))


def _spelled(context: Context, model: Model, successor: Model) -> str | None:
    """The successor's id in the platform's way of writing, or None where that is not known."""
    written = context.resolution.written or ""
    platform = context.resolution.platform
    if written in (model.id, *model.aliases):
        return successor.id
    mine = model.platform_ids.get(platform, ())
    theirs = successor.platform_ids.get(platform, ())
    if not mine or not theirs:
        return None
    for region in ("", *(f"{name}." for name in REGIONS)):
        if written in [region + spelling for spelling in mine]:
            return region + theirs[0]
    return None


RULE = Rule(
    code="CW403",
    name="retired-model",
    severity="warning",
    summary="The model is retired here, or will be within 30 days",
    docs=__doc__ or "",
    check=check,
)
