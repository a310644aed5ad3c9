// node_modules as package-lock.json says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";
import { must, Problem, step, watched, which } from "./run.mjs";

function packages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
  } catch {
    return undefined;
  }
}

/** Whether what npm installed is what the lock file names (optional packages are for other platforms, or absent here). */
export function modulesMatch(root = ROOT) {
  const wanted = packages(join(root, "package-lock.json"));
  const installed = packages(join(root, "node_modules", ".package-lock.json"));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    const found = installed[path];
    return found ? found.version === version && existsSync(join(root, path, "package.json")) : optional === true;
  });
}

/** `npm ci`, when needed. */
export async function ensureModules(env) {
  if (modulesMatch()) return;
  if (!which("npm", env)) throw new Problem("npm was not found. Install Node with npm (https://nodejs.org) and run the command again.");
  await step("installing the npm packages of package-lock.json", "20 seconds", () =>
    must(["npm", "ci", "--no-audit", "--no-fund"], { cwd: ROOT, env, inherit: watched() }, "Check the network and the npm settings, then run the command again."),
  );
}
