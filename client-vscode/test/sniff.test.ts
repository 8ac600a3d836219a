import assert from "node:assert/strict";
import test from "node:test";
import { mayHoldRequest } from "../src/sniff";

const requests: Record<string, string> = {
  "a Messages body": '{"model": "claude-sonnet-4-5", "messages": [{"role": "user"}]}',
  "keys in alphabetical order": '{"max_tokens": 1, "messages": [], "model": "m"}',
  "a half-typed body": '{\n  "model": "claude-sonnet-4-5",\n  "system": [\n    {"type": "te',
  "an InvokeModel body": '{"anthropic_version": "bedrock-2023-05-31", "system": "x"}',
  "a Converse body": '{"modelId": "x", "system": [{"text": "y"}, {"cachePoint": {}}]}',
  "a Converse body without a model": '{"system": [{"text": "y"}], "inferenceConfig": {}}',
  "a Gemini body": '{"contents": [{"role": "user", "parts": [{"text": "x"}]}]}',
  "a batch line": '{"custom_id": "a", "params": {"max_tokens": 1}}',
  "a recorded pair": '{"request": {"model": "m", "messages": [{"role": "user"}]}, "response": {}}',
  "an OpenAI responses body": '{"model": "gpt-5", "input": "hello"}',
  "tools before all else": `{"tools": [{"name": "t", "input_schema": {}}${" ".repeat(70_000)}`,
  "a marker far down": `{"x": "${"y".repeat(200_000)}", "cache_control": {"type": "ephemeral"}}`,
  "keys on lines of their own": '{\n  "model"\n  :\n  "m", "messages"\t: [ {"role":"user"} ]}',
};

const others: Record<string, string> = {
  "an empty file": "",
  "a package": '{"name": "x", "version": "1.0.0", "scripts": {"build": "tsc"}}',
  "a TypeScript configuration": '{"compilerOptions": {"strict": true}, "include": ["src"]}',
  "a linter's report": '[{"filePath": "a.js", "messages": [{"ruleId": "x", "line": 1}]}]',
  translations: '{"messages": {"hello": "Hello", "bye": "Goodbye"}, "locale": "en"}',
  "words about caching": '{"description": "sets Cache-Control: max-age=60"}',
  "a car": '{"model": "2CV", "year": 1948}',
};

const code: Record<string, [language: string, text: string]> = {
  "a call in Python": ["python", "client.messages.create(**request)\n"],
  "a body in Python": ["python", "body = dict(model=MODEL, messages=[{'role': 'user'}])\n"],
  "a call through LiteLLM": ["python", "reply = completion(model=MODEL, messages=history)\n"],
  "a call to Bedrock": ["python", "bedrock.converse(modelId=MODEL, messages=history)\n"],
  "a YAML body": ["yaml", "model: claude-sonnet-5-5\nmessages:\n  - role: user\n"],
  "a proxy's configuration": ["yaml", "model_list:\n  - litellm_params:\n      model: x\n"],
  "curl, quoted once": ["shellscript", `curl -d '{"model": "m", "messages": []}' $URL\n`],
  "curl, quoted twice": ["shellscript", 'curl -d "{\\"model\\": 1, \\"messages\\": []}"\n'],
  "an HTTP file": ["http", 'POST /v1/messages\n\n{"model": "m", "messages": []}\n'],
  "a fence in prose": ["markdown", '```json\n{"model": "m", "messages": []}\n```\n'],
};

const otherCode: Record<string, [language: string, text: string]> = {
  "Django's messages": [
    "python",
    "from django.contrib import messages\nmessages.success(r, 'x')\n",
  ],
  "a data model": ["python", "class Car(models.Model):\n    model = models.CharField()\n"],
  "a workflow": ["yaml", "on: push\njobs:\n  build:\n    steps:\n      - run: make\n"],
  "a script": ["shellscript", "#!/bin/sh\necho messages >&2\n"],
  prose: ["markdown", "# Messages\n\nThe model sends messages, and each has a role.\n"],
};

Object.assign(code, {
  "a call in TypeScript": ["typescript", "await client.messages.create({ model, messages });\n"],
  "a call of the AI SDK": ["typescriptreact", "const r = streamText({ model, prompt });\n"],
  "a Converse call": ["javascript", "client.send(new ConverseCommand({ modelId }));\n"],
  "a builder in Java": ["java", "var p = MessageCreateParams.builder().build();\n"],
  "a builder in Kotlin": ["kotlin", "val p = MessageCreateParams.builder().build()\n"],
  "a struct in Go": ["go", "anthropic.MessageNewParams{MaxTokens: 1}\n"],
  "an object in C#": ["csharp", "new MessageCreateParams { MaxTokens = 1 }\n"],
  "a call in Ruby": ["ruby", "client.messages.create(model: m)\n"],
  "a call in PHP": ["php", "$client->messages->create(model: $m);\n"],
  "JSON in Rust": ["rust", 'json!({"model": m, "messages": []})\n'],
  "a Prompty file": ["prompty", "system:\nBe brief.\n"],
  "a dotprompt file": ["dotprompt", "Be brief, {{name}}.\n"],
  "a template of a prompt": ["jinja", "You are a pilot. {{ task }}\n"],
});

Object.assign(otherCode, {
  "a chat in TypeScript": [
    "typescript",
    'interface Chat { messages: Message[]; model: string }\nconst x = { role: "admin" };\n',
  ],
  "a React page": ["javascriptreact", "export const A = () => <b>{props.messages}</b>;\n"],
  "a server in Go": ["go", "type Car struct { Model string; Messages []string }\n"],
  "a bean": ["java", 'class Car { String model; List<String> messages; String role = "x"; }\n'],
  "HTTP caching in C#": ["csharp", 'headers["Cache-Control"] = "no-cache";\n'],
  "a model in Ruby": ["ruby", "class Car < ApplicationRecord\n  has_many :messages\nend\n"],
  "messages in PHP": ["php", "$messages = [['role' => 'admin', 'model' => 'x']];\n"],
  "an enum in Rust": ["rust", "enum Role { Admin }\nstruct Model { messages: Vec<String> }\n"],
  "a page's template": ["jinja", "<html><body>{{ page.title }}</body></html>\n"],
  "an empty prompt": ["prompty", " \n"],
});

test("a prompt file is known by its name", () => {
  for (const name of ["CLAUDE.md", "a.prompt.md", "review.instructions.md", "system_prompt.md"]) {
    assert.equal(mayHoldRequest("Be brief.\n", "markdown", `/project/${name}`), true, name);
    assert.equal(mayHoldRequest("\n", "markdown", `/project/${name}`), false, name);
  }
  for (const name of ["README.md", "claude.md/notes.md", "system_prompts_of_others.rst"]) {
    assert.equal(mayHoldRequest("Be brief.\n", "markdown", `/project/${name}`), false, name);
  }
  assert.equal(mayHoldRequest("Be brief.\n", "plaintext", "/project/system_prompt.txt"), true);
});

test("a large program without a request costs next to nothing", () => {
  const text = "const model = { role: 'x', messages: [] };\n"
    .repeat(250_000)
    .replaceAll(": [", ":[");
  const began = performance.now();
  assert.equal(mayHoldRequest(text, "typescript"), false);
  assert.ok(text.length > 10_000_000);
  assert.ok(performance.now() - began < 500, "10 MB are looked at in less than 500 ms");
});

for (const [name, [language, text]] of Object.entries(code)) {
  test(`may be a request: ${name}`, () => assert.equal(mayHoldRequest(text, language), true));
}

for (const [name, [language, text]] of Object.entries(otherCode)) {
  test(`is left alone: ${name}`, () => assert.equal(mayHoldRequest(text, language), false));
}

for (const [name, text] of Object.entries(requests)) {
  test(`may be a request: ${name}`, () => assert.equal(mayHoldRequest(text), true));
}

for (const [name, text] of Object.entries(others)) {
  test(`is left alone: ${name}`, () => assert.equal(mayHoldRequest(text), false));
}

test("a large file that holds no request costs next to nothing", () => {
  const text = `[${'{"name": "value", "list": [1, 2, 3]},'.repeat(300_000)}]`;
  const began = performance.now();
  assert.equal(mayHoldRequest(text), false);
  assert.ok(text.length > 10_000_000);
  assert.ok(performance.now() - began < 250, "11 MB are looked at in less than 250 ms");
});
