import type { TextDocument } from "vscode";
import { isPromptFile, LANGUAGES, PROMPT_PATTERNS } from "./languages";
import { mayHoldRequest } from "./sniff";

const SCHEMES = ["file", "untitled"];

/** VS Code's scheme for the cells of a notebook. */
const CELL = "vscode-notebook-cell";

/** The documents that the server is told about. */
export const DOCUMENTS: {
  scheme?: string;
  language?: string;
  pattern?: string;
  notebook?: string;
}[] = [
  ...SCHEMES.flatMap((scheme) => [
    ...LANGUAGES.map((language) => ({ scheme, language })),
    // Recorded traces, whatever language the editor takes them for.
    { scheme, pattern: "**/*.{jsonl,ndjson}" },
    ...PROMPT_PATTERNS.map((pattern) => ({ scheme, pattern })),
  ]),
  { notebook: "jupyter-notebook", language: "python" },
];

/** Whether a document is of a kind that the server reads. */
export function isSupported(document: TextDocument): boolean {
  if (document.uri.scheme === CELL) return document.languageId === "python";
  return (
    SCHEMES.includes(document.uri.scheme) &&
    (LANGUAGES.includes(document.languageId) ||
      /\.(jsonl|ndjson|http|rest)$/i.test(document.uri.path) ||
      isPromptFile(document.uri.path))
  );
}

/** Whether a document is worth starting the server for. */
export function isWorthServing(document: TextDocument): boolean {
  return (
    isSupported(document) &&
    mayHoldRequest(document.getText(), document.languageId, document.uri.path)
  );
}
