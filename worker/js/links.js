// Signed links: `?idoine.preview=<token>` lets the browser that opens it preview the site, on any host of it, until it expires.
// The Rust side makes the tokens (`preview_token` in worker/src/identity.rs); here they are checked.

import { log } from "./log.js";
import { LINK, isLink, isLoopback, take, withPreview } from "./preview.js";
import { unshared } from "./rewrite.js";

/** Keeps a link's token in the browser. Our cookies never reach the origin. */
const COOKIE = "idoine_preview";

const encoder = new TextEncoder();

/** The key that links are signed by, derived from the Worker's: what it signs elsewhere is good for nothing here. */
async function linkKey(secret) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
  const own = await crypto.subtle.sign("HMAC", key, encoder.encode("idoine preview link"));
  return crypto.subtle.importKey("raw", own, hmac, false, ["verify"]);
}

/** When the preview ends that a token allows on a site, in seconds since 1970; undefined when it allows none. */
async function endOf(token, secret, site) {
  const [, expires, nonce, signature] = /^(\d{1,12})\.([\w-]{8,64})\.([\w-]{43})$/.exec(token) ?? [];
  if (signature === undefined) {
    return undefined;
  }
  const bytes = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  const text = encoder.encode(`preview\n${site}\n${expires}\n${nonce}`);
  // Compared by the platform, in a time that says nothing of the signature.
  const isOurs = await crypto.subtle.verify("HMAC", await linkKey(secret), bytes, text);
  return isOurs && Number(expires) * 1000 > Date.now() ? Number(expires) : undefined;
}

function cookieOf(request) {
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** A redirect to the page itself, with the cookie that lets the browser preview or ends that. */
function lead(url, value, maxAge) {
  const secure = url.protocol === "http:" && isLoopback(url.hostname) ? "" : "; Secure";
  return new Response(null, {
    status: 302,
    headers: {
      location: url.href,
      "set-cookie": `${COOKIE}=${value}; Path=/; SameSite=Lax; Max-Age=${maxAge}; HttpOnly${secure}`,
      "cache-control": "private, no-store",
      "referrer-policy": "no-referrer",
      "x-robots-tag": "noindex",
    },
  });
}

/** Whether a request may be one of a browser that previews by a signed link. For all others nothing is to be waited for. */
export function mayPreview({ request, env }) {
  return Boolean(env.IDOINE_KEY) && (request.url.includes(`${LINK}=`) || cookieOf(request) !== undefined);
}

/**
 * Lets a visit preview whose browser has a link's token: its `url` and `overrides` become those of `readPreview`. A request that
 * brings the token itself gets an answer, which sets the cookie and leads to the page without the token. One that is expired
 * or made up is as if it was not there: the visitor gets the page, and no page of ours tells anybody that there are previews.
 */
export async function preview(visit) {
  const { request, env, site } = visit;
  try {
    const url = new URL(visit.url);
    const [, token] = take(url, isLink);
    visit.url = url;
    if (token !== undefined && ["GET", "HEAD"].includes(request.method)) {
      const page = withPreview(url, visit.overrides ?? []);
      if (token === "off") {
        return lead(page, "", 0);
      }
      const end = await endOf(token, env.IDOINE_KEY, site.id);
      if (end !== undefined) {
        return lead(page, token, end - Math.floor(Date.now() / 1000));
      }
    }
    if (visit.overrides === undefined && (await endOf(cookieOf(request) ?? "", env.IDOINE_KEY, site.id)) !== undefined) {
      visit.overrides = take(url);
    }
  } catch (error) {
    log("error", "no_preview", "a preview link can't be checked", { error, site: site.id });
  }
  return undefined;
}

/** An answer as a previewing browser may have it: nobody keeps or lists a page that is seen so, whether it was edited or not. */
export function previewed({ overrides }, response) {
  if (overrides === undefined || !/^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(response.headers.get("content-type") ?? "")) {
    return response;
  }
  const changed = unshared(response);
  changed.headers.set("x-robots-tag", "noindex");
  return changed;
}
