"""Where the recorded facts lie that the catalog is compared with; they are not part of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cachewise.catalog import Catalog, builtin


@pytest.fixture
def catalog() -> Catalog:
    return builtin()


@pytest.fixture
def facts() -> Path:
    """The folder of tables; ``CACHEWISE_SHARED`` names another place for its parent."""
    root = Path(os.environ.get("CACHEWISE_SHARED") or Path(__file__).parents[3] / "shared")
    folder = root / "facts"
    if not folder.is_dir():
        pytest.skip(f"the collected facts are not here: {folder} (set CACHEWISE_SHARED)")
    return folder
