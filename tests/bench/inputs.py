"""The benchmark's inputs, made from a seed when it runs, so that two runs measure the same."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

SEED = 20_261_121
MODEL = "claude-sonnet-4-6"

_WORDS = re.findall(
    r"\w+",
    """
the of and to a in that it is was for on are with as they be at one have this from or had by word
but what some we can out other were all there when up use your how said an each she which do their
time if will way about many then them write would like so these her long make thing see him two has
look more day could go come did number sound no most people my over know water than call first who
may down side been now find any new work part take get place made live where after back little only
round man year came show every good me give our under name very through just form sentence great
think say help low line differ turn cause much mean before move right boy old too same tell does set
three want air well also play small end put home read hand port large spell add even land here must
big high such follow act why ask men change went light kind off need house picture try us again
animal point mother world near build self earth father head stand own page should country found
answer school grow study still learn plant cover food sun four between state keep eye never last let
thought city tree cross farm hard start might story saw far sea draw left late run while press close
night real life few north open seem together next white children begin got walk example ease paper
group always music those both mark often letter until mile river car feet care second book carry
""",
)
_SYLLABLES = ("ka", "ro", "mi", "ten", "dul", "sa", "vor", "el", "ith", "pra", "no", "gu", "lin")


def chat(size: int, seed: int = SEED) -> str:
    """One request of about ``size`` characters, as an editor shows it: indented, mostly prose."""
    rng = random.Random(seed)
    body = _body(rng)
    length = len(json.dumps(body, indent=2))
    number = 0
    while length < size:
        message = _message(rng, number)
        body["messages"].append(message)
        length += len(json.dumps(message, indent=2)) + 60
        number += 1
    body["messages"].append({"role": "user", "content": "And what follows from it?"})
    body["messages"][-1]["content"] = [
        {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}}
    ]
    return json.dumps(body, indent=2, ensure_ascii=False)


def messages(size: int, seed: int = SEED) -> str:
    """The lines of messages of about ``size`` characters together, each with a comma behind it."""
    rng = random.Random(seed)
    parts: list[str] = []
    length = number = 0
    while length < size:
        parts.append(json.dumps(_message(rng, number), indent=2, ensure_ascii=False) + ",")
        length += len(parts[-1])
        number += 1
    return "\n".join(parts)


def tools(size: int, seed: int = SEED) -> str:
    """One request that is nearly all tool definitions: very many, very small values."""
    rng = random.Random(seed)
    body = _body(rng)
    body["tools"] = []
    length = 0
    while length < size:
        tool = _tool(rng, len(body["tools"]))
        body["tools"].append(tool)
        length += len(json.dumps(tool, indent=2)) + 200
    return json.dumps(body, indent=2, ensure_ascii=False)


def small(number: int) -> str:
    """A small request of about 2,000 characters, another one for each number."""
    rng = random.Random(SEED + number)
    body = {
        "model": MODEL,
        "max_tokens": 1024,
        "system": [
            {"type": "text", "text": prose(rng, 120), "cache_control": {"type": "ephemeral"}}
        ],
        "messages": [
            {"role": role, "content": prose(rng, rng.randint(20, 60))}
            for role in ("user", "assistant", "user")
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def jsonl(size: int, lines: int, seed: int = SEED) -> str:
    """So many requests of about ``size`` characters together, one a line."""
    return "\n".join(
        json.dumps(json.loads(chat(size // lines, seed=seed + number)), ensure_ascii=False)
        for number in range(lines)
    )


def python(size: int, requests: int = 5, seed: int = SEED) -> str:
    """A module of about ``size`` characters: classes of all kinds, and some calls among them."""
    rng = random.Random(seed)
    head = (
        f'import anthropic\n\nclient = anthropic.Anthropic()\nMODEL = "{MODEL}"\n'
        f'RULES = """{prose(rng, 900)}"""\n\n\n'
    )
    return head + _code(rng, size, requests, _PYTHON_CALL, _PYTHON_CLASS)


def typescript(size: int, requests: int = 5, seed: int = SEED) -> str:
    """The same in TypeScript."""
    rng = random.Random(seed)
    head = (
        'import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic();\n'
        f'const MODEL = "{MODEL}";\nconst RULES = `{prose(rng, 900)}`;\n\n'
    )
    return head + _code(rng, size, requests, _TYPESCRIPT_CALL, _TYPESCRIPT_CLASS)


def _code(rng: random.Random, size: int, requests: int, call: str, other: str) -> str:
    parts: list[str] = []
    length = called = 0
    while length < size:
        if length >= size * (called + 0.5) / requests:
            words = " ".join(rng.choices(_WORDS, k=200))
            part = call.format(number=called, words=words)
            called += 1
        else:
            part = other.format(number=len(parts), words=" ".join(rng.choices(_WORDS, k=20)))
            part = part.replace("NAME", f"{rng.choice(_WORDS)}_it").replace(
                "TIMES", f"{rng.random():.3}"
            )
        parts.append(part)
        length += len(part)
    return "".join(parts)


_PYTHON_CALL = '''\
def ask_{number}(question: str) -> str:
    """Asks the model – and gives its answer."""
    messages = [{{"role": "user", "content": [{{"type": "text", "text": "And the tide?"}}]}}]
    messages.append({{"role": "user", "content": question}})
    reply = client.messages.create(
        model=MODEL,
        max_tokens=1024,
        system=[{{"type": "text", "text": RULES, "cache_control": {{"type": "ephemeral"}}}}],
        tools=[{{"name": "tide", "description": "{words}", "input_schema": {{"type": "object"}}}}],
        messages=messages,
    )
    return reply.content[0].text


'''
_PYTHON_CLASS = '''\
class Part{number}:
    """{words}."""

    limit = {number}
    items: list[str] = []

    def NAME(self, value: float, other: str | None = None) -> dict[str, object]:
        """{words}."""
        if value > self.limit * TIMES:
            return {{"name": other, "value": f"{{value:.2f}} of {{other}}", "rest": self.items}}
        for item in self.items:
            if item.startswith("NAME"):
                self.limit = max(self.limit, len([one for one in item if one != other]))
        return {{"name": "NAME", "value": str(self.limit)}}


'''
_TYPESCRIPT_CALL = """\
export async function ask{number}(question: string): Promise<string> {{
  const messages: Anthropic.MessageParam[] = [
    {{ role: "user", content: [{{ type: "text", text: "And the tide – now?" }}] }},
  ];
  messages.push({{ role: "user", content: question }});
  const reply = await client.messages.create({{
    model: MODEL,
    max_tokens: 1024,
    system: [{{ type: "text", text: RULES, cache_control: {{ type: "ephemeral" }} }}],
    tools: [{{ name: "tide", description: "{words}", input_schema: {{ type: "object" }} }}],
    messages,
  }});
  return reply.content[0].text;
}}

"""
_TYPESCRIPT_CLASS = """\
/** {words}. */
export class Part{number} {{
  private limit = {number};
  private items: string[] = [];

  /** {words}. */
  NAME(value: number, other?: string): Record<string, unknown> {{
    if (value > this.limit * TIMES) {{
      return {{ name: other, value: `${{value}} of ${{other}}`, rest: this.items }};
    }}
    for (const item of this.items) {{
      if (item.startsWith("NAME")) {{
        this.limit = Math.max(this.limit, [...item].filter((one) => one !== other).length);
      }}
    }}
    return {{ name: "NAME", value: String(this.limit) }};
  }}
}}

"""


def trace(size: int, seed: int = SEED) -> Iterator[str]:
    """The lines of a recording of about ``size`` characters: two agents that take turns.

    Each call sends its whole conversation again, a little longer each time; every fiftieth starts a
    new one. The lines are in the form that both programs read.
    """
    rng = random.Random(seed)
    written = 0
    turn = 0
    bodies: dict[int, dict[str, Any]] = {}
    at = 1_760_000_000.0
    while written < size:
        agent = turn % 2
        if turn % 100 < 2:
            bodies[agent] = _body(rng)
            bodies[agent]["tools"] = [_tool(rng, number) for number in range(12)]
        body = bodies[agent]
        messages = body["messages"]
        for message in messages:
            if isinstance(message["content"], list):
                message["content"][-1].pop("cache_control", None)
        number = len(messages)
        messages += [_message(rng, number + 1), _message(rng, number + 2)]
        messages[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
        at += rng.uniform(3, 90)
        record = {"provider": "anthropic", "at": round(at, 3), "body": body}
        line = json.dumps(record, ensure_ascii=False)
        written += len(line) + 1
        turn += 1
        yield line


def prose(rng: random.Random, words: int) -> str:
    """Sentences of common words, with some names, numbers and code among them."""
    parts: list[str] = []
    for at in range(words):
        kind = rng.random()
        if kind < 0.9:
            word = rng.choice(_WORDS)
        elif kind < 0.97:
            word = "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))
        elif kind < 0.985:
            word = str(rng.randint(1, 99_999))
        else:
            word = f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}({rng.choice(_WORDS)})"
        parts.append(word.capitalize() if at % 12 == 0 else word)
        if at % 12 == 11:
            parts[-1] += ".\n" if rng.random() < 0.2 else "."
    return " ".join(parts)


def _body(rng: random.Random) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "tools": [_tool(rng, number) for number in range(3)],
        "system": [
            {
                "type": "text",
                "text": prose(rng, 900),
                "cache_control": {"type": "ephemeral"},
            }
        ],
        "messages": [{"role": "user", "content": prose(rng, 60)}],
    }


def _message(rng: random.Random, number: int) -> dict[str, Any]:
    role = "user" if number % 2 else "assistant"
    parts: list[dict[str, Any]] = [{"type": "text", "text": prose(rng, rng.randint(40, 400))}]
    if number % 6 == 2:
        parts.append(
            {
                "type": "tool_use",
                "id": f"call_{number}",
                "name": "tool_1",
                "input": {"query": prose(rng, 8), "limit": rng.randint(1, 50)},
            }
        )
    elif number % 6 == 3:
        parts.insert(
            0,
            {
                "type": "tool_result",
                "tool_use_id": f"call_{number - 1}",
                "content": prose(rng, rng.randint(40, 600)),
            },
        )
    return {"role": role, "content": parts}


def _tool(rng: random.Random, number: int) -> dict[str, Any]:
    properties = {
        f"{rng.choice(_WORDS)}_{at}": {
            "type": rng.choice(("string", "integer", "boolean")),
            "description": prose(rng, rng.randint(3, 9)),
            "enum": rng.sample(_WORDS, 3),
            "nullable": rng.random() < 0.5,
        }
        for at in range(rng.randint(4, 9))
    }
    return {
        "name": f"tool_{number}",
        "description": prose(rng, 20),
        "input_schema": {
            "type": "object",
            "properties": properties,
            "required": sorted(properties)[:2],
        },
    }
