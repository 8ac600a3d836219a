"""What is shown of configurations that decide on caching: no tokens, no cost, but what they do."""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.analysis.document import Document, Located
from cachewise.analysis.surfaces import Hint
from cachewise.analysis.wording import escape
from cachewise.request import litellm_proxy
from cachewise.request.litellm_proxy import Landing


def configuration_hints(document: Document, located: Located, start: int, end: int) -> list[Hint]:
    """At each injection point of a LiteLLM proxy, where its marker will land.

    ``start`` and ``end`` are document offsets; hints outside of them are left out.
    """
    return [
        Hint(
            at=document.text.line_end(document.text.position(located.base + landing.end).line),
            label=landing_label(landing),
            tooltip=_tooltip(landing, _limit(document)),
            kind="breakpoint",
        )
        for landing in _landings(document, located)
        if start <= located.base + landing.end <= end
    ]


def configuration_line(document: Document, located: Located) -> str | None:
    """``sets up to 4 markers in each request: …``; None where there is nothing to say."""
    landed = [landing for landing in _landings(document, located) if landing.where]
    if not landed:
        return None
    limit = _limit(document)
    count = len(landed)
    if any(landing.many for landing in landed) and limit is not None:
        number = f"up to {limit} markers"
    else:
        number = "one marker" if count == 1 else f"{count} markers"
    places = ", ".join(landing.where for landing in landed)
    return f"LiteLLM sets {number} in each request: {places}"


def landing_label(landing: Landing) -> str:
    """``marker on the last part of the last message · 1h``, or why there is none."""
    if not landing.where:
        return f"no marker: {landing.why_not}"
    ttl = f" · {landing.ttl}" if landing.ttl else ""
    return f"marker on {landing.where}{ttl}"


def _landings(document: Document, located: Located) -> Iterator[Landing]:
    # A request to LiteLLM may name injection points of its own, as the proxy's file does.
    yield from litellm_proxy.landings(located.analyzed.request, _limit(document))


def _limit(document: Document) -> int | None:
    platform = document.options.catalog.platforms.get("litellm")
    return platform.max_breakpoints if platform is not None else None


def _tooltip(landing: Landing, limit: int | None) -> str:
    if not landing.where:
        return f"LiteLLM sets no marker here: {escape(landing.why_not)}."
    lines = [f"LiteLLM sets a `cache_control` marker on {escape(landing.where)}."]
    if landing.many:
        lines.append("Each of these messages takes a marker of its own.")
    if limit is not None:
        lines.append(
            f"It sets {limit} at most, those that the request brings along counted, in the order "
            "of the points; a message that is marked already is left as it is."
        )
    return "\n\n".join(lines)
