// Valgrind, which counts instructions. It's no must: there is none for many machines.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { canInstall, install } from "./apt.mjs";
import { must, Problem, step, which } from "./run.mjs";

/** The path of valgrind; undefined where it's neither there nor to be had without a person. */
export async function findValgrind(env) {
  const found = which("valgrind", env);
  if (found || !(await canInstall(env))) return found;
  try {
    await step("installing valgrind, which counts instructions", "1 minute", () => install(["valgrind"], env));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  return which("valgrind", env);
}

/** The path of valgrind, or a Problem that says what to do. */
export async function ensureValgrind(env) {
  const found = await findValgrind(env);
  if (found) return found;
  throw new Problem(
    "Instructions are counted by valgrind, which is not here.\n" +
      "  Debian: sudo apt-get install valgrind\n" +
      "  macOS:  there is none for current machines; run it in a container or on Linux",
  );
}

/** How many instructions a program executes within the functions of that name, and what it prints. */
export async function countInstructions(valgrind, name, command, env) {
  const words = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", `--toggle-collect=${name}`, "--log-fd=1", ...command];
  const output = await must(words, { env });
  const collected = /^==\d+== Collected : (\d+)$/m.exec(output)?.[1];
  if (collected === undefined || collected === "0") throw new Problem(`valgrind counted nothing in \`${name}\`:\n${output}`);
  return { instructions: Number(collected), output: output.replace(/^==\d+==.*\n?/gm, "").trim() };
}

/**
 * How many instructions a program executes within each function whose name begins so, what these call included; and what it prints.
 * @returns {Promise<{ counts: Record<string, { instructions: number, calls: number }>, output: string }>} by the rest of the name
 */
export async function countCalls(valgrind, prefix, command, folder, env) {
  const profile = join(folder, "callgrind.out");
  const output = await must([valgrind, "--tool=callgrind", `--callgrind-out-file=${profile}`, "--log-file=/dev/null", ...command], { env });
  return { counts: callsIn(readFileSync(profile, "utf8"), prefix), output: output.trim() };
}

/** The calls in a profile (Valgrind manual, "Callgrind Format Specification"): a name has a number, and is written once. */
export function callsIn(profile, prefix) {
  const names = new Map();
  const counts = {};
  let called;
  let calls;
  for (const line of profile.split("\n")) {
    const [, kind, id, name] = /^(c?fn)=(\(\d+\))(?: (.*))?$/.exec(line) ?? [];
    if (kind) {
      if (name) names.set(id, name);
      if (kind === "cfn") called = names.get(id);
    } else if (line.startsWith("calls=")) {
      calls = Number(/^calls=(\d+)/.exec(line)[1]);
    } else if (calls !== undefined) {
      // The line behind says where from, and what the calls cost.
      if (called?.startsWith(prefix)) {
        const count = (counts[called.slice(prefix.length)] ??= { instructions: 0, calls: 0 });
        count.instructions += Number(line.split(" ").at(-1));
        count.calls += calls;
      }
      calls = undefined;
    }
  }
  return counts;
}
