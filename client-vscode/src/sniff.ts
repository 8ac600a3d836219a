import { isPromptFile } from "./languages";

/** How much of a document the patterns look at; the plain markers are searched in all of it. */
const HEAD = 64 * 1024;

/**
 * Says whether the text may hold a request to an LLM, so that the server is worth starting.
 *
 * The answer is cheap and generous: a "yes" costs one server process, and the server itself decides
 * what it has to say; a "no" must never be given for a request, half-typed ones included.
 *
 * @param language VS Code's name of the language; it tells JSON from code and prose
 * @param path the document's path: a prompt file is known by its name
 */
export function mayHoldRequest(text: string, language = "json", path = ""): boolean {
  if (PROMPTS.has(language) || isPromptFile(path)) {
    const template = language.startsWith("jinja") || /\.(?:j2|jinja2?)$/i.test(path);
    return template ? PROSE.test(text.slice(0, HEAD)) : text.trim() !== "";
  }
  const signs = SIGNS[language];
  if (signs !== undefined) return signs.some((sign) => text.includes(sign));
  if (MARKERS.some((marker) => text.includes(marker))) return true;
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  const patterns = language.startsWith("json") ? JSON_PATTERNS : CODE_PATTERNS;
  return patterns.some((all) => all.every((pattern) => pattern.test(head)));
}

/** Names that hardly anything but such a request has; in JSON they are keys. */
const MARKERS = ["cache_control", "cachePoint", "anthropic_version", "input_schema"];

/** Languages whose documents are prompts. */
const PROMPTS = new Set([
  "prompty",
  "dotprompt",
  "prompt",
  "chatmode",
  "chatagent",
  "instructions",
  "jinja",
  "jinja-md",
  "jinja2",
]);

/** Words of a prompt: a Jinja template may be anything else too, such as a page or a settings file. */
const PROSE =
  /\b(?:you are|you're|you will|you must|you should|your (?:task|job|role|goal|answer|response|output|reply)|as an? (?:ai|expert|assistant)|assistant|respond|answer the)\b/i;

const CACHE_SIGNS = ["cache_control", "cacheControl", "cachePoint", "cache_point", "prompt_cache"];
const SCRIPT_SIGNS = [
  ...CACHE_SIGNS,
  "messages.create",
  "messages.stream",
  "messages.countTokens",
  "messages.parse",
  "completions.create",
  "completions.parse",
  "responses.create",
  "ConverseCommand",
  "ConverseStreamCommand",
  "generateText(",
  "streamText(",
  "anthropic_version",
  "messages: [",
  '"messages": [',
];
const BUILDER_SIGNS = [
  "MessageCreateParams",
  "MessageCountTokensParams",
  "CacheControl",
  "cacheControl(",
  "cache_control",
];

/**
 * Words without which the server finds no request in a language of source code. They are names of
 * the SDKs: in ordinary programs, "messages", "model" and "role" are far too common to tell.
 */
const SIGNS: Record<string, readonly string[]> = {
  typescript: SCRIPT_SIGNS,
  typescriptreact: SCRIPT_SIGNS,
  javascript: SCRIPT_SIGNS,
  javascriptreact: SCRIPT_SIGNS,
  java: BUILDER_SIGNS,
  kotlin: BUILDER_SIGNS,
  go: ["MessageNewParams", "CacheControl", "cache_control"],
  csharp: ["MessageCreateParams", "MessageParameters", "CacheControl", "cache_control"],
  ruby: ["cache_control", "messages.create", "messages.stream"],
  php: ["cache_control", "cacheControl", "CacheControl", "messages->create"],
  rust: ["cache_control", '"messages"'],
};

/** Each entry is a set of patterns that together make a request likely. */
type Patterns = readonly (readonly RegExp[])[];

const JSON_PATTERNS: Patterns = [
  // Linters and translations also have "messages": only a role or a model makes it a conversation.
  [/"messages"\s*:\s*\[/, /"(?:role|model|max_tokens)"\s*:/],
  [/"model"\s*:/, /"(?:system|messages|prompt|input|instructions)"\s*:/],
  [/"(?:modelId|inferenceConfig|inferenceProfile)"\s*:/, /"(?:messages|system|toolConfig)"\s*:/],
  [/"contents"\s*:\s*\[/, /"parts"\s*:\s*\[/],
  [/"custom_id"\s*:/, /"(?:params|body)"\s*:/],
  [/"system"\s*:\s*\[/, /"type"\s*:\s*"text"/],
];

const CODE_PATTERNS: Patterns = [
  // The calls of the usual libraries.
  [/\bmessages\.(?:create|stream|parse|count_tokens|batches)\b/],
  [/\b(?:completions|responses)\.(?:create|parse|stream)\b/],
  [/\b(?:a?completion|converse|converse_stream|generate_content)\(/],
  // A request body, its names quoted in any way (in a shell's string with a backslash) or not at all.
  [/\b(?:messages|contents)\\?["']?\s*[:=]/, /\b(?:role|model|modelId)\\?["']?\s*[:=]/],
  // The configuration of a proxy.
  [/\bmodel_list\s*:/, /\blitellm_params\s*:/],
];
