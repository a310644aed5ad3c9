// When a sink that failed is tried again, and what is told of why it did.

/** The first pause, and the longest, in milliseconds. */
const FIRST_MS = 5000;
const LONGEST_MS = 3600 * 1000;

/**
 * How long to wait after so many failures in a row: four times as long each time (5 s, 20 s, 80 s ...), an hour at most, less a random part of
 * up to half, so that shards whose sink failed at once do not all come back at once.
 */
export function later(fails, longest = LONGEST_MS) {
  const pause = Math.min(FIRST_MS * 4 ** Math.min(fails - 1, 20), longest);
  return Math.round(pause * (0.5 + Math.random() / 2));
}

/** What a failure says of itself, for the owner. */
export function reasonOf(error) {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
