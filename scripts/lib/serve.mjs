// `wrangler dev` as a child process: the real Worker in the real workerd, on this machine only.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LOCAL, ROOT } from "./paths.mjs";
import { STATE } from "./publish.mjs";
import { Problem } from "./run.mjs";

/** Made once, kept between runs: else every restart would make everybody's id cookie invalid. */
export function localKey() {
  mkdirSync(LOCAL, { recursive: true, mode: 0o700 });
  const path = join(LOCAL, "key");
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  return readFileSync(path, "utf8").trim();
}

/** A Problem if something listens on that port of the loopback address. */
export function assertFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const text = error.code === "EADDRINUSE" ? `Port ${port} is in use. Stop what uses it, or choose another: npm start -- --port ${port + 1}` : `Port ${port}: ${error.message}`;
      reject(new Problem(text));
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}

/**
 * Starts the Worker and resolves when it answers.
 * @param {{port: number, vars: Record<string, string>, env: object, onLine: (line: string) => void}} options
 * @returns {Promise<{ended: Promise<string>, stop: () => Promise<void>}>} `ended` resolves with the reason once it's gone
 */
export async function startWorker({ port, vars, env, onLine }) {
  // Variables from a file that only we can read: a command line is visible to every user of the machine.
  const secrets = join(LOCAL, "secrets.env");
  writeFileSync(secrets, `IDOINE_KEY=${localKey()}\n`, { mode: 0o600 });
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", STATE, "--env-file", secrets];
  for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}:${value}`);
  const log = createWriteStream(join(LOCAL, "wrangler.log"));
  const last = [];
  // A process group of its own, so that stopping it stops workerd too, and Ctrl-C reaches us alone.
  const child = spawn(process.execPath, [join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"), ...args, "--show-interactive-dev-session=false"], {
    cwd: ROOT,
    env: { ...env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let ready = false;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      log.write(`${line}\n`);
      last.push(line);
      if (last.length > 40) last.shift();
      if (ready) onLine(line);
    });
  }
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(`wrangler dev ended (${signal ?? `exit code ${code}`})`));
  });
  const closed = new Promise((resolve) => child.on("close", resolve));
  const stop = async () => {
    signalGroup(child, "SIGTERM");
    const late = setTimeout(() => signalGroup(child, "SIGKILL"), 5000);
    await ended;
    clearTimeout(late);
    signalGroup(child, "SIGKILL"); // whatever of the group outlived its leader
    await closed; // its last words
    log.end();
  };
  const failed = await Promise.race([ended, untilAnswers(port)]);
  if (failed !== undefined) {
    await stop();
    throw new Problem(`${failed}\n${last.join("\n")}\nAll it said is in .idoine/wrangler.log.`);
  }
  ready = true;
  return { ended, stop };
}

function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // already gone
  }
}

/** Resolves with undefined as soon as the Worker answers, with a message after a minute. */
async function untilAnswers(port) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/_idoine/context`, { signal: AbortSignal.timeout(5000) });
      await response.arrayBuffer();
      return undefined;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
  return `The Worker did not answer on port ${port} within a minute.`;
}
