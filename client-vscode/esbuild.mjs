// Bundles the extension into one CommonJS file; with --tests, each unit test into one file that
// node:test can run without a TypeScript loader.
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const flags = new Set(process.argv.slice(2));
const tests = flags.has("--tests");
const production = flags.has("--production");
const outdir = path.join(here, "dist", tests ? "test" : "");

if (tests) rmSync(outdir, { recursive: true, force: true });

/** @type {import("esbuild").BuildOptions} */
const options = {
  entryPoints: tests
    ? readdirSync(path.join(here, "test"))
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => path.join(here, "test", name))
    : [path.join(here, "src", "extension.ts")],
  outdir,
  outExtension: tests ? { ".js": ".cjs" } : {},
  bundle: true,
  // VS Code provides this module at run time; no unit test may reach it.
  external: tests ? [] : ["vscode"],
  format: "cjs",
  platform: "node",
  target: "node20",
  minify: production,
  sourcemap: production ? false : "linked",
  legalComments: "none",
  logLevel: "warning",
};

if (flags.has("--watch")) await (await context(options)).watch();
else await build(options);
