// Instructions of the core's steps (benches/steps.rs), against those that are kept. Another compiler makes other code, so the counts are
// kept for each.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";
import { benchmark } from "./bench/native.mjs";
import { must, Problem } from "./run.mjs";
import { writeIfChanged } from "./files.mjs";
import { countCalls } from "./valgrind.mjs";

export const STEPS = ["parse", "compile", "load", "context", "decide", "explain"];

/** What a step may execute at most, of what is kept. */
export const MOST = 1.05;

const KEPT = join(ROOT, "benches", "instructions.json");

/** The compiler and what it compiles for, as the counts are kept by. */
export async function compiler(env) {
  const words = await must(["rustc", "--version", "--verbose"], { env });
  return `${words.split("\n")[0]}, ${/^host: (.*)$/m.exec(words)?.[1]}`;
}

/** How many instructions each step executes, for each time that it is done. */
export async function countSteps(valgrind, folder, env) {
  const program = await benchmark("steps", [], env);
  const { counts, output } = await countCalls(valgrind, "steps::step_", [program, "once"], folder, env);
  const missing = STEPS.filter((step) => !counts[step]);
  if (missing.length > 0) throw new Problem(`valgrind counted nothing in ${missing.join(", ")}`);
  const steps = Object.fromEntries(STEPS.map((step) => [step, Math.round(counts[step].instructions / counts[step].calls)]));
  return { ...JSON.parse(output), steps };
}

/** All that is kept: counts by compiler, by step. */
export const kept = () => (existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, "utf8")) : {});

/** Keeps counts for a compiler, beside those for others. */
export function keep(name, steps) {
  writeIfChanged(KEPT, `${JSON.stringify({ ...kept(), [name]: steps }, null, 2)}\n`);
}

/**
 * Each step beside what is kept of it.
 * @param {Record<string, number>} steps
 * @param {Record<string, number> | undefined} before undefined where nothing is kept for this compiler
 */
export function compare(steps, before) {
  return Object.entries(steps).map(([step, instructions]) => {
    const known = before?.[step];
    const ratio = known === undefined ? undefined : instructions / known;
    return { step, instructions, kept: known, ratio, ok: ratio === undefined || ratio <= MOST };
  });
}
