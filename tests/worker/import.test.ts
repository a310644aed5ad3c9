// `idoine import` and the real Worker: what is imported counts once, whatever happens on the way.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PUBLISH, READ, VARS, idoine, startIdoine } from "./command.ts";
import { startWorker } from "./harness.ts";
import type { TestWorker } from "./harness.ts";

const trait = (more: object) => ({ purpose: "personalization", ...more });

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example", "localhost"], timezone: "Europe/Paris" },
  traits: {
    plan: trait({ type: "string", settle: "source", sources: ["import:crm", "import:shop"] }),
    city: trait({ type: "string", settle: "latest" }),
    origin: trait({ type: "string", settle: "first" }),
    points: trait({ type: "int", settle: "largest" }),
    newsletter: trait({ type: "bool", purpose: "marketing" }),
  },
  events: { "Order Completed": { properties: { revenue: { type: "double" }, order_id: { type: "string" } } } },
  audiences: {
    buyers: "profile.count('Order Completed') > 0",
    spenders: "profile.sum('Order Completed', 'revenue') > 100.0",
    subscribers: "profile.newsletter",
    described: "profile.plan != '' && profile.city != '' && profile.origin != '' && profile.points > 0",
  },
  slots: { title: { selector: "h1" } },
  experiences: [],
};

let worker: TestWorker;
let to: string[];
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "idoine-import-"));
  worker = await startWorker({ manifest: MANIFEST, vars: VARS, profiles: true });
  to = ["--to", worker.address.origin];
});
after(async () => {
  await worker?.dispose();
  await rm(folder, { recursive: true });
});

async function file(name: string, lines: string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

/** What a profile says, as the program reads it. */
async function readings(user: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await idoine(["profile", "show", `u:${user}`, ...to, "--json"], READ);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).readings;
}

const ORDERS = "profile.count('Order Completed')";
const REVENUE = "profile.sum('Order Completed', 'revenue')";

async function ordersOf(users: string[]): Promise<number> {
  const counts = await Promise.all(users.map(async (user) => Number((await readings(user))[ORDERS])));
  return counts.reduce((one, other) => one + other, 0);
}

const day = (at: number) => new Date(Date.UTC(2025, 0, 1) + at * 3_600_000).toISOString();

const MAPS = ["--event", "Order Completed", "--map", "customer=userId", "--map", "date=timestamp", "--map", "total=properties.revenue"];

test("what is imported twice counts once", async () => {
  const users = ["anna", "bruno", "carla"];
  const rows = Array.from({ length: 60 }, (_, at) => `${users[at % 3]},${day(at)},${at}.50`);
  const orders = await file("orders.csv", ["customer,date,total", ...rows]);
  const once = await idoine(["import", "events", orders, ...to, ...MAPS, "--batch", "25"]);
  assert.deepEqual(once, { code: 0, stdout: `${orders}: 60 rows: 60 taken\n`, stderr: "" });
  assert.equal(await ordersOf(users), 60);
  assert.equal((await readings("anna"))[REVENUE], "580");
  // The command knows; and without it the site does.
  assert.match((await idoine(["import", "events", orders, ...to, ...MAPS])).stderr, /is imported already: delete/);
  await rm(`${orders}.progress`);
  const again = await idoine(["import", "events", orders, ...to, ...MAPS]);
  assert.deepEqual(again, { code: 0, stdout: `${orders}: 60 rows: 0 taken, 60 were there already\n`, stderr: "" });
  assert.equal(await ordersOf(users), 60);
});

test("an import that is killed goes on and counts all once", async () => {
  const users = Array.from({ length: 10 }, (_, at) => `killed-${at}`);
  const rows = Array.from({ length: 1500 }, (_, at) => `${users[at % 10]},${day(at)},1`);
  const path = await file("killed.csv", ["customer,date,total", ...rows]);
  const command = ["import", "events", path, ...to, ...MAPS, "--batch", "25"];
  const done = async () => JSON.parse(await readFile(`${path}.progress`, "utf8").catch(() => '{"place":null}')).place?.rows ?? 0;
  const places = [];
  for (const least of [1, 300, 600]) {
    const child = startIdoine(command);
    while ((await done()) < least && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(child.exitCode, null, "it was over before it could be killed");
    child.kill("SIGKILL");
    await once(child, "exit");
    places.push(await done());
  }
  assert.ok(places[0] < places[1] && places[1] < places[2] && places[2] < 1500, places.join(" "));
  const ended = await idoine([...command, "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const told = JSON.parse(ended.stdout);
  assert.deepEqual([told.rows, told.accepted + told.duplicates, told.wentOnAfter], [1500, 1500, places[2]]);
  assert.equal(await ordersOf(users), 1500);
});

test("rows that the command or the site can't take are told, and stop nothing", async () => {
  const path = await file("wrong.csv", [
    "customer,date,total,properties.order_id",
    "wrong,2025-01-01,10,a",
    "wrong,2025-01-02,ten,b",
    ",2025-01-03,10,c",
    "wrong,1970-01-01,10,d",
    `wrong,2025-01-05,10,${"e".repeat(40_000)}`,
    "wrong,2025-01-06,10,f",
  ]);
  const { code, stdout, stderr } = await idoine(["import", "events", path, ...to, ...MAPS]);
  assert.equal(code, 1);
  assert.equal(stdout, `${path}: 6 rows: 2 taken, 4 rejected\n`);
  assert.deepEqual(stderr.trimEnd().split("\n"), [
    `${path}:3: \`total\`: expected a number such as 12.50, found \`ten\``,
    `${path}:4: \`userId\`: expected whose the row is: a userId or an anonymousId, found neither`,
    `${path}:5: \`date\`: expected a time since 2000 and in the past, found \`1970-01-01T00:00:00Z\``,
    `${path}:6: Expected 32 KB of JSON at most.`,
    `the rejected rows are in ${path}.rejected: mend them there, and import that file`,
  ]);
  assert.equal((await readFile(`${path}.rejected`, "utf8")).split("\n").length, 6);
  assert.equal(await ordersOf(["wrong"]), 2);
});

test("values of several sources are settled as each trait says, and all are told", async () => {
  const crm = await file("crm.csv", ["id,plan,city,origin,points", "dora,pro,Lyon,fair,10"]);
  const shop = await file("shop.csv", ["id,plan,city,origin,points", "dora,free,Paris,web,30"]);
  const old = await file("old.csv", ["id,plan,city,origin,points", "dora,trial,Nice,letter,20"]);
  const from = (path: string, source: string, at: string) => idoine(["import", "traits", path, ...to, "--source", source, "--map", "id=userId", "--at", at]);
  // The order of arrival is none of the times' order.
  for (const [path, source, at] of [[shop, "shop", "2025-06-03"], [old, "old", "2025-06-01"], [crm, "crm", "2025-06-02"]] as const) {
    const { code, stderr } = await from(path, source, `${at}T00:00:00Z`);
    assert.equal(code, 0, stderr);
  }
  const { stdout } = await idoine(["profile", "show", "u:dora", ...to, "--json"], READ);
  const { readings: read, traits } = JSON.parse(stdout);
  assert.deepEqual([read["profile.plan"], read["profile.city"], read["profile.origin"], read["profile.points"]], ["pro", "Paris", "letter", "30"]);
  const told = JSON.stringify(traits);
  for (const source of ["import:crm", "import:shop", "import:old"]) {
    assert.ok(told.includes(source), told);
  }
});

test("a trait is kept for its own purpose alone", async () => {
  const path = await file("letter.csv", ["userId,newsletter,city", "emil,true,Brest"]);
  assert.equal((await idoine(["import", "traits", path, ...to])).code, 0);
  const without = await readings("emil");
  assert.deepEqual([without["profile.city"], without["profile.newsletter"]], ["Brest", undefined]);
  assert.equal((await idoine(["import", "traits", path, ...to, "--purposes", "personalization+marketing", "--source", "letters"])).code, 0);
  assert.equal((await readings("emil"))["profile.newsletter"], "true");
  const nobody = await file("nobody.csv", ["userId,event,timestamp", "emil,Order Completed,2025-01-01"]);
  const { code, stdout } = await idoine(["import", "events", nobody, ...to, "--purposes", "marketing"]);
  assert.deepEqual([code, stdout], [0, `${nobody}: 1 row: 0 taken, 1 left out for want of consent\n`]);
  assert.equal(await ordersOf(["emil"]), 0);
});

test("who may not import is told so", async () => {
  const path = await file("may.csv", ["userId,event,timestamp", "felix,Order Completed,2025-01-01"]);
  const { code, stderr } = await idoine(["import", "events", path, ...to], READ);
  assert.equal(code, 1);
  assert.match(stderr, /This takes a token with the role `publish`/);
  const unknown = await idoine(["import", "traits", await file("unknown.csv", ["userId,colour", "felix,red"]), ...to]);
  assert.match(unknown.stderr, /declares no trait `colour` \(it declares city, newsletter, origin, plan, points\)/);
});

const importing = (query: string, body: string, token = PUBLISH) =>
  worker.fetch(`/_idoine/api/import${query}`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });

test("the API answers line by line", async () => {
  const event = (more: object) => JSON.stringify({ messageId: "api-1", type: "track", event: "Order Completed", userId: "gerd", timestamp: "2025-01-01T00:00:00Z", ...more });
  const lines = [
    event({}),
    "",
    event({}),
    "{",
    event({ messageId: undefined }),
    event({ messageId: "api-2", timestamp: undefined }),
    event({ messageId: "api-3", timestamp: "2999-01-01" }),
    event({ messageId: "api-4", userId: undefined }),
    event({ messageId: "api-5", type: "exposure", event: undefined, properties: {} }),
    event({ messageId: "api-6", colour: "red" }),
    event({ messageId: "api-7", type: "identify", event: undefined, traits: { city: "Metz" } }),
  ];
  const reply = await importing("?source=api", lines.join("\n"));
  assert.equal(reply.status, 200, reply.text);
  const told = reply.json().results.map(({ status, error }: any) => [status, ...(error ? [error.code, error.path] : [])]);
  assert.deepEqual(told, [
    ["accepted"],
    ["duplicate"],
    ["rejected", "bad_json", ""],
    ["rejected", "missing_field", "/messageId"],
    ["rejected", "bad_field", "/timestamp"],
    ["rejected", "bad_field", "/timestamp"],
    ["rejected", "missing_field", "/userId"],
    ["rejected", "bad_field", "/type"],
    ["rejected", "unknown_field", "/colour"],
    ["accepted"],
  ]);
  assert.equal((await readings("gerd"))["profile.city"], "Metz");
  for (const query of ["", "?source=", "?source=a%20b", "?source=import:a", "?source=a&purposes=all"]) {
    assert.equal((await importing(query, lines[0]!)).status, 400, query);
  }
  assert.equal((await importing("?source=a", `${lines[0]}\n`.repeat(1001))).status, 400);
  assert.equal((await importing("?source=a", "x".repeat(2 * 1024 * 1024 + 1))).status, 413);
  assert.equal((await importing("?source=a", lines[0]!, READ)).status, 403);
  assert.equal((await importing("?source=a", lines[0]!, "nobody")).status, 401);
});
