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
  #input;

  /** Loads a program; throws an `Error` that says why when its bytes are refused. */
  constructor(program) {
    const refused = decoder.decode(this.#take(this.#wasm.load(this.write(program))));
    if (refused) throw new Error(refused);
    // The program keeps the place that it was written to.
    this.#input = undefined;
  }

  /** The engine's own memory for a request of at most so many bytes, to be written before the next call. */
  input(bytes) {
    // Another buffer is in the place of the memory's after it has grown, and the old one has no bytes any more.
    if (this.#input?.buffer !== this.#wasm.memory.buffer || this.#input.byteLength < bytes) {
      // Addresses have 32 bits without a sign.
      const at = this.#wasm.input(bytes) >>> 0;
      this.#input = new DataView(this.#wasm.memory.buffer, at, bytes);
    }
    return this.#input;
  }

  /** Copies bytes into that memory, and returns their number. */
  write(bytes) {
    const { buffer, byteOffset } = this.input(bytes.length);
    new Uint8Array(buffer, byteOffset).set(bytes);
    return bytes.length;
  }

  /** The decisions for the request in the first bytes of that memory, in numbers; nothing when it is cut off. */
  decide(bytes) {
    const length = this.#wasm.decide(bytes);
    return length ? new Uint32Array(this.#take(length)) : undefined;
  }

  /** The edits of the last decision, in bytes. */
  edits() {
    return new Uint8Array(this.#read(5));
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

  /** The selector of a slot; empty where it has none. */
  selector(number) {
    return this.#name(7, number);
  }

  /** The manifest's version. */
  version() {
    return this.#name(4);
  }

  /** On which terms the site asks for consent, in bytes. */
  terms() {
    return new DataView(this.#read(6));
  }

  #name(kind, number) {
    return decoder.decode(this.#read(kind, number));
  }

  #read(kind, number) {
    return this.#take(this.#wasm.read(kind, number));
  }

  // A copy: the next call, were it for a name, writes over the output.
  #take(length) {
    const at = this.#wasm.output() >>> 0;
    return this.#wasm.memory.buffer.slice(at, at + length);
  }
}
