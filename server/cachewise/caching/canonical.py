"""The content of a prefix as the provider compares it: a chain of digests, one a block.

Two prefixes are the same when their digests are. What the comparison leaves out and what it keeps:

- a ``cache_control`` marker is not content: it may move, appear or go (the prompt-caching page:
  only the blocks themselves are hashed);
- a string and a list with one text part say the same, as do consecutive messages of one role;
- white space, escapes and key order of the request's own objects do not matter, since the provider
  parses them; but the order of keys *inside* tool schemas and ``tool_use.input`` does (the
  page's advice on languages that randomise it);
- request parameters act where the invalidation table says: a change of speed, web search or
  citations is lost from the system prompt on, a change of tool_choice, thinking, effort, or
  images anywhere, from the messages on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cachewise.caching.context_editing import NOTHING, Cleared
from cachewise.catalog.model import Model
from cachewise.request.model import Block, Request, Unit
from cachewise.syntax.tree import Node

ORDERED = {"input", "input_schema", "parameters", "inputSchema", "schema"}
"""Members whose own key order is content."""

_MARKERS = {"cache_control", "prompt_cache_breakpoint", "cachePoint"}
_SYSTEM_TOOLS = ("web_search", "web_fetch")
_SERVER_RESULT = "_tool_result"
_THINKING = {"thinking", "redacted_thinking"}
_IMAGES = {"image", "image_url", "input_image"}
DEFAULT_EFFORT = "high"
"""Naming the default effort is the same as not naming one (prompt-caching page, September 2026)."""


NOT_COMPARED = b""
"""Stands in ``Chain.blocks`` for a tool that the provider runs itself: switching it on or off acts
on the system prompt and leaves the other tool definitions as they were."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one entry of tools, system or messages adds to a chain; kept on its node."""

    unit: Unit
    section: str
    digests: tuple[bytes, ...]
    parameters: tuple[tuple[str, str], ...]
    thinking: tuple[int, ...]
    server_results: tuple[int, ...]
    asks: bool
    """Whether it holds something of the user's own besides tool results."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The digests of a request's prefixes.

    ``blocks[i]`` is the digest of block *i* alone (``NOT_COMPARED`` for a tool of the provider's
    own), ``prefixes[i]`` that of everything up to and including it, parameters counted in; both
    are None for a block that the provider drops (thinking of earlier turns, on models that strip
    it). ``system_parameters`` and ``message_parameters`` name the request parameters that act on
    the system prompt and on the messages. ``units`` are the request's own.
    """

    units: Sequence[Unit]
    blocks: Sequence[bytes | None]
    prefixes: Sequence[bytes | None]
    system_parameters: tuple[tuple[str, str], ...]
    message_parameters: tuple[tuple[str, str], ...]
    space: str = ""
    facts: Sequence[Facts] = ()
    """What each unit adds."""
    server_results: Sequence[int] = ()
    """The blocks with what a tool gave that the provider runs (``web_search_tool_result``)."""
    edited: bool = False
    """Whether context editing has emptied a block."""


_IMAGE_PARAMETER = ("images", "true")
_CITATIONS_PARAMETER = ("citations", "true")


def chain(
    request: Request,
    model: Model | None,
    space: str = "",
    cleared: Cleared = NOTHING,
    like: Chain | None = None,
) -> Chain:
    """The digests of a request, block by block.

    ``space`` is what entries are kept apart by: prefixes of two spaces are never the same.
    ``cleared`` is what context editing has taken out. ``like`` is the chain of
    an earlier request that this one may go on from: what both begin with is not worked out again,
    and the result is the same without it.
    """
    units = request.units
    same = common_beginning(units, like.units) if like is not None else 0
    facts = [*like.facts[:same]] if like is not None else []
    _add_facts(facts, units[same:])
    system, messages = _parameters(request, facts)
    dropped = _dropped(facts, model) if cleared.thinking is None else cleared.thinking
    running = blake2b(space.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    own: list[bytes | None] = []
    prefixes: list[bytes | None] = []
    section = "tools"
    first = 0
    if (
        like is not None
        and not dropped
        and not cleared.results
        and not like.edited
        and like.space == space
        and like.system_parameters == system
        and like.message_parameters == messages
        and None not in like.prefixes
    ):
        first = same
        known = sum([len(found.digests) for found in facts[:first]])
        if known:
            own = list(like.blocks[:known])
            prefixes = list(like.prefixes[:known])
            running = prefixes[-1] or running
            section = next(
                facts[index].section for index in range(first - 1, -1, -1) if facts[index].digests
            )
    block = len(own)
    for index in range(first, len(units)):
        found = facts[index]
        if not found.digests:
            continue
        if found.section != section:
            running = _enter(running, section, found.section, system, messages)
            section = found.section
        for digest in found.digests:
            if block in dropped:
                own.append(None)
                prefixes.append(None)
            elif digest == NOT_COMPARED:
                own.append(digest)
                prefixes.append(running)
            else:
                if block in cleared.results:
                    digest = _CLEARED
                own.append(digest)
                running = blake2b(running + digest, digest_size=16).digest()
                prefixes.append(running)
            block += 1
    return Chain(
        units,
        own,
        prefixes,
        system,
        messages,
        space,
        facts,
        _server_results(facts),
        bool(cleared.results),
    )


def _server_results(facts: Sequence[Facts]) -> list[int]:
    if not any(found.server_results for found in facts):
        return []
    found: list[int] = []
    block = 0
    for item in facts:
        found += [block + index for index in item.server_results]
        block += len(item.digests)
    return found


_CLEARED = blake2b(b"cleared", digest_size=16).digest()
"""Every cleared tool result reads the same: the provider puts one sentence in its place."""


def common_beginning(a: Sequence[object], b: Sequence[object]) -> int:
    """How many items two sequences begin with in common."""
    limit = min(len(a), len(b))
    start = 0
    while start < limit and a[start : start + _PIECE] == b[start : start + _PIECE]:
        start += _PIECE
    for index in range(min(start, limit), min(start + _PIECE, limit)):
        if a[index] != b[index]:
            return index
    return limit


_PIECE = 64
"""Items that are compared at once."""


def parting(mine: Sequence[bytes | None], theirs: Sequence[bytes | None]) -> tuple[int, int]:
    """The block at which each of two sequences leaves what they begin with in common.

    Tools that the provider runs itself and blocks that it drops are passed over.
    """
    i = j = common_beginning(mine, theirs)
    while True:
        while i < len(mine) and not mine[i]:
            i += 1
        while j < len(theirs) and not theirs[j]:
            j += 1
        if i >= len(mine) or j >= len(theirs) or mine[i] != theirs[j]:
            return i, j
        i += 1
        j += 1


def _enter(
    running: bytes,
    old: str,
    new: str,
    system_parameters: tuple[tuple[str, str], ...],
    message_parameters: tuple[tuple[str, str], ...],
) -> bytes:
    """The digest on entering a section: what changes there makes everything behind it another."""
    if old == "tools":
        running = blake2b(running + repr(system_parameters).encode(), digest_size=16).digest()
    if new == "messages":
        running = blake2b(running + repr(message_parameters).encode(), digest_size=16).digest()
    return running


def _add_facts(facts: list[Facts], units: Sequence[Unit]) -> None:
    for unit in units:
        memo = unit.node.memo
        if memo is None:
            memo = unit.node.memo = {}
        known: Facts | None = memo.get(_FACTS)
        if known is None or known.unit is not unit:  # the same source, read as another shape
            known = memo[_FACTS] = _make_facts(unit)
        facts.append(known)


_FACTS = "chain"


def _make_facts(unit: Unit) -> Facts:
    blocks = unit.blocks
    section = blocks[0].section if blocks else ""
    parameters: list[tuple[str, str]] = []
    for block in blocks:
        node = block.node
        if section == "tools" and is_system_tool(node):
            parameters.append((node.get_text("name") or "web", node.get_text("type") or ""))
        if has_citations(block):
            parameters.append(_CITATIONS_PARAMETER)
        if holds_image(block):
            parameters.append(_IMAGE_PARAMETER)
    return Facts(
        unit,
        section,
        tuple(block_digest(block) for block in blocks),
        tuple(parameters),
        tuple(index for index, block in enumerate(blocks) if block.kind in _THINKING),
        tuple(index for index, block in enumerate(blocks) if block.kind.endswith(_SERVER_RESULT)),
        any(block.role == "user" and block.kind != "tool_result" for block in blocks),
    )


def block_digest(block: Block) -> bytes:
    """The digest of one block's content, kept with the block."""

    def make() -> bytes:
        if block.section == "tools" and is_system_tool(block.node):
            return NOT_COMPARED
        content = f"{block.section}\0{block.role}\0{canonical(block)}"
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return block.memo(("digest", block.section, block.role), make)


def canonical(block: Block) -> str:
    """A block's content in one fixed spelling, without markers."""
    text = block.text
    node = block.node
    if text is not None and (node.kind == "string" or not _extra_members(node)):
        return "text\0" + text
    parts: list[str] = []
    _write(node, parts, False)
    return "".join(parts)


def _extra_members(node: Node) -> bool:
    return any(key not in ("type", "text", *_MARKERS) for key in node.keys)


def _write(node: Node, parts: list[str], ordered: bool) -> None:
    # Depth is bounded by the scanner's MAX_DEPTH.
    kind = node.kind
    if kind == "object":
        parts.append("{")
        members = dict(zip(node.keys, node.values, strict=True))  # a key given twice: the last wins
        for key in members if ordered else sorted(members):
            if not ordered and key in _MARKERS:
                continue
            value = members[key]
            if not ordered and value.kind == "null":
                continue
            parts.append(json.dumps(key))
            parts.append(":")
            if not ordered and key == "content" and value.kind == "string":
                parts.append('[{"text":')
                parts.append(json.dumps(value.text))
                parts.append(',"type":"text",},]')
            else:
                _write(value, parts, ordered or key in ORDERED)
            parts.append(",")
        parts.append("}")
    elif kind == "array":
        parts.append("[")
        for value in node.values:
            _write(value, parts, ordered)
            parts.append(",")
        parts.append("]")
    elif kind == "string":
        parts.append(json.dumps(node.text))
    else:
        parts.append(node.raw)


def is_system_tool(node: Node) -> bool:
    """Whether a tool definition is web search or web fetch, which act on the system prompt."""
    return (node.get_text("type") or "").startswith(_SYSTEM_TOOLS)


def has_citations(block: Block) -> bool:
    """Whether a block asks for citations."""
    if block.kind not in ("document", "search_result"):
        return False
    enabled = (block.node.get("citations") or _NOTHING).get("enabled")
    return enabled is not None and enabled.kind == "true"


def holds_image(block: Block) -> bool:
    """Whether a block is an image, or a tool's result with one in it."""
    if block.kind in _IMAGES:
        return True
    if block.kind != "tool_result":
        return False
    content = block.node.get("content")
    return content is not None and any(part.get_text("type") in _IMAGES for part in content.values)


Parameters = tuple[tuple[str, str], ...]


def _parameters(request: Request, facts: Sequence[Facts]) -> tuple[Parameters, Parameters]:
    """The parameters that act on the system prompt, and those that act on the messages."""
    system: list[tuple[str, str]] = []
    speed = request.params_text("speed")
    if speed and speed != "standard":
        system.append(("speed", speed))
    inside = [parameter for found in facts for parameter in found.parameters]
    system += [item for item in inside if item not in (_CITATIONS_PARAMETER, _IMAGE_PARAMETER)]
    if _CITATIONS_PARAMETER in inside:
        system.append(_CITATIONS_PARAMETER)
    messages: list[tuple[str, str]] = []
    choice = _tool_choice(request.param("tool_choice"))
    if choice:
        messages.append(("tool_choice", choice))
    thinking = request.param("thinking")
    mode = thinking.get_text("type") if thinking is not None else None
    if thinking is not None and mode not in (None, "disabled"):
        budget = thinking.get("budget_tokens")
        messages.append(("thinking", f"{mode} {budget.raw}" if budget is not None else f"{mode}"))
    effort = (request.param("output_config") or _NOTHING).get_text("effort")
    if effort and effort != DEFAULT_EFFORT:
        messages.append(("effort", effort))
    if _IMAGE_PARAMETER in inside:
        messages.append(_IMAGE_PARAMETER)
    return tuple(system), tuple(messages)


def _tool_choice(choice: Node | None) -> str:
    """A choice in one spelling, empty for what is meant when none is given."""
    if choice is None or choice.kind == "null":
        return ""
    if choice.kind != "object":
        return "" if choice.text == "auto" else choice.text or choice.raw
    parts: list[str] = []
    for key, value in sorted(zip(choice.keys, choice.values, strict=True), key=_by_key):
        if key == "disable_parallel_tool_use" and value.kind != "true":
            continue
        inner: list[str] = []
        _write(value, inner, False)
        parts.append(f"{json.dumps(key)}:{''.join(inner)}")
    spelled = ",".join(parts)
    return "" if spelled == '"type":"auto"' else f"{{{spelled}}}"


def _by_key(member: tuple[str, Node]) -> str:
    return member[0]


def _dropped(facts: Sequence[Facts], model: Model | None) -> Collection[int]:
    """The blocks that the provider leaves out: thinking before the last true user turn."""
    if model is None or model.thinking != "strip" or not any(found.thinking for found in facts):
        return ()
    last = next((index for index in range(len(facts) - 1, -1, -1) if facts[index].asks), -1)
    dropped: set[int] = set()
    block = 0
    for found in facts[: max(last, 0)]:
        dropped.update(block + index for index in found.thinking)
        block += len(found.digests)
    return dropped


_NOTHING = Node("null")
