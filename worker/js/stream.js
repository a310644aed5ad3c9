// A page's bytes on their way through the rewriter, or past it. What the rewriter can't take (guard.js) goes out behind
// what it made of the rest, so that the visitor always has the whole page, edited as far as it went.

import { Guard } from "./guard.js";
import { log } from "./log.js";

/** Bytes asked for at once; what is there is given at once, however little. */
export const CHUNK = 1 << 16;

/**
 * Reads the beginning of a body: its reader, and its first bytes, which are none only when the body is empty. They are those that
 * came at once, unless `isEnough` wants more of them; then those up to where it has enough, or to the end.
 */
export async function begin(body, isEnough = () => true) {
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(CHUNK);
  let length = 0;
  /** What was read, should the body break off. */
  let kept = new Uint8Array(0);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer, length));
      if (done) {
        return { reader, first: kept };
      }
      buffer = value.buffer;
      length += value.length;
      const first = new Uint8Array(buffer, 0, length);
      if (length === CHUNK || isEnough(first)) {
        return { reader, first };
      }
      kept = first.slice();
    }
  } catch (error) {
    if (length > 0) {
      // Whoever reads on meets the same error, behind what came before it.
      return { reader, first: kept };
    }
    reader.releaseLock();
    throw error;
  }
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
 * A body that was begun, edited: `body`, and `ended`, a promise that rejects when it broke off. `edit` makes a stream of a stream.
 * Where the rest can't be edited, `through.isWhole` becomes false before the stream to edit ends; the rest follows as it is, and behind
 * it the markup from `tail`, if any. `through.fragments` go in where `edit` left their marks.
 */
export function edited({ reader, first }, edit, through, tail) {
  const input = new IdentityTransformStream();
  const output = new IdentityTransformStream();
  const made = edit(input.readable);
  const { fragments } = through;
  const copyEdited = (made) => (fragments.isEmpty ? copy(made, output) : fragments.copy(made, output));
  const run = async () => {
    const failed = async (error) => {
      // Each side may be waiting for the other.
      await Promise.allSettled([reader.cancel(error), output.writable.abort(error)]);
      throw error;
    };
    const [rest] = await Promise.all([feed(reader, first, input, through), copyEdited(made.getReader({ mode: "byob" })).catch(failed)]);
    if (!through.isWhole) {
      await put(output, rest);
      await copy(reader, output);
      const markup = tail();
      if (markup) {
        await put(output, [new TextEncoder().encode(markup)]);
      }
    }
    await output.writable.close();
  };
  const ended = run();
  ended.catch((error) => brokenOff(error, output.writable));
  return { body: output.readable, ended };
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

/** Gives the rewriter all that it can take; the chunks that were read and that it must not see. */
async function feed(reader, first, { writable }, through) {
  const guard = new Guard();
  const writer = writable.getWriter();
  /** The beginning of a tag that has not ended. */
  let held = [];
  try {
    for (let chunk = first; chunk.length > 0; ) {
      const { from, stop } = guard.scan(chunk);
      if (from >= 0) {
        for (const piece of held.splice(0)) {
          await writer.write(piece);
        }
        if (from > 0) {
          for (const piece of through.fragments.pieces(chunk.subarray(0, from))) {
            await writer.write(piece);
          }
        }
      }
      if (from < chunk.length) {
        held.push(chunk.slice(Math.max(from, 0)));
      }
      if (stop) {
        through.isWhole = false;
        await writer.close();
        return held;
      }
      // What was written has been taken, and what is held was copied: the buffer is free.
      const { done, value } = await reader.read(new Uint8Array(chunk.buffer));
      if (done) {
        break;
      }
      chunk = value;
    }
    for (const piece of held) {
      await writer.write(piece);
    }
    await writer.close();
    return [];
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}
