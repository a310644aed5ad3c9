// What it costs to take an event, beside a bare Durable Object that makes one SQLite write; that every event counts is checked first and last.
import { build } from "./build.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { machine } from "./lib/edge/machine.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { duration, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run bench:collect [-- [--json] [--write] [--quick]]

Builds, then measures how many events Idoine's collect takes, one after the other and at 50 connections, beside a Worker whose Durable Object
makes one SQLite write of the same request, in one workerd with its objects on disk; and pages that a profile decides, with one profile
stored and with 100,000. It checks that all events count, each once; if not, it says so and ends with exit code 1. Some three minutes on a quiet
machine.

  --json     one object: machine, method, and what is in the tables
  --write    writes docs/collect-speed.md
  --quick    a quarter of a minute, with too few requests to rely on the figures: shows that it runs and that events count

Example: npm run --silent bench:collect -- --json > collect.json
`;

const options = { json: { type: "boolean" }, quick: { type: "boolean" }, write: { type: "boolean" } };

await command({ usage, options }, async ({ json, quick, write }) => {
  if (write && quick) throw new WrongUsage("--write wants no --quick");
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli", "worker"], env);
  // Loaded now: it needs the npm packages.
  const { benchCollect, FULL, QUICK } = await import("./lib/edge/collect.mjs");
  const { METHOD, report, writePage } = await import("./lib/edge/collect-tables.mjs");
  const about = machine();
  const begun = Date.now();
  const result = { date: new Date(begun).toISOString().slice(0, 10), machine: about, quick: quick === true, ...(await benchCollect(quick ? QUICK : FULL, env)) };
  say(`measured in ${duration(Date.now() - begun)}`);
  if (write) say(`wrote ${writePage(result)}`);
  process.stdout.write(`${json ? JSON.stringify({ ...result, method: METHOD }, null, 2) : report(result)}\n`);
  return 0;
});
