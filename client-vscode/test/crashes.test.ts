import assert from "node:assert/strict";
import test from "node:test";
import { Crashes, Tail } from "../src/crashes";

test("three crashes are answered by a restart, the fourth is not", () => {
  const crashes = new Crashes();
  assert.deepEqual(
    [0, 1_000, 2_000, 3_000].map((time) => crashes.mayRestart(time)),
    [true, true, true, false],
  );
});

test("a crash counts for less than three minutes", () => {
  const inTime = new Crashes();
  for (const time of [0, 1, 2]) inTime.mayRestart(time);
  assert.equal(inTime.mayRestart(179_999), false);
  const late = new Crashes();
  for (const time of [0, 1, 2]) late.mayRestart(time);
  assert.equal(late.mayRestart(180_000), true);
});

test("lines are put together, however the pieces were cut", () => {
  const tail = new Tail();
  assert.deepEqual(tail.add("Traceback\n  File"), ["Traceback"]);
  assert.deepEqual(tail.add(" x\r\nValueErr"), ["  File x"]);
  assert.equal(tail.reason(), "ValueErr");
  assert.deepEqual(tail.add("or: bad\n\n \n"), ["ValueError: bad"]);
  assert.equal(tail.reason(), "ValueError: bad");
});

test("a server that writes without end fills no memory", () => {
  const tail = new Tail();
  for (let i = 0; i < 1_000; i++) tail.add("x".repeat(10_000));
  assert.equal(tail.reason().length, 2_000);
});
