// The faces of Idoine, each asked in its own way about the same raw requests: the native command line, the Wasm in
// Chromium, and the Worker in workerd over real HTTP.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import type { Decision, Edit, Receipt } from "../../www/src/types.ts";
import type * as wireModule from "../../www/src/wire.ts";
import type * as zoneModule from "../../www/src/zone.ts";
import type { Visitor } from "./visitors.ts";

/** What a face makes of a visitor. */
export interface Seen {
  context: Record<string, unknown>;
  decisions: Decision[];
  edits: Edit[];
  /** What the decisions were made from; the engine tells none. */
  receipt: Receipt;
}

const ROOT = new URL("../../", import.meta.url);

/** The path of a file of the repository. */
export function inRepository(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** Runs the command line with text on its standard input, and gives back what it printed. */
export async function idoine(args: string[], input = ""): Promise<string> {
  const child = spawn(inRepository("dist/bin/idoine"), args, { cwd: inRepository("."), stdio: ["pipe", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on("error", () => {}); // The exit code says more than a closed pipe.
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`idoine ${args.join(" ")} ended with ${code}`);
  return Buffer.concat(chunks).toString("utf8");
}

/** All visitors through `idoine decide`, as lines of JSON. */
export async function decideNatively(manifest: string, visitors: Visitor[]): Promise<Seen[]> {
  const lines = await idoine(["decide", "--context", manifest], visitors.map((visitor) => `${JSON.stringify(visitor)}\n`).join(""));
  return lines.trimEnd().split("\n").map((line) => JSON.parse(line) as Seen);
}

interface EngineModule {
  default(options: { module_or_path: string }): Promise<unknown>;
  Engine: new (program: Uint8Array) => wireModule.Names & { input(bytes: number): DataView; decide(bytes: number): Uint32Array; edits(): Uint8Array };
}

interface ToolsModule {
  default(options: { module_or_path: string }): Promise<unknown>;
  context(program: Uint8Array, visitor: unknown, offsets: zoneModule.Offsets): Record<string, unknown>;
  explain(program: Uint8Array, visitor: unknown, offsets: zoneModule.Offsets): { decisions: Decision[]; experiences: Outcome[]; edits: Edit[]; receipt: Receipt };
}

/** Why an experience won or lost. */
export interface Outcome {
  experience: string;
  reason: string;
}

/** What Chromium's two Wasm artefacts make of a visitor: the engine decides, the tools tell the context and the reasons. */
export interface SeenInChromium extends Seen {
  tools: { decisions: Decision[]; edits: Edit[]; experiences: Outcome[] };
}

/** All visitors through the engine and the tools in a page of Chromium. */
export async function decideInChromium(browser: Browser, program: Uint8Array, visitors: Visitor[]): Promise<SeenInChromium[]> {
  const bundle = await build({
    stdin: { contents: 'export * from "./wire.ts"; export * from "./zone.ts";', resolveDir: inRepository("www/src"), loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
  });
  const files: Record<string, [string, () => Promise<Uint8Array> | Uint8Array]> = {
    "/": ["text/html; charset=utf-8", () => Buffer.from("<!DOCTYPE html><title>Faces</title>")],
    "/program": ["application/octet-stream", () => program],
    "/wire.js": ["text/javascript", () => bundle.outputFiles[0]!.contents],
  };
  for (const name of ["engine", "tools"]) {
    files[`/_idoine/${name}.js`] = ["text/javascript", () => readFile(inRepository(`dist/assets/_idoine/${name}.js`))];
    files[`/_idoine/${name}.wasm`] = ["application/wasm", () => readFile(inRepository(`dist/assets/_idoine/${name}.wasm`))];
  }
  const server = createServer((request, response) => {
    void (async () => {
      const file = files[request.url ?? ""];
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": file[0] }).end(await file[1]());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const seen: SeenInChromium[] = [];
    // A thousand explanations are many megabytes: in parts, and as text, which is much faster than a tree of objects.
    for (let from = 0; from < visitors.length; from += 100) {
      const answer = await page.evaluate(inPage, JSON.stringify(visitors.slice(from, from + 100)));
      seen.push(...(JSON.parse(answer) as SeenInChromium[]));
    }
    return seen;
  } finally {
    await page.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Runs in the page. Its modules are loaded by names that only the page's server knows. */
async function inPage(asked: string): Promise<string> {
  const load = (path: string): Promise<unknown> => import(path);
  const wire = (await load("/wire.js")) as typeof wireModule & typeof zoneModule;
  const engineModule = (await load("/_idoine/engine.js")) as EngineModule;
  const tools = (await load("/_idoine/tools.js")) as ToolsModule;
  await engineModule.default({ module_or_path: "/_idoine/engine.wasm" });
  await tools.default({ module_or_path: "/_idoine/tools.wasm" });
  const program = new Uint8Array(await (await fetch("/program")).arrayBuffer());
  const engine = new engineModule.Engine(program);
  const seen = (JSON.parse(asked) as Visitor[]).map((visitor): SeenInChromium => {
    const now = typeof visitor.now === "number" ? visitor.now : Date.parse(visitor.now);
    const offsets = wire.zoneOffsets(visitor.cf?.["timezone"] as string | undefined, now);
    const request: wireModule.RawRequest = {
      now,
      offsets,
      url: visitor.url,
      headers: Object.entries(visitor.headers),
      cf: Object.entries(visitor.cf ?? {}).map(([name, value]) => [name, String(value)] as const),
      overrides: Object.entries(visitor.context ?? {}).map(([path, value]) => [path, String(value)] as const),
      profile: Object.entries(visitor.profile ?? {}),
    };
    const decisions = wire.decodeDecisions(engine.decide(wire.writeRequest(request, engine.input(wire.roomFor(request)))), engine);
    const edits = wire.decodeEdits(engine.edits(), engine);
    const explained = tools.explain(program, visitor, offsets);
    return {
      context: tools.context(program, visitor, offsets),
      decisions,
      edits,
      receipt: explained.receipt,
      tools: { decisions: explained.decisions, edits: explained.edits, experiences: explained.experiences.map(({ experience, reason }) => ({ experience, reason })) },
    };
  });
  return JSON.stringify(seen);
}

/** A page of the visitor as a preview of it: its instant, traits and what is stored are parameters, every other character as it was. */
export function preview(url: string, { now, context, profile }: Visitor): string {
  const parameters = Object.entries({ now, ...profile, ...context }).map(([path, value]) => `idoine.${encodeURIComponent(path)}=${encodeURIComponent(String(value))}`);
  return `${url}${url.includes("?") ? "&" : "?"}${parameters.join("&")}`;
}
