"""Where recorded requests lie that some tests measure against; they are no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_folder(*parts: str) -> Path:
    """The path of recorded material beside the checkout; skips the test when it is absent.

    ``CACHEWISE_SHARED`` names another folder.
    """
    root = Path(os.environ.get("CACHEWISE_SHARED") or Path(__file__).parents[2] / "shared")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"recorded material is not here: {path} (set CACHEWISE_SHARED to its folder)")
    return path
