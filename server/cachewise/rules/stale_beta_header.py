"""A beta header is sent that is no longer needed.

Prompt caching, the one-hour lifetime, counting tokens and cache diagnostics once needed a beta
header. They are generally available now: the header is accepted and changes nothing, but it keeps
code on a beta client for no reason, and a header that differs between two callers is one more
thing to look at when a cache is missed.

```json bad
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "betas": ["extended-cache-ttl-2025-04-11"],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

```json good
{"model": "claude-sonnet-4-6", "max_tokens": 100,
 "betas": ["context-management-2025-06-27"],
 "messages": [{"role": "user", "content": "Where is the Argo?"}]}
```

The rule reads `betas`, `anthropic_beta`, and the headers recorded beside a request.

Source: changelog of Anthropic's TypeScript SDK (headers deprecated on 2026-11-16).
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.request.betas import BetaEntry, beta_entries
from cachewise.rules.base import Context, Finding, Fix, Rule
from cachewise.rules.markers import anthropic_judges
from cachewise.syntax.json_edit import Edit, remove_item, remove_member


def check(context: Context) -> Iterator[Finding]:
    """Each beta that the catalog knows to be obsolete."""
    if not anthropic_judges(context):
        return
    for entry in beta_entries(context.found):
        obsolete = context.catalog.beta_headers_obsolete.get(entry.name)
        if obsolete is not None:
            yield RULE.finding(
                f"The beta header {entry.name} is not needed any more (since "
                f"{obsolete.since.isoformat()}). {obsolete.note} Remove it.",
                entry.pointer,
                (entry.start, entry.end),
                fixes=(Fix(f"Remove {entry.name}", (_removal(context, entry),)),),
                tags=("unnecessary",),
            )


def _removal(context: Context, entry: BetaEntry) -> Edit:
    owner = entry.owner
    if entry.alone:
        return remove_member(context.read, owner, entry.owner_start, entry.key)
    index = owner.index(entry.key)
    value, start = owner.values[index], entry.owner_start + owner.starts[index]
    if entry.item >= 0:
        return remove_item(context.read, value, start, entry.item)
    # One of several names in a string: it goes with the comma before it, or else the one behind.
    text, at = value.text, entry.start - start - 1
    before = text[:at].rstrip()
    if before.endswith(","):
        return Edit(start + len(before), entry.end, "")
    behind = text[at + len(entry.name) :]
    comma = behind.find(",") + 1
    skipped = comma + len(behind[comma:]) - len(behind[comma:].lstrip())
    return Edit(entry.start, entry.end + skipped, "")


RULE = Rule(
    code="CW404",
    name="stale-beta-header",
    severity="info",
    summary="A beta header that is no longer needed",
    docs=__doc__ or "",
    check=check,
)
