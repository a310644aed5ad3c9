// The frame of every command: options, --help, exit codes. Runs on Node 18.
import { parseArgs } from "node:util";
import { Problem, say } from "./run.mjs";

/** A wrong argument: its message and the usage are printed, and the exit code is 2. */
export class WrongUsage extends Error {}

function parse({ options, positionals }) {
  try {
    const parsed = parseArgs({ options: { help: { type: "boolean", short: "h" }, ...options }, allowPositionals: positionals !== undefined });
    const unknown = parsed.positionals.find((name) => !positionals.includes(name));
    if (unknown !== undefined) throw new Error(`Unknown name '${unknown}'; there are: ${positionals.join(", ")}`);
    return parsed;
  } catch (error) {
    throw new WrongUsage(error.message);
  }
}

/**
 * Runs a command: `--help` prints the usage, a wrong argument ends with exit code 2, a failure with 1.
 * @param {{usage: string, options?: object, positionals?: string[]}} spec `positionals`: the names that are allowed
 * @param {(values: Record<string, any>, positionals: string[]) => Promise<number | void>} main
 */
export async function command(spec, main) {
  try {
    const { values, positionals } = parse(spec);
    if (values.help) process.stdout.write(`${spec.usage.trim()}\n`);
    else process.exitCode = (await main(values, positionals)) ?? process.exitCode ?? 0;
  } catch (error) {
    if (error instanceof WrongUsage) process.stderr.write(`${error.message}\n\n${spec.usage.trim()}\n`);
    else say(error instanceof Problem ? error.message : (error?.stack ?? String(error)));
    process.exitCode = error instanceof WrongUsage ? 2 : 1;
  }
}
