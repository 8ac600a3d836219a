// The surfaces beside the request itself, in both themes: source code, a notebook, the outline,
// completion, compare in the diff editor, an exact count with a kept key, the walkthrough.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import test from "node:test";
import {
  goTo,
  lines,
  openFile,
  openFixes,
  openFolder,
  runCommand,
  shoot,
  THEMES,
  until,
  withEditor,
} from "./editor.mjs";
import { folderWith, python } from "./environment.mjs";
import { whyNot } from "./tools.mjs";

const skip = whyNot();

const MODEL = "claude-sonnet-5-5";
const STABLE = "You answer questions about the harbour: tides, berths, fees and rules. ";

const hint = (page) => page.locator(".view-line", { hasText: /\d\stok\s·/ }).first();

const source = (ttl) =>
  [
    "import anthropic",
    "",
    "client = anthropic.Anthropic()",
    `HARBOUR = "${STABLE.trim()} 🇫🇷 été\\n" * 120`,
    "",
    "answer = client.messages.create(",
    `    model="${MODEL}",`,
    "    max_tokens=1024,",
    "    system=[",
    `        {"type": "text", "text": HARBOUR${ttl}},`,
    "    ],",
    '    messages=[{"role": "user", "content": "When is high tide?"}],',
    ")",
    "",
  ].join("\n");

const CONTROL = ', "cache_control": {"type": "ephemeral"}';

const cell = (kind, text) => ({
  cell_type: kind,
  metadata: {},
  source: text.split(/(?<=\n)/),
  ...(kind === "code" ? { execution_count: null, outputs: [] } : {}),
});

const notebook = (text) =>
  `${JSON.stringify(
    {
      cells: [cell("markdown", "# High tide\n"), cell("code", text)],
      metadata: { language_info: { name: "python" } },
      nbformat: 4,
      nbformat_minor: 5,
    },
    null,
    1,
  )}\n`;

const request = (questions) => ({
  model: MODEL,
  max_tokens: 1024,
  system: [{ type: "text", text: STABLE.repeat(120), cache_control: { type: "ephemeral" } }],
  messages: questions.flatMap((question, index) => [
    ...(index === 0 ? [] : [{ role: "assistant", content: "At 14:07, and again at 02:31." }]),
    { role: "user", content: question },
  ]),
});

const TALK = [
  request(["When is high tide?"]),
  request(["When is high tide?", "And the fee for a night?"]),
];

for (const [theme, name] of Object.entries(THEMES)) {
  test(`source code, notebook, outline, completion, compare, ${theme}`, { skip }, async (t) => {
    const settings = { "cachewise.interpreter": await python(), "workbench.colorTheme": name };
    await withEditor(t, { settings }, async (editor) => {
      const folder = folderWith({
        "ask.py": source(CONTROL.replace("}", ', "ttl": "2h"}')),
        "plain.py": source(""),
        "tide.ipynb": notebook(source(CONTROL.replace("}", ', "ttl": "2h"}'))),
        "talk.jsonl": `${TALK.map((body) => JSON.stringify(body)).join("\n")}\n`,
        "request.json": `${JSON.stringify(TALK[1], null, 2)}\n`,
      });
      const page = await openFolder(editor, folder);

      await openFile(page, "ask.py");
      await page.locator(".monaco-editor .squiggly-error").first().waitFor();
      await page.locator(".codelens-decoration", { hasText: "tokens" }).first().waitFor();
      await shoot(page, `python-${theme}`);

      await openFile(page, "plain.py");
      await page.locator(".codelens-decoration", { hasText: "nothing cached" }).first().waitFor();
      await goTo(page, 10, 14);
      const insert = (await openFixes(page)).filter({ hasText: "Insert cache breakpoint here" });
      await insert.first().click();
      await until("the marker is in the source", 10_000, async () =>
        (await lines(page)).some((line) => line.includes("cache_control")),
      );
      await page.keyboard.press("Control+s");
      const saved = path.join(folder, "plain.py");
      await until("it is on disk", 5_000, () => readFileSync(saved, "utf8") !== source(""));
      assert.equal(readFileSync(saved, "utf8"), source(CONTROL), "one marker, and nothing else");

      await openFile(page, "tide.ipynb", ".notebook-editor");
      const inCell = page.locator(".notebook-editor .squiggly-error").first();
      await inCell.waitFor();
      await page.locator(".notebook-editor .codelens-decoration").first().waitFor();
      await shoot(page, `notebook-${theme}`);

      await openFile(page, "talk.jsonl");
      const reads = page.locator(".codelens-decoration a", { hasText: /^reads / }).first();
      await reads.waitFor();
      await reads.click();
      await page.locator(".monaco-diff-editor .line-insert").first().waitFor();
      await shoot(page, `compare-${theme}`);

      await openFile(page, "request.json");
      await hint(page).waitFor();
      await runCommand(page, "Focus on Outline View");
      await page.locator(".outline-pane .monaco-list-row", { hasText: "system" }).first().waitFor();
      await shoot(page, `outline-${theme}`);

      await page.locator(".monaco-editor .view-line").first().click();
      await goTo(page, 9, 28);
      await page.keyboard.type(', "ttl": "');
      const suggestion = page.locator(".suggest-widget .monaco-list-row", { hasText: "1h" });
      await until("the choices of ttl", 10_000, async () => {
        if (await suggestion.first().isVisible()) return true;
        await page.keyboard.press("Control+Space");
        await page.waitForTimeout(700);
        return suggestion.first().isVisible();
      });
      await shoot(page, `completion-${theme}`);
      await suggestion.first().click();
      await until("the ttl is there", 5_000, async () =>
        (await lines(page)).some((line) => /"ttl": "1h"/.test(line)),
      );
      assert.deepEqual(page.strangers, [], "no request left the machine");
    });
  });
}

test("an exact count is asked for with the kept key, and nobody sees the key", {
  skip,
}, async (t) => {
  const key = "sk-ant-api03-kept-in-the-secret-storage-0123456789";
  const got = [];
  const provider = createServer((incoming, answer) => {
    let body = "";
    incoming.on("data", (part) => {
      body += part;
    });
    incoming.on("end", () => {
      got.push({ path: incoming.url, key: incoming.headers["x-api-key"], body });
      answer.setHeader("content-type", "application/json");
      answer.end('{"input_tokens": 4321}');
    });
  });
  await new Promise((resolve) => provider.listen(0, "127.0.0.1", resolve));
  t.after(() => provider.close());
  const settings = {
    "cachewise.interpreter": await python(),
    "cachewise.remote.anthropic.baseUrl": `http://127.0.0.1:${provider.address().port}`,
    "cachewise.trace.server": "verbose",
  };
  const env = { XDG_CACHE_HOME: folderWith({}) };
  await withEditor(t, { settings, env }, async (editor) => {
    got.length = 0;
    const body = request([`When is high tide on ${Date.now()}?`]);
    const folder = folderWith({ "request.json": `${JSON.stringify(body, null, 2)}\n` });
    const page = await openFolder(editor, folder);
    await openFile(page, "request.json");
    await hint(page).waitFor();
    await page.locator(".codelens-decoration", { hasText: "Count exactly" }).first().waitFor();
    assert.equal(got.length, 0, "nothing is sent unasked");

    await runCommand(page, "Cachewise: Set the Key");
    const input = page.locator(".quick-input-widget input[type=password]");
    await input.fill(key);
    await page.keyboard.press("Enter");
    await page.locator(".codelens-decoration a", { hasText: "Count exactly" }).first().click();
    const toast = page.locator(".notification-toast", { hasText: "counts 4,321 tokens" });
    await toast.waitFor();
    await page.locator(".codelens-decoration", { hasText: "4,321 tokens" }).first().waitFor();
    await shoot(page, "exact");
    assert.deepEqual(
      got.map(({ path: asked, key: given }) => [asked, given]),
      [["/v1/messages/count_tokens", key]],
    );
    assert.equal(JSON.parse(got[0].body).messages[0].content, body.messages[0].content);
    assert.ok(!editor.output().includes(key), "the key is not in the log, not even a verbose one");
    assert.deepEqual(filesWith(editor.profile, key), [], "the key is in no file in the clear");
  });
});

test("Place Breakpoints puts them in, says why, and then leaves them", { skip }, async (t) => {
  const settings = { "cachewise.interpreter": await python() };
  const body = TALK[1];
  const bare = { ...body, system: body.system.map(({ cache_control: _, ...rest }) => rest) };
  await withEditor(t, { settings }, async (editor) => {
    const folder = folderWith({ "talk.json": `${JSON.stringify(bare, null, 2)}\n` });
    const page = await openFolder(editor, folder);
    await openFile(page, "talk.json");
    await page.locator(".codelens-decoration", { hasText: "nothing cached" }).first().waitFor();
    await runCommand(page, "Cachewise: Place Breakpoints");
    const toast = page.locator(".notification-toast");
    await toast.filter({ hasText: "The breakpoints are placed." }).waitFor();
    await hint(page).waitFor();
    await shoot(page, "place");
    await page.keyboard.press("Control+s");
    const file = path.join(folder, "talk.json");
    const marked = () => readFileSync(file, "utf8").split("cache_control").length - 1;
    await until("the markers are on disk", 5_000, () => marked() > 0);
    const placed = JSON.parse(readFileSync(file, "utf8"));
    assert.equal(placed.system[0].cache_control.type, "ephemeral");
    assert.equal(placed.messages.length, bare.messages.length);
    const text = readFileSync(file, "utf8");
    await runCommand(page, "Cachewise: Place Breakpoints");
    await toast.filter({ hasText: "Nothing is changed." }).waitFor();
    await page.keyboard.press("Control+s");
    assert.equal(readFileSync(file, "utf8"), text);
  });
});

test("the walkthrough", { skip }, async (t) => {
  const settings = { "cachewise.interpreter": await python() };
  await withEditor(t, { settings }, async (editor) => {
    const page = await openFolder(editor, folderWith({ "readme.txt": "requests\n" }));
    // VS Code leaves the pictures out where there is no room for them.
    await page.keyboard.press("Control+b");
    await runCommand(page, "Welcome: Open Walkthrough");
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "Cachewise" }).click();
    const steps = page.locator(".getting-started-step");
    await steps.first().waitFor();
    assert.equal(await steps.count(), 4);
    await page.locator(".getting-started-media img").first().waitFor();
    await shoot(page, "walkthrough");
  });
});

/** The files under a folder that hold a text. */
function filesWith(folder, text) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
