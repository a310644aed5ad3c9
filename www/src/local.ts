/** Decisions made in this page, for sites of static files: no Worker is needed. */
import { readOverrides, withOverrides } from "./bar/address.ts";
import { localConsent } from "./consent.ts";
import { loadEngine, type Engine, type GetEngine } from "./engine.ts";
import { IdoineError } from "./errors.ts";
import { askDetails, browserFacts } from "./facts.ts";
import type { Outgoing } from "./outbox.ts";
import type { Decider } from "./page.ts";
import { addressOf, call } from "./remote.ts";
import type { Line } from "./tell.ts";
import type { Answer } from "./types.ts";
import type { Pair, RawRequest } from "./wire.ts";
import { zoneOffsets } from "./zone.ts";

/** Nothing that is decided here changes more often. */
const MINUTE_MS = 60_000;
/** The page does not wait longer than this for the place it is seen from. */
const PLACE_PATIENCE_MS = 1000;
/** Nor does it for the browser's versions, which mostly are there before the engine is. */
const DETAILS_PATIENCE_MS = 50;

/**
 * Decisions from the engine with the program at this address. A Worker at `api`, where there is one, tells what
 * a browser cannot know of itself: where it is, in which network, and what enrichments say of that. `notice` is the address of what visitors
 * are told before they choose.
 */
export function local(program: string | Uint8Array, engineOf: GetEngine, api?: string, notice?: string): [Decider, Line, facts: (url: string, referrer: string) => Promise<RawRequest>] {
  let engine: Promise<Engine> | undefined;
  const loaded = (): Promise<Engine> => {
    engine ??= loadEngine(engineOf, program);
    // Perhaps the network was away: the next route may find it back.
    engine.catch(() => (engine = undefined));
    return engine;
  };
  /** What is on its way to the Worker. */
  const sending = new Set<Promise<unknown>>();
  // What came behind an erasure would be there again, and nobody could ask for it any more.
  const worker = api === undefined ? undefined : async <T>(path: string, body?: unknown, patience?: number): Promise<T> => (await Promise.allSettled(sending), call<T>(api, path, body, patience));
  const consent = localConsent(async () => (await loaded()).terms, notice, worker);
  let place: Promise<Pair[]> | undefined;
  let details: Promise<unknown> | undefined;
  /** What is told of who agreed to something; the Worker on its own host has not set these cookies and cannot see them: the events say what they say. */
  async function body(events: readonly Outgoing[]): Promise<object> {
    const { granted } = await consent.get();
    const anonymousId = await consent.id();
    const categoryPreferences = Object.fromEntries(granted.map((purpose) => [purpose, true]));
    return { sentAt: Date.now(), events: events.map((event) => ({ ...event, anonymousId, context: { ...event.context, consent: { categoryPreferences } } })) };
  }

  async function send(path: string, body: unknown): Promise<unknown> {
    if (api === undefined) throw new IdoineError("worker_missing", `${path}: there is no Worker to send it to (data-api)`);
    if (path !== "collect") throw new IdoineError("users_unsupported", `${path}: a page that decides for itself knows no users`);
    return call(api, path, body);
  }

  const line: Line = {
    consent,
    async agreed() {
      const { granted, measured } = await consent.get();
      return granted.length ? "all" : measured && "counted";
    },
    address: (path) => addressOf(api, path).href,
    body,
    async send(path, body) {
      const mine = send(path, body);
      sending.add(mine);
      return mine.finally(() => sending.delete(mine));
    },
  };

  /** What the page at `url` is decided by. On this machine it may say who looks at it, and when, as it may behind a Worker in a preview. */
  async function facts(url: string, referrer: string): Promise<RawRequest> {
    place ??= api === undefined ? Promise.resolve([]) : whereabouts(api);
    details ??= Promise.race([askDetails(), new Promise((resolve) => setTimeout(resolve, DETAILS_PATIENCE_MS))]);
    const [told, cookie] = await Promise.all([place, consent.cookie(), details]);
    const isEnrichment = ([path]: Pair): boolean => path.startsWith("enrichment.");
    const overrides = isLoopback() ? readOverrides(url) : new Map<string, string>();
    const page = overrides.size > 0 ? withOverrides(url, new Map()) : url;
    const now = Date.parse(overrides.get("now") ?? "") || Date.now();
    const request = browserFacts(now, page, referrer, cookie, [...told.filter((pair) => !isEnrichment(pair)), ...overrides]);
    const zone = overrides.get("geo.timezone");
    return { ...request, ...(zone && { offsets: zoneOffsets(zone, now) }), enrichments: told.filter(isEnrichment) };
  }

  let last: { readonly url: string; readonly edits: Answer["edits"] } | undefined;
  const decider: Decider = {
    mode: "static",
    async decide(url, referrer) {
      try {
        const [engine, request] = await Promise.all([loaded(), facts(url, referrer)]);
        const answer = await engine.decide(request);
        // Nobody is asked, so that looking each minute costs less than the bytes that would say when to look.
        // What is the same need not be shown again.
        const isSame = last && JSON.stringify(last.edits) === JSON.stringify(answer.edits) && last.url === url;
        last = { url, edits: isSame ? last!.edits : answer.edits };
        return { ...answer, edits: last.edits, until: (Math.floor(Date.now() / MINUTE_MS) + 1) * MINUTE_MS };
      } catch (cause) {
        // After a second trap another instance may do.
        engine = undefined;
        throw cause;
      }
    },
  };
  return [decider, line, facts];
}

/** Whether this page is of this machine and no other. */
export function isLoopback({ hostname } = location): boolean {
  return /^(?:(?:.+\.)?localhost|\[::1\]|127(?:\.\d{1,3}){3})$/.test(hostname);
}

/** Geography, network and enrichments as the Worker sees them; what follows from them the engine finds. Nothing when it does not answer in time. */
async function whereabouts(api: string): Promise<Pair[]> {
  try {
    const { context } = await call<{ context: Record<string, unknown> }>(api, "context", undefined, PLACE_PATIENCE_MS);
    return Object.entries(context)
      // The zone is the browser's own.
      .filter(([path]) => /^(geo|network|enrichment)\./.test(path) && path !== "geo.timezone")
      .map(([path, value]) => [path, String(value)]);
  } catch {
    return [];
  }
}
