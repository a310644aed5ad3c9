// The files of cases, and the browser's Wasm in Node.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Author, Modules, Tools } from "./checks.ts";

const SPEC = fileURLToPath(new URL("../spec", import.meta.url));

/** The folders of cases that both modules run, or a file of them, each with its check in `checks.ts`. */
export const FOLDERS = { context: "checkContexts", decide: "checkDecisions", expr: "checkExpressions", "receipts.json": "checkReceipts" } as const;

/** The files of one folder that both modules run, each with a check of its own. */
const MANIFESTS = { "errors.json": "checkFound", "errors-consent.json": "checkFound", "errors-learn.json": "checkFound", "errors-page.json": "checkFound", "warnings.json": "checkFound", "audiences.json": "checkAudiences", "shadows.json": "checkShadows" } as const;

type Cases = { cases: { name: string }[] };

/** Every file with its check. */
export function everyFile(): { path: string; check: (typeof FOLDERS)[keyof typeof FOLDERS] | (typeof MANIFESTS)[keyof typeof MANIFESTS]; content: Cases }[] {
  const folders = Object.entries(FOLDERS).flatMap(([folder, check]) => casesIn(folder).map(([file, content]) => ({ path: join(folder, file), check, content })));
  const manifests = casesIn("manifest").flatMap(([file, content]) => (file in MANIFESTS ? [{ path: `manifest/${file}`, check: MANIFESTS[file as keyof typeof MANIFESTS], content }] : []));
  return [...folders, ...manifests];
}

/** The files of a folder that hold cases, by name; or the one file. */
export function casesIn(folder: string): [string, Cases][] {
  if (folder.endsWith(".json")) return [["", JSON.parse(readFileSync(join(SPEC, folder), "utf8")) as Cases]];
  let names: string[];
  try {
    names = readdirSync(join(SPEC, folder)).filter((name) => name.endsWith(".json")).sort();
  } catch {
    return [];
  }
  const files = names.map((name) => [name, JSON.parse(readFileSync(join(SPEC, folder, name), "utf8"))] as [string, { cases?: { name: string }[] }]);
  // Beside cases there may be lists that cases are about, such as functions.json.
  return files.filter((file): file is [string, { cases: { name: string }[] }] => Array.isArray(file[1].cases));
}

const DIST = process.env["IDOINE_DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));

/** Bytes of one of the browser's files. */
export function asset(name: string): Buffer {
  try {
    return readFileSync(join(DIST, "assets", "_idoine", name));
  } catch {
    throw new Error(`${name} is not built: run \`npm run build\` first`);
  }
}

/** A module, as a page loads it, in this process. */
async function load(name: string): Promise<unknown> {
  asset(`${name}.js`);
  const module = (await import(pathToFileURL(join(DIST, "assets", "_idoine", `${name}.js`)).href)) as {
    default(options: { module_or_path: Uint8Array }): Promise<unknown>;
  };
  await module.default({ module_or_path: asset(`${name}.wasm`) });
  return module;
}

/** The tools. */
export const loadTools = async (): Promise<Tools> => (await load("tools")) as Tools;

/** The author's module. */
export const loadAuthor = async (): Promise<Author> => (await load("author")) as Author;

/** Both. */
export const loadModules = async (): Promise<Modules> => ({ tools: await loadTools(), author: await loadAuthor() });
