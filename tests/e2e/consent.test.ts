// The consent banner in real pages: whom it asks, how, and what it leaves alone.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { mkdirSync } from "node:fs";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { Notice } from "../../www/src/types.ts";
import { inRepository } from "../real/faces.ts";
import { problems, shift } from "./fixtures/access.ts";
import { assets, compile, notice } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { ASKING, consentSite, NOTICE, type ConsentSite } from "./fixtures/consent.ts";
import { json } from "./fixtures/server.ts";

after(closeBrowser);
mkdirSync(inRepository("dist/screenshots"), { recursive: true });

const ALL = ["personalization", "analytics", "marketing"];
const banner = (tab: Page): Locator => tab.getByRole("region", { name: "Your privacy" });
const button = (tab: Page, name: string): Locator => banner(tab).getByRole("button", { name, exact: true });
const choice = (tab: Page): Promise<string | undefined> => tab.evaluate(() => /idoine_consent=([^;]*)/.exec(document.cookie)?.[1]);
const shot = (tab: Page, name: string): Promise<unknown> => tab.screenshot({ path: inRepository(`dist/screenshots/consent-${name}.png`) });
/** Waits until the loader is idle and has loaded what it loads. */
const quiet = async (tab: Page): Promise<void> => {
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(() => new Promise((done) => requestIdleCallback(() => setTimeout(done, 200))));
};

test("who has not chosen is asked: over the page, which does not move, with the focus where it was, and nothing is stored", async (t) => {
  const site = await consentSite(t);
  const tab = await visit(t, { viewport: { width: 1280, height: 800 } });
  await tab.goto(site.origin);
  await tab.locator("#later").focus();
  await banner(tab).waitFor();
  assert.equal(await shift(tab), 0);
  assert.equal(await tab.evaluate(() => document.activeElement?.id), "later");
  assert.deepEqual(await tab.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ["", 0, 0]);
  assert.deepEqual(site.paths(), ["/", "/_idoine/idoine.js", "/_idoine/asks.js", "/_idoine/consent.js", "/_idoine/consent"]);
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
  await shot(tab, "desktop");
});

test("who has not chosen is asked also where what listens to platforms can't be loaded", async (t) => {
  const site = await consentSite(t, ASKING.replace("data-consent", 'data-platforms="tcf" data-consent'), NOTICE, { "/_idoine/signals.js": { status: 503 } });
  const tab = await visit(t);
  await tab.goto(site.origin);
  await banner(tab).waitFor();
  assert.ok(site.paths().includes("/_idoine/signals.js"));
});

test("refusing takes as many clicks as accepting, with a button of the same look and size", async (t) => {
  const looks: unknown[] = [];
  for (const [name, granted] of [["Accept all", ALL], ["Refuse all", []]] as const) {
    const site = await consentSite(t);
    const tab = await visit(t, { reducedMotion: "reduce" });
    await tab.goto(site.origin);
    looks.push(
      await button(tab, name).evaluate((element) => {
        const style = getComputedStyle(element);
        const { width, height, top } = element.getBoundingClientRect();
        return [width, height, top, ...["color", "backgroundColor", "borderColor", "fontSize", "fontWeight", "opacity"].map((one) => style[one as "color"])];
      }),
    );
    await button(tab, name).click();
    await banner(tab).waitFor({ state: "detached" });
    assert.deepEqual(site.posted("consent"), [{ granted, version: 3, by: "visitor" }]);
    assert.equal(await choice(tab), granted.length ? "v2.personalization.analytics.marketing.3.1763900000.v" : "v2.-personalization.-analytics.-marketing.3.1763900000.v");

    // On the next page nothing of it is loaded.
    const before = site.paths().length;
    await tab.goto(site.origin + "/second");
    await quiet(tab);
    assert.deepEqual(site.paths().slice(before), ["/second", "/_idoine/idoine.js", "/_idoine/asks.js"]);
  }
  assert.deepEqual(looks[0], looks[1]);
});

test("with the keyboard alone: first in the page, each purpose by itself, and back to where one was", async (t) => {
  const site = await consentSite(t);
  const tab = await visit(t);
  await tab.goto(site.origin);
  await banner(tab).waitFor();
  await tab.locator("#later").focus();
  await tab.keyboard.press("Shift+Tab");
  await tab.keyboard.press("Shift+Tab");
  assert.equal(await button(tab, "Choose").evaluate((element) => (element.getRootNode() as ShadowRoot).activeElement === element), true, "it stands before the page's first link");
  await tab.keyboard.press("Enter");
  const switches = banner(tab).getByRole("switch");
  assert.deepEqual(await switches.evaluateAll((all) => all.map((one) => (one as HTMLInputElement).checked)), [false, false, false], "nothing is ticked beforehand");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Space");
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
  await shot(tab, "choose");
  for (let step = 0; step < 5; step++) await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  await banner(tab).waitFor({ state: "detached" });
  assert.deepEqual(site.posted("consent")[0].granted, ["analytics"]);
  assert.equal(await tab.evaluate(() => document.activeElement?.id), "link");
});

test("a screen reader hears what it is, what is asked and what each switch is for", async (t) => {
  const site = await consentSite(t);
  const tab = await visit(t);
  await tab.goto(site.origin);
  await button(tab, "Choose").click();
  for (const [name, description] of [["Personal shop", /Show first .* 13 months/], ["Measurement", /Count visits.* 25 months/], ["Messages", /Write to you.* 30 days/]] as const) {
    const one = banner(tab).getByRole("switch", { name, exact: true });
    const about = await one.evaluate((element) => (element.getRootNode() as ShadowRoot).getElementById(element.getAttribute("aria-describedby")!)!.textContent);
    assert.match(about ?? "", description);
  }
  assert.equal(await banner(tab).getByRole("heading", { level: 2 }).textContent(), "Your privacy");
  assert.equal(await banner(tab).getByRole("link", { name: "Privacy policy" }).getAttribute("href"), "/privacy");
  await tab.waitForFunction(() => document.querySelector("idoine-consent")?.shadowRoot?.querySelector("[role=status]")?.textContent === "A question about your privacy is at the beginning of this page.");
});

test("who chose in an older wording is asked again, and told so; who chose in this one or a later is not", async (t) => {
  const site = await consentSite(t);
  for (const [value, asked] of [
    ["v1.personalization", true],
    ["v2.personalization.-analytics.-marketing.2.1763900000.v", true],
    ["v2.personalization.-analytics.-marketing.3.1763900000.v", false],
    ["v2.personalization.-analytics.-marketing.3.1763900000.p", false],
    ["v2.personalization.-analytics.-marketing.3.1763900000.d", true],
  ] as const) {
    const tab = await visit(t);
    await tab.context().addCookies([{ name: "idoine_consent", value, url: site.origin }]);
    await tab.goto(site.origin);
    await quiet(tab);
    assert.equal(await banner(tab).count(), asked ? 1 : 0, value);
    assert.equal(await tab.getByText("What we ask has changed").count(), asked && !value.endsWith("d") ? 1 : 0, value);
  }
});

test("a browser that refuses profiling is respected: said so, those switches off with the reason, and accepting grants the rest", async (t) => {
  const site = await consentSite(t);
  const tab = await visit(t, { extraHTTPHeaders: { "sec-gpc": "1" } });
  await tab.goto(site.origin);
  await banner(tab).getByText("Global Privacy Control").waitFor();
  await button(tab, "Choose").click();
  assert.deepEqual(await banner(tab).getByRole("switch").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).disabled)), [true, false, true]);
  assert.equal(await banner(tab).getByText("Refused by your browser").count(), 2);
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
  await shot(tab, "gpc");
  await button(tab, "Accept all").click();
  await banner(tab).waitFor({ state: "detached" });
  assert.deepEqual(site.posted("consent")[0].granted, ["analytics"]);

  const none = await consentSite(t, ASKING, { ...NOTICE, purposes: NOTICE.purposes.filter(({ name }) => name !== "analytics") });
  await tab.context().clearCookies();
  await tab.goto(none.origin);
  await quiet(tab);
  assert.equal(await banner(tab).count(), 0, "the browser has answered everything");
});

test("opt-out: what holds is shown as it is, and Do Not Track counts until somebody chooses", async (t) => {
  const notice = { ...NOTICE, mode: "opt-out" } as const;
  const site = await consentSite(t, ASKING, notice);
  const tab = await visit(t);
  await tab.goto(site.origin);
  await banner(tab).getByText("unless you refuse").waitFor();
  await button(tab, "Choose").click();
  const states = (): Promise<boolean[]> => banner(tab).getByRole("switch").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).checked));
  assert.deepEqual(await states(), [true, true, true]);
  await tab.context().setExtraHTTPHeaders({ dnt: "1" });
  await tab.reload();
  await banner(tab).getByText("Do Not Track").waitFor();
  await button(tab, "Choose").click();
  assert.deepEqual(await states(), [false, false, false]);
});

test("it speaks the element's language, else the page's, else the browser's, else English", async (t) => {
  const site = await consentSite(t);
  const titled = async (lang: string, locale: string, element?: string): Promise<string | null> => {
    const tab = await visit(t, { locale });
    await tab.addInitScript(
      ([lang, element]) => {
        addEventListener("DOMContentLoaded", () => {
          document.documentElement.lang = lang!;
          if (element) document.body.prepend(Object.assign(document.createElement("idoine-consent"), { lang: element }));
        });
      },
      [lang, element],
    );
    await tab.goto(site.origin);
    const region = tab.locator("idoine-consent section");
    await region.waitFor();
    assert.equal(await tab.locator("idoine-consent").count(), 1, "a site's own element is used, wherever it stands");
    return region.evaluate((one) => `${one.getAttribute("lang")}: ${one.querySelector("h2")!.textContent}; ${one.querySelector(".names")!.textContent}`);
  };
  assert.equal(await titled("fr-CA", "en-GB"), "fr-CA: Votre vie privée; Boutique personnelle · Mesure · Messages");
  assert.equal(await titled("en", "fr-FR"), "en: Your privacy; Personal shop · Measurement · Messages");
  assert.equal(await titled("de", "fr-FR"), "fr-FR: Votre vie privée; Boutique personnelle · Mesure · Messages");
  assert.equal(await titled("de", "de-DE"), "en: Your privacy; Personal shop · Measurement · Messages");
  assert.equal(await titled("en", "de-DE", "fr"), "fr: Votre vie privée; Boutique personnelle · Mesure · Messages");
});

test("a site adds a language, from right to left too", async (t) => {
  const add = `<script type="module">
    import { languages } from "/_idoine/consent.js";
    languages.ar = { title: "خصوصيتك", acceptAll: "قبول الكل", refuseAll: "رفض الكل", choose: "اختيار" };
  </script>`;
  const notice = { ...NOTICE, purposes: NOTICE.purposes.map((one) => ({ ...one, title: { ...one.title, ar: "غرض" } })) };
  const site = await consentSite(t, add + ASKING, notice, {}, '<script>document.documentElement.lang = "ar"; document.documentElement.dir = "rtl";</script><h1>متجر</h1>');
  const tab = await visit(t, { viewport: { width: 1000, height: 700 } });
  await tab.goto(site.origin);
  const region = tab.getByRole("region", { name: "خصوصيتك" });
  await region.waitFor();
  const { x, width } = (await region.boundingBox())!;
  assert.ok(x + width > 960, "it stands at the side where reading begins");
  const [refuse, accept] = [await region.getByRole("button", { name: "رفض الكل" }).boundingBox(), await region.getByRole("button", { name: "قبول الكل" }).boundingBox()];
  assert.ok(refuse!.x > accept!.x);
  await region.getByRole("button", { name: "اختيار" }).click();
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
  await shot(tab, "rtl");
});

test("it is dark where the page is, and light where the page is light whatever the browser likes", async (t) => {
  const dark: BrowserContextOptions = { colorScheme: "dark" };
  for (const [head, isDark] of [['<meta name="color-scheme" content="light dark">', true], ["", false]] as const) {
    const site = await consentSite(t, head + ASKING);
    const tab = await visit(t, dark);
    await tab.goto(site.origin);
    await button(tab, "Choose").click();
    const [red] = (await banner(tab).evaluate((one) => getComputedStyle(one).backgroundColor)).match(/\d+/g)!;
    assert.equal(Number(red) < 128, isDark);
    assert.deepEqual(await problems(tab, "idoine-consent"), []);
    if (isDark) await shot(tab, "dark");
  }
});

test("on a phone everything fits, stays in reach, and keeps still for who likes it still", async (t) => {
  const site = await consentSite(t);
  const tab = await visit(t, { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, locale: "fr-FR", reducedMotion: "reduce" });
  await tab.addInitScript(() => addEventListener("DOMContentLoaded", () => (document.documentElement.lang = "fr")));
  await tab.goto(site.origin);
  const region = tab.getByRole("region", { name: "Votre vie privée" });
  await region.waitFor();
  assert.equal(await region.evaluate((one) => one.getAnimations().length), 0);
  assert.equal(await shift(tab), 0);
  await shot(tab, "phone");
  await region.getByRole("button", { name: "Choisir" }).tap();
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
  for (const name of ["Tout refuser", "Tout accepter", "Enregistrer mon choix"]) {
    const box = (await region.getByRole("button", { name }).boundingBox())!;
    assert.ok(box.height >= 44 && box.x >= 0 && box.x + box.width <= 320 && box.y + box.height <= 568, `${name} ${JSON.stringify(box)}`);
  }
  await shot(tab, "phone-choose");
});

test("a site gives it colours by variables and anything else by parts", async (t) => {
  const style = `<style>:root { --idoine-accent: rgb(0, 90, 60); --idoine-radius: 0; --idoine-font: monospace } idoine-consent::part(title) { text-transform: uppercase } button { display: none }</style>`;
  const site = await consentSite(t, style + ASKING);
  const tab = await visit(t);
  await tab.goto(site.origin);
  const seen = await banner(tab).evaluate((one) => {
    const accept = getComputedStyle(one.querySelector(".accept")!);
    return [accept.backgroundColor, accept.borderRadius, accept.display, getComputedStyle(one.querySelector("h2")!).textTransform, getComputedStyle(one).fontFamily];
  });
  assert.deepEqual(seen, ["rgb(0, 90, 60)", "0px", "block", "uppercase", "monospace"]);
});

test("under a strict content security policy with Trusted Types nothing is violated", async (t) => {
  const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types idoine";
  const site = await consentSite(t);
  const tab = await visit(t);
  const violations: string[] = [];
  tab.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  await tab.route("**/", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
  });
  await tab.goto(site.origin);
  await button(tab, "Choose").click();
  await button(tab, "Save my choice").click();
  await banner(tab).waitFor({ state: "detached" });
  await tab.evaluate(() => window.idoine?.("consent.show"));
  await tab.getByRole("dialog").getByRole("switch").first().waitFor();
  assert.deepEqual(violations, []);
});

test("where the choice can't be asked for, nothing is shown; where it can't be saved, that is said and it can be tried again", async (t) => {
  let works = false;
  const site = await consentSite(t, ASKING, NOTICE, {
    "/_idoine/consent": ({ method }) => (method === "GET" && works ? json({ granted: [], decided: false, choice: {}, signals: { gpc: false, dnt: false }, notice: NOTICE }) : { status: 503 }),
  });
  const tab = await visit(t);
  await tab.goto(site.origin);
  await quiet(tab);
  assert.equal(await banner(tab).count(), 0);
  works = true;
  await tab.reload();
  await button(tab, "Refuse all").click();
  await banner(tab).getByRole("alert").filter({ hasText: "That did not work. Please try again." }).waitFor();
  assert.deepEqual(await problems(tab, "idoine-consent"), []);
});

test("pages that do not ask load nothing of it, and who uses the elements need not ask", async (t) => {
  const plain = '<script async src="/_idoine/idoine.js"></script>';
  const site = await consentSite(t, plain);
  const tab = await visit(t);
  await tab.goto(site.origin);
  await quiet(tab);
  assert.deepEqual(site.paths(), ["/", "/_idoine/idoine.js"]);

  const own = await consentSite(t, '<script async src="/_idoine/idoine.js" data-consent="none"></script>', NOTICE, {}, "<idoine-consent></idoine-consent><h1>Shop</h1>");
  await tab.goto(own.origin);
  await banner(tab).waitFor();
});

interface StaticTerms {
  mode: Notice["mode"];
  version: number;
}

/** What a site without a Worker says of itself. */
function manifestOf(terms: StaticTerms): object {
  const { policy, ask, platforms, purposes, traits, preferences } = NOTICE;
  return {
    site: { id: "shop", hosts: ["127.0.0.1"] },
    consent: { ...terms, policy, ask, platforms },
    purposes: Object.fromEntries(purposes.map(({ name, title, text }) => [name, { title, text }])),
    traits: Object.fromEntries(traits!.map(({ name, type, values, labels, title, why, purpose, editable }) => [name, { type, ...(values && { enum: values }), labels: labels ?? {}, ...(title && { title }), ...(why && { why }), purpose, editable }])),
    preferences,
    slots: { title: { selector: "h1" } },
    experiences: [{ id: "known", type: "personalization", purpose: "personalization", audience: "consent.personalization", slots: { title: { text: "As you like it" } } }],
  };
}

/** A page without a Worker: the choice is kept in the browser, on the terms of the program and of a notice beside the page. */
async function staticSite(t: TestContext, terms: StaticTerms = { mode: "opt-in", version: 3 }, told: StaticTerms | undefined = terms): Promise<ConsentSite> {
  const loader = '<script async src="/_idoine/idoine.js" data-program="/program.bin" data-notice="/notice.json" data-consent="3"></script>';
  const gone = Object.fromEntries(["consent", "export", "profile", "erase"].map((name) => [`/_idoine/${name}`, { status: 404 }]));
  return consentSite(t, loader, NOTICE, {
    ...assets("client.js", "edits.js", "engine.js", "engine.wasm"),
    "/program.bin": { type: "application/octet-stream", body: compile(manifestOf(terms), "--browser") },
    "/notice.json": { type: "application/json", body: notice(manifestOf(told)) },
    ...gone,
  });
}

test("without a Worker: asked by a notice beside the page, kept in this browser, and taken back with the id", async (t) => {
  const site = await staticSite(t);
  const tab = await visit(t);
  await tab.goto(site.origin);
  await banner(tab).waitFor();
  assert.deepEqual(await tab.evaluate(() => [document.cookie, localStorage.length]), ["", 0]);
  await button(tab, "Accept all").click();
  await banner(tab).waitFor({ state: "detached" });
  await tab.evaluate(() => window.idoine!.decide!());
  assert.equal(await tab.locator("h1").innerText(), "As you like it");
  const cookies = await tab.evaluate(() => document.cookie.split("; ").sort().join("; "));
  assert.match(cookies, /^idoine_consent=v2\.personalization\.analytics\.marketing\.3\.\d+\.v; idoine_id=[\w-]{36}$/);

  await tab.evaluate(() => window.idoine?.("consent.show"));
  const dialog = tab.getByRole("dialog", { name: "Your data and choices" });
  assert.match(await dialog.getByText("in this browser alone").innerText(), /a random number/);
  assert.equal(await dialog.getByRole("button", { name: "Erase everything" }).count(), 0);
  for (const name of ["Personal shop", "Measurement", "Messages"]) await dialog.getByRole("switch", { name }).uncheck();
  await until(async () => !(await tab.evaluate(() => document.cookie)).includes("idoine_id"));
  assert.match(await tab.evaluate(() => document.cookie), /^idoine_consent=v2\.~personalization\.~analytics\.~marketing\.3\.\d+\.v$/);
  assert.deepEqual(site.paths().filter((path) => /consent$|export|profile/.test(path)), [], "nobody is told");
});

test("without a Worker, opt-out: there is an id before anybody chose, and none once they refuse or where Do Not Track is on", async (t) => {
  const site = await staticSite(t, { mode: "opt-out", version: 3 });
  const tab = await visit(t);
  await tab.goto(site.origin);
  await banner(tab).waitFor();
  assert.match(await tab.evaluate(() => document.cookie), /^idoine_id=/);
  await button(tab, "Refuse all").click();
  await banner(tab).waitFor({ state: "detached" });
  assert.match(await tab.evaluate(() => document.cookie), /^idoine_consent=v2\.-personalization\.-analytics\.-marketing\.3\.\d+\.v$/);

  const other = await visit(t);
  await other.addInitScript(() => void Object.defineProperty(navigator, "doNotTrack", { value: "1" }));
  await other.goto(site.origin);
  await banner(other).getByText("Do Not Track").waitFor();
  assert.equal(await other.evaluate(() => document.cookie), "");
});

/** What the page and the engine take to hold, and whether there is an id. */
async function held(tab: Page): Promise<unknown> {
  await tab.waitForFunction(() => window.idoine?.ready);
  return tab.evaluate(async () => {
    await window.idoine!.decide!();
    const { granted, decided } = await window.idoine!.consent!.get();
    return { granted, decided, engine: window.idoine!.decision!("title")?.reason === "match", id: document.cookie.includes("idoine_id") };
  });
}

test("without a Worker: a notice that is older than the program grants nothing in its words, and asks again", async (t) => {
  const site = await staticSite(t, { mode: "opt-in", version: 4 }, { mode: "opt-in", version: 3 });
  const tab = await visit(t);
  await tab.goto(site.origin);
  await button(tab, "Accept all").click();
  await banner(tab).waitFor({ state: "detached" });
  assert.deepEqual(await held(tab), { granted: [], decided: false, engine: false, id: false });
  // Nor does a page that says that it knows newer words.
  await tab.evaluate(() => window.idoine!.consent!.set(["personalization"], { version: 99 }));
  assert.match((await choice(tab))!, /^v2\.personalization\..*\.4\.\d+\.v$/);
});

test("without a Worker: a program that is older than the notice decides by nothing that was agreed to in older words", async (t) => {
  const site = await staticSite(t, { mode: "opt-in", version: 2 }, { mode: "opt-in", version: 3 });
  const tab = await visit(t);
  await tab.context().addCookies([{ name: "idoine_consent", value: "v2.personalization.analytics.marketing.2.9.v", url: site.origin }]);
  await tab.goto(site.origin);
  await banner(tab).waitFor();
  assert.deepEqual(await held(tab), { granted: [], decided: false, engine: false, id: false });
  await button(tab, "Accept all").click();
  await banner(tab).waitFor({ state: "detached" });
  assert.deepEqual(await held(tab), { granted: ALL, decided: true, engine: true, id: true });
});

test("without a Worker: where the files say different things, or one is not there, nothing holds that nobody agreed to", async (t) => {
  const optOut = { mode: "opt-out", version: 3 } as const;
  const asked = async (site: ConsentSite): Promise<Page> => {
    const tab = await visit(t);
    await tab.goto(site.origin);
    return tab;
  };
  assert.deepEqual(await held(await asked(await staticSite(t, optOut))), { granted: ALL, decided: false, engine: true, id: true });
  for (const site of [await staticSite(t, optOut, { mode: "opt-in", version: 3 }), await staticSite(t, { mode: "opt-in", version: 3 }, optOut)]) {
    assert.deepEqual(await held(await asked(site)), { granted: [], decided: false, engine: false, id: false });
  }
  for (const missing of ["/notice.json", "/program.bin"]) {
    const site = await staticSite(t, optOut);
    const tab = await visit(t);
    await tab.route(`**${missing}`, (route) => route.fulfill({ status: 503 }));
    await tab.goto(site.origin);
    assert.deepEqual(await held(tab), { granted: [], decided: false, engine: false, id: false }, missing);
  }
});

test("what still waits to be sent when consent is taken back is not sent", async (t) => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const site = await consentSite(t, ASKING, NOTICE, {
    "/_idoine/identity": async () => (await held, json({})),
    "/_idoine/collect": json({ accepted: 1 }),
  });
  const tab = await visit(t);
  await tab.context().addCookies([{ name: "idoine_consent", value: "v2.personalization.analytics.marketing.3.1763900000.v", url: site.origin }]);
  await tab.goto(site.origin);
  await quiet(tab);
  const over = tab.evaluate(async () => {
    const login = window.idoine!.identify!("u-1", {}, "a.b.c");
    const waiting = window.idoine!.track!("Product Viewed", { product_id: "p1" });
    // As another tab would, or the preference centre's page.
    await fetch("/_idoine/consent", { method: "POST", body: JSON.stringify({ granted: [] }) });
    await Promise.race([login, new Promise((done) => setTimeout(done, 100))]);
    return waiting;
  });
  await until(async () => site.posted("consent").length === 1);
  letGo();
  await over;
  assert.ok(!site.posted("collect").some(({ events }) => events.some(({ type }: { type: string }) => type === "track")));
});
