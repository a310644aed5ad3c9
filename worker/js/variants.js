// Pages as they were edited, kept by what was decided: the *variant vector*, which is the plan itself, as nothing else but the
// origin's page takes part in the edited one. For sites whose decisions depend on few values; where they depend on many, the origin's page
// is kept alone and edited on the way out.

import { gather } from "./gather.js";
import { count as countOf } from "./counters.js";
import { digest } from "./digest.js";
import { begun, count, counted, find, keep } from "./kept.js";
import { log } from "./log.js";

/** Variants of a page that are kept, unless the variable `IDOINE_CACHE_VARIANTS` says otherwise. */
const MOST = 16;

/** Pages that an isolate remembers. */
const PAGES = 1000;

/** Edits that bring something along that is not in the plan. */
const ASKING = new Set(["fragment", "page", "redirect"]);

/**
 * What this isolate knows of pages that are kept, by their key, the one longest unused first: which `generation` of the origin's page
 * it is, when that one was `born` and until when it is `fresh`, which headers it is for requests `without`, which `variants` of it are
 * kept, and whether it was `told` that there are too many.
 */
const pages = new Map();

/** Takes note that a page is kept. Variants of an earlier generation are out of reach then. */
export function remember(key, { generation, born, fresh, without }) {
  const known = pages.get(key);
  pages.delete(key);
  pages.set(key, known?.generation === generation ? known : { generation, born, fresh, without, variants: new Set(), told: known?.told ?? false });
  if (pages.size > PAGES) {
    pages.delete(pages.keys().next().value);
    count("forgotten");
  }
}

/** No variant of a page is found any more. */
export function disown(key) {
  pages.delete(key);
}

/** What is known of a page that is fresh. */
export function freshPage(key) {
  const page = pages.get(key);
  if (page === undefined || Date.now() >= page.fresh) {
    return undefined;
  }
  pages.delete(key);
  pages.set(key, page);
  return page;
}

function limitOf({ IDOINE_CACHE_VARIANTS: text = "" }) {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : MOST;
}

/** Whether a page edited by this plan may be somebody else's too. */
export function isShareable(plan) {
  return !plan.personal && !plan.preview && !plan.edits.some(({ op }) => ASKING.has(op));
}

/** A plan's name among the variants of a page. Who asks is counted, and changes nothing in it. */
export const nameOf = (plan) => digest(JSON.stringify({ ...plan, bot: undefined, cookies: undefined }));

const keyOf = (key, { generation }, name) => `${key}/${generation}/${name}`;

/** A page, which is fresh, as it was edited before; undefined when it is not kept. `name` is the plan's. */
export async function recallVariant(visit, key, page, name) {
  // A variant that this isolate does not know may be another's; where there are too many, it is nobody's, most likely.
  if (!page.variants.has(name) && page.variants.size >= limitOf(visit.env)) {
    return undefined;
  }
  const found = await find(keyOf(key, page, name));
  const body = found ? await begun(found.body) : undefined;
  if (body === undefined) {
    return undefined;
  }
  page.variants.add(name);
  return new Response(body, { status: 200, statusText: found.note.statusText, headers: found.note.headers });
}

/** Keeps a page that was edited just now, beside the visitor who gets it; the answer for that visitor. */
export function keepVariant(visit, key, name, generation, edited) {
  const page = pages.get(key);
  // What went out as the origin sent it is no variant, whatever its headers say.
  if (page?.generation !== generation || visit.outcome !== "edited") {
    return edited;
  }
  if (!page.variants.has(name) && page.variants.size >= limitOf(visit.env)) {
    count("over_cap");
    countOf(visit, "variants_over_cap");
    tellOnce(visit, key, page);
    return edited;
  }
  const [forVisitor, forCache] = edited.body.tee();
  page.variants.add(name);
  visit.ctx.waitUntil(put(keyOf(key, page, name), page, name, edited, forCache));
  return new Response(forVisitor, edited);
}

async function put(key, page, name, { statusText, headers }, stream) {
  const { bytes, reason } = await gather(stream, false);
  const note = { statusText, headers: [...headers].filter(([name]) => name !== "set-cookie") };
  const refused = reason ?? (await keep(key, bytes, note, page.fresh));
  if (refused === undefined) {
    count("kept", "variants");
  } else {
    page.variants.delete(name);
    count("not_kept", refused);
  }
}

function tellOnce(visit, key, page) {
  if (!page.told) {
    page.told = true;
    const fields = { site: visit.site.id, page: key.slice(0, 16), variants: page.variants.size };
    log("warn", "variants_capped", "a page has more variants than are kept: the others are edited on the way out", fields);
  }
}

/**
 * What the page cache of this isolate did since it started, and holds. `pages` are those it knows of, `variants` all of theirs that are
 * kept, `most_variants` those of the page that has most.
 */
export function report() {
  const sizes = [...pages.values()].map(({ variants }) => variants.size);
  return { ...counted(), pages: sizes.length, kept_variants: sizes.reduce((sum, size) => sum + size, 0), most_variants: Math.max(0, ...sizes) };
}
