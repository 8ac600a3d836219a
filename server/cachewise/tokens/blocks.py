"""What one block adds to a prompt: the texts that have to be counted, and the tokens around them.

A block is given as its kind and its JSON value, in any provider's shape. :func:`recipe` turns it
into a :class:`Recipe`, a pure function of its arguments, so that it can be kept for as long as the
block's source lives; :func:`block_count` counts it.

The tagged form of tools, calls and results was found by comparing recorded counts with renderings:
it gives the recorded tool loops of Claude 4 to 4.7 to a token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any, cast

from cachewise.tokens.count import Count, count_text, join_methods
from cachewise.tokens.images import Tier, image_size, image_tokens, pdf_pages

Value = Any
"""A JSON value as Python objects."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a block's tokens depend on besides the block: the model that reads it.

    ``model`` is the model's id without date, "" when unknown; ``patch`` the edge of an image patch
    in pixels; ``keeps_thinking`` whether thinking of earlier turns stays in the prompt.
    """

    family: str
    model: str = ""
    tier: Tier = "standard"
    patch: int = 28
    keeps_thinking: bool | None = None

    @property
    def claude(self) -> bool:
        """Whether this is a Claude family, whose structure is known best."""
        return self.family.startswith("claude")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a block adds: ``texts`` still to be counted, and ``tokens`` known without counting.

    ``less`` and ``more`` are how far the truth may lie below and above all that together.
    """

    texts: tuple[str, ...] = ()
    tokens: float = 0
    less: float = 0
    more: float = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands in its message, as far as its tokens depend on it.

    ``results`` is how many tool results its message holds, ``name`` the name of the tool that a
    result answers, ``last_turn`` whether thinking here still belongs to an unfinished tool loop.
    """

    results: int = 1
    name: str = ""
    last_turn: bool = False


def block_count(
    kind: str, value: Value, settings: Settings, place: Place | None = None
) -> tuple[Count, tuple[str, ...]]:
    """The tokens of one block, and why they are uncertain if they are."""
    made = recipe(kind, value, settings, place or Place())
    counts = [count_text(text, settings.family) for text in made.texts]
    estimate = sum(count.estimate for count in counts) + made.tokens
    low = sum(count.low for count in counts) + made.tokens - made.less
    high = sum(count.high for count in counts) + made.tokens + made.more
    method = join_methods([count.method for count in counts] or [settings.family])
    return Count(round(estimate), max(0, round(low)), round(high), method), made.notes


def recipe(kind: str, value: Value, settings: Settings, place: Place) -> Recipe:
    """What one block adds. ``kind`` is the provider's own type name, or the key of a union."""
    if isinstance(value, str):
        return Recipe((value,))
    if not isinstance(value, dict):
        return Recipe()
    block = cast("dict[str, Value]", value)
    if kind == "tool":
        return _tool(block, settings)
    if kind in CALLS:
        return _call(block, settings)
    if kind in RESULTS:
        return _result(block, settings, place)
    if kind in IMAGES:
        return _image(block, settings)
    if kind in DOCUMENTS:
        return _document(block, settings)
    if kind in _THINKING:
        return _thinking(block, settings, place)
    if kind.endswith("_tool_result"):
        return _found(block)
    text = block.get("text")
    if isinstance(text, str):
        citations = block.get("citations")
        cited = len(cast("list[Value]", citations)) if isinstance(citations, list) else 0
        if not cited:
            return Recipe((text,))
        data: Mapping[str, Any] = constants()["document"]
        tokens, less, more = (
            data[name] * cited for name in ("citation", "citation_less", "citation_more")
        )
        return Recipe((text,), tokens, less, more, ("citations that are sent back are estimated",))
    return _unknown(block)


@cache
def constants() -> Mapping[str, Any]:
    """The packaged ``structure.toml``."""
    packaged = files("cachewise.tokens").joinpath("structure.toml")
    return loads(packaged.read_text(encoding="utf-8"))


def inside(text: str) -> tuple[str, int]:
    """A text to be counted as it is worth inside a prompt, and the tokens to take off again.

    The first characters of a message are priced by what stands before them; here that is a line.
    """
    return "a\n" + text, -2


def tool_definition(block: Mapping[str, Value]) -> tuple[str, str, Value] | None:
    """Name, description and schema of a user's tool, in any shape; None for a hosted tool."""
    inner = block
    for key in ("function", "toolSpec", "custom"):
        found = block.get(key)
        if isinstance(found, dict):
            inner = cast("dict[str, Value]", found)
    schema: Value = None
    for key in ("input_schema", "inputSchema", "parameters", "parametersJsonSchema"):
        if key in inner:
            schema = inner[key]
            break
    if isinstance(schema, dict):
        members = cast("dict[str, Value]", schema)
        schema = members["json"] if set(members) == {"json"} else members
    name = inner.get("name")
    if not isinstance(name, str) or (
        schema is None and str(block.get("type", "custom")) not in _OWN
    ):
        return None
    description = inner.get("description")
    return name, description if isinstance(description, str) else "", schema


def forced_name(choice: Mapping[str, Value]) -> str:
    """The name of the tool that a ``tool_choice`` object forces, in any shape; "" if none."""
    for found in (choice, choice.get("tool"), choice.get("function")):
        if isinstance(found, dict):
            name = cast("dict[str, Value]", found).get("name")
            if isinstance(name, str):
                return name
    return ""


def dump(value: Value) -> str:
    """A value as it is written into a prompt: a string as it stands, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


CALLS = {"tool_use", "toolUse", "tool_call", "function_call", "functionCall", "mcp_tool_use"}
RESULTS = {
    "tool_result",
    "toolResult",
    "function_call_output",
    "functionResponse",
    "mcp_tool_result",
}
IMAGES = {"image", "image_url", "input_image", "inlineData", "inline_data"}
DOCUMENTS = {"document", "file", "input_file", "fileData", "file_data"}
_THINKING = {"thinking", "redacted_thinking", "reasoningContent", "reasoning"}
_OWN = {"custom", "function"}
_NAMESPACE = "antml:"


def _tool(block: dict[str, Value], settings: Settings) -> Recipe:
    known = tool_definition(block)
    if known is None:
        return _server_tool(block, settings)
    name, description, schema = known
    written: dict[str, Value] = {"description": description} if description else {}
    written |= {"name": name, "parameters": schema}
    if block.get("defer_loading") is True:
        note = "a deferred tool is in the prompt only once it has been found"
        return Recipe((), 0, 0, len(dump(written)) / 3 + 20, (note,))
    if settings.claude:
        text, less = inside(f"<function>{dump(written)}</function>")
        return Recipe((text,), less + 1)
    data = constants()["tools"]
    text = dump(written)
    guess = len(text) / 4
    return Recipe(
        (text,),
        0,
        guess * data["unknown_form_less"],
        guess * data["unknown_form_more"] + 10,
        ("how this provider writes tool definitions into the prompt is not published",),
    )


def _server_tool(block: dict[str, Value], settings: Settings) -> Recipe:
    kind = str(block.get("type") or next(iter(block), ""))
    table: Mapping[str, Any] = constants()["server_tools"]["tools"]
    known = next((name for name in table if kind.startswith(name)), "other")
    by_family = table[known]
    tokens, less, more = (
        by_family.get(settings.model)
        or by_family.get(settings.family)
        or by_family["claude-v4.8" if "claude-v4.8" in by_family else "claude-v3"]
    )
    if not settings.claude:
        less, more = tokens, 2 * tokens
    note = f"{kind} brings hidden instructions; what it finds is billed on top"
    return Recipe((), tokens, less, more, (note,))


def _call(block: dict[str, Value], settings: Settings) -> Recipe:
    name, arguments = call_parts(block)
    form = call_form(settings)
    if form["tagged"]:
        lines = [f'<{_NAMESPACE}invoke name="{name}">']
        lines += [
            f'<{_NAMESPACE}parameter name="{key}">{dump(item)}</{_NAMESPACE}parameter>'
            for key, item in arguments.items()
        ]
        lines.append(f"</{_NAMESPACE}invoke>")
        text, less = inside("\n".join(lines))
        return Recipe((text,), less + 1)
    texts = [name]
    for key, item in arguments.items():
        texts += [key, dump(item)]
    tokens = form["call"] + form["parameter"] * len(arguments)
    return _guessed(tuple(texts), tokens, form)


def call_parts(block: dict[str, Value]) -> tuple[str, dict[str, Value]]:
    """The name and the arguments of a tool call, in any shape."""
    inner = block
    for key in ("toolUse", "function", "functionCall"):
        found = block.get(key)
        if isinstance(found, dict):
            inner = cast("dict[str, Value]", found)
    arguments: Value = None
    for key in ("input", "arguments", "args"):
        if inner.get(key) is not None:
            arguments = inner[key]
            break
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {"arguments": arguments}
    if not isinstance(arguments, dict):
        arguments = {} if arguments is None else {"arguments": arguments}
    return str(inner.get("name") or ""), cast("dict[str, Value]", arguments)


def _guessed(texts: tuple[str, ...], tokens: float, form: Mapping[str, Any]) -> Recipe:
    """Texts and tokens around them in a rendering that is known only roughly."""
    note = "how this model's provider writes tool calls into the prompt is not published"
    return Recipe(texts, tokens, tokens * form["less"], tokens * form["more"] + 2, (note,))


def call_form(settings: Settings) -> Mapping[str, Any]:
    """How the family writes tool calls and results."""
    table: Mapping[str, Any] = constants()["calls"]
    return table.get(settings.family) or table["claude-v4.8" if settings.claude else "other"]


def _result(block: dict[str, Value], settings: Settings, place: Place) -> Recipe:
    for key in ("toolResult", "functionResponse"):
        found = block.get(key)
        if isinstance(found, dict):
            block = cast("dict[str, Value]", found)
    content: Value = None
    for key in ("content", "output", "response"):
        if block.get(key) is not None:
            content = block[key]
            break
    texts: list[str] = []
    rest = Recipe()
    if isinstance(content, list):
        for item in cast("list[Value]", content):
            inner = cast("dict[str, Value]", item) if isinstance(item, dict) else {}
            kind = str(inner.get("type") or next(iter(inner), "text"))
            part = recipe(kind, item, settings, place)
            if kind in ("text", "json", "input_text", "output_text"):
                texts.append(dump(inner.get("text", inner.get("json", ""))))
            else:
                either_way = constants()["image"]["in_result"]
                rest = _joined(rest, part, either_way)
    elif content is not None:
        texts.append(dump(content))
    text = "".join(texts)
    form = call_form(settings)
    if not form["tagged"]:
        made = Recipe((text,) if text else ())
        return _joined(made, rest)
    if place.results == 1:
        # The tags are worth nine tokens by themselves; an empty result has them too.
        made = Recipe((f"<function_results>{text}</function_results>",), form["result_turn"])
    else:
        body = f"<result>\n<name>{place.name}</name>\n<output>{text}</output>\n</result>"
        written, less = inside(body)
        made = Recipe((written,), less + 1)
    return _joined(made, rest)


def _joined(first: Recipe, second: Recipe, either_way: float = 0) -> Recipe:
    return Recipe(
        first.texts + second.texts,
        first.tokens + second.tokens,
        first.less + second.less + either_way,
        first.more + second.more + either_way,
        first.notes + second.notes,
    )


def _image(block: dict[str, Value], settings: Settings) -> Recipe:
    data: Mapping[str, Any] = constants()["image"]
    source = _source(block)
    size = image_size(source) if source else None
    if size is None:
        tokens, less, more = data["unknown"][settings.tier]
        return Recipe((), tokens, less, more, ("the size of an image is not known",))
    if not settings.claude:
        tokens = image_tokens(*size, settings.tier)
        note = "images are counted as Claude counts them"
        return Recipe((), tokens, tokens * 0.9, tokens * 2 + 300, (note,))
    tokens = image_tokens(*size, settings.tier, settings.patch)
    less = 0
    if settings.patch != 28:
        less = tokens - min(tokens, image_tokens(*size, settings.tier))
    return Recipe((), tokens + data["tokens"], less, data["more"])


def _source(block: dict[str, Value]) -> str | None:
    """The base64 text of a picture or document that stands in the request, in any shape."""
    for key in ("image", "document", "image_url", "source", "inlineData", "inline_data", "file"):
        found = block.get(key)
        if isinstance(found, dict):
            block = cast("dict[str, Value]", found)
            inner = block.get("source")
            if isinstance(inner, dict):
                block = cast("dict[str, Value]", inner)
    for key in ("data", "bytes", "file_data", "url", "image_url"):
        text = block.get(key)
        if isinstance(text, str) and (key not in ("url", "image_url") or text.startswith("data:")):
            return text
    return None


def _document(block: dict[str, Value], settings: Settings) -> Recipe:
    found = block.get("document")
    inner = cast("dict[str, Value]", found) if isinstance(found, dict) else block
    source = inner.get("source")
    source = cast("dict[str, Value]", source) if isinstance(source, dict) else {}
    citations = inner.get("citations")
    cited = isinstance(citations, dict) and bool(cast("dict[str, Value]", citations).get("enabled"))
    texts = [
        text for key in ("title", "context") if isinstance(text := inner.get(key), str) and text
    ]
    data: Mapping[str, Any] = constants()["document"]
    plain = source.get("data") if source.get("type") == "text" else source.get("text")
    content = source.get("content")
    if isinstance(content, str):
        plain = content
    elif isinstance(content, list):
        parts = cast("list[Value]", content)
        plain = "".join(
            str(cast("dict[str, Value]", part).get("text", ""))
            for part in parts
            if isinstance(part, dict)
        )
    if isinstance(plain, str):
        made = Recipe((*texts, plain), data["tokens"], data["less"], data["more"])
        if cited:
            made = _joined(
                made,
                Recipe((), data["citations"], data["citations_less"], data["citations_more"],
                       ("citations bring hidden instructions",)),
            )  # fmt: skip
        return made
    pdf: Mapping[str, Any] = constants()["pdf"]
    encoded = _source(inner)
    pages = pdf_pages(encoded) if encoded else None
    page, less, more = pdf["page"]
    if pages is not None:
        note = f"a PDF of {pages} pages is estimated, not counted"
        low, high = pages * less, pages * more
    else:
        pages, fewer, further = pdf["unknown_pages"]
        note = "the length of a document is not known"
        low, high = fewer * page, further * page
    tokens = pages * page
    if cited:
        tokens += data["citations"] + pages * pdf["citations_page"]
        high += data["citations_more"] + pages * pdf["citations_page"]
    return Recipe(tuple(texts), tokens, low, high, (note,))


def _thinking(block: dict[str, Value], settings: Settings, place: Place) -> Recipe:
    data: Mapping[str, Any] = constants()["thinking"]
    if settings.keeps_thinking is False and not place.last_turn:
        return Recipe()
    found = block.get("reasoningContent")
    inner = cast("dict[str, Value]", found) if isinstance(found, dict) else block
    nested = inner.get("reasoningText")
    inner = cast("dict[str, Value]", nested) if isinstance(nested, dict) else inner
    text = inner.get("thinking") or inner.get("text")
    hidden = inner.get("signature") or inner.get("data") or inner.get("redactedContent") or ""
    least = settings.keeps_thinking is None and not place.last_turn
    note = "what thinking stays in the prompt is not published in full"
    if isinstance(text, str) and text:
        # Only a summary may be shown; a character is taken for a quarter of a token.
        hidden = data["hidden"] * len(text) / 4
        more = data["block_more"] + data["hidden_more"] * len(text) / 4 - hidden
        less = hidden + 3 + (len(text) / 2 if least else 0)
        return Recipe((text,), data["block"] + hidden, less, more, (note,))
    length = len(hidden) if isinstance(hidden, str) else 0
    return Recipe(
        (),
        length * data["signature"],
        length * data["signature_less"],
        length * data["signature_more"] + data["signature_unseen"],
        (note,),
    )


def _found(block: dict[str, Value]) -> Recipe:
    """What a hosted tool found: partly sealed, so that only its length is known."""
    data: Mapping[str, Any] = constants()["server_tools"]
    open_part = _unknown(block)
    sealed = entries = 0
    content = block.get("content")
    if isinstance(content, list):
        for item in cast("list[Value]", content):
            if isinstance(item, dict):
                entries += 1
                text = cast("dict[str, Value]", item).get("encrypted_content")
                sealed += len(text) if isinstance(text, str) else 0
    tokens = sealed * data["found"] + entries * data["found_each"]
    note = "what a hosted tool found is sealed: its tokens are estimated by its length"
    more = tokens + 1_200 * entries
    return Recipe(open_part.texts, tokens, tokens * 0.7 + open_part.less, more, (note,))


def _unknown(block: dict[str, Value]) -> Recipe:
    """A block of a kind that is not known: every text in it, with a wide interval."""
    texts: list[str] = []
    stack: list[Value] = [block]
    size = 0
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            size += len(current)
            if len(current) < 200_000:
                texts.append(current)
        elif isinstance(current, dict):
            members = cast("dict[str, Value]", current)
            stack.extend(item for key, item in members.items() if key not in _SILENT)
        elif isinstance(current, list):
            stack.extend(cast("list[Value]", current))
    note = "a block of a kind whose tokens are not known"
    return Recipe(tuple(texts), 0, size / 4, size / 4 + 50, (note,)) if texts else Recipe()


_SILENT = {
    *("type", "id", "cache_control", "tool_use_id", "signature", "call_id", "status", "role"),
    "encrypted_content",
}
