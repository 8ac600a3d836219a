// What other code in VS Code gets from the extension, asked through VS Code's own API.
const assert = require("node:assert/strict");
const vscode = require("vscode");

const STABLE = "You answer questions about the harbour: tides, berths, fees and rules. ".repeat(
  120,
);

const body = (cacheControl) => ({
  model: "claude-sonnet-5-5",
  max_tokens: 1024,
  system: [{ type: "text", text: STABLE, cache_control: cacheControl }],
  messages: [{ role: "user", content: "When is high tide?" }],
});

const GOOD = `${JSON.stringify(body({ type: "ephemeral" }), null, 2)}\n`;
const BAD = `${JSON.stringify(body({ type: "ephemeral", ttl: "2h" }), null, 2)}\n`;

const folder = () => vscode.workspace.workspaceFolders[0].uri;
const extension = () => vscode.extensions.getExtension("cachewise.cachewise");

async function open(name, text) {
  const uri = vscode.Uri.joinPath(folder(), name);
  await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

async function until(what, check, milliseconds = 20_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const findings = (document) =>
  vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === "cachewise");
const codeOf = ({ code }) => (typeof code === "object" ? code.value : code);
const finding = (document, code) =>
  until(code, () => findings(document).find((item) => codeOf(item) === code));
const whole = (document) => new vscode.Range(0, 0, document.lineCount, 0);
const ask = (command, ...args) => vscode.commands.executeCommand(`vscode.${command}`, ...args);

describe("Cachewise in the extension host", () => {
  it("has started no server when VS Code has started", () => {
    // VS Code may have woken it already: it opens documents of its own, such as its settings.
    assert.equal(extension().isActive ? extension().exports.client() : undefined, undefined);
  });

  it("starts no server for JSON that is no request", async () => {
    await open("package.json", '{"name": "x", "scripts": {"build": "tsc"}}\n');
    await until("activation", () => extension().isActive);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(extension().exports.client(), undefined);
  });

  it("starts it when an edit makes the document a request", async () => {
    const document = await open("typed.json", "{\n}\n");
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, whole(document), GOOD);
    await vscode.workspace.applyEdit(edit);
    await until("the client", () => extension().exports.client()?.isRunning());
    await document.save();
  });

  it("gives hints in VS Code's place for them, and lenses with figures", async () => {
    const document = await open("good.json", GOOD);
    const hints = await until("a hint", async () => {
      const found = await ask("executeInlayHintProvider", document.uri, whole(document));
      return found.length > 0 && found;
    });
    const label = ({ label: text }) =>
      typeof text === "string" ? text : text.map(({ value }) => value).join("");
    assert.ok(
      hints.some((hint) => /\d tok ·/.test(label(hint))),
      hints.map(label).join(" | "),
    );
    const lenses = await ask("executeCodeLensProvider", document.uri, 10);
    assert.ok(lenses.some(({ command }) => /first call/.test(command?.title ?? "")));
    assert.deepEqual(
      findings(document).filter(({ severity }) => severity === 0),
      [],
    );
  });

  it("shows a hover on a breakpoint", async () => {
    const document = await open("good.json", GOOD);
    const position = document.positionAt(GOOD.indexOf("cache_control") + 3);
    const hovers = await ask("executeHoverProvider", document.uri, position);
    const text = hovers.flatMap(({ contents }) => contents.map((part) => part.value ?? part));
    assert.match(text.join("\n"), /tok/);
  });

  it("gives the outline of the request", async () => {
    const document = await open("good.json", GOOD);
    const symbols = await until("the outline", () =>
      ask("executeDocumentSymbolProvider", document.uri),
    );
    assert.ok(symbols.length > 0);
  });

  it("counts columns in UTF-16, as VS Code does", async () => {
    const line = JSON.stringify(body({ type: "ephemeral", ttl: "2h" }));
    const text = line.replace("harbour", "🇫🇷 été 𝄞");
    const document = await open("unicode.json", text);
    const error = await finding(document, "CW104");
    const marked = document.getText(error.range);
    assert.match(marked, /2h/);
    assert.ok(marked.length < 20, marked);
  });

  it("fixes a finding, and the finding goes away", async () => {
    const document = await open("bad.json", BAD);
    const error = await finding(document, "CW104");
    const actions = await ask(
      "executeCodeActionProvider",
      document.uri,
      error.range,
      vscode.CodeActionKind.QuickFix.value,
      50,
    );
    const fix = actions.find(({ title }) => /5m/.test(title));
    assert.ok(fix?.edit, actions.map(({ title }) => title).join(" | "));
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    await until("no error", () => !findings(document).some((item) => codeOf(item) === "CW104"));
    assert.equal(JSON.parse(document.getText()).system[0].cache_control.type, "ephemeral");
    await document.save();
  });

  it("completes the values of ttl", async () => {
    const document = await open("complete.json", BAD);
    const position = document.positionAt(BAD.indexOf('"2h"') + 1);
    const { items } = await ask("executeCompletionItemProvider", document.uri, position);
    const labels = items.map(({ label }) => (typeof label === "string" ? label : label.label));
    assert.ok(
      labels.some((label) => label.includes("1h")),
      labels.join(" | "),
    );
  });

  it("takes a changed setting without a restart", async () => {
    const document = await open("settings.json", BAD);
    await finding(document, "CW104");
    const before = extension().exports.client();
    const section = vscode.workspace.getConfiguration("cachewise");
    await section.update("ignore", ["CW104"], vscode.ConfigurationTarget.Global);
    await until("no finding", () => !findings(document).some((item) => codeOf(item) === "CW104"));
    await section.update("ignore", undefined, vscode.ConfigurationTarget.Global);
    await finding(document, "CW104");
    assert.equal(extension().exports.client(), before);
  });

  it("keeps quiet about a file that is no request, while the server runs", async () => {
    const document = await open("other.json", '{"model": "2CV", "messages": {}}\n');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.deepEqual(findings(document), []);
    const hints = await ask("executeInlayHintProvider", document.uri, whole(document));
    assert.equal(hints.length, 0);
  });

  it("reads JSON Lines, whatever the file is called", async () => {
    const line = JSON.stringify({ custom_id: "a", params: body({ type: "ephemeral", ttl: "2h" }) });
    const document = await open("batch.ndjson", `${line}\n${line}\n`);
    assert.equal(document.languageId, "jsonl");
    await finding(document, "CW104");
  });

  it("finds the requests of a Python file", async () => {
    const text = [
      "import anthropic",
      "",
      `HARBOUR = "${STABLE.slice(0, 200)} 🇫🇷 été" * 40`,
      "anthropic.Anthropic().messages.create(",
      '    model="claude-sonnet-5-5",',
      "    max_tokens=100,",
      '    system=[{"type": "text", "text": HARBOUR, "cache_control": {"type": "ephemeral", "ttl": "2h"}}],',
      '    messages=[{"role": "user", "content": "When is high tide?"}],',
      ")",
      "",
    ].join("\n");
    const document = await open("request.py", text);
    const error = await finding(document, "CW104");
    assert.equal(document.getText(error.range), '"2h"');
  });

  it("restarts on request", async () => {
    const before = extension().exports.client();
    await vscode.commands.executeCommand("cachewise.restart");
    const after = extension().exports.client();
    assert.notEqual(after, before);
    assert.ok(after.isRunning());
    const document = await open("again.json", BAD);
    await finding(document, "CW104");
  });
});
