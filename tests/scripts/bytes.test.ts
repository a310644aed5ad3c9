// `npm run bytes`: what it says adds up, and the engine holds nothing of what it should not.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { cratesOf, unwanted, unwantedCrates } from "../../scripts/lib/bytes/absent.mjs";
import { MODULES } from "../../scripts/lib/bytes/modules.mjs";
import { readModule } from "../../scripts/lib/bytes/module.mjs";
import { ownerOf } from "../../scripts/lib/bytes/names.mjs";
import { DIST, ROOT } from "../../scripts/lib/paths.mjs";

interface Row {
  name: string;
  size: number;
}

interface Weighed {
  module: "engine" | "tools" | "author" | "worker";
  raw: number;
  gzip: number;
  difference: { raw: number; gzip: number };
  framing: number;
  shared: number;
  sections: (Row & { gzip: number })[];
  crates: (Row & { gzip: number; generic: number })[];
  parts: Row[];
  functions: (Row & { crate: string })[];
}

const script = join(ROOT, "scripts", "bytes.mjs");
const named = (module: string) => readFileSync(join(DIST, "named", `${module}.wasm`));
const sum = (rows: { size: number }[]) => rows.reduce((total, { size }) => total + size, 0);

let weighed: Weighed[];
before(() => {
  weighed = JSON.parse(execFileSync(process.execPath, [script, "--json"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 }));
});

test("the rows of each module add up to the module that is shipped", () => {
  assert.deepEqual(weighed.map(({ module }) => module), ["engine", "tools", "author", "worker"]);
  for (const { module, raw, gzip, difference, framing, shared, sections, crates, parts, functions } of weighed) {
    const shipped = readFileSync(MODULES[module]);
    assert.equal(raw, shipped.length);
    // Names change no code. What is compressed differs by the order of functions that are used equally often.
    assert.equal(difference.raw, 0, module);
    assert.ok(Math.abs(difference.gzip) < 100, `${module}: ${difference.gzip}`);
    assert.equal(sum(sections), raw + difference.raw);
    const code = sections.find(({ name }) => name === "code")!.size;
    for (const rows of [crates, parts, functions]) assert.equal(sum(rows) + framing, code);
    // Of the compressed bytes few are in no row.
    assert.ok(Math.abs(shared) < gzip / 20, `${module}: ${shared}`);
    // And few functions are nobody's.
    const nobodys = crates.find(({ name }) => name === "(without a name)")?.size ?? 0;
    assert.ok(nobodys < raw / 50, `${module}: ${nobodys}`);
    assert.deepEqual([crates[0]!.name, functions.length], ["idoine", readModule(shipped).functions.length]);
  }
});

test("the engine is built from no crate for patterns, URLs or dates", async () => {
  const crates = await cratesOf("idoine-engine", process.env);
  assert.ok(crates.includes("idoine") && crates.includes("rlsf"), crates.join());
  assert.deepEqual(unwantedCrates(crates), []);
  assert.deepEqual(unwantedCrates(["idoine", "aho-corasick", "regex_syntax", "url"]), ["aho-corasick", "regex_syntax", "url"]);
});

test("the engine has no such function, doesn't write doubles as the standard library does, and says nothing when it panics", () => {
  assert.deepEqual(unwanted(named("engine"), "idoine_engine"), []);
});

test("what should not be there would be found", () => {
  // Before anything is left out, cargo's own engine has the words of panics.
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const found = unwanted(readFileSync(join(target, "wasm32-unknown-unknown", "wasm", "idoine_engine.wasm")), "idoine_engine");
  assert.ok(found.some((words) => words.startsWith("the words of a panic: ")), found.join("\n"));
  assert.deepEqual(unwanted(moduleOf(["decide", "<regex[0a1b2c3d4e5f6071]::Regex>::find", "core[0a1b2c3d4e5f6071]::num::flt2dec::strategy::grisu::format_shortest"], "called `Option::unwrap()` on a `None` value"), "idoine_engine"), [
    "a function of a crate: <regex[0a1b2c3d4e5f6071]::Regex>::find",
    "the standard library's writing of doubles: core[0a1b2c3d4e5f6071]::num::flt2dec::strategy::grisu::format_shortest",
    "the words of a panic: called `Option::unwrap()`",
  ]);
});

test("a function counts for the first crate in its name that is not the standard library's", () => {
  const owner = (name: string) => {
    const { crate, part, generic } = ownerOf(name, "idoine_engine");
    return [crate, part, generic];
  };
  assert.deepEqual(owner("<idoine[0a1b2c3d4e5f6071]::eval::Walk>::eval"), ["idoine", "idoine::eval", false]);
  assert.deepEqual(owner("<idoine[0a1b2c3d4e5f6071]::Program as core[0a1b2c3d4e5f6071]::ops::drop::Drop>::drop"), ["idoine", "idoine", false]);
  assert.deepEqual(owner("<alloc[0a1b2c3d4e5f6071]::vec::Vec<idoine[0a1b2c3d4e5f6071]::edit::Edit>>::push"), ["idoine", "idoine::edit", true]);
  assert.deepEqual(owner("<alloc[0a1b2c3d4e5f6071]::vec::Vec<u8>>::push"), ["std", "alloc::vec", false]);
  assert.deepEqual(owner("<idoine[0a1b2c3d4e5f6071]::report::Row as serde_core[0a1b2c3d4e5f6071]::ser::Serialize>::serialize"), ["idoine", "idoine::report", false]);
  assert.deepEqual(owner("<str>::contains::<char>"), ["std", "core", false]);
  assert.deepEqual(owner("memcpy"), ["std", "compiler_builtins", false]);
  assert.deepEqual(owner("__wbindgen_malloc"), ["wasm_bindgen", "wasm_bindgen", false]);
  assert.deepEqual(owner("decide"), ["idoine_engine", "idoine_engine", false]);
});

test("it says how it is used", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  const table = run("--module", "engine", "--top", "3");
  assert.equal(table.status, 0, table.stderr);
  assert.match(table.stdout, /^engine: [\d,]+ bytes, [\d,]+ compressed \(gzip, level 9\), [\d,]+ functions\n/);
  assert.match(table.stdout, /\n {2}and [\d,]+ more, of [\d,]+ bytes\n$/);
  assert.match(run("--help").stdout, /Usage: npm run bytes[^]*Example: /);
  for (const wrong of [["--module", "cli"], ["--top", "all"], ["--fast"]]) assert.equal(run(...wrong).status, 2, wrong.join(" "));
});

/** A module with these functions, which do nothing, and this data. */
function moduleOf(names: string[], data: string): Buffer {
  const number = (value: number) => [(value & 0x7f) | 0x80, value >> 7];
  const section = (id: number, bytes: number[]) => [id, ...number(bytes.length), ...bytes];
  const text = (value: string) => [...number(value.length), ...Buffer.from(value, "latin1")];
  const bodies = names.flatMap(() => [2, 0, 0x0b]);
  const functions = [names.length, ...names.flatMap((name, index) => [index, ...text(name)])];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(10, [names.length, ...bodies]),
    ...section(11, [1, 1, ...text(data)]),
    ...section(0, [...text("name"), 1, ...number(functions.length), ...functions]),
  ]);
}
