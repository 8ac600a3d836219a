// What passes between the cache map's page and the extension, without asking VS Code anything. The
// page shows words of a prompt, so nothing that comes from it is believed before it was looked at.
import { randomBytes } from "node:crypto";

export interface Place {
  readonly uri: string;
  readonly position: { readonly line: number; readonly character: number };
}

/** The page says that it is there, or that somebody wants to see a block in the editor. */
export type Message =
  | { readonly type: "ready" }
  | { readonly type: "reveal"; readonly what: "block" | "breakpoint"; readonly number: number };

/** A message of the page; undefined for anything that is none. */
export function readMessage(value: unknown): Message | undefined {
  const { type, what, number } = fields(value);
  if (type === "ready") return { type };
  if (type !== "reveal" || (what !== "block" && what !== "breakpoint")) return undefined;
  return isCount(number) && number > 0 ? { type, what, number } : undefined;
}

/** The place that a page was about before the window was reloaded, from the state it has kept. */
export function readPlace(state: unknown): Place | undefined {
  const { uri, line, character } = fields(fields(state).at);
  return placeFrom(uri, line, character);
}

/** The place that a lens names; undefined where a command was given something else, or nothing. */
export function placeFrom(uri: unknown, line: unknown, character: unknown): Place | undefined {
  if (typeof uri !== "string" || !isCount(line) || !isCount(character)) return undefined;
  return { uri, position: { line, character } };
}

/** A value that nobody can guess, for the page's policy: its own style and script bear it. */
export function newNonce(): string {
  return randomBytes(24).toString("base64");
}

/** The page while there is no map: one sentence. */
export function emptyPage(sentence: string): string {
  const text = sentence.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
  const nonce = newNonce();
  return `<!doctype html>
<html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'">
<style nonce="${nonce}">
body { padding: 12px 16px; font-family: var(--vscode-font-family);
  color: var(--vscode-descriptionForeground); }
</style></head><body><p role="status">${text}</p></body></html>`;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
