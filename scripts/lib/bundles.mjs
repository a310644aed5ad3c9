// What esbuild makes: the Worker's script and the browser's scripts. A few milliseconds each, so always done anew.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { writeIfChanged } from "./files.mjs";
import { DIST, ROOT } from "./paths.mjs";
import { Problem } from "./run.mjs";

const ASSETS = join(DIST, "assets", "_idoine");

/** Files that are neighbours in dist/ and loaded at run time, wherever the source names them. */
const beside = (filter, path) => ({
  name: "beside",
  setup: (build) => build.onResolve({ filter }, (found) => (found.kind === "entry-point" ? undefined : { path: path ?? `./${basename(found.path)}`, external: true })),
});

/**
 * What the Worker's Rust side imports of worker/js is there itself, not the copy that wasm-bindgen puts beside the module: a file is loaded
 * once, whoever asks for it, and may import its neighbours.
 */
export const sources = {
  name: "sources",
  setup: (build) => build.onResolve({ filter: /\/snippets\/idoine-worker-[^/]+\/js\// }, ({ path }) => ({ path: join(ROOT, "worker", "js", path.split(/\/snippets\/[^/]+\/js\//)[1]) })),
};

/** Properties that nobody but us sees, of dom.ts and page.ts: in the loader each byte counts. */
const OURS = /^(?:ours|undo|put|nodes|stash|parent)$/;

/** Scripts that say nothing of strictness: what the words for it take in bytes buys nothing in code whose types are checked. */
const SLOPPY = { compilerOptions: { alwaysStrict: false, strict: false } };

/** A script that is no module and loads modules: esbuild's own way to make such a one brings a `require` along. */
const CLASSIC = { banner: { js: "(()=>{" }, footer: { js: "})()" } };

// The loader and the stub run in every page, on whatever browser the visitor has; the rest loads on demand.
const BROWSER = [
  { entry: "www/snippet/stub.ts", out: join(DIST, "snippet", "stub.js"), format: "iife", target: "es2018" },
  { entry: "www/snippet/loader.ts", out: join(ASSETS, "idoine.js"), format: "esm", target: "es2020", mangleProps: OURS, tsconfigRaw: SLOPPY, ...CLASSIC },
  { entry: "www/src/live.ts", out: join(ASSETS, "live.js"), format: "esm", target: "es2020" },
  { entry: "www/src/edits.ts", out: join(ASSETS, "edits.js"), format: "esm", target: "es2020" },
  { entry: "www/src/index.ts", out: join(ASSETS, "client.js"), format: "esm", target: "es2022" },
  { entry: "www/src/consent/asks.ts", out: join(ASSETS, "asks.js"), format: "esm", target: "es2022" },
  { entry: "www/src/consent/consent.ts", out: join(ASSETS, "consent.js"), format: "esm", target: "es2022" },
  { entry: "www/src/consent/preferences.ts", out: join(ASSETS, "preferences.js"), format: "esm", target: "es2022" },
  { entry: "www/src/consent/signals.ts", out: join(ASSETS, "signals.js"), format: "esm", target: "es2022" },
  { entry: "www/src/capture/index.ts", out: join(ASSETS, "capture.js"), format: "esm", target: "es2022" },
  { entry: "www/src/capture/shop.ts", out: join(ASSETS, "shop.js"), format: "esm", target: "es2022" },
  { entry: "www/src/capture/vitals.ts", out: join(ASSETS, "vitals.js"), format: "esm", target: "es2022", banner: { js: "/* web-vitals, Copyright Google LLC, Apache-2.0 */" } },
  { entry: "www/src/bar/index.ts", out: join(ASSETS, "bar.js"), format: "esm", target: "es2022" },
  { entry: "www/src/bar/static.ts", out: join(ASSETS, "debug.js"), format: "esm", target: "es2022" },
];

async function bundle(options, out) {
  const entry = join(ROOT, options.entryPoints[0]);
  if (!existsSync(entry)) throw new Problem(`${options.entryPoints[0]} is missing: this clone is not complete.`);
  const { build } = await import("esbuild");
  try {
    const result = await build({ ...options, absWorkingDir: ROOT, bundle: true, write: false, legalComments: "none", logLevel: "silent" });
    return writeIfChanged(out, result.outputFiles[0].contents);
  } catch (error) {
    const { formatMessages } = await import("esbuild");
    throw new Problem(error.errors ? (await formatMessages(error.errors, { kind: "error" })).join("\n") : error.message);
  }
}

/** The loader, the stub, the typed client, what asks for consent, and the preview bar; and the description of the API, which is served beside them. */
export async function buildScripts() {
  let changed = false;
  for (const { entry, out, ...more } of BROWSER) {
    const plugins = [beside(/(^|\/)(engine|tools|client|consent|preferences|signals|shop|vitals)\.js$/), beside(/\/capture\/index\.ts$/, "./capture.js"), beside(/\/edits\.ts$/, "./edits.js")];
    const options = { entryPoints: [entry], ...more, minify: true, platform: "browser", plugins };
    changed = (await bundle(options, out)) || changed;
  }
  const description = JSON.stringify(JSON.parse(readFileSync(join(ROOT, "docs", "openapi.json"), "utf8")));
  return writeIfChanged(join(ASSETS, "api", "openapi.json"), description) || changed;
}

/** dist/worker/index.js beside its module index_bg.wasm. */
export async function buildWorkerBundle() {
  const dir = join(DIST, "worker");
  const moved = writeIfChanged(join(dir, "index_bg.wasm"), readFileSync(join(DIST, "worker-pkg", "index_bg.wasm")));
  const options = { entryPoints: ["worker/js/entry.js"], format: "esm", target: "es2022", platform: "neutral", conditions: ["workerd", "worker"], external: ["cloudflare:*", "node:*"], plugins: [sources, beside(/\.wasm$/, "./index_bg.wasm")] };
  return (await bundle(options, join(dir, "index.js"))) || moved;
}
