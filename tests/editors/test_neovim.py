"""What only Neovim has: lenses that are run from their line, and a screen that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .editor import until
from .neovim import Neovim
from .requests import CONVERSATION, GOOD

# The client library of Neovim asks asyncio for something that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher':DeprecationWarning")


@pytest.fixture
def neovim(tmp_path: Path) -> Iterator[Neovim]:
    reason = Neovim.why_not()
    if reason is not None:
        pytest.skip(reason)
    session = Neovim(tmp_path)
    yield session
    session.stop()


def test_hint_and_lens_are_drawn_and_lenses_run(neovim: Neovim) -> None:
    neovim.show("good.json", GOOD)
    neovim.go("cache_control")
    until("the hint is drawn", lambda: " tok · 5m · write $" in neovim.screen())
    neovim.go("{")
    until("the lens is drawn", lambda: "first call $" in neovim.screen())
    neovim.run_lens("Count exactly")
    until("the answer", lambda: "Not counted exactly: " in neovim.messages())

    neovim.show("calls.jsonl", CONVERSATION)
    until("lenses", neovim.lenses)
    neovim.go('"And low tide?"')
    neovim.run_lens("reads ")
    until("the comparison", lambda: "Cachewise: " in neovim.messages())
