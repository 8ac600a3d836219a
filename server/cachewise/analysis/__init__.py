"""The facade that the command line and the language server ask; they ask nothing below it.

``Document`` holds one text. The functions of ``hints``, ``lenses``, ``hover``, ``actions``,
``completions``, ``outline`` and ``summary`` take a document and give plain data.
"""

from __future__ import annotations

from cachewise.analysis.document import Analyzed, Document, Located, LocatedFinding, Options

__all__ = ["Analyzed", "Document", "Located", "LocatedFinding", "Options"]
