// Erasures: afterwards nothing is left of a visitor in any store, whatever fails meanwhile. Before, the same search finds them in each store
// that is meant to have them.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { Browser, Erasing, KEY, NUMBERS, OLDER, numberOf, pseudonym, token } from "./erasing.ts";

let site: Erasing;
let people = 0;

before(async () => {
  site = await Erasing.start();
});
after(() => site.stop());
afterEach(() => site.do("fail", {}));

/** Marks of somebody of a test's own: no two tests look for the same. */
function marks(name: string) {
  people += 1;
  const of = (what: string) => `${what}-${name}-${people}-mark`;
  return { user: of("user"), old: of("before"), plan: of("plan"), city: of("city"), offer: of("offer"), note: of("note"), page: of("page") };
}

/** Has a visitor leave marks wherever a visitor can. */
async function lives(browser: Browser, of: ReturnType<typeof marks>, user?: string) {
  const who = user === undefined ? {} : { userId: user };
  await site.do("fail", {});
  assert.deepEqual(
    await browser.send(
      { type: "identify", ...who, traits: { plan: of.plan, city: of.city, offer: of.offer } },
      { type: "track", event: "Product Viewed", ...who, properties: { page: of.page } },
      { type: "track", event: "Ad Clicked", ...who, properties: { page: of.page } },
    ),
    ["accepted", "accepted", "accepted"],
  );
  const key = user === undefined ? browser.key : `u:${user}`;
  await until(async () => JSON.stringify(await site.do("objects")).includes(of.page), "the bucket has it");
  // What comes now waits.
  await site.do("fail", { bucket: true });
  await browser.send({ type: "track", event: "Product Viewed", ...who, properties: { page: of.page } });
  const encoded = encodeURIComponent(key);
  assert.equal((await site.api(`profile/${encoded}/notes`, "POST", { text: of.note })).status, 200);
  assert.equal((await site.api(`profile/${encoded}/tags`, "PUT", { tags: [of.note.slice(0, 60)] })).status, 200);
  await until(async () => (await site.rows(key, "SELECT 1 FROM dead WHERE instr(body, ?)", of.page)).length > 0, "a letter is dead");
  return key;
}

async function until(isSo: () => Promise<boolean>, what: string) {
  for (let tries = 0; !(await isSo()); tries += 1) {
    assert.ok(tries < 300, `${what}: ${site.worker.logs.slice(-4).join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("an anonymous visitor: everything is found before, and nothing anywhere after", async () => {
  const browser = new Browser(site);
  await browser.agree();
  const of = marks("anna");
  const key = await lives(browser, of);
  const [id, all] = [browser.id, [browser.id, of.plan, of.city, of.offer, of.note, of.page]];
  const cookies = browser.sealed;
  const found = await site.search(all, cookies);
  const isIn = (mark: string, ...places: string[]) => places.forEach((place) => assert.ok(found[mark]?.includes(place), `${mark} in ${place}: ${JSON.stringify(found)}`));
  isIn(id, "file do", "table parts", "table events", "table outbox", "table deliveries", "table dead", "table members", "table notes", "table tags", "object", "file r2");
  // The trail of who looked at whom has a pseudonym.
  assert.ok(!found[id]!.some((place) => place.endsWith("kv")), JSON.stringify(found));
  isIn(of.page, "file do", "table events", "table outbox", "table deliveries", "table dead", "object", "file r2");
  isIn(of.plan, "file do", "table parts", "table events", "object", "cookie");
  isIn(of.offer, "table parts", "object");
  isIn(of.note, "file do", "table notes", "table tags");

  const reply = await browser.erase();
  assert.equal(reply.status, 200, reply.text);
  const { receipt, erased } = reply.json();
  assert.equal(erased, true);
  assert.match(receipt, /^[0-9a-f-]{36}$/);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent"]);
  assert.match(browser.jar.get("idoine_consent")!, /^v2\.~personalization\.~analytics\.~marketing\.\d+\.\d{10}\.v$/);
  // Also while nothing is written to the bucket: what waited for it is gone.
  await site.do("fail", {});
  await site.done(key, receipt);
  // By themselves; the other tests don't wait for that.
  await site.asleep(all);
  assert.deepEqual(await site.search(all), {});
  // The receipt says that it was, and of nobody.
  assert.deepEqual(await site.rows(key, "SELECT what FROM receipts WHERE id = ?", receipt), [{ what: "erased by the visitor" }]);
  const [{ who }] = await site.rows(key, "SELECT who FROM erased LIMIT 1");
  assert.match(who, /^[0-9a-f]{32}$/);
  // What they were told is another visitor's page now.
  assert.match((await browser.fetch("/")).text, /<h1>Welcome<\/h1>/);
});

test("a user goes with all their browsers, and nobody else goes; whoever is logged in proves it once more", async () => {
  const [phone, laptop, other] = [new Browser(site), new Browser(site), new Browser(site)];
  const [of, others] = [marks("ben"), marks("cleo")];
  for (const browser of [phone, laptop, other]) {
    await browser.agree();
  }
  await lives(phone, of);
  await phone.logIn(of.user);
  await laptop.logIn(of.user);
  await lives(laptop, of, of.user);
  await other.logIn(others.user);
  await lives(other, others, others.user);
  await site.do("fail", {});
  const [phoneKey, laptopKey, user] = [phone.key, laptop.key, `u:${of.user}`];
  const all = [phone.id, laptop.id, of.user, of.plan, of.city, of.offer, of.note, of.page];
  const found = await site.search(all, [...phone.sealed, ...laptop.sealed]);
  assert.deepEqual(Object.keys(found).sort(), [...all].sort());
  assert.ok(found[of.user]!.includes("cookie") && found[of.plan]!.includes("cookie"), JSON.stringify(found));

  const refusal = await phone.erase();
  assert.deepEqual([refusal.status, refusal.json().error.code], [401, "token_needed"]);
  for (const bad of [token(others.user), `${token(of.user)}x`]) {
    const reply = await phone.erase({ token: bad });
    assert.deepEqual([reply.status, reply.json().error.code], [401, "bad_token"]);
  }
  assert.equal((await phone.erase({ token: 1 })).status, 400);
  assert.equal((await phone.fetch("/_idoine/erase", "POST", {}, { origin: "https://elsewhere.example" })).status, 403);
  assert.deepEqual(await site.rows(user, "SELECT * FROM erasures"), [], "nothing of that began anything");

  const reply = await phone.erase({ token: token(of.user) });
  assert.equal(reply.status, 200, reply.text);
  await site.done(user, reply.json().receipt);
  await site.stopped(all);
  assert.deepEqual(await site.search(all), {});
  // The other visitor has all that they had.
  const left = await site.search([other.id, others.user, others.plan, others.page, others.note], other.sealed);
  assert.deepEqual(Object.keys(left).length, 5, JSON.stringify(left));
  assert.ok(left[others.page]!.includes("object"));
  // What the laptop still carries is of nobody: what it brings next is taken for nobody's wish, and it is told that all was taken back.
  assert.deepEqual(await laptop.send({ type: "track", event: "Product Viewed" }), ["dropped"]);
  assert.match(laptop.jar.get("idoine_consent")!, /^v2\.~personalization\.~analytics\.~marketing\./);
  assert.deepEqual([...laptop.jar.keys()], ["idoine_consent"]);
  assert.equal((await site.api(`profile/${encodeURIComponent(user)}`)).status, 404);
  // Who agrees there from now on is somebody new.
  await laptop.agree();
  assert.deepEqual(await laptop.send({ type: "track", event: "Product Viewed" }), ["accepted"]);
});

test("the owner erases who was aliased by any of their names; the trail tells the receipt and nothing of whom it was", async () => {
  const [browser, of] = [new Browser(site), marks("dan")];
  await browser.agree();
  await lives(browser, of, of.old);
  await site.do("fail", {});
  await browser.send({ type: "identify", userId: of.old, traits: {} });
  assert.deepEqual(await site.send({ type: "alias", previousId: of.old, userId: of.user }, { type: "track", event: "Product Viewed", userId: of.user, properties: { page: of.page } }), ["accepted", "accepted"]);
  await until(async () => (await site.rows(`u:${of.user}`, "SELECT 1 FROM parts WHERE pushed = 1 AND name = ? AND state IS NOT NULL", `u:${of.old}`)).length > 0, "it was handed over");
  const all = [browser.id, of.old, of.user, of.plan, of.page, of.note];
  assert.equal(Object.keys(await site.search(all)).length, all.length);
  const reply = await site.api(`profiles/${encodeURIComponent(`u:${of.old}`)}/erase`, "POST");
  assert.equal(reply.status, 200, reply.text);
  const { receipt } = reply.json();
  await site.done(`u:${of.old}`, receipt);
  await site.stopped(all);
  assert.deepEqual(await site.search(all), {});
  const trail = (await site.api("audit")).json().entries;
  assert.ok(trail.some(({ action, by, what }: any) => action === "erase profile" && by === "anna" && what === receipt), JSON.stringify(trail));
  assert.ok(trail.some(({ action, what }: any) => action === "note" && /^[\w-]{22}$/.test(what)));
  assert.equal((await site.api("profiles/x/erase", "POST")).status, 404);
  // Of whom nothing is known nothing is erased, and that is no error: who asks must not learn who is known.
  assert.equal((await site.api(`profiles/${encodeURIComponent("u:never-seen")}/erase`, "POST")).status, 200);
});

test("a browser that is erased by itself takes what it did out of its user's profile, and leaves the rest", async () => {
  const [browser, of] = [new Browser(site), marks("eve")];
  await browser.agree();
  const before = marks("eve");
  await lives(browser, before);
  await browser.send({ type: "identify", userId: of.user, traits: {} });
  await lives(browser, of, of.user);
  await site.do("fail", {});
  await site.send({ type: "track", event: "Product Viewed", userId: of.user }, { type: "identify", userId: of.user, traits: { city: of.city } });
  const user = `u:${of.user}`;
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND pushed = 1 AND name = ?", user, browser.key)).length > 0, "it was handed over");
  const [id, key] = [browser.id, browser.key];
  const all = [id, before.plan, before.page, of.plan, of.page];
  const reply = await browser.erase();
  assert.equal(reply.status, 200, reply.text);
  await site.done(key, reply.json().receipt);
  await site.stopped(all);
  // What the server told of the user stays, as do notes on the user; what was done in that browser is gone, whoever it was said to be.
  const left = await site.search([...all, of.city]);
  assert.deepEqual(Object.keys(left), [of.city], JSON.stringify(left));
  const { readings } = (await site.api(`profile/${encodeURIComponent(user)}`)).json();
  assert.equal(readings["profile.count('Product Viewed')"], "1");
  assert.equal(readings["profile.plan"], undefined);
});

test("who is erased and comes back begins anew: nothing of before comes in, late, again, or from another shard", async () => {
  const of = marks("fay");
  const [anonymousId, user] = [`visitor-${of.user}`, `u:${of.user}`];
  const key = `a:${anonymousId}`;
  const at = Date.now() - 60_000;
  const event = (messageId: string, more: object) => ({ messageId, type: "track", event: "Product Viewed", anonymousId, timestamp: at, receivedAt: at, site: "shop", properties: { page: of.page }, source: "browser", trusted: false, consent: ["personalization", "analytics", "marketing"], ...more });
  const old = [event("1", {}), event("2", { type: "identify", event: undefined, userId: of.user, traits: { plan: of.plan } })];
  await site.do("give", old);
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND name = ?", user, key)).length > 0, "it was handed over");
  const [parcel] = await site.rows(user, "SELECT version, hex(state) AS state FROM parts WHERE profile = ? AND name = ?", user, key);
  const { receipt } = await (await site.api(`profiles/${encodeURIComponent(user)}/erase`, "POST")).json();
  await site.done(user, receipt);
  // The same events once more, one that was late, and a part that was under way.
  assert.deepEqual((await site.do("give", [...old, event("3", {})])).statuses, ["duplicate", "duplicate", "duplicate"]);
  const late = { profile: key, target: user, version: parcel.version, state: [...Buffer.from(parcel.state, "hex")], gone: false, link: { user: of.user, at, id: "2" } };
  await site.do("receive", user, late);
  await site.do("receive", key, { ...late, profile: user, target: key });
  for (const one of [key, user]) {
    for (const table of ["parts", "targets", "links"]) {
      assert.deepEqual(await site.rows(one, `SELECT * FROM ${table} WHERE profile = ?`, one), [], `${table} of ${one}`);
    }
    assert.deepEqual(await site.rows(one, "SELECT * FROM outbox WHERE instr(json, ?)", of.page), []);
  }
  // What they do from now on is taken, and handed over as it was before.
  const now = Date.now();
  const again = [event("4", { timestamp: now }), event("5", { timestamp: now, type: "identify", event: undefined, userId: of.user, traits: { city: of.city } })];
  assert.deepEqual((await site.do("give", again)).statuses, ["accepted", "accepted"]);
  const readings = async () => (await site.api(`profile/${encodeURIComponent(user)}`)).json().readings ?? {};
  await until(async () => (await readings())["profile.count('Product Viewed')"] === "1", "the new one is handed over");
  assert.equal((await readings())["profile.plan"], undefined);
  await site.do("give", [event("6", { timestamp: now + 1 })]);
  await until(async () => (await readings())["profile.count('Product Viewed')"] === "2", "and handed over again");
});

test("a shard that fails is told later; until then it is no one's fault, and after it nothing is left", async () => {
  const [browser, of] = [new Browser(site), marks("gus")];
  await browser.agree();
  await lives(browser, of);
  await site.do("fail", {});
  await browser.send({ type: "identify", userId: of.user, traits: { plan: of.plan } });
  const [key, user] = [browser.key, `u:${of.user}`];
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND pushed = 1", user)).length > 0, "it was handed over");
  await site.do("fail", { forget: NUMBERS.filter((number) => number !== numberOf(key)) });
  const all = [browser.id, of.plan, of.page];
  const reply = await browser.erase();
  assert.equal(reply.status, 200, reply.text);
  // Its own shard has nothing of it any more when the answer is there.
  assert.deepEqual(await site.rows(key, "SELECT * FROM parts WHERE profile = ?", key), []);
  assert.ok((await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND name = ?", user, key)).length > 0 || numberOf(key) === numberOf(user));
  assert.ok(site.worker.logs.some((line) => line.includes('"not_erased"')));
  await site.do("fail", {});
  await site.done(key, reply.json().receipt, true);
  await site.stopped(all);
  assert.deepEqual(await site.search(all), {});
});

test("an erasure goes on after workerd is killed in the midst of it", async () => {
  const [browser, of] = [new Browser(site), marks("hal")];
  await browser.agree();
  await lives(browser, of);
  await browser.send({ type: "identify", userId: of.user, traits: { plan: of.plan } });
  const [key, user] = [browser.key, `u:${of.user}`];
  const all = [browser.id, of.plan, of.page];
  // Half of the shards can't be told, and neither can the bucket.
  await site.do("fail", { forget: NUMBERS.filter((number) => number % 2 === 1), bucket: true, deletes: true });
  const { receipt } = (await browser.erase()).json();
  await site.worker.kill();
  await site.worker.restart();
  await site.done(key, receipt, true);
  await site.stopped(all);
  assert.deepEqual(await site.search(all), {});
});

const DAY = 24 * 3600 * 1000;

/** How many events, and of how many visitors, DuckDB finds in an object. */
async function counted(text: string) {
  const folder = await mkdtemp(join(tmpdir(), "idoine-duck-"));
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    await writeFile(join(folder, "object.ndjson"), text);
    const query = `SELECT count(*), count(DISTINCT "anonymousId") FROM read_ndjson('${folder}/*.ndjson', union_by_name = true)`;
    return (await connection.runAndReadAll(query)).getRowsJson();
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true });
  }
}

/** Has a shard do what it does once a day, at once. */
async function day(key: string, of = site) {
  await of.rows(key, "UPDATE meta SET value = 1 WHERE name = 'sweep' RETURNING 1");
  await of.do("ring", key);
  await until(async () => (await of.rows(key, "SELECT value FROM meta WHERE name = 'sweep'"))[0].value > 1, "the daily look is over");
}

test("who withdraws personalization is no profile any more; what analytics may keep stays with the sinks", async () => {
  const [browser, of] = [new Browser(site), marks("ida")];
  await browser.agree();
  const key = await lives(browser, of);
  await browser.agree(["analytics", "marketing"]);
  await site.settled(key);
  assert.equal((await site.rows(key, "SELECT 1 FROM parts WHERE profile = ? AND (state IS NOT NULL OR base IS NOT NULL)", key)).length, 0);
  for (const table of ["notes", "tags", "targets", "links"]) {
    assert.deepEqual(await site.rows(key, `SELECT * FROM ${table} WHERE profile = ?`, key), [], table);
  }
  const found = await site.search([of.page, of.note]);
  assert.deepEqual(found[of.page]?.filter((place) => !place.startsWith("file")), ["object", "table dead", "table deliveries", "table outbox"], JSON.stringify(found));
  assert.ok(!found[of.note]?.some((place) => place.startsWith("table")), JSON.stringify(found));
  // The message for personalization is taken back, those for other purposes are not.
  const sinks = async () => (await site.rows(key, "SELECT sink FROM deliveries WHERE instr(body, ?) GROUP BY sink", browser.id)).map(({ sink }) => sink);
  assert.deepEqual(await sinks(), ["webhook:ads"]);
  await browser.agree(["analytics"]);
  await until(async () => (await sinks()).length === 0, "that for marketing too");
});

test("who withdraws analytics is in no export any more, and stays a profile", async () => {
  const [browser, of] = [new Browser(site), marks("jon")];
  await browser.agree();
  const key = await lives(browser, of);
  // What it did as somebody is with that user's shard.
  await site.do("fail", {});
  await browser.send({ type: "track", event: "Product Viewed", userId: of.user });
  await until(async () => JSON.stringify(await site.do("objects")).includes(of.user), "the bucket has it");
  // Beside it lie events of others, by the same shard, and lines that only look alike.
  const other = JSON.stringify({ messageId: "x", type: "track", event: "Product Viewed", anonymousId: "another-visitor", properties: { ref: browser.id } });
  const [name, text] = (await site.do<[string, string][]>("objects")).find(([, text]) => text.includes(browser.id))!;
  await site.do("put", name, `${other}\n${text}${other}\n`);
  await browser.agree(["personalization", "marketing"]);
  await site.do("fail", {});
  await site.settled(key);
  const objects = await site.do<[string, string][]>("objects");
  const kept = objects.find(([one]) => one === name)![1];
  const lines = kept.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(lines.filter(({ anonymousId }) => anonymousId !== browser.id), [JSON.parse(other), JSON.parse(other)]);
  assert.ok(objects.every(([, text]) => !text.split("\n").some((line) => line.includes(`"anonymousId":"${browser.id}"`))));
  assert.ok(!kept.includes("\n\n") && kept.endsWith("\n"));
  assert.deepEqual(await counted(kept), [["2", "1"]]);
  assert.deepEqual(await site.rows(key, "SELECT * FROM outbox WHERE instr(json, ?)", browser.id), []);
  const { readings } = (await site.api(`profile/${encodeURIComponent(key)}`)).json();
  assert.equal(readings["profile.plan"], of.plan);
});

test("who withdraws marketing has no trait for it in any profile, window or message, and the rest as it was", async () => {
  const [browser, of] = [new Browser(site), marks("lou")];
  await browser.agree();
  const key = await lives(browser, of);
  await site.do("fail", {});
  await browser.send({ type: "identify", userId: of.user, traits: {} });
  const user = `u:${of.user}`;
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND pushed = 1 AND state IS NOT NULL", user)).length > 0, "it was handed over");
  const told = async (key: string) => (await site.api(`profile/${encodeURIComponent(key)}`)).json().traits.map(({ name }: any) => name).sort();
  for (const one of [key, user]) {
    assert.deepEqual(await told(one), ["city", "offer", "plan"], one);
  }
  await browser.agree(["personalization", "analytics"]);
  await site.settled(key);
  for (const one of [key, user]) {
    assert.deepEqual(await told(one), ["city", "plan"], one);
  }
  await site.stopped([of.offer]);
  // An event for marketing is out of the bucket, though that is for analytics.
  const lines = (await site.do<[string, string][]>("objects")).flatMap(([, text]) => text.split("\n").filter((line) => line.includes(browser.id)).map((line) => JSON.parse(line)));
  assert.deepEqual([...new Set(lines.map(({ type, event }) => event ?? type))].sort(), ["Product Viewed", "identify"]);
  // What was measured with the consent to analytics is in the exports; it goes with that one.
  assert.deepEqual((await site.search([of.offer]))[of.offer]?.filter((place) => !["file r2", "object"].includes(place)) ?? [], []);
  // An event that was late brings none back, and what comes later goes on with the rest.
  const now = Date.now();
  const late = { messageId: "late", type: "identify", anonymousId: browser.id, timestamp: now - 60_000, receivedAt: now, site: "shop", traits: { offer: of.offer, plan: `${of.plan}-2` }, source: "browser", trusted: false, consent: ["personalization", "analytics", "marketing"] };
  assert.deepEqual((await site.do("give", [late])).statuses, ["accepted"]);
  assert.deepEqual(await told(key), ["city", "plan"]);
  await until(async () => (await site.rows(user, "SELECT version FROM parts WHERE profile = ? AND name = ?", user, key))[0].version === (await site.rows(key, "SELECT version FROM parts WHERE profile = ? AND pushed = 0", key))[0].version, "it was handed over again");
  assert.deepEqual(await told(user), ["city", "plan"]);
});

test("traits for marketing that are older than those are kept go by themselves", async () => {
  const [browser, of] = [new Browser(site), marks("max")];
  await browser.agree();
  const at = Date.now();
  const told = (days: number, traits: object, messageId: string) => ({ messageId, type: "identify", anonymousId: browser.id, timestamp: at - days * DAY, receivedAt: at, site: "shop", traits, source: `import:${messageId}`, trusted: true, consent: ["personalization", "analytics", "marketing"] });
  await site.do("give", [told(396, { offer: of.offer, plan: of.plan }, "old"), told(390, { offer: "younger" }, "young")]);
  const traits = async () => (await site.api(`profile/${encodeURIComponent(browser.key)}`)).json().traits.map(({ name, source }: any) => `${name} ${source}`).sort();
  assert.deepEqual(await traits(), ["offer import:old", "offer import:young", "plan import:old"]);
  await day(browser.key);
  assert.deepEqual(await traits(), ["offer import:young", "plan import:old"]);
});

test("profiles of which nothing came for too long go by themselves, and what was written to the bucket for too long", async () => {
  const [browser, active] = [new Browser(site), new Browser(site)];
  const of = marks("kim");
  await browser.agree();
  await active.agree();
  const key = await lives(browser, of);
  await site.do("fail", {});
  const objects = async () => (await site.do<[string, string][]>("objects")).map(([name]) => name);
  const dated = (days: number) => `events/site=shop/date=${new Date(Date.now() - days * DAY).toISOString().slice(0, 10)}/${numberOf(key)}-1-2.ndjson`;
  await site.do("put", dated(762), "{}\n");
  await site.do("put", dated(758), "{}\n");
  // Their messageIds were to be forgotten long ago.
  const idle = async (days: number) => {
    await site.rows(key, "UPDATE events SET until = 1 WHERE part IN (SELECT id FROM parts WHERE profile = ?) RETURNING 1", key);
    return setCame(days);
  };
  const setCame = (days: number) => site.rows(key, `UPDATE parts SET came = ${Date.now() - days * DAY} WHERE profile = ? RETURNING 1`, key);
  await idle(394);
  await day(key);
  assert.equal((await site.api(`profile/${encodeURIComponent(key)}`)).status, 200, "it is young enough");
  await idle(396);
  await day(key);
  await until(async () => (await site.api(`profile/${encodeURIComponent(key)}`)).status === 404, "it is over");
  await until(async () => !(await objects()).includes(dated(762)), "so is a day of the bucket");
  assert.ok((await objects()).includes(dated(758)));
  assert.ok((await site.rows(key, "SELECT 1 FROM receipts WHERE what = 'over'")).length > 0);
  // What sinks have is kept for its own time: nobody looks for it.
  await site.settled(key);
  const places = async () => (await site.search([of.page]))[of.page]?.filter((place) => !place.startsWith("file"));
  await until(async () => !(await places())?.includes("table outbox"), "what waited is in the bucket");
  assert.deepEqual(await places(), ["object", "table dead", "table deliveries"]);
  // Nothing tells of the visitor any more but that there may be lines of theirs: those go when they withdraw.
  assert.deepEqual(await site.rows(key, "SELECT 1 FROM parts WHERE profile = ?", key), []);
  assert.deepEqual(await site.rows(key, "SELECT 1 FROM erased WHERE purpose = 'lines' AND who = ? AND until > ?", pseudonym(key, KEY), Date.now() + 759 * DAY), [{ 1: 1 }]);
  await browser.agree(["personalization", "marketing"]);
  await site.settled(key);
  assert.ok(!(await places())?.includes("object"));
});

test("of who withdraws what nothing was kept for, no object is looked for; of who did something, those of their shard are", async () => {
  const [nobody, somebody] = [new Browser(site), new Browser(site)];
  const listings = () => site.do<{ partitions: number; objects: number }>("listings");
  await nobody.agree();
  const before = await listings();
  const key = nobody.key;
  await nobody.agree(["personalization", "marketing"]);
  await site.settled(key);
  assert.deepEqual(await listings(), before);
  await somebody.agree();
  await somebody.send({ type: "page" });
  await somebody.agree(["personalization", "marketing"]);
  await site.settled(somebody.key);
  assert.equal((await listings()).partitions, before.partitions + 1);
});

test("a shard that has looked at enough objects leaves the next erasure for later, and lists nothing for it", async () => {
  const names = (await site.do<[string, string][]>("objects")).map(([name]) => name);
  const number = NUMBERS.find((one) => !names.some((name) => name.includes(`/${one}-`)))!;
  await Promise.all(Array.from({ length: 50 }, (_, at) => site.do("put", `events/site=shop/date=${new Date().toISOString().slice(0, 10)}/${number}-${100 + at}-${100 + at}.ndjson`, "{}\n")));
  const { partitions } = await site.do("listings");
  for (const id of ["one", "two"]) {
    await site.rows(number, "INSERT INTO exported (id, keys, purposes, date, after, due) VALUES (?, '[\"a:nobody\"]', '[\"analytics\"]', '', '', 1) RETURNING 1", `${id}:0`);
  }
  await site.do("ring", number);
  await until(async () => (await site.rows(number, "SELECT 1 FROM exported")).length === 0, "they are looked at");
  assert.equal((await site.do("listings")).partitions, partitions + 2);
});

test("who takes back all that they agreed to: nothing is left anywhere but that they did, and whose the browser was", async () => {
  const [browser, of] = [new Browser(site), marks("nia")];
  await browser.agree();
  const key = await lives(browser, of);
  await site.do("fail", {});
  assert.equal((await browser.logIn(of.user)).status, 200);
  await browser.send({ type: "identify", userId: of.user, traits: { city: of.city } }, { type: "track", event: "Product Viewed", userId: of.user, properties: { page: of.page } });
  const user = `u:${of.user}`;
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND pushed = 1 AND name = ?", user, key)).length > 0, "it was handed over");
  await until(async () => JSON.stringify(await site.do("objects")).includes(of.user), "the bucket has it");
  const [id, cookies] = [browser.id, browser.sealed];
  const said = [of.plan, of.city, of.offer, of.note, of.page];
  const found = await site.search([id, of.user, ...said], cookies);
  assert.equal(Object.keys(found).length, 7, JSON.stringify(found));
  const reply = await browser.agree([]);
  assert.deepEqual([reply.status, reply.json().granted], [200, []]);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent"]);
  assert.match(browser.jar.get("idoine_consent")!, /^v2\.~personalization\.~analytics\.~marketing\./);
  await site.settled(key);
  await site.stopped([...said, of.user]);
  const left = await site.search([id, of.user, ...said]);
  // Of what they did and what was known of them nothing, in no store.
  assert.deepEqual(Object.keys(left).filter((mark) => mark !== id && mark !== of.user), [], JSON.stringify(left));
  // That they withdrew: in their browser's own profile, and in that of the user, so that it holds in all browsers that are theirs; and by whom
  // that is known. Profiles stay as empty rows, by which those are told of it.
  const allowed = ["file do", "table consents", "table links", "table parts", "table targets", "table told"];
  for (const mark of [id, of.user]) {
    assert.deepEqual(left[mark]?.filter((place) => !allowed.includes(place)) ?? [], [], JSON.stringify(left));
  }
  assert.ok(left[id]!.includes("table consents"), JSON.stringify(left));
  for (const one of [key, user]) {
    assert.deepEqual(await site.rows(one, "SELECT 1 FROM parts WHERE profile = ? AND (base IS NOT NULL OR state IS NOT NULL OR held > 0)", one), [], one);
  }
  const choices = await site.rows(key, "SELECT choice FROM history WHERE who = ? ORDER BY at, rowid", pseudonym(key, KEY));
  assert.deepEqual(choices.map(({ choice }) => Object.values(JSON.parse(choice)).join(" ")), ["granted granted granted", "withdrawn withdrawn withdrawn"]);
});

/** All that a shard has of a profile, by the names of its tables. */
async function left(key: string): Promise<Record<string, number>> {
  const tables = { parts: "profile", consents: "profile", told: "profile", links: "profile", targets: "profile", notes: "profile", tags: "profile", members: "key", accesses: "profile" };
  const counts = Object.entries(tables).map(([table, column]) => `(SELECT count(*) FROM ${table} WHERE ${column} = ?1) AS ${table}`);
  const [row] = await site.rows(key, `SELECT ${counts.join(", ")}`, key);
  return Object.fromEntries(Object.entries<number>(row).filter(([, n]) => n > 0));
}

const receiptsOf = async (key: string) => (await site.rows(key, "SELECT id, what FROM receipts ORDER BY at")).filter(({ what }) => what !== "over");

test("who takes back all in a browser of which no user is proven leaves their choices under a pseudonym, and nothing else", async () => {
  const [browser, of] = [new Browser(site), marks("pia")];
  await browser.agree();
  const key = await lives(browser, of);
  await site.do("fail", {});
  // That they are somebody is only said.
  await browser.send({ type: "identify", userId: of.user, traits: { city: of.city } }, { type: "track", event: "Product Viewed", userId: of.user });
  const user = `u:${of.user}`;
  await until(async () => (await site.rows(user, "SELECT 1 FROM consents WHERE profile = ? AND part = ?", user, key)).length > 0, "the user's profile was told");
  assert.deepEqual((await left(key))["consents"], 3);
  const [id, jar] = [browser.id, new Map(browser.jar)];
  assert.equal((await browser.agree([])).status, 200);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent"]);
  await site.settled(key);
  assert.deepEqual(await left(key), {});
  await site.stopped([id]);
  const found = await site.search([id, of.plan, of.city, of.offer, of.note, of.page]);
  assert.deepEqual(found, {});
  const choices = await site.rows(key, "SELECT choice FROM history WHERE who = ? ORDER BY at, rowid", pseudonym(key, KEY));
  assert.deepEqual(choices.map(({ choice }) => Object.values(JSON.parse(choice)).join(" ")), ["granted granted granted", "withdrawn withdrawn withdrawn"]);
  // Who had the cookies of before says it once more: nothing is begun by it, and nothing comes back.
  const before = await receiptsOf(key);
  const again = new Browser(site);
  jar.forEach((value, name) => again.jar.set(name, value));
  assert.equal((await again.agree([])).status, 200);
  assert.deepEqual([await receiptsOf(key), await left(key)], [before, {}]);
  // And nothing is known of them that they could have erased.
  assert.deepEqual((await browser.erase()).json(), { receipt: null, erased: true });
});

test("a withdrawal that its shard could not be told of is not said to be saved, and is kept for whoever tries again", async () => {
  const [browser, of] = [new Browser(site), marks("quin")];
  await browser.agree();
  const key = await lives(browser, of);
  await browser.logIn(of.user);
  await browser.send({ type: "track", event: "Product Viewed", userId: of.user, properties: { page: of.page } });
  const user = `u:${of.user}`;
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND pushed = 1 AND name = ?", user, key)).length > 0, "it was handed over");
  await site.do("fail", { accept: [numberOf(key), numberOf(user)] });
  for (let tries = 0; tries < 2; tries += 1) {
    const reply = await browser.agree([]);
    assert.deepEqual([reply.status, reply.json().error.code, reply.header("retry-after")], [503, "unavailable", "10"]);
    // Use stops, and who they are is not lost.
    assert.match(browser.jar.get("idoine_consent")!, /^v2\.~personalization\.~analytics\.~marketing\./);
    assert.deepEqual([...browser.jar.keys()].sort(), ["idoine_consent", "idoine_id", "idoine_p"]);
  }
  assert.deepEqual([await site.rows(key, "SELECT 1 FROM erasures"), (await left(key))["notes"]], [[], 1]);
  await site.do("fail", {});
  const reply = await browser.agree([]);
  assert.deepEqual([reply.status, reply.json().granted], [200, []]);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent"]);
  for (const one of [key, user]) {
    await site.settled(one);
    assert.deepEqual(await site.rows(one, "SELECT 1 FROM parts WHERE profile = ? AND (base IS NOT NULL OR state IS NOT NULL OR held > 0)", one), [], one);
    assert.deepEqual((await left(one))["notes"], undefined);
  }
});

test("what a browser withdrew and its shard was not told of goes when it is heard of with the next events", async () => {
  const [browser, of] = [new Browser(site), marks("rex")];
  await browser.agree();
  const key = await lives(browser, of);
  await site.do("fail", { accept: [numberOf(key)] });
  assert.equal((await browser.agree(["analytics"])).status, 503);
  assert.equal((await left(key))["notes"], 1);
  // A later second: what is brought along is news then.
  const [, second] = /\.(\d{10})\.v$/.exec(browser.jar.get("idoine_consent")!)!;
  browser.jar.set("idoine_consent", browser.jar.get("idoine_consent")!.replace(second!, String(Number(second) + 2)));
  await site.do("fail", {});
  assert.deepEqual(await browser.send({ type: "page" }), ["accepted"]);
  await site.settled(key);
  assert.equal((await left(key))["notes"], undefined);
  assert.deepEqual((await receiptsOf(key)).map(({ what }) => what).filter((what) => what === "withdrawn: personalization, marketing").length, 1);
});

test("three choices within a second are three: what is agreed to anew, and taken back anew, goes each time", async () => {
  const [browser, of] = [new Browser(site), marks("sue")];
  await browser.agree();
  const { key } = browser;
  const notes = async () => (await left(key))["notes"];
  const count = async () => (await receiptsOf(key)).length;
  const before = await count();
  for (let round = 1; round <= 3; round += 1) {
    await browser.agree();
    await browser.send({ type: "page" });
    await site.api(`profile/${encodeURIComponent(key)}/notes`, "POST", { text: of.note });
    assert.equal(await notes(), 1);
    await browser.agree(["analytics", "marketing"]);
    assert.equal(await notes(), undefined);
    assert.equal(await count(), before + round);
  }
});

test("who asks again, with the same id, for what was erased just before has no shard look again", async () => {
  const browser = new Browser(site);
  await browser.agree();
  await browser.send({ type: "page" });
  const { key } = browser;
  const jar = new Map(browser.jar);
  const { receipt } = (await browser.erase()).json();
  await site.done(key, receipt);
  const before = await receiptsOf(key);
  const replayed = new Browser(site);
  const replay = async () => {
    jar.forEach((value, name) => replayed.jar.set(name, value));
    const reply = await replayed.erase();
    assert.equal(reply.status, 200, reply.text);
    return reply.json();
  };
  for (let times = 0; times < 3; times += 1) {
    assert.deepEqual(await replay(), { receipt: null, erased: true });
  }
  assert.deepEqual([await receiptsOf(key), await site.rows(key, "SELECT 1 FROM erasures")], [before, []]);
  // An hour later it may, and at once where something is known again.
  await site.rows(key, "UPDATE erased SET at = at - 3600001 RETURNING 1");
  assert.match((await replay()).receipt, /^[0-9a-f-]{36}$/);
  await site.settled(key);
  assert.deepEqual(await replay(), { receipt: null, erased: true });
  jar.forEach((value, name) => replayed.jar.set(name, value));
  await replayed.send({ type: "page" });
  assert.match((await replay()).receipt, /^[0-9a-f-]{36}$/);
});

test("a shard overwrites what was deleted though an erasure does not come to its end; of a new one it waits for that", async () => {
  const number = 7;
  const isOver = async () => (await site.rows(number, "SELECT 1 FROM meta WHERE name = 'overwrite'")).length === 0;
  const erasing = (at: number) => site.rows(number, "INSERT OR REPLACE INTO erasures (id, purposes, at, told, due) VALUES ('stuck', '[]', ?, '{}', ?) RETURNING 1", at, Date.now() + DAY);
  try {
    await erasing(Date.now());
    await site.rows(number, "INSERT OR REPLACE INTO meta (name, value) VALUES ('overwrite', 1) RETURNING 1");
    await site.do("ring", number);
    await until(async () => (await site.rows(number, "SELECT value FROM meta WHERE name = 'overwrite'"))[0]?.value > 1, "it is put off");
    await erasing(Date.now() - 601_000);
    await site.rows(number, "UPDATE meta SET value = 1 WHERE name = 'overwrite' RETURNING 1");
    await site.do("ring", number);
    await until(isOver, "it is overwritten");
  } finally {
    await site.rows(number, "DELETE FROM erasures WHERE id = 'stuck' RETURNING 1");
  }
});

test("an erasure takes what was chosen under a name of an older secret too", async () => {
  const browser = new Browser(site);
  await browser.agree();
  const { key } = browser;
  await site.rows(key, "INSERT INTO history (who, at, version, by, choice) VALUES (?, 1, 1, 'visitor', '{}') RETURNING 1", pseudonym(key, OLDER));
  const named = () => site.rows(key, "SELECT 1 FROM history WHERE who IN (?, ?)", pseudonym(key, KEY), pseudonym(key, OLDER));
  assert.equal((await named()).length, 2);
  await site.done(key, (await browser.erase()).json().receipt);
  assert.deepEqual(await named(), []);
});

test("a user goes with all their browsers, however many", async () => {
  const of = marks("ola");
  const user = `u:${of.user}`;
  const browsers = Array.from({ length: 1_050 }, (_, at) => `a:${of.user}-${at}`);
  for (const number of NUMBERS) {
    const own = browsers.filter((key) => numberOf(key) === number);
    await site.rows(number, "INSERT INTO links (profile, user, at, id) SELECT value, ?, 1, value FROM json_each(?) RETURNING 1", of.user, JSON.stringify(own));
    await site.rows(number, "INSERT INTO notes (id, profile, at, by, text) SELECT value, value, 1, 'anna', ? FROM json_each(?) RETURNING 1", of.note, JSON.stringify(own));
  }
  const { receipt } = (await site.api(`profiles/${encodeURIComponent(user)}/erase`, "POST")).json();
  await site.done(user, receipt);
  await site.stopped([of.note, of.user]);
  assert.deepEqual(await site.search([of.note, of.user]), {});
});

test("a bucket that is bound to marketing: its lines go with that, and its days when those of marketing are over", async () => {
  const bound = await Erasing.start({ sinks: { r2: { purpose: "marketing" } } });
  try {
    const [one, other] = [new Browser(bound), new Browser(bound)];
    for (const browser of [one, other]) {
      await browser.agree();
      await browser.send({ type: "track", event: "Product Viewed" });
    }
    const objects = () => bound.do<[string, string][]>("objects");
    const holds = async (id: string) => (await objects()).some(([, text]) => text.includes(id));
    for (const browser of [one, other]) {
      await until(() => holds(browser.id), "the bucket has it");
    }
    // What is bound to the bucket's purpose, and what is bound to its own.
    await one.agree(["personalization", "analytics"]);
    await other.agree(["personalization", "marketing"]);
    for (const browser of [one, other]) {
      await bound.settled(browser.key);
      assert.equal(await holds(browser.id), false);
    }
    const dated = (days: number) => `events/site=shop/date=${new Date(Date.now() - days * DAY).toISOString().slice(0, 10)}/${numberOf(one.key)}-1-2.ndjson`;
    await bound.do("put", dated(397), "{}\n");
    await bound.do("put", dated(393), "{}\n");
    await day(one.key, bound);
    assert.deepEqual((await objects()).map(([name]) => name), [dated(393)]);
  } finally {
    await bound.stop();
  }
});

test("a profile of which for too long nothing came but from who only says to be its user goes too", async () => {
  const [phone, stranger, of] = [new Browser(site), new Browser(site), marks("ned")];
  await phone.agree();
  await phone.logIn(of.user);
  await stranger.agree();
  const user = `u:${of.user}`;
  const viewed = { type: "track", event: "Product Viewed", userId: of.user };
  await phone.send(viewed);
  await until(async () => (await site.rows(phone.key, "SELECT 1 FROM targets WHERE profile = ? AND due IS NULL", phone.key)).length > 0, "it is handed over");
  await site.rows(user, `UPDATE parts SET came = ${Date.now() - 396 * DAY} WHERE profile = ? RETURNING 1`, user);
  assert.deepEqual(await stranger.send(viewed), ["accepted"]);
  await day(user);
  await until(async () => (await site.rows(user, "SELECT 1 FROM parts WHERE profile = ? AND state IS NOT NULL", user)).length === 0, "it is over");
});

test("who was erased just before, and did something in a browser since that their user's shard knows nothing of, is erased again", async () => {
  const browser = new Browser(site);
  await browser.agree();
  const [key, id] = [browser.key, browser.jar.get("idoine_id")!];
  const user = NUMBERS.map((n) => `user-pia-${n}`).find((name) => numberOf(`u:${name}`) !== numberOf(key))!;
  await browser.logIn(user);
  await site.done(`u:${user}`, (await browser.erase({ token: token(user) })).json().receipt);
  browser.jar.set("idoine_id", id);
  await browser.agree();
  assert.deepEqual([browser.key, await browser.send({ type: "page" })], [key, ["accepted"]]);
  const { receipt } = (await browser.erase({ token: token(user) })).json();
  assert.match(receipt ?? "", /^[0-9a-f-]{36}$/);
  await site.done(`u:${user}`, receipt);
  assert.deepEqual(await site.rows(key, "SELECT 1 FROM parts WHERE profile = ?", key), []);
});
