import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  type DocumentSelector,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import { Crashes, Tail } from "./crashes";
import { DOCUMENTS } from "./documents";
import { readWheels } from "./environment";
import { COUNT_EXACT, withKey } from "./keys";
import { locateServer, type ServerPython, StartError } from "./locate";
import { pythonEnvironment, run } from "./process";
import { changed } from "./protocol";
import { pythonsOf, thisMachine } from "./python";
import { activePython } from "./python-extension";
import { explicitSettings } from "./settings";

/** A running server; `ended` in the options is called when it is gone for good by itself. */
export interface Server {
  readonly client: LanguageClient;
  readonly python: ServerPython;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  /** Told what the start is busy with, as a short text for a person. */
  readonly progress: (message: string) => void;
  /** The server ended by itself too often; `reason` is the last thing that it wrote. */
  readonly ended: (reason: string) => void;
  readonly stateChanged: (running: boolean) => void;
  /** The server's answers have changed by something else than an edit. */
  readonly answersChanged: () => void;
}

/**
 * Starts the language server: five steps, each with its line in the log.
 *
 * @throws StartError that names the step that failed
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { context, log } = options;
  const began = performance.now();
  const storage = context.globalStorageUri.fsPath;
  await mkdir(storage, { recursive: true });
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const trusted = vscode.workspace.isTrusted;
  const machine = thisMachine(homedir());
  const stages = {
    find: vscode.l10n.t("looking for Python"),
    create: vscode.l10n.t("making a private Python environment"),
    install: vscode.l10n.t("installing Cachewise in the private environment"),
    check: vscode.l10n.t("checking the installation"),
  };
  const python = await locateServer({
    setting: vscode.workspace.getConfiguration("cachewise").get<string | null>("interpreter") ?? "",
    folders,
    trusted,
    home: homedir(),
    activeEnvironment: () => activePython(vscode.workspace.workspaceFolders?.[0]?.uri),
    machinePythons: () => pythonsOf(machine, trusted ? [] : folders),
    oldestServer: (context.extension.packageJSON as { version: string }).version,
    wheels: await readWheels(context.asAbsolutePath("client-vscode/wheels")),
    storage,
    run,
    log: (line) => log.info(line),
    progress: (stage) => options.progress(stages[stage]),
  });
  options.progress(vscode.l10n.t("starting the language server"));
  const server = await connect(options, python, storage);
  log.info(`the start took ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return server;
}

async function connect(
  { context, log, ended, stateChanged, answersChanged }: ServerOptions,
  python: ServerPython,
  storage: string,
): Promise<Server> {
  const args = ["-m", "cachewise", "lsp", "--stdio"];
  log.info(`5/5 server: ${python.path} ${args.join(" ")}`);
  const crashes = new Crashes();
  let tail = new Tail();
  let child: ChildProcess | undefined;
  let initialized = false;

  const launch = async (): Promise<ChildProcess> => {
    tail = new Tail();
    const started = spawn(python.path, args, { cwd: storage, env: pythonEnvironment(process.env) });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once("spawn", resolve);
      started.once("error", reject);
    });
    // Writing to a server that has just died must not become an error of the extension host.
    started.stdin.on("error", (error) => log.debug(`server input: ${error.message}`));
    return started;
  };

  const clientOptions: LanguageClientOptions = {
    documentSelector: DOCUMENTS as DocumentSelector,
    outputChannel: log,
    traceOutputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    // The server sends words from the user's own prompts: never HTML, never a command to run.
    markdown: { isTrusted: false, supportHtml: false },
    initializationOptions: {
      trusted: vscode.workspace.isTrusted,
      changes: true,
      // Lenses name these only to clients that have them.
      commands: ["cachewise.cacheMap", "cachewise.compareRequests"],
    },
    initializationFailedHandler: () => false,
    stdioOptions: {
      stdout: () => {},
      stderr: (stream) => {
        stream.setEncoding("utf8").on("data", (part: string) => {
          for (const line of tail.add(part)) log.info(`server: ${line}`);
        });
      },
    },
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: async () => {
        const why = await whyEnded(child, tail);
        if (!initialized) return { action: CloseAction.DoNotRestart, handled: true };
        if (crashes.mayRestart(Date.now())) {
          return { action: CloseAction.Restart, handled: true, message: `restarting: ${why}` };
        }
        ended(why);
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    middleware: {
      executeCommand: async (command, args, next) => {
        // The lens's command; the server would only say the sentence.
        if (command === "cachewise.compare") {
          return vscode.commands.executeCommand("cachewise.compareRequests", ...args);
        }
        return next(command, command === COUNT_EXACT ? await withKey(args, context.secrets) : args);
      },
      workspace: {
        configuration: (params) =>
          params.items.map((item) =>
            item.section === "cachewise" ? configuration(context, item.scopeUri) : null,
          ),
        didChangeConfiguration: () =>
          // The server pulls what it needs, folder by folder; pushed values would be the defaults.
          client.sendNotification(DidChangeConfigurationNotification.type, { settings: null }),
      },
    },
  };

  const client = new QuietClient("cachewise", "Cachewise", launch, clientOptions);
  const states = client.onDidChangeState(({ newState }) =>
    stateChanged(newState === State.Running),
  );
  client.onNotification(changed, answersChanged);
  const stop = async () => {
    try {
      await client.dispose();
    } catch (error) {
      log.debug(`server: stopping: ${(error as Error).message}`);
    }
    states.dispose();
    child?.kill();
  };
  try {
    await client.start();
    initialized = true;
  } catch (error) {
    await stop();
    throw new StartError("server", tail.reason() || (error as Error).message);
  }
  const { serverInfo } = client.initializeResult ?? {};
  log.info(
    `5/5 server: ${serverInfo?.name ?? "cachewise"} ${serverInfo?.version ?? ""} is running`,
  );
  return { client, python, stop };
}

/** The connection may close a moment before the process is known to have ended (milliseconds). */
const LAST_BREATH_MS = 500;

/** Why a server has ended by itself: the signal that ended it, or the last thing that it wrote. */
async function whyEnded(child: ChildProcess | undefined, tail: Tail): Promise<string> {
  if (child === undefined) return "";
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      setTimeout(resolve, LAST_BREATH_MS);
    });
  }
  // A server that was killed had no chance to tell why; what it wrote before is about other things.
  if (child.signalCode !== null) return vscode.l10n.t("it was ended by {0}", child.signalCode);
  return tail.reason();
}

/** The library tells of each failed request in a popup; ours go to the log, and only there. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

function configuration(context: vscode.ExtensionContext, scope: string | undefined): object {
  const uri = scope === undefined ? undefined : vscode.Uri.parse(scope);
  const section = vscode.workspace.getConfiguration("cachewise", uri);
  return explicitSettings(
    settingKeys(context),
    (key) => section.inspect(key),
    (key) => section.get(key),
  );
}

function settingKeys(context: vscode.ExtensionContext): string[] {
  const manifest = context.extension.packageJSON as {
    contributes: { configuration: { properties: Record<string, unknown> } };
  };
  return Object.keys(manifest.contributes.configuration.properties).map((key) =>
    key.slice("cachewise.".length),
  );
}
