/** VS Code's names of the languages whose documents may hold requests; the manifest has them too. */
export const LANGUAGES = [
  "json",
  "jsonc",
  "jsonl",
  "yaml",
  "python",
  "shellscript",
  "http",
  "markdown",
];
