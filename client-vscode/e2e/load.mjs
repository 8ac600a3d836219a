// Lets a test in plain JavaScript use a module of the client that is written in TypeScript.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const src = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "src");

/** Bundles `src/<name>.ts`, which must not need VS Code, and imports it. */
export async function load(name) {
  const { outputFiles } = await build({
    entryPoints: [path.join(src, `${name}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
  });
  const folder = mkdtempSync(path.join(tmpdir(), "cachewise-load-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(file, outputFiles[0].contents);
  return import(pathToFileURL(file).href);
}
