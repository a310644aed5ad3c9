// Opt-in: nothing is stored or read until a visitor agrees, and a refusal takes the id away again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { Init, Reply, TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

const KEY = "a secret of thirty-two characters";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let origin: TestOrigin;
let worker: TestWorker;
/** Without a key. */
let open: TestWorker;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: site(), vars: { IDOINE_KEY: KEY } });
  open = await startWorker({ origin: origin.url, manifest: site() });
});
after(async () => {
  await Promise.all([worker.dispose(), open.dispose(), origin.close()]);
});

const agree = (granted: unknown, headers: Record<string, string> = {}, to = worker) =>
  to.fetch("/_idoine/consent", { method: "POST", headers: { origin: "https://shop.example", ...headers }, body: JSON.stringify({ granted }) });

/** The cookies that an answer sets: name to value and attributes. */
const cookiesOf = (reply: Reply) =>
  Object.fromEntries(reply.cookies.map((cookie) => [cookie.slice(0, cookie.indexOf("=")), { value: cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf(";")), attributes: cookie.slice(cookie.indexOf(";") + 2) }]));

const isReturning = async (cookie: string, init: Init = {}, to = worker) => {
  const reply = await to.fetch("/", { ...init, headers: { cookie, ...(init.headers as Record<string, string>) } });
  assert.equal(reply.status, 200);
  return /<p id="place">Welcome back<\/p>/.test(reply.text);
};

const signed = (id: string, key = KEY) => signedId(id, key);

test("a page sets nothing and knows nobody before consent", async () => {
  const reply = await worker.fetch("/");
  assert.deepEqual(reply.cookies, []);
  assert.deepEqual((await worker.fetch("/_idoine/consent")).json(), { granted: [], decided: false });
  assert.equal(await isReturning(`idoine_id=${signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e")}`), false);
});

test("agreeing mints an id, and the next page knows it", async () => {
  const reply = await agree(["personalization", "analytics"]);
  assert.deepEqual(reply.json(), { granted: ["personalization", "analytics"], decided: true });
  assert.equal(reply.header("cache-control"), "private, no-store");
  const { idoine_consent: consent, idoine_id: id } = cookiesOf(reply);
  assert.equal(consent?.value, "v1.personalization.analytics");
  assert.equal(consent?.attributes, "Path=/; SameSite=Lax; Max-Age=34128000; Secure");
  assert.equal(id?.attributes, "Path=/; SameSite=Lax; Max-Age=34128000; Secure; HttpOnly");
  const [uuid, signature] = id!.value.split(".");
  assert.match(uuid!, UUID);
  assert.equal(`${uuid}.${signature}`, signed(uuid!));
  const cookie = `idoine_consent=${consent!.value}; idoine_id=${id!.value}`;
  assert.equal(await isReturning(cookie), true);
  assert.deepEqual((await worker.fetch("/_idoine/consent", { headers: { cookie } })).json(), { granted: ["personalization", "analytics"], decided: true });
  // The experiment has a unit now.
  const state = (await worker.fetch("/", { headers: { cookie } })).state!;
  assert.equal(state.decisions.find((decision) => decision.slot === "button").reason, "split");
  assert.doesNotMatch(JSON.stringify(state), new RegExp(uuid!));
});

test("an id is kept when the choice changes, and not sent again", async () => {
  const id = signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e");
  const { idoine_consent: consent, idoine_id: again } = cookiesOf(await agree(["marketing"], { cookie: `idoine_consent=v1.personalization; idoine_id=${id}` }));
  assert.equal(consent?.value, "v1.marketing");
  assert.equal(again, undefined);
  // Marketing alone is no consent for personalization.
  assert.equal(await isReturning(`idoine_consent=v1.marketing; idoine_id=${id}`), false);
});

test("refusing deletes the id", async () => {
  const reply = await agree([], { cookie: `idoine_consent=v1.personalization; idoine_id=${signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e")}` });
  assert.deepEqual(reply.json(), { granted: [], decided: true });
  const { idoine_consent: consent, idoine_id: id } = cookiesOf(reply);
  assert.equal(consent?.value, "v1");
  assert.equal(id?.value, "");
  assert.match(id!.attributes, /Max-Age=0; Secure; HttpOnly$/);
  assert.deepEqual((await worker.fetch("/_idoine/consent", { headers: { cookie: "idoine_consent=v1" } })).json(), { granted: [], decided: true });
});

test("on a developer's machine the cookies work without TLS", async () => {
  const reply = await worker.fetch("http://localhost:8787/_idoine/consent", { method: "POST", headers: { origin: "http://localhost:8787" }, body: '{"granted":["personalization"]}' });
  assert.equal(reply.status, 200);
  assert.equal(reply.cookies.length, 2);
  assert.ok(reply.cookies.every((cookie) => !/Secure/.test(cookie)));
  const elsewhere = await worker.fetch("http://shop.example/_idoine/consent", { method: "POST", headers: { origin: "http://shop.example" }, body: '{"granted":["personalization"]}' });
  assert.ok(elsewhere.cookies.every((cookie) => /; Secure/.test(cookie)));
});

test("a cookie that is forged, garbage or 20 KB is as if absent", async () => {
  const id = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
  const yes = "idoine_consent=v1.personalization";
  assert.equal(await isReturning(`${yes}; idoine_id=${signed(id)}`), true);
  for (const bad of [
    id,
    `${id}.`,
    `${id}.AAAAAAAAAAAAAAAAAAAAAA`,
    signed(id, "another key"),
    signed(id).slice(0, -1),
    `${signed(id)}A`,
    signed(id).replace(".", ".."),
    `${id.replace("6", "7")}.${signed(id).split(".")[1]}`,
    "x".repeat(20_000),
    `${signed(id)}${"x".repeat(20_000)}`,
    "\xff\xfe\xc3",
    '"',
    "<script>",
    "",
  ]) {
    assert.equal(await isReturning(`${yes}; idoine_id=${bad}`), false, bad.slice(0, 60));
  }
  for (const bad of ["v1.personalization.everything", "v2.personalization", "yes", "V1.personalization", "", "v1.personalization ".repeat(1000), "\xff"]) {
    assert.equal(await isReturning(`idoine_consent=${bad}; idoine_id=${signed(id)}`), false, bad.slice(0, 60));
  }
  // A cookie of someone else's beside it does no harm.
  assert.equal(await isReturning(`junk=${"x".repeat(8000)}; =; ;;; ${yes}; idoine_id=${signed(id)}`), true);
});

test("without a key plain ids are accepted, and only ids", async () => {
  const yes = "idoine_consent=v1.personalization";
  assert.equal(await isReturning(`${yes}; idoine_id=12345678-abcd`, {}, open), true);
  assert.equal(await isReturning(`${yes}; idoine_id=1234`, {}, open), false);
  assert.match(cookiesOf(await agree(["personalization"], {}, open))["idoine_id"]!.value, UUID);
});

test("Global Privacy Control refuses profiling, whatever the cookie or the click says", async () => {
  const id = signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e");
  const cookie = `idoine_consent=v1.personalization.analytics.marketing; idoine_id=${id}`;
  assert.equal(await isReturning(cookie, { headers: { "sec-gpc": "1" } }), false);
  assert.deepEqual((await worker.fetch("/_idoine/consent", { headers: { cookie, "sec-gpc": "1" } })).json(), { granted: ["analytics"], decided: true });
  const reply = await agree(["personalization", "marketing"], { "sec-gpc": "1" });
  assert.deepEqual(reply.json(), { granted: [], decided: true });
  assert.equal(cookiesOf(reply)["idoine_id"]?.value, "");
});

test("no other site can consent for its visitors", async () => {
  const body = '{"granted":["personalization"]}';
  const post = (headers: Record<string, string>) => worker.fetch("/_idoine/consent", { method: "POST", headers, body });
  for (const headers of [{}, { origin: "https://evil.example" }, { origin: "null" }, { origin: "https://shop.example", "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://shop.example.evil.example" }, { origin: "http://www.shop.example" }]) {
    const reply = await post(headers);
    assert.equal(reply.status, 403, JSON.stringify(headers));
    assert.equal(reply.json().error.code, "forbidden");
    assert.deepEqual(reply.cookies, []);
    assert.equal(reply.header("access-control-allow-origin"), null);
  }
  assert.equal((await post({ "sec-fetch-site": "same-origin" })).status, 200);
  const trusted = await post({ origin: "https://www.shop.example", "sec-fetch-site": "same-site" });
  assert.equal(trusted.status, 200);
  assert.equal(trusted.header("access-control-allow-origin"), "https://www.shop.example");
  assert.equal(trusted.header("access-control-allow-credentials"), "true");
});

test("a choice that is none is refused and changes nothing", async () => {
  for (const body of ["", "{}", "[]", "null", '{"granted":"personalization"}', '{"granted":["everything"]}', '{"granted":[1]}', "\xff", `{"granted":[${'"personalization",'.repeat(50_000)}"analytics"]}`]) {
    const reply = await worker.fetch("/_idoine/consent", { method: "POST", headers: { origin: "https://shop.example" }, body: Buffer.from(body, "latin1") });
    assert.ok([400, 413].includes(reply.status), body.slice(0, 40));
    assert.ok(reply.json().error.message);
    assert.deepEqual(reply.cookies, []);
  }
});

test("two first requests at once make two ids at most, and each is good", async () => {
  const replies = await Promise.all([agree(["personalization"]), agree(["personalization"])]);
  for (const reply of replies) {
    const { idoine_consent: consent, idoine_id: id } = cookiesOf(reply);
    assert.equal(await isReturning(`idoine_consent=${consent!.value}; idoine_id=${id!.value}`), true);
  }
});
