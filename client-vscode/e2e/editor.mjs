// A real VS Code for the tests: code-server on a loopback port with a profile of its own, and a
// headless Chromium that looks at it.
import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium as playwright } from "playwright-core";
import { BROWSER_ARGS, chromium, codeServer, codeServerPath, root, vsix } from "./tools.mjs";

export const shots = process.env.SHOTS ?? path.join(root, "client-vscode", "e2e", "shots");

/** Keeps VS Code quiet, and everything on the screen that the tests look for. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.reduceMotion": "on",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "window.dialogStyle": "custom",
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "security.workspace.trust.enabled": false,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "files.autoSave": "off",
  "editor.accessibilitySupport": "off",
  "editor.minimap.enabled": false,
};

export const THEMES = { dark: "Default Dark Modern", light: "Default Light Modern" };

/**
 * Starts a VS Code with the packaged extension installed.
 *
 * @param settings the user's settings on top of the quiet ones
 * @param options more command line options of code-server
 * @param extensions packages to install beside ours
 */
export async function startEditor({ settings = {}, options = [], env = {}, extensions = [] } = {}) {
  const profile = mkdtempSync(path.join(tmpdir(), "cachewise-e2e-"));
  const data = path.join(profile, "data");
  // VS Code reads what belongs to a machine from the second file, and all else from the first; while
  // it runs tests, it keeps the user's settings in memory and reads the second only.
  const settingsFiles = ["User", "Machine"].map((name) => path.join(data, name, "settings.json"));
  const writeSettings = (all) => {
    for (const file of settingsFiles) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(all, null, 2));
    }
  };
  writeSettings({ ...SETTINGS, ...settings });
  // Without a file of its own, code-server reads and writes the one in the user's home.
  const config = path.join(profile, "config.yaml");
  writeFileSync(config, "auth: none\n");
  const common = [
    "--config",
    config,
    "--user-data-dir",
    data,
    "--extensions-dir",
    path.join(profile, "extensions"),
  ];
  const childEnv = {
    ...process.env,
    PATH: codeServerPath,
    // No marketplace: the workbench would look it up at each start.
    EXTENSIONS_GALLERY: '{"serviceUrl": ""}',
    XDG_CONFIG_HOME: path.join(profile, "config"),
    XDG_DATA_HOME: path.join(profile, "share"),
    ...env,
  };
  delete childEnv.PORT;
  delete childEnv.PASSWORD;

  const packages = [vsix, ...extensions].flatMap((file) => ["--install-extension", file]);
  await finished(spawn(codeServer, [...common, ...packages], { env: childEnv }));

  const port = await freePort();
  const log = path.join(profile, "code-server.log");
  const out = openSync(log, "a");
  const child = spawn(
    codeServer,
    [
      ...common,
      "--bind-addr",
      `127.0.0.1:${port}`,
      "--auth",
      "none",
      "--disable-telemetry",
      "--disable-update-check",
      "--disable-getting-started-override",
      "--ignore-last-opened",
      ...options,
    ],
    // A group of its own, so that stopping it stops the extension host and the servers too.
    { env: childEnv, stdio: ["ignore", out, out], detached: true },
  );
  const url = `http://127.0.0.1:${port}`;
  await until("code-server answers", 60_000, async () => {
    if (child.exitCode !== null) throw new Error(readFileSync(log, "utf8"));
    return fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  });

  const browser = await playwright.launch({
    executablePath: chromium,
    args: BROWSER_ARGS,
  });

  return {
    url,
    port,
    profile,
    pid: child.pid,
    /** Changes the settings, as a person does in the settings editor. */
    change: (more) => writeSettings({ ...SETTINGS, ...settings, ...more }),
    browser,
    /** What the extension wrote into its output channel so far. */
    output: () => channel(data),
    async stop() {
      await browser.close();
      try {
        process.kill(-child.pid, "SIGTERM");
        for (let i = 0; i < 50 && child.exitCode === null; i++) await sleep(100);
        if (child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        // Gone already: that is what was asked for.
        if (error.code !== "ESRCH") throw error;
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/**
 * Runs `work` with a VS Code of its own, and once more with a fresh one when it fails: on a busy
 * machine VS Code itself is sometimes late. The first failure is always told.
 *
 * @param t the test's context, which gets the extension's log of each failure
 */
export async function withEditor(t, options, work) {
  try {
    await once(t, options, work);
  } catch (error) {
    t.diagnostic(`failed, and is tried once more: ${error.stack}`);
    await once(t, options, work);
  }
}

async function once(t, options, work) {
  const editor = await startEditor(options);
  try {
    await work(editor);
  } catch (error) {
    for (const context of editor.browser.contexts()) {
      for (const page of context.pages()) {
        await shoot(page, `failure-${t.name.replaceAll(/\W+/g, "-").slice(0, 40)}`);
      }
    }
    t.diagnostic(editor.output());
    throw error;
  } finally {
    await editor.stop();
  }
}

/** Opens a folder, or a workspace by its file, in a window; `look` is passed on to the browser. */
export async function openFolder(editor, folder, look = {}) {
  const viewport = { width: 1280, height: 800 };
  const context = await editor.browser.newContext({ viewport, ...look });
  const strangers = [];
  await context.route(
    (url) => url.protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(url.hostname),
    (route) => {
      strangers.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const kind = folder.endsWith(".code-workspace") ? "workspace" : "folder";
  const address = new URLSearchParams({ [kind]: folder });
  await page.goto(`${editor.url}/?${address}`);
  await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
  return Object.assign(page, { strangers });
}

/**
 * Opens the box at the top with a key, writes into it, and waits for a row that holds `row`. What
 * takes the focus meanwhile closes the box again, so it may take more than one try.
 */
async function quickInput(page, key, text, row) {
  const input = page.locator(".quick-input-widget input").first();
  await until(`the box for ${text}`, 30_000, async () => {
    if (!(await input.isVisible())) await page.keyboard.press(key);
    try {
      await input.fill(text, { timeout: 3_000 });
      if (row !== undefined) await rowWith(page, row).waitFor({ timeout: 5_000 });
      return await input.isVisible();
    } catch (error) {
      if (error.name !== "TimeoutError") throw error;
      return false;
    }
  });
  await page.keyboard.press("Enter");
}

const rowWith = (page, text) =>
  page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();

/** Opens a file of the folder through the quick open box; `shown` is in it once it is there. */
export async function openFile(page, name, shown = ".monaco-editor .view-line") {
  await quickInput(page, "Control+p", name, name);
  await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  await page.locator(shown).first().waitFor();
}

/** Runs a command by its title, as a person does in the palette. */
export async function runCommand(page, title) {
  await quickInput(page, "F1", `>${title}`, title);
}

/** Puts the cursor at a line and column, both counted from 1. */
export async function goTo(page, line, column) {
  await quickInput(page, "Control+g", `:${line}:${column}`);
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
}

/** Opens the menu of fixes at the cursor, and gives its rows. */
export async function openFixes(page) {
  const rows = page.locator(".action-widget .monaco-list-row");
  // VS Code closes the menu when findings arrive while it opens.
  await until("the menu of fixes", 20_000, async () => {
    await page.keyboard.press("Control+.");
    return rows
      .first()
      .waitFor({ timeout: 3_000 })
      .then(() => true)
      .catch(() => false);
  });
  return rows;
}

/** Writes one picture of the page. */
export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true });
  // Hovers fade in, whatever the settings say.
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

/** Waits until `check` gives something true, and gives that. */
export async function until(what, milliseconds, check) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${milliseconds / 1000} s: ${what}`);
    await sleep(50);
  }
}

/** The text of lines in the editor; VS Code draws spaces as no-break spaces. */
export async function lines(page) {
  const texts = await page.locator(".monaco-editor .view-line").allTextContents();
  return texts.map((text) => text.replaceAll("\u00a0", " "));
}

function channel(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name === "Cachewise.log") {
      return readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), "utf8");
    }
  }
  return "";
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function finished(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
    });
    child.stderr.on("data", (part) => {
      said += part;
    });
    child.once("error", reject);
    child.once("exit", (status) => (status === 0 ? resolve() : reject(new Error(said))));
  });
}
