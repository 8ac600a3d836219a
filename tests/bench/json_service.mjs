// The other program's part: the same document, the same edits, parsed and validated in process.
// Arguments: the folder with node_modules, and a file with {text, edits: [[line, column, text]]}.
// Prints the milliseconds of the first validation and of each edit.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, input] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");

const { text, edits } = JSON.parse(readFileSync(input, "utf8"));
const service = getLanguageService({});
service.configure({ validate: true, allowComments: false });

async function validate(document) {
  const problems = await service.doValidation(document, service.parseJSONDocument(document));
  return problems.length;
}

const started = performance.now();
let document = TextDocument.create("file:///bench/request.json", "json", 1, text);
let problems = await validate(document);
const opened = performance.now() - started;

const times = [];
for (const [line, column, inserted] of edits) {
  const before = performance.now();
  const at = { line, character: column };
  const change = { range: { start: at, end: at }, text: inserted };
  document = TextDocument.update(document, [change], document.version + 1);
  problems += await validate(document);
  times.push(performance.now() - before);
}
if (problems) {
  throw new Error("The benchmark's edits have made the document wrong.");
}
console.log(JSON.stringify({ opened, times }));
