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
  const started = await serve({ ...assets("idoine.js", "edits.js", "live.js"), ...routes });
  t.after(() => started.close());
  return started;
}

/** A page that asks a Worker at another host name, and that Worker. */
async function apiSite(t: TestContext, decide: Route, body = BODY, head = "", routes: Record<string, Route> = {}): Promise<{ shop: Site; api: Site }> {
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
  return { shop: await site(t, { "/": page(head + loader, body), ...routes }), api };
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

test("from another host name: what is brought around, into and in place of elements, and what is taken away", async (t) => {
  const edits: Edit[] = [
    { slot: "a", selector: "header", op: "before", value: "<nav>1</nav>2" },
    { slot: "a", selector: "header", op: "after", value: "3<hr>" },
    { slot: "a", selector: "header", op: "first", value: "4<i>5</i>" },
    { slot: "a", selector: "header", op: "last", value: "<i>6</i>" },
    { slot: "b", selector: "#title", op: "replace", value: '<h2 id="title">New</h2><p>and <b>more</b></p>' },
    { slot: "b", selector: "#title", op: "attribute", name: "lang", value: "unseen" },
    { slot: "c", selector: "aside", op: "remove" },
    { slot: "d", selector: "#photo", op: "before", value: "<b>Photo</b>" },
    { slot: "d", selector: "#photo", op: "after", value: "" },
    // Two slots in one place: each brings its own. What was brought is no place for others.
    { slot: "e", selector: "body > header", op: "before", value: "<nav>7</nav>" },
    { slot: "f", selector: "nav, header i, header p", op: "text", value: "wrong" },
  ];
  const { shop } = await apiSite(t, json(answer([HERO], edits)));
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  const shown = `
<nav>1</nav>2<nav>7</nav><header>4<i>5</i><h2 id="title">New</h2><p>and <b>more</b></p><a class="cta small" href="/shop" title="All offers">Shop now</a><i>6</i></header>3<hr>
<main><p id="intro">Free returns</p><b>Photo</b><img id="photo" src="data:," alt="A shoe"></main>`;
  assert.equal(await bodyOf(tab), shown);
  // Shown anew, nothing of it is made twice, and what is there is not made anew.
  const kept = await tab.evaluateHandle(() => [...document.querySelectorAll("header i, nav, h2")]);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await bodyOf(tab), shown);
  assert.ok(await tab.evaluate((nodes) => nodes.length === 5 && nodes.every((node) => node.isConnected), kept));
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await bodyOf(tab), BODY, "stopping restores the baseline to the byte");
});

test("from another host name: elements that take no such edit, and operations that are not known, stay as they are", async (t) => {
  const body = '<script id="s">0</script><p id="p">x</p>';
  const edits = [
    ...["text", "html", "first", "last"].map((op) => ({ slot: op, selector: "#s", op, value: "alert(1)" })),
    ...["first", "last"].map((op) => ({ slot: op, selector: "html", op, value: "y" })),
    ...["before", "after", "replace", "remove"].map((op) => ({ slot: op, selector: "html, head, body", op, value: "y" })),
    { slot: "new", selector: "#p", op: "shuffle", value: "y" },
    { slot: "new", selector: "#p", op: "constructor", value: "y" },
    HERO_TEXT,
  ] as Edit[];
  const { shop } = await apiSite(t, json(answer([HERO], edits)), BODY + body);
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  assert.equal(await bodyOf(tab), (BODY + body).replace("Welcome to the shop", "Seen on &lt;Instagram&gt;"));
  assert.deepEqual(await tab.evaluate(() => [...document.childNodes].map(({ nodeName }) => nodeName)), ["html", "HTML"]);
  assert.deepEqual(await tab.evaluate(() => [...document.documentElement.childNodes].map(({ nodeName }) => nodeName)), ["HEAD", "BODY"]);
});

test("from another host name: fragments are this site's own, and come when they come, each once", async (t) => {
  const fragment = (selector: string, name: string, value: string): Edit => ({ slot: `${selector} ${name}`, selector, op: "fragment", name, value });
  const edits: Edit[] = [
    fragment("#intro", "content", "/fragments/intro?c=FR"),
    fragment("header", "before", "/fragments/nav"),
    fragment("header", "last", "/fragments/nav"),
    fragment("aside", "replace", "/fragments/late"),
    fragment("#title", "content", "/fragments/missing"),
    fragment(".cta", "content", "/fragments/data"),
    fragment("#photo", "before", "/fragments/elsewhere"),
    fragment("", "content", "/fragments/handed-over"),
  ];
  let send = (): void => {};
  const late = new Promise<void>((resolve) => (send = resolve));
  const evil = await serve({ "*": { headers: { "access-control-allow-origin": "*" }, body: "<b>evil</b>" } });
  t.after(() => evil.close());
  const { shop } = await apiSite(t, json(answer([HERO], edits)), BODY, "", {
    "/fragments/intro": ({ query }) => ({ body: query.get("c") === "FR" ? "<b>Lyon</b>" : "" }),
    "/fragments/nav": { type: "text/html; charset=utf-8", body: "<nav>1</nav>" },
    "/fragments/late": async () => {
      await late;
      return { body: "<aside>Late</aside>" };
    },
    "/fragments/missing": { status: 404, body: "<b>missing</b>" },
    "/fragments/data": json("<b>data</b>"),
    "/fragments/elsewhere": { status: 302, headers: { location: `${evil.origin}/` } },
  });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  await tab.waitForFunction(() => document.querySelectorAll("nav").length === 2 && document.querySelector("#intro b"));
  const shown = BODY.replace("Free returns", "<b>Lyon</b>").replace("<header>", "<nav>1</nav><header>").replace("</header>", "<nav>1</nav></header>");
  assert.equal(await bodyOf(tab), shown);
  send();
  await tab.waitForFunction(() => document.querySelector("aside")?.textContent === "Late");
  const all = shown.replace('<aside style="color: red;">Newsletter</aside>', "<aside>Late</aside>");
  assert.equal(await bodyOf(tab), all);
  const asked = (path: string): number => shop.asked.filter((one) => one.path === path).length;
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await bodyOf(tab), all, "shown anew, what has come is there at once");
  assert.equal(asked("/fragments/intro"), 1);
  assert.equal(asked("/fragments/handed-over"), 0);
  assert.deepEqual(evil.asked, []);
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await bodyOf(tab), BODY, "stopping restores the baseline to the byte");
});

test("behind the Worker: what the edge has brought is not brought again, and what it left out is", async (t) => {
  const edits: Edit[] = [
    { slot: "a", selector: "header", op: "before", value: "<nav>1</nav>" },
    { slot: "a", selector: "header", op: "after", value: "after" },
    { slot: "a", selector: "header", op: "first", value: "first" },
    { slot: "a", selector: "header", op: "last", value: "<b>last</b>" },
    { slot: "b", selector: "#intro", op: "replace", value: '<p id="intro">New</p><p>two</p>' },
    { slot: "c", selector: "aside", op: "remove" },
    { slot: "d", selector: "main", op: "last", value: "<i>new</i>" },
  ];
  const edited = BODY.replace("<header>", '<nav class="changed">1</nav><!--idoine--><header><!--idoine-->first')
    .replace("</header>", "<b>last</b><!--idoine--></header><!--idoine-->after")
    .replace('<p id="intro">Free returns</p>', '<p id="intro">New</p><p>two</p>')
    .replace(/<aside.*<\/aside>/, "");
  const shop = await site(t, { "/": page(edgeHead(STATE), edited), "/_idoine/decide": json(answer([HERO], edits)) });
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  await tab.evaluate(() => window.idoine?.decide?.());
  assert.equal(await bodyOf(tab), edited.replace("</main>", "<i>new</i></main>"));
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await bodyOf(tab), edited);
});

test("what is brought and then closed by the visitor stays closed, and comes again where the page makes its element anew", async (t) => {
  const edits: Edit[] = [
    { slot: "a", selector: "#intro", op: "before", value: "<b>Close me</b>" },
    { slot: "b", selector: "aside", op: "replace", value: "<p class=new>New</p>" },
  ];
  const { shop } = await apiSite(t, json(answer([HERO], edits)));
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  const frame = (): Promise<void> => tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
  await tab.evaluate(() => document.querySelector("main b")?.remove());
  await frame();
  assert.equal(await tab.locator("main b").count(), 0);
  await tab.evaluate(() => (document.querySelector("main")!.innerHTML = '<p id="intro">Again</p><aside>Newsletter</aside>'));
  await frame();
  assert.equal(await tab.innerHTML("main"), '<b>Close me</b><p id="intro">Again</p><p class="new">New</p>');
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await tab.innerHTML("main"), '<p id="intro">Again</p><aside>Newsletter</aside>');
});

test("nothing is taken from a visitor who is typing in what was brought", async (t) => {
  const edits: Edit[] = [
    { slot: "a", selector: "#intro", op: "after", value: "<input class=one>" },
    { slot: "b", selector: "aside", op: "replace", value: "<input class=two>" },
  ];
  const { shop } = await apiSite(t, json(answer([HERO], edits)));
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await ready(tab);
  for (const name of ["one", "two"]) {
    await tab.focus(`input.${name}`);
    await tab.evaluate(() => window.idoine?.stop?.());
    assert.equal(await tab.locator(`input.${name}`).count(), 1, name);
    await tab.evaluate(() => (document.activeElement as HTMLElement).blur());
    await tab.waitForFunction((selector) => !document.querySelector(selector), `input.${name}`);
    await tab.evaluate(() => window.idoine?.decide?.());
  }
  await tab.evaluate(() => window.idoine?.stop?.());
  assert.equal(await bodyOf(tab), BODY);
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
