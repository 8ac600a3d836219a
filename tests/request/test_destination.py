import pytest

from cachewise.catalog import builtin
from cachewise.request.destination import Destination, destination

from .reading import found_in

CHAT = {"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "a"}], "n": 1}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
GEMINI = {"contents": [{"parts": [{"text": "a"}]}]}


def going(value, chosen=None):
    (found,) = found_in(value)
    return destination(builtin(), found, chosen)


@pytest.mark.parametrize(
    ("url", "request_body", "platform", "model"),
    [
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse",
            CONVERSE,
            "bedrock",
            "amazon.nova-lite-v1:0",
        ),
        ("/model/amazon.nova-lite-v1:0/converse", CONVERSE, "bedrock", "amazon.nova-lite-v1:0"),
        ("/v1beta/models/gemini-2.5-flash:generateContent", GEMINI, "google", "gemini-2.5-flash"),
        ("https://openrouter.ai/api/v1/chat/completions", CHAT, "openrouter", CHAT["model"]),
        ("https://api.anthropic.com/v1/chat/completions", CHAT, "anthropic", CHAT["model"]),
    ],
)
def test_the_url_beside_tells_platform_and_model(url, request_body, platform, model):
    found = going({"url": url, "request": request_body})
    assert (found.platform, found.model) == (platform, model)


def test_a_guess_is_marked_as_one():
    assert going(CHAT) == Destination("litellm", "claude-sonnet-4-6", guessed=True)


def test_settings_go_before_the_url_and_before_a_guess():
    recorded = {"url": "https://openrouter.ai/api/v1/chat/completions", "request": CHAT}
    assert going(recorded, "litellm") == Destination("litellm", "claude-sonnet-4-6")
    assert going(CHAT, "openrouter") == Destination("openrouter", "claude-sonnet-4-6")


def test_the_body_goes_before_the_settings():
    assert going({**CONVERSE, "modelId": "m"}, "anthropic") == Destination("bedrock", "m")


def test_the_headers_of_qwen_code_tell_dashscope():
    body = {"model": "deepseek-v3.2", "messages": [{"role": "user", "content": "a"}]}
    headers = {"X-DashScope-CacheControl": "enable"}
    assert going({"headers": headers, "body": body}).platform == "dashscope"
    assert going({"headers": {"Cache-Control": "no-cache"}, "body": body}).platform is None


def test_a_bedrock_batch_line_names_its_model_beside():
    found = going({"recordId": "1", "modelId": "amazon.nova-lite-v1:0", "modelInput": CONVERSE})
    assert found.model == "amazon.nova-lite-v1:0"
