// `npm run instructions`: being able to explain costs a decision nothing that counts. Instructions are no times: they are repeatable.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/lib/paths.mjs";
import { which } from "../../scripts/lib/run.mjs";
import { countInstructions, ensureValgrind } from "../../scripts/lib/valgrind.mjs";

const script = join(ROOT, "scripts", "instructions.mjs");
const valgrind: string | undefined = which("valgrind");
const skip = valgrind === undefined && "valgrind is not here, and could not be installed";

interface Result {
  experiences: number;
  visitors: number;
  with: { instructions: number; perDecision: number };
  without: { instructions: number; perDecision: number };
  ratio: number;
  limit: number;
}

test("a decision that nobody asks to explain executes at most 1 % more instructions with `explain` than without", { skip }, (context) => {
  const result = JSON.parse(execFileSync(process.execPath, [script, "--json"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })) as Result;
  context.diagnostic(`${result.with.perDecision} instructions with it, ${result.without.perDecision} without, ratio ${result.ratio}`);
  assert.equal(result.limit, 1.01);
  assert.ok(result.ratio <= 1.01, `${result.ratio}`);
  assert.equal(result.ratio, result.with.instructions / result.without.instructions);
  // Every experience was looked at: a benchmark that does nothing would pass too.
  for (const { perDecision } of [result.with, result.without]) assert.ok(perDecision > 100 * result.experiences, `${perDecision}`);
});

test("a function that is not there is not counted as nothing", { skip }, async () => {
  await assert.rejects(countInstructions(valgrind!, "no_such_function", ["/bin/true"], process.env), /valgrind counted nothing in `no_such_function`/);
});

test("without valgrind it says what to do", async () => {
  await assert.rejects(ensureValgrind({ PATH: "/nowhere" }), /counted by valgrind, which is not here\.\n.*apt-get install valgrind/);
  const help = spawnSync(process.execPath, [script, "--help"], { encoding: "utf8" });
  assert.deepEqual([help.status, /Usage: npm run instructions[^]*Example: /.test(help.stdout), help.stderr], [0, true, ""]);
  assert.equal(spawnSync(process.execPath, [script, "--fast"]).status, 2);
});
