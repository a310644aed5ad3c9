// What the bytes of a module are for.
import { gzipSync } from "node:zlib";
import { readModule } from "./module.mjs";
import { ownerOf, readable } from "./names.mjs";

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

const total = (rows) => rows.reduce((sum, { size }) => sum + size, 0);

const heaviest = (a, b) => b.size - a.size || (a.name < b.name ? -1 : 1);

/** Rows by a key, the heaviest first: `{ name, size, functions }`. */
function grouped(functions, key) {
  const groups = new Map();
  for (const one of functions) {
    const group = groups.get(key(one)) ?? { name: key(one), size: 0, functions: 0 };
    group.size += one.size;
    group.functions += 1;
    groups.set(group.name, group);
  }
  return [...groups.values()].sort(heaviest);
}

/** The module's bytes without those of these functions: no module, but as long as one, and as compressible. */
function without(bytes, functions) {
  const kept = [];
  let at = 0;
  for (const { start, size } of functions) {
    kept.push(bytes.subarray(at, start));
    at = start + size;
  }
  return Buffer.concat([...kept, bytes.subarray(at)]);
}

/**
 * What weighs in a module, all in bytes and the heaviest first. `sections` add up to `raw`; `crates` to the functions, and so do `parts`;
 * with the numbers before each function they are the code section. `gzip` of a row is by how much the compressed module is smaller
 * without it; what is compressed by what other rows have too is in none of them, and that is `shared`.
 * @param {Buffer} shipped as it is sent
 * @param {Buffer} named the same module with the names of its functions
 * @param {string} own the module's crate
 */
export function weigh(shipped, named, own) {
  const module = readModule(named);
  const bytes = Buffer.concat([named.subarray(0, module.names.start), named.subarray(module.names.end)]);
  const functions = module.functions.map((one) => ({ ...one, name: readable(one.name ?? "(without a name)"), ...ownerOf(one.name, own) }));
  const whole = gzip(bytes);
  const less = (stretches) => whole - gzip(without(bytes, stretches));
  const sections = module.sections.map(({ name, start, size }) => ({ name, size, gzip: less([{ start, size }]) })).sort(heaviest);
  const crates = grouped(functions, ({ crate }) => crate).map((group) => {
    const its = functions.filter(({ crate }) => crate === group.name);
    return { ...group, generic: total(its.filter(({ generic }) => generic)), gzip: less(its) };
  });
  const code = module.sections.find(({ name }) => name === "code")?.size ?? 0;
  return {
    raw: shipped.length,
    gzip: gzip(shipped),
    // What names changed: 0, unless functions of equal use changed places.
    difference: { raw: bytes.length - shipped.length, gzip: whole - gzip(shipped) },
    sections,
    crates,
    shared: whole - crates.reduce((sum, row) => sum + row.gzip, 0) - sections.filter(({ name }) => name !== "code").reduce((sum, row) => sum + row.gzip, 0),
    framing: code - total(functions),
    parts: grouped(functions, ({ part }) => part),
    functions: functions.map(({ name, crate, size }) => ({ name, crate, size })).sort(heaviest),
  };
}
