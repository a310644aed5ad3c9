// What shards do by themselves once a day: they forget what is over, and renew the site's quantiles, a page of profiles at a time. A shard
// that fails then holds up nothing else.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { LEARNING, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Profiles } from "./profiles.ts";
import { eventually } from "./shard.ts";

const DAY = 24 * 3600 * 1000;

/** Pages read how much somebody bought for, against all others. */
const MANIFEST = { ...LEARNING, audiences: { ...LEARNING.audiences, middling: "profile.rfm.monetary == 3" } };

let worker: Profiles;
let state: string;

before(async () => {
  state = await mkdtemp(join(tmpdir(), "idoine-daily-"));
  worker = await startProfiles({ state, manifest: MANIFEST, vars: { IDOINE_EVENTS_SECONDS: "1" }, bindings: { r2Buckets: ["EVENTS_BUCKET"] } });
});
after(async () => {
  await worker.dispose();
  await rm(state, { recursive: true });
});
beforeEach(() => worker.fail({}));

/** Ids whose profiles are in the shard that adds all up. */
const first = (kind: string, many: number) =>
  Array.from({ length: 5000 }, (_, at) => `first-${at}`)
    .filter((id) => createHash("sha256").update(`${kind}:${id}`).digest().readUInt32BE(0) % 64 === 0)
    .slice(0, many);

const [BUYER, OTHER] = first("u", 2) as [string, string];
const BROWSERS = first("a", 5);

const bought = (userId: string, revenue: number) => event({ event: "Order Completed", anonymousId: undefined, userId, properties: { revenue }, source: "erp", trusted: true });

const meta = async (key: string, name: string) => (await worker.rows(key, `SELECT value FROM meta WHERE name = '${name}'`))[0]?.value;
const setMeta = (key: string, values: Record<string, number>) =>
  worker.rows(key, `INSERT OR REPLACE INTO meta (name, value) VALUES ${Object.entries(values).map(([name, value]) => `('${name}', ${value})`).join(", ")} RETURNING name`);

/** Has the first shard look at what is due: it does that whenever it hears of who is who. */
const look = async () => {
  const statuses = await worker.give([event({ type: "identify", event: undefined, anonymousId: BROWSERS.pop()!, userId: OTHER, traits: {} })]);
  assert.deepEqual(statuses.statuses, ["accepted"]);
};

test("a site's first quantiles come a minute after its first events, by themselves", async () => {
  const begun = Date.now();
  await look();
  const due = await meta(`u:${BUYER}`, "quantiles_first");
  assert.ok(due >= begun + 60_000 && due <= Date.now() + 60_000, String(due));
  assert.equal(await meta(`u:${BUYER}`, "renewed"), undefined);
  // It stays where it is, whatever comes meanwhile; and then it is over.
  await setMeta(`u:${BUYER}`, { quantiles_first: begun });
  await look();
  assert.ok((await eventually(async () => meta(`u:${BUYER}`, "renewed"), (at) => at > 0)) >= begun);
});

test("quantiles are renewed by a thousand profiles to a call, and all of them count", async () => {
  await worker.give([bought(BUYER, 10), bought(OTHER, 1000)], { imported: true });
  // Of 2,400 buyers those on the first page paid little, those on the last one much.
  await worker.rows(`u:${BUYER}`, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
    INSERT INTO parts (profile, pushed, name, version, state, came)
    SELECT 'u:copy-' || printf('%05d', i), 0, '', 1, (SELECT state FROM parts WHERE profile = 'u:' || iif(i <= 1400, '${BUYER}', '${OTHER}')), 0 FROM n RETURNING 1`);
  await worker.asked();
  assert.equal((await worker.api("audiences", "POST")).status, 200);
  const asked = await worker.asked();
  const count = (what: string) => asked.filter((one) => one === what).length;
  assert.deepEqual([count("0 sketched"), count("1 sketched"), count("63 sketched")], [3, 1, 1]);
  assert.deepEqual([count("0 quantiles"), count("63 quantiles")], [1, 1]);
  // Two of the fifths' bounds are the poor ones': by the first page alone four would be, by the last alone none.
  assert.equal((await worker.readings(`u:${OTHER}`))?.["profile.rfm.monetary"], "3");
  await worker.rows(`u:${BUYER}`, "DELETE FROM parts WHERE profile LIKE 'u:copy-%' RETURNING 1");
});

test("a shard that fails when quantiles are renewed holds up neither sinks nor the sweep, and is asked again", async () => {
  await worker.fail({ own: "sketched" });
  const before = await meta(`u:${BUYER}`, "renewed");
  await setMeta(`u:${BUYER}`, { renewed: 1, sweep: 1 });
  await look();
  await eventually(async () => meta(`u:${BUYER}`, "quantiles_tries"), (tries) => tries > 0);
  assert.equal(await meta(`u:${BUYER}`, "renewed"), 1);
  const again = await meta(`u:${BUYER}`, "quantiles_again");
  assert.ok(again > Date.now() && again < Date.now() + 6000, String(again));
  assert.ok((await meta(`u:${BUYER}`, "sweep")) > Date.now() + DAY / 2, "it was swept");
  assert.ok(!worker.logs.some((line) => line.includes("alarm_failed")));
  assert.ok(worker.logs.some((line) => line.includes("quantiles_failed")));
  const left = () => worker.rows(`u:${BUYER}`, "SELECT count(*) AS n FROM outbox");
  await worker.give([bought(BUYER, 10)]);
  assert.deepEqual(await eventually(left, ([{ n }]) => n === 0), [{ n: 0 }]);
  assert.equal(await meta(`u:${BUYER}`, "renewed"), 1);
  // Before its time nothing but the time makes it ask again.
  await worker.fail({});
  await look();
  const renewed = await eventually(async () => meta(`u:${BUYER}`, "renewed"), (at) => at > before);
  assert.ok(renewed >= again, `${renewed} ${again}`);
  assert.equal(await meta(`u:${BUYER}`, "quantiles_tries"), 0);
});

test("once a day a shard forgets what is over and renews the quantiles, as it was to before it was started anew", async () => {
  const key = `u:${BUYER}`;
  const due = Date.now() - 1000;
  await worker.give([event({ anonymousId: undefined, userId: BUYER, messageId: "old" }), event({ anonymousId: undefined, userId: OTHER, messageId: "new" })]);
  const part = (user: string) => `(SELECT id FROM parts WHERE profile = 'u:${user}' AND pushed = 0 AND name = '')`;
  // Nothing came of the one for two days and more; their ids were to be forgotten yesterday.
  await worker.rows(key, `UPDATE parts SET came = ${due - 2 * DAY} WHERE id = ${part(BUYER)} RETURNING 1`);
  await worker.rows(key, `UPDATE events SET until = ${due - DAY} WHERE part = ${part(BUYER)} RETURNING 1`);
  const views = (await worker.readings(key))?.[VIEWS];
  await setMeta(key, { sweep: due, renewed: due - DAY });
  await worker.restart();
  await look();
  const swept = await eventually(async () => meta(key, "sweep"), (at) => at > due);
  assert.ok(swept > Date.now() + DAY / 2);
  assert.ok((await eventually(async () => meta(key, "renewed"), (at) => at > due)) > due);
  const [idle] = await worker.rows(key, `SELECT held, ids, base = state AS isBase, (SELECT count(*) FROM events WHERE part = parts.id) AS events FROM parts WHERE id = ${part(BUYER)}`);
  assert.deepEqual(idle, { held: 0, ids: 0, isBase: 1, events: 0 });
  const [busy] = await worker.rows(key, `SELECT json FROM events WHERE part = ${part(OTHER)} AND id = 'new'`);
  assert.equal(JSON.parse(busy.json).messageId, "new", "it is in its window still");
  // The profile is as it was, and goes on.
  assert.equal((await worker.readings(key))?.[VIEWS], views);
  await worker.give([event({ anonymousId: undefined, userId: BUYER })]);
  assert.equal((await worker.readings(key))?.[VIEWS], String(Number(views) + 1));
});
