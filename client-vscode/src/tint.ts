import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { type Band, type BandKind, type Drawing, KINDS, layOut, type Span } from "./bands";
import { isSupported } from "./documents";
import { bands } from "./protocol";
import { glyph } from "./shapes";

/** How long a document rests after an edit before its bands are asked for again. */
const EDIT_MS = 300;
/** How long a change of what is seen rests; the bands are mostly known then. */
const SCROLL_MS = 100;
/** Lines above and below the visible ones that are drawn too, so that scrolling shows no gap. */
const MARGIN = 60;

/**
 * Tints the prefix of the requests in the visible editors: a bar at the left, a shape in the gutter
 * and a mark in the overview ruler. Each band has a colour of the theme, a line style and a shape of
 * its own, and its name in words where one points at the bar.
 *
 * The server says which documents are tinted: the setting may stand in a project's own file.
 */
export class Tint implements vscode.Disposable {
  private readonly known = new Map<vscode.TextDocument, Known>();
  private readonly listeners: vscode.Disposable[];
  private styles: Styles | undefined;
  private client: LanguageClient | undefined;

  constructor() {
    this.listeners = [
      vscode.window.onDidChangeVisibleTextEditors(() => this.look()),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) =>
        this.scrolled(textEditor),
      ),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.changed(document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)),
    ];
  }

  /** The server runs, or has something new to say about every document. */
  refresh(client: LanguageClient): void {
    this.client = client;
    for (const known of this.known.values()) known.stale = true;
    this.look();
  }

  /** There is no server: nothing that stands there is true any longer. */
  stopped(): void {
    this.client = undefined;
    for (const document of [...this.known.keys()]) this.forget(document);
    for (const editor of vscode.window.visibleTextEditors) this.wipe(editor);
  }

  dispose(): void {
    this.stopped();
    for (const listener of this.listeners) listener.dispose();
    this.styles?.dispose();
  }

  /** Sees to it that every visible editor is tinted as far as its bands are known. */
  private look(): void {
    if (this.client === undefined) return;
    const visible = new Set(vscode.window.visibleTextEditors.map(({ document }) => document));
    for (const document of visible) {
      if (!isSupported(document)) continue;
      const known = this.of(document);
      // Behind another tab nothing is asked for, so that it may have moved on since.
      if (known.version !== document.version) known.stale = !known.off;
      if (known.stale) this.later(document, known, 0);
    }
    for (const editor of vscode.window.visibleTextEditors) this.draw(editor);
  }

  private changed(document: vscode.TextDocument): void {
    const known = this.known.get(document);
    if (known === undefined || this.client === undefined) return;
    // What is asked for at this moment is about a text that is no more.
    known.question?.cancel();
    if (known.off || !editorsOf(document).length) return;
    known.stale = true;
    this.later(document, known, EDIT_MS);
  }

  private scrolled(editor: vscode.TextEditor): void {
    const known = this.known.get(editor.document);
    if (known === undefined || known.off) return;
    if (known.complete) {
      clearTimeout(known.drawing);
      known.drawing = setTimeout(() => this.draw(editor), SCROLL_MS);
    } else {
      this.later(editor.document, known, SCROLL_MS);
    }
  }

  private of(document: vscode.TextDocument): Known {
    let known = this.known.get(document);
    if (known === undefined) {
      known = { stale: true, off: false, complete: true, version: -1, laidOut: NOTHING };
      this.known.set(document, known);
    }
    return known;
  }

  private forget(document: vscode.TextDocument): void {
    const known = this.known.get(document);
    clearTimeout(known?.timer);
    clearTimeout(known?.drawing);
    known?.question?.cancel();
    this.known.delete(document);
  }

  private later(document: vscode.TextDocument, known: Known, milliseconds: number): void {
    clearTimeout(known.timer);
    known.timer = setTimeout(() => void this.ask(document, known), milliseconds);
  }

  private async ask(document: vscode.TextDocument, known: Known): Promise<void> {
    const { client } = this;
    const seen = visibleRange(document);
    if (client === undefined || seen === undefined) return;
    known.question?.cancel();
    const question = new vscode.CancellationTokenSource();
    known.question = question;
    const { version } = document;
    const answer = await client
      .sendRequest(
        bands,
        {
          textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(document),
          range: client.code2ProtocolConverter.asRange(seen),
        },
        question.token,
      )
      // Overtaken by the next question, or the server is going down: what is drawn stays.
      .catch(() => undefined)
      .finally(() => question.dispose());
    if (answer === undefined || question.token.isCancellationRequested) return;
    if (this.client !== client || document.isClosed || document.version !== version) return;
    known.stale = false;
    known.version = version;
    known.off = answer !== null && !answer.enabled;
    known.complete = answer?.complete ?? true;
    known.laidOut = answer === null ? NOTHING : layOut(answer.bands);
    for (const editor of editorsOf(document)) this.draw(editor);
  }

  private draw(editor: vscode.TextEditor): void {
    const known = this.known.get(editor.document);
    const laidOut = known?.laidOut ?? NOTHING;
    if (this.styles === undefined) {
      if (laidOut === NOTHING) return;
      this.styles = new Styles();
    }
    // VS Code itself moves what was drawn with the text until the next answer is there.
    if (known !== undefined && known.version !== editor.document.version && !known.off) return;
    this.styles.draw(editor, laidOut);
  }

  private wipe(editor: vscode.TextEditor): void {
    this.styles?.draw(editor, NOTHING);
  }
}

/** What is known of one document. */
interface Known {
  /** Whether it has to be asked about when it is seen. */
  stale: boolean;
  /** Whether its settings leave it untinted: then no edit is worth a question. */
  off: boolean;
  /** Whether the bands are those of the whole document. */
  complete: boolean;
  version: number;
  laidOut: Drawing;
  timer?: NodeJS.Timeout;
  drawing?: NodeJS.Timeout;
  question?: vscode.CancellationTokenSource;
}

const NOTHING: Drawing = { bars: [], underlines: [] };

interface Look {
  /** The colour's name in the manifest, which gives it a default in each kind of theme. */
  readonly color: string;
  readonly style: string;
  readonly width: number;
  readonly lane: vscode.OverviewRulerLane;
}

/** What is cached is marked at the left of the ruler, what is not at the right. */
const LOOKS: Record<BandKind, Look> = {
  "1h": {
    color: "cachewise.tint.long",
    style: "solid",
    width: 4,
    lane: vscode.OverviewRulerLane.Left,
  },
  "5m": {
    color: "cachewise.tint.short",
    style: "solid",
    width: 2,
    lane: vscode.OverviewRulerLane.Left,
  },
  uncached: {
    color: "cachewise.tint.uncached",
    style: "dotted",
    width: 3,
    lane: vscode.OverviewRulerLane.Right,
  },
  "under-minimum": {
    color: "cachewise.tint.underMinimum",
    style: "dashed",
    width: 3,
    lane: vscode.OverviewRulerLane.Right,
  },
  "out-of-window": {
    color: "cachewise.tint.outOfWindow",
    style: "double",
    width: 4,
    lane: vscode.OverviewRulerLane.Center,
  },
};

/** The decorations in VS Code's own terms, made when the first document is tinted. */
class Styles {
  private readonly bars = forEachKind((look) =>
    vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      borderColor: new vscode.ThemeColor(look.color),
      borderStyle: `none none none ${look.style}`,
      borderWidth: `0 0 0 ${look.width}px`,
      overviewRulerColor: new vscode.ThemeColor(look.color),
      overviewRulerLane: look.lane,
    }),
  );
  private readonly underlines = forEachKind((look) =>
    vscode.window.createTextEditorDecorationType({
      borderColor: new vscode.ThemeColor(look.color),
      borderStyle: `none none ${look.style} none`,
      borderWidth: `0 0 ${Math.min(look.width, 3)}px 0`,
      overviewRulerColor: new vscode.ThemeColor(look.color),
      overviewRulerLane: look.lane,
    }),
  );
  private readonly glyphs = forEachKind((_, kind) =>
    vscode.window.createTextEditorDecorationType({
      dark: { gutterIconPath: glyph(kind, "#c5c5c5") },
      light: { gutterIconPath: glyph(kind, "#424242") },
      gutterIconSize: "contain",
    }),
  );
  /** Looks like nothing: the bar is a part of the whole line, and only the bar explains itself. */
  private readonly words = vscode.window.createTextEditorDecorationType({});

  draw(editor: vscode.TextEditor, { bars, underlines }: Drawing): void {
    const words: vscode.DecorationOptions[] = [];
    for (const kind of KINDS) {
      const own = bars.filter(({ band }) => band.kind === kind);
      editor.setDecorations(
        this.bars[kind],
        own.map(({ span }) => range(span)),
      );
      editor.setDecorations(
        this.glyphs[kind],
        own.map(({ span }) => new vscode.Range(span.start.line, 0, span.start.line, 0)),
      );
      editor.setDecorations(
        this.underlines[kind],
        underlines
          .filter(({ band }) => band.kind === kind)
          .map(({ band, span }) => ({ range: range(span), hoverMessage: explained(band) })),
      );
    }
    const seen = linesOf(editor);
    for (const { band, span } of bars) {
      const first = Math.max(span.start.line, seen.start);
      const last = Math.min(span.end.line, seen.end, editor.document.lineCount - 1);
      for (let line = first; line <= last; line++) {
        const { firstNonWhitespaceCharacterIndex: indent } = editor.document.lineAt(line);
        const over = new vscode.Range(line, 0, line, Math.max(1, indent));
        words.push({ range: over, hoverMessage: explained(band) });
      }
    }
    editor.setDecorations(this.words, words);
  }

  dispose(): void {
    for (const kind of KINDS) {
      this.bars[kind].dispose();
      this.underlines[kind].dispose();
      this.glyphs[kind].dispose();
    }
    this.words.dispose();
  }
}

function forEachKind(
  make: (look: Look, kind: BandKind) => vscode.TextEditorDecorationType,
): Record<BandKind, vscode.TextEditorDecorationType> {
  const made = KINDS.map((kind) => [kind, make(LOOKS[kind], kind)] as const);
  return Object.fromEntries(made) as Record<BandKind, vscode.TextEditorDecorationType>;
}

/** A band in words: what becomes of it, and how much it is. */
function explained(band: Band): string {
  const count = band.tokens.toLocaleString(vscode.env.language);
  const tokens = band.atLeast ? `≥ ${count}` : count;
  const blocks =
    band.first === band.last
      ? vscode.l10n.t("Block {0}, {1} tokens.", band.first, tokens)
      : vscode.l10n.t("Blocks {0} to {1}, {2} tokens.", band.first, band.last, tokens);
  return `Cachewise: ${fate(band)} ${blocks}`;
}

function fate({ kind, ttl, minimum }: Band): string {
  switch (kind) {
    case "1h":
    case "5m":
      return vscode.l10n.t("cached for {0}.", ttl);
    case "uncached":
      return vscode.l10n.t("not cached, billed as plain input with every call.");
    case "under-minimum":
      return vscode.l10n.t(
        "marked, but under the {0} tokens that this model needs: not cached.",
        (minimum ?? 0).toLocaleString(vscode.env.language),
      );
    case "out-of-window":
      return vscode.l10n.t(
        "cached for {0}, but out of every lookback window: an entry that an earlier call wrote here is not found.",
        ttl,
      );
  }
}

function editorsOf(document: vscode.TextDocument): vscode.TextEditor[] {
  return vscode.window.visibleTextEditors.filter((editor) => editor.document === document);
}

/** The lines around those that an editor shows. */
function linesOf(editor: vscode.TextEditor): { start: number; end: number } {
  const ranges = editor.visibleRanges;
  return {
    start: Math.max(0, (ranges[0]?.start.line ?? 0) - MARGIN),
    end: (ranges.at(-1)?.end.line ?? 0) + MARGIN,
  };
}

/** The part of a document around what its editors show; undefined when none shows it. */
function visibleRange(document: vscode.TextDocument): vscode.Range | undefined {
  const lines = editorsOf(document).map(linesOf);
  if (lines.length === 0) return undefined;
  const start = Math.min(...lines.map((one) => one.start));
  const end = Math.max(...lines.map((one) => one.end));
  return document.validateRange(new vscode.Range(start, 0, end + 1, 0));
}

function range({ start, end }: Span): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** Switches the tint on or off, where a person has set it before, else for all that they open. */
export async function toggleTint(): Promise<void> {
  const resource = vscode.window.activeTextEditor?.document.uri;
  const section = vscode.workspace.getConfiguration("cachewise", resource);
  const set = section.inspect<boolean>("tint.enabled");
  const target =
    set?.workspaceFolderValue !== undefined
      ? vscode.ConfigurationTarget.WorkspaceFolder
      : set?.workspaceValue !== undefined
        ? vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
  await section.update("tint.enabled", !section.get<boolean>("tint.enabled", false), target);
}
