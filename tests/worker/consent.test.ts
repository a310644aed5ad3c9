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

/** What an answer says that holds, and whether it was said. */
const held = (reply: Reply) => {
  const { granted, decided } = reply.json();
  return { granted, decided };
};

/** A choice in a cookie, without the second in which it was made. */
const saidIn = (value: string | undefined) => value?.replace(/\.\d{10}\./, ".AT.");

const signed = (id: string, key = KEY) => signedId(id, key);

test("a page sets nothing and knows nobody before consent", async () => {
  const reply = await worker.fetch("/");
  assert.deepEqual(reply.cookies, []);
  assert.deepEqual(held(await worker.fetch("/_idoine/consent")), { granted: [], decided: false });
  assert.equal(await isReturning(`idoine_id=${signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e")}`), false);
});

test("agreeing mints an id, and the next page knows it", async () => {
  const reply = await agree(["personalization", "analytics"]);
  assert.deepEqual(held(reply), { granted: ["personalization", "analytics"], decided: true });
  assert.equal(reply.header("cache-control"), "private, no-store");
  const { idoine_consent: consent, idoine_id: id } = cookiesOf(reply);
  assert.equal(saidIn(consent?.value), "v2.personalization.analytics.-marketing.1.AT.v");
  assert.equal(consent?.attributes, "Path=/; SameSite=Lax; Max-Age=34128000; Secure");
  assert.equal(id?.attributes, "Path=/; SameSite=Lax; Max-Age=34128000; Secure; HttpOnly");
  const [uuid, signature] = id!.value.split(".");
  assert.match(uuid!, UUID);
  assert.equal(`${uuid}.${signature}`, signed(uuid!));
  const cookie = `idoine_consent=${consent!.value}; idoine_id=${id!.value}`;
  assert.equal(await isReturning(cookie), true);
  assert.deepEqual(held(await worker.fetch("/_idoine/consent", { headers: { cookie } })), { granted: ["personalization", "analytics"], decided: true });
  // The experiment has a unit now.
  const state = (await worker.fetch("/", { headers: { cookie } })).state!;
  assert.equal(state.decisions.find((decision) => decision.slot === "button").reason, "split");
  assert.doesNotMatch(JSON.stringify(state), new RegExp(uuid!));
});

test("an id is kept when the choice changes, and not sent again", async () => {
  const id = signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e");
  const { idoine_consent: consent, idoine_id: again } = cookiesOf(await agree(["marketing"], { cookie: `idoine_consent=v1.personalization; idoine_id=${id}` }));
  assert.equal(saidIn(consent?.value), "v2.marketing.-analytics.~personalization.1.AT.v");
  assert.equal(again, undefined);
  // Marketing alone is no consent for personalization.
  assert.equal(await isReturning(`idoine_consent=v1.marketing; idoine_id=${id}`), false);
});

test("refusing deletes the id", async () => {
  const reply = await agree([], { cookie: `idoine_consent=v1.personalization; idoine_id=${signed("6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e")}` });
  assert.deepEqual(held(reply), { granted: [], decided: true });
  const { idoine_consent: consent, idoine_id: id } = cookiesOf(reply);
  assert.equal(saidIn(consent?.value), "v2.-analytics.-marketing.~personalization.1.AT.v");
  assert.equal(id?.value, "");
  assert.match(id!.attributes, /Max-Age=0; Secure; HttpOnly$/);
  assert.deepEqual(held(await worker.fetch("/_idoine/consent", { headers: { cookie: "idoine_consent=v1" } })), { granted: [], decided: true });
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
  assert.deepEqual(held(await worker.fetch("/_idoine/consent", { headers: { cookie, "sec-gpc": "1" } })), { granted: ["analytics"], decided: true });
  const reply = await agree(["personalization", "marketing"], { "sec-gpc": "1" });
  assert.deepEqual(held(reply), { granted: [], decided: true });
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

test("who asks is told what was said, when, of which wording and by whom; and what the site asks", async () => {
  const { idoine_consent: consent } = cookiesOf(await agree(["analytics"], { cookie: "idoine_consent=v1.analytics.marketing" }));
  const told = (await worker.fetch("/_idoine/consent", { headers: { cookie: `idoine_consent=${consent!.value}`, dnt: "1" } })).json();
  assert.deepEqual(told.choice, { personalization: "refused", analytics: "granted", marketing: "withdrawn" });
  assert.deepEqual([told.version, told.by, told.signals], [1, "visitor", { gpc: false, dnt: true }]);
  assert.ok(Math.abs(Date.parse(told.at) - Date.now()) < 60_000, told.at);
  assert.deepEqual([told.notice.mode, told.notice.version, told.notice.ask], ["opt-in", 1, "page"]);
  assert.equal((await worker.fetch("/_idoine/consent?notice=0")).json().notice, undefined);
});

test("a wording that there is not yet was seen by nobody, and nobody else chooses than who can", async () => {
  for (const more of [{ version: 2 }, { version: -1 }, { version: "1" }, { by: "default" }, { by: "owner" }]) {
    const reply = await worker.fetch("/_idoine/consent", { method: "POST", headers: { origin: "https://shop.example" }, body: JSON.stringify({ granted: ["analytics"], ...more }) });
    assert.equal(reply.status, 400, JSON.stringify(more));
    assert.deepEqual(reply.cookies, []);
  }
});

/** A site on other terms. */
const onTerms = (consent: object) => startWorker({ origin: origin.url, manifest: { ...(site() as object), consent }, vars: { IDOINE_KEY: KEY } });

test("where what is not refused is agreed to, the page brings an id, and is decided with it", async (t) => {
  const other = await onTerms({ mode: "opt-out", version: 3 });
  t.after(() => other.dispose());
  const first = await other.fetch("/");
  const { idoine_consent: consent, idoine_id: id } = cookiesOf(first);
  assert.equal(saidIn(consent?.value), "v2.personalization.analytics.marketing.3.AT.d");
  assert.match(id!.attributes, /HttpOnly$/);
  assert.match(first.header("cache-control") ?? "", /private/);
  const button = (reply: Reply) => reply.state!.decisions.find((decision) => decision.slot === "button");
  assert.equal(button(first).reason, "split");
  const cookie = `idoine_consent=${consent!.value}; idoine_id=${id!.value}`;
  const second = await other.fetch("/", { headers: { cookie } });
  assert.deepEqual(second.cookies, []);
  assert.deepEqual(button(second), button(first));
  // Nobody gets one who refuses it, by their browser or by their word.
  for (const headers of [{ dnt: "1" }, { cookie: "idoine_consent=v2.-personalization.-analytics.-marketing.3.1.v" }] as Record<string, string>[]) {
    const reply = await other.fetch("/", { headers });
    assert.deepEqual(reply.cookies, [], JSON.stringify(headers));
    assert.equal(button(reply).reason, "no_unit");
  }
  // Nor who sees nothing of it: a page fetched ahead, and programs.
  for (const headers of [{ "sec-purpose": "prefetch;prerender" }, { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" }] as Record<string, string>[]) {
    assert.deepEqual((await other.fetch("/", { headers })).cookies, [], JSON.stringify(headers));
  }
  const gpc = cookiesOf(await other.fetch("/", { headers: { "sec-gpc": "1" } }));
  assert.equal(saidIn(gpc["idoine_consent"]?.value), "v2.analytics.3.AT.d");
  assert.deepEqual((await other.fetch("/_idoine/consent", { headers: { cookie } })).json().decided, false);
});

test("where pages are measured without asking, each draws by itself and nothing is stored", async (t) => {
  const exempt = await onTerms({ mode: "measurement-exempt" });
  t.after(() => exempt.dispose());
  const button = async (headers: Record<string, string> = {}) => {
    const reply = await exempt.fetch("/", { headers });
    assert.deepEqual(reply.cookies, []);
    return reply.state!.decisions.find((decision) => decision.slot === "button");
  };
  const drawn = [];
  for (let n = 0; n < 24; n += 1) {
    drawn.push(await button());
  }
  assert.ok(drawn.every(({ reason }) => reason === "split"));
  assert.equal(new Set(drawn.map(({ variant }) => variant)).size, 2, "24 pages of one visitor are as many visitors");
  for (const headers of [{ dnt: "1" }, { cookie: "idoine_consent=v2.-personalization.-analytics.-marketing.1.1.v" }] as Record<string, string>[]) {
    assert.equal((await button(headers)).reason, "no_unit", JSON.stringify(headers));
  }
});
