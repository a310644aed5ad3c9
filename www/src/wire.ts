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

/** The names that another one tells, each of which is asked for once. */
export function remembering(names: () => Names): Names {
  const remembered = (read: (code: number) => string): ((code: number) => string) => {
    const known = new Map<number, string>();
    return (code) => {
      let name = known.get(code);
      if (name === undefined) known.set(code, (name = read(code)));
      return name;
    };
  };
  return {
    slot: remembered((slot) => names().slot(slot)),
    experience: remembered((experience) => names().experience(experience)),
    factor: remembered((text) => names().factor(text)),
    reason: remembered((code) => names().reason(code)),
  };
}

const URL_TAG = 1;
const HEADER_TAG = 2;
const CF_TAG = 3;
const OVERRIDE_TAG = 4;
const ENRICHMENT_TAG = 5;
const PROFILE_TAG = 6;
/** Stands for what is not there. */
const NONE = 0xffffffff;
/** Numbers of each decision: the first is its slot's. */
export const WORDS = 6;
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
  "replace",
  "before",
  "after",
  "first",
  "last",
  "remove",
  "fragment",
  "move",
  "reorder",
];
const HEAD_BYTES = 12;
/** Of a tag and two lengths. */
const PAIR_BYTES = 9;
/** A UTF-16 unit becomes at most three bytes of UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The most bytes that a request takes in the engine's layout. */
export function roomFor({ offsets, url, headers, cf, overrides, enrichments, profile }: RawRequest): number {
  const texts = url.length * MAX_BYTES_PER_UNIT + roomForPairs(headers) + roomForPairs(cf) + roomForPairs(overrides);
  return HEAD_BYTES + offsets.length * 8 + PAIR_BYTES + texts + roomForPairs(enrichments) + roomForPairs(profile);
}

function roomForPairs(pairs: readonly Pair[] = []): number {
  let room = pairs.length * PAIR_BYTES;
  for (let index = 0; index < pairs.length; index++) {
    const pair = pairs[index]!;
    room += (pair[0].length + pair[1].length) * MAX_BYTES_PER_UNIT;
  }
  return room;
}

/**
 * Writes a request in the engine's layout where there is room for it, and returns the number of its bytes. It makes no object as
 * long as the text is ASCII.
 */
export function writeRequest(request: RawRequest, view: DataView): number {
  const { offsets } = request;
  view.setFloat64(0, request.now, true);
  view.setUint32(8, offsets.length, true);
  let at = HEAD_BYTES;
  for (let index = 0; index < offsets.length; index++, at += 8) view.setFloat64(at, offsets[index]!, true);
  at = writePair(view, at, URL_TAG, "", request.url);
  at = writePairs(view, at, HEADER_TAG, request.headers);
  at = writePairs(view, at, CF_TAG, request.cf);
  at = writePairs(view, at, OVERRIDE_TAG, request.overrides);
  at = writePairs(view, at, ENRICHMENT_TAG, request.enrichments);
  return writePairs(view, at, PROFILE_TAG, request.profile);
}

function writePairs(view: DataView, start: number, tag: number, pairs: readonly Pair[] | undefined): number {
  let at = start;
  if (pairs) for (let index = 0; index < pairs.length; index++) at = writePair(view, at, tag, pairs[index]![0], pairs[index]![1]);
  return at;
}

function writePair(view: DataView, at: number, tag: number, key: string, value: string): number {
  view.setUint8(at, tag);
  return writeText(view, writeText(view, at + 1, key), value);
}

function writeText(view: DataView, at: number, text: string): number {
  const start = at + 4;
  let length = 0;
  // Nearly all text is ASCII, and a plain loop is several times faster there than the encoder.
  while (length < text.length) {
    const unit = text.charCodeAt(length);
    if (unit > 0x7f) {
      length = encoder.encodeInto(text, new Uint8Array(view.buffer, view.byteOffset + start)).written;
      break;
    }
    view.setUint8(start + length++, unit);
  }
  view.setUint32(at, length, true);
  return start + length;
}

/** A request in the engine's layout, in bytes of its own. */
export function encodeRequest(request: RawRequest): Uint8Array {
  const view = new DataView(new ArrayBuffer(roomFor(request)));
  return new Uint8Array(view.buffer, 0, writeRequest(request, view));
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
