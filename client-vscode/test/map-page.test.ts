import assert from "node:assert/strict";
import test from "node:test";
import { emptyPage, newNonce, placeFrom, readMessage, readPlace } from "../src/map-page";

test("only what the page can say is heard", () => {
  assert.deepEqual(readMessage({ type: "ready", more: 1 }), { type: "ready" });
  const reveal = { type: "reveal", what: "block", number: 3 };
  assert.deepEqual(readMessage({ ...reveal, uri: "file:///etc/passwd" }), reveal);
  assert.deepEqual(readMessage({ ...reveal, what: "breakpoint" }), {
    ...reveal,
    what: "breakpoint",
  });
});

for (const bad of [
  null,
  undefined,
  "reveal",
  [],
  {},
  { type: "run", command: "workbench.action.quit" },
  { type: "reveal" },
  { type: "reveal", what: "file", number: 1 },
  ...[0, -1, 1.5, "1", Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, null].map((number) => ({
    type: "reveal",
    what: "block",
    number,
  })),
]) {
  test(`not heard: ${JSON.stringify(bad)}`, () => assert.equal(readMessage(bad), undefined));
}

test("the place that was kept over a reload", () => {
  const place = { uri: "file:///a.json", position: { line: 4, character: 2 } };
  assert.deepEqual(readPlace({ at: { uri: place.uri, line: 4, character: 2 } }), place);
  for (const state of [undefined, null, {}, { at: 1 }, { at: { uri: 1, line: 0, character: 0 } }]) {
    assert.equal(readPlace(state), undefined);
  }
  assert.equal(placeFrom("file:///a.json", -1, 0), undefined);
  // VS Code gives the button's command the document's URI, as an object.
  assert.equal(placeFrom({ scheme: "file" }, { groupId: 0 }, undefined), undefined);
});

test("the page without a map runs nothing and shows its sentence as it is", () => {
  const html = emptyPage("a <b> & \"c\" 'd'");
  assert.match(html, /default-src 'none'; style-src 'nonce-[A-Za-z0-9+/]{32}'"/);
  assert.match(html, /<p role="status">a &#60;b&#62; &#38; &#34;c&#34; &#39;d&#39;<\/p>/);
  assert.doesNotMatch(html, /<script|script-src|https?:/);
});

test("no two nonces are the same", () => {
  assert.equal(new Set(Array.from({ length: 100 }, newNonce)).size, 100);
});
