// The native run: benches/decide.rs in its own process, over files.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIST, ROOT } from "../paths.mjs";
import { must, Problem } from "../run.mjs";

const BENCH = ["cargo", "bench", "--quiet", "--bench", "decide"];

/** Compiles the native benchmark. */
export const buildNative = (env) => must([...BENCH, "--no-run"], { cwd: ROOT, env });

/** Compiles a benchmark with these arguments of cargo's and returns the program's path. */
export async function benchmark(name, words, env) {
  const command = ["cargo", "bench", "--quiet", "--bench", name, "--no-run", ...words, "--message-format=json-render-diagnostics"];
  const messages = (await must(command, { cwd: ROOT, env })).trim().split("\n").map((line) => JSON.parse(line));
  const { executable } = messages.find(({ reason, target }) => reason === "compiler-artifact" && target.name === name && target.kind.includes("bench")) ?? {};
  if (!executable) throw new Problem(`\`${command.join(" ")}\` made no program`);
  return executable;
}

/** Writes what the native run reads, and returns the compiled program's bytes and version. */
export async function prepare(folder, manifest, people, env) {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, "site.jsonc");
  const program = join(folder, "site.program");
  writeFileSync(source, manifest);
  const compiled = JSON.parse(await must([join(DIST, "bin", "idoine"), "compile", source, "-o", program, "--json"], { env }));
  const chunks = people.flatMap(({ bytes }) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  writeFileSync(join(folder, "visitors.bin"), Buffer.concat(chunks));
  return { program, ...compiled };
}

async function lines(args, env) {
  const output = await must([...BENCH, "--", ...args], { cwd: ROOT, env });
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

/** What is decided for each visitor, in the layout of `Engine.decide`. */
export async function nativeDecisions(folder, env) {
  return (await lines(["decisions", folder], env)).map(({ words }) => words);
}

/** Microseconds of each batch, by what was measured: load, context, decide, scan, page. */
export async function nativeTimes(folder, ms, env) {
  return Object.fromEntries((await lines(["times", folder, String(ms)], env)).map(({ what, us }) => [what, us]));
}
