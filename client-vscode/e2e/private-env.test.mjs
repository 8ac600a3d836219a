// The private environment, made by the extension's own code from the wheels of the package, with
// each Python that we can find here, and without a network. `npm run package` makes the wheels.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { load } from "./load.mjs";

const wheelsFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "wheels");
const { EnvironmentError, privateEnvironment, readWheels, serves } = await load("environment");
const { run } = await load("process");
const { look, pythonsOf, thisMachine } = await load("python");

/** In a network namespace of its own a process has no way out at all. */
const isolated = spawnSync("unshare", ["-rn", "true"]).status === 0;
const runOffline = isolated
  ? (command, args, options) => run("unshare", ["-rn", command, ...args], options)
  : run;

const scratch = () => mkdtempSync(path.join(tmpdir(), "cachewise-env-"));

async function findPythons() {
  const cwd = scratch();
  const found = new Map();
  for (const candidate of pythonsOf(thisMachine(homedir()))) {
    const answer = await look(candidate, cwd, run);
    if (!("found" in answer)) continue;
    const version = answer.found.version.join(".");
    if (!found.has(version)) found.set(version, answer.found);
  }
  return found;
}

const wheels = await readWheels(wheelsFolder);
const pythons = await findPythons();

const skip = wheels === null && "skipped: no wheels; run `npm run package` first";

for (const minor of wheels?.pythons ?? []) {
  if (![...pythons.keys()].some((version) => version.startsWith(`${minor}.`))) {
    test(`Python ${minor}`, { skip: `skipped: no Python ${minor} on this machine` }, () => {});
  }
}

for (const [version, base] of pythons) {
  if (wheels !== null && !serves(wheels, base)) continue;
  test(`Python ${version}: made without a network, and its server answers`, { skip }, async (t) => {
    t.diagnostic(isolated ? "in a network namespace without a network" : "with --no-index only");
    const storage = scratch();
    t.after(() => rmSync(storage, { recursive: true, force: true }));
    const stages = [];
    const making = {
      base,
      wheels,
      storage,
      run: runOffline,
      log: () => {},
      progress: (stage) => stages.push(stage),
    };
    const began = performance.now();
    const python = await privateEnvironment(making);
    t.diagnostic(`made in ${seconds(began)} s`);
    assert.deepEqual(stages, ["create", "install", "check"]);
    const version = execFileSync(python, ["-m", "cachewise", "--version"], { encoding: "utf8" });
    assert.ok(version.includes(wheels.version), version);
    assert.equal((await initialize(python)).serverInfo.name, "cachewise");

    const again = performance.now();
    assert.equal(await privateEnvironment(making), python);
    assert.equal(stages.length, 3, "the second start makes nothing");
    t.diagnostic(`found again in ${seconds(again)} s`);
  });
}

test("an environment that was left half-made is made anew", { skip }, async (t) => {
  const base = [...pythons.values()].find((python) => serves(wheels, python));
  const storage = scratch();
  t.after(() => rmSync(storage, { recursive: true, force: true }));
  const making = { base, wheels, storage, run, log: () => {}, progress: () => {} };
  const failing = async (command, args, options) =>
    args.includes("install")
      ? { status: 1, stdout: "", stderr: "Traceback\nOSError: no space left on device\n" }
      : run(command, args, options);
  await assert.rejects(
    privateEnvironment({ ...making, run: failing }),
    (error) => error instanceof EnvironmentError && /no space left on device/.test(error.message),
  );
  mkdirSync(path.join(storage, "env-0.0.1-py3.11.0-00000000"));
  const [one, two] = await Promise.all([privateEnvironment(making), privateEnvironment(making)]);
  assert.equal(one, two, "two windows make one environment");
  assert.ok(existsSync(one));
  assert.equal(readdirSync(storage).length, 1, "outdated environments and locks are gone");
});

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

/** Says `initialize` to a server and gives what it answers. */
function initialize(python) {
  return new Promise((resolve, reject) => {
    const server = spawn(python, ["-m", "cachewise", "lsp", "--stdio"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`the server ended; it wrote ${text}`)));
    server.stdout.setEncoding("utf8").on("data", (part) => {
      text += part;
      const body = /\r\n\r\n(\{.*\})$/s.exec(text)?.[1];
      if (body === undefined) return;
      server.removeAllListeners("exit");
      server.kill();
      resolve(JSON.parse(body).result);
    });
    const params = { processId: process.pid, rootUri: null, capabilities: {} };
    const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`);
  });
}
