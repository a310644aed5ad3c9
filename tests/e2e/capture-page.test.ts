// Capture and the page that it is in: what it leaves alone, what it leaves behind, and what it does where a page is unusual.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { RULES, translate } from "../../www/src/capture/ga4.ts";
import { KINDS } from "../../www/src/capture/index.ts";
import { address, text, tidy } from "../../www/src/capture/text.ts";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, DESKTOP, until, visit } from "./fixtures/browser.ts";
import { captureSite, listen, pass, toldIn } from "./fixtures/capturing.ts";
import { json, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

const ALL = Object.keys(KINDS);
const page = (body: string, head = ""): string => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}</head><body><h1>Shop</h1>${body}</body></html>`;

async function open(t: TestContext, route: Route, names: readonly string[], path = "/"): Promise<{ tab: Page; site: Site }> {
  const site = await captureSite(t, [], { "/": route });
  const tab = await visit(t, DESKTOP);
  await tab.goto(`${site.origin}${path}`);
  await listen(tab, names);
  return { tab, site };
}

/** The names of what was told, but of what is measured when it is known. */
const names = async (tab: Page): Promise<string[]> => (await toldIn(tab)).map(([event]) => event).filter((event) => event !== "Web Vital Measured");
const push = (tab: Page, path: string): Promise<void> => tab.evaluate((to) => history.pushState(null, "", to), path);

test("of two kinds that are switched on each tells what is its own of one click", async (t) => {
  const link = `<a href="https://partner.example/list.pdf" data-idoine-click="list">The list</a><script>addEventListener("click", (event) => event.preventDefault());</script>`;
  const { tab } = await open(t, page(link), ["downloads", "outbound", "clicks", "no_such_kind"]);
  await tab.click("a");
  assert.deepEqual(await toldIn(tab), [
    ["Element Clicked", { name: "list" }],
    ["Outbound Link Clicked", { host: "partner.example", url: "partner.example/list.pdf" }],
    ["File Downloaded", { file: "list.pdf", extension: "pdf", url: "partner.example/list.pdf" }],
  ]);
});

test("what stands within data-idoine-private is told by no kind, also where something outside tells of it", async (t) => {
  const body = `
    <select data-idoine-filter="colour"><option>red</option><option>blue</option></select>
    <div data-idoine-private><select data-idoine-filter="illness"><option>s3cret</option></select></div>
    <form data-idoine-search><span data-idoine-private><input type="search" value="s3cret"></span><button id="find">Find</button></form>
    <button id="buy" data-idoine-event="Products Bought"><b data-idoine-product="p1"></b><i data-idoine-private><b data-idoine-product="s3cret"></b></i>Buy</button>
    <div itemscope itemtype="https://schema.org/Product"><span itemprop="sku">p1</span><span data-idoine-private><span itemprop="name">s3cret</span></span></div>
    <form><input name="matches"><input name="hasAttribute"><button type="button" id="odd">Odd</button></form>
    <script>addEventListener("submit", (event) => event.preventDefault());</script>`;
  const { tab } = await open(t, page(body), ALL);
  await tab.selectOption("[data-idoine-filter=colour]", "blue");
  for (const button of ["#find", "#buy"]) await tab.click(button);
  // Fields that have the names of methods are in the way of whoever calls those.
  await tab.evaluate(() => document.querySelector<HTMLButtonElement>("#odd")!.click());
  await pass(tab);
  const told = JSON.stringify(await toldIn(tab));
  assert.ok(told.includes("blue") && told.includes("Products Bought") && told.includes("Product Viewed"), told);
  assert.ok(!told.includes("s3cret"), told);
});

test("with everything switched on, what a visitor writes is nowhere in what is told", async (t) => {
  const body = `
    <form name="pay" data-idoine-event="Payment Info Entered"><input name="card" id="card"><textarea name="note"></textarea><input type="password" name="pin"><button>Pay</button></form>
    <input id="loose" data-idoine-filter="words"><p contenteditable id="edit">x</p>
    <script>document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());</script>`;
  const { tab, site } = await open(t, page(body), ALL, "/?token=s3cret#s3cret");
  for (const field of ["#card", "textarea", "[name=pin]", "#loose"]) await tab.fill(field, "s3cret words of ada@shop.example");
  await tab.focus("#card");
  await tab.keyboard.press("Control+a");
  await tab.keyboard.press("Control+c");
  await tab.click("#edit");
  await tab.keyboard.type("s3cret");
  for (let at = 0; at < 4; at++) await tab.click("button");
  await tab.evaluate(() => console.error(new Error("s3cret")));
  await push(tab, "/next?token=s3cret");
  await pass(tab);
  await tab.goto(`${site.origin}/other`);
  const told = JSON.stringify(await toldIn(tab));
  assert.ok(told.includes('"Form Submitted"') && told.includes('"Payment Info Entered"') && told.includes('"virtual":true'), told);
  assert.ok(!/s3cret|ada@|words of/.test(told), told);
});

test("once it has ended nothing is told, nothing listens, and the page's queue is its own again", async (t) => {
  const { tab } = await open(t, page(`<button data-idoine-click="a">A</button>`, "<script>dataLayer = [];</script>"), ALL);
  assert.deepEqual(await names(tab), ["page"]);
  const left = await tab.evaluate(async () => {
    const { dataLayer } = window as unknown as { dataLayer: unknown[] };
    const isWrapped = dataLayer.push !== Array.prototype.push;
    window.stopCapture();
    window.stopCapture();
    dataLayer.push({ event: "search", ecommerce: { search_term: "shoes" } });
    document.querySelector("button")!.click();
    dispatchEvent(new ErrorEvent("error", { message: "x" }));
    history.pushState(null, "", "/next");
    document.body.append(document.createElement("p"));
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { isWrapped, isOwn: Object.hasOwn(dataLayer, "push"), length: dataLayer.length };
  });
  assert.deepEqual(left, { isWrapped: true, isOwn: false, length: 1 });
  assert.deepEqual(await names(tab), ["page"]);
});

test("a push that somebody put over ours stays theirs, and hands on when it has ended", async (t) => {
  const { tab } = await open(t, page(""), ["data_layer"]);
  const seen = await tab.evaluate(() => {
    const { dataLayer } = window as unknown as { dataLayer: unknown[] };
    const ours = dataLayer.push;
    let calls = 0;
    const theirs = (...entries: unknown[]): number => {
      calls += 1;
      return ours.apply(dataLayer, entries);
    };
    dataLayer.push = theirs;
    const first = dataLayer.push({ event: "search", search_term: "shoes" });
    window.stopCapture();
    const second = dataLayer.push({ event: "search", search_term: "boots" });
    return { first, second, calls, isTheirs: dataLayer.push === theirs };
  });
  assert.deepEqual(seen, { first: 1, second: 2, calls: 2, isTheirs: true });
  assert.deepEqual(await toldIn(tab), [["Products Searched", { query: "shoes" }]]);
});

test("whatever is pushed, thrown or marked wrongly, the page hears nothing of it", async (t) => {
  const body = `
    <script type="application/ld+json">{ "@type": "Product", </script>
    <script type="application/ld+json">[null, 7, { "@graph": "x" }, { "@type": ["Product"], "offers": [null], "brand": null }]</script>
    <button data-idoine-event="" data-idoine-click="">?</button><a href="http://[">bad address</a>`;
  const { tab } = await open(t, page(body), ALL);
  const seen = await tab.evaluate(() => {
    const { dataLayer } = window as unknown as { dataLayer: unknown[] };
    const nasty = { get event(): string { throw new Error("of the page"); } };
    const circle: Record<string, unknown> = { event: "purchase", ecommerce: { items: [null, 7, { price: NaN, item_id: { a: 1 } }], value: Infinity, transaction_id: Symbol("x") } };
    circle.self = circle;
    const lengths = [undefined, null, 7, "text", nasty, circle, { event: "constructor" }, ["event"], ["event", "purchase", null]].map((entry) => dataLayer.push(entry));
    document.querySelector("button")!.click();
    document.querySelector("a")!.addEventListener("click", (event) => event.preventDefault());
    document.querySelector("a")!.click();
    dispatchEvent(new Event("submit"));
    document.dispatchEvent(new Event("copy"));
    document.dispatchEvent(new Event("input"));
    return lengths;
  });
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const told = await toldIn(tab);
  assert.ok(told.every(([event]) => typeof event === "string"));
  assert.ok(!told.some(([event]) => event === ""), "an event has a name");
});

test("a teller that throws or rejects is nobody's trouble", async (t) => {
  const site = await captureSite(t, [], { "/": page(`<button data-idoine-click="a">A</button>`) });
  const tab = await visit(t, DESKTOP);
  await tab.goto(site.origin);
  const clicks = await tab.evaluate(async () => {
    const address: string = "/_idoine/capture.js";
    const { start } = (await import(address)) as typeof import("../../www/src/capture/index.ts");
    let calls = 0;
    const end = start(["pages", "clicks"], { track: () => (calls++ ? Promise.reject(new Error("later")) : JSON.parse("{")), page: () => Promise.reject(new Error("later")) }, () => () => {});
    document.querySelector("button")!.click();
    document.querySelector("button")!.click();
    await new Promise((resolve) => setTimeout(resolve, 50));
    end();
    return calls;
  });
  assert.equal(clicks, 2);
});

test("it works under a strict policy and Trusted Types, and in a frame without storage and cookies", async (t) => {
  const policy = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
  const script = `import { start } from "/_idoine/capture.js";
    const told = [];
    const tell = (event) => {
      told.push(event);
      // The chunk of web vitals has come too.
      if (event !== "Web Vital Measured") return;
      let storage = "there";
      try { localStorage.length + document.cookie; } catch (cause) { storage = cause.name; }
      parent.postMessage({ told: told.filter((one) => one !== event), storage }, "*");
    };
    start(${JSON.stringify(ALL)}, { track: tell, page: () => tell("page") }, () => () => {});
    document.querySelector("button").click();`;
  // A frame in a sandbox is of no origin: its scripts are another site's to it.
  const shared = (route: Route): Route => ({ ...(route as object), headers: { "access-control-allow-origin": "*" } });
  const site = await captureSite(t, [], {
    "/frame": { body: page(`<button data-idoine-click="a">A</button><script type="module" src="/frame.js"></script>`), headers: { "content-security-policy": policy } },
    "/frame.js": shared({ type: "text/javascript", body: script }),
    ...Object.fromEntries(Object.entries(assets("capture.js", "shop.js", "vitals.js")).map(([path, route]) => [path, shared(route)])),
  });
  const tab = await visit(t, DESKTOP);
  const violations: string[] = [];
  tab.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  for (const [sandbox, storage] of [["allow-scripts allow-same-origin", "there"], ["allow-scripts", "SecurityError"]] as const) {
    await tab.goto(`${site.origin}/host`);
    const seen = await tab.evaluate(
      (sandbox) =>
        new Promise((resolve) => {
          addEventListener("message", ({ data }) => resolve(data));
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", sandbox);
          frame.src = "/frame";
          document.body.append(frame);
        }),
      sandbox,
    );
    assert.deepEqual(seen, { told: ["page", "Element Clicked"], storage });
  }
  assert.deepEqual(violations, []);
});

test("markup: microdata tells the page's product; of several nothing; what a route left behind is not the next one's", async (t) => {
  const microdata = `<div itemscope itemtype="https://schema.org/Product"><meta itemprop="sku" content="BAG-7"><h2 itemprop="name">Bag</h2>
    <div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="price" content="40"><meta itemprop="priceCurrency" content="EUR"></div>
    <div itemprop="isRelatedTo" itemscope itemtype="https://schema.org/Product"><meta itemprop="sku" content="SHO-1"></div></div>`;
  const { tab } = await open(t, page(microdata), ["ecommerce", "data_layer"]);
  const bag = ["Product Viewed", { product_id: "BAG-7", sku: "BAG-7", name: "Bag", price: 40, currency: "EUR" }];
  assert.deepEqual(await toldIn(tab), [bag]);
  // The same product again, by the data layer: one view is one.
  await tab.evaluate(() => void (window as any).dataLayer.push({ event: "view_item", ecommerce: { items: [{ item_id: "BAG-7" }] } }));
  await push(tab, "/list");
  await pass(tab);
  assert.deepEqual(await toldIn(tab), [bag], "what was left behind");
  // The next route's markup comes late.
  await push(tab, "/shoe");
  await pass(tab);
  const json = (...skus: string[]): Promise<void> =>
    tab.evaluate((skus) => {
      document.querySelector("[itemscope]")?.remove();
      for (const old of document.querySelectorAll("script[type='application/ld+json']")) old.remove();
      const script = document.createElement("script");
      script.type = "application/ld+json";
      script.textContent = JSON.stringify(skus.map((sku) => ({ "@type": "Product", sku, name: sku })));
      document.head.append(script);
    }, skus);
  await json("SHO-1");
  await pass(tab, 500);
  const shoe = ["Product Viewed", { product_id: "SHO-1", sku: "SHO-1", name: "SHO-1" }];
  assert.deepEqual(await toldIn(tab), [bag, shoe]);
  await push(tab, "/list");
  await json("SHO-1", "SHO-2");
  await pass(tab, 500);
  assert.deepEqual(await toldIn(tab), [bag, shoe]);
  // Back to the shoe: it is looked at again.
  await push(tab, "/shoe");
  await json("SHO-1");
  await pass(tab, 500);
  assert.deepEqual(await toldIn(tab), [bag, shoe, shoe]);
});

test("search: a form that leads to a page of results and that page are one search; more results and a reload are none", async (t) => {
  const body = `<form action="/" data-idoine-search><input name="q" type="search"><button>Search</button></form><a id="more" href="/?q=Red+Shoes&page=2">More</a>`;
  const { tab } = await open(t, page(body), ["search"]);
  const again = async (act: () => Promise<unknown>): Promise<unknown> => {
    await tab.evaluate(() => ((document as any).isOld = true));
    await act();
    await tab.waitForFunction(() => !(document as any).isOld && document.readyState === "complete");
    const seen = await toldIn(tab);
    await tab.evaluate(() => sessionStorage.removeItem("told"));
    await listen(tab, ["search"]);
    return [...seen, ...(await toldIn(tab))];
  };
  await tab.fill("[name=q]", "Red Shoes");
  assert.deepEqual(await again(() => tab.click("button")), [["Products Searched", { query: "red shoes" }]]);
  await tab.evaluate(() => sessionStorage.removeItem("told"));
  assert.deepEqual(await again(() => tab.reload()), []);
  assert.deepEqual(await again(() => tab.click("#more")), []);
  await tab.fill("[name=q]", "boots");
  assert.deepEqual(await again(() => tab.click("button")), [["Products Searched", { query: "boots" }]]);
});

test("search: a site names its own parameter", async (t) => {
  const own = page("").replace("<html", '<html data-idoine-search="term keywords"');
  const { tab } = await open(t, own, ["search"], "/?q=not-this&keywords=boots");
  assert.deepEqual(await toldIn(tab), [["Products Searched", { query: "boots" }]]);
});

test("an order is told once: a page of thanks that is loaded again tells none", async (t) => {
  const thanks = page(
    `<p data-idoine-event="Order Completed" data-idoine-on="load" data-idoine-order-id="1042" data-idoine-revenue="59.5">Thank you</p>`,
    `<script>dataLayer = [{ event: "purchase", ecommerce: { transaction_id: "1043", value: 9 } }];</script>`,
  );
  const { tab } = await open(t, thanks, ["ecommerce", "data_layer"]);
  const orders = [
    ["Order Completed", { order_id: "1042", revenue: 59.5 }],
    ["Order Completed", { order_id: "1043", revenue: 9, products: [] }],
  ];
  assert.deepEqual(await toldIn(tab), orders);
  await tab.reload();
  await tab.evaluate(() => sessionStorage.removeItem("told"));
  await listen(tab, ["ecommerce", "data_layer"]);
  assert.deepEqual(await toldIn(tab), []);
  await tab.evaluate(() => void (window as any).dataLayer.push({ event: "purchase", ecommerce: { transaction_id: "1044" } }));
  assert.deepEqual(await toldIn(tab), [["Order Completed", { order_id: "1044", products: [] }]]);
});

test("what no next page is decided by is sent together, or when the page is hidden, and never before it may be", async (t) => {
  const tall = `<div style="height: 8000px"></div><button data-idoine-click="a">A</button>`;
  const loader = `<script async src="/_idoine/idoine.js" data-capture="scroll clicks"></script>`;
  const site = await captureSite(t, [], { ...assets("idoine.js", "live.js"), "/": page(tall, loader), "/_idoine/collect": json({ results: [] }) });
  const bodies = (): string[][] => site.asked.filter(({ path }) => path === "/_idoine/collect").map(({ body }) => (JSON.parse(body) as { events: { event: string; properties: { percent?: number } }[] }).events.map(({ event, properties }) => `${event} ${properties.percent ?? ""}`));
  const tab = await visit(t, DESKTOP);
  const arrive = async (): Promise<void> => {
    const loaded = tab.waitForResponse("**/_idoine/capture.js");
    await tab.goto(site.origin);
    await (await loaded).finished();
    await pass(tab);
  };
  const scroll = async (to: number): Promise<void> => {
    await tab.evaluate((to) => scrollTo(0, to), to);
    await pass(tab, 200);
  };
  await arrive();
  await tab.evaluate(() => document.querySelector("button")!.click());
  await scroll(9000);
  await tab.goto(`${site.origin}/other`);
  await pass(tab);
  assert.deepEqual(bodies(), [], "nobody agreed");
  await tab.evaluate(() => void (document.cookie = "idoine_consent=v2.analytics.1.1763900000.v"));
  await arrive();
  await scroll(2000);
  await scroll(4000);
  assert.deepEqual(bodies(), []);
  await tab.evaluate(() => document.querySelector("button")!.click());
  await until(async () => bodies().length > 0);
  assert.deepEqual(bodies(), [["Page Scrolled 25", "Page Scrolled 50", "Element Clicked "]]);
  await scroll(9000);
  await tab.goto(`${site.origin}/other`);
  await until(async () => bodies().length > 1);
  assert.deepEqual(bodies()[1], ["Page Scrolled 75", "Page Scrolled 90", "Page Scrolled 100"]);
  await arrive();
  await scroll(2000);
  // Nothing follows: it goes by itself.
  await until(async () => bodies().length > 2);
  assert.deepEqual(bodies()[2], ["Page Scrolled 25"]);
});

test("a page that is rendered ahead tells nothing before it is shown", async (t) => {
  const site = await captureSite(t, [], { "/": page(`<button data-idoine-click="a">A</button>`) });
  const tab = await visit(t, DESKTOP);
  await tab.addInitScript(() => Object.defineProperty(document, "prerendering", { configurable: true, value: true }));
  await tab.goto(site.origin);
  await listen(tab, ["pages", "clicks"]);
  await tab.click("button");
  assert.deepEqual(await toldIn(tab), []);
  await tab.evaluate(() => {
    delete (document as { prerendering?: boolean }).prerendering;
    document.dispatchEvent(new Event("prerenderingchange"));
  });
  await tab.click("button");
  assert.deepEqual((await toldIn(tab)).map(([event]) => event), ["page", "Element Clicked"]);
});

test("a page that comes back by the browser's button is viewed again", async (t) => {
  const { tab } = await open(t, page(""), ["pages"]);
  await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await pass(tab);
  assert.deepEqual((await toldIn(tab)).map(([, { path, virtual }]) => [path, virtual]), [["/", false], ["/", true]]);
});

test("a page that is left before its route has settled has told of it", async (t) => {
  const { tab, site } = await open(t, page(""), ["pages"]);
  await tab.evaluate((to) => {
    history.pushState(null, "", "/short");
    location.href = to;
  }, `${site.origin}/other`);
  await tab.waitForURL("**/other");
  assert.deepEqual((await toldIn(tab)).map(([, { path }]) => path), ["/", "/short"]);
});

test("over 500 routes with all kinds on, what is kept does not grow", async (t) => {
  const { tab } = await open(t, page(`<input name="a">`), ALL.filter((kind) => kind !== "web_vitals"));
  const client = await tab.context().newCDPSession(tab);
  const wander = (from: number): Promise<void> =>
    tab.evaluate(async (from) => {
      sessionStorage.clear();
      for (let at = from; at < from + 250; at++) {
        history.pushState(null, "", `/route-${at}?q=${at}`);
        const form = document.createElement("form");
        form.innerHTML = `<p data-idoine-event="Cart Viewed" data-idoine-on="load">${at}</p>`;
        document.querySelector("form")?.remove();
        document.body.append(form);
        if (at % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
      }
    }, from);
  const counted = async (): Promise<{ nodes: number; listeners: number }> => {
    await client.send("HeapProfiler.collectGarbage");
    const { nodes, jsEventListeners } = await client.send("Memory.getDOMCounters");
    return { nodes, listeners: jsEventListeners };
  };
  await wander(0);
  const before = await counted();
  await wander(250);
  const later = await counted();
  assert.equal(later.listeners, before.listeners);
  assert.ok(later.nodes <= before.nodes + 50, `${before.nodes} nodes, then ${later.nodes}`);
});

test("what is told is short, has no query and no address of a person, and is JSON", () => {
  assert.equal(text("  ada@shop.example \n wrote to ben%40shop.example/x  "), "… wrote to …/x");
  assert.equal(text("x".repeat(500)).length, 200);
  assert.equal(text(`${"x".repeat(199)}😀`), "x".repeat(199));
  assert.equal(text("\ud800x"), "x");
  assert.deepEqual(tidy({ a: NaN, b: "", c: undefined, d: null, e: [1, "", [2]], f: { g: "x", h: {} }, i: () => 1, j: false, k: 0 }), { e: [1, [2]], f: { g: "x", h: {} }, j: false, k: 0 });
  assert.equal((tidy({ list: Array.from({ length: 90 }, (_, at) => at) }).list as unknown[]).length, 50);
  (globalThis as any).location = new URL("https://shop.example/");
  try {
    assert.equal(address("https://a.example/x/y?z=secret#secret"), "a.example/x/y");
    assert.equal(address("/own?z=1"), "shop.example/own");
    for (const none of ["", "blob:https://a.example/1", "mailto:ada@a.example", "http://["]) assert.equal(address(none), "");
  } finally {
    delete (globalThis as any).location;
  }
});

test("every event of GA4 in the documentation is told by the name that stands there, and no other", () => {
  const doc = readFileSync(new URL("../../docs/capture.md", import.meta.url), "utf8");
  const rows = [...doc.slice(doc.indexOf("### dataLayer")).matchAll(/^\| (`[a-z_`, ]+) \| (.+) \|$/gm)];
  assert.deepEqual(rows.flatMap(([, theirs]) => theirs!.match(/\w+/g)!).sort(), Object.keys(RULES).sort());
  const items = [{ item_id: "p1", item_name: "Shoe", price: "9.5", quantity: "2", index: 3, secret: "s3cret" }, { item_id: 2 }];
  for (const [, theirs, ours] of rows) {
    for (const [, name] of theirs!.matchAll(/`(\w+)`/g)) {
      const events = translate(name, { items, value: "19", search_term: "shoes", method: "mail", user_data: "s3cret" });
      assert.ok(events.length > 0, name);
      for (const [event, properties] of events) {
        assert.ok(ours!.includes(event), `${name}: ${event}`);
        assert.ok(!JSON.stringify(properties).includes("s3cret"));
      }
    }
  }
  assert.deepEqual(translate("add_to_cart", { items, currency: "EUR" }).map(([event, { product_id, quantity, price }]) => [event, product_id, quantity, price]), [
    ["Product Added", "p1", 2, 9.5],
    ["Product Added", "2", undefined, undefined],
  ]);
  for (const none of ["page_view", "gtm.js", "constructor", "", undefined, 7]) assert.deepEqual(translate(none, {}), []);
});
