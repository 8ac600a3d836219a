"""What can be told of a text at a glance, before rules, catalog and tokenizers are loaded."""

from __future__ import annotations

from cachewise.request.find import may_hold_requests
from cachewise.syntax.formats import format_of
from cachewise.syntax.notebook import cell_program

__all__ = ["cell_program", "format_of", "may_hold_requests"]
