// The typed client as a module, and what its edits do to a live document.
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import type { createIdoine as Create } from "../../www/src/index.ts";
import type { Edit, Idoine } from "../../www/src/types.ts";
import { assets } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit } from "./fixtures/browser.ts";
import { answer, BODY, HERO, HERO_TEXT, NO_HERO, page } from "./fixtures/pages.ts";
import { json, serve, type Route, type Site } from "./fixtures/server.ts";

after(closeBrowser);

declare global {
  var client: Idoine;
  var createIdoine: typeof Create;
  var news: unknown[];
}

const MODULE = '<script type="module">import { createIdoine } from "/_idoine/client.js"; globalThis.createIdoine = createIdoine;</script>';

interface Shop extends Site {
  /** What `decide` answers next. */
  edits: readonly Edit[];
}

/** A site whose Worker answers with `edits`, and a page of it with a client that decides when told to. */
async function open(t: TestContext, body = BODY, routes: Record<string, Route> = {}, auto = false): Promise<{ shop: Shop; tab: Page }> {
  let shop: Shop;
  const site = await serve({
    ...assets("client.js", "edits.js"),
    "/": page(MODULE, body),
    "/_idoine/decide": () => json(answer(shop.edits.length ? [HERO] : [NO_HERO], [...shop.edits])),
    ...routes,
  });
  shop = Object.assign(site, { edits: [] });
  t.after(() => shop.close());
  const tab = await visit(t);
  await tab.goto(shop.origin);
  await tab.waitForFunction(() => globalThis.createIdoine);
  await tab.evaluate((follow) => void (globalThis.client = createIdoine({ auto: follow })), auto);
  return { shop, tab };
}

async function decide({ shop, tab }: { shop: Shop; tab: Page }, edits: readonly Edit[]): Promise<void> {
  shop.edits = edits;
  await tab.evaluate(async () => void (await client.decide()));
}

const html = (selector: string, value: string): Edit => ({ slot: "hero", selector, op: "html", value });
const text = (selector: string, value: string): Edit => ({ slot: "hero", selector, op: "text", value });
const bodyOf = (tab: Page): Promise<string> => tab.evaluate(() => document.body.innerHTML);

test("deciding again with the same answer touches nothing", async (t) => {
  const visit = await open(t);
  const edits: Edit[] = [
    HERO_TEXT,
    html("#intro", "<b>a</b>b"),
    { slot: "cta", selector: ".cta", op: "class_remove", value: "small" },
    { slot: "news", selector: "aside", op: "hide" },
    { slot: "photo", selector: "img", op: "attribute", name: "alt", value: "Boots" },
  ];
  await decide(visit, edits);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    new MutationObserver((records) => news.push(...records)).observe(document, {
      childList: true,
      subtree: true,
      attributes: true,
      characterData: true,
    });
  });
  await decide(visit, edits);
  assert.equal(await visit.tab.evaluate(() => news.length), 0);
});

test("what the edge has already written is recognised and left alone", async (t) => {
  const visit = await open(t, '<h1>Already</h1><p class="on"><b>there</b> &amp; ready</p>');
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    new MutationObserver((records) => news.push(...records)).observe(document, { childList: true, subtree: true, attributes: true });
  });
  await decide(visit, [
    text("h1", "Already"),
    html("p", "<b>there</b> & ready"),
    { slot: "hero", selector: "p", op: "class_add", value: "on" },
  ]);
  assert.equal(await visit.tab.evaluate(() => news.length), 0);
});

test("the baseline comes back with its own nodes and their listeners", async (t) => {
  const visit = await open(t, '<main><p>Old <button>press</button></p></main>');
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    document.querySelector("button")?.addEventListener("click", () => news.push("pressed"));
  });
  const before = await bodyOf(visit.tab);
  await decide(visit, [html("main p", "<em>New</em>")]);
  assert.equal(await bodyOf(visit.tab), "<main><p><em>New</em></p></main>");
  await decide(visit, []);
  assert.equal(await bodyOf(visit.tab), before);
  await visit.tab.click("button");
  assert.deepEqual(await visit.tab.evaluate(() => news), ["pressed"]);
});

test("content that the page itself wrote over an edit is not overwritten by an old baseline", async (t) => {
  const visit = await open(t);
  await decide(visit, [HERO_TEXT, html("#intro", "<b>edit</b>")]);
  // In one task with the call, so that the edits cannot be put back in between.
  visit.shop.edits = [];
  await visit.tab.evaluate(async () => {
    const done = client.decide();
    document.querySelector("h1")!.textContent = "About us";
    document.querySelector("#intro")!.innerHTML = "<i>Our story</i>";
    await done;
  });
  assert.equal(await visit.tab.innerHTML("h1"), "About us");
  assert.equal(await visit.tab.innerHTML("#intro"), "<i>Our story</i>");
});

test("an edit that a framework renders over is put back, and its new baseline is remembered", async (t) => {
  const visit = await open(t);
  await decide(visit, [HERO_TEXT]);
  await visit.tab.evaluate(() => void (document.querySelector("h1")!.firstChild!.nodeValue = "Sale of the week"));
  await visit.tab.waitForFunction(() => document.querySelector("h1")?.textContent === "Seen on <Instagram>");
  await decide(visit, []);
  assert.equal(await visit.tab.textContent("h1"), "Sale of the week");
});

test("a page that fights over a slot gets it: there is no endless loop", async (t) => {
  const visit = await open(t);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    const title = document.querySelector("h1")!;
    new MutationObserver(() => {
      if (title.textContent === "Mine") return;
      news.push(title.textContent);
      title.textContent = "Mine";
    }).observe(title, { childList: true, subtree: true, characterData: true });
  });
  await decide(visit, [HERO_TEXT]);
  await until(() => visit.tab.evaluate(() => news.length >= 4));
  // Frames go by, and nothing more happens.
  await visit.tab.evaluate(async () => {
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
  });
  assert.equal(await visit.tab.evaluate(() => news.length), 4, "once, and three times again");
  assert.equal(await visit.tab.textContent("h1"), "Mine");
});

test("a page that makes the element anew each time gets it as well", async (t) => {
  const visit = await open(t);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    const header = document.querySelector("header")!;
    new MutationObserver(() => {
      const title = header.querySelector("h1")!;
      if (title.textContent === "Mine") return;
      news.push(title.textContent);
      const fresh = document.createElement("h1");
      fresh.textContent = "Mine";
      title.replaceWith(fresh);
    }).observe(header, { childList: true, subtree: true, characterData: true });
  });
  await decide(visit, [HERO_TEXT]);
  await until(() => visit.tab.evaluate(() => news.length >= 4));
  await visit.tab.evaluate(async () => {
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
  });
  assert.equal(await visit.tab.evaluate(() => news.length), 4, "once, and three times again");
  assert.equal(await visit.tab.textContent("h1"), "Mine");
  // New decisions are a new start.
  await decide(visit, [HERO_TEXT]);
  await until(() => visit.tab.evaluate(() => news.length >= 8));
});

test("a list that is made anew row by row is edited as a whole", async (t) => {
  const visit = await open(t, `<ul>${"<li>row</li>".repeat(12)}</ul>`);
  await decide(visit, [text("li", "edited")]);
  await visit.tab.evaluate(async () => {
    for (const row of [...document.querySelectorAll("li")]) {
      const fresh = document.createElement("li");
      fresh.textContent = "row";
      row.replaceWith(fresh);
      await new Promise(requestAnimationFrame);
    }
  });
  await visit.tab.waitForFunction(() => document.querySelector("ul")?.textContent === "edited".repeat(12));
});

test("no text and no HTML goes into elements whose content is code or a document of its own", async (t) => {
  const raw = ["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript"];
  const body = `${raw.map((name) => `<${name} class="raw"></${name}>`).join("")}<svg><script class="raw"></script></svg><p class="raw"></p><plaintext class="raw">`;
  const visit = await open(t, body);
  const before = await bodyOf(visit.tab);
  const attack: Edit[] = [text(".raw", "globalThis.news = ['run']"), { slot: "other", selector: ".raw", op: "class_add", value: "on" }];
  await decide(visit, attack);
  const expected = before.replaceAll('"raw"', '"raw on"').replace('<p class="raw on">', "$&globalThis.news = ['run']");
  assert.equal(await bodyOf(visit.tab), expected, "only the paragraph has the text; other edits are made");
  await decide(visit, [html(".raw", "<b>x</b>")]);
  assert.equal(await bodyOf(visit.tab), before.replace('<p class="raw">', "$&<b>x</b>"));
  assert.equal(await visit.tab.evaluate(() => globalThis.news), undefined);
});

test("the page is watched as long as edits stand, and not longer", async (t) => {
  const visit = await open(t);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    const { observe, disconnect } = MutationObserver.prototype;
    MutationObserver.prototype.observe = function (...args) {
      if (args[0] === document) news.push("watch");
      observe.apply(this, args);
    };
    MutationObserver.prototype.disconnect = function () {
      news.push("unwatch");
      disconnect.apply(this);
    };
  });
  await decide(visit, []);
  assert.deepEqual(await visit.tab.evaluate(() => news), []);
  await decide(visit, [HERO_TEXT]);
  await until(() => visit.tab.evaluate(() => news.at(-1) === "watch"));
  await decide(visit, []);
  assert.equal(await visit.tab.evaluate(() => news.at(-1)), "unwatch");
});

test("a page that fights is answered after ever longer pauses, and an edit that stood is put back at once", async (t) => {
  const visit = await open(t);
  await decide(visit, [HERO_TEXT]);
  await visit.tab.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/edits.js")));
  await visit.tab.clock.install();
  const overwrite = (): Promise<void> => visit.tab.evaluate(() => void (document.querySelector("h1")!.textContent = "Mine"));
  const shown = async (): Promise<boolean> => (await visit.tab.textContent("h1")) === HERO_TEXT.value;
  for (let round = 0; round < 10; round++) {
    await visit.tab.clock.runFor(6000);
    await overwrite();
    await visit.tab.clock.runFor(50);
    assert.ok(await shown(), "a page that renders now and then");
  }
  await visit.tab.clock.runFor(6000);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    const title = document.querySelector("h1")!;
    const fight = (): void => {
      if (title.textContent === "Mine") return;
      news.push(0);
      title.textContent = "Mine";
    };
    new MutationObserver(fight).observe(title, { childList: true, subtree: true, characterData: true });
    fight();
  });
  const fought = async (milliseconds: number): Promise<number> => {
    // Mutations are told between the page's tasks, which a clock that stands still has none of.
    for (let time = 0; time < milliseconds; time += milliseconds / 60) await visit.tab.clock.runFor(milliseconds / 60);
    return visit.tab.evaluate(() => news.length);
  };
  assert.equal(await fought(600), 4, "once, and three times again");
  assert.equal(await fought(1000), 5);
  assert.equal(await fought(2400), 6);
  const minute = await fought(60_000);
  assert.ok(minute >= 9 && minute <= 10, `${minute}`);
});

test("elements that come after the decision are edited, all that match", async (t) => {
  const visit = await open(t, "<ul></ul>");
  await decide(visit, [text("li", "edited")]);
  await visit.tab.evaluate(() => {
    for (let index = 0; index < 3; index++) document.querySelector("ul")!.append(document.createElement("li"));
  });
  await visit.tab.waitForFunction(() => document.querySelector("ul")?.textContent === "edited".repeat(3));
});

test("an edit may change the very thing that its selector reads", async (t) => {
  const visit = await open(t);
  const edits: Edit[] = [
    { slot: "cta", selector: "a.small", op: "class_remove", value: "small" },
    { slot: "cta", selector: 'a[href="/shop"]', op: "attribute", name: "href", value: "/sale" },
  ];
  const edited = BODY.replace("cta small", "cta").replace("/shop", "/sale");
  await decide(visit, edits);
  assert.equal(await bodyOf(visit.tab), edited);
  await visit.tab.evaluate(() => document.body.append("x"));
  await visit.tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await bodyOf(visit.tab), edited + "x");
  await decide(visit, edits);
  assert.equal(await bodyOf(visit.tab), edited + "x");
  await decide(visit, []);
  assert.equal(await bodyOf(visit.tab), BODY + "x");
});

test("content that an edit brought is not searched for slots", async (t) => {
  const visit = await open(t, "<div><p>one</p></div>");
  await decide(visit, [html("div", "<p>two</p>"), text("p", "three")]);
  await decide(visit, [html("div", "<p>two</p>"), text("p", "three")]);
  assert.equal(await bodyOf(visit.tab), "<div><p>two</p></div>");
  await decide(visit, [text("p", "three")]);
  assert.equal(await bodyOf(visit.tab), "<div><p>three</p></div>");
});

test("what was typed in is not taken away; its slot changes when it is sent or taken back", async (t) => {
  const visit = await open(t, '<form><label>Name <input id="name"></label></form><button>Next</button>');
  await visit.tab.click("#name");
  await visit.tab.keyboard.type("Ma");
  await decide(visit, [html("form", "<p>Thanks</p>"), { slot: "b", selector: "label", op: "hide" }]);
  await visit.tab.keyboard.type("ya");
  assert.equal(await visit.tab.inputValue("#name"), "Maya");
  await visit.tab.click("button");
  await visit.tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await visit.tab.inputValue("#name"), "Maya", "it is no longer the focus, and still theirs");
  await visit.tab.evaluate(() => document.querySelector("form")!.reset());
  await visit.tab.waitForFunction(() => document.querySelector("form")?.textContent === "Thanks");
});

test("attributes and classes of the focused element change without loss of focus or text", async (t) => {
  const visit = await open(t, '<input class="small" placeholder="Search">');
  await visit.tab.click("input");
  await visit.tab.keyboard.type("boots");
  await decide(visit, [
    { slot: "s", selector: "input", op: "attribute", name: "placeholder", value: "Find shoes" },
    { slot: "s", selector: "input", op: "class_remove", value: "small" },
  ]);
  assert.deepEqual(
    await visit.tab.evaluate(() => {
      const input = document.activeElement as HTMLInputElement;
      return [input.localName, input.value, input.placeholder, input.className];
    }),
    ["input", "boots", "Find shoes", ""],
  );
});

test("subscribers hear of changes only, each of its own slot, until they leave", async (t) => {
  const visit = await open(t);
  await visit.tab.evaluate(() => {
    globalThis.news = [];
    client.subscribe((decisions, values) => news.push(["all", decisions.length, values.offer]));
    client.subscribe("hero", (decision) => news.push(["hero", decision?.source]));
    client.subscribe("offer", (_, value) => news.push(["offer", value]));
    client.subscribe("hero", () => {
      throw new Error("the page's own mistake");
    });
  });
  const offer: Edit = { slot: "offer", selector: "", op: "json", value: "7" };
  await decide(visit, [HERO_TEXT]);
  await decide(visit, [HERO_TEXT]);
  await decide(visit, [HERO_TEXT, offer]);
  await decide(visit, []);
  assert.deepEqual(await visit.tab.evaluate(() => news), [
    ["all", 1, undefined],
    ["hero", "personalization"],
    ["all", 1, 7],
    ["offer", 7],
    ["all", 1, undefined],
    ["hero", "baseline"],
    ["offer", undefined],
  ]);
  const heard = await visit.tab.evaluate(() => {
    globalThis.news = [];
    const leave = client.subscribe(() => news.push("heard"));
    leave();
  });
  await decide(visit, [offer]);
  assert.equal(heard, undefined);
  assert.ok(!(await visit.tab.evaluate(() => news.includes("heard"))));
});

for (const api of ["Navigation API", "history only"]) {
  test(`route changes are followed (${api}); fragments and tidied addresses are none`, async (t) => {
    const urls: string[] = [];
    const site = await serve({
      ...assets("client.js", "edits.js"),
      "/": page(MODULE),
      "/_idoine/decide": ({ body }) => {
        urls.push(new URL((JSON.parse(body) as { url: string }).url).pathname);
        return json(answer([NO_HERO]));
      },
    });
    t.after(() => site.close());
    const tab = await visit(t);
    if (api === "history only") await tab.addInitScript(() => void Reflect.deleteProperty(window, "navigation"));
    await tab.goto(site.origin);
    await tab.waitForFunction(() => globalThis.createIdoine);
    await tab.evaluate(() => void (globalThis.client = createIdoine()));
    const seen = (count: number): Promise<void> => until(async () => urls.length >= count);
    await tab.evaluate(() => {
      history.pushState(null, "", "#section");
      location.hash = "other";
      history.replaceState({ scroll: 1 }, "");
    });
    await tab.evaluate(() => history.pushState(null, "", "/a"));
    await seen(1);
    await tab.evaluate(() => history.replaceState(null, "", "/b"));
    await seen(2);
    await tab.evaluate(() => {
      history.pushState(null, "", "/c?utm_source=x");
      history.replaceState(null, "", "/c");
    });
    await seen(3);
    await tab.evaluate(() => history.back());
    await seen(4);
    assert.deepEqual(urls, ["/a", "/b", "/c", "/b"]);
    await tab.evaluate(() => {
      client.stop();
      history.pushState(null, "", "/d");
    });
    await tab.evaluate(async () => void (await client.decide()));
    assert.deepEqual(urls, ["/a", "/b", "/c", "/b", "/d"], "the call is heard, the route is not");
  });
}

test("of two questions under way the later one counts, whatever order the answers come in", async (t) => {
  const waiting: (() => void)[] = [];
  const visit = await open(t, BODY, {
    "/_idoine/decide": async ({ body }) => {
      const { pathname } = new URL((JSON.parse(body) as { url: string }).url);
      if (pathname === "/slow") await new Promise<void>((resolve) => waiting.push(resolve));
      return json(answer([HERO], [{ ...HERO_TEXT, value: pathname }]));
    },
  }, true);
  await visit.tab.evaluate(async () => {
    // Routes are followed from when the page has nothing better to do.
    await new Promise((done) => requestIdleCallback(done));
    history.pushState(null, "", "/slow");
    history.pushState(null, "", "/fast");
  });
  await visit.tab.waitForFunction(() => document.querySelector("h1")?.textContent === "/fast");
  const arrived = visit.tab.waitForEvent("requestfinished");
  for (const release of waiting) release();
  await arrived;
  await visit.tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await visit.tab.textContent("h1"), "/fast");
});

test("consent behind the Worker is asked and told there, and the page stays until the next decision", async (t) => {
  let granted: string[] = [];
  const visit = await open(t, BODY, {
    "/_idoine/consent": ({ method, body }) => {
      if (method === "POST") granted = (JSON.parse(body) as { granted: string[] }).granted;
      return json({ granted, decided: granted.length > 0 });
    },
  });
  assert.deepEqual(await visit.tab.evaluate(() => client.consent.get()), { granted: [], decided: false });
  assert.deepEqual(await visit.tab.evaluate(() => client.consent.set(["personalization"])), {
    granted: ["personalization"],
    decided: true,
  });
  assert.deepEqual(granted, ["personalization"]);
  assert.ok(!visit.shop.paths().includes("POST /_idoine/decide"));
});
