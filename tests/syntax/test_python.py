"""Requests in Python: every form of expression, where it stands, and what is not known."""

from __future__ import annotations

import ast
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.syntax.formats import read_regions
from cachewise.syntax.region import MARKER, Region
from cachewise.syntax.tree import HOLE_CHARACTER, Node, source_offset

from .reading import assert_spans, at, one, plain, source_of, values

CALL = "client.messages.create(model='m', system={}, messages=[{{'role': 'user', 'content': 'q'}}])"


def system_of(expression: str, before: str = "") -> tuple[str, Region, Node]:
    """The node of an expression that is given as the system prompt."""
    source = f"{before}{CALL.format(expression)}\n"
    region = next(region for region in values("python", source) if region.shape != MARKER)
    return source, region, at(region, "/system")[0]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'plain'", "plain"),
        ('"double"', "double"),
        ('"""three\nlines"""', "three\nlines"),
        (r"'a\n\t\\b\'c\x41\u00e9\N{EM DASH}'", "a\n\t\\b'cA\u00e9\u2014"),
        (r"r'raw\n'", "raw\\n"),
        ("'one' 'two'", "onetwo"),
        ("('one'\n  'two')", "onetwo"),
        ("'one' + 'two' + 'three'", "onetwothree"),
        ("'ab' * 3", "ababab"),
        ("3 * 'ab'", "ababab"),
        ("f'a{{b}}c'", "a{b}c"),
        ("f'a{x}c'", f"a{HOLE_CHARACTER}c"),
        ("f'{x!r:>10}'", HOLE_CHARACTER),
        ("'a' + x", f"a{HOLE_CHARACTER}"),
        ("x + 'a' + y()", f"{HOLE_CHARACTER}a{HOLE_CHARACTER}"),
        ("'a %s b' % x", f"a {HOLE_CHARACTER} b"),
        ("'100%% %d' % 3", f"100% {HOLE_CHARACTER}"),
        ("'a {} {n} {{}}'.format(x, n='w')", f"a {HOLE_CHARACTER} w {{}}"),
        ("', '.join(['a', 'b', x])", f"a, b, {HOLE_CHARACTER}"),
        ("'  a  '.strip()", "a"),
        ("str('a')", "a"),
        ("'a\\\nb'", "ab"),
    ],
)
def test_texts(expression: str, text: str) -> None:
    source, region, node = system_of(expression)
    assert node.kind == "string"
    assert node.text == text
    assert_spans(source, region)


def test_a_name_stands_at_its_use_and_its_text_where_it_is_written() -> None:
    source, region, node = system_of("RULES", "RULES = 'abc'\n")
    assert node.text == "abc"
    assert source_of(source, region, "/system") == "RULES"
    start = at(region, "/system")[1]
    assert source[start + source_offset(node, 1)] == "b"


def test_a_list_by_name_keeps_its_place() -> None:
    before = "BLOCKS = [{'type': 'text', 'text': 'abc'}]\n"
    source, region, node = system_of("BLOCKS", before)
    assert source_of(source, region, "/system") == "BLOCKS"
    assert source_of(source, region, "/system/0/text") == "'abc'"
    start = at(region, "/system")[1]
    assert node.body is not None
    first, length = node.body
    assert source[start + first : start + first + length] == "[{'type': 'text', 'text': 'abc'}]"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("x = 'a'\n", "a"),
        ("x: str = 'a'\n", "a"),
        ("x = 'a'\nx = 'b'\n", "b"),
        ("x = 'a'\nx += 'b'\n", "ab"),
        ("y = 'a'\nx = y\n", "a"),
        ("def x2():\n    return 'a'\nx = x2()\n", "a"),
        ("def f(t):\n    return t + '!'\nx = f('a')\n", "a!"),
        ("def f(t='d'):\n    return t\nx = f()\n", "d"),
        ("x = {'k': 'a'}['k']\n", "a"),
        ("x = ['a', 'b'][1]\n", "b"),
    ],
)
def test_names_that_are_known(before: str, expected: str) -> None:
    assert system_of("x", before)[2].text == expected


@pytest.mark.parametrize(
    "before",
    [
        "",
        "from elsewhere import x\n",
        "if cond:\n    x = 'a'\n",
        "x = 'a'\nif cond:\n    x = 'b'\n",
        "x = 'a'\ndel x\n",
        "for x in ['a', 'b']:\n    pass\n",
        "with open('f') as x:\n    pass\n",
        "x, y = 'a', 'b'\n",
        "x = input()\n",
        "def x():\n    return 'a'\n",
        "x = x\n",
        "x = y\ny = x\n",
    ],
)
def test_names_that_are_not(before: str) -> None:
    """What is not surely one text is none: the hole stands for any number of blocks."""
    node = system_of("x", before)[2]
    assert node.kind == "array"
    assert [value.kind for value in node.values] == ["hole"]


def test_a_global_that_a_function_sets_is_not_known() -> None:
    before = "x = 'a'\ndef change():\n    global x\n    x = 'b'\n"
    assert system_of("x", before)[2].kind == "array"


def test_an_assignment_behind_the_use_does_not_count() -> None:
    source = f"def f():\n    x = 'a'\n    {CALL.format('x')}\n    x = 'b'\n"
    assert at(one("python", source), "/system")[0].text == "a"


def test_a_function_sees_what_the_module_ends_with() -> None:
    source = f"x = 'a'\ndef f():\n    {CALL.format('x')}\nx = 'b'\n"
    assert at(one("python", source), "/system")[0].text == "b"


def test_methods_do_not_see_the_names_of_their_class() -> None:
    source = f"class A:\n    x = 'a'\n    def f(self):\n        {CALL.format('x')}\n"
    assert at(one("python", source), "/system")[0].kind == "array"
    source = f"class A:\n    x = 'a'\n    def f(self):\n        {CALL.format('self.x')}\n"
    assert at(one("python", source), "/system")[0].text == "a"


BLOCK = "{'type': 'text', 'text': 'a'}"


@pytest.mark.parametrize(
    ("expression", "before", "expected"),
    [
        (f"[{BLOCK}]", "", [{"type": "text", "text": "a"}]),
        (f"({BLOCK},)", "", [{"type": "text", "text": "a"}]),
        ("[dict(type='text', text='a')]", "", [{"type": "text", "text": "a"}]),
        ("[TextBlockParam(type='text', text='a')]", "", [{"type": "text", "text": "a"}]),
        ("[{**base, 'text': 'a'}]", "base = {'type': 'text'}\n", [{"type": "text", "text": "a"}]),
        ("[*x, 'b']", "x = ['a']\n", ["a", "b"]),
        ("['a'] + ['b']", "", ["a", "b"]),
        ("x", "x = ['a']\nx.append('b')\n", ["a", "b"]),
        ("x", "x = ['a']\nx.extend(['b', 'c'])\n", ["a", "b", "c"]),
        ("x", "x = ['b']\nx.insert(0, 'a')\n", ["a", "b"]),
        ("x", f"x = [{BLOCK}]\nx[-1]['k'] = 'v'\n", [{"type": "text", "text": "a", "k": "v"}]),
        ("[b]", "b = {'type': 'text'}\nb['text'] = 'a'\n", [{"type": "text", "text": "a"}]),
        ("[b]", "b = {'type': 'text'}\nb.update({'text': 'a'})\n", [{"type": "text", "text": "a"}]),
        (
            "[f({'type': 'text', 'text': 'a'})]",
            "def f(b):\n    b['k'] = 1\n    return b\n",
            [{"type": "text", "text": "a", "k": 1}],
        ),
    ],
)
def test_objects_and_lists(expression: str, before: str, expected: object) -> None:
    source, region, _ = system_of(expression, before)
    assert plain(region)["system"] == expected
    assert_spans(source, region)


@pytest.mark.parametrize(
    ("expression", "before", "kinds"),
    [
        ("[f(x) for x in xs]", "", ["hole"]),
        ("[*xs, 'b']", "", ["hole", "string"]),
        ("xs + ['b']", "", ["hole", "string"]),
        ("x", "x = ['a']\nif c:\n    x.append('b')\n", ["string", "hole"]),
        ("x", "x = ['a']\nfor y in ys:\n    x.append(y)\n", ["string", "hole"]),
    ],
)
def test_lists_of_which_a_part_is_not_known(expression: str, before: str, kinds: list[str]) -> None:
    assert [value.kind for value in system_of(expression, before)[2].values] == kinds


def test_what_a_loop_appends_is_there_the_next_time() -> None:
    source = (
        "def chat():\n    messages = []\n    while True:\n"
        "        r = client.messages.create(model='m', system='s', messages=messages)\n"
        "        messages.append({'role': 'assistant', 'content': r.content})\n"
    )
    node = at(one("python", source), "/messages")[0]
    assert [value.kind for value in node.values] == ["hole"]


@pytest.mark.parametrize(
    ("source", "raw"),
    [
        ("1024", "1024"),
        ("1_000", "1000"),
        ("-5", "-5"),
        ("0.5", "0.5"),
        ("1.", "1.0"),
        (".5", "0.5"),
    ],
)
def test_numbers(source: str, raw: str) -> None:
    region = one("python", f"client.messages.create(messages=[], max_tokens={source})")
    node = at(region, "/max_tokens")[0]
    assert (node.kind, node.raw, node.length) == ("number", raw, len(source))


def test_words() -> None:
    region = one("python", "client.messages.create(messages=[], a=True, b=False, c=None, d=x)")
    assert [at(region, f"/{key}")[0].kind for key in "abcd"] == ["true", "false", "null", "hole"]


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        ("client.messages.create(messages=m)", "anthropic-messages"),
        ("self._client.beta.messages.stream(messages=m)", "anthropic-messages"),
        ("await client.messages.count_tokens(messages=m)", "anthropic-messages"),
        ("c.beta.prompt_caching.messages.create(messages=m)", "anthropic-messages"),
        ("client.messages.with_raw_response.create(messages=m)", "anthropic-messages"),
        ("client.chat.completions.create(messages=m)", "chat-completions"),
        ("litellm.completion(messages=m)", "chat-completions"),
        ("await acompletion(messages=m)", "chat-completions"),
        ("runtime.converse(messages=m)", "bedrock-converse"),
        ("runtime.converse_stream(messages=m)", "bedrock-converse"),
        ("client.messages.create(**{'messages': m})", "anthropic-messages"),
        ("client.messages.create(**dict(messages=m))", "anthropic-messages"),
    ],
)
def test_calls(call: str, shape: str) -> None:
    assert shape in [region.shape for region in values("python", f"r = {call}\n")]


@pytest.mark.parametrize(
    "call",
    [
        "client.messages.create(to='1', body='messages=')",
        "messages.create(thread_id=t)",
        "completion(model='m')  # messages=",
        "converse(messages=m)",
        "print(messages=m)",
    ],
)
def test_other_calls(call: str) -> None:
    assert values("python", f"{call}\n") == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x['cache_control'] = {'type': 'ephemeral'}", True),
        ("x[0]['content'][-1]['cache_control'] = {'ttl': '1h'}", True),
        ("block.cache_control = {'type': 'ephemeral'}", True),
        ("y = {'text': t, 'cache_control': {'type': 'ephemeral'}}", True),
        ("y = {'type': 'text', 'text': t, 'cache_control': True}", True),
        ("f(text=t, cache_control={'type': 'ephemeral'})", True),
        ("M = {'type': 'e'}\nx['cache_control'] = M", True),
        ("x['cache_control'] = marker", False),
        ("x['cache_control'] = 'no-store'", False),
        ("response.cache_control = 'no-cache'", False),
        ("f(cache_control={'max_age': 3})", False),
        ("f(cache_control='max-age=3')", False),
        ("@cache_control(max_age=3)\ndef f(): pass", False),
        ("assert x['cache_control'] == {'type': 'ephemeral'}", False),
        ("{'cache_control': 'public', 'etag': 'x'}", False),
    ],
)
def test_markers_without_their_request(source: str, found: bool) -> None:
    assert [region.shape for region in values("python", source)] == [MARKER] * found


def test_a_marker_that_a_request_holds_is_not_there_twice() -> None:
    before = "def f(b):\n    b['cache_control'] = {'type': 'ephemeral'}\n    return b\n"
    source = before + CALL.format("[f({'type': 'text', 'text': 'a'})]")
    assert [region.shape for region in values("python", source)] == ["anthropic-messages"]


def test_a_marker_that_is_set_under_a_condition_is_looked_at_on_its_own() -> None:
    source = (
        "def f(c):\n    b = {'type': 'text', 'text': 'a'}\n    if c:\n"
        "        b['cache_control'] = {'type': 'ephemeral', 'ttl': '1y'}\n"
        f"    {CALL.format('[b]')}\n"
    )
    assert sorted(region.shape for region in values("python", source)) == [
        "anthropic-messages",
        MARKER,
    ]


def test_the_model_stands_beside_the_body() -> None:
    source = (
        "M = 'anthropic.claude-x'\nb.invoke_model(modelId=M, body=json.dumps({'messages': []}))"
    )
    assert one("python", source).beside["modelId"].text == "anthropic.claude-x"


ORIGINS = [
    ("datetime.now()", "call"),
    ("datetime.datetime.now(tz)", "call"),
    ("time.time()", "call"),
    ("uuid.uuid4()", "call"),
    ("uuid4().hex", "call"),
    ("str(uuid.uuid4())[:8]", "call"),
    ("random.randint(1, 6)", "call"),
    ("secrets.token_hex()", "call"),
    ("date.today()", "day"),
    ("datetime.now().date()", "day"),
    ("datetime.now().year", "day"),
    ("datetime.now().strftime('%d %B %Y')", "day"),
    ("datetime.now().strftime('%d %B %Y %H:%M')", "call"),
    ("time.strftime('%Y-%m-%d')", "day"),
    ("os.environ['X']", "start"),
    ("os.getenv('X')", "start"),
    ("', '.join(set(xs))", "order"),
    ("list({a, b})", "order"),
    ("json.dumps(data)", "order"),
    ("os.listdir(p)", "order"),
    ("sorted(set(xs))", None),
    ("', '.join(sorted({a, b}))", None),
    ("json.dumps(data, sort_keys=True)", None),
    ("json.dumps(CONFIG)", None),
    ("len(xs)", None),
    ("datetime.fromisoformat(t)", None),
    ("time.strftime('%Y', moment)", "day"),
    ("next(iter(xs))", None),
    ("config.name", None),
]


@pytest.mark.parametrize(("expression", "change"), ORIGINS)
def test_where_values_come_from(expression: str, change: str | None) -> None:
    call = CALL.format("FIELD").replace("FIELD", f'f"""a {{{expression}}}"""')
    source = f"def f():\n    {call}\n"
    node = at(one("python", source), "/system")[0]
    (hole,) = node.holes
    assert (hole.origin.change if hole.origin is not None else None) == change


def test_the_way_of_a_value() -> None:
    source = (
        "def stamp():\n    now = datetime.now()\n    return now.isoformat()\n\n"
        f"def f():\n    text = 'at ' + stamp()\n    {CALL.format('text')}\n"
    )
    node, start = at(one("python", source), "/system")
    (hole,) = node.holes
    origin = hole.origin
    assert origin is not None
    assert source[start + origin.start : start + origin.end] == "datetime.now()"
    way = [source[start + first : start + last] for _, first, last in origin.steps]
    assert way == ["now", "stamp()", "text"]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x00\ufffc"), max_size=30),
    st.sampled_from(["ascii", "repr", "triple", "raw"]),
)
def test_any_text_is_read_as_python_reads_it(text: str, form: str) -> None:
    if form == "ascii":
        literal = ascii(text)
    elif form == "repr":
        literal = repr(text)
    elif form == "raw":
        if any(character in text for character in "'\\\n"):
            return
        literal = f"r'{text}'"
    else:
        literal = '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    source, region, node = system_of(literal)
    assert node.kind == "string"
    assert node.text == ast.literal_eval(literal)
    assert_spans(source, region)


@given(st.text(string.ascii_letters + "(){}[]'\"\\:,=.*#f \n", max_size=60), st.integers(0, 80))
def test_no_text_is_too_broken(noise: str, place: int) -> None:
    source = CALL.format("[{'type': 'text', 'text': f'a{x}', 'cache_control': {}}]")
    broken = source[:place] + noise + source[place:]
    for region in read_regions("python", broken):
        if region.node is not None:
            assert 0 <= region.start <= region.end <= len(broken)


def test_deep_nesting_ends_in_a_hole() -> None:
    source = CALL.format("[" * 500 + "]" * 500)
    assert values("python", source)
    source = "x0 = 'a'\n" + "".join(f"x{n + 1} = x{n} + 'a'\n" for n in range(300))
    values("python", source + CALL.format("x300"))
