// Who is who: anonymous profiles become parts of users', from several devices, in whatever order it is heard of.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { signedId } from "./harness.ts";
import { AT, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Event, Profiles } from "./profiles.ts";

const KEY = "the secret of these tests";

let worker: Profiles;
let state: string;

before(async () => {
  state = await mkdtemp(join(tmpdir(), "idoine-joining-"));
  worker = await startProfiles({ state, vars: { IDOINE_KEY: KEY } });
});
after(async () => {
  await worker.dispose();
  await rm(state, { recursive: true });
});
beforeEach(() => worker.fail({}));

/** The names of one telling of a story, so that each is told of people of its own. */
let tellings = 0;
function cast() {
  tellings += 1;
  const of = (name: string) => `${name}-${String(tellings).padStart(5, "0")}`;
  return { phone: of("phone"), laptop: of("laptop"), ann: of("ann"), bob: of("bob"), id: (name: string) => of(name) };
}

const identify = (anonymousId: string, userId: string, more: Event = {}) => event({ type: "identify", event: undefined, anonymousId, userId, traits: {}, ...more });

/** All orders of some things. */
function permutations<T>(things: T[]): T[][] {
  return things.length <= 1 ? [things] : things.flatMap((one, at) => permutations(things.toSpliced(at, 1)).map((rest) => [one, ...rest]));
}

/** The readings of a profile once they are so, or as they are after a while. */
async function settled(key: string, isSo: (readings: Record<string, string> | null) => boolean) {
  for (let tries = 0; ; tries += 1) {
    const readings = await worker.readings(key);
    if (isSo(readings) || tries > 50) {
      return readings;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test("two devices of a user make the same profile in any order of arrival", async () => {
  const story = (of: ReturnType<typeof cast>) => [
    event({ anonymousId: of.phone, timestamp: AT, messageId: "1" }),
    identify(of.phone, of.ann, { traits: { plan: "free", city: "Lyon" }, timestamp: AT + 1000, messageId: "2" }),
    event({ anonymousId: of.laptop, timestamp: AT + 2000, messageId: "3" }),
    identify(of.laptop, of.ann, { traits: { plan: "pro", city: "Paris" }, timestamp: AT + 3000, messageId: "4" }),
  ];
  const told = async (order: number[]) => {
    const of = cast();
    const events = story(of);
    for (const at of order) {
      assert.deepEqual((await worker.give([events[at]!])).statuses, ["accepted"]);
    }
    return settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "2");
  };
  const orders = permutations([0, 1, 2, 3]);
  const [first, ...others] = await Promise.all(orders.map(told));
  others.forEach((readings, at) => assert.deepEqual(readings, first, orders[at + 1]!.join()));
  assert.equal(first?.[VIEWS], "2");
  assert.equal(first?.["profile.plan"], "pro");
  assert.equal(first?.["profile.city"], "Lyon");
});

test("the browser is the first user's whom it was identified as, in any order of arrival", async () => {
  const story = (of: ReturnType<typeof cast>) => [
    event({ anonymousId: of.phone, timestamp: AT, messageId: "1" }),
    identify(of.phone, of.ann, { timestamp: AT + 1000, messageId: "2" }),
    identify(of.phone, of.bob, { timestamp: AT + 2000, messageId: "3", traits: { plan: "pro" } }),
    event({ anonymousId: of.phone, userId: of.bob, timestamp: AT + 3000, messageId: "4" }),
  ];
  const tell = async (order: number[]) => {
    const of = cast();
    const events = story(of);
    for (const at of order) {
      await worker.give([events[at]!]);
    }
    const ann = await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "1");
    assert.equal(ann?.[VIEWS], "1", order.join());
    assert.equal(ann?.["profile.plan"], undefined, order.join());
    const bob = await settled(`u:${of.bob}`, (readings) => readings?.[VIEWS] === "1");
    assert.equal(bob?.[VIEWS], "1", order.join());
    const { body } = await worker.api(`profile/a:${of.phone}`);
    assert.equal(body.user, of.ann);
  };
  await Promise.all(permutations([0, 1, 2, 3]).map(tell));
});

test("an alias joins what a browser did before it had a name", async () => {
  const of = cast();
  await worker.give([event({ anonymousId: of.phone }), event({ anonymousId: of.phone })]);
  await worker.give([event({ type: "alias", event: undefined, anonymousId: undefined, previousId: of.phone, userId: of.ann, source: "erp", trusted: true })]);
  assert.equal((await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "2"))?.[VIEWS], "2");
});

test("what a browser does after log-out is not the user's", async () => {
  const of = cast();
  const later = of.id("after-log-out");
  await worker.give([identify(of.phone, of.ann)]);
  await worker.give([event({ anonymousId: later }), event({ anonymousId: later })]);
  assert.equal((await worker.readings(`a:${later}`))?.[VIEWS], "2");
  assert.equal((await worker.readings(`u:${of.ann}`))?.[VIEWS] ?? "0", "0");
});

test("what an anonymous profile learns later is its user's too", async () => {
  const of = cast();
  await worker.give([event({ anonymousId: of.phone }), identify(of.phone, of.ann)]);
  await worker.give([event({ anonymousId: of.phone })]);
  assert.equal((await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "2"))?.[VIEWS], "2");
});

test("two ids of one visitor are joined, and whose one is, the other is", async () => {
  for (const order of [0, 1]) {
    const of = cast();
    await worker.give([event({ anonymousId: of.phone }), event({ anonymousId: of.laptop }), event({ anonymousId: of.laptop })]);
    const joined = () => worker.give([event({ anonymousId: of.phone })], { own: { anonymousId: of.phone, others: [of.laptop] } });
    const named = () => worker.give([identify(of.laptop, of.ann)]);
    for (const step of order === 0 ? [joined, named] : [named, joined]) {
      await step();
    }
    const own = await settled(`a:${of.phone}`, (readings) => readings?.[VIEWS] === "4");
    assert.equal(own?.[VIEWS], "4");
    assert.equal((await settled(`a:${of.laptop}`, (readings) => readings?.[VIEWS] === "4"))?.[VIEWS], "4");
    assert.equal((await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "4"))?.[VIEWS], "4");
  }
});

test("a request that brings one id of ours in its cookie and events that carry another joins them", async () => {
  const of = cast();
  await worker.give([event({ anonymousId: of.phone }), event({ anonymousId: of.phone })]);
  const collect = async (other: string) => {
    const reply = await worker.fetch("/_idoine/collect", {
      method: "POST",
      headers: { origin: "https://shop.example", "content-type": "application/json", cookie: `idoine_id=${signedId(of.laptop, KEY)}; idoine_consent=v1.personalization.analytics` },
      body: JSON.stringify({ events: [{ type: "track", event: "Product Viewed", anonymousId: other, messageId: crypto.randomUUID() }] }),
    });
    assert.equal(reply.json().results?.[0]?.status, "accepted", `${reply.text}\n${worker.logs.slice(-4).join("\n")}`);
  };
  // An id that this Worker did not sign is somebody's word.
  await collect(signedId(of.phone, "another secret"));
  await collect(of.phone);
  assert.equal((await worker.readings(`a:${of.laptop}`))?.[VIEWS], "2");
  await collect(signedId(of.phone, KEY));
  assert.equal((await settled(`a:${of.laptop}`, (readings) => readings?.[VIEWS] === "5"))?.[VIEWS], "5");
});

test("what another shard does not take is handed over later, and once", async () => {
  const of = cast();
  await worker.give([event({ anonymousId: of.phone })]);
  await worker.fail({ receive: true });
  assert.deepEqual((await worker.give([identify(of.phone, of.ann)])).statuses, ["accepted"]);
  assert.equal((await worker.readings(`u:${of.ann}`))?.[VIEWS] ?? "0", "0");
  await worker.fail({});
  // The same again does no harm.
  await worker.give([identify(of.phone, of.ann)]);
  assert.equal((await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "1"))?.[VIEWS], "1");
  assert.ok(worker.logs.some((line) => line.includes("part_not_handed_over")));
});

test("a user's profile has few parts, however many browsers they had, and counts all of them", async () => {
  const of = cast();
  const browsers = Array.from({ length: 70 }, (_, at) => of.id(`browser${at}`));
  for (const anonymousId of browsers) {
    await worker.give([event({ anonymousId, userId: of.ann })]);
  }
  assert.equal((await worker.readings(`u:${of.ann}`))?.[VIEWS], "70");
  const [{ n }] = await worker.rows(`u:${of.ann}`, `SELECT count(*) AS n FROM parts WHERE profile = 'u:${of.ann}'`);
  assert.ok(n <= 65, String(n));
});

test("what was joined is after workerd is killed", async () => {
  const of = cast();
  await worker.give([event({ anonymousId: of.phone }), identify(of.phone, of.ann, { traits: { plan: "pro" } })]);
  await settled(`u:${of.ann}`, (readings) => readings?.[VIEWS] === "1");
  await worker.kill();
  await worker.restart();
  const readings = await worker.readings(`u:${of.ann}`);
  assert.equal(readings?.[VIEWS], "1");
  assert.equal(readings?.["profile.plan"], "pro");
});
