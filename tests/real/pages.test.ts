// Pages that others published, through the Worker: what was decided is in them and nothing else has changed; and a page
// that no experience could concern comes out byte for byte as the origin sent it.

import assert from "node:assert/strict";
import { request, type IncomingHttpHeaders } from "node:http";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { Decision, Edit } from "../../www/src/types.ts";
import { browser, closeBrowser } from "../e2e/fixtures/browser.ts";
import { preview } from "./faces.ts";
import { startWorker, type Init } from "../worker/harness.ts";
import { startShop, type Shop } from "./shop.ts";
import { visitors as draw, type Visitor } from "./visitors.ts";

let shop: Shop;
let page: Page;

before(async () => {
  shop = await startShop();
  page = await (await browser()).newPage();
});

after(async () => {
  await closeBrowser();
  await shop?.close();
});

/** What the Worker puts at the end of the head. */
const STATE = /<script type="application\/json" id="idoine-state">(.*?)<\/script><script async src="\/_idoine\/idoine\.js"(?: data-consent="1")?><\/script>(?:<script type="module" src="\/_idoine\/bar\.js"><\/script>)?/s;

/** An answer over HTTP, with the bytes as they came. */
interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** One request with just these headers, and the host. */
function ask(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Headers that say the same of both answers: all but those of the connection and of the moment. */
function essential(headers: Record<string, unknown>): Record<string, unknown> {
  const { date: _date, connection: _connection, "keep-alive": _keepAlive, "transfer-encoding": _transfer, ...rest } = headers;
  return rest;
}

for (const path of [
  "/agency/",
  "/agency/css/styles.css",
  "/agency/js/scripts.js",
  "/agency/assets/img/header-bg.jpg",
  "/agency/assets/favicon.ico",
  "/css/styles.css",
  "/pictures/trail-runner.svg",
  "/agency",
  "/about",
  "/collections",
  "/no/such/page.html",
]) {
  test(`byte for byte: ${path}`, async () => {
    for (const method of ["GET", "HEAD"]) {
      // As a visitor of the shop's own host: what is seen in a preview is noindex and kept by nobody.
      const [through, direct] = [await shop.worker.fetch(`https://shop.example${path}`, { method }), await ask(shop.origin + path, {}, method)];
      assert.equal(through.status, direct.status);
      assert.ok(through.wire.equals(direct.body), `${method}: the bodies differ`);
      assert.deepEqual(essential(Object.fromEntries(through.headerList)), essential(direct.headers));
    }
  });
}

test("a page that no experience could concern is revalidated as the origin does it", async () => {
  const etag = (await ask(`${shop.origin}/agency/`)).headers["etag"] as string;
  // As a visitor of the shop's own host: a page that is seen in a preview is never taken from a cache.
  const revalidated = async (tag: string) => (await shop.worker.fetch("https://shop.example/agency/", { headers: { "if-none-match": tag } })).status;
  assert.equal(await revalidated(etag), 304);
  assert.equal(await revalidated('"other"'), 200);
  assert.equal((await ask(`${shop.url}/agency/`, { "if-none-match": etag })).status, 200);
});

test("a page that some experience concerns is never taken from a visitor's cache", async () => {
  const etag = (await ask(`${shop.origin}/`)).headers["etag"] as string;
  const through = await ask(`${shop.url}/`, { "if-none-match": etag });
  assert.equal(through.status, 200);
  assert.deepEqual([through.headers["etag"], through.headers["last-modified"], through.headers["cache-control"]], [undefined, undefined, "private, no-store"]);
});

for (const path of ["/", "/products/trail-runner", "/collections/shoes"]) {
  test(`a page without edits differs by its state alone: ${path}`, async () => {
    // Held out: the experiences concern the page, and none changes it for this visitor.
    const url = `${shop.url}${path}?idoine.consent.personalization=true&idoine.consent.analytics=true&idoine.visitor.id=${await heldOut()}`;
    const text = (await ask(url)).body.toString();
    assert.match(text, STATE);
    assert.equal(text.replace(STATE, ""), (await ask(shop.origin + path)).body.toString());
  });
}

/** An id that the site's holdout draws: one in twenty is. */
async function heldOut(): Promise<string> {
  for (let number = 0; number < 1000; number += 1) {
    const id = `held-out-${number}`;
    const page = encodeURIComponent(`${shop.url}/?idoine.consent.personalization=true&idoine.visitor.id=${id}`);
    const { decisions } = JSON.parse((await ask(`${shop.url}/_idoine/decide?url=${page}`)).body.toString()) as { decisions: Decision[] };
    if (decisions.every((decision) => decision.experience === null)) return id;
  }
  throw new Error("no id of a thousand is held out");
}

/** An edit; of a fragment what the origin has at its path. */
type Made = Edit & { html?: string };

/** A page as the origin sent it, as the Worker did, and the edits that make the one from the other; or where it leads. */
interface Pair {
  origin: string;
  through: string;
  edits: Made[];
  location: string | undefined;
}

async function pair(visitor: Visitor): Promise<Pair> {
  const { pathname, search } = new URL(visitor.url);
  const url = preview(`http://localhost${pathname}${search}`, visitor);
  const init: Init = { headers: visitor.headers, ...(visitor.cf && { cf: visitor.cf }) };
  const referrer = visitor.headers["referer"] === undefined ? "" : `&referrer=${encodeURIComponent(visitor.headers["referer"])}`;
  const through = await shop.worker.fetch(url, init);
  const decided = await shop.worker.fetch(`http://localhost/_idoine/decide?url=${encodeURIComponent(url)}${referrer}`, init);
  const { edits } = decided.json<{ edits: Made[] }>();
  // A variant that is another page of the origin, under this address.
  const path = edits.find(({ op }) => op === "page")?.value ?? pathname;
  const origin = await ask(shop.origin + path);
  for (const edit of edits) if (edit.op === "fragment") edit.html = (await ask(shop.origin + edit.value)).body.toString();
  return { origin: origin.body.toString(), through: through.text, edits, location: through.header("location") ?? undefined };
}

test("every decided edit is in the page, and the rest of it is unchanged", async () => {
  const concerned = draw().filter(({ url }) => /^https:\/\/shop\.example\/($|\?|products\/\w|collections\/\w)/.test(url));
  // Whole pages are few: all who may get one.
  const whole = concerned.filter(({ url }) => /\/collections\/(new|shoes)\b/.test(url));
  const done = new Map<string, number>();
  for (const visitor of new Set([...concerned.slice(0, 300), ...whole])) {
    const { origin, through, edits, location } = await pair(visitor);
    for (const op of new Set(edits.map((edit) => edit.op))) done.set(op, (done.get(op) ?? 0) + 1);
    const redirect = edits.find(({ op }) => op === "redirect")?.value;
    if (redirect !== undefined) {
      assert.ok(location?.startsWith(`http://localhost${redirect}&idoine.`), `${location} instead of ${redirect}`);
      continue;
    }
    assert.equal(location, undefined, visitor.url);
    assert.match(through, STATE, visitor.url);
    const result = await page.evaluate(edited, { origin, through: through.replace(STATE, ""), edits: edits.filter(({ op }) => op !== "page") });
    assert.deepEqual(result.unmatched, [], `edits of ${visitor.url} that touch no element`);
    assert.equal(result.through, result.expected, `${JSON.stringify(visitor)}\n${JSON.stringify(edits)}`);
  }
  assert.deepEqual([...done.keys()].sort(), ["after", "attribute", "before", "class_add", "class_remove", "first", "fragment", "hide", "html", "json", "last", "page", "redirect", "remove", "remove_attribute", "replace", "text"]);
  assert.ok(done.get("page")! >= 5 && done.get("redirect")! >= 5, JSON.stringify([...done]));
});

test("every kind of edit and selector on a page of forty kilobytes", async () => {
  const worker = await startWorker({ origin: shop.origin, manifest: AGENCY, preview: true });
  try {
    const through = (await worker.fetch("http://localhost/agency/")).text;
    const { edits } = (await worker.fetch("http://localhost/_idoine/decide?url=http://localhost/agency/")).json<{ edits: Edit[] }>();
    assert.match(through, STATE);
    const origin = (await ask(`${shop.origin}/agency/`)).body.toString();
    const result = await page.evaluate(edited, { origin, through: through.replace(STATE, ""), edits });
    assert.deepEqual(result.unmatched, []);
    assert.equal(result.through, result.expected);
    // The other pages of the site are none of this manifest's.
    assert.equal((await worker.fetch("http://localhost/")).text, (await ask(`${shop.origin}/`)).body.toString());
  } finally {
    await worker.dispose();
  }
});

/** A manifest for startbootstrap-agency. */
const AGENCY = {
  site: { id: "agency", hosts: ["localhost"] },
  slots: {
    heading: { selector: "header .masthead-heading" },
    welcome: { selector: ".masthead-subheading" },
    call: { selector: "header a.btn[href='#services']" },
    logo: { selector: "a.navbar-brand > img" },
    services: { selector: "#services .col-md-4:nth-of-type(2) h4" },
    team: { selector: "#team" },
    links: { selector: "ul.navbar-nav > li:not(:first-child) > a[href^='#']" },
    pictures: { selector: ".portfolio-item img[src$='1.jpg'], .portfolio-item img[src*='/6']" },
    years: { selector: ".timeline > li:nth-child(2n+1) .timeline-heading h4:first-child" },
    field: { selector: "#contactForm input#email" },
    missing: { selector: "[class~='modal'] .modal-body > p.item-intro" },
    section: { selector: "section#portfolio > .container" },
    brands: { selector: "img.img-brand" },
    title: { selector: "head > title" },
    value: { type: "data" },
  },
  experiences: [
    {
      id: "all",
      type: "personalization",
      pages: ["/agency/"],
      slots: {
        heading: { text: "Ravis <de> vous & \"rencontrer\" \u2603" },
        welcome: { html: "<b>Bienvenue</b> {{ geo.city | \"à l'atelier\" }}<!-- ok -->" },
        call: { text: "En savoir plus", class: { add: ["shadow", "btn-xl"], remove: ["btn-primary", "no-such-class"] }, attribute: { title: "\"Plus\" & <encore>", "data-place": "{{ geo.city | \"ici\" }}" } },
        logo: { image: { src: "/agency/assets/img/close-icon.svg", alt: "Agency" } },
        services: { html: "<em>Design</em>" },
        team: { hide: true },
        links: { class: { add: ["fw-bold"] } },
        pictures: { attribute: { loading: "lazy" } },
        years: { text: "Hier" },
        field: { attribute: { placeholder: "Votre adresse e-mail *" } },
        missing: { class: { remove: ["text-muted"] } },
        section: { first: "<p>{{ geo.city | \"Partout\" }} &amp; ailleurs</p>", last: "<hr><p>Fin" , before: "Avant", after: "<p>Après</p>" },
        brands: { remove: true },
        title: { replace: "<title>L'agence</title><link rel=\"x\" href=\"/x\">" },
        value: { json: { text: "</script><script>alert(1)</script>", list: [1, 2.5, null, true] } },
      },
    },
  ],
};

/** Runs in Chromium, whose parser and DOM say what a page and its edits mean. Both pages, in one way of writing. */
function edited({ origin, through, edits }: Omit<Pair, "location">): { through: string; expected: string; unmatched: string[] } {
  const expected = new DOMParser().parseFromString(origin, "text/html");
  const unmatched: string[] = [];
  // What the edge leaves beside what it brought.
  const brought = "<!--idoine-->";
  // All elements are found before any is changed, as a stream finds them.
  const found = edits.map((edit) => (edit.op === "json" ? [] : [...expected.querySelectorAll<HTMLElement>(edit.selector)]));
  const whole = edits.map((edit) => (edit.op === "fragment" ? { ...edit, op: edit.name === "content" ? "html" : edit.name, value: edit.html } : edit));
  for (const [index, { op, name = "", value = "", selector }] of whole.entries()) {
    if (op !== "json" && found[index]!.length === 0) unmatched.push(selector);
    for (const element of found[index]!) {
      if (op === "text") element.textContent = value;
      if (op === "html") element.innerHTML = value;
      if (op === "attribute") element.setAttribute(name, value);
      if (op === "remove_attribute") element.removeAttribute(name);
      if (op === "class_add") element.classList.add(value);
      if (op === "class_remove") element.classList.remove(value);
      if (op === "hide") {
        element.hidden = true;
        element.style.setProperty("display", "none", "important");
      }
      if (op === "before") element.insertAdjacentHTML("beforebegin", value + brought);
      if (op === "after") element.insertAdjacentHTML("afterend", brought + value);
      if (op === "first") element.insertAdjacentHTML("afterbegin", brought + value);
      if (op === "last") element.insertAdjacentHTML("beforeend", value + brought);
      if (op === "replace") element.outerHTML = value;
      if (op === "remove") element.remove();
    }
  }
  const written = (document: Document): string => {
    for (const element of document.querySelectorAll<HTMLElement>("[style]")) element.setAttribute("style", element.style.cssText);
    // Attributes in the order of their names: the order in which they were set means nothing.
    for (const element of document.querySelectorAll("*")) {
      const attributes = [...element.attributes].sort((one, other) => (one.name < other.name ? -1 : 1));
      for (const { name } of attributes) element.removeAttribute(name);
      for (const { name, value } of attributes) element.setAttribute(name, value);
    }
    return document.documentElement.outerHTML;
  };
  return { through: written(new DOMParser().parseFromString(through, "text/html")), expected: written(expected), unmatched };
}
