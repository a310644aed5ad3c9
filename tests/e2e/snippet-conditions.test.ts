// Whatever a page is in, the snippet works in it: strict policies, no storage, other sites' cookies blocked, frames, two tags. Each of them for
// each way in which a page has decisions.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test, type TestContext } from "node:test";
import type { Frame, Page } from "playwright-core";
import type { createIdoine as Create } from "../../www/src/index.ts";
import type { Edit } from "../../www/src/types.ts";
import { built, stub } from "./fixtures/artefacts.ts";
import { closeBrowser, until, visit, visitWith } from "./fixtures/browser.ts";
import { answer, HERO, HERO_TEXT, page } from "./fixtures/pages.ts";
import { allow, json, serve, type Asked, type Route } from "./fixtures/server.ts";
import { decided, exercise, hiding, ready, SHOWN, start, WAYS, type Running } from "./fixtures/ways.ts";

after(closeBrowser);

const visibility = (tab: Pick<Page, "evaluate">): Promise<string> => tab.evaluate(() => getComputedStyle(document.querySelector("h1")!).visibility);

/** Says, when called, what the browser refused by a policy. */
async function violations(tab: Page): Promise<() => Promise<string[]>> {
  await tab.addInitScript(() => {
    const seen: string[] = ((window as any).violations = []);
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => void seen.push(`${effectiveDirective} ${blockedURI} ${sample}`));
  });
  // What was refused is told in a task of its own.
  return () => tab.evaluate(() => new Promise<string[]>((resolve) => setTimeout(() => resolve((window as any).violations))));
}

/** It decides, shows what it decided, takes every call, and hides nothing any more. */
async function works(tab: Page | Frame, what: string): Promise<void> {
  await ready(tab);
  assert.equal(await decided(tab), SHOWN, what);
  assert.deepEqual(await exercise(tab), [], what);
  assert.equal(await decided(tab), SHOWN, what);
  assert.equal(await visibility(tab), "visible", what);
}

/** The page's own style and picture, which these policies refuse. */
const OWN = ["style-src-attr inline ", "img-src data "];

const hashOf = (bytes: string | Buffer): string => `'sha256-${createHash("sha256").update(bytes).digest("base64")}'`;

for (const way of WAYS) {
  // Only where the page decides for itself is there WebAssembly.
  const wasm = way === "static" ? " 'wasm-unsafe-eval'" : "";
  const rest = `connect-src 'self'${way === "api" ? " http://127.0.0.1:*" : ""}; require-trusted-types-for 'script'; trusted-types idoine`;

  /** Opens a page with this policy. */
  async function under(t: TestContext, policy: string, head: string, attributes: string): Promise<void> {
    const running = await start(t, way, { head, attributes, headers: { "content-security-policy": policy } });
    const tab = await visit(t);
    const refused = await violations(tab);
    await tab.goto(running.origin);
    await works(tab, policy);
    assert.deepEqual(await refused(), OWN, policy);
  }

  test(`${way}: a strict policy by nonce, with Trusted Types, refuses nothing of ours`, async (t) => {
    for (const strict of ["", " 'strict-dynamic'"]) {
      await under(t, `default-src 'none'; script-src 'nonce-abc'${strict}${wasm}; ${rest}`, hiding('nonce="abc"'), 'nonce="abc"');
    }
  });

  test(`${way}: a strict policy by hash lets in the stub by its text and the loader by its bytes`, async (t) => {
    const [mine, loader] = [hashOf(stub()), hashOf(built("assets/_idoine/idoine.js"))];
    // What the loader loads by itself is let in by where it is.
    await under(t, `default-src 'none'; script-src ${mine} ${loader} http://127.0.0.1:*/_idoine/${wasm}; ${rest}`, hiding(), `integrity="${loader.slice(1, -1)}"`);
  });
}

/** What throws in a browser that keeps nothing: every door to storage. */
const closeStorage = (): void => {
  const refuse = (): never => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };
  Object.defineProperty(Document.prototype, "cookie", { get: refuse, set: refuse });
  for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches", "cookieStore"]) Object.defineProperty(window, name, { get: refuse });
};

for (const way of WAYS) {
  test(`${way}: with every storage throwing, the page is decided and every call is taken`, async (t) => {
    const running = await start(t, way, { head: hiding() });
    const tab = await visit(t);
    await tab.addInitScript(closeStorage);
    await tab.goto(running.origin);
    await works(tab, way);
  });

  test(`${way}: in a browser whose visitor blocks all cookies and storage`, async (t) => {
    const running = await start(t, way, { head: hiding() });
    const tab = await visitWith(t, { profile: { default_content_setting_values: { cookies: 2 } } });
    await tab.goto(running.origin);
    const state = await tab.evaluate(() => {
      document.cookie = "a=1";
      try {
        return `${document.cookie} ${localStorage.length}`;
      } catch (cause) {
        return `${document.cookie}${(cause as Error).name}`;
      }
    });
    assert.equal(state, "SecurityError", "the browser does block storage");
    await works(tab, way);
  });
}

/** Private windows: nothing is there from before, and what another site keeps is blocked. */
const PRIVATE = { profile: { cookie_controls_mode: 1 } };
const ORDINARY = { profile: { cookie_controls_mode: 0 } };

test("in a private window a Worker at another site is asked without cookies, and decides", async (t) => {
  for (const preferences of [PRIVATE, ORDINARY]) {
    // To the browser, localhost and 127.0.0.1 are two sites.
    const running = await start(t, "api", { head: hiding(), host: "localhost", routes: { "/_idoine/decide": cookied } });
    const tab = await visitWith(t, preferences);
    await tab.goto(running.origin);
    await works(tab, "api");
    const [first, ...later] = running.worker.asked.filter(({ method, path }) => method === "POST" && path === "/_idoine/decide").map(({ headers }) => headers.cookie);
    assert.equal(first, undefined);
    assert.ok(later.length >= 2);
    // Where nothing is blocked the same cookie does come back: it is the browser's setting that is tried here.
    assert.deepEqual(later, later.map(() => (preferences === PRIVATE ? undefined : "idoine_id=1")));
  }
});

/** A Worker's decision, with a cookie that the browser is to send with the next question. */
function cookied(request: Asked): Route {
  const headers = { ...allow(request), "set-cookie": "idoine_id=1; Path=/; SameSite=None; Secure" };
  return json(answer([HERO], [{ ...HERO_TEXT, value: SHOWN }]), headers);
}

for (const way of WAYS) {
  test(`${way}: in a frame of the same site, and in one that is sandboxed into an origin of its own`, async (t) => {
    const running = await start(t, way, { head: hiding() });
    for (const sandbox of ["", ' sandbox="allow-scripts"']) {
      const outer = await serve({ "/": page("", `<iframe src="${running.origin}"${sandbox}></iframe>`) });
      t.after(() => outer.close());
      const tab = await visit(t);
      await tab.goto(outer.origin);
      const frame = await inner(tab);
      if (sandbox) assert.equal(await frame.evaluate(() => globalThis.origin), "null");
      await works(frame, `${way}${sandbox}`);
    }
  });

  test(`${way}: in a frame of another site whose storage is blocked there`, async (t) => {
    const running = await start(t, way, { head: hiding() });
    const outer = await serve({ "/": page("", `<iframe src="${running.origin}"></iframe>`) });
    t.after(() => outer.close());
    const tab = await visitWith(t, PRIVATE);
    await tab.goto(outer.origin.replace("127.0.0.1", "localhost"));
    const frame = await inner(tab);
    assert.equal(await frame.evaluate(() => { try { return String(localStorage.length); } catch (cause) { return (cause as Error).name; } }), "SecurityError", "the browser does block storage");
    await works(frame, way);
  });
}

async function inner(tab: Page): Promise<Frame> {
  await until(async () => tab.frames().length === 2 && tab.frames()[1]!.url().startsWith("http"));
  return tab.frames()[1]!;
}

/** How often a path was asked for. */
const asked = ({ worker }: Running, path: string): number => worker.asked.filter((one) => one.path === path && one.method !== "OPTIONS").length;

const TWICE: Record<string, (tag: string) => string> = {
  "two tags": (tag) => tag + tag,
  "one async and one deferred": (tag) => tag + tag.replace("async", "defer"),
  "one that waits for nothing and one async": (tag) => tag.replace("async ", "") + tag,
  "two versions of it, by two addresses": (tag) => tag + tag.replace("idoine.js", "idoine.js?v=2"),
};

for (const way of WAYS) {
  for (const [what, markup] of Object.entries(TWICE)) {
    test(`${way}: loaded twice, ${what}: there is one client, which decides once`, async (t) => {
      const seen = `<script>window.seen = []; idoine(function () { seen.push("called"); });</script>`;
      const running = await start(t, way, { head: hiding() + seen, markup });
      const tab = await visit(t);
      await tab.goto(running.origin, { waitUntil: "load" });
      await ready(tab);
      const before = asked(running, "/_idoine/decide");
      assert.equal(before, way === "api" ? 1 : 0);
      if (way === "static") assert.equal(running.site.asked.filter(({ path }) => path === "/program.bin").length, 1);
      assert.deepEqual(await tab.evaluate(() => (window as any).seen), ["called"], "what waited runs once");
      assert.equal(await decided(tab), SHOWN);
      assert.equal(asked(running, "/_idoine/decide") - before, way === "static" ? 0 : 1);
      await works(tab, way);
    });
  }
}

/** Ways to say the same: by attributes, by `window.idoine` before the loader, and by the stub's `idoine.options`. Attributes count before the others. */
const CONFIGURED: Record<string, (api: string) => string> = {
  "data- attributes": (api) => `<script async src="/_idoine/idoine.js" data-api="${api}" data-auto="false"></script>`,
  "window.idoine": (api) => `<script>window.idoine = { api: "${api}", auto: false };</script><script async src="/_idoine/idoine.js"></script>`,
  "options beside the stub": (api) => `<script>${stub()}</script><script>idoine.options = { api: "${api}", auto: false };</script><script async src="/_idoine/idoine.js"></script>`,
  "attributes over window.idoine": (api) => `<script>window.idoine = { api: "http://127.0.0.1:9", auto: true };</script><script async src="/_idoine/idoine.js" data-api="${api}" data-auto="false"></script>`,
};

for (const [what, markup] of Object.entries(CONFIGURED)) {
  test(`configured by ${what}`, async (t) => {
    const worker = await serve({ "*": (request) => json(answer([HERO], [HERO_TEXT]), allow(request)) });
    t.after(() => worker.close());
    const running = await start(t, "api", { markup: () => markup(worker.origin) });
    const tab = await visit(t);
    await tab.goto(running.origin);
    await ready(tab);
    assert.equal(await tab.evaluate(() => window.idoine!.debug!().mode), "api");
    assert.deepEqual(worker.asked, [], "nothing is decided until it is asked for");
    assert.equal(await decided(tab), SHOWN);
    assert.equal(worker.asked.length, 1);
    assert.deepEqual(running.worker.asked, []);
  });
}

test("an element that has the snippet's name, or options that make no sense, keep nothing from working", async (t) => {
  for (const before of ['<script>window.idoine = 3;</script>', '<script>window.idoine = null;</script>', '<script>window.idoine = { api: undefined, unheard: { of: 1 } };</script>']) {
    const running = await start(t, "api", { head: before });
    const tab = await visit(t);
    await tab.goto(running.origin);
    await works(tab, before);
  }
  const running = await start(t, "api", { head: "", markup: (tag) => `<form id="idoine"><input name="api" value="x"></form>${tag}` });
  const tab = await visit(t);
  await tab.goto(running.origin);
  await works(tab, "an element");
});

const BROUGHT: Edit[] = [HERO_TEXT, { slot: "bar", selector: "header", op: "before", value: "<nav>Sale</nav>" }];

for (const first of ["the tag", "the package"]) {
  test(`a tag and the client of the package in one page, ${first} first: one client, which shows each thing once`, async (t) => {
    const running = await start(t, "api", { head: hiding(), markup: (tag) => (first === "the tag" ? tag : ""), routes: { "/_idoine/decide": (request) => json(answer([HERO], BROUGHT), allow(request)) } });
    const tab = await visit(t);
    await tab.goto(running.origin);
    if (first === "the tag") await ready(tab);
    const packaged = await tab.evaluateHandle(async (api) => {
      const { createIdoine } = (await import(new URL("/_idoine/client.js", location.href).href)) as { createIdoine: typeof Create };
      const client = createIdoine({ api });
      await client.ready;
      return client;
    }, running.worker.origin);
    if (first !== "the tag") await tab.evaluate((api) => {
      const tag = Object.assign(document.createElement("script"), { src: "/_idoine/idoine.js" });
      tag.dataset.api = api;
      document.head.append(tag);
    }, running.worker.origin);
    await ready(tab);
    assert.equal(asked(running, "/_idoine/decide"), 1);
    const shown = (): Promise<unknown> => tab.evaluate(() => [document.querySelector("header h1")!.textContent, document.querySelectorAll("nav").length]);
    assert.deepEqual(await shown(), [SHOWN, 1]);
    await tab.evaluate((client) => client.decide(), packaged);
    assert.equal(await decided(tab), SHOWN);
    assert.deepEqual(await shown(), [SHOWN, 1]);
    await tab.evaluate((client) => client.stop(), packaged);
    assert.deepEqual(await shown(), ["Welcome to the shop", 0]);
    // Who starts another one then gets one.
    await tab.evaluate(async (api) => {
      const { createIdoine } = (await import(new URL("/_idoine/client.js", location.href).href)) as { createIdoine: typeof Create };
      await createIdoine({ api }).ready;
    }, running.worker.origin);
    assert.deepEqual(await shown(), [SHOWN, 1]);
  });
}
