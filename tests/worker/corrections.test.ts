// A visitor corrects what is known of them, or takes it away: their word counts before all others, from then on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LEARNING, event, startProfiles } from "./profiles.ts";
import type { Event, Profiles } from "./profiles.ts";
import { Browser, KEY, SECRET, tokenOf } from "./visitor.ts";

const MANIFEST = {
  ...LEARNING,
  site: { id: "shop", hosts: ["shop.example", "www.shop.example"], timezone: "Europe/Paris" },
  traits: {
    plan: { type: "string", purpose: "personalization", enum: ["free", "pro"], editable: true },
    city: { type: "string", purpose: "personalization", settle: "first", editable: true },
    points: { type: "int", purpose: "personalization", settle: "largest", editable: true },
    letter: { type: "bool", purpose: "marketing", editable: true },
    topics: { type: "strings", purpose: "personalization", enum: ["shoes", "hats"], editable: true },
    score: { type: "int", purpose: "personalization" },
  },
  audiences: {
    ...LEARNING.audiences,
    rich: "profile.points > 10",
    shod: "'shoes' in profile.topics",
    readers: "profile.letter",
    scored: "profile.score > 1",
  },
  experiences: LEARNING.experiences.concat({ id: "any", type: "personalization", audience: "rich || shod || readers || scored || parisians", slots: { hero: { text: "Any" } } } as any),
};

let worker: Profiles;

before(async () => {
  worker = await startProfiles({ manifest: MANIFEST, vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: SECRET } });
});
after(() => worker.dispose());

const correct = (browser: Browser, traits: unknown, more: object = {}) => browser.fetch("/_idoine/profile", "POST", { traits, ...more });

/** A browser whose visitor agreed. */
async function agreed(...purposes: string[]): Promise<Browser> {
  const browser = new Browser(worker);
  await browser.agree(...(purposes.length === 0 ? ["personalization", "analytics"] : purposes));
  return browser;
}

/** What another source says of a browser's visitor, later. */
const said = (browser: Browser, traits: object, source = "crm", more: Event = {}) => {
  const now = Date.now() + 1;
  return worker.give([event({ type: "identify", event: undefined, anonymousId: browser.id, traits, source, trusted: true, timestamp: now, receivedAt: now, ...more })]);
};

test("a correction is answered as the profile, and no later source takes it back", async () => {
  const visitor = await agreed();
  await said(visitor, { plan: "free", city: "Lyon", points: 100 });
  const reply = await correct(visitor, { plan: "pro", city: "Nantes", points: 3 });
  assert.equal(reply.status, 200, reply.text);
  assert.deepEqual(Object.keys(reply.json()), ["version", "verified", "profile", "slots"]);
  assert.equal(reply.json().profile["profile.plan"], "pro");
  const mine = { "profile.plan": "pro", "profile.city": "Nantes", "profile.points": "3" };
  const readings = async () => Object.fromEntries(Object.entries((await worker.readings(`a:${visitor.id}`))!).filter(([name]) => name in mine));
  assert.deepEqual(await readings(), mine);
  await said(visitor, { plan: "free", city: "Lyon", points: 1000 });
  await said(visitor, { plan: "free", points: 2000 }, "import:past", { timestamp: Date.now() - 1000 });
  assert.deepEqual(await readings(), mine);
  await correct(visitor, { points: 2 });
  assert.equal((await readings())["profile.points"], "2");
  const { traits } = (await worker.api(`profile/a:${visitor.id}`)).body;
  assert.ok(traits.some(({ name, source, counts, why }: any) => name === "plan" && source === "visitor" && counts && why === "visitor"), JSON.stringify(traits));
});

test("what is taken away stays away until the visitor says otherwise", async () => {
  const visitor = await agreed();
  const plan = async () => (await worker.readings(`a:${visitor.id}`))?.["profile.plan"];
  await said(visitor, { plan: "pro" });
  assert.equal(await plan(), "pro");
  const reply = await correct(visitor, { plan: null });
  assert.equal(reply.json().profile["profile.plan"], undefined);
  assert.equal(await plan(), undefined);
  await said(visitor, { plan: "pro" });
  assert.equal(await plan(), undefined);
  await correct(visitor, { plan: "free" });
  assert.equal(await plan(), "free");
});

test("a list is a list, and an empty one none", async () => {
  const visitor = await agreed();
  const reply = await correct(visitor, { topics: ["shoes", "hats"] });
  assert.equal(reply.json().profile["profile.topics"], "shoes,hats", reply.text);
  assert.equal((await correct(visitor, { topics: [] })).json().profile["profile.topics"], undefined);
  assert.equal((await correct(visitor, { topics: ["shoes", "coats"] })).json().error.code, "bad_value");
});

test("what visitors may not change, and what is no value, is refused", async () => {
  const visitor = await agreed();
  for (const [traits, status, code] of [
    [{ score: 5 }, 400, "not_editable"],
    [{ nonsense: 5 }, 400, "not_editable"],
    [{ plan: "platinum" }, 400, "bad_value"],
    [{ points: "many" }, 400, "bad_value"],
    [{ points: {} }, 400, "bad_value"],
    [{ plan: "" }, 400, "bad_value"],
    [{ plan: "pro", points: "many" }, 400, "bad_value"],
    [{}, 400, "bad_request"],
    [["plan"], 400, "bad_request"],
    [undefined, 400, "bad_request"],
    [{ letter: true }, 403, "no_consent"],
  ] as const) {
    const reply = await correct(visitor, traits);
    assert.deepEqual([reply.status, reply.json().error?.code], [status, code], `${JSON.stringify(traits)}: ${reply.text}`);
  }
  assert.equal((await worker.readings(`a:${visitor.id}`))?.["profile.plan"], undefined);
  assert.equal((await visitor.fetch("/_idoine/profile", "POST", "nonsense")).status, 400);
  assert.equal((await visitor.fetch("/_idoine/profile", "POST", { traits: { city: "x".repeat(20_000) } })).status, 413);
});

test("each trait needs its own purpose, and all of them personalization", async () => {
  const visitor = await agreed("personalization", "marketing");
  assert.equal((await correct(visitor, { letter: true })).status, 200);
  const other = await agreed("marketing");
  assert.equal((await correct(other, { letter: true })).status, 403);
  assert.equal((await correct(new Browser(worker), { plan: "pro" })).status, 403);
});

test("only a page of the site corrects, and who is logged in proves it", async () => {
  const visitor = await agreed();
  const evil = await visitor.fetch("/_idoine/profile", "POST", { traits: { plan: "pro" } }, { origin: "https://evil.example" });
  assert.equal(evil.status, 403);
  await visitor.logIn("ada");
  for (const [token, code] of [[undefined, "token_needed"], [tokenOf("bob"), "bad_token"], ["x", "bad_token"]] as const) {
    const reply = await correct(visitor, { plan: "pro" }, { token });
    assert.deepEqual([reply.status, reply.json().error.code], [401, code]);
  }
  const reply = await correct(visitor, { plan: "pro" }, { token: tokenOf("ada") });
  assert.equal(reply.json().profile["profile.plan"], "pro", reply.text);
  // It is the user's, on their other browsers too.
  const other = await agreed();
  await said(other, { plan: "free" });
  const known = await other.logIn("ada");
  assert.equal(known.json().profile["profile.plan"], "pro");
});

test("no key of a sender is called as visitors are", async () => {
  const named = await startProfiles({ manifest: MANIFEST, vars: { IDOINE_KEY: KEY, IDOINE_WRITE_KEYS: "server:visitor:write-key-of-the-tests-0:personalization" } });
  try {
    const reply = await named.fetch("/_idoine/collect", { method: "POST", headers: { "x-write-key": "write-key-of-the-tests-0" }, body: JSON.stringify({ events: [{ type: "identify", userId: "x", traits: { plan: "pro" } }] }) });
    assert.equal(reply.status, 401);
    assert.ok(named.logs.some((line) => line.includes("bad_write_keys")));
  } finally {
    await named.dispose();
  }
});
