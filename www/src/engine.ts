/** The decision engine in this page: loads its Wasm and a program, and survives one trap. */
import type { Terms } from "./choice.ts";
import type { Answer } from "./types.ts";
import { decodeDecisions, decodeEdits, type Names, type RawRequest, remembering, roomFor, writeRequest } from "./wire.ts";

/** What `engine.js` exports. */
interface EngineModule {
  default(options: { module_or_path: string }): Promise<unknown>;
  readonly Engine: new (program: Uint8Array) => EngineInstance;
}

interface EngineInstance extends Names {
  version(): string;
  /** A byte for the mode, and four for the version. */
  terms(): DataView;
  input(bytes: number): DataView;
  decide(bytes: number): Uint32Array | undefined;
  edits(): Uint8Array;
}

/** A program, and what decides by it. */
export interface Engine {
  /** On which terms the program takes a visitor's choice. */
  readonly terms: Terms;
  /** Decides one request. */
  decide(request: RawRequest): Promise<Answer>;
}

/** In the order of their codes (src/consent.rs). */
const MODES = ["opt-in", "opt-out", "measurement-exempt"] as const;

/**
 * Loads `engine.js` and `engine.wasm` from the folder `base`, with a program from an address or as bytes.
 * Rejects when something is missing, or when the engine refuses the program.
 */
export async function loadEngine(base: string, program: string | Uint8Array): Promise<Engine> {
  const source = typeof program === "string" ? download(program) : program;
  const script = new URL("engine.js", base).href;
  const [module, bytes] = await Promise.all([import(/* @vite-ignore */ /* webpackIgnore: true */ script) as Promise<EngineModule>, source]);
  await module.default({ module_or_path: new URL("engine.wasm", base).href });

  let instance: EngineInstance | undefined = new module.Engine(bytes);
  let spare = 1;
  // Names follow from the program, which stays: each crosses from Wasm once.
  const version = instance.version();
  const said = instance.terms();
  const terms: Terms = { mode: MODES[said.getUint8(0)]!, version: said.getUint32(1, true) };
  const names = remembering(() => instance!);
  const run = (request: RawRequest): Answer => {
    if (!instance) throw new Error("engine: stopped after a second trap");
    const words = instance.decide(writeRequest(request, instance.input(roomFor(request))));
    if (!words) throw new Error("engine: the request's bytes are cut off");
    const decisions = decodeDecisions(words, names);
    // Only what an experience won has content.
    const won = decisions.some(({ experience }) => experience !== null);
    return { version, decisions, edits: won ? decodeEdits(instance.edits(), names) : [] };
  };
  async function decide(request: RawRequest): Promise<Answer> {
    for (;;) {
      try {
        return run(request);
      } catch (cause) {
        // A trap leaves an instance in an unknown state: it is replaced, once.
        instance = spare-- > 0 ? new module.Engine(bytes) : undefined;
        if (!instance) throw cause;
      }
    }
  }
  return { terms, decide };
}

async function download(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`program: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
