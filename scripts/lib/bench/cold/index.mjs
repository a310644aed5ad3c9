// Cold start: the engine's module, a program and a first decision, in each runtime, each time in a fresh process.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIST } from "../../paths.mjs";
import { say } from "../../run.mjs";
import { summary } from "../measure.mjs";
import { prepare } from "../native.mjs";
import { people } from "../size.mjs";
import { workload } from "../workload.mjs";

/** File names of the runtimes, in the order in which they are shown. */
export const RUNTIMES = ["node", "workerd", "chromium"];

/**
 * Starts each runtime so many times with each size of the mixed workload, in turn.
 * @returns {Promise<Record<string, {about: string, sizes: object[]}>>} milliseconds by step, for each runtime and size
 */
export async function coldStarts({ sizes, starts, seed, folder, env }) {
  const [visitor] = await people(1, seed);
  const files = [];
  for (const experiences of sizes) {
    const at = join(folder, `cold-${experiences}`);
    mkdirSync(at, { recursive: true });
    const { program } = await prepare(at, workload(experiences, seed).manifest, [visitor], env);
    const request = join(at, "request.bin");
    writeFileSync(request, visitor.bytes);
    files.push({ engine: join(DIST, "assets", "_idoine"), program, request });
  }
  const results = {};
  for (const name of RUNTIMES) {
    const { about, start } = await import(`./${name}.mjs`);
    say(`cold starts in ${name}`);
    const times = sizes.map(() => []);
    for (let turn = 0; turn < starts; turn++) for (const [index, one] of files.entries()) times[index].push(await start(one, env));
    const steps = Object.keys(times[0][0]);
    results[name] = { about, sizes: sizes.map((experiences, index) => ({ experiences, ...Object.fromEntries(steps.map((step) => [step, summary(times[index].map((one) => one[step]))])) })) };
  }
  return results;
}
