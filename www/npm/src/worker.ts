/** What a Worker decides and is told, as `remote.ts` of the loader has it, with errors that have codes: the loader has no room for those. */
import { IdoineError } from "../../src/errors.ts";
import type { Decider } from "../../src/page.ts";
import { remote, remoteLine } from "../../src/remote.ts";
import type { Line } from "../../src/tell.ts";

/** The same function, whose failures say whether the Worker refused, or did not answer. */
function coded<A extends unknown[], T>(ask: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await ask(...args);
    } catch (cause) {
      const { cause: answer } = cause as { cause?: Response };
      const code = answer && answer.status < 500 ? "worker_refused" : "worker_unavailable";
      // Who sends again looks at the answer.
      throw new IdoineError(code, (cause as Error).message, answer ?? cause);
    }
  };
}

export function worker(api: string | undefined): Decider {
  const decider = remote(api);
  return { ...decider, decide: coded(decider.decide) };
}

export function workerLine(api: string | undefined, measure: unknown): Line {
  const line = remoteLine(api, measure);
  return { ...line, agreed: coded(line.agreed), send: coded(line.send), consent: { ...line.consent, get: coded(line.consent.get), set: coded(line.consent.set) } };
}
