// The cache map in a real VS Code: opened by lens, button, status bar and command; looked at in the
// dark and the light theme; its sliders moved by the keyboard; its blocks found in the editor.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import {
  goTo,
  openFile,
  openFolder,
  runCommand,
  shoot,
  THEMES,
  until,
  withEditor,
} from "./editor.mjs";
import { folderWith, python, scratch } from "./environment.mjs";
import { root, whyNot } from "./tools.mjs";

const skip = whyNot();

const lens = (page) => page.locator(".codelens-decoration a", { hasText: "Cache map" }).first();
const map = (page) => page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
const title = (page) => map(page).locator("h1");
/** Gives the editor the focus. */
const toEditor = (page) => page.keyboard.press("Control+1");

async function withMap(t, settings, work) {
  const interpreter = { "cachewise.interpreter": await python() };
  await withEditor(t, { settings: { ...interpreter, ...settings } }, work);
}

function examples() {
  const folder = path.join(scratch("map"), "harbour-cycles");
  cpSync(path.join(root, "examples"), folder, { recursive: true });
  return folder;
}

for (const [theme, name] of Object.entries(THEMES)) {
  test(`the cache map in the ${theme} theme`, { skip }, async (t) => {
    await withMap(t, { "workbench.colorTheme": name }, async (editor) => {
      const page = await openFolder(editor, examples(), {
        viewport: { width: 1440, height: 1000 },
      });
      const problems = [];
      page.on("console", (message) => {
        if (/Content Security Policy|cache-?map/i.test(message.text())) {
          problems.push(message.text());
        }
      });
      await openFile(page, "support-agent.json");
      await page.keyboard.press("Control+b");
      await lens(page).waitFor();
      await page.locator('.editor-actions [aria-label*="Cache Map"]').first().waitFor();
      await lens(page).click();
      await title(page).waitFor();
      assert.equal(await title(page).textContent(), "support-agent.json");
      await page.locator(".tab", { hasText: "Cache map: support-agent.json" }).waitFor();
      await page.waitForTimeout(1_000);
      await shoot(page, `cache-map-${theme}`);

      const frame = map(page);
      const report = execFileSync(
        await python(),
        ["-m", "cachewise", "cost", "--format", "json", "--calls", "13", "--every", "276s"].concat(
          path.join(root, "examples", "support-agent.json"),
        ),
        { encoding: "utf8" },
      );
      const [{ cost }] = JSON.parse(report).files[0].requests;
      const sums = await frame.locator(".sums dd").allTextContents();
      assert.deepEqual(sums.slice(0, 3), [
        `$${cost.first_call}`,
        `$${cost.next_call}`,
        `$${cost.uncached}`,
      ]);

      // The slider by the keyboard: from 30 calls an hour five steps down to 12, and up again.
      const calls = frame.getByRole("slider", { name: "Calls per hour" });
      await calls.focus();
      assert.equal(await calls.getAttribute("aria-valuetext"), "30 calls per hour");
      for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowLeft");
      assert.equal(await calls.getAttribute("aria-valuetext"), "12 calls per hour");
      const answer = frame.locator("output.answer");
      assert.match(await answer.textContent(), /^12 calls per hour, as written: 12 calls write/);
      const lifetime = frame.getByRole("slider", { name: "Lifetime of all breakpoints" });
      await lifetime.focus();
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowRight");
      assert.match(
        await answer.textContent(),
        /^12 calls per hour, 5m: 12 calls write, 0 only read/,
      );
      await calls.focus();
      await page.keyboard.press("ArrowRight");
      assert.match(
        await answer.textContent(),
        /^13 calls per hour, 5m: 1 call writes, 12 only read/,
      );

      // An edit changes the content and leaves the sliders alone.
      await toEditor(page);
      await page.keyboard.press("Control+Home");
      await page.keyboard.press("Control+h");
      await page.keyboard.type("claude-sonnet-5-5");
      await page.keyboard.press("Tab");
      await page.keyboard.type("claude-opus-5-5");
      await page.keyboard.press("Control+Alt+Enter");
      await page.keyboard.press("Escape");
      await frame.locator(".about", { hasText: "Opus" }).waitFor();
      assert.equal(await calls.getAttribute("aria-valuetext"), "13 calls per hour");
      assert.equal(await lifetime.getAttribute("aria-valuetext"), "5m");

      // A block is shown in the editor: by Enter on its number, by a click in the picture.
      const seventh = frame.getByRole("button", { name: "block 7: show in the editor" });
      await seventh.focus();
      await page.keyboard.press("Enter");
      await frame.locator('tr.here[data-row="7"]').waitFor();
      await frame.locator('rect.block[data-block="1"]').click();
      await frame.locator('tr.here[data-row="1"]').waitFor();
      await frame.getByRole("button", { name: "breakpoint 1: show in the editor" }).click();
      await page.locator(".statusbar-item", { hasText: /Ln 149, Col 24/ }).waitFor();

      assert.deepEqual(problems, []);
      assert.deepEqual(page.strangers, [], "nothing left the machine");
    });
  });
}

test("the map follows the cursor, and says when there is no request", { skip }, async (t) => {
  await withMap(t, {}, async (editor) => {
    const folder = examples();
    writeFileSync(path.join(folder, "notes.json"), '{"name": "no request"}\n');
    const page = await openFolder(editor, folder);
    await openFile(page, "batch-grading.jsonl");
    await lens(page).waitFor();
    await goTo(page, 1, 200);
    await page.locator(".statusbar-item", { hasText: /\d tok · next/ }).click();
    await title(page).waitFor();
    assert.equal(await title(page).textContent(), "batch-grading.jsonl, request 1");
    await toEditor(page);
    await goTo(page, 2, 200);
    await title(page).filter({ hasText: "request 2" }).waitFor();

    await openFile(page, "notes.json");
    await map(page).locator("p", { hasText: "There is no request at the cursor." }).waitFor();
    await until(
      "the button goes with it",
      5_000,
      async () => (await page.locator('.editor-actions [aria-label*="Cache Map"]').count()) === 0,
    );
    await openFile(page, "coding-agent.json");
    await runCommand(page, "Cachewise: Cache Map");
    await title(page).filter({ hasText: "coding-agent.json" }).waitFor();
    await shoot(page, "cache-map-narrow");
  });
});

test("the map survives a restart of the server and a reload of the window", { skip }, async (t) => {
  const settings = {
    "security.workspace.trust.enabled": true,
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
  };
  await withMap(t, settings, async (editor) => {
    const folder = folderWith({
      "a.json": readFileSync(path.join(root, "examples", "support-agent.json")),
    });
    const page = await openFolder(editor, folder);
    await openFile(page, "a.json");
    await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
    await lens(page).click();
    await title(page).waitFor();
    const calls = map(page).getByRole("slider", { name: "Calls per hour" });
    await calls.focus();
    await page.keyboard.press("End");
    assert.equal(await calls.getAttribute("aria-valuetext"), "3,600 calls per hour");

    await toEditor(page);
    await runCommand(page, "Cachewise: Restart Server");
    await page.waitForTimeout(2_000);
    await goTo(page, 146, 20);
    await map(page).locator('tr.here[data-row="7"]').waitFor();
    assert.equal(await calls.getAttribute("aria-valuetext"), "3,600 calls per hour");

    await page.waitForTimeout(1_500);
    await page.reload();
    await title(page).waitFor({ timeout: 60_000 });
    assert.equal(await title(page).textContent(), "a.json");
    assert.equal(await calls.getAttribute("aria-valuetext"), "3,600 calls per hour");
  });
});
