"""The rules: one file each, and the list below."""

from __future__ import annotations

from cachewise.rules import ttl_order
from cachewise.rules.base import Rule

RULES: tuple[Rule, ...] = (ttl_order.RULE,)
"""Every rule, in the order of the codes."""

BY_NAME: dict[str, Rule] = {key: rule for rule in RULES for key in (rule.name, rule.code)}
"""Rules by code and by name."""
