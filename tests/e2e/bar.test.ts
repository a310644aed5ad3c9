// The preview bar with the real tools in real pages.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { assets, compile } from "./fixtures/artefacts.ts";
import { BAR, card, open, section } from "./fixtures/bar.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { BODY, page } from "./fixtures/pages.ts";
import { json, serve, type Reply, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

let program: Buffer;
let version: string;
before(() => {
  program = compile("static.jsonc");
  version = program.subarray(16, 24).toString("hex");
});

const CONTEXT = {
  "device.type": "desktop",
  "geo.country": "DE",
  "geo.timezone": "Europe/Berlin",
  "language.tag": "de-DE",
  "source.channel": "Direct",
  "consent.personalization": false,
  "consent.analytics": false,
  "consent.marketing": false,
};
/** The Worker's clock, on which the browser's has no say. */
const NOW = Date.parse("2026-06-09T08:30:00Z");
const PERSONAS = {
  "From Instagram": { "source.channel": "Organic Social", "source.name": "instagram" },
  "<img src=x onerror=alert(1)>": { "geo.country": "FR" },
};

/** A site as the Worker shows it where preview is allowed. Its context follows the preview parameters. */
async function site(t: TestContext, routes: Record<string, Route> = {}): Promise<Site> {
  const started = await serve({
    ...assets("bar.js", "tools.js", "tools.wasm"),
    "/": page(BAR),
    "/_idoine/program": () => ({ type: "application/octet-stream", body: program }),
    "/_idoine/personas": json(PERSONAS),
    "/_idoine/consent": json({ granted: [], decided: false }),
    "/_idoine/profile": json({ version, verified: false, profile: {} }),
    "/_idoine/decide": json({ version, decisions: [], edits: [] }),
    "/_idoine/context": ({ query }) => {
      const context: Record<string, unknown> = { ...CONTEXT };
      let now = NOW;
      const { searchParams, href, pathname } = new URL(query.get("url") ?? "");
      for (const [name, value] of searchParams) {
        if (name === "idoine.now") now = Date.parse(value) || NOW;
        else if (name.startsWith("idoine.")) context[name.slice(7)] = value;
      }
      return json({ version, now, preview: true, context: { ...context, "page.url": href, "page.path": pathname } });
    },
    ...routes,
  });
  t.after(() => started.close());
  return started;
}

test("until it is opened the bar loads nothing, moves nothing and stores nothing", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  const before = await tab.evaluate(() => document.body.innerHTML);
  await tab.getByRole("button", { name: "Preview" }).waitFor();
  assert.equal(before, BODY);
  assert.deepEqual(shop.paths(), ["/", "/_idoine/bar.js"]);
  const shift = await tab.evaluate(
    () =>
      new Promise((done) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
        }).observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
      }),
  );
  assert.equal(shift, 0);
  assert.deepEqual(await tab.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ["", 0, 0]);
});

test("each slot says what it shows and why, and each candidate why it lost", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + "/?idoine.source.name=instagram");
  await open(tab);
  assert.match((await card(tab, "hero").textContent()) ?? "", /personalised.*hero-instagram: its audience matched\./s);
  assert.match((await card(tab, "offer").textContent()) ?? "", /baseline.*No experience applies to this visitor here\./s);
  assert.match((await card(tab, "cta").textContent()) ?? "", /the visitor has no id to draw with/);
  await card(tab, "hero").locator("summary").click();
  const rows = await card(tab, "hero").locator("tbody tr").evaluateAll((all) =>
    all.map((row) => [...row.children].map(({ textContent }) => textContent)),
  );
  assert.deepEqual(rows, [
    ["hero-instagram", "won the slot"],
    ["hero-returning", "needs a consent that was not givenvisitor.returning visitor.returning needs consent for personalization"],
    ["hero-sale", 'audience not matchedpage.path == \'/sale\' page.path is "/"'],
  ]);
});

test("a candidate that lost by its audience shows every clause with what it read", async (t) => {
  const shop = await site(t);
  const tab = await visit(t, { viewport: { width: 1280, height: 900 } });
  await tab.goto(shop.origin + "/?idoine.source.name=newsletter&idoine.page.path=/");
  await open(tab);
  const hero = card(tab, "hero");
  await hero.locator("summary").click();
  const button = hero.getByRole("button", { name: "audience not matched" }).first();
  assert.equal(await button.getAttribute("aria-expanded"), "false");
  // By the keyboard alone.
  await button.focus();
  await tab.keyboard.press("Enter");
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  const clauses = async (): Promise<(string | null)[]> => hero.getByRole("list", { name: "Audience" }).locator(".clause").evaluateAll((all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(await clauses(), ["false source.name == 'instagram' source.name is \"newsletter\""]);
  await tab.keyboard.press("Enter");
  assert.equal(await hero.getByRole("list", { name: "Audience" }).count(), 0);
  await hero.getByRole("button", { name: "needs a consent that was not given" }).click();
  assert.deepEqual(await clauses(), ["no consent visitor.returning visitor.returning needs consent for personalization"]);
  const offer = card(tab, "offer");
  await offer.locator("summary").click();
  await offer.getByRole("button", { name: "audience not matched" }).click();
  assert.ok(await offer.getByRole("list", { name: "Audience" }).getByText("geo.country is \"DE\"").isVisible());
});

test("a persona is one click away, and the rest of the address stays", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + "/?page=2&idoine.geo.country=FR#top");
  await open(tab);
  await tab.getByRole("button", { name: "From Instagram" }).click();
  await tab.waitForURL("**/?page=2&idoine.source.channel=Organic+Social&idoine.source.name=instagram#top");
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.equal(await tab.getByRole("button", { name: "From Instagram" }).getAttribute("aria-pressed"), "true");
  await tab.getByRole("button", { name: "Yourself" }).click();
  await tab.waitForURL("**/?page=2#top");
});

test("single values become preview parameters, and can be taken back", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  await tab.getByLabel("Country").fill("FR");
  await tab.getByLabel("Device").selectOption("mobile");
  await tab.getByLabel("Language").fill("fr-CA");
  await tab.getByLabel("Another value").fill("geo.region");
  await tab.getByLabel("is", { exact: true }).fill("Québec");
  await tab.getByRole("button", { name: "Show the page" }).click();
  await tab.waitForURL("**/?idoine.*");
  assert.deepEqual(Object.fromEntries(new URL(tab.url()).searchParams), {
    "idoine.geo.country": "FR",
    "idoine.device.type": "mobile",
    "idoine.language.tag": "fr-CA",
    "idoine.language.primary": "fr",
    "idoine.language.accepted": "fr-CA",
    "idoine.geo.region": "Québec",
  });
  // It is open again on the new page, and shows what was chosen.
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  assert.equal(await tab.getByLabel("Country").inputValue(), "FR");
  assert.equal(await tab.getByLabel("Device").inputValue(), "mobile");
  await tab.getByRole("button", { name: "Remove geo.region" }).click();
  await tab.getByRole("button", { name: "Show the page" }).click();
  await tab.waitForURL((url) => url.searchParams.get("idoine.geo.region") === null);
  await tab.getByRole("button", { name: "Reset" }).click();
  await tab.waitForURL(shop.origin + "/");
});

test("a value that is not understood is named", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + "/?idoine.device.save_data=perhaps");
  await open(tab);
  await tab.getByText("idoine.device.save_data was ignored").waitFor();
});

test("the consent switches tell the Worker and load the page again", async (t) => {
  let granted: string[] = [];
  const shop = await site(t, {
    "/_idoine/consent": ({ method, body }) => {
      if (method === "POST") ({ granted } = JSON.parse(body) as { granted: string[] });
      return json({ granted, decided: granted.length > 0 });
    },
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  await section(tab, "Consent");
  const reloaded = tab.waitForEvent("load");
  await tab.getByLabel("Analytics").click();
  await reloaded;
  await tab.getByRole("region", { name: "Consent" }).waitFor();
  assert.deepEqual(granted, ["analytics"]);
  assert.equal(await tab.getByLabel("Analytics").isChecked(), true);
  assert.equal(await tab.getByLabel("Marketing").isChecked(), false);
});

test("a slot is framed in the page while it is pointed at, and can be scrolled to", async (t) => {
  const far = page(BAR, `${BODY}<div style="height: 3000px"></div>`);
  const shop = await site(t, { "/": far });
  const tab = await visit(t);
  await tab.goto(shop.origin + "/?idoine.source.name=instagram");
  await open(tab);
  await card(tab, "hero").hover();
  const mark = await tab.locator("idoine-bar .mark").boundingBox();
  const hero = await tab.locator("h1").boundingBox();
  assert.ok(mark && hero && mark.x <= hero.x && mark.y <= hero.y && mark.height >= hero.height);
  await tab.evaluate(() => scrollTo(0, 2000));
  await tab.waitForFunction(() => scrollY > 1000);
  await card(tab, "hero").getByRole("button", { name: "Show hero in the page" }).click();
  await tab.waitForFunction(() => scrollY < 100);
  await tab.getByRole("heading", { name: "Idoine preview" }).hover();
  await tab.locator("idoine-bar .mark").waitFor({ state: "detached" });
});

test("the keyboard alone is enough: open, walk, close with Escape, and focus is where it was", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  const pill = tab.getByRole("button", { name: "Preview" });
  await pill.focus();
  await tab.keyboard.press("Enter");
  await tab.getByRole("region", { name: "Slots" }).waitFor();
  const focused = (): Promise<string | null | undefined> =>
    tab.evaluate(() => document.querySelector("idoine-bar")?.shadowRoot?.activeElement?.textContent);
  assert.equal(await focused(), "Close");
  await tab.keyboard.press("Tab");
  assert.equal(await focused(), "Time to travel");
  await tab.keyboard.press("Escape");
  await pill.waitFor();
  assert.match((await focused()) ?? "", /^Preview/);
});

test("every control has a name, and nothing that is shown is taken for markup", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin + "/?idoine.geo.city=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E");
  await open(tab);
  assert.equal(await tab.getByRole("button", { name: "<img src=x onerror=alert(1)>" }).first().isVisible(), true);
  const nameless = await tab.evaluate(() => {
    const root = document.querySelector("idoine-bar")!.shadowRoot!;
    return {
      images: root.querySelectorAll("img").length,
      controls: [...root.querySelectorAll<HTMLInputElement>("button, input, select")]
        .filter((control) => !control.textContent?.trim() && !control.getAttribute("aria-label") && !control.labels?.length)
        .map(({ outerHTML }) => outerHTML),
    };
  });
  assert.deepEqual(nameless, { images: 0, controls: [] });
});

test("a strict content security policy with Trusted Types is respected", async (t) => {
  const policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
  const body = page(BAR, "<header><h1>Welcome</h1></header>");
  const shop = await site(t, { "/": { headers: { "content-security-policy": policy }, body } });
  const tab = await visit(t);
  const violations: string[] = [];
  tab.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  await tab.goto(shop.origin + "/?idoine.source.name=instagram");
  await open(tab);
  await card(tab, "hero").hover();
  assert.ok(await tab.locator("idoine-bar .mark").isVisible());
  assert.deepEqual(violations, []);
});

test("the instant is the Worker's, with the offset of the visitor's zone at it", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  const told = async (): Promise<unknown> => {
    const list = await tab.locator("idoine-bar dl.context").evaluate((dl) => [...dl.children].map(({ textContent }) => textContent));
    return ["time.date", "time.hour", "time.minute"].map((path) => list[list.indexOf(path) + 1]);
  };
  await tab.goto(shop.origin);
  await open(tab);
  await section(tab, "Profile");
  assert.deepEqual(await told(), ["2026-06-09", "10", "30"]);
  await tab.goto(shop.origin + "/?idoine.now=2026-12-31T23:15:00Z");
  // It is at the section where it was left.
  await tab.getByRole("region", { name: "Profile" }).waitFor();
  assert.deepEqual(await told(), ["2027-01-01", "0", "15"]);
  // What is no instant moves nothing, and is named.
  await tab.goto(shop.origin + "/?idoine.now=soon");
  await section(tab, "Slots");
  await tab.getByText("idoine.now was ignored").waitFor();
  await section(tab, "Profile");
  assert.deepEqual(await told(), ["2026-06-09", "10", "30"]);
});

for (const purpose of ["personalization", "analytics", "marketing"]) {
  test(`wherever something is agreed to (${purpose}) the Worker explains, and what it ignored is named`, async (t) => {
    const explain = {
      version: "",
      context: {},
      decisions: [{ slot: "cta", experience: "cta-test", variant: 1, source: "experiment", reason: "split" }],
      slots: [{ slot: "cta", candidates: [{ experience: "cta-test", reason: "split" }] }],
      experiences: [{ experience: "cta-test", reason: "split" }],
      edits: [],
      ignored: [["geo.contry", "the path of a field"]],
    };
    const shop = await site(t, {
      "/_idoine/context": () => json({ version, now: NOW, preview: true, context: { ...CONTEXT, [`consent.${purpose}`]: true } }),
      "/_idoine/decide": ({ query }) => json({ version, decisions: [], edits: [], ...(query.has("explain") && { explain }) }),
    });
    const tab = await visit(t);
    // Not even a preview's own id makes the tools the better judge.
    const address = `${shop.origin}/?idoine.geo.contry=FR&idoine.visitor.id=12345678`;
    await tab.goto(address);
    await open(tab);
    assert.match((await card(tab, "cta").textContent()) ?? "", /experiment, variant 1/);
    assert.ok(await tab.getByText("idoine.geo.contry was ignored: expected the path of a field.").isVisible());
    const asked = shop.asked.filter(({ path }) => path === "/_idoine/decide").map(({ body }) => JSON.parse(body) as unknown);
    assert.deepEqual(asked, [{ url: address, referrer: "" }]);
  });
}

test("a Worker that does not explain is not second-guessed", async (t) => {
  const shop = await site(t, {
    "/_idoine/context": () => json({ version, now: NOW, preview: true, context: { ...CONTEXT, "consent.analytics": true } }),
    "/_idoine/decide": json({ version, decisions: [], edits: [] }),
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("alert").filter({ hasText: "without an explanation" }).waitFor();
});

test("a bar that cannot explain says so, and can try again", async (t) => {
  let reply: Reply = { status: 503 };
  const shop = await site(t, { "/_idoine/program": () => reply });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("alert").filter({ hasText: "503" }).waitFor();
  reply = { type: "application/octet-stream", body: program };
  await tab.getByRole("button", { name: "Try again" }).click();
  await tab.getByRole("region", { name: "Slots" }).waitFor();
});

test("on a phone everything fits the width, and targets are large enough to touch", async (t) => {
  const shop = await site(t);
  const tab = await visit(t, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await tab.goto(shop.origin + "/?idoine.source.name=instagram");
  await open(tab);
  const sizes = await tab.evaluate(() => {
    const root = document.querySelector("idoine-bar")!.shadowRoot!;
    const columns = root.querySelector(".columns")!;
    const small = [...root.querySelectorAll("button:not(.find), label.switch")]
      .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40)
      .map(({ textContent }) => textContent);
    return { overflow: columns.scrollWidth - columns.clientWidth, page: document.documentElement.scrollWidth, small };
  });
  assert.deepEqual(sizes, { overflow: 0, page: 360, small: [] });
});

test("when the route changes, the open bar explains the new page", async (t) => {
  const shop = await site(t);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await open(tab);
  assert.equal(await card(tab, "intro").count(), 1);
  await tab.evaluate(() => history.pushState(null, "", "/sale"));
  await card(tab, "hero").getByText("hero-sale: its audience matched.").waitFor();
  assert.equal(await card(tab, "intro").count(), 0);
});
