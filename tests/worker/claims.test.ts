// Anybody may say that they are a user. What is proven of that user stays as it is, however many say so, and whatever becomes of them.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { VIEWS, event, startProfiles } from "./profiles.ts";
import type { Profiles } from "./profiles.ts";
import { Browser, KEY, SECRET } from "./visitor.ts";

const MOST_CLAIMS = 1000;

let worker: Profiles;

before(async () => {
  worker = await startProfiles({ vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: SECRET } });
});
after(() => worker.dispose());
beforeEach(() => worker.fail({}));

/** Has a browser whose user a token proved look at something twice. */
const proven = (anonymousId: string, userId: string) =>
  worker.give([event({ anonymousId, userId }), event({ anonymousId, userId })], { own: { anonymousId, user: userId } });

/** Has browsers that only say that they are a user look at something, one after the other. */
async function claimed(userId: string, from: number, to: number) {
  for (let at = from; at < to; at += 1) {
    const anonymousId = `${userId}-claims-${at}`;
    assert.deepEqual((await worker.give([event({ anonymousId, userId })], { own: { anonymousId } })).statuses, ["accepted"]);
  }
}

async function until(isSo: () => Promise<boolean>, what: string) {
  for (let tries = 0; !(await isSo()); tries += 1) {
    assert.ok(tries < 100, what);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function erase(key: string) {
  const { status, body } = await worker.api(`profiles/${encodeURIComponent(key)}/erase`, "POST");
  assert.equal(status, 200);
  await until(async () => (await worker.rows(key, `SELECT 1 FROM receipts WHERE id = '${body.receipt}' AND done IS NOT NULL`)).length > 0, "it is erased");
}

const views = async (userId: string) => (await worker.readings(`u:${userId}`))?.[VIEWS];
const merged = (userId: string) => worker.rows(`u:${userId}`, `SELECT name, state, merged FROM parts WHERE profile = 'u:${userId}' AND merged IS NOT NULL ORDER BY id`);

test("browsers that claim a user are put together with each other, and what is proven goes with none of them", async () => {
  await proven("ann-phone", "ann");
  await claimed("ann", 0, 70);
  assert.equal(await views("ann"), "72");
  const gone = await merged("ann");
  assert.deepEqual(gone.map(({ name, state }) => [name, state]), Array.from({ length: 6 }, (_, at) => [`ann-claims-${at}`, null]));
  const phone = "SELECT proven, state IS NULL AS isEmpty FROM parts WHERE profile = 'u:ann' AND name = 'ann-phone'";
  assert.deepEqual(await worker.rows("u:ann", phone), [{ proven: 1, isEmpty: 0 }]);
  // One that was put together with others can't be taken apart from them. The others are as they were.
  await erase("a:ann-claims-2");
  assert.equal(await views("ann"), "66");
  assert.deepEqual(await worker.rows("u:ann", phone), [{ proven: 1, isEmpty: 0 }]);
  assert.deepEqual(await merged("ann"), []);
  await erase("a:ann-claims-69");
  assert.equal(await views("ann"), "65");
  // A browser whose part was put together with others goes on.
  await worker.give([event({ anonymousId: "ann-claims-0", userId: "ann" })]);
  assert.equal(await views("ann"), "66");
});

test("what is proven is put together with what is proven, and goes with it alone", async () => {
  for (let at = 0; at < 66; at += 1) {
    await proven(`bob-${at}`, "bob");
  }
  await claimed("bob", 0, 66);
  assert.equal(await views("bob"), "198");
  assert.deepEqual(new Set((await merged("bob")).map(({ merged }) => merged)).size, 2);
  await erase("a:bob-claims-0");
  assert.equal(await views("bob"), "196");
  await erase("a:bob-1");
  assert.equal(await views("bob"), "192");
});

test("a browser that claims a user and proves it later is proven from then on, also by what it did before", async () => {
  const [anonymousId, userId] = ["cleo-phone", "cleo"];
  const identify = (more: object) => event({ type: "identify", event: undefined, anonymousId, userId, traits: {}, ...more });
  const handed = () => worker.rows("u:cleo", "SELECT proven FROM parts WHERE profile = 'u:cleo' AND pushed = 1 AND name = 'a:cleo-phone'");
  await worker.give([event({ anonymousId }), identify({})]);
  await until(async () => (await handed()).length > 0, "it is handed over");
  assert.deepEqual(await handed(), [{ proven: 0 }]);
  await worker.give([identify({ source: "identity", trusted: true })], { own: { anonymousId, user: userId } });
  await until(async () => (await handed())[0].proven === 1, "it is handed over as proven");
  assert.deepEqual(await worker.rows("u:cleo", "SELECT proven FROM parts WHERE profile = 'u:cleo' AND pushed = 0 AND name = 'cleo-phone'"), [{ proven: 1 }]);
  assert.deepEqual(await worker.rows("a:cleo-phone", "SELECT user, proven FROM links WHERE profile = 'a:cleo-phone'"), [{ user: "cleo", proven: 1 }]);
});

test("of claims without end a profile takes a thousand parts; what is proven is taken still", async () => {
  await proven("dan-phone", "dan");
  await claimed("dan", 0, 1);
  const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MOST_CLAIMS - 1})
    INSERT INTO parts (profile, pushed, name, came) SELECT 'u:dan', 0, 'dan-said-' || i, 1 FROM n RETURNING 1`;
  await worker.rows("u:dan", many);
  const parts = async () => (await worker.rows("u:dan", "SELECT count(*) AS n FROM parts WHERE profile = 'u:dan'"))[0].n;
  const before = await parts();
  await claimed("dan", 1, 2);
  await worker.give([event({ type: "identify", event: undefined, anonymousId: "dan-other", userId: "dan", traits: {} })]);
  await until(async () => worker.logs.filter((line) => line.includes("claim_left_out")).length > 1, "it is said");
  assert.equal(await views("dan"), "3");
  // What was left out is counted once nevertheless: a part without a browser has its id.
  assert.equal(await parts(), before + 1);
  await proven("dan-laptop", "dan");
  assert.equal(await views("dan"), "5");
});

test("what is proven comes before what was only said, whenever that was", async () => {
  const identify = (userId: string, more: object) => event({ type: "identify", event: undefined, anonymousId: "eve-phone", userId, traits: {}, ...more });
  const link = () => worker.rows("a:eve-phone", "SELECT user, proven FROM links WHERE profile = 'a:eve-phone'");
  await worker.give([event({ anonymousId: "eve-phone" }), identify("guest-7", {})]);
  assert.deepEqual(await link(), [{ user: "guest-7", proven: 0 }]);
  await until(async () => (await views("guest-7")) === "1", "it is the guest's");
  await worker.give([identify("eve", { source: "identity", trusted: true })], { own: { anonymousId: "eve-phone", user: "eve" } });
  await until(async () => (await views("eve")) === "1", "it is hers");
  await until(async () => (await views("guest-7")) === "0", "it is the guest's no more");
  await worker.give([identify("guest-7", { timestamp: 1 })]);
  assert.deepEqual(await link(), [{ user: "eve", proven: 1 }]);
});

test("who says to be a user refuses nothing for them, and is bound by what they refuse", async () => {
  const [phone, stranger] = [new Browser(worker), new Browser(worker)];
  const all = ["personalization", "analytics", "marketing"];
  await phone.agree(...all);
  await phone.logIn("fay");
  await stranger.agree(...all);
  await stranger.send({ type: "identify", userId: "fay" });
  await stranger.agree();
  await until(async () => (await worker.rows("u:fay", `SELECT 1 FROM consents WHERE profile = 'u:fay' AND part = 'a:${stranger.id}'`)).length > 0 || stranger.id === "", "it is heard");
  const paid = event({ anonymousId: undefined, userId: "fay", source: "erp", trusted: true, timestamp: Date.now() });
  assert.deepEqual((await worker.give([paid])).statuses, ["accepted"]);
  await phone.send({ type: "page" });
  assert.deepEqual(phone.granted, all);
  assert.ok(phone.jar.has("idoine_p"));
});
