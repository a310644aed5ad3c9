// A shard that keeps events and sends them, and nothing else: the outbox of worker/js/profiles in a Durable Object of the tests' own,
// whose clock is an argument and whose sinks can be made to fail.

import type { Options, TestWorker } from "./harness.ts";

/** An event as shards are given it. */
export function event(n: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    messageId: `m-${n}`,
    type: "track",
    event: "Product Viewed",
    anonymousId: "a-1",
    timestamp: AT + n,
    receivedAt: AT + n,
    site: "shop",
    properties: { n, name: "Schuh für „Käthe“" },
    source: "browser",
    trusted: false,
    consent: ["analytics", "personalization"],
    ...more,
  });
}

/** An instant in the middle of a day. */
export const AT = Date.UTC(2026, 10, 23, 12);

export const SECOND = 1000;
export const DAY = 24 * 3600 * SECOND;

/** What a webhook of the manifest is to a shard. */
export interface Webhook {
  name: string;
  url: string;
  events: string[];
  audiences: string[];
  purpose: string;
}

/** Options of a Worker with such shards. `x-shard` calls a method of one, `x-fault` makes a sink fail from then on, `x-got` tells what the queue delivered. */
export const SHARDS: Options = {
  parts: ["profiles/outbox.js", "profiles/dead.js", "profiles/watch.js", "profiles/sinks/webhook.js"],
  bindings: {
    durableObjects: { SHARDS: { className: "Shard", useSQLite: true } },
    r2Buckets: ["EVENTS_BUCKET"],
    queueProducers: { EVENTS: "events" },
    queueConsumers: { events: { maxBatchSize: 100, maxBatchTimeout: 0 } },
  },
  before: `
    import { DurableObject } from "cloudflare:workers";
    import { audiencesAre, createTables, deadLetters, flush, nextAlarm, put, recheck, resend, signatureOf, sinksOf, waiting } from "./index.js";
    const got = [], batches = [];
    let faults = {};
    // The real bindings, with faults before or behind them.
    const faulty = (env, ctx) => ({
      ...env,
      EVENTS: { async sendBatch(messages) {
        if (faults.queue === "reject") throw new Error("the queue is full");
        batches.push(messages.length);
        await env.EVENTS.sendBatch(messages);
      } },
      EVENTS_BUCKET: { async put(...all) {
        if (faults.r2 === "reject") throw new Error("the bucket is not there");
        await env.EVENTS_BUCKET.put(...all);
        if (faults.r2 === "lost answer") throw new Error("the connection broke");
        if (faults.r2 === "crash") ctx.abort("a crash");
      } },
    });
    export class Shard extends DurableObject {
      constructor(ctx, env) {
        super(ctx, faulty(env, ctx));
        this.sql = ctx.storage.sql;
        this.profiles = [];
        createTables(this.sql, ${AT});
      }
      sinks(webhooks = [], without = []) {
        const env = { ...this.env };
        for (const name of without) delete env[name];
        return [env, sinksOf(env, webhooks)];
      }
      put(lines, now, webhooks, without) { put(this.sql, lines, now, this.sinks(webhooks, without)[1]); }
      async flush(now, webhooks, without) {
        const [env, sinks] = this.sinks(webhooks, without);
        await flush(this.sql, env, { site: "shop", shard: 7 }, sinks, now);
        return nextAlarm(this.sql) ?? null;
      }
      next() { return nextAlarm(this.sql) ?? null; }
      audiences(who, names, now, webhooks) { audiencesAre(this.sql, who, names, now, this.sinks(webhooks)[1]); }
      recheck(now, webhooks, profiles) {
        recheck(this.sql, now, this.sinks(webhooks)[1], (after, limit) => profiles.filter(({ who }) => who.key > after).slice(0, limit));
        return nextAlarm(this.sql) ?? null;
      }
      dead(after, limit) { return deadLetters(this.sql, after, limit); }
      resend(which, now) { return resend(this.sql, which, now); }
      waiting() { return waiting(this.sql); }
      rows(query, ...values) { return this.sql.exec(query, ...values).toArray(); }
    }`,
  around: `
    const asked = request.headers.get("x-shard");
    if (request.headers.has("x-fault")) { faults = JSON.parse(request.headers.get("x-fault")); return new Response(); }
    if (request.headers.has("x-got")) return Response.json({ got, batches });
    if (request.headers.has("x-objects")) {
      const { objects } = await env.EVENTS_BUCKET.list();
      return Response.json(await Promise.all(objects.map(async ({ key }) => [key, await (await env.EVENTS_BUCKET.get(key)).text()])));
    }
    if (request.headers.has("x-sign")) return new Response(await signatureOf(...await request.json()));
    if (asked !== null) {
      const stub = env.SHARDS.get(env.SHARDS.idFromName(asked));
      const [method, ...rest] = await request.json();
      try {
        return Response.json((await stub[method](...rest)) ?? null);
      } catch (error) {
        return new Response(String(error?.stack ?? error), { status: 500 });
      }
    }
    return worker.fetch(request, env, ctx);`,
  handlers: "async queue(batch) { for (const message of batch.messages) { got.push(message.body); message.ack(); } },",
};

/** Calls a method of a shard. */
export async function call<T = any>(worker: TestWorker, shard: string, method: string, ...rest: unknown[]): Promise<T> {
  const reply = await worker.fetch("/", { method: "POST", headers: { "x-shard": shard }, body: JSON.stringify([method, ...rest]) });
  if (reply.status !== 200) {
    throw new Error(`${method}: ${reply.text}`);
  }
  return reply.json();
}

/** What `ask` tells, once it is as `isThere` wants it: what queues deliver comes when it does. */
export async function eventually<T>(ask: () => Promise<T>, isThere: (told: T) => boolean, most = 500, pause = 20): Promise<T> {
  let told = await ask();
  for (let tries = 0; tries < most && !isThere(told); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    told = await ask();
  }
  return told;
}

/** The bucket's objects: names and texts, by name. */
export async function objects(worker: TestWorker): Promise<[string, string][]> {
  return (await worker.fetch("/", { headers: { "x-objects": "1" } })).json();
}

/** The events in NDJSON. */
export function lines(text: string): any[] {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
