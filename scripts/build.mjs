// Builds what dist/ holds. What did not change is left alone.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertSameBindgen } from "./lib/bindgen.mjs";
import { buildScripts, buildWorkerBundle } from "./lib/bundles.mjs";
import { assertCrate, buildAuthor, buildCli, buildEngine, buildTools, buildWorkerModule } from "./lib/cargo.mjs";
import { command } from "./lib/cli.mjs";
import { underRecentNode } from "./lib/node.mjs";
import { buildPackage } from "./lib/npm-package.mjs";
import { duration, say } from "./lib/run.mjs";
import { ensure } from "./setup.mjs";

const STEPS = {
  cli: [{ name: "command line", crate: "cli", build: buildCli }],
  engine: [{ name: "engine (Wasm)", crate: join("www", "wasm", "engine"), build: buildEngine }],
  tools: [{ name: "tools (Wasm)", crate: join("www", "wasm", "tools"), build: buildTools }],
  author: [{ name: "author's module (Wasm)", crate: join("www", "wasm", "author"), build: buildAuthor }],
  worker: [
    { name: "Worker (Wasm)", crate: "worker", build: buildWorkerModule },
    { name: "Worker (script)", build: buildWorkerBundle },
  ],
  assets: [{ name: "browser scripts", build: buildScripts }],
  npm: [{ name: "npm package", build: buildPackage }],
};

/** Those that are in the folder that is deployed. */
const ASSETS = ["engine", "tools", "author"];

/** The parts that can be named. `assets` is that folder whole. */
export const PARTS = Object.keys(STEPS);

/**
 * Builds the named parts (all of them when none is named).
 * @param {string[]} parts
 * @param {Record<string, string | undefined>} env from `ensure`
 */
export async function build(parts, env) {
  assertSameBindgen();
  const wanted = parts.length === 0 ? PARTS : PARTS.filter((part) => parts.includes(part) || (parts.includes("assets") && ASSETS.includes(part)));
  const start = Date.now();
  let changes = 0;
  for (const { name, crate, build: make } of wanted.flatMap((part) => STEPS[part])) {
    if (crate) assertCrate(join(crate, "Cargo.toml"));
    const begun = Date.now();
    // Crates compile for minutes the first time: say what is going on before it is over.
    const announce = crate && setTimeout(() => say(`building: ${name} (minutes the first time) ...`), 1500);
    try {
      if (await make(env)) {
        changes += 1;
        say(`built: ${name} (${duration(Date.now() - begun)})`);
      }
    } finally {
      clearTimeout(announce);
    }
  }
  // Cargo may have just written the first Cargo.lock.
  assertSameBindgen();
  say(`build is ${changes === 0 ? "up to date" : "done"} (${wanted.join(", ")}: ${duration(Date.now() - start)})`);
}

const usage = `
Usage: npm run build [-- part...]

Builds into dist/. Parts: ${PARTS.join(", ")}; all of them when none is named.

  cli       dist/bin/idoine
  engine    dist/assets/_idoine/engine.{js,wasm}
  tools     dist/assets/_idoine/tools.{js,wasm}
  author    dist/assets/_idoine/author.{js,wasm}
  worker    dist/worker/
  assets    dist/assets/ whole (engine, tools, author and the scripts), dist/snippet/stub.js
  npm       dist/npm/, the npm package (needs engine)

Example: npm run build -- worker assets
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command({ usage, positionals: PARTS }, async (_, parts) => {
    if (await underRecentNode()) return process.exitCode;
    await build(parts, await ensure());
  });
}
