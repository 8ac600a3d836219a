"""The requests that each editor is shown."""

import json

_STABLE = "You answer questions about the harbour: tides, berths, fees and rules. " * 120

_BODY = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1024,
    "system": [{"type": "text", "text": _STABLE, "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "When is high tide?"}],
}

#: One breakpoint that works.
GOOD = json.dumps(_BODY, indent=2) + "\n"

#: The same with a lifetime that no provider has: CW104.
BAD_TTL = GOOD.replace('"ephemeral"', '"ephemeral", "ttl": "2h"')

#: The same without a breakpoint.
UNMARKED = json.dumps({**_BODY, "system": [{"type": "text", "text": _STABLE}]}, indent=2) + "\n"
