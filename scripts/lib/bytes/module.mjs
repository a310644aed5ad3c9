// A WebAssembly module taken apart: its sections, its functions with their names, its data. (WebAssembly specification, "Binary format".)
import { Problem } from "../run.mjs";

const SECTIONS = ["custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag"];
/** Magic number and version. */
const HEADER = 8;

/** Reads numbers, texts and stretches of bytes one after the other. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  stretch(length) {
    return this.bytes.subarray(this.at, (this.at += length));
  }
  text() {
    return this.stretch(this.number()).toString("utf8");
  }
}

/** How many of the imports are functions: these come first in the numbers of functions. */
function importedFunctions(body) {
  const reader = new Reader(body);
  let functions = 0;
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.text();
    reader.text();
    const kind = reader.byte();
    if (kind === 0) {
      functions += 1;
      reader.number();
    } else if (kind === 3) {
      // A global: its type, and whether it changes.
      reader.stretch(2);
    } else if (kind === 4) {
      reader.stretch(1);
      reader.number();
    } else {
      // A table has the type of its elements before its limits, a memory has limits alone.
      if (kind === 1) reader.byte();
      const bounded = reader.byte() & 1;
      reader.number();
      if (bounded) reader.number();
    }
  }
  return functions;
}

/** The names of functions by their numbers (the first part of the section `name`). */
function namesIn(body) {
  const names = new Map();
  const reader = new Reader(body);
  reader.text();
  while (reader.at < body.length) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === 1) for (let left = reader.number(); left > 0; left -= 1) names.set(reader.number(), reader.text());
    reader.at = end;
  }
  return names;
}

/** The functions of a code section: where the bytes of each begin in the module and how many they are, the length before them included. */
function bodiesIn(body, offset) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => {
    const start = reader.at;
    reader.stretch(reader.number());
    return { start: offset + start, size: reader.at - start };
  });
}

/**
 * @param {Buffer} bytes of a module
 * @returns what it consists of: its sections, their own headers included and the first being the module's, without the section of
 * `names`, which is apart; its functions; and its data. All with where they start in `bytes` and how many bytes they are.
 */
export function readModule(bytes) {
  if (bytes.toString("latin1", 0, 4) !== "\0asm") throw new Problem("that is no WebAssembly module");
  const reader = new Reader(bytes, HEADER);
  const sections = [{ name: "header", start: 0, size: HEADER }];
  let imported = 0;
  let functions = [];
  let named = new Map();
  let names = { start: bytes.length, end: bytes.length };
  let data = Buffer.alloc(0);
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.byte();
    const body = reader.stretch(reader.number());
    const name = id === 0 ? new Reader(body).text() : SECTIONS[id];
    if (name === "name") {
      named = namesIn(body);
      names = { start, end: reader.at };
    } else {
      sections.push({ name, start, size: reader.at - start });
    }
    if (name === "import") imported = importedFunctions(body);
    if (name === "code") functions = bodiesIn(body, reader.at - body.length);
    if (name === "data") data = body;
  }
  return { sections, names, functions: functions.map((body, index) => ({ name: named.get(imported + index), ...body })), data };
}
