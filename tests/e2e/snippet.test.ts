// The snippet in real pages: the inline stub, and the loader with the Worker before the site or at another host name.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import type { Answer, Edit } from "../../www/src/types.ts";
import { assets, stub } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { answer, BODY, edgeHead, HERO, HERO_TEXT, NO_HERO, OFFER, page, STATE } from "./fixtures/pages.ts";
import { allow, json, serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const LOADER = '<script async src="/_idoine/idoine.js"></script>';

async function site(t: TestContext, routes: Record<string, Route>): Promise<Site> {
  const started = await serve({ ...assets("idoine.js"), ...routes });
  t.after(() => started.close());
  return started;
}

/** A page that asks a Worker at another host name, and that Worker. */
async function apiSite(t: TestContext, decide: Route, body = BODY, head = ""): Promise<{ shop: Site; api: Site }> {
  const api = await serve({
    "/_idoine/decide": async (request) => {
      let route = decide;
      while (typeof route === "function") route = await route(request);
      const reply = typeof route === "string" ? { body: route } : route;
      return { ...reply, headers: { ...reply.headers, ...allow(request) } };
    },
  });
  t.after(() => api.close());
  const loader = `<script async src="/_idoine/idoine.js" data-api="${api.origin}"></script>`;
  return { shop: await site(t, { "/": page(head + loader, body) }), api };
}

/** Waits until the client is there and has its first decisions. */
async function ready(tab: Page): Promise<void> {
  await tab.waitForFunction(() => window.idoine?.ready);
  await tab.evaluate(async () => void (await window.idoine?.ready));
}

const text = (tab: Page, selector = "header h1"): Promise<string | null> => tab.textContent(selector);
const bodyOf = (tab: Page): Promise<string> => tab.evaluate(() => document.body.innerHTML);
const push = (tab: Page, url: string): Promise<void> => tab.evaluate((to) => history.pushState(null, "", to), url);
const settled = (tab: Page, expected: string): Promise<unknown> =>
  tab.waitForFunction((wanted) => document.querySelector("header h1")?.textContent === wanted, expected);

test("behind the Worker: decisions and values come from the page, nothing is asked, no Wasm is loaded", async (t) => {
  const shop = await site(t, { "/": page(edgeHead(STATE)) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  const seen = await tab.evaluate(() => ({
    decisions: window.idoine?.decisions?.(),
    hero: window.idoine?.decision?.("hero"),
    offer: window.idoine?.value?.("offer"),
    none: [window.idoine?.decision?.("footer"), window.idoine?.value?.("constructor")],
    mode: window.idoine?.debug?.().mode,
  }));
  assert.deepEqual(seen, { decisions: [HERO, OFFER], hero: HERO, offer: { percent: 10 }, none: [undefined, undefined], mode: "edge" });
  assert.equal(await bodyOf(tab), BODY);
  assert.deepEqual(shop.paths(), ["/", "/_idoine/idoine.js"]);
});

/** The page as the edge wrote it for these decisions: nothing in it says what the origin had sent. */
const EDITED = BODY.replace("Welcome to the shop", "Good to see you").replace("Free returns", "<b>Free</b> express returns");

/** A single-page application: `go` changes the route, and the application's own code renders the new one's content. */
const APP = `<script>
  const routes = { "/sale": ["Sale", "Until Sunday"], "/about": ["About us", "Since 1998"] };
  globalThis.go = (url) => {
    history.pushState(null, "", url);
    const [title, intro] = routes[location.pathname];
    document.querySelector("h1").textContent = title;
    document.querySelector("#intro").textContent = intro;
  };
</script>`;
const go = (tab: Page, url: string): Promise<void> => tab.evaluate((to) => (globalThis as unknown as { go(url: string): void }).go(to), url);

test("behind the Worker: a route change asks for decisions, which are applied to what the application renders", async (t) => {
  const answers: Record<string, Answer> = {
    "/sale": answer([HERO], [HERO_TEXT, { slot: "offer", selector: "", op: "json", value: '{"percent":20}' }]),
    "/about": answer([NO_HERO]),
  };
  const shop = await site(t, {
    "/": page(edgeHead(STATE) + APP, EDITED),
    "/_idoine/decide": ({ body }) => json(answers[new URL((JSON.parse(body) as { url: string }).url).pathname]),
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await bodyOf(tab), EDITED);
  await go(tab, "/sale?from=menu");
  await settled(tab, "Seen on <Instagram>");
  assert.equal(await text(tab, "#intro"), "Until Sunday", "what has no edit is the application's");
  assert.deepEqual(await tab.evaluate(() => window.idoine?.value?.("offer")), { percent: 20 });
  await go(tab, "/about");
  await tab.waitForFunction(() => window.idoine?.decisions?.()[0]?.source === "baseline");
  assert.equal(await bodyOf(tab), BODY.replace("Welcome to the shop", "About us").replace("Free returns", "Since 1998"));
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), [NO_HERO]);
  const bodies = shop.asked.filter(({ path }) => path === "/_idoine/decide").map(({ body }) => JSON.parse(body) as unknown);
  assert.deepEqual(bodies, [
    { url: `${shop.origin}/sale?from=menu`, referrer: `${shop.origin}/` },
    { url: `${shop.origin}/about`, referrer: `${shop.origin}/sale?from=menu` },
  ]);
});

test("behind the Worker: without rendering, what this script applied is taken back, and what the edge wrote stays", async (t) => {
  const shop = await site(t, {
    "/": page(edgeHead(STATE), EDITED),
    "/_idoine/decide": ({ body }) => json(body.includes('/sale","') ? answer([HERO], [HERO_TEXT]) : answer([NO_HERO])),
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  await push(tab, "/sale");
  await settled(tab, "Seen on <Instagram>");
  await push(tab, "/about");
  await settled(tab, "Good to see you");
  assert.equal(await bodyOf(tab), EDITED);
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), [NO_HERO]);
});

test("behind the Worker: when a route change is not answered, nothing that this script applied stays", async (t) => {
  const shop = await site(t, {
    "/": page(edgeHead(STATE), EDITED),
    "/_idoine/decide": ({ body }) => (body.includes('/sale","') ? json(answer([HERO], [HERO_TEXT])) : { status: 503 }),
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  await push(tab, "/sale");
  await settled(tab, "Seen on <Instagram>");
  await push(tab, "/about");
  await settled(tab, "Good to see you");
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), []);
  assert.match((await tab.evaluate(() => window.idoine?.debug?.().error)) ?? "", /503/);
});

test("a page state that is damaged counts as none", async (t) => {
  const damaged = '<script type="application/json" id="idoine-state">{"version":"1","decisions":{</script>';
  const shop = await site(t, { "/": page(damaged + LOADER) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), []);
  assert.equal(await bodyOf(tab), BODY);
});

test("from another host name: every kind of edit is applied, with cookies and without a preflight", async (t) => {
  const edits: Edit[] = [
    HERO_TEXT,
    { slot: "intro", selector: "#intro", op: "html", value: "Free <em>express</em> shipping" },
    { slot: "cta", selector: ".cta", op: "attribute", name: "href", value: "/sale?a=1&b=2" },
    { slot: "cta", selector: ".cta", op: "remove_attribute", name: "title" },
    { slot: "cta", selector: ".cta", op: "class_add", value: "big" },
    { slot: "cta", selector: ".cta", op: "class_remove", value: "small" },
    { slot: "news", selector: "aside", op: "hide" },
    { slot: "offer", selector: "", op: "json", value: '["a"]' },
  ];
  const { shop, api } = await apiSite(t, json(answer([HERO], edits)));
  const tab = await visit(t);
  await tab.context().addCookies([{ name: "idoine_consent", value: "v1", url: api.origin }]);
  await tab.goto(shop.origin + "/?utm_source=x", { referer: "https://instagram.example/" });
  await ready(tab);
  assert.equal(
    await bodyOf(tab),
    `
<header><h1 id="title">Seen on &lt;Instagram&gt;</h1><a class="cta big" href="/sale?a=1&amp;b=2">Shop now</a></header>
<main><p id="intro">Free <em>express</em> shipping</p><img id="photo" src="data:," alt="A shoe"><aside style="color: red; display: none !important;" hidden="">Newsletter</aside></main>`,
  );
  assert.deepEqual(await tab.evaluate(() => window.idoine?.value?.("offer")), ["a"]);
  assert.deepEqual(api.paths(), ["POST /_idoine/decide"]);
  assert.match(api.asked[0]?.headers.cookie ?? "", /idoine_consent=v1/);
  assert.equal((JSON.parse(api.asked[0]?.body ?? "") as { url: string }).url, shop.origin + "/?utm_source=x");
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await bodyOf(tab), BODY, "stopping restores the baseline to the byte");
});

test("from another host name: a server that is down leaves the page as it was", async (t) => {
  const { shop, api } = await apiSite(t, json(answer([HERO], [HERO_TEXT])));
  await api.close();
  api.close = async () => {};
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await bodyOf(tab), BODY);
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), []);
});

for (const [what, reply] of Object.entries<Route>({
  "an error": { status: 500, body: "oops" },
  "a page of HTML": "<h1>Sign in to the Wi-Fi</h1>",
  "JSON of another kind": json({ hello: "world" }),
  "a JSON value that is none": json(answer([OFFER], [{ slot: "offer", selector: "", op: "json", value: "{" }, HERO_TEXT])),
})) {
  test(`from another host name: ${what} instead of an answer leaves the page as it was`, async (t) => {
    const { shop } = await apiSite(t, reply);
    const tab = await visit(t);
    await tab.goto(shop.origin);
    await ready(tab);
    assert.equal(await bodyOf(tab), BODY);
    assert.ok(await tab.evaluate(() => window.idoine?.debug?.().error));
  });
}

test("one edit that cannot be made does not keep the others from being made", async (t) => {
  const { shop } = await apiSite(
    t,
    json(
      answer(
        [HERO],
        [
          { slot: "a", selector: "h1:unheard-of(", op: "text", value: "x" },
          { slot: "b", selector: ".cta", op: "attribute", name: "in valid", value: "x" },
          HERO_TEXT,
        ],
      ),
    ),
  );
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await text(tab), "Seen on <Instagram>");
});

test("an element that the parser reaches only later is edited when it comes", async (t) => {
  let sendRest: (() => void) | undefined;
  const rest = new Promise<void>((resolve) => (sendRest = resolve));
  // The script in the body keeps the parser from going on; the answer arrives meanwhile.
  const { shop } = await apiSite(t, json(answer([HERO], [HERO_TEXT])), `<script src="/slow.js"></script>${BODY}`);
  const slow = await serve({
    "*": async ({ path }) => {
      if (path !== "/slow.js") return fetchFrom(shop, path);
      await rest;
      return { type: "text/javascript" };
    },
  });
  t.after(() => slow.close());
  const tab = await visit(t);
  await tab.goto(slow.origin, { waitUntil: "commit" });
  await ready(tab);
  assert.equal(await tab.locator("h1").count(), 0);
  assert.equal(await tab.evaluate(() => document.readyState), "loading");
  sendRest?.();
  await settled(tab, "Seen on <Instagram>");
});

async function fetchFrom(shop: Site, path: string): Promise<Route> {
  const response = await fetch(shop.origin + path);
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "text/plain",
    body: Buffer.from(await response.arrayBuffer()),
  };
}

test("loaded twice is loaded once", async (t) => {
  const { shop, api } = await apiSite(t, json(answer([HERO], [HERO_TEXT])));
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  const first = await tab.evaluateHandle(() => window.idoine);
  await tab.addScriptTag({ url: "/_idoine/idoine.js?again" });
  assert.ok(await tab.evaluate((client) => client === window.idoine, first));
  await push(tab, "/next");
  await tab.waitForFunction(() => window.idoine?.debug?.().error === undefined);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(api.asked.filter(({ body }) => body.includes("/next")).length, 2, "one for the route, one for the call");
  assert.equal(await text(tab), "Seen on <Instagram>");
});

test("calls made before the loader is there run in order, and an old reference still works", async (t) => {
  const calls = `<script>${stub()}
    window.old = window.idoine; window.log = [];
    idoine(function (client) { log.push(["function", client.decision("hero").experience]); });
    idoine("subscribe", "hero", function (decision) { log.push(["hero", decision.experience]); });
    idoine("no.such.thing");
    idoine("consent.set", ["personalization"]);
    idoine("decide");
  </script>`;
  const shop = await site(t, { "/": page(calls + edgeHead(STATE)), "/_idoine/decide": json(answer([NO_HERO])) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  await tab.waitForFunction(() => (window as unknown as { log: unknown[] }).log.length === 2);
  const log = await tab.evaluate(() => {
    const { old, log } = window as unknown as { old: NonNullable<typeof window.idoine>; log: unknown[] };
    old((client) => log.push(["old", client.decisions().length]));
    window.idoine?.((client) => log.push(["new", client.debug().mode]));
    return log;
  });
  assert.deepEqual(log, [["function", "hero-instagram"], ["hero", null], ["old", 1], ["new", "edge"]]);
});

test('data-auto="false": nothing is decided until it is asked for', async (t) => {
  const { api } = await apiSite(t, json(answer([HERO], [HERO_TEXT])));
  const manual = await site(t, {
    "/": page(`<script async src="/_idoine/idoine.js" data-auto="false" data-api="${api.origin}"></script>`),
  });
  const tab = await visit(t);
  await tab.goto(manual.origin);
  await ready(tab);
  await push(tab, "/next");
  assert.deepEqual(api.asked, []);
  assert.equal(await bodyOf(tab), BODY);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await text(tab), "Seen on <Instagram>");
});

test("a strict content security policy with Trusted Types: text and HTML are applied, hiding works", async (t) => {
  const edits: Edit[] = [HERO_TEXT, { slot: "intro", selector: "#intro", op: "html", value: "<b>Bold</b>" }];
  const policy = (types: string, api = "'self'"): string =>
    `default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; connect-src ${api}; require-trusted-types-for 'script'; trusted-types ${types}`;
  const html = `<script nonce="abc" data-hide="header h1">${stub()}</script><script nonce="abc" async src="/_idoine/idoine.js" data-api="/"></script>`;
  for (const [types, intro] of [["idoine", "Bold"], ["other", "Free returns"]] as const) {
    const shop = await site(t, {
      "/": { headers: { "content-security-policy": policy(types) }, body: page(html) },
      "/_idoine/decide": json(answer([HERO], edits)),
    });
    const tab = await visit(t);
    await tab.goto(shop.origin);
    await ready(tab);
    assert.equal(await text(tab), "Seen on <Instagram>");
    assert.equal(await text(tab, "#intro"), intro, `policy ${types}`);
    await tab.waitForFunction(() => getComputedStyle(document.querySelector("h1")!).visibility === "visible");
  }
});

test("a page without any storage (an opaque origin) is personalised all the same", async (t) => {
  const shop = await site(t, {
    "/": { headers: { "content-security-policy": "sandbox allow-scripts" }, body: page(edgeHead(STATE)) },
    "/_idoine/decide": (request) => ({ ...json(answer([HERO], [HERO_TEXT])), headers: allow(request) }),
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await tab.evaluate(() => { try { return document.cookie; } catch { return "refused"; } }), "refused");
  assert.deepEqual(await tab.evaluate(() => window.idoine?.decisions?.()), [HERO, OFFER]);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await text(tab), "Seen on <Instagram>");
});

test("in a frame of another site the page is personalised", async (t) => {
  const { shop } = await apiSite(t, json(answer([HERO], [HERO_TEXT])));
  const outer = await site(t, { "/": page("", `<iframe src="${shop.origin.replace("127.0.0.1", "localhost")}"></iframe>`) });
  const proxied = await visit(t);
  await proxied.goto(outer.origin);
  await proxied.frameLocator("iframe").locator("text=Seen on <Instagram>").waitFor();
});

/** A visitor's page whose clock stands still until it is told to run. */
async function frozen(t: TestContext, address: string): Promise<Page> {
  const tab = await visit(t);
  await tab.clock.install({ time: 0 });
  await tab.clock.pauseAt(60_000);
  await tab.goto(address);
  return tab;
}

const visibility = (tab: Page): Promise<string> => tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).visibility);

test("hidden slots come back by themselves when the loader never arrives", async (t) => {
  const never = `<script data-hide="header h1" data-hide-ms="300">${stub()}</script><script async src="/gone.js"></script>`;
  const shop = await site(t, { "/": page(never) });
  const tab = await frozen(t, shop.origin);
  assert.equal(await visibility(tab), "hidden");
  await tab.clock.runFor(299);
  assert.equal(await visibility(tab), "hidden");
  await tab.clock.runFor(1);
  assert.equal(await visibility(tab), "visible");
});

test("nothing is hidden for more than two seconds, whatever is asked", async (t) => {
  const shop = await site(t, { "/": page(`<script>${stub()}</script>`) });
  for (const ms of [60_000, Infinity, NaN, -1, undefined]) {
    const tab = await frozen(t, shop.origin);
    await tab.evaluate((time) => window.idoine?.hide?.("h1", time), ms);
    assert.equal(await visibility(tab), "hidden");
    await tab.clock.runFor(2000);
    assert.equal(await visibility(tab), "visible", String(ms));
  }
});

test("hidden slots come back as soon as they are decided, with their content", async (t) => {
  let reply: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => (reply = resolve));
  const late: Route = async () => {
    await asked;
    return json(answer([HERO], [HERO_TEXT]));
  };
  const { shop } = await apiSite(t, late, BODY, `<script data-hide="header h1" data-hide-ms="2000">${stub()}</script>`);
  // As the clock stands still, only the decision can bring the slot back.
  const tab = await frozen(t, shop.origin);
  assert.equal(await visibility(tab), "hidden");
  reply?.();
  await until(async () => (await visibility(tab)) === "visible");
  assert.equal(await text(tab), "Seen on <Instagram>");
});
