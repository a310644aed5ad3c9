/** Decisions and consent asked from the Worker: before this site (`edge`) or at another host name (`api`). */
import type { Decider } from "./page.ts";
import type { Answer, ConsentStatus } from "./types.ts";

/** After this the page is better left as it is than changed before the visitor's eyes. */
const PAGE_PATIENCE_MS = 3000;
/** Nobody looks at what takes longer; what is withdrawn is being deleted meanwhile. */
const PATIENCE_MS = 9000;

/**
 * One call below `/_idoine/` of the Worker at `api` (this site's own by default), answered as JSON: without a body it asks, with null it
 * takes away what is there. It is made even if the page is left meanwhile.
 */
export async function call<T>(api: string | undefined, path: string, body?: unknown, patience = PATIENCE_MS): Promise<T> {
  const response = await fetch(new URL("/_idoine/" + path, new URL(api ?? "", location.href)), {
    credentials: "include",
    keepalive: true,
    signal: AbortSignal.timeout?.(patience),
    method: body ? "POST" : body === null ? "DELETE" : "GET",
    // As text, another host is asked without a preflight first.
    body: JSON.stringify(body),
  });
  if (!response.ok) throw Error(path + ": " + response.status);
  return response.json() as Promise<T>;
}

/**
 * Decisions from the Worker at `api`, or from the one before this site, which says with the page whether it counts what is done there without
 * the visitor (`measures`).
 */
export function remote(api?: string, measures?: unknown): Decider {
  /** The choice as the Worker told it last. Its cookie can be read on this site's own host alone. */
  let known: ConsentStatus | undefined;
  const consent = async (choice?: object): Promise<ConsentStatus> => (known = await call<ConsentStatus>(api, "consent", choice));
  const mode = api == null ? "edge" : "api";
  return {
    mode,
    decide: (url, referrer) => call<Answer>(api, "decide", { url, referrer }, PAGE_PATIENCE_MS),
    async send(path, body) {
      const said = /idoine_consent=v[12](\.[a-z])?/.exec(document.cookie);
      // What is counted of nobody says what was done, and nothing of who did it.
      const isOfNobody = /page|track/.test((body as any)?.events?.[0].type);
      const agreed = api == null ? (said ? said[1] : measures && isOfNobody) : (known ?? (await consent())).granted[0] || (known!.measured && isOfNobody);
      if (agreed) await call(api, path, body);
    },
    consent: {
      get: () => consent(),
      set: (granted, details) => consent({ granted, ...details }),
    },
  };
}
