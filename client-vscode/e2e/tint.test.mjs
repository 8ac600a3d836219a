// The tint of the prefix and the replay of a trace, seen in VS Code with the packaged extension.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
import { folderWith, python } from "./environment.mjs";
import { root, whyNot } from "./tools.mjs";

const skip = whyNot();

const example = (name) => readFileSync(path.join(root, "examples", name), "utf8");

const STABLE = "You answer questions about the harbour: tides, berths, fees and rules. ".repeat(
  110,
);
const text = (words, cache_control) => ({ type: "text", text: words, cache_control });

/** A request with a band of each kind that one request can have, on few enough lines to be seen. */
const BANDS = `${JSON.stringify(
  {
    model: "claude-sonnet-4-5",
    max_tokens: 1024,
    system: [
      text(STABLE, { type: "ephemeral", ttl: "1h" }),
      text("Berths are let by the day.", { type: "ephemeral" }),
    ],
    messages: [{ role: "user", content: "When is high tide?" }],
  },
  null,
  2,
)}\n`;

const SHORT = BANDS.replace(STABLE, "You are the harbour master.");

const HIGH_CONTRAST = {
  "hc-dark": "Default High Contrast",
  "hc-light": "Default High Contrast Light",
};

/** What the editor draws at the left: the bar's style, width and colour, line by line. */
function bars(page) {
  return page.evaluate(() => {
    const found = [];
    for (const line of document.querySelectorAll(".monaco-editor .view-overlays > div")) {
      for (const mark of line.querySelectorAll(".cdr")) {
        const { borderLeftStyle, borderLeftWidth, borderLeftColor } = getComputedStyle(mark);
        if (borderLeftStyle === "none" || Number.parseFloat(borderLeftWidth) < 1.5) continue;
        found.push({
          top: line.getBoundingClientRect().top,
          style: borderLeftStyle,
          width: Number.parseFloat(borderLeftWidth),
          color: borderLeftColor,
        });
      }
    }
    return found.sort((a, b) => a.top - b.top);
  });
}

const glyphs = (page) =>
  page.evaluate(
    () =>
      [...document.querySelectorAll(".monaco-editor .cgmr")].filter((mark) =>
        getComputedStyle(mark).backgroundImage.includes("svg"),
      ).length,
  );

for (const [theme, name] of Object.entries({ ...THEMES, ...HIGH_CONTRAST })) {
  test(`the tint in the ${theme} theme`, { skip }, async (t) => {
    const settings = {
      "cachewise.interpreter": await python(),
      "cachewise.tint.enabled": true,
      "workbench.colorTheme": name,
    };
    await withEditor(t, { settings }, async (editor) => {
      const folder = folderWith({
        "bands.json": BANDS,
        "short.json": SHORT,
        "long.json": example("coding-agent.json"),
        "trace.jsonl": example("batch-grading.jsonl"),
      });
      const page = await openFolder(editor, folder);
      await openFile(page, "bands.json");
      const drawn = await until("bars", 20_000, async () => {
        const found = await bars(page);
        return found.length > 10 && found;
      });
      const looks = new Map(drawn.map(({ style, width, color }) => [`${style} ${width}`, color]));
      assert.deepEqual([...looks.keys()], ["solid 4", "solid 2", "dotted 3"]);
      assert.equal(new Set(looks.values()).size, 3, "each band has a colour of its own");
      assert.equal(await glyphs(page), 3);
      await goTo(page, 1, 1);
      await shoot(page, `tint-${theme}`);

      const at = drawn[2];
      const left = await page.locator(".view-lines").first().boundingBox();
      await page.mouse.move(left.x + 6, at.top + 8);
      const words = page.locator(".monaco-hover", { hasText: "cached for 1h" }).first();
      await words.waitFor();
      await shoot(page, `tint-hover-${theme}`);
      await page.mouse.move(left.x + 600, 40);

      await openFile(page, "short.json");
      await until("the band under the minimum", 10_000, async () =>
        (await bars(page)).some(({ style }) => style === "dashed"),
      );
      await shoot(page, `tint-short-${theme}`);
      await openFile(page, "long.json");
      await until("bars of the long one", 10_000, async () => (await bars(page)).length > 10);
      await goTo(page, 114, 1);
      await until("blocks out of the window", 10_000, async () =>
        (await bars(page)).some(({ style }) => style === "double"),
      );
      await shoot(page, `tint-window-${theme}`);
      await openFile(page, "trace.jsonl");
      await page.waitForTimeout(1_500);
      await shoot(page, `tint-trace-${theme}`);
    });
  });
}

test("the tint is off until it is asked for, follows edits, and goes with the server", {
  skip,
}, async (t) => {
  const settings = { "cachewise.interpreter": await python() };
  await withEditor(t, { settings }, async (editor) => {
    const page = await openFolder(editor, folderWith({ "bands.json": BANDS }));
    await openFile(page, "bands.json");
    await page.locator(".codelens-decoration", { hasText: "first call" }).first().waitFor();
    await page.waitForTimeout(1_000);
    assert.deepEqual(await bars(page), []);

    const styles = async () => new Set((await bars(page)).map(({ style }) => style));
    const toggle = () => runCommand(page, "Cachewise: Switch the Prefix Tint On or Off");
    await toggle();
    await until("bars", 10_000, async () => (await bars(page)).length > 10);
    await toggle();
    await until("no bars", 10_000, async () => (await bars(page)).length === 0);
    await toggle();
    await until("bars again", 10_000, async () => (await styles()).has("dotted"));

    // An edit that takes the 1-hour marker's lifetime away: one band less.
    assert.equal(await glyphs(page), 3);
    await goTo(page, 9, 30);
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+End");
    await page.keyboard.press("Delete");
    await until("two bands", 10_000, async () => (await glyphs(page)) === 2);

    editor.change({ "cachewise.interpreter": "/no/such/python", "cachewise.tint.enabled": true });
    await page.locator(".notification-toast", { hasText: "did not start" }).waitFor();
    await until("no bars without a server", 5_000, async () => (await bars(page)).length === 0);
    assert.equal(await glyphs(page), 0);
  });
});

/** A conversation that is recorded call by call; in the third the date in the prompt has changed. */
const TRACE = [1, 3, 5]
  .map((turns, call) =>
    JSON.stringify({
      at: `2026-11-20T10:0${call}:00Z`,
      request: {
        model: "claude-sonnet-5-5",
        max_tokens: 100,
        system: [text(`Today is 2026-11-${call < 2 ? 20 : 21}. ${STABLE}`, { type: "ephemeral" })],
        messages: Array.from({ length: turns }, (_, turn) => ({
          role: turn % 2 ? "assistant" : "user",
          content: `Turn ${turn} <script>alert(1)</script>`,
        })),
      },
    }),
  )
  .join("\n");

for (const [theme, name] of Object.entries(THEMES)) {
  test(`Replay Trace in the ${theme} theme`, { skip }, async (t) => {
    const settings = { "cachewise.interpreter": await python(), "workbench.colorTheme": name };
    await withEditor(t, { settings }, async (editor) => {
      const folder = folderWith({ "trace.jsonl": TRACE, "other.json": '{"name": "x"}\n' });
      const page = await openFolder(editor, folder);
      await openFile(page, "trace.jsonl");
      await runCommand(page, "Cachewise: Replay Trace");
      const shown = page.frameLocator("iframe.webview").frameLocator("iframe");
      await shown.locator("h1", { hasText: "Replay of trace.jsonl" }).waitFor();
      assert.equal(await shown.locator("tbody tr td.n").first().textContent(), "0");
      await shown.locator("pre", { hasText: "2026-11-21" }).first().waitFor();
      await shoot(page, `replay-${theme}`);
      const colors = await shown.locator("body").evaluate((body) => {
        const style = getComputedStyle(body);
        return [style.color, style.backgroundColor];
      });
      const brightness = (color) =>
        color
          .match(/\d+/g)
          .slice(0, 3)
          .reduce((sum, part) => sum + Number(part), 0);
      const [ink, paper] = colors.map(brightness);
      assert.ok(theme === "dark" ? ink > paper + 200 : paper > ink + 200, colors.join(" on "));

      // A file without a request is told about, and another one can be chosen.
      await openFile(page, "other.json");
      await runCommand(page, "Cachewise: Replay Trace");
      const toast = page.locator(".notification-toast", { hasText: "No request of a known shape" });
      await toast.locator(".monaco-button", { hasText: "Choose a trace" }).waitFor();
      assert.deepEqual(page.strangers, [], "no request left the machine");
    });
  });
}

/** Calls of which none has a word in common with another, so that each has to be counted. */
function newWords(count) {
  let seed = 1;
  const word = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed.toString(36);
  };
  return Array.from({ length: count }, () =>
    JSON.stringify({
      model: "claude-sonnet-5-5",
      max_tokens: 9,
      messages: [{ role: "user", content: Array.from({ length: 4_000 }, word).join(" ") }],
    }),
  ).join("\n");
}

test("a long trace, from the explorer's menu, can be stopped", { skip }, async (t) => {
  const settings = { "cachewise.interpreter": await python() };
  await withEditor(t, { settings }, async (editor) => {
    const page = await openFolder(editor, folderWith({ "long.jsonl": newWords(1_200) }));
    const row = page.locator(".explorer-folders-view .monaco-list-row", { hasText: "long.jsonl" });
    const item = page.locator(".monaco-menu .action-item", { hasText: "Replay Trace" });
    // A window that has just opened does not know every extension's menus yet.
    await until("the menu has the command", 20_000, async () => {
      await page.keyboard.press("Escape");
      await row.click({ button: "right" });
      await page.waitForTimeout(300);
      return (await item.count()) > 0;
    });
    await item.click();
    const toast = page.locator(".notification-toast", { hasText: "replaying long.jsonl" });
    await toast.waitFor();
    await page.waitForTimeout(1_500);
    await shoot(page, "replay-progress");
    await toast.locator(".monaco-button", { hasText: "Cancel" }).click();
    await toast.waitFor({ state: "detached" });
    await until("the server has stopped", 10_000, () =>
      editor.output().includes("A replay was stopped."),
    );
    assert.equal(await page.locator("iframe.webview").count(), 0);
    assert.equal(
      await page.locator(".notification-toast").count(),
      0,
      "and nothing is complained of",
    );
  });
});
