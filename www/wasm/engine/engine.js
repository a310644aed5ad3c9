// The engine as pages see it. Each has an instance of the Wasm for itself: what one traps on harms no other, and the browser
// frees it with the object. Only numbers and bytes cross (`src/lib.rs`), which takes half of what wasm-bindgen would write.
import { compile } from "../start.js";

// A byte order mark in a text is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** @type {WebAssembly.Module} */
let module;

/** Compiles the Wasm, from its address or its bytes. Before any `Engine`. */
export default async function init({ module_or_path }) {
  module ??= await compile(module_or_path);
}

/** A program and the last decision made with it. */
export class Engine {
  #wasm = new WebAssembly.Instance(module).exports;

  /** Loads a program; throws an `Error` that says why when its bytes are refused. */
  constructor(program) {
    this.#give(program);
    const refused = decoder.decode(this.#take(this.#wasm.load()));
    if (refused) throw new Error(refused);
  }

  /** The decisions for a request, in numbers; nothing when its bytes are cut off. */
  decide(request) {
    this.#give(request);
    const decisions = this.#take(this.#wasm.decide());
    return decisions.length ? new Uint32Array(decisions.buffer) : undefined;
  }

  /** The edits of the last decision, in bytes; once. */
  edits() {
    return this.#read(5);
  }

  /** The id of a slot. */
  slot(number) {
    return this.#name(0, number);
  }

  /** The id of an experience. */
  experience(number) {
    return this.#name(1, number);
  }

  /** The name of a factor. */
  factor(number) {
    return this.#name(2, number);
  }

  /** The name of a reason. */
  reason(number) {
    return this.#name(3, number);
  }

  /** The manifest's version. */
  version() {
    return this.#name(4);
  }

  #name(kind, number) {
    return decoder.decode(this.#read(kind, number));
  }

  #read(kind, number) {
    return this.#take(this.#wasm.read(kind, number));
  }

  // The memory's buffer is another one after it has grown: it is asked for anew each time. Addresses have 32 bits without a sign.
  #give(bytes) {
    const at = this.#wasm.input(bytes.length) >>> 0;
    new Uint8Array(this.#wasm.memory.buffer, at).set(bytes);
  }

  #take(length) {
    return new Uint8Array(this.#wasm.memory.buffer, this.#wasm.output() >>> 0, length).slice();
  }
}
