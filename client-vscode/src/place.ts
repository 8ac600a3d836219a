import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { place } from "./protocol";

/**
 * Puts the breakpoints of the request under the cursor where they cost least, and says in one
 * message what was done, or why nothing was.
 */
export async function placeBreakpoints(client: LanguageClient): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return say(vscode.l10n.t("There is no request at the cursor."));
  const { document } = editor;
  const { version } = document;
  const { line, character } = editor.selection.active;
  const found = await client.sendRequest(place, {
    textDocument: { uri: document.uri.toString() },
    position: { line, character },
  });
  if (found === null) return say(vscode.l10n.t("There is no request at the cursor."));
  if (found.edit === null) return say(vscode.l10n.t("Nothing is changed. {0}", found.sentence));
  const edit = await client.protocol2CodeConverter.asWorkspaceEdit(found.edit);
  // Whoever types meanwhile must not find the markers in the midst of a word.
  const done = document.version === version && (await vscode.workspace.applyEdit(edit));
  if (done) return say(vscode.l10n.t("The breakpoints are placed. {0}", found.sentence));
  return say(vscode.l10n.t("The text has changed meanwhile: place the breakpoints once more."));
}

async function say(message: string): Promise<void> {
  await vscode.window.showInformationMessage(message);
}
