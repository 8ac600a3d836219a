import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { privateEnvironment } from "../src/environment";
import type { Run } from "../src/process";

const COMPLETE = "cachewise-environment-complete";
const DAY_S = 24 * 3_600;

/** Stands for Python: makes the environment's own, and answers the last check. */
const run: Run = async (_command, args) => {
  const folder = args.at(-1) ?? "";
  if (args.includes("venv")) {
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    writeFileSync(path.join(folder, "bin", "python"), "");
  }
  return { status: 0, stdout: '"anthropic-messages"', stderr: "" };
};

function put(storage: string, name: string, days: number | null): void {
  mkdirSync(path.join(storage, name, "bin"), { recursive: true });
  if (days === null) return;
  const file = path.join(storage, name, COMPLETE);
  writeFileSync(file, "");
  const used = Date.now() / 1000 - days * DAY_S;
  utimesSync(file, used, used);
}

test("an outdated environment goes when nobody has used it for a week", async () => {
  const storage = mkdtempSync(path.join(tmpdir(), "cachewise-storage-"));
  put(storage, "env-0.1.0-py3.12.0-00000001", 8);
  put(storage, "env-0.1.0-py3.12.0-00000002", 6);
  put(storage, "env-0.1.0-py3.12.0-00000003", null);
  put(storage, "env-0.2.0-py3.11.0-abcdef01", 300);
  const wheels = {
    folder: "/wheels",
    version: "0.2.0",
    pythons: ["3.12"],
    pip: "pip.whl",
    digest: "abcdef0123",
  };
  const base = { path: "/python", version: [3, 12, 0] as const, cachewise: null };
  const making = { base, wheels, storage, run, log: () => {}, progress: () => {} };
  const python = await privateEnvironment({ ...making, platform: "linux" });
  assert.ok(existsSync(python));
  assert.deepEqual(readdirSync(storage).sort(), [
    "env-0.1.0-py3.12.0-00000002",
    "env-0.2.0-py3.11.0-abcdef01",
    "env-0.2.0-py3.12.0-abcdef01",
  ]);
});
