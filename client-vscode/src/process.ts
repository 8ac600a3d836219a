import { spawn } from "node:child_process";

export interface Outcome {
  /** The exit status; null when the program could not be run or was ended by a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit status; undefined when there is one. */
  readonly failure?: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the program is ended. */
  readonly timeout: number;
}

export type Run = (
  command: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<Outcome>;

/** Runs a program to its end and collects what it prints. Never rejects. */
export const run: Run = (command, args, { cwd, env, timeout }) =>
  new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let late = false;
    const child = spawned(() => spawn(command, args, { cwd, env, stdio: STDIO }));
    if (child instanceof Error) {
      resolve({ status: null, stdout, stderr, failure: child.message });
      return;
    }
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeout);
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const failure = FAILURES[error.code ?? ""] ?? error.message;
      resolve({ status: null, stdout, stderr, failure });
    });
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      if (status !== null) resolve({ status, stdout, stderr });
      else
        resolve({
          status,
          stdout,
          stderr,
          failure: late
            ? `no answer within ${timeout / 1000} s`
            : `ended by ${signal ?? "a signal"}`,
        });
    });
  });

const STDIO: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];

/** Some commands are refused before anything is started: a batch file on Windows, an empty name. */
function spawned<Child>(start: () => Child): Child | Error {
  try {
    return start();
  } catch (error) {
    return error as Error;
  }
}

/** What the usual reasons mean to a person. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program",
  EACCES: "it is no program, or may not be run",
};

/** The last line that says something: in a Python traceback or pip's output, the reason. */
export function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "").at(-1) ?? "";
}

/**
 * The environment for a Python that must run our code only.
 *
 * The process starts in a folder of the workspace otherwise, and `python -m` would then look for
 * modules there first: a file `json.py` in a stranger's project would be executed.
 */
export function pythonEnvironment(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(base)) {
    if (/^(PYTHON(HOME|PATH|STARTUP|INSPECT)|PIP_.*|VIRTUAL_ENV)$/i.test(name)) continue;
    env[name] = value;
  }
  return { ...env, PYTHONSAFEPATH: "1", PYTHONUTF8: "1" };
}
