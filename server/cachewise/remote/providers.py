"""How each provider is asked for a count: address, headers, what is sent of a body, the answer.

Anthropic: ``POST /v1/messages/count_tokens``, with the parameters of its SDK's
``MessageCountTokensParams`` (anthropic 2.12.0, plain and beta). Amazon Bedrock: ``CountTokens``
(``POST /model/ID/count-tokens``), signed in to with an API key as a bearer token, which needs no
AWS library; other AWS credentials would. Gemini: ``models.countTokens`` with a
``generateContentRequest``.

DashScope documents no such call for chat requests, and OpenAI, Vertex AI and the gateways are not
asked: for them there is the offline count.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cachewise.remote.offered import OFFERED
from cachewise.remote.transfer import address_problem, host_of, is_local

Tokens = int


@dataclass(frozen=True, slots=True)
class Question:
    """A request to count: where it goes (a platform's id), its shape, its model, its body.

    ``betas`` are the beta features that are asked for beside the body.
    """

    platform: str
    shape: str
    model: str
    body: Mapping[str, Any]
    betas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Whom to ask, and with which key. The key is in no ``repr``."""

    platform: str
    base_url: str
    key: str = field(repr=False)
    key_name: str
    """Where the key comes from, for messages: the name of a variable, or of the editor's store."""

    bearer: bool = False

    @property
    def host(self) -> str:
        """The host and port, as they are shown to the user."""
        return host_of(self.base_url)

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.base_url.startswith("https:") or is_local(self.base_url)


@dataclass(frozen=True, slots=True)
class Provider:
    """One platform that can be asked. Variables stand in the order in which they are looked at."""

    platform: str
    name: str
    key_variables: tuple[str, ...]
    url_variables: tuple[str, ...]
    base_url: str
    """May hold ``{region}``."""


_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")

PROVIDERS: Mapping[str, Provider] = {
    provider.platform: provider
    for provider in (
        Provider(
            "anthropic",
            "Anthropic",
            ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            ("ANTHROPIC_BASE_URL",),
            "https://api.anthropic.com",
        ),
        Provider(
            "bedrock",
            "Amazon Bedrock",
            ("AWS_BEARER_TOKEN_BEDROCK",),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
            "https://bedrock-runtime.{region}.amazonaws.com",
        ),
        Provider(
            "google",
            "Gemini",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            ("GOOGLE_GEMINI_BASE_URL",),
            "https://generativelanguage.googleapis.com",
        ),
    )
}
"""Who can be asked."""

_BEARER = frozenset({"ANTHROPIC_AUTH_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"})

EDITOR = "the editor's secret storage"


def access_for(
    platform: str,
    environment: Mapping[str, str],
    *,
    base_url: str | None = None,
    settings_url: str | None = None,
    trusts_settings: bool = False,
    key: str | None = None,
) -> Access | str:
    """Whom to ask for a platform's counts; a sentence when nobody can be asked.

    ``base_url`` is what the user named for this very run, ``settings_url`` what the settings say
    of Anthropic's address: the provider's variable stands between them. An address from settings
    that are not trusted is not used, and no other one in its place: whoever wrote it may have meant
    that the requests must not go elsewhere. ``key`` is one from the editor's store, which goes
    before the environment.
    """
    provider = PROVIDERS.get(platform)
    if provider is None:
        known = ", ".join(item.name for item in PROVIDERS.values())
        return f"Counting exactly is not offered for {platform!r}; it is for {known}."
    url = base_url
    for name in provider.url_variables:
        url = url or environment.get(name)
    if not url and settings_url and platform == "anthropic":
        if not trusts_settings:
            return (
                f"The settings name {host_of(settings_url)} as the address to ask, and are not "
                "trusted with your key; name the address with --base-url, or trust the settings."
            )
        url = settings_url
    if not url:
        url = provider.base_url
        if "{region}" in url:
            region = next((environment[name] for name in _REGIONS if environment.get(name)), "")
            if not _REGION.fullmatch(region):
                return f"AWS_REGION names no region, so {provider.name} cannot be asked."
            url = url.format(region=region)
    problem = address_problem(url)
    if problem is not None:
        return problem
    names = provider.key_variables
    if key is not None:
        found = (EDITOR, key)
    else:
        found = next(((name, environment[name]) for name in names if environment.get(name)), None)
    if found is None:
        return f"{names[0]} is not set, so {provider.name} cannot be asked."
    name, secret = found[0], found[1].strip()
    # Checked here, because an HTTP library would name the key in its complaint.
    if not secret or any(not "!" <= character <= "~" for character in secret):
        return f"What {name} holds cannot be a key."
    return Access(platform, url.rstrip("/"), secret, name, name in _BEARER)


@dataclass(frozen=True, slots=True)
class Call:
    """A question in the provider's own form."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    betas: str = ""


def call_for(question: Question, access: Access) -> Call | str:
    """What to send, or a sentence when the body cannot be asked about there."""
    if (access.platform, question.shape) not in OFFERED:
        name = PROVIDERS[access.platform].name
        return f"{name} counts no requests of this form ({question.shape})."
    try:
        match access.platform:
            case "anthropic":
                return _anthropic(question, access)
            case "google":
                return _gemini(question, access)
            case _ if question.shape == "bedrock-converse":
                return _bedrock_converse(question, access)
            case _:
                return _bedrock_invoke(question, access)
    except (ValueError, RecursionError):
        return "The request holds a value that JSON cannot carry, so it cannot be sent."


ANTHROPIC_FIELDS = frozenset(
    {
        "messages",
        "model",
        "cache_control",
        "context_management",
        "mcp_servers",
        "output_config",
        "prefill",
        "speed",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    }
)
"""What the endpoint accepts; the rest of a body (max_tokens, stream, metadata, …) stays here."""


def _anthropic(question: Question, access: Access) -> Call:
    body = {key: value for key, value in question.body.items() if key in ANTHROPIC_FIELDS}
    body["model"] = question.model
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    if access.bearer:
        headers["authorization"] = f"Bearer {access.key}"
    else:
        headers["x-api-key"] = access.key
    betas = ",".join(question.betas)
    if betas:
        headers["anthropic-beta"] = betas
    base = access.base_url.removesuffix("/v1")
    return Call(f"{base}/v1/messages/count_tokens", headers, _json(body), betas)


CONVERSE_FIELDS = frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"})
_PROFILE = re.compile(r"^(?:global|us-gov|us|eu|apac|jp|au|ca|sa|uk)\.(?=[a-z0-9]+\.)")


def _bedrock_converse(question: Question, access: Access) -> Call:
    body = {key: value for key, value in question.body.items() if key in CONVERSE_FIELDS}
    return _bedrock(question, access, {"converse": body})


def _bedrock_invoke(question: Question, access: Access) -> Call:
    body = {key: value for key, value in question.body.items() if key not in ("model", "modelId")}
    # An InvokeModel body must say both, and neither changes a count.
    body.setdefault("anthropic_version", "bedrock-2023-05-31")
    body.setdefault("max_tokens", 1)
    if question.betas:
        body.setdefault("anthropic_beta", list(question.betas))
    sent = base64.b64encode(_json(body)).decode("ascii")
    return _bedrock(question, access, {"invokeModel": {"body": sent}})


def _bedrock(question: Question, access: Access, asked: dict[str, Any]) -> Call:
    # CountTokens takes the ids of models, not those of cross-region profiles.
    model = quote(_PROFILE.sub("", question.model), safe="")
    headers = {"content-type": "application/json", "authorization": f"Bearer {access.key}"}
    url = f"{access.base_url}/model/{model}/count-tokens"
    return Call(url, headers, _json({"input": asked}))


GEMINI_FIELDS = frozenset(
    {
        "contents",
        "systemInstruction",
        "system_instruction",
        "tools",
        "toolConfig",
        "tool_config",
        "cachedContent",
        "cached_content",
        "generationConfig",
        "generation_config",
    }
)


def _gemini(question: Question, access: Access) -> Call:
    body = {key: value for key, value in question.body.items() if key in GEMINI_FIELDS}
    model = question.model.removeprefix("models/")
    body["model"] = f"models/{model}"
    headers = {"content-type": "application/json", "x-goog-api-key": access.key}
    base = access.base_url
    if not urlsplit(base).path.strip("/"):
        base += "/v1beta"
    url = f"{base}/models/{quote(model, safe='')}:countTokens"
    return Call(url, headers, _json({"generateContentRequest": body}))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _AnthropicAnswer(_Answer):
    tokens: Tokens = Field(alias="input_tokens", ge=0)


class _BedrockAnswer(_Answer):
    tokens: Tokens = Field(alias="inputTokens", ge=0)


class _GeminiAnswer(_Answer):
    tokens: Tokens = Field(alias="totalTokens", ge=0)


_ANSWERS = {"anthropic": _AnthropicAnswer, "bedrock": _BedrockAnswer, "google": _GeminiAnswer}


def read_count(platform: str, body: bytes) -> int | None:
    """The tokens in an answer; None when it is anything else than the documented answer."""
    try:
        return _ANSWERS[platform].model_validate_json(body).tokens
    except ValidationError:
        return None


LONGEST_WORDS = 2_000
"""Characters of a provider's message that are shown."""


def read_words(body: bytes, secret: str) -> str:
    """The provider's own message in an error's body, in one line; empty when there is none.

    A server may repeat what it was sent: ``secret`` is taken out before anything else is done.
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "Message"):
        if isinstance(value, dict):
            inner = cast("dict[str, object]", value).get(name)
            if inner is not None:
                value = inner
    if not isinstance(value, str):
        return ""
    return " ".join(value.replace(secret, "[key]").split())[:LONGEST_WORDS]
