// Debian's and Ubuntu's packages, where they can be installed without asking for a password.
import { must, run, which } from "./run.mjs";

/** The words before `apt-get` that make us root, or undefined when that needs a person. */
async function asRoot(env) {
  if (process.getuid?.() === 0) return [];
  if (which("sudo", env) && (await run(["sudo", "-n", "true"], { env })).code === 0) return ["sudo", "-n"];
  return undefined;
}

/** Whether `apt-get install` works here without a person. */
export async function canInstall(env) {
  return which("apt-get", env) !== undefined && (await asRoot(env)) !== undefined;
}

/** Which of the packages apt knows now. */
export async function known(names, env) {
  const found = [];
  for (const name of names) {
    const { code, stdout } = await run(["apt-cache", "policy", name], { env });
    if (code === 0 && /Candidate: (?!\(none\))/.test(stdout)) found.push(name);
  }
  return found;
}

/** Fetches the lists of packages. */
export async function update(env) {
  const root = (await asRoot(env)) ?? [];
  await must([...root, "apt-get", "update", "-qq"], { env });
}

/** Installs packages; a stale list is fetched again once. */
export async function install(names, env) {
  const root = (await asRoot(env)) ?? [];
  const words = [...root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names];
  if ((await run(words, { env })).code === 0) return;
  await update(env);
  await must(words, { env }, `Install these packages by hand, then run the command again: ${names.join(" ")}`);
}
