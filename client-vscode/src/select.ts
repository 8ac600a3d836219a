import { homedir } from "node:os";
import * as vscode from "vscode";
import { run } from "./process";
import { look, pythonsOf, thisMachine } from "./python";
import { activePython } from "./python-extension";

interface Choice extends vscode.QuickPickItem {
  /** A path; null for the automatic choice; undefined for the file dialog. */
  readonly value: string | null | undefined;
}

/**
 * Lets a person choose the Python that runs the server, and writes the choice to the user's
 * settings. The change of the setting is what starts the server again.
 */
export async function selectInterpreter(storage: string): Promise<void> {
  const picked = await vscode.window.showQuickPick(choices(storage), {
    title: vscode.l10n.t("Cachewise: Python that runs the server"),
    placeHolder: vscode.l10n.t("Python 3.11 or newer"),
    matchOnDescription: true,
  });
  if (picked === undefined) return;
  let value = picked.value;
  if (value === undefined) {
    const files = await vscode.window.showOpenDialog({
      title: vscode.l10n.t("Python 3.11 or newer"),
      openLabel: vscode.l10n.t("Use this Python"),
    });
    if (files?.[0] === undefined) return;
    value = files[0].fsPath;
  }
  await vscode.workspace
    .getConfiguration("cachewise")
    .update("interpreter", value ?? undefined, vscode.ConfigurationTarget.Global);
}

async function choices(storage: string): Promise<Choice[]> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const { isTrusted } = vscode.workspace;
  const active = isTrusted ? await activePython(vscode.workspace.workspaceFolders?.[0]?.uri) : null;
  const paths = pythonsOf(thisMachine(homedir()), isTrusted ? [] : folders);
  const looks = await Promise.all(
    [...new Set([...(active === null ? [] : [active]), ...paths])].map(async (path) => ({
      path,
      answer: await look(path, storage, run),
    })),
  );
  const found = looks.flatMap(({ path, answer }): Choice[] =>
    "found" in answer
      ? [
          {
            label: `Python ${answer.found.version.join(".")}`,
            description: path,
            value: path,
            ...(answer.found.cachewise === null
              ? {}
              : { detail: vscode.l10n.t("has Cachewise {0}", answer.found.cachewise) }),
          },
        ]
      : [],
  );
  return [
    { label: `$(sparkle) ${vscode.l10n.t("Choose automatically")}`, value: null },
    ...found,
    { label: `$(folder-opened) ${vscode.l10n.t("Browse…")}`, value: undefined },
  ];
}
