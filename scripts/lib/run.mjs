// Starting other programs, and saying what happens.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** An error whose message tells the user what to do; it's printed without a stack. */
export class Problem extends Error {}

/** Progress goes to stderr, so that stdout is free for results (`--json`). */
export function say(text) {
  process.stderr.write(`idoine: ${text}\n`);
}

/** The path of a program in `env.PATH`, or undefined. */
export function which(name, env = process.env) {
  for (const dir of (env.PATH ?? "").split(delimiter)) {
    const path = join(dir || ".", name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** The same environment with `dir` first in its PATH. */
export function withPath(env, dir) {
  const rest = (env.PATH ?? "").split(delimiter).filter((part) => part !== dir);
  return { ...env, PATH: [dir, ...rest].join(delimiter) };
}

/**
 * Runs a program to its end and collects what it prints.
 * @param {string[]} command
 * @param {{cwd?: string, env?: object, inherit?: boolean, input?: string}} options `inherit`: its output goes straight to ours
 * @returns {Promise<{code: number, output: string, stdout: string, stderr: string}>} `output` is both; code 127 when it could not be started
 */
export function run([program, ...args], options = {}) {
  return new Promise((resolve) => {
    const piped = options.inherit ? "inherit" : "pipe";
    // stdout of a helper program is no result of ours: to stderr.
    const stdio = [options.input === undefined ? "ignore" : "pipe", options.inherit ? process.stderr : piped, piped];
    const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio });
    const all = [];
    const out = [];
    const err = [];
    child.stdout?.on("data", (chunk) => (all.push(chunk), out.push(chunk)));
    child.stderr?.on("data", (chunk) => (all.push(chunk), err.push(chunk)));
    child.stdin?.on("error", () => {}); // it ended before it read everything: its exit code tells
    if (options.input !== undefined) child.stdin.end(options.input);
    child.on("error", (error) => resolve({ code: 127, output: `${program}: ${error.message}`, stdout: "", stderr: "" }));
    child.on("close", (code, signal) => {
      const text = Buffer.concat(all).toString();
      resolve({
        code: code ?? 1,
        output: signal ? `${text}\n${program} was ended by ${signal}` : text,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}

/** Runs a program that must succeed; otherwise a Problem with what it printed. Returns its stdout. */
export async function must(command, options = {}, advice = "") {
  const { code, output, stdout } = await run(command, options);
  if (code === 0) return stdout;
  const lines = output.trimEnd().split("\n");
  const tail = (lines.length > 60 ? [...lines.slice(0, 20), "...", ...lines.slice(-40)] : lines).join("\n");
  throw new Problem(`\`${command.join(" ")}\` failed (exit code ${code}).\n${tail}${advice ? `\n${advice}` : ""}`);
}

/** One step that takes a while: says what and about how long, then how long it took. */
export async function step(title, estimate, work) {
  say(`${title} (about ${estimate}) ...`);
  const start = Date.now();
  const result = await work();
  say(`  done in ${duration(Date.now() - start)}`);
  return result;
}

/** Milliseconds for people. */
export function duration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** A person watches: let long programs show their own progress. */
export const watched = () => process.stderr.isTTY === true;

/**
 * Calls back when the request to end comes: Ctrl-C, a signal, or npm's end. (npm runs scripts in a shell, and a signal for
 * npm alone ends that shell, not us.)
 */
export function onEnd(callback) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => callback(signal));
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && callback("SIGTERM"), 500).unref();
}
