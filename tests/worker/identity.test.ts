// Who a visitor is: identity tokens, logging in and out, and what consent sets beside it. In workerd, with real shards.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { Options, Reply, TestOrigin, TestWorker } from "./harness.ts";

const KEY = "a secret of this test";
const SECRET = "the-sites-own-secret-of-32-bytes";
const OLD = "the-secret-before-that-one";
const ORIGIN = "https://shop.example";

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example", "www.shop.example"], timezone: "Europe/Paris" },
  traits: {
    first_name: { type: "string", personal: true, purpose: "personalization" },
    plan: { type: "string", enum: ["free", "pro"], purpose: "personalization" },
    newsletter: { type: "bool", purpose: "marketing" },
  },
  slots: { hero: { selector: "h1" }, lead: { selector: "p" } },
  experiences: [
    { id: "shoes", type: "personalization", audience: "profile.count('Product Viewed', '7d', {'category': 'shoes'}) >= 2", priority: 1, slots: { hero: { text: "Shoes again" } } },
    { id: "pro", type: "personalization", audience: "profile.plan == 'pro'", priority: 2, slots: { hero: { text: "Hello, {{ profile.first_name | \"pro\" }}" } } },
    { id: "letter", type: "personalization", audience: "profile.newsletter", slots: { lead: { text: "The letter" } } },
  ],
};

let origin: TestOrigin;
let worker: TestWorker;
/** Without a key, and without a secret for tokens. */
let off: TestWorker;

/** Shards that take no events while a test says so; they can be read. */
const FAULTS: Options = {
  before: `
    import { Profiles as Own } from "./index.js";
    let isBroken = false;
    export class Faulty extends Own {
      async accept(...given) {
        if (isBroken) throw new Error("broken on purpose");
        return super.accept(...given);
      }
    }`,
  around: `
    if (request.headers.has("x-fault")) { isBroken = request.headers.get("x-fault") === "on"; return new Response(); }
    return worker.fetch(request, env, ctx);`,
  bindings: { durableObjects: { PROFILES: { className: "Faulty", useSQLite: true } } },
};

before(async () => {
  origin = await startOrigin({ "/": "<!doctype html><html><head><title>x</title></head><body><h1>Welcome</h1><p>-</p></body></html>" });
  const options = { origin: origin.url, manifest: MANIFEST, profiles: true };
  worker = await startWorker({ ...options, ...FAULTS, vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: `${SECRET} ${OLD}` } });
  off = await startWorker({ ...options, vars: {} });
});
after(async () => {
  await Promise.all([worker.dispose(), off.dispose(), origin.close()]);
});

const base64url = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const soon = (seconds = 3600) => Math.floor(Date.now() / 1000) + seconds;

/** A token as a site's server makes it, with node's own HMAC. */
function token(claims: Record<string, unknown>, { secret = SECRET, head = { alg: "HS256", typ: "JWT" } as object, hash = "sha256" } = {}): string {
  const text = `${base64url(head)}.${base64url(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest("base64url")}`;
}

/** A browser: it keeps cookies as browsers do. */
class Browser {
  readonly jar = new Map<string, string>();
  to = worker;

  get cookie(): string {
    return [...this.jar].map((pair) => pair.join("=")).join("; ");
  }

  async fetch(path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const reply = await this.to.fetch(path, { method, headers: { origin: ORIGIN, cookie: this.cookie, ...headers }, ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }) });
    for (const cookie of reply.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    return reply;
  }

  agree = (granted = ["personalization", "analytics"]) => this.fetch("/_idoine/consent", "POST", { granted });
  logIn = (claims: Record<string, unknown>) => this.fetch("/_idoine/identity", "POST", { token: token({ exp: soon(), ...claims }) });
  logOut = () => this.fetch("/_idoine/identity", "DELETE");
  /** What is stored, less when the session began. */
  profile = async () => stored(await this.fetch("/_idoine/profile"));
  hero = async () => /<h1>(.*?)<\/h1>/.exec((await this.fetch("/")).text)![1];

  async send(...events: object[]): Promise<void> {
    const reply = await this.fetch("/_idoine/collect", "POST", { events });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(reply.json().results.map(({ status }: any) => status), events.map(() => "accepted"), reply.text);
  }

  view = (category = "shoes") => this.send({ type: "track", event: "Product Viewed", properties: { category } });

  static async agreed(to = worker): Promise<Browser> {
    const browser = new Browser();
    browser.to = to;
    await browser.agree();
    return browser;
  }
}

/** What an answer tells of what is stored, less when the session began. */
function stored(reply: Reply): { version: string; verified: boolean; profile: Record<string, string> } {
  const { "visitor.session_start": start, ...profile } = reply.json().profile;
  assert.ok(start === undefined || Math.abs(Date.now() - Number(start)) < 60_000, start);
  return { ...reply.json(), profile };
}

const SHOES = "profile.count('Product Viewed', '7d', {'category': 'shoes'})";

test("consent sets all three cookies and tells the projection; withdrawing it takes id and projection away", async () => {
  const browser = new Browser();
  const reply = await browser.agree();
  assert.equal(reply.status, 200);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent", "idoine_id", "idoine_p"]);
  assert.match(reply.cookies.find((cookie) => cookie.startsWith("idoine_p="))!, /^idoine_p=[\w-]+; Path=\/; SameSite=Lax; Max-Age=34128000; Secure; HttpOnly$/);
  const { granted, decided, profile } = reply.json();
  assert.deepEqual([granted, decided], [["personalization", "analytics"], true]);
  assert.deepEqual(profile, { [SHOES]: "0" });
  assert.deepEqual((await browser.profile()).profile, profile);
  await browser.view();
  assert.equal((await browser.profile()).profile[SHOES], "1");
  // Agreeing again keeps the id and what is stored.
  const before = browser.jar.get("idoine_id");
  assert.equal((await browser.agree()).json().profile[SHOES], "1");
  assert.equal(browser.jar.get("idoine_id"), before);
  // Without personalization the projection goes; the id stays for analytics.
  const less = await browser.agree(["analytics"]);
  assert.deepEqual([less.json().granted, less.json().choice.personalization], [["analytics"], "withdrawn"]);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent", "idoine_id"]);
  assert.deepEqual((await browser.agree([])).json().granted, []);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent"]);
});

test("without a secret consent sets what it always did, and nobody can log in", async () => {
  const browser = await Browser.agreed(off);
  assert.deepEqual([...browser.jar.keys()], ["idoine_consent", "idoine_id"]);
  const reply = await browser.logIn({ sub: "u-1" });
  assert.deepEqual([reply.status, reply.json().error.code], [501, "no_identities"]);
  assert.deepEqual((await browser.profile()).profile, {});
});

test("who logs in is shown what the user did on another device, from the next page on", async () => {
  const [phone, laptop] = [await Browser.agreed(), await Browser.agreed()];
  await phone.view();
  await phone.view();
  assert.equal(await phone.hero(), "Shoes again");
  assert.equal(await laptop.hero(), "Welcome");
  assert.equal((await phone.logIn({ sub: "u-two-devices" })).status, 200);
  const reply = await laptop.logIn({ sub: "u-two-devices", aud: "shop" });
  assert.equal(reply.status, 200, reply.text);
  assert.match(reply.cookies.join(), /^idoine_p=[\w-]+; .*Max-Age=2592000;/);
  assert.deepEqual(stored(reply), { version: reply.json().version, verified: true, profile: { [SHOES]: "2" }, slots: ["hero"] });
  assert.equal(await laptop.hero(), "Shoes again");
  // What the laptop does counts for the user too, and the phone sees it after its next event.
  await laptop.view();
  assert.equal((await laptop.profile()).profile[SHOES], "3");
  await phone.send({ type: "page" });
  assert.equal((await phone.profile()).profile[SHOES], "3");
});

test("who says that they are a user and proves nothing reads nothing of theirs, though it is written", async () => {
  const [owner, stranger] = [await Browser.agreed(), await Browser.agreed()];
  await owner.logIn({ sub: "u-famous" });
  await owner.send({ type: "identify", userId: "u-famous", traits: { plan: "pro", first_name: "Zoë" } });
  assert.equal(await owner.hero(), "Hello, Zoë");
  await stranger.send({ type: "identify", userId: "u-famous" });
  await stranger.view();
  assert.equal(await stranger.hero(), "Welcome");
  assert.deepEqual(await stranger.profile(), { version: (await stranger.profile()).version, verified: false, profile: { [SHOES]: "1" } });
});

test("personal traits are told to the page of a proven user alone; purposes hold", async () => {
  const browser = await Browser.agreed();
  await browser.send({ type: "identify", userId: "u-mine", traits: { plan: "pro", first_name: "Anna", newsletter: true } });
  // The page itself may show it: it is the browser's own.
  assert.equal(await browser.hero(), "Hello, Anna");
  assert.deepEqual((await browser.profile()).profile, { [SHOES]: "0", "profile.plan": "pro" });
  await browser.logIn({ sub: "u-mine" });
  const told = await browser.profile();
  assert.equal(told.verified, true);
  assert.deepEqual(told.profile, { [SHOES]: "0", "profile.first_name": "Anna", "profile.plan": "pro" });
  assert.ok(!JSON.stringify(told).includes("u-mine") && !JSON.stringify(told).includes(browser.jar.get("idoine_id")!.split(".")[0]!), "no id");
});

test("who can't be logged in, as a shard fails, is told to try again and stays who they were; then they are", async () => {
  const [phone, laptop] = [await Browser.agreed(), await Browser.agreed()];
  await phone.logIn({ sub: "u-patient" });
  await phone.view();
  await phone.view();
  const before = new Map(laptop.jar);
  await worker.fetch("/", { headers: { "x-fault": "on" } });
  const reply = await laptop.logIn({ sub: "u-patient" });
  await worker.fetch("/", { headers: { "x-fault": "off" } });
  assert.deepEqual([reply.status, reply.json().error.code, reply.header("retry-after"), reply.cookies], [503, "unavailable", "10", []]);
  assert.deepEqual(laptop.jar, before);
  assert.equal(await laptop.hero(), "Welcome");
  assert.equal((await laptop.profile()).verified, false);
  assert.deepEqual([(await laptop.logIn({ sub: "u-patient" })).status, await laptop.hero()], [200, "Shoes again"]);
  // What it does from then on is the user's: the log-in was written.
  await laptop.view();
  assert.equal((await phone.logIn({ sub: "u-patient" })).json().profile[SHOES], "3");
});

test("what is sent again behind a log-in was done before it, and counts once", async () => {
  const browser = await Browser.agreed();
  const viewed = { type: "track", event: "Product Viewed", messageId: "sent-twice", timestamp: new Date(Date.now() - 5000).toISOString(), properties: { category: "shoes" } };
  const send = async () => (await browser.fetch("/_idoine/collect", "POST", { events: [viewed] })).json().results[0].status;
  assert.equal(await send(), "accepted");
  await browser.logIn({ sub: "u-again" });
  assert.equal(await send(), "duplicate");
  assert.equal((await browser.profile()).profile[SHOES], "1");
  // Nor does it matter that the user proves who they are on every page.
  Object.assign(viewed, { messageId: "sent-thrice", timestamp: new Date().toISOString() });
  assert.equal(await send(), "accepted");
  await browser.logIn({ sub: "u-again", iat: 1 });
  assert.equal(await send(), "duplicate");
  assert.equal((await browser.profile()).profile[SHOES], "2");
});

test("logging out makes the browser somebody new, and nothing of the user stays", async () => {
  const browser = await Browser.agreed();
  await browser.view();
  await browser.view();
  await browser.logIn({ sub: "u-leaving" });
  const before = browser.jar.get("idoine_id");
  const reply = await browser.logOut();
  assert.equal(reply.status, 200);
  assert.deepEqual(stored(reply), { version: reply.json().version, verified: false, profile: { [SHOES]: "0" }, slots: ["hero"] });
  assert.notEqual(browser.jar.get("idoine_id"), before);
  assert.equal(await browser.hero(), "Welcome");
  await browser.view();
  assert.equal((await browser.profile()).profile[SHOES], "1");
  // It is not the user's, as another browser of theirs is told.
  assert.equal((await (await Browser.agreed()).logIn({ sub: "u-leaving" })).json().profile[SHOES], "2");
  // Who logs in again takes along what was done as nobody.
  assert.equal((await browser.logIn({ sub: "u-leaving" })).json().profile[SHOES], "3");
});

test("on a shared device the second user gets nothing of the first, log-out or not", async () => {
  const browser = await Browser.agreed();
  await browser.view();
  await browser.view();
  await browser.logIn({ sub: "u-first" });
  assert.equal((await browser.logIn({ sub: "u-second" })).json().profile[SHOES], "0");
  assert.equal(await browser.hero(), "Welcome");
  assert.equal((await browser.logIn({ sub: "u-first" })).json().profile[SHOES], "2");
});

test("a token is good in one way, and each other one is refused with its reason", async () => {
  const browser = await Browser.agreed();
  const good = { sub: "u-tokens", exp: soon() };
  const post = async (text: string) => browser.fetch("/_idoine/identity", "POST", { token: text });
  const parts = token(good).split(".");
  for (const fine of [token(good), token({ ...good, aud: ["blog", "shop"] }), token({ ...good, nbf: soon(-10), iat: 1 }), token(good, { secret: OLD }), token(good, { head: { alg: "HS256" } })]) {
    assert.equal((await post(fine)).status, 200, fine);
  }
  const bad: Record<string, string> = {
    "no token": "",
    "two parts": parts.slice(0, 2).join("."),
    "four parts": [...parts, "x"].join("."),
    "no signature": `${parts[0]}.${parts[1]}.`,
    unsigned: `${base64url({ alg: "none" })}.${parts[1]}.`,
    "none, signed": token(good, { head: { alg: "none" } }),
    HS512: token(good, { head: { alg: "HS512" }, hash: "sha512" }),
    "HS512 with a signature of HS256": token(good, { head: { alg: "HS512" } }),
    RS256: token(good, { head: { alg: "RS256" } }),
    "a header that must be understood": token(good, { head: { alg: "HS256", crit: ["exp"] } }),
    "another secret": token(good, { secret: "another secret" }),
    "the Worker's own key": token(good, { secret: KEY }),
    "another's claims": `${parts[0]}.${base64url({ ...good, sub: "u-other" })}.${parts[2]}`,
    "a shortened signature": token(good).slice(0, -4),
    "an empty secret": token(good, { secret: "" }),
    "no user": token({ exp: soon() }),
    "an empty user": token({ ...good, sub: "" }),
    "a number": token({ ...good, sub: 7 }),
    "a long user": token({ ...good, sub: "u".repeat(129) }),
    "no end": token({ sub: "u" }),
    expired: token({ ...good, exp: soon(-1) }),
    "an end that is text": token({ ...good, exp: String(soon()) }),
    "an end that is far ahead": token({ ...good, exp: soon(25 * 3600) }),
    "not yet": token({ ...good, nbf: soon(3600) }),
    "another site": token({ ...good, aud: "blog" }),
    "other sites": token({ ...good, aud: ["blog"] }),
    "not JSON": `${base64url("{")}.${parts[1]}.${parts[2]}`,
    "a list": token([1] as any),
    long: `${parts[0]}.${base64url({ ...good, more: "x".repeat(5000) })}.${parts[2]}`,
  };
  const before = browser.jar.get("idoine_p");
  for (const [name, text] of Object.entries(bad)) {
    const reply = await post(text);
    assert.deepEqual([reply.status, reply.json().error.code, reply.header("www-authenticate")], [401, "bad_token", "Bearer"], name);
    assert.deepEqual(reply.cookies, [], name);
  }
  assert.equal(browser.jar.get("idoine_p"), before);
});

test("only pages of the site log in and out, those of its other hosts too", async () => {
  const browser = await Browser.agreed();
  const body = { token: token({ sub: "u-cors", exp: soon() }) };
  for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }, { origin: "http://www.shop.example" }] as Record<string, string>[]) {
    for (const method of ["POST", "DELETE"]) {
      const reply = await browser.fetch("/_idoine/identity", method, method === "POST" ? body : undefined, headers);
      assert.deepEqual([reply.status, reply.cookies], [403, []], JSON.stringify(headers));
    }
  }
  const trusted = { origin: "https://www.shop.example", "sec-fetch-site": "same-site" };
  const reply = await browser.fetch("/_idoine/identity", "POST", body, trusted);
  assert.deepEqual([reply.status, reply.header("access-control-allow-origin"), reply.header("access-control-allow-credentials")], [200, "https://www.shop.example", "true"]);
  const refused = await browser.fetch("/_idoine/identity", "POST", { token: "x" }, trusted);
  assert.deepEqual([refused.status, refused.header("access-control-allow-origin")], [401, "https://www.shop.example"], "it can read why");
  const preflight = await browser.fetch("/_idoine/identity", "OPTIONS", undefined, trusted);
  assert.deepEqual([preflight.status, preflight.header("access-control-allow-methods")], [204, "POST, DELETE, OPTIONS"]);
  assert.equal((await browser.fetch("/_idoine/identity")).status, 405);
});

test("without consent to personalization nobody logs in, and a body that is none is refused", async () => {
  const browser = new Browser();
  await browser.agree(["analytics"]);
  const refused = await browser.logIn({ sub: "u-1" });
  assert.deepEqual([refused.status, refused.json().error.code, refused.cookies], [403, "no_consent", []]);
  const stranger = await new Browser().logIn({ sub: "u-1" });
  assert.deepEqual([stranger.status, stranger.cookies], [403, []]);
  const out = await new Browser().logOut();
  assert.deepEqual([out.status, out.cookies], [200, []], "there is nothing to forget");
  const agreed = await Browser.agreed();
  const gpc = await agreed.fetch("/_idoine/identity", "POST", { token: token({ sub: "u", exp: soon() }) }, { "sec-gpc": "1" });
  assert.equal(gpc.status, 403);
  for (const [body, status] of [["", 400], ["{}", 400], ["[]", 400], ["null", 400], ['{"token":1}', 400], [JSON.stringify({ token: "x".repeat(20_000) }), 413]] as const) {
    assert.equal((await agreed.fetch("/_idoine/identity", "POST", body)).status, status, body.slice(0, 20));
  }
});

test("who is logged in is known by the seal alone: an id of another browser brings nothing of it", async () => {
  const [one, other] = [await Browser.agreed(), await Browser.agreed()];
  await one.view();
  await one.view();
  await one.logIn({ sub: "u-seal" });
  other.jar.set("idoine_p", one.jar.get("idoine_p")!);
  assert.equal(await other.hero(), "Welcome");
  assert.equal((await other.profile()).verified, false);
  // An id without our signature is nobody's, whatever the projection is bound to.
  other.jar.set("idoine_id", one.jar.get("idoine_id")!.split(".")[0]!);
  assert.equal(await other.hero(), "Welcome");
  other.jar.set("idoine_id", signedId(one.jar.get("idoine_id")!.split(".")[0]!, KEY));
  assert.equal(await other.hero(), "Shoes again", "with both it is the same browser");
});
