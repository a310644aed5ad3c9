// A copy of the repository with every mutant in it, and its tests, built.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { targetDir } from "../cargo.mjs";
import { writeIfChanged } from "../files.mjs";
import { ROOT } from "../paths.mjs";
import { must, Problem, run, say } from "../run.mjs";

const QUESTION = readFileSync(new URL("question.rs", import.meta.url), "utf8");
/** The tests that are asked: those of the core that take no time. */
export const TESTS = ["--lib", "--test", "spec", "--test", "expressions", "--test", "visits", "--test", "format", "--test", "crashers", "--test", "limits", "--test", "explain", "--test", "receipts"];
/** Times that the compiler may find mutants that are no Rust. It finds them in steps: names, then types, then borrows. */
const ATTEMPTS = 20;

/** Brings the copy to the state of the files here. */
async function copyTree(tree) {
  const listed = await must(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  const files = new Set(listed.split("\0").filter((path) => path && existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile()));
  const walk = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)]));
  for (const path of existsSync(tree) ? walk(tree) : []) if (!files.has(relative(tree, path))) rmSync(path);
  for (const path of files) writeIfChanged(join(tree, path), readFileSync(join(ROOT, path)));
}

/** Puts the mutants of the functions into the copy, except some, and says what it did. */
async function rewrite(program, tree, functions, without) {
  for (const file of Object.keys(functions)) writeIfChanged(join(tree, file), readFileSync(join(ROOT, file)));
  const { code, stdout, output } = await run([program, tree], { input: JSON.stringify({ functions, without }) });
  if (code !== 0) throw new Problem(`the mutants cannot be written: ${output}`);
  const plan = JSON.parse(stdout);
  if (plan.unknown.length > 0) throw new Problem(`mutate/functions.json names functions that are not there: ${plan.unknown.join(", ")}`);
  writeIfChanged(join(tree, "src", "mutant.rs"), QUESTION.replaceAll("COUNT", String(plan.mutants.length + 1)));
  writeIfChanged(join(tree, "src", "lib.rs"), `${readFileSync(join(ROOT, "src", "lib.rs"), "utf8")}\npub mod mutant;\n`);
  return plan;
}

/** The mutants that an error of the compiler is about: the innermost around any place that it names. */
function blamed(message, regions) {
  const found = new Set();
  const spans = [message, ...message.children].flatMap(({ spans }) => spans);
  for (const span of spans) {
    for (const primary of [span, span.expansion?.span]) {
      const around = regions[primary?.file_name]?.find(([, start, end]) => start <= primary.byte_start && primary.byte_end <= end);
      if (around) found.add(around[0]);
    }
    // The replacement itself is the better answer than what stands around it: those come first.
  }
  return found;
}

/** Builds the mutator from here. */
export async function mutator(env) {
  await must(["cargo", "build", "-q", "-p", "idoine-mutate"], { cwd: ROOT, env });
  return join(targetDir(env), "debug", "mutate");
}

/**
 * Copies, mutates and builds.
 * @returns {Promise<{tree: string, mutants: object[], unviable: Set<number>, binaries: string[]}>} `unviable`: what is no Rust
 */
export async function build(functions, env) {
  const folder = join(targetDir(env), "mutate");
  const tree = join(folder, "tree");
  mkdirSync(tree, { recursive: true });
  const program = await mutator(env);
  await copyTree(tree);
  // One build, thousands of runs: worth some optimisation. Lints are for people.
  const settings = { CARGO_TARGET_DIR: join(folder, "target"), CARGO_PROFILE_DEV_OPT_LEVEL: "1", CARGO_PROFILE_DEV_DEBUG: "0", RUSTFLAGS: "--cap-lints=allow" };
  const unviable = new Set();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const plan = await rewrite(program, tree, functions, [...unviable]);
    say(`building ${plan.mutants.length - unviable.size} mutants at once (some minutes the first time) ...`);
    const checked = attempt === 1 || unviable.size > 0 ? await cargo(["check", "-p", "idoine", "--lib"], tree, { ...env, ...settings }) : { code: 0 };
    const { code, messages, output } = checked.code === 0 ? await cargo(["test", "-p", "idoine", ...TESTS, "--no-run"], tree, { ...env, ...settings }) : checked;
    if (code === 0) {
      const binaries = messages.filter(({ executable, target }) => executable && target.kind.some((kind) => kind !== "bin")).map(({ executable }) => executable);
      return { tree, mutants: plan.mutants, unviable, binaries };
    }
    const before = unviable.size;
    const errors = messages.filter(({ reason, message }) => reason === "compiler-message" && message.level === "error");
    for (const { message } of errors) for (const id of blamed(message, plan.regions)) unviable.add(id);
    if (unviable.size === before) throw new Problem(`the copy in ${tree} cannot be built:\n${errors.map(({ message }) => message.rendered).join("\n") || output}`);
  }
  throw new Problem(`the copy in ${tree} cannot be built after ${ATTEMPTS} attempts.`);
}

async function cargo(args, cwd, env) {
  const { code, stdout, output } = await run(["cargo", ...args, "--message-format=json"], { cwd, env });
  const messages = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return { code, messages, output };
}
