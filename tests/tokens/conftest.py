"""What a command of another test has asked for is not asked for here."""

from __future__ import annotations

import pytest

from cachewise.tokens import count


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vocabularies are made from the package, not from what an earlier start has kept."""
    monkeypatch.setattr(count, "_kept", None)
