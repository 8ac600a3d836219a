"""A real Emacs with the configuration of docs/editors/emacs.md; the list of eglot.el."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import blocks
from .requests import BAD_TTL, GOOD, UNMARKED

EMACS = shutil.which("emacs")


def test_emacs(tmp_path: Path) -> None:
    if EMACS is None:
        pytest.skip("skipped: no Emacs")
    version = subprocess.run([EMACS, "--version"], capture_output=True, text=True).stdout
    major = re.search(r"GNU Emacs (\d+)", version)
    if major is None or int(major[1]) < 29:
        pytest.skip(f"skipped: the configuration needs Emacs 29 or newer, this is {version[:20]!r}")

    (configuration,) = blocks("emacs.md", "elisp")
    init = tmp_path / "init.el"
    init.write_text(configuration, encoding="utf-8")
    requests = tmp_path / "requests"
    requests.mkdir()
    one_line = json.dumps(json.loads(BAD_TTL), ensure_ascii=False).replace("harbour", "🇫🇷 été 𝄞")
    for name, text in {
        "good.json": GOOD,
        "bad.json": BAD_TTL,
        "plain.json": UNMARKED,
        "one-line.json": one_line,
    }.items():
        (requests / name).write_text(text, encoding="utf-8")

    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CACHEWISE_REQUESTS": str(requests),
    }
    test_file = Path(__file__).with_name("eglot.el")
    done = subprocess.run(
        [EMACS, "--batch", "-Q", "-l", str(init), "-l", str(test_file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 results as expected" in done.stderr, done.stderr
    saved = json.loads((requests / "plain.json").read_text("utf-8"))
    assert saved["system"][0].pop("cache_control")["type"] == "ephemeral"
    assert saved == json.loads(UNMARKED)
