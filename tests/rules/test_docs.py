"""Each rule's page: complete, true to the specification's names, its examples run."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from cachewise.rules import BY_NAME, RULES
from cachewise.rules.base import Rule
from rules.cases import find, fixed_fully, options, spelled_out

NAMES = {
    "CW101": "too-many-breakpoints",
    "CW102": "ttl-order",
    "CW103": "uncacheable-block",
    "CW104": "invalid-cache-control",
    "CW105": "automatic-conflict",
    "CW106": "misplaced-cache-point",
    "CW201": "prefix-below-minimum",
    "CW202": "lookback-window",
    "CW203": "lookback-growth",
    "CW204": "ignored-marker",
    "CW205": "changing-breakpoint",
    "CW206": "missing-breakpoint",
    "CW207": "redundant-breakpoint",
    "CW208": "late-volatile-first",
    "CW301": "volatile-content",
    "CW302": "unstable-order",
    "CW303": "prefix-changed",
    "CW401": "ttl-choice",
    "CW402": "unknown-model",
    "CW403": "retired-model",
    "CW404": "stale-beta-header",
    "CW405": "no-cache-for-auth",
}
OWN_NUMBERS = {"NOTICE_DAYS", "LONGEST_SHOWN", "MOST", "SMALLEST_SHARE"}
"""Named numbers that a rule chooses itself, and that no provider sets."""

_EXAMPLE = re.compile(
    r"^```(jsonc?|jsonl) (bad|good)(?: traffic=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE
)

EXAMPLES = [
    pytest.param(rule, format, kind, traffic, spelled_out(text), id=f"{rule.code} {kind} {number}")
    for rule in RULES
    for number, (format, kind, traffic, text) in enumerate(_EXAMPLE.findall(rule.docs))
]


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert len(BY_NAME) == 2 * len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_named_and_documented(rule: Rule) -> None:
    assert NAMES[rule.code] == rule.name
    assert rule.summary
    assert not rule.summary.endswith(".")
    assert re.search(r"^Source: .{20,}", rule.docs, re.MULTILINE)
    kinds = [kind for _, kind, _, _ in _EXAMPLE.findall(rule.docs)]
    assert "bad" in kinds
    assert "good" in kinds


@pytest.mark.parametrize(("rule", "format", "kind", "traffic", "text"), EXAMPLES)
def test_the_examples_of_a_page_are_true(
    rule: Rule, format: str, kind: str, traffic: str, text: str
) -> None:
    opts = options({"rules": rule.code, "traffic": traffic})
    found = find(text, opts, format)
    if kind == "good":
        assert [one.finding.message for one in found] == []
        return
    assert found, "the bad example is silent"
    assert {one.finding.severity for one in found} <= {rule.severity, "warning", "info"}
    marked = [one for one in found if any(fix.marker_only for fix in one.finding.fixes)]
    if marked and rule.severity != "info":
        _, left = fixed_fully(text, opts, format)
        assert [one.finding.message for one in left if one in marked] == []
        assert len(left) == len(found) - len(marked)


MODULES = sorted(Path(inspect.getfile(Rule)).parent.glob("*.py"))


def foreign_numbers(source: str) -> set[int | float]:
    """The numbers in a module's code that are neither its own by name nor mere counting."""
    tree = ast.parse(source)
    named = {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in OWN_NUMBERS
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and id(node) not in named
    } - {0, 1, 2}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_rule_holds_a_number_of_a_provider(module: Path) -> None:
    """Neither a rule's own file nor what several rules share."""
    found = foreign_numbers(module.read_text(encoding="utf-8"))
    assert found == set(), "a number that belongs into the catalog"


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("LIMIT = 4", 4),
        ("def late(point):\n    return point.position > 20", 20),
        ("MINIMUMS = {'claude-sonnet-4-6': 1_024}", 1024),
        ("def price(tokens, factor=1.25):\n    return tokens * factor", 1.25),
        ("class Window:\n    size: int = -80", 80),
        ("def check(context):\n    NOTICE_DAYS = 30", 30),
    ],
)
def test_a_number_of_a_provider_would_be_seen(code: str, number: float) -> None:
    for module in MODULES:
        source = module.read_text(encoding="utf-8")
        assert foreign_numbers(f"{source}\n\n{code}\n") == {number}
