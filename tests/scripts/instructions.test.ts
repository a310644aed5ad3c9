// `npm run instructions`: no step of the core executes more than it did, and being able to explain costs a decision nothing that counts.
// Instructions are no times: they are repeatable.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { ROOT } from "../../scripts/lib/paths.mjs";
import { which } from "../../scripts/lib/run.mjs";
import { compare, STEPS } from "../../scripts/lib/steps.mjs";
import { callsIn, countInstructions, ensureValgrind } from "../../scripts/lib/valgrind.mjs";

const script = join(ROOT, "scripts", "instructions.mjs");
const valgrind: string | undefined = which("valgrind");
const skip = valgrind === undefined && "valgrind is not here, and could not be installed";

interface Step {
  step: string;
  instructions: number;
  kept?: number;
  ratio?: number;
  ok: boolean;
}

interface Result {
  compiler: string;
  steps: Step[];
  experiences: number;
  visitors: number;
  with: { instructions: number; perDecision: number };
  without: { instructions: number; perDecision: number };
  ratio: number;
  limit: number;
}

let result: Result;
before(() => {
  if (skip) return;
  const { stdout, stderr } = spawnSync(process.execPath, [script, "--json"], { encoding: "utf8" });
  assert.notEqual(stdout, "", stderr);
  result = JSON.parse(stdout);
});

test("no step of the core executes 5 % more instructions than are kept for this compiler", { skip }, (context) => {
  assert.match(result.compiler, /^rustc \d+\.\d+\.\d+.* \w+-\w+-\w+/);
  assert.deepEqual(result.steps.map(({ step }) => step), STEPS);
  for (const { step, instructions, kept, ratio, ok } of result.steps) {
    if (kept === undefined) context.diagnostic(`${step}: ${instructions}, and nothing is kept for ${result.compiler}`);
    // A step that does nothing would pass too.
    assert.ok(instructions > 5000, `${step}: ${instructions}`);
    assert.ok(ok, `${step}: ${instructions} instructions instead of ${kept} (${ratio}). Where that is meant: npm run instructions -- --write`);
  }
});

test("6 % more is too much, 4 % are not, less is fine, and of an unknown compiler nothing is asked", () => {
  const before = { parse: 1000, compile: 1000, load: 1000, decide: 1000 };
  const rows = compare({ parse: 1060, compile: 1040, load: 500, decide: 1051 }, before) as Step[];
  assert.deepEqual(rows.map(({ step, ok }) => [step, ok]), [["parse", false], ["compile", true], ["load", true], ["decide", false]]);
  assert.deepEqual(compare({ parse: 9 }, undefined), [{ step: "parse", instructions: 9, kept: undefined, ratio: undefined, ok: true }]);
});

test("calls are read from a profile by their names, each with what it cost", () => {
  const profile = `fn=(1) main
12 5
cfn=(2) steps::step_load
calls=1 0
12 700
fn=(3) other
cfn=(2)
calls=3 0
+1 33
cfn=(4) steps::other
calls=1 0
5 9
fn=(2)
0 1`;
  assert.deepEqual(callsIn(profile, "steps::step_"), { load: { instructions: 733, calls: 4 } });
});

test("a decision that nobody asks to explain executes at most 1 % more instructions with `explain` than without", { skip }, (context) => {
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
