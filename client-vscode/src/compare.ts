import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { isSupported } from "./documents";
import { compare, type RequestChoice, requests } from "./protocol";

export const BODY_SCHEME = "cachewise-body";

/** How many bodies are kept; the documents that show older ones stay open, but are not read again. */
const KEPT = 20;

/** Serves the bodies of compared requests as documents that nobody can edit. */
export class Bodies implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private count = 0;

  put(title: string, text: string): vscode.Uri {
    this.count += 1;
    const path = `/${this.count}/${title.replaceAll("/", "_")}.json`;
    this.texts.set(path, text);
    for (const old of this.texts.keys()) {
      if (this.texts.size <= KEPT) break;
      this.texts.delete(old);
    }
    return vscode.Uri.from({ scheme: BODY_SCHEME, path });
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.texts.get(uri.path);
  }
}

interface Place {
  readonly uri: string;
  readonly position: { readonly line: number; readonly character: number };
}

/**
 * Opens two requests side by side, at the first difference that the cache sees. A lens says which
 * request it stands above (`given`); else it is the one under the cursor. It is compared with the
 * one that the user picks, or for a lens that names it already, with the one that it goes on from.
 */
export async function compareRequests(
  client: LanguageClient,
  bodies: Bodies,
  given?: Place,
  choose = given === undefined,
): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const later =
    given ??
    (editor && { uri: editor.document.uri.toString(), position: plain(editor.selection.active) });
  if (later === undefined) return nothing();
  const other = choose ? await pick(client, later) : undefined;
  if (choose && other === undefined) return;
  const found = await client.sendRequest(compare, {
    textDocument: { uri: later.uri },
    position: later.position,
    ...(other === undefined ? {} : { other }),
  });
  if (found === null) return nothing();
  await vscode.commands.executeCommand(
    "vscode.diff",
    bodies.put(found.earlier.title, found.earlier.text),
    bodies.put(found.later.title, found.later.text),
    `${found.earlier.title} ↔ ${found.later.title}: ${found.sentence}`,
    { selection: new vscode.Range(found.later.line, 0, found.later.line, 0) },
  );
}

/** Asks for the other request: of the same document, or of another one that is open. */
async function pick(client: LanguageClient, later: Place): Promise<Place | undefined> {
  const items: (vscode.QuickPickItem & { place?: Place })[] = [];
  const documents = vscode.workspace.textDocuments.filter(isSupported);
  documents.sort((a, b) => Number(isOf(b, later)) - Number(isOf(a, later)));
  for (const document of documents) {
    const uri = document.uri.toString();
    const found = await client.sendRequest(requests, { textDocument: { uri } });
    const own = isOf(document, later) ? under(found, later.position) : undefined;
    const others = found.filter((choice) => choice !== own);
    if (others.length === 0) continue;
    items.push({
      label: vscode.workspace.asRelativePath(document.uri),
      kind: vscode.QuickPickItemKind.Separator,
    });
    for (const { title, detail, position } of others) {
      items.push({ label: title, description: detail, place: { uri, position } });
    }
  }
  if (items.length === 0) {
    await nothing();
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Cachewise: compare with another request"),
    placeHolder: vscode.l10n.t("The request that was sent earlier"),
    matchOnDescription: true,
  });
  return picked?.place;
}

/** The request that a position lies in, or behind: the last one that starts before it. */
function under(
  choices: readonly RequestChoice[],
  at: Place["position"],
): RequestChoice | undefined {
  const before = choices.filter(
    ({ position }) =>
      position.line < at.line || (position.line === at.line && position.character <= at.character),
  );
  return before[before.length - 1];
}

function isOf(document: vscode.TextDocument, place: Place): boolean {
  return document.uri.toString() === place.uri;
}

function plain({ line, character }: vscode.Position): Place["position"] {
  return { line, character };
}

async function nothing(): Promise<void> {
  await vscode.window.showInformationMessage(
    vscode.l10n.t("Cachewise: there is no other request here to compare with."),
  );
}
