"""Requests that the tests open."""

from __future__ import annotations

ORDER = """{
  "model": "claude-sonnet-4-6",
  "max_tokens": 100,
  "tools": [
    {"name": "find", "description": "Finds a ship.", "input_schema": {"type": "object"},
     "cache_control": {"type": "ephemeral"}}
  ],
  "system": [
    {"type": "text", "text": "%s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
  ],
  "messages": [
    {"role": "user", "content": "Where is the Argo?"}
  ]
}
"""
"""A 1-hour breakpoint behind a 5-minute one (CW102), with a place for the system prompt."""

WORDS = "The quick brown fox jumps over the lazy dog and sails away. "

SMALL = ORDER % "You answer in one line."
LARGE = ORDER % (WORDS * 200)
"""Above every minimum, so that only the order is wrong."""

GOOD = LARGE.replace(', "ttl": "1h"', "")
"""Nothing for the API to reject."""
