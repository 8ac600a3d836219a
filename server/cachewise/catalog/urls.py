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
    re.compile(r"/model/([^/]+)/(?:converse|invoke)"),
    re.compile(r"/publishers/(?:anthropic|google)/models/([^/:]+)"),
    re.compile(r"/(?:v1|v1beta|v1alpha)/models/([^/:]+):"),
    re.compile(r"/openai/deployments/([^/]+)/"),
)
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
    """The target of a request sent to ``url``; None when no platform has that host.

    Never fails: text that is no URL has no target.
    """
    try:
        parts = urlsplit(url.strip() if "//" in url else f"//{url.strip()}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if not host:
        return None
    for platform in catalog.platforms.values():
        for pattern in platform.hosts:
            match = _host(pattern).fullmatch(host)
            if match is not None:
                location = _LOCATION_IN_PATH.search(parts.path)
                region = location[1] if location is not None else _region(match)
                return UrlTarget(platform.id, region, _model(parts.path))
    return None


def _region(match: re.Match[str]) -> str | None:
    found = match[1] if match.re.groups else None
    return found if found is not None and re.search(r"-[a-z]+\d?-?\d", found) else None


def _model(path: str) -> str | None:
    for pattern in _MODEL_IN_PATH:
        match = pattern.search(path)
        if match is not None:
            return unquote(match[1])
    return None


@lru_cache(maxsize=64)
def _host(pattern: str) -> re.Pattern[str]:
    return re.compile(r"([a-z0-9.-]+)".join(re.escape(part) for part in pattern.split("*")))
