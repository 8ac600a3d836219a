"""Where a request's hidden tokens fall, and that nothing depends on how the answer was reached."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cachewise.catalog.load import builtin
from cachewise.catalog.model import Model
from cachewise.catalog.resolve import resolve
from cachewise.request import anthropic_messages, bedrock_converse, chat_completions, gemini
from cachewise.request.model import Request
from cachewise.syntax.json import scan
from cachewise.tokens.blocks import Place, Settings, block_count
from cachewise.tokens.count import Count, count_text, forget
from cachewise.tokens.structure import RequestCounts, count_request

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="ctok needs Python 3.12: before that everything is estimated"
)

PARAGRAPH = "The office opens at nine and closes at five, except on Fridays. "
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    forget()
    yield
    forget()


def model(name: str) -> Model:
    found = resolve(builtin(), name, None).model
    assert found is not None
    return found


def request_of(shape: Any = anthropic_messages, **body: Any) -> Request:
    node = scan(json.dumps(body, ensure_ascii=False)).node
    assert node is not None
    return shape.read(node)


def counts(name: str | None, shape: Any = anthropic_messages, **body: Any) -> RequestCounts:
    return count_request(request_of(shape, **body), model(name) if name else None)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def tokens(text: str, family: str = "claude-v3") -> int:
    return count_text(text, family).estimate


@pytest.mark.parametrize(
    ("name", "one", "three", "prefilled"),
    [
        ("claude-sonnet-4-5", 7, 13, 7),
        ("claude-opus-4-7", 11, 15, 11),
        ("claude-opus-4-8", 6, 10, 6),
        ("claude-sonnet-5", 6, 10, 6),
    ],
)
def test_frames(name: str, one: int, three: int, prefilled: int) -> None:
    family = model(name).family
    hello, reply = tokens("Hello", family), tokens("Hi!", family)
    assert counts(name, messages=[user("Hello")]).total == Count(*[hello + one] * 3, family)
    talk = counts(name, messages=[user("Hello"), assistant("Hi!"), user("Hello")])
    assert talk.total.estimate == 2 * hello + reply + three
    half = counts(name, messages=[user("Hello"), assistant("Hi!")])
    assert half.total.estimate == hello + reply + prefilled
    merged = counts(name, messages=[user("Hello"), user("Hello")])
    assert merged.total.estimate == 2 * hello + one


def test_the_last_message_ends_before_the_frame_does() -> None:
    for name, closing in (("claude-sonnet-4-5", 3), ("claude-opus-4-8", 2)):
        made = counts(name, messages=[user("Hello"), assistant("Hi!"), user("Bye")])
        assert made.total.estimate - made.prefixes[-1].estimate == closing


def test_a_prefix_that_ends_with_the_system_prompt_is_its_text() -> None:
    for name in ("claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-4-8"):
        family = model(name).family
        made = counts(name, system=PARAGRAPH.strip(), messages=[user("Hello")])
        assert made.prefixes[0].estimate == tokens(PARAGRAPH.strip(), family)
        assert made.prefixes[0].exact


def test_a_newline_behind_the_system_prompt_counts_only_where_the_prefix_ends() -> None:
    plain = counts("claude-sonnet-4-5", system="Be brief.", messages=[user("Hello")])
    lined = counts("claude-sonnet-4-5", system="Be brief.\n", messages=[user("Hello")])
    within = tokens("Be brief.\n") - tokens("Be brief.")
    assert lined.prefixes[0].estimate - plain.prefixes[0].estimate == within + 2
    assert lined.total.estimate - plain.total.estimate == within


@pytest.mark.parametrize(
    ("first", "second"),
    [("Be brief.\n", "Be kind."), ("One wo", "rd"), ("End.", " Next"), ("a", "1")],
)
def test_texts_that_follow_each_other_are_read_as_one(first: str, second: str) -> None:
    def parts(*texts: str) -> list[dict[str, str]]:
        return [{"type": "text", "text": text} for text in texts]

    for split, whole in (
        ({"system": parts(first, second)}, {"system": parts(first + second)}),
        (
            {"messages": [{"role": "user", "content": parts(first, second)}]},
            {"messages": [{"role": "user", "content": parts(first + second)}]},
        ),
    ):
        one = counts("claude-sonnet-4-5", **{"messages": [user("Hello")], **whole})
        two = counts("claude-sonnet-4-5", **{"messages": [user("Hello")], **split})
        assert two.total == one.total
        assert two.prefixes[1] == one.prefixes[0]


def test_a_hosted_tool_may_bill_more_than_its_prompt() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search"}
    made = counts("claude-opus-4-8", tools=[tool], messages=[user("Hello")])
    assert made.total.high > 20_000
    assert made.prefixes[-1].high < 4_000
    assert any("web_search" in note for note in made.notes)


def test_servers_that_are_only_named_leave_the_count_open() -> None:
    made = counts("claude-opus-4-8", messages=[user("Hello")], mcp_servers=[{"name": "x"}])
    assert made.total.high - made.total.low >= 10_000
    assert any("mcp_servers" in note for note in made.notes)


def test_the_tool_prompt_comes_with_the_first_tool() -> None:
    with_tool = counts("claude-sonnet-4-5", tools=[TOOL], messages=[user("Hello")])
    two = counts("claude-sonnet-4-5", tools=[TOOL, TOOL], messages=[user("Hello")])
    first, second = two.prefixes[0].estimate, two.prefixes[1].estimate
    assert with_tool.prefixes[0].estimate == first
    definition = second - first
    assert first == 496 + definition
    assert two.total.high - two.total.low <= 4


def test_a_forced_tool_opens_its_call_behind_the_last_message() -> None:
    bodies = {
        kind: counts(
            "claude-sonnet-4-6",
            tools=[TOOL],
            tool_choice={"type": kind, "name": "get_weather"},
            messages=[user("Hello")],
        )
        for kind in ("auto", "any", "tool")
    }
    auto, forced, named = bodies["auto"], bodies["any"], bodies["tool"]
    assert forced.total.estimate - auto.total.estimate == 92
    assert named.total.estimate - forced.total.estimate == 2 + tokens("get_weather")
    assert auto.prefixes[0] == forced.prefixes[0] == named.prefixes[0]
    assert forced.prefixes[1].estimate - auto.prefixes[1].estimate == 92 - 16


def test_an_unknown_tool_prompt_widens_the_interval_and_says_so() -> None:
    known = model("claude-opus-4-8")
    request = request_of(tools=[TOOL], messages=[user("Hello")])
    made = count_request(request, replace(known, tool_prompt=None))
    assert made.total.high - made.total.low > 300
    assert any("tool prompt" in note for note in made.notes)
    assert count_request(request, known).total.low >= made.total.low


def loop(results: list[str], between: str = "") -> list[dict[str, Any]]:
    calls = [
        {"type": "tool_use", "id": f"t{n}", "name": "get_weather", "input": {"city": "Rome"}}
        for n in range(len(results))
    ]
    text = [{"type": "text", "text": between}] if between else []
    answers = [
        {"type": "tool_result", "tool_use_id": f"t{n}", "content": result}
        for n, result in enumerate(results)
    ]
    return [{"role": "assistant", "content": text + calls}, {"role": "user", "content": answers}]


@pytest.mark.parametrize(
    ("calls", "results", "billed"),
    [
        # Recorded with Sonnet 4.6: what the provider billed more than for the question alone.
        ([("lookup_harbor_label", {})], ["crimson-harbor"], 55),
        ([("add", {"x": 3, "y": 5})], ["8"], 82),
        ([("notify", {"msg": "Deploy finished."})], ["sent: Deploy finished."], 69),
        ([("subtract", {"x": 10, "y": 4}), ("add", {"x": 3, "y": 5})], ["6", "8"], 181),
    ],
)
def test_recorded_tool_loops(
    calls: list[tuple[str, dict[str, Any]]], results: list[str], billed: int
) -> None:
    body = loop(results)
    for block, (name, arguments) in zip(body[0]["content"], calls, strict=True):
        block |= {"name": name, "input": arguments}
    alone = counts("claude-sonnet-4-6", tools=[TOOL], messages=[user("Hello")])
    made = counts("claude-sonnet-4-6", tools=[TOOL], messages=[user("Hello"), *body])
    assert made.total.estimate - alone.total.estimate == billed
    assert made.total.high - made.total.low <= 8


def test_a_result_ends_two_tokens_nearer_to_the_total() -> None:
    made = counts("claude-sonnet-4-6", tools=[TOOL], messages=[user("Hello"), *loop(["Sunny."])])
    assert made.total.estimate - made.prefixes[-1].estimate == 1


def test_results_of_parallel_calls_name_their_tools() -> None:
    short = counts("claude-sonnet-4-6", messages=[user("Hi"), *loop(["a", "b"])], tools=[TOOL])
    body = loop(["a", "b"])
    for call in body[0]["content"]:
        call["name"] = "get_weather_of_a_city_far_away"
    long = counts("claude-sonnet-4-6", messages=[user("Hi"), *body], tools=[TOOL])
    more = tokens("get_weather_of_a_city_far_away") - tokens("get_weather")
    assert long.total.estimate - short.total.estimate == 4 * more


def test_calls_without_tools_are_said_to_be_uncertain() -> None:
    made = counts("claude-sonnet-4-6", messages=[user("Hi"), *loop(["a"])])
    assert any("does not define" in note for note in made.notes)
    assert made.total.high - made.total.low >= 24


def test_structured_output_is_the_indented_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    plain = counts("claude-sonnet-4-6", messages=[user("Hello")])
    made = counts(
        "claude-sonnet-4-6",
        messages=[user("Hello")],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    written = tokens(json.dumps(schema, indent=2))
    assert made.total.estimate - plain.total.estimate == written + 81


def test_thinking_with_a_budget_stands_on_both_sides() -> None:
    plain = counts("claude-sonnet-4-6", system="Be brief.", messages=[user("Hello")])
    made = counts(
        "claude-sonnet-4-6",
        system="Be brief.",
        messages=[user("Hello")],
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert made.total.estimate - plain.total.estimate == 29
    assert made.prefixes[0].estimate - plain.prefixes[0].estimate == 24
    assert made.prefixes[1].estimate - plain.prefixes[1].estimate == 22
    newer = {"messages": [user("Hello")], "thinking": {"type": "adaptive"}}
    assert counts("claude-opus-4-8", **newer).total.exact


def test_stripped_thinking_costs_nothing() -> None:
    thought = {"type": "thinking", "thinking": PARAGRAPH * 5, "signature": "x" * 400}
    talk = [
        user("Hi"),
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]},
    ]
    old = counts("claude-haiku-4-5", messages=[*talk, user("Go on")])
    new = counts("claude-sonnet-4-6", messages=[*talk, user("Go on")])
    assert old.prefixes[1].estimate - old.prefixes[0].estimate == 3
    assert new.prefixes[1].estimate - new.prefixes[0].estimate > tokens(PARAGRAPH * 5)
    assert new.notes and not old.notes


def test_a_hidden_thought_is_judged_by_its_signature() -> None:
    def with_signature(length: int) -> Count:
        thought = {"type": "thinking", "thinking": "", "signature": "x" * length}
        talk = [user("Hi"), {"role": "assistant", "content": [thought]}, user("Go on")]
        return counts("claude-opus-4-8", messages=talk).total

    short, long = with_signature(400), with_signature(4000)
    assert long.estimate - short.estimate > 300
    assert long.high - long.low > short.high - short.low > 100


def test_images_by_size_and_tier() -> None:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1000).to_bytes(4, "big") + (1000).to_bytes(4, "big")
    import base64

    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(head).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    message = {"role": "user", "content": content}
    made = counts("claude-sonnet-4-5", messages=[message])
    assert made.prefixes[0].estimate == 1296 + 3 + 4
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    unknown = counts("claude-sonnet-4-5", messages=[{"role": "user", "content": [linked]}])
    assert unknown.total.low < 100 and unknown.total.high > 1500
    assert unknown.notes


def test_placeholders_are_open_above() -> None:
    made = counts("claude-sonnet-4-5", system="<the whole book>", messages=[user("Hello")])
    assert made.unknown == (0,)
    assert made.prefixes[0].high - made.prefixes[0].low >= 2000
    assert any("placeholder" in note for note in made.notes)


def test_no_model_means_the_newest_family() -> None:
    made = counts(None, messages=[user("Hello")])
    assert made.total.method == "claude-v4.8"
    assert any("model is not known" in note for note in made.notes)
    body = {"model": "gpt-9", "messages": [user("Hello")]}
    assert counts(None, chat_completions, **body).total.method.startswith("o200k")


def test_bedrock_counts_as_the_provider_itself() -> None:
    system, question = [{"text": "Be brief."}], {"role": "user", "content": [{"text": "Hello"}]}
    spec = {"name": TOOL["name"], "description": TOOL["description"]}
    tool = {"toolSpec": {**spec, "inputSchema": {"json": TOOL["input_schema"]}}}
    call = {"toolUse": {"toolUseId": "t0", "name": "get_weather", "input": {"city": "Rome"}}}
    result = {"toolResult": {"toolUseId": "t0", "content": [{"text": "Sunny."}]}}
    converse = counts(
        "claude-sonnet-4-5",
        bedrock_converse,
        modelId="anthropic.claude-sonnet-4-5-20250929-v1:0",
        system=system,
        toolConfig={"tools": [tool]},
        messages=[
            question,
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
    )
    own = counts(
        "claude-sonnet-4-5",
        system="Be brief.",
        tools=[TOOL],
        messages=[user("Hello"), *loop(["Sunny."])],
    )
    assert converse.total == own.total
    assert list(converse.prefixes) == list(own.prefixes)


def test_other_shapes_have_wide_tools_and_plain_texts() -> None:
    body = {"model": "gpt-5", "messages": [user("Hello there"), assistant("Hi"), user("Bye")]}
    plain = counts("gpt-5", chat_completions, **body)
    assert plain.total.high - plain.total.low <= 20
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert counts("gpt-5", chat_completions, **body, tools=[tool]).notes
    content = {"role": "user", "parts": [{"text": PARAGRAPH}]}
    made = counts("gemini-2.5-pro", gemini, contents=[content])
    assert made.total.method == "gemini-fast"
    assert made.total.low < made.total.estimate < made.total.high


def long_body() -> dict[str, Any]:
    talk: list[dict[str, Any]] = []
    for number in range(60):
        talk += [user(f"Question {number}? {PARAGRAPH * 8}"), *loop(["Sunny.", "Dry."], "Well!")]
        talk.append(assistant(f"Answer {number}. {PARAGRAPH * 4}"))
    talk.append(user("Thanks"))
    return {"system": PARAGRAPH * 700, "tools": [TOOL], "messages": talk}


def test_an_answer_at_once_is_refined_to_the_exact_one() -> None:
    known = model("claude-sonnet-4-5")
    request = request_of(**long_body())
    first = count_request(request, known, exact=False)
    assert not first.complete
    assert first.total.method == "claude-v3-fast"
    steps = sum(1 for _ in first.refine())
    assert steps > 50
    refined = count_request(request, known, exact=False)
    assert refined.complete
    forget()
    exact = count_request(request_of(**long_body()), known)
    assert refined.total == exact.total
    assert list(refined.prefixes) == list(exact.prefixes)
    assert first.total.low <= exact.total.estimate <= first.total.high
    assert list(refined.refine()) == []


def test_a_small_request_is_exact_at_once_when_the_vocabulary_is_there() -> None:
    known = model("claude-sonnet-4-5")
    count_text("a", known.family)
    made = count_request(request_of(messages=[user("Hello")]), known, exact=False)
    assert made.complete and made.total.exact


def test_the_same_source_read_again_counts_the_same() -> None:
    known = model("claude-sonnet-4-5")
    request = request_of(**long_body())
    first = count_request(request, known)
    again = count_request(request, known)
    other = count_request(request, model("claude-opus-4-8"))
    assert list(first.prefixes) == list(again.prefixes)
    assert other.total != first.total
    assert count_request(request, known).total == first.total


def test_prefixes_are_a_sequence_of_counts() -> None:
    made = counts("claude-sonnet-4-5", system="Be brief.", messages=[user("Hello")])
    assert len(made.prefixes) == 2
    assert made.prefixes[-1] == made.prefixes[1] == list(made.prefixes)[1]
    assert made.prefixes[0:1] == [made.prefixes[0]]
    with pytest.raises(IndexError):
        made.prefixes[2]


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [],
        {},
        {"type": "text"},
        {"text": 3},
        {"source": "x"},
        {"source": {"type": "base64", "data": "%%%"}},
        {"content": [None, 3, {"type": "image"}, "text"]},
        {"input": [1, 2], "name": 4},
        {"function": {"arguments": "{not json", "name": "f"}},
        {"citations": "x", "text": "y"},
        {"input_schema": 5, "name": "x"},
        {"name": None, "type": ["x"]},
    ],
)
def test_half_typed_blocks_raise_nothing(value: Any) -> None:
    kinds = "tool text tool_use tool_result image document thinking web_search_tool_result new"
    for kind in kinds.split():
        for family in ("claude-v3", "claude-v4.8", "o200k"):
            count, _ = block_count(kind, value, Settings(family), Place(results=2))
            assert 0 <= count.low <= count.estimate <= count.high
