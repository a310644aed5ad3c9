// Personal fields: values that are marked are put into all of them, by every way that there is, and looked for everywhere outside. The
// same search finds them where they are meant to be. In workerd, with real shards, a real queue and a real bucket.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { barer } from "../../worker/js/profiles/personal.js";
import { DIST, startOrigin, startWorker } from "./harness.ts";
import type { Received, Reply, TestOrigin, TestWorker } from "./harness.ts";

const ORIGIN = "https://shop.example";
const SERVER_KEY = "nJ0bqV6yZ3kT8wQ5xR2mL7cD";
const READ = "read-token-of-these-tests";
const PUBLISH = "publish-token-of-these-tests";
const SECRET = "the-sites-own-secret-of-32-bytes";

/** What every personal value begins with, and what values beside it begin with, which are to be found everywhere. */
const MARK = "zq7mark";
const PLAIN = "zq8plain";

/** A text as it may stand somewhere: as it is, in hexadecimal, or in base64 wherever in a text of more. */
function guises(text: string): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.from("\0".repeat(before) + text).toString("base64");
    // What depends on its neighbours is left out.
    return encoded.slice(before === 0 ? 0 : before + 1, Math.floor(((before + text.length) * 4) / 3) - 1);
  });
  const url = base64.map((part) => part.replaceAll("+", "-").replaceAll("/", "_"));
  return [text, Buffer.from(text).toString("hex"), ...base64, ...url, [...text].reverse().join("")];
}

/** Whether a text says something that begins so, in any guise and any case. */
function says(where: string, text = MARK): boolean {
  return guises(text).some((guise) => where.includes(guise)) || where.toLowerCase().includes(text);
}

/** An object of a bucket as text: unpacked where it is packed. */
function unpacked(bytes: Buffer): string {
  for (const unpack of [gunzipSync, brotliDecompressSync]) {
    try {
      return unpack(bytes).toString();
    } catch {
      // It is packed otherwise, or not at all.
    }
  }
  return bytes.toString();
}

const string = (more: object = {}) => ({ type: "string", purpose: "personalization", ...more });

const manifest = (receiver: string) => ({
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: {
    email: string({ personal: true }),
    phone: string({ personal: true }),
    diet: string({ sensitive: "health" }),
    plan: string(),
  },
  events: {
    "Order Completed": {
      properties: {
        email: { type: "string", personal: true },
        "delivery.name": { type: "string", personal: true },
        "products.engraving": { type: "string", personal: true },
        allergy: { type: "string", enum: ["none"], sensitive: "health" },
        note: { type: "string" },
      },
      purpose: "analytics",
    },
  },
  audiences: { dieting: `profile.diet == '${MARK}-diet'`, known: `profile.email.startsWith('${MARK}')` },
  enrichments: { weather: { url: `${receiver}/weather?country={{ geo.country }}`, fields: { rain: { type: "bool", path: "rain" } } } },
  slots: {
    hero: { selector: "h1" },
    lead: { selector: "p.lead" },
    link: { selector: "a" },
    part: { selector: "#part" },
    note: { selector: "#note" },
    go: { type: "page", pages: ["/go"] },
  },
  experiences: [
    { id: "hello", type: "personalization", priority: 9, slots: { hero: { text: "Hello {{ profile.email | \"you\" }}", attribute: { title: "{{ profile.phone | \"\" }}" } } } },
    { id: "soup", type: "personalization", audience: "dieting && known", slots: { lead: { text: `${MARK}-soup` } } },
    { id: "path", type: "personalization", slots: { link: { attribute: { href: "/me?plan={{ profile.plan | \"none\" }}" } }, part: { fragment: "/part?plan={{ profile.plan | \"none\" }}" } } },
    { id: "rain", type: "personalization", audience: "!enrichment.weather.rain", slots: { note: { text: "Dry" } } },
    { id: "go", type: "personalization", slots: { go: { redirect: "/there?plan={{ profile.plan | \"none\" }}" } } },
  ],
  webhooks: {
    measured: { url: `${receiver}/measured`, events: ["*"], audiences: ["dieting"], purpose: "analytics" },
    crm: { url: `${receiver}/crm`, events: ["*"], audiences: ["dieting"], purpose: "personalization" },
  },
});

let origin: TestOrigin;
let receiver: TestOrigin;
let worker: TestWorker;
let written: ReturnType<typeof manifest>;
/** Every answer that came, but the owner's own. */
const replies: Reply[] = [];
const jar = new Map<string, string>();

before(async () => {
  const html = '<!doctype html><html><head><title>x</title></head><body><h1>-</h1><p class="lead">-</p><a href="/me">-</a><div id="part">-</div><i id="note">-</i></body></html>';
  origin = await startOrigin({ "*": html, "/part": "<b>part</b>" });
  receiver = await startOrigin({ "*": (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end('{"rain":false}') });
  written = manifest(receiver.url);
  worker = await startWorker({
    origin: origin.url,
    manifest: written,
    profiles: true,
    vars: {
      IDOINE_KEY: "a secret of this test",
      IDOINE_IDENTITY_SECRET: SECRET,
      IDOINE_WRITE_KEYS: `browser:site:pub-1:analytics+personalization server:erp:${SERVER_KEY}:analytics+personalization`,
      IDOINE_TOKENS: `read:tests:${READ} publish:tests:${PUBLISH}`,
      IDOINE_EVENTS_SECONDS: "1",
      IDOINE_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
    },
    bindings: { r2Buckets: ["EVENTS_BUCKET"], queueProducers: { EVENTS: "events" }, queueConsumers: { events: { maxBatchSize: 100, maxBatchTimeout: 0 } } },
    before: "const got = [], points = [];",
    handlers: "async queue(batch) { for (const message of batch.messages) { got.push(message.body); message.ack(); } },",
    around: `
      if (request.headers.has("x-told")) {
        const objects = [];
        for (const { key } of (await env.EVENTS_BUCKET.list()).objects) {
          const bytes = new Uint8Array(await (await env.EVENTS_BUCKET.get(key)).arrayBuffer());
          objects.push([key, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))]);
        }
        return Response.json({ got, points, objects });
      }
      return worker.fetch(request, { ...env, COUNTERS: { writeDataPoint: (point) => points.push(point) } }, ctx);`,
  });
});
after(async () => {
  await Promise.all([worker?.dispose(), origin?.close(), receiver?.close()]);
});

/** A request of one browser, which keeps its cookies. */
async function browse(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<Reply> {
  const cookie = [...jar].map((pair) => pair.join("=")).join("; ");
  const text = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const reply = await worker.fetch(path, { method, headers: { origin: ORIGIN, cookie, "sec-fetch-site": "same-origin" }, cf: { country: "FR" }, ...text });
  for (const line of reply.cookies) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
    jar.set(name!, value!);
  }
  replies.push(reply);
  return reply;
}

async function send(path: string, body: string, headers: Record<string, string>): Promise<Reply> {
  const reply = await worker.fetch(path, { method: "POST", headers, body });
  replies.push(reply);
  return reply;
}

const ownerReads = async (path: string) => (await worker.fetch(`/_idoine/api/${path}`, { headers: { authorization: `Bearer ${READ}` } })).text;

/** What came out: messages of the queue, data points, objects of the bucket. */
async function told(): Promise<{ got: any[]; points: unknown[]; objects: [string, string][] }> {
  const { got, points, objects } = (await worker.fetch("/", { headers: { "x-told": "1" } })).json();
  return { got, points, objects: objects.map(([name, bytes]: [string, string]) => [name, unpacked(Buffer.from(bytes, "base64"))]) };
}

function token(claims: object): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "user-1", exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

const traits = (way: string) => ({ email: `${MARK}-${way}@x.example`, phone: `${MARK}-${way}-phone`, diet: `${MARK}-diet`, plan: `${PLAIN}-${way}` });
const order = (way: string) => ({
  email: `${MARK}-${way}@x.example`,
  delivery: { name: `${MARK}-${way}-name`, city: "Lyon" },
  products: [{ product_id: "1", engraving: `${MARK}-${way}-engraving` }, { product_id: "2", engraving: `${MARK}-${way}-two` }],
  allergy: `${MARK}-${way}-allergy`,
  note: `${PLAIN}-${way}`,
});

const WAYS = ["page", "segment", "server", "import"];

/** Puts them everywhere. */
async function plant(): Promise<void> {
  await browse("/_idoine/consent", { granted: ["personalization", "analytics"] });
  const ordered = (way: string, more: object = {}) => ({ type: "track", event: "Order Completed", messageId: `order-${way}`, properties: order(way), ...more });
  assert.equal((await browse("/_idoine/collect", { events: [{ type: "identify", messageId: "identify-page", traits: traits("page") }, ordered("page", { context: { traits: traits("page") } })] })).status, 200);
  const basic = { authorization: `Basic ${Buffer.from("pub-1:").toString("base64")}`, "content-type": "application/json", origin: ORIGIN, cookie: [...jar].map((pair) => pair.join("=")).join("; ") };
  const batch = [{ anonymousId: "browser-0002", ...ordered("segment", { context: { traits: traits("segment") } }) }, { anonymousId: "browser-0002", type: "identify", messageId: "identify-segment", traits: traits("segment") }];
  assert.equal((await send("/_idoine/v1/batch", JSON.stringify({ batch }), basic)).status, 200);
  const server = [{ userId: "user-1", type: "identify", messageId: "identify-server", traits: traits("server") }, { userId: "user-1", ...ordered("server") }, { userId: "user-1", type: "group", groupId: "g-1", messageId: "group-server", traits: traits("server") }];
  assert.equal((await send("/_idoine/collect", JSON.stringify({ events: server }), { "x-write-key": SERVER_KEY })).status, 200);
  const imported = [{ userId: "user-2", type: "identify", messageId: "identify-import", timestamp: "2026-11-01T00:00:00Z", traits: traits("import") }, { userId: "user-2", timestamp: "2026-11-01T00:00:00Z", ...ordered("import") }];
  const owner = { authorization: `Bearer ${PUBLISH}` };
  assert.equal((await send("/_idoine/api/import?source=crm&purposes=analytics%2Bpersonalization", imported.map((line) => JSON.stringify(line)).join("\n"), owner)).status, 200);
  // What is wrong: nobody quotes it.
  const cut = `{"events": [{"type": "track", "event": "Order Completed", "properties": {"email": "${MARK}-broken`;
  const wrong = [cut, {
    events: [
      { type: `${MARK}-type`, traits: traits("bad") },
      { type: "track", event: "Order Completed", messageId: "when", properties: order("when"), timestamp: `${MARK}-when` },
      { type: "track", event: "Order Completed", messageId: "odd", properties: { email: { inside: `${MARK}-odd` }, delivery: { name: [`${MARK}-odd`] } } },
    ],
  }];
  for (const body of wrong) await browse("/_idoine/collect", body);
  await send("/_idoine/api/import?source=crm", `{"userId": "u", "type": "identify", "traits": {"email": "${MARK}-cut`, owner);
  // A token says more than it has to, and one is wrong.
  assert.equal((await browse("/_idoine/identity", { token: token({ aud: "shop", email: `${MARK}-claim@x.example`, traits: traits("claim") }) })).status, 200);
  await browse("/_idoine/identity", { token: token({ aud: `${MARK}-aud`, email: `${MARK}-claim` }) });
}

async function eventually<T>(read: () => Promise<T>, isThere: (found: T) => boolean, what: string): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await read();
    if (isThere(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}\n${worker.logs.join("\n")}`);
}

const bodyOf = ({ body }: Received) => body.toString();
const at = (path: string) => receiver.received.filter(({ url }) => url.startsWith(path));

test("marked values in personal fields are in no log, URL, cookie, program, data point, message or object", async () => {
  await plant();
  // Pages with what the server said of the user.
  const page = await browse("/?x=1");
  const state = JSON.stringify(page.state);
  const elsewhere = await browse("/go");
  await browse("/_idoine/decide", { url: "https://shop.example/" });
  const violations = await ownerReads("violations");
  const found = await eventually(told, ({ got, objects }) => WAYS.every((way) => [JSON.stringify(got), JSON.stringify(objects)].every((all) => all.includes(`order-${way}`) && all.includes(`identify-${way}`))), "queue and bucket have all of them");
  await eventually(async () => [at("/measured"), at("/crm")], (all) => all.every((list) => list.filter((one) => bodyOf(one).includes('"type":"event"')).length >= 7), "both webhooks are told");

  await test("the same search finds them where they are meant to be", async () => {
    assert.equal(page.status, 200);
    assert.ok(page.text.includes(`Hello ${MARK}-`) && page.text.includes(`title="${MARK}-`) && page.text.includes(`${MARK}-soup`), page.text);
    assert.ok(says(page.text));
    const profile = JSON.parse(await ownerReads("profile/u%3Auser-1"));
    for (const way of ["server"]) assert.ok(JSON.stringify(profile.traits).includes(`${MARK}-${way}@x.example`), JSON.stringify(profile.traits));
    assert.ok(says(JSON.stringify(profile)));
    assert.ok((await ownerReads("profile/u%3Auser-2")).includes(`${MARK}-import@x.example`));
    assert.ok(at("/crm").map(bodyOf).some((body) => says(body) && body.includes(`${MARK}-server-engraving`)), "a webhook that is bound to another purpose");
    // And in a guise.
    for (const text of [MARK, `x${MARK}`, `xx${MARK}yy`]) {
      for (const encoded of [text, Buffer.from(text).toString("hex"), Buffer.from(text).toString("base64"), Buffer.from(text).toString("base64url")]) assert.ok(says(encoded), encoded);
    }
  });

  await test("logs and data points", () => {
    assert.ok(worker.logs.some((line) => line.includes("events_rejected")), "what is wrong is said");
    assert.deepEqual(worker.logs.filter((line) => says(line)), []);
    assert.ok(found.points.length > 5);
    assert.ok(!says(JSON.stringify(found.points)), JSON.stringify(found.points));
  });

  await test("URLs that the origin, the enrichment and the webhooks are asked at, and their headers", () => {
    const asked = [...origin.received, ...receiver.received];
    for (const path of ["/part", "/weather", "/measured", "/crm"]) assert.ok(asked.some(({ url }) => url.startsWith(path)), path);
    assert.ok(asked.some(({ url }) => url.includes(PLAIN)), "what is not personal may stand there");
    for (const { url, headers } of asked) {
      assert.ok(!says(url) && !says(decodeURIComponent(url)), url);
      // The sealed cookie goes on to the origin with the others, or not at all: either way nobody reads it there.
      assert.ok(!says(JSON.stringify(headers)), JSON.stringify(headers));
    }
  });

  await test("cookies, headers and the answers of the API", () => {
    const cookies = replies.flatMap((reply) => reply.cookies);
    assert.ok(cookies.some((cookie) => cookie.startsWith("idoine_p=")), "a projection is there, and sealed");
    assert.deepEqual(cookies.filter((cookie) => says(cookie)), []);
    for (const reply of replies) assert.ok(!says(JSON.stringify(reply.headerList)), JSON.stringify(reply.headerList));
    assert.match(elsewhere.header("location") ?? "", new RegExp(PLAIN));
    for (const reply of replies.filter(({ status }) => status >= 400)) assert.ok(!says(reply.text), reply.text);
    const refused = replies.filter((reply) => reply.text.includes('"rejected"') || reply.text.includes('"violations"'));
    assert.ok(refused.length > 0);
    for (const reply of refused) assert.ok(!says(reply.text), reply.text);
    assert.ok(violations.includes("wrong_type") && violations.includes("wrong_value"), violations);
    assert.ok(!says(violations), violations);
  });

  await test("what scripts in the page read", async () => {
    assert.ok(state.includes('"hello"'), state);
    assert.ok(!says(state), state);
    // Who is not proven is told nothing personal, although the browser's own profile has it.
    await browse("/_idoine/identity", undefined, "DELETE");
    await browse("/_idoine/collect", { events: [{ type: "identify", traits: traits("again") }] });
    const profile = (await browse("/_idoine/profile")).text;
    assert.ok(profile.includes("profile.plan") && says(profile, PLAIN), profile);
    assert.ok(!says(profile), profile);
    assert.ok((await browse("/")).text.includes(`Hello ${MARK}-again`), "its pages show it nevertheless");
  });

  await test("messages of the queue, objects of the bucket, and webhooks that only measure", () => {
    for (const way of WAYS) {
      const [queued, stored] = [found.got, found.objects.flatMap(([, text]) => text.trim().split("\n").map((line) => JSON.parse(line)))].map((all) => all.filter(({ messageId }) => messageId === `order-${way}`));
      assert.equal(queued!.length, 1, way);
      assert.deepEqual(stored, queued);
      assert.deepEqual(queued![0].properties, { delivery: { city: "Lyon" }, products: [{ product_id: "1" }, { product_id: "2" }], note: `${PLAIN}-${way}` }, "all else is there");
      assert.deepEqual(found.got.find(({ messageId }) => messageId === `identify-${way}`).traits, { plan: `${PLAIN}-${way}` });
    }
    assert.deepEqual(found.got.find(({ messageId }) => messageId === "group-server").traits, { plan: `${PLAIN}-server` });
    assert.ok(!says(JSON.stringify(found.got)), JSON.stringify(found.got));
    assert.ok(!says(JSON.stringify(found.objects)), JSON.stringify(found.objects));
    const measured = at("/measured").map(bodyOf);
    assert.ok(measured.some((body) => body.includes(PLAIN)));
    assert.deepEqual(measured.filter((body) => says(body)), []);
  });

  await test("the program for browsers, and what stands in a page for all", async () => {
    const folder = await mkdtemp(join(tmpdir(), "idoine-personal-"));
    try {
      const [source, target] = [join(folder, "site.jsonc"), join(folder, "site.program")];
      await writeFile(source, JSON.stringify(written));
      const compiled = async (...more: string[]) => {
        await promisify(execFile)(join(DIST, "bin", "idoine"), ["compile", source, "-o", target, ...more]);
        return (await readFile(target)).toString("latin1");
      };
      assert.ok(says(await compiled()), "the whole program compares with it");
      const program = await compiled("--browser");
      assert.ok(!says(program) && !program.includes("profile.email") && !program.includes("profile.diet") && program.includes("profile.plan"));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test("what is personal is taken off an event, and nothing else", () => {
  const bare = barer({ traits: ["email", "a.b"], properties: { "Order Completed": ["email", "delivery.name", "products.engraving", "x.y.z"], page: ["search"] } });
  const of = (event: object) => JSON.parse(bare(JSON.stringify(event)));
  const cases: [object, object][] = [
    [{ type: "track", event: "Order Completed", properties: { email: 1, "delivery.name": 2, delivery: { name: 3, city: 4 } } }, { type: "track", event: "Order Completed", properties: { delivery: { city: 4 } } }],
    [{ type: "track", event: "Order Completed", properties: { products: [{ engraving: 1, id: 2 }, null, 3, { email: 4 }], engraving: 5 } }, { type: "track", event: "Order Completed", properties: { products: [{ id: 2 }, null, 3, {}] } }],
    [{ type: "track", event: "Order Completed", properties: { x: { y: { z: 1, q: 2 } }, email: { deep: "email" } } }, { type: "track", event: "Order Completed", properties: { x: { y: { q: 2 } } } }],
    [{ type: "track", event: "Other", properties: { email: 1 } }, { type: "track", event: "Other", properties: { email: 1 } }],
    [{ type: "page", name: "Order Completed", properties: { email: 1, search: 2 } }, { type: "page", name: "Order Completed", properties: { email: 1 } }],
    [{ type: "identify", traits: { email: 1, plan: 2, "a.b": 3, a: { b: 4, c: 5 } }, context: { ip: 1, traits: { email: 1, plan: 2 } } }, { type: "identify", traits: { plan: 2, a: { c: 5 } }, context: { ip: 1, traits: { plan: 2 } } }],
    [{ type: "track", event: "constructor", properties: { email: 1 }, traits: null, context: { traits: [{ email: 1 }] } }, { type: "track", event: "constructor", properties: { email: 1 }, traits: null, context: { traits: [{ email: 1 }] } }],
  ];
  for (const [event, expected] of cases) {
    const before = JSON.stringify(event);
    assert.deepEqual(of(event), expected);
    assert.equal(JSON.stringify(event), before);
  }
  const line = '{"type":"track","event":"Order Completed","properties":{"note":"email"}}';
  assert.equal(bare(line), line, "what has nothing personal stays byte for byte");
  assert.equal(barer(undefined)(line), line);
});
