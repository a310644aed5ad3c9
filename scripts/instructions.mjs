// Whether being able to explain costs anything where nothing is explained: instructions of a decision, counted.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { command } from "./lib/cli.mjs";
import { LIMIT, measure } from "./lib/instructions.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { say } from "./lib/run.mjs";
import { ensureValgrind } from "./lib/valgrind.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run instructions [-- --json]

Builds the native benchmark with the core's feature \`explain\` and without, and has valgrind (callgrind) count the instructions that
\`decide\` executes for the same visitors, where nothing is asked to be explained. Exit code 1 when the build with the feature
executes more than ${((LIMIT - 1) * 100).toFixed(0)} % more. About a minute the first time. Instructions are repeatable; how long they take is \`npm run bench\`.

  --json    one object: {experiences, visitors, seed, with: {instructions, perDecision}, without: {...}, ratio, limit}

Example: npm run --silent instructions -- --json > instructions.json
`;

const number = (value) => value.toLocaleString("en-US").padStart(12);

const report = ({ experiences, visitors, with: more, without, ratio }) => `instructions per decision (${experiences} experiences, ${visitors} visitors)
  without \`explain\` ${number(without.perDecision)}
  with \`explain\`    ${number(more.perDecision)}
  ratio             ${ratio.toFixed(5).padStart(12)}   at most ${LIMIT}`;

await command({ usage, options: { json: { type: "boolean" } } }, async ({ json }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  const valgrind = await ensureValgrind(env);
  await build(["cli"], env);
  say("building the benchmark twice, and counting ...");
  const folder = mkdtempSync(join(tmpdir(), "idoine-instructions-"));
  try {
    const result = await measure(valgrind, folder, env);
    process.stdout.write(`${json ? JSON.stringify(result, null, 2) : report(result)}\n`);
    return result.ratio <= LIMIT ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
