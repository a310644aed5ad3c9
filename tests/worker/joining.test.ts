// Who is who: anonymous profiles become parts of users', from several devices, in whatever order it is heard of.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
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
    if (isSo(readings) || tries > 120) {
      return readings;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const alias = (previousId: string, userId: string, more: Event = {}) => event({ type: "alias", event: undefined, anonymousId: undefined, previousId, userId, source: "erp", trusted: true, ...more });
const bought = (userId: string) => event({ anonymousId: undefined, userId, source: "erp", trusted: true });

/** Waits until a profile counts so many views. */
async function counts(key: string, views: number, message: string) {
  const readings = await settled(key, (found) => found?.[VIEWS] === String(views));
  assert.equal(readings?.[VIEWS], String(views), `${message}: ${key}`);
  return readings;
}

/** Waits until nothing is to be handed over any more between these profiles. */
async function isQuiet(...users: string[]) {
  const due = async () => (await Promise.all(users.map((user) => worker.rows(`u:${user}`, `SELECT due FROM targets WHERE profile = 'u:${user}' AND due IS NOT NULL`)))).flat();
  for (let tries = 0; (await due()).length > 0 && tries < 120; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual(await due(), []);
}

// Each is told of people of its own, and waits for most of its time: so all of them at once.
describe("in whatever order", { concurrency: true }, () => {
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

  test("an alias of a user joins all that the user has and gets, from all browsers, in any order of arrival", async () => {
    const tell = async (order: number[]) => {
      const of = cast();
      const events = [
        event({ anonymousId: of.phone, timestamp: AT, messageId: "1" }),
        identify(of.phone, of.ann, { timestamp: AT + 1000, messageId: "2", traits: { plan: "free", city: "Lyon" } }),
        event({ anonymousId: of.laptop, userId: of.ann, timestamp: AT + 2000, messageId: "3" }),
        alias(of.ann, of.bob, { timestamp: AT + 3000, messageId: "4" }),
        identify(of.laptop, of.bob, { timestamp: AT + 4000, messageId: "5", traits: { plan: "pro" } }),
      ];
      for (const at of order) {
        assert.deepEqual((await worker.give([events[at]!])).statuses, ["accepted"]);
      }
      const readings = await counts(`u:${of.bob}`, 2, order.join());
      assert.deepEqual([readings?.["profile.plan"], readings?.["profile.city"]], ["pro", "Lyon"], order.join());
      // What the old name gets later, in a browser and at the till, is the new one's too.
      await worker.give([event({ anonymousId: of.phone }), bought(of.ann), event({ anonymousId: of.id("tablet"), userId: of.ann })]);
      await counts(`u:${of.bob}`, 5, order.join());
      assert.equal((await worker.api(`profile/u:${of.ann}`)).body.user, of.bob);
      return readings;
    };
    // The alias at each place among the others, and all of it backwards.
    const orders = [[3, 0, 1, 2, 4], [0, 3, 1, 2, 4], [0, 1, 3, 2, 4], [0, 1, 2, 3, 4], [0, 1, 2, 4, 3], [4, 3, 2, 1, 0]];
    const [first, ...others] = await Promise.all(orders.map(tell));
    others.forEach((readings, at) => assert.deepEqual(readings, first, orders[at + 1]!.join()));
  });

  test("a chain of aliases ends with all in the last user, each event once, in any order of arrival", async () => {
    const tell = async (order: number[]) => {
      const of = cast();
      const cleo = of.id("cleo");
      const events = [alias(of.ann, of.bob), alias(of.bob, cleo), bought(of.ann), bought(of.bob)];
      await worker.give([bought(cleo)]);
      for (const at of order) {
        await worker.give([events[at]!]);
      }
      await counts(`u:${cleo}`, 3, order.join());
      await counts(`u:${of.bob}`, 2, order.join());
      await counts(`u:${of.ann}`, 1, order.join());
      await worker.give([bought(of.ann)]);
      await counts(`u:${cleo}`, 4, order.join());
      await isQuiet(of.ann, of.bob, cleo);
      await counts(`u:${cleo}`, 4, order.join());
    };
    await Promise.all(permutations([0, 1, 2, 3]).map(tell));
  });

  test("a user who is two ways another one's, and users who are each other, count each event once and come to rest", async () => {
    const of = cast();
    const [cleo, dan] = [of.id("cleo"), of.id("dan")];
    // Ann is Bob and Cleo, both are Dan.
    await worker.give([of.ann, of.bob, cleo, dan].map(bought));
    await worker.give([alias(of.ann, of.bob), alias(of.ann, cleo), alias(of.bob, dan), alias(cleo, dan)]);
    await counts(`u:${dan}`, 4, "a diamond");
    // And Dan is Ann: all are each other.
    await worker.give([alias(dan, of.ann)]);
    for (const user of [of.ann, of.bob, cleo, dan]) {
      await counts(`u:${user}`, 4, "a circle");
    }
    await worker.give([bought(cleo)]);
    for (const user of [of.ann, of.bob, cleo, dan]) {
      await counts(`u:${user}`, 5, "a circle, later");
    }
    await isQuiet(of.ann, of.bob, cleo, dan);
    await counts(`u:${of.ann}`, 5, "a circle at rest");
    const members = (await worker.api("audiences/shoppers")).body as string;
    assert.deepEqual([of.ann, of.bob, cleo, dan].filter((user) => members.includes(`"u:${user}"`)).length, 4, "nobody is lost in a circle");
  });

  test("who has no server's key makes no user another one", async () => {
    const of = cast();
    await worker.give([bought(of.ann)]);
    await worker.give([alias(of.ann, of.bob, { trusted: false, source: "browser", anonymousId: of.phone }), alias(of.ann, of.ann)]);
    for (const user of [of.ann, of.bob]) {
      assert.deepEqual(await worker.rows(`u:${user}`, `SELECT target FROM targets WHERE profile = 'u:${user}'`), []);
    }
    assert.equal((await worker.api(`profile/u:${of.ann}`)).body.user, null);
    assert.equal((await worker.readings(`u:${of.bob}`))?.[VIEWS] ?? "0", "0");
  });

  test("a profile takes 64 other users' at most, and says so", async () => {
    const of = cast();
    const users = Array.from({ length: 66 }, (_, at) => of.id(`name${at}`));
    await worker.give(users.map(bought));
    await worker.give(users.map((user) => alias(user, of.ann)));
    await counts(`u:${of.ann}`, 64, "full");
    await isQuiet(...users);
    await counts(`u:${of.ann}`, 64, "full");
    assert.ok(worker.logs.some((line) => line.includes("alias_left_out")));
    // A browser more puts none of them together with others, and those that it has go on.
    await worker.give([event({ anonymousId: of.phone, userId: of.ann })]);
    const [{ name }] = await worker.rows(`u:${of.ann}`, `SELECT name FROM parts WHERE profile = 'u:${of.ann}' AND pushed = 1 ORDER BY came, id LIMIT 1`);
    await worker.give([bought(name.slice(2))]);
    await counts(`u:${of.ann}`, 66, "full");
  });
});

test("who was aliased is listed and counted as the new user alone", async () => {
  const of = cast();
  const listed = async () => ((await worker.api("audiences/shoppers")).body as string).split("\n").filter((line) => line.includes(of.ann) || line.includes(of.bob)).map((line) => JSON.parse(line).userId);
  await worker.give([of.ann, of.ann, of.ann].map(bought));
  await counts(`u:${of.ann}`, 3, "before");
  assert.deepEqual(await listed(), [of.ann]);
  const { profiles } = (await worker.api("audiences")).body;
  await worker.give([alias(of.ann, of.bob)]);
  await counts(`u:${of.bob}`, 3, "after");
  assert.deepEqual(await listed(), [of.bob]);
  assert.equal((await worker.api("audiences")).body.profiles, profiles);
});

test("what comes to a user while they are handed on is handed on too", async () => {
  const of = cast();
  const cleo = of.id("cleo");
  await worker.give([alias(of.ann, of.bob), alias(of.bob, cleo), bought(of.ann)]);
  await counts(`u:${cleo}`, 1, "before");
  await isQuiet(of.ann, of.bob);
  // Bob hands over what is his own, then what is Ann's; meanwhile she has something new.
  await worker.fail({ slow: 600 });
  await worker.give([bought(of.bob)]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await worker.give([bought(of.ann)]);
  await counts(`u:${cleo}`, 3, "while it is handed over");
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
  // What they did in no browser comes first, and all of it is another user's too.
  await worker.give([alias(of.ann, of.bob), bought(of.ann)]);
  for (const anonymousId of browsers) {
    await worker.give([event({ anonymousId, userId: of.ann })]);
  }
  assert.equal((await worker.readings(`u:${of.ann}`))?.[VIEWS], "71");
  // Of those that were put together a name stays, by which what is in the whole is known.
  const [{ n }] = await worker.rows(`u:${of.ann}`, `SELECT count(*) AS n FROM parts WHERE profile = 'u:${of.ann}' AND state IS NOT NULL`);
  assert.ok(n <= 66, String(n));
  await counts(`u:${of.bob}`, 71, "of many browsers");
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
