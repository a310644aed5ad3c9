// The stages of `npm test`: what each runs, and how its tests are counted.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, table } from "./budgets.mjs";
import { DIST, LOCAL, ROOT, WASM_TARGET } from "./paths.mjs";
import { run } from "./run.mjs";

const WASM_CRATES = ["-p", "idoine-engine", "-p", "idoine-tools", "-p", "idoine-author"];

/** A stage is what ran: how many tests passed and failed, and its whole output. */
const single = ({ code, output }) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output });

/** Counts cargo's "test result:" lines, those of Wasm in the browser too. */
export function countCargo({ code, output }) {
  let passed = 0;
  let failed = 0;
  for (const [, good, bad] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)) {
    passed += Number(good);
    failed += Number(bad);
  }
  return { ...atLeastOne(passed, failed, code), output };
}

/** Counts the end of node's TAP report. */
export function countTap(tap, { code, output }) {
  const last = (name) => Number([...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, "gm"))].pop()?.[1] ?? 0);
  return { ...atLeastOne(last("pass"), last("fail") + last("cancelled"), code), output };
}

/** A run that failed without naming a test, or that ran none, is one failure: it must not look like a pass. */
function atLeastOne(passed, failed, code) {
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

const cargo = (args, env) => run(["cargo", ...args], { cwd: ROOT, env });

/** What Chromium is started with, for wasm-bindgen's test runner (which adds --headless and --no-sandbox). */
function webdriver(env) {
  const path = join(LOCAL, "webdriver.json");
  const args = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"];
  writeFileSync(path, JSON.stringify({ "goog:chromeOptions": { binary: env.IDOINE_CHROMIUM, args } }));
  return path;
}

async function wasmTests(env) {
  return countCargo(
    await cargo(["test", "--target", WASM_TARGET, ...WASM_CRATES, "--no-fail-fast"], {
      ...env,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "wasm-bindgen-test-runner",
      WASM_BINDGEN_TEST_WEBDRIVER_JSON: webdriver(env),
      // Seconds; the runner's own few are too short for a machine that is busy.
      WASM_BINDGEN_TEST_TIMEOUT: "300",
      WASM_BINDGEN_TEST_DRIVER_TIMEOUT: "60",
    }),
  );
}

/** `node --test` over a folder of tests/. One file at a time: each starts workerd or Chromium, and times out on a crowded machine. */
async function nodeTests(folder, env) {
  const dir = join(ROOT, "tests", folder);
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".test.ts")).sort() : [];
  if (files.length === 0) return { passed: 0, failed: 1, output: `tests/${folder} has no *.test.ts` };
  const report = join(LOCAL, `tests-${folder}.tap`);
  rmSync(report, { force: true });
  const reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout", "--test-reporter=tap", `--test-reporter-destination=${report}`];
  const result = await run([process.execPath, "--test", "--test-concurrency=1", "--test-timeout=1200000", ...reporters, ...files.map((name) => join("tests", folder, name))], { cwd: ROOT, env: { ...env, NODE_TEST_CONTEXT: undefined } });
  return countTap(existsSync(report) ? readFileSync(report, "utf8") : "", result);
}

async function sizes() {
  const rows = measure();
  const limits = rows.filter((row) => row.limit !== undefined);
  return { passed: limits.filter((row) => row.ok).length, failed: limits.filter((row) => !row.ok).length, output: table(rows) };
}

const lint = ["--", "-D", "warnings"];

/** Lints the core with each set of its features: what only one of them uses may not be there without it. */
async function lintFeatures(env) {
  const { stdout } = await cargo(["metadata", "--offline", "--no-deps", "--format-version", "1"], env);
  const core = JSON.parse(stdout).packages.find(({ name }) => name === "idoine");
  const sets = Object.keys(core.features)
    .filter((feature) => feature !== "default")
    .reduce((sets, feature) => sets.flatMap((set) => [set, [...set, feature]]), [[]]);
  let failed = 0;
  let output = "";
  for (const set of sets) {
    const result = await cargo(["clippy", "-p", "idoine", "--no-default-features", "--features", set.join(), ...lint], env);
    if (result.code === 0) continue;
    failed++;
    output += `with the features [${set.join(", ")}]:\n${result.output}\n`;
  }
  return { passed: sets.length - failed, failed, output };
}

/** In the order they run: quick and native first. `build`: it needs dist/. */
export const STAGES = [
  { name: "fmt", title: "formatting", run: async (env) => single(await cargo(["fmt", "--all", "--check"], env)) },
  { name: "clippy", title: "lints, native", run: async (env) => single(await cargo(["clippy", "--workspace", "--all-targets", ...lint], env)) },
  { name: "clippy-wasm", title: "lints, Wasm", run: async (env) => single(await cargo(["clippy", "--target", WASM_TARGET, ...WASM_CRATES, "-p", "idoine-worker", ...lint], env)) },
  { name: "features", title: "lints, each set of features", run: lintFeatures },
  { name: "native", title: "Rust, native", run: async (env) => countCargo(await cargo(["test", "--workspace", "--no-fail-fast"], env)) },
  { name: "statistics", title: "assignments by the million", run: async (env) => countCargo(await cargo(["test", "--release", "-p", "idoine", "--test", "statistics"], env)) },
  { name: "wasm", title: "Rust, Wasm in headless Chromium", run: wasmTests },
  { name: "types", title: "TypeScript's types", run: async (env) => single(await run([join(ROOT, "node_modules", ".bin", "tsc"), "--noEmit"], { cwd: ROOT, env })) },
  { name: "scripts", title: "scripts", build: true, run: (env) => nodeTests("scripts", env) },
  { name: "spec", title: "cases in Wasm, Node and Chromium", build: true, run: (env) => nodeTests("spec-wasm", env) },
  { name: "cel", title: "CEL's conformance suite", build: true, run: (env) => nodeTests("cel", env) },
  { name: "oracle", title: "decisions against the oracle", build: true, run: (env) => nodeTests("oracle", env) },
  { name: "worker", title: "Worker in workerd", build: true, run: (env) => nodeTests("worker", env) },
  { name: "e2e", title: "end to end in Chromium", build: true, run: (env) => nodeTests("e2e", env) },
  { name: "packaging", title: "the npm package in small projects", build: true, run: (env) => nodeTests("packaging", env) },
  { name: "real", title: "real input", build: true, run: (env) => nodeTests("real", env) },
  { name: "size", title: "byte budgets", build: true, run: sizes },
];

/** Variables for the tests. */
export const testEnv = (env) => ({ ...env, IDOINE_DIST: DIST, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", CARGO_TERM_COLOR: "never" });
