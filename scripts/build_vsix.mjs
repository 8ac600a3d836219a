// Makes the `.vsix`: the bundled extension and, for one platform, the wheels of the server.
//
//   node scripts/build_vsix.mjs [--target linux-x64] [--out FILE] [--wheels-only]
//
// The wheels are collected by build_vsix_wheels.py, which runs on the Python named by the variable
// PYTHON, else on one from PATH.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** A package larger than this holds something that it should not (bytes). */
const LARGEST_VSIX = 30_000_000;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

const { values: options } = parseArgs({
  options: {
    target: { type: "string", default: `${process.platform}-${process.arch}` },
    out: { type: "string" },
    "wheels-only": { type: "boolean", default: false },
  },
});

function main() {
  const { target } = options;
  const script = path.join(root, "scripts", "build_vsix_wheels.py");
  const wheels = path.join(root, "client-vscode", "wheels");
  run(findPython(), [script, "--target", target, "--dest", wheels]);
  if (options["wheels-only"]) return;

  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const out = path.resolve(root, options.out ?? `cachewise-${target}-${version}.vsix`);
  rmSync(out, { force: true });
  const vsce = path.join(root, "node_modules", "@vscode", "vsce", "vsce");
  run(process.execPath, [
    vsce,
    "package",
    "--target",
    target,
    // The bundle holds all that runs, so node_modules stays out.
    "--no-dependencies",
    "--allow-missing-repository",
    "--no-rewrite-relative-links",
    "--readme-path",
    "client-vscode/README.md",
    "--out",
    out,
  ]);
  const { size } = statSync(out);
  if (size > LARGEST_VSIX) fail(`${out} has ${size} bytes; at most ${LARGEST_VSIX} are allowed`);
  console.log(`${path.relative(root, out)}: ${(size / 1e6).toFixed(1)} MB`);
}

function findPython() {
  const names = [process.env.PYTHON, "python3", "python"].filter(Boolean);
  for (const name of names) {
    const tried = spawnSync(name, ["-m", "pip", "--version"], { encoding: "utf8" });
    if (tried.status === 0) return name;
  }
  return fail(`none of ${names.join(", ")} has pip; name one in the variable PYTHON`);
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.status !== 0) fail(`${command} ${args.join(" ")}: exit status ${done.status}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

main();
