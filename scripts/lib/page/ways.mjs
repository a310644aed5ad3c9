// One page with one edit, by every way that a site can have it: decided at the edge, asked from a Worker, decided in the page, and by GrowthBook's
// script tag, which decides in the page too.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DIST, ROOT } from "../paths.mjs";
import { json, script, serve } from "./server.mjs";

/** What the edit shows. */
export const EDITED = "Good to see you";
const BASELINE = "Welcome to the shop";
const MANIFEST = { site: { id: "shop", hosts: ["127.0.0.1"] }, slots: { hero: { selector: "h1", pages: ["/*"] } }, experiences: [{ id: "hero-all", type: "personalization", slots: { hero: { text: EDITED } } }] };

/** The page. Before its script stands what notes when that was reached. */
const page = (tag, before = "") => `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
${before}<script>window.began = performance.now();</script>${tag}</head><body><h1>${BASELINE}</h1><p>Free returns</p></body></html>`;

/** Runs in the page, before anything else: notes when the edit is there first. */
export function noteEdit(text) {
  const look = () => {
    if (window.edited === undefined && document.querySelector("h1")?.textContent === text) window.edited = performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}

function compile() {
  const folder = mkdtempSync(join(tmpdir(), "idoine-page-"));
  try {
    const target = join(folder, "program");
    execFileSync(join(DIST, "bin", "idoine"), ["compile", "-", "--browser", "-o", target], { input: JSON.stringify(MANIFEST), stdio: ["pipe", "ignore", "inherit"] });
    return readFileSync(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const asset = (name, type = "text/javascript; charset=utf-8") => ({ type, body: readFileSync(join(DIST, "assets", "_idoine", name)) });

/** What GrowthBook's API answers: a visual edit that everybody sees. */
const FEATURES = {
  status: 200, features: {},
  experiments: [{
    key: "hero", changeId: "hero-1", status: "running", hashAttribute: "id", hashVersion: 2, weights: [0, 1], coverage: 1, phase: "0", meta: [{ key: "0" }, { key: "1" }],
    urlPatterns: [{ type: "simple", pattern: "*", include: true }],
    variations: [{}, { css: "", js: "", domMutations: [{ selector: "h1", action: "set", attribute: "html", value: EDITED }] }],
  }],
};

/** Starts them all: what it is called, where it is, and how to end it. */
export async function startWays() {
  const { startWorker } = await import("../../../tests/worker/harness.ts");
  const closing = [];
  const site = async (files) => {
    const started = await serve(files);
    closing.unshift(() => started.close());
    return started.origin;
  };
  const close = async () => {
    for (const end of closing) await end();
  };
  try {
    const plain = await site({ "/": page("") });
    const worker = await startWorker({ origin: plain, manifest: MANIFEST });
    closing.unshift(() => worker.dispose());
    const edge = worker.address.origin;
    // An isolate's first page waits for the store.
    await worker.fetch("/");
    const loader = (attributes) => page(`<script async src="/_idoine/idoine.js" ${attributes}></script>`);
    const files = Object.fromEntries(["idoine.js", "live.js", "client.js", "engine.js"].map((name) => [`/_idoine/${name}`, asset(name)]));
    const growthbook = readFileSync(join(ROOT, "node_modules", "@growthbook", "growthbook", "dist", "bundles", "auto.min.js"));
    return {
      close,
      ways: {
        edge: { name: "Idoine, behind the Worker", url: `${edge}/` },
        api: { name: "Idoine, the loader asks a Worker", url: `${await site({ "/": loader(`data-api="${edge}"`), ...files })}/` },
        static: { name: "Idoine, the page decides", url: `${await site({ "/": loader('data-program="/site.program"'), ...files, "/_idoine/engine.wasm": asset("engine.wasm", "application/wasm"), "/site.program": { type: "application/octet-stream", body: compile() } })}/` },
        growthbook: {
          name: "GrowthBook, auto.min.js",
          url: `${await site({
            "/": page('<script async src="/auto.min.js" data-client-key="sdk-1" data-no-streaming="true" data-tracking="none"></script>', "<script>window.growthbook_config = { apiHost: location.origin };</script>"),
            "/auto.min.js": script(growthbook), "/api/features/sdk-1": json(FEATURES),
          })}/`,
        },
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
