"""The published price list, fetched when the user asks for it, and the file that is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cachewise.remote.folder import cache_folder

DEFAULT_URL = (
    "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main"
    "/prices/new_data/v2/data.json"
)
"""Where genai-prices publishes its data; its own package updates itself from there."""

FILE = "prices.json"

LARGEST = 32 * 1024 * 1024
"""Bytes; the list has some three million."""

LARGEST_KEPT = 4 * 1024 * 1024


def fetch_prices(url: str, timeout: float) -> bytes | str:
    """The list at a URL, or a sentence that says why it could not be had."""
    from cachewise.remote.transfer import (
        Clock,
        Exchange,
        Failure,
        address_problem,
        bounded_exchange,
        host_of,
    )

    problem = address_problem(url)
    if problem is not None:
        return problem.replace("The base URL", "The address")
    answer = bounded_exchange(Exchange("GET", url, {}, b"", LARGEST), Clock(timeout))
    if isinstance(answer, Failure):
        return answer.sentence
    if answer.status != 200:
        return f"{host_of(url)} does not give the price list (HTTP {answer.status})."
    return answer.body


def kept_prices(environment: Mapping[str, str]) -> tuple[Path, str] | None:
    """The file of newer prices and its text; None when there is none that can be read."""
    file = kept_file(environment)
    if file is None:
        return None
    try:
        if file.stat().st_size > LARGEST_KEPT:
            return file, ""
        return file, file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def kept_file(environment: Mapping[str, str]) -> Path | None:
    """Where newer prices are kept; None where the user has no home."""
    folder = cache_folder(environment)
    return None if folder is None else folder / FILE
