// The pictures of the walkthrough and of the documentation, drawn by the real thing from the
// examples of this repository. Each run draws them into e2e/shots; with UPDATE_PICTURES=1 they go
// to client-vscode/media, where the package and the README find them.
import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import {
  goTo,
  openFile,
  openFixes,
  openFolder,
  runCommand,
  shots,
  startEditor,
  THEMES,
} from "./editor.mjs";
import { python, scratch } from "./environment.mjs";
import { root, whyNot } from "./tools.mjs";

const target = process.env.UPDATE_PICTURES ? path.join(root, "client-vscode", "media") : shots;

for (const [theme, name] of Object.entries(THEMES)) {
  test(`pictures in the ${theme} theme`, { skip: whyNot() }, async () => {
    const editor = await startEditor({
      settings: {
        "cachewise.interpreter": await python(),
        "workbench.colorTheme": name,
        "workbench.activityBar.location": "hidden",
        "breadcrumbs.enabled": false,
        "editor.fontSize": 13,
        "editor.scrollbar.horizontal": "hidden",
        "editor.stickyScroll.enabled": false,
      },
    });
    try {
      const folder = path.join(scratch("pictures"), "harbour-cycles");
      cpSync(path.join(root, "examples"), folder, { recursive: true });
      const page = await openFolder(editor, folder, {
        viewport: { width: 940, height: 520 },
        deviceScaleFactor: 1.5,
      });
      const draw = async (picture) => {
        mkdirSync(target, { recursive: true });
        await page.waitForTimeout(700);
        await page.screenshot({ path: path.join(target, `${picture}-${theme}.png`) });
      };

      await page.setViewportSize({ width: 940, height: 780 });
      await openFile(page, "rag-documents.json");
      await page.keyboard.press("Control+b");
      await page.locator(".codelens-decoration", { hasText: "first call" }).first().waitFor();
      await goTo(page, 4, 3);
      await page
        .locator(".view-line", { hasText: /write\s\$/ })
        .first()
        .waitFor();
      await draw("hint");

      await page.setViewportSize({ width: 940, height: 520 });
      await openFile(page, "volatile-timestamp.json");
      await page.locator(".squiggly-warning").first().waitFor();
      await goTo(page, 7, 40);
      await runCommand(page, "Show or Focus Hover");
      await page.locator(".monaco-hover", { hasText: "timestamp" }).first().waitFor();
      await draw("finding");
      await page.keyboard.press("Escape");

      await openFile(page, "ttl-order-mistake.json");
      await goTo(page, 154, 17);
      await page.locator(".squiggly-error").first().waitFor();
      await openFixes(page);
      await draw("fix");
      await page.keyboard.press("Escape");

      await page.setViewportSize({ width: 1180, height: 640 });
      await openFile(page, "support-agent.json");
      await page.locator(".codelens-decoration a", { hasText: "Cache map" }).first().click();
      const map = page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
      await map.locator("svg.prefix").first().waitFor();
      await draw("map");
    } finally {
      await editor.stop();
    }
  });
}
