// What visitors said of their purposes: kept with when and by whom, as strict on all browsers of a user as on the strictest, and counted.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LEARNING, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Profiles } from "./profiles.ts";
import { eventually } from "./shard.ts";
import { Browser, KEY, SECRET } from "./visitor.ts";

const ALL = ["personalization", "analytics", "marketing"];

let worker: Profiles;

before(async () => {
  worker = await startProfiles({ manifest: LEARNING, vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: SECRET } });
});
after(() => worker.dispose());

const TABLES = ["parts", "events", "targets", "links", "consents", "told", "history", "accesses", "outbox", "members"];

/** What a profile's shard has of it: what each part said. */
const consents = async (key: string) =>
  Object.fromEntries((await worker.rows(key, `SELECT part, json_group_object(purpose, status) AS said FROM consents WHERE profile = '${key}' GROUP BY part`)).map(({ part, said }) => [part, JSON.parse(said)]));

/** What holds for a profile: of each purpose the strictest; of a user's, where anything is proven, of what is. */
async function holds(key: string): Promise<Record<string, string>> {
  const rows = await worker.rows(key, `SELECT purpose, max(CASE status WHEN 'granted' THEN 0 WHEN 'refused' THEN 1 ELSE 2 END) AS rank FROM consents WHERE profile = '${key}'
    AND (proven = 1 OR profile GLOB 'a:*' OR NOT EXISTS (SELECT 1 FROM consents WHERE profile = '${key}' AND proven = 1)) GROUP BY purpose`);
  return Object.fromEntries(rows.map(({ purpose, rank }) => [purpose, ["granted", "refused", "withdrawn"][rank]]));
}

const counts = async () => (await worker.api("consents")).body.consents as { purpose: string; version: number; granted: number; refused: number; withdrawn: number; rate: number | null }[];
const countOf = (rows: Awaited<ReturnType<typeof counts>>, name: string) => rows.filter(({ purpose }) => purpose === name).reduce((sum, row) => [sum[0]! + row.granted, sum[1]! + row.refused, sum[2]! + row.withdrawn], [0, 0, 0]);

/** Waits until nothing is to be told or handed over by the shards of these profiles. */
async function quiet(...keys: string[]): Promise<void> {
  for (const key of keys) {
    await eventually(() => worker.rows(key, "SELECT 1 FROM told WHERE due IS NOT NULL UNION ALL SELECT 1 FROM targets WHERE due IS NOT NULL"), (rows) => rows.length === 0);
  }
}

test("without any grant nothing of a visitor is stored, and their refusal is counted", async () => {
  const before = countOf(await counts(), "analytics");
  const nobody = new Browser(worker);
  await nobody.agree();
  const now = await eventually(async () => countOf(await counts(), "analytics"), ([, refused]) => refused === before[1]! + 1);
  assert.deepEqual(now, [before[0], before[1]! + 1, before[2]]);
  assert.deepEqual([...nobody.jar.keys()], ["idoine_consent"]);
  // Whichever shard counted it, none has more than the number.
  const shards = new Set<string>();
  for (let n = 0; shards.size < 64 && n < 600; n += 1) {
    const [row] = await worker.rows(`a:probe-${n}`, "SELECT value FROM meta WHERE name = 'number'");
    if (row !== undefined && !shards.has(String(row.value))) {
      shards.add(String(row.value));
      for (const table of TABLES) {
        assert.deepEqual(await worker.rows(`a:probe-${n}`, `SELECT * FROM ${table}`), [], table);
      }
    }
  }
  assert.ok(shards.size > 32, String(shards.size));
});

test("a choice is kept with its time, wording and who made it; what was granted is withdrawn", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("personalization", "analytics");
  const key = `a:${visitor.id}`;
  assert.deepEqual(await consents(key), { "": { personalization: "granted", analytics: "granted", marketing: "refused" } });
  const [row] = await worker.rows(key, `SELECT * FROM consents WHERE profile = '${key}' AND purpose = 'analytics'`);
  assert.ok(Math.abs(row.at - Date.now()) < 60_000, String(row.at));
  assert.deepEqual([row.version, row.by], [1, "visitor"]);
  const before = countOf(await counts(), "personalization");
  await visitor.agree("analytics");
  assert.deepEqual(await consents(key), { "": { personalization: "withdrawn", analytics: "granted", marketing: "refused" } });
  assert.deepEqual(countOf(await counts(), "personalization"), [before[0], before[1], before[2]! + 1]);
  // Of who agrees to nothing any more it is not kept, where nobody else is to know.
  await visitor.agree();
  assert.deepEqual(await consents(key), {});
  assert.deepEqual([...visitor.jar.keys()], ["idoine_consent"]);
});

test("each choice is remembered under a name that nobody reads", async () => {
  const visitor = new Browser(worker);
  await visitor.agree(...ALL);
  const { id } = visitor;
  await visitor.agree("analytics");
  const rows = await worker.rows(`a:${id}`, "SELECT * FROM history");
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(id));
  const own = rows.filter(({ choice }) => JSON.parse(choice).marketing === "withdrawn");
  assert.equal(own.length, 1);
  assert.equal(rows.filter(({ who }) => who === own[0].who).length, 2);
});

test("what is said once more is neither counted nor remembered again", async () => {
  const visitor = new Browser(worker);
  await visitor.agree("analytics");
  const before = countOf(await counts(), "analytics");
  await visitor.agree("analytics");
  assert.deepEqual(countOf(await counts(), "analytics"), before);
});

test("the owner sees how many chose what, by day, wording and purpose", async () => {
  const rows = await counts();
  const today = new Date().toISOString().slice(0, 10);
  for (const row of rows as any[]) {
    assert.deepEqual(Object.keys(row).sort(), ["day", "granted", "purpose", "rate", "refused", "version", "withdrawn"]);
    assert.equal(row.day, today);
    assert.equal(row.rate, row.granted + row.refused === 0 ? null : Math.round((row.granted / (row.granted + row.refused)) * 10_000) / 10_000);
  }
  assert.equal((await worker.api("consents?days=1")).body.consents.length, rows.length);
  for (const days of ["0", "401", "x"]) {
    assert.equal((await worker.api(`consents?days=${days}`)).status, 400, days);
  }
});

test("what a user refused on one browser holds on the others with their next answer, and back again", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  await phone.agree(...ALL);
  await laptop.agree("personalization", "analytics");
  assert.equal((await phone.logIn("ann")).status, 200);
  assert.deepEqual(phone.granted, ALL);
  await laptop.logIn("ann");
  // The answer that logs a browser in has it at once; the other has it with its next events.
  await phone.send({ type: "page" });
  assert.deepEqual(phone.granted, ["personalization", "analytics"]);
  const again = await laptop.agree(...ALL);
  assert.deepEqual(again.json().granted, ALL);
  await phone.send({ type: "page" });
  assert.deepEqual(phone.granted, ALL);
  // And a third one hears of it as it logs in.
  await laptop.agree("personalization");
  const tablet = new Browser(worker);
  await tablet.agree(...ALL);
  await tablet.logIn("ann");
  assert.deepEqual(tablet.granted, ["personalization"]);
});

test("what is withdrawn anywhere is not folded, projected or sent anywhere", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  await phone.agree(...ALL);
  await laptop.agree(...ALL);
  await phone.logIn("bea");
  await laptop.logIn("bea");
  assert.deepEqual((await laptop.send({ type: "track", event: "Product Viewed" })).map(({ status }) => status), ["accepted"]);
  assert.ok(laptop.jar.has("idoine_p"));
  await phone.agree("marketing");
  const views = (await worker.readings("u:bea"))?.[VIEWS];
  assert.deepEqual(await laptop.send({ type: "track", event: "Product Viewed" }), [{ status: "dropped", reason: "no_consent" }]);
  assert.equal((await worker.readings("u:bea"))?.[VIEWS], views);
  assert.deepEqual(laptop.granted, ["marketing"]);
  assert.equal(laptop.jar.has("idoine_p"), false);
  // A server that believes to have a consent changes nothing of that.
  const { statuses } = await worker.give([event({ anonymousId: undefined, userId: "bea", source: "erp", trusted: true, timestamp: Date.now() })]);
  assert.deepEqual(statuses, ["dropped"]);
  assert.equal((await worker.readings("u:bea"))?.[VIEWS], views);
});

test("a browser whose user is only claimed is as strict, before its next event is kept", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  await phone.agree(...ALL);
  await phone.logIn("cleo");
  await laptop.agree(...ALL);
  await laptop.send({ type: "identify", userId: "cleo" });
  await phone.agree("personalization");
  await quiet(`a:${phone.id}`, "u:cleo");
  // It says nothing of a user: its own profile knows.
  const results = await laptop.send({ type: "track", event: "Product Viewed" });
  assert.deepEqual(results.map(({ status }) => status), ["accepted"]);
  assert.deepEqual(laptop.granted, ["personalization"]);
  const [kept] = await worker.rows(`a:${laptop.id}`, `SELECT json FROM events WHERE json LIKE '%Product Viewed%' AND json LIKE '%${laptop.id}%'`);
  assert.deepEqual(JSON.parse(kept.json).consent, ["personalization"]);
});

test("who withdraws within their session takes back all that is known of their user, with no other proof than to give it; to erase needs one", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  for (const browser of [phone, laptop]) {
    await browser.agree(...ALL);
    assert.equal((await browser.logIn("gus")).status, 200);
    await browser.send({ type: "track", event: "Product Viewed" });
  }
  await quiet("u:gus");
  const views = async () => (await worker.readings("u:gus"))?.[VIEWS];
  assert.equal(await views(), "2");
  const erasure = await phone.fetch("/_idoine/erase", "POST", {});
  assert.deepEqual([erasure.status, erasure.json().error.code], [401, "token_needed"]);
  assert.equal(await views(), "2");
  await phone.agree("analytics", "marketing");
  assert.equal(await eventually(views, (found) => found === "0"), "0");
  // Nothing is learned anywhere from now on.
  await laptop.send({ type: "track", event: "Product Viewed" });
  assert.deepEqual(laptop.granted, ["analytics", "marketing"]);
  assert.equal(laptop.jar.has("idoine_p"), false);
  assert.equal(await views(), "0");
});

test("who is not proven any more withdraws for all browsers of their user, and takes back what their own did; who never was, for none that is proven", async () => {
  // One never was; of the other the thirty days are over, and the seal opens no more.
  for (const [user, isKnown] of [["hal", false], ["ivy", true]] as const) {
    const [phone, laptop] = [new Browser(worker), new Browser(worker)];
    await phone.agree(...ALL);
    await laptop.agree(...ALL);
    await laptop.logIn(user);
    await (isKnown ? phone.logIn(user) : phone.send({ type: "identify", userId: user }));
    for (const browser of [phone, laptop]) {
      await browser.send({ type: "track", event: "Product Viewed", userId: user });
    }
    const keys = [`a:${phone.id}`, `u:${user}`, `a:${laptop.id}`];
    await quiet(...keys);
    const views = async () => (await worker.readings(`u:${user}`))?.[VIEWS];
    assert.equal(await views(), "2", user);
    phone.jar.delete("idoine_p");
    await phone.agree("analytics", "marketing");
    assert.equal(await eventually(views, (found) => found === "1"), "1", user);
    await quiet(...keys);
    await laptop.send({ type: "track", event: "Product Viewed" });
    assert.deepEqual(laptop.granted, isKnown ? ["analytics", "marketing"] : ALL, user);
    assert.equal(laptop.jar.has("idoine_p"), !isKnown);
    assert.equal(await views(), isKnown ? "1" : "2", user);
  }
});

test("an alias brings what was refused along, to both", async () => {
  const [phone, laptop] = [new Browser(worker), new Browser(worker)];
  await phone.agree("personalization", "marketing");
  await phone.logIn("dan");
  await laptop.agree("personalization", "analytics");
  await laptop.logIn("dana");
  await worker.give([event({ type: "alias", event: undefined, anonymousId: undefined, previousId: "dan", userId: "dana", source: "erp", trusted: true })]);
  await eventually(() => holds("u:dana"), (held) => held["marketing"] === "refused" && held["analytics"] === "refused");
  await quiet("u:dan", "u:dana");
  assert.deepEqual(await holds("u:dan"), await holds("u:dana"));
  await phone.send({ type: "page" });
  await laptop.send({ type: "page" });
  assert.deepEqual([phone.granted, laptop.granted], [["personalization"], ["personalization"]]);
});

test("a choice that a shard did not take holds in the browser, and is kept when it answers again", async () => {
  const visitor = new Browser(worker);
  await visitor.agree(...ALL);
  const key = `a:${visitor.id}`;
  await worker.fail({ accept: true });
  // Nobody is told that what is kept is deleted while it is not.
  const reply = await visitor.fetch("/_idoine/consent", "POST", { granted: ["analytics"] });
  await worker.fail({});
  assert.deepEqual([reply.status, reply.json().error.code], [503, "unavailable"]);
  assert.deepEqual(visitor.granted, ["analytics"]);
  const held = await eventually(() => holds(key), (found) => found["marketing"] === "withdrawn");
  assert.deepEqual(held, { personalization: "withdrawn", analytics: "granted", marketing: "withdrawn" });
});

test("where a site measures without asking, events are counted without their visitor, and nothing else of them is kept", async () => {
  const exempt = await startProfiles({
    manifest: { ...LEARNING, consent: { mode: "measurement-exempt", version: 2 }, events: { "Product Viewed": {}, "Order Completed": {}, "Ad Clicked": { purpose: "marketing" } } },
    vars: { IDOINE_KEY: KEY },
  });
  try {
    const nobody = new Browser(exempt);
    const shown = { type: "exposure", properties: { experience: "hero", variant: 1, secret: "of-the-visitor" } };
    const counted = { status: "dropped", reason: "counted" };
    const refused = { status: "dropped", reason: "no_consent" };
    const viewed = { type: "track", event: "Product Viewed", properties: { secret: "of-the-visitor" } };
    assert.deepEqual(await nobody.send(viewed, viewed, shown, { type: "page" }, { type: "track", event: "Ad Clicked" }), [counted, counted, counted, counted, refused]);
    assert.deepEqual([...nobody.jar], []);
    // Who refuses is not counted, nor who asks not to be tracked.
    const refusing = new Browser(exempt);
    await refusing.agree();
    assert.deepEqual(await refusing.send(viewed), [refused]);
    const reply = await nobody.fetch("/_idoine/collect", "POST", { events: [viewed] }, { dnt: "1" });
    assert.deepEqual(reply.json().results, [refused]);
    // Who chose here has said more than their browser does, also in words that are no longer asked.
    const older = await nobody.fetch("/_idoine/collect", "POST", { events: [{ type: "page", name: "Home" }] }, { dnt: "1", cookie: "idoine_consent=v2.analytics.-personalization.-marketing.1.5.v" });
    assert.deepEqual(older.json().results, [counted]);
    const rows = await eventually(async () => (await exempt.api("measured")).body.measured as any[], (found) => found.length === 4);
    assert.deepEqual(
      rows.map(({ kind, name, experience, variant, n }) => [kind, name, experience, variant, n]),
      [["exposure", "", "hero", "1", 1], ["page", "", "", "", 1], ["page", "Home", "", "", 1], ["track", "Product Viewed", "", "", 2]],
    );
    assert.ok(rows.every(({ day }) => day === new Date().toISOString().slice(0, 10)));
    for (let n = 0; n < 200; n += 1) {
      for (const table of ["parts", "events", "outbox"]) {
        assert.deepEqual(await exempt.rows(`a:probe-${n}`, `SELECT * FROM ${table}`), []);
      }
    }
    assert.equal((await exempt.api("measured?days=401")).status, 400);
  } finally {
    await exempt.dispose();
  }
});

// Random stories of a user's browsers, each told in several orders.
describe("in whatever order", { concurrency: 4 }, () => {
  type Step = { say: string[] } | { logIn: true } | { claim: true };

  /** Numbers that look random, and are the same each time. */
  function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 16) % below;
    };
  }

  /** What a browser does: it agrees, says who its visitor is, and may change its mind. */
  function story(random: (below: number) => number): Step[] {
    const say = (always: string[]) => ({ say: ALL.filter((name) => always.includes(name) || random(2) === 0) });
    const steps: Step[] = [say(["personalization", "analytics"]), random(3) === 0 ? { claim: true } : { logIn: true }];
    if (random(3) > 0) {
      steps.push(say(["analytics"]));
    }
    return steps;
  }

  /** An order of all steps, each browser's own in theirs: whose turn it is. */
  function interleaved(stories: Step[][], random: (below: number) => number): number[] {
    const left = stories.map((steps) => steps.length);
    const order = [];
    while (left.some((n) => n > 0)) {
      const open = left.flatMap((n, at) => (n > 0 ? [at] : []));
      const turn = open[random(open.length)]!;
      order.push(turn);
      left[turn]! -= 1;
    }
    return order;
  }

  const isProven = (steps: Step[]) => steps.some((step) => "logIn" in step);

  /** What has to hold in the end by what was said in some browsers. */
  function expected(stories: Step[][]): Record<string, string> {
    const status = (steps: Step[], purpose: string) => {
      const said = steps.flatMap((step) => ("say" in step ? [step.say.includes(purpose)] : []));
      return said.at(-1) ? 0 : said.includes(true) ? 2 : 1;
    };
    return Object.fromEntries(ALL.map((purpose) => [purpose, ["granted", "refused", "withdrawn"][Math.max(...stories.map((steps) => status(steps, purpose)))]!]));
  }

  async function tell(stories: Step[][], order: number[], user: string): Promise<void> {
    const browsers = stories.map(() => new Browser(worker));
    const left = stories.map((steps) => [...steps]);
    const name = `${user}: ${JSON.stringify(stories)} in ${order.join("")}`;
    for (const turn of order) {
      const [browser, step] = [browsers[turn]!, left[turn]!.shift()!];
      if ("say" in step) await browser.agree(...step.say);
      else if ("claim" in step) await browser.send({ type: "identify", userId: user });
      else assert.equal((await browser.logIn(user)).status, 200, name);
    }
    const proven = stories.filter(isProven);
    const end = expected(proven.length > 0 ? proven : stories);
    await eventually(() => holds(`u:${user}`), (held) => JSON.stringify(held) === JSON.stringify(held) && ALL.every((purpose) => held[purpose] === end[purpose]), 100);
    assert.deepEqual(await holds(`u:${user}`), Object.fromEntries(ALL.toSorted().map((purpose) => [purpose, end[purpose]])), name);
    await quiet(...browsers.map(({ id }) => `a:${id}`), `u:${user}`);
    for (const [at, browser] of browsers.entries()) {
      // A browser that only says whose it is is bound by all; nobody who is proven is bound by it.
      const own = isProven(stories[at]!) ? end : expected(stories);
      assert.deepEqual(await holds(`a:${browser.id}`), Object.fromEntries(ALL.toSorted().map((purpose) => [purpose, own[purpose]])), name);
      await browser.send({ type: "page" });
      assert.deepEqual(browser.granted, ALL.filter((purpose) => own[purpose] === "granted"), name);
    }
  }

  for (let seed = 1; seed <= 12; seed += 1) {
    test(`the end is the same, and the strictest (${seed})`, async () => {
      const random = numbers(seed * 7919);
      const stories = Array.from({ length: 2 + random(2) }, () => story(random));
      for (let n = 0; n < 4; n += 1) {
        await tell(stories, interleaved(stories, random), `user-${seed}-${n}`);
      }
    });
  }
});
