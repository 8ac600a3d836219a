import assert from "node:assert/strict";
import test from "node:test";
import { explicitSettings, type Inspected } from "../src/settings";

const settings = (given: Record<string, Inspected>, effective: Record<string, unknown>) =>
  explicitSettings(
    ["model", "select", "traffic.calls", "traffic.every", "interpreter", "trace.server"],
    (key) => given[key],
    (key) => effective[key],
  );

test("defaults are not passed on: they would overrule the project's own file", () => {
  assert.deepEqual(settings({ model: {}, select: {} }, { model: null, select: [] }), {});
});

test("a dotted name becomes a nested object", () => {
  const given = { "traffic.calls": { globalValue: 5 }, "traffic.every": { workspaceValue: "2m" } };
  assert.deepEqual(settings(given, { "traffic.calls": 5, "traffic.every": "2m" }), {
    traffic: { calls: 5, every: "2m" },
  });
});

test("the value in force counts, not the one that was seen first", () => {
  const given = { model: { globalValue: "a", workspaceFolderValue: "b" } };
  assert.deepEqual(settings(given, { model: "b" }), { model: "b" });
});

test("false and empty lists are values, null is not", () => {
  const given = { model: { globalValue: null }, select: { globalValue: [] } };
  assert.deepEqual(settings(given, { model: null, select: [] }), { select: [] });
});

test("what concerns the client alone stays with it", () => {
  const given = { interpreter: { globalValue: "/x" }, "trace.server": { globalValue: "verbose" } };
  assert.deepEqual(settings(given, { interpreter: "/x", "trace.server": "verbose" }), {});
});
