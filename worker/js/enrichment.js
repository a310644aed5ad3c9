// Asking the endpoints of enrichments. An answer is kept in the data centre's cache, by the URL that was asked; a page
// waits for it as long as the manifest says, 50 ms at most, and is decided without it after that. An answer that comes
// later is kept for the next page. Nothing is shared between requests but the cache: a promise would belong to the
// request that made it. So two requests at the same moment may both ask.

import { log } from "./log.js";

/** The longest that a page waits, whatever a program says. */
const PATIENCE_MS = 50;

/** The longest that an endpoint may take to be of use to the next page. */
const LIMIT_MS = 5000;

/** How long an endpoint that failed is left alone, for the same URL. */
const FAILURE_SECONDS = 5;

/** The largest answer that is read, in bytes. */
const LARGEST = 64 * 1024;

/** A cache of its own: nothing in it can be asked for by a visitor, and nothing that the site caches is in it. */
const CACHE = "idoine-enrichment";

/** Marks an entry of the cache that stands for a failure. */
const FAILED = "x-idoine-failed";

/** The name of a URL in the cache. Of a host that does not exist, so that it is no page's. */
const keyOf = (url) => `https://enrichment.invalid/${encodeURIComponent(url)}`;

async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch (error) {
    log("error", "no_cache", "there is no cache for enrichments", { error });
    return undefined;
  }
}

/** What the cache says: a text, `null` for a failure, undefined for nothing. */
async function recall(cache, url) {
  try {
    const kept = await cache?.match(keyOf(url));
    return kept && (kept.headers.has(FAILED) ? null : await kept.text());
  } catch {
    return undefined;
  }
}

async function keep(cache, url, text, seconds) {
  const headers = { "cache-control": `max-age=${seconds}`, "content-type": "application/json", ...(text === null && { [FAILED]: "1" }) };
  try {
    await cache?.put(keyOf(url), new Response(text ?? "", { headers }));
  } catch (error) {
    log("error", "enrichment_not_kept", `the answer of ${hostOf(url)} can't be kept`, { error });
  }
}

/** A body as text; throws when it is too large or no UTF-8. */
async function read(response) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST) {
      throw new Error(`more than ${LARGEST} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The endpoint's answer, JSON as text; throws when it is anything else. */
async function ask(url) {
  const response = await fetch(url, {
    // All that it is told is the URL. Where the endpoint is behind this Worker too, `sec-fetch-dest` says that the answer
    // is no page, so that nothing is decided, and asked, for it.
    headers: { accept: "application/json", "sec-fetch-dest": "json", "user-agent": "idoine" },
    redirect: "manual",
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (response.status !== 200 || !/^(?:application|text)\/(?:[\w.-]+\+)?json$/.test(type)) {
    response.body?.cancel().catch(() => {});
    // Of the answer nothing else is told: it may be about the visitor.
    throw new Error(response.status === 200 ? "no JSON" : `status ${response.status}`);
  }
  const text = await read(response);
  JSON.parse(text);
  return text;
}

/** The host of a URL: of the rest, which a visitor's request had a part in, nothing is logged. */
function hostOf(url) {
  return new URL(url).host;
}

/** Finds one answer, in the cache or at the endpoint, tells it (undefined: there is none), and keeps what is new. */
async function find({ url, cache_seconds }, opened, tell) {
  const cache = await opened;
  const kept = await recall(cache, url);
  if (kept !== undefined) {
    tell(kept ?? undefined);
    return;
  }
  let text = null;
  try {
    text = await ask(url);
  } catch (error) {
    log("error", "enrichment_failed", `no answer of ${hostOf(url)}`, { error });
  }
  tell(text ?? undefined);
  if (text !== null) {
    await keep(cache, url, text, cache_seconds);
  } else if ((await recall(cache, url)) === undefined) {
    // Another request, at the same time, may have had more luck: its answer stays.
    await keep(cache, url, null, FAILURE_SECONDS);
  }
}

/**
 * Asks for all that is wanted at once (`url`, `cache_seconds`, `timeout_ms`), and gives the answers in the same order: JSON
 * as text, or undefined for what did not come in time. Never rejects.
 */
export function enrich(ctx, wanted) {
  const opened = openCache();
  const answers = wanted.map(
    (one) =>
      new Promise((resolve) => {
        const late = setTimeout(resolve, Math.min(one.timeout_ms, PATIENCE_MS));
        const tell = (text) => {
          clearTimeout(late);
          resolve(text);
        };
        ctx.waitUntil(find(one, opened, tell));
      }),
  );
  return Promise.all(answers);
}
