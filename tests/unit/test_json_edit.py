"""Edits of JSON source: the value changes as asked, everything else keeps its form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.syntax.json import scan
from cachewise.syntax.json_edit import (
    Edit,
    add_member,
    apply_edits,
    compact,
    member_indent,
    remove_item,
    remove_member,
    set_member,
    wrap_text,
)
from cachewise.syntax.tree import Node, resolve_pointer

MARKER = '{"type": "ephemeral"}'


def at(source: str, pointer: str) -> tuple[Node, int]:
    """The node that a pointer names, and its offset in the source."""
    root = scan(source)
    assert root.node is not None
    found = resolve_pointer(root.node, pointer)
    assert found is not None
    return found[0], root.start + found[1]


def reader(source: str) -> Any:
    return lambda start, end: source[start:end]


def added(source: str, pointer: str = "", key: str = "k", value: str = "1") -> str:
    return apply_edits(source, (add_member(reader(source), *at(source, pointer), key, value),))


def removed(source: str, key: str, pointer: str = "") -> str:
    return apply_edits(source, (remove_member(reader(source), *at(source, pointer), key),))


def dropped(source: str, index: int, pointer: str = "") -> str:
    return apply_edits(source, (remove_item(reader(source), *at(source, pointer), index),))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{"a": 1}', '{"a": 1, "k": {"type": "ephemeral"}}'),
        ('{"a":1}', '{"a":1,"k":{"type":"ephemeral"}}'),
        ('{"a":1,"b":2}', '{"a":1,"b":2,"k":{"type":"ephemeral"}}'),
        ('{ "a" : 1 }', '{ "a" : 1, "k" : {"type": "ephemeral"} }'),
        ("{}", '{"k": {"type": "ephemeral"}}'),
        ("{ }", '{"k": {"type": "ephemeral"}}'),
        ('{\n  "a": 1\n}', '{\n  "a": 1,\n  "k": {"type": "ephemeral"}\n}'),
        ('{\r\n\t"a": 1\r\n}', '{\r\n\t"a": 1,\r\n\t"k": {"type": "ephemeral"}\r\n}'),
        ('{"a": 1,\n   "b": 2}', '{"a": 1,\n   "b": 2,\n   "k": {"type": "ephemeral"}}'),
        # A trailing comma stays one.
        ('{\n  "a": 1,\n}', '{\n  "a": 1,\n  "k": {"type": "ephemeral"},\n}'),
        # A comment on the line of the last member stays there.
        (
            '{\n  "a": 1 // one, two\n}',
            '{\n  "a": 1, // one, two\n  "k": {"type": "ephemeral"}\n}',
        ),
        (
            '{\n  "a": 1, /* one */\n}',
            '{\n  "a": 1, /* one */\n  "k": {"type": "ephemeral"},\n}',
        ),
        # A comment above the last member does not become part of the gap.
        (
            '{\n  "a": 1,\n  // two\n  "b": 2\n}',
            '{\n  "a": 1,\n  // two\n  "b": 2,\n  "k": {"type": "ephemeral"}\n}',
        ),
        (
            '{\r\n  "a": 1,\r\n  // two\r\n  "b": 2\r\n}',
            '{\r\n  "a": 1,\r\n  // two\r\n  "b": 2,\r\n  "k": {"type": "ephemeral"}\r\n}',
        ),
        ('{/* none */}', '{"k": {"type": "ephemeral"}/* none */}'),
    ],
)  # fmt: skip
def test_a_member_is_added_in_the_style_of_its_neighbours(source: str, expected: str) -> None:
    assert added(source, value=MARKER) == expected


@pytest.mark.parametrize(
    ("source", "key", "expected"),
    [
        ('{"a": 1, "b": 2, "c": 3}', "a", '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "b", '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "c", '{"a": 1, "b": 2}'),
        ('{"a":1,"b":2}', "b", '{"a":1}'),
        ('{ "a": 1 }', "a", "{}"),
        ('{\n  "a": 1,\n  "b": 2\n}', "a", '{\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "b", '{\n  "a": 1\n}'),
        ('{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2\n\t}\n}', "b", '{\n\t"a": 1\n}'),
        ('{\r\n  "a": 1,\r\n  "b": 2\r\n}', "b", '{\r\n  "a": 1\r\n}'),
        # A trailing comma stays one.
        ('{\n  "a": 1,\n  "b": 2,\n}', "b", '{\n  "a": 1,\n}'),
        # What is said about the neighbours stays with them.
        ('{\n  "a": 1, // a, b\n  "b": 2\n}', "b", '{\n  "a": 1 // a, b\n}'),
        ('{\n  "a": 1, // a\n  "b": 2,\n  "c": 3\n}', "b", '{\n  "a": 1, // a\n  "c": 3\n}'),
        ('{"a": 1, /* b */ "b": 2}', "b", '{"a": 1 /* b */ }'),
        ('{\n  // a\n  "a": 1,\n  "b": 2\n}', "a", '{\n  // a\n  "b": 2\n}'),
        ('{\n  // a\n  "a": 1\n}', "a", "{\n  // a\n  \n}"),
        # Of a key written twice the last one goes.
        ('{"a": 1, "b": 2, "a": 3}', "a", '{"a": 1, "b": 2}'),
    ],
)
def test_a_member_goes_with_its_comma(source: str, key: str, expected: str) -> None:
    assert removed(source, key) == expected


@pytest.mark.parametrize(
    ("source", "index", "expected"),
    [
        ("[1, 2, 3]", 0, "[2, 3]"),
        ("[1, 2, 3]", 1, "[1, 3]"),
        ("[1, 2, 3]", 2, "[1, 2]"),
        ("[1]", 0, "[]"),
        ("[\n  1,\n  2\n]", 1, "[\n  1\n]"),
        ("[\n  1,\n  2,\n]", 0, "[\n  2,\n]"),
    ],
)
def test_an_item_goes_with_its_comma(source: str, index: int, expected: str) -> None:
    assert dropped(source, index) == expected


def test_a_member_is_replaced_where_it_stands() -> None:
    source = '{ "a" : "5m" , "b": 2}'
    edits = set_member(reader(source), *at(source, ""), "a", '"1h"')
    assert edits == (Edit(8, 12, '"1h"'),)
    assert apply_edits(source, edits) == '{ "a" : "1h" , "b": 2}'


def test_an_inner_object_is_edited_at_its_own_place() -> None:
    source = '{"messages": [{"content": [{\n "text": "é𝄞"\n}]}]}'
    assert added(source, "/messages/0/content/0") == (
        '{"messages": [{"content": [{\n "text": "é𝄞",\n "k": 1\n}]}]}'
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{"system": "a\\n\\"b\\""}', '{"system": [{"type": "text", "text": "a\\n\\"b\\""}]}'),
        ('{"system":"a"}', '{"system":[{"type":"text","text":"a"}]}'),
    ],
)
def test_a_text_becomes_a_block(source: str, expected: str) -> None:
    edit = wrap_text(reader(source), *at(source, "/system"), None)
    assert apply_edits(source, (edit,)) == expected


def test_a_text_becomes_a_marked_block() -> None:
    source = '{"system":"a"}'
    edit = wrap_text(reader(source), *at(source, "/system"), MARKER)
    assert apply_edits(source, (edit,)) == (
        '{"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}'
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [('{"a": 1}', None), ('{\n    "a": 1}', "    "), ('{"a": 1,\r\n\t"b": 2}', "\t"), ("{}", None)],
)
def test_the_indentation_of_what_is_added(source: str, expected: str | None) -> None:
    assert member_indent(reader(source), *at(source, "")) == expected


def test_source_that_is_not_strict_json_is_not_compacted() -> None:
    assert compact('{"a": 1, "é": [true, null]}') == '{"a":1,"é":[true,null]}'
    assert compact('{"a": 1 // one\n}') == '{"a": 1 // one\n}'


objects = st.dictionaries(
    st.sampled_from(["a", "b", "c", "é/~"]),
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    max_size=4,
)
styles = st.sampled_from(
    [{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"indent": 1}]
)


@given(value=objects, style=styles, data=st.data())
def test_whatever_is_added_or_removed_is_all_that_changes(
    value: dict[str, Any], style: dict[str, Any], data: st.DataObject
) -> None:
    source = json.dumps(value, **style)
    assert json.loads(added(source, value='{"x": [1, 2]}')) == {**value, "k": {"x": [1, 2]}}
    # What was added goes again without a trace, but for the white space of an empty object.
    again = removed(added(source), "k")
    assert again == source or not value
    if value:
        key = data.draw(st.sampled_from(sorted(value)))
        rest = {name: inner for name, inner in value.items() if name != key}
        assert json.loads(removed(source, key)) == rest


@given(value=st.lists(st.integers() | st.text(max_size=2), min_size=1, max_size=4), style=styles)
def test_whatever_item_is_dropped_is_all_that_changes(
    value: list[Any], style: dict[str, Any]
) -> None:
    source = json.dumps(value, **style)
    for index in range(len(value)):
        assert json.loads(dropped(source, index)) == value[:index] + value[index + 1 :]
