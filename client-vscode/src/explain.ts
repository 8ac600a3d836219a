import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { explain, type Rule, rules } from "./protocol";

export const SCHEME = "cachewise";

/** Serves the pages of the rules as documents that nobody can edit: `cachewise:/rules/CW101.md`. */
export class RulePages implements vscode.TextDocumentContentProvider {
  private readonly pages = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  put(rule: string, markdown: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/rules/${rule}.md` });
    this.pages.set(uri.path, markdown);
    this.changed.fire(uri);
    return uri;
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.pages.get(uri.path);
  }
}

/** Shows the page of a rule in the Markdown preview; asks for the rule when none is given. */
export async function explainRule(
  client: LanguageClient,
  pages: RulePages,
  given?: string,
): Promise<void> {
  const rule = given ?? (await pickRule(client));
  if (rule === undefined) return;
  const page = await client.sendRequest(explain, { rule });
  if (page === null) {
    await vscode.window.showErrorMessage(vscode.l10n.t('There is no rule "{0}".', rule));
    return;
  }
  await vscode.commands.executeCommand("markdown.showPreview", pages.put(rule, page.markdown));
}

async function pickRule(client: LanguageClient): Promise<string | undefined> {
  const known = await client.sendRequest(rules, {});
  const items = known.map((rule) => ({
    label: `${ICONS[rule.severity]} ${rule.code}`,
    description: rule.name,
    detail: rule.summary,
    rule: rule.code,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Cachewise: explain a rule"),
    placeHolder: vscode.l10n.t("Type a code, a name or a word"),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.rule;
}

const ICONS: Record<Rule["severity"], string> = {
  error: "$(error)",
  warning: "$(warning)",
  info: "$(info)",
};
