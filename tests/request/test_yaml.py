import json

import pytest
import yaml as pyyaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise.syntax.formats import format_of, read_regions, reread_regions
from cachewise.syntax.tree import plain_value, resolve_pointer, source_offset
from cachewise.text import Text

TEXT = """\
# a lock
model: claude-sonnet-4-6   # the model
max_tokens: 100
system:
  - type: text
    text: |
      You keep a lock.
      Be short, "please" # no comment
    cache_control: {type: ephemeral, ttl: '1h'}
messages:
- role: user
  content: "Open?\\nIt is \\u00e9 late"
- role: assistant
  content: >-
    folded
    text
- {role: user, content: [{type: text, text: it''s}]}
empty:
"""


def node_of(source):
    (region,) = read_regions("yaml", source)
    assert region.node is not None
    return region


def walk(node, start):
    yield node, start
    for value, offset in zip(node.values, node.starts, strict=True):
        yield from walk(value, start + offset)


def assert_spans(source, region):
    for node, start in walk(region.node, region.start):
        assert 0 <= start <= start + node.length <= len(source)
        assert node.starts == sorted(node.starts)
        for key, at, length in zip(node.keys, node.key_starts, node.key_lengths, strict=True):
            written = source[start + at : start + at + length]
            assert (
                key in written.replace("\0", " ").replace("\ufeff", " ") or written[:1] in "\"'*<"
            )
        for value, offset in zip(node.values, node.starts, strict=True):
            assert offset + value.length <= node.length


def test_the_values_are_those_that_a_yaml_parser_gives():
    region = node_of(TEXT)
    assert plain_value(region.node) == pyyaml.safe_load(TEXT)
    assert_spans(TEXT, region)


def test_spans_of_scalars_and_collections():
    region = node_of(TEXT)

    def source(pointer):
        node, start = resolve_pointer(region.node, pointer)
        return TEXT[region.start + start :][: node.length]

    assert source("/model") == "claude-sonnet-4-6"
    assert source("/system/0/cache_control") == "{type: ephemeral, ttl: '1h'}"
    assert source("/system/0/cache_control/ttl") == "'1h'"
    assert source("/system/0/text") == (
        '|\n      You keep a lock.\n      Be short, "please" # no comment'
    )
    assert source("/messages/0").startswith("role: user")
    assert source("/messages/0").endswith('late"')
    assert source("/empty") == ""


@pytest.mark.parametrize(
    ("pointer", "word"),
    [
        ("/system/0/text", "please"),
        ("/messages/0/content", "late"),
        ("/messages/1/content", "text"),
        ("/model", "sonnet"),
    ],
)
def test_a_place_in_a_text_is_found_in_its_source(pointer, word):
    region = node_of(TEXT)
    node, start = resolve_pointer(region.node, pointer)
    at = region.start + start + source_offset(node, node.text.index(word))
    assert TEXT[at : at + len(word)] == word


def test_comments_and_not_what_looks_like_one():
    region = node_of(TEXT)
    assert [comment.text for comment in region.comments] == ["# a lock", "# the model"]
    assert all(TEXT[c.start :].startswith(c.text) for c in region.comments)


def test_an_edit_keeps_every_other_value_the_same_object():
    regions = read_regions("yaml", TEXT)
    at = TEXT.index("Open?")
    text = Text(TEXT)
    text.edit(at, at, "Is it ")
    fresh = reread_regions("yaml", regions, text, at, at, 6)
    old, new = regions[0].node, fresh[0].node
    assert plain_value(new) == pyyaml.safe_load(str(text))
    for pointer in ("/system", "/messages/1", "/messages/2", "/model"):
        assert resolve_pointer(new, pointer)[0] is resolve_pointer(old, pointer)[0]
    assert resolve_pointer(new, "/messages/0")[0] is not resolve_pointer(old, "/messages/0")[0]


def test_an_inserted_entry_keeps_its_neighbours():
    source = "messages:\n- a: 1\n- b: 2\n- c: 3\n"
    regions = read_regions("yaml", source)
    at = source.index("- b")
    text = Text(source)
    text.edit(at, at, "- x: 9\n")
    fresh = reread_regions("yaml", regions, text, at, at, 7)
    old, new = regions[0].node.get("messages"), fresh[0].node.get("messages")
    assert plain_value(new) == [{"a": 1}, {"x": 9}, {"b": 2}, {"c": 3}]
    assert [new.values[i] is old.values[j] for i, j in ((0, 0), (2, 1), (3, 2))] == [True] * 3


def test_several_documents():
    source = "a: 1\n---\nb: [2, 3]\n...\n"
    regions = read_regions("yaml", source)
    assert [plain_value(region.node) for region in regions] == [{"a": 1}, {"b": [2, 3]}]
    assert source[regions[1].start : regions[1].end] == "b: [2, 3]"


def test_anchors_merges_and_their_spans():
    source = (
        "base: &b {ttl: 1h, type: x}\nuse:\n  <<: *b\n  type: ephemeral\nlist: [*b, *unknown]\n"
    )
    region = node_of(source)
    assert_spans(source, region)
    assert plain_value(region.node.get("use").get("type")) == "ephemeral"
    assert plain_value(region.node.get("use").get("ttl")) == "1h"
    first, second = region.node.get("list").values
    assert plain_value(first) == {"ttl": "1h", "type": "x"}
    assert second.kind == "hole"


def test_aliases_are_followed_only_so_far():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    region = node_of("\n".join(lines) + "\n")
    assert sum(1 for _ in walk(region.node, 0)) < 50_000


def test_tags_construct_nothing():
    source = "a: !!python/object/apply:os.system [echo]\nb: !secret x\nc: !!str 7\n"
    region = node_of(source)
    assert plain_value(region.node) == {"a": ["echo"], "b": None, "c": "7"}
    assert region.node.get("b").kind == "hole"


@pytest.mark.parametrize(
    "line",
    [
        "  foo",
        "half typed",
        "key: [1, 2",
        'quote: "open',
        "a: b: c",
        "\t- x",
        "*",
        "- : -",
        "%",
        "}",
    ],
)
def test_a_line_that_cannot_be_read_leaves_the_others(line):
    source = f"model: m\nsystem: s\n{line}\nmessages:\n- role: user\n  content: hi\n"
    node = node_of(source).node
    assert node.get_text("model") == "m"
    assert plain_value(node.get("messages")) == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("source", ["\ufeffa: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", "a: 1\nb: 2 \x07\n"])
def test_marks_line_ends_and_control_characters(source):
    region = node_of(source)
    assert plain_value(region.node) == {"a": 1, "b": 2}
    assert source[region.start :].startswith("a")
    assert_spans(source, region)


def test_json_is_yaml_too():
    value = {"a": [1, "x\ny", None, True, {"b": "é😀"}], "c": {}}
    source = json.dumps(value, ensure_ascii=False)
    region = node_of(source)
    assert plain_value(region.node) == value
    assert_spans(source, region)


def test_deep_nesting_is_passed_over():
    region = node_of("[" * 1000 + "]" * 1000)
    assert region.node.kind == "array"


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=12),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text("abc_ #:-", max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.booleans(),
)
@example("0E0", False)
def test_whatever_yaml_is_written_is_read_back(value, flow):
    source = pyyaml.safe_dump({"v": value}, allow_unicode=True, default_flow_style=flow)
    region = node_of(source)
    assert plain_value(region.node) == pyyaml.safe_load(source)
    assert_spans(source, region)


@settings(max_examples=200, deadline=None)
@given(st.text("ab:- \n[]{}\"'|>#&*!%@,?\t\ufeff\x00é", max_size=40))
def test_any_text_at_all_is_read_without_failing(source):
    for region in read_regions("yaml", source):
        assert_spans(source, region)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.text("ab:- \n[{\"'", max_size=4))
def test_reading_again_equals_reading_afresh(at, removed, new):
    regions = read_regions("yaml", TEXT)
    end = min(at + removed, len(TEXT))
    text = Text(TEXT)
    text.edit(at, end, new)
    again = reread_regions("yaml", regions, text, at, end, len(new))
    afresh = read_regions("yaml", str(text))
    assert [(r.start, r.end) for r in again] == [(r.start, r.end) for r in afresh]
    for one, other in zip(again, afresh, strict=True):
        left, right = list(walk(one.node, one.start)), list(walk(other.node, other.start))
        assert [(n.kind, s, n.length, n.keys) for n, s in left] == [
            (n.kind, s, n.length, n.keys) for n, s in right
        ]
        assert plain_value(one.node) == plain_value(other.node)


def test_the_file_names():
    assert format_of("proxy.yml") == format_of("a.YAML") == format_of("x", "yaml") == "yaml"
