// Runs the tests of the copy, once without a mutant and then for each.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must, Problem } from "../run.mjs";

/** Tests that take longer are run alone, after the others. */
const SLOW_MS = 400;

/** Runs some tests of a binary: whether they passed, and what they said. Memory has an end, as a mutant may never have one. */
function runTests(binary, names, { cwd, env, timeout }) {
  return new Promise((resolve, reject) => {
    const words = ["-c", 'ulimit -v 6000000 2>/dev/null; exec "$0" "$@"', binary, "--exact", "-q", ...names];
    // The same input every time, so that the same changes survive.
    const child = spawn("sh", words, { cwd, env: { ...env, PROPTEST_RNG_SEED: "1" }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output = (output + chunk).slice(-4000)));
    let late = false;
    const timer = setTimeout(() => ((late = true), child.kill("SIGKILL")), timeout);
    child.on("error", reject).on("close", (code) => {
      clearTimeout(timer);
      resolve({ passed: code === 0, late, output });
    });
  });
}

/** Every test, how long it takes and which mutants it gets to. */
export async function baseline(binaries, tree, env, progress) {
  const reached = join(tree, "..", "reached");
  const tests = [];
  for (const binary of binaries) {
    const names = [...(await must([binary, "--list", "--format", "terse"], { cwd: tree, env })).matchAll(/^(.*): test$/gm)].map(([, name]) => name);
    for (const name of names) {
      rmSync(reached, { force: true });
      const begun = Date.now();
      const { passed, output } = await runTests(binary, [name], { cwd: tree, env: { ...env, IDOINE_REACHED: reached }, timeout: 600_000 });
      if (!passed) throw new Problem(`${name} fails without any mutant:\n${output}`);
      const mutants = new Set(existsSync(reached) ? readFileSync(reached, "utf8").trim().split("\n").map(Number) : []);
      tests.push({ binary, name, ms: Date.now() - begun, mutants });
      progress(tests.length);
    }
  }
  return tests;
}

/** For each group of tests, how often one of them noticed something. */
const noticed = new Map();

/** The runs that a mutant needs: quick tests of a binary together, slow ones alone; first what notices most for its time. */
function runs(tests, id) {
  const groups = new Map();
  for (const test of tests.filter(({ mutants }) => mutants.has(id))) {
    const key = test.ms < SLOW_MS ? test.binary : `${test.binary} ${test.name}`;
    const group = groups.get(key) ?? { key, binary: test.binary, names: [], ms: 0 };
    group.names.push(test.name);
    group.ms += test.ms;
    groups.set(key, group);
  }
  const worth = ({ key, ms }) => (1 + (noticed.get(key) ?? 0)) / (ms + 20);
  return [...groups.values()].sort((a, b) => worth(b) - worth(a));
}

/** What becomes of a mutant: `killed`, `timeout` (killed too), `unreached` or `survived`. */
export async function judge(id, tests, tree, env) {
  const planned = runs(tests, id);
  if (planned.length === 0) return "unreached";
  for (const { key, binary, names, ms } of planned) {
    const { passed, late } = await runTests(binary, names, { cwd: tree, env: { ...env, IDOINE_MUTANT: String(id) }, timeout: 10_000 + 10 * ms });
    if (passed) continue;
    noticed.set(key, (noticed.get(key) ?? 0) + 1);
    return late ? "timeout" : "killed";
  }
  return "survived";
}
