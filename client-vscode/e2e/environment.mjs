// A private environment that several tests share, and folders that are removed at the end.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { load } from "./load.mjs";
import { root } from "./tools.mjs";

const made = [];
test.after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder. */
export function scratch(name) {
  const folder = mkdtempSync(path.join(tmpdir(), `cachewise-${name}-`));
  made.push(folder);
  return folder;
}

/** A new folder with these files in it. */
export function folderWith(files) {
  const folder = scratch("folder");
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

let environment;

/** The Python of an environment made from the wheels of the package, once for a test file. */
export function python() {
  environment ??= makeEnvironment();
  return environment;
}

async function makeEnvironment() {
  // For work on the server: its own environment instead of the packed wheels.
  if (process.env.CACHEWISE_E2E_PYTHON) return process.env.CACHEWISE_E2E_PYTHON;
  const { privateEnvironment, readWheels, serves } = await load("environment");
  const { run } = await load("process");
  const { look, pythonsOf, thisMachine } = await load("python");
  const wheels = await readWheels(path.join(root, "client-vscode", "wheels"));
  const storage = scratch("python");
  for (const candidate of pythonsOf(thisMachine(homedir()))) {
    const answer = await look(candidate, storage, run);
    if (!("found" in answer) || !serves(wheels, answer.found)) continue;
    const quiet = { log: () => {}, progress: () => {} };
    return privateEnvironment({ base: answer.found, wheels, storage, run, ...quiet });
  }
  throw new Error("no Python that the wheels serve");
}
