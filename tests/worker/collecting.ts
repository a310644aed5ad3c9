// A Worker that takes events, with a real queue behind its shards: what arrives there was on disk before.

import type { Init, Options, Reply, TestWorker } from "./harness.ts";
import { signedId, startWorker } from "./harness.ts";

export const KEY = "a secret of these tests";
export const SERVER_KEY = "nJ0bqV6yZ3kT8wQ5xR2mL7cD";
/** Keys of a page, of a server with a basis, and of one without. */
export const WRITE_KEYS = `browser:site:pub-1:analytics+personalization browser:bare:pub-2 server:erp:${SERVER_KEY}:analytics+personalization server:plain:${"P".repeat(24)}`;
export const READ = "read-token-of-these-tests";

export const SITE = {
  site: { id: "shop", hosts: ["shop.example", "www.shop.example", "localhost", "127.0.0.1"], timezone: "Europe/Paris" },
  traits: {
    plan: { type: "string", purpose: "personalization" },
    segment: { type: "string", purpose: "analytics" },
    newsletter: { type: "string", purpose: "marketing" },
  },
  events: {
    "Product Viewed": { properties: { product_id: { type: "string", required: true }, price: { type: "double" } } },
    "Order Completed": { trusted: true, properties: { revenue: { type: "double", required: true }, currency: { type: "string", enum: ["EUR", "USD"] } } },
    "Ad Clicked": { purpose: "marketing" },
    "Signed Up": {},
  },
  audiences: { viewers: "profile.count('Product Viewed', '7d') > 1", pros: "profile.plan == 'pro'" },
  slots: { hero: { selector: "h1" } },
  experiences: [{ id: "seen", type: "personalization", audience: "viewers || pros", slots: { hero: { text: "You looked around" } } }],
};

/** An event as it came out of the store. */
export type Stored = Record<string, any>;

export interface Collecting extends TestWorker {
  /** Sends a body, JSON unless it is text or bytes. */
  post(path: string, body: unknown, init?: Init): Promise<Reply>;
  /** All events that came out of the store so far, in no order. */
  stored(): Promise<Stored[]>;
  /** Waits until events with all these messageIds, or as many as `ids` says, came out of it. */
  arrived(ids: number | string[]): Promise<Stored[]>;
  /** The data points of requests that brought events, by address, and what became of those: accepted, duplicate, dropped, rejected, failed. */
  points(): Promise<[string, number[]][]>;
  /** Waits until everything that is on disk by now has come out: an event that is sent now comes last. */
  settled(): Promise<Stored[]>;
}

/** Starts it. `x-fault: shards` has every shard fail; `x-fault: lost` has the answer get lost behind the Worker. */
export async function startCollecting(options: Options = {}): Promise<Collecting> {
  const worker = await startWorker({
    manifest: SITE,
    profiles: true,
    ...options,
    vars: { IDOINE_KEY: KEY, IDOINE_WRITE_KEYS: WRITE_KEYS, IDOINE_TOKENS: `read:tests:${READ}`, ...options.vars },
    bindings: { queueProducers: { EVENTS: "events" }, queueConsumers: { events: { maxBatchSize: 100, maxBatchTimeout: 0 } }, ...options.bindings },
    before: `const got = [], points = []; let faults = 0; let fault = "";`,
    around: `
      if (request.headers.has("x-got")) return Response.json(got);
      if (request.headers.has("x-points")) return Response.json(points);
      env = { ...env, COUNTERS: { writeDataPoint: (point) => points.push(point) } };
      if (request.headers.has("x-faults")) { [faults, fault] = JSON.parse(request.headers.get("x-faults")); return new Response("ok"); }
      const isCollect = request.method === "POST" && new URL(request.url).pathname.startsWith("/_idoine/");
      if (isCollect && faults > 0) {
        faults -= 1;
        const failing = { ...env, PROFILES: { idFromName: (name) => name, get: () => ({ accept: async () => { throw new Error("a shard that fails"); } }) } };
        const answer = await worker.fetch(request, fault === "shards" ? failing : env, ctx);
        return fault === "lost" ? new Response("lost", { status: 502, headers: { "access-control-allow-origin": "*" } }) : answer;
      }
      ${options.around ?? "return worker.fetch(request, env, ctx);"}`,
    handlers: "async queue(batch) { for (const message of batch.messages) { got.push(message.body); message.ack(); } },",
  });
  const post = (path: string, body: unknown, init: Init = {}) =>
    worker.fetch(path.startsWith("http") ? path : `/_idoine/${path}`, { method: "POST", body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body), ...init });
  const stored = async () => (await worker.fetch("/", { headers: { "x-got": "1" } })).json<Stored[]>();
  const arrived = async (ids: number | string[]) => {
    for (let tries = 0; tries < 400; tries += 1) {
      const found = await stored();
      if (typeof ids === "number" ? found.length >= ids : ids.every((id) => found.some(({ messageId }) => messageId === id))) {
        return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`what was accepted does not arrive: ${JSON.stringify(ids)}\n${worker.logs.join("\n")}`);
  };
  let sent = 0;
  return {
    ...worker,
    get address() {
      return worker.address;
    },
    post,
    stored,
    arrived,
    async points() {
      const points = (await worker.fetch("/", { headers: { "x-points": "1" } })).json<{ blobs: string[]; doubles: number[] }[]>();
      return points.map(({ blobs, doubles }): [string, number[]] => [blobs[1]!, doubles.slice(-5)]).filter(([, numbers]) => numbers.some((number) => number > 0));
    },
    async settled() {
      // Each shard has an outbox of its own: an event of the same visitor stands behind all others there.
      sent += 1;
      const ids = ["anna-0001", "x"].map((id) => `last-${sent}-${id}`);
      await post("collect", { events: [{ type: "page", messageId: ids[0], anonymousId: "anna-0001" }, { type: "page", messageId: ids[1], anonymousId: "x" }] }, { headers: { "x-write-key": SERVER_KEY } });
      return (await arrived(ids)).filter(({ messageId }) => !String(messageId).startsWith("last-"));
    },
  };
}

/** Has the next requests that bring events fail: their shards, or what is on the way behind the Worker. */
export const failing = (worker: TestWorker, requests: number, fault: "shards" | "lost") => worker.fetch("/", { headers: { "x-faults": JSON.stringify([requests, fault]) } });

/** The cookies of a visitor who agreed to some purposes. */
export const cookies = (id: string, ...purposes: string[]) => `idoine_consent=${["v1", ...purposes].join(".")}; idoine_id=${signedId(id, KEY)}`;

/** What a page of the site sends along. */
export const page = (id: string, ...purposes: string[]) => ({ origin: "https://shop.example", "sec-fetch-site": "same-origin", cookie: cookies(id, ...purposes) });
