// What visitors control (query, place, referrer, user agent, client hints, language, cookies, preview parameters) in every place where a
// manifest may put a value: whatever it is, the page has the elements and attributes that the manifest wrote, the answer its headers, and no
// script runs. The pages are parsed by a real browser, with scripts allowed to run.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { compile, startOrigin, startWorker } from "./harness.ts";
import type { Init, Reply, TestOrigin, TestWorker } from "./harness.ts";

/** Where each of them stands: every field that takes free words, all in one. */
const ALL = ["source.term", "source.content", "source.campaign", "source.name", "source.medium", "geo.city", "geo.region", "geo.country", "geo.postal_code", "network.organization", "network.ip", "language.tag", "device.os_version", "device.browser", "page.path", "page.url", "page.referrer", "source.referrer_host"];
const words = ALL.map((field) => `{{ ${field} | "-" }}`).join(" ");

const manifest = {
  site: { id: "shop", hosts: ["shop.example", "localhost"] },
  slots: {
    whole: { type: "page", pages: ["/lead"] },
    text: { selector: "#text", pages: ["/"] },
    html: { selector: "#html", pages: ["/"] },
    attributes: { selector: "#attributes", pages: ["/"] },
    link: { selector: "#link", pages: ["/"] },
    picture: { selector: "#picture", pages: ["/"] },
    title: { selector: "title", pages: ["/"] },
    area: { selector: "textarea", pages: ["/"] },
    data: { type: "data", pages: ["/"] },
  },
  experiences: [
    {
      id: "all",
      type: "personalization",
      slots: {
        text: { text: words },
        html: { html: `<b title="${words}" data-a='${words}'>${words}</b><a href="/in/{{ source.term | \"x\" }}/{{ geo.city | \"x\" }}?q={{ source.content | \"x\" }}#{{ source.term | \"x\" }}">a</a><img src="https://cdn.example/{{ geo.city | \"x\" }}.png" alt="{{ source.term | \"x\" }}">` },
        attributes: { attribute: { title: words, "aria-label": words, "data-x": words, alt: words } },
        link: { attribute: { href: "/to/{{ source.term | \"x\" }}/{{ geo.city | \"x\" }}?a={{ source.content | \"x\" }}" } },
        picture: { image: { src: "/i/{{ geo.city | \"x\" }}?{{ source.term | \"x\" }}", alt: words } },
        title: { text: words },
        area: { text: words },
        data: { json: { term: "{{ source.term | \"x\" }}", list: ["{{ geo.city | \"x\" }}", words] } },
      },
    },
    { id: "lead", type: "personalization", slots: { whole: { redirect: "/to/{{ source.term | \"x\" }}/{{ geo.city | \"x\" }}?a={{ source.content | \"x\" }}#{{ source.term | \"x\" }}" } } },
  ],
};

const BODY = '<h1 id="text">t</h1><div id="html">h</div><p id="attributes">p</p><a id="link" href="/">l</a><img id="picture" src="/p.png"><textarea>x</textarea><p>end</p>';
const PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>t</title></head><body>${BODY}</body></html>`;

const ATTACKS = [
  '"><script>window.pwned=1</script>',
  "'><script>window.pwned=1</script>",
  "</script><script>window.pwned=1</script>",
  "</title></textarea><img src=x onerror=window.pwned=1>",
  "<!--<script>window.pwned=1//-->",
  "--><script>window.pwned=1</script>",
  '" onmouseover="window.pwned=1" autofocus onfocus="window.pwned=1" x="',
  "' onfocus='window.pwned=1' autofocus tabindex='1",
  "` onfocus=`window.pwned=1",
  "javascript:window.pwned=1",
  "JaVaScRiPt:window.pwned=1//",
  " \t\njavascript:window.pwned=1",
  "java\u0000script:window.pwned=1",
  "data:text/html,<script>window.pwned=1</script>",
  "vbscript:pwned",
  "a\r\nset-cookie: pwned=1\r\nx-pwned: 1\r\n\r\n<script>window.pwned=1</script>",
  "%0d%0aSet-Cookie:%20pwned=1",
  "%0aX-Pwned: 1",
  "\u0000<script>window.pwned=1</script>",
  "\u2028window.pwned=1\u2029</script>",
  "\u0085\u00a0\ufeff\u200b<script>window.pwned=1</script>",
  "{{ geo.city }}",
  "{{ source.term | \"x\" }}}}",
  "${window.pwned=1}",
  "//evil.example/x",
  "/\\evil.example",
  "\\\\evil.example\\x",
  "\\evil.example",
  "/../../evil",
  "..",
  ".",
  "",
  " ",
  "@evil.example",
  ":80@evil.example/",
  "https://evil.example/",
  "&lt;script&gt;window.pwned=1&lt;/script&gt;",
  "&#60;script&#62;window.pwned=1",
  "&quot;&gt;<script>window.pwned=1</script>",
  "\ud800<script>window.pwned=1</script>",
  "\u{e0001}\u{1f600}<svg onload=window.pwned=1>",
  "+ADw-script+AD4-window.pwned=1+ADw-/script+AD4-",
  "\u001b$B<script>window.pwned=1</script>",
  "]]><script>window.pwned=1</script>",
  "<".repeat(100) + "script>window.pwned=1</script>",
  '"'.repeat(100),
  "x".repeat(600) + '"><script>window.pwned=1</script>',
  "\\u003cscript\\u003ewindow.pwned=1",
  '","decisions":[{"slot":"evil"}],"x":"',
  "\\\",\\\"version\\\":\\\"evil",
  "%3Cscript%3Ewindow.pwned=1%3C/script%3E",
  "%FF%FE%C0%BC%C0%AFscript",
  "<style>*{display:none}</style><base href=//evil.example/><meta http-equiv=refresh content=0;url=//evil.example>",
];

let origin: TestOrigin;
let worker: TestWorker;
let preview: TestWorker;
let browser: Browser;

before(async () => {
  origin = await startOrigin({ "*": PAGE });
  [worker, preview, browser] = await Promise.all([
    startWorker({ origin: origin.url, manifest }),
    startWorker({ origin: origin.url, manifest, preview: true }),
    chromium.launch({ executablePath: process.env.IDOINE_CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] }),
  ]);
  await Promise.all([openTab(), openTab(), openTab()]);
  plain = await parsed(await worker.fetch("/?utm_term=a&utm_content=b", { cf: { city: "Lyon" } }));
});
after(async () => {
  await Promise.all([worker?.dispose(), preview?.dispose(), browser?.close()]);
  await origin.close();
});

/** A header's value as a client could send it. */
const header = (attack: string) => Buffer.from(attack.replace(/[\0-\x08\x0a-\x1f\x7f]/g, " ")).toString("latin1").trim();

/** A query parameter: percent-encoded, with what stands for nothing in UTF-8 as its bytes. */
const query = (attack: string) => encodeURIComponent(attack.replace(/[\ud800-\udfff](?![\udc00-\udfff])/gu, "\ufffd"));

/** A request in which the attack stands wherever a visitor has a say. */
function attacked(attack: string): { url: string; init: Init } {
  const parameters = ["term", "content", "campaign", "source", "medium"].map((name) => `utm_${name}=${query(attack)}`);
  const cf = Object.fromEntries(["city", "region", "country", "postalCode", "asOrganization", "regionCode", "continent", "timezone", "colo"].map((name) => [name, attack]));
  const value = header(attack).slice(0, 600);
  const headers = { "user-agent": value, referer: `https://example.org/${value}`, "accept-language": value, "cf-connecting-ip": value, "sec-ch-ua": `"${value}";v="1"`, "sec-ch-ua-platform-version": `"${value}"`, cookie: `idoine_consent=${value}; idoine_id=${value}; x=${value}` };
  return { url: `/?${parameters.join("&")}`, init: { cf, headers } };
}

interface Shape {
  /** Each element with the names of its attributes. */
  elements: string[];
  urls: string[];
  pwned: boolean;
  state: string | null;
}

/** A tab that shows `shown` at the site's address, and nothing at any other. Each page that it shows has a window of its own. */
interface Tab {
  page: Page;
  shown?: Reply;
}

/** Tabs that are free, and whoever waits for one: a new tab for each page would take ten times as long. */
const free: Tab[] = [];
const waiting: ((tab: Tab) => void)[] = [];

async function openTab(): Promise<void> {
  const tab: Tab = { page: await (await browser.newContext()).newPage() };
  tab.page.on("dialog", (dialog) => void dialog.dismiss());
  await tab.page.route("**/*", (route) => {
    const isPage = route.request().isNavigationRequest() && route.request().url() === "https://shop.example/";
    const headers = Object.fromEntries(tab.shown!.headerList.filter(([name]) => name === "content-type"));
    return isPage ? route.fulfill({ status: 200, headers, body: tab.shown!.bytes }) : route.fulfill({ status: 200, contentType: "text/plain", body: "" });
  });
  free.push(tab);
}

/** What a browser makes of an answer: its document, after every script has had its chance. */
async function parsed(reply: Reply): Promise<Shape> {
  const tab = free.pop() ?? (await new Promise<Tab>((resolve) => waiting.push(resolve)));
  try {
    tab.shown = reply;
    await tab.page.goto("https://shop.example/", { waitUntil: "load" });
    return await tab.page.evaluate(() => {
      for (const element of document.querySelectorAll<HTMLElement>("*")) {
        element.focus?.();
        element.dispatchEvent(new MouseEvent("mouseover"));
      }
      const all = [...document.querySelectorAll("*")];
      return {
        elements: all.map((element) => [element.localName, ...[...element.attributes].map(({ name }) => name).sort()].join(" ")),
        urls: [...document.querySelectorAll<HTMLAnchorElement>("a[href]")].map(({ href }) => href).concat([...document.querySelectorAll("img")].map(({ src }) => src)),
        pwned: "pwned" in window,
        state: document.getElementById("idoine-state")?.textContent ?? null,
      };
    });
  } finally {
    const next = waiting.shift();
    if (next) next(tab);
    else free.push(tab);
  }
}

/** The page of a visitor who attacks nothing. */
let plain: Shape;

/** All of them at once. */
const each = <Item>(items: readonly Item[], run: (item: Item) => Promise<void>) => Promise.all(items.map(run));

async function assertHarmless(reply: Reply, attack: string): Promise<Shape> {
  const shape = await parsed(reply);
  assert.deepEqual(shape.elements, plain.elements, attack);
  assert.equal(shape.pwned, false, attack);
  for (const url of shape.urls) {
    assert.match(url, /^https:\/\/(?:shop|cdn)\.example\//, `${attack}: ${url}`);
  }
  const state = JSON.parse(shape.state!);
  assert.deepEqual(Object.keys(state), ["version", "decisions", "values", "selectors"], attack);
  assert.deepEqual(Object.keys(state.values.data), ["term", "list"], attack);
  assert.equal(state.values.data.list.length, 2);
  assert.deepEqual(reply.cookies, [], attack);
  assert.equal(reply.header("x-pwned"), null, attack);
  return shape;
}

test("in text, HTML, attributes, URLs and JSON: nothing that the manifest did not write", async () => {
  await each(ATTACKS, async (attack) => {
    const { url, init } = attacked(attack);
    const reply = await worker.fetch(url, init);
    assert.equal(reply.status, 200);
    assert.ok(reply.state, attack);
    const { state } = await assertHarmless(reply, attack);
    // It is not that the words were lost: they are there, as words.
    const term = JSON.parse(state!).values.data.term as string;
    if (attack.trim() === attack && attack !== "" && !/[\0-\x1f\x85\ud800-\udfff]/.test(attack)) assert.equal(term, attack);
  });
});

test("in a page of another character set", async () => {
  for (const charset of ["windows-1252", "iso-8859-1", "shift_jis", "gbk", "euc-kr", "big5"]) {
    origin.routes["/"] = (request, response) => void response.writeHead(200, { "content-type": "text/html" }).end(PAGE.replace("utf-8", charset));
    const some = ATTACKS.filter((_, at) => at % 3 === 0).concat("\u001b$B<script>window.pwned=1</script>", "é\u00ff\"><script>window.pwned=1</script>", "表\"><script>window.pwned=1</script>");
    await each(some, async (attack) => {
      const { url, init } = attacked(attack);
      await assertHarmless(await worker.fetch(url, init), `${charset}: ${attack}`);
    });
  }
  delete origin.routes["/"];
});

test("in a page whose character set can't be edited: the page as the origin sent it", async () => {
  const declared = { header: ["text/html; charset=iso-2022-jp", PAGE.replace('<meta charset="utf-8">', "")], page: ["text/html", PAGE.replace("utf-8", "iso-2022-jp")] };
  for (const [where, [type, html]] of Object.entries(declared)) {
    // With a word in that set, and one that only looks like the end of a tag.
    const page = Buffer.from(html!.replace("</body>", "\u001b$B8l\u001b(B \u001b$B\"><\u001b(B</body>"), "latin1");
    origin.routes["/"] = (request, response) => void response.writeHead(200, { "content-type": type! }).end(page);
    await each(["plain", ...ATTACKS], async (attack) => {
      const { url, init } = attacked(attack);
      const reply = await worker.fetch(url, init);
      assert.equal(reply.status, 200, `${where}: ${attack}`);
      assert.ok(reply.bytes.equals(page), `${where}: ${attack}: ${reply.text}`);
    });
  }
  delete origin.routes["/"];
});

test("through preview parameters, traits included", async () => {
  await each(ATTACKS, async (attack) => {
    const overrides = ALL.filter((field) => !field.startsWith("page.")).map((field) => `idoine.${field}=${query(attack)}`).join("&");
    const reply = await preview.fetch(`http://localhost:8787/?${overrides}`, { headers: { "accept-language": "en" } });
    assert.equal(reply.status, 200);
    const shape = await parsed(reply);
    // The bar is the preview's own.
    assert.equal(shape.pwned, false, attack);
    const own = (name: string) => !name.startsWith("script") && !name.startsWith("idoine");
    assert.deepEqual(shape.elements.filter(own), plain.elements.filter(own), attack);
    const told = reply.header("idoine-decisions") ?? "";
    assert.match(told, /^[\x20-\x7e]*$/);
    assert.deepEqual(reply.cookies, []);
  });
});

test("in the target of a redirect: the manifest's host and no other, and one header", async () => {
  for (const attack of ATTACKS) {
    const { url, init } = attacked(attack);
    const reply = await worker.fetch(url.replace("/?", "/lead?"), { ...init, headers: { ...(init.headers as object), accept: "text/html", "sec-fetch-dest": "document" } });
    assert.ok([200, 302].includes(reply.status), attack);
    const location = reply.header("location");
    if (reply.status === 302) {
      assert.match(location!, /^https:\/\/shop\.example\/[\x21-\x7e]*$/, attack);
      assert.equal(new URL(location!).host, "shop.example");
      assert.equal(new URL(location!).searchParams.getAll("a").length, 1, location!);
    }
    assert.deepEqual(reply.cookies, []);
    assert.deepEqual(reply.headerList.filter(([name]) => /pwned/.test(name)), []);
  }
});

test("the API's answers are data, whatever is in them", async () => {
  for (const attack of ATTACKS) {
    const { init } = attacked(attack);
    for (const path of [`/_idoine/decide?url=${query(`https://shop.example/?utm_term=${query(attack)}`)}`, `/_idoine/context?referrer=${query(attack)}`, `/_idoine/x${query(attack)}`, "/_idoine/consent"]) {
      const reply = await worker.fetch(path, init);
      assert.ok(["application/json"].includes(reply.header("content-type") ?? ""), `${path}: ${reply.header("content-type")}`);
      JSON.parse(reply.text);
      assertSafe(reply, path);
      assert.deepEqual(reply.cookies, []);
    }
  }
});

/** The headers of everything that is ours. */
function assertSafe(reply: Reply, what: string) {
  assert.equal(reply.header("x-content-type-options"), "nosniff", what);
  assert.equal(reply.header("referrer-policy"), "no-referrer", what);
  assert.equal(reply.header("strict-transport-security"), null, `${what}: that is the site's to say`);
  const script = /javascript|wasm/.test(reply.header("content-type") ?? "");
  assert.equal(reply.header("content-security-policy"), script ? null : "default-src 'none'; frame-ancestors 'none'", what);
  assert.equal(reply.header("cross-origin-resource-policy"), reply.header("access-control-allow-origin") === "*" ? "cross-origin" : "same-site", what);
}

test("everything that is ours has the headers that make it harmless; nothing that is the site's gets them", async () => {
  for (const [path, init, status] of [
    ["/_idoine/health", {}, 200],
    ["/_idoine/context", {}, 200],
    ["/_idoine/decide?url=https://shop.example/", {}, 200],
    ["/_idoine/decide", {}, 400],
    ["/_idoine/decide", { method: "POST", body: "{" }, 400],
    ["/_idoine/decide", { method: "OPTIONS" }, 204],
    ["/_idoine/consent", {}, 200],
    ["/_idoine/consent", { method: "POST", body: "{}" }, 403],
    ["/_idoine/consent", { method: "POST", body: '{"granted":[]}', headers: { "sec-fetch-site": "same-origin" } }, 200],
    ["/_idoine/context", { method: "DELETE" }, 405],
    ["/_idoine/nothing", {}, 404],
    ["/_idoine/nothing", { method: "HEAD" }, 404],
    ["/_idoine/idoine.js", {}, 200],
    ["/_idoine/idoine.js", { method: "POST", body: "x" }, 405],
    ["/_idoine/engine.wasm", {}, 200],
    ["/_idoine/nothing.js", {}, 404],
  ] as [string, Init, number][]) {
    const reply = await worker.fetch(path, init);
    assert.equal(reply.status, status, path);
    assertSafe(reply, `${init.method ?? "GET"} ${path}`);
  }
  const trusted = await worker.fetch("/_idoine/context", { headers: { origin: "http://localhost:3000" } });
  assert.equal(trusted.header("cross-origin-resource-policy"), "same-site");
  for (const path of ["/", "/nowhere"]) {
    const reply = await worker.fetch(path);
    for (const name of ["content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-resource-policy"]) assert.equal(reply.header(name), null, `${path}: ${name}`);
  }
});

test("no place in which a value could be code, or lead elsewhere, gets past the compiler", async () => {
  const value = "{{ source.term }}";
  const html = (content: string) => ({ html: content });
  const attribute = (name: string, content = value) => ({ attribute: { [name]: content } });
  for (const content of [
    html(`<script>${value}</script>`),
    html(`<script src="${value}"></script>`),
    html(`<style>${value}</style>`),
    html(`<p style="${value}">`),
    html(`<p onclick="${value}">`),
    html(`<p ONCLICK='${value}'>`),
    html(`<p title=${value}>`),
    html(`<p ${value}>`),
    html(`<p ${value}="a">`),
    html(`<${value}>`),
    html(`</${value}>`),
    html(`<!-- ${value} -->`),
    html(`<iframe srcdoc="${value}"></iframe>`),
    html(`<iframe>${value}</iframe>`),
    html(`<noscript>${value}</noscript>`),
    html(`<xmp>${value}</xmp>`),
    html(`<a href="${value}">`),
    html(`<a href="javascript:${value}">`),
    html(`<a href="java&#115;cript:${value}/">`),
    html(`<a href="//${value}/">`),
    html(`<a href="https://${value}/">`),
    html(`<a href="https://shop.example${value}">`),
    html(`<a href="/\\${value}">`),
    html(`<a href="data:text/html,${value}">`),
    html(`<a ping="/${value}">`),
    html(`<img srcset="${value}">`),
    html(`<meta http-equiv="refresh" content="0;url=/${value}">`),
    html(`<input pattern="${value}">`),
    html(`<svg><animate values="${value}"></svg>`),
    attribute("onclick"),
    attribute("OnError"),
    attribute("style"),
    attribute("srcdoc"),
    attribute("srcset"),
    attribute("integrity"),
    attribute("nonce"),
    attribute("http-equiv"),
    attribute("sandbox"),
    attribute("href"),
    attribute("href", `javascript:${value}`),
    attribute("href", `//${value}`),
    attribute("src", `data:${value}`),
    attribute("action", `https://${value}/`),
    attribute("formaction", `${value}/`),
    { image: { src: value } },
    { image: { src: `//${value}/x.png` } },
    { json: `{"a": ${value}}`, redirect: value },
  ]) {
    await assert.rejects(compile({ site: { id: "shop", hosts: ["shop.example"] }, slots: { a: { selector: "#a" } }, experiences: [{ id: "x", type: "personalization", slots: { a: content } }] }), /error: /, JSON.stringify(content));
  }
  for (const redirect of [value, `//${value}/`, `https://${value}/`, `javascript:${value}`, `/\\${value}`, `https://shop.example${value}`]) {
    await assert.rejects(compile({ site: { id: "shop", hosts: ["shop.example"] }, slots: { a: { type: "page", pages: ["/"] } }, experiences: [{ id: "x", type: "personalization", slots: { a: { redirect } } }] }), /error: /, redirect);
  }
});
