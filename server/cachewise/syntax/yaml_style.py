"""The styles of YAML values, for those who change them and need not read any."""

from __future__ import annotations

STYLE = "yaml"
"""The style of strings, and of collections that are written in lines and not in brackets."""

ALIAS_STYLE = "yaml-alias"
"""The style of what stands elsewhere: a change here is not possible."""

STYLES = frozenset({STYLE, ALIAS_STYLE})
