// Reading a body to keep it, beside the visitor who gets it: whole or not at all.

/** The largest body that is kept, in bytes. */
export const LARGEST = 4 * 1024 * 1024;

/** Bytes that may wait in an isolate for the rest of their bodies. */
const MOST_AT_ONCE = 4 * LARGEST;

/**
 * The longest that a body may take to come, in milliseconds. The runtime ends what goes on behind an answer after 30 seconds, and whoever
 * waits for the rest of a body then never takes its bytes off those that are waiting.
 */
const LONGEST_MS = 20_000;

let waiting = 0;

/** What stands in pages that are one visitor's, or good for one use: nonces, tokens against forged requests. */
const TOKENS = /nonce|csrf|xsrf|authenticity_token|requestverificationtoken/i;

/** Characters of a chunk that may be the beginning of such a word. */
const TAIL = 32;

/** Finds such words in bytes that come in chunks. In every character set that is kept ASCII stands for itself. */
function tokenFinder() {
  const decoder = new TextDecoder("latin1");
  let tail = "";
  return (chunk) => {
    const text = tail + decoder.decode(chunk);
    tail = text.slice(-TAIL);
    return TOKENS.test(text);
  };
}

const startsAsUtf16 = ([first, second]) => (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe);

function joined(chunks, size) {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * All bytes of a stream (`bytes`), or why they are not wanted (`reason`); `isPage` says that they came from the origin, and must be free
 * of tokens. Never rejects: what breaks off is `broke_off`, and what stops or trickles `too_slow`.
 */
export async function gather(stream, isPage) {
  const hasToken = isPage ? tokenFinder() : () => false;
  const chunks = [];
  let size = 0;
  let late;
  try {
    const reader = stream.getReader();
    const isLate = new Promise((resolve) => (late = setTimeout(resolve, LONGEST_MS, { reason: "too_slow" })));
    for (;;) {
      const { done, value, reason: slow } = await Promise.race([reader.read(), isLate]);
      if (slow !== undefined) {
        reader.cancel().catch(() => {});
        return { reason: slow };
      }
      if (done) {
        const bytes = joined(chunks, size);
        return isPage && startsAsUtf16(bytes) ? { reason: "charset" } : { bytes };
      }
      size += value.byteLength;
      waiting += value.byteLength;
      chunks.push(value);
      const reason = size > LARGEST ? "too_large" : waiting > MOST_AT_ONCE ? "too_many_at_once" : hasToken(value) ? "token" : undefined;
      if (reason !== undefined) {
        reader.cancel().catch(() => {});
        return { reason };
      }
    }
  } catch {
    return { reason: "broke_off" };
  } finally {
    clearTimeout(late);
    waiting -= size;
  }
}
