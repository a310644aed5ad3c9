// Set-up: decides what is missing and does only that. Every other command calls `ensure` first.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { withBindgen } from "./lib/bindgen.mjs";
import { ensureBrowser } from "./lib/browser.mjs";
import { command } from "./lib/cli.mjs";
import { findNode, underRecentNode } from "./lib/node.mjs";
import { ensureModules } from "./lib/npm.mjs";
import { cacheDir } from "./lib/paths.mjs";
import { duration, say, withPath } from "./lib/run.mjs";
import { ensureRust } from "./lib/rust.mjs";
import { findValgrind } from "./lib/valgrind.mjs";

/**
 * Makes sure that everything is there and returns the environment for child processes: PATH with the right
 * node, cargo and wasm-bindgen, and IDOINE_CHROMIUM and CHROMEDRIVER when `browser` is asked for.
 * A second call finds everything and is quick. Throws a Problem that says what to do. `valgrind` alone may be missing afterwards.
 * @param {{rust?: boolean, modules?: boolean, browser?: boolean, lints?: boolean, valgrind?: boolean, env?: Record<string, string | undefined>}} wanted
 */
export async function ensure({ rust = true, modules = true, browser = false, lints = false, valgrind = false, env = process.env } = {}) {
  env = withPath(env, dirname(await findNode(env)));
  if (rust) env = await ensureRust(env, { lints });
  if (modules) await ensureModules(env);
  if (rust) env = await withBindgen(env);
  if (browser) {
    const found = await ensureBrowser(env);
    env = { ...env, IDOINE_CHROMIUM: found.browser, CHROMEDRIVER: found.driver };
  }
  if (valgrind) await findValgrind(env);
  return env;
}

const usage = `
Usage: npm run setup [-- --tests]

Installs what is missing: Node 22 beside an older one, the npm packages, Rust's WebAssembly target and wasm-bindgen.
Other commands do this by themselves. Tools are kept in ${cacheDir()}.

  --tests    also what only the tests need: Chromium, chromedriver, rustfmt, clippy, valgrind

Example: npm run setup -- --tests
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command({ usage, options: { tests: { type: "boolean" } } }, async ({ tests }) => {
    if (await underRecentNode()) return process.exitCode;
    const start = Date.now();
    await ensure({ browser: tests, lints: tests, valgrind: tests });
    say(`everything is in place (checked in ${duration(Date.now() - start)})`);
  });
}
