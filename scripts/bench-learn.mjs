// Events folded per second, in Wasm and natively: the same events, rules and code (benches/workload/learn.rs).
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { benchmark } from "./lib/bench/native.mjs";
import { buildParts } from "./lib/cargo.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { must } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: node scripts/bench-learn.mjs [--json]

Builds, then folds 20,000 events of a shop's 100 visitors, natively and in Wasm, again and again for two seconds each, and prints how many
it folded a second in the quickest round: whatever else the machine does only slows it down. Writing each visitor's state is part of it.

Example: node scripts/bench-learn.mjs --json
`;

/** How many events a second, in the quickest of the rounds that fit into two seconds. */
function quickest(fold) {
  const end = performance.now() + 2000;
  let best = 0;
  while (performance.now() < end) {
    const begun = performance.now();
    const count = fold();
    best = Math.max(best, (count * 1000) / (performance.now() - begun));
  }
  return Math.round(best);
}

await command({ usage, options: { json: { type: "boolean" } } }, async ({ json }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  const native = await benchmark("learn", [], env);
  const { instance } = await WebAssembly.instantiate(readFileSync(await buildParts(env)), {});
  const figures = JSON.parse(await must([native, "json"], { env }));
  const result = { cpu: cpus()[0]?.model ?? "unknown", node: process.versions.node, native: figures, wasm: { eventsPerSecond: quickest(instance.exports.fold) } };
  const number = (value) => Math.round(value).toLocaleString("en-US");
  const text = [
    `natively ${number(figures.eventsPerSecond)} events a second, in Wasm ${number(result.wasm.eventsPerSecond)} (Node ${result.node}, ${result.cpu})`,
    `a state has ${figures.stateBytes} bytes; natively it is written in ${figures.writeUs.toFixed(1)} µs, read in ${figures.readUs.toFixed(1)} µs, merged in ${figures.mergeUs.toFixed(1)} µs`,
  ];
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text.join("\n")}\n`);
  return 0;
});
