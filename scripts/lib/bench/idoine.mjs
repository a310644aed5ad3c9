// Idoine among those who are measured: its engine as pages load it, and the core's steps by themselves (benches/parts).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DIST, ROOT } from "../paths.mjs";
import { Problem } from "../run.mjs";
import { SLOTS } from "./workload.mjs";

const ENGINE = join(DIST, "assets", "_idoine");
const PARTS = join(DIST, "bench", "parts.wasm");

/** The engine's module and the JavaScript of pages around it. */
export async function startEngine() {
  const load = (path) => import(pathToFileURL(path).href);
  const { default: init, Engine } = await load(join(ENGINE, "engine.js"));
  await init({ module_or_path: readFileSync(join(ENGINE, "engine.wasm")) });
  return { Engine, wire: await load(join(ROOT, "www", "src", "wire.ts")), zone: await load(join(ROOT, "www", "src", "zone.ts")) };
}

/** How a page asks the engine, in its three steps. Nothing else of the benchmark knows it. */
export const asking = ({ encodeRequest, roomFor, writeRequest, remembering, decodeDecisions, decodeEdits }) => ({
  /** A request as bytes of its own. */
  bytesOf: (request) => encodeRequest(request),
  /** A request, straight into the engine's memory. */
  written: (engine, request) => writeRequest(request, engine.input(roomFor(request))),
  /** What is decided for what was written. */
  decided: (engine, length) => engine.decide(length),
  /** As pages do, it asks the engine for each name once. */
  reader(engine) {
    const names = remembering(() => engine);
    return (words, edits) => decodeDecisions(words, names).length + decodeEdits(edits, names).length;
  },
});

/** The steps' module: bytes cross its boundary as they cross the engine's. */
class Parts {
  #wasm;

  static async start() {
    const parts = new Parts();
    parts.#wasm = (await WebAssembly.instantiate(readFileSync(PARTS), {})).instance.exports;
    return parts;
  }

  load(program) {
    this.#give(program);
    const refused = Buffer.from(this.#take(this.#wasm.load())).toString();
    if (refused) throw new Problem(refused);
  }

  /** Keeps a visitor, and says what is decided: by the index and by a plain scan. */
  keep(bytes) {
    this.#give(bytes);
    const words = [...new Uint32Array(this.#take(this.#wasm.keep()).buffer)];
    return [words.slice(0, words.length / 2), words.slice(words.length / 2)];
  }

  /** As the engine decides, by the index or by a plain scan. */
  decide(bytes, isByScan) {
    this.#give(bytes);
    return new Uint32Array(this.#take(isByScan ? this.#wasm.scan_input() : this.#wasm.decide_input()).buffer);
  }

  /** Input and output of a decision, and nothing between them. */
  cross(bytes, length) {
    this.#give(bytes);
    return this.#take(this.#wasm.cross(length));
  }

  /** A step for every so many of the visitors that are kept. */
  run(step, first, every) {
    return this.#wasm[step](first, every);
  }

  #give(bytes) {
    const at = this.#wasm.input(bytes.length) >>> 0;
    new Uint8Array(this.#wasm.memory.buffer, at).set(bytes);
  }

  #take(length) {
    return new Uint8Array(this.#wasm.memory.buffer, this.#wasm.output() >>> 0, length).slice();
  }
}

/** Numbers of a decision in what the engine returns. */
const WORDS = 6;
const NO_EXPERIENCE = 0xffffffff;

/** The winner of each slot in the engine's numbers, or null. */
function winners(engine, words) {
  const ids = SLOTS.map(() => null);
  for (let at = 1; at < words.length; at += WORDS) ids[words[at]] = words[at + 1] === NO_EXPERIENCE ? null : engine.experience(words[at + 1]);
  return ids;
}

/**
 * Idoine with a program and visitors.
 * @param {{program: Uint8Array, bare: Uint8Array, people: any[]}} given `bare`: a program with the same slots and no experience
 */
export async function idoine({ program, bare, people }) {
  const { Engine, wire } = await startEngine();
  const { bytesOf, written, decided, reader } = asking(wire);
  const [engine, empty, parts] = [new Engine(program), new Engine(bare), await Parts.start()];
  const read = reader(engine);
  const slots = SLOTS.map((_, index) => engine.slot(index));
  if (slots.join() !== SLOTS.join()) throw new Problem(`the program's slots are ${slots.join(", ")}, not ${SLOTS.join(", ")}`);
  parts.load(program);

  const visitors = people.map(({ request }, number) => {
    const bytes = bytesOf(request);
    const words = decided(engine, written(engine, request));
    const edits = engine.edits();
    for (const [index, other] of parts.keep(bytes).entries()) {
      if (other.join() !== words.join()) throw new Problem(`${index === 0 ? "the steps' module" : "the plain scan"} decides otherwise than the engine for visitor ${number}: ${other} against ${[...words]}`);
    }
    return { request, bytes, words, edits };
  });

  /** Every so many visitors, one call for each. */
  const each = (work) => (first, every) => {
    let sum = 0;
    for (let index = first; index < visitors.length; index += every) sum = (sum + work(visitors[index])) | 0;
    return sum;
  };
  const step = (name) => (first, every) => parts.run(name, first, every);
  return {
    answers: () => visitors.map(({ words }) => ({ winners: winners(engine, words), words: [...words] })),
    load: () => new Engine(program).version().length,
    measures: {
      // Whole pages, and the one call in them.
      page: each(({ request }) => {
        const words = decided(engine, written(engine, request));
        return read(words, engine.edits());
      }),
      decide: each(({ bytes }) => decided(engine, engine.write(bytes))[2]),
      // The same call in the steps' module, to compare the index with the scan in: code is laid out otherwise there than in the engine.
      decideByIndex: each(({ bytes }) => parts.decide(bytes, false)[2]),
      decideByScan: each(({ bytes }) => parts.decide(bytes, true)[2]),
      bare: each(({ bytes }) => decided(empty, empty.write(bytes))[2]),
      // Its parts.
      write: each(({ request }) => written(engine, request)),
      cross: each(({ bytes, words }) => parts.cross(bytes, words.length * 4).length),
      request: step("read"),
      context: step("derive"),
      index: step("decide"),
      scan: step("scan"),
      edits: step("write"),
      read: each(({ words, edits }) => read(words, edits)),
    },
  };
}
