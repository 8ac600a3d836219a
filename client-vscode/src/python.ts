import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { lastLine, pythonEnvironment, type Run } from "./process";

/** The oldest Python that Cachewise runs on. */
export const OLDEST_PYTHON: readonly [number, number] = [3, 11];

export interface Interpreter {
  readonly path: string;
  readonly version: readonly [number, number, number];
  /** The version of Cachewise that this Python has installed; null when it has none that answers. */
  readonly cachewise: string | null;
}

/** What a look at one Python found: the interpreter, or the reason why it cannot serve. */
export type Look = { readonly found: Interpreter } | { readonly refused: string };

const PROBE = [
  "import importlib.util, sys",
  'print("%d.%d.%d" % sys.version_info[:3])',
  'print(sys.version_info >= (3, 11) and importlib.util.find_spec("cachewise") is not None)',
].join("\n");

/** Runs a Python to learn its version and whether it has Cachewise; `cwd` must be a safe folder. */
export async function look(python: string, cwd: string, run: Run): Promise<Look> {
  const env = pythonEnvironment(process.env);
  const answer = await run(python, ["-c", PROBE], { cwd, env, timeout: 15_000 });
  if (answer.status !== 0) {
    return {
      refused: answer.failure ?? (lastLine(answer.stderr) || `exit status ${answer.status}`),
    };
  }
  const [versionLine = "", hasCachewise = ""] = answer.stdout.split(/\r?\n/);
  const version = parseVersion(versionLine);
  if (version === null) return { refused: `it answered ${JSON.stringify(versionLine)}` };
  if (compareVersions(version, OLDEST_PYTHON) < 0) {
    return { refused: `Python ${versionLine} is older than ${OLDEST_PYTHON.join(".")}` };
  }
  if (hasCachewise.trim() !== "True") return { found: { path: python, version, cachewise: null } };
  const asked = await run(python, ["-m", "cachewise", "--version"], { cwd, env, timeout: 15_000 });
  const said = asked.status === 0 ? parseVersion(asked.stdout) : null;
  return { found: { path: python, version, cachewise: said?.join(".") ?? null } };
}

/** The first `x.y.z` in a text, or null. */
export function parseVersion(text: string): [number, number, number] | null {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null;
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; missing parts are 0. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly exists: (file: string) => boolean;
  readonly list: (folder: string) => readonly string[];
  /** A path with its symbolic links resolved. */
  readonly real: (file: string) => string;
}

export function thisMachine(home: string): Machine {
  return {
    platform: process.platform,
    env: process.env,
    home,
    exists: existsSync,
    real: (file) => realpathSync(file),
    list: (folder) => {
      try {
        return readdirSync(folder);
      } catch {
        // A folder that is absent or closed to us holds no Python that we could use.
        return [];
      }
    },
  };
}

/**
 * The Pythons of a machine, best first and each once: newer before older where the path tells the
 * version, since the tokenizers of some models need a newer one, then those that only say "Python".
 * Looked for on PATH and where pyenv, Homebrew and the Windows installer put them.
 *
 * Relative PATH entries and Pythons inside one of the `outside` folders are left out: what a
 * workspace brings along must not run just because it was opened.
 */
export function pythonsOf(machine: Machine, outside: readonly string[] = []): string[] {
  const windows = machine.platform === "win32";
  const { dirname, isAbsolute, join } = windows ? path.win32 : path.posix;
  const pyenv = machine.env.PYENV_ROOT ?? join(machine.home, ".pyenv");
  const entries = (machine.env.PATH ?? machine.env.Path ?? "")
    .split(windows ? ";" : ":")
    // A shim of pyenv takes half a second to say that its version is not selected. The versions
    // themselves are looked at below.
    .filter((entry) => isAbsolute(entry) && !entry.startsWith(join(pyenv, "shims")));
  const homes = windows ? [] : ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"];
  const folders = [...entries, ...homes];

  const found: { file: string; minor: number }[] = [];
  const add = (folder: string, pattern: RegExp, ...below: string[]) => {
    for (const name of machine.list(folder)) {
      const minor = pattern.exec(name)?.[1];
      if (minor !== undefined) found.push({ file: join(folder, name, ...below), minor: +minor });
    }
  };
  if (windows) {
    add(join(machine.env.LOCALAPPDATA ?? "", "Programs", "Python"), /^Python3(\d+)$/, "python.exe");
  } else {
    for (const folder of folders) add(folder, /^python3\.(\d+)$/);
    add(join(pyenv, "versions"), /^3\.(\d+)\.\d+$/, "bin", "python");
  }
  found.sort((a, b) => b.minor - a.minor);

  const plain = windows ? ["python3.exe", "python.exe"] : ["python3", "python"];
  const files = [
    ...found.filter(({ minor }) => minor >= OLDEST_PYTHON[1]).map(({ file }) => file),
    ...plain.flatMap((name) => folders.map((folder) => join(folder, name))),
  ];
  const inside = (file: string) => outside.some((folder) => file.startsWith(join(folder, "/")));
  const seen = new Set<string>();
  return files.filter((file) => {
    if (inside(file) || !machine.exists(file)) return false;
    // /bin/python3 and /usr/bin/python3.11 may be one and the same. The folder counts too: an
    // environment's Python is often a link to another's, and is not the same.
    const same = `${machine.real(dirname(file))} ${machine.real(file)}`;
    if (seen.has(same)) return false;
    seen.add(same);
    return true;
  });
}
