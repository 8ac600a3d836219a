"""Why nothing can be placed, and what a placement is said to change and to save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cachewise.report.money import dollars
from cachewise.report.place import Outcome
from cachewise.request import prompt_file
from cachewise.rules.base import Context
from cachewise.rules.placement import WRITTEN

if TYPE_CHECKING:
    from cachewise.analysis.place import Placement


def why_not(context: Context) -> tuple[Outcome, str] | None:
    """Why nothing can be said, or nothing is to be done; None when there is work."""
    model, platform, request = context.model, context.platform, context.request
    if model is None or platform is None:
        written = context.resolution.written
        what = f"the model {written!r} is not in the catalog" if written else "no model is named"
        return "unknown", f"It cannot be told where breakpoints should stand: {what}."
    if request.shape == prompt_file.SHAPE:
        return "nothing", (
            "No marker can stand in this file: let the program that sends it close what stays the "
            "same with a breakpoint."
        )
    where = f"{model.name} on {platform.name}"
    by_itself = model.implicit if model.implicit is not None else platform.implicit
    writable = {"cache_control", "cachePoint"} & set(platform.markers)
    if model.explicit is False or not writable:
        if by_itself:
            return (
                "nothing",
                f"There is nothing to place: {where} caches what begins alike by itself.",
            )
        if model.explicit is False:
            return "nothing", f"There is nothing to place: {where} takes no breakpoints."
        return "unknown", f"Markers cannot be written for {where} from here."
    if request.shape not in WRITTEN:
        return "unknown", (
            f"Markers are not written in this form of a request ({request.shape}) from here."
        )
    prices = context.prices
    if model.explicit is None:
        return "unknown", f"It is not known whether breakpoints have an effect on {where}."
    if context.minimum is None:
        return "unknown", f"It is not known how long a prefix must be on {where} to be cached."
    if prices is None or prices.input is None or prices.read is None or prices.write_5m is None:
        return "unknown", f"It cannot be told what pays: not all prices of {where} are known."
    if request.has_unknown_blocks:
        return "unknown", (
            "It cannot be told where breakpoints should stand: only the run of the program knows "
            "which blocks this request has."
        )
    for point in context.plan.breakpoints:
        if point.effective is None and point.at_least:
            block = context.plan.unknown[0]
            return "unknown", (
                f"It cannot be told whether the breakpoint at block {point.block + 1} is long "
                f"enough to be cached: block {block + 1} stands for a text whose length is not "
                "known here."
            )
    total = context.plan.total
    if total.low < context.minimum and context.plan.at_least:
        return "unknown", (
            "It cannot be told where breakpoints should stand: block "
            f"{context.plan.unknown[0] + 1} stands for a text whose length is not known here, and "
            f"the rest of the request is shorter than the {context.minimum:,} tokens from which "
            f"{where} caches."
        )
    if total.high < context.minimum:
        return "nothing", (
            f"There is nothing to place: the whole request has {total.estimate:,} tokens, and "
            f"{where} caches prefixes from {context.minimum:,} tokens on."
        )
    return None


def sentence(answer: Placement) -> str:
    """Where breakpoints belong, why, and what that saves."""
    points = answer.points or ()
    if not points:
        seen = answer.outlook
        anew = seen is not None and 0 <= seen.volatile <= seen.system
        why = f", as block {seen.volatile + 1} is made anew in every call" if seen and anew else ""
        return f"Caching does not pay here{why}: without breakpoints {_saving(answer)}."
    places = _listed([f"block {point.cut.block + 1} ({point.reason})" for point in points])
    return f"Breakpoints belong at {places}: {_saving(answer)}."


def _saving(answer: Placement) -> str:
    """``the next call costs $0.01 instead of $0.05, and 10 calls $0.20 instead of $0.50``."""
    before, after, calls = answer.before, answer.after, answer.traffic.calls
    assert after is not None
    if before is None:
        return (
            f"the next call costs {dollars(after.next)}; with the present ones the API rejects the "
            "request"
        )
    if calls == 1:
        return f"the call costs {dollars(after.run)} instead of {dollars(before.run)}"
    return (
        f"the next call costs {dollars(after.next)} instead of {dollars(before.next)}, and "
        f"{calls:,} calls {dollars(after.run)} instead of {dollars(before.run)}"
    )


def title(answer: Placement) -> str:
    """The same in the few words of an action's title."""
    points = answer.points or ()
    before, after = answer.before, answer.after
    assert after is not None
    if not points:
        return "Place breakpoints optimally: none, as caching does not pay here"
    where = _listed([f"{point.cut.block + 1}" for point in points])
    noun = "block" if len(points) == 1 else "blocks"
    because = f" ({points[0].reason})" if len(points) == 1 else ""
    saved = f"next call {dollars(after.next)}"
    saved += (
        " instead of a rejected one" if before is None else f" instead of {dollars(before.next)}"
    )
    return f"Place breakpoints optimally: {noun} {where}{because}; {saved}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
