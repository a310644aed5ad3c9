// Cold starts in Node: a process for each.
import { fileURLToPath } from "node:url";
import { must } from "../../run.mjs";

const SCRIPT = fileURLToPath(new URL("in-node.mjs", import.meta.url));

export const about = "a new process for each start; files are read before";

/** One cold start: milliseconds by step. */
export async function start({ engine, program, request }, env) {
  return JSON.parse(await must([process.execPath, SCRIPT, engine, program, request], { env }));
}
