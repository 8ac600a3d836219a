import * as vscode from "vscode";
import { type LanguageClient, WorkDoneProgress } from "vscode-languageclient/node";
import { inEditorColors } from "./page";
import { replay } from "./protocol";

/** Shows replayed traces, one panel a trace. */
export class Replays implements vscode.Disposable {
  private readonly panels = new Map<string, vscode.WebviewPanel>();
  private count = 0;

  /**
   * Replays a trace and shows what each of its calls read from the cache, and why not.
   *
   * @param given the file that it was asked for, in the explorer for example; else it is the
   *   document in front of the user when that can be a trace, else one that the user picks
   */
  async show(client: LanguageClient, given?: vscode.Uri): Promise<void> {
    const trace = given ?? traceInFront() ?? (await pick());
    if (trace === undefined) return;
    const answer = await this.replayed(client, trace);
    if (answer === null) return;
    if (answer.html === null) {
      const another = vscode.l10n.t("Choose a trace…");
      const message = vscode.l10n.t("Cachewise: {0}", answer.problem ?? "");
      if ((await vscode.window.showWarningMessage(message, another)) !== another) return;
      const picked = await pick();
      if (picked !== undefined) await this.show(client, picked);
      return;
    }
    const panel = this.panel(trace, answer.title);
    panel.webview.html = inEditorColors(answer.html);
    panel.reveal();
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
  }

  /** The server's answer; null when the user has stopped it. */
  private replayed(client: LanguageClient, trace: vscode.Uri) {
    this.count += 1;
    const token = `cachewise-replay-${this.count}`;
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("Cachewise: replaying {0}", nameOf(trace)),
      cancellable: true,
    };
    return vscode.window.withProgress(options, async (progress, cancelled) => {
      let told = 0;
      const heard = client.onProgress(WorkDoneProgress.type, token, (value) => {
        const percentage = value.kind === "end" ? 100 : (value.percentage ?? told);
        progress.report({ increment: Math.max(0, percentage - told) });
        told = Math.max(told, percentage);
      });
      try {
        const uri = client.code2ProtocolConverter.asUri(trace);
        const params = { textDocument: { uri }, workDoneToken: token };
        return await client.sendRequest(replay, params, cancelled);
      } catch (error) {
        if (cancelled.isCancellationRequested) return null;
        throw error;
      } finally {
        heard.dispose();
      }
    });
  }

  private panel(trace: vscode.Uri, title: string): vscode.WebviewPanel {
    const key = trace.toString();
    const known = this.panels.get(key);
    if (known !== undefined) return known;
    const panel = vscode.window.createWebviewPanel(
      "cachewise.replay",
      vscode.l10n.t("Replay of {0}", title),
      vscode.ViewColumn.Active,
      { enableScripts: false, enableForms: false, localResourceRoots: [], enableFindWidget: true },
    );
    panel.onDidDispose(() => this.panels.delete(key));
    this.panels.set(key, panel);
    return panel;
  }
}

/** The document in front of the user, when it can be a trace. */
function traceInFront(): vscode.Uri | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined || !["file", "untitled"].includes(document.uri.scheme))
    return undefined;
  const known = ["jsonl", "json", "jsonc"].includes(document.languageId);
  return known || /\.(jsonl|ndjson|log)$/i.test(document.uri.path) ? document.uri : undefined;
}

async function pick(): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Cachewise: replay a trace"),
    openLabel: vscode.l10n.t("Replay"),
    filters: {
      [vscode.l10n.t("Recorded traces")]: ["jsonl", "ndjson", "json", "log"],
    },
  });
  return picked?.[0];
}

function nameOf(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf("/") + 1);
}
