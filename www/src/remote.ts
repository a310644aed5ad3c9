/** Decisions and consent asked from the Worker: before this site (`edge`) or at another host name (`api`). */
import type { Decider } from "./page.ts";
import type { Answer, ConsentStatus } from "./types.ts";

/** After this the page is better left as it is than changed before the visitor's eyes. */
const PATIENCE_MS = 3000;

/** One call below `/_idoine/` of the Worker at `api` (this site's own by default), answered as JSON. */
export async function call<T>(api: string | undefined, path: string, body?: unknown, patience = PATIENCE_MS): Promise<T> {
  const response = await fetch(new URL("/_idoine/" + path, new URL(api ?? "", location.href)), {
    credentials: "include",
    signal: AbortSignal.timeout?.(patience),
    // As text, another host is asked without a preflight first.
    ...(body === undefined ? undefined : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json() as Promise<T>;
}

/** Decisions from the Worker at `api`, or from the one before this site. */
export function remote(api?: string): Decider {
  return {
    mode: api === undefined ? "edge" : "api",
    decide: (url, referrer) => call<Answer>(api, "decide", { url, referrer }),
    consent: {
      get: () => call<ConsentStatus>(api, "consent"),
      set: (granted) => call<ConsentStatus>(api, "consent", { granted }),
    },
  };
}
