// What the tint draws, worked out from the server's bands without asking VS Code anything.

export interface Place {
  readonly line: number;
  readonly character: number;
}

export interface Span {
  readonly start: Place;
  readonly end: Place;
}

export const KINDS = ["1h", "5m", "uncached", "under-minimum", "out-of-window"] as const;
export type BandKind = (typeof KINDS)[number];

/** Blocks of a request that fare alike in the cache, as `cachewise/bands` tells it. */
export interface Band {
  readonly kind: BandKind;
  /** The lifetime as the provider calls it; empty where nothing is cached. */
  readonly ttl: string;
  /** Block numbers from 1. */
  readonly first: number;
  readonly last: number;
  readonly tokens: number;
  readonly atLeast: boolean;
  readonly minimum: number | null;
  readonly ranges: readonly Span[];
}

/** A stroke of the tint: lines with a bar beside them, or a part of one line, underlined. */
export interface Stroke {
  readonly band: Band;
  readonly span: Span;
}

export interface Drawing {
  /** Whole lines that one band has for itself. */
  readonly bars: readonly Stroke[];
  /** Parts of lines that several bands share, as in a recorded trace with one request a line. */
  readonly underlines: readonly Stroke[];
}

/** Lays bands out on lines: a bar at the left says nothing where several bands stand on one line. */
export function layOut(bands: readonly Band[]): Drawing {
  const taken = new Set<string>();
  const strokes = bands
    .flatMap((band) => band.ranges.map((span) => ({ band, span })))
    .filter(({ span: { start, end } }) => {
      // A constant that several requests use is drawn as the first of them has it.
      const place = `${start.line}:${start.character}-${end.line}:${end.character}`;
      return !taken.has(place) && taken.add(place);
    });
  const shared = sharedLines(strokes.map(({ span }) => span));
  const bars: Stroke[] = [];
  const underlines: Stroke[] = [];
  for (const { band, span } of strokes) {
    let from = span.start;
    for (const line of shared) {
      if (line < from.line) continue;
      if (line > span.end.line) break;
      if (line > from.line) bars.push({ band, span: { start: from, end: endOf(line - 1) } });
      const start = line === span.start.line ? span.start : { line, character: 0 };
      const end = line === span.end.line ? span.end : endOf(line);
      underlines.push({ band, span: { start, end } });
      from = { line: line + 1, character: 0 };
    }
    if (from.line <= span.end.line) bars.push({ band, span: { start: from, end: span.end } });
  }
  return { bars, underlines };
}

/** The lines that at least two spans touch, in order. */
function sharedLines(spans: readonly Span[]): number[] {
  const sorted = [...spans].sort((a, b) => a.start.line - b.start.line);
  const found = new Set<number>();
  let reached = -1;
  for (const { start, end } of sorted) {
    // Of two spans that have lines in common, these are few: bands do not overlap.
    for (let line = start.line; line <= Math.min(end.line, reached); line++) found.add(line);
    reached = Math.max(reached, end.line);
  }
  return [...found].sort((a, b) => a - b);
}

/** VS Code takes it for the end of the line, however long that is. */
const BEYOND = 2 ** 30;

function endOf(line: number): Place {
  return { line, character: BEYOND };
}
