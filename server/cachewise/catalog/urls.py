"""What an endpoint's URL tells of a request: the platform, the region, sometimes the model.

Bedrock and Vertex AI put the model into the path and leave it out of the body, so a recorded
request of theirs can be judged only with its URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from cachewise.catalog.model import Catalog

_MODEL_IN_PATH = (
    ("bedrock", re.compile(r"/model/([^/]+)/(?:converse|invoke)")),
    ("vertex", re.compile(r"/publishers/(?:anthropic|google)/models/([^/:]+)")),
    ("google", re.compile(r"/(?:v1|v1beta|v1alpha)/models/([^/:]+):")),
    ("azure", re.compile(r"/openai/deployments/([^/]+)/")),
)
"""Paths that hold a model id, and whose they are when the host does not say."""

_LOCATION_IN_PATH = re.compile(r"/locations/([^/]+)/")


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """``platform`` is an id of the catalog. ``region`` is a cloud location such as ``us-east-1``
    and ``model`` an id as the URL writes it; both are None when the URL does not say.
    """

    platform: str
    region: str | None
    model: str | None


def target_of_url(catalog: Catalog, url: str) -> UrlTarget | None:
    """The target of a request sent to ``url``, which may be a path alone.

    The host decides; behind a host that no platform has, a path that only one platform uses
    still tells whose form the request has. None when neither says anything. Never fails.
    """
    text = url.strip()
    try:
        parts = urlsplit(text if "//" in text or text.startswith("/") else f"//{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    platform, region = _of_host(catalog, host)
    location = _LOCATION_IN_PATH.search(parts.path)
    if location is not None:
        region = location[1]
    for owner, pattern in _MODEL_IN_PATH:
        match = pattern.search(parts.path)
        if match is not None:
            return UrlTarget(platform or owner, region, unquote(match[1]))
    return None if platform is None else UrlTarget(platform, region, None)


def _of_host(catalog: Catalog, host: str) -> tuple[str | None, str | None]:
    for platform in catalog.platforms.values():
        for pattern in platform.hosts:
            match = _host(pattern).fullmatch(host)
            if match is not None:
                return platform.id, _region(match)
    return None, None


def _region(match: re.Match[str]) -> str | None:
    found = match[1] if match.re.groups else None
    return found if found is not None and re.search(r"-[a-z]+\d?-?\d", found) else None


@lru_cache(maxsize=64)
def _host(pattern: str) -> re.Pattern[str]:
    return re.compile(r"([a-z0-9.-]+)".join(re.escape(part) for part in pattern.split("*")))
