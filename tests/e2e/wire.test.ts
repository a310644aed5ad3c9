// The engine's boundary against bytes that were written down once and are checked on both sides of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Decision, Edit } from "../../www/src/types.ts";
import { decodeDecisions, decodeEdits, encodeRequest, type Names, type Pair, type RawRequest } from "../../www/src/wire.ts";

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
