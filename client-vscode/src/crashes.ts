/** How often a server may end by itself before the client stops starting it again. */
const MAX_RESTARTS = 3;
const WINDOW_MS = 3 * 60_000;

/**
 * Counts the unexpected ends of a server: three are answered by a restart, the fourth within three
 * minutes is not.
 */
export class Crashes {
  private times: number[] = [];

  /** Notes an end at `now` (milliseconds) and says whether to start the server again. */
  mayRestart(now: number): boolean {
    this.times = this.times.filter((time) => now - time < WINDOW_MS);
    this.times.push(now);
    return this.times.length <= MAX_RESTARTS;
  }
}

/** Cuts what a server writes on standard error into lines, and knows the last one. */
export class Tail {
  private unfinished = "";
  private last = "";

  /** Takes the next piece, wherever it was cut, and gives the lines that it completes. */
  add(part: string): string[] {
    const lines = (this.unfinished + part).split(/\r?\n/).map((line) => line.trimEnd());
    this.unfinished = (lines.pop() ?? "").slice(-LONGEST_LINE);
    const complete = lines.filter((line) => line !== "");
    this.last = complete.at(-1) ?? this.last;
    return complete;
  }

  /** The last line that says something, or an empty string. */
  reason(): string {
    return (this.unfinished.trim() || this.last.trim()).slice(0, LONGEST_LINE);
  }
}

const LONGEST_LINE = 2_000;
