// What being able to explain costs a decision that nobody asks to explain: instructions with the core's feature and without.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { benchmark, prepare } from "./bench/native.mjs";
import { visitors } from "./bench/visitors.mjs";
import { workload } from "./bench/workload.mjs";
import { ROOT } from "./paths.mjs";
import { Problem } from "./run.mjs";
import { countInstructions } from "./valgrind.mjs";

/** Everything random is drawn from it. */
const SEED = 20261122;
const EXPERIENCES = 400;
const VISITORS = 250;

/** What a build with the feature may execute at most, where it isn't used, of what one without executes. */
export const LIMIT = 1.01;

/** The features of the core in the two builds. */
const BUILDS = { with: "serde,explain", without: "serde" };

/** The function of benches/decide.rs that decides and does nothing else. */
const COUNTED = "decide::counted";

/** The benchmark's targeting, with something of everything else that a decision looks at. */
function manifest() {
  const site = JSON.parse(workload(EXPERIENCES, SEED).manifest);
  Object.assign(site, { holdout: 0.05, layers: {}, groups: { few: { max: 2 }, one: { cap: { day: 5 } } }, cap: { session: 100 } });
  site.experiences.forEach((experience, index) => {
    const every = (number) => index % number === 0;
    const isExperiment = every(2);
    if (every(3)) experience.traffic = 0.8;
    if (every(5)) experience.holdout = 0.1;
    if (every(7)) experience.groups = ["few"];
    if (every(8)) experience.cap = { session: 3, total: 20, cooldown_minutes: 30 };
    if (every(9)) experience.traffic = { ramp: "linear", points: [{ at: "2026-11-01", share: 0.2 }, { at: "2026-12-01", share: 0.9 }] };
    if (every(10)) experience.sticky = true;
    if (every(11)) experience.groups = ["one"];
    if (every(12)) {
      site.layers[experience.id] = {};
      experience.layer = { name: experience.id, from: 0.1, to: 0.9 };
    }
    if (index % 13 === 1) experience.requires = [{ experience: site.experiences[index - 1].id }];
    if (!isExperiment) return;
    experience.type = "experiment";
    for (const [slot, content] of Object.entries(experience.slots)) experience.slots[slot] = [{ baseline: true }, content, { text: "Another" }];
  });
  return JSON.stringify(site);
}

/** What is stored of a visitor: some that they saw and were assigned to. */
function stored(number) {
  const id = (index) => `e-${String(index % EXPERIENCES).padStart(5, "0")}`;
  const seen = Array.from({ length: 5 }, (_, index) => [`seen.${id(8 * (number + index))}`, "1,2,3,10,2026-11-20T12:00:00Z"]);
  const assigned = Array.from({ length: 3 }, (_, index) => [`assignment.${id(10 * (number + index))}`, String(index % 3)]);
  return [...seen, ...assigned, ["seen_site", "5,9,9,40,2026-11-20T12:00:00Z"], ["visitor.session_start", "2026-11-20T11:00:00Z"]];
}

/**
 * Builds twice, decides once for each visitor, and counts.
 * @param {string} valgrind its path
 * @param {string} folder for files that are needed meanwhile
 */
export async function measure(valgrind, folder, env) {
  const load = (name) => import(pathToFileURL(join(ROOT, "www", "src", name)).href);
  const [wire, zone] = [await load("wire.ts"), await load("zone.ts")];
  const people = visitors(VISITORS, SEED, zone).map(({ request }, number) => ({ bytes: wire.encodeRequest({ ...request, profile: stored(number) }) }));
  await prepare(folder, manifest(), people, env);
  const results = {};
  for (const [name, features] of Object.entries(BUILDS)) {
    const program = await benchmark("decide", ["--no-default-features", "--features", features], env);
    const { instructions, output } = await countInstructions(valgrind, COUNTED, [program, "once", folder], env);
    if (output !== String(VISITORS)) throw new Problem(`the benchmark said \`${output}\` instead of ${VISITORS}`);
    results[name] = { instructions, perDecision: Math.round(instructions / VISITORS) };
  }
  return { experiences: EXPERIENCES, visitors: VISITORS, seed: SEED, ...results, ratio: results.with.instructions / results.without.instructions, limit: LIMIT };
}
