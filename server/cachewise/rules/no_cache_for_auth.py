"""The way of signing in, or the endpoint, has no prompt cache.

Whether a prompt is cached is decided by where the request ends up. Behind a Google account the
Code Assist API answers, which cannot create cached content; Qwen Code offers caching to users of
an API key and of Vertex AI only. Some endpoints take a marker and do nothing with it: Anthropic's
OpenAI-compatible one, batch inference on Bedrock, and Model Studio's batches, which give no
discount for cached tokens.

The way of signing in is read from Qwen Code's `settings.json` (`security.auth.selectedType`), and
from the setting `auth`.

```json bad
{"security": {"auth": {"selectedType": "oauth-personal"}}}
```

Sign in with a key, and the same prompts are cached:

```json good
{"security": {"auth": {"selectedType": "openai"}}}
```

Source: Qwen Code, "Token caching and cost optimization"; Anthropic, "OpenAI SDK compatibility";
Amazon Bedrock user guide, "Prompt caching"; Alibaba Cloud Model Studio, "Context cache".
"""

from __future__ import annotations

from collections.abc import Iterator

from cachewise.catalog.model import Auth
from cachewise.catalog.urls import target_of_url
from cachewise.request import chat_completions, qwen_code
from cachewise.rules.base import Context, Finding, Rule

_ADVICE = "Sign in with an API key, or with Vertex AI, to have prompts cached."


def check(context: Context) -> Iterator[Finding]:
    """One finding where the sign-in, or else the endpoint, is known to have no cache."""
    request = context.request
    selected = qwen_code.selected_auth(request.node) if request.configuration else None
    if selected is not None:
        node, start, pointer = selected
        auth = _without_cache(context, node.text)
        if auth is not None:
            yield RULE.finding(
                f"Nothing is cached with this way of signing in ({auth.method}): {auth.note} "
                f"{_ADVICE}",
                pointer,
                (start, start + node.length),
            )
        return
    if request.configuration:
        return
    auth = _without_cache(context, context.auth) if context.auth is not None else None
    if auth is not None:
        yield _finding(
            context,
            f"Nothing of this request is cached: the settings say that you sign in with "
            f"{auth.method}. {auth.note} {_ADVICE}",
        )
        return
    reason = _endpoint_without_cache(context)
    if reason is not None and request.marks:
        yield _finding(context, reason)


def _without_cache(context: Context, written: str) -> Auth | None:
    """The catalog's entry for a way of signing in, if it has no caching; None when not known."""
    client, _, method = written.strip().lower().rpartition(":")
    for auth in context.catalog.auth:
        if auth.method == method and client in ("", auth.client):
            return None if auth.caching else auth
    return None


def _endpoint_without_cache(context: Context) -> str | None:
    platform = context.platform
    if platform is None:
        return None
    beside = context.found.beside
    if platform.id == "bedrock" and "recordId" in beside:
        return (
            "This marker has no effect: Bedrock's batch inference has no prompt caching. Remove "
            "it, or send the request by itself."
        )
    if platform.id == "dashscope" and "custom_id" in beside:
        return (
            "This marker saves nothing: Model Studio gives no discount for cached tokens in a "
            "batch. Remove it, or send the request by itself."
        )
    url = beside.get("url")
    if url is None or url.kind != "string" or context.request.shape != chat_completions.SHAPE:
        return None
    target = target_of_url(context.catalog, url.text) if "." in url.text else None
    if target is not None and target.platform == "anthropic":
        return (
            "This marker has no effect: Anthropic's OpenAI-compatible endpoint has no prompt "
            "caching. Send the request to the Messages API."
        )
    return None


def _finding(context: Context, message: str) -> Finding:
    """A finding on the first marker, or on the model where there is none."""
    request = context.request
    if request.marks:
        placed = request.marks[0]
        return RULE.finding(message, placed.pointer, (placed.start, placed.end))
    for name in ("model", "modelId"):
        if name in request.params:
            node, start = request.params[name]
            return RULE.finding(message, f"/{name}", (start, start + node.length))
    return RULE.finding(message, "", (0, 1))


RULE = Rule(
    code="CW405",
    name="no-cache-for-auth",
    severity="warning",
    summary="The way of signing in, or the endpoint, has no prompt cache",
    docs=__doc__ or "",
    check=check,
)
