// Mutation testing: changes the named functions in every way it knows, and asks whether a test notices.
import { availableParallelism } from "node:os";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { command, WrongUsage } from "./lib/cli.mjs";
import { baseline, judge } from "./lib/mutate/ask.mjs";
import { build } from "./lib/mutate/copy.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { ROOT } from "./lib/paths.mjs";
import { duration, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const usage = `
Usage: npm run mutate [-- --file PART] [--jobs N] [--json]

Changes the functions that mutate/functions.json names, one change at a time (another operator, a condition that always holds, a
statement left out, a number off by one, an arm that never matches), and runs the tests of the core. A change that no test notices
survives: it is printed, and the exit code is 1. All changes are built at once into a copy under target/mutate. Changes that nothing
can notice are listed in that file with the reason.

  --file PART   only files whose path contains it, such as expr/parse; may stand several times
  --jobs N      tests at the same time (default: the number of processors)
  --json        one object: counts, and each survivor with its place, what was there and what became of it

Example: npm run mutate -- --file src/version.rs
`;

const list = JSON.parse(readFileSync(join(ROOT, "mutate", "functions.json"), "utf8"));

/** Whether an entry of `equivalent` means the mutant. Only where the same stands twice in a line an entry has a column. */
const means = (entry, mutant) =>
  entry.file === mutant.file && entry.function === mutant.function && entry.source === mutant.source && (entry.column ?? mutant.column) === mutant.column && entry.was === mutant.was && [entry.becomes].flat().includes(mutant.becomes);

const told = ({ file, line, column, function: name, source, was, becomes, reached }) =>
  `${file}:${line}:${column} ${name}: \`${was}\` -> \`${becomes || "nothing"}\`${reached ? "" : " (no test gets there)"}\n    ${source}`;

const options = { file: { type: "string", multiple: true }, jobs: { type: "string" }, json: { type: "boolean" } };
await command({ usage, options }, async ({ file = [""], jobs, json }) => {
  const width = jobs === undefined ? availableParallelism() : Number(jobs);
  if (!(Number.isInteger(width) && width >= 1)) throw new WrongUsage(`--jobs is '${jobs}'; expected a whole number above 0`);
  const functions = Object.fromEntries(Object.entries(list.functions).filter(([path]) => file.some((part) => path.includes(part))));
  if (Object.keys(functions).length === 0) throw new WrongUsage(`No file has '${file.join("' or '")}' in its path; there are: ${Object.keys(list.functions).join(", ")}`);
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure({ modules: false });
  const begun = Date.now();
  const { tree, mutants, unviable, binaries } = await build(functions, env);
  const equivalent = new Map(mutants.flatMap((mutant) => list.equivalent.filter((entry) => means(entry, mutant)).map((entry) => [mutant.id, entry])));
  const stale = list.equivalent.filter((entry) => entry.file in functions && ![...equivalent.values()].includes(entry));
  say(`built in ${duration(Date.now() - begun)}; running every test once without a change ...`);
  const tests = await baseline(binaries, tree, env, () => {});
  const asked = mutants.filter(({ id }) => !unviable.has(id) && !equivalent.has(id));
  const running = Date.now();
  const survivors = [];
  let [done, killed, late, shown] = [0, 0, 0, Date.now()];
  const queue = asked.values();
  const work = async () => {
    for (const mutant of queue) {
      const outcome = await judge(mutant.id, tests, tree, env);
      done++;
      if (outcome === "killed" || outcome === "timeout") killed++;
      else {
        survivors.push({ ...mutant, reached: outcome === "survived" });
        say(`not noticed: ${told(survivors.at(-1))}`);
      }
      if (outcome === "timeout") late++;
      if (Date.now() - shown < 15_000) continue;
      shown = Date.now();
      const left = ((Date.now() - running) / done) * (asked.length - done);
      say(`${done} of ${asked.length} changes, ${killed} noticed, ${survivors.length} not; about ${duration(left)} to go`);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  survivors.sort((a, b) => a.id - b.id);
  const counts = { functions: Object.values(functions).flat().length, changes: asked.length, noticed: killed, bytime: late, equivalent: equivalent.size, norust: unviable.size, stale: stale.length, seconds: Math.round((Date.now() - begun) / 1000) };
  for (const entry of stale) say(`called equivalent, but not made any more: ${JSON.stringify(entry)}`);
  if (json) process.stdout.write(`${JSON.stringify({ ...counts, survivors }, null, 2)}\n`);
  else {
    for (const survivor of survivors) process.stdout.write(`${told(survivor)}\n`);
    process.stdout.write(`${counts.changes} changes in ${counts.functions} functions: ${killed} noticed (${late} by time), ${survivors.length} not; ${counts.equivalent} equivalent, ${counts.norust} no Rust; ${duration(Date.now() - begun)}\n`);
  }
  return survivors.length + stale.length > 0 ? 1 : 0;
});
