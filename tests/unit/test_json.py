"""The tolerant scanner: equal to the standard parser on valid text, calm on any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cachewise.syntax.json import MAX_DEPTH, common_edit, edited, rescan, scan, scan_all
from cachewise.syntax.tree import (
    Node,
    plain_value,
    resolve_pointer,
    source_offset,
    strings_below,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
fragments = st.lists(
    st.sampled_from(
        [
            '"',
            '"a"',
            '"b":',
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "1",
            "true",
            "x",
            "\\",
            "\n",
            " ",
            "// c\n",
            "/* c */",
            "/*",
            '"\\u00e9"',
            '"k": 1',
            "é",
            "\r\n",
            '"\\ud834\\udd1e"',
        ]
    ),
    max_size=14,
).map("".join)


def shape(node: Node | None) -> Any:
    """Everything a node says, as plain data."""
    if node is None:
        return None
    return (
        node.kind,
        node.length,
        node.raw,
        node.flawed,
        list(node.keys),
        list(node.key_starts),
        list(node.key_lengths),
        list(node.starts),
        node.comments,
        [shape(value) for value in node.values],
    )


@given(values, st.sampled_from([None, 1, 2]), st.booleans())
def test_valid_json_reads_as_the_standard_parser_does(value, indent, ascii_only):
    source = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    result = scan(source)
    assert result.node is not None
    assert plain_value(result.node) == json.loads(source)
    assert result.end == len(source)


@given(values)
def test_spans_hold_the_source_of_each_value(value):
    source = json.dumps(value, ensure_ascii=False, indent=1)
    result = scan(source)

    def walk(node: Node, start: int) -> None:
        piece = source[start : start + node.length]
        assert json.loads(piece) == plain_value(node)
        for key, key_start, key_length in zip(
            node.keys, node.key_starts, node.key_lengths, strict=True
        ):
            assert json.loads(source[start + key_start : start + key_start + key_length]) == key
        for child, offset in zip(node.values, node.starts, strict=True):
            walk(child, start + offset)

    assert result.node is not None
    walk(result.node, result.start)


@settings(max_examples=600, deadline=None)
@given(fragments)
def test_any_text_is_read_without_an_exception(source):
    for result in scan_all(source):
        assert 0 <= result.start <= result.end <= len(source)


@settings(max_examples=1500, deadline=None)
@given(values, fragments, st.data())
@example({"a": "x"}, '"', None)
def test_an_edit_equals_reading_the_new_text(value, insertion, data):
    source = json.dumps(value, indent=1)
    start = data.draw(st.integers(0, len(source))) if data else source.index("x")
    end = data.draw(st.integers(start, min(len(source), start + 3))) if data else start
    root = scan(source)
    assert root.node is not None
    changed = source[:start] + insertion + source[end:]
    fresh = edited(root.node, start, end, len(insertion), lambda first, last: changed[first:last])
    if fresh is not None:
        assert shape(fresh) == shape(scan(changed).node)


@settings(max_examples=1500, deadline=None)
@given(values, fragments, st.data())
def test_reading_again_after_an_edit_equals_reading_the_new_text(value, insertion, data):
    source = json.dumps({"a": [value, {"b": value}, 1], "c": value}, indent=1)
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 5)))
    root = scan(source)
    changed = source[:start] + insertion + source[end:]
    fresh = rescan(root.node, root.start, changed, start, end, len(insertion))
    if fresh is not None:
        whole = scan(changed)
        assert shape(fresh.node) == shape(whole.node)
        assert fresh.end == whole.end
        assert fresh.comments == whole.comments


@settings(max_examples=600, deadline=None)
@given(fragments, fragments, fragments, fragments)
def test_reading_again_also_holds_for_text_that_is_no_json(before, old, new, after):
    source, changed = before + old + after, before + new + after
    root = scan(source)
    if root.node is None:
        return
    fresh = rescan(root.node, root.start, changed, len(before), len(before + old), len(new))
    if fresh is not None:
        assert shape(fresh.node) == shape(scan(changed).node)


@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_the_one_edit_between_two_texts(old, new):
    start, end, length = common_edit(old, new)
    assert old[:start] + new[start : start + length] + old[end:] == new
    assert 0 <= start <= end <= len(old)


def test_appending_to_a_list_shares_the_items_before_and_after():
    source = json.dumps({"messages": [{"n": 1}, {"n": 2}], "tail": {"x": 1}})
    root = scan(source).node
    at = source.index(', {"n": 2}')
    changed = source[:at] + ', {"n": 9}' + source[at:]
    fresh = rescan(root, 0, changed, at, at, 10).node
    old, new = root.get("messages").values, fresh.get("messages").values
    assert [plain_value(node)["n"] for node in new] == [1, 9, 2]
    assert new[2] is old[1]
    assert fresh.get("tail") is root.get("tail")


def test_an_edit_inside_one_message_keeps_the_other_nodes():
    source = json.dumps({"messages": [{"content": "one"}, {"content": "two"}]})
    root = scan(source).node
    at = source.index("two") + 1
    changed = source[:at] + "X" + source[at:]
    fresh = edited(root, at, at, 1, lambda first, last: changed[first:last])
    assert fresh.get("messages").values[0] is root.get("messages").values[0]
    assert fresh.get("messages").values[1].get_text("content") == "tXwo"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('{"a": 1, "b": [1, 2', {"a": 1, "b": [1, 2]}),
        ('{"a": "unfinished\n, "b": 2}', {"a": "unfinished", "b": 2}),
        ('{"a": 1, "b"', {"a": 1, "b": None}),
        ('{"a": , "b": 2}', {"a": None, "b": 2}),
        ('{"a": 1,, "b": 2,}', {"a": 1, "b": 2}),
        ('[{"a": 1, {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('[{"a": [1, 2}, 3]', [{"a": [1, 2]}, 3]),
        ('{"a": 1 // one\n, /* two */ "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": NaN}', {"a": None}),
        ("\ufeff".strip("\ufeff") + '{"a": 1} trailing', {"a": 1}),
    ],
)
def test_half_typed_text_keeps_what_can_be_seen(source, seen):
    assert plain_value(scan(source).node) == seen


def test_deep_nesting_neither_recurses_nor_hangs():
    result = scan("[" * 100_000)
    assert result.node is not None
    assert not result.settled
    closed = scan("[" * 1000 + "]" * 1000 + " ")
    assert closed.end == 2000
    depth, node = 0, closed.node
    while node.values:
        node = node.values[0]
        depth += 1
    assert depth == MAX_DEPTH


@given(st.text(max_size=20), st.booleans())
def test_a_character_of_a_string_is_found_in_its_source(text, ascii_only):
    source = json.dumps(text, ensure_ascii=ascii_only)
    node = scan(source).node
    for at, character in enumerate(node.text):
        start = source_offset(node, at)
        stop = source_offset(node, at + 1)
        assert json.loads('"' + source[start:stop] + '"') == character


def test_strings_below_are_in_source_order_and_pointers_resolve():
    source = '{"a": ["x", {"b": "y"}], "c/d": "z"}'
    root = scan(source).node
    assert [source[at : at + node.length] for node, at in strings_below(root)] == [
        '"x"',
        '"y"',
        '"z"',
    ]
    node, at = resolve_pointer(root, "/c~1d")
    assert (node.text, source[at : at + 3]) == ("z", '"z"')
    assert resolve_pointer(root, "/a/7") is None


def test_a_value_typed_behind_a_colon_belongs_to_its_key() -> None:
    old = '{"a": [{"x": 1}, {"r": "a", "c": \n  ]\n}\n'
    at = old.index("\n  ]")
    new = f"{old[:at]}[{old[at:]}"
    root = scan(old).node
    assert root is not None
    fresh = rescan(root, 0, new, at, at, 1)
    assert fresh is not None and fresh.node is not None
    messages = fresh.node.values[0]
    assert [value.keys for value in messages.values] == [["x"], ["r", "c"]]
    assert messages.values[1].values[1].kind == "array"
