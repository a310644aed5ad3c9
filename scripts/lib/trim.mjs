// Takes out of our Wasm what nobody there needs: the words of panics, a second way of writing numbers, and exports that only
// wasm-bindgen's JavaScript asks for. A panic is a trap: nothing prints its message, yet the code that would format it, and the texts
// and tables that go with that, are a third of the engine's bytes.
import { readFileSync, writeFileSync } from "node:fs";
import { Problem } from "./run.mjs";

// Those of the optimizer's flags in cargo.mjs: more would let it write what browsers do not read yet.
export const FEATURES = ["BulkMemory", "BulkMemoryOpt", "CallIndirectOverlong", "Multivalue", "MutableGlobals", "NontrappingFPToInt", "ReferenceTypes", "SignExt"];

// Functions of Rust's core, alloc and std that never return, by their readable names (wasm-bindgen demangles them), with or
// without a crate's hash.
const NEVER_RETURN = [
  /^core(\[\w+\])?::panicking::/,
  /^core(\[\w+\])?::(option|result)::(expect|unwrap)_failed/,
  /^core(\[\w+\])?::(slice|str)::.*_fail(_rt)?$/,
  /^core(\[\w+\])?::slice::sort::.*::panic_on_ord_violation/,
  /^core(\[\w+\])?::cell::panic_already/,
  /^<?alloc(\[\w+\])?::.*::assert_failed$/,
  /^alloc(\[\w+\])?::(raw_vec::handle_error|alloc::handle_alloc_error)/,
  /^std(\[\w+\])?::panicking::(panic_with_hook|panic_handler|begin_panic)/,
  /^std(\[\w+\])?::(alloc::rust_oom|alloc::default_alloc_error_hook)/,
  /::(rust_begin_unwind|rust_panic|__rust_alloc_error_handler)$/,
];

// The standard library's writing of doubles, and ours, which takes its place: the same numbers in a tenth of the code.
const WRITES_DOUBLES = /^<f64 as core(\[\w+\])?::fmt::(Display|Debug)>::fmt$/;
const WRITES_DOUBLES_SHORTLY = /^idoine(\[\w+\])?::number::display_double(::h[0-9a-f]{16})?$/;

// Its powers of ten (Grisu's, 81 of 16 bytes), which nothing else reads.
const POWERS = /\xdf\x45\x1a\x3d\x03\xcf\x1a\xe6\xc1\xfb\xcc\xfe[^]{1284}/g;

// How values are shown to programmers: only panics do that here, and what serde says of a text in the wrong place.
const SHOWS = /^<.* as core(\[\w+\])?::fmt::Debug>::fmt(::h[0-9a-f]{16})?$/;
const SHOWN = /^<&?str as /;

// The standard library's quoting of texts, and ours, where there is ours. Its tables of what can be printed, which nothing else reads,
// by how they begin and end.
const QUOTES = /^<str as core(\[\w+\])?::fmt::Debug>::fmt$/;
const QUOTES_SHORTLY = /^idoine(\[\w+\])?::text::display_text(::h[0-9a-f]{16})?$/;
const PRINTABLE = [
  /\x00\x01\x03\x05\x05\x06\x06\x02[^]{348}\xd9\xe7\xfe\xff/g,
  /\x00\x06\x01\x01\x03\x01\x04\x02[^]{292}\xc7\xdd\xde\x93/g,
  /\x00\x20\x5f\x22\x82\xdf\x04\x82[^]{280}\x1b\x03\x0f\x0d/g,
  /\x5e\x22\x7b\x05\x03\x04\x2d\x03[^]{492}\x80\xfb\x84\x05/g,
];

// What only panics say: where in the source they come from, and why. The texts stand in the module's data as they are.
const SOURCES = /src\/[\w/]+\.rs/g;
const SAID_BY_PANICS = [
  /\/rustc\/[0-9a-f]{40}\/[\w/.-]+?\.rs/g,
  /attempted to take ownership of Rust value while it was borrowed|null pointer passed to rust|recursive use of an object detected which would lead to unsafe aliasing in rust/g,
  /Tried to shrink to a larger capacity|index out of bounds: the len is | but the index is |insertion index \(is |\) should be <= len \(is /g,
  /range (start|end) index | out of range for slice of length |attempt to join into collection with len > usize::MAX/g,
  /called `(Option|Result)::unwrap\(\)` on (a `None`|an `Err`) value|internal error: entered unreachable code|explicit panic|`async fn` resumed after completion/g,
  /assertion failed: (self\.is_char_boundary\(new_len\)|self\.peeked\.is_none\(\)|parts\.len\(\) >= 4|buf\.len\(\) >= (MAX_SIG_DIGITS|maxlen)|!buf\.is_empty\(\)|buf\[0\] > b'0'|other > 0|noborrow|digits < 40)/g,
  /assertion failed: d\.((mant|minus|plus) > 0|mant (\+ d\.plus )?< \(1 << 61\)|mant\.checked_(sub|add)\(d\.(minus|plus)\)\.is_some\(\))/g,
  /assertion `left | right` failed|mid > len|capacity overflow|attempt to divide by zero|argument of integer logarithm must be positive/g,
  /RefCell already (mutably )?borrowed|(Once|LazyLock|LazyCell) instance has previously been poisoned|one-time initialization may not be performed recursively/g,
  /cannot access a Thread Local Storage value during or after destruction: |a (formatting trait|Display) implementation returned an error (when the underlying stream did not|unexpectedly)/g,
  /Formatting argument out of range|(to_digit: invalid radix -- |from_ascii_radix: )radix must (be|lie) in the range [^]{1,9}( to 36 inclusive|36\]` - found )/g,
  // What jsonc-parser expects of itself.
  /callers have to ensure map is allocated|map (should have been )?created above|Range was popped from the stack, but the stack was empty\./g,
];
// The digits by which the standard library writes numbers. Only panics write any in a module that formats nothing.
const DIGITS = /0001020304(?:\d\d){95}/g;

/**
 * Replaces the bodies of the functions that only say why the program stops by the stop itself, and drops exports; the optimizer then
 * drops what led to them alone.
 * @param {string} path of a module with its name section
 * @param {{ exports?: string[], formatsNothing?: boolean, debugs?: boolean, named?: boolean }} [of] all exports that are kept, without it every
 * one; whether the module uses none of the standard library's formatting; whether it shows values by `{:?}`; and whether its functions
 * keep their names
 */
export async function trim(path, { exports, formatsNothing = false, debugs = true, named = false } = {}) {
  const { default: binaryen } = await import("binaryen");
  binaryen.setDebugInfo(named);
  const whole = readFileSync(path);
  const quotes = !debugs && whole.includes("::text::display_text");
  const bytes = without(whole, [...SAID_BY_PANICS, POWERS, ...(quotes ? PRINTABLE : [])], [SOURCES, ...(formatsNothing ? [DIGITS] : [])], path);
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const silenced = silencePanics(module, binaryen);
  // Rust's names change: say so rather than grow in silence.
  if (silenced < 5) throw new Problem(`${path}: only ${silenced} functions that panic were recognised; see scripts/lib/trim.mjs.`);
  if (!replaceWriting(module, binaryen, WRITES_DOUBLES, WRITES_DOUBLES_SHORTLY)) throw new Problem(`${path}: our own writing of doubles was not found; see scripts/lib/trim.mjs.`);
  if (quotes) replaceWriting(module, binaryen, QUOTES, QUOTES_SHORTLY);
  if (!debugs) hideValues(module, binaryen);
  if (exports) keepExports(module, binaryen, exports);
  if (!module.validate()) throw new Problem(`${path} is no valid module after it was trimmed; see scripts/lib/trim.mjs.`);
  writeFileSync(path, module.emitBinary());
  module.dispose();
}

/** The bytes of a module with zeros in place of some of its data, which the optimizer leaves out. All that is `needed` has to be there. */
function without(bytes, patterns, needed, path) {
  // One character for each byte, and back.
  const text = bytes.toString("latin1");
  const [start, end] = dataSection(bytes);
  let data = text.slice(start, end);
  for (const pattern of [...patterns, ...needed]) {
    const kept = data.replace(pattern, (found) => "\0".repeat(found.length));
    if (kept === data && needed.includes(pattern)) throw new Problem(`${path}: data that was expected there is not (${pattern.source.slice(0, 40)}); see scripts/lib/trim.mjs.`);
    data = kept;
  }
  return Buffer.from(text.slice(0, start) + data + text.slice(end), "latin1");
}

/** Where the data of a module lies (WebAssembly specification, "Modules": sections have an id and a length; data has the id 11). */
function dataSection(bytes) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const length = number();
    if (id === 11) return [at, at + length];
    at += length;
  }
  return [at, at];
}

function silencePanics(module, binaryen) {
  const panics = functions(module, binaryen).filter(({ name }) => NEVER_RETURN.some((pattern) => pattern.test(name)));
  for (const { handle } of panics) binaryen.Function.setBody(handle, module.unreachable());
  return panics.length;
}

/** The functions of a module, but for those that it imports. */
function functions(module, binaryen) {
  const handles = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
  return handles.map((handle) => ({ handle, ...binaryen.getFunctionInfo(handle) })).filter(({ module: imported }) => !imported);
}

/** Lets what the standard library writes be written by ours, where there is ours, and says whether it is so now. */
function replaceWriting(module, binaryen, long, short) {
  const find = (pattern) => functions(module, binaryen).filter(({ name }) => pattern.test(name));
  const longer = find(long);
  const [shorter] = find(short);
  if (!shorter) return longer.length === 0;
  for (const { handle, params } of longer) {
    const parameters = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
    binaryen.Function.setBody(handle, module.call(shorter.name, parameters, binaryen.i32));
  }
  return true;
}

/** Lets what shows values write nothing, and say that this went well. */
function hideValues(module, binaryen) {
  const shows = functions(module, binaryen).filter(({ name, results }) => SHOWS.test(name) && !SHOWN.test(name) && results === binaryen.i32);
  for (const { handle } of shows) binaryen.Function.setBody(handle, module.i32.const(0));
}

function keepExports(module, binaryen, kept) {
  const all = [];
  for (let index = 0; index < module.getNumExports(); index += 1) all.push(binaryen.getExportInfo(module.getExportByIndex(index)).name);
  const missing = kept.filter((name) => !all.includes(name));
  if (missing.length > 0) throw new Problem(`the module exports no ${missing.join(", ")}; see scripts/lib/cargo.mjs.`);
  for (const name of all.filter((name) => !kept.includes(name))) module.removeExport(name);
}
