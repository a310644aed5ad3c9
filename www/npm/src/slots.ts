/** What each slot shows, as components ask for it: of a client, or of what a server decided. */
import type { Decision, Edit, Idoine, State } from "../../src/types.ts";

/** What one slot shows. The same object as long as nothing of it changes. */
export interface Shown {
  readonly decision: Decision | undefined;
  readonly value: unknown;
  /** What is to be done to its element. */
  readonly edits: readonly Edit[];
}

export interface Slots {
  of(slot: string): Shown;
  /** Calls back when any slot may show something else; returns a function that ends it. */
  subscribe(listener: () => void): () => void;
}

/** Of a slot, among these. */
const editsOf = (edits: readonly Edit[] | undefined, slot: string): readonly Edit[] => edits?.filter((edit) => edit.slot === slot && edit.op !== "json") ?? [];

/** What was decided once and does not change. */
export function slotsOf(state: State | undefined): Slots {
  const known = new Map<string, Shown>();
  return {
    of(slot) {
      let shown = known.get(slot);
      if (!shown) {
        const decision = state?.decisions.find((one) => one.slot === slot);
        known.set(slot, (shown = { decision, value: state?.values[slot], edits: editsOf(state?.edits, slot) }));
      }
      return shown;
    },
    subscribe: () => () => {},
  };
}

/** What the client shows now. */
export function slotsIn(client: Idoine): Slots {
  const known = new Map<string, Shown>();
  /** The slots that were looked at since the last answer; each answer is a list of its own. */
  const seen = new Set<string>();
  let answer = client.decisions();
  return {
    of(slot) {
      if (client.decisions() !== answer) seen.clear();
      answer = client.decisions();
      const last = known.get(slot);
      if (last && seen.has(slot)) return last;
      seen.add(slot);
      const fresh: Shown = { decision: client.decision(slot), value: client.value(slot), edits: editsOf(client.debug().edits, slot) };
      if (last && JSON.stringify(last) === JSON.stringify(fresh)) return last;
      known.set(slot, fresh);
      return fresh;
    },
    subscribe: (listener) => client.subscribe(listener),
  };
}
