"""What is shown of a prompt in a file of its own: how much of it can be cached, and up to where."""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.analysis.document import Analyzed, Document, Located
from cachewise.analysis.surfaces import Hint
from cachewise.analysis.wording import escape, number, shown
from cachewise.caching.stable import tokens_before
from cachewise.request import prompt_file
from cachewise.tokens.count import Count


def is_template(analyzed: Analyzed) -> bool:
    """Whether a request is a prompt in a file, which some program fills in and sends."""
    return analyzed.request.shape == prompt_file.SHAPE


def template_line(analyzed: Analyzed) -> str:
    """``3,184 tokens · 2,011 stable, up to question · enough for claude-sonnet-4-6 (1,024)``."""
    total = f"{number(analyzed.plan.total, analyzed.plan.at_least)} tokens"
    stable, name = stable_part(analyzed)
    if name is None:
        parts = [total, "all of it stable"]
    else:
        parts = [total, f"{number(stable)} stable, up to {shown(name, 40)}"]
    verdict = _verdict(analyzed, stable)
    return " · ".join([*parts, verdict] if verdict else parts)


def stable_part(analyzed: Analyzed) -> tuple[Count, str | None]:
    """The tokens up to the first hole, and that hole's name; None when all of it is stable."""
    request = analyzed.request
    place = prompt_file.first_hole(request)
    if place is None:
        return analyzed.plan.total, None
    count = tokens_before(request, analyzed.plan, analyzed.model, place.block, place.at)
    return count, place.hole.name


def template_hints(document: Document, located: Located, start: int, end: int) -> Iterator[Hint]:
    """At the first hole of a template: how many tokens stand before it."""
    analyzed = located.analyzed
    place = prompt_file.first_hole(analyzed.request) if is_template(analyzed) else None
    if place is None or not start <= located.base + place.start <= end:
        return
    stable, _ = stable_part(analyzed)
    verdict = _verdict(analyzed, stable)
    label = f"stable up to here: {number(stable)} tok"
    yield Hint(
        at=document.text.line_end(document.text.position(located.base + place.start).line),
        label=f"{label} · {verdict}" if verdict else label,
        tooltip=(
            f"What stands before {escape(place.hole.name, 80)} is the same in every call, so it "
            "can be read from the cache. What stands behind it can only when the value is the "
            "same too."
        ),
        kind="tail",
    )


def _verdict(analyzed: Analyzed, stable: Count) -> str:
    """Whether the stable part reaches the minimum of the model that is known; else nothing."""
    model, minimum = analyzed.model, analyzed.minimum
    if model is None or minimum is None:
        return ""
    if stable.low >= minimum:
        return f"enough for {model.id} ({minimum:,})"
    if stable.high < minimum:
        return f"under the {minimum:,} of {model.id}"
    return f"may be under the {minimum:,} of {model.id}"
