import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { type Band, type BandKind, KINDS, layOut, type Span } from "../src/bands";

const span = (line: number, character: number, endLine: number, end: number): Span => ({
  start: { line, character },
  end: { line: endLine, character: end },
});

const band = (kind: BandKind, ...ranges: Span[]): Band => ({
  kind,
  ttl: "5m",
  first: 1,
  last: 1,
  tokens: 10,
  atLeast: false,
  minimum: null,
  ranges,
});

const shape = (bands: Band[]) => {
  const { bars, underlines } = layOut(bands);
  const told = ({ band: { kind }, span: at }: (typeof bars)[number]) =>
    `${kind} ${at.start.line}:${at.start.character}-${at.end.line}:${Math.min(at.end.character, 999)}`;
  return { bars: bars.map(told), underlines: underlines.map(told) };
};

test("bands on lines of their own are bars", () => {
  const found = shape([band("1h", span(1, 4, 8, 5)), band("uncached", span(10, 4, 12, 5))]);
  assert.deepEqual(found, { bars: ["1h 1:4-8:5", "uncached 10:4-12:5"], underlines: [] });
});

test("bands that share one line are underlined there", () => {
  const found = shape([band("1h", span(3, 20, 3, 90)), band("uncached", span(3, 95, 3, 120))]);
  assert.deepEqual(found, { bars: [], underlines: ["1h 3:20-3:90", "uncached 3:95-3:120"] });
});

test("bands that meet in the middle of a line share that line alone", () => {
  const found = shape([band("5m", span(1, 4, 5, 7)), band("uncached", span(5, 9, 9, 3))]);
  assert.deepEqual(found, {
    bars: ["5m 1:4-4:999", "uncached 6:0-9:3"],
    underlines: ["5m 5:0-5:7", "uncached 5:9-5:999"],
  });
});

test("a band that starts on a shared line goes on as a bar", () => {
  const found = shape([
    band("5m", span(2, 0, 2, 10)),
    band("uncached", span(2, 12, 4, 3)),
    band("uncached", span(4, 5, 4, 9)),
  ]);
  assert.deepEqual(found, {
    bars: ["uncached 3:0-3:999"],
    underlines: ["5m 2:0-2:10", "uncached 2:12-2:999", "uncached 4:0-4:3", "uncached 4:5-4:9"],
  });
});

test("what several requests use is drawn once, as the first of them has it", () => {
  const shared = span(1, 0, 9, 1);
  const found = shape([band("5m", shared), band("uncached", shared, span(20, 0, 21, 0))]);
  assert.deepEqual(found, { bars: ["5m 1:0-9:1", "uncached 20:0-21:0"], underlines: [] });
});

test("a long recording is laid out in no time", () => {
  const bands = Array.from({ length: 5_000 }, (_, line) => [
    band("1h", span(line, 10, line, 500)),
    band("uncached", span(line, 510, line, 900)),
  ]).flat();
  const began = performance.now();
  assert.equal(layOut(bands).underlines.length, 10_000);
  assert.ok(performance.now() - began < 1_000);
});

test("each kind of band has a colour in the manifest for each kind of theme", () => {
  const { colors } = JSON.parse(readFileSync("package.json", "utf8")).contributes;
  const source = readFileSync("client-vscode/src/tint.ts", "utf8");
  const used = [...source.matchAll(/color: "(cachewise\.[^"]+)"/g)].map((match) => match[1]);
  assert.equal(new Set(used).size, KINDS.length);
  assert.deepEqual(colors.map((color: { id: string }) => color.id).sort(), used.sort());
  for (const { defaults } of colors) {
    const themes = ["dark", "light", "highContrast", "highContrastLight"];
    assert.deepEqual(Object.keys(defaults), themes);
  }
});
