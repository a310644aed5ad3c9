// A recent enough Node: the one that runs us, or one from the npm package, kept in the cache.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir, NODE_MIN, NODE_PACKAGES } from "./paths.mjs";
import { must, onEnd, Problem, say, step, which, withPath } from "./run.mjs";

/** Whether this Node can run the tools and TypeScript files. */
export function recentNode(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** The path of a recent Node; installs one into the cache if this one is older. */
export async function findNode(env = process.env) {
  if (recentNode()) return process.execPath;
  const spec = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const advice = `Node ${NODE_MIN.join(".")} or later is needed; this is ${process.version}. Install it from https://nodejs.org and run the command again.`;
  if (!spec) throw new Problem(advice);
  const at = spec.lastIndexOf("@");
  const dir = join(cacheDir(env), `node-${spec.slice(at + 1)}`);
  const node = join(dir, "node_modules", spec.slice(0, at), "bin", "node");
  if (!existsSync(node)) {
    if (!which("npm", env)) throw new Problem(`npm was not found. ${advice}`);
    // Installed beside, then renamed: an interrupted install never looks like a finished one.
    const fresh = `${dir}.${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    await step(`Node is ${process.version}; installing ${spec.slice(at + 1)} beside it, in ${dirname(dir)}`, "20 seconds", () =>
      must(["npm", "install", "--prefix", fresh, "--no-save", "--no-package-lock", "--no-audit", "--no-fund", spec], { cwd: fresh, env }, advice),
    );
    rmSync(dir, { recursive: true, force: true });
    renameSync(fresh, dir);
  }
  return node;
}

/**
 * Starts the running script again under a recent Node if this one is too old.
 * @returns {Promise<boolean>} true when another process did the work and ours only has to end
 */
export async function underRecentNode() {
  if (recentNode()) return false;
  const node = await findNode();
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit", env: withPath(process.env, dirname(node)) });
  // The child decides when to end: a terminal's Ctrl-C reaches it anyway, a signal for us alone is passed on.
  onEnd((signal) => child.kill(signal));
  process.exitCode = await new Promise((resolve) => {
    child.on("error", (error) => (say(error.message), resolve(1)));
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
  return true;
}
