// The owner's API of profiles: what is known of one visitor, notes and tags, audiences over all of them; and who may ask.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AT, OWNER, VIEWS, event, startProfiles } from "./profiles.ts";
import type { Event, Profiles } from "./profiles.ts";

let worker: Profiles;

before(async () => {
  worker = await startProfiles();
});
after(() => worker.dispose());

const identify = (userId: string, traits: object, more: Event = {}) => event({ type: "identify", event: undefined, anonymousId: undefined, userId, traits, source: "crm", trusted: true, ...more });
const trail = async () => (await worker.api("audit")).body.entries as { by: string; action: string; what?: string }[];

test("one answer says what is known of a visitor, and who asked is in the trail", async () => {
  const key = "u:jo@shop.example/1";
  const said = event({ type: "identify", event: undefined, anonymousId: "device-of-jo", userId: key.slice(2), traits: { plan: "pro" } });
  const older = identify(key.slice(2), { plan: "free" }, { timestamp: AT - 1000 });
  await worker.give([event({ anonymousId: "device-of-jo" }), said, older]);
  let answer = await worker.api(`profile/${encodeURIComponent(key)}`);
  for (let tries = 0; answer.body.parts?.length !== 3 && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await worker.api(`profile/${encodeURIComponent(key)}`);
  }
  assert.equal(answer.status, 200);
  assert.equal(answer.body.key, key);
  assert.equal(answer.body.readings[VIEWS], "1");
  assert.equal(answer.body.readings["profile.plan"], "pro");
  assert.deepEqual(answer.body.parts.map(({ of, handed_over }: any) => [of, handed_over]), [[key, false], ["a:device-of-jo", false], ["a:device-of-jo", true]]);
  assert.deepEqual(
    answer.body.traits.map(({ name, value, source, at, counts }: any) => ({ name, value, source, at, counts })).sort((a: any, b: any) => b.at - a.at),
    [
      { name: "plan", value: "pro", source: "browser", at: said.timestamp, counts: true },
      { name: "plan", value: "free", source: "crm", at: older.timestamp, counts: false },
    ],
  );
  const [newest] = await trail();
  assert.deepEqual([newest!.by, newest!.action], ["anna", "read profile"]);
  // At whom is for who has the profile to know: the trail outlives it.
  assert.match(newest!.what!, /^[\w-]{22}$/);
});

test("notes and tags are kept, and taken away", async () => {
  const key = encodeURIComponent("u:noted");
  await worker.give([identify("noted", { plan: "free" })]);
  const noted = await worker.api(`profile/${key}/notes`, "POST", { text: "Called: wants the blue one" });
  assert.equal(noted.status, 200);
  await worker.api(`profile/${key}/notes`, "POST", { text: "Second" });
  const { notes } = (await worker.api(`profile/${key}/notes`)).body;
  assert.deepEqual(notes.map(({ text, by }: any) => [text, by]).sort(), [["Called: wants the blue one", "anna"], ["Second", "anna"]]);
  const first = notes.find(({ text }: any) => text !== "Second");
  assert.equal((await worker.api(`profile/${key}/notes/${first.id}`, "DELETE")).body.notes.length, 1);
  assert.equal((await worker.api(`profile/${key}/notes/${first.id}`, "DELETE")).status, 404);

  assert.equal((await worker.api(`profile/${key}/tags`, "PUT", { tags: ["press", "a b/c"] })).status, 200);
  assert.deepEqual((await worker.api(`profile/${key}/tags`, "PUT", { tags: ["press"] })).body.tags.map(({ tag }: any) => tag), ["a b/c", "press"]);
  assert.deepEqual((await worker.api(`profile/${key}/tags/${encodeURIComponent("a b/c")}`, "DELETE")).body.tags.map(({ tag }: any) => tag), ["press"]);
  const { body } = await worker.api(`profile/${key}`);
  assert.deepEqual([body.notes.length, body.tags.length], [1, 1]);
  assert.ok((await trail()).some(({ action, what }) => action === "tag" && /^[\w-]{22}$/.test(what ?? "")));
  assert.doesNotMatch(JSON.stringify(await trail()), /u:noted/);
});

test("what is no profile, note or tag is not found, and what can't be read is said", async () => {
  for (const [path, method, body, status] of [
    ["profile/u%3Anobody", "GET", undefined, 404],
    ["profile/nobody", "GET", undefined, 404],
    ["profile/u%3Anobody/notes", "GET", undefined, 404],
    ["profile/u%3Anobody/notes", "POST", { text: "x" }, 404],
    ["profile/u%3Anobody/tags", "PUT", { tags: ["x"] }, 404],
    ["profile/u%3Anobody/tags/x", "DELETE", undefined, 404],
    ["profile/u%3Anoted/notes", "POST", { text: "" }, 400],
    ["profile/u%3Anoted/tags", "PUT", { tags: "x" }, 400],
    ["audiences/none", "GET", undefined, 404],
    ["audiences/pros?cursor=nonsense", "GET", undefined, 400],
  ] as const) {
    assert.equal((await worker.api(path, method, body)).status, status, `${method} ${path}`);
  }
});

test("a profile has so many notes and tags at most", async () => {
  await worker.give([identify("full", {})]);
  for (let first = 0; first < 50; first += 10) {
    await worker.api("profile/u%3Afull/tags", "PUT", { tags: Array.from({ length: 10 }, (_, at) => `tag${first + at}`) });
  }
  assert.equal((await worker.api("profile/u%3Afull/tags", "PUT", { tags: ["one more"] })).status, 409);
});

test("audiences are counted over all profiles, and what a request would tell is unknown", async () => {
  const before = (await worker.api("audiences")).body;
  const count = (counts: any, name: string) => counts.audiences.find(({ audience }: any) => audience === name);
  const users = Array.from({ length: 12 }, (_, at) => `member-${at}`);
  await worker.give(users.map((user, at) => identify(user, { plan: at % 2 ? "pro" : "free", city: at % 3 ? "Lyon" : "Paris" })));
  const { status, body } = await worker.api("audiences");
  assert.equal(status, 200);
  assert.equal(body.profiles - before.profiles, 12);
  assert.deepEqual(body.audiences.map(({ audience }: any) => audience), ["shoppers", "pros", "french", "parisians", "champions"]);
  assert.equal(count(body, "pros").members - count(before, "pros").members, 6);
  assert.equal(count(body, "parisians").members - count(before, "parisians").members, 4);
  assert.equal(count(body, "french").members, 0);
  assert.equal(count(body, "french").unknown, body.profiles);
  const both = body.overlaps.find(({ audiences }: any) => audiences.join() === "pros,parisians");
  assert.equal(both.members, 2);

  const list = await worker.api("audiences/parisians");
  const members = list.body.trim().split("\n").map((line: string) => JSON.parse(line));
  assert.deepEqual(members.map(({ userId }: any) => userId).sort(), ["member-0", "member-3", "member-6", "member-9"]);
  assert.deepEqual(members.map(({ key }: any) => key).sort(), ["u:member-0", "u:member-3", "u:member-6", "u:member-9"]);
  assert.ok((await trail()).some(({ action, what }) => action === "export audience" && what === "parisians"));
});

test("an anonymous profile that is a user's counts as that user", async () => {
  const before = (await worker.api("audiences")).body.profiles;
  await worker.give([event({ anonymousId: "counted-once" }), event({ type: "identify", event: undefined, anonymousId: "counted-once", userId: "counted", traits: {} })]);
  assert.equal((await worker.api("audiences")).body.profiles, before + 1);
});

test("recency, frequency and monetary value are told against the site's own fifths", async () => {
  // A hundred buyers; each has bought for more than the one before, more often and later.
  const orders = Array.from({ length: 100 }, (_, at) => Array.from({ length: 1 + Math.floor(at / 20) }, (_, n) => event({ event: "Order Completed", anonymousId: undefined, userId: `buyer-${at}`, properties: { revenue: 10 * (at + 1) }, timestamp: AT - (200 - at) * 24 * 3600 * 1000 + n * 1000, source: "erp", trusted: true })));
  await worker.give(orders.flat(), { imported: true });
  const segment = async (at: number) => (await worker.readings(`u:buyer-${at}`))?.["profile.rfm.segment"];
  assert.equal(await segment(99), undefined, "nothing is known of the site yet");
  assert.equal((await worker.api("audiences", "POST")).status, 200);
  assert.equal(await segment(99), "champions");
  assert.notEqual(await segment(0), "champions");
  assert.notEqual(await segment(0), undefined);
});

test("only who has a token may ask, and only who may publish may write", async () => {
  const ask = (path: string, method: string, token?: string) => worker.fetch(`/_idoine/api/${path}`, { method, ...(token && { headers: { authorization: `Bearer ${token}` } }), ...(method !== "GET" && { body: '{"text":"x"}' }) });
  for (const path of ["profile/u%3Anoted", "profile/u%3Anoted/notes", "profile/u%3Anoted/tags", "audiences", "audiences/pros"]) {
    assert.equal((await ask(path, "GET")).status, 401, path);
    assert.equal((await ask(path, "GET", OWNER)).status, 200, path);
  }
  assert.equal((await ask("profile/u%3Anoted/notes", "POST", OWNER)).status, 403);
  assert.equal((await ask("audiences", "POST", OWNER)).status, 403);
});

test("nothing of a visitor is in the log", () => {
  for (const line of worker.logs) {
    assert.ok(!/noted|member-|buyer-|counted|jo@/.test(line), line);
  }
});
