"""What a rule is, what it is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from cachewise.caching.cost import Costs, Traffic
from cachewise.caching.divergence import Divergence
from cachewise.caching.plan import Plan
from cachewise.catalog.model import Catalog, Model, Platform, Prices
from cachewise.catalog.resolve import Resolution
from cachewise.request.model import Found, Request
from cachewise.syntax.json_edit import Edit
from cachewise.tokens.count import Count

Severity = Literal["error", "warning", "info"]
"""``error``: the provider rejects the request with HTTP 400, and nothing else. ``warning``:
accepted, but money or the cache is lost. ``info``: worth knowing."""

Tag = Literal["unnecessary", "deprecated"]

DOCS_URL = "https://cachewise.readthedocs.io/rules/"
"""Where the rules' pages stand on the web; ``docs_url`` gives the page of one."""


def docs_url(code: str, name: str) -> str:
    """The address of a rule's page."""
    return f"{DOCS_URL}{code}-{name}/"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that answers a finding.

    ``marker_only``: it touches markers (or a beta header) and no content, so that ``--fix`` may
    apply it unasked.
    """

    title: str
    edits: tuple[Edit, ...]
    marker_only: bool = True


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that has to do with a finding; offsets from the request's start."""

    message: str
    pointer: str
    start: int
    end: int
    request: int = 0
    """How many requests of the document earlier (negative) the place stands in; 0: the same."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about one place. Offsets count from the request's start, in code points."""

    code: str
    rule: str
    severity: Severity
    message: str
    pointer: str
    start: int
    end: int
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Previous:
    """The nearest earlier request of the same document that a request goes on from.

    All its blocks stand at the start of the later one, under the same indexes. ``distance`` is how
    many requests earlier it stands (1: just before).
    """

    request: Request
    plan: Plan
    distance: int


@dataclass(frozen=True, slots=True)
class Context:
    """All that a rule may look at.

    ``model`` and ``prices`` are None when the model is not in the catalog. ``minimum`` is what the
    model needs on this platform (tokens), None when not known. ``read(a, b)`` gives the document's
    source between two offsets from the request's start. ``format`` is the document's format
    (``json``, ``jsonl``, …): it decides how an edit is written. ``followed``: a later request of
    the document goes on from this one.
    """

    found: Found
    request: Request
    plan: Plan
    costs: Costs
    catalog: Catalog
    resolution: Resolution
    model: Model | None
    platform: Platform | None
    prices: Prices | None
    minimum: int | None
    today: date
    traffic: Traffic | None
    auth: str | None
    format: str
    read: Callable[[int, int], str]
    previous: Previous | None = None
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """A request that lost the cache of an earlier one of the same document.

    ``reference`` stands ``distance`` requests earlier. ``lost`` are the tokens that it had cached,
    of which the later one can read ``kept``; ``divergence`` is the first difference.
    """

    request: Request
    reference: Request
    distance: int
    reason: str
    divergence: Divergence | None
    lost: Count
    kept: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its names, its page, and its check.

    ``docs`` is the rule's documentation page in Markdown (the module's docstring). Its fenced
    blocks marked ``json bad`` and ``json good`` are run as tests. ``check`` sees one request.
    ``severity`` is the highest that the rule gives. ``check_break`` sees each request of a document
    that lost the cache of an earlier one; its findings stand in the later request.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    docs: str
    check: Callable[[Context], Iterable[Finding]]
    check_break: Callable[[Break], Iterable[Finding]] | None = None

    def finding(
        self,
        message: str,
        pointer: str,
        span: tuple[int, int],
        *,
        severity: Severity | None = None,
        related: tuple[Related, ...] = (),
        fixes: tuple[Fix, ...] = (),
        tags: tuple[Tag, ...] = (),
    ) -> Finding:
        """A finding of this rule, at the rule's own severity unless another is given."""
        return Finding(
            self.code,
            self.name,
            severity or self.severity,
            message,
            pointer,
            span[0],
            span[1],
            related,
            fixes,
            tags,
        )
