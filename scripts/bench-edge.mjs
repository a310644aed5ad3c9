// What a page costs behind the Worker, beside a plain proxy and the same edits written by hand, in one workerd; equal pages are checked first.
import { build } from "./build.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { machine } from "./lib/edge/machine.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { duration, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run bench:edge [-- [--json] [--write] [--quick]]

Builds, then measures pages of 18, 76 and 300 KB with 1 and 20 slots behind Idoine's Worker, behind a Worker that only passes them on,
and behind one with the same edits written by hand: time, first byte, throughput at 50 connections, processor time and memory of
workerd. First it checks that the pages are equal; if not, it shows where and ends with exit code 1. Some five minutes on a quiet machine.

  --json     one object: machine, method, and what is in the tables
  --write    writes docs/edge-speed.md
  --quick    a quarter of a minute, with too few requests to rely on the figures: shows that it runs and that pages are equal

Example: npm run --silent bench:edge -- --json > edge.json
`;

const options = { json: { type: "boolean" }, quick: { type: "boolean" }, write: { type: "boolean" } };

await command({ usage, options }, async ({ json, quick, write }) => {
  if (write && quick) throw new WrongUsage("--write wants no --quick");
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli", "worker"], env);
  // Loaded now: it needs the npm packages.
  const { bench, FULL, QUICK } = await import("./lib/edge/bench.mjs");
  const { METHOD, report, writePage } = await import("./lib/edge/tables.mjs");
  const about = machine(); // before our own work makes it look busy
  const begun = Date.now();
  const result = { date: new Date(begun).toISOString().slice(0, 10), machine: about, quick: quick === true, ...(await bench(quick ? QUICK : FULL, env)) };
  say(`measured in ${duration(Date.now() - begun)}`);
  if (write) say(`wrote ${writePage(result)}`);
  process.stdout.write(`${json ? JSON.stringify({ ...result, method: METHOD }, null, 2) : report(result)}\n`);
  return 0;
});
