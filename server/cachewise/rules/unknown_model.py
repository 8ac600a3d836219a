"""The model is not in the catalog.

Minimum, prices and lifetimes depend on the model. Where its id is not known, no minimum and no
price is asserted, the rules that need them keep silent, and tokens are counted as the newest
Claude models count them. Mostly the id has a slip in it; the ids that look most like it are named.

```json bad
{"model": "claude-sonet-4-6", "max_tokens": 100,
 "system": "You answer in one line.",
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "system": "You answer in one line.",
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

A body without any model (it stands in the URL, or is still to be typed) says nothing here. Name
it with the setting `model`.

Source: the packaged catalog; `cachewise models` lists it with its dates and sources.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import is_open
from cachewise.syntax.json_edit import Edit


def check(context: Context) -> Iterator[Finding]:
    """One finding on a model id that the catalog does not have."""
    resolution = context.resolution
    key = "model" if "model" in context.request.params else "modelId"
    found = context.request.params.get(key)
    if resolution.known or found is None:
        return
    node, start = found
    if node.kind != "string" or not node.text.strip() or is_open(node):
        return
    if resolution.written != node.text:
        return  # The id that was looked up stands elsewhere.
    nearest = resolution.nearest
    advice = (
        f"Did you mean {' or '.join(nearest)}?"
        if nearest
        else "Name the model that it stands for with the setting `model`, or update the catalog."
    )
    yield RULE.finding(
        f"This model is not in the catalog of {context.catalog.updated.isoformat()}: no minimum "
        "or price is asserted, and tokens are counted as the newest Claude models count them. "
        + advice,
        f"/{key}",
        (start, start + node.length),
        fixes=tuple(
            Fix(
                f"Change the model to {name}",
                (Edit(start, start + node.length, f'"{name}"'),),
                marker_only=False,
            )
            for name in nearest
        ),
    )


RULE = Rule(
    code="CW402",
    name="unknown-model",
    severity="info",
    summary="The model is not in the catalog",
    docs=__doc__ or "",
    check=check,
)
