"""Source code after an edit: what it cannot have touched is not read again, all else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.syntax import formats
from cachewise.syntax.evaluation import Evaluator
from cachewise.syntax.grammar import Trees
from cachewise.syntax.python_values import File
from cachewise.syntax.region import Region
from cachewise.syntax.tree import Node


def said(node: Node) -> tuple[object, ...]:
    return (
        node.kind, node.length, node.raw, node.keys, node.key_starts, node.key_lengths,
        node.starts, node.holes, node.style, node.decoded, node.pieces, node.body,
        [said(value) for value in node.values],
    )  # fmt: skip


def told(regions: list[Region]) -> list[object]:
    return [
        (
            one.start,
            one.end,
            one.shape,
            one.comments,
            one.node and said(one.node),
            {key: said(value) for key, value in one.beside.items()},
        )
        for one in regions
    ]


class Reader:
    """A text that is edited, each time held against a reading from scratch."""

    def __init__(self, format: str, text: str) -> None:
        self.format = format
        self.text = text
        self.trees = Trees()
        self.regions: list[Region] = []
        self.look()

    def edit(self, old: str, new: str) -> None:
        assert old in self.text
        self.to(self.text.replace(old, new, 1))

    def to(self, text: str) -> None:
        self.text = text
        self.look()

    def look(self) -> None:
        earlier = self.regions
        self.regions = formats.read_regions(self.format, self.text, earlier, None, self.trees)
        if self.trees.settled:
            assert told(self.regions) == told(formats.read_regions(self.format, self.text))


PYTHON = """import anthropic

client = anthropic.Anthropic()
RULES = "Keep to the rules."


def helped(word, style="short"):
    return f"{RULES} {style} {word}"


class House:
    house_rules = "Wipe your feet."

    def __init__(self):
        self.turn = 0
        self.name = "The house"

    def greeting(self):
        return self.house_rules

    def one(self, q):
        return client.messages.create(model=MODEL, system=self.name + RULES, messages=[
            {"role": "user", "content": self.greeting() + q}])

    def two(self, q):
        self.turn += 1
        messages = [{"role": "user", "content": f"{self.turn} {q}"}]
        return client.messages.create(model=MODEL, system=self.house_rules, messages=messages)


def three(q):
    messages = [{"role": "user", "content": helped("3")}]

    def inner():
        messages = [{"role": "user", "content": RULES}]
        return client.messages.create(model=MODEL, messages=messages)

    return client.messages.create(model=MODEL, messages=messages), inner()


def four(q):
    for number in range(3):
        messages = [{"role": "user", "content": f"{RULES} {number}"}]
    if q:
        messages.append({"role": "user", "content": House.house_rules})
    return client.messages.create(model=MODEL, system=SYSTEM, messages=messages)


messages = [{"role": "user", "content": RULES}]
messages[0]["cache_control"] = {"type": "ephemeral"}
client.messages.create(model=MODEL, messages=messages)
messages.append({"role": "assistant", "content": "Yes."})
client.messages.create(model=MODEL, messages=messages)  # cachewise: ignore
bedrock.invoke_model(modelId=MODEL, body=json.dumps({"messages": messages, "system": RULES}))
MODEL = "claude-opus-4-8"
SYSTEM = helped("system", style=MODEL)
BLOCK = {"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}}
"""
TYPESCRIPT = """import Anthropic from "@anthropic-ai/sdk";
const client = new Anthropic();
const RULES = "Keep to the rules.";

function helped(word: string, style = "short") {
  return `${RULES} ${style} ${word}`;
}

export class House {
  houseRules = "Wipe your feet.";
  turn = 0;
  greeting() { return this.houseRules; }
  one(q: string) {
    return client.messages.create({ model: MODEL, system: this.houseRules + RULES, messages: [
      { role: "user", content: this.greeting() + q }] });
  }
  two(q: string) {
    this.turn += 1;
    const messages = [{ role: "user", content: `${this.turn} ${q}` }];
    return client.messages.create({ model: MODEL, system: RULES, messages });
  }
}

const three = (q: string) => {
  const messages = [{ role: "user", content: helped("3") }];
  const inner = () => {
    const messages = [{ role: "user", content: RULES }];
    return client.messages.create({ model: MODEL, messages });
  };
  return client.messages.create({ model: MODEL, messages });
};

async function four(q: string) {
  const messages = [{ role: "user", content: RULES }];
  for (let number = 0; number < 3; number++) {
    messages.push({ role: "user", content: `${number}` });
  }
  if (q) { messages.push({ role: "user", content: SYSTEM }); }
  return client.messages.create({ model: MODEL, system: SYSTEM, messages });
}

const messages = [{ role: "user", content: RULES }];
messages[0].cache_control = { type: "ephemeral" };
client.messages.create({ model: MODEL, messages });
messages.push({ role: "assistant", content: "Yes." });
client.messages.create({ model: MODEL, messages }); // cachewise: ignore
const MODEL = "claude-opus-4-8";
const SYSTEM = helped("system", MODEL);
const BLOCK = { type: "text", text: RULES, cache_control: { type: "ephemeral" } };
"""
JAVA = """package house;

class House {
  static final String RULES = "Keep to the rules.";
  static final String SYSTEM = helped("system");

  static String helped(String word) { return RULES + word; }

  Message one(String q) {
    String text = helped("1") + q;
    return client.messages().create(MessageCreateParams.builder().model(MODEL).system(SYSTEM)
        .addUserMessage(text).build());
  }

  Message two(String q) {
    String text = "Two";
    if (q != null) { text = RULES; }
    return client.messages().create(MessageCreateParams.builder().model(MODEL).system(RULES)
        .addUserMessage(text).build());
  }
}

class Other {
  static final String MODEL = "claude-opus-4-8";
  Message three(String text) {
    return client.messages().create(MessageCreateParams.builder().model(MODEL).system(RULES)
        .addUserMessage(text).build());
  }
}
"""
TEXTS = {"python": PYTHON, "typescript": TYPESCRIPT, "java": JAVA}
NAMES = [
    "RULES", "MODEL", "SYSTEM", "messages", "helped", "q", "text", "style", "word", "House",
    "greeting", "turn", "name", "house_rules", "houseRules", "self", "this", "number", "other",
]  # fmt: skip
LINES = {
    "python": [
        'RULES = "Other rules."', "MODEL = RULES", "RULES += MODEL", "messages = []",
        'messages.append({"role": "user", "content": RULES})', "global RULES", "import RULES",
        "def helped(word):", "    return RULES", "class House:", "class Other(House):",
        "    def greeting(self):", '        self.name = "Other"', "        global RULES, MODEL",
        '    house_rules = "x"', "    RULES = 3", "if q:", "for messages in q:", "    pass",
        "        self.turn += 1", "@lru_cache", "del RULES", "messages.clear()", "# cachewise: x",
        'other = {"cache_control": {"type": "ephemeral"}}',
    ],
    "typescript": [
        'const RULES = "Other rules.";', "let MODEL = RULES;", "RULES += MODEL;", "{", "}",
        'messages.push({ role: "user", content: RULES });', "import { RULES } from 'x';",
        "function helped(word) { return RULES; }", "class House {", "export class Other {",
        'this.houseRules = "x";', "greeting() { return RULES; }", "if (q) {",
        "for (const messages of q) {", "this.turn++;", "// cachewise: x", "messages.pop();",
        'const other = { cache_control: { type: "ephemeral" }, text: RULES };',
    ],
    "java": [
        'static final String RULES = "Other rules.";', 'String text = "x";', "text += RULES;",
        "class Other {", "class House {", "}", "{", "if (q) {", "String helped(String word) {",
        'return "x";', 'String SYSTEM = helped("x");', "// cachewise: x", "MODEL = RULES;",
    ],
}  # fmt: skip


@st.composite
def changes(draw):
    format = draw(st.sampled_from(sorted(TEXTS)))
    kinds = ["line", "take", "rename", "move", "indent", "type", "back"]
    one = st.tuples(
        st.sampled_from(kinds), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 60)
    )
    return format, draw(st.lists(one, min_size=1, max_size=6))


def changed(format: str, text: str, kind: str, place: int, other: int, more: int) -> str:
    lines = text.split("\n")
    at = place % len(lines)
    if kind == "line":
        new = LINES[format][other % len(LINES[format])]
        indent = re.match(r" *", lines[at])[0] if more % 2 else ""
        lines.insert(at, indent + new)
    elif kind == "take":
        del lines[at : at + 1 + more % 3]
    elif kind == "rename":
        found = [one.span() for one in re.finditer("|".join(NAMES), text)]
        if found:
            start, end = found[place % len(found)]
            return text[:start] + NAMES[other % len(NAMES)] + text[end:]
    elif kind == "move":
        some = lines[at : at + 1 + more % 8]
        del lines[at : at + len(some)]
        to = other % (len(lines) + 1)
        lines[to:to] = some
    elif kind == "indent":
        some = lines[at : at + 1 + more % 6]
        lines[at : at + len(some)] = [
            f"    {line}" if other % 2 else line.removeprefix("    ") for line in some
        ]
    elif kind == "type":
        typed = ["x", "é𝄞", " ", "\n", '"', "(", ")", "#", "+", "."][other % 10]
        start = place % (len(text) + 1)
        return text[:start] + typed + text[start + more % 2 :]
    return "\n".join(lines)


@settings(max_examples=250, deadline=None)
@given(changes())
def test_any_edits_give_what_a_reading_from_scratch_gives(made):
    format, edits = made
    reader = Reader(format, TEXTS[format])
    earlier = [reader.text]
    for kind, place, other, more in edits:
        if kind == "back":
            reader.to(earlier[place % len(earlier)])
        else:
            reader.to(changed(format, reader.text, kind, place, other, more))
        earlier.append(reader.text)
    reader.to(TEXTS[format])


@pytest.mark.parametrize(
    ("format", "edits"),
    [
        ("python", [
            ("RULES =", "RULED ="), ("RULED =", "RULES ="),  # a binding goes and comes back
            ("def four", "RULES = 'Later'\n\n\ndef four"),  # another one below
            ("    def inner", "    RULES = 'Shadow'\n\n    def inner"),
            ("        messages = [{", "        other = [{"),  # the outer name is seen now
            ("def four(q):", "def four(q):\n    global RULES"),
            ("class House:\n", "class House:\n    pass\n\n\nclass Home:\n"),
            ("class House:\n    pass\n\n\n", ""),
            ("def helped(", "def helper("), ("def helper(", "def helped("),
            ("    def greeting(self):", "    def greeting(self, more):"),
            ("    def greeting(", "    def greeted("),
            ("self.turn += 1", "self.turns += 1"),
            ('self.name = "The house"', 'self.name = "A house"'),
            ("class Home:\n", ""),
            ("for number in range(3):", "if range(3):"),
        ]),
        ("typescript", [
            ("const RULES", "const RULED"), ("const RULED", "const RULES"),
            ("async function four", "RULES += 'x';\nasync function four"),
            ("  const inner", "  const RULES = 'Shadow';\n  const inner"),
            ("    const messages = [{", "    const other = [{"),
            ("function helped(", "function helper("), ("function helper(", "function helped("),
            ("houseRules =", "houseRuled ="), ("this.turn += 1", "this.turns += 1"),
            ("const three", "this.turn++;\nconst three"), ("export class House {", ""),
        ]),
    ],
)  # fmt: skip
def test_what_binds_a_name_is_never_missed(format, edits):
    reader = Reader(format, TEXTS[format])
    for old, new in edits:
        reader.edit(old, new)


def test_a_function_moves_above_and_below():
    reader = Reader("python", PYTHON)
    start, end = PYTHON.index("def helped"), PYTHON.index("class House")
    function = PYTHON[start:end]
    rest = PYTHON[:start] + PYTHON[end:]
    reader.to(rest)
    reader.to(rest + "\n\n" + function)
    reader.to(function + rest)
    reader.to(PYTHON)


MANY = {
    "python": (
        'RULES = "Keep to the rules."\n\n\n',
        'def ask{n}(q):\n    messages = [{{"role": "user", "content": f"Gate {n}: {{q}}"}}]\n'
        "    return client.messages.create(model=MODEL, system=RULES, messages=messages)\n\n\n",
        'def other():\n    return "tide"\n\n\nMODEL = "claude-opus-4-8"\n',
        ("def other", "RULE = 3\n\n\ndef other"),
        File,
    ),
    "typescript": (
        'const RULES = "Keep to the rules.";\n',
        "async function ask{n}(q: string) {{\n"
        '  const messages = [{{ role: "user", content: `Gate {n}: ${{q}}` }}];\n'
        "  return client.messages.create({{ model: MODEL, system: RULES, messages }});\n}}\n",
        'function other() { return "tide"; }\nconst MODEL = "claude-opus-4-8";\n',
        ("function other", "const RULE = 3;\nfunction other"),
        Evaluator,
    ),
    "java": (
        'class House {\n  static final String RULES = "Keep to the rules.";\n',
        '  Message ask{n}(String q) {{\n    String text = "Gate {n}: " + q;\n'
        "    return client.messages().create(MessageCreateParams.builder().model(MODEL)\n"
        "        .system(RULES).addUserMessage(text).build());\n  }}\n",
        '  String other() { return "tide"; }\n'
        '  static final String MODEL = "claude-opus-4-8";\n}\n',
        ("String other", "int rule = 3;\n  String other"),
        Evaluator,
    ),
}


@pytest.mark.parametrize("format", sorted(MANY))
def test_only_requests_that_an_edit_may_have_touched_are_evaluated(monkeypatch, format):
    """Counted in expressions that are looked at."""
    head, one, tail, above, evaluator = MANY[format]
    looked: list[object] = []
    value = evaluator.value

    def counted(values, node, scope):
        looked.append(node)
        return value(values, node, scope)

    monkeypatch.setattr(evaluator, "value", counted)

    def cost(reader: Reader, old: str, new: str) -> int:
        reader.text = reader.text.replace(old, new, 1)
        before = reader.regions
        looked.clear()
        reader.regions = formats.read_regions(format, reader.text, before, None, reader.trees)
        found = len(looked)
        assert told(reader.regions) == told(formats.read_regions(format, reader.text))
        return found

    costs = []
    for count in (1, 20):
        text = head + "".join(one.format(n=n) for n in range(count)) + tail
        reader = Reader(format, text)
        assert len([region for region in reader.regions if region.node is not None]) == count
        costs.append([
            cost(reader, "Gate 0", "Gate 00"),
            cost(reader, '"tide"', '"tide and wind"'),
            cost(reader, *above),
            cost(reader, "Keep to", "Hold to"),
        ])  # fmt: skip
    alone, among = costs
    assert alone[0] == among[0] > 0, "one of many requests"
    assert alone[1] == among[1] == 0, "code that no request uses"
    assert alone[2] == among[2] == 0, "what moves is not read again"
    assert among[3] == 20 * alone[3] > 0, "a constant that all use"


def test_what_stays_is_the_same_object_wherever_it_moves():
    one = MANY["python"][1]
    reader = Reader("python", "# House\n\n\n" + one.format(n=1) + one.format(n=2))
    before = [region.node for region in reader.regions]
    reader.edit("# House", "# House\nx = 1")
    assert [region.node for region in reader.regions] == before
    reader.edit("Gate 1", "Gate one")
    assert reader.regions[1].node is before[1]
    assert reader.regions[0].node is not before[0]
