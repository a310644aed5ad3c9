// The faces that the oracle is compared with: the native command line, and the browser's Wasm in Node.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { asset, loadAuthor, loadTools } from "../spec-wasm/files.ts";
import { zoneOffset, type Author, type Tools, type ZoneOffset } from "../spec-wasm/checks.ts";
import type { Edit } from "../../www/src/types.ts";
import { decodeDecisions, decodeEdits, type Names, type RawRequest, roomFor, writeRequest } from "../../www/src/wire.ts";
import { zoneOffsets, type Offsets } from "../../www/src/zone.ts";
import type { Decision, Manifest, Told, Visitor } from "./manifest.ts";

const DIST = process.env["IDOINE_DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));

/** What a face answers. */
export interface Answer {
  decisions: Decision[];
  edits: Edit[];
}

/** Why an experience won or lost, as the tools tell it. */
export interface Explained {
  experience: string;
  reason: string;
  by?: string;
}

/** The tools' explanation: of each slot's candidates, and of every experience. */
export interface Explanation extends Answer {
  slots: { slot: string; candidates: Explained[] }[];
  experiences?: Explained[];
}

interface EngineInstance extends Names {
  input(bytes: number): DataView;
  decide(bytes: number): Uint32Array | undefined;
  edits(): Uint8Array;
}

interface EngineModule {
  default(options: { module_or_path: Uint8Array }): Promise<unknown>;
  Engine: new (program: Uint8Array) => EngineInstance;
}

const engineModule = (await import(pathToFileURL(join(DIST, "assets", "_idoine", "engine.js")).href)) as EngineModule;
await engineModule.default({ module_or_path: asset("engine.wasm") });
const tools: Tools = await loadTools();
const author: Author = await loadAuthor();

/** A program holds a table of its site's zone: the same questions for every manifest, and `Intl` is slow. */
const offsetsKnown = new Map<string, number | undefined>();
const zones: ZoneOffset = (zone, instant) => {
  const key = `${zone} ${instant}`;
  if (!offsetsKnown.has(key)) offsetsKnown.set(key, zoneOffset(zone, instant));
  return offsetsKnown.get(key);
};

/** The program of a manifest, or what is wrong with it. */
export function compile(manifest: Manifest): Uint8Array | unknown[] {
  const compiled = author.compile(JSON.stringify(manifest), zones);
  return "program" in compiled ? compiled.program : compiled.diagnostics;
}

/** As `compile`, of a manifest that is right. */
export function program(manifest: Manifest): Uint8Array {
  const compiled = compile(manifest);
  if (compiled instanceof Uint8Array) return compiled;
  throw new Error(`the manifest is refused: ${JSON.stringify(compiled)}\n${JSON.stringify(manifest)}`);
}

/** The program for browsers, which the command line alone makes. */
export function browserProgram(manifest: Manifest): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "idoine-oracle-"));
  try {
    const file = join(folder, "site.program");
    execFileSync(join(DIST, "bin", "idoine"), ["compile", "-", "--browser", "-o", file], { input: JSON.stringify(manifest), stdio: ["pipe", "ignore", "ignore"] });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a host says of the visitor's zone. */
function offsetsOf({ now, context }: Visitor): Offsets {
  const zone = context["geo.timezone"];
  return zoneOffsets(typeof zone === "string" ? zone : undefined, Date.parse(now));
}

const textOf = (value: Told): string => (value === null ? "" : Array.isArray(value) ? value.join(",") : String(value));

/** The engine with a program, asked as pages ask it. */
export class Engine {
  readonly #engine: EngineInstance;

  constructor(bytes: Uint8Array) {
    this.#engine = new engineModule.Engine(bytes);
  }

  decide(visitor: Visitor): Answer {
    const request: RawRequest = {
      now: Date.parse(visitor.now),
      offsets: offsetsOf(visitor),
      url: visitor.url,
      headers: [],
      cf: [],
      overrides: Object.entries(visitor.context).map(([path, value]) => [path, textOf(value)] as const),
      profile: Object.entries(visitor.profile),
    };
    const words = this.#engine.decide(writeRequest(request, this.#engine.input(roomFor(request))));
    if (!words) throw new Error("the request's bytes are cut off");
    return { decisions: decodeDecisions(words, this.#engine), edits: decodeEdits(this.#engine.edits(), this.#engine) };
  }
}

/** What the tools explain. */
export function explain(bytes: Uint8Array, visitor: Visitor): Explanation {
  return tools.explain(bytes, visitor, Float64Array.from(offsetsOf(visitor))) as unknown as Explanation;
}

/** All visitors of a manifest through one `idoine decide`, as lines of JSON. */
export async function native(manifest: Manifest, visitors: readonly Visitor[]): Promise<Answer[]> {
  const folder = mkdtempSync(join(tmpdir(), "idoine-oracle-"));
  try {
    const file = join(folder, "site.json");
    writeFileSync(file, JSON.stringify(manifest));
    const child = spawn(join(DIST, "bin", "idoine"), ["decide", file], { stdio: ["pipe", "pipe", "pipe"] });
    const said: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) child[stream].setEncoding("utf8").on("data", (text: string) => (said[stream] += text));
    child.stdin.on("error", () => {}); // The exit code says more than a closed pipe.
    child.stdin.end(visitors.map((visitor) => `${JSON.stringify(visitor)}\n`).join(""));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`idoine decide ended with ${code}: ${said.stderr}`);
    return said.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Answer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

