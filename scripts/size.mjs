// The sizes of what visitors and the edge load, against the budgets.
import { build } from "./build.mjs";
import { measure, table } from "./lib/budgets.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run size [-- --json]

Builds, then prints raw and gzip bytes of each artefact. Exit code 1 when one is above its limit.

  --json    an array of {name, files, raw, gzip, goal, limit, ok}: bytes, and goal and limit in KB

Example: npm run --silent size -- --json
`;

await command({ usage, options: { json: { type: "boolean" } } }, async ({ json }) => {
  if (await underRecentNode()) return process.exitCode;
  await build(["worker", "assets"], await ensure());
  const rows = measure();
  process.stdout.write(`${json ? JSON.stringify(rows, null, 2) : table(rows)}\n`);
  return rows.every((row) => row.ok) ? 0 : 1;
});
