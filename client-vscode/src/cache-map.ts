import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { isSupported } from "./documents";
import { emptyPage, newNonce, type Place, readMessage, readPlace } from "./map-page";
import { cacheMap, cacheMapPlace, type MapPlace, requests } from "./protocol";

const VIEW_TYPE = "cachewise.cacheMap";

/** How long cursor and text rest before the map follows them. */
const DELAY_MS = 200;

/** How long a text rests before the button in the editor's title comes or goes. */
const BUTTON_MS = 600;

const OPTIONS: vscode.WebviewOptions = {
  enableScripts: true,
  enableForms: false,
  localResourceRoots: [],
};

/**
 * The panel with the cache map of the request at the cursor. There is at most one; it follows the
 * cursor and the edits of whatever editor is in front.
 *
 * The server makes the page. Once it is there, only its content is replaced, so that the sliders,
 * the scroll position and the focus stay where they are.
 */
export class CacheMap implements vscode.Disposable, vscode.WebviewPanelSerializer {
  private readonly listeners: vscode.Disposable[];
  private panel: vscode.WebviewPanel | undefined;
  private place: Place | undefined;
  private client: LanguageClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private buttonTimer: NodeJS.Timeout | undefined;
  private question: vscode.CancellationTokenSource | undefined;
  /** The content that the page shows; undefined when the page is none of the server's. */
  private body: string | undefined;
  /** Whether the page that was set last has not said yet that it is there. */
  private fresh = false;

  constructor() {
    this.listeners = [
      vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, this),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.follow(textEditor);
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        if (editor !== undefined) this.follow(editor);
        // While the map itself is in front there is no text editor, but the button may stay.
        if (editor !== undefined || this.panel?.active !== true) this.buttonLater(0);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.toString() === this.place?.uri) this.later();
        if (document === vscode.window.activeTextEditor?.document) this.buttonLater(BUTTON_MS);
      }),
    ];
  }

  /** The server runs, or has something new to say. */
  refresh(client: LanguageClient): void {
    this.client = client;
    this.later(0);
    this.buttonLater(0);
  }

  /** There is no server: the map stays as it was, and is renewed when there is one again. */
  stopped(): void {
    this.client = undefined;
    this.question?.cancel();
    this.buttonLater(0);
  }

  /** Shows the map beside the editor: of the place that a lens names, else at the cursor. */
  show(given?: Place): void {
    const editor = vscode.window.activeTextEditor;
    this.place = given ?? (editor && isSupported(editor.document) ? at(editor) : this.place);
    if (this.panel === undefined) {
      const column = vscode.ViewColumn.Beside;
      const title = vscode.l10n.t("Cache map");
      this.take(
        vscode.window.createWebviewPanel(
          VIEW_TYPE,
          title,
          { viewColumn: column, preserveFocus: true },
          {
            ...OPTIONS,
            enableFindWidget: true,
          },
        ),
      );
    } else {
      this.panel.reveal(undefined, true);
    }
    this.later(0);
  }

  /** Takes over the panel of a window that was reloaded. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    this.panel?.dispose();
    panel.webview.options = OPTIONS;
    this.place = readPlace(state) ?? this.place;
    this.take(panel);
    this.later(0);
  }

  dispose(): void {
    clearTimeout(this.timer);
    clearTimeout(this.buttonTimer);
    this.question?.cancel();
    for (const listener of this.listeners) listener.dispose();
    this.panel?.dispose();
  }

  private take(panel: vscode.WebviewPanel): void {
    this.panel = panel;
    this.empty(vscode.l10n.t("The map comes as soon as the Cachewise server runs."));
    panel.webview.onDidReceiveMessage((value: unknown) => void this.received(value));
    panel.onDidChangeViewState(() => {
      if (panel.visible) this.later(0);
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.panel = undefined;
      this.body = undefined;
      this.question?.cancel();
    });
  }

  private follow(editor: vscode.TextEditor): void {
    if (this.panel === undefined || !isSupported(editor.document)) return;
    this.place = at(editor);
    this.later();
  }

  private later(milliseconds = DELAY_MS): void {
    clearTimeout(this.timer);
    this.question?.cancel();
    if (this.panel === undefined) return;
    this.timer = setTimeout(() => void this.ask(), milliseconds);
  }

  private async ask(): Promise<void> {
    const { client, panel, place } = this;
    // A hidden page does not live: it is renewed when it is seen again.
    if (client === undefined || panel === undefined || !panel.visible) return;
    if (place === undefined) return this.empty(nothingHere());
    const question = new vscode.CancellationTokenSource();
    this.question = question;
    const nonce = this.body === undefined ? newNonce() : undefined;
    const answer = await client
      .sendRequest(
        cacheMap,
        { textDocument: { uri: place.uri }, position: place.position, nonce },
        question.token,
      )
      // Overtaken by the next question, or the server is going down: the map stays as it is.
      .catch(() => undefined);
    if (question.token.isCancellationRequested || answer === undefined) return;
    if (this.panel !== panel || this.client !== client) return;
    if (answer === null) return this.empty(nothingHere());
    panel.title = vscode.l10n.t("Cache map: {0}", answer.title);
    const { uri, position } = place;
    const where = { here: answer.here, at: { uri, ...position } };
    if (nonce !== undefined) {
      this.body = "";
      this.fresh = true;
      panel.webview.html = answer.html;
      // What is said before the page has loaded is kept for it.
      await panel.webview.postMessage({ type: "here", ...where });
    } else if (answer.html === this.body) {
      await panel.webview.postMessage({ type: "here", ...where });
    } else {
      this.body = answer.html;
      await panel.webview.postMessage({ type: "show", body: answer.html, ...where });
    }
  }

  private async received(value: unknown): Promise<void> {
    const message = readMessage(value);
    if (message === undefined) return;
    if (message.type === "ready") {
      // A page that was hidden begins again with what it was given first.
      if (!this.fresh && this.body !== undefined) {
        this.body = "";
        this.later(0);
      }
      this.fresh = false;
      return;
    }
    const { client, place } = this;
    if (client === undefined || place === undefined) return;
    const { what, number } = message;
    const found = await client
      .sendRequest(cacheMapPlace, {
        textDocument: { uri: place.uri },
        position: place.position,
        what,
        number,
      })
      .catch(() => null);
    if (found === null) return;
    await reveal(client, found);
  }

  private empty(sentence: string): void {
    if (this.panel === undefined) return;
    this.body = undefined;
    this.panel.title = vscode.l10n.t("Cache map");
    this.panel.webview.html = emptyPage(sentence);
  }

  /** The button in the editor's title is there for documents that hold a request. */
  private buttonLater(milliseconds: number): void {
    clearTimeout(this.buttonTimer);
    this.buttonTimer = setTimeout(() => void this.button(), milliseconds);
  }

  private async button(): Promise<void> {
    const { client } = this;
    const document = vscode.window.activeTextEditor?.document;
    let holds = false;
    if (client !== undefined && document !== undefined && isSupported(document)) {
      const uri = document.uri.toString();
      const found = await client.sendRequest(requests, { textDocument: { uri } }).catch(() => []);
      holds = found.length > 0;
      if (document !== vscode.window.activeTextEditor?.document) return;
    }
    await vscode.commands.executeCommand("setContext", "cachewise.hasRequests", holds);
  }
}

/** Shows a place of the map in an editor: the one that is open already, if there is one. */
async function reveal(client: LanguageClient, { uri, range }: MapPlace): Promise<void> {
  const target = client.protocol2CodeConverter.asUri(uri);
  const selection = client.protocol2CodeConverter.asRange(range);
  const open = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === target.toString(),
  );
  const viewColumn = open?.viewColumn ?? vscode.ViewColumn.One;
  const { start, end } = selection;
  const where = new vscode.Range(start, start);
  // A cell is shown in its notebook, which only this command does.
  await vscode.commands.executeCommand("vscode.open", target, { viewColumn, selection: where });
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.toString() !== target.toString()) return;
  // The cursor at its start: the end of a long text may be far away.
  editor.selection = new vscode.Selection(end, start);
  editor.revealRange(where, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function at(editor: vscode.TextEditor): Place {
  const { line, character } = editor.selection.active;
  return { uri: editor.document.uri.toString(), position: { line, character } };
}

function nothingHere(): string {
  return vscode.l10n.t("There is no request at the cursor.");
}
