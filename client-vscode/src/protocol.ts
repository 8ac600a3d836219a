// What the server offers beyond the Language Server Protocol. The names and shapes are a contract
// with server/cachewise/lsp.
import {
  NotificationType,
  type Range,
  RequestType,
  type WorkspaceEdit,
} from "vscode-languageclient/node";
import type { Band, Span } from "./bands";

export interface Summary {
  /** For the status bar: a few words. */
  readonly label: string;
  /** Markdown. */
  readonly tooltip: string;
  readonly tokens: number;
  /** USD, a decimal string; null when the price is not known. */
  readonly nextCall: string | null;
  readonly model: string | null;
}

export interface SummaryParams {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
}

/** The request under the cursor; null when there is none. */
export const summary = new RequestType<SummaryParams, Summary | null, void>("cachewise/summary");

export interface CompareParams {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
  readonly other?: {
    readonly uri: string;
    readonly position?: { readonly line: number; readonly character: number };
  };
}

/** One of two compared requests: what to call it, its body as JSON, and the line to show. */
export interface Side {
  readonly title: string;
  readonly text: string;
  readonly line: number;
}

export interface Comparison {
  readonly earlier: Side;
  readonly later: Side;
  readonly sentence: string;
}

/** Two requests and their first difference; null when there is nothing to compare. */
export const compare = new RequestType<CompareParams, Comparison | null, void>("cachewise/compare");

export interface CacheMapParams {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
  /** Of the page's policy; without one only the content of a page that is there already is given. */
  readonly nonce?: string | undefined;
}

export interface CacheMapAnswer {
  readonly title: string;
  readonly html: string;
  /** The number of the block at the position, from 1. */
  readonly here: number | null;
}

/** The cache map of the request at a position; null when there is none. */
export const cacheMap = new RequestType<CacheMapParams, CacheMapAnswer | null, void>(
  "cachewise/cacheMap",
);

export interface CacheMapPlaceParams extends Omit<CacheMapParams, "nonce"> {
  readonly what: "block" | "breakpoint";
  readonly number: number;
}

export interface MapPlace {
  readonly uri: string;
  readonly range: Range;
}

/** Where a block or a breakpoint of the map stands; null when it is no longer there. */
export const cacheMapPlace = new RequestType<CacheMapPlaceParams, MapPlace | null, void>(
  "cachewise/cacheMapPlace",
);

export interface RequestChoice {
  readonly title: string;
  readonly detail: string;
  readonly position: { readonly line: number; readonly character: number };
}

/** The requests of a document, in the order of its text. */
export const requests = new RequestType<
  { readonly textDocument: { readonly uri: string } },
  RequestChoice[],
  void
>("cachewise/requests");

export interface PlaceAnswer {
  /** What sets the best breakpoints; null when nothing should change. */
  readonly edit: WorkspaceEdit | null;
  /** What should change and what that saves, or why nothing should. */
  readonly sentence: string;
  readonly outcome: "change" | "best" | "nothing" | "unknown";
}

/** The best breakpoints of the request under the cursor; null when there is none. */
export const place = new RequestType<SummaryParams, PlaceAnswer | null, void>("cachewise/place");

export interface Rule {
  readonly code: string;
  readonly name: string;
  readonly severity: "error" | "warning" | "info";
  readonly summary: string;
}

/** All rules, in the order of their codes. */
export const rules = new RequestType<object, Rule[], void>("cachewise/rules");

/** The documentation of a rule, given by code or name; null when there is no such rule. */
export const explain = new RequestType<{ rule: string }, { markdown: string } | null, void>(
  "cachewise/explain",
);

export interface Bands {
  readonly version: number;
  /** False when the document's settings leave the tint off. */
  readonly enabled: boolean;
  /** False when the bands are those of the given range alone. */
  readonly complete: boolean;
  readonly bands: readonly Band[];
}

/** The prefix of a document's requests in bands; null for a document that holds no request. */
export const bands = new RequestType<
  { readonly textDocument: { readonly uri: string }; readonly range?: Span },
  Bands | null,
  void
>("cachewise/bands");

export interface Replayed {
  readonly title: string;
  /** A page without scripts that loads nothing; null when there is a problem. */
  readonly html: string | null;
  /** Its sums; null when there is a problem. */
  readonly sentence: string | null;
  /** Why there is no page, as a sentence. */
  readonly problem: string | null;
}

/** A recorded trace, replayed; null when it was stopped. */
export const replay = new RequestType<
  { readonly textDocument: { readonly uri: string }; readonly workDoneToken?: string },
  Replayed | null,
  void
>("cachewise/replay");

/** The server's answers have changed by something else than an edit: settings, better counts. */
export const changed = new NotificationType<object>("cachewise/changed");
