// What the tests of erasures share: a Worker with everything that holds something of a visitor, visitors who leave marks in all of it, and a
// search through every store: files on disk as they are, tables, KV, objects, logs and cookies, in each way that a text may be written.

import { createHash, createHmac } from "node:crypto";
import { cp, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { startOrigin, startWorker } from "./harness.ts";
import type { Options, Reply, TestOrigin, TestWorker } from "./harness.ts";

export const KEY = "a secret of these tests";
export const OLDER = "the-secret-that-these-tests-had-before";
export const IDENTITY = "the-sites-own-secret-of-32-bytes";
export const PUBLISH = "publish-token-of-the-tests";
const SERVER = "server-key-of-these-tests-24";

const MANIFEST = (receiver: string) => ({
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: {
    plan: { type: "string", purpose: "personalization" },
    city: { type: "string", purpose: "personalization" },
    offer: { type: "string", purpose: "marketing" },
  },
  events: { "Product Viewed": {}, "Ad Clicked": { purpose: "marketing" } },
  audiences: { shoppers: "profile.count('Product Viewed') >= 1" },
  webhooks: {
    slow: { url: `${receiver}/slow`, events: ["Product Viewed"], audiences: ["shoppers"], purpose: "personalization" },
    dead: { url: `${receiver}/dead`, events: ["Product Viewed"], purpose: "analytics" },
    ads: { url: `${receiver}/slow`, events: ["*"], purpose: "marketing" },
  },
  slots: { hero: { selector: "h1" } },
  experiences: [
    { id: "plan", type: "personalization", audience: "profile.plan != ''", slots: { hero: { text: "Plan {{ profile.plan | \"none\" }}" } } },
    { id: "seen", type: "personalization", audience: "shoppers && has(profile.offer)", slots: { hero: { text: "You like it" } } },
  ],
});

/** What a request may have the shards do from then on, by `x-fail`: `forget`, numbers that fail when they are told; `accept`, numbers that take nothing; `bucket`, no object is written, and with `deletes` none deleted; `slow`, how long a part that is handed over is under way. */
const OPTIONS: Options = {
  parts: ["profiles/shards.js", "profiles/erase.js", "sealed.js"],
  before: `
    import { Profiles as Own } from "./index.js";
    let failing = {};
    // How often the bucket was asked for a listing, by what is listed.
    const listings = { partitions: 0, objects: 0 };
    const faulty = (env) => ({ ...env, EVENTS_BUCKET: new Proxy(env.EVENTS_BUCKET, { get: (bucket, name) =>
      name === "list" ? (options) => { listings[options.delimiter ? "partitions" : "objects"] += 1; return bucket.list(options); } :
      ["put", "delete"].includes(name) ? (...given) => { if (failing.bucket && (name === "put" || failing.deletes)) throw new Error("no bucket"); return bucket[name](...given); } : typeof bucket[name] === "function" ? bucket[name].bind(bucket) : bucket[name] }) });
    export class Faulty extends Own {
      constructor(ctx, env) { super(ctx, faulty(env)); }
      async own(site, number, name, ...given) {
        if (name === "forget" && failing.forget?.includes(number)) throw new Error("broken on purpose");
        return super.own(site, number, name, ...given);
      }
      async accept(site, number, ...given) {
        if (failing.accept?.includes(number)) throw new Error("broken on purpose");
        return super.accept(site, number, ...given);
      }
      async receive(...given) {
        if (failing.slow) await new Promise((resolve) => setTimeout(resolve, failing.slow));
        return super.receive(...given);
      }
      rows(query, ...values) { return this.ctx.storage.sql.exec(query, ...values).toArray(); }
      async ring() { await this.ctx.storage.setAlarm(Date.now()); }
      async stop() { await this.ctx.storage.sync(); this.ctx.abort("put out of memory"); }
    }`,
  around: `
    if (!request.headers.has("x-do")) return worker.fetch(request, env, ctx);
    const { name, given } = await request.json();
    const shard = async (key) => parts.shardNamed(env, "shop", typeof key === "number" ? key : await parts.shardOf(key));
    const site = { id: "shop" };
    const calls = {
      fail: (what) => void (failing = what),
      rows: async (key, query, ...values) => (await shard(key)).rows(query, ...values),
      ring: async (key) => (await shard(key)).ring(),
      stop: async (key) => (await shard(key)).stop().catch(() => undefined),
      give: (events, more = {}) => parts.give({ env, ctx, site }, events.map((event) => ({ event, keep: true, fold: true, ...more }))),
      receive: async (key, parcel) => (await shard(key)).receive("shop", await parts.shardOf(key), [{ ...parcel, state: parcel.state && Uint8Array.from(parcel.state) }]),
      unseal: async (id, value) => { const found = await parts.unseal(env, "shop", id, value); return found && { user: found.user, bytes: [...found.bytes] }; },
      kv: async () => { const { keys } = await env.PROGRAMS.list(); return keys.filter(({ name }) => !name.startsWith("program:")); },
      objects: async () => { const { objects } = await env.EVENTS_BUCKET.list(); return Promise.all(objects.map(async ({ key }) => [key, await (await env.EVENTS_BUCKET.get(key))?.text()])); },
      listings: () => listings,
      put: async (key, text) => void (await env.EVENTS_BUCKET.put(key, text)),
    };
    try {
      return Response.json((await calls[name](...given)) ?? null);
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }`,
};

export const AUTHORIZED = { authorization: `Bearer ${PUBLISH}` };

/** The numbers of all shards. */
export const NUMBERS = Array.from({ length: 64 }, (_, number) => number);

/** The pseudonym of a profile by a secret. */
export const pseudonym = (key: string, secret: string) => createHmac("sha256", `idoine pseudonym\n${secret}`).update(key).digest("hex").slice(0, 32);

/** The number of the shard that a profile is in. */
export const numberOf = (key: string) => createHash("sha256").update(key).digest().readUInt32BE(0) % 64;

export class Erasing {
  readonly worker: TestWorker;
  readonly receiver: TestOrigin;
  readonly state: string;
  private readonly origin: TestOrigin;

  private constructor(worker: TestWorker, receiver: TestOrigin, origin: TestOrigin, state: string) {
    [this.worker, this.receiver, this.origin, this.state] = [worker, receiver, origin, state];
  }

  static async start(changes: object = {}): Promise<Erasing> {
    const state = await mkdtemp(join(tmpdir(), "idoine-erasing-"));
    const receiver = await startOrigin({ "/slow": (_, response) => void response.writeHead(500).end(), "/dead": (_, response) => void response.writeHead(410).end() });
    const origin = await startOrigin({ "/": "<!doctype html><html><head><title>x</title></head><body><h1>Welcome</h1></body></html>" });
    const worker = await startWorker({
      origin: origin.url,
      manifest: { ...MANIFEST(receiver.url), ...changes },
      profiles: true,
      state,
      ...OPTIONS,
      vars: {
        IDOINE_KEY: KEY,
        IDOINE_KEYS_OLD: OLDER,
        IDOINE_IDENTITY_SECRET: IDENTITY,
        IDOINE_TOKENS: `publish:anna:${PUBLISH}`,
        IDOINE_WRITE_KEYS: `server:erp:${SERVER}:analytics+personalization+marketing`,
        IDOINE_EVENTS_SECONDS: "1",
        IDOINE_WEBHOOK_SECRET: `whsec_${Buffer.from("k".repeat(32)).toString("base64")}`,
      },
      bindings: { durableObjects: { PROFILES: { className: "Faulty", useSQLite: true } }, r2Buckets: ["EVENTS_BUCKET"] },
    });
    return new Erasing(worker, receiver, origin, state);
  }

  async stop(): Promise<void> {
    await this.worker.dispose();
    await Promise.all([this.receiver.close(), this.origin.close()]);
    await rm(this.state, { recursive: true });
  }

  async do<T = any>(name: string, ...given: unknown[]): Promise<T> {
    const reply = await this.worker.fetch("/", { method: "POST", headers: { "x-do": "1" }, body: JSON.stringify({ name, given }) });
    if (reply.status !== 200) {
      throw new Error(`${name}: ${reply.status} ${reply.text} ${this.worker.logs.slice(-5).join("\n")}`);
    }
    return reply.json();
  }

  rows = (key: string | number, query: string, ...values: unknown[]) => this.do<any[]>("rows", key, query, ...values);

  /** What the owner's API answers. */
  async api(path: string, method = "GET", body?: object): Promise<Reply> {
    return this.worker.fetch(`/_idoine/api/${path}`, { method, headers: AUTHORIZED, ...(body && { body: JSON.stringify(body) }) });
  }

  /** Sends events as a server does. */
  async send(...events: object[]): Promise<string[]> {
    const reply = await this.worker.fetch("/_idoine/collect", { method: "POST", headers: { "x-write-key": SERVER }, body: JSON.stringify({ events }) });
    return reply.json().results?.map(({ status }: any) => status) ?? [reply.text];
  }

  /** Waits until no erasure of a profile's shard is left. */
  async settled(key: string): Promise<void> {
    for (const end = Date.now() + 60_000; (await this.rows(key, "SELECT 1 FROM erasures")).length > 0; ) {
      if (Date.now() > end) throw new Error(`it is not done: ${this.worker.logs.slice(-5).join("\n")}`);
      await this.rows(key, "UPDATE erasures SET due = 1 RETURNING 1");
      await this.do("ring", key);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until an erasure has come to its end, everywhere. Its shard is told to look at once each time, unless it is to come to that `byItself`. */
  async done(key: string, receipt: string, byItself = false): Promise<void> {
    const end = Date.now() + 90_000;
    while ((await this.rows(key, "SELECT 1 FROM receipts WHERE id = ? AND done IS NOT NULL", receipt)).length === 0) {
      if (Date.now() > end) {
        throw new Error(`it is not done: ${JSON.stringify(await this.rows(key, "SELECT * FROM erasures"))} ${this.worker.logs.slice(-5).join("\n")}`);
      }
      if (!byItself) {
        await this.rows(key, "UPDATE erasures SET due = 1 WHERE id = ? RETURNING 1", receipt);
        await this.do("ring", key);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Has all shards that are to write their files anew do so at once. */
  private async anew(): Promise<void> {
    await Promise.all(
      NUMBERS.map(async (number) => {
        // Once in ten minutes at most a shard would do that by itself: other tests' visitors may have been in it.
        if ((await this.rows(number, "UPDATE meta SET value = 1 WHERE name = 'overwrite' RETURNING 1")).length === 0) return;
        await this.do("ring", number);
        for (let tries = 0; (await this.rows(number, "SELECT 1 FROM meta WHERE name = 'overwrite'")).length > 0; tries += 1) {
          if (tries > 600) throw new Error(`shard ${number} does not write its file anew: ${this.worker.logs.slice(-5).join("\n")}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }),
    );
  }

  /** Waits until no shard's journal holds such marks. */
  private async unwritten(marks: string[]): Promise<void> {
    const isIn = async (file: string) => {
      const bytes = await readFile(file).catch(() => Buffer.alloc(0));
      return marks.some((mark) => bytes.includes(mark));
    };
    const journals = async () => Promise.all((await this.files()).filter((file) => /\/do\/.*-wal$/.test(file)).map(isIn));
    for (const end = Date.now() + 60_000; (await journals()).includes(true); ) {
      if (Date.now() > end) throw new Error("a shard with marks in its journal does not sleep");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until shards have written their files anew and sleep, as they do by themselves when nobody asks for them: their journals go with that. */
  async asleep(marks: string[]): Promise<void> {
    await this.anew();
    await this.unwritten(marks);
  }

  /** The same at once: all shards are put out of memory, which closes their databases as sleep does. */
  async stopped(marks: string[]): Promise<void> {
    // All are asked for by that, as their journals lie there from before where workerd was killed.
    await this.anew();
    await Promise.all(NUMBERS.map((number) => this.do("stop", number)));
    await this.unwritten(marks);
  }

  async files(): Promise<string[]> {
    const entries = await readdir(this.state, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  /** Where marks are: `file do`, `table parts`, `kv`, `object`, `log`; of those that are nowhere nothing. */
  async search(marks: string[], cookies: { id: string; value: string }[] = []): Promise<Record<string, string[]>> {
    const found: Record<string, Set<string>> = Object.fromEntries(marks.map((mark) => [mark, new Set()]));
    const look = (place: string, bytes: Buffer) => marks.filter((mark) => holds(bytes, mark)).forEach((mark) => found[mark]!.add(place));
    const copies = await mkdtemp(join(tmpdir(), "idoine-copies-"));
    try {
      for (const file of await this.files()) {
        const bytes = await readFile(file).catch(() => Buffer.alloc(0)); // One that is gone by now holds nothing.
        // state/v3/<kind>/...
        look(`file ${file.slice(this.state.length + 1).split("/")[1]}`, bytes);
        if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
          look("gzip", gunzipSync(bytes));
        }
      }
      await cp(this.state, copies, { recursive: true });
      for (const entry of await readdir(copies, { recursive: true })) {
        if (entry.endsWith(".sqlite")) {
          tables(join(copies, entry), look);
        }
      }
    } finally {
      await rm(copies, { recursive: true });
    }
    look("kv", Buffer.from(JSON.stringify(await this.do("kv"))));
    look("object", Buffer.from(JSON.stringify(await this.do("objects"))));
    look("log", Buffer.from(this.worker.logs.join("\n")));
    for (const { id, value } of cookies) {
      const opened = await this.do<{ user: string; bytes: number[] } | null>("unseal", id, value);
      look("cookie", Buffer.concat([Buffer.from(value), Buffer.from(opened?.user ?? ""), Buffer.from(opened?.bytes ?? [])]));
    }
    return Object.fromEntries(Object.entries(found).filter(([, places]) => places.size > 0).map(([mark, places]) => [mark, [...places].sort()]));
  }
}

/** All rows of a database, by the names of its tables. */
function tables(path: string, look: (place: string, bytes: Buffer) => void) {
  const database = new DatabaseSync(path);
  try {
    const named = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[];
    for (const { name } of named) {
      const select = database.prepare(`SELECT * FROM "${name}"`);
      select.setReadBigInts(true);
      for (const row of select.all()) {
        for (const value of Object.values(row)) {
          look(`table ${name}`, value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)));
        }
      }
    }
  } finally {
    database.close();
  }
}

/** A text in each way that it may be written. Of base64 the middle, which is the same whatever stands before and behind it. */
function forms(mark: string): Buffer[] {
  const bytes = Buffer.from(mark);
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64").replace(/=+$/, "");
    const middle = text.slice(before === 0 ? 0 : before + 1, -1);
    return [middle, middle.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = bytes.toString("hex");
  const all = [mark, JSON.stringify(mark).slice(1, -1), encodeURIComponent(mark), hex, hex.toUpperCase(), ...base64];
  return [...new Set(all)].map((text) => Buffer.from(text)).concat(Buffer.from(mark, "utf16le"));
}

const holds = (bytes: Buffer, mark: string) => forms(mark).some((form) => bytes.includes(form));

const base64url = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** An identity token as the site's server makes it. */
export function token(user: string): string {
  const text = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: user, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${text}.${createHmac("sha256", IDENTITY).update(text).digest("base64url")}`;
}

/** A browser: it keeps cookies as browsers do. */
export class Browser {
  readonly jar = new Map<string, string>();
  private readonly site: Erasing;

  constructor(site: Erasing) {
    this.site = site;
  }

  /** Its `anonymousId`. */
  get id(): string {
    return this.jar.get("idoine_id")?.split(".")[0] ?? "";
  }

  get key(): string {
    return `a:${this.id}`;
  }

  /** What can be opened of its cookies. */
  get sealed(): { id: string; value: string }[] {
    const value = this.jar.get("idoine_p");
    return value === undefined ? [] : [{ id: this.id, value }];
  }

  async fetch(path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const cookie = [...this.jar].map((pair) => pair.join("=")).join("; ");
    const reply = await this.site.worker.fetch(path, { method, headers: { origin: "https://shop.example", cookie, ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    for (const cookie of reply.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    return reply;
  }

  agree = (granted = ["personalization", "analytics", "marketing"]) => this.fetch("/_idoine/consent", "POST", { granted });
  logIn = (user: string) => this.fetch("/_idoine/identity", "POST", { token: token(user) });
  erase = (body: object = {}) => this.fetch("/_idoine/erase", "POST", body);

  async send(...events: object[]): Promise<string[]> {
    const reply = await this.fetch("/_idoine/collect", "POST", { events });
    return reply.json().results?.map(({ status }: any) => status) ?? [reply.text];
  }
}
