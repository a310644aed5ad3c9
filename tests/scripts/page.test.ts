// The benchmark of pages: that pages are compared before they are measured, that it runs, and that it prints what was measured. No figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bench, spread } from "../../scripts/lib/page/bench.mjs";
import { page, report, tables } from "../../scripts/lib/page/tables.mjs";

test("figures are spread as they are", () => {
  assert.deepEqual(spread([4, 1, 3, 2, 5]), { median: 3, from: 2, to: 4, least: 1, most: 5 });
  assert.deepEqual(spread([1, 2]), { median: 1.5, from: 1.25, to: 1.75, least: 1, most: 2 });
});

test("it visits each page in turn and prints no figure that it has not", { timeout: 180_000 }, async () => {
  const measured = await bench({ visits: 1, throttle: false, settleMs: 100, rounds: 1, routes: 10 }, process.env);
  const result = { date: "2026-11-23", quick: true, machine: { cpu: "A machine", cores: 2, memoryGB: 8, platform: "linux x64", node: "22.18.0", workerd: "1", load: 0 }, ...measured };
  assert.deepEqual(Object.keys(result.first), ["edge", "api", "static", "growthbook"]);
  for (const { fromScriptMs, fromVisitMs } of Object.values(result.first) as { fromScriptMs: { median: number }; fromVisitMs: { median: number } }[]) assert.ok(fromScriptMs.median > 0 && fromScriptMs.median < fromVisitMs.median);
  for (const way of ["with", "without"] as const) assert.ok(result.page[way]!.largestPaintMs.median > 0, way);
  assert.equal(result.memory.rounds.length, 2);
  for (const { heap, nodes, listeners } of result.memory.rounds) assert.ok(heap > 0 && nodes > 0 && listeners > 0);
  for (const text of [report(result), page(result)]) assert.doesNotMatch(text, /undefined|NaN|\[object/);
  assert.deepEqual(tables(result).map(({ rows }) => rows.length), [4, 4, 2]);
});
