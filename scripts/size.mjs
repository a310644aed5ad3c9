// The sizes of what visitors and the edge load, against the budgets and beside what other packages make a page load.
import { build } from "./build.mjs";
import { measure, table } from "./lib/budgets.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run size [-- [--json] [--write]]

Builds, then prints raw and gzip bytes of each artefact, and what a page loads of us and of the published packages of GrowthBook, Optimizely,
Ninetailed, PostHog and Segment: bundled the same way, and as their script tags. Exit code 1 when an artefact is above its limit.

  --json     {artefacts, peers}. artefacts: {name, files, raw, gzip, goal, limit, ok}, bytes, and goal and limit in KB.
             peers: {way, name, does, package, version, first, later}, where first and later are {raw, gzip, brotli} in bytes
  --write    writes docs/size.md

Example: npm run --silent size -- --json
`;

await command({ usage, options: { json: { type: "boolean" }, write: { type: "boolean" } } }, async ({ json, write }) => {
  if (await underRecentNode()) return process.exitCode;
  await build(["worker", "assets", "npm"], await ensure());
  // Loaded now: it needs the npm packages.
  const { comparePeers } = await import("./lib/peers.mjs");
  const { peersTable, writeSizePage } = await import("./lib/peers-page.mjs");
  const artefacts = measure();
  const peers = await comparePeers();
  if (write) say(`wrote ${writeSizePage(peers)}`);
  process.stdout.write(`${json ? JSON.stringify({ artefacts, peers }, null, 2) : `${table(artefacts)}\n\n${peersTable(peers)}`}\n`);
  return artefacts.every((row) => row.ok) ? 0 : 1;
});
