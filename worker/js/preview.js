// Preview parameters: `?idoine.geo.country=FR` replaces a value of the context, for people who look at their site as
// someone else. Local start allows them (`IDOINE_PREVIEW` is "local") at a loopback name; anywhere else a signed link
// does (links.js), for the browser that opens it, until it expires.

const PREFIX = "idoine.";

/** The parameter of a signed link: it is none of the context, and checked in links.js. */
export const LINK = "idoine.preview";

/** Whether a host name of a URL is this machine and no other. */
export function isLoopback(hostname) {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether a parameter is that of a signed link. */
export const isLink = (name) => name === LINK;

/** Takes the preview parameters, or some of them, out of a URL: a flat list of paths and texts. The other parameters stay as they were. */
export function take(url, wanted = () => true) {
  const overrides = [];
  const kept = url.search
    .slice(1)
    .split("&")
    .filter((part) => {
      const [[name, text] = ["", ""]] = new URLSearchParams(part);
      if (!name.startsWith(PREFIX) || !wanted(name)) {
        return true;
      }
      overrides.push(name.slice(PREFIX.length), text);
      return false;
    });
  if (overrides.length > 0) {
    url.search = kept.join("&");
  }
  return overrides;
}

/** The link to a page, and the page's address without query and fragment; empty when it is none. */
export function previewLink(text, base, token) {
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return [];
  }
  take(url, isLink);
  url.username = url.password = "";
  const link = withPreview(url, [LINK.slice(PREFIX.length), token]);
  return [link.href, url.origin + url.pathname];
}

/**
 * The URL of a request without its preview parameters, and those as a flat list of paths and texts. Where preview is not
 * allowed the parameters are like any others and the list is undefined.
 */
export function readPreview(request, env) {
  const url = new URL(request.url);
  const allowed = env.IDOINE_PREVIEW === "local" && isLoopback(url.hostname);
  return { url, overrides: allowed ? take(url, (name) => !isLink(name)) : undefined };
}

/** The URL with preview parameters (a flat list of paths and texts) behind its own. */
export function withPreview(url, overrides) {
  const changed = new URL(url);
  const added = [];
  for (let at = 0; at < overrides.length; at += 2) {
    added.push(`${PREFIX}${encodeURIComponent(overrides[at])}=${encodeURIComponent(overrides[at + 1])}`);
  }
  if (added.length > 0) {
    changed.search = [changed.search.slice(1), ...added].filter(Boolean).join("&");
  }
  return changed;
}

/** A URL without its preview parameters, followed by those, paths and texts in turn. Empty when it is no absolute URL. */
export function splitPreview(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return [];
  }
  const overrides = take(url);
  return [url.href, ...overrides];
}
