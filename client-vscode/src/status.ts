import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { isSupported } from "./documents";
import { summary } from "./protocol";

/** How long the cursor rests before the status bar asks about the request under it. */
const DELAY_MS = 150;

/** The status bar item: what the request under the cursor costs, or how the server is. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "cachewise.request",
    vscode.StatusBarAlignment.Right,
    100,
  );
  private readonly listeners: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private question: vscode.CancellationTokenSource | undefined;
  private client: LanguageClient | undefined;
  private shownFor: vscode.TextDocument | undefined;

  constructor() {
    this.item.name = vscode.l10n.t("Cachewise: request under the cursor");
    this.listeners = [
      vscode.window.onDidChangeTextEditorSelection(() => this.later()),
      vscode.window.onDidChangeActiveTextEditor(() => this.later()),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document === vscode.window.activeTextEditor?.document) this.later();
      }),
    ];
  }

  /** The server is on its way. */
  starting(): void {
    this.client = undefined;
    this.show("$(loading~spin) Cachewise", vscode.l10n.t("Cachewise is starting"));
    this.item.command = "cachewise.showOutput";
  }

  /** The server runs: show what it says about the request under the cursor. */
  running(client: LanguageClient): void {
    // What it says about a request stays until the new answer is there; that it starts does not.
    if (this.client !== client) this.item.hide();
    this.client = client;
    this.later();
  }

  /** There is no server; `reason` tells why. */
  failed(reason: string): void {
    this.client = undefined;
    this.show("$(warning) Cachewise", reason);
    this.item.command = "cachewise.restart";
  }

  /** There is no server, and none is needed. */
  idle(): void {
    this.client = undefined;
    this.item.hide();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.question?.cancel();
    for (const listener of this.listeners) listener.dispose();
    this.item.dispose();
  }

  private later(): void {
    if (this.client === undefined) return;
    clearTimeout(this.timer);
    this.question?.cancel();
    const document = vscode.window.activeTextEditor?.document;
    // What stands there is about another document: gone at once, not after the pause.
    if (document !== this.shownFor) this.item.hide();
    this.timer = setTimeout(() => void this.ask(), DELAY_MS);
  }

  private async ask(): Promise<void> {
    const { client } = this;
    const editor = vscode.window.activeTextEditor;
    if (client === undefined) return;
    if (editor === undefined || !isSupported(editor.document)) {
      this.item.hide();
      return;
    }
    const question = new vscode.CancellationTokenSource();
    this.question = question;
    const answer = await client
      .sendRequest(
        summary,
        {
          textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(editor.document),
          position: client.code2ProtocolConverter.asPosition(editor.selection.active),
        },
        question.token,
      )
      // Overtaken by the next question, or the server is going down: nothing to show either way.
      .catch(() => null)
      .finally(() => question.dispose());
    if (question.token.isCancellationRequested || this.client !== client) return;
    if (answer === null) {
      this.item.hide();
      return;
    }
    this.shownFor = editor.document;
    const tooltip = new vscode.MarkdownString(answer.tooltip);
    tooltip.isTrusted = false;
    // A label is plain text: what looks like the name of an icon in it must not become one.
    this.show(`$(layers) ${answer.label.replaceAll("$(", "$\u200b(")}`, tooltip);
    this.item.command = "cachewise.cacheMap";
  }

  private show(text: string, tooltip: string | vscode.MarkdownString): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    const plain = text.replace(/\$\([^)]*\)\s*/, "");
    this.item.accessibilityInformation = {
      label: plain === "Cachewise" ? plain : vscode.l10n.t("Cachewise: {0}", plain),
    };
    this.item.show();
  }
}
