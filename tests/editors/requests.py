"""The documents that each editor is shown, and what it has to show for them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cachewise.text import Encoding

_SENTENCE = "You answer questions about the harbour: tides, berths, fees and rules. "
STABLE = _SENTENCE * 120

_BODY = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1024,
    "system": [{"type": "text", "text": STABLE, "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "When is high tide?"}],
}

#: One breakpoint that works.
GOOD = json.dumps(_BODY, indent=2) + "\n"

#: The same with a lifetime that no provider has: CW104.
BAD_TTL = GOOD.replace('"ephemeral"', '"ephemeral", "ttl": "2h"')

#: The same without a breakpoint.
UNMARKED = json.dumps({**_BODY, "system": [{"type": "text", "text": STABLE}]}, indent=2) + "\n"

#: JSON that is nobody's request, though it has words of one.
ORDINARY = '{\n  "name": "x",\n  "model": "2CV",\n  "messages": {"ttl": "2h"}\n}\n'

#: Two calls of a conversation: the second reads what the first has written.
CONVERSATION = "".join(
    json.dumps({**_BODY, "messages": messages}) + "\n"
    for messages in (
        _BODY["messages"],
        [
            *_BODY["messages"],
            {"role": "assistant", "content": "At noon."},
            {"role": "user", "content": "And low tide?"},
        ],
    )
)

#: Flags are two surrogate pairs each, the clef is one; é is written as two characters; the family
#: is three pictures with joiners between them. Each encoding gives this another length.
ODD = "🇫🇷 e\u0301te\u0301 𝄞 👩\u200d👩\u200d👧 ﷽"

_ONE_LINE = json.dumps(json.loads(BAD_TTL), ensure_ascii=False).replace("harbour", ODD) + "\n"


def _python(marker: str) -> str:
    return f'''import anthropic

HARBOUR = "{_SENTENCE}" * 120
anthropic.Anthropic().messages.create(
    model="claude-sonnet-5-5",
    max_tokens=100,
    system=[{{"type": "text", "text": HARBOUR + "{ODD}", "cache_control": {marker}}}],
    messages=[{{"role": "user", "content": "When is high tide?"}}],
)
'''


PYTHON = _python('{"type": "ephemeral"}')
_FLAWED_PYTHON = _python('{"type": "ephemeral", "ttl": "2h"}')

_SHELL = f"""#!/bin/sh
curl https://api.anthropic.com/v1/messages -H "x-api-key: $KEY" -d '{_ONE_LINE.strip()}'
"""

_TYPESCRIPT = f"""import Anthropic from "@anthropic-ai/sdk";

const answer = await new Anthropic().messages.create({{
  model: "claude-sonnet-5-5",
  max_tokens: 100,
  system: [{{ type: "text", text: "{ODD}", cache_control: {{ type: "ephemeral", ttl: "2h" }} }}],
  messages: [{{ role: "user", content: "When is high tide?" }}],
}});
"""

_YAML = f"""model: claude-sonnet-5-5
max_tokens: 100
system: [{{type: text, text: "{ODD}", cache_control: {{type: ephemeral, ttl: "2h"}}}}]
messages:
  - {{role: user, content: "When is high tide?"}}
"""

_NOTEBOOK = (
    json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": _FLAWED_PYTHON.splitlines(keepends=True),
                }
            ],
            "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        ensure_ascii=False,
        indent=1,
    )
    + "\n"
)


@dataclass(frozen=True)
class Flawed:
    """A document with one lifetime that does not exist (CW104), and where it is marked."""

    name: str
    text: str
    marked: str = '"2h"'

    @property
    def fixed(self) -> str:
        """The text once the fix ``Set ttl to "5m"`` is applied."""
        return self.text.replace(self.marked, self.marked.replace("2h", "5m"), 1)

    def columns(self, encoding: Encoding) -> tuple[int, int]:
        """Where the mark begins and ends in its line, as a client of an encoding counts."""
        before, _, _ = self.text.partition(self.marked)
        head = before.rpartition("\n")[2]
        return _units(head, encoding), _units(head + self.marked, encoding)


FLAWED = (
    Flawed("plain.json", BAD_TTL),
    Flawed("windows.json", BAD_TTL.replace("harbour", ODD).replace("\n", "\r\n")),
    Flawed("one-line.json", _ONE_LINE),
    Flawed("batch.jsonl", json.dumps({"custom_id": "a", "params": json.loads(GOOD)}) + "\n"
           + _ONE_LINE),
    Flawed("request.yaml", _YAML),
    Flawed("request.py", _FLAWED_PYTHON),
    Flawed("windows.py", _FLAWED_PYTHON.replace("\n", "\r\n")),
    Flawed("request.ts", _TYPESCRIPT),
    Flawed("request.sh", _SHELL),
    Flawed("requests.ipynb", _NOTEBOOK, r'\"2h\"'),
)  # fmt: skip


def _units(text: str, encoding: Encoding) -> int:
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[
        encoding
    ]
    return len(text.encode(codec)) // width
