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

test("the reason is the last line, however the pieces were cut", () => {
  const tail = new Tail();
  for (const part of ["Traceback\n  File", " x\nValueErr", "or: bad\n", "\n"]) tail.add(part);
  assert.equal(tail.reason(), "ValueError: bad");
  tail.add("x".repeat(100_000));
  assert.ok(tail.reason().length <= 8192);
});
