// What being able to explain costs a decision that nobody asks to explain: instructions with the core's feature and without.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare } from "./bench/native.mjs";
import { visitors } from "./bench/visitors.mjs";
import { workload } from "./bench/workload.mjs";
import { ROOT } from "./paths.mjs";
import { must, Problem } from "./run.mjs";
import { countInstructions } from "./valgrind.mjs";

/** Everything random is drawn from it. */
const SEED = 20261122;
const EXPERIENCES = 400;
const VISITORS = 250;

/** What a build with the feature may execute at most, where it isn't used, of what one without executes. */
export const LIMIT = 1.01;

/** The two builds of the core; what else a feature brings is in neither. */
const BUILDS = { with: ["--features", "explain"], without: [] };

/** The function of benches/decide.rs that decides and does nothing else. */
const COUNTED = "decide::counted";

/** Compiles the benchmark with these features of the core and returns the program's path. */
async function compiled(features, env) {
  const words = ["cargo", "bench", "--quiet", "--bench", "decide", "--no-run", "--no-default-features", ...features, "--message-format=json"];
  const messages = (await must(words, { cwd: ROOT, env })).trim().split("\n").map((line) => JSON.parse(line));
  const { executable } = messages.find(({ reason, target }) => reason === "compiler-artifact" && target.name === "decide" && target.kind.includes("bench")) ?? {};
  if (!executable) throw new Problem(`\`${words.join(" ")}\` made no program`);
  return executable;
}

/** The benchmark's targeting, with something of everything else that a decision looks at. */
export function manifest() {
  const site = JSON.parse(workload(EXPERIENCES, SEED).manifest);
  site.holdout = 0.05;
  site.experiences.forEach((experience, index) => {
    if (index % 3 === 0) experience.traffic = 0.8;
    if (index % 4 === 0) experience.holdout = 0.1;
    if (index % 2 === 0) {
      experience.type = "experiment";
      for (const [slot, content] of Object.entries(experience.slots)) experience.slots[slot] = [{ baseline: true }, content, { text: "Another" }];
    }
  });
  return JSON.stringify(site);
}

/**
 * Builds twice, decides once for each visitor, and counts.
 * @param {string} valgrind its path
 * @param {string} folder for files that are needed meanwhile
 */
export async function measure(valgrind, folder, env) {
  const load = (name) => import(pathToFileURL(join(ROOT, "www", "src", name)).href);
  const [wire, zone] = [await load("wire.ts"), await load("zone.ts")];
  const people = visitors(VISITORS, SEED, zone).map(({ request }) => ({ bytes: wire.encodeRequest(request) }));
  await prepare(folder, manifest(), people, env);
  const results = {};
  for (const [name, features] of Object.entries(BUILDS)) {
    const program = await compiled(features, env);
    const { instructions, output } = await countInstructions(valgrind, COUNTED, [program, "once", folder], env);
    if (output !== String(VISITORS)) throw new Problem(`the benchmark said \`${output}\` instead of ${VISITORS}`);
    results[name] = { instructions, perDecision: Math.round(instructions / VISITORS) };
  }
  return { experiences: EXPERIENCES, visitors: VISITORS, seed: SEED, ...results, ratio: results.with.instructions / results.without.instructions, limit: LIMIT };
}
