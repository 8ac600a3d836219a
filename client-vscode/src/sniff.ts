/** How much of a document the patterns look at; the plain markers are searched in all of it. */
const HEAD = 64 * 1024;

/**
 * Says whether the text may hold a request to an LLM, so that the server is worth starting.
 *
 * The answer is cheap and generous: a "yes" costs one server process, and the server itself decides
 * what it has to say; a "no" must never be given for a request, half-typed ones included.
 */
export function mayHoldRequest(text: string): boolean {
  if (MARKERS.some((marker) => text.includes(marker))) return true;
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  return PATTERNS.some((all) => all.every((pattern) => pattern.test(head)));
}

/** Keys that hardly anything but such a request has. */
const MARKERS = ['"cache_control"', '"cachePoint"', '"anthropic_version"', '"input_schema"'];

/** Each entry is a set of patterns that together make a request likely. */
const PATTERNS: readonly (readonly RegExp[])[] = [
  // Linters and translations also have "messages": only a role or a model makes it a conversation.
  [/"messages"\s*:\s*\[/, /"(?:role|model|max_tokens)"\s*:/],
  [/"model"\s*:/, /"(?:system|messages|prompt|input|instructions)"\s*:/],
  [/"(?:modelId|inferenceConfig|inferenceProfile)"\s*:/, /"(?:messages|system|toolConfig)"\s*:/],
  [/"contents"\s*:\s*\[/, /"parts"\s*:\s*\[/],
  [/"custom_id"\s*:/, /"(?:params|body)"\s*:/],
  [/"system"\s*:\s*\[/, /"type"\s*:\s*"text"/],
];
