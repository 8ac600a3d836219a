"""Tools that the provider runs by itself while it answers, and what they do to the cache.

In a request with at least one marker Anthropic's API adds a breakpoint of its own, of five minutes,
at each result of such a tool, so the usage of a call counts more than its written markers tell.

Source: Anthropic, "Tool use with prompt caching"; the recorded usage of calls with web search.
"""

from __future__ import annotations

from cachewise.request.model import Block, Request

_TYPES = ("web_search_", "web_fetch_", "code_execution_")
_RESULT = "_tool_result"


def has_server_tools(request: Request) -> bool:
    """Whether the request offers a tool that the provider runs (``web_search_20250305``, ...)."""
    return any(
        (block.node.get_text("type") or "").startswith(_TYPES)
        for block in request.blocks
        if block.section == "tools"
    )


def is_server_result(block: Block) -> bool:
    """Whether a block is the result of such a tool (``web_search_tool_result``)."""
    return block.kind.endswith(_RESULT)
