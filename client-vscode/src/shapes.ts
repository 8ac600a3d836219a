import { Uri } from "vscode";
import type { BandKind } from "./bands";

/**
 * The shape of a band in the gutter: a vessel that is full for the longer lifetime, half full for the
 * shorter one and empty where nothing is cached; too little in it under the minimum, and one drawn
 * with gaps where no window reaches. It is grey, so that it says the same without any colour.
 */
export function glyph(kind: BandKind, color: string): Uri {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="${color}" ` +
    `stroke-width="1.4">${SHAPES[kind].replaceAll("FILL", color)}</svg>`;
  return Uri.parse(`data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`);
}

const VESSEL = '<rect x="3.7" y="3.2" width="8.6" height="9.6" rx="1.5"/>';
const filled = (y: number) => `<path d="M4 ${y}h8v${12.5 - y}H4z" fill="FILL" stroke="none"/>`;

const SHAPES: Record<BandKind, string> = {
  "1h": VESSEL + filled(3.5),
  "5m": VESSEL + filled(8),
  uncached: VESSEL,
  "under-minimum": `${VESSEL}${filled(11)}<path d="M3.7 7h8.6" stroke-dasharray="2 1.3"/>`,
  "out-of-window": `${VESSEL.replace("/>", ' stroke-dasharray="2.4 1.8"/>')}<path d="M5.2 10.8l5.6-5.6"/>`,
};
