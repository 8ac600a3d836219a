import path from "node:path";
import { EnvironmentError, privateEnvironment, serves, type Wheels } from "./environment";
import type { Run } from "./process";
import { compareVersions, type Interpreter, look, parseVersion } from "./python";

/** The steps of a start, in their order; a failure names the one that failed. */
export const STEPS = ["setting", "extension", "machine", "cachewise", "server"] as const;
export type Step = (typeof STEPS)[number];

/** A step of the start failed; the message is the reason, in one sentence for a person. */
export class StartError extends Error {
  constructor(
    readonly step: Step,
    reason: string,
  ) {
    super(reason);
  }
}

export interface Surroundings {
  /** The value of `cachewise.interpreter`; empty when nobody has set it. */
  readonly setting: string;
  /** The folders of the workspace. */
  readonly folders: readonly string[];
  /** Whether the workspace is trusted: nothing inside an untrusted one is ever run. */
  readonly trusted: boolean;
  readonly home: string;
  /** The Python extension's active environment; null when there is none. */
  readonly activeEnvironment: () => Promise<string | null>;
  /** The Pythons of this machine, best first. */
  readonly machinePythons: () => readonly string[];
  /** The oldest version of the server that this extension works with. */
  readonly oldestServer: string;
  readonly wheels: Wheels | null;
  /** A folder of the extension's own, in which programs are started. */
  readonly storage: string;
  readonly run: Run;
  readonly log: (line: string) => void;
  readonly progress: (stage: "find" | "create" | "install" | "check") => void;
}

/** A Python with which `-m cachewise lsp --stdio` starts a server that fits this extension. */
export interface ServerPython {
  readonly path: string;
  readonly origin: "environment" | "private";
}

/**
 * Finds the Python that runs the server, making a private environment when no other will do.
 *
 * @throws StartError that names the step that failed
 */
export async function locateServer(around: Surroundings): Promise<ServerPython> {
  around.progress("find");
  const base = await chooseInterpreter(around);
  const { log } = around;
  if (base.cachewise !== null) {
    const installed = parseVersion(base.cachewise) ?? [];
    if (compareVersions(installed, parseVersion(around.oldestServer) ?? []) >= 0) {
      log(`4/5 cachewise: version ${base.cachewise} is installed in ${base.path}`);
      return { path: base.path, origin: "environment" };
    }
    log(`4/5 cachewise: ${base.cachewise} in ${base.path} is older than ${around.oldestServer}`);
  } else {
    log(`4/5 cachewise: not installed in ${base.path}`);
  }
  return { path: await makePrivate(around, base), origin: "private" };
}

async function chooseInterpreter(around: Surroundings): Promise<Interpreter> {
  const { log } = around;

  const setting = expand(around.setting, around);
  if (setting !== "" && !around.trusted && isInside(setting, around.folders)) {
    log(`1/5 setting: ${setting} lies in a folder that is not trusted: not used`);
  } else if (setting !== "") {
    const answer = await look(setting, around.storage, around.run);
    if ("found" in answer) {
      log(`1/5 setting: ${describe(answer.found)}`);
      return answer.found;
    }
    // A person chose this one. Silently taking another would hide the mistake.
    log(`1/5 setting: ${setting}: ${answer.refused}`);
    throw new StartError("setting", `${setting}: ${answer.refused}`);
  } else {
    log("1/5 setting: cachewise.interpreter is not set");
  }

  if (!around.trusted) {
    log("2/5 Python extension: not asked, the workspace is not trusted");
  } else {
    const active = await around.activeEnvironment();
    if (active === null) {
      log("2/5 Python extension: no active environment");
    } else {
      const answer = await look(active, around.storage, around.run);
      if ("found" in answer) {
        log(`2/5 Python extension: ${describe(answer.found)}`);
        return answer.found;
      }
      log(`2/5 Python extension: ${active}: ${answer.refused}`);
    }
  }

  const first = await firstOnMachine(around, () => true);
  if (first !== null) return first;
  throw new StartError("machine", "no Python 3.11 or newer was found");
}

async function firstOnMachine(
  around: Surroundings,
  suits: (python: Interpreter) => boolean,
): Promise<Interpreter | null> {
  for (const candidate of around.machinePythons()) {
    const answer = await look(candidate, around.storage, around.run);
    if ("refused" in answer) {
      around.log(`3/5 this machine: ${candidate}: ${answer.refused}`);
    } else if (suits(answer.found)) {
      around.log(`3/5 this machine: ${describe(answer.found)}`);
      return answer.found;
    } else {
      around.log(`3/5 this machine: ${describe(answer.found)}: no packages for this version`);
    }
  }
  return null;
}

async function makePrivate(around: Surroundings, base: Interpreter): Promise<string> {
  const { wheels, storage, run, log, progress } = around;
  if (wheels === null) {
    throw new StartError(
      "cachewise",
      `${base.path} has no Cachewise ${around.oldestServer} or newer, and this build of the ` +
        `extension brings none along (pip install cachewise)`,
    );
  }
  let from: Interpreter | null = base;
  if (!serves(wheels, base)) {
    log(`4/5 cachewise: the extension has no packages for ${describe(base)}`);
    from = await firstOnMachine(around, (python) => serves(wheels, python));
  }
  if (from === null) {
    throw new StartError(
      "cachewise",
      `the extension has packages for Python ${wheels.pythons.join(", ")}, and none of these was ` +
        "found",
    );
  }
  try {
    return await privateEnvironment({ base: from, wheels, storage, run, log, progress });
  } catch (error) {
    if (error instanceof EnvironmentError) throw new StartError("cachewise", error.message);
    throw new StartError("cachewise", (error as Error).message);
  }
}

const describe = (python: Interpreter) => `${python.path} (Python ${python.version.join(".")})`;

/** Replaces `~` and `${workspaceFolder}` as people write them in a setting. */
function expand(setting: string, around: Surroundings): string {
  const value = setting.trim();
  if (value.startsWith("~/")) return path.join(around.home, value.slice(2));
  return value.replace("${workspaceFolder}", around.folders[0] ?? "");
}

/** Whether a file lies in one of the folders, by its path. */
export function isInside(file: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const relative = path.relative(folder, file);
    return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
  });
}
