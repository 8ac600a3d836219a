import * as vscode from "vscode";

/** The platform whose key can be kept; its id is the server's. */
const PLATFORM = "anthropic";

const NAME = `key.${PLATFORM}`;

/** The server's command that asks a provider; its arguments end with a key where one is kept. */
export const COUNT_EXACT = "cachewise.countExact";

/**
 * The arguments of the server's command with the kept key behind them. The key names the platform
 * that it belongs to, so that the server gives it to no other.
 */
export async function withKey(
  args: readonly unknown[],
  secrets: vscode.SecretStorage,
): Promise<unknown[]> {
  const key = await secrets.get(NAME);
  return key ? [...args, `${PLATFORM}=${key}`] : [...args];
}

/** Asks for a key and keeps it in the editor's secret storage; an empty answer forgets it. */
export async function setKey(secrets: vscode.SecretStorage): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: vscode.l10n.t("Cachewise: key for exact token counts"),
    prompt: vscode.l10n.t(
      "An Anthropic API key. It is kept in the secret storage and sent only when you ask for an exact count. Leave it empty to forget it.",
    ),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return;
  if (key.trim() === "") await secrets.delete(NAME);
  else await secrets.store(NAME, key.trim());
}

/** Counts the tokens of the request under the cursor, as its provider counts them. */
export async function countExactly(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return;
  const { line, character } = editor.selection.active;
  await vscode.commands.executeCommand(
    COUNT_EXACT,
    editor.document.uri.toString(),
    line,
    character,
  );
}
