"""A response's ``usage``, in any provider's form, as one; and what it costs.

Providers disagree on one thing that changes every sum: whether tokens read from the cache are
*part of* the input figure (OpenAI, DashScope, Gemini) or stand *beside* it (Anthropic, Bedrock).
:func:`read_usage` settles that; afterwards ``input`` always means tokens that were neither read
nor written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from cachewise.catalog.model import Model, Platform, Prices
from cachewise.catalog.prices import UnknownPrice, prices_for

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response, each counted once.

    ``write_5m`` and ``write_1h`` are writes with the platform's shorter and longer lifetime.
    ``implicit`` tells that the reads came from a cache that works without markers.
    """

    input: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0
    output: int = 0
    web_searches: int = 0
    service_tier: str | None = None
    inference_geo: str | None = None
    speed: str | None = None
    implicit: bool = False

    @property
    def total_input(self) -> int:
        """All tokens of the prompt: uncached, written and read."""
        return self.input + self.write_5m + self.write_1h + self.read


@dataclass(frozen=True, slots=True)
class Bill:
    """USD for one response: the total, its parts (they add up to it) and the prices used.

    The keys of ``parts`` are ``input``, ``write_5m``, ``write_1h``, ``read``, ``output`` and
    ``other`` (web searches).
    """

    total: Decimal
    parts: Mapping[str, Decimal]
    prices: Prices


def read_usage(obj: Mapping[str, Any]) -> Usage | None:
    """The usage in ``obj``: a ``usage`` object itself, or a response, event or log line around it.

    None when there is none. Missing and null figures count as zero. A figure that is not a whole
    number of tokens, or a part larger than the whole it is included in, raises ``ValueError``
    naming the key.
    """
    return _read(obj, {}, 0)


def price_usage(
    usage: Usage,
    model: Model,
    platform: Platform | None,
    *,
    region: str | None = None,
    batch: bool | None = None,
    geo: str | None = None,
    speed: str | None = None,
    today: date | None = None,
) -> Bill:
    """What ``usage`` costs on ``model``, exactly.

    A modifier that is not given is taken from the usage itself (``service_tier: "batch"``,
    ``inference_geo``, ``speed``). Raises
    :class:`~cachewise.catalog.prices.UnsupportedModifier` for a combination that cannot be, and
    :class:`~cachewise.catalog.prices.UnknownPrice` when tokens were used that have no known price.
    """
    prices = prices_for(
        model,
        platform=platform,
        region=region,
        total_input_tokens=usage.total_input,
        batch=usage.service_tier == "batch" if batch is None else batch,
        geo=usage.inference_geo if geo is None else geo,
        speed=usage.speed if speed is None else speed,
        today=today,
    )
    read = prices.read
    if usage.implicit and prices.implicit_read is not None:
        read = prices.implicit_read
    searches = platform.web_search_usd if platform is not None else None
    parts = {
        "input": _cost(usage.input, prices.input, "uncached input"),
        "write_5m": _cost(usage.write_5m, prices.write_5m, "cache writes"),
        "write_1h": _cost(usage.write_1h, prices.write_1h, "cache writes of the longer lifetime"),
        "read": _cost(usage.read, read, "cache reads"),
        "output": _cost(usage.output, prices.output, "output"),
        "other": _times(usage.web_searches, searches, "web searches"),
    }
    return Bill(sum(parts.values(), Decimal(0)), parts, prices)


def _cost(tokens: int, per_million: Decimal | None, what: str) -> Decimal:
    return _times(tokens, per_million, what).scaleb(-6) if tokens else Decimal(0)


def _times(count: int, each: Decimal | None, what: str) -> Decimal:
    if count == 0:
        return Decimal(0)
    if each is None:
        raise UnknownPrice(f"No price is known for {what}.")
    return count * each


_AROUND = (
    "usage",
    "usageMetadata",
    "usage_metadata",
    "response_usage",
    "message",
    "response",
    "body",
    "result",
    "metadata",
    "amazon-bedrock-invocationMetrics",
)
"""Keys under which a response or a log line may carry the usage, the nearest first."""

_DEEPEST = 5


def _read(obj: Mapping[str, Any], outer: Mapping[str, Any], depth: int) -> Usage | None:
    for form in (_anthropic, _included, _bedrock, _gemini):
        usage = form(obj, outer)
        if usage is not None:
            return usage
    if depth < _DEEPEST:
        for key in _AROUND:
            inner = obj.get(key)
            if isinstance(inner, Mapping):
                usage = _read(cast("Mapping[str, Any]", inner), obj, depth + 1)
                if usage is not None:
                    return usage
    return None


def _anthropic(obj: Mapping[str, Any], outer: Mapping[str, Any]) -> Usage | None:
    """Reads and writes stand beside ``input_tokens``."""
    if not any(
        key in obj
        for key in (
            "input_tokens",
            "output_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
        )
    ):
        return None
    if "prompt_tokens" in obj or "input_tokens_details" in obj or "prompt_tokens_details" in obj:
        return None
    written = _first(obj, ("cache_creation_input_tokens",))
    short = _tokens(obj, ("cache_creation", "ephemeral_5m_input_tokens"))
    long = _tokens(obj, ("cache_creation", "ephemeral_1h_input_tokens"))
    if written is not None:
        short = _rest(written, long, short, "cache_creation_input_tokens", "cache_creation")
    return Usage(
        input=_tokens(obj, ("input_tokens",)),
        write_5m=short,
        write_1h=long,
        read=_tokens(obj, ("cache_read_input_tokens",)),
        output=_tokens(obj, ("output_tokens",)),
        web_searches=_tokens(obj, ("server_tool_use", "web_search_requests")),
        service_tier=_word(obj, outer, "service_tier"),
        inference_geo=_word(obj, outer, "inference_geo"),
        speed=_word(obj, outer, "speed"),
    )


def _included(obj: Mapping[str, Any], outer: Mapping[str, Any]) -> Usage | None:
    """OpenAI's chat and responses forms, DashScope's, and gateways': all is in the input figure."""
    if "prompt_tokens" in obj:
        total_key, details = "prompt_tokens", "prompt_tokens_details"
    elif "input_tokens" in obj:
        total_key, details = "input_tokens", "input_tokens_details"
        if details not in obj:
            details = "prompt_tokens_details"
    elif "completion_tokens" in obj:
        total_key, details = "prompt_tokens", "prompt_tokens_details"
    else:
        return None
    total = _tokens(obj, (total_key,))
    read = _tokens(
        obj,
        (details, "cached_tokens"),
        ("cache_read_input_tokens",),
        ("prompt_cache_hit_tokens",),
        ("cached_tokens",),
    )
    written = _tokens(
        obj,
        (details, "cache_write_tokens"),
        (details, "cache_creation_input_tokens"),
        (details, "cache_creation_tokens"),
        ("cache_write_tokens",),
        ("cache_creation_input_tokens",),
    )
    long = _tokens(
        obj,
        (details, "cache_write_tokens_details", "ttl_12h_tokens"),
        ("cache_write_tokens_details", "ttl_12h_tokens"),
        (details, "cache_creation", "ephemeral_1h_input_tokens"),
        (details, "cache_creation_token_details", "ephemeral_1h_input_tokens"),
    )
    short = _tokens(
        obj,
        (details, "cache_write_tokens_details", "ttl_30m_tokens"),
        ("cache_write_tokens_details", "ttl_30m_tokens"),
        (details, "cache_creation", "ephemeral_5m_input_tokens"),
        (details, "cache_creation_token_details", "ephemeral_5m_input_tokens"),
    )
    short = _rest(max(written, short + long), long, short, "written tokens", "their details")
    fresh = total - read - short - long
    if fresh < 0:
        raise ValueError(
            f"{total_key} is {total}, but {read + short + long} cached tokens are part of it."
        )
    marked = short > 0 or long > 0 or _at(obj, (details, "cache_type")) == "ephemeral"
    return Usage(
        input=fresh,
        write_5m=short,
        write_1h=long,
        read=read,
        output=_tokens(obj, ("completion_tokens",), ("output_tokens",)),
        web_searches=_tokens(obj, ("server_tool_use", "web_search_requests")),
        service_tier=_word(obj, outer, "service_tier"),
        inference_geo=_word(obj, outer, "inference_geo"),
        speed=_word(obj, outer, "speed"),
        implicit=not marked,
    )


def _bedrock(obj: Mapping[str, Any], outer: Mapping[str, Any]) -> Usage | None:
    """Converse, and the counters of InvokeModel: reads and writes beside the input figure."""
    known = ("inputTokens", "outputTokens", "inputTokenCount", "outputTokenCount")
    if not any(key in obj for key in known):
        return None
    long = short = 0
    details = obj.get("cacheDetails")
    if isinstance(details, Sequence) and not isinstance(details, str):
        for place, entry in enumerate(cast("Sequence[object]", details)):
            if not isinstance(entry, Mapping):
                raise ValueError(f"cacheDetails[{place}] must be an object.")
            item = cast("Mapping[str, Any]", entry)
            count = _tokens(item, ("inputTokens",), within=f"cacheDetails[{place}].")
            if item.get("ttl") == "1h":
                long += count
            else:
                short += count
    written = _first(
        obj,
        ("cacheWriteInputTokens",),
        ("cacheWriteInputTokenCount",),
        ("cacheWriteInputTokensCount",),
    )
    if written is not None:
        short = _rest(written, long, short, "cacheWriteInputTokens", "cacheDetails")
    return Usage(
        input=_tokens(obj, ("inputTokens",), ("inputTokenCount",)),
        write_5m=short,
        write_1h=long,
        read=_tokens(
            obj,
            ("cacheReadInputTokens",),
            ("cacheReadInputTokenCount",),
            ("cacheReadInputTokensCount",),
        ),
        output=_tokens(obj, ("outputTokens",), ("outputTokenCount",)),
        service_tier=_word(obj, outer, "serviceTier"),
    )


def _gemini(obj: Mapping[str, Any], outer: Mapping[str, Any]) -> Usage | None:
    """Gemini's figures, and the same ones as a client's telemetry names them."""
    known = (
        "promptTokenCount",
        "prompt_token_count",
        "input_token_count",
        "cachedContentTokenCount",
        "candidatesTokenCount",
    )
    if not any(key in obj for key in known):
        return None
    prompt = _tokens(obj, ("promptTokenCount",), ("prompt_token_count",), ("input_token_count",))
    read = _tokens(obj, ("cachedContentTokenCount",), ("cached_content_token_count",))
    if read > prompt:
        raise ValueError(f"promptTokenCount is {prompt}, but {read} cached tokens are part of it.")
    return Usage(
        input=prompt - read + _tokens(obj, ("toolUsePromptTokenCount",)),
        read=read,
        output=_tokens(
            obj, ("candidatesTokenCount",), ("candidates_token_count",), ("output_token_count",)
        )
        + _tokens(obj, ("thoughtsTokenCount",), ("thoughts_token_count",)),
        service_tier=_word(obj, outer, "serviceTier"),
        implicit=True,
    )


def _rest(total: int, long: int, short: int, total_key: str, split_key: str) -> int:
    """What is left for the shorter lifetime when the split does not name all that was written."""
    if long + short > total:
        raise ValueError(f"{split_key} names {long + short} tokens, {total_key} only {total}.")
    return total - long


def _at(obj: Mapping[str, Any], path: Path) -> object:
    here: object = obj
    for key in path:
        if not isinstance(here, Mapping):
            return None
        here = cast("Mapping[str, object]", here).get(key)
    return here


def _first(obj: Mapping[str, Any], *paths: Path, within: str = "") -> int | None:
    """The first figure that is there and not null."""
    for path in paths:
        value = _at(obj, path)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            name = within + ".".join(path)
            raise ValueError(f"{name} must be a whole number of tokens, not {_shown(value)}.")
        return value
    return None


def _tokens(obj: Mapping[str, Any], *paths: Path, within: str = "") -> int:
    return _first(obj, *paths, within=within) or 0


def _word(obj: Mapping[str, Any], outer: Mapping[str, Any], key: str) -> str | None:
    for place in (obj, outer):
        value = place.get(key)
        if isinstance(value, str):
            return value.lower()
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
