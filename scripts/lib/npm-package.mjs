// The npm package, as dist/npm: its scripts with what they share in chunks, their declarations, one copy of the Wasm, and what people read.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { digest, unlessDone, writeIfChanged } from "./files.mjs";
import { DIST, ROOT } from "./paths.mjs";
import { must, Problem } from "./run.mjs";

const SOURCE = join(ROOT, "www", "npm");
const OUT = join(DIST, "npm");
const WASM = join(DIST, "assets", "_idoine", "engine.wasm");

/** Its entries: one file for each host where hosts differ. */
const ENTRIES = ["index.browser", "index.node", "index.workerd", "server.browser", "server.node", "server.workerd", "slim", "react", "element", "openfeature"];

/** What is the site's own, the host's, or a file beside the scripts. */
const EXTERNAL = ["react", "@openfeature/web-sdk", "node:*", "*.wasm"];

/** What sites load as files of their own, by the names that those have there, are chunks of the package. */
const chunks = {
  name: "chunks",
  setup: (build) =>
    build.onResolve({ filter: /^\.\/.*\.js$/ }, ({ path, resolveDir }) => {
      const source = join(resolveDir, path.replace(/\.js$/, ".ts"));
      return existsSync(source) ? { path: source } : undefined;
    }),
};

/** Files below a folder, by their paths in it. */
const filesIn = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));

/** Writes the files, and takes away what else is in the folder. */
function replaceFolder(folder, files) {
  const gone = existsSync(folder) ? filesIn(folder).filter((path) => !files.has(path)) : [];
  for (const path of gone) rmSync(join(folder, path));
  for (const [path, content] of files) writeIfChanged(join(folder, path), content);
}

async function scripts() {
  const { build, formatMessages } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      absWorkingDir: ROOT,
      entryPoints: ENTRIES.map((entry) => join("www", "npm", "src", `${entry}.ts`)),
      outdir: OUT,
      bundle: true,
      splitting: true,
      write: false,
      format: "esm",
      target: "es2022",
      platform: "neutral",
      external: EXTERNAL,
      // Beside the Wasm, whose address is said from where they are.
      chunkNames: "[name]-[hash]",
      legalComments: "none",
      logLevel: "silent",
      plugins: [chunks],
    });
    return outputFiles.map(({ path, contents }) => [relative(OUT, path), contents]);
  } catch (error) {
    throw new Problem(error.errors ? (await formatMessages(error.errors, { kind: "error" })).join("\n") : error.message);
  }
}

/** The declarations of the entries, and of what those name. In a package they stand beside scripts, not beside their sources. */
async function declarations() {
  const out = join(DIST, "pkg", "npm");
  rmSync(out, { recursive: true, force: true });
  await must([join(ROOT, "node_modules", ".bin", "tsc"), "-p", SOURCE, "--outDir", out]);
  const found = new Map();
  const take = (path) => {
    if (found.has(path)) return;
    const text = readFileSync(join(out, path), "utf8").replace(/(["'])(\.\.?\/[^"']+)\.ts\1/g, "$1$2.js$1");
    found.set(path, text);
    for (const [, , named] of text.matchAll(/(["'])(\.\.?\/[^"']+)\.js\1/g)) take(join(dirname(path), `${named}.d.ts`));
  };
  for (const entry of ENTRIES) take(join("npm", "src", `${entry}.d.ts`));
  return [...found].map(([path, text]) => [join("types", path), text]);
}

/** dist/npm. */
export async function buildPackage() {
  if (!existsSync(WASM)) throw new Problem("dist/assets/_idoine/engine.wasm is missing. Build it first: npm run build -- engine");
  const sources = [...["npm", "src", join("wasm", "engine")].flatMap((folder) => filesIn(join(ROOT, "www", folder)).map((path) => join(ROOT, "www", folder, path))), join(ROOT, "www", "wasm", "start.js")].filter((path) => /\.(ts|js|json|md)$/.test(path)).sort();
  const texts = { "README.md": join(SOURCE, "README.md"), "package.json": join(SOURCE, "package.json"), "LICENSE-APACHE": join(ROOT, "LICENSE-APACHE"), "LICENSE-MIT": join(ROOT, "LICENSE-MIT"), "docs/errors.md": join(ROOT, "docs", "errors.md"), "engine.wasm": WASM };
  const mark = digest([...sources, ...Object.values(texts), join(ROOT, "tsconfig.json"), new URL(import.meta.url)]);
  return unlessDone("npm", mark, [join(OUT, "package.json")], async () => {
    const files = new Map([...(await scripts()), ...(await declarations())]);
    for (const [path, source] of Object.entries(texts)) files.set(path, readFileSync(source));
    replaceFolder(OUT, files);
  });
}
