// Small projects of a developer's: a folder with the packed package in its node_modules, beside the packages that it is used with.
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Reply, Route } from "../e2e/fixtures/server.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const MODULES = join(ROOT, "node_modules");
const PACKAGE = join(process.env.IDOINE_DIST ?? join(ROOT, "dist"), "npm");

let packed: { tarball: string; files: string[] } | undefined;

/** What `npm pack` makes of the package, and the files that are in it. */
export function pack(): { tarball: string; files: string[] } {
  if (!packed) {
    const target = mkdtempSync(join(tmpdir(), "idoine-pack-"));
    process.once("exit", () => rmSync(target, { recursive: true, force: true }));
    const printed = execFileSync("npm", ["pack", "--json", "--offline", "--pack-destination", target], { cwd: PACKAGE, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [made] = JSON.parse(printed) as [{ filename: string; files: { path: string }[] }];
    packed = { tarball: join(target, made.filename), files: made.files.map(({ path }) => path) };
  }
  return packed;
}

export interface Project {
  readonly folder: string;
  /** Runs Node in it, and returns what it prints. */
  node(script: string, ...options: string[]): Promise<string>;
  /** Runs a command of an installed package, and returns what it prints. */
  run(command: string, ...options: string[]): Promise<string>;
  read(path: string): Buffer;
  /** The files of a folder, as routes of a test server. */
  routes(folder: string): Record<string, Route>;
}

/** A project with these files. The package is unpacked into it; what it is used with is linked. */
export function project(files: Record<string, string | Buffer>, ...peers: string[]): Project {
  const folder = mkdtempSync(join(tmpdir(), "idoine-project-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const installed = join(folder, "node_modules", "idoine");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", pack().tarball, "-C", installed, "--strip-components=1"]);
  for (const peer of peers) {
    mkdirSync(dirname(join(folder, "node_modules", peer)), { recursive: true });
    symlinkSync(join(MODULES, peer), join(folder, "node_modules", peer));
  }
  for (const [path, content] of Object.entries({ "package.json": '{ "type": "module", "private": true }', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const run = async (command: string, ...options: string[]): Promise<string> => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    try {
      return (await promisify(execFile)(command, options, { cwd: folder, env: { ...env, NODE_ENV: "production" }, maxBuffer: 1e8 })).stdout;
    } catch (error) {
      const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
      throw new Error(`${message}\n${stdout}${stderr}`);
    }
  };
  return {
    folder,
    node: (script, ...options) => run(process.execPath, script, ...options),
    run: (command, ...options) => run(join(MODULES, ".bin", command), ...options),
    read: (path) => readFileSync(join(folder, path)),
    routes: (below) => filesOf(join(folder, below)),
  };
}

const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm" };

function filesOf(folder: string): Record<string, Reply> {
  const found: Record<string, Reply> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name).slice(folder.length);
    found[path] = { type: TYPES[extname(path)] ?? "application/octet-stream", body: readFileSync(join(folder, path)) };
  }
  if (found["/index.html"]) found["/"] = found["/index.html"];
  return found;
}
