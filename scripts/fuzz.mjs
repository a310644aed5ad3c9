// Fuzzing: random input to everything that takes input from outside, led by coverage, begun with the cases of tests/spec.
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build as buildParts } from "./build.mjs";
import { canInstall, install } from "./lib/apt.mjs";
import { targetDir } from "./lib/cargo.mjs";
import { command, WrongUsage } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { DIST, LOCAL, ROOT } from "./lib/paths.mjs";
import { duration, must, Problem, run, say, which } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const CRASHERS = join(ROOT, "fuzz", "crashers");
const WORK = join(LOCAL, "fuzz");

/** The target that is no crate's: random manifests and visitors, decided by every face and by the tests' oracle. */
const ORACLE = "oracle";

/** The names in fuzz/src/targets.rs, and the oracle. */
const TARGETS = [...readFileSync(join(ROOT, "fuzz", "src", "targets.rs"), "utf8").matchAll(/^ {4}\("(\w+)", \w+\),$/gm)].map(([, name]) => name).concat(ORACLE);

/** What libFuzzer needs of the compiler; cargo-fuzz passes the same, and none of it asks for nightly. */
const COVERAGE = ["-Cpasses=sancov-module", ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"].map((flag) => `-Cllvm-args=-sanitizer-coverage-${flag}`), "-Ccodegen-units=1", "--cfg=fuzzing"];

const usage = `
Usage: npm run fuzz -- [--minutes N] [--target T] [--json]

Feeds random input to each target until its time is over or something panics. What crashes is made small and kept in
fuzz/crashers/<target>/, where \`cargo test --test crashers\` runs it from then on. Ends with exit code 1 if there was any.

The target ${ORACLE} decides for random visitors of random manifests: the command line, the engine, the tools, and a plain scan
that is written for the tests. Where they do not agree, manifest and visitor are made small and kept in tests/oracle/kept/, which
\`npm test -- oracle\` asks about from then on.

  --minutes N   for each target (default 1)
  --target T    only this one: ${TARGETS.join(", ")}
  --json        one object: for each target its time, executions, coverage, corpus and crashers

Coverage leads the way where a C++ compiler is there or can be installed; without one, input is changed at random.
Interesting input is kept in ${relative(ROOT, WORK)}/ and used again the next time.

Example: npm run fuzz -- --minutes 5 --target expression
`;

/** A C++ compiler, installed if that needs nobody. */
async function compiler(env) {
  const find = () => ["c++", "g++", "clang++"].find((name) => which(name, env));
  if (find() || !(await canInstall(env))) return find();
  say("installing g++ (for libFuzzer) ...");
  await install(["g++"], env).catch((error) => say(`g++ cannot be installed: ${error.message}`));
  return find();
}

/** Builds the fuzzer and gives back its path. */
async function build(isLed, env) {
  const host = /^host: (.*)$/m.exec(await must(["rustc", "-vV"], { env }))?.[1];
  // A target of its own keeps the flags from build scripts, and a folder of its own keeps other builds.
  const folder = join(targetDir(env), "fuzz");
  const words = ["cargo", "build", "--profile", "fuzz", "-p", "idoine-fuzz", "--bin", "fuzz", "--target", host, "--target-dir", folder];
  const flags = isLed ? { RUSTFLAGS: COVERAGE.join(" ") } : {};
  await must([...words, ...(isLed ? ["--features", "libfuzzer"] : [])], { cwd: ROOT, env: { ...env, ...flags } });
  return join(folder, host, "fuzz", "fuzz");
}

/** First inputs of every target. */
async function seed(env) {
  const folder = join(WORK, "seeds");
  rmSync(folder, { recursive: true, force: true });
  await must(["cargo", "run", "-q", "-p", "idoine-fuzz", "--bin", "seeds", "--", folder], { cwd: ROOT, env });
  const { tests } = await import("@bufbuild/cel-spec/testdata/conformance.js");
  const expressions = (suite) => [...(suite.tests ?? []).map(({ original }) => original.expr), ...(suite.suites ?? []).flatMap(expressions)];
  for (const [index, text] of expressions(tests).entries()) {
    for (const target of ["expression", "evaluation"]) writeFileSync(join(folder, target, `cel-${index}`), text);
  }
  return folder;
}

const fresh = (path) => (rmSync(path, { recursive: true, force: true }), mkdirSync(path, { recursive: true }), path);
const filesIn = (path) => (existsSync(path) ? readdirSync(path) : []);

/** Runs the fuzzer once; what it says goes to `see`, a line at a time. */
function start(program, args, env, see) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      lines.forEach(see);
    });
    child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  });
}

async function fuzz(target, seconds, { program, seeds, isLed, env }) {
  const targetEnv = { ...env, IDOINE_FUZZ_TARGET: target };
  const corpus = join(WORK, "corpus", target);
  mkdirSync(corpus, { recursive: true });
  const artifacts = fresh(join(WORK, "artifacts", target));
  const state = { executions: 0, coverage: undefined };
  const tail = [];
  let shown = Date.now();
  const see = (line) => {
    tail.push(line);
    if (tail.length > 200) tail.shift();
    const found = /^#(\d+)\s+\w+(?:\s+cov: (\d+))?/.exec(line) ?? /^stat::number_of_executed_units: (\d+)/.exec(line);
    if (!found) return;
    state.executions = Number(found[1]);
    if (found[2]) state.coverage = Number(found[2]);
    if (Date.now() - shown < 15_000) return;
    shown = Date.now();
    say(`${target}: ${state.executions} executions${state.coverage ? `, ${state.coverage} places covered` : ""}`);
  };
  const folders = [corpus, join(seeds, target), join(CRASHERS, target)].filter(existsSync);
  const begun = Date.now();
  const args = isLed
    ? [`-max_total_time=${seconds}`, "-max_len=65536", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", `-artifact_prefix=${artifacts}/`, ...folders]
    : ["--seconds", String(seconds), "--artifacts", artifacts, ...folders];
  const code = await start(program, args, targetEnv, see);
  const took = (Date.now() - begun) / 1000;
  const crashers = [];
  for (const name of filesIn(artifacts)) crashers.push(await keep(target, join(artifacts, name), { program, isLed, env: targetEnv }));
  // It may also fail without an input: a damaged binary, a wrong argument.
  if (code !== 0 && crashers.length === 0) throw new Problem(`the fuzzer of ${target} ended with ${code}:\n${tail.slice(-30).join("\n")}`);
  for (const path of crashers) say(`${target}: kept ${path}\n${tail.filter((line) => /panicked|^thread|assertion|left:|right:|ERROR/.test(line)).join("\n")}`);
  return { target, seconds: Math.round(took), ...state, corpus: filesIn(corpus).length, crashers };
}

/** Compares the faces with the oracle until the time is over. */
async function compare(seconds, env) {
  await buildParts(["cli", "engine", "tools", "author"], env);
  const out = [];
  const code = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["tests/oracle/fuzz.ts", "--seconds", String(seconds)], { cwd: ROOT, env: { ...env, IDOINE_DIST: DIST }, stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8").on("data", (text) => out.push(text));
    child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  });
  const result = out.length > 0 ? JSON.parse(out.join("")) : undefined;
  if (result === undefined || (code !== 0 && result.crashers.length === 0)) throw new Problem(`the comparison with the oracle ended with ${code}`);
  return result;
}

/** Makes a crasher small, and keeps it beside the others of its target. */
async function keep(target, path, { program, isLed, env }) {
  let bytes = readFileSync(path);
  if (isLed && /crash-/.test(path)) {
    const small = `${path}.small`;
    await run([program, "-minimize_crash=1", "-max_total_time=20", `-exact_artifact_path=${small}`, path], { env });
    if (existsSync(small)) bytes = readFileSync(small);
  }
  const folder = join(CRASHERS, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, createHash("sha256").update(bytes).digest("hex").slice(0, 16));
  writeFileSync(file, bytes);
  return relative(ROOT, file);
}

/** The fuzzer of the crate's targets, and first inputs. */
async function prepare(env) {
  const isLed = (await compiler(env)) !== undefined;
  if (!isLed) say("there is no C++ compiler: input is changed at random, without coverage. Install g++ or clang for more.");
  say("building the fuzzer (a minute the first time) ...");
  return { program: await build(isLed, env), seeds: await seed(env), isLed, env };
}

const options = { minutes: { type: "string" }, target: { type: "string" }, json: { type: "boolean" } };
await command({ usage, options }, async ({ minutes = "1", target, json }) => {
  const seconds = Math.round(Number(minutes) * 60);
  if (!(seconds >= 1)) throw new WrongUsage(`--minutes is '${minutes}'; expected a number above 0`);
  if (target !== undefined && !TARGETS.includes(target)) throw new WrongUsage(`Unknown target '${target}'; there are: ${TARGETS.join(", ")}`);
  if (await underRecentNode()) return process.exitCode;
  const env = await ensure();
  mkdirSync(WORK, { recursive: true });
  const targets = target ? [target] : TARGETS;
  const setting = targets.some((name) => name !== ORACLE) ? await prepare(env) : undefined;
  say(`fuzzing ${targets.join(", ")}: ${duration(seconds * 1000)} each`);
  const results = [];
  for (const name of targets) {
    const result = name === ORACLE ? await compare(seconds, env) : await fuzz(name, seconds, setting);
    results.push(result);
    if (!json) {
      const covered = result.coverage ? `${String(result.coverage).padStart(6)} places covered  ` : "";
      process.stdout.write(`${name.padEnd(12)} ${String(result.executions).padStart(9)} executions  ${covered}${result.crashers.length} crashers\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ coverage: setting?.isLed ? "libFuzzer" : "none", targets: results }, null, 2)}\n`);
  return results.some((result) => result.crashers.length > 0) ? 1 : 0;
});
