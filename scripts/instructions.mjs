// Instructions, counted: of the core's steps, beside those that are kept; and of a decision that nobody asks to explain, as being able to
// explain must not cost anything there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { command } from "./lib/cli.mjs";
import { LIMIT, measure } from "./lib/instructions.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { say } from "./lib/run.mjs";
import { compare, compiler, countSteps, keep, kept, MOST } from "./lib/steps.mjs";
import { ensureValgrind } from "./lib/valgrind.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run instructions [-- [--write] [--json]]

Has valgrind (callgrind) count the instructions of what the core does natively. Counts are repeatable, on a busy machine too; how long
it takes is \`npm run bench\` and \`cargo bench --bench steps\`. Two minutes the first time.

  steps     parse, compile, load, context, decide, explain (benches/steps.rs). Exit code 1 when one executes more than
            ${((MOST - 1) * 100).toFixed(0)} % more than benches/instructions.json says for this compiler. Of another compiler nothing is known:
            that is said, and no failure.
  explain   a decision that nobody asks to explain, with the core's feature \`explain\` and without. Exit code 1 when the build with it
            executes more than ${((LIMIT - 1) * 100).toFixed(0)} % more.

  --write   keeps the steps' counts for this compiler; say in the change why they are others
  --json    one object: {compiler, steps: [{step, instructions, kept, ratio, ok}], experiences, visitors, seed,
            with: {instructions, perDecision}, without: {...}, ratio, limit}

Example: npm run --silent instructions -- --json > instructions.json
`;

const number = (value) => value.toLocaleString("en-US").padStart(12);

const report = ({ compiler, steps, experiences, visitors, with: more, without, ratio }) => `instructions of each step (${compiler})
${steps.map(({ step, instructions, kept, ratio, ok }) => `  ${step.padEnd(17)} ${number(instructions)}${kept === undefined ? "   nothing is kept for this compiler" : `   kept ${number(kept)}   ratio ${ratio.toFixed(4)}   ${ok ? "ok" : `ABOVE ${MOST}`}`}`).join("\n")}

instructions per decision (${experiences} experiences, ${visitors} visitors)
  without \`explain\` ${number(without.perDecision)}
  with \`explain\`    ${number(more.perDecision)}
  ratio             ${ratio.toFixed(5).padStart(12)}   at most ${LIMIT}`;

await command({ usage, options: { json: { type: "boolean" }, write: { type: "boolean" } } }, async ({ json, write }) => {
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  const valgrind = await ensureValgrind(env);
  await build(["cli"], env);
  say("building the benchmarks, and counting ...");
  const folder = mkdtempSync(join(tmpdir(), "idoine-instructions-"));
  try {
    const name = await compiler(env);
    const { steps } = await countSteps(valgrind, folder, env);
    if (write) keep(name, steps);
    const result = { compiler: name, steps: compare(steps, kept()[name]), ...(await measure(valgrind, folder, env)) };
    process.stdout.write(`${json ? JSON.stringify(result, null, 2) : report(result)}\n`);
    return result.ratio <= LIMIT && result.steps.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
