// The published packages that run the mixed workload beside Idoine. Each file writes the rules in its package's dialect:
//   name         what it is called in figures
//   from         the npm package
//   equivalence  how Idoine's rules are said in its dialect
//   write(slots)   what `ordered` of ../rules.mjs made, as the text of its configuration
//   start(folder)  what loads such a text, given the slots' names too; a folder for files of its own. Loaded, it is
//     ready(attributes, number)  what it is asked with, made before anything is measured
//     evaluate(ready)            the winner of each slot, or null; a promise of it where the package is asynchronous
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../paths.mjs";

/** File names of the peers, in the order in which they are shown. */
export const PEERS = ["growthbook", "flagd", "optimizely", "eppo", "json-rules-engine"];

export const peer = (file) => import(`./${file}.mjs`);

/** What is said of all of them beside the figures. */
export async function about() {
  return Promise.all(PEERS.map(async (file) => {
    const { name, from, equivalence } = await peer(file);
    const { version, license } = JSON.parse(readFileSync(join(ROOT, "node_modules", from, "package.json"), "utf8"));
    return { file, name, from, version, license, equivalence };
  }));
}
