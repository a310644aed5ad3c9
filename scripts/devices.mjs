// How well devices and bots are read, over published lists of user agents and the project's own cases.
import { join } from "node:path";
import { build } from "./build.mjs";
import { command } from "./lib/cli.mjs";
import { measure, report } from "./lib/devices.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { DIST } from "./lib/paths.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run devices [-- --json]

Builds the command line, then reads every user agent of npm \`user-agents\` (with the device class that its page saw) and of npm
\`crawler-user-agents\`, and the cases tests/spec/context/devices-*.json; prints the figures and every disagreement. Exit code 1
when a figure is below what it must be.

  --json    an array of {name, entries, right, share, needed, ok, disagreements: [{agent, found, expected}]}

Example: npm run --silent devices -- --json > devices.json
`;

await command({ usage, options: { json: { type: "boolean" } } }, async ({ json }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  await build(["cli"], env);
  const figures = await measure(join(DIST, "bin", "idoine"), env);
  process.stdout.write(`${json ? JSON.stringify(figures, null, 2) : report(figures)}\n`);
  return figures.every(({ ok }) => ok) ? 0 : 1;
});
