// The heavy programs that the tests in a real VS Code need. None of them is a dependency of the
// project: where one is missing the tests say so and are skipped. `npm run e2e:install` gets them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const CODE_SERVER_VERSION = "4.139.1";
const NODE_VERSION = "24";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Where the programs are installed, outside the checkout. */
export const home =
  process.env.CACHEWISE_E2E_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "cachewise-e2e");

const nodeHome = path.join(home, "node", "node_modules", "node");

export const codeServer =
  process.env.CODE_SERVER ?? path.join(home, "code-server", "node_modules", ".bin", "code-server");

/** code-server's start script looks for `node` on PATH, and it wants its own version of it. */
export const codeServerPath = `${path.join(nodeHome, "bin")}${path.delimiter}${process.env.PATH}`;

const CHROMIUMS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** For a machine of tests, often a container: no sandbox of its own, little shared memory. */
export const BROWSER_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
];

export const chromium = process.env.CHROMIUM ?? CHROMIUMS.find((file) => existsSync(file));

/** The newest package in the checkout's folder, or the one that VSIX names. */
export const vsix =
  process.env.VSIX ??
  readdirSync(root)
    .filter((name) => name.startsWith(`cachewise-${process.platform}-${process.arch}-`))
    .filter((name) => name.endsWith(".vsix"))
    .map((name) => path.join(root, name))
    .at(-1);

/** Why the tests in a real VS Code cannot run here, or false when they can. */
export function whyNot() {
  if (chromium === undefined) return "skipped: no Chromium; `npm run e2e:install` tells how";
  if (!existsSync(codeServer)) return "skipped: no code-server; run `npm run e2e:install`";
  if (vsix === undefined) return "skipped: no .vsix; run `npm run package`";
  return false;
}

/** Installs what is missing; ends with status 1 and the reason where something cannot be had. */
function install() {
  const run = (command, args, env = {}, cwd = root) => {
    const done = spawnSync(command, args, {
      cwd,
      stdio: "inherit",
      env: { ...ownEnvironment(), ...env },
    });
    if (done.status !== 0) {
      console.error(
        `${command} ${args.join(" ")}: ${done.error?.message ?? `exit status ${done.status}`}`,
      );
      process.exit(1);
    }
  };
  const wanted = missingPackages();
  if (wanted.length > 0) {
    if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
      console.error(`please install these first: ${wanted.join(" ")}`);
      process.exit(1);
    }
    const quiet = { DEBIAN_FRONTEND: "noninteractive" };
    run("apt-get", ["update", "-q"], quiet);
    run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...wanted], quiet);
  }
  // In a folder of its own rather than with --prefix, which would hide npm's configuration.
  const add = (name, version, env = {}) => {
    const folder = path.join(home, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{"private": true}\n');
    const quiet = ["--no-fund", "--no-audit", "--loglevel=error"];
    run("npm", ["install", ...quiet, `${name}@${version}`], env, folder);
  };
  if (!existsSync(path.join(nodeHome, "bin", "node"))) add("node", NODE_VERSION);
  if (!existsSync(codeServer)) {
    const headers = path.join(nodeHome, "node_modules", `node-${process.platform}-${process.arch}`);
    // npm would look for the machine's configuration beside the other Node, where there is none.
    const { stdout } = spawnSync("npm", ["config", "get", "globalconfig"], {
      encoding: "utf8",
      env: ownEnvironment(),
    });
    add("code-server", CODE_SERVER_VERSION, {
      PATH: codeServerPath,
      npm_config_nodedir: headers,
      npm_config_globalconfig: stdout.trim(),
    });
  }
  // What is installed must also run here: a browser needs more of a machine than a compiler does.
  const browser = chromium ?? CHROMIUMS.find((file) => existsSync(file)) ?? "chromium";
  probe(browser, [...BROWSER_ARGS, "--headless", "--dump-dom", "about:blank"]);
  probe(codeServer, ["--version"], { PATH: codeServerPath });
  console.log(`the tools for the tests in a real VS Code are in ${home}`);
}

/** Ends with status 1 when a program does not run. */
function probe(command, args, env = {}) {
  const options = { encoding: "utf8", timeout: 60_000, env: { ...ownEnvironment(), ...env } };
  const done = spawnSync(command, args, options);
  if (done.status === 0) return;
  const words =
    done.error?.message ?? (done.stderr.trim().split("\n").at(-1) || `exit status ${done.status}`);
  console.error(`${command} does not run here: ${words}`);
  process.exit(1);
}

/** The Debian packages that are not there: a browser, letters for it, and a compiler. */
function missingPackages() {
  const missing = chromium === undefined ? ["chromium", "fonts-dejavu-core"] : [];
  // code-server compiles one of its modules against Kerberos' headers.
  if (!existsSync(codeServer) && !existsSync("/usr/include/krb5.h")) {
    missing.push("libkrb5-dev", "g++", "make");
  }
  return missing;
}

/**
 * The environment without what an `npm run` around us has put there: code-server's installation
 * reads the version of Node from it, and it must be the one that runs it.
 */
function ownEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith("npm_")),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install();
