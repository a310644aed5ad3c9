// In which order the functions of a module stand. Where a function stands changes nothing but how small the module becomes when it is
// compressed: gzip finds again what is in the 32 KB before, and a module has up to 700 KB. So those that are alike stand together.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { readModule } from "./bytes/module.mjs";
import { Problem } from "./run.mjs";
import { FEATURES } from "./trim.mjs";

/** So many bytes in a row are what functions share. */
const SHARED = 4;
/** How much less the function before counts than the last one, the one before that again, and so on: the best of these is taken. */
const FADES = [0.5, 0.7, 0.8, 0.9];

/**
 * Puts the functions of the module at `path` in the order in which each is most like those right before it.
 * @param {string} path
 * @param {{ named?: boolean }} [of] whether its functions keep their names
 */
export async function order(path, { named = false } = {}) {
  const { default: binaryen } = await import("binaryen");
  binaryen.setDebugInfo(named);
  const bytes = readFileSync(path);
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const infos = Array.from({ length: module.getNumFunctions() }, (_, index) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)));
  const functions = infos.filter(({ module: imported }) => !imported);
  const bodies = readModule(bytes).functions.map(({ start, size }) => bytes.subarray(start, start + size));
  // A function that is taken out and put in again is the last one.
  for (const { name, params, results, vars, body } of best(bodies).map((index) => functions[index])) {
    module.removeFunction(name);
    module.addFunction(name, params, results, vars, body);
  }
  if (!module.validate()) throw new Problem(`${path} is no valid module after its functions were put in order; see scripts/lib/order.mjs.`);
  writeFileSync(path, module.emitBinary());
  module.dispose();
}

/** The chain of the bodies that compresses best. */
export function best(bodies) {
  const size = (order) => gzipSync(Buffer.concat(order.map((index) => bodies[index])), { level: 9 }).length;
  const chains = FADES.map((fade) => chain(bodies, fade)).map((order) => ({ order, size: size(order) }));
  return chains.reduce((best, one) => (one.size < best.size ? one : best)).order;
}

/** The numbers of the bodies: the longest first, then always the one that shares most with those before it, for its length. */
export function chain(bodies, fade) {
  const stretches = bodies.map((body) => new Set(Array.from({ length: Math.max(0, body.length - SHARED + 1) }, (_, at) => body.readUInt32LE(at))));
  const having = new Map();
  stretches.forEach((found, index) => found.forEach((stretch) => having.has(stretch) ? having.get(stretch).push(index) : having.set(stretch, [index])));
  const left = new Set(bodies.keys());
  // What each shares with those that stand already.
  const alike = new Float64Array(bodies.length);
  const most = (score) => [...left].reduce((best, index) => (score(index) > score(best) ? index : best));
  const placed = [];
  while (left.size > 0) {
    const last = placed.at(-1);
    const next = most((index) => last === undefined ? bodies[index].length : alike[index] / (bodies[index].length + bodies[last].length));
    left.delete(next);
    placed.push(next);
    alike.forEach((likeness, index) => (alike[index] = likeness * fade));
    for (const stretch of stretches[next]) for (const index of having.get(stretch)) alike[index] += 1;
  }
  return placed;
}
