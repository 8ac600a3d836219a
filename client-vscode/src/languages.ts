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
  "typescript",
  "typescriptreact",
  "javascript",
  "javascriptreact",
  "java",
  "kotlin",
  "go",
  "csharp",
  "ruby",
  "php",
  "rust",
  "prompty",
  "dotprompt",
  "prompt",
  "chatmode",
  "chatagent",
  "instructions",
  "jinja",
  "jinja-md",
  "jinja2",
];

/** Names of files that are a prompt themselves, or hold one, whatever language they are taken for. */
const PROMPT_FILE =
  /\.(?:prompty|prompt|(?:prompt|chatmode|instructions)\.md|j2|jinja2?)$|^(?:claude(?:\.local)?|agents|gemini|qwen|skill|copilot-instructions)\.md$|(?:^|[._ -])system[_ -]?(?:prompt|message|instructions?)(?![a-z]).*\.(?:md|txt)$/i;

/**
 * System prompts in plain text. Nothing wakes for plain text as such, so a workspace that holds such
 * a file is what wakes the extension; the server waits until one is opened.
 */
export const PROMPT_TEXTS =
  "**/*[sS][yY][sS][tT][eE][mM]*{[pP]rompt,PROMPT,[mM]essage,MESSAGE,[iI]nstruction,INSTRUCTION}*.txt";

/** The same names for the client library, and a few more: it knows no regular expressions. */
export const PROMPT_PATTERNS = ["**/*.{prompty,prompt,j2,jinja,jinja2}", PROMPT_TEXTS];

/** Whether a file's name says that it is a prompt. */
export function isPromptFile(path: string): boolean {
  return PROMPT_FILE.test(path.slice(path.lastIndexOf("/") + 1));
}
