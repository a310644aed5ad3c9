// What the snippet costs a page on a slow phone, how soon it shows what was decided, beside GrowthBook's script tag, and whether a page grows.
import { build } from "./build.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { machine } from "./lib/edge/machine.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { duration, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run bench:page [-- [--json] [--write] [--quick]]

Builds, then opens pages in headless Chromium as on a slow phone: the demo's page with the snippet and without (long tasks, CLS, LCP), the
time from a script's tag to its first decision in the page in each way that a site can have it, beside GrowthBook's script tag (the pages
are compared first), and what a page keeps over a thousand changes of its route. Some eight minutes on a quiet machine.

  --json     one object: machine, method, and what is in the tables
  --write    writes docs/page-speed.md
  --quick    half a minute, with too few visits to rely on the figures: shows that it runs and that pages are equal

Example: npm run --silent bench:page -- --json > page.json
`;

const options = { json: { type: "boolean" }, quick: { type: "boolean" }, write: { type: "boolean" } };

await command({ usage, options }, async ({ json, quick, write }) => {
  if (write && quick) throw new WrongUsage("--write wants no --quick");
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure({ browser: true });
  await build(["cli", "worker", "assets"], env);
  // Loaded now: it needs the npm packages.
  const { bench, FULL, QUICK } = await import("./lib/page/bench.mjs");
  const { METHOD, report, writePage } = await import("./lib/page/tables.mjs");
  const about = machine(); // before our own work makes it look busy
  const begun = Date.now();
  const result = { date: new Date(begun).toISOString().slice(0, 10), machine: about, quick: quick === true, ...(await bench(quick ? QUICK : FULL, env)) };
  say(`measured in ${duration(Date.now() - begun)}`);
  if (write) say(`wrote ${writePage(result)}`);
  process.stdout.write(`${json ? JSON.stringify({ ...result, method: METHOD }, null, 2) : report(result)}\n`);
  return 0;
});
