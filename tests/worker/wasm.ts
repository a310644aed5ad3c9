// Wasm modules that trap, for the tests of what happens then.

/** `(module (func (export "trap") unreachable))` */
export const TRAP_MODULE = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic, version
  1, 4, 1, 0x60, 0, 0, // types: [] -> []
  3, 2, 1, 0, // functions: one of it
  7, 8, 1, 4, 0x74, 0x72, 0x61, 0x70, 0, 0, // exports: "trap"
  10, 5, 1, 3, 0, 0x00, 0x0b, // code: unreachable, end
]);

const IMPORTS = 2;
const EXPORTS = 7;
const CODE = 10;

class Reader {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        return value;
      }
    }
  }

  take(length: number): Uint8Array {
    return this.bytes.subarray(this.at, (this.at += length));
  }

  name(): string {
    return Buffer.from(this.take(this.number())).toString();
  }
}

const number = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...number(Math.floor(value / 128))]);

/** The module with the body of an exported function replaced by a trap. */
export function withTrapIn(bytes: Uint8Array, name: string): Uint8Array {
  const reader = new Reader(bytes);
  const sections: { id: number; content: Uint8Array }[] = [];
  reader.take(8);
  while (reader.at < bytes.length) {
    const id = reader.number();
    sections.push({ id, content: reader.take(reader.number()) });
  }
  const open = (id: number) => new Reader(sections.find((section) => section.id === id)!.content);

  const exports = open(EXPORTS);
  let target: number | undefined;
  for (let left = exports.number(); left > 0; left -= 1) {
    const found = exports.name();
    const kind = exports.number();
    const index = exports.number();
    if (kind === 0 && found === name) {
      target = index;
    }
  }
  if (target === undefined) {
    throw new Error(`the module exports no function ${name}`);
  }

  // Imported functions are counted before those with a body.
  const imports = open(IMPORTS);
  for (let left = imports.number(); left > 0; left -= 1) {
    imports.name();
    imports.name();
    if (imports.number() !== 0) {
      throw new Error("the module imports something that is no function");
    }
    imports.number();
    target -= 1;
  }

  const code = open(CODE);
  const count = code.number();
  const bodies = Array.from({ length: count }, () => code.take(code.number()));
  bodies[target] = Uint8Array.from([0, 0x00, 0x0b]); // no locals, unreachable, end
  const changed = [...number(count), ...bodies.flatMap((body) => [...number(body.length), ...body])];
  const rest = sections.flatMap(({ id, content }) => {
    const written = id === CODE ? changed : [...content];
    return [id, ...number(written.length), ...written];
  });
  return Uint8Array.from([...bytes.subarray(0, 8), ...rest]);
}
