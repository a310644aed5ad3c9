// A Worker whose shards of profiles are asked by the tests themselves: what collect does between a request and them is left out.

import type { Options, TestWorker } from "./harness.ts";
import { startWorker } from "./harness.ts";

/** A manifest with something of everything that is read of profiles. */
export const LEARNING = {
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: { plan: { type: "string", purpose: "personalization" }, city: { type: "string", purpose: "personalization" } },
  audiences: {
    shoppers: "profile.city == 'Paris'",
    pros: "profile.plan == 'pro'",
    french: "geo.country == 'FR'",
  },
  slots: { hero: { selector: "h1" } },
  experiences: [
    { id: "shoes", type: "personalization", audience: "shoppers", slots: { hero: { text: "You like it" } } },
    { id: "pro", type: "personalization", audience: "pros", slots: { hero: { text: "Pro" } } },
  ],
};

/** When the tests' events happen: the first of them. */
export const AT = Date.UTC(2026, 10, 20, 12);

let number = 0;

/** An event with what makes it one. */
export function event(more: Record<string, unknown> = {}): Record<string, unknown> {
  number += 1;
  return {
    messageId: `m${number}`,
    type: "track",
    event: "Product Viewed",
    anonymousId: "anna-0001",
    timestamp: AT + number * 1000,
    receivedAt: AT + number * 1000,
    site: "shop",
    source: "browser",
    trusted: false,
    consent: ["analytics", "personalization"],
    ...more,
  };
}

export interface Entry {
  event: Record<string, unknown>;
  keep?: boolean;
  fold?: boolean;
}

export interface Profiles extends TestWorker {
  /** Gives events to their shards as collect does; `status` for each, and what the browser `own` is told. */
  give(events: Record<string, unknown>[], more?: { own?: object; imported?: boolean; keep?: boolean; fold?: boolean }): Promise<{ statuses: string[]; projection?: Record<string, string> }>;
  /** What is read of a profile, as pairs. */
  pairs(key: string): Promise<Record<string, string> | null>;
  /** Calls a shard by the key of a profile: a method of the class with its arguments behind site and number. */
  call(key: string, method: string, ...given: unknown[]): Promise<any>;
  /** Rows of a shard's database. */
  rows(key: string, sql: string, ...given: unknown[]): Promise<any[]>;
}

/** Starts it. Faults of `x-fault`: `trap:<messageId>` has folding that event trap; `shard:<number>` has a shard's calls fail. */
export async function startProfiles(options: Options = {}): Promise<Profiles> {
  const worker = await startWorker({
    manifest: LEARNING,
    profiles: true,
    parts: ["profiles/shards.js", "profiles/learn.js", "profiles/links.js"],
    ...options,
    before: `${options.before ?? ""}`,
    around: `
      if (!request.headers.has("x-do")) return worker.fetch(request, env, ctx);
      const { name, given } = await request.json();
      const site = { id: "shop" };
      if (name === "give") {
        const { own, imported = false, keep = true, fold = true } = given[1] ?? {};
        const answer = await parts.give({ env, ctx, site }, given[0].map((event) => ({ event, keep, fold })), { own, imported });
        return Response.json({ statuses: answer.statuses, projection: answer.projection && parts.opened(answer.projection) });
      }
      const [key, ...rest] = given;
      const number = await parts.shardOf(key);
      try {
        const answer = await parts.shardNamed(env, "shop", number)[name]("shop", number, ...rest);
        return Response.json(answer ?? null);
      } catch (error) {
        return Response.json({ error: String(error) }, { status: 500 });
      }`,
  });
  const ask = async (name: string, given: unknown[]) => (await worker.fetch("/", { method: "POST", headers: { "x-do": "1" }, body: JSON.stringify({ name, given }) })).json();
  return {
    ...worker,
    get address() {
      return worker.address;
    },
    give: (events, more) => ask("give", [events, more]),
    pairs: (key) => ask("pairs", [key]),
    call: (key, method, ...given) => ask(method, [key, ...given]),
    rows: (key, sql, ...given) => ask("rows", [key, sql, ...given]),
  };
}
