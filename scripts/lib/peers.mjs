// What a page loads of us and of our peers, measured the same way in the same run: the same bundler over the smallest program that uses each
// package as its own documentation does, and the files that each package has for a script tag.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { DIST, ROOT } from "./paths.mjs";
import { Problem } from "./run.mjs";

const NINETAILED = "@ninetailed/experience.js";
const GROWTHBOOK = "@growthbook/growthbook";
const OPTIMIZELY = "@optimizely/optimizely-sdk";
const SEGMENT = "@segment/analytics-next";
/** The npm client, as a program names it. */
export const CLIENT = JSON.stringify(join(DIST, "npm", "index.browser.js"));
const OURS = "assets/_idoine/";
const ENGINE = ["engine.js", "engine.wasm"].map((name) => OURS + name);

/**
 * Programs for a bundler: a client, and a decision or an event. `code` is what is bundled; `files` of dist/ are loaded beside it, by their address;
 * `waits` names the files behind an import that the first decision waits for.
 * Those of peers are the shortest that their documentation has for the web; what can be left out of a client is left out.
 */
export const IMPORTS = [
  {
    name: "Idoine, the Worker decides", does: "decisions and events; asks the Worker",
    code: `import { createIdoine } from ${CLIENT};\nconst idoine = createIdoine({ api: "https://decide.shop.example" });\nidoine.subscribe("hero", console.log);\nidoine.track("Seen");`,
  },
  {
    name: "Idoine, the page decides", does: "decisions in the page with the engine, and events", files: ["npm/engine.wasm"], waits: /^dist\/npm\/(local|engine)-/,
    code: `import { createIdoine } from ${CLIENT};\nconst idoine = createIdoine({ program: "/site.program" });\nidoine.subscribe("hero", console.log);\nidoine.track("Seen");`,
  },
  {
    name: "GrowthBook", package: GROWTHBOOK, does: "decisions in the page; no events",
    code: `import { GrowthBook } from "${GROWTHBOOK}";\nconst client = new GrowthBook({ apiHost: "https://cdn.example", clientKey: "sdk-1", attributes: { id: "1" }, trackingCallback: console.log });\nawait client.init();\nconsole.log(client.getFeatureValue("hero", "baseline"));`,
  },
  {
    name: "Optimizely", package: OPTIMIZELY, does: "decisions in the page; no events",
    code: `import { createInstance, createPollingProjectConfigManager } from "${OPTIMIZELY}";\nconst client = createInstance({ projectConfigManager: createPollingProjectConfigManager({ sdkKey: "sdk-1" }) });\nawait client.onReady();\nconsole.log(client.createUserContext("1").decide("hero"));`,
  },
  {
    name: "Optimizely, with events", package: OPTIMIZELY, does: "decisions in the page, and events",
    code: `import { createBatchEventProcessor, createInstance, createPollingProjectConfigManager } from "${OPTIMIZELY}";\nconst client = createInstance({ projectConfigManager: createPollingProjectConfigManager({ sdkKey: "sdk-1" }), eventProcessor: createBatchEventProcessor() });\nawait client.onReady();\nconst user = client.createUserContext("1");\nconsole.log(user.decide("hero"));\nuser.trackEvent("Seen");`,
  },
  {
    name: "Ninetailed", package: NINETAILED, does: "decisions and events; asks its API",
    code: `import { Ninetailed } from "${NINETAILED}";\nconst client = new Ninetailed({ clientId: "1", environment: "main" });\nclient.onSelectVariant({ baseline: { id: "hero" }, experiences: [] }, console.log);\nclient.page();\nclient.track("Seen");`,
  },
  {
    name: "PostHog", package: "posthog-js", does: "flags and events, with capture and replay; asks its API",
    code: `import posthog from "posthog-js";\nposthog.init("key", { api_host: "https://events.example" });\nposthog.onFeatureFlags(() => console.log(posthog.getFeatureFlag("hero")));\nposthog.capture("Seen");`,
  },
  {
    name: "PostHog, slim with flags", package: "posthog-js", does: "flags and events; asks its API",
    code: `import posthog from "posthog-js/dist/module.slim";\nimport { FeatureFlagsExtensions } from "posthog-js/dist/extension-bundles";\nposthog.init("key", { api_host: "https://events.example", __extensionClasses: FeatureFlagsExtensions });\nposthog.onFeatureFlags(() => console.log(posthog.getFeatureFlag("hero")));\nposthog.capture("Seen");`,
  },
  {
    name: "Segment", package: SEGMENT, does: "events; no decisions",
    code: `import { AnalyticsBrowser } from "${SEGMENT}";\nconst client = AnalyticsBrowser.load({ writeKey: "key" });\nclient.page();\nclient.track("Seen");`,
  },
];

/** Files for a script tag, as they are published. What ours load when the page is idle is `later`; what a peer's file loads by itself later on is not counted. Ninetailed's package has none. */
export const SCRIPTS = [
  { name: "Idoine, behind the Worker", does: "decisions, nothing asked for the first page; later events, exposures, routes", files: [`${OURS}idoine.js`], later: [`${OURS}live.js`] },
  { name: "Idoine, static files", does: "decisions in the page with the engine, and events", files: ["idoine.js", "client.js"].map((name) => OURS + name).concat(ENGINE) },
  { name: "GrowthBook, auto", package: GROWTHBOOK, does: "decisions in the page, visual edits, storage of an id", files: ["dist/bundles/auto.min.js"] },
  { name: "GrowthBook, classes only", package: GROWTHBOOK, does: "decisions in the page; no events", files: ["dist/bundles/index.min.js"] },
  { name: "Optimizely", package: OPTIMIZELY, does: "decisions in the page, and events", files: ["dist/optimizely.browser.umd.min.js"] },
  { name: "PostHog", package: "posthog-js", does: "flags and events, with capture; replay and surveys are loaded later", files: ["dist/array.js"] },
  { name: "Segment", package: SEGMENT, does: "events; no decisions", files: ["dist/umd/standalone.js"] },
];

const folderOf = (name) => join(ROOT, "node_modules", name);
const versionOf = (name) => name && JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")).version;

function read(path) {
  if (!existsSync(path)) throw new Problem(`${path.slice(ROOT.length + 1)} is missing. Build it first: npm run build`);
  return readFileSync(path);
}

/** Each file is compressed by itself, as it is sent. */
function sizeOf(contents) {
  const sum = (size) => contents.reduce((total, content) => total + size(content).length, 0);
  return { raw: sum((content) => content), gzip: sum((content) => gzipSync(content, { level: 9 })), brotli: sum((content) => brotliCompressSync(content)) };
}

/** What esbuild makes of a program: the files that the page waits for, and those that it imports later, if it does. */
async function bundled(code, waits) {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: ROOT, sourcefile: "program.js" },
    absWorkingDir: ROOT, outdir: "out", write: false, metafile: true,
    bundle: true, splitting: true, minify: true, format: "esm", platform: "browser", target: "es2022", legalComments: "none", logLevel: "silent",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === "program.js");
  const first = new Set();
  const walk = (path) => {
    if (first.has(path)) return;
    first.add(path);
    for (const { kind, path: next, external } of metafile.outputs[path].imports) {
      if (!external && (kind === "import-statement" || waits?.test(metafile.outputs[next].entryPoint))) walk(next);
    }
  };
  walk(entry);
  const names = new Set([...first].map((path) => basename(path)));
  const contents = (isFirst) => outputFiles.filter(({ path }) => names.has(basename(path)) === isFirst).map((file) => file.contents);
  return { first: contents(true), later: contents(false) };
}

/** All of them, in bytes: `first` is what the page waits for, `later` what may be loaded besides by what was bundled. */
export async function comparePeers() {
  const rows = [];
  for (const { name, does, package: of, code, files = [], waits } of IMPORTS) {
    const { first, later } = await bundled(code, waits);
    const beside = files.map((file) => read(join(DIST, file)));
    rows.push({ way: "import", name, does, package: of, version: versionOf(of), code, first: sizeOf([...first, ...beside]), later: sizeOf(later) });
  }
  for (const { name, does, package: of, files, later = [] } of SCRIPTS) {
    const contents = (names) => names.map((file) => read(join(of ? folderOf(of) : DIST, file)));
    rows.push({ way: "script", name, does, package: of, version: versionOf(of), files, first: sizeOf(contents(files)), later: sizeOf(contents(later)) });
  }
  return rows;
}
