"""Written forms of a model id, brought to the one spelling that the catalog looks up.

The same model is written ``claude-sonnet-4-5-20250929``,
``us.anthropic.claude-sonnet-4-5-20250929-v1:0``, ``claude-sonnet-4-5@20250929``,
``anthropic/claude-sonnet-4.5`` or ``Model.CLAUDE_SONNET_4_5_20250929``. :func:`take_apart` says
what the spelling itself gives away: the bare name, the platform, the region.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REGIONS = ("global", "us-gov", "us", "eu", "au", "jp", "apac", "ca", "sa")
"""Prefixes of Bedrock's cross-region profiles, the longer of two that start alike first."""

_ROUTES: tuple[tuple[str, str | None], ...] = (
    ("openrouter/", "openrouter"),
    ("bedrock/converse/", "bedrock"),
    ("bedrock/invoke/", "bedrock"),
    ("bedrock/", "bedrock"),
    ("bedrock_converse/", "bedrock"),
    ("bedrock_mantle/", "bedrock-mantle"),
    ("vertex_ai/", "vertex"),
    ("vertex/", "vertex"),
    ("azure_ai/", "foundry"),
    ("azure/", "azure"),
    ("dashscope/", "dashscope"),
    ("gemini/", "google"),
    ("googleai/", "google"),
    ("vertexai/", "vertex"),
    ("anthropic:", None),
    ("anthropic/", None),
    ("openai:", None),
    ("openai/", None),
    ("google/", None),
    ("qwen/", None),
    ("amazon/", None),
    ("models/", None),
)
"""Prefixes with which gateways choose where a request goes, and the platform that they name.

The ones without a platform name a vendor: LiteLLM sends them there, OpenRouter does not.
"""

_OPAQUE_ARN = re.compile(
    r"arn:aws[a-z-]*:bedrock:[^:]*:[^:]*:(?:application-inference-profile|provisioned-model"
    r"|custom-model|custom-model-deployment|imported-model|prompt|prompt-router"
    r"|default-prompt-router|endpoint)/",
    re.IGNORECASE,
)
_ARN = re.compile(
    r"arn:aws[a-z-]*:bedrock:([^:]*):[^:]*:(?:inference-profile|foundation-model)/(.+)",
    re.IGNORECASE,
)
_VERTEX_PATH = re.compile(
    r"(?:projects/[^/]+/)?(?:locations/([^/]+)/)?publishers/(anthropic|google)/models/(.+)",
    re.IGNORECASE,
)
_BEDROCK_ID = re.compile(
    rf"(?:({'|'.join(REGIONS)})\.)?(anthropic|amazon|openai|qwen)\.(.+)", re.IGNORECASE
)
_BEDROCK_REGION_PATH = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d/", re.IGNORECASE)
_BEDROCK_VERSION = re.compile(r"-v\d+(?::\d+)?(?::\w+)?$", re.IGNORECASE)
_VARIANT = re.compile(r":(?:beta|thinking|free|nitro|floor|online|extended|exacto)$", re.IGNORECASE)
_LONG_CONTEXT = re.compile(r"\[1m\]$", re.IGNORECASE)
_SDK_CONSTANT = re.compile(r"(?:\w+(?:\.|::))*(?:Model(?:\.|::|_)?)?(C[Ll][Aa][Uu][Dd][Ee]\w+)$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])")
_LINE_FIRST = re.compile(r"(claude)-([a-z]+)-(\d(?:-\d)?)(-20\d{6}|-latest)?")
_VERSION_FIRST = re.compile(r"(claude)-(\d(?:-\d)?)-([a-z]+)(-20\d{6}|-latest)?")
_SEPARATORS = re.compile(r"[._:@\s]+")
_DASHES = re.compile(r"-{2,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a written model id says by its spelling alone.

    ``name`` is normalised, and None when the id names no model by itself (an application
    inference profile). ``vendor`` is the maker that a prefix names; ``dotted`` tells that the
    version was written with dots after such a prefix, which is OpenRouter's way.
    """

    name: str | None
    platform: str | None
    region: str | None
    vendor: str | None
    dotted: bool


def normalised(name: str) -> str:
    """Lower case, every separator a dash: ``Claude_Sonnet 4.5`` gives ``claude-sonnet-4-5``."""
    return _DASHES.sub("-", _SEPARATORS.sub("-", name.strip().lower())).strip("-")


def swapped(name: str) -> str | None:
    """The other order of line and version, as later and earlier models write it.

    ``claude-4-5-sonnet`` gives ``claude-sonnet-4-5`` and the reverse; None when ``name`` has
    neither order.
    """
    line_first = _LINE_FIRST.fullmatch(name)
    if line_first is not None:
        maker, line, version, rest = line_first.groups(default="")
        return f"{maker}-{version}-{line}{rest}"
    version_first = _VERSION_FIRST.fullmatch(name)
    if version_first is not None:
        maker, version, line, rest = version_first.groups(default="")
        return f"{maker}-{line}-{version}{rest}"
    return None


def take_apart(written: str) -> Parts:
    """Read the spelling of a model id; never fails, whatever the text."""
    text = _LONG_CONTEXT.sub("", written.strip())
    constant = _SDK_CONSTANT.fullmatch(text)
    if constant is not None:
        name = constant[1] if constant[1].isupper() else _CAMEL.sub("-", constant[1])
        return Parts(normalised(name), None, None, None, False)
    platform: str | None = None
    region: str | None = None
    vendor: str | None = None
    route_found = True
    while route_found:
        route_found = False
        lower = text.lower()
        for prefix, names_platform in _ROUTES:
            if lower.startswith(prefix) and len(text) > len(prefix):
                text = text[len(prefix) :]
                platform = platform or names_platform
                if names_platform is None and prefix != "models/":
                    vendor = vendor or prefix[:-1]
                route_found = True
                break
    if _OPAQUE_ARN.match(text):
        return Parts(None, "bedrock", None, None, False)
    arn = _ARN.match(text)
    if arn is not None:
        platform = platform or "bedrock"
        region = arn[1] or None
        text = arn[2]
    if platform in ("bedrock", "bedrock-mantle"):
        text = _BEDROCK_REGION_PATH.sub("", text, count=1)
    path = _VERTEX_PATH.match(text)
    if path is not None:
        platform, region, text = platform or "vertex", path[1], path[3]
    bedrock = _BEDROCK_ID.fullmatch(text)
    if bedrock is not None:
        platform = platform or "bedrock"
        # A profile's prefix says which price holds; the region of its ARN only where it lives.
        region = bedrock[1].lower() if bedrock[1] else None
        vendor, text = bedrock[2].lower(), _BEDROCK_VERSION.sub("", bedrock[3])
        if vendor == "amazon":
            text = f"amazon-{text}"
    elif platform in ("bedrock", "bedrock-mantle"):
        text = _BEDROCK_VERSION.sub("", text)
    if "@" in text:
        text, _, version = text.partition("@")
        platform = platform or "vertex"
        if version.lower() not in ("default", "latest", ""):
            text = f"{text}-{version}"
    variant = _VARIANT.search(text)
    if variant is not None:
        text = text[: variant.start()]
    dotted = vendor is not None and (variant is not None or "." in text)
    return Parts(normalised(text) or None, platform, region, vendor, dotted)
