// The engine's boundary against bytes that were written down once and are checked on both sides of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Decision, Edit } from "../../www/src/types.ts";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decodeDecisions, decodeEdits, encodeRequest, type Names, type Pair, type RawRequest, roomFor, writeRequest } from "../../www/src/wire.ts";
import { asset } from "../spec-wasm/files.ts";
import { compile, DIST } from "../worker/harness.ts";

interface Spec {
  requests: (Omit<RawRequest, "offsets"> & { name: string; offsets: (number | null)[]; hex: string })[];
  names: { slots: string[]; experiences: string[]; factors: Record<string, string>; reasons: Record<string, string> };
  decisions: { name: string; words: number[]; decisions: Decision[] }[];
  edits: { name: string; hex: string; edits: Edit[] }[];
}

const spec = JSON.parse(readFileSync(new URL("../spec/wire.json", import.meta.url), "utf8")) as Spec;
const names: Names = {
  slot: (index) => spec.names.slots[index] ?? "?",
  experience: (index) => spec.names.experiences[index] ?? "?",
  factor: (text) => spec.names.factors[text] ?? "?",
  reason: (code) => spec.names.reasons[code] ?? "?",
};

/** Reads a request as the engine does, byte by byte. */
function readRequest(bytes: Uint8Array): RawRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = Array.from({ length: view.getUint32(8, true) }, (_, index) => view.getFloat64(12 + index * 8, true));
  const groups: Record<number, Pair[]> = { 1: [], 2: [], 3: [], 4: [], 5: [], 6: [] };
  let at = 12 + offsets.length * 8;
  const text = (): string => {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, at));
  };
  while (at < bytes.length) {
    const tag = view.getUint8(at++);
    groups[tag]?.push([text(), text()]);
  }
  return {
    now: view.getFloat64(0, true),
    offsets,
    url: groups[1]?.[0]?.[1] ?? "",
    headers: groups[2] ?? [],
    cf: groups[3] ?? [],
    overrides: groups[4] ?? [],
    ...(groups[5]?.length && { enrichments: groups[5] }),
    ...(groups[6]?.length && { profile: groups[6] }),
  };
}

for (const { name, hex, ...written } of spec.requests) {
  const request: RawRequest = { ...written, offsets: written.offsets.map((number) => number ?? NaN) };
  test(`request: ${name}`, () => {
    const bytes = encodeRequest(request);
    assert.equal(Buffer.from(bytes).toString("hex"), hex);
    assert.deepEqual(readRequest(bytes), request);
  });
}

test("request: a lone surrogate and a byte order mark keep their place", () => {
  const request = { now: 1, offsets: [], url: "\uFEFFa\uD800b", headers: [], cf: [], overrides: [] };
  assert.equal(readRequest(encodeRequest(request)).url, "\uFEFFa\uFFFDb");
});

test("request: written into a part of a larger memory, nothing beside it, and there is room enough", () => {
  const request = { now: 1, offsets: [2, NaN], url: "https://shop.example/\u{1f45f}", headers: [["a", "\u20ac".repeat(9)]], cf: [], overrides: [["é", ""]] } satisfies RawRequest;
  const room = roomFor(request);
  const memory = new Uint8Array(room + 24).fill(0xaa);
  const length = writeRequest(request, new DataView(memory.buffer, 8, room));
  assert.ok(length <= room);
  assert.deepEqual(memory.slice(8, 8 + length), encodeRequest(request));
  assert.ok([...memory.slice(0, 8), ...memory.slice(8 + room)].every((byte) => byte === 0xaa));
});

test("request: the engine's place for it stays while there is room, and a larger one is decided too", async () => {
  const { default: init, Engine } = (await import(pathToFileURL(join(DIST, "assets", "_idoine", "engine.js")).href)) as {
    default(options: object): Promise<void>;
    Engine: new (program: Uint8Array) => { input(bytes: number): DataView; decide(bytes: number): Uint32Array | undefined };
  };
  await init({ module_or_path: asset("engine.wasm") });
  const manifest = { site: { id: "x" }, slots: { a: { type: "data" } }, experiences: [{ id: "e", type: "personalization", audience: "page.query.long.size() > 9", slots: { a: { json: 1 } } }] };
  const engine = new Engine((await compile(manifest)).program);
  const decided = (url: string): (number | undefined)[] => {
    const request = { now: 1, offsets: [], url, headers: [], cf: [], overrides: [] };
    return [...(engine.decide(writeRequest(request, engine.input(roomFor(request)))) ?? [])].slice(0, 3);
  };
  const [lost, won] = [[1, 0, 0xffffffff], [1, 0, 0]];
  assert.deepEqual(decided("https://x.example/?long=123"), lost);
  const place = engine.input(50);
  assert.deepEqual(decided("https://x.example/?long="), lost);
  assert.equal(engine.input(60), place);
  // Wasm's memory grows for this one, and the old place is no more.
  assert.deepEqual(decided(`https://x.example/?long=${"9".repeat(3_000_000)}`), won);
  assert.equal(place.buffer.byteLength, 0);
  assert.deepEqual(decided("https://x.example/?long=123"), lost);
  assert.equal(engine.decide(5), undefined);
  assert.equal(engine.decide(0xffffffff), undefined);
});

for (const { name, words, decisions } of spec.decisions) {
  test(`decisions: ${name}`, () => {
    assert.deepEqual(decodeDecisions(Uint32Array.from(words), names), decisions);
  });
}

for (const { name, hex, edits } of spec.edits) {
  test(`edits: ${name}`, () => {
    assert.deepEqual(decodeEdits(Buffer.from(hex, "hex"), names), edits);
  });
}

test("edits: a view into a larger buffer, as Wasm memory is", () => {
  const { hex, edits } = spec.edits.at(-1)!;
  const bytes = Buffer.from(hex, "hex");
  const larger = new Uint8Array(bytes.length + 7);
  larger.set(bytes, 3);
  assert.deepEqual(decodeEdits(larger.subarray(3, 3 + bytes.length), names), edits);
});

test("edits: an operation of a newer engine is left out, the others stay", () => {
  const { hex, edits } = spec.edits.at(-1)!;
  const bytes = Buffer.from(hex, "hex");
  bytes.writeUInt32LE(99, 8);
  assert.deepEqual(decodeEdits(bytes, names), edits.slice(1));
});
