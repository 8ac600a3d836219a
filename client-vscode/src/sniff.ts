/** How much of a document the patterns look at; the plain markers are searched in all of it. */
const HEAD = 64 * 1024;

/**
 * Says whether the text may hold a request to an LLM, so that the server is worth starting.
 *
 * The answer is cheap and generous: a "yes" costs one server process, and the server itself decides
 * what it has to say; a "no" must never be given for a request, half-typed ones included.
 *
 * @param language VS Code's name of the language; it tells JSON from code and prose
 */
export function mayHoldRequest(text: string, language = "json"): boolean {
  if (MARKERS.some((marker) => text.includes(marker))) return true;
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  const patterns = language.startsWith("json") ? JSON_PATTERNS : CODE_PATTERNS;
  return patterns.some((all) => all.every((pattern) => pattern.test(head)));
}

/** Names that hardly anything but such a request has; in JSON they are keys. */
const MARKERS = ["cache_control", "cachePoint", "anthropic_version", "input_schema"];

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
