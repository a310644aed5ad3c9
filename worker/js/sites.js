// Which site a request is for, and where its pages come from. Both are configured: nothing in a request or in a manifest can name
// another origin.

/** The setting of a host name: its own, else that of the closest `*.` above it, else the one for all others. */
function settingOf(sites, hostname) {
  const labels = hostname.split(".");
  const names = [hostname, ...labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`)];
  const name = names.find((name) => Object.hasOwn(sites, name));
  return name === undefined ? undefined : sites[name];
}

/** The variable `SITES`: an object, or one as JSON text; empty when it is neither. */
function sitesOf(env) {
  try {
    const sites = typeof env.SITES === "string" ? JSON.parse(env.SITES) : env.SITES;
    return sites !== null && typeof sites === "object" ? sites : {};
  } catch {
    return {};
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

/** The site of a URL: its `id`, and its `origin`, which is undefined when none is configured. */
export function siteOf(env, url) {
  const { site, origin } = settingOf(sitesOf(env), url.hostname) ?? { site: env.IDOINE_SITE, origin: env.ORIGIN };
  return { id: String(site || "shop"), origin: originOf(env, origin) };
}
