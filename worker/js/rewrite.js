// Editing a page while it streams, by workerd's own HTMLRewriter. What is to be done is plain data that was decided
// before; nothing here calls into Wasm, and no failure of a handler reaches the stream.

import { charsetOf, encodingOfType, isHtmlType, isKnown, isXmlType } from "./charset.js";
import { became, count, countAfter } from "./counters.js";
import { apply, isAdded, safely } from "./edits.js";
import { jsonEscapes } from "./escape.js";
import { log } from "./log.js";
import { begin, edited, registerRest, unchanged } from "./stream.js";

/** Whether a request may be one for a page: what browsers ask for when they navigate, or fetch as a page does. */
export function isPageRequest(request) {
  const { headers } = request;
  const destination = headers.get("sec-fetch-dest");
  return (
    request.method === "GET" &&
    !headers.has("range") &&
    !headers.has("upgrade") &&
    (destination === null || ["document", "iframe", "frame", "empty"].includes(destination))
  );
}

/** Whether an answer is a page that can be edited without loss. */
export function isRewritable(response) {
  const { status, headers, body } = response;
  const type = headers.get("content-type");
  return (
    body !== null &&
    status >= 200 &&
    // An error of the origin is shown as it is, not dressed up as a page of the shop.
    status < 500 &&
    status !== 204 &&
    status !== 205 &&
    status !== 206 &&
    !(status >= 300 && status < 400) &&
    isHtmlType(type) &&
    isKnown(encodingOfType(type)) &&
    ["", "identity", "gzip", "br"].includes((headers.get("content-encoding") ?? "").trim().toLowerCase())
  );
}

/** How long a page that was handed over whole may take to go out before it is taken to be no longer wanted, in milliseconds. */
const LEAVING_MS = 10_000;

/** Headers that let someone keep a page, or a part of it, that is one visitor's. */
const SHARING = ["accept-ranges", "age", "cdn-cache-control", "cloudflare-cdn-cache-control", "etag", "expires", "last-modified", "surrogate-control"];

/** Headers that describe the origin's bytes. */
const DESCRIBING = ["content-digest", "content-length", "content-md5", "digest", "repr-digest"];

/** The nonce that a Content-Security-Policy allows scripts by, if it does. */
function nonceOf(policy) {
  const directives = new Map();
  for (const directive of (policy ?? "").split(/[;,]/)) {
    const [name, ...values] = directive.trim().split(/\s+/);
    if (!directives.has(name.toLowerCase())) {
      directives.set(name.toLowerCase(), values);
    }
  }
  const sources = directives.get("script-src-elem") ?? directives.get("script-src") ?? directives.get("default-src") ?? [];
  return sources.map((source) => /^'nonce-([\w+/=-]+)'$/i.exec(source)?.[1]).find(Boolean);
}

/** What is put at the end of the head: the page's state and what reads it. */
function stateMarkup(plan, nonce, isXml, isUtf8) {
  const state = isUtf8 ? plan.state : jsonEscapes(plan.state);
  const mark = nonce === undefined ? "" : ` nonce="${nonce}"`;
  const loader = `<script async${isXml ? '="async"' : ""} src="/_idoine/idoine.js"${plan.asks ?? ""}${mark}></script>`;
  const bar = plan.preview ? `<script type="module" src="/_idoine/bar.js"${mark}></script>` : "";
  return `<script type="application/json" id="idoine-state">${state}</script>${loader}${bar}`;
}

/**
 * Edits in their order, those in a row for the same selector together. What is added to an element's content comes behind
 * what replaces it, whichever slot says so.
 */
function groups(edits) {
  const runs = [];
  for (const edit of [...edits.filter((edit) => !isAdded(edit)), ...edits.filter(isAdded)]) {
    // Data for front-end code is read from the state, and a whole page has come already.
    if (!edit.selector) {
      continue;
    }
    if (runs.at(-1)?.selector === edit.selector) {
      runs.at(-1).edits.push(edit);
    } else {
      runs.push({ selector: edit.selector, edits: [edit] });
    }
  }
  return runs;
}

/**
 * The rewriter for a plan. `isPage`: whether to insert at the document's end what found no better place; `atEnd` is called when all of the page
 * has been through.
 */
function rewriterFor(plan, headers, visit, { fragments, isPage, atEnd }) {
  const { isXml, isUtf8 } = fragments.page;
  let nonce = nonceOf(headers.get("content-security-policy")) ?? nonceOf(headers.get("content-security-policy-report-only"));
  let inserted = false;
  const insert = (put) => {
    if (!inserted) {
      inserted = true;
      put(stateMarkup(plan, nonce, isXml, isUtf8), { html: true });
    }
  };

  const rest = { isReached: false };
  const rewriter = new HTMLRewriter();
  registerRest(rewriter, rest);
  rewriter
    // Each call of a handler costs as much as the rewriter needs for some KB.
    .on("meta[http-equiv]", {
      element: safely((meta) => {
        const content = meta.getAttribute("content") ?? "";
        const equiv = (meta.getAttribute("http-equiv") ?? "").trim().toLowerCase();
        if (equiv === "content-security-policy") {
          nonce ??= nonceOf(content.replace(/&#39;|&apos;/g, "'"));
        }
      }),
    })
    .on("head", { element: safely((head) => head.onEndTag(safely((end) => insert((...markup) => end.before(...markup))))) })
    // Not every page writes its head out.
    .on("body", { element: safely((body) => insert((...markup) => body.prepend(...markup))) })
    .onDocument({
      end: safely((end) => {
        atEnd();
        if (isPage) {
          insert((...markup) => end.append(...markup));
        }
      }),
    });

  const leftOut = () => count(visit, "edits_left_out");
  const carryOut = (element) => (edit) => {
    if (!rest.isReached) {
      safely(() => apply(element, edit, isUtf8), leftOut)();
    }
  };
  const withFragments = (edits) => async (element) => {
    for (const edit of edits) {
      const made = edit.op === "fragment" ? await fragments.edit(edit) : edit;
      if (made !== undefined) {
        carryOut(element)(made);
      }
    }
  };
  // Handlers run in the order they are given in. Where slots meet in one element the last one wins, as in the browser.
  for (const { selector, edits } of groups(plan.edits)) {
    rewriter.on(selector, {
      element: edits.some(({ op }) => op === "fragment") ? withFragments(edits) : (element) => edits.forEach(carryOut(element)),
    });
  }
  return rewriter;
}

function forOne(headers) {
  for (const name of SHARING) {
    headers.delete(name);
  }
  headers.set("cache-control", "private, no-store");
}

/** An answer that is one visitor's at this address, though nothing in it was edited. */
export function unshared(response) {
  const changed = new Response(response.body, response);
  forOne(changed.headers);
  return changed;
}

/** The headers of a page that was edited for one visitor. */
function editedHeaders(response, plan) {
  const headers = new Headers(response.headers);
  for (const name of DESCRIBING) {
    headers.delete(name);
  }
  forOne(headers);
  if (plan.preview) {
    headers.set("x-robots-tag", "noindex");
  }
  if (plan.hints) {
    // Added to what the origin asks for itself.
    headers.append("accept-ch", plan.hints);
  }
  return headers;
}

/** How many bytes the origin says its page has, where those are the page's bytes. */
function lengthOf({ headers }) {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) && !headers.has("content-encoding") ? Number(length) : undefined;
}

/**
 * The page with the edits of a plan in it; as the origin sent it when that is not possible, which its first bytes or
 * the edits may tell.
 */
export async function rewrite(response, plan, visit, fragments) {
  const type = response.headers.get("content-type");
  const length = lengthOf(response);
  const source = await begin(response.body, length, (bytes) => charsetOf(type, bytes).isSure);
  const { encoding } = charsetOf(type, source.first);
  if (!isKnown(encoding)) {
    fragments.drop();
    became(visit, "untouched", "not_a_page");
    return new Response(unchanged(source, length), response);
  }
  // What a script fetches may be a part of a page that goes into another one, which has its state.
  const mayBePart = visit.request.headers.get("sec-fetch-dest") === "empty";
  try {
    let atEnd;
    const wentThrough = new Promise((resolve) => (atEnd = resolve));
    Object.assign(fragments.page, { encoding, isUtf8: encoding === "utf-8", isXml: isXmlType(type) });
    const rewriter = rewriterFor(plan, response.headers, visit, { fragments, isPage: !mayBePart, atEnd });
    // The type tells the rewriter the character set; the coding is undone already. Of a page that declares none browsers think what
    // they like: in windows-1252 each byte is a character, so that any of them is kept.
    const headers = { "content-type": `text/html; charset=${encoding ?? "windows-1252"}` };
    const { body, fed } = edited(source, (input) => rewriter.transform(new Response(input, { headers })).body, fragments);
    const drop = () => fragments.drop();
    fed.then(drop, drop);
    const brokeOff = fed.then(() => scheduler.wait(LEAVING_MS)).catch(() => count(visit, "pages_broken_off"));
    countAfter(visit, Promise.race([wentThrough, brokeOff]));
    became(visit, "edited");
    return new Response(body, { status: response.status, statusText: response.statusText, headers: editedHeaders(response, plan) });
  } catch (error) {
    fragments.drop();
    became(visit, "failed", "rewriting");
    log("error", "page_as_it_is", "a page goes out as the origin sent it", { error, site: visit.site.id });
    return new Response(unchanged(source, length), response);
  }
}
