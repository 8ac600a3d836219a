"""``cachewise rules`` and ``cachewise explain``."""

from __future__ import annotations

import argparse
import sys

from cachewise.analysis.reference import BY_NAME, RULE_NAMES, RULES, docs_url
from cachewise.cli.output import InputError, wants_color
from cachewise.report.json import to_text
from cachewise.report.text import write
from cachewise.settings import nearest

_STYLE = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def rules(options: argparse.Namespace) -> int:
    """Print the list of rules."""
    if options.format == "json":
        listed = [
            {
                "code": rule.code,
                "rule": rule.name,
                "severity": rule.severity,
                "summary": rule.summary,
                "url": docs_url(rule.code, rule.name),
            }
            for rule in RULES
        ]
        sys.stdout.write(to_text({"version": 1, "rules": listed}))
        return 0
    wide = max(len(rule.name) for rule in RULES)
    write(
        (
            [
                (f"{rule.code}  ", "bold"),
                (f"{rule.name:<{wide}}  ", ""),
                (f"{rule.severity:<8} ", _STYLE[rule.severity]),
                (rule.summary, ""),
            ]
            for rule in RULES
        ),
        sys.stdout,
        color=wants_color(sys.stdout),
    )
    return 0


def explain(options: argparse.Namespace) -> int:
    """Print the page of one rule."""
    rule = BY_NAME.get(options.rule) or BY_NAME.get(options.rule.upper())
    if rule is None:
        known = [name for pair in RULE_NAMES for name in pair]
        raise InputError(
            f"There is no rule {options.rule!r}.{nearest(options.rule, known)} See cachewise rules."
        )
    if options.format == "json":
        page = {
            "version": 1,
            "code": rule.code,
            "rule": rule.name,
            "severity": rule.severity,
            "summary": rule.summary,
            "docs": rule.docs,
            "url": docs_url(rule.code, rule.name),
        }
        sys.stdout.write(to_text(page))
        return 0
    page_text = f"# {rule.code} {rule.name} ({rule.severity})\n\n{rule.docs.strip()}\n"
    if wants_color(sys.stdout):
        from rich.console import Console
        from rich.markdown import Markdown

        Console(force_terminal=True).print(Markdown(page_text))
    else:
        sys.stdout.write(page_text)
    return 0
