import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import type { Wheels } from "../src/environment";
import { isInside, locateServer, StartError, type Surroundings } from "../src/locate";
import type { Run } from "../src/process";

/** Pythons by path: the version, and that of Cachewise in it. */
type Pythons = Record<string, { version: string; cachewise?: string }>;

/** Answers as those Pythons would, and plays venv and pip; `said` gets each call. */
function play(pythons: Pythons, said: string[] = []): Run {
  return async (command, args) => {
    said.push([command, ...args].join(" "));
    const ok = (stdout: string) => ({ status: 0, stdout, stderr: "" });
    if (args.includes("venv")) {
      const folder = path.join(args.at(-1) as string, "bin");
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, "python"), "");
      return ok("");
    }
    if (command.includes("env-") && pythons[command] === undefined)
      return ok('{"shape": "anthropic-messages"}');
    const python = pythons[command];
    if (python === undefined) {
      return { status: null, stdout: "", stderr: "", failure: `spawn ${command} ENOENT` };
    }
    if (args.includes("--version")) return ok(`cachewise ${python.cachewise}`);
    return ok(`${python.version}\n${python.cachewise === undefined ? "False" : "True"}\n`);
  };
}

const WHEELS: Wheels = {
  folder: "/ext/wheels",
  version: "0.2.0",
  pythons: ["3.11", "3.12", "3.13"],
  pip: "pip-25.0-py3-none-any.whl",
  digest: "abcdef0123456789",
};

const scratch: string[] = [];
test.after(() => {
  for (const folder of scratch) rmSync(folder, { recursive: true, force: true });
});

function around(pythons: Pythons, more: Partial<Surroundings> = {}, log: string[] = []) {
  const storage = mkdtempSync(path.join(tmpdir(), "cachewise-locate-"));
  scratch.push(storage);
  return {
    setting: "",
    folders: ["/home/ada/proj"],
    trusted: true,
    home: "/home/ada",
    activeEnvironment: async () => null,
    machinePythons: () => Object.keys(pythons),
    oldestServer: "0.2.0",
    wheels: WHEELS,
    storage,
    run: play(pythons),
    log: (line: string) => log.push(line),
    progress: () => {},
    ...more,
  } satisfies Surroundings;
}

test("the setting comes first, and its own Cachewise is used", async () => {
  const pythons = { "/opt/py": { version: "3.12.0", cachewise: "0.2.0" } };
  const log: string[] = [];
  const found = await locateServer(around(pythons, { setting: " /opt/py " }, log));
  assert.deepEqual(found, { path: "/opt/py", origin: "environment" });
  assert.deepEqual(log, [
    "1/5 setting: /opt/py (Python 3.12.0)",
    "4/5 cachewise: version 0.2.0 is installed in /opt/py",
  ]);
});

test("a setting that does not work is an error, and nothing else is tried", async () => {
  const pythons = { "/usr/bin/python3": { version: "3.12.0", cachewise: "0.2.0" } };
  await assert.rejects(
    locateServer(around(pythons, { setting: "/no/such" })),
    (error) =>
      error instanceof StartError &&
      error.step === "setting" &&
      error.message === "/no/such: spawn /no/such ENOENT",
  );
});

test("~ and ${workspaceFolder} may stand in the setting", async () => {
  const pythons = {
    "/home/ada/py": { version: "3.12.0", cachewise: "0.2.0" },
    "/home/ada/proj/.venv/bin/python": { version: "3.12.0", cachewise: "0.2.0" },
  };
  for (const [setting, path] of [
    ["~/py", "/home/ada/py"],
    ["${workspaceFolder}/.venv/bin/python", "/home/ada/proj/.venv/bin/python"],
  ]) {
    assert.equal((await locateServer(around(pythons, { setting: setting ?? "" }))).path, path);
  }
});

test("then the environment of the Python extension", async () => {
  const pythons = {
    "/usr/bin/python3": { version: "3.12.0", cachewise: "0.2.0" },
    "/home/ada/proj/.venv/bin/python": { version: "3.11.0", cachewise: "0.3.0" },
  };
  const activeEnvironment = async () => "/home/ada/proj/.venv/bin/python";
  const found = await locateServer(around(pythons, { activeEnvironment }));
  assert.equal(found.path, "/home/ada/proj/.venv/bin/python");
});

test("an active environment that is too old is passed over, with the reason in the log", async () => {
  const pythons = {
    "/home/ada/proj/.venv/bin/python": { version: "3.9.2" },
    "/usr/bin/python3": { version: "3.12.0", cachewise: "0.2.0" },
  };
  const log: string[] = [];
  const activeEnvironment = async () => "/home/ada/proj/.venv/bin/python";
  const found = await locateServer(around(pythons, { activeEnvironment }, log));
  assert.equal(found.path, "/usr/bin/python3");
  assert.ok(
    log.includes(
      "2/5 Python extension: /home/ada/proj/.venv/bin/python: Python 3.9.2 is older than 3.11",
    ),
    log.join("\n"),
  );
});

test("in an untrusted workspace nothing inside it is run", async () => {
  const pythons = {
    "/home/ada/proj/.venv/bin/python": { version: "3.12.0", cachewise: "9.0.0" },
    "/usr/bin/python3": { version: "3.12.0", cachewise: "0.2.0" },
  };
  const said: string[] = [];
  const found = await locateServer(
    around(pythons, {
      trusted: false,
      setting: "${workspaceFolder}/.venv/bin/python",
      activeEnvironment: async () => "/home/ada/proj/.venv/bin/python",
      machinePythons: () => ["/usr/bin/python3"],
      run: play(pythons, said),
    }),
  );
  assert.equal(found.path, "/usr/bin/python3");
  assert.deepEqual(
    said.filter((line) => line.includes("/home/ada/proj")),
    [],
  );
});

test("an older Cachewise than the extension's own leads to a private environment", async () => {
  const pythons = { "/usr/bin/python3": { version: "3.12.0", cachewise: "0.1.9" } };
  const said: string[] = [];
  const surroundings = around(pythons, { run: play(pythons, said) });
  const found = await locateServer(surroundings);
  assert.equal(found.origin, "private");
  assert.equal(
    found.path,
    path.join(surroundings.storage, "env-0.2.0-py3.12.0-abcdef01", "bin", "python"),
  );
  const install = said.find((line) => line.includes(" install "));
  assert.match(install ?? "", /--no-index --find-links \/ext\/wheels cachewise==0\.2\.0$/);
});

test("a Python that the wheels do not serve makes way for one that they do", async () => {
  const pythons = {
    "/usr/bin/python3.20": { version: "3.20.0" },
    "/usr/bin/python3.13": { version: "3.13.1" },
  };
  const said: string[] = [];
  const found = await locateServer(around(pythons, { run: play(pythons, said) }));
  assert.equal(found.origin, "private");
  assert.ok(said.some((line) => line.startsWith("/usr/bin/python3.13 -m venv")));
});

test("each way to fail names its step", async () => {
  const cases: [string, string, Partial<Surroundings>, Pythons][] = [
    [
      "machine",
      "no Python 3.11 or newer was found",
      {},
      { "/usr/bin/python3": { version: "3.8.1" } },
    ],
    [
      "cachewise",
      "this build of the extension brings none along",
      { wheels: null },
      { "/usr/bin/python3": { version: "3.12.0" } },
    ],
    [
      "cachewise",
      "the extension has packages for Python 3.11, 3.12, 3.13",
      {},
      { "/usr/bin/python3": { version: "3.20.0" } },
    ],
  ];
  for (const [step, reason, more, pythons] of cases) {
    await assert.rejects(
      locateServer(around(pythons, more)),
      (error) =>
        error instanceof StartError && error.step === step && error.message.includes(reason),
      reason,
    );
  }
});

test("an environment whose server recognises no request is not used", async () => {
  const pythons = { "/usr/bin/python3": { version: "3.12.0" } };
  const good = play(pythons);
  const run: Run = async (command, args, options) =>
    args.includes("check") ? { status: 0, stdout: "{}", stderr: "" } : good(command, args, options);
  const surroundings = around(pythons, { run });
  await assert.rejects(
    locateServer(surroundings),
    (error) => error instanceof StartError && /did not recognise a request/.test(error.message),
  );
  // Made anew the next time, since it was never declared complete.
  assert.equal((await locateServer({ ...surroundings, run: good })).origin, "private");
});

test("a folder that only begins alike is not inside", () => {
  assert.equal(isInside("/home/ada/proj/.venv/bin/python", ["/home/ada/proj"]), true);
  assert.equal(isInside("/home/ada/proj", ["/home/ada/proj"]), true);
  assert.equal(isInside("/home/ada/proj-2/bin/python", ["/home/ada/proj"]), false);
  assert.equal(isInside("/home/ada/proj/../other/python", ["/home/ada/proj"]), false);
});
