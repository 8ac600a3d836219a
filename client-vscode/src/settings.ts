/** What VS Code tells about one setting: where it has been given a value, and which. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** Settings that the server has no use for. */
const CLIENT_ONLY = ["interpreter", "trace.server"];

/**
 * The settings that somebody has set, as a nested object: `{"traffic": {"calls": 20}}`.
 *
 * VS Code fills in the defaults of the manifest, and a default would then overrule what a project
 * says in its `cachewise.toml`. So only values that were really given are passed on.
 *
 * @param keys the names below `cachewise.`, as the manifest declares them
 * @param effective the value in force for a key (workspace trust and scopes already applied)
 */
export function explicitSettings(
  keys: readonly string[],
  inspect: (key: string) => Inspected | undefined,
  effective: (key: string) => unknown,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    if (CLIENT_ONLY.includes(key)) continue;
    const seen = inspect(key);
    const given =
      seen?.workspaceFolderValue !== undefined ||
      seen?.workspaceValue !== undefined ||
      seen?.globalValue !== undefined;
    if (!given) continue;
    const value = effective(key);
    if (value === null || value === undefined) continue;
    const parts = key.split(".");
    let at = result;
    for (const part of parts.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[parts.at(-1) as string] = value;
  }
  return result;
}
