// Profiles as shards keep them, in real Durable Objects on disk: each event once and in its place, whatever fails.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { AT, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Event, Profiles } from "./profiles.ts";

const DAY = 24 * 3600 * 1000;

let worker: Profiles;
let state: string;
let visitors = 0;

before(async () => {
  state = await mkdtemp(join(tmpdir(), "idoine-profiles-"));
  worker = await startProfiles({ state });
});
after(async () => {
  await worker.dispose();
  await rm(state, { recursive: true });
});
beforeEach(() => worker.fail({}));

/** A visitor of a test's own: their id, and an event of theirs. */
function visitor() {
  visitors += 1;
  const id = `visitor-${String(visitors).padStart(4, "0")}`;
  return { id, key: `a:${id}`, event: (more: Event = {}) => event({ anonymousId: id, ...more }) };
}

const identify = (of: ReturnType<typeof visitor>, traits: object, more: Event = {}) => of.event({ type: "identify", event: undefined, traits, ...more });

test("an event counts once, in one batch and in several", async () => {
  const anna = visitor();
  const [one, two] = [anna.event(), anna.event()];
  assert.deepEqual((await worker.give([one, one, two])).statuses, ["accepted", "duplicate", "accepted"]);
  assert.deepEqual((await worker.give([two, one])).statuses, ["duplicate", "duplicate"]);
  assert.equal((await worker.readings(anna.key))?.[VIEWS], "2");
});

test("events that come in any order make the profile that they make in theirs", async () => {
  // Of two plans the later one counts, whenever it arrives; of two cities the first.
  const make = (of: ReturnType<typeof visitor>) => [
    identify(of, { plan: "free", city: "Lyon" }, { timestamp: AT, messageId: `${of.id}-1` }),
    of.event({ timestamp: AT + 60_000, messageId: `${of.id}-2` }),
    identify(of, { plan: "pro", city: "Paris" }, { timestamp: AT + 3_600_000, messageId: `${of.id}-3` }),
    of.event({ timestamp: AT + 3_600_000, messageId: `${of.id}-4` }),
  ];
  const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
  const read = [];
  for (const order of orders) {
    const of = visitor();
    const events = make(of);
    for (const at of order) {
      assert.deepEqual((await worker.give([events[at]!])).statuses, ["accepted"]);
    }
    read.push(await worker.readings(of.key));
  }
  assert.equal(read[0]!["profile.plan"], "pro");
  assert.equal(read[0]!["profile.city"], "Lyon");
  assert.equal(read[0]![VIEWS], "2");
  for (const one of read.slice(1)) {
    assert.deepEqual(one, read[0]);
  }
});

test("an event that is later than the window counts where order does not matter", async () => {
  const of = visitor();
  await worker.give([of.event({ timestamp: AT - 3 * DAY }), of.event({ timestamp: AT }), of.event({ timestamp: AT + 1000 })]);
  assert.deepEqual((await worker.give([of.event({ timestamp: AT - 5 * DAY })])).statuses, ["accepted"]);
  assert.equal((await worker.readings(of.key))?.[VIEWS], "4");
});

test("a window has few events, however many come, and none of them is lost", async () => {
  const of = visitor();
  const events = Array.from({ length: 1000 }, () => of.event());
  const shuffled = events.map((one, at) => ({ one, rank: (at * 7919) % 1000 })).sort((a, b) => a.rank - b.rank).map(({ one }) => one);
  // In order and out of it, a hundred at a time.
  const batches = [...Array.from({ length: 5 }, (_, at) => events.slice(at * 100, at * 100 + 100)), shuffled.slice(0, 500), shuffled.slice(500)];
  for (const batch of batches) {
    await worker.give(batch);
  }
  assert.equal((await worker.readings(of.key))?.[VIEWS], "1000");
  const [part] = await worker.rows(of.key, `SELECT held, ids FROM parts WHERE profile = '${of.key}'`);
  assert.ok(part.held <= 256, JSON.stringify(part));
  assert.equal(part.ids, 1000);
  const [{ n }] = await worker.rows(of.key, `SELECT count(*) AS n FROM events JOIN parts ON parts.id = part WHERE profile = '${of.key}' AND json IS NOT NULL`);
  assert.equal(n, part.held);
});

test("what is imported of years is folded in one go", async () => {
  const of = visitor();
  const orders = Array.from({ length: 400 }, (_, at) => of.event({ event: "Order Completed", properties: { revenue: 5 }, timestamp: AT - (400 - at) * DAY, source: "import:past", trusted: true }));
  assert.deepEqual(new Set((await worker.give(orders, { imported: true })).statuses), new Set(["accepted"]));
  assert.deepEqual(new Set((await worker.give(orders.slice(0, 50), { imported: true })).statuses), new Set(["duplicate"]));
  assert.equal((await worker.readings(of.key))?.["profile.sum('Order Completed', 'revenue')"], "2000");
});

test("what is not to be part of a profile is not, and what is not to be kept is not", async () => {
  const of = visitor();
  assert.deepEqual((await worker.give([of.event()], { fold: false })).statuses, ["accepted"]);
  assert.deepEqual((await worker.give([{ ...of.event(), messageId: "again" }, { ...of.event(), messageId: "again" }], { fold: false })).statuses, ["accepted", "duplicate"]);
  assert.equal((await worker.readings(of.key))?.[VIEWS], "0");
  const rows = await worker.rows(of.key, `SELECT json FROM events JOIN parts ON parts.id = part WHERE profile = '${of.key}'`);
  assert.deepEqual(rows.map(({ json }) => json), [null, null]);
});

test("a browser is told what is known of it, and of a user only what it did itself or who is proven to be the user", async () => {
  const [of, other] = [visitor(), visitor()];
  const user = `user-of-${of.id}`;
  const before = await worker.give([of.event(), of.event()], { own: { anonymousId: of.id } });
  assert.match(before.projection ?? "", /^01/);
  await worker.give([identify(other, { plan: "pro" }, { userId: user })]);
  const claimed = await worker.give([identify(of, {}, { userId: user })], { own: { anonymousId: of.id, claimed: user } });
  const proven = await worker.give([], { own: { anonymousId: of.id, user } });
  const text = (hex = "") => Buffer.from(hex, "hex").toString("latin1");
  assert.ok(!text(claimed.projection).includes("pro"), text(claimed.projection));
  assert.ok(text(proven.projection).includes("pro"), text(proven.projection));
});

test("an event that traps is kept and mended, and holds up no other", async () => {
  const of = visitor();
  const bad = of.event({ context: { timezone: "Trap/Now" } });
  await worker.give([of.event()]);
  await worker.fail({ unfold: true });
  assert.deepEqual((await worker.give([bad, of.event()])).statuses, ["accepted", "accepted"]);
  // The instance that trapped was replaced; what it was about to do is not done yet.
  assert.deepEqual(await worker.rows(of.key, `SELECT dirty > 0 AS isDirty FROM parts WHERE profile = '${of.key}'`), [{ isDirty: 1 }]);
  await worker.fail({});
  await worker.give([of.event()]);
  assert.equal((await worker.readings(of.key))?.[VIEWS], "4");
});

test("an event that traps each time is left out, and those behind it are not", async () => {
  const of = visitor();
  await worker.fail({ unfold: true });
  await worker.give([of.event(), of.event({ context: { timezone: "Trap/Now" } }), of.event()]);
  for (let tries = 0; (await worker.readings(of.key))?.[VIEWS] !== "2"; tries += 1) {
    assert.ok(tries < 100, worker.logs.join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(worker.logs.some((line) => line.includes("event_left_out")));
});

test("a state that can't be read begins anew with its window", async () => {
  const of = visitor();
  await worker.give([of.event(), of.event()]);
  await worker.rows(of.key, `UPDATE parts SET state = x'ff00' WHERE profile = '${of.key}' RETURNING 1`);
  assert.deepEqual((await worker.give([of.event()])).statuses, ["accepted"]);
  assert.equal((await worker.readings(of.key))?.[VIEWS], "3");
});

test("a profile whose parts can't be put together takes what comes, and has one part more", async () => {
  const userId = "of-many-browsers";
  const key = `u:${userId}`;
  const browser = (at: number) => event({ anonymousId: `browser-${at}`, userId });
  await worker.give(Array.from({ length: 64 }, (_, at) => browser(at)));
  const oldest = `id = (SELECT id FROM parts WHERE profile = '${key}' ORDER BY came, id LIMIT 1)`;
  const [{ state }] = await worker.rows(key, `SELECT hex(state) AS state FROM parts WHERE ${oldest}`);
  // A number where bytes belong: whoever reads that fails.
  await worker.rows(key, `UPDATE parts SET state = -1 WHERE ${oldest} RETURNING 1`);
  assert.deepEqual((await worker.give([browser(64)])).statuses, ["accepted"]);
  assert.ok(worker.logs.some((line) => line.includes("parts_not_merged")));
  await worker.rows(key, `UPDATE parts SET state = x'${state}' WHERE state = -1 RETURNING 1`);
  assert.deepEqual((await worker.give([browser(65)])).statuses, ["accepted"]);
  assert.equal((await worker.readings(key))?.[VIEWS], "66");
});

test("a shard that fails says so for its events alone, and takes them when they are sent again", async () => {
  const [one, two] = [visitor(), visitor()];
  const events = [one.event(), two.event()];
  await worker.fail({ accept: true });
  assert.deepEqual((await worker.give(events)).statuses, ["failed", "failed"]);
  await worker.fail({});
  assert.deepEqual((await worker.give(events)).statuses, ["accepted", "accepted"]);
  assert.equal((await worker.readings(one.key))?.[VIEWS], "1");
});

test("what was acknowledged is there after workerd is killed", async () => {
  const of = Array.from({ length: 8 }, visitor);
  const sent = of.flatMap((one) => [one.event(), one.event(), one.event()]);
  const { statuses } = await worker.give(sent);
  await worker.kill();
  assert.deepEqual(new Set(statuses), new Set(["accepted"]));
  await worker.restart();
  for (const { key } of of) {
    assert.equal((await worker.readings(key))?.[VIEWS], "3", key);
  }
  assert.deepEqual(new Set((await worker.give(sent)).statuses), new Set(["duplicate"]));
});
