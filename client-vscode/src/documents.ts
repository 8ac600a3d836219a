import type { TextDocument } from "vscode";
import { LANGUAGES } from "./languages";
import { mayHoldRequest } from "./sniff";

const SCHEMES = ["file", "untitled"];

/** The documents that the server is told about. */
export const DOCUMENTS: { scheme: string; language?: string; pattern?: string }[] = SCHEMES.flatMap(
  (scheme) => [
    ...LANGUAGES.map((language) => ({ scheme, language })),
    // Recorded traces, whatever language the editor takes them for.
    { scheme, pattern: "**/*.{jsonl,ndjson}" },
  ],
);

/** Whether a document is of a kind that the server reads. */
export function isSupported(document: TextDocument): boolean {
  return (
    SCHEMES.includes(document.uri.scheme) &&
    (LANGUAGES.includes(document.languageId) ||
      /\.(jsonl|ndjson|http|rest)$/i.test(document.uri.path))
  );
}

/** Whether a document is worth starting the server for. */
export function isWorthServing(document: TextDocument): boolean {
  return isSupported(document) && mayHoldRequest(document.getText(), document.languageId);
}
