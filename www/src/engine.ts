/** The decision engine in this page: loads its Wasm and a program, and survives one trap. */
import type { Terms } from "./choice.ts";
import { IdoineError } from "./errors.ts";
import type { Answer } from "./types.ts";
import { decodeDecisions, decodeEdits, type Names, type RawRequest, remembering, roomFor, WORDS, writeRequest } from "./wire.ts";

/** What `engine.js` exports. */
export interface EngineModule {
  default(options: { module_or_path: string | URL | BufferSource | WebAssembly.Module }): Promise<unknown>;
  readonly Engine: new (program: Uint8Array) => EngineInstance;
}

interface EngineInstance extends Names {
  version(): string;
  selector(slot: number): string;
  /** A byte for the mode, and four for the version. */
  terms(): DataView;
  input(bytes: number): DataView;
  decide(bytes: number): Uint32Array | undefined;
  edits(): Uint8Array;
}

/** Gets `engine.js` with its Wasm compiled. Where from, each host knows by itself: a folder of a site (folder.ts), or a package. */
export type GetEngine = () => Promise<EngineModule>;

/** A program, and what decides by it. */
export interface Engine {
  /** On which terms the program takes a visitor's choice. */
  readonly terms: Terms;
  /** Decides one request. */
  decide(request: RawRequest): Promise<Answer>;
}

/** In the order of their codes (src/consent.rs). */
const MODES = ["opt-in", "opt-out", "measurement-exempt"] as const;

/** Loads the engine with a program from an address or as bytes. Rejects when something is missing, or when the engine refuses the program. */
export async function loadEngine(get: GetEngine, program: string | URL | Uint8Array): Promise<Engine> {
  const source = program instanceof Uint8Array ? program : download(program);
  const unavailable = (cause: unknown): never => {
    throw cause instanceof IdoineError ? cause : new IdoineError("engine_unavailable", `engine: ${cause}`, cause);
  };
  const [module, bytes] = await Promise.all([get().catch(unavailable), source]);
  const start = (): EngineInstance => {
    try {
      return new module.Engine(bytes);
    } catch (cause) {
      throw new IdoineError("program_refused", `program: ${cause}`, cause);
    }
  };

  let instance: EngineInstance | undefined = start();
  let spare = 1;
  // Names follow from the program, which stays: each crosses from Wasm once.
  const version = instance.version();
  const said = instance.terms();
  const terms: Terms = { mode: MODES[said.getUint8(0)]!, version: said.getUint32(1, true) };
  const names = remembering(() => instance!);
  const run = (request: RawRequest): Answer => {
    if (!instance) throw new IdoineError("engine_stopped", "engine: stopped after a second trap");
    const words = instance.decide(writeRequest(request, instance.input(roomFor(request))));
    if (!words) throw new IdoineError("engine_stopped", "engine: the request's bytes are cut off");
    const decisions = decodeDecisions(words, names);
    // Only what an experience won has content.
    const won = decisions.some(({ experience }) => experience !== null);
    const selectors: Record<string, string> = {};
    decisions.forEach(({ slot, experience }, at) => {
      const selector = experience === null ? "" : instance!.selector(words[1 + at * WORDS]!);
      if (selector) selectors[slot] = selector;
    });
    return { version, decisions, selectors, edits: won ? decodeEdits(instance.edits(), names) : [] };
  };
  async function decide(request: RawRequest): Promise<Answer> {
    for (;;) {
      try {
        return run(request);
      } catch (cause) {
        // A trap leaves an instance in an unknown state: it is replaced, once.
        instance = spare-- > 0 ? start() : undefined;
        if (!instance) throw new IdoineError("engine_stopped", `engine: ${cause}`, cause);
      }
    }
  }
  return { terms, decide };
}

async function download(address: string | URL): Promise<Uint8Array> {
  const response = await fetch(address).catch((cause) => {
    throw new IdoineError("program_unavailable", `program: ${cause}`, cause);
  });
  if (!response.ok) throw new IdoineError("program_unavailable", `program: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
