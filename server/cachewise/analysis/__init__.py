"""The facade that the command line and the language server ask; they ask nothing below it.

``Document`` holds one text. The functions of ``hints``, ``lenses``, ``hover``, ``actions``,
``completions``, ``outline`` and ``summary`` take a document and give plain data.

The names below are loaded when they are first used: the language server looks at a text with
``glance`` alone, and with most texts that is the end of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachewise.analysis.document import Analyzed, Document, Located, LocatedFinding, Options

__all__ = ["Analyzed", "Document", "Located", "LocatedFinding", "Options"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cachewise.analysis import document

    return getattr(document, name)
