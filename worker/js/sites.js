// Which site a request is for, and where its pages come from. Both are configured: nothing in a request or in a manifest can name
// another origin.

import { isMap } from "./json.js";
import { log } from "./log.js";

/** The setting of a host name: its own, else that of the closest `*.` above it; undefined when there is none. */
function settingOf(sites, hostname) {
  // A dot behind a name says that it is whole.
  const labels = hostname.replace(/\.$/, "").split(".");
  const names = [labels.join("."), ...labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`)];
  const name = names.find((name) => Object.hasOwn(sites, name));
  // A setting that is none names no origin; it's not as if the host were not named.
  return name === undefined ? undefined : isMap(sites[name]) ? sites[name] : {};
}

/** The variable as it was read last, and what it says; undefined when it says nothing that can be read. */
let read = {};

/** The variable `SITES`: an object, or one as JSON text; empty when there is none, undefined when it is neither. */
function sitesOf({ SITES: text }) {
  if (text === undefined || text === "") {
    return {};
  }
  if (read.text !== text) {
    read = { text, sites: parse(text) };
    if (read.sites === undefined) {
      log("error", "sites_unreadable", "the variable SITES is no JSON object of settings by host name: ORIGIN and IDOINE_SITE stand in for it");
    }
  }
  return read.sites;
}

function parse(text) {
  try {
    const sites = typeof text === "string" ? JSON.parse(text) : text;
    return isMap(sites) ? sites : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The origin that a setting names: `fetch` asks it, `base` is its URL, undefined where it answers at the site's own URLs.
 * Undefined when it names none.
 */
function originOf(env, setting) {
  if (setting === "zone") {
    // On a route of the site's zone, a request for the same URL goes to the zone's own origin and not to this Worker again.
    return { base: undefined, fetch: (url, init) => fetch(url, init) };
  }
  const binding = /^binding:(\w+)$/.exec(setting)?.[1];
  if (binding !== undefined) {
    const fetcher = env[binding];
    return typeof fetcher?.fetch === "function" ? { base: undefined, fetch: (url, init) => fetcher.fetch(url, init) } : undefined;
  }
  try {
    const base = new URL(setting);
    return /^https?:$/.test(base.protocol) ? { base, fetch: (url, init) => fetch(url, init) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The site of a URL: its `id`, its `origin`, which is undefined when none is configured, and whether the settings by host name are
 * `unreadable`.
 */
export function siteOf(env, url) {
  const sites = sitesOf(env);
  const { site, origin } = (sites && settingOf(sites, url.hostname)) ?? { site: env.IDOINE_SITE, origin: env.ORIGIN };
  return { id: String(site || "shop"), origin: originOf(env, origin), unreadable: sites === undefined };
}
