"""Which requests can be counted exactly, told without loading anything that could send them."""

from __future__ import annotations

OFFERED = frozenset(
    {
        ("anthropic", "anthropic-messages"),
        ("bedrock", "anthropic-messages"),
        ("bedrock", "bedrock-converse"),
        ("google", "gemini-generate-content"),
    }
)
"""The platform, and the shape of the body."""
