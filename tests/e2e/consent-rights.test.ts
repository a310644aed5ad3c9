// What is a visitor's right, from the banner to the erasure: a real browser, the real Worker with its shards. What each part does in detail:
// consent-centre.test.ts, and tests/worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Locator, Page } from "playwright-core";
import { startOrigin, type TestOrigin } from "../worker/harness.ts";
import { startProfiles, VIEWS, type Profiles } from "../worker/profiles.ts";
import { KEY, SECRET, tokenOf } from "../worker/visitor.ts";
import { closeBrowser, DESKTOP, until, visit } from "./fixtures/browser.ts";
import { plant, PLANTED, search } from "./fixtures/stored.ts";

const said = (en: string, fr = en) => ({ en, fr });
const trait = (type: string, more: object = {}) => ({ type, purpose: "personalization", editable: true, ...more });

const MANIFEST = {
  site: { id: "shop", hosts: ["127.0.0.1"] },
  consent: { policy: "/privacy", ask: "banner" },
  purposes: {
    personalization: { title: said("Your own shop"), text: said("Show first what you look at.") },
    analytics: { title: said("Counting"), text: said("Count visits.") },
    marketing: { title: said("Letters"), text: said("Write to you.") },
  },
  preferences: { topics: "topics", frequency: "frequency", quiet: "quiet" },
  traits: {
    size: trait("string", { enum: ["s", "m", "l"], title: said("Your size"), why: said("To show what there is in your size.") }),
    city: trait("string", { title: said("Your town"), editable: false }),
    topics: trait("strings", { enum: ["shoes", "bags"], title: said("What you want to hear of") }),
    frequency: trait("string", { enum: ["weekly", "monthly"], purpose: "marketing" }),
    quiet: trait("bool"),
  },
  events: { "Product Viewed": { purpose: "analytics", properties: { product_id: { type: "string" } } } },
  audiences: { lookers: "profile.count('Product Viewed') >= 2" },
  slots: { title: { selector: "#title", pages: ["/*"] }, note: { selector: "#note", pages: ["/*"] } },
  experiences: [
    { id: "large", type: "personalization", purpose: "personalization", audience: "profile.size == 'l'", because: said("The shop begins with your size, because you told us it."), slots: { title: { text: "All in L" } } },
    { id: "again", type: "personalization", purpose: "personalization", audience: "lookers", because: said("You are greeted, because you looked at several things."), slots: { note: { text: "Looking for something?" } } },
  ],
};

let origin: TestOrigin;
let worker: Profiles;
let url: string;

before(async () => {
  origin = await startOrigin();
  worker = await startProfiles({ manifest: MANIFEST, origin: origin.url, vars: { IDOINE_KEY: KEY, IDOINE_IDENTITY_SECRET: SECRET } });
  url = worker.address.origin;
  const page = (body: string) => (_: unknown, response: any) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"></head><body>${body}</body></html>`);
  origin.routes["/"] = page('<h1 id="title">Welcome</h1><p id="note">Hello</p>');
  origin.routes["/account"] = page("<h1>Your account</h1><idoine-preferences></idoine-preferences>");
  // What a site's own server says to its own session.
  origin.routes["/account/token"] = (_, response) => void response.writeHead(200, { "content-type": "text/plain" }).end(tokenOf("ada"));
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

const centre = (tab: Page): Locator => tab.locator("idoine-preferences");
const section = (tab: Page, name: string): Locator => centre(tab).getByRole("region", { name });
const row = (tab: Page, title: string): Locator => section(tab, "What we know about you").locator("li").filter({ hasText: title });
const says = (tab: Page, text: string | RegExp): Promise<void> => centre(tab).getByRole("status").filter({ hasText: text }).waitFor();
const cookies = async (tab: Page): Promise<Record<string, string>> => Object.fromEntries((await tab.context().cookies()).map(({ name, value }) => [name, value]));
const idOf = async (tab: Page): Promise<string> => (await cookies(tab))["idoine_id"]!.split(".")[0]!;

/** Tells the Worker something in the visitor's name, and waits for what becomes of it. */
async function tell(tab: Page, ...events: object[]): Promise<void> {
  const answer = await tab.evaluate(async (events) => (await fetch("/_idoine/collect", { method: "POST", body: JSON.stringify({ events }) })).json(), events.map((event) => ({ messageId: crypto.randomUUID(), ...event })));
  assert.deepEqual(answer.results.map(({ status }: { status: string }) => status), events.map(() => "accepted"));
}

const looked = (product: string) => ({ type: "track", event: "Product Viewed", properties: { product_id: product } });

/** A new visitor who was asked and agreed to all. */
async function agreed(t: TestContext): Promise<Page> {
  const tab = await visit(t, DESKTOP);
  await tab.goto(`${url}/`);
  const banner = tab.getByRole("region", { name: "Your privacy" });
  await banner.getByRole("button", { name: "Accept all" }).click();
  await banner.waitFor({ state: "detached" });
  return tab;
}

/** What the button hands over. */
async function downloaded(tab: Page): Promise<any> {
  const [file] = await Promise.all([tab.waitForEvent("download"), centre(tab).getByRole("button", { name: "Download my data" }).click()]);
  return JSON.parse(readFileSync(await file.path(), "utf8"));
}

/** Erases by the centre, and the receipt. */
async function erase(tab: Page): Promise<string> {
  await centre(tab).getByRole("button", { name: "Erase everything", exact: true }).click();
  await tab.getByRole("button", { name: "Yes, erase everything" }).click();
  await says(tab, "Everything is erased.");
  return /Your receipt: ([\w-]{36})/.exec(await centre(tab).getByRole("status").innerText())![1]!;
}

test("whatever a page keeps in its browser is found by the search of these tests", async (t) => {
  const tab = await visit(t, DESKTOP);
  await tab.goto(`${url}/`);
  assert.deepEqual(await search(tab, "mark-of-somebody"), {});
  await plant(tab, "mark-of-somebody");
  assert.deepEqual(await search(tab, "mark-of-somebody"), { "mark-of-somebody": PLANTED });
});

test("a visitor agrees, sees what is known, puts it right, takes it along, takes it back and has it erased", async (t) => {
  const tab = await agreed(t);
  const id = await idOf(tab);
  await tell(tab, { type: "identify", traits: { size: "m", city: "Lyon" } }, looked("boot-1"), looked("boot-2"));
  assert.match(await (await tab.goto(`${url}/`))!.text(), /Looking for something\?/);
  assert.equal(await tab.innerText("h1"), "Welcome");

  await tab.goto(`${url}/account`);
  await row(tab, "Your size").waitFor();
  const today = new Date().toLocaleDateString("en", { dateStyle: "long" });
  const size = await row(tab, "Your size").innerText();
  for (const part of ["M", `From what you did on this site · ${today}`, "Why we ask: To show what there is in your size.", "What it changes: The shop begins with your size, because you told us it."]) {
    assert.ok(size.includes(part), `${part} in ${size}`);
  }
  assert.match(await row(tab, "Your town").innerText(), /Lyon/);
  assert.equal(await row(tab, "Your town").getByRole("button").count(), 0);
  const views = await row(tab, "Product Viewed").innerText();
  assert.match(views, /Product Viewed\s+2\s+From what you did on this site\s+What it changes: You are greeted, because you looked at several things\./);
  assert.match(await section(tab, "What we know about you").innerText(), /Groups you are in: Lookers/);

  await row(tab, "Your size").getByRole("button", { name: "Correct: Your size" }).click();
  await row(tab, "Your size").getByRole("combobox").selectOption("L");
  await row(tab, "Your size").getByRole("button", { name: "Save" }).click();
  await says(tab, "Saved.");
  assert.match(await row(tab, "Your size").innerText(), /L\s+You said so here/);
  assert.match(await (await tab.goto(`${url}/`))!.text(), /<h1 id="title">All in L<\/h1>/);

  await tab.goto(`${url}/account`);
  const likes = section(tab, "What you would like");
  const saved = async (input: Locator): Promise<void> => {
    const answer = tab.waitForResponse("**/_idoine/profile");
    await input.click();
    assert.equal((await answer).status(), 200);
    await until(() => input.isChecked());
  };
  await saved(likes.getByRole("checkbox", { name: "Bags" }));
  await saved(likes.getByRole("radio", { name: "Monthly" }));
  await saved(likes.getByRole("switch", { name: "Quiet mode" }));
  await tab.reload();
  await until(() => likes.getByRole("checkbox", { name: "Bags" }).isChecked());
  assert.deepEqual(await likes.locator("input").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).checked)), [false, true, false, true, true]);

  const file = await downloaded(tab);
  assert.deepEqual([file.format, file.site, file.who], ["idoine.export.v1", "shop", { anonymousId: id, userId: null, browsers: [id] }]);
  const counting = file.traits.filter(({ counts }: { counts: boolean }) => counts).map(({ name, value, source }: Record<string, unknown>) => [name, value, source]);
  assert.deepEqual(counting.sort(), [["city", "Lyon", "browser"], ["frequency", "monthly", "visitor"], ["quiet", "true", "visitor"], ["size", "l", "visitor"], ["topics", "bags", "visitor"]]);
  assert.equal(file.facts.readings[VIEWS], "2");
  assert.deepEqual(file.events.filter(({ type }: { type: string }) => type === "track").map(({ properties }: any) => properties.product_id).sort(), ["boot-1", "boot-2"]);
  assert.deepEqual(Object.values<any>(file.consents.choice).map(({ status, by }) => [status, by]), [["granted", "visitor"], ["granted", "visitor"], ["granted", "visitor"]]);

  // What was kept for a purpose goes with it.
  const allowed = section(tab, "What you allow");
  await allowed.getByRole("switch", { name: "Letters" }).click();
  await until(async () => (await centre(tab).locator(".told").textContent()) !== "Your data is downloaded.");
  assert.equal(await centre(tab).locator(".told").textContent(), "Saved.");
  assert.match((await cookies(tab))["idoine_consent"]!, /^v2\.personalization\.analytics\.~marketing\.1\.\d+\.v$/);
  await likes.getByText("needs your permission above: Letters.").waitFor();
  const after = (await downloaded(tab)).traits.map(({ name }: { name: string }) => name);
  assert.deepEqual([...new Set(after)].sort(), ["city", "quiet", "size", "topics"]);
  await allowed.getByRole("switch", { name: "Your own shop" }).click();
  await until(async () => (await section(tab, "What we know about you").locator("li").filter({ visible: true }).count()) === 0);
  assert.match(await (await tab.goto(`${url}/`))!.text(), /<h1 id="title">Welcome<\/h1>.*Hello/);
  assert.equal("idoine_p" in (await cookies(tab)), false);

  await tab.goto(`${url}/account`);
  await allowed.getByRole("switch", { name: "Your own shop" }).click();
  await says(tab, "Saved.");
  await tell(tab, looked("boot-3"), { type: "identify", traits: { size: "m", city: "Lyon" } });
  const words = [id, "idoine_p", "boot-3", "Lyon"];
  // What is known is in the browser too: sealed, in a cookie.
  assert.deepEqual(await search(tab, ...words), { [id]: ["cookie idoine_id"], idoine_p: ["cookie idoine_p"] });
  const receipt = await erase(tab);
  assert.deepEqual(await search(tab, ...words), {});
  assert.deepEqual(Object.keys(await cookies(tab)), ["idoine_consent"]);
  assert.match((await cookies(tab))["idoine_consent"]!, /^v2\.~personalization\.~analytics\.~marketing\.1\.\d+\.v$/);
  assert.deepEqual((await worker.rows(`a:${id}`, `SELECT what FROM receipts WHERE id = '${receipt}'`)), [{ what: "erased by the visitor" }]);
  assert.equal((await worker.api(`profile/a%3A${id}`)).status, 404);

  // Nobody is asked again, and who agrees again is somebody new.
  await tab.goto(`${url}/`);
  await tab.waitForFunction(() => window.idoine?.ready);
  assert.deepEqual(Object.keys(await cookies(tab)), ["idoine_consent"]);
  await tab.goto(`${url}/account`);
  await section(tab, "What you allow").getByRole("switch", { name: "Your own shop" }).click();
  await says(tab, "Saved.");
  assert.notEqual(await idOf(tab), id);
  const fresh = await downloaded(tab);
  assert.deepEqual([fresh.who.browsers, fresh.traits, fresh.events, fresh.audiences], [[await idOf(tab)], [], [], []]);
});

/** A visitor who is logged in as Ada, on a page of the site. */
async function ada(t: TestContext, product: string): Promise<Page> {
  const tab = await agreed(t);
  await tab.evaluate(async (token) => void (await window.idoine!("identify", "ada", { size: "s" }, token)), tokenOf("ada"));
  assert.equal(await tab.evaluate(() => window.idoine!.debug!().error ?? null), null);
  await tell(tab, looked(product));
  return tab;
}

/** What was sent to one of the addresses that want a proof: whether a token was with it, and the answer's status. */
function proofs(tab: Page): string[] {
  const seen: string[] = [];
  tab.on("response", (response) => {
    const [, name] = /\/_idoine\/(export|profile|erase)$/.exec(response.url()) ?? [];
    if (name && response.request().method() === "POST") seen.push(`${name} ${"token" in JSON.parse(response.request().postData()!) ? "proven" : "bare"} ${response.status()}`);
  });
  return seen;
}

test("a user who is logged in sees and changes what is theirs once the site's server says that it is them, and has it erased everywhere", async (t) => {
  const [phone, laptop] = [await ada(t, "hat-1"), await ada(t, "hat-2")];
  const seen = proofs(laptop);
  await laptop.goto(`${url}/account`);
  await says(laptop, "Please log in again");
  assert.equal(await section(laptop, "What we know about you").count(), 0, "it is not said that nothing is known");
  assert.deepEqual(seen, ["export bare 401"]);
  // The page may say it late.
  const fromServer = (): void => void Object.assign(document.querySelector("idoine-preferences")!, { token: async () => (await fetch("/account/token")).text() });
  await laptop.evaluate(fromServer);
  await row(laptop, "Your size").waitFor();
  assert.equal(await centre(laptop).locator(".told").textContent(), "", "it is asked for no more");
  await row(laptop, "Your size").getByRole("button", { name: "Correct: Your size" }).click();
  await row(laptop, "Your size").getByRole("combobox").selectOption("L");
  await row(laptop, "Your size").getByRole("button", { name: "Save" }).click();
  await says(laptop, "Saved.");
  const file = await downloaded(laptop);
  assert.deepEqual([file.who.userId, file.who.browsers.sort()], ["ada", [await idOf(phone), await idOf(laptop)].sort()]);
  assert.deepEqual(file.events.filter(({ type }: { type: string }) => type === "track").map(({ properties }: any) => properties.product_id).sort(), ["hat-1", "hat-2"]);
  assert.deepEqual(seen.slice(1), ["export proven 200", "profile proven 200", "export proven 200", "export proven 200"]);

  // Or early, before the element is one of ours.
  await laptop.addInitScript(`addEventListener("DOMContentLoaded", ${fromServer.toString()})`);
  await laptop.reload();
  await row(laptop, "Your size").waitFor();
  await erase(laptop);
  assert.deepEqual(Object.keys(await cookies(laptop)), ["idoine_consent"]);
  assert.equal((await worker.api("profile/u%3Aada")).status, 404);
  await until(async () => (await worker.api(`profile/a%3A${await idOf(phone)}`)).status === 404);
});

test("over a page, and on the Worker's own, a token is given as well; a link's is for who is logged in here, and for nobody else", async (t) => {
  const tab = await ada(t, "hat-3");
  const seen = proofs(tab);
  await tab.evaluate(() => window.idoine!("consent.show", { token: async () => (await fetch("/account/token")).text() }));
  await row(tab, "Your size").waitFor();
  assert.deepEqual(seen.splice(0), ["export proven 200"]);

  await tab.goto(`${url}/_idoine/preferences`);
  await says(tab, "Please log in again");
  await tab.goto("about:blank");
  await tab.goto(`${url}/_idoine/preferences#token=${tokenOf("ada")}`);
  await row(tab, "Your size").waitFor();
  assert.equal(tab.url(), `${url}/_idoine/preferences`);
  assert.deepEqual(seen.splice(0), ["export bare 401", "export bare 401", "export proven 200"]);

  await tab.goto("about:blank");
  await tab.goto(`${url}/_idoine/preferences#token=${tokenOf("bob")}`);
  await says(tab, "Please log in again");
  assert.deepEqual(seen, ["export bare 401", "export proven 401"]);

  const stranger = await agreed(t);
  const sent = proofs(stranger);
  await stranger.goto(`${url}/_idoine/preferences#token=${tokenOf("ada")}`);
  await section(stranger, "What we know about you").waitFor();
  assert.equal(await row(stranger, "Your size").filter({ visible: true }).count(), 0);
  assert.equal(stranger.url(), `${url}/_idoine/preferences`);
  await erase(stranger);
  assert.deepEqual(sent, ["export bare 200", "erase bare 200"]);
  assert.equal((await worker.api("profile/u%3Aada")).status, 200);
});
