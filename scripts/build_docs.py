#!/usr/bin/env python3
"""Writes what is generated in the documentation; with ``--check`` only says what is stale.

Generated are docs/rules/ (a page for each rule, from the rule's own text), docs/settings.md (from
the settings' definition) and the table of rules in README.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any, get_args, get_origin

from cachewise.analysis.reference import RULES, Rule
from cachewise.settings import Key, settings_keys

ROOT = Path(__file__).parents[1]
RULES_FOLDER = ROOT / "docs" / "rules"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when stale")
    options = parser.parse_args()
    wanted = pages()
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    left_over = [path for path in RULES_FOLDER.glob("*.md") if path not in wanted]
    if options.check:
        for path in [*stale, *left_over]:
            print(f"{path.relative_to(ROOT)} is not what the code says; run ./dev docs")
        return 1 if stale or left_over else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    for path in left_over:
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    return 0


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    readme = ROOT / "README.md"
    return {
        **{RULES_FOLDER / f"{rule.code}-{rule.name}.md": rule_page(rule) for rule in RULES},
        RULES_FOLDER / "README.md": f"# The rules\n\n{SEVERITIES}\n\n{rules_table('')}\n",
        ROOT / "docs" / "settings.md": settings_page(),
        readme: between(readme.read_text(encoding="utf-8"), rules_table("docs/rules/")),
    }


SEVERITIES = """An **error** is a request that the API rejects. A **warning** is accepted, but \
money or the cache is lost. An **info** is worth knowing. `cachewise explain RULE` prints a \
page in the terminal."""


def rule_page(rule: Rule) -> str:
    title, _, rest = rule.docs.strip().partition("\n")
    # The fences say for the tests which example is wrong; a reader's Markdown knows only `json`.
    body = re.sub(r"^(```\w+) (?:bad|good)\b.*$", r"\1", rest.strip(), flags=re.MULTILINE)
    return f"# {rule.code} {rule.name}\n\n*{rule.severity}* · {title}\n\n{body}\n"


def rules_table(folder: str) -> str:
    rows = [
        f"| [{rule.code}]({folder}{rule.code}-{rule.name}.md) | `{rule.name}` | {rule.severity} "
        f"| {rule.summary} |"
        for rule in RULES
    ]
    return "\n".join(["| code | rule | severity | |", "|---|---|---|---|", *rows])


def between(text: str, table: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md must have the lines {BEGIN} and {END}.")
    return f"{before}{begin}\n{table}\n{end}{after}"


SETTINGS_INTRO = """# Settings

Settings stand in `cachewise.toml`, or in `pyproject.toml` under `[tool.cachewise]`. The nearest of
these at or above a file holds for it; of two in one folder, `cachewise.toml`. An editor's settings
have the same names in camelCase behind `cachewise.` and give way to the file, so that the editor
and the command line agree.

```toml
model = "claude-sonnet-5-5"
ignore = ["missing-breakpoint"]
exclude = ["recorded/", "*.bak.json"]

[per-file-ignores]
"tests/**" = ["CW2"]

[traffic]
every = "2m"
calls = 20
output-tokens = 500

[prices."claude-sonnet-5-5"]
input = "1.80"
read = "0.09"
```

A key that does not exist or has a wrong value is reported and counts as not written; the others
hold.

| key | in the editor | type | default | |
|---|---|---|---|---|
"""


def settings_page() -> str:
    rows = [
        f"| `{key.name}` | `cachewise.{key.editor}` | {type_name(key.type)} | {default(key)} "
        f"| {key.doc} |"
        for key in settings_keys()
    ]
    return SETTINGS_INTRO + "\n".join(rows) + "\n"


def type_name(type_: Any, plural: str = "") -> str:
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is list:
        return f"list{plural} of {type_name(arguments[0], 's')}"
    if origin is dict:
        return f"table{plural} of {type_name(arguments[1], 's')}"
    if origin is not None:
        return " or ".join(f"`{choice}`" for choice in arguments)
    named = {"str": "text", "int": "whole number", "Decimal": "number", "Duration": "duration"}
    return "true or false" if type_ is bool else named[type_.__name__] + plural


def default(key: Key) -> str:
    if key.default is None:
        return "not set"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    if isinstance(key.default, str):
        return f'`"{key.default}"`'
    return f"`{key.default}`"


if __name__ == "__main__":
    sys.exit(main())
