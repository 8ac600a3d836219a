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
  "words about caching": '{"description": "sets Cache-Control: max-age=60 and cache_control"}',
  "a car": '{"model": "2CV", "year": 1948}',
};

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
