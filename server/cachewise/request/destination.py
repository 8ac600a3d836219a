"""Where a request goes, as far as the body leaves it open: told by what stands next to it.

A recorded request has its URL beside it, often only the path of it; a line of a batch may name the
model. Whether that is certain or only looks like it is kept, so that a guess is shown as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from cachewise.catalog.model import Catalog
from cachewise.catalog.urls import target_of_url
from cachewise.request.model import Found
from cachewise.request.qwen_code import is_signed_by_qwen_code
from cachewise.syntax.tree import Node

_MODEL_IN_PATH = re.compile(r"/models?/([^/?#]+?)(?::(?!\d)[A-Za-z]|/|[?#]|\Z)")


@dataclass(frozen=True, slots=True)
class Destination:
    """A platform of the catalog and a model id as written; None where nothing tells them.

    ``guessed``: the platform follows from how the body looks, and from nothing firmer.
    """

    platform: str | None
    model: str | None
    guessed: bool = False


def destination(catalog: Catalog, found: Found, chosen: str | None = None) -> Destination:
    """Where a request goes. ``chosen`` is the platform (or provider) that the settings name.

    The body goes first where it says so itself, then the settings, then what stands beside the
    body, then how it looks.
    """
    request = found.request
    url = _text(found.beside, "url")
    target = target_of_url(catalog, url) if "." in url.split("?")[0] else None
    model = request.model_written or _text(found.beside, "modelId") or None
    if model is None and url:
        model = target.model if target is not None and target.model else _model_in_path(url)
    platform = request.platform or chosen or (target.platform if target is not None else None)
    if platform is None and is_signed_by_qwen_code(found.beside):
        platform = "dashscope"
    if platform is not None or request.platform_guess is None:
        return Destination(platform, model)
    return Destination(request.platform_guess, model, guessed=True)


def _text(beside: Mapping[str, Node], name: str) -> str:
    node = beside.get(name)
    return node.text if node is not None and node.kind == "string" else ""


def _model_in_path(url: str) -> str | None:
    found = _MODEL_IN_PATH.search(url)
    return unquote(found[1]) if found else None
