import assert from "node:assert/strict";
import test from "node:test";
import type { Outcome } from "../src/process";
import { compareVersions, look, type Machine, parseVersion, pythonsOf } from "../src/python";

const machine = (files: string[], more: Partial<Machine> = {}): Machine => ({
  platform: "linux",
  env: { PATH: "/usr/local/bin:/usr/bin" },
  home: "/home/ada",
  exists: (file) => files.includes(file),
  real: (file) => file,
  list: (folder) => {
    const start = folder + (more.platform === "win32" ? "\\" : "/");
    const below = files.filter((file) => file.startsWith(start));
    return [...new Set(below.map((file) => file.slice(start.length).split(/[\\/]/)[0] ?? ""))];
  },
  ...more,
});

test("the newest Python comes first, wherever it is, and each once", () => {
  const files = [
    "/usr/bin/python3",
    "/usr/bin/python3.11",
    "/usr/bin/python3.11-config",
    "/usr/bin/python3.9",
    "/usr/local/bin/python3.13",
    "/opt/homebrew/bin/python3.12",
  ];
  assert.deepEqual(pythonsOf(machine(files)), [
    "/usr/local/bin/python3.13",
    "/opt/homebrew/bin/python3.12",
    "/usr/bin/python3.11",
    "/usr/bin/python3",
  ]);
});

test("two names of one Python are one, two environments of one Python are two", () => {
  const links: Record<string, string> = {
    "/bin": "/usr/bin",
    "/bin/python3": "/usr/bin/python3.11",
    "/usr/bin/python3": "/usr/bin/python3.11",
    "/env/bin/python3": "/usr/bin/python3.11",
  };
  const files = ["/usr/bin/python3.11", "/bin/python3", "/usr/bin/python3", "/env/bin/python3"];
  const env = { PATH: "/env/bin:/bin:/usr/bin" };
  const real = (file: string) => links[file] ?? file;
  assert.deepEqual(pythonsOf(machine(files, { env, real })), [
    "/usr/bin/python3.11",
    "/env/bin/python3",
  ]);
});

test("pyenv's versions are found behind its shims, the newest first by number", () => {
  const versions = ["3.9.18", "3.11.7", "3.13.0", "3.12.1", "pypy3.10-7.3.13"];
  const files = [
    "/home/ada/.pyenv/shims/python3",
    ...versions.map((version) => `/home/ada/.pyenv/versions/${version}/bin/python`),
  ];
  const found = pythonsOf(machine(files, { env: { PATH: "/home/ada/.pyenv/shims:/usr/bin" } }));
  assert.deepEqual(
    found.map((file) => file.split("/")[5]),
    ["3.13.0", "3.12.1", "3.11.7"],
  );
});

test("nothing of the workspace and nothing relative is taken from PATH", () => {
  const files = ["/home/me/proj/.venv/bin/python", "bin/python", "./python", "/usr/bin/python3"];
  const env = { PATH: "/home/me/proj/.venv/bin:bin:.::/usr/bin" };
  assert.deepEqual(pythonsOf(machine(files, { env }), ["/home/me/proj"]), ["/usr/bin/python3"]);
  const sibling = ["/home/me/proj-tools/bin/python"];
  const beside = machine(sibling, { env: { PATH: "/home/me/proj-tools/bin" } });
  assert.deepEqual(pythonsOf(beside, ["/home/me/proj"]), sibling);
});

test("Windows has its own names and folders", () => {
  const programs = "C:\\Users\\Ada\\AppData\\Local\\Programs\\Python";
  const files = [
    `${programs}\\Launcher\\py.exe`,
    `${programs}\\Python39\\python.exe`,
    `${programs}\\Python311\\python.exe`,
    `${programs}\\Python313\\python.exe`,
    "C:\\Python\\python.exe",
  ];
  const found = pythonsOf(
    machine(files, {
      platform: "win32",
      env: { Path: "C:\\Python;relative", LOCALAPPDATA: "C:\\Users\\Ada\\AppData\\Local" },
    }),
  );
  assert.deepEqual(found, [files[3], files[2], files[4]]);
});

const answers =
  (...outcomes: Partial<Outcome>[]) =>
  async (): Promise<Outcome> => ({ status: 0, stdout: "", stderr: "", ...outcomes.shift() });

test("a Python with Cachewise is asked for its version", async () => {
  const run = answers({ stdout: "3.12.1\r\nTrue\r\n" }, { stdout: "cachewise 0.10.2\n" });
  assert.deepEqual(await look("python", "/", run), {
    found: { path: "python", version: [3, 12, 1], cachewise: "0.10.2" },
  });
});

test("a Cachewise that does not answer counts as none", async () => {
  const run = answers(
    { stdout: "3.12.1\nTrue\n" },
    { status: 1, stderr: "ModuleNotFoundError: No module named 'pygls'" },
  );
  assert.deepEqual(await look("python", "/", run), {
    found: { path: "python", version: [3, 12, 1], cachewise: null },
  });
});

test("3.11.0 is new enough, 3.10.99 is not", async () => {
  assert.ok("found" in (await look("p", "/", answers({ stdout: "3.11.0\nFalse\n" }))));
  assert.deepEqual(await look("p", "/", answers({ stdout: "3.10.99\nFalse\n" })), {
    refused: "Python 3.10.99 is older than 3.11",
  });
});

test("the reason of a refusal is the last thing that was said", async () => {
  const trace = "Traceback (most recent call last):\n  File x\nImportError: no sys\n\n";
  assert.deepEqual(await look("p", "/", answers({ status: 1, stderr: trace })), {
    refused: "ImportError: no sys",
  });
  const missing = { status: null, failure: "spawn p ENOENT" };
  assert.deepEqual(await look("p", "/", answers(missing)), { refused: "spawn p ENOENT" });
  assert.deepEqual(await look("p", "/", answers({ stdout: "hello\n" })), {
    refused: 'it answered "hello"',
  });
});

test("versions are compared by number", () => {
  assert.ok(compareVersions([0, 10, 0], [0, 9, 9]) > 0);
  assert.ok(compareVersions([3, 11], [3, 11, 0]) === 0);
  assert.ok(compareVersions([3, 10, 13], [3, 11]) < 0);
  assert.deepEqual(parseVersion("cachewise 1.2.3rc1\n"), [1, 2, 3]);
  assert.equal(parseVersion("cachewise"), null);
});
