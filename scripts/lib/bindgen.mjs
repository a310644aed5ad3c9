// wasm-bindgen's command line, exactly the version that the crates link.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir, ROOT, WASM_BINDGEN } from "./paths.mjs";
import { must, Problem, run, step, watched, which, withPath } from "./run.mjs";

/** The versions of a package in the text of a Cargo.lock. */
export function lockedVersions(lock, name) {
  return [...lock.matchAll(/^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"/gm)].filter((m) => m[1] === name).map((m) => m[2]);
}

/** The command line and the library share a private format: different versions fail late and obscurely, so here early and clearly. */
export function assertSameBindgen() {
  const path = join(ROOT, "Cargo.lock");
  if (!existsSync(path)) return;
  const found = lockedVersions(readFileSync(path, "utf8"), "wasm-bindgen");
  if (found.length > 0 && found.join() !== WASM_BINDGEN) {
    throw new Problem(`Cargo.lock has wasm-bindgen ${found.join(" and ")}, but the scripts install its command line ${WASM_BINDGEN}. Change WASM_BINDGEN in scripts/lib/paths.mjs, or run: cargo update -p wasm-bindgen --precise ${WASM_BINDGEN}`);
  }
}

async function isRight(program, env) {
  const { code, stdout } = await run([program, "--version"], { env });
  return code === 0 && stdout.trim().endsWith(` ${WASM_BINDGEN}`);
}

/** The folder with `wasm-bindgen` and `wasm-bindgen-test-runner`; compiled once if need be. */
export async function ensureBindgen(env) {
  const root = join(cacheDir(env), `wasm-bindgen-${WASM_BINDGEN}`);
  const bin = join(root, "bin");
  const ready = () => existsSync(join(bin, "wasm-bindgen")) && existsSync(join(bin, "wasm-bindgen-test-runner"));
  if (ready()) return bin;
  const own = which("wasm-bindgen", env);
  if (own && existsSync(join(dirname(own), "wasm-bindgen-test-runner")) && (await isRight(own, env))) return dirname(own);
  mkdirSync(root, { recursive: true });
  // Without --locked: the lock file inside the published package does not resolve.
  await step(`compiling wasm-bindgen-cli ${WASM_BINDGEN} into ${root}, once`, "3 to 5 minutes", () =>
    must(["cargo", "install", "wasm-bindgen-cli", "--version", WASM_BINDGEN, "--root", root, "--force"], { cwd: root, env, inherit: watched() }, "Check the network, then run the command again."),
  );
  if (!ready()) throw new Problem(`cargo install ended, but ${bin} has no wasm-bindgen. Delete ${root} and run the command again.`);
  return bin;
}

/** Adds the tools to PATH. */
export const withBindgen = async (env) => withPath(env, await ensureBindgen(env));
