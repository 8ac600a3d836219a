import pytest

from cachewise.request.find import find_requests, may_hold_requests
from cachewise.request.litellm_proxy import landings
from cachewise.syntax.formats import read_regions

CONFIG = """\
# the proxy
model_list:
  - model_name: plain
    litellm_params:
      model: openai/gpt-4o
  - model_name: cached
    litellm_params:
      model: anthropic/claude-sonnet-4-6
      api_key: os.environ/KEY
      cache_control_injection_points:
        - location: message
          role: system
        - location: message
          index: -1
          control: {type: ephemeral, ttl: 1h}
litellm_settings:
  drop_params: true
"""


def configurations(source):
    return [
        found
        for region in read_regions("yaml", source)
        if region.node is not None
        for found in find_requests(region.node, region.start)
    ]


def landed(points, limit=4):
    lines = "".join(f"        - {point}\n" for point in points)
    source = CONFIG[: CONFIG.index("        - location")] + lines
    (found,) = configurations(source)
    return [(one.where, one.why_not) for one in landings(found.request, limit)]


def test_only_the_model_with_points_is_a_configuration():
    assert may_hold_requests(CONFIG)
    (found,) = configurations(CONFIG)
    assert found.request.shape == "litellm-proxy"
    assert found.request.configuration
    assert found.pointer == "/model_list/1/litellm_params"
    assert found.request.model_written == "anthropic/claude-sonnet-4-6"
    assert (found.request.blocks, found.request.marks) == ([], [])


def test_where_the_markers_land_with_exact_spans():
    (found,) = configurations(CONFIG)
    first, second = landings(found.request, 4)
    assert first.where == "the last part of every system message"
    assert (first.many, first.ttl) == (True, "")
    assert second.where == "the last part of the last message"
    assert (second.many, second.ttl) == (False, "1h")
    source = [CONFIG[found.base + one.start : found.base + one.end] for one in (first, second)]
    assert source[0].split() == ["location:", "message", "role:", "system"]
    assert source[1].endswith("{type: ephemeral, ttl: 1h}")
    assert second.pointer == "/cache_control_injection_points/1"


@pytest.mark.parametrize(
    ("index", "where"),
    [
        ("0", "the first message"),
        ("1", "message 2"),
        ("-2", "message 2 from the end"),
        ('"-1"', "the last message"),
    ],
)
def test_the_words_for_an_index(index, where):
    point = f"{{location: message, index: {index}}}"
    assert landed([point]) == [(f"the last part of {where}", "")]


def test_an_index_goes_before_a_role():
    assert landed(["{location: message, index: 0, role: user}"]) == [
        ("the last part of the first message", "")
    ]


@pytest.mark.parametrize("count", [4, 5])
def test_no_more_than_the_provider_takes(count):
    found = landed([f"{{location: message, index: {n}}}" for n in range(count)])
    assert [bool(where) for where, _ in found] == [True] * 4 + [False] * (count - 4)
    if count == 5:
        assert found[4][1] == "the points before it already take all 4 markers"


def test_a_place_is_kept_for_the_tools():
    points = [f"{{location: message, index: {n}}}" for n in range(4)]
    found = landed([*points, "{location: tool_config}", "{location: tool_config}"])
    assert [bool(where) for where, _ in found] == [True, True, True, False, True, False]
    assert found[4][0] == "the end of the tools"


def test_a_point_that_names_nothing():
    assert (
        landed(["{location: message}", "{location: body}", "x"])
        == [("", "it names no message: give it an index or a role")] * 2
    )


def test_without_a_known_limit_none_is_asserted():
    points = [f"{{location: message, index: {n}}}" for n in range(9)]
    assert all(where for where, _ in landed(points, None))


def test_other_yaml_is_left_alone():
    assert not may_hold_requests("services:\n  web:\n    image: x\n    # messages: none\n")
    for source in ("model_list: [a, b]\n", "model_list:\n- litellm_params: {model: m}\n"):
        assert configurations(source) == []


def test_a_request_in_yaml():
    source = (
        "model: claude-sonnet-4-6\nmax_tokens: 9\nsystem:\n- type: text\n  text: |\n    long\n"
        "  cache_control: {type: ephemeral}\nmessages:\n- {role: user, content: hi}\n"
    )
    assert may_hold_requests(source)
    (found,) = configurations(source)
    assert found.request.shape == "anthropic-messages"
    (placed,) = found.request.marks
    assert source[placed.start + found.base : placed.end + found.base] == "{type: ephemeral}"
