// What is served and edited in the benchmark of the Worker: a published shop page, grown to a size, with slots spread over it; the
// manifest for them; and the same edits as a Worker that somebody writes by hand.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../paths.mjs";

const SHOP = join(ROOT, "node_modules", "startbootstrap-shop-homepage", "dist", "index.html");
const CARD = '                    <div class="col mb-5">\n';
const AFTER_CARDS = "                </div>\n            </div>\n        </section>";

/** Products with slots in them. */
const OFFERS = 8;

/** The published page with as many products as make it this long, in bytes; eight of them, spread over it, have an id. */
export function page(bytes) {
  const published = readFileSync(SHOP, "utf8");
  const from = published.indexOf(CARD);
  const to = published.indexOf(AFTER_CARDS);
  if (from < 0 || to < 0) throw new Error(`${SHOP} is not the page that this benchmark knows`);
  const [head, tail] = [published.slice(0, from), published.slice(to)];
  const cards = published.slice(from, to).split(CARD).slice(1);
  const of = [...cards];
  let length = published.length;
  for (let at = 0; length < bytes - CARD.length; at++) {
    const card = cards[at % cards.length].replace(/(<h5[^>]*>)([^<]*)/, `$1$2 ${at + 1}`);
    of.push(card);
    length += CARD.length + card.length;
  }
  const marked = new Map(Array.from({ length: OFFERS }, (_, offer) => [Math.floor(((offer + 0.5) * of.length) / OFFERS), offer + 1]));
  const open = (at) => (marked.has(at) ? CARD.replace(">", ` id="offer-${marked.get(at)}">`) : CARD);
  return head + of.map((card, at) => open(at) + card).join("") + tail;
}

const handler = (selector, lines) => `  .on(${JSON.stringify(selector)}, { element(element) { ${lines} } })`;
const text = (id, selector, words) => ({ id, selector, content: { text: words }, code: handler(selector, `element.setInnerContent(${JSON.stringify(words)});`) });
const attribute = (id, selector, name, value) => ({
  id, selector, content: { attribute: { [name]: value } }, code: handler(selector, `element.setAttribute(${JSON.stringify(name)}, ${JSON.stringify(value)});`),
});
const image = (id, selector, src, alt) => ({
  id, selector, content: { image: { src, alt } }, code: handler(selector, `element.setAttribute("src", ${JSON.stringify(src)}); element.setAttribute("alt", ${JSON.stringify(alt)});`),
});
const addClass = (id, selector, name) => ({
  id, selector, content: { class: { add: [name] } }, code: handler(selector, `element.setAttribute("class", element.getAttribute("class") + " ${name}");`),
});
const html = (id, selector, markup) => ({ id, selector, content: { html: markup }, code: handler(selector, `element.setInnerContent(${JSON.stringify(markup)}, { html: true });`) });

const offers = (make) => Array.from({ length: OFFERS }, (_, at) => make(at + 1));

/** Twenty slots; the first is the one of pages with one. */
export const SLOTS = [
  text("headline", "header h1", "Shop what you came for"),
  html("lead", "header p.lead", "Free returns <b>within 30 days</b>"),
  text("brand", "a.navbar-brand", "Start Here"),
  html("footer", "footer p", "We deliver <em>tomorrow</em>"),
  ...offers((n) => [image, addClass][n % 2](`picture-${n}`, n % 2 ? `#offer-${n} .card` : `#offer-${n} img`, ...(n % 2 ? ["shadow"] : [`/pictures/${n}.jpg`, `Offer ${n}`]))),
  ...offers((n) => (n % 2 ? text(`button-${n}`, `#offer-${n} a.btn`, `Take offer ${n}`) : attribute(`button-${n}`, `#offer-${n} a.btn`, "href", `/offers/${n}`))),
];

/** For each slot one experience that wins and four, looked at first, that lose. */
export function manifest() {
  const slot = ({ selector }, at) => ({ selector, pages: at === 0 ? ["/one/*", "/twenty/*"] : ["/twenty/*"] });
  const wins = ({ id, content }) => ({ id, type: "personalization", audience: "device.type == 'desktop' && language.primary == 'en'", priority: 10, slots: { [id]: content } });
  const losing = ["source.campaign == 'spring'", "device.type == 'mobile' && language.primary == 'fr'", "geo.country in ['FR', 'BE', 'CH']", "source.name == 'instagram' || source.channel == 'email'"];
  const loses = ({ id, content }) => losing.map((audience, at) => ({ id: `${id}-${at + 1}`, type: "personalization", audience, priority: 20 + at, slots: { [id]: content } }));
  return {
    site: { id: "bench", hosts: ["shop.example"], timezone: "Europe/Paris" },
    slots: Object.fromEntries(SLOTS.map((one, at) => [one.id, slot(one, at)])),
    experiences: SLOTS.flatMap((one) => [...loses(one), wins(one)]),
  };
}

/** A Worker that passes on what the origin sends. */
export const PLAIN = `
export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    return fetch(env.ORIGIN + pathname + search, request);
  },
};
`;

/** A Worker with the same edits, written by hand. `STATE_ONE` and `STATE_TWENTY` are what it puts at the end of the head. */
export const BY_HAND = `
const one = (rewriter) => rewriter
${SLOTS[0].code};
const twenty = (rewriter) => rewriter
${SLOTS.map(({ code }) => code).join("\n")};

export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    const response = await fetch(env.ORIGIN + pathname + search, request);
    if (!response.headers.get("content-type")?.startsWith("text/html")) return response;
    const isOne = pathname.startsWith("/one/");
    const rewriter = (isOne ? one : twenty)(new HTMLRewriter()).on("head", {
      element(head) { head.onEndTag((end) => { end.before(isOne ? env.STATE_ONE : env.STATE_TWENTY, { html: true }); }); },
    });
    const headers = new Headers(response.headers);
    headers.set("cache-control", "private, no-store");
    headers.delete("etag");
    headers.delete("last-modified");
    return rewriter.transform(new Response(response.body, { status: response.status, headers }));
  },
};
`;
