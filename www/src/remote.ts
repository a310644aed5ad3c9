/** Decisions and what is told of the visitor, by the Worker: before this site (`edge`) or at another host name (`api`). */
import type { Decider } from "./page.ts";
import type { Answer, ConsentStatus } from "./types.ts";
import type { Line } from "./tell.ts";

/** After this the page is better left as it is than changed before the visitor's eyes. */
const PAGE_PATIENCE_MS = 3000;
/** Nobody looks at what takes longer; what is withdrawn is being deleted meanwhile. */
const PATIENCE_MS = 9000;

/** The address of something below `/_idoine/` of the Worker at `api`, this site's own by default. */
export const addressOf = (api: string | undefined, path: string): URL => new URL("/_idoine/" + path, new URL(api ?? "", location.href));

/**
 * One call below `/_idoine/` of the Worker at `api`, answered as JSON: without a body it asks, with null it takes away what is there. It is made
 * even if the page is left meanwhile.
 */
export async function call<T>(api: string | undefined, path: string, body?: unknown, patience = PATIENCE_MS): Promise<T> {
  const response = await fetch(addressOf(api, path), {
    credentials: "include",
    keepalive: true,
    signal: AbortSignal.timeout?.(patience),
    method: body ? "POST" : body === null ? "DELETE" : "GET",
    // As text, another host is asked without a preflight first.
    body: JSON.stringify(body),
  });
  if (!response.ok) throw Error(path + ": " + response.status, { cause: response });
  return response.json() as Promise<T>;
}

/** Decisions from the Worker at `api`, or from the one before this site. */
export const remote = (api?: string): Decider => ({
  mode: api == null ? "edge" : "api",
  decide: (url, referrer, slots) => call<Answer>(api, "decide", { url, referrer, slots }, PAGE_PATIENCE_MS),
});

/**
 * What is told to the Worker at `api`, or to the one before this site, which says with the page whether it counts what is done there without
 * the visitor (`measures`).
 */
export function remoteLine(api?: string, measures?: unknown): Line {
  /** The choice as the Worker told it last. Its cookie can be read on this site's own host alone. */
  let known: ConsentStatus | undefined;
  const consent = async (choice?: object): Promise<ConsentStatus> => (known = await call<ConsentStatus>(api, "consent", choice));
  return {
    consent: {
      get: () => consent(),
      set: (granted, details) => consent({ granted, ...details }),
    },
    async agreed() {
      if (api == null) {
        const said = /idoine_consent=v[12](\.[a-z])?/.exec(document.cookie);
        return said ? said[1] && "all" : measures && "counted";
      }
      const { granted, measured } = known ?? (await consent());
      return granted[0] ? "all" : measured && "counted";
    },
    address: (path) => addressOf(api, path).href,
    body: async (events) => ({ events, sentAt: Date.now() }),
    send: (path, body) => call(api, path, body),
  };
}
