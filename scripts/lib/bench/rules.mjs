// The rules of a workload before any engine's dialect: tests over a visitor's attributes as plain data. Each engine's own file
// writes them in its dialect: manifest.mjs for Idoine, peers/ for the others.

/** @typedef {{is: string, name?: string, value?: any, values?: any[], from?: number, until?: number, part?: string, test?: Test, tests?: Test[]}} Test */

export const equal = (name, value) => ({ is: "equal", name, value });
export const differs = (name, value) => ({ is: "differs", name, value });
export const within = (name, values) => ({ is: "within", name, values });
/** From a number, which is in it, to another, which isn't. */
export const between = (name, from, until) => ({ is: "between", name, from, until });
export const contains = (name, part) => ({ is: "contains", name, part });
export const startsWith = (name, part) => ({ is: "startsWith", name, part });
export const endsWith = (name, part) => ({ is: "endsWith", name, part });
export const not = (test) => ({ is: "not", test });
export const either = (...tests) => ({ is: "either", tests });
export const both = (...tests) => ({ is: "both", tests: tests.flatMap((test) => (test.is === "both" ? test.tests : [test])) });

/** The test that a page rule makes of the path; those of the workloads that peers run are whole paths, or end with `*`. */
function ofPage(path) {
  return path.endsWith("*") ? startsWith("path", path.slice(0, -1)) : equal("path", path);
}

/**
 * What peers run: for each slot its rules, each with one test, in the order of Idoine's arbitration, so that the first that holds
 * is the one that wins. The page comes first, as it is the cheapest and most selective test, and a schedule is a test of the time.
 * @returns {{slot: string, rules: {id: string, test: Test}[]}[]}
 */
export function ordered(slots, experiences) {
  const sorted = [...experiences].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  const rules = Object.fromEntries(slots.map((slot) => [slot, []]));
  for (const { id, slot, pages = [], test, schedule } of sorted) {
    const before = [...(pages.length > 0 ? [either(...pages.map(ofPage))] : []), ...(schedule ? [between("now", schedule.from, schedule.until)] : [])];
    rules[slot].push({ id, test: both(...before.map((one) => (one.is === "either" && one.tests.length === 1 ? one.tests[0] : one)), test) });
  }
  return slots.map((slot) => ({ slot, rules: rules[slot] }));
}
