"""Whose turn a block belongs to: messages that follow each other in one role make one turn.

Source: Anthropic, Messages API reference (consecutive messages of one role are combined). What is
not the assistant's is the user's side here: tool results, whatever role carries them, and
instructions inserted between messages.
"""

from __future__ import annotations

from cachewise.request.model import Request

ASSISTANT = {"assistant", "model"}


def has_assistant_turn(request: Request) -> bool:
    """Whether the model has already said something in this request."""
    return any(block.section == "messages" and block.role in ASSISTANT for block in request.blocks)


def last_user_turn(request: Request) -> range:
    """The indexes of the blocks of the last turn of the user; empty when there is none."""
    blocks = request.blocks
    end = len(blocks)
    while end > 0 and blocks[end - 1].section == "messages" and blocks[end - 1].role in ASSISTANT:
        end -= 1
    start = end
    while start > 0 and _is_user(request, start - 1):
        start -= 1
    return range(start, end)


def end_of_previous_request(request: Request) -> int:
    """The block with which the request before this one ended, in the same conversation; or -1.

    That is the last block of the user's turn before the last turn of the assistant.
    """
    blocks = request.blocks
    index = len(blocks) - 1
    while index >= 0 and _is_user(request, index):
        index -= 1
    while index >= 0 and blocks[index].section == "messages" and blocks[index].role in ASSISTANT:
        index -= 1
    return index if index >= 0 and _is_user(request, index) else -1


def is_in_one_turn(request: Request, first: int, last: int) -> bool:
    """Whether two blocks, and all between them, belong to one turn of the messages."""
    sides = {(block.section, block.role in ASSISTANT) for block in request.blocks[first : last + 1]}
    return len(sides) == 1 and request.blocks[first].section == "messages"


def _is_user(request: Request, index: int) -> bool:
    block = request.blocks[index]
    return block.section == "messages" and block.role not in ASSISTANT
