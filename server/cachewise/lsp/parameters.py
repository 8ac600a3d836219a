"""Reading the parameters of our own requests, which arrive as plain JSON."""

from __future__ import annotations

from typing import Any, cast

from lsprotocol import types


def field(params: Any, name: str) -> Any:
    """A member of an object; None where it is absent, or what should hold it is no object."""
    return cast("dict[str, Any]", params).get(name) if isinstance(params, dict) else None


def document_uri(params: Any) -> Any:
    """The URI of ``{textDocument: {uri}}``; None where there is none. It need not be a text."""
    return field(field(params, "textDocument"), "uri")


def position(value: Any) -> types.Position | None:
    """``{line, character}``, both counted from 0; None for anything else."""
    line, character = field(value, "line"), field(value, "character")
    # JSON's true and false are numbers to isinstance.
    if type(line) is int and type(character) is int and line >= 0 and character >= 0:
        return types.Position(line, character)
    return None
