import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { devNull } from "node:os";
import path from "node:path";
import { lastLine, pythonEnvironment, type Run } from "./process";
import type { Interpreter } from "./python";

/** What `wheels/manifest.json` in the extension says about the wheels beside it. */
export interface Wheels {
  /** The folder that holds them. */
  readonly folder: string;
  /** The version of Cachewise among them. */
  readonly version: string;
  /** `major.minor` of each Python that they can be installed on. */
  readonly pythons: readonly string[];
  /** The file name of pip's own wheel: some systems' Python comes without pip. */
  readonly pip: string;
  /** Changes whenever one of the wheels does. */
  readonly digest: string;
}

/** Reads the manifest; null when this build of the extension carries no wheels. */
export async function readWheels(folder: string): Promise<Wheels | null> {
  let text: string;
  try {
    text = await readFile(path.join(folder, "manifest.json"), "utf8");
  } catch {
    // An extension run from its source folder has none until `npm run package` has made them.
    return null;
  }
  return { folder, ...(JSON.parse(text) as Omit<Wheels, "folder">) };
}

/** The private environment could not be made; the message is one sentence for a person. */
export class EnvironmentError extends Error {}

export interface Making {
  readonly base: Interpreter;
  readonly wheels: Wheels;
  /** The extension's own folder on this machine. */
  readonly storage: string;
  readonly run: Run;
  readonly log: (line: string) => void;
  /** Told each time the work moves on, for a progress notification. */
  readonly progress: (stage: "create" | "install" | "check") => void;
  readonly platform?: NodeJS.Platform;
}

/** Whether these wheels can be installed on that Python. */
export function serves(wheels: Wheels, base: Interpreter): boolean {
  return wheels.pythons.includes(`${base.version[0]}.${base.version[1]}`);
}

/**
 * Gives the Python of a private environment that has Cachewise, made from the extension's own
 * wheels without the network. One that is there already is used as it is.
 *
 * The folder's name holds everything that the content depends on, so an update of the extension or
 * of Python leads to a new environment, never to a changed one under a running server.
 */
export async function privateEnvironment(making: Making): Promise<string> {
  const { base, wheels, storage, log } = making;
  const ours = { start: `env-${wheels.version}-`, end: `-${wheels.digest.slice(0, 8)}` };
  const name = `${ours.start}py${base.version.join(".")}${ours.end}`;
  const folder = path.join(storage, name);
  const python =
    (making.platform ?? process.platform) === "win32"
      ? path.join(folder, "Scripts", "python.exe")
      : path.join(folder, "bin", "python");

  await mkdir(storage, { recursive: true });
  if (await isComplete(folder, python)) {
    log(`private environment: using ${folder}`);
    await noteUse(folder, log);
    return python;
  }
  const release = await lock(`${folder}.lock`, log);
  try {
    // Another window may have made it while this one waited for the lock.
    if (await isComplete(folder, python)) return python;
    await rm(folder, { recursive: true, force: true });
    await make(making, folder, python);
    await writeFile(path.join(folder, COMPLETE), `${base.path}\n`);
  } finally {
    await release();
  }
  await removeOutdated(storage, ours, log);
  return python;
}

async function make(making: Making, folder: string, python: string): Promise<void> {
  const { base, wheels, run, log, progress } = making;
  const env = { ...pythonEnvironment(process.env), PIP_CONFIG_FILE: devNull };
  const step = async (what: string, command: string, args: string[], timeout: number) => {
    log(`private environment: ${command} ${args.join(" ")}`);
    const outcome = await run(command, args, { cwd: making.storage, env, timeout });
    if (outcome.stdout.trim() !== "") log(outcome.stdout.trimEnd());
    if (outcome.stderr.trim() !== "") log(outcome.stderr.trimEnd());
    if (outcome.status === 0) return outcome.stdout;
    // pip and venv end with the reason, though not always on the same stream.
    const reason = outcome.failure ?? (lastLine(outcome.stderr) || lastLine(outcome.stdout));
    throw new EnvironmentError(`${what}: ${reason || `exit status ${outcome.status}`}`);
  };

  progress("create");
  await step(`${base.path} -m venv`, base.path, ["-m", "venv", "--without-pip", folder], 60_000);
  progress("install");
  // A wheel is a zip archive, and Python runs pip straight from it. That works on a Debian without
  // python3-venv too, and saves installing pip into an environment that never needs it again.
  await step(
    "pip install",
    python,
    [
      path.join(wheels.folder, wheels.pip, "pip"),
      "--isolated",
      "--disable-pip-version-check",
      "--no-input",
      "install",
      "--no-index",
      "--find-links",
      wheels.folder,
      `cachewise==${wheels.version}`,
    ],
    180_000,
  );
  progress("check");
  // Much of the server is loaded with the first request only. A package that was built for another
  // system shows itself here, and not as an editor in which nothing ever happens.
  const probe = path.join(folder, "probe.json");
  await writeFile(probe, JSON.stringify(PROBE));
  const answer = await step(
    "cachewise check",
    python,
    ["-m", "cachewise", "check", "--format", "json", "--fail-on", "never", probe],
    60_000,
  );
  if (!answer.includes('"anthropic-messages"')) {
    throw new EnvironmentError("cachewise check: it did not recognise a request");
  }
}

const PROBE = {
  model: "claude-sonnet-5-5",
  max_tokens: 1,
  system: [{ type: "text", text: "Hello.", cache_control: { type: "ephemeral" } }],
  messages: [{ role: "user", content: "Hello." }],
};

/** Written last: an environment without it was interrupted and is made anew. */
const COMPLETE = "cachewise-environment-complete";

async function isComplete(folder: string, python: string): Promise<boolean> {
  return (await exists(path.join(folder, COMPLETE))) && (await exists(python));
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}

const LOCK_STALE_MS = 5 * 60_000;
const LOCK_POLL_MS = 200;

/** Waits until this process alone may make the environment; gives the function that ends that. */
async function lock(folder: string, log: (line: string) => void): Promise<() => Promise<void>> {
  let told = false;
  for (;;) {
    try {
      await mkdir(folder);
      return () => rm(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (!told) log(`private environment: another window is making it (${folder})`);
    told = true;
    const age = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    // The window that held it was closed in the middle: its lock must not stop us for ever.
    if (age > LOCK_STALE_MS) await rm(folder, { recursive: true, force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

/** Says that an environment is in use, which keeps it from being removed for a while. */
async function noteUse(folder: string, log: (line: string) => void): Promise<void> {
  const now = new Date();
  await utimes(path.join(folder, COMPLETE), now, now).catch((error: Error) =>
    log(`private environment: its use is not noted: ${error.message}`),
  );
}

/** How long an outdated environment stays after its last use. */
const KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Removes the environments made from other wheels than these. Those of other Pythons stay: a second
 * window may have another Python selected. So does one that was used lately: after an update of the
 * extension, a window that is open still has its server there, and loads parts of it when needed.
 */
async function removeOutdated(
  storage: string,
  ours: { start: string; end: string },
  log: (line: string) => void,
): Promise<void> {
  for (const name of await readdir(storage)) {
    if (!name.startsWith("env-") || name.endsWith(".lock")) continue;
    if (name.startsWith(ours.start) && name.endsWith(ours.end)) continue;
    const used = await stat(path.join(storage, name, COMPLETE)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    if (Date.now() - used < KEPT_MS) continue;
    log(`private environment: removing the outdated ${name}`);
    await rm(path.join(storage, name), { recursive: true, force: true }).catch((error: Error) =>
      log(`private environment: ${name} is kept: ${error.message}`),
    );
  }
}
