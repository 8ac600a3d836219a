#!/usr/bin/env python3
"""Records the picture of a terminal for the README: a real run of ``cachewise`` on the examples.

The command is run for real with its colours, and what it prints becomes an SVG.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "check.svg"
COMMAND = [
    "cachewise",
    "check",
    "ttl-order-mistake.json",
    "volatile-timestamp.json",
    "coding-agent.json",
    "support-agent.json",
]


def main() -> None:
    run = subprocess.run(
        [sys.executable, "-m", *COMMAND],
        cwd=ROOT / "examples",
        env={**os.environ, "FORCE_COLOR": "1", "NO_COLOR": "", "TERM": "xterm-256color"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode == 2 or run.stderr:
        raise SystemExit(run.stderr)
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ " + " ".join(COMMAND), style="bold"))
    console.print(Text.from_ansi(run.stdout))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    # The fonts of a page that shows the picture: an image may not load any from elsewhere.
    template = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    template = template.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    svg = console.export_svg(title="cachewise", code_format=template)
    PICTURE.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
