"""JSON in shell commands and HTTP files, code in Markdown and notebooks: at its right place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.syntax.formats import may_hold_values, read_regions
from cachewise.syntax.tree import HOLE_CHARACTER, source_offset

from .reading import assert_spans, at, one, plain, source_of, values

BODY = {
    "model": "claude-sonnet-4-6",
    "system": [{"type": "text", "text": "a\n\"b\" é 'c' \\ d"}],
    "messages": [{"role": "user", "content": "q"}],
}
URL = "https://api.anthropic.com/v1/messages"


def single(text: str) -> str:
    """A text in a shell's single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def double(text: str) -> str:
    """A text in a shell's double quotes."""
    for character in '\\"$`':
        text = text.replace(character, f"\\{character}")
    return f'"{text}"'


COMMANDS = {
    "single": lambda body: f"curl {URL} -d {single(body)}",
    "double": lambda body: f"curl {URL} --data {double(body)}",
    "glued": lambda body: f"curl -d{single(body)} {URL}",
    "equals": lambda body: f"curl {URL} --json={single(body)}",
    "url": lambda body: f"curl -X POST --url {URL} --data-raw {single(body)}",
    "here": lambda body: f"curl {URL} -d @- <<'EOF'\n{body}\nEOF",
    "pipe": lambda body: f"cat <<'EOF' | curl {URL} --data-binary @-\n{body}\nEOF",
    "variable": lambda body: f'B={single(body)}\ncurl {URL} -d "$B"',
    "lines": lambda body: f"curl \\\n  {URL} \\\n  -s \\\n  -d {single(body)} | jq .",
    "prompt": lambda body: f"$ curl {URL} -d {single(body)}",
    "substitution": lambda body: f"R=$(curl -s {URL} -d {single(body)})",
}


@pytest.mark.parametrize("form", COMMANDS)
@pytest.mark.parametrize("indent", [None, 2])
def test_bodies_of_curl(form: str, indent: int | None) -> None:
    source = (
        "# first\n" + COMMANDS[form](json.dumps(BODY, indent=indent, ensure_ascii=False)) + "\n"
    )
    region = one("shell", source)
    assert plain(region) == BODY
    assert region.beside["url"].text == URL
    assert_spans(source, region)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x00\ufffc"), max_size=40),
    st.sampled_from(["single", "double", "variable"]),
)
def test_any_text_in_quotes(text: str, form: str) -> None:
    body = {"messages": [{"role": "user", "content": text}]}
    source = COMMANDS[form](json.dumps(body, ensure_ascii=False))
    region = one("shell", source)
    assert plain(region) == body
    assert_spans(source, region)


def test_variables_are_holes() -> None:
    message = """{"role": "user", "content": "a '"$X"' b"}"""
    source = f"""curl {URL} -d '{{"messages": [{message}], "n": '$N'}}'"""
    region = one("shell", source)
    node, start = at(region, "/messages/0/content")
    assert node.text == f"a {HOLE_CHARACTER} b"
    (hole,) = node.holes
    assert source[start + hole.start : start + hole.end] == "$X"
    assert source[start + source_offset(node, 4)] == "b"
    assert at(region, "/n")[0].kind == "hole"


@pytest.mark.parametrize("variable", ["$X", "${X}", "$(date)", "`date`", '$(echo "$(date)")'])
def test_variables_of_here_documents(variable: str) -> None:
    source = f'curl {URL} -d @- <<EOF\n{{"messages": ["a {variable} \\$b"]}}\nEOF\n'
    region = one("shell", source)
    node = at(region, "/messages/0")[0]
    assert node.text == f"a {HOLE_CHARACTER} $b"
    literal = source.replace("<<EOF", "<<'EOF'").replace("\\$", "$").replace('"$(date)"', "$(date)")
    node = at(one("shell", literal), "/messages/0")[0]
    assert HOLE_CHARACTER not in node.text


def test_variables_of_the_script_are_put_in() -> None:
    source = f'M=claude-sonnet-4-6\ncurl {URL} -d "{{\\"model\\": \\"$M\\", \\"messages\\": []}}"\n'
    assert plain(one("shell", source))["model"] == "claude-sonnet-4-6"


def test_headers_of_curl() -> None:
    source = f"curl {URL} -H 'a: b' -H \"anthropic-beta: c,d\" -d '{{\"messages\": []}}'"
    region = one("shell", source)
    headers = region.beside["headers"]
    assert headers.keys == ["a", "anthropic-beta"]
    assert headers.get_text("anthropic-beta") == "c,d"
    start = region.headers_start + headers.start_of("anthropic-beta")
    assert source.startswith("c,d", start)


@pytest.mark.parametrize(
    "source",
    [
        "curl -d @body.json",
        "curl -d",
        "curl 'unclosed",
        'curl "unclosed $(',
        "cat <<EOF\n{",
        "echo '{\"messages\"'",
        "x='",
        "curl -d $'a\\'b'",
        "<<",
        "$(",
        "\\",
    ],
)
def test_broken_scripts(source: str) -> None:
    read_regions("shell", source)


@given(st.text("curl -d'\"\\$(){}<>EOF\n|;&`# @", max_size=40))
def test_no_script_is_too_broken(source: str) -> None:
    for region in read_regions("shell", source):
        assert 0 <= region.start <= region.end <= len(source)


HTTP = """@host = https://api.anthropic.com
@model = claude-sonnet-4-6

### first
# @name first
POST {{host}}/v1/messages HTTP/1.1
x-api-key: {{key}}
anthropic-beta: a

{"model": "{{model}}", "system": "Now {{$timestamp}}", "n": {{n}}, "messages": []}

> {% client.log("x") %}

###
GET https://example.org/

### last
https://api.anthropic.com/v1/messages
content-type: application/json

{"messages": [{"role": "user", "content": "q"}]}
"""


def test_http_files() -> None:
    first, last = values("http", HTTP)
    assert plain(first)["model"] == "claude-sonnet-4-6"
    assert first.beside["url"].text == "https://api.anthropic.com/v1/messages"
    assert first.beside["headers"].keys == ["x-api-key", "anthropic-beta"]
    assert HTTP.startswith("x-api-key", first.headers_start)
    node, start = at(first, "/system")
    assert [hole.name for hole in node.holes] == ["$timestamp"]
    (hole,) = node.holes
    assert HTTP[start + hole.start : start + hole.end] == "{{$timestamp}}"
    assert at(first, "/n")[0].kind == "hole"
    assert source_of(HTTP, last, "/messages/0/content") == '"q"'


def test_line_breaks_of_windows() -> None:
    source = HTTP.replace("\n", "\r\n")
    first, last = values("http", source)
    assert plain(first)["model"] == "claude-sonnet-4-6"
    assert source_of(source, last, "/messages/0/content") == '"q"'


MARKDOWN = """# Title

- In a list:

  ```json
  {"messages": [
    {"role": "user", "content": "é\\n1"}]}
  ```

~~~~python
client.messages.create(model="m", messages=[{"role": "user", "content": f"x {y}"}])
~~~~

```
{"messages": []}
```

```text
{"messages": []}
```

```json
{"messages": [ "never closed"
"""


def test_fences() -> None:
    in_list, python, bare, last = values("markdown", MARKDOWN)
    assert plain(in_list)["messages"][0]["content"] == "é\n1"
    assert source_of(MARKDOWN, in_list, "/messages/0/content") == '"é\\n1"'
    assert python.shape == "anthropic-messages"
    assert source_of(MARKDOWN, python, "/model") == '"m"'
    assert plain(bare) == {"messages": []}
    assert plain(last) == {"messages": ["never closed"]}
    for region in (in_list, python, bare, last):
        assert_spans(MARKDOWN, region)


CELLS = [
    'RULES = "é \\"x\\"\\n"\n%pip install x\n!ls\n',
    'client.messages.create(\n    model="m",\n    system=RULES,\n'
    '    messages=[{"role": "user"}])\n',
]


def notebook(*cells: str, split: bool = True, indent: int | None = 1) -> str:
    return json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["messages"]},
                *(
                    {
                        "cell_type": "code",
                        "source": cell.splitlines(keepends=True) if split else cell,
                        "outputs": [],
                    }
                    for cell in cells
                ),
            ],
            "metadata": {"language_info": {"name": "python"}},
        },
        indent=indent,
        ensure_ascii=False,
    )


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("indent", [1, None])
def test_notebooks(split: bool, indent: int | None) -> None:
    source = notebook(*CELLS, split=split, indent=indent)
    region = one("notebook", source)
    assert plain(region)["system"] == 'é "x"\n'
    assert source_of(source, region, "/model") == '\\"m\\"'
    assert source_of(source, region, "/system") == "RULES"
    assert_spans(source, region)


def test_notebooks_of_other_languages_and_broken_ones() -> None:
    source = notebook(*CELLS).replace('"python"', '"brainfuck"')
    assert values("notebook", source) == []
    whole = notebook(*CELLS)
    for end in range(0, len(whole), 7):
        for region in values("notebook", whole[:end]):
            assert region.end <= end


def test_signs() -> None:
    assert may_hold_values("json", "anything") is None
    assert may_hold_values("python", "print('hello')") is False
    assert may_hold_values("python", "f(messages=[])") is True
    assert may_hold_values("notebook", notebook(*CELLS)) is True
