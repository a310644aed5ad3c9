// Taking events: what is stored of them, what is not, who may send them, and what they are told. In workerd, with real shards on disk and a
// real queue behind them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { KEY, READ, SERVER_KEY, SITE, cookies, failing, page, startCollecting, type Collecting, type Stored } from "./collecting.ts";
import { signedId } from "./harness.ts";

let worker: Collecting;
let state: string;

before(async () => {
  state = await mkdtemp(join(tmpdir(), "idoine-collect-"));
  worker = await startCollecting({ state, vars: { IDOINE_PREVIEW: "local" } });
});
after(async () => {
  await worker.dispose();
  await rm(state, { recursive: true, force: true });
});

const ANNA = "anna-0001";
let number = 0;
const track = (more: object = {}) => ({ type: "track", event: "Signed Up", messageId: `m-${(number += 1)}`, ...more });
const server = { "x-write-key": SERVER_KEY };
/** Sends events of our own format; the status or the error's code of each. */
async function results(events: unknown[], headers: Record<string, string>, more: object = {}): Promise<any[]> {
  const reply = await worker.post("collect", { events, ...more }, { headers });
  assert.equal(reply.status, 200, reply.text);
  return reply.json().results;
}
const statuses = async (events: unknown[], headers: Record<string, string>) => (await results(events, headers)).map(({ status, reason, error }) => reason ?? error?.code ?? status);

/** All events that came out of the store, once what is on disk of these users has: an event of each that is sent now comes last. */
async function arrivedOf(users: string[]): Promise<Stored[]> {
  const last = users.map((userId) => track({ userId }));
  assert.deepEqual(await statuses(last, server), users.map(() => "accepted"));
  return worker.arrived(last.map(({ messageId }) => messageId));
}

/** The text of all files of the shards, those that SQLite writes ahead among them. */
async function onDisk(): Promise<string> {
  const files = await readdir(state, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "latin1")));
  return texts.join("\n");
}

test("an event is stored as it is documented, once", async () => {
  const event = track({
    anonymousId: ANNA, userId: "u-1", timestamp: "2026-11-01T12:00:00Z", properties: { a: 1 },
    context: { ip: "192.0.2.7", userAgent: "Mozilla/5.0 marker", page: { url: "https://shop.example/p" }, locale: "fr" },
  });
  assert.deepEqual(await statuses([event], server), ["accepted"]);
  assert.deepEqual(await statuses([event, event], server), ["duplicate", "duplicate"]);
  const [stored, ...others] = (await arrivedOf(["u-1"])).filter(({ messageId }) => messageId === event.messageId);
  assert.equal(others.length, 0);
  const { receivedAt, ...rest } = stored!;
  assert.ok(Math.abs(receivedAt - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    messageId: event.messageId, type: "track", event: "Signed Up", anonymousId: ANNA, userId: "u-1", timestamp: Date.UTC(2026, 10, 1, 12),
    properties: { a: 1 }, context: { page: { url: "https://shop.example/p" }, locale: "fr" }, site: "shop", source: "erp", trusted: true,
    consent: ["personalization", "analytics"],
  });
});

test("a bad event is told what is wrong with it, and the rest of the batch is kept", async () => {
  const good = [track({ userId: "u-2" }), track({ userId: "u-2" })];
  const told = await results([good[0], { type: "track", userId: "u-2" }, 5, good[1], { type: "identify" }, { type: "alias", previousId: "x" }], server);
  assert.deepEqual(told.map(({ status }) => status), ["accepted", "rejected", "rejected", "accepted", "rejected", "rejected"]);
  assert.deepEqual(told.map(({ error }) => error?.path), [undefined, "/events/1/event", "/events/2", undefined, "/events/4/userId", "/events/5/userId"]);
  assert.match(told[1].error.message, /^Expected `event`/);
  await worker.arrived(good.map(({ messageId }) => messageId));
  const line = worker.logs.find((line) => line.includes("events_rejected")) ?? "";
  assert.match(line, /4 of 6 events can't be read/);
  assert.doesNotMatch(line, /u-2/);
});

test("what became of events is counted, by the address that they came to", async () => {
  const one = track({ userId: "u-8" });
  const before = (await worker.points()).length;
  await results([one, one, { type: "track" }, track({ ...one, messageId: "refused", context: { consent: { categoryPreferences: {} } } })], server);
  await worker.post("v1/t", one, { headers: server });
  await worker.post("api/s/track", track({ userId: "u-8" }), { headers: server });
  await failing(worker, 1, "shards");
  await worker.post("v1/batch", { batch: [track({ userId: "u-8" })] }, { headers: server });
  let points: [string, number[]][] = [];
  for (let tries = 0; tries < 200 && points.length < 4; tries += 1) {
    points = (await worker.points()).slice(before);
  }
  assert.deepEqual(points, [["collect", [1, 1, 1, 1, 0]], ["v1", [0, 1, 0, 0, 0]], ["api/s", [1, 0, 0, 0, 0]], ["v1", [0, 0, 0, 0, 1]]]);
});

test("what is counted of nobody is counted once, however often it is sent", async (t) => {
  const exempt = await startCollecting({ manifest: { ...SITE, consent: { mode: "measurement-exempt" } } });
  t.after(() => exempt.dispose());
  // Of somebody who agreed to be shown what suits them, but was not asked for more, some is kept, and all of it is counted.
  const headers = { origin: "https://shop.example", cookie: `idoine_consent=v2.personalization.1.5.v; idoine_id=${signedId(ANNA, KEY)}` };
  const batch = { events: [track({ messageId: "counted-1" }), track({ messageId: "counted-2", event: "Product Viewed", properties: { product_id: "p1" } })] };
  const nobody = { events: [{ type: "page", name: "Home" }] };
  const outcome = async (body: object, sent: Record<string, string>) => {
    const reply = await exempt.post("collect", body, { headers: sent });
    return [reply.status, ...reply.json().results.map(({ status, reason }: { status: string; reason?: string }) => reason ?? status)];
  };
  await failing(exempt, 1, "shards");
  assert.deepEqual(await outcome({ events: [...batch.events, ...nobody.events] }, headers), [503, "failed", "failed", "failed"]);
  assert.deepEqual(await outcome(batch, headers), [200, "accepted", "accepted"]);
  assert.deepEqual(await outcome(batch, headers), [200, "duplicate", "duplicate"]);
  assert.deepEqual(await outcome(nobody, { origin: "https://shop.example" }), [200, "counted"]);
  // What says who somebody is counts for nothing, whether it has a user's id or not.
  const named = { events: [{ type: "identify", traits: { email: "a@shop.example" } }, { type: "group", groupId: "g-1" }, { type: "alias", userId: "u-1", previousId: "u-0" }] };
  assert.deepEqual(await outcome(named, { origin: "https://shop.example" }), [200, "no_consent", "no_consent", "no_consent"]);
  const read = async () => (await exempt.fetch("/_idoine/api/measured", { headers: { authorization: `Bearer ${READ}` } })).json().measured as { kind: string; name: string; n: number }[];
  let rows = await read();
  for (let tries = 0; tries < 200 && rows.length < 3; tries += 1) {
    rows = await read();
  }
  assert.deepEqual(rows.map(({ kind, name, n }) => [kind, name, n]), [["page", "Home", 1], ["track", "Product Viewed", 1], ["track", "Signed Up", 1]]);
});

test("a batch that can't be read is refused whole", async () => {
  for (const [body, headers, status, code] of [
    ["{", server, 400, "bad_json"],
    ["[]", server, 400, "bad_request"],
    [{ events: {} }, server, 400, "bad_request"],
    [{ events: Array.from({ length: 501 }, () => track()) }, server, 400, "too_many"],
    ["x".repeat(512 * 1024 + 1), server, 413, "too_large"],
    [gzipSync(Buffer.alloc(100 * 1024 * 1024)), { ...server, "content-encoding": "gzip" }, 413, "too_large"],
    ["{}", { ...server, "content-encoding": "br" }, 415, "bad_encoding"],
    [{ events: [track()] }, { "x-write-key": "nobody" }, 401, "unauthorized"],
    [{ events: [track()] }, {}, 401, "unauthorized"],
    [{ events: [track()], writeKey: "nobody" }, {}, 401, "unauthorized"],
    [{ events: [track()] }, { origin: "https://evil.example" }, 403, "forbidden"],
    [{ events: [track()] }, { origin: "https://evil.example", "x-write-key": "pub-1" }, 403, "forbidden"],
    [{ events: [track()] }, { origin: "null", "x-write-key": "pub-1" }, 403, "forbidden"],
    [{ events: [track()] }, { origin: "https://shop.example", ...server }, 403, "key_in_page"],
    [{ events: [track()] }, { "sec-fetch-site": "same-origin", ...server }, 403, "key_in_page"],
  ] as const) {
    const reply = await worker.post("collect", body, { headers });
    assert.deepEqual([reply.status, reply.json().error.code], [status, code], JSON.stringify(headers));
  }
  assert.equal((await worker.fetch("/_idoine/v1/nonsense", { method: "POST", body: "{}" })).status, 404);
  assert.deepEqual(await statuses(Array.from({ length: 500 }, () => track({ userId: "u-500" })), server), Array(500).fill("accepted"));
});

test("beacons and other hosts of the site: any type of body, gzip, and CORS", async () => {
  const [plain, zipped] = [track({ userId: "u-3" }), track({ userId: "u-3" })];
  const beacon = { "content-type": "text/plain;charset=UTF-8", "sec-fetch-site": "same-site", origin: "https://www.shop.example", cookie: cookies(ANNA, "analytics") };
  const reply = await worker.post("collect", { events: [plain] }, { headers: beacon });
  assert.deepEqual([reply.status, reply.json().results[0].status], [200, "accepted"]);
  assert.equal(reply.header("access-control-allow-origin"), "https://www.shop.example");
  assert.equal(reply.header("access-control-allow-credentials"), "true");
  assert.match(reply.header("vary") ?? "", /origin/i);
  assert.equal((await worker.post("collect", gzipSync(JSON.stringify({ events: [zipped] })), { headers: beacon })).json().results[0].status, "accepted");
  for (const path of ["collect", "v1/t", "v1/batch", "api/s/track", "beacon/v1/batch"]) {
    const asked = { method: "OPTIONS", headers: { origin: "https://www.shop.example", "access-control-request-method": "POST", "access-control-request-headers": "authorization,x-write-key" } };
    const preflight = await worker.fetch(`/_idoine/${path}`, asked);
    assert.deepEqual([preflight.status, preflight.header("access-control-allow-origin")], [204, "https://www.shop.example"], path);
    assert.match(preflight.header("access-control-allow-headers") ?? "", /authorization, x-write-key/);
    assert.match(preflight.header("access-control-allow-methods") ?? "", /POST/);
    const foreign = await worker.fetch(`/_idoine/${path}`, { ...asked, headers: { ...asked.headers, origin: "https://evil.example" } });
    assert.equal(foreign.header("access-control-allow-origin"), null, path);
  }
  const refused = await worker.post("collect", "{", { headers: { origin: "https://www.shop.example" } });
  assert.deepEqual([refused.status, refused.header("access-control-allow-origin")], [400, "https://www.shop.example"], "a page reads why");
});

test("whose an event is: the cookie's id outranks the body, and nobody writes into another's", async () => {
  const id = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
  const [own, forged, keyed, named, nobody] = [track({ anonymousId: "other" }), track({ anonymousId: id }), track({ anonymousId: id }), track({ anonymousId: signedId(id, KEY) }), track()];
  assert.deepEqual(await statuses([own], page(id, "analytics")), ["accepted"]);
  assert.deepEqual(await statuses([forged], { ...page(id, "analytics"), cookie: `idoine_consent=v1.analytics; idoine_id=${id}.forged` }), ["accepted"]);
  assert.deepEqual(await statuses([keyed], { "x-write-key": "pub-1" }), ["accepted"]);
  assert.deepEqual(await statuses([named, nobody], server), ["accepted", "accepted"]);
  const found = await worker.arrived([own, forged, keyed, named, nobody].map(({ messageId }) => messageId));
  const idOf = ({ messageId }: { messageId: string }) => found.find((one) => one.messageId === messageId)!["anonymousId"];
  assert.deepEqual([idOf(own), idOf(named), idOf(nobody)], [id, id, undefined]);
  assert.match(idOf(forged), /^x-[0-9a-f]{32}$/);
  assert.equal(idOf(keyed), idOf(forged));
  // Whom nobody is cannot be sent twice either.
  assert.deepEqual(await statuses([nobody], server), ["duplicate"]);
});

test("without consent nothing personal is stored: not in a shard, not in a sink, not in the log", async () => {
  const marker = "marker-of-nobody";
  const personal = (more: object = {}) => [
    track({ messageId: `${marker}-${number}`, event: marker, userId: marker, properties: { [marker]: marker }, ...more }),
    { type: "identify", userId: marker, traits: { plan: marker, [marker]: marker }, ...more },
    { type: "page", name: marker, context: { page: { url: `https://shop.example/${marker}`, title: marker } }, ...more },
    { type: "group", groupId: marker, userId: marker, ...more },
    { type: "alias", previousId: marker, userId: marker, ...more },
  ];
  const refused = { context: { consent: { categoryPreferences: { analytics: false, personalization: false, marketing: false } } } };
  for (const [events, headers] of [
    [personal(), { origin: "https://shop.example", "sec-fetch-site": "same-origin" }],
    [personal(), page(ANNA)],
    [personal(), { ...page(ANNA), "x-write-key": "pub-1" }],
    [personal(), { ...page(ANNA, "personalization", "marketing"), "sec-gpc": "1" }],
    [personal(), { ...page(ANNA), cookie: `idoine_consent=v1.everything; idoine_id=${signedId(ANNA, KEY)}` }],
    [personal(), { "x-write-key": "pub-2" }],
    [personal(), { "x-write-key": "P".repeat(24) }],
    [personal(refused), { "x-write-key": "pub-1" }],
    [personal(refused), server],
  ] as const) {
    assert.deepEqual(new Set(await statuses(events as unknown[], headers)), new Set(["no_consent"]), JSON.stringify(headers));
  }
  // The purpose of an entry of the plan, and of a trait: what was agreed to is kept, and nothing besides.
  const [ad, user] = [track({ event: "Ad Clicked", properties: { a: marker } }), { type: "identify", messageId: `m-user-${number}`, traits: { plan: marker, newsletter: marker, segment: "known" } }];
  assert.deepEqual(await statuses([ad, user], page(ANNA, "analytics")), ["no_consent", "accepted"]);
  const found = await worker.settled();
  assert.deepEqual(found.find(({ messageId }) => messageId === user.messageId)?.["traits"], { segment: "known" });
  assert.equal(JSON.stringify(found).includes(marker), false);
  assert.equal(worker.logs.join("\n").includes(marker), false);
  const disk = await onDisk();
  assert.ok(disk.includes(user.messageId), "the files that are looked at are the shards'");
  assert.equal(disk.includes(marker), false);
});

test("without a key there are no profiles, for servers either: what goes to the sinks alone is kept", async () => {
  const keyless = await startCollecting({ vars: { IDOINE_KEY: "" } });
  try {
    const viewed = (purposes: string[]) => ({ ...track({ event: "Product Viewed", userId: "u-keyless", properties: { product_id: "p" } }), context: { consent: { categoryPreferences: Object.fromEntries(purposes.map((name) => [name, true])) } } });
    const events = [viewed(["personalization"]), viewed(["personalization", "analytics"]), viewed([])];
    const { results } = (await keyless.post("collect", { events }, { headers: server })).json();
    assert.deepEqual(results.map(({ status, reason }: any) => reason ?? status), ["no_key", "accepted", "no_consent"]);
    await keyless.arrived([events[1]!.messageId]);
    const owner = { headers: { authorization: `Bearer ${READ}` } };
    assert.equal((await keyless.fetch("/_idoine/api/audiences", owner)).json().profiles, 0);
  } finally {
    await keyless.dispose();
  }
});

test("an event of a page is of the zone that its request came from, unless it names another", async () => {
  const [told, said, none] = [track(), track({ context: { timezone: "Asia/Tokyo" } }), track()];
  const zoned = { headers: page(ANNA, "analytics"), cf: { timezone: "Pacific/Kiritimati" } };
  await worker.post("collect", { events: [told, said] }, zoned);
  await worker.post("collect", { events: [none] }, { headers: server, cf: zoned.cf });
  const found = await worker.arrived([told, said, none].map(({ messageId }) => messageId));
  const zoneOf = ({ messageId }: { messageId: string }) => found.find((one) => one.messageId === messageId)!["context"]?.timezone;
  assert.deepEqual([zoneOf(told), zoneOf(said), zoneOf(none)], ["Pacific/Kiritimati", "Asia/Tokyo", undefined]);
});

test("bots are marked; servers are not taken for bots; previews store nothing", async () => {
  const bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
  const [crawled, told, own] = [track(), track({ userId: "u-4" }), track()];
  assert.deepEqual(await statuses([crawled], { ...page(ANNA, "analytics"), "user-agent": bot }), ["accepted"]);
  assert.deepEqual(await statuses([told], { ...server, "user-agent": bot }), ["accepted"]);
  const LOCAL = "http://localhost:8787";
  const local = { ...page(ANNA, "analytics"), origin: LOCAL, "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0" };
  for (const [path, headers, event] of [
    [`${LOCAL}/_idoine/collect`, { ...local, referer: `${LOCAL}/?idoine.geo.country=FR` }, track({ messageId: "preview-1" })],
    [`${LOCAL}/_idoine/collect?idoine.geo.country=FR`, local, track({ messageId: "preview-2" })],
    [`${LOCAL}/_idoine/collect`, local, track({ messageId: "preview-3", context: { page: { url: `${LOCAL}/?a=b&idoine.geo.country=FR` } } })],
  ] as const) {
    const reply = await worker.post(path, { events: [event] }, { headers });
    assert.deepEqual(reply.json(), { results: [{ status: "dropped", reason: "preview" }] }, path);
  }
  // A developer's machine is no preview by itself.
  assert.equal((await worker.post(`${LOCAL}/_idoine/collect`, { events: [own] }, { headers: { ...local, referer: `${LOCAL}/?a=b` } })).json().results[0].status, "accepted");
  const found = await worker.settled();
  const botOf = ({ messageId }: { messageId: string }) => found.find((one) => one.messageId === messageId)!["bot"];
  assert.deepEqual([botOf(crawled), botOf(told), botOf(own)], [true, undefined, undefined]);
  assert.deepEqual(found.filter(({ messageId }) => messageId.startsWith("preview")), []);
});

test("a shard that fails: who sent it sends it again, and it counts once", async () => {
  const events = [track({ userId: "u-5" }), track({ userId: "u-6" })];
  await failing(worker, 1, "shards");
  const failed = await worker.post("collect", { events }, { headers: server });
  assert.equal(failed.status, 503);
  assert.deepEqual(failed.json(), { results: [{ status: "failed" }, { status: "failed" }] });
  assert.deepEqual(await statuses(events, server), ["accepted", "accepted"]);
  // An answer that got lost.
  const lost = track({ userId: "u-5" });
  await failing(worker, 1, "lost");
  assert.equal((await worker.post("collect", { events: [lost] }, { headers: server })).status, 502);
  assert.deepEqual(await statuses([lost], server), ["duplicate"]);
  const ids = [...events, lost].map(({ messageId }) => messageId);
  const found = (await arrivedOf(["u-5", "u-6"])).filter(({ messageId }) => ids.includes(messageId));
  assert.deepEqual(found.map(({ messageId }) => messageId).sort(), ids.sort());
});

test("what is otherwise than planned is told, written to the event and counted once; money of a browser is not trusted", async () => {
  const [typo, order, paid] = [track({ event: "Product Viewd", userId: "u-7" }), track({ event: "Order Completed", properties: { revenue: "12" } }), track({ event: "Order Completed", userId: "u-7", properties: { revenue: 12, currency: "EUR" } })];
  const [wrong] = await results([typo], server);
  assert.deepEqual(wrong, { status: "accepted", violations: [{ code: "unknown_event", expected: "an event of the plan" }] });
  const [untrusted] = await results([order], page(ANNA, "analytics", "personalization"));
  assert.deepEqual(untrusted.violations.map(({ code, path }: any) => [code, path]), [["untrusted", undefined], ["wrong_type", "revenue"]]);
  assert.deepEqual(await results([paid], server), [{ status: "accepted" }]);
  assert.equal((await results([typo], server))[0].status, "duplicate");
  const found = await worker.arrived([typo, order, paid].map(({ messageId }) => messageId));
  const of = ({ messageId }: { messageId: string }) => found.find((one) => one.messageId === messageId)!;
  assert.deepEqual([of(order)["trusted"], of(paid)["trusted"]], [false, true]);
  assert.deepEqual(of(order)["violations"], untrusted.violations);
  const reply = await worker.fetch("/_idoine/api/violations?days=1", { headers: { authorization: `Bearer ${READ}` } });
  assert.equal(reply.status, 200, reply.text);
  const counted = reply.json().violations.map(({ event, code, path, source, count }: any) => [event, code, path, source, count]);
  for (const expected of [
    ["Product Viewd", "unknown_event", "", "erp", 1],
    ["Order Completed", "untrusted", "", "browser", 1],
    ["Order Completed", "wrong_type", "revenue", "browser", 1],
  ]) {
    assert.ok(counted.some((one: unknown[]) => JSON.stringify(one) === JSON.stringify(expected)), `${JSON.stringify(expected)}: ${JSON.stringify(counted)}`);
  }
});

test("the browser is brought up to date by the answer, where something changed", async () => {
  const id = "7f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
  const headers = page(id, "analytics", "personalization");
  const view = () => track({ event: "Product Viewed", properties: { product_id: "p1" } });
  const first = await worker.post("collect", { events: [view(), view()] }, { headers });
  const cookie = first.cookies.find((cookie) => cookie.startsWith("idoine_p="));
  assert.match(cookie ?? "", /HttpOnly/);
  // Only what counts for analytics: the profile is as it was, and nobody's cookie is touched.
  const known = cookie!.split(";")[0];
  assert.deepEqual((await worker.post("collect", { events: [track()] }, { headers: { ...headers, cookie: `${cookies(id, "analytics")}; ${known}` } })).cookies, []);
  const html = { accept: "text/html", "sec-fetch-dest": "document", cookie: `${headers.cookie}; ${known}` };
  const context = await worker.fetch("/_idoine/context", { headers: html });
  assert.equal(context.json().context["profile.count('Product Viewed', '7d')"], 2);
  // A server's events are nobody's who asks, whatever cookies it passes on.
  assert.deepEqual((await worker.post("collect", { events: [{ ...view(), anonymousId: id }] }, { headers: { ...server, cookie: html.cookie } })).cookies, []);
});
