/** `window.idoine` before the client is there: it remembers what it is asked. */
import type { Idoine } from "../src/types.ts";

/**
 * One call: a function that is handed the client, or the name of one of its methods with arguments, as in
 * `idoine("subscribe", "hero", show)` or `idoine("consent.set", ["personalization"])`.
 */
export type Call = [job: ((client: Idoine) => unknown) | string, ...args: unknown[]];

/** `window.idoine`, before and after the client has arrived. */
export interface Queue extends Partial<Idoine> {
  (...call: Call): unknown;
  /** Calls that wait for the client. */
  q: Call[] | { push(call: Call): unknown };
  /** The loader's attributes, for pages that would rather say them here. */
  options?: Readonly<Record<string, unknown>>;
  /** Hides what matches until `show()`, and never longer than two seconds. */
  hide?(selector: string, ms?: number): void;
  /** Brings back everything that `hide` has hidden. */
  show?(): void;
  /** The loader runs: another one has nothing to do. */
  loaded?: boolean;
}

declare global {
  interface Window {
    idoine?: Queue;
  }
}

/** A queue without a client. */
export function createQueue(): Queue {
  const queue: Queue = (...call) => {
    queue.q.push(call);
  };
  queue.q = [];
  return queue;
}
