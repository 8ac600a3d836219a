import { PythonExtension } from "@vscode/python-extension";
import { type Disposable, extensions, type Uri } from "vscode";

const ID = "ms-python.python";
/** The Python extension may be busy discovering; a start does not wait longer than this. */
const PATIENCE_MS = 5_000;

/** The Python of the environment selected in the Python extension; null when there is none. */
export async function activePython(resource: Uri | undefined): Promise<string | null> {
  if (extensions.getExtension(ID) === undefined) return null;
  try {
    return await within(PATIENCE_MS, async () => {
      const { environments } = await PythonExtension.api();
      const selected = environments.getActiveEnvironmentPath(resource);
      const resolved = await environments.resolveEnvironment(selected);
      return resolved?.executable.uri?.fsPath ?? null;
    });
  } catch {
    // Disabled, broken or still starting: the other steps find a Python without it.
    return null;
  }
}

/** Calls `changed` when another environment is selected in the Python extension. */
export async function onPythonChange(changed: () => void): Promise<Disposable | null> {
  if (extensions.getExtension(ID)?.isActive !== true) return null;
  const { environments } = await PythonExtension.api();
  return environments.onDidChangeActiveEnvironmentPath(changed);
}

function within<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer in time")), milliseconds);
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
