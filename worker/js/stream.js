// A page's bytes on their way through the rewriter. What it can't take (guard.js) it gets as plain text, so that the visitor always has
// the whole page, edited as far as it could be. What the rewriter makes goes out by workerd's own means: each chunk that JavaScript
// hands on costs as much as the rewriter needs for some pages.

import { Guard, MARK } from "./guard.js";
import { log } from "./log.js";

/** Bytes asked for at once where nothing is known of the body; what is there is given at once, however little. */
export const CHUNK = 1 << 16;
/** As much where the body is known to be longer. */
const LARGEST_CHUNK = 1 << 18;

/**
 * Reads the beginning of a body: its `reader`; its `first` bytes, which are none only when the body is empty; and whether that `isAll`. They
 * are those that came at once, unless `isEnough` wants more of them; then those up to where it has enough, or to the end. `length` is how
 * long the body is, if that is known.
 */
export async function begin(body, length, isEnough) {
  const reader = body.getReader({ mode: "byob" });
  // One byte more than there are: a buffer that is filled could be one of many.
  const size = length === undefined ? CHUNK : Math.min(length + 1, LARGEST_CHUNK);
  let buffer = new ArrayBuffer(size);
  let read = 0;
  /** What was read, should the body break off. */
  let kept = new Uint8Array(0);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer, read));
      if (done) {
        return { reader, first: kept, isAll: true };
      }
      buffer = value.buffer;
      read += value.length;
      const first = new Uint8Array(buffer, 0, read);
      if (read === length) {
        kept = first;
        // A Worker as the origin may say any length.
        const more = await reader.read(new Uint8Array(1));
        return { reader, first: more.done ? first : joined(first, more.value), isAll: more.done };
      }
      if (read === size || isEnough(first)) {
        return { reader, first, isAll: false };
      }
      kept = first.slice();
    }
  } catch (error) {
    if (read > 0) {
      // Whoever reads on meets the same error, behind what came before it.
      return { reader, first: kept, isAll: false };
    }
    reader.releaseLock();
    throw error;
  }
}

/** Bytes and what follows them. */
export function joined(a, b) {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** A body that was begun, as it is. With `length` it is announced to be that long. */
export function unchanged({ reader, first }, length) {
  const output = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const run = async () => {
    if (first.length > 0) {
      await put(output, [first]);
    }
    await copy(reader, output);
    await output.writable.close();
  };
  run().catch((error) => brokenOff(error, output.writable));
  return output.readable;
}

/**
 * A body that was begun, edited: `edit` makes what goes out of what is to be edited, a stream or bytes, and `fragments` go in where it left
 * their marks; that is `body`. `fed` resolves when all of it was handed on, and rejects when it broke off. `registerRest` must have been
 * called for its rewriter.
 */
export function edited({ reader, first, isAll }, edit, fragments) {
  const guard = new Guard({ stopsAtFrames: true });
  const begun = guard.scan(first);
  if (isAll && !begun.stop && fragments.isEmpty) {
    return { body: edit(first), fed: Promise.resolve() };
  }
  const input = new IdentityTransformStream();
  const made = edit(input.readable);
  const fed = feed(reader, first, begun, guard, input.writable.getWriter(), fragments);
  fed.catch((error) => log("error", "page_broke_off", "a page broke off", { error }));
  return fragments.isEmpty ? { body: made, fed } : filled(made, fed, fragments);
}

/** What the rewriter made, with the fragments in the place of their marks. */
function filled(made, fed, fragments) {
  const output = new IdentityTransformStream();
  const reader = made.getReader({ mode: "byob" });
  const run = async () => {
    try {
      await fragments.copy(reader, output);
      await output.writable.close();
    } catch (error) {
      // Each side may be waiting for the other.
      await Promise.allSettled([reader.cancel(error), output.writable.abort(error)]);
      throw error;
    }
  };
  return { body: output.readable, fed: Promise.all([fed, run()]) };
}

/**
 * Has a rewriter make nothing of what the rest of a page begins with (`Guard.rest`), once `rest.isReached`. It is reached in the
 * rewriter's own time, some while after the guard found it: handlers of elements ask whether it is before they do anything. To be called before any
 * other handler is given to the rewriter.
 */
export function registerRest(rewriter, rest) {
  // What is behind them is all of the rest, as none of them ends.
  const leaveOut = (tag) => rest.isReached && tag.removeAndKeepContent();
  rewriter
    .on(`keygen[${MARK}]`, {
      element(tag) {
        rest.isReached = true;
        leaveOut(tag);
      },
    })
    .on(`listing[${MARK}], plaintext[${MARK}]`, { element: leaveOut })
    .on("select template", { element: (template) => template.onEndTag((tag) => rest.isReached && tag.remove()) });
}

/** Nothing better can be done once bytes went out than to let the visitor's browser know that some are missing. */
function brokenOff(error, writable) {
  log("error", "page_broke_off", "a page broke off", { error });
  return writable.abort(error).catch(() => {});
}

async function put({ writable }, chunks) {
  const writer = writable.getWriter();
  for (const chunk of chunks) {
    await writer.write(chunk);
  }
  writer.releaseLock();
}

/** All that a reader still has. By hand: workerd has no `pipeTo` from one of its transforms into another. */
async function copy(reader, { writable }) {
  const writer = writable.getWriter();
  let buffer = new ArrayBuffer(CHUNK);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) {
      break;
    }
    await writer.write(value);
    buffer = value.buffer;
  }
  writer.releaseLock();
}

/** Gives the rewriter a page: `first`, which the guard has read, and what is still to be read. */
async function feed(reader, first, begun, guard, writer, fragments) {
  /** The beginning of a tag that has not ended. */
  let held = [];
  const release = async () => {
    for (const piece of held.splice(0)) {
      await writer.write(piece);
    }
  };
  try {
    let isRest = false;
    for (let chunk = first; chunk.length > 0; ) {
      if (isRest) {
        await writer.write(chunk);
      } else {
        const { from, stop } = chunk === first ? begun : guard.scan(chunk);
        if (from >= 0) {
          await release();
          for (const piece of from > 0 ? fragments.pieces(chunk.subarray(0, from)) : []) {
            await writer.write(piece);
          }
        }
        if (from < chunk.length) {
          held.push(chunk.slice(Math.max(from, 0)));
        }
        if (stop) {
          isRest = true;
          await writer.write(new TextEncoder().encode(guard.rest()));
          await release();
        }
      }
      // What was written has been taken, and what is held was copied: the buffer is free.
      const { done, value } = await reader.read(new Uint8Array(chunk.buffer));
      if (done) {
        break;
      }
      chunk = value;
    }
    await release();
    await writer.close();
  } catch (error) {
    // What came before goes out before it is told that no more comes.
    await scheduler.wait(1);
    // Each side may be waiting for the other.
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
    throw error;
  }
}
