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

/** Keeps the end of what a server wrote on standard error, to tell why it died. */
export class Tail {
  private text = "";

  add(part: string): void {
    this.text = (this.text + part).slice(-8192);
  }

  /** The last line that says something, or an empty string. */
  reason(): string {
    const lines = this.text.split(/\r?\n/).map((line) => line.trim());
    return lines.filter((line) => line !== "").at(-1) ?? "";
  }
}
