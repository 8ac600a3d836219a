"""What the catalog knows, as frozen data: models, platforms, prices, what invalidates a cache.

Units: prices are USD per million tokens as exact :class:`decimal.Decimal`; limits are tokens;
lifetimes are seconds; dates are calendar dates in UTC. ``None`` always means "not known", never
"zero" or "none at all": whoever reads the catalog abstains on it.

The values themselves stand in the ``*.toml`` files beside this module, one file a provider, each
value with its source and the date it was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Status = Literal["active", "limited", "legacy", "deprecated", "retired", "unknown"]
"""``limited``: served to selected customers. ``legacy``: served, no longer recommended.
``deprecated``: a retirement is announced. ``unknown`` occurs only in a :class:`Lifecycle`."""

Level = Literal["kept", "lost", "model-specific"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from, and when it was last compared with that place.

    A value confirmed in several places carries one joined source (``A+B``) whose date is the
    oldest of them.
    """

    tag: str
    what: str
    checked: date


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens, by the way a token is billed.

    ``write_5m`` and ``write_1h`` are the writes of a platform's shorter and longer lifetime. They
    are named for Anthropic's two; a provider with other lifetimes (30 minutes and 12 hours, say)
    keeps the same two places, in the order of ``Model.ttls``. ``read`` is a read of an entry that
    a marker wrote; ``implicit_read`` one that the provider cached by itself, where it prices
    those differently.
    """

    input: Decimal | None
    write_5m: Decimal | None
    write_1h: Decimal | None
    read: Decimal | None
    output: Decimal | None
    implicit_read: Decimal | None = None


UNKNOWN_PRICES = Prices(None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Tier:
    """Prices of the *whole* request once its total input is more than ``above_tokens`` tokens.

    Total input counts uncached, written and read tokens alike.
    """

    above_tokens: int
    prices: Prices


@dataclass(frozen=True, slots=True)
class PastPrices:
    """Prices that were in force up to and excluding ``until``."""

    until: date
    prices: Prices


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that disagree about ``field``, what was chosen, and why."""

    field: str
    claims: Mapping[str, str]
    chosen: str
    reason: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model id, with everything a cache, a price or a finding needs to know of it.

    ``alias_of`` is set on an id that always means another row (``claude-sonnet-4-5`` of its dated
    snapshot); it then carries the same values. ``sources`` is keyed by the groups of
    :data:`SOURCE_GROUPS`.
    """

    id: str
    provider: str
    name: str
    line: str
    alias_of: str | None
    aliases: tuple[str, ...]
    platform_ids: Mapping[str, tuple[str, ...]]
    family: str
    """Tokenizer: ``claude-v3``, ``claude-v4.7``, ``claude-v4.8``, ``qwen3``, ``qwen3.6``,
    ``o200k``, ``cl100k``, ``gemini``, or ``unknown``."""
    explicit: bool | None
    """Whether markers in the request have an effect on this model; None when not known."""
    implicit: bool | None
    """Whether prefixes of this model are cached without markers; None: as the platform does."""
    marked_blocks: tuple[str, ...] | None
    """The only kinds of block that a marker may close on this model; None when any kind."""
    minimum_tokens: int | None
    minimum_by_platform: Mapping[str, int]
    minimum_verified: bool
    prices: Prices
    prices_by_platform: Mapping[str, Prices]
    prices_by_region: Mapping[str, Prices]
    """Prices of a Bedrock profile's region, where they follow no common factor."""
    tiers: tuple[Tier, ...]
    fast: Prices | None
    fast_until: date | None
    past_prices: tuple[PastPrices, ...]
    modifiers: tuple[str, ...]
    """Names of the platform multipliers that this model takes (``batch``, ``geo``, ``regional``).
    The provider refuses or ignores the others."""
    context_window: int | None
    max_output: int | None
    status: Status
    released: str | None
    """Day, month or year, as far as it is known: ``2026-09-01``, ``2026-09``."""
    deprecated_on: date | None
    retires: date | None
    retires_not_before: date | None
    retires_by_platform: Mapping[str, date]
    available_platforms: tuple[str, ...]
    """Platforms that still serve the model after its own provider retired it."""
    successor: str | None
    successor_stated: bool
    """False when the provider names none and ``successor`` is only the newest of the line."""
    newest: str | None
    """The newest model of the same line; None on that model itself."""
    thinking: Literal["keep", "strip"] | None
    """Whether thinking blocks of earlier turns stay in the prompt after a new user message."""
    ttls: tuple[str, ...]
    """Lifetimes that a marker may name, shortest first; the first is the default."""
    ttls_by_platform: Mapping[str, tuple[str, ...]]
    tool_prompt: tuple[int, int] | None
    """Hidden tokens when tools are sent: with ``tool_choice`` auto or none, with any or tool."""
    image_tier: Literal["standard", "high"] | None
    sources: Mapping[str, Source]
    conflicts: tuple[Conflict, ...]

    def __hash__(self) -> int:
        return hash((self.provider, self.id))


SOURCE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "ids": ("id", "alias_of", "aliases", "platform_ids", "line", "name", "provider"),
    "family": ("family",),
    "explicit": ("explicit", "implicit", "marked_blocks"),
    "minimum": ("minimum_tokens", "minimum_by_platform", "minimum_verified"),
    "prices": ("prices", "prices_by_platform", "prices_by_region", "past_prices"),
    "tiers": ("tiers",),
    "fast": ("fast", "fast_until"),
    "modifiers": ("modifiers",),
    "limits": ("context_window", "max_output"),
    "lifecycle": (
        "status",
        "released",
        "deprecated_on",
        "retires",
        "retires_not_before",
        "retires_by_platform",
        "available_platforms",
    ),
    "successor": ("successor", "successor_stated", "newest"),
    "thinking": ("thinking",),
    "ttls": ("ttls", "ttls_by_platform"),
    "tool_prompt": ("tool_prompt",),
    "images": ("image_tier",),
}
"""The keys of ``Model.sources``, and which fields each of them vouches for."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A place where requests are sent, and how its cache behaves.

    One provider's models can be served by several platforms, each with limits of its own.
    """

    id: str
    provider: str
    name: str
    hosts: tuple[str, ...]
    """Host names of its endpoints; ``*`` stands for one label or more."""
    serves: tuple[str, ...]
    """Providers whose models can be asked for here; ``*`` for a gateway to all of them."""
    gateway: bool
    proxy: bool
    """Whether requests only pass through, to the platform that the model's prefix names."""
    lifecycle_of: str | None
    """The provider whose retirement dates hold here; None where the platform sets its own."""
    max_breakpoints: int | None
    extra_breakpoints: Literal["rejected", "last-win"] | None
    window: int | None
    """Positions that the walk back from a breakpoint looks at, itself the first; None when the
    platform has no such walk."""
    breakpoint_memory: int | None
    """How many of the latest earlier breakpoints are compared, on platforms without a walk."""
    collapses_runs: bool
    """Whether a run of ``tool_use`` or of ``tool_result`` blocks counts as one position."""
    marks_server_results: bool
    """Whether a request with a marker gets breakpoints of the platform's own at the results of the
    tools that the provider runs."""
    isolation: Literal["workspace", "organisation", "account"] | None
    automatic: bool
    """Whether a ``cache_control`` at the top of the request is understood."""
    automatic_refused: bool
    """Whether such a ``cache_control`` is answered with HTTP 400 where it is not understood."""
    unsupported_ttl: Literal["rejected", "ignored"] | None
    readable: Literal["response-begins", "response-ends"] | None
    """When an entry that a request writes can first be read by another."""
    tools_markers: bool
    """Whether a marker on a tool definition has an effect."""
    implicit: bool
    """Whether prefixes are cached without any marker."""
    implicit_minimum: int | None
    implicit_step: int | None
    """Implicit reads are counted in multiples of this many tokens."""
    implicit_with_explicit: bool
    """Whether implicit caching also works in a request that has markers."""
    markers: tuple[str, ...]
    """Ways in which a marker is written: ``cache_control``, ``cachePoint``, ..."""
    ttl_seconds: Mapping[str, int]
    semantics: tuple[str, ...]
    """Names of the reading rules that can be chosen here, the one in force first."""
    count_tokens: bool
    """Whether the platform counts the tokens of a request on demand."""
    price_multipliers: Mapping[str, Decimal]
    """By modifier: ``batch``, ``geo:us``, ``region:us`` and so on. All five prices are
    multiplied."""
    web_search_usd: Decimal | None
    """USD for one server-side web search."""
    sources: Mapping[str, Source]
    conflicts: tuple[Conflict, ...]

    def __hash__(self) -> int:
        return hash((self.provider, self.id))


PLATFORM_FACTS: tuple[str, ...] = (
    "hosts",
    "markers",
    "window",
    "collapses_runs",
    "marks_server_results",
    "isolation",
    "automatic",
    "ttls",
    "readable",
    "tools_markers",
    "implicit",
    "semantics",
    "lifecycle",
    "prices",
)
"""The keys that ``Platform.sources`` may have; ``default`` vouches for all that are not there."""


@dataclass(frozen=True, slots=True)
class Semantics:
    """A reading of how a breakpoint finds an earlier entry.

    ``matches_unmarked``: whether the walk back may end at a position that no earlier request had
    marked.
    """

    name: str
    matches_unmarked: bool
    sentence: str
    source: Source


@dataclass(frozen=True, slots=True)
class Invalidation:
    """What one kind of change between two requests costs at each level of the prefix."""

    change: str
    title: str
    tools: Level
    system: Level
    messages: Level
    note: str
    source: Source


@dataclass(frozen=True, slots=True)
class ObsoleteBeta:
    """A beta header that is accepted and no longer needed."""

    header: str
    since: date
    note: str
    source: Source


@dataclass(frozen=True, slots=True)
class RequiredBeta:
    """A request feature that is rejected unless ``header`` is sent."""

    feature: str
    header: str
    note: str
    source: Source


@dataclass(frozen=True, slots=True)
class Auth:
    """A way of signing in to a client, and whether requests sent so are cached."""

    client: str
    method: str
    caching: bool
    note: str
    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Everything known about providers, at ``updated``.

    ``lookup`` maps every written form of a model id, normalised, to the id of its row. ``series``
    holds beginnings of ids whose every model has the same row, where a provider documents a whole
    series at once.
    """

    models: Mapping[str, Model]
    platforms: Mapping[str, Platform]
    semantics: Mapping[str, Semantics]
    invalidation: Mapping[str, Invalidation]
    beta_headers_obsolete: Mapping[str, ObsoleteBeta]
    beta_required: Mapping[str, RequiredBeta]
    auth: tuple[Auth, ...]
    lookup: Mapping[str, str]
    series: tuple[tuple[str, str], ...]
    updated: date
