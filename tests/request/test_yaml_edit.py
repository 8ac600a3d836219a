import copy
import json
from datetime import date

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cachewise.analysis import Document, Options
from cachewise.catalog import builtin
from cachewise.settings import Settings
from cachewise.syntax import json_edit, yaml_edit
from cachewise.syntax.formats import read_regions
from cachewise.syntax.json_edit import apply_edits
from cachewise.syntax.tree import resolve_pointer

TEXT = """\
# top
model: claude-sonnet-4-6
system:
  - type: text
    text: |
      long

      text
    cache_control:
      type: ephemeral   # five minutes
      ttl: 1h
  - {type: text, text: short}
messages:
- role: user
  content: "hi"  # said
- role: assistant
  content: >-
    folded
    text
- role: user
  content: bye
"""


def changed(source, pointer, verb, *arguments):
    (region,) = read_regions("yaml", source)
    node, start = resolve_pointer(region.node, pointer)
    start += region.start

    def read(first, last):
        return source[max(first, 0) : last]

    edit = verb(read, node, start, *arguments)
    return apply_edits(source, edit if isinstance(edit, tuple) else (edit,))


def test_a_member_is_added_on_its_own_line():
    result = changed(TEXT, "/messages/0", json_edit.add_member, "name", '{"a": 1}')
    assert '  content: "hi"  # said\n  name: {"a": 1}\n- role: assistant' in result


def test_a_member_behind_a_nested_one():
    result = changed(TEXT, "/system/0", json_edit.set_member, "x", "1")
    assert "      ttl: 1h\n    x: 1\n  - {type" in result


def test_a_member_of_a_mapping_in_brackets():
    result = changed(TEXT, "/system/1", json_edit.set_member, "cache_control", '{"type": "e"}')
    assert pyyaml.safe_load(result)["system"][1]["cache_control"] == {"type": "e"}


def test_a_member_is_replaced():
    result = changed(TEXT, "/system/0/cache_control", json_edit.set_member, "ttl", '"5m"')
    assert result == TEXT.replace("ttl: 1h", 'ttl: "5m"')


def test_a_member_without_a_value_gets_one():
    assert changed("a:\nb: 1\n", "", json_edit.set_member, "a", "2") == "a: 2\nb: 1\n"


@pytest.mark.parametrize(
    ("pointer", "key", "gone"),
    [
        ("/system/0/cache_control", "ttl", "\n      ttl: 1h"),
        ("/system/0/cache_control", "type", "type: ephemeral   # five minutes\n      "),
        ("/system/0", "type", "type: text\n    "),
        ("/messages/2", "content", "\n  content: bye"),
    ],
)
def test_a_member_is_removed_with_its_line(pointer, key, gone):
    assert TEXT.count(gone) == 1
    assert changed(TEXT, pointer, json_edit.remove_member, key) == TEXT.replace(gone, "")


@pytest.mark.parametrize(("index", "gone"), [(0, "hi"), (1, "folded"), (2, "bye")])
def test_an_item_is_removed(index, gone):
    result = changed(TEXT, "/messages", json_edit.remove_item, index)
    expected = pyyaml.safe_load(TEXT)
    del expected["messages"][index]
    assert pyyaml.safe_load(result) == expected
    assert gone not in result


def test_an_item_is_added():
    result = changed(TEXT, "/messages", yaml_edit.add_item, '{"role": "user"}')
    assert result.endswith('  content: bye\n- {"role": "user"}\n')


@pytest.mark.parametrize("pointer", ["/messages/0/content", "/messages/1/content", "/model"])
def test_a_text_becomes_a_block(pointer):
    result = changed(TEXT, pointer, json_edit.wrap_text, '{"type": "ephemeral"}')
    before, after = pyyaml.safe_load(TEXT), pyyaml.safe_load(result)
    steps = pointer.strip("/").split("/")
    for step in steps:
        name = int(step) if step.isdecimal() else step
        before, after = before[name], after[name]
    assert after == [{"type": "text", "text": before, "cache_control": {"type": "ephemeral"}}]
    assert "# top" in result


def test_a_block_scalar_stays_one():
    source = "a:\n  b: |  # why\n    one\n\n      two\n  c: 1\n"
    result = changed(source, "/a/b", json_edit.wrap_text, None)
    assert pyyaml.safe_load(result) == {
        "a": {"b": [{"type": "text", "text": "one\n\n  two\n"}], "c": 1}
    }
    assert "text: |  # why" in result


def test_what_an_alias_stands_for_is_left_alone():
    source = "a: &x {type: ephemeral}\nb: *x\n"
    assert changed(source, "/b", json_edit.set_member, "ttl", '"1h"') == source
    assert changed(source, "/b", json_edit.remove_member, "type") == source


JSONS = st.recursive(
    st.none() | st.integers(0, 9) | st.text("ab \n#:-'\"", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), JSONS, min_size=1), st.data())
def test_every_change_gives_the_value_that_was_meant(value, data):
    source = pyyaml.safe_dump({"top": value, "z": 1}, default_flow_style=False, sort_keys=False)
    key = data.draw(st.sampled_from(sorted(value)))
    for verb, arguments, change in (
        (json_edit.remove_member, (key,), lambda v: v.pop(key)),
        (json_edit.set_member, (key, "[7]"), lambda v: v.update({key: [7]})),
        (json_edit.set_member, ("new", '"x"'), lambda v: v.update({"new": "x"})),
    ):
        expected = copy.deepcopy(value)
        change(expected)
        result = changed(source, "/top", verb, *arguments)
        assert pyyaml.safe_load(result) == {"top": expected, "z": 1}, result


@settings(max_examples=100, deadline=None)
@given(st.lists(JSONS, min_size=1, max_size=4), st.data())
def test_every_item_can_go_and_come(value, data):
    source = pyyaml.safe_dump({"top": value, "z": 1}, default_flow_style=False)
    index = data.draw(st.integers(0, len(value) - 1))
    result = changed(source, "/top", json_edit.remove_item, index)
    assert pyyaml.safe_load(result)["top"] == value[:index] + value[index + 1 :]
    result = changed(source, "/top", yaml_edit.add_item, "7")
    assert pyyaml.safe_load(result)["top"] == [*value, 7]


def test_the_fixes_of_the_rules_work_in_yaml():
    mark = {"type": "ephemeral"}
    body = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "s", "cache_control": mark}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"m{n}", "cache_control": dict(mark)} for n in range(4)
                ],
            }
        ],
    }
    source = pyyaml.safe_dump(json.loads(json.dumps(body)), sort_keys=False)
    options = Options(builtin(), Settings(select=("CW101",)), date(2026, 11, 21))
    (found,) = Document(source, "yaml", options).findings()
    edits = tuple(
        type(edit)(edit.start + found.located.base, edit.end + found.located.base, edit.new)
        for edit in found.finding.fixes[0].edits
    )
    fixed = apply_edits(source, edits)
    assert Document(fixed, "yaml", options).findings() == []
    assert pyyaml.safe_load(fixed) != body
    assert str(pyyaml.safe_load(fixed)).count("ephemeral") == 4


def test_a_checkpoint_moves_in_yaml():
    source = (
        "modelId: us.anthropic.claude-sonnet-4-6\n"
        "system:\n  - cachePoint:\n      type: default\n  - text: s  # the system\n"
        "messages:\n  - role: user\n    content:\n      - text: hi\n"
    )
    options = Options(builtin(), Settings(select=("CW106",)), date(2026, 11, 21))
    (found,) = Document(source, "yaml", options).findings()
    edits = tuple(
        type(edit)(edit.start + found.located.base, edit.end + found.located.base, edit.new)
        for edit in found.finding.fixes[0].edits
    )
    fixed = apply_edits(source, edits)
    assert fixed == source.replace("  - cachePoint:\n      type: default\n", "").replace(
        "# the system\n", '# the system\n  - {"cachePoint": {"type": "default"}}\n'
    )
