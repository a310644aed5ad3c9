// What the engine is not to hold: crates that weigh more than what we need of them, the standard library's writing of doubles, and the
// words of panics, which nothing prints.
import { ROOT, WASM_TARGET } from "../paths.mjs";
import { must } from "../run.mjs";
import { readModule } from "./module.mjs";
import { ownerOf } from "./names.mjs";

const CRATES = ["regex", "regex_automata", "regex_syntax", "aho_corasick", "url", "idna", "percent_encoding", "chrono", "time", "jiff"];
const DOUBLES = /flt2dec|grisu|dragon|fmt::float|float_to_(decimal|exponential)/;
const PANICS = [
  /called `(Option|Result)::\w+\(\)`/,
  /index out of bounds|out of range for slice|slice index starts at|is not a char boundary/,
  /panicked at|assertion .*failed|entered unreachable code|not (yet )?implemented/,
  /attempt to (add|subtract|multiply|divide|negate|shift|calculate)/,
  /capacity overflow|already (mutably )?borrowed/,
  // Where in the source it was.
  /[\w/-]+\/[\w-]+\.rs\b/,
];

/** The crates that a package is built from, by Cargo's word. */
export async function cratesOf(name, env) {
  const tree = await must(["cargo", "tree", "--package", name, "--target", WASM_TARGET, "--edges", "normal", "--prefix", "none", "--format", "{lib}", "--locked"], { cwd: ROOT, env });
  return [...new Set(tree.split("\n").map((line) => line.trim()).filter(Boolean))];
}

/** What of a list of crates should not be among them. */
export const unwantedCrates = (crates) => crates.filter((name) => CRATES.includes(name.replaceAll("-", "_")));

/**
 * What a module holds that it should not, in words.
 * @param {Buffer} bytes with the names of its functions
 * @param {string} own its crate
 */
export function unwanted(bytes, own) {
  const { functions, data } = readModule(bytes);
  const text = data.toString("latin1");
  return [
    ...functions.filter(({ name }) => CRATES.includes(ownerOf(name, own).crate)).map(({ name }) => `a function of a crate: ${name}`),
    ...functions.filter(({ name }) => DOUBLES.test(name ?? "")).map(({ name }) => `the standard library's writing of doubles: ${name}`),
    ...PANICS.flatMap((pattern) => pattern.exec(text)?.[0] ?? []).map((words) => `the words of a panic: ${words}`),
  ];
}
