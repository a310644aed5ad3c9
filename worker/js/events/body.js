// The JSON of a body that a client sends: as it is or gzip, whatever it says of its type. A page that is left can say little, and
// clients say what spares them a question beforehand.

import { readBody } from "../host.js";
import { MOST_BYTES, MOST_INFLATED } from "./limits.js";

/** Encodings that are read. */
const ENCODINGS = new Set(["", "identity", "gzip", "x-gzip"]);

/** What a body is not to be: the status, a code for programs and words for people. */
class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const tooLarge = () => new Refused(413, "too_large", `The body is larger than ${MOST_BYTES / 1024} KB, or than ${MOST_INFLATED / 1024} KB when it is decompressed.`);

/** Whether bytes are gzip's: JSON begins with no such byte. */
const isGzip = (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Decompresses, and gives up as soon as that becomes too much: a few bytes can stand for very many. */
async function inflated(bytes) {
  const stream = new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
  let inner;
  try {
    inner = await readBody({ body: stream }, MOST_INFLATED);
  } catch {
    throw new Refused(400, "bad_gzip", "The body is announced as gzip, and can't be decompressed.");
  }
  if (inner === undefined) {
    throw tooLarge();
  }
  return inner;
}

/** Where JSON goes wrong, where the engine says it: its other words quote what a visitor sent. */
const placeOf = ({ message }) => (/ at position \d+/.exec(message) ?? [""])[0];

/** A body's bytes: at once where they are told to be few, as nearly all are. Undefined where there are too many. */
async function bytesOf(request) {
  const told = Number(request.headers.get("content-length"));
  if (told > MOST_BYTES) {
    return undefined;
  }
  return told > 0 ? new Uint8Array(await request.arrayBuffer()) : readBody(request, MOST_BYTES);
}

async function read(request) {
  const { headers } = request;
  if (!ENCODINGS.has((headers.get("content-encoding") ?? "").trim().toLowerCase())) {
    throw new Refused(415, "bad_encoding", "Expected a body that is gzip, or not compressed.");
  }
  const bytes = await bytesOf(request);
  if (bytes === undefined || bytes.byteLength > MOST_BYTES) {
    throw tooLarge();
  }
  let text;
  const plain = isGzip(bytes) ? await inflated(bytes) : bytes;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    throw new Refused(400, "bad_json", "Expected JSON in UTF-8.");
  }
  try {
    return { value: JSON.parse(text), bytes: plain.byteLength };
  } catch (error) {
    throw new Refused(400, "bad_json", `Expected JSON: it can't be read${placeOf(error)}.`);
  }
}

/** The `value` of a body and how many `bytes` of JSON it was; or `refused`, with `status`, `code` and `message`. */
export async function readJson(request) {
  try {
    return await read(request);
  } catch (error) {
    // What is not ours broke off on its way here.
    const refused = error instanceof Refused ? error : new Refused(400, "bad_body", "The body broke off.");
    return { refused };
  }
}
