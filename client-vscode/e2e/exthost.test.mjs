// Runs e2e/exthost/suite.js inside the extension host of a real VS Code, against the installed
// package, the way VS Code's own integration tests for the browser are run.
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { startEditor } from "./editor.mjs";
import { folderWith, python, scratch } from "./environment.mjs";
import { root, whyNot } from "./tools.mjs";

const LIMIT_MS = 180_000;

test("in the extension host", { skip: whyNot(), timeout: LIMIT_MS + 60_000 }, async (t) => {
  const results = path.join(scratch("results"), "results.json");
  // The workbench serves this folder to itself, so it holds the tests and nothing else.
  const tests = path.join(root, "client-vscode", "e2e", "exthost");
  const editor = await startEditor({
    settings: { "cachewise.interpreter": await python() },
    // Without it a built VS Code ignores the payload that names the tests.
    options: ["--vscode-option", "enable-smoke-test-driver"],
    env: { CACHEWISE_RESULTS: results },
  });
  try {
    const folder = folderWith({ "readme.txt": "requests are written here\n" });
    const context = await editor.browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const status = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("no result in time")), LIMIT_MS);
      const done = (code) => {
        clearTimeout(late);
        resolve(code);
      };
      page.exposeFunction("codeAutomationLog", () => {});
      page.exposeFunction("codeAutomationExit", done);
    });
    const remote = (file) => `vscode-remote://127.0.0.1:${editor.port}${file}`;
    const payload = JSON.stringify([
      ["extensionDevelopmentPath", remote(tests)],
      ["extensionTestsPath", remote(path.join(tests, "index.js"))],
      ["enableProposedApi", ""],
    ]);
    await page.goto(`${editor.url}/?${new URLSearchParams({ folder, payload })}`);
    const code = await status;
    const report = JSON.parse(readFileSync(results, "utf8"));
    for (const one of report.tests) {
      await t.test(one.title, () => {
        if (one.err?.message) throw new Error(one.err.stack ?? one.err.message);
      });
    }
    if (code !== 0 || report.stats.tests === 0) throw new Error(`exit code ${code}`);
  } catch (error) {
    t.diagnostic(editor.output());
    throw error;
  } finally {
    await editor.stop();
  }
});
