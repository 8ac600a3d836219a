"""Who may import whom. The layer rule is this test, not a habit.

text → syntax → request → caching → rules, report → analysis → cli, lsp; catalog and tokens serve
request, caching and rules. The two faces reach what lies below only through ``analysis`` (rules,
catalog and formats by way of ``analysis.reference``), and share ``settings`` and ``report``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[1] / "server" / "cachewise"

LAYERS: dict[str, set[str]] = {
    "text": set(),
    "syntax": {"text"},
    "catalog": set(),
    "request": {"text", "syntax", "catalog"},
    "tokens": {"text", "syntax", "request", "catalog"},
    "caching": {"text", "syntax", "request", "catalog", "tokens"},
    "settings": {"caching"},
    "rules": {"text", "syntax", "request", "catalog", "tokens", "caching"},
    "report": {"catalog"},
    "analysis": {
        "text",
        "syntax",
        "request",
        "catalog",
        "tokens",
        "caching",
        "settings",
        "rules",
        "report",
    },
    "remote": {"settings"},
    "lsp": {"analysis", "settings", "report", "remote", "text"},
    "cli": {"analysis", "settings", "report", "remote", "lsp"},
    "__main__": {"cli"},
    "__init__": set(),
}
"""For each layer the other layers that it may import."""

OWNERS: dict[str, set[str]] = {
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "httpx": {"remote"},
    "pydantic": {"settings", "catalog.schema", "remote"},
    "rich": {"report", "cli"},
    "pathspec": {"settings"},
    "ctok": {"tokens"},
    "yaml": {"syntax.yaml"},
    "tree_sitter": {"syntax.grammar"},
    "tree_sitter_python": {"syntax.grammar"},
    "tree_sitter_typescript": {"syntax.grammar"},
    "tree_sitter_java": {"syntax.grammar"},
    "tree_sitter_kotlin": {"syntax.grammar"},
    "tree_sitter_go": {"syntax.grammar"},
    "tree_sitter_c_sharp": {"syntax.grammar"},
    "tree_sitter_ruby": {"syntax.grammar"},
    "tree_sitter_php": {"syntax.grammar"},
    "tree_sitter_rust": {"syntax.grammar"},
    "tiktoken": {"tokens"},
    "regex": {"tokens"},
}
"""Third-party packages, and the layers or modules that alone may import them."""

PURE = ("text", "syntax", "request", "tokens", "caching", "rules", "report", "catalog", "analysis")
OUTSIDE = {
    "os",
    "pathlib",
    "io",
    "time",
    "socket",
    "ssl",
    "http",
    "urllib.request",
    "subprocess",
    "shutil",
    "tempfile",
    "glob",
    "asyncio",
    "threading",
    "sys",
    "random",
    "locale",
}
"""Modules by which code could reach files, the clock, the environment or the network."""

READS_ITS_OWN_DATA = {"catalog.load", "catalog.schema", "tokens"}
"""May open files: those that are packaged beside them."""

CLOCKS = {"now", "today", "utcnow", "time", "monotonic", "perf_counter"}


def modules() -> list[str]:
    found = []
    for file in sorted(SERVER.rglob("*.py")):
        parts = file.relative_to(SERVER).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" and parts[1:] else parts))
    return found


def path_of(module: str) -> Path:
    plain = SERVER.joinpath(*module.split("."))
    return plain / "__init__.py" if plain.is_dir() else plain.with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it, type checking included."""
    package = ["cachewise", *module.split(".")]
    if path_of(module).name != "__init__.py":
        package.pop()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *((node.module or "").split(".") if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}"


def layer_of(name: str) -> str:
    return name.split(".")[0]


def allowed(module: str, owners: set[str]) -> bool:
    return any(module == owner or module.startswith(f"{owner}.") for owner in owners)


def test_every_layer_is_named() -> None:
    assert {layer_of(module) for module in modules()} <= set(LAYERS)


@pytest.mark.parametrize("module", modules())
def test_layers_import_only_what_lies_below(module: str) -> None:
    own = layer_of(module)
    for name in imports(module):
        if not name.startswith("cachewise."):
            continue
        other = name.split(".")[1]
        if other in ("__version__", own):
            continue
        assert other in LAYERS[own], f"cachewise.{module} must not import {name}"


@pytest.mark.parametrize("module", modules())
def test_third_party_packages_have_one_owner(module: str) -> None:
    for name in imports(module):
        top = name.split(".")[0]
        if top == "cachewise" or top in sys.stdlib_module_names:
            continue
        assert top in OWNERS, f"cachewise.{module} imports {top}, which nobody owns"
        assert allowed(module, OWNERS[top]), f"cachewise.{module} must not import {top}"


@pytest.mark.parametrize("module", [name for name in modules() if layer_of(name) in PURE])
def test_below_the_faces_nothing_reaches_outside(module: str) -> None:
    if allowed(module, READS_ITS_OWN_DATA):
        return
    for name in imports(module):
        assert not allowed(name, OUTSIDE), f"cachewise.{module} must not import {name}"
    for node in ast.walk(tree_of(module)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            assert called.id not in ("open", "input", "print", "exec", "eval"), (
                f"cachewise.{module}:{node.lineno} calls {called.id}"
            )
        elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            clock = called.value.id in ("datetime", "date", "time") and called.attr in CLOCKS
            assert not clock, f"cachewise.{module}:{node.lineno} reads the clock"


def test_the_settings_file_is_read_by_the_faces_alone() -> None:
    """``settings`` is an edge that reads files; what lies below takes only the finished value."""
    for module in modules():
        if layer_of(module) in ("cli", "lsp", "settings", "remote"):
            continue
        taken = {name.rpartition(".")[2] for name in imports(module) if ".settings." in name}
        assert taken <= {"Settings"}, f"cachewise.{module} takes {taken} from settings"


def test_the_rule_sees_an_import_inside_a_function() -> None:
    assert "pydantic" in set(imports("settings"))


def test_no_module_is_named_for_nothing() -> None:
    bad = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [module for module in modules() if bad & set(module.split("."))]
