// What of a page is decided again: the slots that read what an event changed, asked for alone; and what was shown to a browser, told by its own
// exposures, through a publish in between. In workerd, with real shards.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { Reply, TestOrigin, TestWorker } from "./harness.ts";

const SECRET = "the-sites-own-secret-of-32-bytes";
const ORIGIN = "https://shop.example";
const PAGE = "<!doctype html><html><head><title>x</title></head><body><h1>Welcome</h1><p>-</p><b>-</b><i>-</i><u>-</u></body></html>";

const MANIFEST = {
  site: { id: "shop", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: { plan: { type: "string", purpose: "personalization", editable: true }, city: { type: "string", purpose: "personalization" }, size: { type: "string", purpose: "personalization" } },
  audiences: { pros: "profile.plan == 'pro'" },
  slots: { hero: { selector: "h1" }, lead: { selector: "p" }, note: { selector: "b" }, button: { selector: "i" }, last: { selector: "u" }, quiet: { type: "data" } },
  experiences: [
    { id: "pro", type: "personalization", audience: "pros", slots: { hero: { text: "For professionals" } } },
    { id: "near", type: "personalization", audience: "consent.personalization", slots: { lead: { text: "Near {{ profile.city | \"you\" }}" } } },
    { id: "offer", type: "personalization", audience: "consent.personalization", cap: { total: 2 }, slots: { note: { text: "An offer" } } },
    { id: "call", type: "experiment", purpose: "personalization", sticky: true, weights: [1, 1, 1], slots: { button: [{ baseline: true }, { text: "Get it" }, { text: "Take it" }] } },
    { id: "of-user", type: "experiment", purpose: "personalization", unit: "user", slots: { last: [{ baseline: true }, { text: "Of the user" }] } },
    // Nobody is shown a draft, whatever it reads.
    { id: "draft", type: "personalization", status: "draft", audience: "profile.plan == 'pro'", slots: { quiet: { json: { a: 1 } } } },
  ],
};

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "/": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: MANIFEST, profiles: true, vars: { IDOINE_KEY: "a secret of this test", IDOINE_IDENTITY_SECRET: SECRET } });
});
after(async () => {
  await Promise.all([worker.dispose(), origin.close()]);
});

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf(sub: string): string {
  const text = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

/** A browser: it keeps cookies as browsers do. */
class Browser {
  readonly jar = new Map<string, string>();

  async fetch(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<Reply> {
    const cookie = [...this.jar].map((pair) => pair.join("=")).join("; ");
    const reply = await worker.fetch(path, { method, headers: { origin: ORIGIN, cookie }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    for (const cookie of reply.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    return reply;
  }

  agree = (...granted: string[]) => this.fetch("/_idoine/consent", { granted });
  decide = (more: object = {}) => this.fetch("/_idoine/decide", { url: `${ORIGIN}/`, ...more });
  profile = async (): Promise<Record<string, string>> => (await this.fetch("/_idoine/profile")).json().profile;

  /** The answer to events that are all taken. */
  async send(...events: object[]): Promise<any> {
    const reply = await this.fetch("/_idoine/collect", { events });
    assert.equal(reply.status, 200, reply.text);
    return reply.json();
  }

  /** What stands in an element of the page. */
  shown = async (tag: string) => new RegExp(`<${tag}>(.*?)<`).exec((await this.fetch("/")).text)![1];

  static async agreed(...purposes: string[]): Promise<Browser> {
    const browser = new Browser();
    await browser.agree("personalization", "analytics", ...purposes);
    return browser;
  }
}

const identify = (traits: object) => ({ type: "identify", traits });
const exposure = (view: string, slot: string, experience: string, variant: number) => ({
  type: "exposure",
  messageId: `${view}-${slot}`,
  properties: { slot, experience, variant, source: "personalization", version: "0123456789abcdef" },
  context: { page: { url: `${ORIGIN}/` } },
});

test("an event that changes a trait names the slots that read it, and no others", async () => {
  const browser = await Browser.agreed();
  assert.deepEqual((await browser.send(identify({ plan: "pro" }))).slots, ["hero"]);
  assert.deepEqual((await browser.send(identify({ city: "Lyon" }))).slots, ["lead"]);
  assert.deepEqual((await browser.send(identify({ plan: "free", city: "Nantes" }))).slots, ["hero", "lead"]);
  // What no slot reads, what stays as it is, and what changes nothing.
  for (const event of [identify({ size: "xl" }), identify({ plan: "free" }), { type: "page" }]) {
    assert.ok(!("slots" in (await browser.send(event))), JSON.stringify(event));
  }
  // Nothing of the values is said.
  assert.doesNotMatch(JSON.stringify(await browser.send(identify({ city: "Brest" }))), /Brest/);
});

test("an answer that got lost is made up for: what is sent again names the slots again", async () => {
  const browser = await Browser.agreed();
  const before = browser.jar.get("idoine_p")!;
  const event = { ...identify({ plan: "pro" }), messageId: "lost-and-sent-again" };
  assert.deepEqual((await browser.send(event)).slots, ["hero"]);
  browser.jar.set("idoine_p", before);
  const again = await browser.send(event);
  assert.deepEqual([again.results[0].status, again.slots], ["duplicate", ["hero"]]);
});

test("an exposure names no slot: what was just shown stays", async () => {
  const browser = await Browser.agreed();
  for (const view of ["one", "two", "three"]) {
    const answer = await browser.send(exposure(view, "note", "offer", 1), exposure(view, "button", "call", 1));
    assert.ok(!("slots" in answer), JSON.stringify(answer));
  }
});

test("without consent to personalization no slot is named", async () => {
  const browser = new Browser();
  assert.ok(!("slots" in (await browser.agree("analytics")).json()));
  assert.ok(!("slots" in (await browser.send(identify({ plan: "pro" })))));
  const nobody = new Browser();
  assert.ok(!("slots" in (await nobody.send(identify({ plan: "pro" })))));
});

test("who logs in, and whoever agrees or corrects what is known, is told the slots that read what the page did not know", async () => {
  const browser = await Browser.agreed();
  await browser.send(identify({ plan: "pro" }));
  const other = await Browser.agreed();
  await other.fetch("/_idoine/identity", { token: tokenOf("claire") });
  await other.send(identify({ city: "Lyon" }));
  const login = (await browser.fetch("/_idoine/identity", { token: tokenOf("claire") })).json();
  assert.deepEqual(login.slots, ["lead", "last"]);
  assert.equal(login.profile["profile.city"], "Lyon");
  // Logged out, the browser is somebody new of whom nothing is known.
  assert.deepEqual((await browser.fetch("/_idoine/identity", undefined, "DELETE")).json().slots, ["hero", "lead", "last"]);
  assert.deepEqual((await browser.fetch("/_idoine/profile", { traits: { plan: "pro" } })).json().slots, ["hero"]);
  // The same choice once more changes nothing; on another device of nobody's there is nothing either.
  assert.ok(!("slots" in (await browser.agree("personalization", "analytics")).json()));
  browser.jar.delete("idoine_p");
  assert.deepEqual((await browser.agree("personalization", "analytics")).json().slots, ["hero"]);
});

test("what another program says is not asked of a profile: after a publish the slots are those of the new one", async () => {
  const browser = await Browser.agreed();
  const moved = { id: "pro", type: "personalization", audience: "pros", slots: { last: { text: "For professionals" } } };
  try {
    await worker.publish({ ...MANIFEST, experiences: [moved] });
    assert.deepEqual((await browser.send(identify({ plan: "pro" }))).slots, ["last"]);
  } finally {
    await worker.publish(MANIFEST);
  }
});

test("decisions of some slots are told alone, as they are with all others", async () => {
  const browser = await Browser.agreed();
  await browser.send(identify({ plan: "pro", city: "Lyon" }));
  const whole = (await browser.decide()).json();
  const part = (await browser.decide({ slots: ["lead", "hero", "quiet"] })).json();
  const of = (list: any[]) => list.filter(({ slot }) => ["lead", "hero", "quiet"].includes(slot));
  assert.deepEqual([part.version, part.decisions, part.edits], [whole.version, of(whole.decisions), of(whole.edits)]);
  assert.deepEqual(part.edits.map(({ value }: any) => value).sort(), ["For professionals", "Near Lyon"]);
  const none = (await browser.decide({ slots: [] })).json();
  assert.deepEqual([none.decisions, none.edits], [[], []]);
  assert.deepEqual((await browser.decide({ slots: null })).json().decisions, whole.decisions);
});

test("slots that the site does not have, and lists that are none, are refused with their place", async () => {
  const browser = new Browser();
  const unknown = await browser.decide({ slots: ["hero", "heroine"] });
  assert.deepEqual([unknown.status, unknown.json().error.code, unknown.json().error.path], [400, "bad_request", "/slots/1"]);
  const many = await browser.decide({ slots: Array.from({ length: 501 }, () => "hero") });
  assert.deepEqual([many.status, many.json().error.path], [400, "/slots"]);
  for (const slots of ["hero", {}, [1], 1]) {
    assert.equal((await browser.decide({ slots })).status, 400, JSON.stringify(slots));
  }
});

test("a cap of two shows exactly twice, and a variant stays, in two tabs, with what is sent twice, and a publish in between", async () => {
  const browser = await Browser.agreed();
  const variant = ["-", "Get it", "Take it"].indexOf((await browser.shown("i"))!);
  /** A page is loaded, in one tab or another, and tells what it showed of the offer. */
  const load = async (view: string): Promise<string | undefined> => {
    const note = await browser.shown("b");
    const shown = [exposure(view, "button", "call", variant), ...(note === "An offer" ? [exposure(view, "note", "offer", 1)] : [])];
    const { results } = await browser.send(...shown);
    assert.deepEqual(results.map(({ status }: any) => status), shown.map(() => "accepted"));
    return note;
  };
  assert.equal(await load("view-1"), "An offer");
  // The beacon of a tab that closes, and the page's own sending, bring the same event: it counts once.
  const again = await browser.send(exposure("view-1", "note", "offer", 1));
  assert.equal(again.results[0].status, "duplicate");
  assert.match((await browser.profile())["seen.offer"]!, /^1,1,1,1,/);
  // Others draw otherwise now; who was shown a variant keeps it. The cap counts on.
  const weights = [0, 1, 2].map((at) => (at === variant ? 0 : 1));
  const experiences = MANIFEST.experiences.map((one) => (one.id === "call" ? { ...one, weights } : one));
  try {
    await worker.publish({ ...MANIFEST, experiences });
    assert.deepEqual([await load("view-2"), await load("view-3"), await load("view-4"), await load("view-5")], ["An offer", "-", "-", "-"]);
    assert.equal(await browser.shown("i"), ["-", "Get it", "Take it"][variant]);
    const profile = await browser.profile();
    assert.equal(profile["assignment.call"], String(variant));
    assert.match(profile["seen.offer"]!, /^2,2,2,2,/);
  } finally {
    await worker.publish(MANIFEST);
  }
});

test("an experience in two slots was seen once in a page view, if both say the same time", async () => {
  const two = { ...MANIFEST.experiences[2]!, slots: { note: { text: "An offer" }, last: { text: "An offer" } } };
  try {
    await worker.publish({ ...MANIFEST, experiences: [two] });
    const browser = await Browser.agreed();
    const timestamp = Date.now() - 1000;
    await browser.send(...["note", "last"].map((slot) => ({ ...exposure("view-1", slot, "offer", 1), timestamp })));
    assert.match((await browser.profile())["seen.offer"]!, /^1,1,1,1,/);
    assert.equal(await browser.shown("b"), "An offer");
  } finally {
    await worker.publish(MANIFEST);
  }
});

test("the page and the answer say until when time changes nothing: the page by the program alone, the answer by the profile too for who agreed to it", async () => {
  const HOUR = 3_600_000;
  const experiences = [
    { id: "hour", type: "personalization", audience: "time.hour >= 0", slots: { lead: { text: "At any hour" } } },
    { id: "views", type: "personalization", audience: "profile.count('Product Viewed', '1h') > 0", slots: { hero: { text: "Just looked" } } },
  ];
  const stated = async (browser: Browser): Promise<{ until?: number }> => (await browser.fetch("/")).state as { until?: number };
  try {
    const nobody = new Browser();
    const viewer = await Browser.agreed();
    await worker.publish({ ...MANIFEST, experiences: experiences.slice(0, 1) });
    // Without a zone there is no hour; the page is decided anew all the same when one is over.
    const before = Date.now();
    const zoned = await worker.fetch("/", { cf: { timezone: "Europe/Paris" } });
    const { until } = zoned.state as { until?: number };
    // In the last minute of an hour it is told as a minute.
    assert.ok(until === 60_000 || (until !== undefined && until > before && until <= Date.now() + HOUR && until % HOUR === 0), `${until}`);
    await worker.publish({ ...MANIFEST, experiences: [experiences[1]!, { ...experiences[0]!, audience: "consent.personalization || !consent.personalization" }] });
    await viewer.send({ type: "track", event: "Product Viewed", properties: {} });
    const [known, unknown] = [await stated(viewer), await stated(nobody)];
    assert.ok(!("until" in unknown), JSON.stringify(unknown));
    assert.ok(!("until" in known), "nothing of a profile stands in a page");
    const answered = async (): Promise<number | undefined> => (await viewer.decide()).json().until;
    const told = await answered();
    assert.ok(told !== undefined && told > Date.now() && told <= Date.now() + 2 * HOUR, String(told));
    await viewer.agree("analytics");
    assert.equal(await answered(), undefined);
  } finally {
    await worker.publish(MANIFEST);
  }
});
