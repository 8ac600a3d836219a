"""The settings, wherever they come from, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cachewise.caching.cost import Traffic


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user has chosen; every field has a default that asks for nothing.

    ``model`` is taken for bodies that name none, ``platform`` and ``provider`` for bodies that do
    not say where they go. ``select`` empty means every rule; ``ignore`` and ``select`` hold codes or
    names. ``exclude`` and the keys of ``per_file_ignores`` are .gitignore-style patterns.
    ``prices`` overrides catalog prices: model id → {"input": "3", …} in USD per million tokens.
    """

    provider: str | None = None
    platform: str | None = None
    model: str | None = None
    auth: str | None = None
    semantics: str = "current"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )
    traffic: Traffic | None = None
    prices: Mapping[str, Any] = field(default_factory=dict[str, Any])
    hints_breakpoints: bool = True
    hints_blocks: bool = False
    lens_enabled: bool = True
