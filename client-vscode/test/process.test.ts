import assert from "node:assert/strict";
import test from "node:test";
import { lastLine, pythonEnvironment, run } from "../src/process";

test("a program's output and status are collected", async () => {
  const script = 'console.log("out"); console.error("err"); process.exit(3)';
  assert.deepEqual(await run(process.execPath, ["-e", script], { timeout: 10_000 }), {
    status: 3,
    stdout: "out\n",
    stderr: "err\n",
  });
});

test("a program that does not answer is ended", async () => {
  const hang = "setInterval(() => {}, 1000)";
  const outcome = await run(process.execPath, ["-e", hang], { timeout: 300 });
  assert.equal(outcome.status, null);
  assert.equal(outcome.failure, "no answer within 0.3 s");
});

test("a program that is not there is a failure, not an exception", async () => {
  const outcome = await run("/no/such/program", [], { timeout: 1_000 });
  assert.equal(outcome.status, null);
  assert.equal(outcome.failure, "there is no such program");
});

test("what could lead Python to other code is taken out of its environment", () => {
  const env = pythonEnvironment({
    PATH: "/usr/bin",
    HOME: "/home/ada",
    PYTHONHOME: "/x",
    PYTHONPATH: "/x",
    PYTHONSTARTUP: "/x",
    PIP_INDEX_URL: "https://example.org",
    VIRTUAL_ENV: "/x",
    PYTHONUTF8: "0",
  });
  assert.deepEqual(env, {
    PATH: "/usr/bin",
    HOME: "/home/ada",
    PYTHONSAFEPATH: "1",
    PYTHONUTF8: "1",
  });
});

test("the last line is the last one that says something", () => {
  assert.equal(lastLine("a\r\nb  \r\n\r\n"), "b");
  assert.equal(lastLine("\n \n"), "");
});

test("what cannot even be started is an outcome too", async () => {
  for (const command of ["", "a\0b"]) {
    const outcome = await run(command, [], { timeout: 1_000 });
    assert.equal(outcome.status, null);
    assert.ok(outcome.failure);
  }
});
