/** The client where there is no page, as where a component is rendered on a server: it knows what it is given, asks nothing and tells nothing. */
import { IdoineError } from "../../src/errors.ts";
import type { ConsentStatus, Idoine, State } from "../../src/types.ts";

const done = async (): Promise<void> => {};

export function nobody(state?: State): Idoine {
  const decisions = state?.decisions ?? [];
  const unasked = async (): Promise<ConsentStatus> => {
    throw new IdoineError("client_missing", "consent: there is no page here, and no visitor to ask");
  };
  return {
    ready: Promise.resolve(),
    decisions: () => decisions,
    decision: (slot) => decisions.find((one) => one.slot === slot),
    value: (slot: string) => state?.values[slot] as any,
    subscribe: () => () => {},
    decide: async () => decisions,
    track: done,
    page: done,
    observe: () => () => {},
    identify: done,
    group: done,
    profile: async () => ({}),
    reset: done,
    consent: { get: unasked, set: unasked },
    debug: () => ({ mode: "static", version: state?.version ?? "", url: "", decisions, edits: state?.edits ?? [], error: undefined, events: [] }),
    stop() {},
  };
}
