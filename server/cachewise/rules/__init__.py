"""The rules: one file each, and the list below."""

from __future__ import annotations

from cachewise.rules import (
    automatic_conflict,
    changing_breakpoint,
    ignored_marker,
    invalid_cache_control,
    late_volatile_first,
    lookback_growth,
    lookback_window,
    misplaced_cache_point,
    missing_breakpoint,
    no_cache_for_auth,
    prefix_below_minimum,
    prefix_changed,
    redundant_breakpoint,
    retired_model,
    stale_beta_header,
    too_many_breakpoints,
    ttl_choice,
    ttl_order,
    uncacheable_block,
    unknown_model,
    unstable_order,
    volatile_content,
)
from cachewise.rules.base import Rule

RULES: tuple[Rule, ...] = (
    too_many_breakpoints.RULE,
    ttl_order.RULE,
    uncacheable_block.RULE,
    invalid_cache_control.RULE,
    automatic_conflict.RULE,
    misplaced_cache_point.RULE,
    prefix_below_minimum.RULE,
    lookback_window.RULE,
    lookback_growth.RULE,
    ignored_marker.RULE,
    changing_breakpoint.RULE,
    missing_breakpoint.RULE,
    redundant_breakpoint.RULE,
    late_volatile_first.RULE,
    volatile_content.RULE,
    unstable_order.RULE,
    prefix_changed.RULE,
    ttl_choice.RULE,
    unknown_model.RULE,
    retired_model.RULE,
    stale_beta_header.RULE,
    no_cache_for_auth.RULE,
)
"""Every rule, in the order of the codes."""

BY_NAME: dict[str, Rule] = {key: rule for rule in RULES for key in (rule.name, rule.code)}
"""Rules by code and by name."""
