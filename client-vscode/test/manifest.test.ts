import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { LANGUAGES, PROMPT_TEXTS } from "../src/languages";

const root = process.cwd();
const json = (name: string) => JSON.parse(readFileSync(path.join(root, name), "utf8"));
const manifest = json("package.json");
const sources = readdirSync(path.join(root, "client-vscode/src")).map((name) =>
  readFileSync(path.join(root, "client-vscode/src", name), "utf8"),
);

test("each text of the manifest exists in each language, and none is left over", () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1]);
  for (const name of ["package.nls.json", "package.nls.fr.json"]) {
    assert.deepEqual(Object.keys(json(name)).sort(), [...new Set(used)].sort(), name);
  }
});

test("each sentence of the code is translated, and no translation is left over", () => {
  const sentences = sources.flatMap((source) =>
    [...source.matchAll(/l10n\.t\(\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')/g)].map(
      (match) => match[1] ?? match[2],
    ),
  );
  const bundle = json("client-vscode/l10n/bundle.l10n.fr.json");
  assert.ok(sentences.length > 10);
  assert.deepEqual(Object.keys(bundle).sort(), [...new Set(sentences)].sort());
  for (const [english, french] of Object.entries<string>(bundle)) {
    const holes = (text: string) => (text.match(/\{\d\}/g) ?? []).sort();
    assert.deepEqual(holes(french), holes(english), english);
  }
});

test("each command of the manifest is registered, and each registered one is in the manifest", () => {
  const declared = manifest.contributes.commands.map((entry: { command: string }) => entry.command);
  const registered = sources.flatMap((source) =>
    [...source.matchAll(/\bcommand\("(\w+)"/g)].map((match) => `cachewise.${match[1]}`),
  );
  assert.deepEqual(registered.sort(), declared.sort());
});

test("the interpreter cannot come from an untrusted workspace", () => {
  const { untrustedWorkspaces } = manifest.capabilities;
  assert.equal(untrustedWorkspaces.supported, "limited");
  assert.ok(untrustedWorkspaces.restrictedConfigurations.includes("cachewise.interpreter"));
});

test("the extension wakes for what it reads and for its panel, and for nothing else", () => {
  assert.deepEqual(manifest.activationEvents, [
    ...LANGUAGES.map((language) => `onLanguage:${language}`),
    // Not for plain text as such: most of it is none of our business.
    `workspaceContains:${PROMPT_TEXTS}`,
    "onWebviewPanel:cachewise.cacheMap",
  ]);
});

test("it runs where the files are, and does not pretend to run on the web", () => {
  assert.deepEqual(manifest.extensionKind, ["workspace"]);
  assert.equal(manifest.browser, undefined);
  assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
});

test("in each language that may hold a request, a usual hint is not cut off", () => {
  // VS Code cuts the hints of a line at 43 characters.
  const usual = "1,034 tok · 5m · write ≥ $0.0414 → read ≥ $0.0033".length + "block 12: ".length;
  const defaults = manifest.contributes.configurationDefaults;
  assert.deepEqual(
    Object.keys(defaults),
    LANGUAGES.map((language) => `[${language}]`),
  );
  for (const [language, values] of Object.entries<Record<string, number>>(defaults)) {
    assert.deepEqual(Object.keys(values), ["editor.inlayHints.maximumLength"], language);
    assert.ok((values["editor.inlayHints.maximumLength"] ?? 0) >= usual, language);
  }
});
