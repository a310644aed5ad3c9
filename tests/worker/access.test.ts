// All that is held of somebody, for them and for the owner; who read it; and what is counted of nobody.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { idoine } from "./command.ts";
import { LEARNING, OWNER, PUBLISHER, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Profiles } from "./profiles.ts";
import { startOrigin } from "./harness.ts";
import { eventually } from "./shard.ts";
import { pageOf, placeIn } from "../../worker/js/profiles/lines.js";
import { subjectsOf } from "../../worker/js/profiles/whose.js";
import { Browser, KEY, SECRET, tokenOf } from "./visitor.ts";

let worker: Profiles;
let folder: string;
/** Without a key: no profiles are kept. */
let off: Profiles;

const MANIFEST = {
  ...LEARNING,
  site: { id: "shop", hosts: ["shop.example", "www.shop.example"], timezone: "Europe/Paris" },
  audiences: { ...LEARNING.audiences, lookers: "profile.count('Product Viewed') >= 1" },
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "idoine-access-"));
  const bindings = { r2Buckets: ["EVENTS_BUCKET"], queueProducers: { EVENTS: "events" }, queueConsumers: { events: { maxBatchSize: 100, maxBatchTimeout: 0 } } };
  worker = await startProfiles({ manifest: MANIFEST, vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: SECRET, IDOINE_EVENTS_SECONDS: "2" }, bindings, handlers: "async queue(batch) { batch.ackAll(); }," });
  off = await startProfiles({ manifest: MANIFEST });
});
after(async () => {
  await Promise.all([worker.dispose(), off.dispose(), rm(folder, { recursive: true })]);
});

const exported = (browser: Browser, body: object = {}) => browser.fetch("/_idoine/export", "POST", body);
const owned = (key: string, token = OWNER, body?: string) => worker.fetch(`/_idoine/api/profiles/${encodeURIComponent(key)}/export`, { method: "POST", headers: { authorization: `Bearer ${token}` }, ...(body && { body }) });

const FIELDS = ["format", "at", "site", "who", "consents", "traits", "facts", "audiences", "events", "notes", "tags", "waiting", "exported", "next", "accesses"];

test("a visitor is given all that is held of them, and of nobody else", async () => {
  const [visitor, other] = [new Browser(worker), new Browser(worker)];
  await visitor.agree("personalization", "analytics");
  await other.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed", messageId: "seen-by-one" }, { type: "identify", traits: { plan: "pro" } });
  await other.send({ type: "track", event: "Product Viewed", messageId: "seen-by-another" });
  const key = `a:${visitor.id}`;
  await worker.api(`profile/${encodeURIComponent(key)}/notes`, "POST", { text: "Called." });
  await worker.api(`profile/${encodeURIComponent(key)}/tags`, "PUT", { tags: ["press"] });
  await worker.api(`profile/${encodeURIComponent(key)}`);
  // Until it is written to the bucket it waits for it.
  const reply = await eventually(() => exported(visitor), (found) => found.json().exported.length === 2, 200, 100);
  assert.equal(reply.status, 200);
  assert.equal(reply.header("content-disposition"), 'attachment; filename="idoine-export.json"');
  assert.equal(reply.header("cache-control"), "private, no-store");
  const held = reply.json();
  assert.deepEqual(Object.keys(held), FIELDS);
  assert.deepEqual([held.format, held.site, held.who], ["idoine.export.v1", "shop", { anonymousId: visitor.id, userId: null, browsers: [visitor.id] }]);
  assert.deepEqual(Object.fromEntries(Object.entries<any>(held.consents.choice).map(([name, { status, by }]) => [name, [status, by]])), {
    personalization: ["granted", "visitor"],
    analytics: ["granted", "visitor"],
    marketing: ["refused", "visitor"],
  });
  assert.deepEqual(held.consents.history.map(({ choice }: any) => choice.marketing), ["refused"]);
  assert.deepEqual(held.traits.map(({ name, value, source }: any) => [name, value, source]), [["plan", "pro", "browser"]]);
  assert.equal(held.facts.readings[VIEWS], "1");
  assert.deepEqual(held.audiences, ["pros", "lookers"]);
  assert.deepEqual(held.events.map(({ type }: any) => type).sort(), ["identify", "track"]);
  assert.ok(held.events.every(({ anonymousId }: any) => anonymousId === visitor.id));
  assert.deepEqual([held.notes[0].text, held.tags[0].tag], ["Called.", "press"]);
  assert.deepEqual(held.exported.map(({ type }: any) => type).sort(), ["identify", "track"]);
  assert.deepEqual(held.accesses.map(({ by, what }: any) => [by, what]), [["anna", "profile"]]);
  assert.doesNotMatch(reply.text, new RegExp(`seen-by-another|${other.id}`));
});

test("who does not want the lines in the bucket is given all the rest", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed" });
  const key = `a:${visitor.id}`;
  const without = FIELDS.filter((name) => !["exported", "next"].includes(name));
  await eventually(() => exported(visitor), (found) => found.json().exported.length === 1, 200, 100);
  for (const reply of [await exported(visitor, { exported: false }), await owned(key, OWNER, '{"exported":false}')]) {
    assert.deepEqual([reply.status, Object.keys(reply.json())], [200, without]);
  }
  for (const reply of [await exported(visitor, { exported: true }), await owned(key, OWNER, "{}")]) {
    assert.deepEqual([reply.status, Object.keys(reply.json())], [200, FIELDS]);
    assert.deepEqual([reply.json().exported.length, reply.json().next], [1, null]);
  }
  for (const [body, status, code] of [['{"exported":1}', 400, "bad_request"], ['{"token":"x"}', 400, "bad_request"], ["[]", 400, "bad_request"], ["x".repeat(20_000), 413, "too_large"]] as const) {
    const reply = await owned(key, OWNER, body);
    assert.deepEqual([reply.status, reply.json().error.code], [status, code], body.slice(0, 20));
  }
});

/** A bucket in memory that tells what it was asked; a listing has so many names at most. */
function bucketOf(objects: Map<string, string>, most: number) {
  const [asked, listings]: [string[], string[]] = [[], []];
  const EVENTS_BUCKET = {
    async list({ prefix, delimiter, cursor = "0", startAfter = "", limit = 1000 }: { prefix: string; delimiter?: string; cursor?: string; startAfter?: string; limit?: number }) {
      listings.push(prefix);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort();
      const found = delimiter === undefined ? keys : [...new Set(keys.map((key) => prefix + key.slice(prefix.length).split("/")[0] + "/"))];
      const [from, to] = [Number(cursor), Number(cursor) + Math.min(most, limit)];
      const rest = to < found.length ? { truncated: true, cursor: String(to) } : { truncated: false };
      const page = found.slice(from, to);
      return { ...(delimiter === undefined ? { objects: page.map((key) => ({ key, size: objects.get(key)!.length })), delimitedPrefixes: [] } : { objects: [], delimitedPrefixes: page }), ...rest };
    },
    async get(key: string) {
      asked.push(key);
      return { body: new Blob([objects.get(key)!]).stream() };
    },
  };
  return { env: { EVENTS_BUCKET }, asked, listings };
}

/** All pages of what `a:own` may read: the ids of the lines in each. */
async function pagesOf(env: any, shards: number[]): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const { lines, next } = await pageOf(env, "shop", shards, subjectsOf(["a:own"]), after);
    const ids = [];
    for await (const text of lines) ids.push(JSON.parse(text).messageId);
    pages.push(ids);
    assert.ok(pages.length < 100, "it comes to an end");
    after = next === null ? undefined : placeIn("shop", next);
    assert.equal(after === undefined, next === null, "a cursor is read again");
  }
  return pages;
}

const lineOf = (anonymousId: string, n: number) => JSON.stringify({ messageId: `${n}`, anonymousId });

test("of the bucket those objects alone are asked for that a visitor's shards wrote, page by page", async () => {
  const both = (n: number) => `${lineOf("own", n)}\n${lineOf("another", 11)}\n`;
  const names = Array.from({ length: 7 }, (_, n) => [`events/site=shop/date=2026-01-0${1 + (n % 2)}/5-${n}-${n}.ndjson`, both(n)] as const);
  const objects = new Map([...names, ["events/site=shop/date=2026-01-01/55-1-1.ndjson", both(8)], ["events/site=shop/date=2026-01-03/6-1-1.ndjson", both(9)], ["events/site=shop-2/date=2026-01-01/5-1-1.ndjson", both(10)]]);
  for (const most of [1, 2, 1000]) {
    const { env, asked } = bucketOf(objects, most);
    assert.deepEqual((await pagesOf(env, [5])).flat().sort(), ["0", "1", "2", "3", "4", "5", "6"]);
    assert.deepEqual(asked.toSorted(), names.map(([name]) => name).toSorted());
  }
  assert.deepEqual(await pagesOf({}, [5]), [[]]);
});

test("a page of the bucket is what one request can pay for, and no line is in two or none", async () => {
  const name = (day: number, shard: number, n: number) => `events/site=shop/date=2026-0${1 + Math.floor(day / 28)}-${String(1 + (day % 28)).padStart(2, "0")}/${shard}-${n}-${n}.ndjson`;
  // Several days and shards; one with many; and days on which they wrote nothing, which are looked at too.
  const many = new Map<string, string>();
  for (let n = 0; n < 250; n += 1) many.set(name(3, 5, n), lineOf("own", many.size));
  for (let day = 0; day < 150; day += 1) {
    if (day % 3 === 0) for (const shard of [5, 55]) many.set(name(day, shard, 1000), lineOf("own", many.size));
    else many.set(name(day, 7, 1), lineOf("another", -1));
  }
  const large = new Map(Array.from({ length: 12 }, (_, n) => [name(n, 5, 1), lineOf("own", n) + "\n".repeat(3_000_000)] as const));
  for (const objects of [many, large]) {
    const { env, asked, listings } = bucketOf(objects, 1000);
    const mine = [...objects.values()].filter((text) => text.includes('"own"')).map((text) => JSON.parse(text).messageId);
    const first = await pageOf(env, "shop", [55, 5], subjectsOf(["a:own"]));
    for await (const line of first.lines) assert.match(line, /"own"/);
    assert.notEqual(first.next, null);
    assert.ok(asked.length + listings.length <= 205, `${asked.length} objects, ${listings.length} listings`);
    assert.ok(asked.reduce((sum, key) => sum + objects.get(key)!.length, 0) <= 16_000_000);
    const pages = await pagesOf(env, [55, 5]);
    assert.ok(pages.length >= 3, `${pages.length}`);
    assert.deepEqual(pages.flat().sort(), mine.sort());
  }
});

test("a visitor's many objects are handed over in pages, each line once, and nobody else's", async () => {
  const [visitor, other] = [new Browser(worker), new Browser(worker)];
  await visitor.agree("analytics");
  await other.agree("analytics");
  const shard = createHash("sha256").update(`a:${visitor.id}`).digest().readUInt32BE(0) % 64;
  const objects = Array.from({ length: 450 }, (_, n) => {
    const lines = [visitor, other].map(({ id }, at) => JSON.stringify({ messageId: `${at === 0 ? "own" : "others"}-${n}`, type: "track", anonymousId: id }));
    const day = new Date(Date.now() - (1 + (n % 4)) * 24 * 3600 * 1000).toISOString().slice(0, 10);
    return [`events/site=shop/date=${day}/${shard}-${n}-${n}.ndjson`, `${lines.join("\n")}\n`] as [string, string];
  });
  await worker.put(objects);
  const key = `a:${visitor.id}`;
  // A page of the owner's is of a profile that there is.
  await visitor.send({ type: "track", event: "Product Viewed" });
  for (const ask of [(body: object) => exported(visitor, body), (body: object) => owned(key, OWNER, JSON.stringify(body))]) {
    const first = (await ask({})).json();
    assert.deepEqual(Object.keys(first), FIELDS);
    const pages = [first];
    while (pages.at(-1).next !== null) {
      const reply = await ask({ after: pages.at(-1).next });
      assert.equal(reply.status, 200);
      pages.push(reply.json());
      assert.deepEqual(Object.keys(pages.at(-1)), ["exported", "next"]);
      assert.ok(pages.length < 10);
    }
    assert.ok(pages.length >= 3, `${pages.length}`);
    const ids = pages.flatMap(({ exported: lines }) => lines.map(({ messageId }: any) => messageId)).filter((id) => /^(own|others)-/.test(id));
    assert.deepEqual(ids.sort(), objects.map((_, n) => `own-${n}`).sort());
    assert.ok(!JSON.stringify(pages).includes(other.id));
    // A cursor says where, and not whose.
    const stolen = await exported(other, { after: first.next });
    assert.equal(stolen.status, 200);
    assert.ok(!stolen.text.includes(visitor.id));
  }
  const file = join(folder, "pages.json");
  const written = await idoine(["profile", "export", key, "--to", worker.address.origin, "-o", file], OWNER);
  assert.deepEqual([written.code, written.stderr], [0, ""]);
  const whole = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual(Object.keys(whole).sort(), FIELDS.filter((name) => name !== "next").sort());
  assert.deepEqual(whole.exported.map(({ messageId }: any) => messageId).filter((id: string) => id.startsWith("own-")).sort(), objects.map((_, n) => `own-${n}`).sort());
  await rm(file);
  const trail = (await exported(visitor, { exported: false })).json().accesses.map(({ what }: any) => what);
  assert.deepEqual(trail, ["export", "export"], "the pages of each are one reading");
});

test("a cursor that is none of this site's is refused", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("analytics");
  await visitor.send({ type: "track", event: "Product Viewed" });
  const cursor = (name: string) => Buffer.from(name).toString("base64url");
  const good = cursor("events/site=shop/date=2020-01-01/5-1-1.ndjson");
  const replies = async (body: object) => [await exported(visitor, body), await owned(`a:${visitor.id}`, OWNER, JSON.stringify(body))];
  for (const after of ["", "!", "x", 1, null, {}, `${good}=`, cursor("events/site=shop-2/date=2020-01-01/5-1-1.ndjson"), cursor("events/site=shop/"), cursor("events/site=shop/date=2020-01-01/"), cursor("events/site=shop/date=2020-01-01/x/5-1"), cursor("events/site=shop/date=2020-01-01/500-1"), Buffer.from([0xff, 0xfe]).toString("base64url")]) {
    for (const reply of await replies({ after })) {
      assert.deepEqual([reply.status, reply.json().error?.code], [400, "bad_cursor"], JSON.stringify(after));
    }
  }
  for (const reply of await replies({ after: good, exported: false })) {
    assert.deepEqual([reply.status, reply.json().error?.code], [400, "bad_cursor"]);
  }
  for (const reply of await replies({ after: good })) {
    assert.deepEqual([reply.status, Object.keys(reply.json())], [200, ["exported", "next"]]);
  }
});

test("what waits for a sink is in it, and what was given up", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed", messageId: "waiting-1" });
  const first = (await exported(visitor)).json();
  assert.ok(first.waiting.length > 0, JSON.stringify(first));
  assert.ok(first.waiting.every(({ sink, event: waiting }: any) => ["r2", "queue"].includes(sink) && waiting.messageId === "waiting-1"), JSON.stringify(first.waiting));
});

test("a user who is logged in proves it once more, and is given all of their browsers", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  for (const browser of [phone, laptop]) {
    await browser.agree("personalization", "analytics");
    await browser.send({ type: "track", event: "Product Viewed" });
    assert.equal((await browser.logIn("ada")).status, 200);
  }
  for (const [body, status, code] of [
    [{}, 401, "token_needed"],
    [{ token: `${tokenOf("ada")}x` }, 401, "bad_token"],
    [{ token: tokenOf("bob") }, 401, "bad_token"],
    [{ token: 1 }, 400, "bad_request"],
    [{ more: 1 }, 400, "bad_request"],
    [{ exported: "no" }, 400, "bad_request"],
    [[], 400, "bad_request"],
  ] as const) {
    const reply = await exported(phone, body);
    assert.deepEqual([reply.status, reply.json().error.code], [status, code], JSON.stringify(body));
  }
  const held = (await exported(phone, { token: tokenOf("ada") })).json();
  assert.equal(held.who.userId, "ada");
  assert.deepEqual(held.who.browsers.sort(), [phone.id, laptop.id].sort());
  assert.equal(held.facts.readings[VIEWS], "2");
  assert.equal(held.events.filter(({ type }: any) => type === "track").length, 2);
  assert.equal(held.consents.history.length, 2);
});

test("a browser in which its user was known before anything was done there is one of theirs", async () => {
  const browser = new Browser(worker);
  await browser.agree("personalization", "analytics");
  await browser.logIn("fay");
  await browser.send({ type: "track", event: "Product Viewed" });
  const claimer = new Browser(worker);
  await claimer.agree("personalization", "analytics");
  await claimer.send({ type: "track", event: "Product Viewed", userId: "fay" });
  const held = (await exported(browser, { token: tokenOf("fay") })).json();
  assert.deepEqual(held.who, { anonymousId: browser.id, userId: "fay", browsers: [browser.id] });
});

test("whatever a visitor asks for, who may not is told so in the same words", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.logIn("eve");
  for (const [given, status, code, words] of [
    [{}, 401, "token_needed", /made anew, as `token`/],
    [{ token: "x" }, 401, "bad_token", /It is no JSON Web Token/],
    [{ token: tokenOf("bob") }, 401, "bad_token", /for another user/],
    [{ token: 1 }, 400, "bad_request", /JSON object/],
    [{ token: tokenOf("eve"), more: 1 }, 400, "bad_request", /JSON object/],
    [{ token: "x".repeat(20_000) }, 413, "too_large", /16 KB/],
  ] as const) {
    const replies = [];
    for (const [path, needed] of [["export", {}], ["profile", { traits: { plan: "pro" } }], ["erase", {}]] as const) {
      const reply = await visitor.fetch(`/_idoine/${path}`, "POST", { ...needed, ...given });
      assert.deepEqual([reply.status, reply.json().error.code, reply.header("www-authenticate")], [status, code, status === 401 ? "Bearer" : null], `${path} ${JSON.stringify(given).slice(0, 40)}`);
      // Of a body it is said what may be in it.
      replies.push(reply.json().error.message.replace(/`traits`, |, `(exported|after|anonymousId|purposes)`/g, ""));
      assert.match(replies.at(-1), words);
    }
    assert.equal(new Set(replies).size, 1, replies.join("\n"));
  }
  assert.equal((await exported(visitor, { token: tokenOf("eve") })).json().who.userId, "eve", "nothing was erased");
});

test("who says to be a user and does not prove it is given nothing of theirs", async () => {
  const victim = new Browser(worker);
  await victim.agree("personalization", "analytics");
  await victim.logIn("carl");
  await victim.send({ type: "identify", traits: { plan: "the-secret-plan" } });
  const thief = new Browser(worker);
  await thief.agree("personalization", "analytics");
  await thief.send({ type: "identify", userId: "carl" });
  const reply = await exported(thief);
  assert.equal(reply.status, 200);
  assert.doesNotMatch(reply.text, new RegExp(`the-secret-plan|${victim.id}`));
});

test("only a page of the site asks, of a visitor who is known, where profiles are kept", async () => {
  const visitor = new Browser(worker);
  const nobody = await exported(visitor);
  assert.deepEqual([nobody.status, nobody.json().error.code], [404, "nothing_held"]);
  await visitor.agree("analytics");
  assert.equal((await exported(visitor)).status, 200);
  for (const origin of ["https://evil.example", "null"]) {
    const reply = await visitor.fetch("/_idoine/export", "POST", {}, { origin });
    assert.equal(reply.status, 403);
    assert.equal(reply.header("access-control-allow-origin"), null);
  }
  const sister = await visitor.fetch("/_idoine/export", "POST", {}, { origin: "https://www.shop.example" });
  assert.deepEqual([sister.status, sister.header("access-control-allow-origin")], [200, "https://www.shop.example"]);
  assert.equal((await visitor.fetch("/_idoine/export", "GET")).status, 405);
  assert.equal((await visitor.fetch("/_idoine/export", "POST", { token: "x".repeat(20_000) })).status, 413);
  const without = await new Browser(off).fetch("/_idoine/export", "POST", {});
  assert.deepEqual([without.status, without.json().error.code], [501, "no_profiles"]);
  await worker.fail({ own: "held" });
  assert.equal((await exported(visitor)).status, 503);
  await worker.fail({});
});

test("the owner exports a profile, and that is in the trail and with the profile", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed" });
  const key = `a:${visitor.id}`;
  const reply = await owned(key);
  assert.equal(reply.status, 200);
  assert.deepEqual(Object.keys(reply.json()), FIELDS);
  assert.equal(reply.header("x-idoine-by"), null);
  const { entries } = (await worker.api("audit?limit=1")).body;
  assert.deepEqual([entries[0].by, entries[0].action], ["ci", "export profile"]);
  assert.match(entries[0].what, /^[\w-]{22}$/);
  assert.deepEqual((await exported(visitor)).json().accesses.map(({ by, what }: any) => [by, what]), [["ci", "export"]]);
  assert.equal((await owned("u:nobody")).status, 404);
  assert.equal((await owned("nobody")).status, 404);
  assert.equal((await owned(key, "nobody-0123456789abcdef")).status, 401);
});

test("each reading of a profile by the owner's API is with it", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed" });
  const path = `profile/${encodeURIComponent(`a:${visitor.id}`)}`;
  for (const more of ["", "/notes", "/tags"]) {
    assert.equal((await worker.api(`${path}${more}`)).status, 200);
  }
  assert.equal((await worker.api("audiences/lookers")).status, 200);
  const { accesses } = (await worker.api(`${path.replace("profile/", "profiles/")}/accesses`)).body;
  assert.deepEqual(accesses.map(({ what }: any) => what), ["accesses", "audience lookers", "tags", "notes", "profile"]);
  assert.ok(accesses.every(({ at, by }: any) => by === "anna" && Math.abs(Date.parse(at) - Date.now()) < 60_000));
  assert.equal((await worker.api("profiles/u%3Anobody/accesses")).status, 404);
});

test("of a profile so many readings are known, and for so long", async () => {
  await worker.give([event({ anonymousId: "often-read" })]);
  const key = "a:often-read";
  await worker.rows(key, `INSERT INTO accesses (profile, at, by, what) VALUES ('${key}', 1, 'old', 'profile')`);
  const many = Array.from({ length: 600 }, (_, at) => `('${key}', ${Date.now() - at}, 'ci', 'profile')`).join(", ");
  await worker.rows(key, `INSERT INTO accesses (profile, at, by, what) VALUES ${many}`);
  const { accesses } = (await worker.api(`profiles/${encodeURIComponent(key)}/accesses`)).body;
  assert.equal(accesses.length, 500);
  assert.ok(accesses.every(({ by }: any) => by !== "old"));
});

test("the command line exports, shows who read, and what was chosen", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  await visitor.send({ type: "track", event: "Product Viewed" });
  const key = `a:${visitor.id}`;
  // The Worker of the tests listens by plain http on this machine, for the host that its address names.
  const to = ["--to", worker.address.origin];
  const file = join(folder, "held.json");
  const written = await idoine(["profile", "export", key, ...to, "-o", file], OWNER);
  assert.deepEqual([written.code, written.stderr], [0, ""]);
  assert.match(written.stdout, new RegExp(`^\\d+ bytes of ${key} in ${file}\\n$`));
  assert.equal(JSON.parse(await readFile(file, "utf8")).who.anonymousId, visitor.id);
  const printed = await idoine(["profile", "export", key, ...to], PUBLISHER);
  assert.equal(JSON.parse(printed.stdout).format, "idoine.export.v1");
  const nobody = await idoine(["profile", "export", "u:nobody", ...to, "-o", join(folder, "none.json")], OWNER);
  assert.deepEqual([nobody.code, nobody.stderr], [1, "error: There is no such profile.\n"]);
  assert.deepEqual(await readdir(folder), ["held.json"]);
  const accesses = await idoine(["profile", "accesses", key, ...to], OWNER);
  assert.match(accesses.stdout, /anna +export[^]*ci +export/);
  const consents = await idoine(["consents", ...to, "--days", "7"], OWNER);
  assert.match(consents.stdout, /analytics/);
  assert.ok(JSON.parse((await idoine(["consents", ...to, "--json"], OWNER)).stdout).consents.length > 0);
  assert.equal((await idoine(["measured", ...to], OWNER)).code, 0);
});

test("the command line tries a page that fails three times, and leaves no part of a file behind", async () => {
  // What a Worker answers whose second page fails so often.
  let [failing, asked]: [number, unknown[]] = [0, []];
  const site = await startOrigin({
    "/_idoine/api/profiles/u%3Aada/export": async (request, response) => {
      let text = "";
      for await (const piece of request) text += piece;
      const { after } = JSON.parse(text);
      asked.push(after);
      if (after === "2" && failing > 0) {
        failing -= 1;
        // One that is refused, and one that breaks off.
        if (failing % 2 === 0) response.writeHead(503, { "content-type": "application/json", "retry-after": "0" }).end('{"error":{"code":"unavailable","message":"Not now."}}');
        else response.writeHead(200, { "content-length": "100" }).write('{"exported":[{"messageId":"b"}', () => response.destroy());
        return;
      }
      const held = { format: "idoine.export.v1", exported: [{ messageId: "a", n: 0.1 }], next: "2", accesses: [{ by: "ci" }] };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(after === undefined ? held : { exported: after === "2" ? [] : [{ messageId: "b" }], next: after === "2" ? "3" : null }));
    },
  });
  try {
    const file = join(folder, "ada.json");
    const run = (...more: string[]) => idoine(["profile", "export", "u:ada", "--to", site.url, ...more], OWNER);
    const whole = { format: "idoine.export.v1", accesses: [{ by: "ci" }], exported: [{ messageId: "a", n: 0.1 }, { messageId: "b" }] };
    failing = 2;
    assert.equal((await run("-o", file)).code, 0);
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), whole);
    assert.deepEqual(asked.splice(0), [undefined, "2", "2", "2", "3"]);
    assert.deepEqual(JSON.parse((await run()).stdout), whole);
    await rm(file);
    failing = 3;
    const failed = await run("-o", file);
    assert.deepEqual([failed.code, failed.stdout, failed.stderr], [1, "", "error: Not now.\n"]);
    assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith("ada")), []);
    failing = 3;
    const printed = await run();
    assert.equal(printed.code, 1);
    assert.throws(() => JSON.parse(printed.stdout), "half of it is no JSON");
  } finally {
    await site.close();
  }
});
