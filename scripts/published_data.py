"""What two packages publish about models, read from their wheels without running any of them.

Both are pinned: the cross-check compares the catalog with these very versions, so that it says the
same today and tomorrow. To move on, raise a version, run ``crosscheck_catalog.py``, and judge what
it prints.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

GENAI_PRICES = "genai-prices==0.2.3"
LITELLM = "litellm==1.109.1"

LITELLM_MAP = "litellm/model_prices_and_context_window_backup.json"
GENAI_DATA = "genai_prices/data.py"

_RENAMED = {"or_": "or", "and_": "and"}


class Unavailable(Exception):
    """The package index cannot be asked."""


def wheel(requirement: str, folder: Path, timeout: float = 300) -> Path:
    """The wheel of a pinned requirement, from ``folder`` or downloaded into it.

    Raises :class:`Unavailable` with what the installer said.
    """
    name, _, version = requirement.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    found = next(iter(sorted(folder.glob(pattern))), None)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    try:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary", ":all:", "--dest", str(folder), requirement),
            ],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{requirement} could not be downloaded in {timeout:g} s") from None
    found = next(iter(sorted(folder.glob(pattern))), None)
    if found is None:
        lines = run.stderr.strip().splitlines() or ["pip gave no reason"]
        raise Unavailable(f"{requirement} could not be downloaded: {lines[-1]}")
    return found


def litellm_map(path: Path) -> dict[str, dict[str, Any]]:
    """litellm's map of models: by name, costs per token as exact decimals."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(LITELLM_MAP)
    # Its numbers are written like 3e-06; as text they are exact.
    return json.loads(text, parse_float=Decimal)


def genai_list(path: Path) -> list[dict[str, Any]]:
    """genai-prices' providers, in the form of the JSON that it publishes."""
    with zipfile.ZipFile(path) as archive:
        tree = ast.parse(archive.read(GENAI_DATA))
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "providers":
            assert node.value is not None
            return _value(node.value)
    raise ValueError(f"{GENAI_DATA} has no providers")


def _value(node: ast.expr) -> Any:
    """A value written as Python: literals, lists, and calls of classes, which become objects.

    Anything else stays as it is written.
    """
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {
                _value(key): _value(value) for key, value in zip(keys, values, strict=True) if key
            }
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = function.attr if isinstance(function, ast.Attribute) else function.id
            given = [_value(argument) for argument in arguments]
            if name == "Decimal":
                return Decimal(given[0])
            if name == "date":
                return date(*given)
            named = {
                _RENAMED.get(keyword.arg, keyword.arg): _value(keyword.value)
                for keyword in keywords
                if keyword.arg
            }
            return {**named, **({"positional": given} if given else {})}
    # Hours of a day, say, with a time zone: nothing that is compared.
    return ast.unparse(node)
