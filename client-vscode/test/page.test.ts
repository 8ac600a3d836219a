import assert from "node:assert/strict";
import test from "node:test";
import { inEditorColors } from "../src/page";

const PAGE =
  '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><style>:root { --ink: #000 }</style></head><body><p>x</p></body></html>';

test("a page gets the strictest policy before anything else, and the editor's colours last", () => {
  const html = inEditorColors(PAGE);
  assert.match(
    html,
    /<head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">/,
  );
  const head = html.slice(0, html.indexOf("</head>"));
  assert.ok(head.indexOf("--vscode-editor-foreground") > head.indexOf("--ink: #000"));
  assert.ok(html.endsWith("</head><body><p>x</p></body></html>"));
  assert.doesNotMatch(html, /script-src|https?:/);
});

test("what is no page is not shown", () => {
  assert.throws(() => inEditorColors("<p>x</p>"));
  assert.throws(() => inEditorColors("</head><head>"));
});
