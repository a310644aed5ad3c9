// The Workers of the benchmark of collect, in one workerd with its objects on disk: Idoine's, Idoine's with many profiles stored, and a
// bare one whose Durable Object makes one SQLite write of each request.
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { LOCAL } from "../paths.mjs";
import { Problem } from "../run.mjs";
import { Connection, parse } from "./connection.mjs";
import { compatibilityDate, compile, idoine, publish, workerdOf } from "./workers.mjs";

/** In how many shards profiles are: the bare objects are as many, found in the same way. */
const SHARDS = 64;
const SITE = "collect";
const KEY = "a key of the benchmark of collect";
const SERVER_KEY = "a-server-key-of-the-benchmark";
const TOKEN = "the-owners-token-of-the-benchmark";
const COUNT = "profile.count('Product Viewed', '7d')";

/** The words that pages show to who is known to have looked at something. */
export const SEEN = "Seen before";

const MANIFEST = {
  site: { id: SITE, hosts: ["shop.example"], timezone: "Europe/Paris" },
  affinities: { category: {} },
  slots: { headline: { selector: "header h1", pages: ["/one/*"] }, lead: { selector: "header p.lead", pages: ["/one/*"] } },
  experiences: [
    { id: "seen", type: "personalization", audience: `${COUNT} >= 1`, slots: { headline: { text: SEEN } } },
    { id: "fond", type: "personalization", audience: "profile.affinity('category') == 'shoes'", slots: { lead: { text: "Shoes again" } } },
  ],
};

/** Around Idoine's: what the benchmark asks of shards beside what it measures. */
const AROUND = `
import worker, { Profiles as Shard } from "./index.js";
export class Profiles extends Shard {
  #sql;
  constructor(ctx, env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
  }
  state(key) {
    return this.#sql.exec("SELECT state FROM parts WHERE profile = ? AND state IS NOT NULL", key).toArray()[0]?.state;
  }
  fill(state, count) {
    this.#sql.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO parts (profile, pushed, name, version, state, came) SELECT 'a:stored-' || i, 0, '', 1, ?2, ?3 FROM n", count, state, Date.now());
  }
  profiles() {
    return this.#sql.exec("SELECT count(DISTINCT profile) AS n FROM parts").one().n;
  }
}
export default {
  async fetch(request, env, ctx) {
    const asked = request.headers.get("x-bench");
    if (asked === null) return worker.fetch(request, env, ctx);
    const { key, count } = JSON.parse(asked);
    const shards = Array.from({ length: ${SHARDS} }, (_, at) => env.PROFILES.get(env.PROFILES.idFromName("${SITE}/" + at)));
    if (count !== undefined) {
      const state = (await Promise.all(shards.map((shard) => shard.state(key)))).find((one) => one !== undefined);
      await Promise.all(shards.map((shard, at) => shard.fill(state, Math.floor(count / ${SHARDS}) + (at < count % ${SHARDS} ? 1 : 0))));
    }
    const stored = await Promise.all(shards.map((shard) => shard.profiles()));
    return Response.json(stored.reduce((sum, one) => sum + one, 0));
  },
};
`;

/** What is written by hand: the body into a table, in the object that the visitor's id says, or in one for all. */
const BARE = `
import { DurableObject } from "cloudflare:workers";
export class Store extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
  }
  write(json) {
    this.ctx.storage.sql.exec("INSERT INTO events (json) VALUES (?)", json);
  }
  rows() {
    return this.ctx.storage.sql.exec("SELECT count(*) AS n FROM events").one().n;
  }
}
const named = (env, at) => env.STORE.get(env.STORE.idFromName(String(at)));
export default {
  async fetch(request, env) {
    if (request.method === "GET") {
      const rows = await Promise.all(Array.from({ length: env.OBJECTS }, (_, at) => named(env, at).rows()));
      return Response.json(rows.reduce((sum, one) => sum + one, 0));
    }
    const json = await request.text();
    let at = 0;
    if (env.OBJECTS > 1) {
      const id = /idoine_id=([\\w-]+)/.exec(request.headers.get("cookie"))[1];
      at = new DataView(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id))).getUint32(0) % env.OBJECTS;
    }
    await named(env, at).write(json);
    return Response.json({ results: [{ status: "accepted" }] });
  },
};
`;

const shop = (name, origin) => {
  const { modules, ...worker } = idoine({ ORIGIN: origin.url, IDOINE_SITE: SITE, IDOINE_KEY: KEY, IDOINE_TOKENS: `read:bench:${TOKEN}`, IDOINE_WRITE_KEYS: `server:erp:${SERVER_KEY}:analytics+personalization` }, name);
  return { ...worker, modules: [{ type: "ESModule", path: "around.js", contents: AROUND }, ...modules], durableObjects: { PROFILES: { className: "Profiles", useSQLite: true } } };
};

const bare = (name, objects) => ({
  name,
  modules: [{ type: "ESModule", path: "index.js", contents: BARE }],
  compatibilityDate: compatibilityDate(),
  bindings: { OBJECTS: objects },
  durableObjects: { STORE: { className: "Store", useSQLite: true } },
});

/**
 * Starts all of them.
 * @returns {Promise<{ports: Record<string, number>, pid: number, close: () => Promise<void>}>}
 */
export async function startCollect(origin, env) {
  const program = await compile(MANIFEST, env);
  mkdirSync(LOCAL, { recursive: true });
  // Not the system's folder for what is temporary, which may be in memory.
  const folder = mkdtempSync(join(LOCAL, "collect-"));
  const socket = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };
  const workers = [shop("idoine", origin), shop("many", origin), bare("bare", SHARDS), bare("single", 1)].map((worker) => ({ ...worker, ...socket }));
  const miniflare = new Miniflare(convertV4MiniflareOptions({ cf: false, resourcePersistencePath: folder, handleStructuredLogs: ({ level, message }) => level === "error" && process.stderr.write(`${message}\n`), workers }));
  const close = async () => {
    await miniflare.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await publish(miniflare, SITE, program);
    const ports = {};
    for (const { name } of workers) ports[name] = Number((await miniflare.unsafeGetDirectURL(name)).port);
    return { ports, pid: workerdOf(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const bytesOf = (method, path, headers, body = "") =>
  Buffer.from([`${method} ${path} HTTP/1.1`, "host: shop.example", ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...(method === "POST" ? [`content-length: ${Buffer.byteLength(body)}`] : []), "", body].join("\r\n"));

const AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

const viewed = (messageId, number) => ({
  type: "track",
  event: "Product Viewed",
  messageId,
  timestamp: new Date().toISOString(),
  properties: { product_id: `sku-${number % 100}`, category: ["shoes", "coats", "tents"][number % 3], price: 20 + (number % 80), currency: "EUR" },
  context: { page: { url: `https://shop.example/products/${number % 100}`, title: "A product", referrer: "https://shop.example/" } },
});

/** A visitor in a browser: their cookies, and what was acknowledged of what they did. */
export class Visitor {
  acknowledged = 0;
  #name;
  #cookies;
  #sent = 0;

  constructor(number) {
    this.#name = `visitor-${String(number).padStart(6, "0")}`;
    const signature = createHmac("sha256", KEY).update(this.#name).digest().subarray(0, 16).toString("base64url");
    this.#cookies = { idoine_consent: "v1.personalization.analytics", idoine_id: `${this.#name}.${signature}` };
  }

  get key() {
    return `a:${this.#name}`;
  }

  get #headers() {
    return { "user-agent": AGENT, "accept-language": "en-GB,en;q=0.9", cookie: Object.entries(this.#cookies).map((pair) => pair.join("=")).join("; ") };
  }

  /** Sends one event; milliseconds until it was acknowledged. */
  async view(connection, messageId = `${this.#name}-${this.#sent}`) {
    const number = this.#sent++;
    const headers = { ...this.#headers, "content-type": "application/json", origin: "https://shop.example", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", accept: "*/*" };
    const request = bytesOf("POST", "/_idoine/collect", headers, JSON.stringify({ events: [viewed(messageId, number)], sentAt: new Date().toISOString() }));
    const { last, raw } = await connection.send(request, true);
    const { head, body } = parse(raw);
    const { status } = JSON.parse(body.toString()).results[0];
    const cookie = /\r\nset-cookie: (idoine_p)=([^;\r]*)/i.exec(head);
    if (cookie) this.#cookies[cookie[1]] = cookie[2];
    if (status === "accepted") this.acknowledged += 1;
    else if (status !== "duplicate") throw new Problem(`an event was ${body}. Nothing was measured.`);
    return { ms: last, status };
  }

  /** How many of their events are in their profile, as the owner is told. */
  async counted(connection) {
    const { raw } = await connection.send(bytesOf("GET", `/_idoine/api/profile/${this.key}`, { authorization: `Bearer ${TOKEN}` }), true);
    const { readings } = JSON.parse(parse(raw).body.toString());
    return Number(readings[COUNT] ?? 0);
  }

  /** A page of theirs; milliseconds until it was whole. */
  async page(connection, path, keep = false) {
    const { last, raw } = await connection.send(bytesOf("GET", path, { ...this.#headers, accept: "text/html", "sec-fetch-dest": "document" }), keep);
    return { ms: last, html: raw && parse(raw).body.toString() };
  }
}

/** A request of a server with events of as many visitors. */
export async function batch(connection, from, size) {
  const events = Array.from({ length: size }, (_, at) => ({ ...viewed(`erp-${from + at}`, from + at), anonymousId: `customer-${(from + at) % 5000}` }));
  const request = bytesOf("POST", "/_idoine/collect", { "content-type": "application/json", "x-write-key": SERVER_KEY }, JSON.stringify({ events }));
  const { raw } = await connection.send(request, true);
  const { results } = JSON.parse(parse(raw).body.toString());
  if (results.length !== size || !results.every(({ status }) => status === "accepted")) throw new Problem(`events of a server were ${JSON.stringify(results.find(({ status }) => status !== "accepted"))}`);
}

/** How many rows the bare objects have. */
export async function rows(port) {
  const connection = await Connection.open(port);
  const { raw } = await connection.get("/", true);
  connection.close();
  return JSON.parse(parse(raw).body.toString());
}

/** How many profiles are stored; `fill` says `{ key, count }`: as many copies of a profile are stored first. */
export async function profiles(port, fill = {}) {
  const connection = await Connection.open(port);
  const { raw } = await connection.send(bytesOf("GET", "/", { "x-bench": JSON.stringify(fill) }), true);
  connection.close();
  return JSON.parse(parse(raw).body.toString());
}
