/**
 * The engine's binary boundary: requests in, decisions and edits out. Little-endian throughout.
 *
 * Request: f64 now (epoch ms), the visitor's zone (zone.ts) as a u32 count and so many f64, then until the end: u8 tag, str key, str value.
 * Edits: u32 count, then per edit: u32 slot, u32 op, str selector, str name, str value.
 * A str is a u32 length and that many bytes of UTF-8.
 * The bytes are frozen in tests/spec/wire.json, which the engine's side is checked against too.
 */
import type { Decision, Edit, Op, Source } from "./types.ts";
import type { Offsets } from "./zone.ts";

/** Everything the engine is told of one visit. */
export interface RawRequest {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How far the visitor's zone is ahead of UTC around `now`; empty when the zone is unknown. */
  readonly offsets: Offsets;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: readonly Pair[];
  /** Fields as in Cloudflare's `request.cf`. */
  readonly cf: readonly Pair[];
  /** Context path and its value as text; empty text means absent. */
  readonly overrides: readonly Pair[];
  /** What enrichments told, as field paths and text. */
  readonly enrichments?: readonly Pair[];
  /** What is stored of the visitor, as paths such as `assignment.<experience>` and text. */
  readonly profile?: readonly Pair[];
}

export type Pair = readonly [key: string, value: string];

/** The part of the engine that turns its numbers into names. */
export interface Names {
  slot(index: number): string;
  experience(index: number): string;
  factor(text: number): string;
  reason(code: number): string;
}

const URL_TAG = 1;
const HEADER_TAG = 2;
const CF_TAG = 3;
const OVERRIDE_TAG = 4;
const ENRICHMENT_TAG = 5;
const PROFILE_TAG = 6;
/** Stands for what is not there. */
const NONE = 0xffffffff;
/** Numbers of each decision. */
const WORDS = 6;
const SOURCES: readonly Source[] = ["baseline", "personalization", "experiment"];
const OPS: readonly (Op | undefined)[] = [
  undefined,
  "text",
  "html",
  "attribute",
  "remove_attribute",
  "class_add",
  "class_remove",
  "hide",
  "json",
  "redirect",
  "page",
];
const HEAD_BYTES = 12;
/** A UTF-16 unit becomes at most three bytes of UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes a request in the engine's layout. */
export function encodeRequest(request: RawRequest): Uint8Array {
  const groups: [number, readonly Pair[]][] = [
    [URL_TAG, [["", request.url]]],
    [HEADER_TAG, request.headers],
    [CF_TAG, request.cf],
    [OVERRIDE_TAG, request.overrides],
    [ENRICHMENT_TAG, request.enrichments ?? []],
    [PROFILE_TAG, request.profile ?? []],
  ];
  let room = HEAD_BYTES + request.offsets.length * 8;
  for (const [, pairs] of groups) {
    for (const [key, value] of pairs) room += 9 + (key.length + value.length) * MAX_BYTES_PER_UNIT;
  }
  const bytes = new Uint8Array(room);
  const view = new DataView(bytes.buffer);
  let at = HEAD_BYTES + request.offsets.length * 8;
  const writeText = (text: string): void => {
    const start = at + 4;
    let length = 0;
    // Nearly all text is ASCII, and a plain loop is several times faster there than the encoder.
    while (length < text.length) {
      const unit = text.charCodeAt(length);
      if (unit > 0x7f) {
        length = encoder.encodeInto(text, bytes.subarray(start)).written;
        break;
      }
      bytes[start + length++] = unit;
    }
    view.setUint32(at, length, true);
    at = start + length;
  };
  view.setFloat64(0, request.now, true);
  view.setUint32(8, request.offsets.length, true);
  request.offsets.forEach((number, index) => view.setFloat64(HEAD_BYTES + index * 8, number, true));
  for (const [tag, pairs] of groups) {
    for (const [key, value] of pairs) {
      bytes[at++] = tag;
      writeText(key);
      writeText(value);
    }
  }
  return bytes.subarray(0, at);
}

/** Reads what `Engine.decide` returned. */
export function decodeDecisions(words: Uint32Array, names: Names): Decision[] {
  const decisions: Decision[] = [];
  const count = words[0] ?? 0;
  for (let slot = 0; slot < count; slot++) {
    const at = 1 + slot * WORDS;
    const experience = words[at + 1]!;
    const factor = words[at + 5]!;
    decisions.push({
      slot: names.slot(words[at]!),
      experience: experience === NONE ? null : names.experience(experience),
      variant: words[at + 2]!,
      ...(factor !== NONE && { factor: names.factor(factor) }),
      source: SOURCES[words[at + 3]!] ?? "baseline",
      reason: names.reason(words[at + 4]!),
    });
  }
  return decisions;
}

/** Reads what `Engine.edits` returned. */
export function decodeEdits(bytes: Uint8Array, names: Pick<Names, "slot">): Edit[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const readNumber = (): number => {
    const value = view.getUint32(at, true);
    at += 4;
    return value;
  };
  const readText = (): string => {
    const length = readNumber();
    return decoder.decode(bytes.subarray(at, (at += length)));
  };
  const edits: Edit[] = [];
  for (let left = readNumber(); left > 0; left--) {
    const slot = names.slot(readNumber());
    const op = OPS[readNumber()];
    const selector = readText();
    const name = readText();
    const value = readText();
    // An operation that this script does not know comes from a newer engine: better no edit than a wrong one.
    if (!op) continue;
    edits.push({
      slot,
      selector,
      op,
      // As in JSON, what is empty is left out.
      ...(name && { name }),
      ...(value && { value }),
    });
  }
  return edits;
}
