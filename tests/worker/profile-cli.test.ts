// What the owner's teams ask about profiles on the command line, of the real Worker.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ANOTHER, PUBLISH, READ, VARS, idoine } from "./command.ts";
import { startWorker } from "./harness.ts";
import type { TestWorker } from "./harness.ts";

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example", "localhost"], timezone: "Europe/Paris" },
  traits: { plan: { type: "string", purpose: "personalization" } },
  events: { "Order Completed": { properties: { revenue: { type: "double", required: true } } }, "Product Viewed": {}, "Product Added": {} },
  affinities: { category: {} },
  rfm: {},
  milestones: { second_order: { event: "Order Completed", count: 2, lasts: "400d" } },
  audiences: {
    pros: "profile.plan == 'pro'",
    frequent: "profile.count('Order Completed') >= 2",
    shoe_lovers: "profile.affinity('category') == 'shoes'",
    french_pros: "pros && geo.country == 'FR'",
  },
  slots: { title: { selector: "h1" } },
  experiences: [],
};

let worker: TestWorker;
let to: string[];
let folder: string;

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const order = (userId: string, hours: number, revenue: number) => ({ userId, event: "Order Completed", timestamp: ago(hours), properties: { revenue, order_id: `${userId}-${hours}` } });
const view = (who: object, hours: number) => ({ ...who, event: "Product Viewed", timestamp: ago(hours), properties: { product_id: "p1", category: "shoes" } });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "idoine-profile-"));
  worker = await startWorker({ manifest: MANIFEST, vars: VARS, profiles: true });
  to = ["--to", worker.address.origin];
  const events = [
    ...[12, 11, 10, 9, 8].map((hours) => view({ userId: "ada" }, hours)),
    order("ada", 7, 100),
    order("ada", 6, 50.5),
    { userId: "ada", event: "Product Added", timestamp: ago(5), properties: { product_id: "p2", price: 20, quantity: 2, category: "hats" } },
    order("ben", 7, 10),
    order("cai", 7, 10),
    order("cai", 6, 10),
    { ...order("cai", 5, 10), properties: {} },
    ...[4, 3, 2].map((hours) => view({ anonymousId: "somebody" }, hours)),
  ];
  const path = join(folder, "events.ndjson");
  await writeFile(path, events.map((event) => JSON.stringify(event)).join("\n"));
  const traits = join(folder, "crm.csv");
  await writeFile(traits, "userId,plan\nada,pro\nben,pro\ncai,free\n");
  for (const command of [["import", "events", path, "--source", "past"], ["import", "traits", traits, "--at", ago(3)]]) {
    const { code, stderr } = await idoine([...command, ...to]);
    assert.equal(code, 0, stderr);
  }
});
after(async () => {
  await worker?.dispose();
  await rm(folder, { recursive: true });
});

async function told(args: string[], token = PUBLISH): Promise<string> {
  const { code, stdout, stderr } = await idoine([...args, ...to], token);
  assert.equal(code, 0, stderr);
  return stdout;
}

test("one page says what is known, which audiences, and why", async () => {
  const page = await told(["profile", "show", "u:ada"], READ);
  const lines = page.split("\n").map((line) => line.trim().split(/\s{2,}/).join(" | "));
  const has = (pattern: RegExp) => assert.ok(lines.some((line) => pattern.test(line)), `${pattern}\n${page}`);
  has(/^key \| u:ada$/);
  has(/^plan \| pro \| import:crm \| \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \| true \| false \| only$/);
  has(/^Order Completed \| 2\b/);
  has(/^first seen \| \d{4}-/);
  has(/^lifecycle \| new$/);
  has(/^category$/);
  has(/^shoes \| /);
  has(/^second_order \| \d{4}-/);
  has(/^quantity \| 2$/);
  has(/^value \| 40/);
  has(/^sum \| 150\.5/);
  const [, inThese = "", orNot = "", inNone = ""] = page.split(/^In (?:these|none).*$/m);
  assert.deepEqual([inThese, orNot, inNone].map((part) => [...part.matchAll(/^  (\w+)$/gm)].map(([, name]) => name)), [["pros", "frequent", "shoe_lovers"], ["french_pros"], []]);
  assert.match(inThese, /true     profile\.plan == 'pro'  \(profile\.plan is 'pro'\)/);
  assert.match(inThese, /true     profile\.count\('Order Completed'\) >= 2  \(profile\.count\('Order Completed'\) is 2\)/);
  assert.match(orNot, /geo\.country is not known/);

  const json = JSON.parse(await told(["profile", "show", "u:cai", "--json"], READ));
  assert.equal(json.readings["profile.count('Order Completed')"], "3");
  assert.deepEqual(json.audiences.map(({ audience, member }: any) => [audience, member]), [["pros", "false"], ["frequent", "true"], ["shoe_lovers", "unknown"], ["french_pros", "false"]]);
  assert.equal(json.audiences[0].why.fields[0].value, "free");
  assert.ok(json.traits.some(({ name, value, source, counts }: any) => name === "plan" && value === "free" && source === "import:crm" && counts === true), JSON.stringify(json.traits));
});

test("who is not known is told so, and a key that is none", async () => {
  const nobody = await idoine(["profile", "show", "u:nobody", ...to], READ);
  assert.deepEqual([nobody.code, nobody.stdout, nobody.stderr], [1, "", "error: There is no such profile.\n"]);
  const key = await idoine(["profile", "show", "nobody", ...to], READ);
  assert.equal(key.code, 2);
  assert.match(key.stderr, /expected u:<userId> or a:<anonymousId>/);
});

test("notes and tags are shared by the owner's teams", async () => {
  await told(["profile", "note", "u:ben", "Called: wants the blue one"]);
  await told(["profile", "note", "u:ben", "Asked for a refund"], ANOTHER);
  const notes = JSON.parse(await told(["profile", "notes", "u:ben", "--json"], READ)).notes;
  assert.deepEqual(notes.map(({ by, text }: any) => [by, text]).sort(), [["anna", "Called: wants the blue one"], ["bob", "Asked for a refund"]]);
  assert.match(await told(["profile", "notes", "u:ben"], READ), /anna +Called: wants the blue one/);
  const reader = await idoine(["profile", "note", "u:ben", "x", ...to], READ);
  assert.deepEqual([reader.code, reader.stderr], [1, "error: This takes a token with the role `publish`.\n"]);

  assert.match(await told(["profile", "tag", "u:ben", "press/EU"]), /press\/EU/);
  assert.match(await told(["profile", "tag", "u:ben", "vip"], ANOTHER), /press\/EU[^]*vip/);
  const page = await told(["profile", "show", "u:ben"], READ);
  assert.match(page, /Asked for a refund[^]*press\/EU/);
  assert.doesNotMatch(await told(["profile", "tag", "u:ben", "press/EU", "--remove"]), /press/);
  assert.doesNotMatch(await told(["profile", "notes", "u:ben", "--remove", notes.find(({ by }: any) => by === "bob").id]), /refund/);
});

test("audiences are counted, with their overlaps", async () => {
  const json = JSON.parse(await told(["audiences", "--json"], READ));
  assert.equal(json.profiles, 4);
  const counts = Object.fromEntries(json.audiences.map(({ audience, members }: any) => [audience, members]));
  assert.deepEqual(counts, { pros: 2, frequent: 2, shoe_lovers: 2, french_pros: 0 });
  const overlaps = Object.fromEntries(json.overlaps.map(({ audiences, members }: any) => [audiences.sort().join(" "), members]));
  assert.deepEqual(overlaps, { "frequent pros": 1, "pros shoe_lovers": 1, "frequent shoe_lovers": 1 });
  const text = await told(["audiences"], READ);
  assert.match(text, /^4 profiles$/m);
  assert.match(text, /^pros +2 +50 % +\d$/m);
  assert.match(text, /^pros and frequent +1 +50 %$/m);
});

test("an audience's members are written to a file", async () => {
  const path = join(folder, "pros.ndjson");
  assert.equal(await told(["audiences", "export", "pros", "-o", path], READ), `2 members of pros in ${path}\n`);
  const members = (await readFile(path, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(members.map(({ key, userId }) => [key, userId]).sort(), [["u:ada", "ada"], ["u:ben", "ben"]]);
  const table = await told(["audiences", "export", "shoe_lovers", "--format", "csv"], READ);
  const [header, ...rows] = table.trimEnd().split("\n");
  assert.deepEqual([header, rows.sort()], ["key,userId,anonymousId", ["a:somebody,,somebody", "u:ada,ada,"]]);
  const none = await idoine(["audiences", "export", "nobody", ...to, "-o", join(folder, "none.csv")], READ);
  assert.deepEqual([none.code, none.stderr], [1, "error: The live program has no such audience.\n"]);
  await assert.rejects(readFile(join(folder, "none.csv")));
});

test("what is otherwise than planned is counted, imports too", async () => {
  const { violations } = JSON.parse(await told(["violations", "--json"], READ));
  const found = violations.map(({ event, code, path, source, count }: any) => [event, code, path, source, count]);
  assert.deepEqual(found.filter(([, code]: any) => code === "missing_property"), [["Order Completed", "missing_property", "revenue", "import:past", 1]]);
  assert.match(await told(["violations"], READ), /Order Completed[^\n]*revenue[^\n]*import:past/);
});

test("a profile is erased by who may publish and says so twice, and the trail names the receipt alone", async () => {
  const nobody = await idoine(["profile", "erase", "u:cai", ...to]);
  assert.deepEqual([nobody.code, nobody.stderr], [1, "error: nobody can be asked here: add --yes to erase\n"]);
  const reader = await idoine(["profile", "erase", "u:cai", "--yes", ...to], READ);
  assert.deepEqual([reader.code, reader.stderr], [1, "error: This takes a token with the role `publish`.\n"]);
  assert.match(await told(["profile", "show", "u:cai"], READ), /Order Completed/);

  const receipt = /the receipt is ([0-9a-f-]{36})\n$/.exec(await told(["profile", "erase", "u:cai", "--yes"]))![1];
  assert.equal((await idoine(["profile", "show", "u:cai", ...to], READ)).stderr, "error: There is no such profile.\n");
  assert.match(await told(["profile", "show", "u:ada"], READ), /Order Completed/);
  const { entries } = (await worker.fetch("/_idoine/api/audit", { headers: { authorization: `Bearer ${READ}` } })).json();
  assert.deepEqual(entries.filter(({ action }: any) => action === "erase profile").map(({ by, what }: any) => [by, what]), [["anna", receipt]]);
  const done = async () => JSON.parse(await told(["profile", "receipt", receipt!, "--json"], READ)).done !== null;
  for (let tries = 0; !(await done()); tries += 1) {
    assert.ok(tries < 100, "it is done in the end");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const became = JSON.parse(await told(["profile", "receipt", receipt!, "--json"], READ));
  assert.deepEqual([became.id, became.what], [receipt, "erased by the owner"]);
  assert.ok(Date.parse(became.done) >= Date.parse(became.at) && Date.parse(became.at) > Date.now() - 60_000, JSON.stringify(became));
  assert.equal(await told(["profile", "receipt", receipt!], READ), `erased by the owner, asked for ${became.at}, done everywhere ${became.done}\n`);
  const none = await idoine(["profile", "receipt", "never-given", ...to], READ);
  assert.deepEqual([none.code, none.stderr], [1, "error: There is no such receipt.\n"]);
  const json = JSON.parse(await told(["profile", "erase", "u:cai", "--yes", "--json"]));
  assert.equal(json.erased, true, "once more is no error");
});
