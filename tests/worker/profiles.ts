// A Worker whose shards of profiles are asked by the tests themselves: what collect does between a request and them is left out.

import type { Options, TestWorker } from "./harness.ts";
import { startWorker } from "./harness.ts";
import { TRAP_MODULE } from "./wasm.ts";

/** A manifest that reads what the tests' events say. */
export const LEARNING = {
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: {
    plan: { type: "string", purpose: "personalization" },
    city: { type: "string", purpose: "personalization", settle: "first" },
  },
  rfm: {},
  audiences: {
    shoppers: "profile.count('Product Viewed') >= 3",
    pros: "profile.plan == 'pro'",
    french: "geo.country == 'FR'",
    parisians: "profile.city == 'Paris'",
    champions: "profile.rfm.segment == 'champions' || profile.sum('Order Completed', 'revenue') > 1000.0",
  },
  slots: { hero: { selector: "h1" } },
  experiences: [
    { id: "shoes", type: "personalization", audience: "shoppers", slots: { hero: { text: "You like it" } } },
    { id: "pro", type: "personalization", audience: "pros", slots: { hero: { text: "Pro" } } },
  ],
};

/** The count that the tests read most. */
export const VIEWS = "profile.count('Product Viewed')";

export const OWNER = "read-token-of-the-tests-0";
export const PUBLISHER = "publish-token-of-the-tests";

/** When the tests' events happen: the first of them. */
export const AT = Date.UTC(2026, 10, 20, 12);

let number = 0;

export type Event = Record<string, any>;

/** An event with what makes it one; each is a second behind the one that was made before it. */
export function event(more: Event = {}): Event {
  number += 1;
  return {
    messageId: `m${String(number).padStart(6, "0")}`,
    type: "track",
    event: "Product Viewed",
    anonymousId: "anna-0001",
    timestamp: AT + number * 1000,
    receivedAt: AT + number * 1000,
    site: "shop",
    properties: { product_id: `p${number}` },
    source: "browser",
    trusted: false,
    consent: ["analytics", "personalization"],
    ...more,
  };
}

export interface Given {
  own?: { anonymousId: string; user?: string; claimed?: string; others?: string[] };
  imported?: boolean;
  keep?: boolean;
  fold?: boolean;
}

export interface Profiles extends TestWorker {
  /** Gives events to their shards as collect does: a status for each, and what the browser `own` is told, in hex. */
  give(events: Event[], more?: Given): Promise<{ statuses: string[]; projection?: string }>;
  /** What the program reads of a profile; null when there is no such profile. */
  readings(key: string): Promise<Record<string, string> | null>;
  /** An answer of the owner's API to who may publish. */
  api(path: string, method?: string, body?: object): Promise<{ status: number; body: any }>;
  /** Rows of the shard that a profile is in. */
  rows(key: string, query: string): Promise<any[]>;
  /**
   * From then on shards do not take (`accept`) or get (`receive`) anything, or fail when they are asked `own` by that name; of `unfold` the
   * events trap that say the zone Trap/Now. What they get takes `slow` milliseconds.
   */
  fail(what: { accept?: boolean; receive?: boolean; own?: string; unfold?: boolean; slow?: number }): Promise<void>;
  /** Writes objects to the bucket EVENTS_BUCKET, by their names. */
  put(objects: [string, string][]): Promise<void>;
  /** What shards were asked by `own` since this was asked last: `<number> <name>` each. */
  asked(): Promise<string[]>;
}

/** Starts it. */
export async function startProfiles(options: Options = {}): Promise<Profiles> {
  const worker = await startWorker({
    manifest: LEARNING,
    profiles: true,
    parts: ["profiles/shards.js"],
    modules: { "trap.wasm": TRAP_MODULE },
    ...options,
    vars: { IDOINE_TOKENS: `read:ci:${OWNER} publish:anna:${PUBLISHER}`, ...options.vars },
    before: `
      import trapModule from "./trap.wasm";
      const trap = new WebAssembly.Instance(trapModule).exports.trap;
      let failing = {};
      let asked = [];
      // What the Rust side asks of its host for an event with a time zone.
      const get = Map.prototype.get;
      Map.prototype.get = function (key) {
        if (key === "Trap/Now" && failing.unfold) trap();
        return get.call(this, key);
      };
      let patched = false;
      const patch = (Profiles) => {
        if (patched) return;
        patched = true;
        for (const name of ["accept", "receive", "own"]) {
          const method = Profiles.prototype[name];
          Profiles.prototype[name] = function (...given) {
            if (name === "own") asked.push(given[1] + " " + given[2]);
            if (name === "own" ? failing.own === given[2] : failing[name]) throw new Error("broken on purpose");
            const late = name === "receive" && failing.slow;
            return late ? new Promise((resolve) => setTimeout(resolve, late)).then(() => method.apply(this, given)) : method.apply(this, given);
          };
        }
        Profiles.prototype.rows = function (query) { return this.ctx.storage.sql.exec(query).toArray(); };
      };
      ${options.before ?? ""}`,
    around: `
      patch(parts.Profiles);
      if (!request.headers.has("x-do")) return worker.fetch(request, env, ctx);
      const { name, given } = await request.json();
      const site = { id: "shop" };
      if (name === "fail") {
        failing = given[0];
        return Response.json(null);
      }
      if (name === "asked") {
        return Response.json(asked.splice(0));
      }
      if (name === "put") {
        for (const [key, text] of given[0]) await env.EVENTS_BUCKET.put(key, text);
        return Response.json(null);
      }
      if (name === "rows") {
        return Response.json(await parts.shardNamed(env, "shop", await parts.shardOf(given[0])).rows(given[1]));
      }
      const { own, imported = false, keep = true, fold = true } = given[1] ?? {};
      const { statuses, projection } = await parts.give({ env, ctx, site }, given[0].map((event) => ({ event, keep, fold })), { own, imported });
      return Response.json({ statuses, projection: projection && [...projection].map((byte) => byte.toString(16).padStart(2, "0")).join("") });`,
  });
  const ask = async (name: string, given: unknown[]) => {
    const reply = await worker.fetch("/", { method: "POST", headers: { "x-do": "1" }, body: JSON.stringify({ name, given }) });
    if (reply.status !== 200) {
      throw new Error(`${name}: ${reply.status} ${reply.text} ${worker.logs.join("\n")}`);
    }
    return reply.json();
  };
  const api = async (path: string, method = "GET", body?: object) => {
    const init = { method, headers: { authorization: `Bearer ${PUBLISHER}` }, ...(body && { body: JSON.stringify(body) }) };
    const reply = await worker.fetch(`/_idoine/api/${path}`, init);
    return { status: reply.status, body: /\/json$/.test(reply.header("content-type") ?? "") ? reply.json() : reply.text };
  };
  return {
    ...worker,
    get address() {
      return worker.address;
    },
    give: (events, more) => ask("give", [events, more]),
    readings: async (key) => (await api(`profile/${encodeURIComponent(key)}`)).body.readings ?? null,
    api,
    rows: (key, query) => ask("rows", [key, query]),
    fail: (what) => ask("fail", [what]),
    asked: () => ask("asked", []),
    put: (objects) => ask("put", [objects]),
  };
}
