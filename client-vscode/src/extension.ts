import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { CacheMap } from "./cache-map";
import { BODY_SCHEME, Bodies, compareRequests } from "./compare";
import { isSupported, isWorthServing } from "./documents";
import { explainRule, RulePages, SCHEME } from "./explain";
import { countExactly, setKey } from "./keys";
import { StartError, type Step } from "./locate";
import { placeFrom } from "./map-page";
import { placeBreakpoints } from "./place";
import { onPythonChange } from "./python-extension";
import { Replays } from "./replay";
import { selectInterpreter } from "./select";
import { type Server, startServer } from "./server";
import { StatusBar } from "./status";
import { Tint, toggleTint } from "./tint";

/** What the extension gives to those who ask VS Code for it; the tests in a real editor do. */
export interface Api {
  /** The client of the running server, or undefined. */
  readonly client: () => LanguageClient | undefined;
}

/**
 * VS Code calls this when a document is opened in a language that may hold requests. Nothing is
 * started yet: that waits for one that looks like it.
 */
export function activate(context: vscode.ExtensionContext): Api {
  const log = vscode.window.createOutputChannel("Cachewise", { log: true });
  const status = new StatusBar();
  const tint = new Tint();
  const map = new CacheMap();
  const pages = new RulePages();
  const bodies = new Bodies();
  const replays = new Replays();
  const life = new Life(context, log, status, tint, map);
  const command = (name: string, run: (...args: never[]) => unknown) =>
    vscode.commands.registerCommand(`cachewise.${name}`, run);

  context.subscriptions.push(
    log,
    status,
    tint,
    map,
    replays,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, pages),
    vscode.workspace.registerTextDocumentContentProvider(BODY_SCHEME, bodies),
    command("cacheMap", async (uri?: unknown, line?: unknown, character?: unknown) => {
      map.show(placeFrom(uri, line, character));
      await life.clientForCommand();
    }),
    command("showOutput", () => log.show()),
    command("restart", () => life.restart("the command")),
    command("selectInterpreter", () => selectInterpreter(context.globalStorageUri.fsPath)),
    command("explainRule", async (rule?: string) => {
      const client = await life.clientForCommand();
      if (client !== undefined) await explainRule(client, pages, rule);
    }),
    command("compareRequests", async (uri?: string, line = 0, character = 0, choose = false) => {
      const client = await life.clientForCommand();
      const given = typeof uri === "string" ? { uri, position: { line, character } } : undefined;
      if (client !== undefined) {
        await compareRequests(client, bodies, given, given === undefined || choose);
      }
    }),
    command("placeBreakpoints", async () => {
      const client = await life.clientForCommand();
      if (client !== undefined) await placeBreakpoints(client);
    }),
    command("countTokensExactly", async () => {
      if ((await life.clientForCommand()) !== undefined) await countExactly();
    }),
    command("replayTrace", async (trace?: unknown) => {
      const client = await life.clientForCommand();
      const given = trace instanceof vscode.Uri ? trace : undefined;
      if (client !== undefined) await replays.show(client, given);
    }),
    command("toggleTint", () => toggleTint()),
    command("setKey", () => setKey(context.secrets)),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("cachewise.interpreter")) {
        await life.restartIfStarted("cachewise.interpreter has changed");
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => life.restartIfStarted("trust was granted")),
    ...watchForRequests(() => void life.start()),
    { dispose: () => void life.stop() },
  );
  running = life;
  return { client: () => life.client };
}

/** VS Code waits for this before it goes, so that no server is left behind. */
export function deactivate(): Promise<void> | undefined {
  return running?.stop();
}

let running: Life | undefined;

/** How long a document rests after an edit before it is looked at. */
const REST_MS = 400;

/** Calls `found` once, as soon as an open document may hold a request. */
function watchForRequests(found: () => void): vscode.Disposable[] {
  const listeners: vscode.Disposable[] = [];
  const timers = new Map<vscode.TextDocument, NodeJS.Timeout>();
  let done = false;
  const finish = () => {
    done = true;
    for (const listener of listeners) listener.dispose();
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  };
  const consider = (document: vscode.TextDocument) => {
    if (done || !isWorthServing(document)) return;
    finish();
    found();
  };
  listeners.push(
    vscode.workspace.onDidOpenTextDocument(consider),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (!isSupported(document)) return;
      clearTimeout(timers.get(document));
      timers.set(
        document,
        setTimeout(() => {
          timers.delete(document);
          consider(document);
        }, REST_MS),
      );
    }),
  );
  for (const document of vscode.workspace.textDocuments) consider(document);
  return [{ dispose: finish }];
}

/** The life of the server: one at a time, whoever asks for it, and one message when it fails. */
class Life {
  private server: Server | undefined;
  private started = false;
  private queue: Promise<void> = Promise.resolve();
  private pythonListener: vscode.Disposable | null = null;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly status: StatusBar,
    private readonly tint: Tint,
    private readonly map: CacheMap,
  ) {}

  get client(): LanguageClient | undefined {
    return this.server?.client;
  }

  start(): Promise<void> {
    this.started = true;
    return this.enqueue(async () => {
      if (this.server === undefined) await this.startNow();
    });
  }

  restart(why: string): Promise<void> {
    this.started = true;
    this.log.info(`restarting the server: ${why}`);
    return this.enqueue(async () => {
      await this.stopNow();
      await this.startNow();
    });
  }

  /** A change of the surroundings matters only to a server that somebody needed. */
  async restartIfStarted(why: string): Promise<void> {
    if (this.started) await this.restart(why);
  }

  stop(): Promise<void> {
    this.pythonListener?.dispose();
    return this.enqueue(() => this.stopNow());
  }

  /** The client, started for the command that needs it; undefined when the start failed. */
  async clientForCommand(): Promise<LanguageClient | undefined> {
    await this.start();
    return this.client;
  }

  /** One after the other: two quick changes of a setting never make two servers. */
  private enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.queue.then(work);
    // What fails is told to whoever asked for it; the next one has its turn all the same.
    this.queue = done.catch(() => {});
    return done;
  }

  /** Follows the environment that is selected in the Python extension, once that one is awake. */
  private async watchPython(): Promise<void> {
    try {
      this.pythonListener ??= await onPythonChange(() => {
        void this.restartIfStarted("another Python environment was selected");
      });
    } catch (error) {
      this.log.warn(`the Python extension: ${(error as Error).message}`);
    }
  }

  /** Shows everywhere that a server answers. */
  private up(client: LanguageClient): void {
    this.status.running(client);
    this.tint.refresh(client);
    this.map.refresh(client);
  }

  /** Shows everywhere that a server is on its way, and that what it has said is no longer true. */
  private down(): void {
    this.status.starting();
    this.tint.stopped();
    this.map.stopped();
  }

  private async stopNow(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.status.idle();
    this.tint.stopped();
    this.map.stopped();
    await server?.stop();
  }

  private async startNow(): Promise<void> {
    this.status.starting();
    const notification = new SlowProgress();
    // What an earlier server still has to say, while it ends, is not about this one.
    let started: Server | undefined;
    const isCurrent = () => started !== undefined && this.server === started;
    try {
      started = await startServer({
        context: this.context,
        log: this.log,
        progress: (message) => notification.say(message),
        ended: (reason) => {
          if (isCurrent()) void this.ended(reason);
        },
        stateChanged: (up) => {
          if (started === undefined || !isCurrent()) return;
          if (up) this.up(started.client);
          else this.down();
        },
        answersChanged: () => {
          if (started !== undefined && isCurrent()) this.up(started.client);
        },
      });
      this.server = started;
      this.up(started.client);
    } catch (error) {
      const failure =
        error instanceof StartError ? error : new StartError("server", (error as Error).message);
      this.log.error(`the start failed at the step "${failure.step}": ${failure.message}`);
      const words = failureWords(failure);
      this.status.failed(words);
      void this.offerHelp(words);
    } finally {
      notification.end();
    }
    if (this.server !== undefined) await this.watchPython();
  }

  private async offerHelp(message: string): Promise<void> {
    const select = vscode.l10n.t("Select interpreter");
    const show = vscode.l10n.t("Show log");
    const retry = vscode.l10n.t("Retry");
    const answer = await vscode.window.showErrorMessage(message, select, show, retry);
    if (answer === select) await vscode.commands.executeCommand("cachewise.selectInterpreter");
    if (answer === show) this.log.show();
    if (answer === retry) await this.restart("Retry");
  }

  private async ended(reason: string): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.tint.stopped();
    this.map.stopped();
    void server?.stop();
    const message =
      reason === ""
        ? vscode.l10n.t("The Cachewise server ended four times within three minutes.")
        : vscode.l10n.t(
            "The Cachewise server ended four times within three minutes, the last time with: {0}",
            reason,
          );
    this.log.error(message);
    this.status.failed(message);
    const restart = vscode.l10n.t("Restart");
    const show = vscode.l10n.t("Show log");
    const answer = await vscode.window.showErrorMessage(message, restart, show);
    if (answer === restart) await this.restart("Restart");
    if (answer === show) this.log.show();
  }
}

function failureWords({ step, message }: StartError): string {
  const names: Record<Step, string> = {
    setting: vscode.l10n.t("using the interpreter that cachewise.interpreter names"),
    extension: vscode.l10n.t("asking the Python extension"),
    machine: vscode.l10n.t("finding Python on this machine"),
    cachewise: vscode.l10n.t("installing Cachewise for it"),
    server: vscode.l10n.t("starting the language server"),
  };
  return vscode.l10n.t("Cachewise did not start: {0} failed ({1}).", names[step], message);
}

/** A start that takes its time is worth a notification; the usual one is over before. */
const SLOW_MS = 1_500;

/** Shows a progress notification, but only when the work takes long enough to wonder about. */
class SlowProgress {
  private message = "";
  private report: ((message: string) => void) | undefined;
  private close: (() => void) | undefined;
  private readonly timer = setTimeout(() => this.open(), SLOW_MS);

  say(message: string): void {
    this.message = message;
    this.report?.(message);
  }

  end(): void {
    clearTimeout(this.timer);
    this.close?.();
  }

  private open(): void {
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: "Cachewise" },
      (progress) => {
        this.report = (message) => progress.report({ message });
        this.report(this.message);
        return new Promise<void>((resolve) => {
          this.close = resolve;
        });
      },
    );
  }
}
